"""A picture that is made a little in every turn of the event loop."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator
from typing import TypeVar

from PySide6.QtCore import QObject, Signal, Slot

from gui.turns import Turns

T = TypeVar("T")
# Seconds at work in one turn, milliseconds from one turn to the next: as soon as may be, and beside a run that streams.
SOON, SLOWLY = (0.005, 2), (0.0015, 8)


def finished(work: Generator[None, None, T]) -> T:
    """What work that could be done in slices returns, done in one go."""
    while True:
        try:
            next(work)
        except StopIteration as end:
            made: T = end.value
            return made


class Slices(QObject):
    """Does what `work` begins, slice by slice, and again for as long as what it made is `old` already.

    What is under way is brought to its end though it may be old by then: where things change all the time something
    is seen now and then. `made` after each.
    """

    made = Signal()

    def __init__(self, work: Callable[[], Iterator[None]], old: Callable[[], bool], parent: QObject) -> None:
        super().__init__(parent)
        self._work, self._old = work, old
        self._doing: Iterator[None] | None = None
        self._most = SOON[0]
        self._turns = Turns(SOON[1], self)
        self._turns.due.connect(self._next)

    @property
    def busy(self) -> bool:
        """Whether something is being made, or is going to be."""
        return self._turns.isActive()

    @property
    def begun(self) -> bool:
        """Whether something is half made."""
        return self._doing is not None

    def ask(self, pace: tuple[float, int] = SOON) -> None:
        """Make it, from the next turn on, at this pace."""
        self._most, pause = pace
        self._turns.setInterval(pause)
        if not self._turns.isActive():
            self._turns.start()

    def now(self) -> None:
        """Make it at once. What was under way is given up."""
        self._turns.stop()
        self._doing = None
        for _ in self._work():
            pass

    @Slot()
    def _next(self) -> None:
        if self._doing is None:
            self._doing = self._work()
        until = time.perf_counter() + self._most
        try:
            for _ in self._doing:
                if time.perf_counter() >= until:
                    return
        except Exception:
            self._doing = None
            self._turns.stop()  # or it fails again and again
            raise
        self._doing = None
        if not self._old():
            self._turns.stop()
        self.made.emit()
