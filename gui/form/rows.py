"""One row for each kind of field: number, switch, choice, text, point."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Qt, QTimer, Slot
from PySide6.QtWidgets import QCheckBox, QWidget

from engine.spec import FieldDeclaration, SpecError
from gui.form.controls import Choice, Entry, Slider
from gui.form.numbers import read, scale_of, stepped, words_of
from gui.form.row import Row
from gui.tokens import Theme

TYPING = 250  # ms of rest after which a text is taken up
RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter


def message_of(error: SpecError) -> str:
    """An error without the key, which the reader sees above it."""
    return str(error).removeprefix(f"{error.key}: ")


def row_for(declaration: FieldDeclaration, reference: float | None, compact: bool, parent: QWidget) -> Row:
    """The row a declared field is shown in; `reference` as in `gui.form.numbers.scale_of`."""
    match declaration.kind:
        case "float" | "int":
            return NumberRow(declaration, reference, compact=compact, parent=parent)
        case "bool":
            return SwitchRow(declaration, compact=compact, parent=parent)
        case "choice":
            return ChoiceRow(declaration, compact=compact, parent=parent)
        case "point":
            return PointRow(declaration, compact=compact, parent=parent)
        case _:
            return TextRow(declaration, compact=compact, parent=parent)


class NumberRow(Row):
    """A number: its value at the right, a slider beneath where one is of use.

    A field that inherits shows the word for that; its slider then stands at the inherited value (`set_inherited`).
    """

    def __init__(self, declaration: FieldDeclaration, reference: float | None, *, compact: bool = False,
                 parent: QWidget | None = None) -> None:  # fmt: skip
        super().__init__(declaration, compact=compact, parent=parent)
        self.scale = scale_of(declaration, reference)
        self.inherited = reference
        line = self.head()
        self.clearing = self.clearer() if declaration.inherits else None
        self.entry = Entry(self)
        self.entry.setAlignment(RIGHT)
        self.entry.setPlaceholderText(declaration.inherits)
        self.name(self.entry)
        self.label.setBuddy(self.entry)
        if self.clearing is not None:
            line.addWidget(self.clearing)
        line.addWidget(self.entry)
        self.slider: Slider | None = None
        if self.scale is not None:
            self.slider = Slider(self)
            self.name(self.slider, " slider")
            self.slider.valueChanged.connect(self._slid)
            self.column.addWidget(self.slider)
        self.finish()
        self.entry.finished.connect(self._typed)
        self.entry.restored.connect(self._restore)
        self.entry.stepped.connect(self._step)
        self._show()

    def stops(self) -> list[QWidget]:
        """Field, button, slider."""
        return [part for part in (self.entry, self.clearing, self.slider) if part is not None]

    @property
    def busy(self) -> bool:
        """While typing or dragging."""
        return self.entry.typing or (self.slider is not None and self.slider.isSliderDown())

    def set_value(self, value: Any) -> None:
        """Show a value, telling nobody."""
        self.value = value
        self._show()

    def set_inherited(self, value: float | None) -> None:
        """Where the slider stands while the field has no value of its own."""
        if value is not None and value != self.inherited:
            self.inherited = value
            if self.value is None:
                self._place()

    def mark(self, wrong: bool) -> None:
        """In the field's border."""
        self.entry.mark(wrong)

    def apply_theme(self, theme: Theme) -> None:
        """Repaint in another theme."""
        super().apply_theme(theme)
        self.entry.setFixedWidth(round(72 * theme.scale))

    def _show(self) -> None:
        self.entry.put(words_of(self.value))
        if self.clearing is not None:
            self.clearing.setVisible(self.value is not None)
        self._place()

    def _place(self) -> None:
        value = self.inherited if self.value is None else self.value
        if self.slider is None or self.scale is None or value is None:
            return
        if self.scale.value(self.slider.value()) != value:  # else the knob already says this value
            self.slider.put(self.scale.position(value))

    @Slot()
    def _typed(self) -> None:
        if not self.entry.isModified():
            return  # a mistake told once stays told
        if self.entry.text() == words_of(self.value):
            self._restore()
            return
        self.entry.setModified(False)
        try:
            value = read(self.declaration, self.entry.text())
        except SpecError as error:
            self.wrong.emit(self.key, message_of(error))
            return
        if value == self.value:
            self._restore()
        else:
            self.committed.emit(self.key, value)

    @Slot()
    def _restore(self) -> None:
        self.entry.put(words_of(self.value))
        self.entry.mark(False)
        if self.error.text():
            self.show_error("")

    @Slot(bool)
    def _step(self, up: bool) -> None:
        try:
            value = read(self.declaration, self.entry.text())
        except SpecError:
            value = self.value
        value = self.inherited if value is None else value
        if value is not None:
            self._drag(stepped(self.declaration, value, up))

    @Slot(int)
    def _slid(self, position: int) -> None:
        if self.scale is not None:
            self._drag(self.scale.value(position))

    def _drag(self, value: float) -> None:
        if value != self.value:
            self.value = value
            self._show()
            self.dragged.emit(self.key, value)


