"""What a range test suggests: three rates to choose from, why, and the buttons that train with the one chosen."""

from __future__ import annotations

import math
from functools import partial
from typing import Any

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QColor, QIcon, QPainter, QPixmap
from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from gui.palette import SeriesStyle, color
from gui.tokens import Theme

PHASES = (("Two phases", False), ("Three phases", True))


class SuggestionBar(QWidget):
    """Shows a report of `schedules.range_test`. `picked(key)`: another suggestion is looked at; `asked(three_phase)`:
    the reader wants to train with it."""

    picked = Signal(str)
    asked = Signal(bool)

    def __init__(self, styles: dict[str, SeriesStyle], titles: dict[str, str], theme: Theme) -> None:
        super().__init__()
        self.setProperty("role", "plots")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.styles, self.titles = styles, titles
        self.chosen = next(iter(titles))
        self.report: Any = None
        self._group = QButtonGroup(self)
        self.choices = {key: self._choice(key) for key in titles}
        self.trains = {three: self._train(words, three) for words, three in PHASES}
        self.why, self.caveat, self.theory = (_label(role) for role in ("", "bad", "faint"))
        self.back, self.rate = _label("faint"), _label("faint")
        for short in (self.back, self.rate):
            short.setWordWrap(False)
        top, middle = QHBoxLayout(), QHBoxLayout()
        for choice in self.choices.values():
            top.addWidget(choice)
        top.addStretch(1)
        top.addWidget(self.back)
        middle.addWidget(self.why, 1)
        middle.addSpacing(8)
        middle.addWidget(self.rate)
        for train in self.trains.values():
            middle.addWidget(train)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 8, 16, 8)
        column.setSpacing(4)
        column.addLayout(top)
        column.addLayout(middle)
        for label in (self.caveat, self.theory):
            column.addWidget(label)
        self.apply_theme(theme)
        self.show_report(None)

    def _choice(self, key: str) -> QPushButton:
        made = QPushButton(self.titles[key])
        made.setCheckable(True)
        made.setChecked(key == self.chosen)
        made.clicked.connect(partial(self._pick, key))
        self._group.addButton(made)
        return made

    def _train(self, words: str, three: bool) -> QPushButton:
        made = QPushButton(words)
        made.clicked.connect(partial(self._ask, three))
        made.setAccessibleName(f"Train by one-cycle in {words.lower()}")
        made.setToolTip("Train this network from its first weights by one-cycle, up to the rate chosen")
        return made

    # -- what is shown -----------------------------------------------------------------------------------------------

    def show_report(self, report: Any) -> None:
        """Show what the test says so far; None: nothing yet."""
        self.report = report
        suggestions = {s.key: s for s in report.suggestions} if report is not None else {}
        for key, button in self.choices.items():
            rate = suggestions[key].rate if key in suggestions else math.nan
            button.setText(f"{self.titles[key]}  {rate:.3g}" if math.isfinite(rate) else f"{self.titles[key]}  –")
        there = self.picked_rate is not None
        for button in self.trains.values():
            button.setEnabled(there)
        self.rate.setText(f"One-cycle to {self.picked_rate:.3g}" if there else "One-cycle")
        own = suggestions.get(self.chosen)
        self.why.setText(own.why if own is not None else "")
        self.theory.setText(report.limit_words if report is not None else "")
        self.caveat.setText(report.caveat if report is not None else "")
        self.caveat.setVisible(bool(report is not None and report.caveat))
        back = report.back if report is not None else None
        whole = back is not None and back.whole
        told = f"{'✓ All put back' if whole else '✗ NOT put back'}: {back.bytes:,} bytes" if back is not None else ""
        self.back.setText(told)
        self.back.setToolTip(report.back_words if report is not None else "")

    @property
    def picked_rate(self) -> float | None:
        """The rate of the suggestion looked at, if there is one."""
        found = [s.rate for s in self.report.suggestions if s.key == self.chosen] if self.report is not None else []
        return float(found[0]) if found and math.isfinite(found[0]) else None

    def pick(self, key: str) -> None:
        """Look at this suggestion."""
        if key in self.choices:
            self.choices[key].setChecked(True)
            self.chosen = key
            self.show_report(self.report)
            self.picked.emit(key)

    def apply_theme(self, theme: Theme) -> None:
        """Each suggestion's colour as in the plots; room for two lines of words, so that the plots stand still."""
        self.why.setMinimumHeight(round(36 * theme.scale))
        self.theory.setMinimumHeight(round(30 * theme.scale))
        side, gap = round(10 * theme.scale), round(4 * theme.scale)
        for key, button in self.choices.items():
            swatch = QPixmap(side + gap, side)
            swatch.fill(Qt.GlobalColor.transparent)
            painter = QPainter(swatch)
            painter.fillRect(0, 0, side, side, QColor(color(self.styles[key], theme)))
            painter.end()
            button.setIcon(QIcon(swatch))
            button.setIconSize(swatch.size())

    # -- hands -------------------------------------------------------------------------------------------------------

    @Slot()
    def _pick(self, key: str, _checked: bool = False) -> None:
        self.pick(key)

    @Slot()
    def _ask(self, three: bool, _checked: bool = False) -> None:
        if self.picked_rate is not None:
            self.asked.emit(three)


def _label(role: str) -> QLabel:
    made = QLabel()
    made.setWordWrap(True)
    made.setMinimumWidth(1)
    made.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    if role:
        made.setProperty("role", role)
    return made
