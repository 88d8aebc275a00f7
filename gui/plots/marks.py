"""Marks, arrows and lines as they are drawn on every plot, in plot pixels."""

from __future__ import annotations

import math

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import (
    QBrush,
    QColor,
    QFont,
    QFontMetricsF,
    QPaintEngine,
    QPainter,
    QPainterPath,
    QPen,
    QPixmap,
    QPixmapCache,
    QPolygonF,
)

from gui.plots.geometry import Floats, pieces
from gui.plots.recorder import Recorder

CORNERS = {"triangle": (3, -90), "down": (3, 90), "square": (4, 45), "diamond": (4, 0), "pentagon": (5, -90)}


def draw_line(painter: QPainter, x: Floats, y: Floats, used: QPen, *, whole: bool = False) -> None:
    """Stroke a polyline; `x`, `y`: [n] pixels, a non-finite point is a gap.

    On screen it is drawn as single segments, dashes cut here: Qt has a fast way for those, while the cost of stroking
    a wide antialiased path grows with its square. `whole` strokes each piece as one path with true joins, as pictures
    want it, and as colours that let something through need it: segments overlap by their caps. In an image a piece so
    crowded that no join can be seen is drawn as on screen, or it would take half a minute.
    """
    painter.setBrush(Qt.BrushStyle.NoBrush)
    if not whole:
        _draw_segmented(painter, x, y, used)
        return
    dear = used.color().alpha() == 255 and painter.paintEngine().type() == QPaintEngine.Type.Raster
    for px, py in pieces(x, y):
        if dear and crowded(px, py):
            _draw_segmented(painter, px, py, used)
        else:
            painter.setPen(used)
            painter.drawPath(pg.arrayToQPath(px, py))


def _draw_segmented(painter: QPainter, x: Floats, y: Floats, used: QPen) -> None:
    solid = QPen(used.color(), used.widthF(), Qt.PenStyle.SolidLine, Qt.PenCapStyle.SquareCap)
    if used.style() == Qt.PenStyle.CustomDashLine:
        dashed = dashes(x, y, [length * used.widthF() for length in used.dashPattern()])
        if dashed is not None:
            solid.setCapStyle(Qt.PenCapStyle.FlatCap)
            _draw_segments(painter, solid, dashed)
            return
    ok = np.isfinite(x) & np.isfinite(y)
    both = np.flatnonzero(ok[:-1] & ok[1:])
    _draw_segments(painter, solid, np.stack([x[both], y[both], x[both + 1], y[both + 1]], axis=1))


def crowded(x: Floats, y: Floats) -> bool:
    """Whether a polyline `x`, `y` [n], in pixels and without gaps, goes over its own place a dozen times."""
    length = float(np.hypot(np.diff(x), np.diff(y)).sum())
    return length > 12 * (float(np.ptp(x)) + float(np.ptp(y)) + 50)


def dashes(x: Floats, y: Floats, pattern: list[float]) -> Floats | None:
    """Cut a polyline into the dashes of a pattern of on and off lengths in pixels: segments [m, 4] as x0, y0, x1, y1.

    None where the line is so crowded that no pattern could be seen (and cutting it would be dear).
    """
    period = sum(pattern)
    parts = []
    for px, py in pieces(x, y):
        length = np.concatenate([[0.0], np.cumsum(np.hypot(np.diff(px), np.diff(py)))])
        if crowded(px, py) or length[-1] > 4000 * period:
            return None
        edges = np.cumsum(pattern)[None, :] + period * np.arange(int(length[-1] / period) + 1)[:, None]
        cuts = np.unique(np.concatenate([length, edges[edges < length[-1]]]))
        middle = ((cuts[1:] + cuts[:-1]) / 2) % period
        on = np.searchsorted(np.cumsum(pattern), middle, side="right") % 2 == 0
        cx, cy = np.interp(cuts, length, px), np.interp(cuts, length, py)
        parts.append(np.stack([cx[:-1], cy[:-1], cx[1:], cy[1:]], axis=1)[on])
    return np.concatenate(parts) if parts else np.empty((0, 4))


def _draw_segments(painter: QPainter | Recorder, used: QPen, segments: Floats) -> None:
    if not len(segments):
        return
    store = pg.Qt.internals.PrimitiveArray(QLineF, 4)
    store.resize(len(segments))
    store.ndarray()[:] = segments
    painter.setPen(used)
    painter.drawLines(*store.drawargs())
    if isinstance(painter, Recorder):
        painter.keep(store)


