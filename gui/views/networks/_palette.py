"""The reader's own network as a row of parts to be chosen, moved and taken away, and a palette of what can be added."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from PySide6.QtCore import QRect, QSize, Signal
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from engine.architectures.notation import EXAMPLES, PALETTE
from gui.plots.header import Chip
from gui.theme import SMALL, Theme, font, mix

MARGIN, ROW = 16, 22  # px at scale 1: beside the buttons, and a row of them
MOST_ROWS = 3  # of parts; of more those around the chosen one are seen
LONGEST = 22  # letters of a part that are shown
LABEL = 40  # px at scale 1 for the word in front of the rows
EDITS = {"◀": "Move the chosen part to the front", "▶": "Move the chosen part to the back",
         "×": "Take the chosen part away"}  # fmt: skip


def split(text: str) -> list[str]:
    """The parts of a network's text; what stands in brackets is one."""
    found, depth, part = [], 0, ""
    for letter in text.replace("\n", ";"):
        depth += (letter == "(") - (letter == ")")
        if letter == ";" and depth <= 0:
            found.append(part.strip())
            part = ""
        else:
            part += letter
    return [one for one in (*found, part.strip()) if one]


class Palette(QWidget):
    """`written(text)`: the network is to be this. What is added stands behind the chosen part, which is the last one
    until the reader clicks on another."""

    written = Signal(str)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.theme = theme
        self.parts: list[str] = []
        self.chosen = -1
        self.setAccessibleName("Parts of the network, and what can be added")
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        self.own: list[Chip] = []
        self.edits = {sign: self._chip(sign, tip) for sign, tip in EDITS.items()}
        for sign, chip in self.edits.items():
            chip.clicked.connect(partial(self._edit, sign))
        self.offers = {name: self._chip(name, f"Add '{EXAMPLES[name]}' behind the chosen part") for name in PALETTE}
        for name, chip in self.offers.items():
            chip.clicked.connect(partial(self._add, EXAMPLES[name]))

    def _chip(self, words: str, tip: str) -> Chip:
        made = Chip(words, self.theme, None, self)
        made.setCheckable(False)
        made.setToolTip(tip)
        made.setAccessibleName(tip)
        return made

    # -- the text ----------------------------------------------------------------------------------------------------

    def set_text(self, text: str) -> None:
        """Show these parts; the chosen one stays chosen where the network only grew or shrank by it."""
        parts = split(text)
        if parts == self.parts:
            return
        at = self.chosen if 0 <= self.chosen < len(parts) and self.chosen != len(self.parts) - 1 else len(parts) - 1
        self._show(parts, at)

    def _show(self, parts: Sequence[str], chosen: int) -> None:
        self.parts, self.chosen = list(parts), chosen
        for chip in self.own:
            chip.hide()
            chip.deleteLater()
        self.own = []
        for i, part in enumerate(self.parts):
            words = part if len(part) <= LONGEST else part[: LONGEST - 1] + "…"
            chip = self._chip(words, f"{part}: choose it, to move it, take it away, or add something behind it")
            chip.setCheckable(True)
            chip.setChecked(i == chosen)
            chip.clicked.connect(partial(self.choose, i))
            self.own.append(chip)
        self._place()

    def choose(self, at: int) -> None:
        """Choose a part."""
        self.chosen = at
        for i, chip in enumerate(self.own):
            chip.setChecked(i == at)
        self._place()

    def _write(self, parts: Sequence[str], chosen: int) -> None:
        self._show(parts, chosen)
        self.written.emit("; ".join(parts))

    def _add(self, words: str) -> None:
        at = self.chosen + 1 if self.parts else 0
        self._write([*self.parts[:at], words, *self.parts[at:]], at)

    def _edit(self, sign: str) -> None:
        at, parts = self.chosen, list(self.parts)
        if not 0 <= at < len(parts):
            return
        if sign == "×":
            if len(parts) > 1:  # an empty text is no network
                del parts[at]
                self._write(parts, min(at, len(parts) - 1))
            return
        to = at + (1 if sign == "▶" else -1)
        if 0 <= to < len(parts):
            parts[at], parts[to] = parts[to], parts[at]
            self._write(parts, to)

    # -- where the buttons stand -------------------------------------------------------------------------------------

    def sizeHint(self) -> QSize:
        """As high as its rows."""
        return QSize(200, self.heightForWidth(max(self.width(), 400)))

    def hasHeightForWidth(self) -> bool:
        """The buttons flow."""
        return True

    def heightForWidth(self, width: int) -> int:
        """The rows that so much width takes."""
        unit = self.theme.scale
        rows = min(MOST_ROWS, len(self._rows(self.own, width, 3))) + len(self._rows([*self.offers.values()], width, 0))
        return round(rows * ROW * unit + 12 * unit)

    def _rows(self, chips: Sequence[Chip], width: int, kept: int) -> list[list[Chip]]:
        """Chips in rows; room for `kept` small ones is left at the right."""
        unit = self.theme.scale
        room = width - (2 * MARGIN + LABEL + 26 * kept) * unit
        rows: list[list[Chip]] = [[]]
        used = 0.0
        for chip in chips:
            wide = chip.sizeHint().width() + 2 * unit
            if rows[-1] and used + wide > room:
                rows.append([])
                used = 0.0
            rows[-1].append(chip)
            used += wide
        return rows

    def _place(self) -> None:
        unit, width = self.theme.scale, self.width()
        left, row = round((MARGIN + LABEL) * unit), ROW * unit
        rows = self._rows(self.own, width, 3)
        at = next((i for i, chips in enumerate(rows) for chip in chips if chip.isChecked()), len(rows) - 1)
        first = max(0, min(at - 1, len(rows) - MOST_ROWS))
        for chip in self.own:
            chip.hide()
        top = 4 * unit
        for chips in rows[first : first + MOST_ROWS]:
            self._row(chips, left, round(top))
            top += row
        x = width - round(MARGIN * unit)
        for chip in reversed(self.edits.values()):
            size = chip.sizeHint()
            x -= size.width() + 2
            chip.setGeometry(QRect(x, round(4 * unit), size.width(), size.height()))
        top += 2 * unit
        self._below = round(top)
        for chips in self._rows([*self.offers.values()], width, 0):
            self._row(chips, left, round(top))
            top += row
        self.updateGeometry()
        self.update()

    _below = 0

    def _row(self, chips: Sequence[Chip], left: int, top: int) -> None:
        for chip in chips:
            size = chip.sizeHint()
            chip.setGeometry(QRect(left, top, size.width(), size.height()))
            chip.show()
            left += size.width() + round(2 * self.theme.scale)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Flow anew."""
        self._place()

    def apply_theme(self, theme: Theme) -> None:
        """Take over colours and scale."""
        self.theme = theme
        for chip in (*self.own, *self.edits.values(), *self.offers.values()):
            chip.theme = theme
            chip.update()
        self._place()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Ground, a hairline below, and a word in front of either block of rows."""
        painter, unit = QPainter(self), self.theme.scale
        painter.fillRect(self.rect(), QColor(mix(self.theme.panel, self.theme.background, 0.5)))
        painter.setPen(QColor(self.theme.line))
        painter.drawLine(0, self.height() - 1, self.width(), self.height() - 1)
        painter.setFont(font(SMALL * unit))
        painter.setPen(QColor(self.theme.faint))
        base = (20 * unit + QFontMetricsF(painter.font()).capHeight()) / 2
        for words, top in (("parts", 4 * unit), ("add", self._below)):
            painter.drawText(round(MARGIN * unit), round(top + base), words)
        painter.end()
