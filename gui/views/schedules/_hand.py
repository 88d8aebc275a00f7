"""What the pages of schedules share: the one drawn by hand, whose knots are moved in the plot of the rates."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from PySide6.QtCore import Slot

from engine.experiment import Curve, Experiment
from engine.schedules import rates
from engine.spec import Spec
from gui.theme import Theme
from gui.views.schedules._knot_keys import KeyedKnots
from gui.views.schedules._knots import AHEAD, Knots
from gui.views.view import View

RATE = "learning_rate"
DRAWN = "drawn"
FINE = 512  # points of a hand-drawn line while it is moved


class HandView(View):
    """Shows the knots of `drawn.knots` where that schedule takes part, and hands on where they are put. `first`: the
    abscissa at which a schedule's first rate stands."""

    first: ClassVar[int] = 0

    def __init__(self, experiment: Experiment, theme: Theme) -> None:
        self._spec: Any = None
        super().__init__(experiment, theme)

    def _add_curves(self, plot: Curve) -> None:
        super()._add_curves(plot)
        if plot.column != RATE:
            return
        self.curves[RATE].deleteLater()
        self.rate = KeyedKnots(plot.title, plot.x_label, plot.y_label, plot.log, self.theme)
        self.rate.cursorMoved.connect(self._cursor_moved)
        self.rate.knotsMoved.connect(self._knots_moved)
        self.rate.knotsPicked.connect(self._knots_picked)
        self.curves[RATE] = self.rate

    def set_spec(self, spec: Spec) -> None:
        """New settings: other knots."""
        super().set_spec(spec)
        self._spec = spec
        self.show_knots()

    # -- drawing -------------------------------------------------------------------------------------------------------

    def show_knots(self) -> None:
        """The knots as set; none where nobody follows them."""
        spec = self._spec
        if DRAWN not in spec.schedules:
            self.rate.set_knots((), 1.0, 1.0, None)
            return
        style = self.line_style(DRAWN, 0)
        self.rate.set_knots(spec.drawn.knots, self._width(), spec.base_lr, style, self._share, self.first)

    def declare_ahead(self, name: str) -> str:
        """A faint line for what a schedule has ahead; its key."""
        key, label = AHEAD + name, self.label(name)
        self.rate.set_series(key, f"{label} · ahead", self.line_style(name, 0), ghost=True, name=label)
        return key

    def draw_ahead(self, knots: Knots) -> None:
        """The line through these knots, where it is declared."""
        spec, key = self._spec, AHEAD + DRAWN
        if key not in self.rate.series:
            return
        line = rates(DRAWN, np.arange(FINE + 1), FINE + 1, spec.base_lr, knots=knots, smooth=spec.drawn.smooth)
        self.rate.set_data(key, self.first + np.linspace(0, self._width(), FINE + 1), line)

    def _width(self) -> int:
        return max(int(self._spec.total_steps) - 1, 1)

    def _share(self, x: float) -> float:
        """The height of the hand-drawn line at a share of the run."""
        at = np.array([round(x * FINE)])
        drawn = self._spec.drawn
        return float(rates(DRAWN, at, FINE + 1, 1.0, knots=drawn.knots, smooth=drawn.smooth)[0])

    # -- hands ---------------------------------------------------------------------------------------------------------

    @Slot(object)
    def _knots_moved(self, knots: Knots) -> None:
        self.draw_ahead(knots)

    @Slot(object)
    def _knots_picked(self, knots: Knots) -> None:
        self.edited.emit("drawn.knots", knots)
