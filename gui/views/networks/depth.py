"""The plots of `networks.depth`: those that the study is about stand large."""

from __future__ import annotations

from typing import Any

from PySide6.QtWidgets import QWidget

from engine.experiment import Experiment
from engine.spec import Spec
from gui.theme import Theme
from gui.views.view import View

ORDERS = {
    "train": ("train_loss", "gradient", "blocks", "depths"),
    "sweep": ("depths", "train_loss", "blocks", "gradient"),
}


class DepthView(View):
    """The declared plots. Another study brings its own ones to the front; what the reader put there stays till then."""

    def __init__(self, experiment: Experiment, theme: Theme) -> None:
        self._study = "train"
        super().__init__(experiment, theme)

    def set_spec(self, spec: Spec) -> None:
        """A new run, perhaps of another study."""
        super().set_spec(spec)
        told: Any = spec
        if told.study != self._study:
            self._study = told.study
            self._arrange()

    def _arrange(self) -> None:
        widgets: dict[str, QWidget] = {**self.pictures, **self.curves}
        for place, name in enumerate(ORDERS[self._study]):
            there = self.panel.plots[place]
            if there is not widgets[name]:
                self.panel.exchange(there, widgets[name])


def view(experiment: Experiment, theme: Theme) -> View:
    """The view of this experiment."""
    return DepthView(experiment, theme)
