"""How late the event loop is: a timer that notes when it should have come and when it did."""

from __future__ import annotations

import time
from collections import deque

from PySide6.QtCore import QObject, Qt, QTimer, Slot

PERCENTILES = (50, 95, 99, 100)


class Pulse(QObject):
    """A precise timer of `tick` milliseconds. It keeps the lateness of its last `kept` ticks, in milliseconds."""

    def __init__(self, tick: int = 50, kept: int | None = 1200, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.late: deque[float] = deque(maxlen=kept)
        self._due = 0.0
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.setInterval(tick)
        self._timer.timeout.connect(self._beat)

    def start(self) -> None:
        """Begin to watch."""
        self._due = time.perf_counter() + self._timer.interval() / 1000
        self._timer.start()

    def stop(self) -> None:
        """No more ticks."""
        self._timer.stop()

    @Slot()
    def _beat(self) -> None:
        """One call. Ticks that were left out meanwhile count as well, each with its own lateness.

        As Qt has it, the next tick is due one interval after this one was, or after now where that is past.
        """
        now, step = time.perf_counter(), self._timer.interval() / 1000
        self.late.append(max(0.0, 1000 * (now - self._due)))
        missed = self._due + step
        self._due = missed if missed > now else now + step
        while missed <= now:
            self.late.append(1000 * (now - missed))
            missed += step

    def percentiles(self) -> dict[int, float]:
        """Lateness at the 50th, 95th, 99th and 100th percentile, in milliseconds; empty before the first tick."""
        late = sorted(self.late)
        return {p: late[min(len(late) - 1, int(len(late) * p / 100))] for p in PERCENTILES if late}
