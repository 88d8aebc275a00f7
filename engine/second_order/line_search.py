"""Line search for the strong Wolfe conditions (Nocedal and Wright 2006, Algorithms 3.5 and 3.6)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ..optimizers.rule import Hyper
from .method import Objective, Vector


@dataclass(frozen=True)
class Point:
    """A point on the line: its length along the direction, value, slope along the line, and gradient [n]."""

    length: float
    value: float
    slope: float
    gradient: Vector


def hypers(c2: float) -> tuple[Hyper, ...]:
    """The hyper-parameters of the search: first trial, the constants of the two conditions, the budget."""
    return (
        Hyper("learning_rate", 1.0, 1e-12, 1e6, "Trial step", "First length the search tries.", log=True),
        Hyper("c1", 1e-4, 1e-12, 0.5, "c1", "Share of the promised decrease that is enough.", log=True),
        Hyper("c2", c2, 1e-3, 0.9999, "c2", "Share of the slope that may remain."),
        Hyper("max_evaluations", 25.0, 1.0, 1000.0, "Evaluations", "Most in one search.", integer=True),
    )


class _Line:
    """The objective along p + length * direction, within a budget of evaluations."""

    def __init__(self, objective: Objective, p: Vector, direction: Vector, budget: int) -> None:
        self.objective, self.p, self.direction, self.left = objective, p, direction, budget

    def __call__(self, length: float) -> Point:
        """The point at `length`; a value that is not finite counts as +inf, a step too far."""
        self.left -= 1
        value, gradient = self.objective.value_gradient(self.p + length * self.direction)
        slope = float(gradient @ self.direction)
        if not (math.isfinite(value) and math.isfinite(slope)):
            return Point(length, math.inf, math.nan, np.array(gradient, np.float64))
        return Point(length, float(value), slope, np.array(gradient, np.float64))


def search(
    objective: Objective,
    p: Vector,
    direction: Vector,
    value: float,
    gradient: Vector,
    trial: float,
    chosen: Mapping[str, float],
) -> Point | None:
    """A point on the line that meets the strong Wolfe conditions, or None if no decrease was found.

    Sufficient decrease f(a) <= f(0) + c1 a f'(0) (eq. 3.7a) and small slope |f'(a)| <= c2 |f'(0)| (3.7b).
    When the budget ends first, the best point with sufficient decrease is taken. `direction` must descend.
    """
    c1, c2 = chosen["c1"], chosen["c2"]
    line = _Line(objective, p, direction, int(chosen["max_evaluations"]))
    start = Point(0.0, value, float(gradient @ direction), gradient)

    def decreased(point: Point) -> bool:
        return point.value <= start.value + c1 * point.length * start.slope

    before, length = start, trial
    while line.left > 0:
        point = line(length)
        if not decreased(point) or (before.length > 0 and point.value >= before.value):
            return _zoom(line, start, before, point, c1, c2)
        if abs(point.slope) <= -c2 * start.slope:
            return point
        if point.slope >= 0:
            return _zoom(line, start, point, before, c1, c2)
        before, length = point, 2.0 * length
    return before if before.length > 0 else None


def _zoom(line: _Line, start: Point, low: Point, high: Point, c1: float, c2: float) -> Point | None:
    """Narrow the bracket until a point in it will do (Algorithm 3.6); `low` always decreases enough."""
    while line.left > 0:
        length = _between(low, high)
        if length in (low.length, high.length):  # the bracket is as narrow as the numbers are
            break
        point = line(length)
        if point.value > start.value + c1 * length * start.slope or point.value >= low.value:
            high = point
            continue
        if abs(point.slope) <= -c2 * start.slope:
            return point
        if point.slope * (high.length - low.length) >= 0:
            high = low
        low = point
    return low if low.length > 0 and low.value < start.value else None


def _between(low: Point, high: Point) -> float:
    """The minimiser of the cubic through both ends (eq. 3.59), kept a tenth of the bracket away from them."""
    width = high.length - low.length
    length = low.length + 0.5 * width
    if math.isfinite(high.value) and math.isfinite(high.slope):
        d1 = low.slope + high.slope - 3.0 * (low.value - high.value) / (low.length - high.length)
        square = d1 * d1 - low.slope * high.slope
        if square >= 0:
            d2 = math.copysign(math.sqrt(square), width)
            bottom = high.slope - low.slope + 2.0 * d2
            if bottom != 0:
                length = high.length - width * (high.slope + d2 - d1) / bottom
    share = (length - low.length) / width
    share = min(max(share, 0.1), 0.9) if math.isfinite(share) else 0.5
    return low.length + share * width
