"""What changes while the race goes on, and what is only measured of it: computing time."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from engine.experiments._shared.trained.model import Array, Model

FEW = 4  # a call of fewer updates in all is not timed: its way in and out would weigh too much
MOST_CALLS = 1000  # whose times are kept


class Clock:
    """Computing time of each contestant's own training calls, in this thread: what the machine does beside it does
    not count. It is measured and never the same twice, so it belongs to no state, no column and no file: copies of a
    state share it. Seconds of a call are told to `tell`."""

    def __init__(self, contestants: int) -> None:
        self.seconds = np.zeros(contestants)
        self.updates = np.zeros(contestants)
        self.calls: list[list[float]] = [[] for _ in range(contestants)]

    def __deepcopy__(self, memo: dict[int, Any]) -> Clock:
        """Time that has passed has passed for all copies."""
        return self

    @staticmethod
    def now() -> float:
        """Seconds of computing of this thread."""
        return time.thread_time()

    def tell(self, s: int, seconds: float, updates: int, networks: int) -> None:
        """Contestant s has taken so many updates with each of so many networks, in so long."""
        if updates * networks >= FEW:
            self.seconds[s] += seconds
            self.updates[s] += updates * networks
            self.calls[s].append(seconds / (updates * networks))
            if len(self.calls[s]) > MOST_CALLS:
                self.calls[s] = self.calls[s][1::2]

    def each(self) -> Array:
        """Seconds of one update of one network, [S]: the median over the calls, which a hiccup does not move; their
        mean where the clock is too coarse for a call. nan where nothing was timed yet."""
        middle = np.array([np.median(calls) if calls else np.nan for calls in self.calls])
        with np.errstate(all="ignore"):
            mean = np.where(self.seconds > 0, self.seconds / self.updates, np.nan)
        return np.where(middle > 0, middle, mean)


@dataclass
class Trial:
    """The tuning under way: one network for each contestant, rate and tuning seed, in this order. params [L, P],
    numbers [L, 3, P], ended [L]: the step at which it was lost, or 0."""

    params: Array
    numbers: Array
    ended: Array


@dataclass
class State:
    """Everything that changes. params [S, J, P] and numbers [S, J, 3, P] (of which rule s uses `rows[s]`) of every
    contestant and seed; lost [S, J]: the update at which it was lost, or 0; seen: samples so far, each. rates [S]: the
    tuned ones, nan before they are; scores [S, G]: what tuning found. piled [S, J, P]: gradients that nobody clears,
    where optimizers hold another network. first [S, J]: loss of the first batch; audits [2]: how many were made, and
    the worst of them. told: (update, losses [S, J]) of every measurement. row: the last row of every column."""

    step: int
    params: Array
    numbers: Array
    rows: list[int]
    lost: Array
    seen: int
    rates: Array
    scores: Array
    piled: Array
    first: Array
    audits: Array
    row: Array
    model: Model = field(metadata={"scratch": True})
    clock: Clock = field(metadata={"scratch": True})
    trial: Trial | None = None
    told: list[tuple[int, Array]] = field(default_factory=list)
    ended: dict[int, int] = field(default_factory=dict)

    def __deepcopy__(self, memo: dict[int, Any]) -> State:
        """A snapshot; what a rule does not use are zeros, which take no memory until they are written. What was told
        never changes and is shared."""
        numbers = np.zeros(self.numbers.shape, self.numbers.dtype)
        for s, rows in enumerate(self.rows):
            numbers[s, :, :rows] = self.numbers[s, :, :rows]
        trial = self.trial and Trial(self.trial.params.copy(), self.trial.numbers.copy(), self.trial.ended.copy())
        return State(
            self.step, self.params.copy(), numbers, list(self.rows), self.lost.copy(), self.seen, self.rates.copy(),
            self.scores.copy(), self.piled.copy(), self.first.copy(), self.audits.copy(), self.row.copy(), self.model,
            self.clock, trial, list(self.told), dict(self.ended),
        )  # fmt: skip


def spread(values: Array, band: str) -> tuple[Array, Array, Array]:
    """Median, lower and upper edge of the band over the last axis. Who is lost counts as infinitely bad; nan where
    nothing was measured."""
    ordered = np.sort(values, axis=-1)
    n = ordered.shape[-1]

    def at(share: float) -> Array:
        place = share * (n - 1)
        low, high = ordered[..., int(np.floor(place))], ordered[..., int(np.ceil(place))]
        with np.errstate(invalid="ignore"):
            between = low + (place - np.floor(place)) * (high - low)
        return np.where(low == high, low, np.where(np.isinf(high), high, between))

    edges = (0.0, 1.0) if band == "all" else (0.25, 0.75)
    return at(0.5), at(edges[0]), at(edges[1])
