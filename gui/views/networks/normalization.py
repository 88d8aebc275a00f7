"""The plots of `networks.normalization`: those that the study is about stand large, and torch is not waited for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from PySide6.QtWidgets import QWidget

from engine.experiment import Experiment
from engine.session.branches import SessionView
from engine.spec import Spec
from gui.pump import Probes
from gui.runs import Pinned
from gui.theme import Theme
from gui.views.view import View

ORDERS = {
    "tensor": ("cube", "after", "before", "means", "torch", "table", "variance"),
    "train": ("train_loss", "test_accuracy", "standing", "batch_loss", "sizes", "accuracy"),
    "sweep": ("sizes", "train_loss", "accuracy", "standing", "test_accuracy", "batch_loss"),
}
PACES = {"tensor": 4.0, "train": 60.0, "sweep": float("inf")}  # steps a second
TORCH = "torch"  # the picture for which torch is loaded, for a second or two


class NormalizationView(View):
    """The declared plots. Another study brings its own ones to the front; what the reader put there stays till then.
    The comparison with torch is asked for when everything else is there."""

    def __init__(self, experiment: Experiment, theme: Theme) -> None:
        self._study, self._shown = "tensor", False
        super().__init__(experiment, theme)

    def set_spec(self, spec: Spec) -> None:
        """A new run, perhaps of another study."""
        super().set_spec(spec)
        told: Any = spec
        self._shown = False
        if told.study != self._study:
            self._study = told.study
            self.paced.emit(PACES[self._study])
            widgets: dict[str, QWidget] = {**self.pictures, **self.curves}
            for place, name in enumerate(ORDERS[self._study]):
                there = self.panel.plots[place]
                if there is not widgets[name]:
                    self.panel.exchange(there, widgets[name])

    def wanted(self) -> Probes:
        """As declared; on a page the comparison with torch comes second."""
        wanted, late = super().wanted(), self.live and not self._shown
        return {name: asked for name, asked in wanted.items() if not (late and name == TORCH)}

    def show_run(self, view: SessionView, probes: Mapping[str, Any], pinned: Sequence[Pinned]) -> None:
        """What was measured so far."""
        super().show_run(view, probes, pinned)
        if not self._shown and "cube" in probes:
            self._shown = True
            if self.live:
                self.asked.emit()


def view(experiment: Experiment, theme: Theme) -> View:
    """The view of this experiment."""
    return NormalizationView(experiment, theme)
