"""Who shares one interpreter with the window lets it go first.

The window and the worker thread cannot run Python at once: where both want to, the window is slowed down threefold.
So the event loop's turns are counted by a timer, and where the worker sees that a turn takes long it waits, at the next
`engine.turns.give_way` of what it computes, until the turn is over.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from PySide6.QtCore import QObject, Qt, QTimer, Slot

TICK = 10  # milliseconds between two beats
BUSY = 0.025  # seconds without a beat after which the window is taken to be busy
MOST = 0.5  # seconds the worker waits at the most in one turn of the event loop


class Gate(QObject):
    """`begin` and `end` belong to the window's thread, `wait` to the worker's and those it has helping it. `idle` says
    that the worker has nothing to do: then nothing beats."""

    def __init__(self, idle: Callable[[], bool], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._idle = idle
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.setInterval(TICK)
        self._timer.timeout.connect(self._beat)
        self._last = 0.0
        self._beats = 0
        self._turn = threading.Event()
        self._own = threading.local()  # of each thread: `waited`, the number of the beat after which it waited last

    def begin(self) -> None:
        """Beat from now on; the worker has something to do."""
        if not self._timer.isActive():
            self._last = time.perf_counter()
            self._timer.start()

    def end(self) -> None:
        """Hold nobody any more."""
        self._beat()
        self._timer.stop()

    @Slot()
    def _beat(self) -> None:
        if self._idle():
            self._timer.stop()
        self._last = time.perf_counter()
        self._beats += 1
        self._turn.set()

    def wait(self) -> None:
        """Return at once, or when the window has done what keeps it busy; once in each of its turns."""
        if time.perf_counter() - self._last < BUSY or getattr(self._own, "waited", -1) == self._beats:
            return
        beat = self._own.waited = self._beats
        self._turn.clear()
        if beat == self._beats:  # not meanwhile
            self._turn.wait(MOST)
