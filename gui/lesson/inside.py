"""Inside the coming step of one contestant: who, in words, its equations, its quantities, the equation in numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from PySide6.QtCore import QRectF, QSize, Qt, Signal, Slot
from PySide6.QtGui import QColor, QIcon, QPainter, QPixmap
from PySide6.QtWidgets import QComboBox, QSizePolicy, QVBoxLayout, QWidget

from engine.experiment import Inside
from gui.lesson.numbers import Table
from gui.lesson.parts import Section, Words
from gui.mathtext import MathLabel, Typesetter
from gui.palette import color, series_style
from gui.tokens import Theme


def dot(colour: str, size: int, ratio: float) -> QIcon:
    """A round dot of `size` px, sharp at the screen's `ratio`."""
    picture = QPixmap(round(size * ratio), round(size * ratio))
    picture.setDevicePixelRatio(ratio)
    picture.fill(Qt.GlobalColor.transparent)
    with QPainter(picture) as painter:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(colour))
        painter.drawEllipse(QRectF(1, 1, size - 2, size - 2))
    return QIcon(picture)


class InsidePart(QWidget):
    """See the module's text. `chosen(name)`: the reader picks another contestant."""

    chosen = Signal(str)

    def __init__(self, theme: Theme, typesetter: Typesetter) -> None:
        super().__init__()
        self._theme = theme
        self.places: Mapping[str, int] = {}  # whose colour is not given by its name: by this
        self._series: list[tuple[str, str]] = []
        self._inside: Inside | None = None
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(12)
        self.chooser = QComboBox()
        self.chooser.setAccessibleName("Look inside the step of")
        self.chooser.setToolTip("Whose coming step is shown here and as arrows on the map")
        self.chooser.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.chooser.setMinimumContentsLength(8)
        self.chooser.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.chooser.activated.connect(self._activated)
        self.chooser.hide()
        layout.addWidget(self.chooser)
        self.words = QVBoxLayout()  # on the one chosen
        self.words.setSpacing(8)
        layout.addLayout(self.words)
        self.formulas = MathLabel(theme, typesetter)
        layout.addWidget(self.formulas)
        self.section = Section("Next step")
        self.table = Table(theme, typesetter)
        self.section.body.addWidget(self.table)
        self.numbers = MathLabel(theme, typesetter, size=14.0)
        self.section.body.addSpacing(4)
        self.section.body.addWidget(self.numbers)
        self.note = Words("", "small")
        self.note.hide()
        self.section.body.addWidget(self.note)
        layout.addWidget(self.section)
        self.formulas.hide()
        self.section.hide()

    @property
    def name(self) -> str:
        """The contestant chosen."""
        return str(self.chooser.currentData() or "")

    @property
    def offers(self) -> bool:
        """Whether there is a box to choose from, which says who is chosen."""
        return len(self._series) > 1

    def set_series(self, series: Sequence[tuple[str, str]], chosen: str) -> None:
        """Offer these contestants as (name, label)."""
        if list(series) != self._series:
            self._series = list(series)
            self.chooser.clear()
            for name, label in series:
                self.chooser.addItem(label, name)
            self._paint_dots()
        self.chooser.setCurrentIndex(self.chooser.findData(chosen))
        self.chooser.setVisible(self.offers)

    @Slot(int)
    def _activated(self, index: int) -> None:
        self.chosen.emit(str(self.chooser.itemData(index)))

    def set_inside(self, inside: Inside) -> None:
        """Show a step; the equation in numbers pales until it is settled."""
        other = self._inside is None or inside.series != self._inside.series
        self._inside = inside
        self.formulas.set_latex(inside.formulas)
        self.formulas.setVisible(bool(inside.formulas))
        self.table.show_quantities(inside.quantities)
        self.section.setVisible(bool(inside.quantities))
        if other:
            self.numbers.set_latex([])
        self.numbers.set_faded(inside.numbers != self.numbers.lines)
        self.note.show_text(inside.note)
        self.note.setVisible(bool(inside.note))

    def settle(self) -> None:
        """The run stands: set the equation with this step's numbers."""
        if self._inside is None:
            return
        self.numbers.set_latex(self._inside.numbers)
        self.numbers.set_faded(False)
        self.table.settle()

    def apply_theme(self, theme: Theme) -> None:
        """Recolour."""
        self._theme = theme
        for formula in self.findChildren(MathLabel):
            formula.apply_theme(theme)
        self.table.apply_theme(theme)
        self._paint_dots()

    def _paint_dots(self) -> None:
        size = round(10 * self._theme.scale)
        self.chooser.setIconSize(QSize(size, size))
        for i, (name, _) in enumerate(self._series):
            found = color(series_style(name, self.places.get(name, i)), self._theme)
            self.chooser.setItemIcon(i, dot(found, size, self.devicePixelRatioF()))
