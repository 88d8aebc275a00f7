"""The keyboard at a glance."""

from __future__ import annotations

from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QGridLayout, QLabel, QWidget

from gui.dialogs.dialog import Dialog

WIDTH = 760  # pixels
KEYS = (
    ("Space", "Play or pause"),
    ("→ / ←", "One step forwards or back (as many as the step field says)"),
    ("Shift + → / ←", "Ten times as many"),
    ("Home / End", "To the start, to the end"),
    ("B", "Begin a branch here"),
    ("P", "Pin this run as a ghost"),
    ("Ctrl + Z, Ctrl + Shift + Z", "Undo, redo a change of a control"),
    ("Ctrl + O, Ctrl + S", "Open, save an experiment file"),
    ("Ctrl + E", "Export pictures and numbers"),
    ("Ctrl + K", "Show the PyTorch code"),
    ("Ctrl + R", "Pinned runs and results"),
    ("F5", "Presentation mode: large type, plots first"),
    ("F6, F7", "Show or hide the settings, the lesson"),
    ("On the map", "Click or drag the ring to set the start; arrow keys move it; the wheel zooms; double click resets"),
    (
        "On a drawn schedule",
        "Drag a knot; Page up and down choose one, arrow keys move it, Insert adds, Delete removes",
    ),
    ("On a curve", "Click or drag to go to that step, or use the arrow keys; L or 'log' switches the axis"),
    ("In a legend", "Click a name to hide it in every plot; double click or Ctrl + click: it alone, once more: all"),
)


class ShortcutsDialog(Dialog):
    """What every key and gesture does."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Keyboard and mouse", parent)
        grid = QGridLayout()
        grid.setHorizontalSpacing(24)
        grid.setVerticalSpacing(8)
        grid.setColumnStretch(1, 1)
        for row, (keys, words) in enumerate(KEYS):
            left, right = QLabel(keys), QLabel(words)
            left.setProperty("role", "dim")
            right.setWordWrap(True)
            grid.addWidget(left, row, 0)
            grid.addWidget(right, row, 1)
        self.body.addLayout(grid)
        self.add_button("Close", self.accept, default=True)

    def showEvent(self, event: QShowEvent) -> None:
        """As high as its words are, wrapped in the type in force."""
        super().showEvent(event)
        layout = self.layout()
        if layout is not None:
            layout.activate()
            self.resize(WIDTH, max(layout.totalHeightForWidth(WIDTH), layout.totalMinimumSize().height()))
