"""The race: its losses over the steps of the race alone, which begin where the tuning ends."""

from __future__ import annotations

from typing import Any

from engine.experiment import Experiment
from engine.spec import Spec
from gui.theme import Theme
from gui.views.view import View

EMPTY = "The race begins when the rates are tuned"


class RaceView(View):
    """The plots of `landscapes.race`. Beside the losses stands what there is: the tuning, the losses over time where
    none is tuned, or the gradients that pile up where nobody clears them."""

    def __init__(self, experiment: Experiment, theme: Theme) -> None:
        super().__init__(experiment, theme)
        self._beside = self.pictures["tuned"]

    def set_spec(self, spec: Spec) -> None:
        """A new race, as long as these settings say."""
        super().set_spec(spec)
        given: Any = spec
        for name, curves in self.curves.items():
            curves.empty = EMPTY
            if self._declared[name].x == "update":
                curves.set_x_range(0, given.steps)
        thrown = given.holds == "discarded"
        beside = self.pictures["tuned" if given.rates == "tuned" and not thrown else "times"]
        beside = self.curves["gradient_norm"] if thrown else beside
        # the reader's own arrangement is left alone
        if beside is not self._beside and self.panel.plots[1] is self._beside:
            self.panel.exchange(beside, self._beside)
            self._beside = beside


def view(experiment: Experiment, theme: Theme) -> View:
    """The view of this experiment."""
    return RaceView(experiment, theme)
