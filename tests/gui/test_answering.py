"""The window goes on while pictures and numbers are written."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QObject, Qt, QTimer
from PySide6.QtGui import QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QPushButton
from pytestqt.qtbot import QtBot

from engine.experiments import load
from engine.turns import give_way
from gui import answering as module
from gui.answering import answering
from gui.dialogs import ExportDialog
from gui.page import Page
from gui.plots import export
from gui.pump import Pump
from gui.theme import DARK

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support propagateSizeHints")


@pytest.fixture(autouse=True)
def _at_every_chance(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "OFTEN", 0.0)


@pytest.fixture
def dialog(qtbot: QtBot) -> Iterator[ExportDialog]:
    pump = Pump()
    page = Page(load("landscapes.descent"), pump, DARK)
    qtbot.addWidget(page)
    page.resize(900, 600)
    page.show()
    page.begin()
    qtbot.waitUntil(lambda: page.run.view is not None and not page.run.busy, timeout=20_000)
    page.run.step(8)
    qtbot.waitUntil(lambda: page.run.view is not None and page.run.view.step == 8, timeout=20_000)
    made = ExportDialog(page)
    qtbot.addWidget(made)
    yield made
    page.close_run()
    pump.close()


class Clock(QObject):
    """Counts turns of the event loop."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0
        self._timer = QTimer(self)
        self._timer.timeout.connect(self._tick)
        self._timer.start(0)

    def _tick(self) -> None:
        self.count += 1


def test_events_have_a_turn_in_there_and_hands_wait(qtbot: QtBot) -> None:
    clock, pressed = Clock(), []
    button = QPushButton()
    button.clicked.connect(lambda: pressed.append(1))
    qtbot.addWidget(button)
    button.show()
    qtbot.waitExposed(button)
    give_way()
    assert clock.count == 0
    with answering():
        give_way()
        assert clock.count > 0
        QTimer.singleShot(0, give_way)  # who gives way in there is not asked again
        give_way()
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)
    assert pressed == [1]
    before = clock.count
    give_way()
    assert clock.count == before


@pytest.mark.parametrize("suffix", [".png", ".svg", ".pdf", ".csv", ".npz"])
def test_the_window_has_turns_while_it_writes(qtbot: QtBot, dialog: ExportDialog, tmp_path: Path, suffix: str) -> None:
    clock = Clock()
    assert dialog.save_to(tmp_path / f"a{suffix}"), dialog.message.text()
    assert clock.count >= 1


def test_a_picture_is_packed_in_a_thread_of_its_own(
    qtbot: QtBot, dialog: ExportDialog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    packing, whole = [], export._png
    monkeypatch.setattr(export, "_png", lambda image: (packing.append(threading.current_thread()), whole(image))[1])
    assert dialog.save_to(tmp_path / "a.png")
    assert packing[0] is not threading.main_thread() and not packing[0].is_alive()
    assert not QImage(str(tmp_path / "a.png")).isNull()


def test_a_gif_is_given_up_by_closing_and_nothing_is_begun_meanwhile(
    qtbot: QtBot, dialog: ExportDialog, tmp_path: Path
) -> None:
    told: list[tuple[bool, bool]] = []

    def close() -> None:
        told.append((dialog.save.isEnabled(), dialog.copy.isEnabled()))
        dialog.reject()

    QTimer.singleShot(0, close)
    assert not dialog.save_to(tmp_path / "a.gif")
    assert told == [(False, False)] and dialog.save.isEnabled() and dialog.copy.isEnabled()
    assert list(tmp_path.iterdir()) == []
    assert "nothing was written" in dialog.message.text()
    assert dialog.save_to(tmp_path / "a.gif"), dialog.message.text()
