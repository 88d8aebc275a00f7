"""When to stop: a small machine that watches one loss."""

from __future__ import annotations

import math
from dataclasses import dataclass

COUNTING = {"reached": "at the last one allowed", "beyond": "at the first one beyond"}


@dataclass
class Watch:
    """What it remembers: best loss, when that was, bad evaluations in a row since, when it stopped (-1: not yet)."""

    best: float = math.inf
    best_at: int = -1
    bad: int = 0
    stopped: int = -1


@dataclass(frozen=True)
class Patience:
    """Stops after `patience` evaluations in a row that were not better than the best by more than `min_delta`.

    `reached`: at the patience-th bad one (Keras, Lightning). `beyond`: at the one after it (the chapter's listing, and
    PyTorch's reduce on plateau). A loss that is not a number is bad.
    """

    patience: int
    min_delta: float = 0.0
    counting: str = "reached"

    def advance(self, watch: Watch, loss: float, at: int) -> bool:
        """Take in the loss measured at `at`; returns whether it is the new best."""
        if loss < watch.best - self.min_delta:
            watch.best, watch.best_at, watch.bad = loss, at, 0
            return True
        watch.bad += 1
        if watch.bad >= self.patience + int(self.counting == "beyond"):
            watch.stopped = at
        return False
