"""A plot of curves with named rates on its abscissa that can be picked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QPainter

from gui.fonts import MEDIUM, REGULAR, SMALL, font, text_width
from gui.palette import SeriesStyle, color, pen
from gui.plots.curves import Curves
from gui.plots.geometry import Frame
from gui.plots.marks import draw_mark, draw_words
from gui.tokens import Theme

ROW = 18.0  # px at scale 1 from one row of names to the next
DASH = (4.0, 3.0)


@dataclass(frozen=True)
class Mark:
    """A vertical at `x` with its words; `style` None: theory, dashed. `y`: a mark on the curve there. `strong`: the one
    in hand."""

    key: str
    x: float
    words: str
    style: SeriesStyle | None = None
    y: float | None = None
    strong: bool = False


class MarkedCurves(Curves):
    """Curves with marks. `markPicked(key)`: the words of one that has a style were clicked."""

    markPicked = Signal(str)
    marks: tuple[Mark, ...] = ()

    def set_marks(self, marks: Sequence[Mark]) -> None:
        """Show these."""
        if tuple(marks) != self.marks:
            self.marks = tuple(marks)
            self.canvas.refresh()

    def boxes(self, frame: Frame, theme: Theme) -> list[tuple[Mark, float, QRectF]]:
        """Each mark that is in the picture, its pixel, and where its words stand: in the first row from the top in
        which they cover no others."""
        unit = theme.scale
        found: list[tuple[Mark, float, QRectF]] = []
        for mark in sorted(self.marks, key=lambda m: m.x):
            px = float(frame.px(mark.x))
            if not 0 <= px <= frame.width:
                continue
            wide = text_width(font(SMALL * unit, MEDIUM), mark.words) + 2 * unit
            left = px + 5 * unit if px + 5 * unit + wide <= frame.width else px - 5 * unit - wide
            box = QRectF(left, 2 * unit, wide, 16 * unit)
            while any(box.adjusted(-6 * unit, 0, 6 * unit, 0).intersects(other) for _, _, other in found):
                box.translate(0, ROW * unit)
            found.append((mark, px, box))
        return found

    def mark_at(self, at: QPointF) -> str:
        """The key of the mark whose words are here, or nothing."""
        places = self.boxes(self._frame(), self.theme)
        return next((m.key for m, _, box in places if m.style is not None and box.contains(at)), "")

    # -- mouse -------------------------------------------------------------------------------------------------------

    def grabbed(self, at: QPointF) -> bool:
        """Words pick; elsewhere the button scrubs as in every plot."""
        key = self.mark_at(at)
        if key:
            self.markPicked.emit(key)
            return False
        return super().grabbed(at)

    def hovered_at(self, at: QPointF | None) -> None:
        """The cursor says when words can be picked."""
        over = at is not None and bool(self.mark_at(at))
        self.canvas.setCursor(Qt.CursorShape.PointingHandCursor if over else Qt.CursorShape.ArrowCursor)
        super().hovered_at(at)

    # -- painting ----------------------------------------------------------------------------------------------------

    def _copy_to(self, twin: Self) -> None:
        twin.marks = self.marks
        super()._copy_to(twin)

    def _paint_data(self, painter: QPainter, frame: Frame) -> None:
        super()._paint_data(painter, frame)
        theme, frame = self.theme, self._frame()
        unit, places = theme.scale, sorted(self.boxes(frame, theme), key=lambda place: place[0].strong)
        for mark, px, box in places:
            ink = self._ink(mark)
            painter.setPen(pen(ink, (2.0 if mark.strong else 1.0) * unit, () if mark.strong else DASH))
            painter.drawLine(QPointF(px, box.top()), QPointF(px, frame.height))
            if mark.y is not None:
                (py,) = self._heights(frame, mark.y)
                radius, symbol = (5.0 if mark.strong else 3.5) * unit, mark.style.symbol if mark.style else "circle"
                if 0 <= py <= frame.height:
                    draw_mark(painter, symbol, px, py, radius, ink, theme.background)
        for mark, _, box in places:
            used = font(SMALL * unit, MEDIUM if mark.strong else REGULAR)
            draw_words(painter, mark.words, box, used, self._ink(mark), theme.background)

    def _ink(self, mark: Mark) -> str:
        return color(mark.style, self.theme) if mark.style is not None else self.theme.text

    def _heights(self, frame: Frame, y: float) -> list[float]:
        """The pixel of an ordinate, far out where it has none."""
        with np.errstate(all="ignore"):
            up = np.log10([y]) if self.log_y else np.array([y])
        return [float(v) if np.isfinite(v) else -1e9 for v in frame.py(up)]
