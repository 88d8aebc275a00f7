"""The settings of an experiment as controls. Knows declarations, and no experiment by name."""

from __future__ import annotations

import math
import time
from itertools import pairwise
from typing import Any

from PySide6.QtCore import Qt, QTimer, Signal, Slot
from PySide6.QtGui import QFont, QHideEvent
from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from engine.spec import FieldDeclaration, Settings, SpecError, changed, declarations, value_of
from gui.form.contestants import RATE, ContestantsRow
from gui.form.number import NumberRow
from gui.form.row import Row, message_of
from gui.form.rows import row_for
from gui.form.writing import TextRow
from gui.tokens import Theme

BEAT = 33  # ms between two values of a drag
NOWHERE = "Settings"  # head of the fields that declare no group


class Form(QWidget):
    """A column of controls for the fields of `spec_class`.

    `edited(key, value, spec)`: the reader changed a field; `spec` is the new Spec, which the fields' declarations
    allow. What they do not allow is told beneath the field and not emitted. What only an experiment can judge comes
    back through `show_error`. With `later` no field is made until `fill` is called.
    """

    edited = Signal(str, object, object)

    def __init__(
        self, spec_class: type[Settings], spec: Settings, parent: QWidget | None = None, *, later: bool = False
    ) -> None:
        super().__init__(parent)
        self.setProperty("role", "panel")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.spec = spec
        self.rows: dict[str, Row] = {}
        self.sections: list[tuple[QLabel, list[Row]]] = []
        self._unmade: list[tuple[int, FieldDeclaration]] = []  # and the section of each
        self._filled = not later
        self._groups: dict[str, list[FieldDeclaration]] = {}
        self._theme: Theme | None = None
        self._declared = {d.key: d for d in declarations(spec_class)}
        self._beat = QTimer(self)
        self._beat.setSingleShot(True)
        self._beat.setInterval(BEAT)
        self._beat.timeout.connect(self._next)
        self._waiting: tuple[str, Any] | None = None
        self._general = QLabel(self)
        self._general.setProperty("role", "bad")
        self._general.setWordWrap(True)
        self._general.setTextFormat(Qt.TextFormat.PlainText)  # it repeats what the reader wrote
        self._general.hide()
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(12, 12, 12, 16)
        self._column.setSpacing(8)
        self._column.addWidget(self._general)
        self._plan()
        self._column.addStretch(1)
        self._sync()

    # -- building ----------------------------------------------------------------------------------------------------

    def _plan(self) -> None:
        """Which field goes into which section; its row is made when it is first to be shown: many never are."""
        shown = [d for d in self._declared.values() if not d.hidden]
        inner = self._groups
        for declaration in shown:
            prefix, dot, _ = declaration.key.rpartition(".")
            if dot:
                inner.setdefault(prefix, []).append(declaration)
        takers = {c for d in shown if d.kind == "choices" for c in d.choices if c in inner}
        for declaration in shown:
            prefix = declaration.key.rpartition(".")[0]
            if prefix not in takers:
                head = declaration.group or prefix.replace(".", " ").replace("_", " ") or NOWHERE
                self._unmade.append((self._section(head), declaration))
        self._places = {d.key: place for place, (_, d) in enumerate(self._unmade)}

    def _section(self, head: str) -> int:
        if not self.sections or self.sections[-1][0].accessibleName() != head:
            label = QLabel(head.upper(), self)
            label.setAccessibleName(head)
            label.setProperty("role", "section")
            spaced = QFont(label.font())
            spaced.setLetterSpacing(QFont.SpacingType.AbsoluteSpacing, 1.0)
            label.setFont(spaced)
            label.setContentsMargins(0, 8 if self.sections else 0, 0, 0)
            self._column.addWidget(label)
            self.sections.append((label, []))
        return len(self.sections) - 1

    def fill(self, seconds: float) -> bool:
        """Make some of the fields, for so long; whether all are there that are to be shown."""
        if not self._filled:
            self._make_meant(time.perf_counter() + seconds)
            self._filled = not any(self._meant(declaration) for _, declaration in self._unmade)
            if self._filled:
                self._sync_dependents()
        return self._filled

    def _make_meant(self, until: float = math.inf) -> None:
        """The rows that are to be shown and are not there yet, each in its place."""
        meant = [(section, d) for section, d in self._unmade if self._meant(d)]
        if not meant:
            return
        for section, declaration in meant:
            if time.perf_counter() >= until:
                break
            self._unmade.remove((section, declaration))
            if declaration.kind == "choices":
                row: Row = ContestantsRow(declaration, self._groups, self._make_compact, self)
                row.unfolded.connect(self._chain)  # type: ignore[attr-defined]
                self._adopt(row)
            else:
                row = self._make(declaration, False, self)
            label, rows = self.sections[section]
            before = sum(self._places[other.key] < self._places[row.key] for other in rows)
            self._column.insertWidget(self._column.indexOf(label) + 1 + before, row)
            rows.insert(before, row)
            self._show_value(row)
            if self._theme is not None:
                row.apply_theme(self._theme)
        self._chain()

    def _make_compact(self, declaration: FieldDeclaration, parent: QWidget) -> Row:
        row = self._make(declaration, True, parent)
        self._show_value(row)
        return row

    def _make(self, declaration: FieldDeclaration, compact: bool, parent: QWidget) -> Row:
        above = self._declared.get(self._above(declaration)) if declaration.inherits else None
        reference = declaration.default if declaration.default is not None else above.default if above else None
        row = row_for(declaration, reference if isinstance(reference, int | float) else None, compact, parent)
        self._adopt(row)
        return row

    @staticmethod
    def _above(declaration: FieldDeclaration) -> str:
        """The field that one without a value of its own takes it from: the one of the same name outside its group."""
        prefix, dot, name = declaration.key.rpartition(".")
        return f"{prefix.rpartition('.')[0]}.{name}".removeprefix(".") if dot else ""

    def _adopt(self, row: Row) -> None:
        self.rows[row.key] = row
        row.committed.connect(self._commit)
        row.dragged.connect(self._drag)
        row.wrong.connect(self._refuse)
        if isinstance(row, NumberRow) and row.slider is not None:
            row.slider.sliderReleased.connect(self._let_go)

    @Slot()
    def _chain(self) -> None:
        """The tab key goes from top to bottom, also through rows made later."""
        stops = [stop for _, rows in self.sections for row in rows for stop in row.stops()]
        for one, other in pairwise(stops):
            QWidget.setTabOrder(one, other)

    # -- edits -------------------------------------------------------------------------------------------------------

    @Slot(str, object)
    def _commit(self, key: str, value: Any) -> None:
        if self._waiting is not None and self._waiting[0] == key:
            self._waiting = None  # overtaken
        self.flush()
        self._edit(key, value)

    @Slot(str, object)
    def _drag(self, key: str, value: Any) -> None:
        if self._waiting is not None and self._waiting[0] != key:
            self.flush()
        if self._beat.isActive():
            self._waiting = (key, value)
        else:
            self._edit(key, value)
            self._beat.start()

    @Slot()
    def _next(self) -> None:
        if self._waiting is not None:
            (key, value), self._waiting = self._waiting, None
            self._edit(key, value)
            self._beat.start()

    @Slot()
    def flush(self) -> None:
        """Emit the last value of a drag now."""
        if self._waiting is not None:
            (key, value), self._waiting = self._waiting, None
            self._edit(key, value)

    @Slot()
    def _let_go(self) -> None:
        self.flush()
        self._sync()  # what could not be shown while the knob was held

    def _edit(self, key: str, value: Any) -> None:
        row = self.rows[key]
        try:
            spec = changed(self.spec, key, value)
        except SpecError as error:
            self._refuse(key, message_of(error))
            return
        row.show_error("")
        self.spec = spec
        row.set_value(value_of(spec, key))
        row.stale = False
        self._sync_dependents()
        self.edited.emit(key, value_of(spec, key), spec)

    # -- showing -----------------------------------------------------------------------------------------------------

    def set_spec(self, spec: Settings) -> None:
        """Show other settings, telling nobody. What the reader is typing or dragging is left alone."""
        if spec is self.spec or spec == self.spec:
            return
        self.spec = spec
        self._sync()

    def _sync(self) -> None:
        for row in self.rows.values():
            self._show_value(row)
        self._sync_dependents()

    def _show_value(self, row: Row) -> None:
        waiting = self._waiting is not None and self._waiting[0] == row.key
        value = value_of(self.spec, row.key)
        if row.busy or waiting:
            row.stale = row.stale or value != row.value
            row.value = value  # what Escape goes back to
        elif value != row.value or row.stale:
            row.set_value(value)
            row.show_error("")
            row.stale = False

    def _sync_dependents(self) -> None:
        """What hangs on other fields: who is shown, and what is inherited."""
        if self._filled:
            self._make_meant()
        for row in self.rows.values():
            row.setVisible(self._meant(row.declaration))
            if isinstance(row, ContestantsRow):
                shared = self._declared.get(RATE)
                row.show_rates(self.spec, shared is None or self._meant(shared))
            elif isinstance(row, NumberRow) and row.declaration.inherits:
                above = self._above(row.declaration)
                if above in self._declared:
                    row.set_inherited(value_of(self.spec, above))
        for label, rows in self.sections:
            shown = [row for row in rows if not row.isHidden()]
            label.setVisible(bool(shown))
            for place, row in enumerate(shown):
                row.stand_under("" if place else label.accessibleName())

    def _meant(self, declaration: FieldDeclaration) -> bool:
        prefix = declaration.key.rpartition(".")[0]
        for key, values in (declaration.shown_when or {}).items():
            beside = f"{prefix}.{key}" if prefix else key
            if value_of(self.spec, beside if beside in self._declared else key) not in values:
                return False
        return True

    @Slot(str, str)
    def _refuse(self, key: str, message: str) -> None:
        self.rows[key].show_error(message, own=True)

    @Slot(str, str)
    def show_error(self, key: str, message: str) -> None:
        """Show one line beneath a field; at the top of the form if the field is not on show."""
        self.fill(math.inf)  # it may be to be made yet
        row = self.rows.get(key) or self._unfold(key)
        if row is not None and not row.isHidden():
            row.show_error(message)
        else:
            self._general.setText(f"{key}: {message}" if key else message)
            self._general.setVisible(bool(message))

    def _unfold(self, key: str) -> Row | None:
        name = key.rpartition(".")[0]
        for row in list(self.rows.values()):
            if name and isinstance(row, ContestantsRow) and name in row.contestants:
                row.contestants[name].unfold()
        return self.rows.get(key)

    def clear_errors(self) -> None:
        """Take all messages away, except beneath what the reader wrote and the fields did not take."""
        self._general.hide()
        for row in self.rows.values():
            if not row.refused:
                row.show_error("")

    # -- looks -------------------------------------------------------------------------------------------------------

    def apply_theme(self, theme: Theme) -> None:
        """Repaint in another theme."""
        if theme == self._theme:
            return
        self._theme = theme
        for row in self.rows.values():
            row.apply_theme(theme)

    def hideEvent(self, event: QHideEvent) -> None:
        """Leaving the page takes up what was set there, and leaves no timer behind."""
        self._settle()
        super().hideEvent(event)

    def _settle(self) -> None:
        for row in list(self.rows.values()):
            if isinstance(row, TextRow):
                row.hold()
        self.flush()
        self._beat.stop()
