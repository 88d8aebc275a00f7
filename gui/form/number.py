"""The row of a number: its value at the right, a slider beneath."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Qt, Slot
from PySide6.QtWidgets import QWidget

from engine.spec import FieldDeclaration, SpecError
from gui.form.controls import Entry, Slider
from gui.form.numbers import read, scale_of, stepped, words_of
from gui.form.row import Row, message_of
from gui.tokens import Theme

RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter


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
            line.insertWidget(1, self.clearing)  # left of the live mark: marks and fields line up down the column
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
