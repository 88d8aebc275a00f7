"""Which row a kind of field is shown in; the rows of a switch and of a choice."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Slot
from PySide6.QtWidgets import QCheckBox, QWidget

from engine.spec import FieldDeclaration
from gui.form.controls import Choice
from gui.form.number import NumberRow
from gui.form.row import Row
from gui.form.writing import FileRow, ListRow, PointRow, TextRow


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
        case "numbers" | "points" | "sequence":
            return ListRow(declaration, compact=compact, parent=parent)
        case "file":
            return FileRow(declaration, compact=compact, parent=parent)
        case _:
            return TextRow(declaration, compact=compact, parent=parent)


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
        self.column.addWidget(self.box)
        self.finish()
        self.box.activated.connect(self._picked)

    def stops(self) -> list[QWidget]:
        """The box."""
        return [self.box]

    def stand_under(self, head: str) -> None:
        """Straight beneath a head of the same name the label would say it twice."""
        self.label.setVisible(self.declaration.title.lower() != head.lower())

    def set_value(self, value: Any) -> None:
        """Show a value, telling nobody."""
        self.value = value
        self.box.setCurrentIndex(self.box.findData(value))

    @Slot(int)
    def _picked(self, index: int) -> None:
        choice = self.box.itemData(index)
        if choice != self.value:
            self.committed.emit(self.key, choice)
