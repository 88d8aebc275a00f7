"""One set-up at a time: a lock that the system lifts when its holder ends, however it ends."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def only_one(path: Path, waiting: Callable[[], None], poll: float = 0.25) -> Iterator[int]:
    """Hold the lock file at `path` for the length of the block; gives its file descriptor.

    `waiting` is called every `poll` seconds while another process holds it. On POSIX a child that inherits
    the descriptor holds the lock too: a pip that outlives its killed parent still keeps the next start out.
    Raises OSError if the file cannot be made.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        while not _try(descriptor):
            waiting()
            time.sleep(poll)
        yield descriptor
    finally:
        os.close(descriptor)


def _try(descriptor: int) -> bool:
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    return True
