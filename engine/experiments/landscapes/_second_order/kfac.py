"""K-FAC: natural gradient with every layer's block as a Kronecker product of two small matrices.

Martens and Grosse 2015, Algorithm 2, in its block-diagonal form and on all samples at once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from engine.second_order.method import State, StepFailed, evaluate, move, stay

from .damping import LEAST, TRIES, adapted, restarted
from .network import Array


def preconditioned(factors: Sequence[tuple[Array, Array]], gradient: Array, gamma: float) -> Array:
    """(A + pi gamma I)^-1 V (G + gamma/pi I)^-1 of every layer's gradient V, as one flat vector [n].

    Factored Tikhonov damping, section 6.3: pi^2 is the ratio of the factors' mean eigenvalues.
    """
    found, first = [], 0
    for a, g in factors:
        block = gradient[first : first + len(a) * len(g)].reshape(len(a), len(g))
        first += block.size
        means = np.trace(a) / len(a), np.trace(g) / len(g)
        ratio = np.sqrt(means[0] / means[1]) if min(means) > 0.0 else 1.0
        left = np.linalg.solve(a + ratio * gamma * np.eye(len(a)), block)
        found.append(np.linalg.solve(g + gamma / ratio * np.eye(len(g)), left.T).T.ravel())
    return np.concatenate(found)


def kfac_step(state: State, objective: Any, hypers: Mapping[str, Any]) -> None:
    """One step: precondition, then as far along it (and along the last step) as the exact Fisher matrix says.

    `rescale` off: learning_rate times the preconditioned gradient. Raises StepFailed where a factor is singular.
    """
    restarted(state, hypers)
    p = state["p"]
    value, gradient = evaluate(objective, p)
    if not gradient.any():
        return stay(state)
    factors = objective.factors(p)
    state["held"] = sum(a.nbytes + g.nbytes for a, g in factors)
    for _ in range(TRIES if hypers["adapt"] else 1):
        damping = state["damping"] + objective.l2
        try:
            with np.errstate(all="ignore"):
                direction = -preconditioned(factors, gradient, float(np.sqrt(damping)))
            if not np.isfinite(direction).all():
                raise np.linalg.LinAlgError
        except np.linalg.LinAlgError:
            if not hypers["adapt"]:
                raise StepFailed("a Kronecker factor is singular; damping helps") from None
            state["damping"] = 4.0 * max(state["damping"], 1e-8)
            continue
        step, promised = _scaled(state, objective, gradient, direction, damping, hypers)
        if not hypers["adapt"]:
            return _taken(state, step, hypers)
        kept = value - objective.value(p + step)
        if kept >= 0.0 and promised > 0.0:
            state["damping"] = adapted(state["damping"], kept, promised)
            return _taken(state, step, hypers)
        state["damping"] = 4.0 * max(state["damping"], LEAST**0.5)
        state["last"] = np.zeros_like(state["last"])
    stay(state)


def _taken(state: State, step: Array, hypers: Mapping[str, Any]) -> None:
    if hypers["momentum"]:
        state["last"] = step
    move(state, step, 1.0)


def _scaled(
    state: State, objective: Any, gradient: Array, direction: Array, damping: float, hypers: Mapping[str, Any]
) -> tuple[Array, float]:
    """The step and the decrease that the quadratic model promises of it (sections 6.4 and 7)."""
    if not hypers["rescale"]:
        step = hypers["learning_rate"] * direction
        form = objective.fisher_form(state["p"], step[None])[0, 0] + damping * float(step @ step)
        return step, -float(gradient @ step) - 0.5 * float(form)
    vectors = direction[None]
    if hypers["momentum"] and state["last"].any():
        vectors = np.stack([direction, state["last"]])
    form = objective.fisher_form(state["p"], vectors) + damping * (vectors @ vectors.T)
    slopes = vectors @ gradient
    shares = np.linalg.lstsq(form, -slopes, rcond=1e-12)[0]  # the two may be parallel
    return shares @ vectors, -0.5 * float(slopes @ shares)
