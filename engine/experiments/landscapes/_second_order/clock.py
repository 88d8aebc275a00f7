"""How long steps took, measured while they were taken.

Seconds are no part of a run that repeats itself to the bit: they are kept beside the state, told by pictures, and
written into no history.
"""

from __future__ import annotations

from typing import Any

import numpy as np

KEPT = 2000  # steps of each contestant whose time is kept; a median needs no more


class Clock:
    """Seconds of single steps by key. Copies of a state share it: a step taken again is only measured once more."""

    def __init__(self) -> None:
        self._seconds: dict[Any, list[float]] = {}

    def __deepcopy__(self, memo: dict[int, Any]) -> Clock:
        """Shared."""
        return self

    def add(self, key: Any, seconds: float) -> None:
        """One step took so long."""
        known = self._seconds.setdefault(key, [])
        if len(known) < KEPT:
            known.append(seconds)

    def median(self, key: Any) -> float:
        """Seconds of the median step; nan before the first. One that was kept waiting by others changes nothing."""
        known = self._seconds.get(key)
        return float(np.median(known)) if known else float("nan")
