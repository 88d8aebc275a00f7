"""What went wrong reaches the reader: one strip, one dialog, and nothing left behind when it is undone."""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Callable, Iterator

import pytest
from PySide6.QtCore import Qt, QtMsgType, qInstallMessageHandler, qWarning
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from gui.errors import LINGER, LONGEST, ErrorDialog, Notice, install

# The offscreen platform warns of every window that limits its own size.
pytestmark = pytest.mark.qt_log_ignore("This plugin does not support propagateSizeHints")


@pytest.fixture
def host(qtbot: QtBot) -> QWidget:
    made = QWidget()
    qtbot.addWidget(made)
    made.resize(600, 400)
    made.show()
    return made


@pytest.fixture
def notice(host: QWidget) -> Notice:
    return Notice(host)


@pytest.fixture
def dialog(qtbot: QtBot) -> ErrorDialog:
    made = ErrorDialog()
    qtbot.addWidget(made)
    return made


@pytest.fixture
def hooks() -> Iterator[Callable[[ErrorDialog], Callable[[], None]]]:
    undone: list[Callable[[], None]] = []

    def make(dialog: ErrorDialog) -> Callable[[], None]:
        undone.append(install(dialog))
        return undone[-1]

    yield make
    for undo in undone:
        undo()


# -- the strip ------------------------------------------------------------------------------------------------------


def test_a_good_message_goes_by_itself(qtbot: QtBot, notice: Notice) -> None:
    notice.show_message("Pinned as run 1")
    assert notice.isVisible() and notice._timer.isActive() and notice._timer.interval() == LINGER
    notice._timer.start(0)  # time flies
    qtbot.waitUntil(lambda: not notice.isVisible())
    assert not notice._timer.isActive()


def test_a_bad_message_stays_until_it_is_dismissed(qtbot: QtBot, notice: Notice) -> None:
    notice.show_message("good")
    notice.show_message("learning_rate: -1 is not allowed", bad=True)
    assert notice.label.property("role") == "bad" and not notice._timer.isActive()
    qtbot.mouseClick(notice.dismiss, Qt.MouseButton.LeftButton)
    assert not notice.isVisible()


def test_the_time_to_read_counts_from_when_it_is_seen(host: QWidget, notice: Notice) -> None:
    notice.show_message("Saved")
    host.hide()
    assert not notice._timer.isActive()
    host.show()
    assert notice.isVisible() and notice._timer.isActive()
    notice.clear()
    assert not notice.isVisible() and not notice._timer.isActive()


def test_what_the_reader_wrote_is_shown_as_written(notice: Notice, dialog: ErrorDialog, qtbot: QtBot) -> None:
    for label in (notice.label, dialog.line):
        assert label.textFormat() == Qt.TextFormat.PlainText


# -- the dialog -----------------------------------------------------------------------------------------------------


def test_the_dialog_has_a_line_and_folded_details(qtbot: QtBot, dialog: ErrorDialog) -> None:
    dialog.report("The file is broken", "line 3: ...")
    qtbot.waitUntil(dialog.isVisible)
    assert dialog.line.text() == "The file is broken" and not dialog.details.isVisible()
    qtbot.mouseClick(dialog.fold, Qt.MouseButton.LeftButton)
    assert dialog.details.isVisible() and dialog.details.toPlainText() == "line 3: ..."
    qtbot.mouseClick(dialog.copy, Qt.MouseButton.LeftButton)
    assert QGuiApplication.clipboard().text() == "The file is broken\nline 3: ..."


def test_several_errors_share_one_dialog_and_are_counted(qtbot: QtBot, dialog: ErrorDialog) -> None:
    for i in range(3):
        dialog.report(f"error {i}", f"details {i}")
    qtbot.waitUntil(lambda: dialog.count == 3)
    assert dialog.line.text() == "error 2   (3 errors)"
    assert dialog.details.toPlainText().split("\n") == ["details 0", "details 1", "details 2"]
    dialog.accept()
    dialog.report("later")
    qtbot.waitUntil(dialog.isVisible)
    assert dialog.line.text() == "later" and dialog.details.toPlainText() == "" and not dialog.fold.isEnabled()


@pytest.mark.parametrize("line", ["x" * 10_000, "several\nlines " * 500])
def test_a_monstrous_message_becomes_a_line(qtbot: QtBot, dialog: ErrorDialog, line: str) -> None:
    dialog.report(line, "y" * 100_000)
    qtbot.waitUntil(dialog.isVisible)
    assert len(dialog.line.text()) <= LONGEST and "\n" not in dialog.line.text()
    assert len(dialog.details.toPlainText()) <= 20_000


# -- the hooks ------------------------------------------------------------------------------------------------------

Hooks = Callable[[ErrorDialog], Callable[[], None]]


def test_an_exception_nobody_caught_reaches_the_dialog(qtbot: QtBot, dialog: ErrorDialog, hooks: Hooks) -> None:
    hooks(dialog)
    try:
        raise ValueError("the matrix is singular")
    except ValueError as error:
        sys.excepthook(type(error), error, error.__traceback__)
    qtbot.waitUntil(dialog.isVisible)
    assert dialog.line.text() == "ValueError: the matrix is singular"
    assert "test_an_exception_nobody_caught" in dialog.details.toPlainText()


def test_an_exception_in_a_thread_reaches_the_dialog(qtbot: QtBot, dialog: ErrorDialog, hooks: Hooks) -> None:
    hooks(dialog)

    def fail() -> None:
        raise RuntimeError

    thread = threading.Thread(target=fail)
    thread.start()
    thread.join()
    qtbot.waitUntil(dialog.isVisible)
    assert dialog.line.text() == "RuntimeError"


def test_ctrl_c_is_no_error(qtbot: QtBot, dialog: ErrorDialog, hooks: Hooks, monkeypatch: pytest.MonkeyPatch) -> None:
    passed: list[type[BaseException]] = []
    monkeypatch.setattr(sys, "excepthook", lambda kind, error, trace: passed.append(kind))
    undo = hooks(dialog)
    sys.excepthook(KeyboardInterrupt, KeyboardInterrupt(), None)
    undo()
    assert passed == [KeyboardInterrupt] and dialog.count == 0


def test_words_of_qt_go_to_the_log_and_to_whoever_listened_before(
    dialog: ErrorDialog, hooks: Hooks, caplog: pytest.LogCaptureFixture
) -> None:
    heard: list[tuple[QtMsgType, str]] = []
    before = qInstallMessageHandler(lambda kind, context, words: heard.append((kind, words)))
    try:
        undo = hooks(dialog)
        with caplog.at_level(logging.WARNING, logger="descent_lab"):
            qWarning("a word of warning")
        undo()
        qWarning("afterwards")
    finally:
        qInstallMessageHandler(before)
    assert [record.message for record in caplog.records] == ["Qt: a word of warning"]
    assert [words for _, words in heard] == ["a word of warning", "afterwards"]


def test_undone_nothing_is_hooked(dialog: ErrorDialog) -> None:
    before = (sys.excepthook, threading.excepthook)
    undo = install(dialog)
    assert sys.excepthook is not before[0] and threading.excepthook is not before[1]
    undo()
    assert (sys.excepthook, threading.excepthook) == before


def test_a_hook_set_later_is_left_alone(dialog: ErrorDialog, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)  # put back afterwards, whatever happens
    undo = install(dialog)

    def later(*told: object) -> None:
        """Somebody else's."""

    sys.excepthook = later
    undo()
    assert sys.excepthook is later
