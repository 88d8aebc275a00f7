"""Training under schedules: the rate above the loss, and the knots of the schedule drawn by hand to move it with."""

from __future__ import annotations

from typing import ClassVar

from engine.experiment import Experiment
from gui.theme import Theme
from gui.views.schedules._ahead import AheadView
from gui.views.schedules._hand import DRAWN
from gui.views.schedules._knots import AHEAD


class TrainingView(AheadView):
    """As declared; the rates that lie ahead are shown faintly, the knots of the one drawn by hand on its line."""

    first: ClassVar[int] = 1  # step k uses the schedule's rate k - 1

    def show_knots(self) -> None:
        """The knots, and the line through them."""
        super().show_knots()
        if DRAWN in self._spec.schedules:
            self.declare_ahead(DRAWN)
            self.draw_ahead(self._spec.drawn.knots)
        else:
            self.rate.remove(AHEAD + DRAWN)


def view(experiment: Experiment, theme: Theme) -> TrainingView:
    """The view of this experiment."""
    return TrainingView(experiment, theme)
