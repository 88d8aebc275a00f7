"""The plots of `landscapes.second_order`: those that the study is about stand large."""

from __future__ import annotations

from typing import Any

from PySide6.QtWidgets import QWidget

from engine.experiment import Experiment
from engine.spec import Spec
from gui.theme import Theme
from gui.views.view import View

ORDERS = {
    "race": ("excess", "by_time", "memory", "table", "gradient_norm"),
    "quadratic": ("plane", "excess", "by_time", "table", "gradient_norm"),
    "size": ("to_target", "per_step", "memory", "steps_to_target", "table"),
}


class SecondOrderView(View):
    """The declared plots. Another study brings its own ones to the front; what the reader put there stays till then."""

    def __init__(self, experiment: Experiment, theme: Theme) -> None:
        self._kind = "race"
        super().__init__(experiment, theme)
        self._arrange()

    def set_spec(self, spec: Spec) -> None:
        """A new run, perhaps of another study."""
        super().set_spec(spec)
        told: Any = spec
        kind = "size" if told.study == "size" else "quadratic" if told.problem == "quadratic" else "race"
        if kind != self._kind:
            self._kind = kind
            self._arrange()

    def _arrange(self) -> None:
        grows = self._kind == "size"
        words = ("Nothing measured yet", "Comes with a growing size", "Comes with a race")
        self.pictures["to_target"].empty = words[0] if grows else words[1]  # type: ignore[attr-defined]
        self.pictures["by_time"].empty = words[2] if grows else words[0]  # type: ignore[attr-defined]
        widgets: dict[str, QWidget] = {**self.pictures, **self.curves}
        for place, name in enumerate(ORDERS[self._kind]):
            there = self.panel.plots[place]
            if there is not widgets[name]:
                self.panel.exchange(there, widgets[name])


def view(experiment: Experiment, theme: Theme) -> View:
    """The view of this experiment."""
    return SecondOrderView(experiment, theme)
