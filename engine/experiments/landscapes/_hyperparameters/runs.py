"""What is kept of finished runs, and how fast they came nearer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from engine.experiment import Array

STILL = 4 * np.finfo(np.float64).eps  # of a coordinate: a step so small is rounding


@dataclass(frozen=True, eq=False)
class Runs:
    """The ends of n runs, each [n]: final loss, test loss and accuracy (nan on a surface), by what factor a step
    brought them nearer, the step at which their numbers overflowed (0: they did not), and whether they diverged: they
    overflowed, or ended above their first loss and still climbing. Never changed, so copies share it."""

    loss: Array
    test_loss: Array
    test_accuracy: Array
    rate: Array
    took: Array
    diverged: Array

    def __deepcopy__(self, memo: dict[int, Any]) -> Runs:
        return self


def finished(loss: Array, test_loss: Array, test_accuracy: Array, rate: Array, took: Array, first: Array) -> Runs:
    """Runs that began at the losses `first` [n]."""
    with np.errstate(invalid="ignore"):
        climbed = ~(loss <= first) & ~(rate <= 1.0)
    found = Runs(loss, test_loss, test_accuracy, rate, took, (took > 0) | climbed)
    for array in vars(found).values():
        array.flags.writeable = False
    return found


def shrinking(sizes: Array, until: Array) -> Array:
    """By what factor a step changes a size, over the later half of each run: [n].

    `sizes`: [n, steps], above 0 where they count; `until` [n]: how many of them. The factor is the slope of a
    straight line through the logarithms, by least squares: ups and downs of a swing about the minimum average out.
    nan where there are fewer than two.
    """
    k = np.arange(sizes.shape[1], dtype=float)[None, :]
    with np.errstate(all="ignore"):
        good = (k >= until[:, None] // 2) & (k < until[:, None]) & np.isfinite(sizes) & (sizes > 0)
        logs = np.log(np.where(good, sizes, 1.0))
        count = good.sum(axis=1)
        middle = (k * good).sum(axis=1) / count
        along = (k - middle[:, None]) * good
        slope = (along * logs).sum(axis=1) / (along * along).sum(axis=1)
        return np.where(count >= 2, np.exp(slope), np.nan)


def still_from(path: Array) -> Array:
    """From which step on each walk [n, steps, 2] moves no more than rounding; its length where it always moves."""
    n, steps, _ = path.shape
    with np.errstate(invalid="ignore"):
        still = np.all(np.abs(np.diff(path, axis=1)) <= STILL * np.abs(path[:, 1:]), axis=2)
    found = still.argmax(axis=1) + 1 if steps > 1 else np.full(n, steps)
    return np.where(np.any(still, axis=1), found, steps)
