"""The small parts the lesson is made of: words that wrap, heads, and a button whose words wrap."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QFont
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QSizePolicy, QVBoxLayout, QWidget


class Words(QLabel):
    """Words that wrap and can be selected; `role` is one of the style sheet's."""

    def __init__(self, text: str = "", role: str = "") -> None:
        super().__init__(text)
        self.setWordWrap(True)
        self.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.setMinimumWidth(1)
        if role:
            self.setProperty("role", role)

    def show_text(self, text: str) -> None:
        """Set the words only if they differ: setting them anew would lay out the whole column."""
        if text != self.text():
            self.setText(text)

    def set_role(self, role: str) -> None:
        """Give it another role."""
        if role != self.property("role"):
            self.setProperty("role", role)
            self.style().unpolish(self)
            self.style().polish(self)


class Section(QWidget):
    """A part of the lesson with a small head; what belongs to it goes into `body`."""

    def __init__(self, head: str, gap: int = 8) -> None:
        super().__init__()
        self.body = QVBoxLayout(self)
        self.body.setContentsMargins(0, 0, 0, 0)
        self.body.setSpacing(gap)
        self.head = Words("", "section")
        spaced = QFont(self.head.font())
        spaced.setLetterSpacing(QFont.SpacingType.AbsoluteSpacing, 1.0)
        self.head.setFont(spaced)
        self.set_head(head)
        self.body.addWidget(self.head)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)

    def set_head(self, head: str) -> None:
        """Change the head."""
        self.head.show_text(head.upper())
        self.head.setAccessibleName(head)
        self.head.setVisible(bool(head))
        self.setAccessibleName(head)


class Column(QWidget):
    """What scrolls: as high as its words need at the width there is, and no higher."""

    def minimumSizeHint(self) -> QSize:
        """Qt's. Without it the height would be that of the words in the narrowest column, mostly empty."""
        return QSize(0, 0)

    def sizeHint(self) -> QSize:
        """Qt's: the height follows from the width."""
        return QSize(0, 0)


class TextButton(QPushButton):
    """A button whose words wrap: `title`, a short `tag` in the bad colour, and `why` below in small type."""

    def __init__(self, title: str, tag: str = "", why: str = "", *, centred: bool = False) -> None:
        super().__init__()
        self.title = title
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)  # a click leaves the space bar to the transport
        layout = QVBoxLayout(self)
        layout.setContentsMargins(12, 6, 12, 6)
        layout.setSpacing(4)
        first = QHBoxLayout()
        first.setSpacing(8)
        name = self._label(title, "")
        if centred:
            name.setAlignment(Qt.AlignmentFlag.AlignCenter)
        first.addWidget(name, 1)
        if tag:
            mark = self._label(tag, "bad")
            mark.setWordWrap(False)
            first.addWidget(mark, 0, Qt.AlignmentFlag.AlignTop)
        layout.addLayout(first)
        if why:
            layout.addWidget(self._label(why, "small"))
        self.setAccessibleName(f"{title} ({tag})" if tag else title)
        self.setAccessibleDescription(why)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)

    def _label(self, text: str, role: str) -> QLabel:
        made = Words(text, role)
        made.setTextFormat(Qt.TextFormat.PlainText)
        made.setTextInteractionFlags(Qt.TextInteractionFlag.NoTextInteraction)
        made.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        return made

    def sizeHint(self) -> QSize:
        """Qt's: what the words need."""
        layout = self.layout()
        return layout.totalSizeHint() if layout is not None else super().sizeHint()

    def minimumSizeHint(self) -> QSize:
        """Qt's: words wrap, so little width will do."""
        layout = self.layout()
        return layout.totalMinimumSize() if layout is not None else super().minimumSizeHint()
