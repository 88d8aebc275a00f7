"""What is done where a long computation gives way, and in which thread."""

from __future__ import annotations

import threading

import pytest

from engine.turns import beside, give_way, giving_way


def test_it_does_what_was_asked_and_only_in_there() -> None:
    told: list[str] = []
    give_way()
    with giving_way(lambda: told.append("outer")):
        give_way()
        with giving_way(lambda: told.append("inner")):
            give_way()
        give_way()
    give_way()
    assert told == ["outer", "inner", "outer"]


def test_what_is_asked_may_end_the_computation_and_holds_no_longer() -> None:
    def enough() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), giving_way(enough):
        give_way()
    give_way()


def test_other_threads_are_not_asked() -> None:
    told: list[str] = []
    with giving_way(lambda: told.append("here")):
        other = threading.Thread(target=give_way)
        other.start()
        other.join()
    assert not told


def test_work_beside_has_a_thread_only_where_somebody_waits() -> None:
    assert beside(threading.current_thread) is threading.current_thread()
    going, enough = [], threading.Event()

    def look() -> None:
        going.append(threading.current_thread())
        enough.set()

    with giving_way(look):
        other = beside(lambda: (enough.wait(10), threading.current_thread())[1])
    assert other is not threading.current_thread() and not other.is_alive()
    assert set(going) == {threading.current_thread()}


def test_what_work_beside_raises_is_raised_here() -> None:
    def fail() -> None:
        raise OSError("no room")

    with giving_way(lambda: None), pytest.raises(OSError, match="no room"):
        beside(fail)
