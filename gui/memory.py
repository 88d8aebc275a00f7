"""Manners of a process that stays open long: the collector makes no pauses, large blocks go back to the system."""

from __future__ import annotations

import ctypes
import gc
import sys
from contextlib import suppress

LARGE = 2**19  # bytes of a block that is given back as soon as it is free
SPARE = 2**20  # bytes at the end of the heap that are kept
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # as <malloc.h> of glibc numbers them


def return_large_blocks() -> None:
    """Let glibc map large blocks by themselves for good.

    Left alone it raises that size to up to 32 MiB as blocks are freed; they come out of the heap from then on, and
    what is free between them stays the process's own.
    """
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):
            libc = ctypes.CDLL(None)
            libc.mallopt(_MMAP_THRESHOLD, LARGE)
            libc.mallopt(_TRIM_THRESHOLD, SPARE)


def spare_libraries() -> None:
    """Take all that exists now out of the collector's sight.

    Torch, Numba and the experiments are 400,000 objects that never go; to look through them takes 0.3 s.
    """
    gc.freeze()
