"""Training under schedules: the rate above the loss, and the knots of the schedule drawn by hand to move it with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from engine.experiment import Experiment
from engine.session.branches import SessionView
from gui.runs import Pinned
from gui.theme import Theme
from gui.views.schedules._hand import DRAWN, HandView
from gui.views.schedules._knots import AHEAD


class TrainingView(HandView):
    """As declared; what lies ahead is shown of the schedule drawn by hand, so that its knots hang on a line."""

    first: ClassVar[int] = 1  # step k uses the schedule's rate k - 1

    def show_knots(self) -> None:
        """The knots, and the line through them."""
        super().show_knots()
        if DRAWN in self._spec.schedules:
            self.declare_ahead(DRAWN)
            self.draw_ahead(self._spec.drawn.knots)
        else:
            self.rate.remove(AHEAD + DRAWN)

    def show_run(self, view: SessionView, probes: Mapping[str, Any], pinned: Sequence[Pinned]) -> None:
        """What was measured; a live change of the peak rate moves knots and line."""
        if self._spec is not None and view.live.base_lr != self._spec.base_lr:  # type: ignore[attr-defined]
            self._spec = view.live
            self.show_knots()
        super().show_run(view, probes, pinned)


def view(experiment: Experiment, theme: Theme) -> TrainingView:
    """The view of this experiment."""
    return TrainingView(experiment, theme)
