"""What every row of the form has: a label, perhaps the live mark, a control, and a line for what is wrong."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSizePolicy, QVBoxLayout, QWidget

from engine.spec import FieldDeclaration, SpecError
from gui.form.controls import Glyph, Live, Title
from gui.tokens import Theme


def message_of(error: SpecError) -> str:
    """An error without the key, which the reader sees above it."""
    return str(error).removeprefix(f"{error.key}: ")


class Row(QWidget):
    """One field. `committed(key, value)`: the reader has set it; `dragged(key, value)`: is about to, more follow
    quickly; `wrong(key, message)`: what was written is no value of this field. None is emitted by `set_value`.
    """

    committed = Signal(str, object)
    dragged = Signal(str, object)
    wrong = Signal(str, str)

    def __init__(self, declaration: FieldDeclaration, *, compact: bool = False, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.declaration = declaration
        self.key = declaration.key
        self.compact = compact
        self.value: Any = declaration.default
        self.refused = False
        self.stale = True  # shows something else than `value`
        self.themed: list[Live | Glyph] = []
        self._live: Live | None = None
        self.column = QVBoxLayout(self)
        self.column.setContentsMargins(0, 0, 0, 0)
        self.column.setSpacing(2)
        self.error = QLabel(self)
        self.error.setProperty("role", "bad")
        self.error.setWordWrap(True)
        self.error.setTextFormat(Qt.TextFormat.PlainText)  # it repeats what the reader wrote
        self.error.hide()
        hint = f"Allowed: {declaration.allowed}"
        self.hint = f"{declaration.help}.\n{hint}" if declaration.help else hint
        self.setToolTip(self.hint)

    # -- building ----------------------------------------------------------------------------------------------------

    def head(self) -> QHBoxLayout:
        """The line with the label and, for a live field, its mark; the control may be added at its right."""
        line = QHBoxLayout()
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(6)
        self._head = line
        unit = f" ({self.declaration.unit})" if self.declaration.unit else ""
        self.label = Title(self.declaration.title + unit, self)
        self.label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        if self.compact:
            self.label.setProperty("role", "dim")
        line.addWidget(self.label, 1)
        if self.declaration.live:
            live = Live(self.compact, self)
            self.themed.append(live)
            self._live = live
            line.addWidget(live)
        self.column.addLayout(line)
        return line

    def name(self, control: QWidget, part: str = "") -> None:
        """Give a control what a screen reader and the pointer can ask of it."""
        place = "".join(f"{group} " for group in self.key.split(".")[:-1])
        control.setAccessibleName(f"{place}{self.declaration.title}{part}")
        control.setAccessibleDescription(self.hint)
        control.setToolTip(self.hint)

    def clearer(self) -> Glyph:
        """The button that takes an own value back to what it inherits."""
        button = Glyph("cross", f"Back to {self.declaration.inherits}", self)
        button.setAccessibleName(f"{self.declaration.title}: back to {self.declaration.inherits}")
        button.clicked.connect(self.clear)
        self.themed.append(button)
        return button

    def finish(self) -> None:
        """Put the line for mistakes beneath all else."""
        self.column.addWidget(self.error)

    # -- what a kind of row fills in ---------------------------------------------------------------------------------

    def stops(self) -> list[QWidget]:
        """The controls the tab key visits, in order."""
        raise NotImplementedError

    def set_value(self, value: Any) -> None:
        """Show a value, telling nobody."""
        raise NotImplementedError

    @property
    def busy(self) -> bool:
        """Whether the reader is in the midst of changing this field."""
        return False

    def mark(self, wrong: bool) -> None:
        """Show on the control itself that it holds a mistake."""

    def stand_under(self, head: str) -> None:
        """Take note of the section's head straight above; empty where another row stands between."""

    # -- for all -----------------------------------------------------------------------------------------------------

    def clear(self) -> None:
        """Back to the inherited value."""
        self.committed.emit(self.key, None)

    def show_error(self, message: str, *, own: bool = False) -> None:
        """Show one line beneath the control; an empty one takes it away. `own`: the field itself refuses its words."""
        self.refused = own
        if message != self.error.text():
            self.error.setText(message)
            self.error.setVisible(bool(message))
        self.mark(bool(message))

    def resizeEvent(self, event: QResizeEvent) -> None:
        """In a narrow column the title is worth more than the word beside the live mark."""
        super().resizeEvent(event)
        if self._live is not None and not self.compact:
            items = [item for item in map(self._head.itemAt, range(self._head.count())) if item and not item.isEmpty()]
            others = sum(item.sizeHint().width() for item in items if item.widget() not in (self.label, self._live))
            needed = self.label.sizeHint().width() + self._live.full_width() + others
            self._live.word.setVisible(needed + self._head.spacing() * (len(items) - 1) <= event.size().width())

    def apply_theme(self, theme: Theme) -> None:
        """Repaint in another theme."""
        for part in self.themed:
            part.apply_theme(theme)
