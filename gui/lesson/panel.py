"""The right column: what is being looked at, why, and what to try."""

from __future__ import annotations

import html
from collections.abc import Sequence

from PySide6.QtCore import QSize, Qt, Signal, Slot
from PySide6.QtGui import QHideEvent, QShowEvent
from PySide6.QtWidgets import QScrollArea, QVBoxLayout, QWidget

from engine.experiment import Drawn, Inside, Prediction, Preset
from gui.layouts import clear
from gui.lesson.chapter import ChapterPart, ConventionPart
from gui.lesson.inside import InsidePart
from gui.lesson.parts import Column, Section, TextButton, Words
from gui.lesson.questions import QuestionPart
from gui.lesson.signs import Signs
from gui.lesson.text import LessonError, LessonText, load_lesson, rich
from gui.lesson.text import Words as Passage
from gui.mathtext import MathLabel, Typesetter
from gui.stylesheet import palette
from gui.tokens import Theme

NARROWEST, USUAL = 280, 300
MARGIN, BAR = 16, 12


class Lesson(QWidget):
    """The lesson beside an experiment. It shows what it is told and emits what the reader does; it runs nothing."""

    presetChosen = Signal(str)
    predicted = Signal(object, str)
    nextQuestionAsked = Signal()
    figureToggled = Signal(bool)
    conventionChosen = Signal(str)
    seriesChosen = Signal(str)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._text = LessonText()
        self._problem = ""
        self._marked = ""
        self.loaded = False
        self.whole = False
        self.typesetter = Typesetter(self)
        self.typesetter.set_paused(True)  # until it is seen
        self.setAutoFillBackground(True)
        self.setAccessibleName("Lesson")
        self._lay_out()
        self.apply_theme(theme)

    def _lay_out(self) -> None:
        self.top = Section("Lesson")
        self.title = Words("", "title")
        self.top.body.addWidget(self.title)
        self._words = QVBoxLayout()
        self._words.setSpacing(8)
        self.top.body.addLayout(self._words)
        self.inside = InsidePart(self._theme, self.typesetter)
        self.inside.chosen.connect(self._choose)
        self.notice = Section("Notice")
        self.notice.hide()
        self.question = QuestionPart()
        self.question.predicted.connect(self.predicted)
        self.question.nextAsked.connect(self.nextQuestionAsked)
        self.presets = Section("Presets")
        self.presets.hide()
        self.chapter = ChapterPart()
        self.chapter.toggled.connect(self.figureToggled)
        self.convention = ConventionPart()
        self.convention.chosen.connect(self.conventionChosen)
        self._content = Column()
        self._column = QVBoxLayout(self._content)
        self._column.setSpacing(20)
        parts = (self.top, self.inside, self.notice, self.question, self.presets, self.chapter, self.convention)
        for part in parts:
            self._column.addWidget(part)
        self._column.addStretch(1)
        self.area = QScrollArea()
        self.area.setWidget(self._content)
        self.area.setWidgetResizable(True)
        self.area.setFrameShape(QScrollArea.Shape.NoFrame)
        self.area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.area.verticalScrollBar().rangeChanged.connect(self._set_margins)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.area)
        self.signs = Signs(self.area, (("Presets", self.presets), ("Predict, then run", self.question)))
        layout.addWidget(self.signs)
        # What has a style sheet of its own: one for all of it takes three times as long, and in one go.
        self.dressed = (*parts, self.signs, self.area.verticalScrollBar())

    @Slot()
    def _set_margins(self) -> None:
        # The scroll bar stands in the margin: words are as wide with it as without it.
        side = round(MARGIN * self._theme.scale)
        bar = self.area.verticalScrollBar()
        right = max(0, side - round(BAR * self._theme.scale)) if bar.maximum() > 0 else side
        if self._column.contentsMargins().right() != right or self._column.contentsMargins().left() != side:
            self._column.setContentsMargins(side, side, right, side)

    # -- what is shown -----------------------------------------------------------------------------------------------

    def load(self, id: str, section: str) -> None:
        """Show the lesson of an experiment (`landscapes.descent`) and the chapter's section it belongs to."""
        self.loaded = True
        self.top.set_head(f"Lesson · {section}" if section else "Lesson")
        try:
            self._text, self._problem = load_lesson(id), ""
        except LessonError as error:
            self._text, self._problem = LessonText(), str(error)
        self._show_notice(self._text.notice)
        self._show_words()

    def set_series(self, series: Sequence[tuple[str, str]], chosen: str) -> None:
        """The contestants as (name, label), and the one looked at."""
        self.inside.set_series(series, chosen)
        self._show_words()

    def set_whole(self, whole: bool) -> None:
        """Whether the general words stand above a contestant's own; where the inside of a step needs the room their
        title alone does."""
        if whole != self.whole:
            self.whole = whole
            self._show_words()

    def set_inside(self, inside: Inside) -> None:
        """The inside of the coming step; cheap enough to be called at every frame."""
        self.inside.set_inside(inside)

    def settle(self) -> None:
        """The run stands still: set what is too dear while it runs."""
        self.inside.settle()

    def set_presets(self, presets: Sequence[Preset]) -> None:
        """Offer these settings; bad ones are marked."""
        clear(self.presets.body, 1)
        for preset in presets:
            button = TextButton(preset.title, "" if preset.good else "bad", "" if preset.good else preset.why)
            button.setToolTip(preset.why)
            button.setAccessibleDescription(preset.why)
            button.setObjectName(preset.name)
            button.clicked.connect(self._use_preset)
            self.presets.body.addWidget(button)
        self.presets.setVisible(bool(presets))
        self.mark_preset(self._marked)

    def mark_preset(self, name: str) -> None:
        """Mark the preset whose settings are in hand, also of those offered later; none where they are nobody's."""
        self._marked = name
        for button in self.presets.findChildren(TextButton):
            chosen = bool(name) and button.objectName() == name
            if bool(button.property("chosen")) != chosen:
                button.setProperty("chosen", chosen)
                button.setAccessibleName(f"{button.title}, in hand" if chosen else button.title)
                button.style().unpolish(button)
                button.style().polish(button)

    def set_prediction(self, prediction: Prediction | None) -> None:
        """Ask this question; None asks none."""
        self.question.set_prediction(prediction)

    def show_answer(self, right: bool, measured: str, explain: str) -> None:
        """What the run answered."""
        self.question.show_answer(right, measured, explain)

    def set_drawn(self, drawn: Drawn | None) -> None:
        """The chapter's figure and the verdict on it; None if there is none."""
        self.chapter.set_drawn(drawn)

    def set_convention(self, value: str, sentence: str) -> None:
        """The convention in force and a sentence on how they differ."""
        self.convention.set_convention(value, sentence)

    def apply_theme(self, theme: Theme) -> None:
        """Recolour what no style sheet reaches, and scale widths and margins."""
        self._theme = theme
        self.setPalette(palette(theme))  # its ground
        self.setMinimumWidth(round(NARROWEST * theme.scale))
        self.inside.apply_theme(theme)
        self.question.set_scale(theme.scale)
        for label in self.top.findChildren(MathLabel):
            label.apply_theme(theme)
        self._set_margins()

    def sizeHint(self) -> QSize:
        """Qt's."""
        return QSize(round(USUAL * self._theme.scale), round(600 * self._theme.scale))

    # -- inside ------------------------------------------------------------------------------------------------------

    def _show_words(self) -> None:
        """What it is about; then, below the box that chooses a contestant, the words on that one."""
        general, words = self._text.general, self._text.words(self.inside.name)
        own = words if words is not general else None
        self.title.show_text(general.title)
        self.title.setVisible(bool(general.title))
        clear(self._words)
        clear(self.inside.words)
        if self._problem:
            self._words.addWidget(Words(self._problem, "bad"))
        if self.whole or own is None:
            self._add_blocks(self._words, general)
        if own is not None:
            if not self.inside.offers:
                self.inside.words.addWidget(Words(own.title, "heading"))
            self._add_blocks(self.inside.words, own)

    def _add_blocks(self, place: QVBoxLayout, words: Passage) -> None:
        for block in words.blocks:
            if block.kind == "formula":
                formula = MathLabel(self._theme, self.typesetter)
                formula.set_latex([block.text])
                place.addWidget(formula)
            else:
                place.addWidget(Words(rich(block.text), "dim"))

    def _show_notice(self, points: Sequence[str]) -> None:
        clear(self.notice.body, 1)
        for point in points:
            # A table keeps the second line of a point clear of its dot.
            cells = f"<td>•&nbsp;&nbsp;</td><td>{rich(point)}</td>"
            label = Words(f"<table cellspacing=0 cellpadding=0><tr>{cells}</tr></table>")
            label.setAccessibleName(html.unescape(point))
            self.notice.body.addWidget(label)
        self.notice.setVisible(bool(points))

    @Slot(str)
    def _choose(self, name: str) -> None:
        self._show_words()
        self.seriesChosen.emit(name)

    @Slot()
    def _use_preset(self) -> None:
        button = self.sender()
        if isinstance(button, TextButton):
            self.presetChosen.emit(button.objectName())

    def showEvent(self, event: QShowEvent) -> None:
        """Set the formulas that wait."""
        self.typesetter.set_paused(False)
        super().showEvent(event)

    def hideEvent(self, event: QHideEvent) -> None:
        """A lesson that is not seen sets nothing."""
        self.typesetter.set_paused(True)
        super().hideEvent(event)
