"""Directions in the space of a network's parameters: filter-normalised random ones, principal ones of a path.

NumPy alone. Parameters are flat buffers as engine.networks.description lays them out, without normalisation.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.networks.activations import activation
from engine.networks.description import Description
from engine.networks.plan import layers
from engine.randomness import generator

Array = NDArray[Any]
SCALINGS = {
    "filter": "Filter by filter", "layer": "Layer by layer", "whole": "As a whole", "none": "Not at all",
}  # fmt: skip
HOMOGENEOUS = ("relu", "leaky_relu", "prelu", "identity")  # f(c z) = c f(z) for c > 0


def random_direction(d: Description, params: Array, seed: int, number: int, scaling: str = "filter") -> Array:
    """A Gaussian direction [P] on the scale of `params`; biases and slopes do not move.

    `scaling`: each `filter` (a row of weights: what comes in at one unit) has the norm of the filter it belongs to (Li
    et al. 2018, section 4); each `layer` that of its weights; the `whole` direction that of all weights; or `none`.
    Direction `number` belongs to the seed, the layer and its shape. Raises ValueError for another scaling.
    """
    if scaling not in SCALINGS:
        raise ValueError(f"scaling {scaling!r} is unknown: it must be one of {', '.join(SCALINGS)}")
    found = np.zeros(len(params))
    bare = replace(d, residual=False)
    pairs = list(zip(layers(bare, found), layers(bare, params), strict=True))
    for i, (mine, theirs) in enumerate(pairs):
        mine.weight[...] = generator(seed, f"direction {number}", i).standard_normal(theirs.weight.shape)
        if scaling in ("filter", "layer"):
            axis = 1 if scaling == "filter" else None
            mine.weight[...] *= _share(_norm(theirs.weight, axis), _norm(mine.weight, axis))
    if scaling == "whole":
        weights = np.concatenate([theirs.weight.ravel() for _, theirs in pairs])
        found *= _share(_norm(weights, None), _norm(found, None))
    return found.astype(params.dtype)


def _norm(values: Array, axis: int | None) -> Array:
    return np.asarray(np.sqrt(np.square(values, dtype=np.float64).sum(axis=axis, keepdims=axis is not None)))


def _share(wanted: Array, there: Array) -> Array:
    """wanted / there, 0 where there is nothing."""
    return np.asarray(np.divide(wanted, there, out=np.zeros_like(wanted), where=there > 0))


def rescaled(d: Description, params: Array, factor: float) -> Array:
    """The same network with the first hidden layer `factor` times as large and the next one's weights divided by it.

    Its answers do not change where the activation is homogeneous (Dinh et al. 2017). Raises ValueError elsewhere, and
    where residual connections or a missing hidden layer leave nothing to scale.
    """
    if not d.hidden or activation(d.activations[0]).name not in HOMOGENEOUS or d.residual or factor <= 0:
        raise ValueError("only a first hidden layer with ReLU, without residual connections, can be scaled by above 0")
    found = params.copy()
    first, second = layers(d, found)[:2]
    first.weight[...] *= factor
    first.bias[...] *= factor
    second.weight[...] /= factor
    return found


@dataclass(frozen=True)
class Principal:
    """Principal components of a path: `directions` [m, P] orthonormal, `shares` [m] of the variance, falling."""

    directions: Array
    shares: Array


def principal(path: Sequence[Array] | Array) -> Principal:
    """The principal components of points [n, P]: directions about their mean, and the share of the variance of each.

    From the n x n matrix of inner products, as there are far more parameters than points. Signs: the last point lies
    on the side of 0 or more of the first. Directions without variance (beneath 1e-14 of the whole) are left out.
    """
    points = np.asarray(path, np.float64)
    away = points - points.mean(axis=0)
    values, vectors = np.linalg.eigh(away @ away.T)
    values, vectors = np.maximum(values[::-1], 0.0), vectors[:, ::-1]
    total = float(values.sum())
    keep = values > 1e-14 * total if total > 0 else np.zeros(len(values), bool)
    directions = (vectors[:, keep].T @ away) / np.sqrt(values[keep])[:, None]
    directions *= np.where(directions @ (points[-1] - points[0]) < 0, -1.0, 1.0)[:, None]
    return Principal(directions, values[keep] / total if total > 0 else np.zeros(0))


def random_walk_shares(most: int) -> Array:
    """What the first components of a long random walk in many dimensions hold: 6 / (pi k)^2.

    Antognini and Sohl-Dickstein 2018: the first two alone hold 76 percent, though nothing draws the walk anywhere.
    """
    return 6.0 / (np.pi * np.arange(1, most + 1)) ** 2


def places(points: Sequence[Array] | Array, centre: Array, directions: Array) -> tuple[Array, Array]:
    """Where points [n, P] lie on a plane: coordinates [n, m] of their feet, and their distances from it [n].

    The plane is centre + coordinates @ directions [m, P]; directions need be neither orthogonal nor of norm 1.
    """
    away = np.asarray(points, np.float64) - centre
    inverse = np.linalg.pinv(np.asarray(directions, np.float64) @ np.asarray(directions, np.float64).T)
    coordinates = away @ directions.T @ inverse
    return coordinates, np.sqrt(np.square(away - coordinates @ directions).sum(axis=1))
