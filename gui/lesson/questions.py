"""Predict, then run: the question, the answers offered, and what was measured."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QGridLayout, QPushButton, QWidget

from engine.experiment import Prediction
from gui.fonts import BODY
from gui.lesson.parts import Section, TextButton, Words

ROOM = 236  # px that surely is there for a row of answers, times the theme's scale
PADDING = 26


class QuestionPart(Section):
    """See the module's text. `predicted(prediction, choice)`; `nextAsked()` for another question."""

    predicted = Signal(object, str)
    nextAsked = Signal()

    def __init__(self) -> None:
        super().__init__("Predict, then run")
        self._prediction: Prediction | None = None
        self._scale = 1.0
        self.question = Words()
        self.body.addWidget(self.question)
        self._holder = QWidget()
        self._grid = QGridLayout(self._holder)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setSpacing(8)
        self.body.addWidget(self._holder)
        self.buttons: list[TextButton] = []
        self.status = Words("", "dim")
        self.explain = Words("", "dim")
        self.another = QPushButton("Another question")
        self.another.clicked.connect(self.nextAsked)
        for widget in (self.status, self.explain):
            self.body.addWidget(widget)
        self.body.addWidget(self.another, 0, Qt.AlignmentFlag.AlignLeft)
        self.set_prediction(None)

    def set_prediction(self, prediction: Prediction | None) -> None:
        """Ask this; None asks nothing and hides the part."""
        self._prediction = prediction
        for button in self.buttons:
            self._grid.removeWidget(button)
            button.hide()
            button.deleteLater()
        self.buttons = []
        for widget in (self.status, self.explain, self.another):
            widget.hide()
        self.setVisible(prediction is not None)
        if prediction is None:
            return
        self.question.show_text(prediction.question)
        for choice in prediction.choices:
            button = TextButton(choice, centred=True)
            button.setCheckable(True)
            button.clicked.connect(self._clicked)
            self.buttons.append(button)
        self._place()

    def _place(self) -> None:
        widest = max((self.fontMetrics().horizontalAdvance(b.title) for b in self.buttons), default=0)
        each = widest + PADDING * self._scale + 8
        columns = max(1, min(len(self.buttons), int((ROOM * self._scale + 8) // each)))
        if columns > 1:  # no row with a single one left over where an even split does
            columns = -(-len(self.buttons) // -(-len(self.buttons) // columns))
        for i, button in enumerate(self.buttons):
            self._grid.addWidget(button, i // columns, i % columns)
        for column in range(self._grid.columnCount()):
            self._grid.setColumnStretch(column, 1 if column < columns else 0)

    @Slot()
    def _clicked(self) -> None:
        button = self.sender()
        if self._prediction is None or not isinstance(button, TextButton):
            return
        for one in self.buttons:
            one.setEnabled(False)
            one.setChecked(one is button)
        self.status.set_role("dim")
        self.status.show_text(f"You say {button.title}. Running …")
        self.status.show()
        self.predicted.emit(self._prediction, button.title)

    def show_answer(self, right: bool, measured: str, explain: str) -> None:
        """Tell what was measured, in the good or the bad colour, and why it is so."""
        self.status.set_role("good" if right else "bad")
        said = next((button.title for button in self.buttons if button.isChecked()), "")
        wrong = f"You said {said}. Measured: {measured}" if said else f"Not so. Measured: {measured}"
        self.status.show_text(f"Right. Measured: {measured}" if right else wrong)
        self.explain.show_text(explain)
        for button in self.buttons:
            button.setEnabled(False)
        self.status.show()
        self.explain.setVisible(bool(explain))
        self.another.show()

    def set_scale(self, scale: float) -> None:
        """Place the answers for larger type."""
        # The bad colour comes with small type elsewhere; here both verdicts are equally large.
        self.status.setStyleSheet(f"font-size: {round(BODY * scale)}px;")
        if scale != self._scale:
            self._scale = scale
            for button in self.buttons:
                self._grid.removeWidget(button)
            self._place()
