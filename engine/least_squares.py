"""Penalised least squares, solved and not iterated where there is a closed form.

Everywhere the intercept is free: inputs and targets are centred first. x: [n, p]; y: [n]; weights: [p].
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
SWEEPS = 100_000  # of coordinate descent at the most
CLOSE = 1e-14  # the duality gap asked for, against the sum of squares of y


def centred(x: Array, y: Array) -> tuple[Array, Array, Array, float]:
    """x and y without their means, and the means: x [n, p], y [n], [p], a number."""
    mean_x, mean_y = x.mean(axis=0), float(y.mean())
    return x - mean_x, y - mean_y, mean_x, mean_y


def ridge(x: Array, y: Array, penalty: float) -> Array:
    """The weights [p] that minimise ||y - x w||^2 + penalty ||w||^2, for centred x and y.

    By the singular values of x (Hoerl and Kennard 1970): w = V diag(s / (s^2 + penalty)) U' y. Without a penalty the
    solution of smallest norm: singular values below rounding count as zero.
    """
    u, s, vt = np.linalg.svd(x, full_matrices=False)
    small = np.finfo(float).eps * max(x.shape) * (s[0] if len(s) else 0.0)
    s = np.where(s > small, s, 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        factors = np.where(s > 0, s / (s * s + penalty), 0.0)
    weights: Array = vt.T @ (factors * (u.T @ y))
    return weights


def elastic_net(x: Array, y: Array, l1: float, l2: float) -> Array:
    """The weights [p] that minimise ||y - x w||^2 + l1 |w|_1 + l2 ||w||^2, for centred x and y.

    Coordinate descent with soft thresholds (Friedman, Hastie and Tibshirani 2010) until the duality gap is closed;
    weights that the penalty takes away are exactly zero. `l1` 0 is solved as ridge.
    """
    if l1 <= 0:
        return ridge(x, y, l2)
    from engine.coordinate_descent import sweep

    gram, right = np.ascontiguousarray(x.T @ x), x.T @ y
    weights = np.zeros(x.shape[1])
    total = float(y @ y)
    for _ in range(SWEEPS // 100):
        sweep(gram, right, l1, l2, weights, 100)
        if _gap(gram, right, total, l1, l2, weights) <= CLOSE * max(total, 1e-300):
            break
    return weights


def _gap(gram: Array, right: Array, total: float, l1: float, l2: float, w: Array) -> float:
    """How far the objective at w lies above its minimum at the most: the duality gap of the lasso, in which the l2
    part is counted as further rows of x."""
    inner = gram @ w
    squares = total - 2.0 * float(right @ w) + float(w @ inner) + l2 * float(w @ w)  # ||residual||^2, extended
    gradient = 2.0 * (right - inner - l2 * w)
    most = float(np.abs(gradient).max(initial=0.0))
    shrink = min(1.0, l1 / most) if most > 0 else 1.0
    correlated = total - float(right @ w)  # y' residual
    primal = squares + l1 * float(np.abs(w).sum())
    dual = 2.0 * shrink * correlated - shrink * shrink * squares
    return primal - dual


def polynomial(x: Array, degree: int, basis: str) -> Array:
    """The columns of a polynomial fit in x [n]: `powers` 0..degree (the constant among them, as the chapter has it), or
    `legendre` polynomials 1..degree of x / 3, which hardly resemble each other on [-3, 3]. [n, p]"""
    if basis == "powers":
        return np.asarray(np.power(x[:, None], np.arange(degree + 1)), float)
    columns: Array = np.polynomial.legendre.legvander(x / 3.0, degree)[:, 1:]
    return columns
