"""Single data of a line: marks, upright bars, and triangles where a logarithmic axis has no place for them."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QLineF, Qt
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPen

from gui.palette import pen
from gui.plots.geometry import Floats, Frame
from gui.plots.marks import mark_path

RADIUS = 2.75  # px at scale 1
AT_ONCE = 16  # marks in one path: the cost of a path grows with the square of what is in it


def paint_points(
    painter: QPainter, frame: Frame, px: Floats, py: Floats, symbol: str, colour: str, scale: float
) -> None:
    """A mark at every datum `px`, `py` [n] in pixels; of those that cover each other one is drawn."""
    with np.errstate(invalid="ignore"):
        inside = np.flatnonzero((px >= 0) & (px <= frame.width) & (py >= 0) & (py <= frame.height))
    if not inside.size:
        return
    cells = np.floor(px[inside] / 2.5) * 1e6 + np.floor(py[inside] / 2.5)
    inside = np.sort(inside[np.unique(cells, return_index=True)[1]])
    # One size for any number of them: while a run streams only what is new is painted.
    one = mark_path(symbol, 0.0, 0.0, RADIUS * scale)
    flat = symbol in ("cross", "plus")
    painter.setBrush(Qt.BrushStyle.NoBrush if flat else QColor(colour))
    painter.setPen(pen(colour, 1.5 * scale) if flat else Qt.PenStyle.NoPen)
    for few in np.array_split(inside, -(-inside.size // AT_ONCE)):
        path = QPainterPath()
        path.setFillRule(Qt.FillRule.WindingFill)
        for x, y in zip(px[few].tolist(), py[few].tolist(), strict=True):
            path.addPath(one.translated(x, y))
        painter.drawPath(path)


def paint_sunk(painter: QPainter, frame: Frame, px: Floats, colour: str, ground: str, scale: float) -> None:
    """Hollow triangles on the floor at `px` [n]: values at or below zero have no place on a logarithmic axis."""
    px = px[(px >= 0) & (px <= frame.width)]
    px = px[np.unique(np.floor(px / (9 * scale)), return_index=True)[1]]
    one = mark_path("down", 0.0, 0.0, 3 * scale)
    path = QPainterPath()
    for x in px.tolist():
        path.addPath(one.translated(min(max(x, 4 * scale), frame.width - 4 * scale), frame.height - 5 * scale))
    painter.setBrush(QColor(ground))
    painter.setPen(pen(colour, 1.25 * scale))
    painter.drawPath(path)


def paint_spans(painter: QPainter, frame: Frame, px: Floats, foot: Floats, top: Floats, used: QPen) -> None:
    """Upright bars at `px` from `foot` to `top`, [n] pixels; a foot without a place reaches down to the floor."""
    foot = np.where(np.isnan(foot) & np.isfinite(top), frame.height, foot)
    with np.errstate(invalid="ignore"):
        ok = np.isfinite(foot) & np.isfinite(top) & (px >= 0) & (px <= frame.width)
    used.setCapStyle(Qt.PenCapStyle.FlatCap)
    painter.setPen(used)
    ends = [np.clip(part[ok], 0.0, frame.height).tolist() for part in (foot, top)]
    painter.drawLines([QLineF(x, a, x, b) for x, a, b in zip(px[ok].tolist(), *ends, strict=True)])