def mark_path(symbol: str, x: float, y: float, radius: float) -> QPainterPath:
    """The outline of a mark around (x, y): circle, square, diamond, triangle, down, pentagon, star, cross, plus."""
    path = QPainterPath()
    if symbol in CORNERS or symbol == "star":
        count, turn = CORNERS.get(symbol, (10, -90))
        grow = {"triangle": 1.25, "down": 1.25, "diamond": 1.2, "square": 1.2, "star": 1.35}.get(symbol, 1.1) * radius
        radii = [grow if symbol != "star" or k % 2 == 0 else 0.5 * grow for k in range(count)]
        angles = [math.radians(turn + 360 * k / count) for k in range(count)]
        corners = [QPointF(x + r * math.cos(a), y + r * math.sin(a)) for r, a in zip(radii, angles, strict=True)]
        path.addPolygon(QPolygonF(corners))
        path.closeSubpath()
    elif symbol in ("cross", "plus"):
        turn = 45 if symbol == "cross" else 0
        for angle in (turn, turn + 90):
            dx, dy = radius * math.cos(math.radians(angle)), radius * math.sin(math.radians(angle))
            path.moveTo(x - dx, y - dy)
            path.lineTo(x + dx, y + dy)
    else:
        path.addEllipse(QPointF(x, y), radius, radius)
    return path


def draw_mark(painter: QPainter, symbol: str, x: float, y: float, radius: float, fill: str, rim: str) -> None:
    """A filled mark with a rim of the background's colour; cross and plus are drawn as strokes on such a rim."""
    path = mark_path(symbol, x, y, radius)
    flat = symbol in ("cross", "plus")
    widths = ((rim, 4.5), (fill, 2.0)) if flat else ((rim, 3.0),)
    for colour, width in widths:
        edge = QPen(QColor(colour), width)
        edge.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
        painter.setPen(edge)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawPath(path)
    if not flat:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QBrush(QColor(fill)))
        painter.drawPath(path)


def draw_arrow(painter: QPainter, x: float, y: float, to_x: float, to_y: float, colour: str, rim: str) -> None:
    """An arrow from (x, y) to (to_x, to_y) with a head of 9 px, on a rim of the background's colour."""
    length = math.hypot(to_x - x, to_y - y)
    if not 0.5 < length < 1e7:
        return
    ux, uy = (to_x - x) / length, (to_y - y) / length
    head = min(9.0, 0.6 * length)
    base = QPointF(to_x - head * ux, to_y - head * uy)
    shaft = QPainterPath(QPointF(x, y))
    shaft.lineTo(base)
    tip = QPainterPath(QPointF(to_x, to_y))
    tip.lineTo(base.x() - 0.42 * head * uy, base.y() + 0.42 * head * ux)
    tip.lineTo(base.x() + 0.42 * head * uy, base.y() - 0.42 * head * ux)
    tip.closeSubpath()
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for ink, width, grow in ((rim, 5.0, 3.0), (colour, 2.0, 0.0)):
        painter.setPen(QPen(QColor(ink), width))
        painter.drawPath(shaft)
        if grow:
            painter.setPen(QPen(QColor(ink), grow))
            painter.drawPath(tip)
    painter.fillPath(tip, QColor(colour))


def draw_words(painter: QPainter, text: str, box: QRectF, used: QFont, colour: str, halo: str = "") -> None:
    """A line of words at the left of `box`, middled in height; `halo` draws a rim of that colour around them."""
    metrics = QFontMetricsF(used)
    base = QPointF(box.left(), box.center().y() + (metrics.ascent() - metrics.descent()) / 2)
    if halo:
        outline = QPainterPath()
        outline.addText(base, used, text)
        rim = QPen(QColor(halo), 3.0)
        rim.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
        painter.strokePath(outline, rim)
    painter.setFont(used)
    painter.setPen(QColor(colour))
    painter.drawText(base, text)


def stamp_words(painter: QPainter, text: str, box: QRectF, used: QFont, colour: str, halo: str, ratio: float) -> None:
    """As draw_words, for a screen: the words are a picture that Qt's cache keeps, put on whole pixels."""
    margin = 4
    key = f"words {text} {used.key()} {colour} {halo} {ratio} {box.width()} {box.height()}"
    made = QPixmap()
    if not QPixmapCache.find(key, made):
        wide, high = math.ceil(box.width()) + 2 * margin, math.ceil(box.height()) + 2 * margin
        made = QPixmap(math.ceil(wide * ratio), math.ceil(high * ratio))
        made.setDevicePixelRatio(ratio)
        made.fill(Qt.GlobalColor.transparent)
        with QPainter(made) as inner:
            inner.setRenderHint(QPainter.RenderHint.Antialiasing)
            draw_words(inner, text, QRectF(margin, margin, box.width(), box.height()), used, colour, halo)
        QPixmapCache.insert(key, made)
    painter.drawPixmap(QPointF(round(box.left()) - margin, round(box.top()) - margin), made)
