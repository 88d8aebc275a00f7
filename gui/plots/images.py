"""Small pictures side by side: digits, filters, responses of units."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QFontMetricsF, QImage, QMouseEvent, QPainter

from engine.picture import Images
from gui.fonts import SMALL, font, text_width
from gui.palette import pen
from gui.plots.board import Board
from gui.plots.geometry import Floats
from gui.plots.readout import Row
from gui.plots.shades import Table, ink_table, places, signed_table
from gui.plots.ticks import number
from gui.tokens import Theme

SMALLEST = 14.0  # px at scale 1: where pictures had to be smaller, some are left out
CAPTION = 14.0  # px at scale 1
NARROWEST = 26.0  # px at scale 1: a narrower picture has no caption
GAP = 8.0


@dataclass(frozen=True)
class Tiles:
    """How many pictures stand in a row, how many are shown, the size of one, and where the first stands."""

    columns: int
    shown: int
    wide: float
    high: float
    left: float
    top: float
    step_x: float
    step_y: float

    def tile(self, index: int) -> QRectF:
        """The rectangle of one picture."""
        row, column = divmod(index, self.columns)
        return QRectF(self.left + column * self.step_x, self.top + row * self.step_y, self.wide, self.high)

    def at(self, point: QPointF) -> int | None:
        """The picture under a point, or None."""
        column = math.floor((point.x() - self.left) / self.step_x)
        row = math.floor((point.y() - self.top) / self.step_y)
        index = row * self.columns + column
        if not 0 <= column < self.columns or not 0 <= index < self.shown:
            return None
        return index if self.tile(index).contains(point) else None


class ImagesPlot(Board):
    """Shows engine.picture.Images in the grid that makes them largest. `picked(index)`: one was clicked."""

    picked = Signal(int)
    picture: Images | None
    _look: tuple[tuple[str, Theme], Table] | None = None
    _tiled: tuple[Images, tuple[object, ...], Tiles | None] | None = None
    _made: tuple[Images, Table, NDArray[np.uint32], list[QImage]] | None = None

    def _values(self) -> Floats:
        """The pictures [n, h, w]; none at all where there are none of that shape."""
        assert self.picture is not None
        values = np.asarray(self.picture.images, float)
        return values if values.ndim == 3 and values.size else np.empty((0, 1, 1))

    def _images(self) -> list[QImage]:
        """Every picture in the colours of the theme."""
        picture = self.picture
        assert picture is not None
        key = (picture.scale, self.theme)
        if self._look is None or self._look[0] != key:
            self._look = (key, signed_table(self.theme) if picture.scale == "signed" else ink_table(self.theme))
        table = self._look[1]
        if self._made is None or self._made[0] is not picture or self._made[1] is not table:
            found, _, _ = places(self._values(), picture.scale)
            colours = np.ascontiguousarray(table[found])  # kept, as the images look into it
            _, high, wide = colours.shape
            form = QImage.Format.Format_RGB32
            self._made = (picture, table, colours, [QImage(c.data, wide, high, 4 * wide, form) for c in colours])
        return self._made[3]

    # -- where things stand ------------------------------------------------------------------------------------------

    def tiles(self, area: QRectF) -> Tiles | None:
        """The grid that makes the pictures largest, or None if there are none."""
        if self.picture is None:
            return None
        key = (self.theme.scale, area.getRect())
        if self._tiled is None or self._tiled[0] is not self.picture or self._tiled[1] != key:
            self._tiled = (self.picture, key, self._arranged(self.picture, area))
        return self._tiled[2]

    def _arranged(self, picture: Images, area: QRectF) -> Tiles | None:
        (count, high, wide), unit = self._values().shape, self.theme.scale
        if not count:
            return None
        used = font(SMALL * unit)
        longest = sorted(set(picture.captions[:count]), key=len)[-8:]
        words = max((text_width(used, caption) for caption in longest), default=0.0)
        caption, narrowest = (CAPTION * unit if words else 0.0), min(NARROWEST * unit, words + 2)
        gap = GAP * unit if count <= 40 else 4 * unit
        columns, zoom, line = _best(count, wide, high, area, gap, caption, narrowest)
        least = min(SMALLEST * unit / max(wide, high), min(area.width() / wide, area.height() / high))
        shown = count
        if zoom < least:  # too many: as many as can still be made out, and a word for the rest
            zoom, line = least, 0.0
            columns = max(1, int((area.width() + gap) / (wide * zoom + gap)))
            rows = max(1, int((area.height() - 16 * unit + gap) / (high * zoom + gap)))
            shown = min(count, columns * rows)
        if zoom >= 2:
            zoom = math.floor(zoom)  # whole pixels: all points of a picture are equally large
        zoom = min(zoom, 24 * unit)
        size = (wide * zoom, high * zoom)
        step_x, step_y = size[0] + gap, size[1] + gap + line
        rows = math.ceil(shown / columns)
        left = area.left() + max(0.0, (area.width() - columns * step_x + gap) / 2)
        spare = area.height() - rows * step_y + gap - (16 * unit if shown < count else 0.0)
        return Tiles(
            columns, shown, *size, float(int(left)), float(int(area.top() + max(0.0, spare / 2))), step_x, step_y
        )

    # -- painting ----------------------------------------------------------------------------------------------------

    def paint(self, painter: QPainter, area: QRectF) -> None:
        """Pictures, captions and frames."""
        picture, tiles, theme, unit = self.picture, self.tiles(area), self.theme, self.theme.scale
        assert picture is not None
        used = font(SMALL * unit)
        painter.setFont(used)
        if tiles is None:
            painter.setPen(QColor(theme.faint))
            painter.drawText(area, Qt.AlignmentFlag.AlignCenter, self.empty)
            return
        metrics = QFontMetricsF(used)
        images = self._images()
        boxes = [tiles.tile(i) for i in range(tiles.shown)]
        for image, box in zip(images, boxes, strict=False):
            painter.drawImage(box, image)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(pen(theme.line))
        painter.drawRects([box.adjusted(-0.5, -0.5, 0.5, 0.5) for box in boxes])
        painter.setPen(pen(theme.accent, 2 * unit))
        for index in picture.marked:
            if 0 <= index < tiles.shown:
                painter.drawRect(boxes[index].adjusted(-unit, -unit, unit, unit))
        over = tiles.at(self.mouse) if self.mouse is not None and not self.for_picture else None
        if over is not None:
            painter.setPen(pen(theme.text, unit))
            painter.drawRect(boxes[over].adjusted(-0.5, -0.5, 0.5, 0.5))
        if tiles.step_y - tiles.high >= CAPTION * unit:
            marked = set(picture.marked)
            base = (CAPTION * unit + metrics.capHeight()) / 2 + unit
            for index, (words, box) in enumerate(zip(picture.captions, boxes, strict=False)):
                painter.setPen(QColor(theme.text if index in marked else theme.dim))
                room = box.width() + GAP * unit - 4 * unit
                wide = metrics.horizontalAdvance(words)
                if wide > room:
                    words = metrics.elidedText(words, Qt.TextElideMode.ElideRight, room)
                    wide = metrics.horizontalAdvance(words)
                left = max(area.left(), min(box.center().x() - wide / 2, area.right() - wide))
                painter.drawText(QPointF(left, box.bottom() + base), words)
        if tiles.shown < len(images):
            painter.setPen(QColor(theme.faint))
            line = QRectF(area.left(), area.bottom() - 15 * unit, area.width(), 16 * unit)
            middle = Qt.AlignmentFlag.AlignVCenter
            painter.drawText(line, middle, f"and {len(images) - tiles.shown:,} more")

    # -- mouse -------------------------------------------------------------------------------------------------------

    def told(self, at: QPointF, area: QRectF) -> tuple[str, list[Row]] | None:
        """Caption, and the value of the point under the mouse."""
        tiles, picture = self.tiles(area), self.picture
        over = tiles.at(at) if tiles is not None else None
        if over is None or tiles is None or picture is None:
            return None
        values, box = self._values()[over], tiles.tile(over)
        row = min(int((at.y() - box.top()) / box.height() * values.shape[0]), values.shape[0] - 1)
        column = min(int((at.x() - box.left()) / box.width() * values.shape[1]), values.shape[1] - 1)
        head = (picture.captions[over] if over < len(picture.captions) else "") or f"picture {over + 1}"
        told = [Row("row, column", f"{row}, {column}"), Row("value", number(float(values[row, column])))]
        return head, told

    def pressed(self, at: QPointF, area: QRectF, event: QMouseEvent) -> None:
        """Tell which one was clicked."""
        tiles = self.tiles(area)
        over = tiles.at(at) if tiles is not None else None
        if over is not None and event.button() == Qt.MouseButton.LeftButton:
            self.picked.emit(over)


def _best(
    count: int, wide: int, high: int, area: QRectF, gap: float, caption: float, narrowest: float
) -> tuple[int, float, float]:
    """Columns, magnification and room for captions (px) of the best grid for `count` pictures of wide x high points.

    Captions are given up where the pictures are too narrow for words.
    """
    best = (1, 0.0, 0.0)
    for columns in range(1, min(count, 400) + 1):
        rows = math.ceil(count / columns)
        across = (area.width() - (columns - 1) * gap) / (columns * wide)
        for words in {caption, 0.0}:
            zoom = min(across, (area.height() - rows * words - (rows - 1) * gap) / (rows * high))
            if words and zoom * wide < narrowest:
                continue
            worth = zoom * (1.25 if words else 1.0)  # words are worth a little size
            if worth > best[1] * (1.25 if best[2] else 1.0):
                best = (columns, zoom, words)
    return best
