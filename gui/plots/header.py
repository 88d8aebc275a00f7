"""The calm row above a plot: its title, a chip for each series, and small switches at the right."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal, Slot
from PySide6.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen, QResizeEvent
from PySide6.QtWidgets import QAbstractButton, QSizePolicy, QWidget

from gui.fonts import BODY, MEDIUM, SMALL, font, text_width
from gui.palette import SOLID, Dash, pen
from gui.plots.marks import draw_mark
from gui.tokens import Theme, mix


@dataclass(frozen=True)
class Entry:
    """One chip: its series' key, its words, and how the series looks. `symbol` (if any) replaces the line. `name`: what
    all plots of a page call it, if not by its words."""

    key: str
    label: str
    colour: str
    dash: Dash = SOLID
    symbol: str = ""
    width: float = 2.0
    name: str = ""


class Chip(QAbstractButton):
    """A legend entry that can be switched off, or (without an entry) a small switch.

    `alone(doubled)`: only this entry is to be seen, or all again; `doubled`: by a double click, whose first half was a
    click already.
    """

    alone = Signal(bool)

    def __init__(self, text: str, theme: Theme, entry: Entry | None, parent: QWidget) -> None:
        super().__init__(parent)
        self.entry, self.theme = entry, theme
        self.setText(text)
        self.compact = False
        self.setCheckable(True)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        if entry is not None:
            self.setChecked(True)
            self.call(entry.label)

    def call(self, label: str) -> None:
        """The entry's words, and what a click on them does."""
        self.setText(label)
        self.setAccessibleName(f"Show {label}")
        self.setAccessibleDescription("Space hides or shows it in every plot; Enter shows it alone, and again all")
        self.setToolTip(
            f"Hide or show {label} in every plot.\nDouble click or Ctrl+click: only this one; once more: all"
        )

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """With Ctrl: this one alone."""
        control = bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
        if self.entry is not None and control and event.button() == Qt.MouseButton.LeftButton:
            self.alone.emit(False)
            return
        super().mousePressEvent(event)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """This one alone."""
        control = bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
        if self.entry is None or event.button() != Qt.MouseButton.LeftButton:
            super().mouseDoubleClickEvent(event)
        else:  # two clicks with Ctrl were two gestures
            self.alone.emit(not control)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Enter, or Ctrl and Space: this one alone."""
        control = bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
        enter = event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter)
        if self.entry is not None and (enter or (control and event.key() == Qt.Key.Key_Space)):
            if not event.isAutoRepeat():
                self.alone.emit(False)
            return
        super().keyPressEvent(event)

    def sizeHint(self) -> QSize:
        """As wide as its words (and swatch)."""
        unit = self.theme.scale
        swatch = (self.line() + 8 if self.entry is not None else 0) * unit
        if self.compact:
            return QSize(round((self.line() + 6) * unit), round(20 * unit))
        return QSize(round(text_width(font(SMALL * unit), self.text()) + 12 * unit + swatch), round(20 * unit))

    def line(self) -> float:
        """Length of the swatch, px at scale 1: long enough to show a line style, unless all that is left is a row of
        colours, of which none should be lost."""
        if self.theme.dashes:
            return 20.0 if self.compact else 32.0
        if self.compact:
            return 12.0
        dashed = self.entry is not None and self.entry.dash != SOLID and not self.entry.symbol
        return 26.0 if dashed else 16.0

    def paintEvent(self, event: QPaintEvent) -> None:
        """Swatch and words; faint and hollow when off; a ring when the keyboard is on it."""
        with QPainter(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            theme, unit, area = self.theme, self.theme.scale, QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5)
            if self.underMouse() or self.hasFocus() or (self.entry is None and self.isChecked()):
                painter.setPen(pen(theme.accent) if self.hasFocus() else Qt.PenStyle.NoPen)
                painter.setBrush(QColor(theme.raised))
                painter.drawRoundedRect(area, 4 * unit, 4 * unit)
            left = (3 if self.compact else 6) * unit
            if self.entry is not None:
                self._paint_swatch(painter, left, area.center().y())
                left += (self.line() + 8) * unit
            shown = self.isChecked()
            if self.compact:
                return
            painter.setPen(QColor((theme.text if self.entry is None else theme.dim) if shown else theme.faint))
            used = font(SMALL * unit)
            used.setStrikeOut(self.entry is not None and not shown)
            painter.setFont(used)
            painter.drawText(
                QRectF(left, 0, self.width() - left, self.height()), Qt.AlignmentFlag.AlignVCenter, self.text()
            )

    def _paint_swatch(self, painter: QPainter, left: float, y: float) -> None:
        entry, unit, theme = self.entry, self.theme.scale, self.theme
        assert entry is not None
        colour = entry.colour if self.isChecked() else mix(theme.faint, theme.background, 0.5)
        if entry.symbol:
            draw_mark(painter, entry.symbol, left + self.line() / 2 * unit, y, 4 * unit, colour, theme.background)
            return
        width = 1.5 if theme.dashes else max(2.0, entry.width)
        painter.setPen(pen(colour, width * unit, entry.dash))
        painter.drawLine(QPointF(left + unit, y), QPointF(left + (self.line() + 1) * unit, y))


class Header(QWidget):
    """Title, chips and switches; chips flow onto further lines where one is too short.

    `switched(key, shown)` tells of a chip, `alone(key, doubled)` that only this one is wanted. In pictures the switches
    are left out.
    """

    switched = Signal(str, bool)
    alone = Signal(str, bool)

    def __init__(self, title: str, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.title, self.theme = title, theme
        self.switches: list[QAbstractButton] = []
        self._chips: dict[str, Chip] = {}
        self._inset = self._left = 8.0
        self._room = 0.0
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._arrange()

    def set_inset(self, inset: float) -> None:
        """Where the title begins, px at scale 1: above the left edge of the plot."""
        if inset != self._inset:
            self._inset = inset
            self._arrange()

    def add_switch(self, text: str, name: str, *, checked: bool = False) -> Chip:
        """A small switch at the right; `name` is for screen readers and the tool tip."""
        made = Chip(text, self.theme, None, self)
        made.setChecked(checked)
        made.setAccessibleName(name)
        made.setToolTip(name)
        self.switches.append(made)
        self._arrange()
        return made

    def set_entries(self, entries: list[Entry], hidden: Set[str]) -> None:
        """Show these series; chips that stay keep their keyboard focus."""
        for key in set(self._chips) - {entry.key for entry in entries}:
            chip = self._chips.pop(key)
            chip.hide()
            chip.deleteLater()
        for entry in entries:
            chip = self._chips.get(entry.key) or self._new_chip(entry)
            chip.entry, chip.theme = entry, self.theme
            if chip.text() != entry.label:
                chip.call(entry.label)
            chip.setChecked(entry.key not in hidden)
            chip.update()
        self._chips = {entry.key: self._chips[entry.key] for entry in entries}
        self._arrange()

    def chip(self, key: str) -> Chip:
        """The chip of a series."""
        return self._chips[key]

    def apply_theme(self, theme: Theme) -> None:
        """Take over colours and scale."""
        self.theme = theme
        for part in self.switches:
            if isinstance(part, Chip):
                part.theme = theme
                part.update()
        self._arrange()
        self.update()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Flow anew."""
        self._arrange()

    def changeEvent(self, event: QEvent) -> None:
        """Flow anew when something about type has changed."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.FontChange:
            self._arrange()

    def _new_chip(self, entry: Entry) -> Chip:
        made = Chip(entry.label, self.theme, entry, self)
        self._chips[entry.key] = made
        made.clicked.connect(self._chip_clicked)
        made.alone.connect(self._chip_alone)
        made.show()
        return made

    @Slot(bool)
    def _chip_clicked(self, shown: bool) -> None:
        sender = self.sender()
        if isinstance(sender, Chip) and sender.entry is not None:
            self.switched.emit(sender.entry.key, shown)

    @Slot(bool)
    def _chip_alone(self, doubled: bool) -> None:
        sender = self.sender()
        if isinstance(sender, Chip) and sender.entry is not None:
            self.alone.emit(sender.entry.key, doubled)

    def _arrange(self) -> None:
        unit = self.theme.scale
        row, top = round(20 * unit), round(6 * unit)
        right = self.width() - round(12 * unit)
        for part in reversed([s for s in self.switches if not s.isHidden()]):
            size = part.sizeHint()
            right -= size.width()
            part.setGeometry(right, top, size.width(), row)
            right -= round(4 * unit)
        title = text_width(font(BODY * unit, MEDIUM), self.title) + 12 * unit if self.title else 0.0
        chips, parent = self._chips.values(), self.parentWidget()
        small = parent is not None and parent.height() <= 340 * unit
        for chip in chips:
            chip.compact = False
            chip.show()
        self._left = self._inset
        below = False
        if self._inset * unit + title + self._chips_width() > right and parent is not None:
            # In a small plot the title gives up standing above the axis, and the words get a line of their own;
            # where that is too short too, the swatches stand alone, on that line if the title leaves them none.
            self._left = min(self._inset, 16.0)
            fits = self._left * unit + title + self._chips_width() <= right
            below = small and not fits and 6 * unit + self._chips_width() <= self.width() - 12 * unit
            for chip in chips:
                chip.compact = small and not fits and not below
            if small and not fits and not below:
                below = self._left * unit + title + self._chips_width() > right
        self._room = right - self._left * unit
        start = left = self._left * unit + title
        first = top
        if below:
            left = (self._left - (3 if any(chip.compact for chip in chips) else 6)) * unit
            right, top = self.width() - round(12 * unit), top + row
        for chip in chips:
            width = chip.sizeHint().width()
            if left + width > right and chip.compact:
                chip.hide()
                continue
            if left + width > right and (left > start or (title and top == first)):
                left = start = max(0.0, (self._left - 6) * unit)
                right, top = self.width() - round(12 * unit), top + row  # no switches down there
            chip.setGeometry(round(left), top, width, row)
            left += width + round(2 * unit)
        used = bool(self.title or self._chips or any(not s.isHidden() for s in self.switches))
        height = top + row + round(2 * unit) if used else 0
        if height != self.height() or self.minimumHeight() != height:
            self.setFixedHeight(height)
            if parent is not None and parent.isVisible() and (below_it := parent.layout()) is not None:
                below_it.activate()  # at once: else the plot is painted as it was, and once more when it has moved

    def _chips_width(self) -> float:
        return sum(chip.sizeHint().width() + 2 * self.theme.scale for chip in self._chips.values())

    def paintEvent(self, event: QPaintEvent) -> None:
        """Ground and title."""
        with QPainter(self) as painter:
            painter.fillRect(self.rect(), QColor(self.theme.background))
            if self.title:
                unit = self.theme.scale
                painter.setFont(font(BODY * unit, MEDIUM))
                painter.setPen(QPen(QColor(self.theme.text)))
                box = QRectF(self._left * unit, 6 * unit, self.width(), 20 * unit)
                words = painter.fontMetrics().elidedText(
                    self.title, Qt.TextElideMode.ElideRight, max(0, int(self._room))
                )
                painter.drawText(box, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, words)
                self.setToolTip(self.title if words != self.title else "")
