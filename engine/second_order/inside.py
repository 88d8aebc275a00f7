"""The inside of a second-order step: gradient, curvature, direction, accepted length, step."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence

import numpy as np

from engine.quantity import Quantity

from ..optimizers.inside import factor, number
from .method import Method, Objective, State, StepFailed, Vector


def inside(method: Method, state: State, objective: Objective, hypers: Mapping[str, float]) -> tuple[Quantity, ...]:
    """The quantities of the step that `state` would take next; the state itself is left alone.

    In order: `gradient` [n], `eigenvalues` of the Hessian [n, ascending], `direction` [n], `length` [1] that
    was accepted along it, `step` [n]. Only the first two when the step fails.
    """
    after = copy.deepcopy(state)
    _, gradient = objective.value_gradient(state["p"])
    matrix = np.array(objective.hessian(state["p"]), np.float64)
    finite = bool(np.isfinite(matrix).all())
    eigenvalues = np.full(state["p"].size, np.nan)
    if finite:
        eigenvalues[:] = np.linalg.eigvalsh(matrix)
    first = (
        Quantity("gradient", r"\nabla J", _numbers(gradient), "gradient"),
        Quantity("eigenvalues", r"\lambda(H)", _numbers(eigenvalues), "scale"),
    )
    try:
        method.step(after, objective, hypers)
    except StepFailed:
        return first
    return (
        *first,
        Quantity("direction", "d_t", _numbers(after["direction"]), "momentum"),
        Quantity("length", r"\alpha_t", (float(after["length"]),), "scale"),
        Quantity("step", r"\Delta \theta", _numbers(after["p"] - state["p"]), "step"),
    )


def numbers(quantities: Sequence[Quantity]) -> str:
    """The step as length times direction with its numbers in LaTeX, one line per coordinate of a plane."""
    value = {quantity.name: quantity.value for quantity in quantities}
    if "direction" not in value:
        return ""
    length = number(value["length"][0])
    return "\n".join(
        rf"\Delta {letter} = {length} \cdot {factor(part)}"
        for letter, part in zip("xy", value["direction"], strict=True)
    )


def _numbers(values: Vector) -> tuple[float, ...]:
    return tuple(float(value) for value in values)
