"""The rows of what is written: a text, and a point of two numbers."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Qt, QTimer, Slot
from PySide6.QtWidgets import QFileDialog, QPushButton, QWidget

from engine.spec import FieldDeclaration, SpecError, read_text, write_text
from gui.form.controls import Entry
from gui.form.numbers import read, words_of
from gui.form.row import Row, message_of
from gui.tokens import Theme

TYPING = 250  # ms of rest after which a text is taken up
RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter


class TextRow(Row):
    """A line of text, taken up when the reader rests from typing."""

    def __init__(self, declaration: FieldDeclaration, *, compact: bool = False, parent: QWidget | None = None) -> None:
        super().__init__(declaration, compact=compact, parent=parent)
        self.head()
        self.entry = Entry(self)
        self.entry.setPlaceholderText(declaration.hint)
        self.name(self.entry)
        self.label.setBuddy(self.entry)
        self.column.addWidget(self.entry)
        self.finish()
        self.resting = QTimer(self)
        self.resting.setSingleShot(True)
        self.resting.setInterval(TYPING)
        self.resting.timeout.connect(self._take)
        self.entry.textEdited.connect(lambda _: self.resting.start())
        self.entry.finished.connect(self._take)
        self.entry.restored.connect(self._restore)

    def stops(self) -> list[QWidget]:
        """The field."""
        return [self.entry]

    @property
    def busy(self) -> bool:
        """While typing; a text with a mistake in it is still being written."""
        wrong = bool(self.error.text())
        return self.resting.isActive() or (self.entry.hasFocus() and (self.entry.isModified() or wrong))

    def set_value(self, value: Any) -> None:
        """Show a value, telling nobody; a text that already stands there is not touched."""
        self.value = value
        if self.entry.text() != self._words():
            self.entry.put(self._words())

    def _words(self) -> str:
        """The value as it is written."""
        return write_text(self.declaration, self.value)

    def mark(self, wrong: bool) -> None:
        """In the field's border."""
        self.entry.mark(wrong)

    def hold(self) -> None:
        """Take up at once what has been typed."""
        if self.resting.isActive():
            self._take()

    @Slot()
    def _take(self) -> None:
        self.resting.stop()
        if self.entry.text() != self._words():
            self.committed.emit(self.key, self.entry.text())

    @Slot()
    def _restore(self) -> None:
        self.resting.stop()
        if self.entry.text() != self._words():
            self.entry.put(self._words())
            self.show_error("")


class ListRow(TextRow):
    """Several values on one line, with commas between: taken up when the reader is done, not while typing."""

    def __init__(self, declaration: FieldDeclaration, *, compact: bool = False, parent: QWidget | None = None) -> None:
        super().__init__(declaration, compact=compact, parent=parent)
        self.resting.setInterval(4 * TYPING)

    @Slot()
    def _take(self) -> None:
        self.resting.stop()
        if self.entry.text() == self._words():
            return
        try:
            value = read_text(self.declaration, self.entry.text())
        except SpecError as error:
            self.wrong.emit(self.key, message_of(error))
            return
        self.committed.emit(self.key, value)


class FileRow(TextRow):
    """The path of a file: written, picked in a dialog, or dropped here."""

    def __init__(self, declaration: FieldDeclaration, *, compact: bool = False, parent: QWidget | None = None) -> None:
        super().__init__(declaration, compact=compact, parent=parent)
        self.entry.setPlaceholderText("none")
        self.picking = QPushButton("Open…", self)
        self.name(self.picking, ": pick a file")
        self.column.insertWidget(2, self.picking)
        self.picking.clicked.connect(self._pick)

    def stops(self) -> list[QWidget]:
        """Field and button."""
        return [self.entry, self.picking]

    @Slot()
    def _pick(self) -> None:
        name, _ = QFileDialog.getOpenFileName(self, self.declaration.title, self.entry.text())
        if name:
            self.committed.emit(self.key, name)


class PointRow(Row):
    """Two numbers on one line. Without a value of its own it shows what it inherits, until the reader enters it."""

    def __init__(self, declaration: FieldDeclaration, *, compact: bool = False, parent: QWidget | None = None) -> None:
        super().__init__(declaration, compact=compact, parent=parent)
        line = self.head()
        self.clearing = self.clearer() if declaration.inherits else None
        if self.clearing is not None:
            line.addWidget(self.clearing)
        self.first, self.second = Entry(self), Entry(self)
        for entry, part in ((self.first, "x"), (self.second, "y")):
            entry.setAlignment(RIGHT)
            self.name(entry, f" {part}")
            line.addWidget(entry)
            entry.finished.connect(self._typed)
            entry.restored.connect(self._restore)
            entry.entered.connect(self._open)
        self.label.setBuddy(self.first)
        self.finish()
        self._width = 60
        self._show()

    def stops(self) -> list[QWidget]:
        """x, y, button."""
        return [self.first, self.second, *([self.clearing] if self.clearing is not None else [])]

    @property
    def busy(self) -> bool:
        """While typing."""
        return self.first.typing or self.second.typing

    def set_value(self, value: Any) -> None:
        """Show a value, telling nobody."""
        self.value = None if value is None else tuple(value)
        self._show()

    def mark(self, wrong: bool) -> None:
        """In the fields' borders."""
        self.first.mark(wrong)
        self.second.mark(wrong)

    def apply_theme(self, theme: Theme) -> None:
        """Repaint in another theme."""
        super().apply_theme(theme)
        self._width = round(60 * theme.scale)
        self._fold()

    def _show(self) -> None:
        for entry, part in zip((self.first, self.second), self.value or (None, None), strict=True):
            entry.put(words_of(part))
        if self.clearing is not None:
            self.clearing.setVisible(self.value is not None)
        self._fold()

    @property
    def _empty(self) -> bool:
        return not (self.first.text().strip() or self.second.text().strip())

    @property
    def _inside(self) -> bool:
        return self.first.hasFocus() or self.second.hasFocus()

    @Slot()
    def _open(self) -> None:
        self._fold()

    def _fold(self) -> None:
        """While there is nothing in either field, the inherited word takes the room of both."""
        folded = self._empty and bool(self.declaration.inherits) and not self._inside
        self.first.setPlaceholderText(self.declaration.inherits if folded else "x")
        self.second.setPlaceholderText("y")
        self.second.setVisible(not folded)
        self.first.setFixedWidth(2 * self._width + 6 if folded else self._width)
        self.second.setFixedWidth(self._width)

    @Slot()
    def _typed(self) -> None:
        parts = [entry.text() for entry in (self.first, self.second)]
        inside = self._inside
        if not (self.first.isModified() or self.second.isModified()):
            self._fold()
            return
        if self._empty and self.declaration.inherits:
            value = None
        elif not all(part.strip() for part in parts) and inside:
            if self.first.hasFocus():
                self.second.setFocus()
            return  # the other half is still to come
        else:
            self.first.setModified(False)
            self.second.setModified(False)
            try:
                value = read(self.declaration, ",".join(parts))
            except SpecError as error:
                self.wrong.emit(self.key, message_of(error))
                return
        if value != self.value:
            self.committed.emit(self.key, value)
        elif not inside:
            self._restore()
        elif self.error.text():
            self.show_error("")

    @Slot()
    def _restore(self) -> None:
        self.show_error("")
        self._show()
