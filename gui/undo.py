"""Undo and redo of control changes: what the run was before each, as an experiment file would keep it."""

from __future__ import annotations

import time

from engine.session.files import Saved

MOST = 100
TOGETHER = 1.0  # seconds within which changes of the same control count as one


class Undo:
    """Two stacks of runs as they were. A drag of a slider counts as one change."""

    def __init__(self) -> None:
        self._past: list[tuple[str, Saved]] = []
        self._future: list[tuple[str, Saved]] = []
        self._last = ("", 0.0)

    def remember(self, before: Saved, what: str) -> None:
        """Keep the run as it is before the change named `what`."""
        now = time.monotonic()
        together = self._last[0] == what and now - self._last[1] < TOGETHER
        self._last = (what, now)
        self._future.clear()
        if not together:
            self._past.append((what, before))
            del self._past[:-MOST]

    def undo(self, here: Saved) -> Saved | None:
        """The run before the last change; `here` can be had back by redo."""
        return self._move(self._past, self._future, here)

    def redo(self, here: Saved) -> Saved | None:
        """The run before the last undo."""
        return self._move(self._future, self._past, here)

    def _move(self, source: list[tuple[str, Saved]], target: list[tuple[str, Saved]], here: Saved) -> Saved | None:
        self._last = ("", 0.0)
        if not source:
            return None
        what, there = source.pop()
        target.append((what, here))
        return there

    @property
    def undoes(self) -> str:
        """What undo would take back; empty where there is nothing."""
        return self._past[-1][0] if self._past else ""

    @property
    def redoes(self) -> str:
        """What redo would do again; empty where there is nothing."""
        return self._future[-1][0] if self._future else ""
