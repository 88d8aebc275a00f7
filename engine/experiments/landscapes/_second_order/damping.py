"""Newton's method and natural gradient: one linear system a step, damped as Levenberg and Marquardt do it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from engine.second_order.method import State, StepFailed, evaluate, move, place, stay

from .network import Array

GOOD, BAD = 0.75, 0.25  # of the decrease promised: above, trust the model more; below, less
FACTOR = 4.0  # by which the damping then changes
TRIES = 12  # in one step
LEAST = 1e-12  # damping that a failure can begin to multiply


def restarted(state: State, hypers: Mapping[str, Any]) -> None:
    """Take up the damping as set, at the start and whenever it is set anew."""
    if state["set"] != hypers["damping"]:
        state["set"] = state["damping"] = float(hypers["damping"])


def adapted(damping: float, kept: float, promised: float) -> float:
    """The damping for the next step, by how much of the decrease `promised` was `kept` (Moré 1978, section 4)."""
    if kept > GOOD * promised:
        return damping / FACTOR
    return damping if kept >= BAD * promised else max(damping, LEAST) * FACTOR


def damped_step(state: State, objective: Any, matrix: Array, hypers: Mapping[str, Any]) -> None:
    """Solve (matrix + damping I) d = -gradient and go learning_rate along d.

    Where it is to adapt, a step that does not lower the loss is tried again with more damping, and the next step's
    follows from how well the quadratic model foretold this one. Raises StepFailed where the matrix is singular.
    """
    restarted(state, hypers)
    p, rate = state["p"], hypers["learning_rate"]
    value, gradient = evaluate(objective, p)
    if not gradient.any():
        return stay(state)
    if not np.isfinite(matrix).all():
        raise StepFailed(f"the matrix is not finite at {place(p)}")
    state["held"] = matrix.nbytes
    damped = matrix.copy()
    for _ in range(TRIES if hypers["adapt"] else 1):
        np.fill_diagonal(damped, np.diagonal(matrix) + state["damping"])
        try:
            direction = np.asarray(np.linalg.solve(damped, -gradient), np.float64)
        except np.linalg.LinAlgError:
            if not hypers["adapt"]:
                raise StepFailed(f"the matrix is singular at {place(p)}; damping helps") from None
            state["damping"] = _more(state["damping"], matrix)
            continue
        if not hypers["adapt"]:
            return move(state, direction, rate)
        kept = value - objective.value(p + rate * direction)
        promised = -rate * float(gradient @ direction) - 0.5 * rate**2 * float(direction @ (matrix @ direction))
        if kept >= 0.0 and promised > 0.0:
            state["damping"] = adapted(state["damping"], kept, promised)
            return move(state, direction, rate)
        state["damping"] = _more(state["damping"], matrix)
    stay(state)


def _more(damping: float, matrix: Array) -> float:
    """More damping after a failure, at once of a size that the matrix notices."""
    return FACTOR * max(damping, 1e-4 * float(np.abs(np.diagonal(matrix)).mean()), LEAST)


def newton_step(state: State, objective: Any, hypers: Mapping[str, Any]) -> None:
    """The exact Hessian."""
    damped_step(state, objective, objective.hessian(state["p"]), hypers)


def natural_step(state: State, objective: Any, hypers: Mapping[str, Any]) -> None:
    """The Fisher matrix in the Hessian's place, and the penalty's own curvature (Amari 1998)."""
    matrix = objective.fisher(state["p"])
    np.fill_diagonal(matrix, np.diagonal(matrix) + objective.l2)
    damped_step(state, objective, matrix, hypers)
