"""What is done where a long computation gives way, and in which thread."""

from __future__ import annotations

import threading

import pytest

from engine.turns import give_way, giving_way


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
