"""BFGS for many parameters: the house's line search, with an update of the matrix that costs n^2 and not n^3."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from engine.second_order.line_search import search
from engine.second_order.method import State, evaluate, move, stay
from engine.second_order.quasi_newton import curved, first_trial


def bfgs_step(state: State, objective: Any, hypers: Mapping[str, Any]) -> None:
    """One iteration of Nocedal and Wright's Algorithm 6.1; eq. 6.17 multiplied out, so that no matrices multiply.

    Where the search fails along the direction of the matrix, the matrix is forgotten and the gradient followed.
    """
    with np.errstate(all="ignore"):
        value, gradient = evaluate(objective, state["p"])
        if not gradient.any():
            return stay(state)
        point = None
        if state["pairs"]:
            direction = -(state["inverse"] @ gradient)
            if np.isfinite(direction).all() and direction @ gradient < 0:
                point = search(objective, state["p"], direction, value, gradient, hypers["learning_rate"], hypers)
        if point is None:
            state["inverse"], state["pairs"] = np.eye(gradient.size), 0
            direction = -gradient
            trial = first_trial(gradient, hypers["learning_rate"])
            point = search(objective, state["p"], direction, value, gradient, trial, hypers)
        if point is None:
            return stay(state)
        move(state, direction, point.length)
        s, y = point.length * direction, point.gradient - gradient
        if not curved(s, y):
            return
        if state["pairs"] == 0:
            state["inverse"] = float(s @ y) / float(y @ y) * np.eye(s.size)  # eq. 6.20
        inverse, sy = state["inverse"], float(s @ y)
        turned = inverse @ y
        half = (0.5 * (1.0 + float(y @ turned) / sy) / sy) * s - turned / sy
        new = np.outer(s, half)
        state["inverse"] = inverse + (new + new.T)  # symmetric to the last bit
        state["pairs"] += 1
