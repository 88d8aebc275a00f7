"""The run whose loss reduce on plateau watches: gradient descent on a bowl, with noise in the gradient.

f(x, y) = (x^2 + 10 y^2) / 2 from (1, 1). The step after step k adds the noise of step k to the exact gradient and goes
against it at the rate in force at step k; then the loss is measured and handed to the machine, which sets the rate of
step k + 1. The arithmetic is plain and in one order, so that a script repeats it bit for bit.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from engine.randomness import normals
from engine.schedules import Plateau, PlateauState

CURVATURE = 10.0
START = (1.0, 1.0)
PURPOSE = "plateau"


@dataclass
class Watched:
    """Where the run stands, what the machine remembers, and the peak rate in force."""

    x: float
    y: float
    machine: PlateauState
    peak: float

    @property
    def loss(self) -> float:
        """The height of the bowl here."""
        return (self.x * self.x + CURVATURE * self.y * self.y) / 2.0


def machine(spec: Any) -> Plateau:
    """The machine as set."""
    return Plateau(**{name: getattr(spec.plateau, name) for name in Plateau.__dataclass_fields__})


def start(spec: Any) -> Watched:
    """At the start, at the peak rate."""
    return Watched(*START, machine(spec).start(spec.base_lr), spec.base_lr)


def run(watched: Watched, spec: Any, first: int, n: int) -> tuple[np.ndarray[Any, Any], int, str]:
    """The n steps after step `first`: rows [n, 2] of rate and loss, how many were taken, and why it ended, if it did.

    A change of the peak rate multiplies the rate that the machine has come to.
    """
    rows = np.full((n, 2), np.nan)
    noise = (spec.plateau.noise * normals(spec.seed, PURPOSE, first, n)).tolist() if spec.plateau.noise > 0 else None
    follows = machine(spec)
    for i in range(n):
        gx, gy = watched.x, CURVATURE * watched.y
        if noise is not None:
            gx, gy = gx + noise[i][0], gy + noise[i][1]
        rate = watched.machine.rate
        watched.x, watched.y = watched.x - rate * gx, watched.y - rate * gy
        loss = watched.loss
        follows.advance(watched.machine, loss)
        if watched.peak != spec.base_lr:
            watched.machine.rate *= spec.base_lr / watched.peak
            watched.peak = spec.base_lr
        rows[i] = watched.machine.rate, loss
        if not math.isfinite(loss):
            return rows, i + 1, f"the loss it watches {'is not a number' if math.isnan(loss) else 'overflowed'}"
    return rows, n, ""
