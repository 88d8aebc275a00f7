"""What a step costs before anybody takes it: a rough count of multiplications, and the memory of each method."""

from __future__ import annotations

from typing import Any

import numpy as np

from .methods import CONTESTANTS
from .network import Array
from .settings import LOGISTIC, SIZE
from .work import count, shape_of

DENSEST = 2000  # parameters at which a matrix of n x n is 32 MB
MOST = 2e10  # multiplications of one step: about a second


def shapes(sizes: tuple[int, ...]) -> tuple[tuple[int, int], ...]:
    """The layers' matrices, biases included."""
    return tuple((sizes[i] + 1, sizes[i + 1]) for i in range(len(sizes) - 1))


def kept(name: str, sizes: tuple[int, ...], pairs: int, quadratic: bool = False) -> float:
    """Bytes that a method keeps beside the parameters, by its formula."""
    if quadratic:
        return 8.0 * CONTESTANTS[name].kept(((2, 1),), 2, pairs)
    return 8.0 * CONTESTANTS[name].kept(shapes(sizes), count(sizes), pairs)


def products(name: str, sizes: tuple[int, ...], samples: int) -> float:
    """Multiplications of one step, roughly; those of a Hessian that is made column by column count fivefold, because
    they wait for memory."""
    n = count(sizes)
    gradient = 3.0 * samples * n
    if name in ("sgd", "adam", "lbfgs"):
        return gradient + 40.0 * n
    if name == "bfgs":
        return 2.0 * gradient + 5.0 * n * n
    if name == "kfac":
        outer = sum(a**3 + g**3 + (a + g) * a * g + samples * (a * a + g * g) for a, g in shapes(sizes))
        return (2.0 + sizes[-1]) * gradient + outer
    solve = n**3 / 3.0
    if name == "natural":
        return gradient + solve + samples * sizes[-1] * n * n
    return gradient + solve + (samples * n * n if len(sizes) == 2 else 5.0 * n * 2.0 * gradient)


def ladder(spec: Any) -> list[tuple[int, ...]]:
    """The sizes of the sweep, each as a Network has them: more inputs, or more hidden units."""
    found: list[tuple[int, ...]] = []
    for n in np.geomspace(spec.lowest, spec.highest, spec.count):
        sizes = of_about(spec, float(n))
        if sizes not in found:
            found.append(sizes)
    return found


def of_about(spec: Any, n: float) -> tuple[int, ...]:
    """The sizes of the family that have about n parameters."""
    narrow = shape_of(spec, hidden=(1,))
    if spec.problem == LOGISTIC:
        return shape_of(spec, inputs=max(1, round(n / narrow[-1]) - 1))
    each = narrow[0] + 1 + narrow[-1]
    return shape_of(spec, hidden=(max(1, round((n - narrow[-1]) / each)),))


def largest(spec: Any) -> tuple[int, ...]:
    """The largest network or regression of a run."""
    return ladder(spec)[-1] if spec.study == SIZE else shape_of(spec)


def decades(spec: Any, low: float, high: float, points: int = 61) -> tuple[Array, list[tuple[int, ...]]]:
    """Numbers of parameters from low to high, and the sizes of the family that come nearest: [points]."""
    found = [of_about(spec, float(n)) for n in np.geomspace(low, high, points)]
    every = list(dict.fromkeys(found))
    return np.array([count(sizes) for sizes in every], float), every
