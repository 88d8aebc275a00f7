"""Work that is done a little in every turn leaves the others theirs."""

from __future__ import annotations

import time

import pytest
from PySide6.QtCore import QObject, Qt, QTimer
from pytestqt.qtbot import QtBot

from gui.turns import Turns


@pytest.mark.parametrize("pause", [0, 3])
def test_a_timer_that_came_due_meanwhile_is_served_before_the_next_turn(qtbot: QtBot, pause: int) -> None:
    told: list[str] = []
    beat, turns = QTimer(), Turns(pause)
    beat.setTimerType(Qt.TimerType.PreciseTimer)
    beat.setInterval(10)
    beat.timeout.connect(lambda: told.append("beat"))

    def work() -> None:
        told.append("work")
        until = time.perf_counter() + 0.02  # longer than either waits
        while time.perf_counter() < until:
            pass
        if told.count("work") == 6:
            turns.stop()

    turns.due.connect(work)
    beat.start()
    turns.start()
    qtbot.waitUntil(lambda: not turns.isActive())
    beat.stop()
    first = told.index("work")
    assert told[first:].count("beat") >= 5
    assert all(pair != ("work", "work") for pair in zip(told[first:], told[first + 1 :], strict=False))


def test_stopped_in_its_own_turn_it_goes_on_no_more_and_may_be_begun_again(qtbot: QtBot) -> None:
    turns, told = Turns(0), []

    def once() -> None:
        told.append(turns.isActive())
        turns.stop()

    turns.due.connect(once)
    for count in (1, 2):
        turns.start()
        qtbot.waitUntil(lambda n=count: len(told) == n)  # type: ignore[misc]
        assert not turns.isActive()
    assert told == [True, True]


def test_it_may_be_deleted_in_its_own_turn(qtbot: QtBot) -> None:
    owner = QObject()
    turns = Turns(0, owner)
    gone: list[bool] = []

    def away() -> None:
        from shiboken6 import delete

        delete(owner)
        gone.append(True)

    turns.due.connect(away)
    turns.start()
    qtbot.waitUntil(lambda: gone == [True])
