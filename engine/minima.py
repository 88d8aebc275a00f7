"""The local minima of a surface: looked for all over its domain, and around places where walks came to rest."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.formula import parse
from engine.surfaces import Point
from engine.turns import give_way

Array = NDArray[Any]
Extent = tuple[float, float, float, float]

LATTICE = 32  # starts a side
ROUNDS = 40  # Newton steps from each
MOST = 256  # minima kept, the lowest first
RING = 64  # points on the circle around a place that may be a minimum
CANDIDATES = 32  # places of rest examined at the most
SEARCH = 120  # rounds of a search downhill


@lru_cache(maxsize=64)
def local_minima(text: str, domain: Extent, known: tuple[Point, ...] = ()) -> tuple[Point, ...]:
    """The local minima of a formula in its domain, or half a domain beyond: `known` ones first, then the lowest first.

    Found by Newton's method with the absolute values of the Hessian's eigenvalues (Dauphin et al. 2014, which flees
    saddles) from a lattice of starts. What has no Hessian, or only a semidefinite one, is not found (a crease,
    a valley).
    """
    from engine.formula.compile import compile

    kernel = compile(parse(text))
    x0, x1, y0, y1 = domain
    span = max(x1 - x0, y1 - y0)
    middle = (np.arange(LATTICE) + 0.5) / LATTICE
    x, y = (axis.ravel() for axis in np.meshgrid(x0 + (x1 - x0) * middle, y0 + (y1 - y0) * middle))
    with np.errstate(all="ignore"):
        for _ in range(ROUNDS):
            give_way()
            dx, dy, _ = _step(kernel, x, y)
            size = np.hypot(dx, dy)
            short = np.minimum(1.0, span / 16 / np.maximum(size, 1e-300))
            x, y = x + short * dx, y + short * dy
        dx, dy, bends = _step(kernel, x, y)
        good = (np.hypot(dx, dy) < 1e-9 * span) & bends
        good &= (np.abs(x - (x0 + x1) / 2) <= x1 - x0) & (np.abs(y - (y0 + y1) / 2) <= y1 - y0)
        places = np.unique(np.stack([x[good], y[good]], axis=1).round(9) + 0.0, axis=0)  # no -0
        height = np.asarray(kernel.value(places[:, 0], places[:, 1])).round(9)
    order = np.lexsort((places[:, 1], places[:, 0], height))
    found = [*known]
    for u, v in places[order].tolist():
        if len(found) < MOST and all((u - a) ** 2 + (v - b) ** 2 > (1e-4 * span) ** 2 for a, b in found):
            found.append((u, v))
    return tuple(found)


def _step(kernel: Any, x: Array, y: Array) -> tuple[Array, Array, Array]:
    """A Newton step down from each point, and whether the surface bends upwards there in every direction."""
    _, gx, gy, xx, xy, yy = kernel.hessian(x, y)
    half, mean = (xx - yy) / 2, (xx + yy) / 2
    root = np.sqrt(half**2 + xy**2)
    turn = np.arctan2(xy, half) / 2  # of the eigenvector with the larger eigenvalue
    c, s = np.cos(turn), np.sin(turn)
    high, low = mean + root, mean - root
    a, b = -(c * gx + s * gy) / np.abs(high), -(c * gy - s * gx) / np.abs(low)
    a, b = np.where(gx**2 + gy**2 == 0, 0.0, a), np.where(gx**2 + gy**2 == 0, 0.0, b)
    return c * a - s * b, s * a + c * b, (low > 1e-9 * np.abs(high))


def minima_near(kernel: Any, x: Array, y: Array, within: float, taken: Sequence[Point]) -> tuple[Point, ...]:
    """New minima within `within` of the places (x, y) [n], in their order; those near `taken` ones are left out.

    A place is near one if a search downhill ends near it, every point of the circle around that end is higher, and
    Newton's method, where it applies, does not lead out of the circle. So a crease or a tip is found too, but neither
    a slope nor the flat floor of a valley.
    """
    cells = np.stack([x, y], axis=1) / within
    with np.errstate(invalid="ignore"):
        _, first = np.unique(np.floor(cells).clip(-(2**62), 2**62), axis=0, return_index=True)
    some = np.sort(first)[:CANDIDATES]
    found: list[Point] = []
    with np.errstate(all="ignore"):
        places, good = _searched(kernel, np.stack([x[some], y[some]], axis=1), within)
        good &= _enclosed(kernel, places, within)
    for u, v in places[good].tolist():
        if all((u - a) ** 2 + (v - b) ** 2 > within**2 for a, b in (*taken, *found)):
            found.append((u, v))
    return tuple(found)


def _searched(kernel: Any, begin: Array, within: float) -> tuple[Array, Array]:
    """Where compass searches from places [n, 2] end (derivatives may not exist there), and which stayed near."""
    compass = np.array([(a, b) for a in (-1, 0, 1) for b in (-1, 0, 1)], float)
    places, reach, near = begin.copy(), np.full(len(begin), within / 2), np.ones(len(begin), bool)
    for _ in range(SEARCH):
        going = np.flatnonzero(near & (reach > 1e-9 * within))
        if not len(going):
            break
        around = places[going, None] + reach[going, None, None] * compass
        values = np.asarray(kernel.value(around[..., 0], around[..., 1]))
        values = np.where(np.isnan(values), np.inf, values)
        best = values.argmin(axis=1)
        lower = values[np.arange(len(going)), best] < values[:, 4]
        places[going[lower]] = around[lower, best[lower]]
        reach[going[~lower]] /= 2
        near &= np.hypot(*(places - begin).T) <= within
    return places, near & (reach <= 1e-9 * within)


def _enclosed(kernel: Any, places: Array, within: float) -> Array:
    """Which of the places [n, 2] have only higher points around them, and no way out for Newton's method."""
    angle = 2 * np.pi * np.arange(RING) / RING
    x, y = places.T
    ring = np.asarray(kernel.value(x[:, None] + within * np.cos(angle), y[:, None] + within * np.sin(angle)))
    higher: Array = np.all(ring > np.asarray(kernel.value(x, y))[:, None], axis=1)
    dx, dy, bends = _step(kernel, x, y)
    return higher & ~(bends & ~(np.hypot(dx, dy) <= within))


def hues(places: Sequence[Point], colours: int = 12, apart: int = 6) -> tuple[int, ...]:
    """For each place one of so many colours, in turn, so that it differs from its `apart` nearest neighbours'."""
    points = np.array(places, float).reshape(-1, 2)
    given: list[int] = []
    for k, point in enumerate(points):
        distance = ((points[:k] - point) ** 2).sum(axis=1)
        near = {given[i] for i in np.argsort(distance, kind="stable")[:apart]} if k >= colours else set()
        given.append(next(c % colours for c in range(k, k + colours) if c % colours not in near))
    return tuple(given)
