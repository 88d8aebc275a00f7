"""What a long run is watched for: how long the event loop stood still and why, and how much memory is in use."""

from __future__ import annotations

import ctypes
import faulthandler
import gc
import os
import re
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

import psutil
from PySide6.QtCore import QObject, Qt, QTimer, Slot
from PySide6.QtGui import QPixmapCache

from gui.memory import return_large_blocks

HANG = 0.25  # seconds
SUSPECT = 0.12  # seconds after which the stack of the window's thread is looked at
LOOK = 0.02  # seconds between two looks
TICK = 10  # milliseconds


@dataclass(frozen=True)
class Hang:
    """A time in which the event loop did nothing else.

    `wall` seconds passed; `computed` of them the window's thread had a core, `waited` of them it wanted one and other
    processes or threads had it (nan where the system does not tell); `stolen` of all cores' time in between went to
    other guests of a virtual machine's host. `during` is the action, `stack` where it stood, `way` where it was seen
    from one look to the next.
    """

    wall: float
    computed: float
    waited: float
    stolen: float
    during: str
    stack: str
    way: tuple[str, ...] = ()

    @property
    def own(self) -> float:
        """Seconds that are the app's own fault: without those in which it wanted a core and got none, or in which it
        stood still while the host had taken one away. What it computed always counts."""
        still = self.wall - (self.waited if self.waited == self.waited else 0.0)
        return still - min(self.stolen, max(0.0, still - self.computed))

    def __str__(self) -> str:
        parts = {"computed": self.computed, "no core for": self.waited, "the host took": self.stolen}
        told = ", ".join(f"{words} {1000 * seconds:.0f}" for words, seconds in parts.items())
        return f"{1000 * self.wall:.0f} ms ({told}) in {self.during}\n{self.stack}" + "".join(
            f"\n  {one}" for one in ("seen on the way:", *self.way)
        )


class Heart(QObject):
    """A tick every 10 ms of the event loop; between two of them nothing else was answered.

    Set `during` to what is going on. `worst` are the longest gaps, the longest first.
    """

    def __init__(self, kept: int = 12) -> None:
        super().__init__()
        self.during = ""
        self.worst: list[Hang] = []
        self.count = 0
        self._kept = kept
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.setInterval(TICK)
        self._timer.timeout.connect(self._beat)
        self._last = 0.0
        self._clock = (0.0, 0.0, 0.0)
        self._stack, self._way = "", list[str]()
        self._thread: threading.Thread | None = None
        self._done = threading.Event()
        self._window = threading.get_ident()

    def start(self) -> None:
        """Begin to watch."""
        self.reset()
        self._done.clear()
        self._thread = threading.Thread(target=self._look, name="watch", daemon=True)
        self._thread.start()

    def reset(self) -> None:
        """What was until now is not counted (a pause between two windows)."""
        self._stack, self._way, self._clock, self._last = "", [], _clocks(), time.perf_counter()
        self._timer.start()

    def rest(self) -> None:
        """Do not watch until the next `reset`."""
        self._timer.stop()

    def stop(self) -> None:
        """Watch no more."""
        self._timer.stop()
        self._done.set()
        if self._thread is not None:
            self._thread.join()

    @Slot()
    def _beat(self) -> None:
        now, clocks = time.perf_counter(), _clocks()
        wall = now - self._last
        self.count += 1
        if wall > 0.05:
            computed, waited, stolen = (after - before for after, before in zip(clocks, self._clock, strict=True))
            hang = Hang(wall, computed, waited, stolen, self.during, self._stack, tuple(self._way))
            self.worst = sorted([*self.worst, hang], key=lambda one: -one.own)[: self._kept]
        self._last, self._clock, self._stack, self._way = now, clocks, "", []

    def _look(self) -> None:
        while not self._done.wait(LOOK):
            late = time.perf_counter() - self._last
            if late > SUSPECT / 2:
                found = _stacks(self._window)
                self._way.append(f"{1000 * late:.0f} ms: {_innermost(found)}")
                if late > SUSPECT and not self._stack:
                    self._stack = found


def _stacks(window: int) -> str:
    """Where every thread stands, the window's first, each from the inside out.

    Takes hold of no frame: whoever lets go of one last deletes what it held, and a widget must go in its own thread.
    """
    with tempfile.TemporaryFile() as stream:
        faulthandler.dump_traceback(stream)
        stream.seek(0)
        told = stream.read().decode(errors="replace")
    found = {}
    for part in told.split("\n\n"):
        head, _, lines = part.strip().partition("\n")
        if not head.startswith("Current"):
            found[int(head.split()[1], 16)] = lines.splitlines()
    own = found.pop(window, [])
    parts = [own[:10], *(lines[:4] for lines in found.values())]
    return "\n  beside it:\n".join("\n".join(part) for part in parts)


def _innermost(stacks: str) -> str:
    """The two innermost lines of the house in the window's stack."""
    own = re.findall(r'/((?:gui|engine)/[^"]*)", line (\d+) in (\S+)', stacks.split("\n  beside it:")[0])
    return " < ".join(f"{name}:{line} {where}" for name, line, where in own[:2]) or "outside"


def _clocks() -> tuple[float, float, float]:
    return time.thread_time(), _without_core(), _stolen()


def _stolen() -> float:
    """Seconds, of all cores together, that a virtual machine wanted and its host gave to others, as Linux counts them
    in hundredths; 0 elsewhere."""
    try:
        with open("/proc/stat") as stream:
            return int(stream.readline().split()[8]) / os.sysconf("SC_CLK_TCK")
    except (OSError, ValueError, IndexError, AttributeError):
        return 0.0


def _without_core() -> float:
    """Seconds this thread was ready to run and had no core, as Linux counts them; nan elsewhere."""
    try:
        with open(f"/proc/self/task/{threading.get_native_id()}/schedstat") as stream:
            return int(stream.read().split()[1]) / 1e9
    except OSError:
        return float("nan")


def settle() -> None:
    """Free what nobody holds, empty Qt's cache of icons, and give back to the system what the allocator keeps."""
    gc.unfreeze()
    gc.collect()
    QPixmapCache.clear()
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)


def held() -> float:
    """Memory of this process's own, MiB: on Linux without the pages of library files, which the system reads in as code
    is first run and drops when it likes."""
    with suppress(OSError), open("/proc/self/status") as stream:
        own = next((line for line in stream if line.startswith("RssAnon:")), "")
        if own:
            return int(own.split()[1]) / 2**10
    return float(psutil.Process().memory_info().rss) / 2**20


def resident() -> float:
    """What this process holds, MiB, once all that can be freed is."""
    settle()
    return held()


@contextmanager
def as_the_app() -> Iterator[None]:
    """The manners of the app's own process: see gui.window.run."""
    return_large_blocks()
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-4)
    try:
        yield
    finally:
        sys.setswitchinterval(before)