class SwitchRow(Row):
    """Yes or no."""

    def __init__(self, declaration: FieldDeclaration, *, compact: bool = False, parent: QWidget | None = None) -> None:
        super().__init__(declaration, compact=compact, parent=parent)
        self.box = QCheckBox(self)
        line = self.head()
        self.label.setBuddy(self.box)
        self.name(self.box)
        line.addWidget(self.box)
        self.finish()
        self.box.clicked.connect(lambda on: self.committed.emit(self.key, bool(on)))

    def stops(self) -> list[QWidget]:
        """The box."""
        return [self.box]

    def set_value(self, value: Any) -> None:
        """Show a value, telling nobody."""
        self.value = value
        self.box.setChecked(bool(value))


class ChoiceRow(Row):
    """One of several, under the reader's names."""

    def __init__(self, declaration: FieldDeclaration, *, compact: bool = False, parent: QWidget | None = None) -> None:
        super().__init__(declaration, compact=compact, parent=parent)
        self.head()
        self.box = Choice(self)
        for choice in declaration.choices:
            self.box.addItem(declaration.label(choice), choice)
        self.name(self.box)
        self.label.setBuddy(self.box)
        self.label.setVisible(declaration.title.lower() != declaration.group.lower())  # the head says it already
        self.column.addWidget(self.box)
        self.finish()
        self.box.activated.connect(self._picked)

    def stops(self) -> list[QWidget]:
        """The box."""
        return [self.box]

    def set_value(self, value: Any) -> None:
        """Show a value, telling nobody."""
        self.value = value
        self.box.setCurrentIndex(self.box.findData(value))

    @Slot(int)
    def _picked(self, index: int) -> None:
        choice = self.box.itemData(index)
        if choice != self.value:
            self.committed.emit(self.key, choice)


class TextRow(Row):
    """A line of text, taken up when the reader rests from typing."""

    def __init__(self, declaration: FieldDeclaration, *, compact: bool = False, parent: QWidget | None = None) -> None:
        super().__init__(declaration, compact=compact, parent=parent)
        self.head()
        self.entry = Entry(self)
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
        if self.entry.text() != value:
            self.entry.put(value)

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
        if self.entry.text() != self.value:
            self.committed.emit(self.key, self.entry.text())

    @Slot()
    def _restore(self) -> None:
        self.resting.stop()
        if self.entry.text() != self.value:
            self.entry.put(self.value)
            self.show_error("")


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

    @Slot()
    def _open(self) -> None:
        self._fold()

    def _fold(self) -> None:
        """While there is nothing in either field, the inherited word takes the room of both."""
        folded = self._empty and bool(self.declaration.inherits) and not (self.first.hasFocus() or self.second.hasFocus())
        self.first.setPlaceholderText(self.declaration.inherits if folded else "x")
        self.second.setPlaceholderText("y")
        self.second.setVisible(not folded)
        self.first.setFixedWidth(2 * self._width + 6 if folded else self._width)
        self.second.setFixedWidth(self._width)

    @Slot()
    def _typed(self) -> None:
        parts = [entry.text() for entry in (self.first, self.second)]
        inside = self.first.hasFocus() or self.second.hasFocus()
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
