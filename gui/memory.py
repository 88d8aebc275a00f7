"""Manners of a process that stays open long: the collector keeps to the window's thread and makes no pauses, large
blocks go back to the system."""

from __future__ import annotations

import ctypes
import gc
import sys
from contextlib import suppress

from PySide6.QtCore import QObject, QTimer, Slot

LARGE = 2**17  # bytes of a block that is given back as soon as it is free
HEAPS = 2  # one for the window, one for all that work beside it: what is free in one heap is of no use to another
SPARE = 2**20  # bytes at the end of the heap that are kept
BEAT = 500  # milliseconds between two looks for garbage
YOUNG = 700  # new objects that make a look worth while, as Python has it
LIBRARY = 50_000  # new objects at once: a library was loaded
OLDER = 5  # looks at one generation before the next older one is looked at too
_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8  # as <malloc.h> of glibc numbers them


def return_large_blocks() -> None:
    """Let glibc map large blocks by themselves for good, and make few heaps.

    Left alone it raises that size to up to 32 MiB as blocks are freed; they come out of a heap from then on, one of up
    to eight for each core, and what is free between them stays the process's own.
    """
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):
            libc = ctypes.CDLL(None)
            libc.mallopt(_MMAP_THRESHOLD, LARGE)
            libc.mallopt(_TRIM_THRESHOLD, SPARE)
            libc.mallopt(_ARENA_MAX, HEAPS)


class Collector(QObject):
    """Looks for garbage in the thread it is made in, and keeps every other thread from doing so, until it is
    deleted.

    Left alone Python looks for it in whichever thread makes an object. In the worker that would delete objects of Qt
    which belong to the window: while it waits for the interpreter with a lock of Qt in hand, the window may hold the
    interpreter and wait for that lock, for good.

    `spare`: take libraries out of its sight. Torch, Numba and the experiments are 400,000 objects that never go; to
    look through them takes 0.3 s.
    """

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.spare = False
        if gc.isenabled():
            self.destroyed.connect(lambda: gc.enable())
        gc.disable()
        self._timer = QTimer(self)
        self._timer.setInterval(BEAT)
        self._timer.timeout.connect(self.look)

    @Slot()
    def begin(self) -> None:
        """From now on look now and then. Before the first run there are libraries only."""
        if not self._timer.isActive():
            self._timer.start()
            if self.spare:
                gc.freeze()

    @Slot()
    def look(self) -> None:
        """Look at what is new, if there is enough, and now and then at what is older."""
        young, middle, old = gc.get_count()
        if young > LIBRARY and self.spare:
            gc.freeze()
        elif young > YOUNG:
            gc.collect(2 if old >= OLDER else 1 if middle >= OLDER else 0)

    def end(self) -> None:
        """Look no more. Python does again when this is deleted: until then the window may be painted, its worker at
        work."""
        self._timer.stop()
        if self.spare:
            gc.unfreeze()
