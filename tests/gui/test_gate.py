"""The worker waits where a turn of the event loop takes long, and only there."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from PySide6.QtCore import QCoreApplication
from pytestqt.qtbot import QtBot

from gui import gate
from gui.gate import Gate

LONG = 20.0  # seconds a thread has for what takes none


@pytest.fixture
def made(qtbot: QtBot) -> Iterator[Gate]:
    made = Gate(lambda: False)
    made.begin()
    yield made
    made.end()


class Worker:
    """A thread that comes to the gate as often as it is told; `through` counts."""

    def __init__(self, made: Gate, times: int) -> None:
        self.through = threading.Semaphore(0)
        self.thread = threading.Thread(target=self._run, args=(made, times))
        self.thread.start()

    def _run(self, made: Gate, times: int) -> None:
        for _ in range(times):
            made.wait()
            self.through.release()

    def done(self) -> bool:
        self.thread.join(0)
        return not self.thread.is_alive()


def test_nobody_waits_while_the_event_loop_turns(qtbot: QtBot, made: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gate, "BUSY", LONG)
    worker = Worker(made, 1000)
    assert worker.thread.join(LONG) is None and worker.done()


def test_in_a_long_turn_the_worker_waits_for_its_end(qtbot: QtBot, made: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gate, "BUSY", 0.0)
    monkeypatch.setattr(gate, "MOST", LONG)
    worker = Worker(made, 1)
    assert not worker.through.acquire(timeout=0.05)  # this test keeps the window's thread
    qtbot.waitUntil(worker.done, timeout=20_000)


def test_it_waits_once_in_a_turn_and_not_for_ever(made: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gate, "BUSY", 0.0)
    monkeypatch.setattr(gate, "MOST", 0.01)
    worker = Worker(made, 1000)  # 10 s if it waited each time
    worker.thread.join(5.0)
    assert worker.done()


def test_each_of_several_threads_waits(qtbot: QtBot, made: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gate, "BUSY", 0.0)
    monkeypatch.setattr(gate, "MOST", LONG)
    workers = [Worker(made, 1) for _ in range(3)]
    assert not any(worker.through.acquire(timeout=0.03) for worker in workers)  # this test keeps the window's thread
    qtbot.waitUntil(lambda: all(worker.done() for worker in workers), timeout=20_000)


def test_the_end_holds_nobody(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gate, "BUSY", 0.0)
    monkeypatch.setattr(gate, "MOST", LONG)
    made = Gate(lambda: False)
    made.begin()
    worker = Worker(made, 1)
    assert not worker.through.acquire(timeout=0.05)
    made.end()
    worker.thread.join(LONG)
    assert worker.done()


def test_it_beats_only_while_there_is_work(qtbot: QtBot) -> None:
    work = [True]
    made = Gate(lambda: not work[0])
    made.begin()
    assert made._timer.isActive()
    work.clear()
    work.append(False)
    qtbot.waitUntil(lambda: not made._timer.isActive(), timeout=20_000)
    QCoreApplication.processEvents()
    work[0] = True
    made.begin()
    assert made._timer.isActive()
    made.end()
    assert not made._timer.isActive()
