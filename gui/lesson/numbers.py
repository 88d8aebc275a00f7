"""The table of a step's quantities. Its rows are made once; a new step only repaints the numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPaintEvent
from PySide6.QtWidgets import QGridLayout, QSizePolicy, QWidget

from engine.quantity import Quantity
from gui.layouts import clear
from gui.lesson.parts import Words
from gui.mathtext import MathLabel, Typesetter
from gui.plots.ticks import MINUS
from gui.plots.ticks import number as plotted
from gui.tokens import Theme

MOST = 2  # numbers of a row; the column is narrow
KINDS = {"gradient": "bad", "momentum": "good", "step": "accent"}  # as the arrows on the map


def number(value: float) -> str:
    """Four significant digits as plots write them: `−3.812`, `1.234×10⁻¹⁰`, `0.005000`, `∞`; a dash for none. What is
    counted (an int) is told whole, as far as there is room."""
    if isinstance(value, int) and abs(value) < 10**8:
        return f"{value:,}".replace("-", MINUS)
    return "–" if math.isnan(value) else plotted(value)


class Number(QWidget):
    """One number at the right of its cell. Not a QLabel: that lays out its whole column at every new text."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self.text = ""
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Preferred)

    def show_number(self, text: str) -> None:
        """Show a text; repaints only if it differs."""
        if text != self.text:
            self.text = text
            self.update()

    def apply_theme(self, theme: Theme) -> None:
        """Repaint in another theme."""
        self._theme = theme
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        """Qt's: room for the longest number there is."""
        metrics = QFontMetricsF(self.font())
        return QSize(math.ceil(metrics.horizontalAdvance("−0.000e−00")) + 2, math.ceil(metrics.height()) + 2)

    def minimumSizeHint(self) -> QSize:
        """Qt's."""
        return self.sizeHint()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the number."""
        with QPainter(self) as painter:
            painter.setPen(QColor(self._theme.text))
            painter.drawText(self.rect(), Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, self.text)


class Mark(QWidget):
    """A short upright bar in the colour of the arrow a quantity is drawn as; empty where it is not drawn."""

    def __init__(self, token: str, theme: Theme) -> None:
        super().__init__()
        self._token, self._theme = token, theme
        self.setFixedWidth(3)

    def apply_theme(self, theme: Theme) -> None:
        """Repaint in another theme."""
        self._theme = theme
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the bar."""
        if self._token:
            with QPainter(self) as painter:
                painter.fillRect(self.rect(), QColor(str(getattr(self._theme, self._token))))


class Table(QWidget):
    """Quantities below each other: mark, symbol, and one or two numbers."""

    def __init__(self, theme: Theme, typesetter: Typesetter) -> None:
        super().__init__()
        self._theme, self._setter = theme, typesetter
        self._shape: tuple[tuple[str, str, str, int], ...] = ()
        self.cells: list[list[Number]] = []
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(8)
        self._grid.setVerticalSpacing(4)
        self._grid.setColumnStretch(1, 1)
        self.setAccessibleName("Quantities of the next step")

    def show_quantities(self, quantities: Sequence[Quantity]) -> None:
        """Fill the table; rows are made anew only when other quantities come."""
        shape = tuple((q.name, q.latex, q.kind, len(q.value)) for q in quantities)
        if shape != self._shape:
            self._shape = shape
            self._build(quantities)
        for row, quantity in zip(self.cells, quantities, strict=True):
            for cell, value in zip(row, quantity.value, strict=False):
                cell.show_number(number(value))

    def settle(self) -> None:
        """Tell a screen reader the numbers in hand; not while they run past."""
        for row, (name, _, _, _) in zip(self.cells, self._shape, strict=True):
            for cell, axis in zip(row, self._axes(len(row)), strict=True):
                cell.setAccessibleName(f"{name.replace('_', ' ')} {axis} {cell.text}".replace("  ", " "))

    def _axes(self, count: int) -> tuple[str, ...]:
        if count == 1:
            return ("",)
        return ("x", "y") if max(size for *_, size in self._shape) == 2 else tuple(str(i + 1) for i in range(count))

    def _build(self, quantities: Sequence[Quantity]) -> None:
        clear(self._grid)
        self.cells = []
        columns = min(MOST, max((len(q.value) for q in quantities), default=0))
        if columns > 1:
            for i, axis in enumerate(self._axes(columns)):
                head = Words(axis, "small")
                head.setAlignment(Qt.AlignmentFlag.AlignRight)
                self._grid.addWidget(head, 0, 2 + i)
        for row, quantity in enumerate(quantities, 1):
            self._grid.addWidget(Mark(KINDS.get(quantity.kind, ""), self._theme), row, 0)
            name = quantity.name.replace("_", " ")
            symbol: QWidget
            if quantity.latex:
                symbol = MathLabel(self._theme, self._setter, size=14.0)
                symbol.set_latex([quantity.latex])
            else:
                symbol = Words(name, "dim")
            cut = f", the first {MOST} of {len(quantity.value)}" if len(quantity.value) > MOST else ""
            symbol.setToolTip(name + cut)
            symbol.setAccessibleName(name)
            self._grid.addWidget(symbol, row, 1, Qt.AlignmentFlag.AlignVCenter)
            cells = [Number(self._theme) for _ in quantity.value[:MOST]]
            for i, cell in enumerate(cells):
                self._grid.addWidget(cell, row, 2 + i + columns - len(cells) if len(cells) == 1 else 2 + i)
            self.cells.append(cells)

    def apply_theme(self, theme: Theme) -> None:
        """Recolour marks, symbols and numbers."""
        self._theme = theme
        parts: list[MathLabel | Number | Mark] = [
            *self.findChildren(MathLabel), *self.findChildren(Number), *self.findChildren(Mark),
        ]  # fmt: skip
        for part in parts:
            part.apply_theme(theme)
