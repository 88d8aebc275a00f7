"""Which losses of a run a script can be held to: those that a rehearsal, shaken in its last digits, has in common.

What was told of a run is a tuple of (update, values [parts, contestants, seeds]); part 0 is the training loss.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from engine.experiment import Array

SHAKE = 1e-13  # of every weight of a rehearsal, again and again
CLOSE = 1e-8  # two rehearsals whose losses are farther apart have parted
TOLERANCE = 1e-5  # how far a loss may be from the app's where they have not
MOST = 6  # losses of one network that are held
Told = tuple[tuple[int, Array], ...]


def same(one: Any, other: Any) -> Any:
    """Where a loss is finite and as good as equal to another."""
    with np.errstate(all="ignore"):
        return np.isfinite(one) & (np.abs(one - other) <= CLOSE * np.maximum(1e-3, np.abs(one)))


def shake(params: Array, random: np.random.Generator) -> None:
    """Move every number by about SHAKE of itself, in place."""
    params *= 1.0 + SHAKE * random.standard_normal(params.shape)


def expected(names: Sequence[str], seeds: Sequence[int], told: Told, shaken: Told) -> list[str]:
    """Lines of a table: (name, seed): ({update: loss}, the last loss), for every contestant and seed."""
    other = dict(shaken)
    lines = []
    for c, name in enumerate(names):
        for j, seed in enumerate(seeds):
            good = {}
            for update, values in told:
                if update not in other or not same(values[0, c, j], other[update][0, c, j]):
                    break
                good[update] = float(values[0, c, j])
            last = float(told[-1][1][0, c, j])
            end = repr(last) if np.isfinite(last) else 'float("inf")'
            lines.append(f'        ("{name}", {seed}): ({_thin(good)!r}, {end}),')
    return lines


def _thin(good: dict[int, float]) -> dict[int, float]:
    """A few of them, the first and the last included."""
    updates = list(good)
    places = np.unique(np.linspace(0, len(updates) - 1, min(MOST, len(updates))).round().astype(int))
    return {updates[i]: good[updates[i]] for i in places.tolist()}
