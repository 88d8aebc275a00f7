"""Nonlinear conjugate gradient, Polak and Ribiere's with a restart where it would go back."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from .line_search import hypers, search
from .method import Method, Objective, State, evaluate, fresh, move, stay
from .quasi_newton import first_trial


def _step(state: State, objective: Objective, chosen: Mapping[str, float]) -> None:
    with np.errstate(all="ignore"):
        value, gradient = evaluate(objective, state["p"])
        if not gradient.any():
            return stay(state)
        rate = chosen["learning_rate"]
        direction, point = state["next"], None
        slope = float(direction @ gradient)
        if slope < 0:
            # Expect the same first-order change as in the step before (eq. 3.60).
            guess = state["length"] * state["slope"] / slope
            trial = guess if np.isfinite(guess) and guess > 0 else rate
            point = search(objective, state["p"], direction, value, gradient, trial, chosen)
        if point is None:
            direction = -gradient
            trial = first_trial(gradient, rate)
            point = search(objective, state["p"], direction, value, gradient, trial, chosen)
        if point is None:
            state["next"] = np.zeros_like(gradient)
            return stay(state)
        move(state, direction, point.length)
        state["slope"] = float(direction @ gradient)
        # The pair of gradients belongs to one step, so noise that changes from step to step stays out of it.
        beta = float(point.gradient @ (point.gradient - gradient)) / float(gradient @ gradient)
        state["next"] = -point.gradient + max(beta, 0.0) * direction


CG = Method(
    "cg",
    "Conjugate gradient",
    "Polak and Ribiere 1969; Nocedal and Wright 2006, eq. 5.45",
    hypers(0.1),
    (
        r"\theta_t = \theta_{t-1} + \alpha_t d_t",
        r"\beta_t = \max(0, \frac{\nabla J_t^T (\nabla J_t - \nabla J_{t-1})}"
        r"{\nabla J_{t-1}^T \nabla J_{t-1}})",
        r"d_{t+1} = -\nabla J_t + \beta_t d_t",
    ),
    lambda p: fresh(p, next=np.zeros(np.size(p)), slope=0.0),
    _step,
)
