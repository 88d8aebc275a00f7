"""Rows of small pictures, one under the other: feature maps layer by layer, filters."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QImage, QPainter

from engine.feature_maps import Maps, Stack
from gui.fonts import SMALL, font
from gui.palette import pen
from gui.plots.board import Board
from gui.plots.readout import Row
from gui.plots.shades import UNDEFINED, Table, ink_table, signed_table
from gui.plots.ticks import number
from gui.tokens import Theme

LARGEST, LEAST = 72, 7  # px at scale 1 of a tile's longer side
HEAD, CAPTION, GAP, TIGHT = 17.0, 14.0, 5.0, 2.0  # px at scale 1; tiles below CLOSE stand tighter
CLOSE = 22


@dataclass(frozen=True)
class Placed:
    """One row: where its words stand, and the rectangle of each picture that is shown."""

    maps: Maps
    top: float
    boxes: tuple[QRectF, ...]


class StackPlot(Board):
    """Shows an engine.feature_maps.Stack with pictures as large as all of them can be."""

    picture: Stack | None
    _look: tuple[Theme, dict[str, Table]] | None = None
    _laid: tuple[Stack, object, list[Placed]] | None = None

    def _table(self, scale: str) -> Table:
        if self._look is None or self._look[0] != self.theme:
            self._look = (self.theme, {"signed": signed_table(self.theme), "grey": ink_table(self.theme)})
        return self._look[1][scale]

    # -- where things stand ------------------------------------------------------------------------------------------

    def placed(self, area: QRectF) -> list[Placed]:
        """Every row, under the others, with pictures of one size."""
        picture = self.picture
        if picture is None:
            return []
        key = (area.getRect(), self.theme.scale)
        if self._laid is not None and self._laid[0] is picture and self._laid[1] == key:
            return self._laid[2]
        unit = self.theme.scale
        side = float(LEAST)
        for whole in range(LARGEST, LEAST - 1, -1):
            side = float(whole)
            if self._whole(picture, area, [side] * len(picture.rows)) <= area.height():
                break
        sides = [self._in_a_line(maps, area, side) for maps in picture.rows]
        for i, maps in enumerate(picture.rows):  # what is left goes to the rows in their order, without further lines
            lines = self._lines(maps, area.width(), sides[i] * unit)
            for whole in range(LARGEST, int(sides[i]), -1):
                wider = [*sides[:i], float(whole), *sides[i + 1 :]]
                more = self._lines(maps, area.width(), whole * unit) > lines
                if not more and self._whole(picture, area, wider) <= area.height():
                    sides = wider
                    break
        found, top = list[Placed](), area.top()
        for maps, own in zip(picture.rows, sides, strict=True):
            found.append(self._laid_out(maps, area, top, own * unit))
            top += self._height(maps, area.width(), own * unit)
        self._laid = (picture, key, found)
        return found

    def _in_a_line(self, maps: Maps, area: QRectF, side: float) -> float:
        """Single numbers stand in one line where they can."""
        count, high, wide = self._shape(maps)
        if count == 0 or high * wide > 1:
            return side
        return max(float(LEAST), min(side, area.width() / self.theme.scale / count - GAP))

    def _lines(self, maps: Maps, width: float, side: float) -> int:
        return math.ceil(self._shape(maps)[0] / self._columns(maps, width, side)[0])

    def _whole(self, picture: Stack, area: QRectF, sides: list[float]) -> float:
        """The height of all rows where the pictures of each have this side, px at scale 1."""
        unit, wide = self.theme.scale, area.width()
        return sum(self._height(maps, wide, side * unit) for maps, side in zip(picture.rows, sides, strict=True))

    def _shape(self, maps: Maps) -> tuple[int, int, int]:
        count, high, wide = np.shape(maps.images) if np.ndim(maps.images) == 3 else (0, 1, 1)
        return count, max(high, 1), max(wide, 1)

    def _size(self, maps: Maps, side: float) -> tuple[float, float]:
        """Width and height of a picture whose longer side is `side` px, in whole pixels for each point where it can."""
        _, high, wide = self._shape(maps)
        zoom = side / max(high, wide)
        zoom = math.floor(zoom) if zoom >= 2 else zoom
        return wide * zoom, high * zoom

    def _columns(self, maps: Maps, width: float, side: float) -> tuple[int, float]:
        gap = (GAP if side >= CLOSE * self.theme.scale else TIGHT) * self.theme.scale
        return max(1, int((width + gap) / (self._size(maps, side)[0] + gap))), gap

    def _caption(self, maps: Maps) -> float:
        return CAPTION * self.theme.scale if maps.captions else 0.0

    def _height(self, maps: Maps, width: float, side: float) -> float:
        _, gap = self._columns(maps, width, side)
        lines = self._lines(maps, width, side)
        return (HEAD + 5) * self.theme.scale + lines * (self._size(maps, side)[1] + gap + self._caption(maps))

    def _laid_out(self, maps: Maps, area: QRectF, top: float, side: float) -> Placed:
        columns, gap = self._columns(maps, area.width(), side)
        wide, high = self._size(maps, side)
        step, boxes = high + gap + self._caption(maps), list[QRectF]()
        for i in range(self._shape(maps)[0]):
            row, column = divmod(i, columns)
            at = QRectF(area.left() + column * (wide + gap), top + HEAD * self.theme.scale + row * step, wide, high)
            if at.bottom() <= area.bottom() + 1:
                boxes.append(QRectF(math.floor(at.left()), math.floor(at.top()), at.width(), at.height()))
        return Placed(maps, top, tuple(boxes))

    # -- painting ----------------------------------------------------------------------------------------------------

    def paint(self, painter: QPainter, area: QRectF) -> None:
        """Words, pictures, frames, captions; row by row."""
        theme, unit = self.theme, self.theme.scale
        painter.setFont(font(SMALL * unit))
        metrics = QFontMetricsF(painter.font())
        for placed in self.placed(area):
            if placed.top + HEAD * unit > area.bottom():
                break
            maps, count = placed.maps, self._shape(placed.maps)[0]
            left = count - len(placed.boxes)
            words = maps.title + (f"  (and {left} more)" if left else "")
            painter.setPen(QColor(theme.dim))
            painter.drawText(QPointF(area.left(), placed.top + 11 * unit),
                             metrics.elidedText(words, Qt.TextElideMode.ElideRight, area.width()))  # fmt: skip
            self._paint_images(painter, placed)
            painter.setBrush(Qt.BrushStyle.NoBrush)
            for i, box in enumerate(placed.boxes):
                marked = i in maps.marked
                painter.setPen(pen(theme.accent, 2 * unit) if marked else pen(theme.line))
                painter.drawRect(box.adjusted(-0.5, -0.5, 0.5, 0.5))
                if i < len(maps.captions):
                    painter.setPen(QColor(theme.text if marked else theme.dim))
                    line = QRectF(box.left() - 4, box.bottom() + unit, box.width() + 8, CAPTION * unit)
                    painter.drawText(line, Qt.AlignmentFlag.AlignCenter, maps.captions[i])

    def _paint_images(self, painter: QPainter, placed: Placed) -> None:
        values = np.asarray(placed.maps.images, float)
        if not len(placed.boxes):
            return
        table = self._table(placed.maps.scale)
        finite = np.where(np.isfinite(values), values, 0.0)
        top = float(np.abs(finite).max(initial=0.0)) or 1.0
        share = 0.5 + 0.5 * (finite / top) if placed.maps.scale == "signed" else np.clip(finite / top, 0.0, 1.0)
        found = np.where(np.isfinite(values), np.rint(share * 255), UNDEFINED).astype(np.intp)
        colours = np.ascontiguousarray(table[found])
        _, high, wide = colours.shape
        for shade, box in zip(colours, placed.boxes, strict=False):
            painter.drawImage(box, QImage(shade.data, wide, high, 4 * wide, QImage.Format.Format_RGB32))

    # -- mouse -------------------------------------------------------------------------------------------------------

    def told(self, at: QPointF, area: QRectF) -> tuple[str, list[Row]] | None:
        """Which picture, and the value of the point under the mouse."""
        for placed in self.placed(area):
            values = np.asarray(placed.maps.images, float)
            for i, box in enumerate(placed.boxes):
                if not box.contains(at):
                    continue
                row = min(int((at.y() - box.top()) / box.height() * values.shape[1]), values.shape[1] - 1)
                column = min(int((at.x() - box.left()) / box.width() * values.shape[2]), values.shape[2] - 1)
                name = placed.maps.captions[i] if i < len(placed.maps.captions) else f"{i + 1} of {len(values)}"
                told = [Row("value", number(float(values[i, row, column])))]
                if values.shape[1] * values.shape[2] > 1:
                    told.insert(0, Row("row, column", f"{row}, {column}"))
                return f"{placed.maps.title.partition(':')[0]}, {name}", told
        return None
