"""How updates, samples, epochs and steps belong together for one contestant."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.experiments.landscapes._minibatch.settings import ALL, MinibatchSpec, shape, size_of

Whole = NDArray[np.int64]


@dataclass(frozen=True)
class Pace:
    """A contestant's `size` of batch out of `samples`, in `epochs` or as an endless row of draws; `each`: samples in a
    step, 0 where a step is an update."""

    size: int
    samples: int
    epochs: bool
    each: int

    @property
    def per_epoch(self) -> int:
        """Updates in an epoch; the last batch may be smaller."""
        return -(-self.samples // self.size)

    def updates(self, steps: Whole) -> Whole:
        """Updates made after so many steps."""
        if not self.each:
            return steps
        seen = steps * self.each
        if not self.epochs:
            made: Whole = seen // self.size
            return made
        whole, part = np.divmod(seen, self.samples)
        made = whole * self.per_epoch + part // self.size
        return made

    def seen(self, updates: Whole) -> Whole:
        """Samples seen after so many updates."""
        if not self.epochs:
            seen: Whole = updates * self.size
            return seen
        whole, part = np.divmod(updates, self.per_epoch)
        seen = whole * self.samples + part * self.size
        return seen

    def ends(self, first: int, last: int) -> NDArray[np.bool_]:
        """Which of the updates first + 1 ... last end an epoch: [updates]."""
        numbers = np.arange(first, last + 1)
        if self.epochs:
            over: NDArray[np.bool_] = numbers[1:] % self.per_epoch == 0
            return over
        over = np.diff(numbers * self.size // self.samples) > 0
        return over

    def begins(self, first: int, last: int) -> Whole:
        """Where the batches of these updates begin in the row of samples, and where the last of them ends, counted from
        its own beginning: [updates + 1]."""
        at = self.seen(np.arange(first, last + 1))
        at -= at[0]
        return at


def pace_of(spec: MinibatchSpec, name: str) -> Pace:
    """The pace of a contestant; all samples together are one epoch each time."""
    each = spec.samples_per_step if spec.clock == "samples" else 0
    return Pace(size_of(spec, name), shape(spec)[0], name == ALL or spec.sampling in ("chapter", "shuffle"), each)
