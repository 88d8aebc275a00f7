"""A sheet to draw a small grey picture on, with mouse or keyboard, and what it is taken for.

What the pen draws becomes cells in gui.plots.strokes.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Self

import numpy as np
from PySide6.QtCore import QEvent, QObject, QPointF, QRectF, Qt, Signal, Slot
from PySide6.QtGui import QColor, QFontMetricsF, QImage, QKeyEvent, QMouseEvent, QPainter, QPolygonF
from PySide6.QtWidgets import QWidget

from engine.feature_maps import Sketch
from gui.fonts import BODY, MEDIUM, SMALL, font
from gui.palette import pen
from gui.plots.board import Board
from gui.plots.readout import Row
from gui.plots.shades import ink_table
from gui.plots.strokes import FINE, NIB, Stroke, Values, inked
from gui.tokens import DARK, Theme, alpha, mix


class SketchPlot(Board):
    """Shows an engine.feature_maps.Sketch, and lets the reader draw it anew.

    `changed(values)` follows the pen, `drawn(values)` comes when it is lifted, after a key, and after Clear (then
    without values): whole numbers, row by row. Keys: arrows move a cursor, space darkens its cell, Delete clears all.
    """

    changed = Signal(object)
    drawn = Signal(object)
    picture: Sketch | None

    def __init__(self, title: str = "", theme: Theme = DARK, parent: QWidget | None = None, *, empty: str = "") -> None:
        super().__init__(title, theme, parent, empty=empty)
        self._strokes: list[Stroke] = []
        self._base: Values | None = (
            None  # what stands below the strokes: an earlier drawing of which only cells are known
        )
        self._own: tuple[int, ...] = ()
        self._pen_down = self._awaited = False
        self._cursor = (0, 0)
        self.fit = self.header.add_switch("Fit", "Bring what is drawn to the size and place of the data", checked=True)
        self.clear_switch = self.header.add_switch("Clear", "Clear the drawing (Delete)")
        self.clear_switch.setCheckable(False)
        self.fit.toggled.connect(self._refit)
        self.clear_switch.clicked.connect(self.clear)
        self.ground.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.ground.setAccessibleName(f"{title}: a sheet to draw on")
        self.ground.setAccessibleDescription("Arrow keys move, space darkens a cell, Delete clears the sheet")
        self.ground.setCursor(Qt.CursorShape.CrossCursor)
        self.ground.installEventFilter(self)

    # -- what is drawn -----------------------------------------------------------------------------------------------

    @property
    def values(self) -> tuple[int, ...]:
        """The picture in hand, row by row."""
        if self.picture is None:
            return ()
        side, levels = self.picture.values.shape[0], self.picture.levels
        found = inked(self._strokes, side, levels, self.fit.isChecked() and self._base is None)
        if self._base is not None:
            found = np.maximum(found, self._base)
        return tuple(int(v) for v in found.ravel())

    def show_picture(self, picture: Sketch | None) -> None:
        """Show this one; None: its answers are not known any more. What is in the reader's hand stays there, and what
        was just drawn until it comes back as a picture; another picture takes the strokes away."""
        if picture is None and self.picture is not None:
            self._awaited = False
            picture = replace(self.picture, answers=tuple((name, float("nan")) for name, _ in self.picture.answers))
        elif picture is not None and not self._pen_down:
            given = tuple(int(v) for v in np.rint(picture.values).ravel())
            if picture.drawn and given == self._own:
                self._awaited = False
            elif not self._awaited:
                self._strokes = []
                self._base = np.asarray(picture.values, float).copy() if picture.drawn and any(given) else None
                self._own = given if picture.drawn else ()
        super().show_picture(picture)

    def _start_anew(self) -> None:
        """The first stroke over a picture that was not drawn begins an empty sheet."""
        if self.picture is not None and not self.picture.drawn and not self._own:
            self._strokes, self._base = [], None

    def _tell(self, done: bool) -> None:
        self._own, self._awaited = self.values, done
        (self.drawn if done else self.changed).emit(self._own)
        self.ground.update()

    @Slot()
    def clear(self) -> None:
        """An empty sheet."""
        self._strokes, self._base, self._own = [], None, ()
        self._pen_down = self._awaited = False
        self.drawn.emit(())
        self.ground.update()

    @Slot(bool)
    def _refit(self, on: bool) -> None:
        if self._strokes and self._base is None:
            self._tell(True)

    # -- hands -------------------------------------------------------------------------------------------------------

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """The pen and the keys of the sheet."""
        if watched is not self.ground or self.picture is None or self.for_picture:
            return super().eventFilter(watched, event)
        match event.type():
            case QEvent.Type.MouseButtonPress | QEvent.Type.MouseButtonDblClick if isinstance(event, QMouseEvent):
                at = self._cell_at(event.position())
                if event.button() == Qt.MouseButton.LeftButton and at is not None:
                    self._start_anew()
                    self._pen_down = True
                    self._strokes.append([at])
                    self._tell(False)
                    self.ground.setFocus(Qt.FocusReason.MouseFocusReason)
                    return True
            case QEvent.Type.MouseMove if isinstance(event, QMouseEvent) and self._pen_down:
                at = self._cell_at(event.position(), near=True)
                if at is not None:
                    self._strokes[-1].append(at)
                    self._tell(False)
            case QEvent.Type.MouseButtonRelease if isinstance(event, QMouseEvent) and self._pen_down:
                if event.button() == Qt.MouseButton.LeftButton:
                    self._lift()
            case QEvent.Type.Hide if self._pen_down:
                self._lift()
            case QEvent.Type.KeyPress if isinstance(event, QKeyEvent):
                return self._key(event)
            case QEvent.Type.FocusIn | QEvent.Type.FocusOut:
                self.ground.update()
        return super().eventFilter(watched, event)

    def _lift(self) -> None:
        self._pen_down = False
        self._tell(True)

    def _key(self, event: QKeyEvent) -> bool:
        assert self.picture is not None
        side, levels = self.picture.values.shape[0], self.picture.levels
        ways = {Qt.Key.Key_Left: (0, -1), Qt.Key.Key_Right: (0, 1), Qt.Key.Key_Up: (-1, 0), Qt.Key.Key_Down: (1, 0)}
        key = Qt.Key(event.key())
        if key in ways:
            row, column = (a + b for a, b in zip(self._cursor, ways[key], strict=True))
            self._cursor = min(max(row, 0), side - 1), min(max(column, 0), side - 1)
            self.ground.update()
            return True
        if key in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace):
            self.clear()
            return True
        if key != Qt.Key.Key_Space:
            return False
        self._start_anew()
        base = np.array(self.values, float).reshape(side, side)
        self._strokes = []
        step, old = max(1, levels // 4), base[self._cursor]
        base[self._cursor] = 0.0 if old >= levels else min(levels, old + step)
        self._base = base
        self._tell(True)
        return True

    def _cell_at(self, at: QPointF, near: bool = False) -> tuple[float, float] | None:
        """A point of the sheet, in cells; a little beyond it too where the pen is `near`."""
        assert self.picture is not None
        sheet = self._places(self.area(QRectF(self.ground.rect())))[0]
        side = self.picture.values.shape[0]
        if sheet.width() < 8 or not (near or sheet.contains(at)):
            return None
        x, y = ((v - o) / sheet.width() * side for v, o in ((at.x(), sheet.left()), (at.y(), sheet.top())))
        return min(max(x, 0.0), float(side)), min(max(y, 0.0), float(side))

    # -- where things stand ------------------------------------------------------------------------------------------

    def _places(self, area: QRectF) -> tuple[QRectF, QRectF, QRectF]:
        """The sheet, the picture in cells, and the answers: side by side where it is wide, else the answers below."""
        assert self.picture is not None
        unit, answers = self.theme.scale, len(self.picture.answers)
        gap, head = 16 * unit, 18 * unit
        room = area.adjusted(0, head, 0, 0)
        if answers and area.width() > 2.1 * area.height():
            side = min(room.height(), (room.width() - 2 * gap) / 3)
            bars = QRectF(area.left() + 2 * (side + gap), area.top(), area.width() - 2 * (side + gap), area.height())
        else:
            below = min(answers * 19 * unit + 24 * unit, 0.5 * area.height()) if answers else 0.0
            side = min(room.height() - below, (room.width() - gap) / 2, 300 * unit)
            bars = QRectF(area.left(), room.top() + side + 8 * unit, area.width(), 0.0)
            bars.setBottom(min(area.bottom(), bars.top() + answers * 24 * unit))
        side = float(max(0, int(side) // 8 * 8))
        wide = area.width() if not answers or bars.left() == area.left() else 2 * side + gap
        left = float(int(area.left() + (wide - 2 * side - gap) / 2))
        top = room.top() if answers else room.top() + max(0.0, (room.height() - side) / 2)
        sheet = QRectF(left, float(int(top)), side, side)
        return sheet, sheet.translated(side + gap, 0), bars

    # -- painting ----------------------------------------------------------------------------------------------------

    def paint(self, painter: QPainter, area: QRectF) -> None:
        """The sheet with its strokes, the cells, the answers."""
        assert self.picture is not None
        theme, unit = self.theme, self.theme.scale
        sheet, cells, bars = self._places(area)
        values = self._shown()
        painter.setFont(font(SMALL * unit))
        painter.setPen(QColor(theme.dim))
        metrics = QFontMetricsF(painter.font())
        for box, words in ((sheet, "Draw here"), (cells, f"{values.shape[1]} × {values.shape[0]} cells")):
            words = metrics.elidedText(words, Qt.TextElideMode.ElideRight, box.width())
            painter.drawText(QPointF(box.left(), box.top() - 5 * unit), words)
        painter.fillRect(sheet, QColor(theme.raised))
        if not self._strokes:  # what was not drawn here stands back: the sheet is free
            painter.setOpacity(1.0 if self.picture.drawn or self._own else 0.3)
            self._cells(painter, sheet, values)
            painter.setOpacity(1.0)
        self._paint_strokes(painter, sheet)
        self._cells(painter, cells, values)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        focus = self.ground.hasFocus() and not self.for_picture
        painter.setPen(pen(theme.accent if focus else theme.border, (2 if focus else 1) * unit))
        painter.drawRect(sheet)
        painter.setPen(pen(theme.border))
        painter.drawRect(cells)
        if focus:
            self._paint_cursor(painter, cells, values.shape[0])
        if self.picture.answers:
            self._paint_answers(painter, bars)

    def _shown(self) -> Values:
        """The cells as they are now: those in hand go before the last answer."""
        assert self.picture is not None
        shape = self.picture.values.shape
        if self._own and len(self._own) == self.picture.values.size:
            return np.array(self._own, float).reshape(shape)
        return np.asarray(self.picture.values, float)

    def _cells(self, painter: QPainter, box: QRectF, values: Values) -> None:
        assert self.picture is not None
        table = ink_table(self.theme)
        colours = np.ascontiguousarray(table[np.rint(np.clip(values / self.picture.levels, 0, 1) * 255).astype(int)])
        high, wide = values.shape
        painter.drawImage(box, QImage(colours.data, wide, high, 4 * wide, QImage.Format.Format_RGB32))

    def _paint_strokes(self, painter: QPainter, sheet: QRectF) -> None:
        assert self.picture is not None
        zoom = sheet.width() / self.picture.values.shape[0]
        made = pen(self.theme.text, 2 * NIB / FINE * zoom)
        painter.save()
        painter.setClipRect(sheet)
        if self._base is not None and self._strokes:
            painter.setOpacity(0.5)
            self._cells(painter, sheet, self._base)
            painter.setOpacity(1.0)
        painter.setPen(made)
        for stroke in self._strokes:
            points = [sheet.topLeft() + QPointF(x * zoom, y * zoom) for x, y in stroke]
            if len(points) == 1:
                painter.drawPoint(points[0])
            else:
                painter.drawPolyline(QPolygonF(points))
        painter.restore()

    def _paint_cursor(self, painter: QPainter, cells: QRectF, side: int) -> None:
        step, (row, column) = cells.width() / side, self._cursor
        painter.setPen(pen(self.theme.accent, 2 * self.theme.scale))
        painter.drawRect(QRectF(cells.left() + column * step, cells.top() + row * step, step, step))

    def _paint_answers(self, painter: QPainter, area: QRectF) -> None:
        """A bar for each name; the largest in the colour that says whether it is right."""
        assert self.picture is not None
        theme, unit, answers = self.theme, self.theme.scale, self.picture.answers
        shares = np.array([share for _, share in answers])
        known = bool(np.isfinite(shares).all())
        best = int(shares.argmax()) if known else -1
        high = min(24 * unit, area.height() / len(answers))
        used = font(min(BODY * unit, max(8 * unit, high - 4 * unit)))
        strong = font(min(BODY * unit, max(8 * unit, high - 4 * unit)), MEDIUM)
        name, share_room = 20 * unit, 60 * unit
        for i, (label, share) in enumerate(answers):
            top = area.top() + i * high
            right = label == self.picture.truth
            painter.setFont(strong if i == best or right else used)
            painter.setPen(QColor(theme.text if i == best or right else theme.dim))
            painter.drawText(QRectF(area.left(), top, name, high), Qt.AlignmentFlag.AlignCenter, label)
            line = QRectF(
                area.left() + name + 4 * unit, top + 0.22 * high, area.width() - name - share_room, 0.56 * high
            )
            painter.fillRect(line, QColor(mix(theme.text, theme.background, 0.06)))
            if not known:
                continue
            colour = theme.accent if not self.picture.truth else theme.good if right else theme.bad
            fill = QColor(colour) if i == best else alpha(theme.text, 0.35)
            painter.fillRect(QRectF(line.left(), line.top(), line.width() * share, line.height()), fill)
            box = QRectF(line.right() + 4 * unit, top, share_room - 8 * unit, high)
            painter.drawText(box, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight, _share(share))

    def _note(self) -> str:
        if self.picture is None:
            return ""
        if self.for_picture:
            return self.picture.told
        return f"{self.picture.told}. {self.picture.note}" if self.picture.told else self.picture.note

    # -- mouse and pictures ------------------------------------------------------------------------------------------

    def told(self, at: QPointF, area: QRectF) -> tuple[str, list[Row]] | None:
        """The number of a cell, or the share of an answer."""
        if self.picture is None or self._pen_down:
            return None
        _, cells, bars = self._places(area)
        values = self._shown()
        if cells.contains(at) and cells.width() >= 8:
            row, column = (
                int(v / cells.width() * values.shape[0]) for v in (at.y() - cells.top(), at.x() - cells.left())
            )
            row, column = min(row, values.shape[0] - 1), min(column, values.shape[1] - 1)
            return "", [Row("row, column", f"{row}, {column}"), Row("grey", f"{values[row, column]:.0f}")]
        answers = self.picture.answers
        if answers and bars.contains(at) and bars.height() > 0:
            high = min(24 * self.theme.scale, bars.height() / len(answers))
            i = int((at.y() - bars.top()) / high)
            if i < len(answers):
                return answers[i][0], [Row("share", f"{answers[i][1]:.4g}")]
        return None

    def clone(self, theme: Theme) -> Self:
        """A twin with the same strokes."""
        twin = super().clone(theme)
        twin._strokes, twin._base, twin._own = [list(s) for s in self._strokes], self._base, self._own
        return twin


def _share(value: float) -> str:
    """A share in per cent."""
    return f"{100 * value:.1f} %"
