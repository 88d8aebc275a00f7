"""Reduce on plateau: a small machine that follows a metric, as torch's ReduceLROnPlateau."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass
class PlateauState:
    """Everything that changes: the rate in force, the best metric, bad ones in a row, what is left of the cooldown."""

    rate: float
    best: float
    bad: int = 0
    cooldown: int = 0


@dataclass(frozen=True)
class Plateau:
    """After more than `patience` metrics in a row that are no better, the rate is multiplied by `factor`.

    A metric is better if it is below (mode `min`) or above (`max`) the best by more than `threshold`, as a share of
    the best (`rel`) or as it is (`abs`). For `cooldown` metrics after a cut none counts as bad. A rate never falls
    below min_lr, and a cut by no more than eps is not made. A metric that is not a number is bad.
    """

    mode: str = "min"
    factor: float = 0.1
    patience: int = 10
    threshold: float = 1e-4
    threshold_mode: str = "rel"
    cooldown: int = 0
    min_lr: float = 0.0
    eps: float = 1e-8

    def start(self, rate: float) -> PlateauState:
        """The state before any metric."""
        return PlateauState(float(rate), math.inf if self.mode == "min" else -math.inf)

    def better(self, metric: float, best: float) -> bool:
        """Whether a metric is better than the best so far."""
        sign = -1.0 if self.mode == "min" else 1.0
        margin = best * (1.0 + sign * self.threshold) if self.threshold_mode == "rel" else best + sign * self.threshold
        return metric < margin if self.mode == "min" else metric > margin

    def advance(self, state: PlateauState, metric: float) -> float:
        """Take in one metric: changes the state, and returns the rate now in force."""
        if self.better(metric, state.best):
            state.best, state.bad = metric, 0
        else:
            state.bad += 1
        if state.cooldown > 0:
            state.cooldown -= 1
            state.bad = 0
        if state.bad > self.patience:
            lower = max(state.rate * self.factor, self.min_lr)
            if state.rate - lower > self.eps:
                state.rate = lower
            state.cooldown, state.bad = self.cooldown, 0
        return state.rate
