"""Numbers in square cells with a window on them: a picture that is convolved, and what comes out of it."""

from __future__ import annotations

import math

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter

from engine.feature_maps import Grid
from gui.fonts import MEDIUM, SMALL, font
from gui.palette import pen
from gui.plots.board import Board
from gui.plots.geometry import Floats
from gui.plots.readout import Row
from gui.plots.shades import Table, ink_table, signed_table, words_on
from gui.plots.ticks import MINUS, number
from gui.tokens import Theme, mix

LARGEST, NUMBERED, CORNERED = 64.0, 19.0, 30.0  # px at scale 1: of a cell, with a number, with words in its corner
SHARE = 0.8  # of the strength of ink: numbers stand upon it


class GridPlot(Board):
    """Shows an engine.feature_maps.Grid."""

    picture: Grid | None
    _look: tuple[tuple[str, Theme], Table, list[str]] | None = None

    def _values(self) -> Floats:
        assert self.picture is not None
        values = np.asarray(self.picture.values, float)
        return values if values.ndim == 2 else np.empty((0, 0))

    def _colours(self, scale: str) -> tuple[Table, list[str]]:
        key = (scale, self.theme)
        if self._look is None or self._look[0] != key:
            table = signed_table(self.theme) if scale == "signed" else ink_table(self.theme)
            self._look = (key, table, words_on(table, self.theme))
        return self._look[1:]

    # -- where things stand ------------------------------------------------------------------------------------------

    def cells(self, area: QRectF) -> tuple[QPointF, float]:
        """The left top corner of the first cell and the side of a cell, px; 0 where there is none."""
        rows, columns = self._values().shape
        if not rows or not columns:
            return area.topLeft(), 0.0
        side = min(area.width() / columns, area.height() / rows, LARGEST * self.theme.scale)
        side = float(math.floor(side)) if side >= 2 else side
        corner = area.center() - QPointF(columns * side / 2, rows * side / 2)
        return QPointF(math.floor(corner.x()) + 0.5, math.floor(corner.y()) + 0.5), side

    def _box(self, corner: QPointF, side: float, row: int, column: int) -> QRectF:
        return QRectF(corner.x() + column * side, corner.y() + row * side, side, side)

    # -- painting ----------------------------------------------------------------------------------------------------

    def paint(self, painter: QPainter, area: QRectF) -> None:
        """Cells with their numbers, then the window."""
        picture, theme, unit, values = self.picture, self.theme, self.theme.scale, self._values()
        corner, side = self.cells(area)
        if picture is None or side < 1:
            painter.setPen(QColor(theme.faint))
            painter.drawText(area, Qt.AlignmentFlag.AlignCenter, self.empty)
            return
        table, inks = self._colours(picture.scale)
        places = self._places(picture, values)
        colours = [f"#{int(shade) & 0xFFFFFF:06x}" for shade in table]
        grid, outside = pen(theme.line), pen(theme.line, 1.0, (2, 2))
        spoken = self._spoken(picture, values)
        used, metrics = self._font(spoken, side)
        painter.setFont(used)
        raised = set(picture.window) if picture.corners and side >= CORNERED * unit else set()
        for row, column in np.ndindex(*values.shape):
            box, value = self._box(corner, side, row, column), values[row, column]
            padded = self._padded(picture, values, row, column)
            empty = math.isnan(value) or padded
            place = int(places[row, column])
            painter.setPen(outside if padded else grid)
            painter.setBrush(QColor(theme.background if empty else colours[place]))
            painter.drawRect(box)
            words = spoken[row][column]
            if metrics is not None and words:
                painter.setPen(QColor(theme.faint if padded else inks[place]))
                room = box.adjusted(0, 0, 0, -9 * unit) if (row, column) in raised else box
                painter.drawText(room, Qt.AlignmentFlag.AlignCenter, words)
        self._paint_border(painter, picture, values, corner, side)
        self._paint_window(painter, picture, corner, side, unit)

    def _places(self, picture: Grid, values: Floats) -> np.ndarray[tuple[int, ...], np.dtype[np.intp]]:
        """Where each value lies in the table of shades."""
        finite = np.where(np.isfinite(values), values, 0.0)
        top = picture.top or float(np.abs(finite).max(initial=0.0)) or 1.0
        share = 0.5 + 0.5 * finite / top if picture.scale == "signed" else SHARE * finite / top
        return np.rint(np.clip(share, 0.0, 1.0) * 255).astype(np.intp)

    @staticmethod
    def _padded(picture: Grid, values: Floats, row: int, column: int) -> bool:
        b, (rows, columns) = picture.border, values.shape
        return not (b <= row < rows - b and b <= column < columns - b)

    def _spoken(self, picture: Grid, values: Floats) -> list[list[str]]:
        if picture.words:
            return [list(row) for row in picture.words]
        return [[_told(float(value)) for value in row] for row in values]

    def _font(self, spoken: list[list[str]], side: float) -> tuple[QFont, QFontMetricsF | None]:
        """The largest type in which every number fits its cell; None where there is none."""
        unit = self.theme.scale
        longest = sorted({words for row in spoken for words in row}, key=len)[-6:]
        for size in range(SMALL + 3, 7, -1):
            used = font(size * unit)
            metrics = QFontMetricsF(used)
            if max((metrics.horizontalAdvance(words) for words in longest), default=0.0) <= side - 4 * unit:
                return used, metrics if side >= NUMBERED * unit else None
        return font(SMALL * unit), None

    def _paint_border(self, painter: QPainter, picture: Grid, values: Floats, corner: QPointF, side: float) -> None:
        """A line between the picture and its padding."""
        b, (rows, columns) = picture.border, values.shape
        inner = QRectF(corner.x() + b * side, corner.y() + b * side, (columns - 2 * b) * side, (rows - 2 * b) * side)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(pen(self.theme.border, 1.2 * self.theme.scale))
        painter.drawRect(inner)

    def _paint_window(self, painter: QPainter, picture: Grid, corner: QPointF, side: float, unit: float) -> None:
        theme = self.theme
        painter.setBrush(Qt.BrushStyle.NoBrush)
        small = font(9 * unit, MEDIUM)
        for i, (row, column) in enumerate(picture.window):
            box = self._box(corner, side, row, column)
            painter.setPen(pen(theme.accent, 2 * unit))
            painter.drawRect(box.adjusted(unit, unit, -unit, -unit))
            if i < len(picture.corners) and side >= CORNERED * unit:
                painter.setFont(small)
                words, metrics = picture.corners[i], QFontMetricsF(small)
                wide = metrics.horizontalAdvance(words) + 4 * unit
                chip = QRectF(box.right() - wide - unit, box.bottom() - 13 * unit, wide, 12 * unit)
                painter.fillRect(chip, QColor(theme.accent))
                painter.setPen(QColor(theme.on_accent))
                painter.drawText(chip, Qt.AlignmentFlag.AlignCenter, words)
        if len(picture.window) > 1:
            boxes = [self._box(corner, side, row, column) for row, column in picture.window]
            whole = boxes[0]
            for box in boxes[1:]:
                whole = whole.united(box)
            painter.setPen(pen(mix(theme.accent, theme.background, 0.7), 1.4 * unit, (3, 2)))
            painter.drawRect(whole.adjusted(-unit, -unit, unit, unit))
        if picture.lit is not None:
            painter.setPen(pen(theme.accent, 2.4 * unit))
            painter.drawRect(self._box(corner, side, *picture.lit).adjusted(unit, unit, -unit, -unit))

    # -- mouse -------------------------------------------------------------------------------------------------------

    def told(self, at: QPointF, area: QRectF) -> tuple[str, list[Row]] | None:
        """Place and number of the cell under the mouse, counted from 0 without the padding."""
        picture = self.picture
        if picture is None:
            return None
        values, (corner, side) = self._values(), self.cells(area)
        if side < 1:
            return None
        row, column = (math.floor(v / side) for v in (at.y() - corner.y(), at.x() - corner.x()))
        if not (0 <= row < values.shape[0] and 0 <= column < values.shape[1]):
            return None
        padded = self._padded(picture, values, row, column)
        b, value = picture.border, float(values[row, column])
        rows = [Row("row, column", f"{row - b}, {column - b}".replace("-", MINUS))]
        if padded:
            return "padding", rows
        whole = value == round(value, 0) if math.isfinite(value) else False
        rows.append(Row("value", "not yet" if math.isnan(value) else _told(value) if whole else number(value)))
        if (row, column) in picture.window and picture.corners:
            rows.append(Row("weight", picture.corners[picture.window.index((row, column))].lstrip("×")))
        return "", rows


def _told(value: float) -> str:
    """A number short enough for a cell."""
    if math.isnan(value):
        return ""
    if math.isinf(value):
        return f"{MINUS}∞" if value < 0 else "∞"
    if value == round(value) and abs(value) < 1e5:
        words = f"{round(value)}"
    else:
        words = f"{value:.1f}" if abs(value) < 1000 else f"{value:.0f}"
    return words.replace("-", MINUS)
