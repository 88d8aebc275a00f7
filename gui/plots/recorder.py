"""A painter that remembers: geometry is worked out in one turn of the event loop and painted in another."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from PySide6.QtGui import QPainter


class Recorder:
    """Stands in for a QPainter while something is drawn, and draws the same on real painters later.

    Takes whatever a painter can be told; nothing comes back, so what asks a painter for its state cannot be recorded.
    """

    def __init__(self) -> None:
        self._calls: list[tuple[Callable[..., Any], tuple[Any, ...]]] = []
        self._kept: list[object] = []

    def __getattr__(self, name: str) -> Callable[..., None]:
        return partial(self._note, getattr(QPainter, name))

    def _note(self, method: Callable[..., Any], *arguments: Any) -> None:
        self._calls.append((method, arguments))

    def keep(self, held: object) -> None:
        """Hold on to what owns the memory an argument points into."""
        self._kept.append(held)

    def play(self, painter: QPainter) -> None:
        """Draw all of it, in order."""
        for method, arguments in self._calls:
            method(painter, *arguments)
