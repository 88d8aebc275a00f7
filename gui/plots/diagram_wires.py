"""How the edges of a network diagram look, and the colours and fonts that its parts share."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QLineF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPen

from gui.fonts import BODY, MEDIUM, REGULAR, SMALL, font
from gui.palette import pen
from gui.plots.diagram_layout import Indices, Wires
from gui.plots.geometry import Floats
from gui.plots.labels import Box
from gui.plots.marks import draw_line
from gui.plots.shades import Table, signed_table
from gui.tokens import Theme, mix

GRADES = 6  # widths of edges


class Face:
    """A font with its metrics: both are dear to make anew for every number."""

    def __init__(self, size: float, weight: int = REGULAR) -> None:
        self.font = font(size, weight)
        self.metrics = QFontMetricsF(self.font)

    def width(self, words: str) -> float:
        """Advance width of words, px."""
        return self.metrics.horizontalAdvance(words)


@dataclass(frozen=True)
class Ink:
    """The colours of a theme that a diagram needs: the table of signed shades, its two ends, and the theme."""

    theme: Theme
    table: Table
    below: str
    above: str
    rim: QPen
    lit_rim: QPen
    small: Face
    large: Face
    pens: dict[tuple[int, int, float], QPen] = field(default_factory=dict)

    def sign(self, value: float) -> str:
        """Orange above zero, blue below, quiet at zero, red where it is not a number."""
        if not np.isfinite(value):
            return self.theme.bad
        return self.above if value > 0 else self.below if value < 0 else self.theme.faint

    def pen_for(self, grade: int, sign: int, widest: float) -> QPen:
        """The pen of an edge of this grade; `sign`: -1, 0, 1, or 2 for no number."""
        key = grade, sign, widest
        if key not in self.pens:
            share, unit = (grade + 0.5) / GRADES, self.theme.scale
            colour = mix(self.sign(sign if sign < 2 else np.nan), self.theme.background, 0.18 + 0.77 * share)
            self.pens[key] = pen(colour, 0.7 * unit + (widest - 0.7 * unit) * share)
            self.pens[key].setCapStyle(Qt.PenCapStyle.SquareCap)
        return self.pens[key]


def ink(theme: Theme) -> Ink:
    """The colours of a theme."""
    table = signed_table(theme)
    below, above = (f"#{int(table[end]) & 0xFFFFFF:06x}" for end in (0, 255))
    rim = pen(mix(theme.border, theme.background, 0.8), 1.2 * theme.scale)
    small, large = Face(SMALL * theme.scale), Face(BODY * theme.scale, MEDIUM)
    return Ink(theme, table, below, above, rim, pen(theme.accent, 2.0 * theme.scale), small, large)


def draw_wires(painter: QPainter, wires: Wires, used: Ink, whole: bool) -> None:
    """Edges in few strokes, one for each grade and sign, the weakest first, the lit ones glowing on top."""
    unit, count = used.theme.scale, len(wires.index)
    if not count:
        return
    widest = (5.0 if count <= 20 else 3.6 if count <= 200 else 2.4) * unit
    grade = np.minimum((wires.strength * GRADES).astype(np.intp), GRADES - 1)
    sign = np.where(np.isfinite(wires.weight), np.sign(wires.weight), 2.0).astype(np.intp) + 1  # 0 to 3
    kind = np.where(wires.lit, 4 * GRADES, 4 * grade + sign)
    order = np.argsort(kind, kind="stable")
    ends = np.searchsorted(kind[order], np.arange(4 * GRADES + 1))
    x, y = wires.x[order], wires.y[order]
    segments = np.stack([x[:, :-1], y[:, :-1], x[:, 1:], y[:, 1:]], axis=2).reshape(-1, 4)
    per = x.shape[1] - 1
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for stroke in np.flatnonzero(np.diff(ends)).tolist():
        first, stop = int(ends[stroke]), int(ends[stroke + 1])
        ink_of = used.pen_for(stroke // 4, stroke % 4 - 1, widest)
        if whole:
            draw_rows(painter, wires, order[first:stop], ink_of.color().name(), ink_of.widthF(), True)
            continue
        store = pg.Qt.internals.PrimitiveArray(QLineF, 4)
        store.resize((stop - first) * per)
        store.ndarray()[:] = segments[first * per : stop * per]
        painter.setPen(ink_of)
        painter.drawLines(*store.drawargs())
    theme, rows = used.theme, order[int(ends[-1]) :]
    for colour, extra in ((mix(theme.accent, theme.background, 0.28), 6.0), (theme.accent, 0.0)):
        for row in rows:
            wide = 1.4 * unit + (widest - 1.4 * unit) * float(wires.strength[row])
            draw_rows(painter, wires, np.array([row]), colour, wide + extra * unit, whole)


def draw_rows(
    painter: QPainter, wires: Wires, rows: Indices, colour: str, width: float,
    whole: bool,
) -> None:  # fmt: skip
    """Some of the edges with one pen."""
    draw_line(painter, _joined(wires.x[rows]), _joined(wires.y[rows]), pen(colour, width), whole=whole)


def _joined(lines: Floats) -> Floats:
    """Polylines [m, k] as one, with gaps between."""
    flat: Floats = np.concatenate([lines, np.full((len(lines), 1), np.nan)], axis=1).ravel()
    return flat


def draw_plate(painter: QPainter, box: Box, words: str, used: Ink, weight: float, lit: bool) -> None:
    """Words on a small plate over an edge."""
    theme, unit = used.theme, used.theme.scale
    place = QRectF(box.left, box.top, box.width, box.height)
    painter.setBrush(QColor(mix(theme.raised, theme.background, 0.5)))
    painter.setPen(pen(theme.accent if lit else mix(used.sign(weight), theme.background, 0.5), unit))
    painter.drawRoundedRect(place, 4 * unit, 4 * unit)
    painter.setFont(font(SMALL * unit, MEDIUM if lit else 400))
    painter.setPen(QColor(theme.text))
    painter.drawText(place, Qt.AlignmentFlag.AlignCenter, words)
