"""The three axes around a surface in space: on the two near edges of the floor and on the edge at the left."""

from __future__ import annotations

import math

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPolygonF

from gui.fonts import SMALL, font
from gui.palette import pen
from gui.plots.relief import Relief
from gui.plots.space import TALL, Camera, to_box
from gui.plots.ticks import linear_ticks, number, power, tick_words
from gui.tokens import Theme

Spot = tuple[float, float]


def paint_axes(painter: QPainter, camera: Camera, field: Relief, labels: tuple[str, str, str], theme: Theme) -> None:
    """Draw floor, edges, ticks and names in the theme's quiet colours."""
    corners = np.array([(-1.0, -1.0), (1.0, -1.0), (1.0, 1.0), (-1.0, 1.0)])
    sx, sy, near = camera.project(corners[:, 0], corners[:, 1], np.zeros(4))
    painter.setPen(pen(theme.line, theme.scale))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawPolygon(QPolygonF([QPointF(a, b) for a, b in zip(sx, sy, strict=True)]))
    painter.setFont(font(SMALL * theme.scale))
    front_x, front_y = corners[int(np.argmax(near))]
    middle = (float(sx.mean()), float(sy.mean()))
    ticks_x, step_x = linear_ticks(field.x0, field.x1, 4)
    ticks_y, step_y = linear_ticks(field.y0, field.y1, 4)
    at_x = to_box(field, np.array(ticks_x), np.zeros(len(ticks_x)))[0]
    at_y = to_box(field, np.zeros(len(ticks_y)), np.array(ticks_y))[1]
    px = camera.project(at_x, np.full(len(at_x), front_y), np.zeros(len(at_x)))
    py = camera.project(np.full(len(at_y), front_x), at_y, np.zeros(len(at_y)))
    _ticks(painter, px[0], px[1], tick_words(ticks_x, step_x), labels[0], middle, theme)
    _ticks(painter, py[0], py[1], tick_words(ticks_y, step_y), labels[1], middle, theme)
    _height_axis(painter, camera, field, labels[2], corners[int(np.argmin(sx))], theme)


def _ticks(
    painter: QPainter, x: np.ndarray, y: np.ndarray, words: list[str], name: str, middle: Spot, theme: Theme
) -> None:
    """Numbers along an edge of the floor, on the side away from the middle, and the axis' name beyond them."""
    if not len(x):
        return
    unit = theme.scale
    out_x, out_y = float(x.mean()) - middle[0], float(y.mean()) - middle[1]
    size = math.hypot(out_x, out_y) or 1.0
    out_x, out_y = out_x / size, out_y / size
    centre = Qt.AlignmentFlag.AlignCenter
    previous: Spot | None = None
    for a, b, text in zip(x, y, words, strict=True):
        spot = (a + 16 * unit * out_x, b + 14 * unit * out_y)
        painter.setPen(pen(theme.line, unit))
        painter.drawLine(QPointF(a, b), QPointF(a + 4 * unit * out_x, b + 4 * unit * out_y))
        if previous is not None and math.hypot(spot[0] - previous[0], spot[1] - previous[1]) < 22 * unit:
            continue
        previous = spot
        painter.setPen(QColor(theme.dim))
        painter.drawText(QRectF(spot[0] - 40 * unit, spot[1] - 9 * unit, 80 * unit, 18 * unit), centre, text)
    spot = (float(x.mean()) + 38 * unit * out_x, float(y.mean()) + 30 * unit * out_y)
    painter.setPen(QColor(theme.text))
    painter.drawText(QRectF(spot[0] - 40 * unit, spot[1] - 9 * unit, 80 * unit, 18 * unit), centre, name)


def _height_axis(painter: QPainter, camera: Camera, field: Relief, name: str, corner: np.ndarray, theme: Theme) -> None:
    """The vertical axis with values; on a logarithmic surface at powers of ten above the lowest value."""
    unit = theme.scale
    values, words = height_ticks(field)
    heights = np.concatenate([field.scaled(np.array(values)), [0.0, 1.0]]) * TALL
    x, y, _ = camera.project(np.full(len(heights), corner[0]), np.full(len(heights), corner[1]), heights)
    painter.setPen(pen(theme.line, unit))
    painter.drawLine(QPointF(x[-2], y[-2]), QPointF(x[-1], y[-1]))
    right = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
    last = float(y[-2]) + 8 * unit  # the floor has numbers of its own
    for a, b, text in zip(x, y, words, strict=False):
        if last - b < 18 * unit:
            continue
        last = b
        painter.setPen(pen(theme.line, unit))
        painter.drawLine(QPointF(a - 4 * unit, b), QPointF(a, b))
        painter.setPen(QColor(theme.dim))
        painter.drawText(QRectF(a - 68 * unit, b - 9 * unit, 60 * unit, 18 * unit), right, text)
    painter.setPen(QColor(theme.text))
    top = QRectF(x[-1] - 40 * unit, y[-1] - 22 * unit, 80 * unit, 18 * unit)
    painter.drawText(top, Qt.AlignmentFlag.AlignCenter, name)


def height_ticks(field: Relief) -> tuple[list[float], list[str]]:
    """Values worth a tick on the vertical axis, from low to high, with their words."""
    finite = field.z[np.isfinite(field.z) & (np.abs(field.z) < 1e300)]
    if not finite.size:
        return [], []
    low, high = field.base, float(finite.max())
    if not field.log:
        values, step = linear_ticks(low, high, 5)
        return values, tick_words(values, step)
    first, last = math.floor(math.log10(field.offset)), math.floor(math.log10(max(high - low, field.offset)))
    decades = range(first, last + 1, max(1, (last - first) // 6))
    if abs(low) <= field.offset:  # a surface with its minimum at zero: the powers themselves
        return [low, *(10.0**e for e in decades)], ["0", *(power(e) for e in decades)]
    values = [low, *(low + 10.0**e for e in decades)]
    return values, [number(v, 3) for v in values]
