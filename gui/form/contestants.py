"""Who takes part: one line each with a box, the series colour and the learning rate; its settings unfold beneath."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from PySide6.QtCore import QSize, Qt, Signal, Slot
from PySide6.QtWidgets import QCheckBox, QHBoxLayout, QLabel, QSizePolicy, QVBoxLayout, QWidget

from engine.spec import FieldDeclaration, Settings
from gui.form.controls import Glyph, dot_icon
from gui.form.numbers import words_of
from gui.form.row import Row
from gui.palette import color, series_style
from gui.tokens import Theme

RATE = "learning_rate"


class Contestant(QWidget):
    """One line, and beneath it the contestant's own settings once they have been asked for.

    The rows are made by `make` when first unfolded: most contestants never are. `unfolded()` follows.
    """

    unfolded = Signal()

    def __init__(self, name: str, label: str, index: int, fields: Sequence[FieldDeclaration],
                 make: Callable[[FieldDeclaration, QWidget], Row], parent: QWidget | None = None) -> None:  # fmt: skip
        super().__init__(parent)
        self.name, self.fields, self.rows = name, fields, list[Row]()
        self._make, self._style = make, series_style(name, index)
        self._theme: Theme | None = None
        self._own: bool | None = None
        self.box = QCheckBox(label, self)
        self.box.setAccessibleName(label)
        self.box.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.rate = QLabel(self)
        self.line = QWidget(self)
        line = QHBoxLayout(self.line)
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(4)
        line.addWidget(self.box, 1)
        line.addWidget(self.rate)
        self.arrow: Glyph | None = None
        if fields:
            self.arrow = Glyph("chevron-right", f"Settings of {label}", self)
            self.arrow.setCheckable(True)
            self.arrow.toggled.connect(self._fold)
            line.addWidget(self.arrow)
        self.drawer = QWidget(self)
        self.drawer.hide()
        self._drawer_layout = QVBoxLayout(self.drawer)
        self._drawer_layout.setContentsMargins(22, 2, 0, 8)
        self._drawer_layout.setSpacing(4)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.line)
        layout.addWidget(self.drawer)

    def unfold(self) -> None:
        """Show its settings."""
        if self.arrow is not None:
            self.arrow.setChecked(True)

    def show_rate(self, own: float | None, shared: float | None) -> None:
        """The learning rate at the right: its own in the colour of text, the shared one dimmed."""
        self.rate.setText(words_of(shared if own is None else own))
        if self._own != (own is not None):
            self._own = own is not None
            self.rate.setProperty("role", "number" if self._own else "dim")
            self.rate.setToolTip("Its own learning rate" if self._own else "The shared learning rate")
            self.rate.style().unpolish(self.rate)
            self.rate.style().polish(self.rate)

    def apply_theme(self, theme: Theme) -> None:
        """Repaint in another theme."""
        self._theme = theme
        size = round(10 * theme.scale)
        self.box.setIcon(dot_icon(color(self._style, theme), size))
        self.box.setIconSize(QSize(size, size))
        self.line.setFixedHeight(round(26 * theme.scale))
        if self.arrow is not None:
            self.arrow.apply_theme(theme)
        for row in self.rows:
            row.apply_theme(theme)

    def stops(self) -> list[QWidget]:
        """Box, arrow, the rows' controls."""
        found: list[QWidget] = [self.box, *([self.arrow] if self.arrow is not None else [])]
        return found + [stop for row in self.rows for stop in row.stops()]

    @Slot(bool)
    def _fold(self, open_: bool) -> None:
        if open_ and not self.rows:
            for declaration in self.fields:
                row = self._make(declaration, self.drawer)
                self.rows.append(row)
                self._drawer_layout.addWidget(row)
                if self._theme is not None:
                    row.apply_theme(self._theme)
        self.drawer.setVisible(open_)
        if self.arrow is not None:
            self.arrow.set_glyph("chevron-down" if open_ else "chevron-right")
        if open_:
            self.unfolded.emit()


class ContestantsRow(Row):
    """Several of many names, in declared order; names with settings of their own unfold to them."""

    unfolded = Signal()

    def __init__(self, declaration: FieldDeclaration, groups: dict[str, list[FieldDeclaration]],
                 make: Callable[[FieldDeclaration, QWidget], Row], parent: QWidget | None = None) -> None:  # fmt: skip
        super().__init__(declaration, parent=parent)
        if declaration.title.lower() != declaration.group.lower():
            self.head()
        self.column.setSpacing(0)
        self.contestants: dict[str, Contestant] = {}
        for index, name in enumerate(declaration.choices):
            one = Contestant(name, declaration.label(name), index, groups.get(name, ()), make, self)
            one.box.setAccessibleDescription(self.hint)
            one.box.clicked.connect(self._toggled)
            one.unfolded.connect(self.unfolded)
            self.contestants[name] = one
            self.column.addWidget(one)
        self.finish()

    def stops(self) -> list[QWidget]:
        """Every line's controls, from the top."""
        return [stop for one in self.contestants.values() for stop in one.stops()]

    def set_value(self, value: Any) -> None:
        """Show who takes part, telling nobody."""
        self.value = tuple(value)
        for name, one in self.contestants.items():
            one.box.setChecked(name in self.value)

    def show_rates(self, spec: Settings, common: bool = True) -> None:
        """Show every learning rate; the shared one unless the settings have none in force."""
        shared = getattr(spec, RATE, None) if common else None
        for name, one in self.contestants.items():
            own = getattr(getattr(spec, name, None), RATE, None)
            one.show_rate(own, shared if any(field.key == f"{name}.{RATE}" for field in one.fields) else None)

    def apply_theme(self, theme: Theme) -> None:
        """Repaint in another theme."""
        super().apply_theme(theme)
        for one in self.contestants.values():
            one.apply_theme(theme)

    @Slot()
    def _toggled(self) -> None:
        names = tuple(name for name, one in self.contestants.items() if one.box.checkState() == Qt.CheckState.Checked)
        self.committed.emit(self.key, names)
