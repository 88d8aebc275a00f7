"""BFGS and L-BFGS: the inverse Hessian built up from the gradients met on the way."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from ..optimizers.rule import Hyper
from .line_search import Point, hypers, search
from .method import Method, Objective, State, Vector, evaluate, fresh, move, stay


def first_trial(gradient: Vector, learning_rate: float) -> float:
    """The first length along -gradient, with the curvature unknown: a move of at most learning_rate."""
    return learning_rate * min(1.0, 1.0 / float(np.abs(gradient).sum()))


def curved(s: Vector, y: Vector) -> bool:
    """Whether the pair shows positive curvature beyond rounding, so that it may enter the memory."""
    return float(s @ y) > float(np.finfo(np.float64).eps * np.linalg.norm(s) * np.linalg.norm(y))


def _iterate(
    state: State,
    objective: Objective,
    chosen: Mapping[str, float],
    size: int,
    direction_of: Callable[[Vector], Vector],
    forget: Callable[[], None],
) -> tuple[Vector, Vector] | None:
    """One iteration: direction, search, move. Returns the pair (s, y) [n] each, or None if it stays.

    `size` is how many pairs the memory holds. If the search fails along a direction from the memory, the
    memory is dropped and the search repeated along the negative gradient.
    """
    value, gradient = evaluate(objective, state["p"])
    if not gradient.any():
        stay(state)
        return None
    rate = chosen["learning_rate"]
    point: Point | None = None
    if size > 0:
        direction = direction_of(gradient)
        if np.isfinite(direction).all() and direction @ gradient < 0:
            point = search(objective, state["p"], direction, value, gradient, rate, chosen)
        if point is None:
            forget()
    if point is None:
        direction = -gradient
        trial = first_trial(gradient, rate)
        point = search(objective, state["p"], direction, value, gradient, trial, chosen)
    if point is None:
        stay(state)
        return None
    move(state, direction, point.length)
    return point.length * direction, point.gradient - gradient


def _bfgs(state: State, objective: Objective, chosen: Mapping[str, float]) -> None:
    identity = np.eye(state["p"].size)

    def forget() -> None:
        state["inverse"], state["pairs"] = identity, 0

    with np.errstate(all="ignore"):
        pair = _iterate(
            state, objective, chosen, state["pairs"], lambda gradient: -(state["inverse"] @ gradient), forget
        )
        if pair is None or not curved(*pair):
            return
        s, y = pair
        if state["pairs"] == 0:
            state["inverse"] = float(s @ y) / float(y @ y) * identity  # eq. 6.20: the size of the true one
        rho = 1.0 / float(s @ y)
        left = identity - rho * np.outer(s, y)
        new = left @ state["inverse"] @ left.T + rho * np.outer(s, s)  # eq. 6.17
        state["inverse"] = 0.5 * (new + new.T)  # rounding must not make it lopsided
        state["pairs"] += 1


def _two_loops(gradient: Vector, steps: Vector, changes: Vector) -> Vector:
    """The direction -H g from the pairs kept (Algorithm 7.4); steps and changes are [pairs, n], oldest
    first."""
    q = gradient.copy()
    shares = np.zeros(len(steps))
    for i in reversed(range(len(steps))):
        shares[i] = (steps[i] @ q) / (steps[i] @ changes[i])
        q = q - shares[i] * changes[i]
    q = q * ((steps[-1] @ changes[-1]) / (changes[-1] @ changes[-1]))
    for i in range(len(steps)):
        q = q + (shares[i] - (changes[i] @ q) / (steps[i] @ changes[i])) * steps[i]
    return np.asarray(-q, np.float64)


def _lbfgs(state: State, objective: Objective, chosen: Mapping[str, float]) -> None:
    kept = int(chosen["history"])
    state["steps"], state["changes"] = state["steps"][-kept:], state["changes"][-kept:]

    def forget() -> None:
        state["steps"], state["changes"] = state["steps"][:0], state["changes"][:0]

    with np.errstate(all="ignore"):
        pair = _iterate(
            state,
            objective,
            chosen,
            len(state["steps"]),
            lambda gradient: _two_loops(gradient, state["steps"], state["changes"]),
            forget,
        )
        if pair is None or not curved(*pair):
            return
        state["steps"] = np.vstack([state["steps"], pair[0]])[-kept:]
        state["changes"] = np.vstack([state["changes"], pair[1]])[-kept:]


def _start_lbfgs(p: Vector) -> State:
    empty = np.zeros((0, np.size(p)))
    return fresh(p, steps=empty, changes=empty.copy())


_PAIR = r"s_t = \theta_t - \theta_{t-1}, \quad y_t = \nabla J(\theta_t) - \nabla J(\theta_{t-1})"

BFGS = Method(
    "bfgs",
    "BFGS",
    "Nocedal and Wright 2006, Algorithm 6.1",
    hypers(0.9),
    (
        r"d_t = -B_{t-1} \nabla J(\theta_{t-1})",
        r"\theta_t = \theta_{t-1} + \alpha_t d_t",
        _PAIR,
        r"B_t = (I - \rho_t s_t y_t^T) B_{t-1} (I - \rho_t y_t s_t^T) + \rho_t s_t s_t^T, \quad "
        r"\rho_t = \frac{1}{y_t^T s_t}",
    ),
    lambda p: fresh(p, inverse=np.eye(np.size(p)), pairs=0),
    _bfgs,
)

LBFGS = Method(
    "lbfgs",
    "L-BFGS",
    "Liu and Nocedal 1989; Nocedal and Wright 2006, Algorithms 7.4 and 7.5",
    (*hypers(0.9), Hyper("history", 10.0, 1.0, 1000.0, "History", "Pairs remembered.", integer=True)),
    (
        r"d_t = -B_{t-1} \nabla J(\theta_{t-1})",
        r"\theta_t = \theta_{t-1} + \alpha_t d_t",
        _PAIR,
        r"B_t v = \mathrm{two\ loops\ over\ the\ last\ pairs}\ (s_i, y_i)",
    ),
    _start_lbfgs,
    _lbfgs,
)
