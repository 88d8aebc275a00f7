"""What the chapter has to do with it: its figure laid over the measurement, and its convention or PyTorch's."""

from __future__ import annotations

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QButtonGroup, QCheckBox, QHBoxLayout, QPushButton

from engine.experiment import Drawn
from gui.lesson.parts import Section, Words
from gui.plots.ticks import prose

CONVENTIONS = {"book": "Book", "pytorch": "PyTorch"}


class ChapterPart(Section):
    """The chapter's claim beside what was measured. `toggled(on)`: lay the chapter's curves over the plots."""

    toggled = Signal(bool)

    def __init__(self) -> None:
        super().__init__("Chapter")
        self._drawn: Drawn | None = None
        self.title = Words("", "heading")
        self.claim = Words("", "dim")
        self.toggle = QCheckBox("Drawn vs measured")
        self.toggle.setToolTip("Lay the chapter's curves over the measured ones")
        self.toggle.toggled.connect(self.toggled)
        self.verdict = Words()
        for widget in (self.title, self.claim, self.toggle, self.verdict):
            self.body.addWidget(widget)
        self.hide()

    def set_drawn(self, drawn: Drawn | None) -> None:
        """Show a figure; None hides the part."""
        if drawn is None:
            self._drawn = None
            self.hide()
            return
        if drawn is not self._drawn:
            self._drawn = drawn
            self.set_head(f"Chapter · {drawn.section}" if drawn.section else "Chapter")
            for words, text in ((self.title, drawn.title), (self.claim, drawn.claim), (self.verdict, drawn.verdict)):
                words.show_text(prose(text))
                words.setVisible(bool(text))
            self.toggle.setVisible(bool(drawn.overlays))
        self.show()


class ConventionPart(Section):
    """A two-way switch, and a sentence on what it changes. `chosen(value)` on the reader's choice."""

    chosen = Signal(str)

    def __init__(self) -> None:
        super().__init__("Convention")
        row = QHBoxLayout()
        row.setSpacing(8)
        self._group = QButtonGroup(self)
        self.buttons: dict[str, QPushButton] = {}
        for value, label in CONVENTIONS.items():
            button = QPushButton(label)
            button.setCheckable(True)
            button.setAccessibleName(f"{label} convention")
            button.clicked.connect(self._clicked)
            self._group.addButton(button)
            self.buttons[value] = button
            row.addWidget(button, 1)
        self._value = ""
        self.body.addLayout(row)
        self.sentence = Words("", "dim")
        self.body.addWidget(self.sentence)
        self.hide()

    def set_convention(self, value: str, sentence: str) -> None:
        """Show which convention is in force and how the other differs."""
        self._value = value
        if value in self.buttons:
            self.buttons[value].setChecked(True)
        self.sentence.show_text(sentence)
        self.sentence.setVisible(bool(sentence))
        self.show()

    @Slot()
    def _clicked(self) -> None:
        value = next((v for v, button in self.buttons.items() if button.isChecked()), "")
        if value and value != self._value:
            self._value = value
            self.chosen.emit(value)
