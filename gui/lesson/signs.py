"""A line at the foot of the lesson that says what lies further down, and leads there."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QObject, Qt, Slot
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPushButton, QScrollArea, QVBoxLayout, QWidget

from gui.lesson.parts import Section


class Signs(QWidget):
    """A button for each of these sections of a scroll area; seen while the area has more than it shows.

    `MARGIN` px of what stands above a section stay in sight when the reader is led there.
    """

    MARGIN = 16

    def __init__(self, area: QScrollArea, sections: Sequence[tuple[str, Section]]) -> None:
        super().__init__()
        self.setProperty("role", "panel")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._area = area
        self._led: dict[QPushButton, Section] = {}
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        line = QFrame()
        line.setProperty("role", "line")
        line.setFixedHeight(1)
        column.addWidget(line)
        row = QHBoxLayout()
        row.setContentsMargins(16, 8, 16, 8)
        row.setSpacing(20)
        for words, section in sections:
            button = QPushButton(words)
            button.setProperty("role", "link")
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)  # a click leaves the keys to the transport
            button.setToolTip("Further down in this column")
            button.clicked.connect(self._lead)
            row.addWidget(button)
            self._led[button] = section
            section.installEventFilter(self)
        row.addStretch(1)
        column.addLayout(row)
        area.verticalScrollBar().rangeChanged.connect(self._look)
        self._look()

    @Slot()
    def _lead(self) -> None:
        button = self.sender()
        if isinstance(button, QPushButton):
            self._area.verticalScrollBar().setValue(self._led[button].y() - self.MARGIN)

    @Slot()
    def _look(self) -> None:
        for button, section in self._led.items():
            button.setVisible(not section.isHidden())
        some = any(not section.isHidden() for section in self._led.values())
        # Hidden, the line gives its room to the lesson: one that fits only then must not make it come and go.
        room = self._area.verticalScrollBar().maximum() - (0 if self.isHidden() else self.height())
        self.setVisible(some and room > 0)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """A section that comes or goes takes its button along."""
        if event.type() in (QEvent.Type.ShowToParent, QEvent.Type.HideToParent):
            self._look()
        return False
