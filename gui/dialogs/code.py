"""The PyTorch script of a run: read, copy, save."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Slot
from PySide6.QtGui import QFontDatabase, QGuiApplication
from PySide6.QtWidgets import QFileDialog, QLabel, QPlainTextEdit, QWidget

from engine.atomic import FileError
from engine.session.files import write_text
from gui.dialogs.dialog import Dialog


class CodeDialog(Dialog):
    """Shows the script; copies or saves it."""

    def __init__(self, name: str, text: str, parent: QWidget | None = None) -> None:
        super().__init__(f"PyTorch code: {name}", parent)
        self.text = text
        words = QLabel(
            "This script needs only torch and NumPy. It repeats the run up to the step in hand and asserts "
            "the app's own end state."
        )
        words.setWordWrap(True)
        self.body.addWidget(words)
        self.editor = QPlainTextEdit(text)
        self.editor.setReadOnly(True)
        self.editor.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self.editor.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        self.editor.setAccessibleName("PyTorch script")
        self.body.addWidget(self.editor, 1)
        self.resize(820, 620)
        self.add_button("Save…", self._save)
        self.add_button("Copy", self._copy)
        self.add_button("Close", self.accept, default=True)

    @Slot()
    def _copy(self) -> None:
        QGuiApplication.clipboard().setText(self.text)
        self.tell("Copied")

    @Slot()
    def _save(self) -> None:
        name, _ = QFileDialog.getSaveFileName(self, "Save the script", "descent.py", "Python (*.py)")
        if name:
            try:
                write_text(Path(name), self.text)
                self.tell(f"Saved {Path(name).name}")
            except FileError as error:
                self.tell(str(error), bad=True)
