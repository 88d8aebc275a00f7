"""What goes wrong while a picture is painted is told, and goes no further."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def guarded() -> Iterator[None]:
    """Tell of an error as of any that nobody caught, and go on.

    Qt calls one painting method after the other: an error that is still under way when it calls the next one ends the
    process (PySide6 6.11 loses a reference to the method).
    """
    try:
        yield
    except Exception:
        sys.excepthook(*sys.exc_info())
