"""Blocks of networks side by side: boxes from top to bottom, arrows between them, and the ways around them."""

from __future__ import annotations

from dataclasses import dataclass, replace

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPainterPath

from engine.drawings import Block, Blocks, Box
from gui.fonts import BODY, MEDIUM, SMALL, font, text_width
from gui.palette import GENERAL, color, pen
from gui.plots.board import Board
from gui.plots.readout import Row
from gui.tokens import mix

NARROWEST = 64.0  # px at scale 1 of a block; where there is room for fewer, the last are left out
WIDEST = 210.0
ROOMY = 110.0  # px at scale 1 of a block whose ways around have words
HEAD = 20.0  # px at scale 1 above the boxes, for the title
TALLEST, GAP = 24.0, 0.55  # px at scale 1 of a box; the share of a box that the arrow below it has
COLOURS = {"weights": 0, "norm": 5, "bend": 2}  # places in the general palette


@dataclass(frozen=True)
class Placed:
    """Where a block stands: its column, and the rectangle of each of its boxes."""

    column: QRectF
    boxes: tuple[QRectF, ...]


class BlocksPlot(Board):
    """Shows engine.drawings.Blocks."""

    picture: Blocks | None

    # -- where things stand ------------------------------------------------------------------------------------------

    def places(self, area: QRectF) -> list[Placed]:
        """Those blocks for which there is room, side by side in equal columns."""
        picture, unit = self.picture, self.theme.scale
        if picture is None or not picture.blocks:
            return []
        count = max(1, min(len(picture.blocks), int(area.width() // (NARROWEST * unit))))
        shown = picture.blocks[:count]
        wide = min(area.width() / count, WIDEST * unit)
        left = area.left() + (area.width() - count * wide) / 2
        most = max(len(block.boxes) for block in shown)
        room = area.height() - HEAD * unit
        high = min(TALLEST * unit, room / (most + GAP * (most - 1)))
        step = high * (1 + GAP)
        found = []
        for i, block in enumerate(shown):
            column = QRectF(left + i * wide, area.top(), wide, area.height())
            side = 0.2 if block.ways else 0.1  # a way around needs room at the right
            inner = QRectF(column.left() + 0.06 * wide, 0, wide * (0.94 - side), high)
            top = area.top() + HEAD * unit
            boxes = tuple(QRectF(inner.left(), top + k * step, inner.width(), high) for k in range(len(block.boxes)))
            found.append(Placed(column, boxes))
        return found

    # -- painting ----------------------------------------------------------------------------------------------------

    def paint(self, painter: QPainter, area: QRectF) -> None:
        """Titles, arrows, ways around, boxes."""
        assert self.picture is not None
        shown = list(zip(self.picture.blocks, self.places(area), strict=False))
        head = self._head_font(shown)
        for block, placed in shown:
            painter.setOpacity(1.0 if block.lit else 0.55)
            self._title(painter, block, placed, head)
            for k in range(len(placed.boxes) - 1):
                self._arrow(painter, placed.boxes[k], placed.boxes[k + 1], block.boxes[k + 1].part == "join")
            for way in block.ways:
                self._way(painter, block, placed, way)
            for box, place in zip(block.boxes, placed.boxes, strict=True):
                self._box(painter, box, place)
        painter.setOpacity(1.0)

    def _head_font(self, shown: list[tuple[Block, Placed]]) -> QFont:
        """The largest type in which every title fits: all have one size."""
        unit = self.theme.scale
        sizes = [font(size * unit, MEDIUM) for size in (BODY, SMALL, 0.85 * SMALL)]
        return next(
            (f for f in sizes if all(text_width(f, b.title) <= p.column.width() - 4 * unit for b, p in shown)),
            sizes[-1],
        )

    def _title(self, painter: QPainter, block: Block, placed: Placed, used: QFont) -> None:
        unit, wide = self.theme.scale, placed.column.width() - 4 * self.theme.scale
        painter.setFont(used)
        painter.setPen(QColor(self.theme.text if block.lit else self.theme.dim))
        line = QRectF(placed.boxes[0].left(), placed.column.top() - 4 * unit, placed.boxes[0].width(), HEAD * unit)
        painter.drawText(line, Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextDontClip,
                         painter.fontMetrics().elidedText(block.title, Qt.TextElideMode.ElideRight,
                                                          int(wide)))  # fmt: skip

    def _arrow(self, painter: QPainter, above: QRectF, below: QRectF, joins: bool) -> None:
        unit = self.theme.scale
        x, end = above.center().x(), (below.center().y() - _radius(below)) if joins else below.top()
        painter.setPen(pen(self.theme.dim, 1.2 * unit))
        painter.drawLine(QPointF(x, above.bottom()), QPointF(x, end))
        self._head(painter, QPointF(x, end), QPointF(0, 1), self.theme.dim)

    def _head(self, painter: QPainter, tip: QPointF, way: QPointF, colour: str) -> None:
        size = 3.0 * self.theme.scale
        across, back = QPointF(-way.y(), way.x()) * size, tip - way * (1.6 * size)
        path = QPainterPath(tip)
        path.lineTo(back + across)
        path.lineTo(back - across)
        path.lineTo(tip)
        painter.fillPath(path, QColor(colour))

    def _way(self, painter: QPainter, block: Block, placed: Placed, way: tuple[int, int, str]) -> None:
        """From just behind one box, out to the right, down, and back in: to a join from its side, else from above."""
        unit, accent = self.theme.scale, self.theme.accent
        first, last, words = way
        start, end = placed.boxes[first], placed.boxes[last]
        joins = block.boxes[last].part == "join"
        middle, gap = start.center().x(), start.height() * GAP
        order = [other[0] for other in block.ways].index(first)
        out = start.right() + (0.45 + 0.4 * order) * (placed.column.right() - start.right())
        y0 = start.bottom() + 0.35 * gap if start.height() else start.bottom()
        y1 = end.center().y() if joins else end.center().y() - 0.25 * end.height() * (1 - 2 * order)
        x1 = middle + _radius(end) if joins else end.right()
        corner = min(6 * unit, 0.4 * (out - start.right()), 0.4 * abs(y1 - y0))
        path = QPainterPath(QPointF(middle, y0))
        path.lineTo(out - corner, y0)
        path.quadTo(out, y0, out, y0 + corner)
        path.lineTo(out, y1 - corner)
        path.quadTo(out, y1, out - corner, y1)
        path.lineTo(x1 + 2 * unit, y1)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(pen(accent, 2.0 * unit))
        painter.drawPath(path)
        self._head(painter, QPointF(x1, y1), QPointF(-1, 0), accent)
        if words and placed.column.width() >= ROOMY * unit:
            painter.setFont(font(SMALL * unit))
            painter.setPen(QColor(self.theme.link))
            painter.save()
            painter.translate(out + 4 * unit, (y0 + y1) / 2)
            painter.rotate(90)
            long = y1 - y0
            painter.drawText(QRectF(-long / 2, -14 * unit, long, 14 * unit),
                             Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop, words)  # fmt: skip
            painter.restore()

    def _box(self, painter: QPainter, box: Box, place: QRectF) -> None:
        theme, unit = self.theme, self.theme.scale
        if box.part == "join":
            radius, centre = _radius(place), place.center()
            painter.setPen(pen(theme.text, 1.4 * unit))
            painter.setBrush(QColor(theme.background))
            painter.drawEllipse(centre, radius, radius)
            half = 0.5 * radius
            painter.drawLine(centre - QPointF(half, 0), centre + QPointF(half, 0))
            painter.drawLine(centre - QPointF(0, half), centre + QPointF(0, half))
            return
        used = font(min(SMALL * unit, max(4.0, 0.66 * place.height())))
        gap, words = 3 * unit, box.words
        if box.times > 1 and text_width(used, words) > (place.width() - gap * (box.times - 1)) / box.times:
            words, box = f"{box.times} × ({words})", replace(box, times=1)  # too narrow: they share one
        wide = (place.width() - gap * (box.times - 1)) / box.times
        each = [QRectF(place.left() + t * (wide + gap), place.top(), wide, place.height()) for t in range(box.times)]
        colour = color(GENERAL[COLOURS[box.part]], theme) if box.part in COLOURS else theme.line
        painter.setBrush(QColor(mix(colour, theme.background, 0.26 if box.part in COLOURS else 0.6)))
        painter.setPen(pen(colour if box.part in COLOURS else theme.border, unit))
        for one in each:
            painter.drawRoundedRect(one, 3 * unit, 3 * unit)
        painter.setFont(used)
        painter.setPen(QColor(theme.text))
        words = QFontMetricsF(used).elidedText(words, Qt.TextElideMode.ElideRight, place.width() - 2 * unit)
        for one in each:
            painter.drawText(one, Qt.AlignmentFlag.AlignCenter, words)

    # -- mouse -------------------------------------------------------------------------------------------------------

    def told(self, at: QPointF, area: QRectF) -> tuple[str, list[Row]] | None:
        """Title and sentence of the block under the mouse."""
        if self.picture is None:
            return None
        for block, placed in zip(self.picture.blocks, self.places(area), strict=False):
            if placed.column.contains(at):
                return block.title, [Row("", part.strip()) for part in block.told.split(";")]
        return None


def _radius(place: QRectF) -> float:
    return 0.5 * place.height()
