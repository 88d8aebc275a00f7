"""What all dialogs share: a title, a body, a row of buttons, and one line for what went wrong."""

from __future__ import annotations

from PySide6.QtWidgets import QDialog, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget


class Dialog(QDialog):
    """A titled dialog with a message line; add widgets to `body` and buttons with `add_button`."""

    def __init__(self, title: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(title)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(20, 20, 20, 16)
        layout.setSpacing(12)
        heading = QLabel(title)
        heading.setProperty("role", "title")
        layout.addWidget(heading)
        self.body = QVBoxLayout()
        self.body.setSpacing(8)
        layout.addLayout(self.body, 1)
        self.message = QLabel()
        self.message.setWordWrap(True)
        self.message.setVisible(False)
        layout.addWidget(self.message)
        self.buttons = QHBoxLayout()
        self.buttons.setSpacing(8)
        self.buttons.addStretch(1)
        layout.addLayout(self.buttons)

    def add_button(self, label: str, slot: object, *, default: bool = False) -> QPushButton:
        """A button at the foot, the default one in the accent colour."""
        button = QPushButton(label)
        button.setDefault(default)
        button.setAutoDefault(default)
        if default:
            button.setProperty("role", "primary")
        button.clicked.connect(slot)
        self.buttons.addWidget(button)
        return button

    def tell(self, line: str, *, bad: bool = False) -> None:
        """One line above the buttons."""
        self.message.setText(line)
        self.message.setProperty("role", "bad" if bad else "good")
        self.message.style().unpolish(self.message)
        self.message.style().polish(self.message)
        self.message.setVisible(bool(line))
