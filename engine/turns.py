"""Long computations let others have a turn.

What computes for long in Python calls `give_way` every few milliseconds. Whoever runs it says what happens there: the
window's worker waits while the window is busy, for both share one interpreter, and gives up what nobody waits for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TypeVar

T = TypeVar("T")
OFTEN = 0.005  # seconds between two looks at what another thread does

_ASKED: ContextVar[Callable[[], None] | None] = ContextVar("give_way", default=None)


def give_way() -> None:
    """Do what the caller's thread was asked to do between two pieces of work; nothing if nobody asked.

    What was asked may raise: nothing may be left half done that another run would take up.
    """
    if (asked := _ASKED.get()) is not None:
        asked()


@contextmanager
def giving_way(to: Callable[[], None]) -> Iterator[None]:
    """In here and in this thread `give_way` calls `to`."""
    token = _ASKED.set(to)
    try:
        yield
    finally:
        _ASKED.reset(token)


def beside(work: Callable[[], T]) -> T:
    """What `work` returns or raises; where `give_way` does something, that goes on meanwhile and `work` has a thread of
    its own. For what lets go of the interpreter: compressing, waiting for a disk."""
    if _ASKED.get() is None:
        return work()
    with ThreadPoolExecutor(1, "beside") as pool:
        done = pool.submit(work)
        while not done.done():
            wait([done], OFTEN)
            give_way()
        return done.result()
