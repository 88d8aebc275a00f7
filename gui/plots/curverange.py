"""Which part of the plane a plot of curves shows: a calm range around all that is visible, and what it leaves out."""

from __future__ import annotations

import math

import numpy as np

from gui.plots.canvas import WIDEST, Range
from gui.plots.curvedata import CurveData
from gui.plots.geometry import Frame
from gui.plots.ranges import SAMPLE, Span, calm, room_ahead, union, without_flight
from gui.plots.series import LogFrame, Series
from gui.plots.ticks import number

AHEAD = 0.3  # of the range of the ordinates: room where it grows while data streams in


class CurveRange(CurveData):
    """Curves with axes that follow them, unless the reader zooms. On a logarithmic axis the view has exponents."""

    fixed_x: tuple[float, float] | None = None
    _held: tuple[tuple[float, float], tuple[float, float]] | None = None
    _beyond: float | None = None  # the highest value, where the range that shows everything leaves it out
    _streaming = False  # lines come one set after the other

    def set_x_range(self, x0: float | None, x1: float | None = None) -> None:
        """Fix the abscissa (for example to all steps of the run), or let it follow the data again with None."""
        self.fixed_x = None if x0 is None or x1 is None else (x0, x1)
        self.data_changed()

    def home(self) -> Range:
        """The calm range around all visible data."""
        visible = self.shown()
        log = self.log_y
        across = _drawable(union(s.across(self.log_x) for s in self._spanning(visible)))
        up = _drawable(union(s.up(log) for s in visible))
        held_x, held_y = self._held or (None, None)
        x_range = self._fixed() or (self._x_range(*across, held_x) if across else (0.0, 1.0))
        self._beyond = None
        if up is None:
            return *x_range, 0.0, 1.0
        ahead = AHEAD if self._streaming else 0.0
        y_range = calm(*self._readable(visible, *up), held_y, log=log, ahead=ahead)
        self._held = (x_range, y_range)
        return *x_range, *y_range

    def _spanning(self, visible: list[Series]) -> list[Series]:
        """The series that decide which abscissae are shown: what was measured, rather than what was drawn over it."""
        return [s for s in visible if not s.overlay and s.x.size] or visible

    def _x_range(self, low: float, high: float, held: tuple[float, float] | None) -> tuple[float, float]:
        """The range of the view around abscissae (on a logarithmic axis decimal exponents), with room ahead."""
        return (low, max(math.ceil(4 * high) / 4, low + 0.25)) if self.log_x else room_ahead(low, high, held)

    def _fixed(self) -> tuple[float, float] | None:
        if self.fixed_x is None or not self.log_x:
            return self.fixed_x
        x0, x1 = self.fixed_x
        return (math.log10(x0), math.log10(x1)) if 0 < x0 < x1 else None

    def _readable(self, visible: list[Series], low: float, high: float) -> tuple[float, float]:
        stride = max(1, sum(s.y.size for s in visible) // SAMPLE)
        found = without_flight([s.shown(self.log_y)[0][::stride] for s in visible], low, high, log=self.log_y)
        self._beyond = high if found[1] < high else None
        return found

    def _frame(self) -> Frame:
        """The frame as it is now, from data to pixels."""
        frame = self.canvas.frame()
        return LogFrame(**vars(frame)) if self.log_x else frame

    # -- following -----------------------------------------------------------------------------------------------------

    def _fit(self) -> None:
        if not self.zoomed:
            self.canvas.set_range(*self.home())

    def _fits(self) -> bool:
        """Whether all lines lie within the range that is held: then it need not be found anew with every frame."""
        if self.zoomed or self._held is None or self.log_x:
            return self.zoomed
        lines = [s for s in self.shown() if s.x.size]
        across, up = union(s.across() for s in lines if not s.overlay), union(s.up(self.log_y) for s in lines)
        (x0, x1), (y0, y1) = self._held
        inside = across is not None and up is not None and x0 == across[0] and y0 <= up[0] and up[1] <= y1
        return inside and across is not None and 0.2 * x1 <= across[1] <= x1

    def reset_view(self) -> None:
        """Show everything again, on a fresh range."""
        self._held = None
        super().reset_view()

    def forget_range(self) -> None:
        """What comes next finds its range by itself; the reader's zoom ends."""
        self._held = None
        if self.zoomed:
            self.reset_view()

    def hiding_changed(self) -> None:
        """Other series than before are hidden; the range may shrink at once."""
        self._held = None
        super().hiding_changed()

    # -- what is left out ----------------------------------------------------------------------------------------------

    def hint(self) -> str:
        """What the axis cannot show, in words, or an empty string."""
        missing = sum(s.missing() for s in self.shown()) if self.log_y else 0
        words = [f"{missing} {'value' if missing == 1 else 'values'} ≤ 0, marked at the floor"] if missing else []
        if self._beyond is not None:
            highest = 10.0 ** min(self._beyond, 308.0) if self.log_y else self._beyond
            words.append(f"↑ goes on to {number(highest, 2)}, off scale")
        if self.log_x and (
            beside := sum(int((np.isfinite(s.x) & np.isnan(s.on_axis(s.x, True))).sum()) for s in self.shown())
        ):
            words.append(f"{beside} at {self.x_label or 'x'} ≤ 0 not shown")
        return ", ".join(words)

    def _note(self) -> None:
        axis, note = self.canvas.bottom, self.hint()
        blank = all(s.up(False) is None for s in self.shown())
        if axis.blank != blank:
            axis.blank, self.canvas.left_axis.blank = blank, blank
            axis.update()
            self.canvas.left_axis.update()
        axis.set_note(note)


def _drawable(span: Span | None) -> Span | None:
    """A span cut to what a view can show: the distance of two floats may be more than a float can hold."""
    return span and (max(span[0], -WIDEST), min(span[1], WIDEST))
