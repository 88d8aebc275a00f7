"""Words in rows beneath a head: results of runs, what was predicted and what came."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass, replace

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFocusEvent, QFontMetricsF, QKeyEvent, QPainter, QPainterPath, QWheelEvent
from PySide6.QtWidgets import QWidget

from engine.picture import Table
from gui.fonts import BODY, MEDIUM, SMALL, font
from gui.palette import pen
from gui.plots.board import Board
from gui.plots.readout import Row
from gui.plots.ticks import prose
from gui.tokens import DARK, Theme, mix

GAP = 20.0  # px at scale 1 between two columns
NARROWEST = 28.0  # px at scale 1 of a column that is cut
MEASURED = 300  # rows that are looked at for the width of columns
NUMBER = re.compile(r"[\s~≈<>≤≥±+\-−]*[\d∞][\d\s.,:/±×eE+\-−⁻⁰¹²³⁴⁵⁶⁷⁸⁹%]*\S{0,2}|[–—−-]?|nan|[−-]?inf")


@dataclass(frozen=True)
class Sheet:
    """Where words stand: type size (px), height of a row; of every column on show its left edge, its width, whether
    it holds numbers, and its place in the table; how many rows are on show, and whether that is everything."""

    size: float
    row: float
    lefts: tuple[float, ...]
    widths: tuple[float, ...]
    numbers: tuple[bool, ...]
    columns: tuple[int, ...]
    shown: int
    whole: bool


class TablePlot(Board):
    """Shows an engine.picture.Table. What does not fit is scrolled with the wheel, or with the arrow and page
    keys."""

    picture: Table | None

    def __init__(self, title: str = "", theme: Theme = DARK, parent: QWidget | None = None, *, empty: str = "") -> None:
        super().__init__(title, theme, parent, empty=empty)
        self._given: Table | None = None
        self.first = 0  # the topmost row
        self.side = 0  # columns beside the first one that are scrolled out at the left
        self._measured: tuple[Table, dict[float, tuple[list[float], list[bool]]]] | None = None
        self._sheet: tuple[tuple[object, ...], Sheet] | None = None
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setProperty("ownKeys", True)

    def show_picture(self, picture: Table | None) -> None:
        """Draw this table from now on, its numbers written as everywhere; None: nothing yet."""
        if picture is not self._given:
            self._given = picture
            if picture is not None:
                rows = tuple(tuple(prose(cell) for cell in row) for row in picture.rows)
                picture = replace(picture, rows=rows) if rows != picture.rows else picture
            super().show_picture(picture)

    # -- where things stand ------------------------------------------------------------------------------------------

    def sheet(self, area: QRectF) -> Sheet | None:
        """Where the words stand, or None if there are none. Type is smaller where that saves words from being cut."""
        picture = self.picture
        if picture is None or not picture.head:
            return None
        key = (picture, self.theme, area.width(), area.height(), self.side)
        if self._sheet is not None and self._sheet[0][0] is picture and self._sheet[0][1:] == key[1:]:
            return self._sheet[1]
        unit, rows = self.theme.scale, len(picture.rows)
        left = 14 * unit if picture.good else 4 * unit
        room = area.width() - left - 2 * unit
        for size in (BODY, SMALL):
            wide, numbers = self._natural(picture, size * unit)
            row = round((24 if size == BODY else 19) * unit)
            loose = sum(wide) + GAP * unit * (len(wide) - 1) <= room
            if loose and row * (rows + 1) <= area.height():
                break
        gap = GAP * unit if loose else 7 * unit
        columns = self._columns(wide, numbers, room, gap)
        numbers = [numbers[c] for c in columns]
        wide = _cut([wide[c] for c in columns], numbers, room - gap * (len(columns) - 1), NARROWEST * unit)
        gap += min(24 * unit, max(0.0, room - sum(wide) - gap * (len(wide) - 1)) / max(1, len(wide) - 1))
        lefts = [area.left() + left + sum(wide[:k]) + gap * k for k in range(len(wide))]
        free = int((area.height() - row) / row)
        whole = rows <= free and len(columns) == len(picture.head)
        shown = min(rows, free) if whole else max(1, int((area.height() - row - 17 * unit) / row))
        looks = (tuple(lefts), tuple(wide), tuple(numbers), tuple(columns))
        made = Sheet(size * unit, row, *looks, min(shown, rows), whole)
        self._sheet = (key, made)
        return made

    def _columns(self, wide: list[float], numbers: list[bool], room: float, gap: float) -> list[int]:
        """The columns on show: the first, and from `side` on as many as can be read."""
        least = NARROWEST * 1.6 * self.theme.scale
        needed = [w if number else min(w, least) for w, number in zip(wide, numbers, strict=True)]
        if sum(needed) + gap * (len(needed) - 1) <= room:
            return list(range(len(wide)))
        self.side = max(0, min(self.side, len(wide) - 2))
        columns, used = [0], needed[0]
        for column in range(1 + self.side, len(wide)):
            used += gap + needed[column]
            if used > room:
                break
            columns.append(column)
        return columns

    def _natural(self, picture: Table, size: float) -> tuple[list[float], list[bool]]:
        """Of every column the width its words need in type of `size` px, and whether they are numbers."""
        if self._measured is None or self._measured[0] is not picture:
            self._measured = (picture, {})
        known = self._measured[1]
        if size not in known:
            strong, plain = QFontMetricsF(font(size, MEDIUM)), QFontMetricsF(font(size))
            widths, numbers = [], []
            for c, head in enumerate(picture.head):
                cells = [row[c] for row in picture.rows[:MEASURED] if c < len(row)]
                longest = sorted(set(cells), key=len)[-8:]  # the widest is hardly ever one of the short ones
                wide = max((plain.horizontalAdvance(words) for words in longest), default=0.0)
                widths.append(max(strong.horizontalAdvance(head), wide) + 1)
                numbers.append(bool(cells) and all(NUMBER.fullmatch(w.strip()) for w in cells) and any(cells))
            known[size] = (widths, numbers)
        return known[size]

    def _rows(self, sheet: Sheet) -> range:
        """The rows on show."""
        assert self.picture is not None
        rows = len(self.picture.rows)
        self.first = max(0, min(self.first, rows - sheet.shown))
        return range(self.first, min(rows, self.first + sheet.shown))

    # -- painting ----------------------------------------------------------------------------------------------------

    def paint(self, painter: QPainter, area: QRectF) -> None:
        """Head, rows, marks of the good ones, and what is left over."""
        picture, sheet, theme, unit = self.picture, self.sheet(area), self.theme, self.theme.scale
        if picture is None or sheet is None:
            painter.setFont(font(SMALL * unit))
            painter.setPen(QColor(theme.faint))
            painter.drawText(area, Qt.AlignmentFlag.AlignCenter, self.empty)
            return
        bottom = area.top() + sheet.row
        self._paint_row(painter, sheet, picture.head, area.top(), theme.dim, MEDIUM)
        painter.setPen(pen(theme.border))
        painter.drawLine(QPointF(area.left(), int(bottom) - 0.5), QPointF(area.right(), int(bottom) - 0.5))
        rows, good = self._rows(sheet), set(picture.good)
        hairline = pen(mix(theme.line, theme.background, 0.55))
        for place, index in enumerate(rows):
            top = bottom + place * sheet.row
            if index in good:
                band = QRectF(area.left(), top, area.width(), sheet.row - 1)
                painter.fillRect(band, QColor(mix(theme.good, theme.background, 0.12)))
                _paint_tick(painter, area.left() + 6 * unit, top + sheet.row / 2, 3.5 * unit, theme.good, unit)
            elif place + 1 < len(rows) and rows[place + 1] not in good:
                painter.setPen(hairline)
                y = int(top + sheet.row) - 0.5
                painter.drawLine(QPointF(area.left(), y), QPointF(area.right(), y))
            self._paint_row(painter, sheet, picture.rows[index], top, theme.text)
        if not sheet.whole:
            painter.setFont(font(SMALL * unit))
            painter.setPen(QColor(theme.faint))
            line = QRectF(area.left() + 4 * unit, bottom + len(rows) * sheet.row, area.width() - 4 * unit, 17 * unit)
            words = painter.fontMetrics().elidedText(self.rest(sheet), Qt.TextElideMode.ElideRight, int(line.width()))
            painter.drawText(line, Qt.AlignmentFlag.AlignVCenter, words)
        if self.hasFocus() and not self.for_picture:
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(pen(theme.accent))
            painter.drawRect(area.adjusted(-4 * unit, -2 * unit, 4 * unit, 2 * unit))

    def rest(self, sheet: Sheet) -> str:
        """What is not on show, in words."""
        assert self.picture is not None
        rows = self._rows(sheet)
        below = len(self.picture.rows) - rows.stop
        aside = len(self.picture.head) - len(sheet.columns)
        parts = [f"{below:,} more {'row' if below == 1 else 'rows'}"] if below else []
        parts += [f"{aside:,} {'' if below else 'more '}{'column' if aside == 1 else 'columns'}"] if aside else []
        parts += [f"{rows.start:,} above"] if rows.start else []
        return ("and " if below or aside else "") + ", ".join(parts)

    def _paint_row(
        self, painter: QPainter, sheet: Sheet, cells: Sequence[str], top: float, ink: str, weight: int = 400
    ) -> None:
        used = font(sheet.size, weight)
        metrics = QFontMetricsF(used)
        painter.setFont(used)
        painter.setPen(QColor(ink))
        base = top + (sheet.row + metrics.capHeight()) / 2 - 0.5
        for column, left, wide, number in zip(sheet.columns, sheet.lefts, sheet.widths, sheet.numbers, strict=True):
            if column >= len(cells) or not cells[column]:
                continue
            words = cells[column]
            words = " ".join(words.split()) if "\n" in words else words
            needed = metrics.horizontalAdvance(words)
            if needed > wide:
                words = metrics.elidedText(words, Qt.TextElideMode.ElideRight, wide)
                needed = metrics.horizontalAdvance(words)
            painter.drawText(QPointF(left + (wide - needed if number else 0.0), base), words)

    # -- mouse and keys ----------------------------------------------------------------------------------------------

    def told(self, at: QPointF, area: QRectF) -> tuple[str, list[Row]] | None:
        """The whole words of a cell that is cut; on the line below, how what is not on show is reached."""
        sheet, picture = self.sheet(area), self.picture
        if sheet is None or picture is None or at.y() < area.top():
            return None
        place = int((at.y() - area.top()) / sheet.row) - 1
        rows = self._rows(sheet)
        if place >= len(rows):
            if sheet.whole or place > len(rows):
                return None
            ways = [Row("Wheel, or ↑ ↓")] if len(rows) < len(picture.rows) else []
            with_shift = "Shift and wheel" if ways else "Wheel"
            return self.rest(sheet), ways + [Row(f"{with_shift}, or ← →")] * (len(sheet.columns) < len(picture.head))
        cells = picture.rows[rows[place]] if place >= 0 else picture.head
        used = QFontMetricsF(font(sheet.size, MEDIUM if place < 0 else 400))
        for column, left, wide in zip(sheet.columns, sheet.lefts, sheet.widths, strict=True):
            if column < len(cells) and left - 4 <= at.x() <= left + wide + 4:
                if used.horizontalAdvance(cells[column]) <= wide:
                    return None
                return self._whole(picture.head[column] if place >= 0 else "", cells[column])
        return None

    def _whole(self, head: str, words: str) -> tuple[str, list[Row]]:
        """A readout of many words, in as many lines as have room."""
        unit = self.theme.scale
        room = int((self.ground.width() - 24 * unit) / (0.56 * SMALL * unit))
        free = int((self.ground.height() - (40 if head else 24) * unit) / (16 * unit))
        lines = textwrap.wrap(words, max(12, min(room, 64)), max_lines=max(1, free), placeholder=" …")
        return head, [Row(line) for line in lines]

    def scroll_by(self, rows: int, columns: int = 0) -> bool:
        """Move on by so many rows and columns; True if that changed anything."""
        area = self.area(QRectF(self.ground.rect()))
        sheet = self.sheet(area)
        if sheet is None:
            return False
        before = (self._rows(sheet).start, self.side)
        self.first = before[0] + rows
        if columns < 0 or sheet.columns[-1] + 1 < len(self.picture.head if self.picture else ()):
            self.side = max(0, self.side + columns)
        moved = (self._rows(sheet).start, self.side) != before
        if moved:
            self.ground.update()
        return moved

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Scroll by three rows; sideways by a column with Shift, or where all rows are on show. At the ends the wheel
        belongs to others."""
        turn, aside = event.angleDelta().y(), event.angleDelta().x()
        sheet = self.sheet(self.area(QRectF(self.ground.rect())))
        if sheet is not None and self.picture is not None and not aside:
            shift = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
            if shift or sheet.shown == len(self.picture.rows):
                turn, aside = 0, turn
        rows = -3 if turn > 0 else 3 if turn < 0 else 0
        if not self.scroll_by(rows, 0 if rows else -1 if aside > 0 else 1 if aside < 0 else 0):
            event.ignore()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Scroll with the arrow and page keys, Home and End."""
        sheet = self.sheet(self.area(QRectF(self.ground.rect())))
        page = sheet.shown if sheet is not None else 1
        far = len(self.picture.rows) if self.picture is not None else 0
        keys = {
            Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1, Qt.Key.Key_PageUp: -page, Qt.Key.Key_PageDown: page,
            Qt.Key.Key_Home: -far, Qt.Key.Key_End: far, Qt.Key.Key_Left: 0, Qt.Key.Key_Right: 0,
        }  # fmt: skip
        if (rows := keys.get(Qt.Key(event.key()))) is None:
            event.ignore()
            return
        self.scroll_by(rows, {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}.get(Qt.Key(event.key()), 0))

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Show the ring."""
        super().focusInEvent(event)
        self.ground.update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Hide the ring."""
        super().focusOutEvent(event)
        self.ground.update()

    def clone(self, theme: Theme) -> TablePlot:
        """An off-screen twin in another theme that begins at the same row and column."""
        twin = super().clone(theme)
        twin.first, twin.side = self.first, self.side
        return twin


def _cut(widths: list[float], numbers: list[bool], room: float, least: float) -> list[float]:
    """Widths that fit into `room`: the widest columns of words give way first, then those of numbers."""
    wide = list(widths)
    for kind in (False, True):
        over = sum(wide) - room
        mine = [k for k, number in enumerate(numbers) if number is kind]
        if over <= 0 or not mine:
            continue
        floor = [min(wide[k], least) for k in mine]
        low, high = 0.0, max(wide[k] for k in mine)
        for _ in range(40):  # the level at which the columns are cut
            level = (low + high) / 2
            total = sum(max(f, min(wide[k], level)) for k, f in zip(mine, floor, strict=True))
            low, high = (level, high) if total <= sum(wide[k] for k in mine) - over else (low, level)
        for k, f in zip(mine, floor, strict=True):
            wide[k] = max(f, min(wide[k], low))
    total = sum(wide)
    return [w * max(room, 1.0) / total for w in wide] if total > room > 0 else wide


def _paint_tick(painter: QPainter, x: float, y: float, radius: float, colour: str, unit: float) -> None:
    path = QPainterPath(QPointF(x - radius, y + 0.1 * radius))
    path.lineTo(QPointF(x - 0.25 * radius, y + 0.8 * radius))
    path.lineTo(QPointF(x + radius, y - 0.8 * radius))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(pen(colour, 1.75 * unit))
    painter.drawPath(path)
