"""The window goes on while something is made in its own thread."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from PySide6.QtCore import QEventLoop
from PySide6.QtWidgets import QApplication

from engine.turns import giving_way

OFTEN = 0.02  # seconds between two turns of the event loop


@contextmanager
def answering() -> Iterator[None]:
    """In here `engine.turns.give_way` lets the event loop have a turn: what streams is shown, what has changed is
    painted. Mouse and keys wait until the end, so that nothing is begun twice or closed meanwhile."""
    last, inside = time.perf_counter(), False

    def turn() -> None:
        nonlocal last, inside
        if inside or time.perf_counter() - last < OFTEN:
            return
        inside = True
        try:
            QApplication.processEvents(QEventLoop.ProcessEventsFlag.ExcludeUserInputEvents)
        finally:
            last, inside = time.perf_counter(), False

    with giving_way(turn):
        yield
