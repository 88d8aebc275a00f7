"""Histograms side by side: weights or activations layer by layer, gradients, what a dropout leaves."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPolygonF

from engine.picture import Bars, Histogram
from gui.fonts import SMALL, font
from gui.palette import GENERAL, color, pen, series_style
from gui.plots.board import Board
from gui.plots.geometry import Floats
from gui.plots.readout import Row
from gui.plots.ticks import number, prose
from gui.tokens import mix

SMALLEST = (64.0, 52.0)  # px at scale 1 a histogram needs, its words included
DENSE = (42.0, 36.0)  # where many stand together: without numbers, which the mouse tells
GAP = 14.0
HEAD, FOOT = 15.0, 14.0  # px at scale 1: the name above, the numbers below


@dataclass(frozen=True)
class Frames:
    """How many stand in a row, how many are shown, and the size of one with its gap."""

    columns: int
    shown: int
    step_x: float
    step_y: float
    area: QRectF
    gap: float
    dense: bool

    def frame(self, index: int) -> QRectF:
        """The rectangle of one histogram, words included."""
        row, column = divmod(index, self.columns)
        left, top = self.area.left() + column * self.step_x, self.area.top() + row * self.step_y
        return QRectF(left, top, self.step_x - self.gap, self.step_y - self.gap / 2)


class BarsPlot(Board):
    """Shows engine.picture.Bars: a small frame for each histogram, with its own axes; at its right stands the count of
    its tallest bar. `log` heights stand for log(1 + count)."""

    picture: Bars | None

    # -- where things stand ------------------------------------------------------------------------------------------

    def frames(self, area: QRectF) -> Frames | None:
        """The grid whose frames are shaped best, or None if there are none. Where not all fit, the last are left
        out."""
        count = len(self.picture.groups) if self.picture is not None else 0
        if not count:
            return None
        unit = self.theme.scale
        for (wide, high), dense in ((SMALLEST, False), (DENSE, True)):
            found = _grid(count, area, (wide * unit, high * unit), (8 if dense else GAP) * unit, 16 * unit, dense)
            if found.shown == count:
                break
        return found

    def _body(self, frame: QRectF, frames: Frames) -> QRectF:
        unit = self.theme.scale
        return frame.adjusted(0, HEAD * unit, 0, -(4 if frames.dense else FOOT) * unit)

    # -- painting ----------------------------------------------------------------------------------------------------

    def paint(self, painter: QPainter, area: QRectF) -> None:
        """Every histogram in its frame."""
        picture, frames, theme, unit = self.picture, self.frames(area), self.theme, self.theme.scale
        painter.setFont(font(SMALL * unit))
        if picture is None or frames is None:
            painter.setPen(QColor(theme.faint))
            painter.drawText(area, Qt.AlignmentFlag.AlignCenter, self.empty)
            return
        metrics = QFontMetricsF(painter.font())
        over = self._over(self.mouse, frames) if self.mouse is not None and not self.for_picture else None
        for index in range(frames.shown):
            lit = over[1] if over is not None and over[0] == index else -1
            self._paint_one(painter, picture.groups[index], index, frames, metrics, lit)
        if frames.shown < len(picture.groups):
            painter.setPen(QColor(theme.faint))
            words = f"and {len(picture.groups) - frames.shown:,} more"
            painter.drawText(QPointF(area.left(), area.bottom() - 3 * unit), words)

    def _paint_one(
        self, painter: QPainter, group: Histogram, index: int, frames: Frames, metrics: QFontMetricsF, lit: int
    ) -> None:
        theme, unit, frame = self.theme, self.theme.scale, frames.frame(index)
        body = self._body(frame, frames)
        edges, counts = _sound(group)
        base = frame.top() + 10 * unit
        most = f"tallest {_count(counts.max())}" if counts.size else ""
        self._paint_head(painter, group, most, frame, base, metrics)
        floor = math.floor(body.bottom()) + 0.5
        if counts.size:
            heights = self._heights(counts) * (floor - body.top() - 2 * unit)
            heights = np.where(counts > 0, np.maximum(heights, min(1.5 * unit, body.height())), 0.0)
            x = body.left() + _shares(edges, edges) * body.width()
            style = series_style(group.series, index) if group.series else GENERAL[0]
            fill = mix(color(style, theme), theme.background, 0.8)
            _paint_bars(painter, x, floor - heights, floor, fill)
            if 0 <= lit < len(heights):
                box = QRectF(x[lit], body.top(), max(x[lit + 1] - x[lit], 1.0), floor - body.top())
                painter.fillRect(box, QColor(mix(theme.text, theme.background, 0.12)))
                box.setTop(floor - heights[lit])
                painter.fillRect(box, QColor(color(style, theme)))
        else:
            words = metrics.elidedText(prose(group.note) or "nothing", Qt.TextElideMode.ElideRight, body.width())
            painter.setPen(QColor(theme.faint))
            painter.drawText(body, Qt.AlignmentFlag.AlignCenter, words)
        painter.setPen(pen(theme.border if counts.size else theme.line))
        painter.drawLine(QPointF(frame.left(), floor), QPointF(frame.right(), floor))
        if counts.size and not frames.dense:
            self._paint_numbers(painter, edges, body, floor, metrics)

    def _paint_head(
        self, painter: QPainter, group: Histogram, most: str, frame: QRectF, base: float, metrics: QFontMetricsF
    ) -> None:
        """The name; its remark and the largest count as far as there is room."""
        unit, theme = self.theme.scale, self.theme
        gap, room = 7 * unit, frame.width()
        name = metrics.elidedText(group.name, Qt.TextElideMode.ElideRight, room)
        painter.setPen(QColor(theme.text))
        painter.drawText(QPointF(frame.left(), base), name)
        left = metrics.horizontalAdvance(name) + gap
        note = metrics.horizontalAdvance(prose(group.note))
        if most and group.note and left + note <= room:
            painter.setPen(QColor(theme.dim))
            painter.drawText(QPointF(frame.left() + left, base), prose(group.note))
            left += note + gap
        wide = metrics.horizontalAdvance(most)
        if most and left + wide <= room:
            painter.setPen(QColor(theme.faint))
            painter.drawText(QPointF(frame.right() - wide, base), most)

    def _paint_numbers(
        self, painter: QPainter, edges: Floats, body: QRectF, floor: float, metrics: QFontMetricsF
    ) -> None:
        """Ticks and numbers at both ends and, where it lies between them, at zero."""
        unit, theme = self.theme.scale, self.theme
        base = floor + 3 * unit + metrics.capHeight() + 2 * unit
        first, last = (number(float(v), 2) for v in (edges[0], edges[-1]))
        wide = [metrics.horizontalAdvance(words) for words in (first, last)]
        painter.setPen(QColor(theme.dim))
        painter.drawText(QPointF(body.left(), base), first)
        free = [body.left() + wide[0] + 4 * unit, body.right()]
        if wide[0] + wide[1] + 6 * unit <= body.width():
            painter.drawText(QPointF(body.right() - wide[1], base), last)
            free[1] = body.right() - wide[1] - 4 * unit
        marks = [body.left() + 0.5, body.right() - 0.5]
        if edges[0] < 0 < edges[-1]:
            zero = body.left() + float(_shares(edges, np.zeros(1))[0]) * body.width()
            marks.append(zero)
            half = metrics.horizontalAdvance("0") / 2
            if free[0] <= zero - half and zero + half <= free[1]:
                painter.drawText(QPointF(zero - half, base), "0")
        painter.setPen(pen(theme.border))
        for x in marks:
            painter.drawLine(QPointF(x, floor), QPointF(x, floor + 3 * unit))

    def _heights(self, counts: Floats) -> Floats:
        """Heights 0 to 1 of counts."""
        assert self.picture is not None
        top = float(counts.max())
        if top <= 0:
            return np.zeros(len(counts))
        return np.log1p(counts) / math.log1p(top) if self.picture.log else counts / top

    # -- mouse -------------------------------------------------------------------------------------------------------

    def _over(self, at: QPointF, frames: Frames) -> tuple[int, int] | None:
        """The histogram and the bin under a point; the bin is -1 beside the bars."""
        assert self.picture is not None
        for index in range(frames.shown):
            frame = frames.frame(index)
            if frame.contains(at):
                edges, counts = _sound(self.picture.groups[index])
                if not counts.size or not self._body(frame, frames).adjusted(0, 0, 0, 2).contains(at):
                    return index, -1
                place = _shares(edges, edges) * frame.width() + frame.left()
                return index, min(max(int(np.searchsorted(place, at.x(), "right")) - 1, 0), len(counts) - 1)
        return None

    def told(self, at: QPointF, area: QRectF) -> tuple[str, list[Row]] | None:
        """The bin under the mouse, its count and share."""
        frames, picture = self.frames(area), self.picture
        over = self._over(at, frames) if frames is not None else None
        if over is None or picture is None:
            return None
        group, place = picture.groups[over[0]], over[1]
        edges, counts = _sound(group)
        told = [Row(prose(group.note))] if group.note else []
        if place < 0:
            return (group.name, told) if told else None
        largest = counts.max() or 1.0  # their sum may be more than a float can hold
        share = counts[place] / largest / ((counts / largest).sum() or 1.0)
        bounds = f"{number(float(edges[place]), 3)} to {number(float(edges[place + 1]), 3)}"
        return group.name, [Row(bounds), Row("count", _count(counts[place])), Row("share", f"{share:.1%}"), *told]


def _grid(count: int, area: QRectF, least: tuple[float, float], gap: float, line: float, dense: bool) -> Frames:
    """The grid for `count` histograms of at least the size `least`; a `line` is kept free below where not all fit."""
    most = max(1, min(count, int((area.width() + gap) / (least[0] + gap))))

    def worth(columns: int) -> float:
        high, wide = area.height() / math.ceil(count / columns), area.width() / columns
        return min(wide / 1.5, high) if high >= least[1] else high - 1e4

    columns = max(range(1, most + 1), key=worth)
    rows = math.ceil(count / columns)
    room = QRectF(area)
    if area.height() / rows < least[1]:
        room.setBottom(area.bottom() - line)
        rows = max(1, int(room.height() / least[1]))
    shown = min(count, rows * columns)
    return Frames(columns, shown, (room.width() + gap) / columns, (room.height() + gap / 2) / rows, room, gap, dense)


def _count(value: float) -> str:
    return f"{value:,.0f}" if value < 1e6 and float(value).is_integer() else number(float(value), 3)


def _sound(group: Histogram) -> tuple[Floats, Floats]:
    """Edges [n + 1] and counts [n] that can be drawn; none where the edges are not finite or do not rise, or where
    nothing was counted."""
    edges, counts = np.asarray(group.edges, float).ravel(), np.asarray(group.counts, float).ravel()
    n = min(len(counts), len(edges) - 1)
    if (
        n < 1
        or not (counts[:n] > 0).any()
        or not np.isfinite(edges[: n + 1]).all()
        or not edges[n] > edges[0]
        or not (edges[1:] >= edges[:-1]).all()
    ):
        return np.empty(0), np.empty(0)
    return edges[: n + 1], np.clip(np.nan_to_num(counts[:n], nan=0.0, posinf=1e300, neginf=0.0), 0.0, 1e300)


def _shares(edges: Floats, values: Floats) -> Floats:
    """Where values lie between the first edge (0) and the last (1)."""
    largest = float(np.abs(edges).max()) or 1.0  # their distance may be more than a float can hold
    low, high = edges[0] / largest, edges[-1] / largest
    made: Floats = np.clip((values / largest - low) / (high - low), 0.0, 1.0)
    return made


def _paint_bars(painter: QPainter, x: Floats, tops: Floats, floor: float, fill: str) -> None:
    """Bars between `x` [n + 1] from the floor up to `tops` [n]: apart where they are wide, one shape where narrow."""
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(fill))
    wide = float(x[-1] - x[0]) / len(tops)
    if wide >= 5:
        boxes = zip(x[:-1].tolist(), x[1:].tolist(), tops.tolist(), strict=True)
        painter.drawRects([QRectF(a + 0.5, t, b - a - 1, floor - t) for a, b, t in boxes if t < floor and b > a])
        return
    if wide < 0.5:  # more bins than pixels: the highest of each pixel
        group = np.flatnonzero(np.diff(np.floor(x[:-1]), prepend=-np.inf))
        tops = np.minimum.reduceat(tops, group)
        x = np.append(x[group], x[-1])
    corners: Sequence[tuple[float, float]] = np.stack([np.repeat(x, 2)[1:-1], np.repeat(tops, 2)], axis=1).tolist()
    outline = [QPointF(float(x[0]), floor), *(QPointF(a, b) for a, b in corners), QPointF(float(x[-1]), floor)]
    painter.drawPolygon(QPolygonF(outline))
