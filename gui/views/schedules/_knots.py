"""A plot of curves in which the knots of one of them can be dragged."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from PySide6.QtCore import QPointF, Qt, Signal
from PySide6.QtGui import QColor, QPainter

from gui.fonts import SMALL, font
from gui.palette import color, pen
from gui.plots.curves import Curves
from gui.plots.geometry import Frame
from gui.plots.marks import draw_mark
from gui.plots.readout import Row
from gui.plots.series import Series

REACH = 12.0  # px around a knot within which the mouse takes it
APART = 0.002  # two knots are at least this far apart, as a share of the run
AHEAD = "ahead/"  # keys of the lines that show what lies ahead

Knots = tuple[tuple[float, float], ...]


class KnotCurves(Curves):
    """Curves, and knots (x, y) between 0 and 1 that stand for (first + x * width, y * height) of the data.

    `knotsMoved(knots)` while one is moved; `knotsPicked(knots)` when it has its place, and when one is added on the
    line or taken away. Elsewhere the mouse does what it does in every plot.
    """

    knotsMoved = Signal(object)
    knotsPicked = Signal(object)

    knots: Knots = ()
    chosen: int | None = None  # the knot that the keys move
    _size = (1.0, 1.0)
    _first = 0.0
    _style: Any = None
    _line: Callable[[float], float] | None = None
    _taken_knot: int | None = None
    _before: Knots = ()
    _counting = False
    _over = ""  # what the mouse can do where it is

    def set_knots(
        self, knots: Sequence[tuple[float, float]], width: float, height: float, style: Any,
        line: Callable[[float], float] | None = None, first: float = 0.0,
    ) -> None:  # fmt: skip
        """Show these knots, none to take them away; `line(x)` is the height of their curve at x, both as shares."""
        if self._taken_knot is None:  # what is in the reader's hand stays there
            self.knots = tuple(knots)
        self.chosen = self.in_hand()
        self._size, self._style, self._line = (max(width, 1e-300), max(height, 1e-300)), style, line
        self._first = first
        self.tell()

    # -- where they are ----------------------------------------------------------------------------------------------

    def place(self, knot: tuple[float, float]) -> QPointF:
        """A knot in plot pixels; on a logarithmic axis one without height stands at the foot."""
        frame = self.canvas.frame()
        y = knot[1] * self._size[1]
        up = math.log10(y) if self.log_y and y > 0 else -math.inf if self.log_y else y
        py = min(max(float(frame.py(up)), 0.0), frame.height) if math.isfinite(up) else frame.height
        return QPointF(float(frame.px(self._first + knot[0] * self._size[0])), py)

    def _shares(self, at: QPointF) -> tuple[float, float]:
        frame = self.canvas.frame()
        up = frame.y(min(max(at.y(), 0.0), frame.height))
        y = 10.0**up if self.log_y else up
        if self.log_y and at.y() >= frame.height - 1:  # let go at the foot: zero
            y = 0.0
        x = (frame.x(min(max(at.x(), 0.0), frame.width)) - self._first) / self._size[0]
        return min(max(x, 0.0), 1.0), min(max(y / self._size[1], 0.0), 1.0)

    def knot_at(self, at: QPointF) -> int | None:
        """The knot under the mouse."""
        near = [(at - self.place(knot)).manhattanLength() for knot in self.knots]
        best = int(np.argmin(near)) if near else 0
        return best if near and near[best] <= REACH * self.theme.scale else None

    # -- mouse ---------------------------------------------------------------------------------------------------------

    def grabbed(self, at: QPointF) -> bool:
        """Take a knot, or scrub."""
        self._taken_knot, self._before = self.knot_at(at), self.knots
        return True if self._taken_knot is not None else super().grabbed(at)

    def dragged(self, at: QPointF) -> None:
        """Move the knot, between its neighbours."""
        if self._taken_knot is None:
            super().dragged(at)
            return
        self.move_knot(self._taken_knot, *self._shares(at))

    def move_knot(self, i: int, x: float, y: float) -> None:
        """Put one there, or as near as its neighbours leave room."""
        low = self.knots[i - 1][0] + APART if i > 0 else 0.0
        high = self.knots[i + 1][0] - APART if i + 1 < len(self.knots) else 1.0
        moved = (round(min(max(x, low), max(low, high)), 4), float(f"{y:.3g}"))
        self.knots = (*self.knots[:i], moved, *self.knots[i + 1 :])
        self.tell()
        self.knotsMoved.emit(self.knots)

    def dropped(self, at: QPointF) -> None:
        """Let go."""
        taken, self._taken_knot = self._taken_knot, None
        if taken is None:
            super().dropped(at)
        elif self.knots != self._before:
            self.picked(self.knots)

    def _doubled(self, at: QPointF) -> None:
        self._taken_knot = None
        i, (x, y) = self.knot_at(at), self._shares(at)
        if i is not None and len(self.knots) > 1:
            self.remove_knot(i)
        elif self.knots and i is None and self._on_line(at, x):
            self.add_knot(x, y)
        else:
            super()._doubled(at)

    def remove_knot(self, i: int) -> None:
        """Take one away."""
        self.picked((*self.knots[:i], *self.knots[i + 1 :]))

    def add_knot(self, x: float, y: float) -> None:
        """One more there, unless another is too near."""
        there = (round(x, 4), float(f"{y:.3g}"))
        if all(abs(there[0] - other) >= APART for other, _ in self.knots):
            self.picked(tuple(sorted((*self.knots, there))))

    def picked(self, knots: Knots) -> None:
        """These are what the reader wants."""
        self.knotsPicked.emit(knots)

    def _on_line(self, at: QPointF, x: float) -> bool:
        return self._line is not None and abs(self.place((x, self._line(x))).y() - at.y()) <= REACH * self.theme.scale

    def hovered_at(self, at: QPointF | None) -> None:
        """The cursor says when a knot can be taken, and the note what can be done here."""
        over = at is not None and self.knot_at(at) is not None
        self.canvas.setCursor(Qt.CursorShape.OpenHandCursor if over else Qt.CursorShape.ArrowCursor)
        there = bool(self.knots) and at is not None and self._on_line(at, self._shares(at)[0])
        words = "Drag the knot; double-click takes it away" if over else "Double-click adds a knot" if there else ""
        if words != self._over:
            self._over = words
            self.tell()
        super().hovered_at(at)

    def tell(self) -> None:
        """Bring note, description and picture up to date with the knots."""
        self._note()
        self.canvas.setAccessibleDescription(self.knot_words())
        self.canvas.refresh()

    def knot_words(self) -> str:
        """What can be done without a mouse."""
        return ""

    def in_hand(self) -> int | None:
        """The chosen knot, if it is there."""
        return self.chosen if self.chosen is not None and self.chosen < len(self.knots) else None

    # -- what is told once ---------------------------------------------------------------------------------------------

    def shown(self) -> list[Series]:
        """As in every plot; while values are counted without those that are told a second time ahead."""
        visible = super().shown()
        if not self._counting:
            return visible
        ahead = [series for key, series in self.series.items() if key.startswith(AHEAD)]
        return [series for series in visible if not any(series is other for other in ahead)]

    def hint(self) -> str:
        """What mouse or keys can do with the knots; else what the axis cannot show of what was measured."""
        if self.knots and not self.for_picture and (self._over or self.canvas.hasFocus()):
            return self._over or self.knot_words()
        self._counting = True
        try:
            return super().hint()
        finally:
            self._counting = False

    def readout(self, x: float) -> tuple[str, list[Row]]:
        """What is ahead is told only where nothing was measured yet."""
        reached = {
            series.label for key, series in self.series.items()
            if not key.startswith(AHEAD) and series.x.size and float(series.x[-1]) >= x - 0.5
        }  # fmt: skip
        head, rows = super().readout(x)
        return head, [row for row in rows if row.label.removesuffix(" · ahead") not in reached or row.label in reached]

    # -- painting --------------------------------------------------------------------------------------------------

    def _paint_data(self, painter: QPainter, frame: Frame) -> None:
        super()._paint_data(painter, frame)
        if self.for_picture or not self.knots or self._style is None:
            return
        theme = self.theme
        painter.setFont(font(SMALL * theme.scale))
        ink = color(self._style, theme)
        keyed = self.in_hand() if self.canvas.hasFocus() else None
        for i, knot in enumerate(self.knots):
            at = self.place(knot)
            ground = ink if i == keyed else theme.background
            draw_mark(painter, "circle", at.x(), at.y(), 5.0 * theme.scale, ground, theme.background)
            painter.setPen(pen(QColor(ink), 2.0 * theme.scale))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawEllipse(at, 5.0 * theme.scale, 5.0 * theme.scale)
