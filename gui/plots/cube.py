"""Tensors as blocks of cells in space: which of them share a mean, and whose turn it is."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPolygonF

from engine.drawings import Cube, Cubes
from gui.fonts import BODY, MEDIUM, SMALL, font
from gui.palette import GENERAL, color, pen
from gui.plots.board import Board
from gui.plots.readout import Row
from gui.tokens import Theme, mix

HEAD, FOOT = 22.0, 18.0  # px at scale 1 above and below a block
SHIFT = (0.85, 0.62)  # how far the next sample stands to the right and up, in widths of a cell
THICK = 0.5  # of a slab, as a share of that shift
LEAST, DONE, LIT = 0.38, 0.62, 1.0  # how much of its colour a group has: before its turn, after it, and in it
LARGEST = 54.0  # px at scale 1 of a cell
Point = tuple[float, float]


@dataclass(frozen=True)
class Cell:
    """A face of a cell that can be seen: its group and its corners. Later ones lie in front."""

    group: int
    shape: QPolygonF
    light: float  # how bright this side is


@dataclass(frozen=True)
class Solid:
    """Where the corners of a tensor [samples, channels, places] stand in space: `wide` and `high` a cell (px), and
    the left bottom corner of the first sample."""

    shape: tuple[int, int, int]
    wide: float
    high: float
    left: float
    bottom: float

    def at(self, n: float, c: float, p: float) -> QPointF:
        """Pixels of a corner: n samples back, c channels to the right, p places down from the top."""
        return QPointF(
            self.left + (c + SHIFT[0] * n) * self.wide,
            self.bottom - (self.shape[2] - p) * self.high - SHIFT[1] * n * self.wide,
        )


def extent(shape: tuple[int, int, int]) -> tuple[float, float, float]:
    """Width and height of a block whose cells are 1 wide, and the height of a cell."""
    samples, channels, places = shape
    high = min(1.0, 1.3 * max(channels, 2) / places)
    back = samples - 1 + THICK
    return channels + SHIFT[0] * back, places * high + SHIFT[1] * back, high


def cells(cube: Cube, solid: Solid) -> list[Cell]:
    """Every face that can be seen, from the last sample to the first; of a sample its side, its top, its front."""
    samples, channels, places = solid.shape
    at, groups, found = solid.at, cube.groups, list[Cell]()

    def face(group: int, light: float, *corners: QPointF) -> None:
        found.append(Cell(group, QPolygonF(list(corners)), light))

    for n in reversed(range(samples)):
        back = n + THICK
        for p in range(places):
            face(int(groups[n, channels - 1, p]), 0.72, at(n, channels, p), at(back, channels, p),
                 at(back, channels, p + 1), at(n, channels, p + 1))  # fmt: skip
        for c in range(channels):
            face(int(groups[n, c, 0]), 1.0, at(n, c, 0), at(back, c, 0), at(back, c + 1, 0), at(n, c + 1, 0))
            for p in range(places):
                face(int(groups[n, c, p]), 0.88, at(n, c, p), at(n, c + 1, p), at(n, c + 1, p + 1), at(n, c, p + 1))
    return found


class CubePlot(Board):
    """Shows engine.drawings.Cubes."""

    picture: Cubes | None
    _made: tuple[Cubes, object, list[tuple[QRectF, Solid, list[Cell]]]] | None = None

    # -- where things stand ------------------------------------------------------------------------------------------

    def solids(self, area: QRectF) -> list[tuple[QRectF, Solid, list[Cell]]]:
        """Of each block its frame, its place in it and its faces, in the grid that makes them largest."""
        picture, unit = self.picture, self.theme.scale
        if picture is None or not picture.cubes:
            return []
        key = (area.getRect(), unit)
        if self._made is not None and self._made[0] is picture and self._made[1] == key:
            return self._made[2]
        shapes = [_shape(cube) for cube in picture.cubes]
        wide, high = (max(extent(shape)[k] for shape in shapes) for k in (0, 1))
        count = len(shapes)

        def size(columns: int) -> float:
            rows = math.ceil(count / columns)
            across = (area.width() / columns - 30 * unit) / wide
            return min(across, (area.height() / rows - (HEAD + FOOT + 8) * unit) / high)

        columns = max(range(1, count + 1), key=size)
        cell = max(1.0, min(size(columns), LARGEST * unit))
        rows = math.ceil(count / columns)
        frame = (area.width() / columns, area.height() / rows)
        found = []
        for i, (cube, shape) in enumerate(zip(picture.cubes, shapes, strict=True)):
            row, column = divmod(i, columns)
            box = QRectF(area.left() + column * frame[0], area.top() + row * frame[1], *frame)
            across, up, tall = extent(shape)
            top = box.top() + HEAD * unit
            spare = box.height() - (HEAD + FOOT) * unit - up * cell
            solid = Solid(shape, cell, tall * cell, box.left() + (box.width() - across * cell) / 2,
                          top + max(0.0, spare / 2) + up * cell)  # fmt: skip
            found.append((box, solid, cells(cube, solid)))
        self._made = (picture, key, found)
        return found

    # -- painting ----------------------------------------------------------------------------------------------------

    def paint(self, painter: QPainter, area: QRectF) -> None:
        """Titles, blocks, names of the axes."""
        assert self.picture is not None
        theme, unit = self.theme, self.theme.scale
        for cube, (box, solid, faces) in zip(self.picture.cubes, self.solids(area), strict=True):
            painter.setPen(QColor(theme.text))
            painter.setFont(font(BODY * unit, MEDIUM))
            self._words(painter, QRectF(box.left(), box.top(), box.width(), HEAD * unit), cube.title)
            edge = pen(mix(theme.background, theme.text, 0.75), 0.8 * unit)
            if solid.high < 5 * unit:
                edge = pen(mix(theme.background, theme.text, 0.85), 0.4 * unit)
            painter.setPen(edge)
            for face in faces:
                painter.setBrush(QColor(shade(cube, face, theme)))
                painter.drawPolygon(face.shape)
            painter.setFont(font(SMALL * unit))
            painter.setPen(QColor(theme.dim))
            below = QRectF(box.left(), solid.bottom + 1 * unit, box.width(), FOOT * unit)
            self._words(painter, below, cube.over)
            self._axes(painter, solid)

    def _words(self, painter: QPainter, line: QRectF, words: str) -> None:
        words = painter.fontMetrics().elidedText(words, Qt.TextElideMode.ElideRight, int(line.width()))
        painter.drawText(line, Qt.AlignmentFlag.AlignCenter, words)

    def _axes(self, painter: QPainter, solid: Solid) -> None:
        """N along the way back, C along the top of the last sample, H, W down the left side."""
        assert self.picture is not None
        unit, (samples, channels, places) = self.theme.scale, solid.shape
        behind, sideways, down = self.picture.axes
        metrics = QFontMetricsF(painter.font())
        middle = solid.at((samples - 1 + THICK) / 2, 0, 0)
        painter.drawText(middle - QPointF(metrics.horizontalAdvance(behind) + 5 * unit, 2 * unit), behind)
        top = solid.at(samples - 1 + THICK, channels / 2, 0)
        painter.drawText(top - QPointF(metrics.horizontalAdvance(sideways) / 2, 4 * unit), sideways)
        painter.save()
        painter.translate(solid.at(0, 0, places / 2) - QPointF(5 * unit, 0))
        painter.rotate(-90)
        painter.drawText(QPointF(-metrics.horizontalAdvance(down) / 2, 0), down)
        painter.restore()

    # -- mouse -------------------------------------------------------------------------------------------------------

    def told(self, at: QPointF, area: QRectF) -> tuple[str, list[Row]] | None:
        """The group under the mouse."""
        if self.picture is None:
            return None
        for cube, (_, _, faces) in zip(self.picture.cubes, self.solids(area), strict=True):
            for face in reversed(faces):
                if face.shape.containsPoint(at, Qt.FillRule.OddEvenFill):
                    if face.group < 0:
                        return cube.title, [Row("stays as it is")]
                    rows = cube.told[face.group] if face.group < len(cube.told) else ()
                    head = f"{cube.title}: group {face.group + 1} of {int(cube.groups.max()) + 1}"
                    return head, [Row(name, words) for name, words in rows]
        return None


def shade(cube: Cube, face: Cell, theme: Theme) -> str:
    """The colour of a face: its group's, stronger once it had its turn, strongest in it; plain where it has none."""
    if face.group < 0:
        return mix(theme.border, theme.background, 0.3 * face.light)
    strength = LIT if face.group == cube.done - 1 else DONE if face.group < cube.done else LEAST
    hue = color(GENERAL[face.group % len(GENERAL)], theme)
    return mix(hue, theme.background, strength * face.light)


def _shape(cube: Cube) -> tuple[int, int, int]:
    samples, channels, places = np.shape(cube.groups)
    return samples, channels, places
