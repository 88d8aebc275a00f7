"""Newton's method, damped."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ..optimizers.rule import Hyper
from .method import Method, Objective, State, StepFailed, evaluate, fresh, move, place, stay


def _step(state: State, objective: Objective, hypers: Mapping[str, float]) -> None:
    """Solve (H + damping I) d = -g and go learning_rate along d.

    Nothing makes H positive: plain Newton walks to saddles and maxima as gladly as to minima. Raises
    StepFailed where the matrix is singular to machine precision.
    """
    p = state["p"]
    _, gradient = evaluate(objective, p)
    if not gradient.any():
        return stay(state)
    matrix = np.array(objective.hessian(p), np.float64) + hypers["damping"] * np.eye(p.size)
    if not np.isfinite(matrix).all():
        raise StepFailed(f"Hessian is not finite at {place(p)}")
    sizes = np.abs(np.linalg.eigvalsh(matrix))
    if sizes.min() <= p.size * np.finfo(np.float64).eps * sizes.max():
        damped = " even with the damping" if hypers["damping"] > 0 else ""
        raise StepFailed(f"Hessian is singular at {place(p)}{damped}")
    move(state, np.asarray(np.linalg.solve(matrix, -gradient), np.float64), hypers["learning_rate"])


NEWTON = Method(
    "newton",
    "Newton",
    "Nocedal and Wright 2006, section 3.3; Levenberg 1944 for the damping",
    (
        Hyper("learning_rate", 1.0, 1e-6, 2.0, "Step length", "1 is the full Newton step.", log=True),
        Hyper("damping", 0.0, 0.0, 1e6, "Damping", "Added to the Hessian's diagonal: 0 is plain Newton."),
    ),
    (
        r"(H_{t-1} + \mu I) d_t = -\nabla J(\theta_{t-1})",
        r"\theta_t = \theta_{t-1} + \eta d_t",
    ),
    lambda p: fresh(p),
    _step,
)
