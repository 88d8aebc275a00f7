"""Numbers in cells: a confusion matrix, correlations, a table of runs over two settings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QImage, QPainter

from engine.picture import Matrix
from gui.fonts import BODY, SMALL, font, text_width
from gui.palette import pen
from gui.plots.board import Board
from gui.plots.geometry import Floats
from gui.plots.readout import Row
from gui.plots.shades import Table, places, plain_table, signed_table, words_on
from gui.plots.ticks import MINUS, number
from gui.tokens import Theme

SMALLEST = 9  # px at scale 1: numbers that had to be smaller are left to the readout
LARGEST_CELL = (120.0, 72.0)  # px at scale 1
GAPS_FROM = 5.0  # px: smaller cells touch


@dataclass(frozen=True)
class Grid:
    """Where the cells stand: the rectangle of them all, and how many rows and columns it has."""

    cells: QRectF
    rows: int
    columns: int

    def cell(self, row: int, column: int) -> QRectF:
        """The rectangle of one cell."""
        wide, high = self.cells.width() / self.columns, self.cells.height() / self.rows
        return QRectF(self.cells.left() + column * wide, self.cells.top() + row * high, wide, high)

    def at(self, point: QPointF) -> tuple[int, int] | None:
        """Row and column under a point, or None."""
        if not self.cells.contains(point):
            return None
        column = int((point.x() - self.cells.left()) / self.cells.width() * self.columns)
        row = int((point.y() - self.cells.top()) / self.cells.height() * self.rows)
        return min(row, self.rows - 1), min(column, self.columns - 1)


class MatrixPlot(Board):
    """Shows an engine.picture.Matrix: a shade for every cell, its number where it fits, and both under the mouse."""

    picture: Matrix | None
    _words: tuple[Matrix, list[list[list[str]]]] | None = None
    _look: tuple[tuple[str, Theme], Table, list[str]] | None = None
    _placed: tuple[Matrix, NDArray[np.intp], float, float] | None = None

    def _values(self) -> Floats:
        """The numbers [rows, columns], or none at all where there is no such table."""
        assert self.picture is not None
        values = np.asarray(self.picture.values, float)
        return values if values.ndim == 2 else np.empty((0, 0))

    def _places(self, picture: Matrix) -> tuple[NDArray[np.intp], float, float]:
        if self._placed is None or self._placed[0] is not picture:
            self._placed = (picture, *places(self._values(), picture.scale))
        return self._placed[1:]

    def _colours(self, scale: str) -> tuple[Table, list[str]]:
        """The shades, and the ink that is read best on each."""
        key = (scale, self.theme)
        if self._look is None or self._look[0] != key:
            table = signed_table(self.theme) if scale == "signed" else plain_table(self.theme)
            self._look = (key, table, words_on(table, self.theme))
        return self._look[1:]

    # -- where things stand ------------------------------------------------------------------------------------------

    def grid(self, area: QRectF) -> Grid | None:
        """Where the cells stand within the area, or None if there are none."""
        picture = self.picture
        if picture is None:
            return None
        (rows, columns), unit = self._values().shape, self.theme.scale
        if not rows or not columns:
            return None
        used = font(SMALL * unit)
        label = max((text_width(used, words) for words in picture.rows[:rows]), default=0.0)
        left = min(label, 0.34 * area.width()) + (6 * unit + 1 if label else 0.0)
        foot = (16 * unit if any(picture.columns) else 0.0) + (15 * unit if self._axis_words() else 0.0)
        right = self._scale_width(area)
        room = QRectF(area.left() + left, area.top(), area.width() - left - right, area.height() - foot)
        if room.width() < 4 or room.height() < 4:
            return None
        wide = min(room.width() / columns, LARGEST_CELL[0] * unit)
        high = min(room.height() / rows, LARGEST_CELL[1] * unit)
        if wide >= GAPS_FROM and high >= GAPS_FROM:  # whole pixels: every cell is as large as the next
            wide, high = float(int(wide)), float(int(high))
        left, top = room.center().x() - wide * columns / 2, room.center().y() - high * rows / 2
        cells = QRectF(float(int(left)), float(int(top)), wide * columns, high * rows)
        return Grid(cells, rows, columns)

    def _scale_width(self, area: QRectF) -> float:
        """Room for the scale of shades, which stands where no numbers are asked for."""
        picture, unit = self.picture, self.theme.scale
        if picture is None or picture.numbers or area.width() < 180 * unit:
            return 0.0
        _, low, high = self._places(picture)
        return max(text_width(font(SMALL * unit), number(v, 3)) for v in (low, high)) + 22 * unit

    def _axis_words(self) -> tuple[str, ...]:
        picture = self.picture
        assert picture is not None
        both = ((picture.row_label, "↓"), (picture.column_label, "→"))
        return tuple(f"{words} {sign}" if words else "" for words, sign in both) if any(w for w, _ in both) else ()

    # -- painting ----------------------------------------------------------------------------------------------------

    def paint(self, painter: QPainter, area: QRectF) -> None:
        """Cells, numbers, labels, and the scale where the numbers are left out."""
        picture, grid, theme, unit = self.picture, self.grid(area), self.theme, self.theme.scale
        assert picture is not None
        painter.setFont(font(SMALL * unit))
        if grid is None:
            painter.setPen(QColor(theme.faint))
            painter.drawText(area, Qt.AlignmentFlag.AlignCenter, self.empty)
            return
        table, inks = self._colours(picture.scale)
        found, low, high = self._places(picture)
        colours = np.ascontiguousarray(table[found])
        image = QImage(colours.data, grid.columns, grid.rows, 4 * grid.columns, QImage.Format.Format_RGB32)
        painter.drawImage(grid.cells, image)
        self._paint_gaps(painter, grid)
        self._paint_undefined(painter, grid)
        if picture.numbers:
            self._paint_numbers(painter, grid, inks, found)
        elif self._scale_width(area):
            self._paint_scale(painter, grid, table, low, high)
        self._paint_labels(painter, grid, area)
        over = grid.at(self.mouse) if self.mouse is not None and not self.for_picture else None
        if over is not None:
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(pen(theme.text, 1.5 * unit))
            painter.drawRect(grid.cell(*over).adjusted(0, 0, -1, -1))

    def _paint_gaps(self, painter: QPainter, grid: Grid) -> None:
        cells = grid.cells
        first = grid.cell(0, 0)
        if min(first.width(), first.height()) >= GAPS_FROM:
            # The half pixel keeps the lines sharp; the last of them closes the table below and at the right.
            down = [cells.left() + k * first.width() - 0.5 for k in range(1, grid.columns + 1)]
            across = [cells.top() + k * first.height() - 0.5 for k in range(1, grid.rows + 1)]
            lines = [QLineF(x, cells.top(), x, cells.bottom()) for x in down]
            lines += [QLineF(cells.left(), y, cells.right(), y) for y in across]
            made = pen(self.theme.background)
            made.setCapStyle(Qt.PenCapStyle.FlatCap)
            painter.setPen(made)
            painter.drawLines(lines)
        painter.setPen(pen(self.theme.line))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRect(cells.adjusted(-0.5, -0.5, -0.5, -0.5))

    def _paint_undefined(self, painter: QPainter, grid: Grid) -> None:
        """A stroke through cells without a finite number."""
        painter.setPen(pen(self.theme.faint))
        for row, column in np.argwhere(~np.isfinite(self._values()))[:400]:
            box = grid.cell(int(row), int(column)).adjusted(2, 2, -3, -3)
            if box.width() > 2 and box.height() > 2 and not self._fits(grid):
                painter.drawLine(box.bottomLeft(), box.topRight())

    def _spellings(self) -> list[list[list[str]]]:
        """The numbers as words, [spelling][row][column], the longest spelling first."""
        assert self.picture is not None
        if self._words is None or self._words[0] is not self.picture:
            self._words = (self.picture, _spellings(self._values()))
        return self._words[1]

    def _fits(self, grid: Grid) -> tuple[list[list[str]], float] | None:
        """The longest spelling and the largest type (px) that the cells can hold, or None."""
        unit, cell = self.theme.scale, grid.cell(0, 0)
        if not self.picture or not self.picture.numbers or grid.rows * grid.columns > 2000:
            return None
        for spelling in self._spellings():
            longest = max((words for row in spelling for words in row), key=len)
            for size in range(BODY if cell.height() >= 28 * unit else SMALL, SMALLEST - 1, -1):
                wide = text_width(font(size * unit), longest)
                if wide + 2 <= cell.width() and 1.05 * size * unit <= cell.height():
                    return spelling, size * unit
        return None

    def _paint_numbers(self, painter: QPainter, grid: Grid, inks: Sequence[str], found: NDArray[np.intp]) -> None:
        fitting, picture = self._fits(grid), self.picture
        if fitting is None or picture is None:
            return
        _, low, _ = self._places(picture)
        spelling, size = fitting
        used, cell = font(size), grid.cell(0, 0)
        painter.setFont(used)
        metrics = QFontMetricsF(used)
        widths: dict[str, float] = {}
        drop = (cell.height() - 1 + metrics.capHeight()) / 2
        # Noughts of a count stand back, so that what was counted is seen.
        quiet = picture.scale == "plain" and low == 0
        ink_of = [self.theme.faint if quiet and place == 0 else inks[place] for place in range(len(inks))]
        for ink in sorted(set(ink_of)):
            painter.setPen(QColor(ink))
            for r, row in enumerate(spelling):
                base = grid.cells.top() + r * cell.height() + drop
                for c, words in enumerate(row):
                    if ink_of[found[r, c]] == ink:
                        wide = widths.get(words)
                        if wide is None:
                            wide = widths[words] = metrics.horizontalAdvance(words)
                        left = grid.cells.left() + c * cell.width() + (cell.width() - 1 - wide) / 2
                        painter.drawText(QPointF(left, base), words)

    def _paint_scale(self, painter: QPainter, grid: Grid, table: Table, low: float, high: float) -> None:
        """A strip of all shades at the right, with the numbers at its ends."""
        unit, cells = self.theme.scale, grid.cells
        column = np.ascontiguousarray(table[255::-1])
        bar = QRectF(cells.right() + 8 * unit, cells.top(), 8 * unit, min(cells.height(), 160 * unit))
        painter.drawImage(bar, QImage(column.data, 1, 256, 4, QImage.Format.Format_RGB32))
        painter.setPen(pen(self.theme.line))
        painter.drawRect(bar)
        painter.setPen(QColor(self.theme.dim))
        painter.setFont(font(SMALL * unit))
        wide = self._scale_width(cells.adjusted(0, 0, 1e4, 0))
        for value, top in ((high, bar.top() - 1), (low, bar.bottom() - 15 * unit)):
            box = QRectF(bar.right() + 5 * unit, top, wide, 16 * unit)
            painter.drawText(box, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, number(value, 3))

    def _paint_labels(self, painter: QPainter, grid: Grid, area: QRectF) -> None:
        picture, theme, unit = self.picture, self.theme, self.theme.scale
        assert picture is not None
        used = font(SMALL * unit)
        metrics, cell, cells = QFontMetricsF(used), grid.cell(0, 0), grid.cells
        painter.setFont(used)
        painter.setPen(QColor(theme.dim))
        room = cells.left() - area.left() - 5 * unit
        every = _every(13 * unit, cell.height())
        right = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight
        for r in range(0, min(grid.rows, len(picture.rows)), every):
            words = metrics.elidedText(picture.rows[r], Qt.TextElideMode.ElideRight, room)
            middle = cells.top() + (r + 0.5) * cell.height()
            top = min(max(middle - 8 * unit, area.top() - 6 * unit), area.bottom() - 16 * unit)
            painter.drawText(QRectF(area.left(), top, room, 16 * unit), right, words)
        shown = picture.columns[: grid.columns]
        widest = max((metrics.horizontalAdvance(words) for words in shown), default=0.0)
        every = _every(widest + 4 * unit, cell.width())
        if every > 2 and cell.width() >= 28 * unit:
            every = 1  # every name cut short tells more than a few whole ones
        for c in range(0, len(shown), every):
            half = every * cell.width() / 2
            middle = cells.left() + (c + 0.5) * cell.width()
            half = min(half, middle - area.left(), area.right() - middle)
            words = metrics.elidedText(shown[c], Qt.TextElideMode.ElideRight, 2 * half)
            box = QRectF(middle - half, cells.bottom() + unit, 2 * half, 16 * unit)
            painter.drawText(box, Qt.AlignmentFlag.AlignCenter, words)
        both = self._axis_words()
        if both:
            line = QRectF(area.left(), cells.bottom() + (17 if shown else 2) * unit, 0, 15 * unit)
            line.setRight(max(cells.right(), area.left() + 60 * unit))
            painter.setPen(QColor(theme.faint))
            first = min(metrics.horizontalAdvance(both[0]), line.width() * (0.48 if both[1] else 1.0))
            left = metrics.elidedText(both[0], Qt.TextElideMode.ElideRight, first + 1)
            painter.drawText(line, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, left)
            rest = metrics.elidedText(both[1], Qt.TextElideMode.ElideRight, line.width() - first - 8 * unit)
            painter.drawText(line, right, rest)

    # -- mouse -------------------------------------------------------------------------------------------------------

    def told(self, at: QPointF, area: QRectF) -> tuple[str, list[Row]] | None:
        """Row, column and number of the cell under the mouse."""
        grid, picture = self.grid(area), self.picture
        over = grid.at(at) if grid is not None else None
        if over is None or picture is None:
            return None
        row, column = over
        return "", [
            Row(picture.row_label or "row", _name(picture.rows, row)),
            Row(picture.column_label or "column", _name(picture.columns, column)),
            Row("value", number(float(self._values()[row, column]), 6)),
        ]


def _name(names: Sequence[str], index: int) -> str:
    return (names[index] if index < len(names) else "") or str(index)


def _every(needed: float, given: float) -> int:
    """Every how-manieth label fits, if one needs so many px and is given so many."""
    least = max(1.0, needed / max(given, 1e-9))
    return next((k for k in (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000) if k >= least * 0.999), 5000)


def _spellings(values: Floats) -> list[list[list[str]]]:
    finite = values[np.isfinite(values)]
    largest = float(np.abs(finite).max()) if finite.size else 0.0
    if largest < 1e6 and (finite == np.rint(finite)).all():
        return [_spelled(values, 0)]
    if 1e-2 <= largest < 1e5:
        most = 2 if largest < 10 else 1 if largest < 100 else 0
        return [_spelled(values, digits) for digits in range(most, -1, -1) if digits or largest >= 10]
    return [[[number(float(v), digits) for v in row] for row in values] for digits in (3, 1)]


def _spelled(values: Floats, digits: int) -> list[list[str]]:
    odd = {"nan": "–", "inf": "∞", "-inf": MINUS + "∞"}
    zero = "0" if digits == 0 else f"{0:.{digits}f}"
    spelled = [[f"{v:.{digits}f}" for v in row] for row in values.tolist()]
    return [[odd.get(w, zero if w == "-" + zero else w.replace("-", MINUS)) for w in row] for row in spelled]
