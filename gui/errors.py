"""What went wrong, told to the reader: one line on the page, or one dialog with details to copy."""

from __future__ import annotations

import logging
import sys
import threading
import traceback
from collections.abc import Callable
from types import TracebackType

from PySide6.QtCore import QMessageLogContext, Qt, QTimer, QtMsgType, Signal, Slot, qInstallMessageHandler
from PySide6.QtGui import QGuiApplication, QHideEvent, QShowEvent
from PySide6.QtWidgets import (
    QDialog,
    QFrame,
    QHBoxLayout,
    QLabel,
    QPlainTextEdit,
    QPushButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from gui.theme import Theme, dress

LINGER = 6000  # milliseconds a good message stays
LONGEST = 300  # characters of the dialog's first line
KEPT = 20_000  # characters of details; of many errors the last ones
LEVELS = {
    QtMsgType.QtDebugMsg: logging.DEBUG, QtMsgType.QtInfoMsg: logging.INFO, QtMsgType.QtWarningMsg: logging.WARNING,
    QtMsgType.QtCriticalMsg: logging.ERROR, QtMsgType.QtFatalMsg: logging.CRITICAL,
}  # fmt: skip
log = logging.getLogger("descent_lab")


class Notice(QFrame):
    """A strip with one line; a bad one stays until it is dismissed, others fade by themselves."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", "bar")
        row = QHBoxLayout(self)
        row.setContentsMargins(16, 4, 8, 4)
        self.label = QLabel()
        self.label.setWordWrap(True)
        self.label.setTextFormat(Qt.TextFormat.PlainText)  # it may repeat what the reader wrote
        self.label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        row.addWidget(self.label, 1)
        self.accept = QPushButton()
        self.accept.hide()
        self.accept.clicked.connect(self._accepted)
        row.addWidget(self.accept)
        self.dismiss = QToolButton()
        self.dismiss.setText("✕")
        self.dismiss.setToolTip("Dismiss")
        self.dismiss.setAccessibleName("Dismiss the message")
        self.dismiss.clicked.connect(self._dismissed)
        row.addWidget(self.dismiss)
        self._offered: tuple[Callable[[], object], Callable[[], object]] | None = None
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(LINGER)
        self._timer.timeout.connect(self.hide)
        self._stays = False
        self.hide()

    def showEvent(self, event: QShowEvent) -> None:
        """The time to read counts from when it is seen."""
        super().showEvent(event)
        if not self._stays:
            self._timer.start()

    def hideEvent(self, event: QHideEvent) -> None:
        """Nothing ticks on a page that is not seen."""
        self._timer.stop()
        super().hideEvent(event)

    def show_message(self, line: str, bad: bool = False) -> None:
        """Show one line."""
        self.label.setText(line)
        self.label.setProperty("role", "bad" if bad else "")
        self.label.style().unpolish(self.label)
        self.label.style().polish(self.label)
        self._stays = bad
        self.accept.hide()
        self._offered = None
        self._timer.stop()
        self.show()
        if not bad and self.isVisible():
            self._timer.start()

    def offer(self, line: str, word: str, accepted: Callable[[], object], dismissed: Callable[[], object]) -> None:
        """Show one line with a button; it stays until the reader takes it or dismisses it."""
        self.show_message(line)
        self._timer.stop()
        self._stays, self._offered = True, (accepted, dismissed)
        self.accept.setText(word)
        self.accept.show()

    @Slot()
    def _accepted(self) -> None:
        offered, self._offered = self._offered, None
        self.hide()
        if offered is not None:
            offered[0]()

    @Slot()
    def _dismissed(self) -> None:
        offered, self._offered = self._offered, None
        self.hide()
        if offered is not None:
            offered[1]()

    def clear(self) -> None:
        """Take the message away."""
        self.hide()

    def apply_theme(self, theme: Theme) -> None:
        """The style sheet does it all."""


class ErrorDialog(QDialog):
    """For what no field can show. Several errors in a row are counted in one dialog."""

    reported = Signal(str, str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Something went wrong")
        self.setMinimumWidth(520)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(20, 20, 20, 16)
        layout.setSpacing(12)
        self.line = QLabel()
        self.line.setProperty("role", "heading")
        self.line.setWordWrap(True)
        self.line.setTextFormat(Qt.TextFormat.PlainText)
        self.words = QLabel("What was measured so far is kept. You can go on, step back, save or export.")
        self.words.setProperty("role", "dim")
        self.words.setWordWrap(True)
        self.details = QPlainTextEdit()
        self.details.setReadOnly(True)
        self.details.setAccessibleName("Details of the error")
        self.details.setMinimumHeight(180)
        self.details.hide()
        for widget in (self.line, self.words, self.details):
            layout.addWidget(widget)
        row = QHBoxLayout()
        self.fold = QPushButton("Details")
        self.fold.setCheckable(True)
        self.fold.toggled.connect(self.details.setVisible)
        self.copy = QPushButton("Copy details")
        self.copy.clicked.connect(self._copy)
        close = QPushButton("Close")
        close.setProperty("role", "primary")
        close.setDefault(True)
        close.clicked.connect(self.accept)
        row.addWidget(self.fold)
        row.addWidget(self.copy)
        row.addStretch(1)
        row.addWidget(close)
        layout.addLayout(row)
        self.count = 0
        self.reported.connect(self._show, Qt.ConnectionType.QueuedConnection)

    def report(self, line: str, details: str = "") -> None:
        """Tell of an error; may be called from any thread."""
        log.error("%s\n%s", line, details)
        self.reported.emit(line, details)

    @Slot(str, str)
    def _show(self, line: str, details: str) -> None:
        self.count = self.count + 1 if self.isVisible() else 1
        short = " ".join(line.split())
        short = short if len(short) <= LONGEST else short[: LONGEST - 1] + "…"
        self.line.setText(short if self.count == 1 else f"{short}   ({self.count} errors)")
        kept = self.details.toPlainText() if self.count > 1 else ""
        self.details.setPlainText(f"{kept}\n{details}".strip()[-KEPT:])
        self.fold.setEnabled(bool(self.details.toPlainText()))
        if not self.isVisible():
            self.open()

    @Slot()
    def _copy(self) -> None:
        QGuiApplication.clipboard().setText(f"{self.line.text()}\n{self.details.toPlainText()}")

    def apply_theme(self, theme: Theme) -> None:
        """Repaint in another theme."""
        dress(self, theme)


def install(dialog: ErrorDialog) -> Callable[[], None]:
    """Send every exception nobody caught to the dialog, and Qt's own messages to the log. Returns what undoes it."""
    old_hook, old_thread_hook = sys.excepthook, threading.excepthook

    def hook(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if issubclass(kind, KeyboardInterrupt):
            old_hook(kind, error, trace)
            return
        line = f"{kind.__name__}: {error}" if str(error) else kind.__name__
        dialog.report(line, "".join(traceback.format_exception(kind, error, trace)))

    def thread_hook(told: threading.ExceptHookArgs) -> None:
        if told.exc_value is not None:
            hook(told.exc_type, told.exc_value, told.exc_traceback)

    def messages(kind: QtMsgType, context: QMessageLogContext, words: str) -> None:
        log.log(LEVELS.get(kind, logging.WARNING), "Qt: %s", words)
        if old_messages is not None:
            old_messages(kind, context, words)

    sys.excepthook, threading.excepthook = hook, thread_hook
    old_messages = qInstallMessageHandler(messages)

    def undo() -> None:
        if sys.excepthook is hook:
            sys.excepthook = old_hook
        if threading.excepthook is thread_hook:
            threading.excepthook = old_thread_hook
        found = qInstallMessageHandler(old_messages)
        if found is not messages:
            qInstallMessageHandler(found)

    return undo
