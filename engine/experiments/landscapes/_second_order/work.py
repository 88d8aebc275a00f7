"""What is minimised, from the settings: samples, shape, first parameters, and the minimum where it is known."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from engine.data import load
from engine.randomness import generator
from engine.second_order.method import StepFailed

from .methods import CONTESTANTS
from .network import Array, first_weights, with_ones
from .objective import Classifier, Problem, Quadratic, Watched
from .samples import made
from .settings import DIGITS, LOGISTIC, MADE, NETWORK, QUADRATIC

SPREAD = 0.1  # noise of the samples in the plane
NEWTON_UP_TO = 400  # parameters; beyond, L-BFGS looks for the minimum
_REFERENCE = {"learning_rate": 1.0, "damping": 1e-3, "adapt": True, "c1": 1e-4, "c2": 0.9, "max_evaluations": 25,
              "history": 20}  # fmt: skip
_ROUNDS = {"newton": 60, "lbfgs": 1000}
_SMALL = 1e-12  # of the first gradient


@dataclass(frozen=True, eq=False)
class Work:
    """`sizes` as a Network has them; `start` [n]; `minimum` of the loss, 0 where it is not known."""

    problem: Classifier | Quadratic
    start: Array
    sizes: tuple[int, ...]
    minimum: float
    known: bool

    def __deepcopy__(self, memo: dict[int, Any]) -> Work:
        """It never changes."""
        return self

    @property
    def shapes(self) -> tuple[tuple[int, int], ...]:
        """Of the layers' matrices; the quadratic is one layer of two inputs, without a bias."""
        return self.problem.shapes if isinstance(self.problem, Classifier) else ((2, 1),)

    def on(self, rows: Array | None) -> Problem:
        """The problem on these samples only; None: on all."""
        if rows is None or isinstance(self.problem, Quadratic):
            return self.problem
        return self.problem.on(rows)


def shape_of(spec: Any, inputs: int | None = None, hidden: tuple[int, ...] | None = None) -> tuple[int, ...]:
    """Inputs, hidden units and outputs; `inputs` and `hidden` in place of those set."""
    if spec.problem == QUADRATIC:
        return (2, 1)
    own, classes = (spec.inputs, spec.classes) if spec.data == MADE else (64, 10) if spec.data == DIGITS else (2, 2)
    middle = () if spec.problem == LOGISTIC else spec.hidden if hidden is None else hidden
    return (own if inputs is None else inputs, *middle, 1 if classes == 2 else classes)


def count(sizes: tuple[int, ...]) -> int:
    """How many parameters a network of these sizes has."""
    return sum((sizes[i] + 1) * sizes[i + 1] for i in range(len(sizes) - 1))


def work_of(spec: Any, sizes: tuple[int, ...] | None = None) -> Work:
    """The problem as set, or one of other `sizes`. What was made last is kept."""
    given = spec.data, spec.samples, spec.classes, spec.condition, spec.l2, spec.seed
    return _made_up(spec.problem, sizes or shape_of(spec), *given)


@lru_cache(maxsize=4)  # it cannot be changed, so a page and its pictures may share it
def _made_up(
    problem: str, sizes: tuple[int, ...], data: str, samples: int, classes: int, condition: float, l2: float, seed: int
) -> Work:
    if problem == QUADRATIC:
        return Work(Quadratic(), Quadratic.start, sizes, 0.0, True)
    x, label = _samples(data, samples, sizes[0], classes, condition, seed)
    y = label[:, None].astype(float) if sizes[-1] == 1 else np.eye(sizes[-1])[label]
    found = Classifier(sizes, with_ones(x), y, l2)
    start = first_weights(sizes, generator(seed, "first weights"))
    known = problem != NETWORK and l2 > 0.0
    return Work(found, start, sizes, _minimum(found, start) if known else 0.0, known)


def _samples(data: str, samples: int, inputs: int, classes: int, condition: float, seed: int) -> tuple[Array, Array]:
    """x [samples, inputs] and classes [samples]."""
    if data == MADE:
        return made(samples, inputs, classes, condition, seed)
    if data == DIGITS:
        digits = load(DIGITS)
        rows = np.sort(generator(seed, "which digits").permutation(digits.samples)[:samples])
        return digits.x[rows], digits.y[rows]
    points = load(data, n=samples, noise=SPREAD, seed=seed)
    return points.x, points.y[:, 0].astype(np.int64)


def _minimum(problem: Classifier, start: Array) -> float:
    """The lowest loss of a convex problem, to rounding: a run of its own, to a gradient of nearly nothing."""
    name = "newton" if problem.parameters <= NEWTON_UP_TO else "lbfgs"
    state = CONTESTANTS[name].start(start)
    lowest, gradient = problem.value_gradient(start)
    first = float(np.linalg.norm(gradient))
    for _ in range(_ROUNDS[name]):
        try:
            CONTESTANTS[name].step(state, Watched(problem, state.get("memo")), _REFERENCE)
        except StepFailed:
            break
        value, gradient = problem.value_gradient(state["p"])
        lowest = min(lowest, value)
        if float(np.linalg.norm(gradient)) <= _SMALL * first or state["length"] == 0.0:
            break
    return lowest
