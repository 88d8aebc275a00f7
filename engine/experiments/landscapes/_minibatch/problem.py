"""The regression, seen from its minimum along the eigenvectors of its Hessian."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.experiments.landscapes._minibatch.settings import MinibatchSpec, axes_of, rate_of, size_of
from engine.randomness import generator

Array = NDArray[Any]


@dataclass(frozen=True)
class Problem:
    """J(w) = mean (x w - y)^2 and what belongs to it.

    x: [n, d], y: [n]; minimum: [d]; curvatures: [d] eigenvalues of the Hessian 2 x'x / n, falling, vectors: [d, d] with
    theirs as columns. In their basis: rotated = x vectors, rest = y - x minimum, start and plane [2, d] (orthonormal
    rows). floor: J at the minimum. spread: [d] mean square of single samples' gradients at the minimum.
    """

    x: Array
    y: Array
    minimum: Array
    curvatures: Array
    vectors: Array
    rotated: Array
    rest: Array
    floor: float
    spread: Array
    start: Array
    plane: Array

    def __deepcopy__(self, memo: dict[int, Any]) -> Problem:
        """It never changes."""
        return self

    def weights(self, c: Array) -> Array:
        """The weights w [..., d] of coordinates c [..., d]."""
        with np.errstate(all="ignore"):
            return np.asarray(self.minimum + c @ self.vectors.T)

    def stationary(self, spec: MinibatchSpec, name: str) -> Array:
        """The variance [d] around the minimum in which noise and descent balance: rate * noise / (k (2 - rate * k)) in
        a direction of curvature k, inf where there is no balance.

        It is that of the autoregression c <- (1 - rate k) c - rate xi: exact for added noise, and for batches drawn
        with replacement in the limit of small rates, where their noise is as it is at the minimum.
        """
        if name == "all":
            return np.zeros(len(self.curvatures))
        noise = np.full(len(self.curvatures), spec.sigma**2) if spec.sampling == "additive" else self.spread
        rate = rate_of(spec, name)
        room = self.curvatures * (2.0 - rate * self.curvatures)
        with np.errstate(all="ignore"):
            return np.where(room > 0, rate * noise / size_of(spec, name) / room, np.inf)


def problem(spec: MinibatchSpec) -> Problem:
    """The regression of the settings."""
    made = (0, 0, 0.0, 0.0, 0) if spec.data == "chapter" else (
        spec.samples, spec.inputs, spec.condition, spec.noise, spec.data_seed)  # fmt: skip
    found = _regression(*made)
    start = found.start if spec.start == "zero" else np.zeros(len(found.start))
    return replace(found, start=start, plane=_plane(spec, found.curvatures, start))


@lru_cache(maxsize=2)  # 60 ms at the largest, and the page asks for it beside the worker
def _regression(samples: int, inputs: int, condition: float, noise: float, seed: int) -> Problem:
    """The chapter's data where there are no samples, or own ones; started with weights 0, without a plane."""
    x, y = _own(samples, inputs, condition, noise, seed) if samples else _chapter()
    minimum = np.linalg.lstsq(x, y, rcond=None)[0]
    values, vectors = np.linalg.eigh(2.0 * (x.T @ x) / len(x))
    curvatures, vectors = values[::-1].copy(), np.ascontiguousarray(vectors[:, ::-1])
    rotated, rest = np.ascontiguousarray(x @ vectors), y - x @ minimum
    spread = ((2.0 * rest[:, None] * rotated) ** 2).mean(axis=0)
    return Problem(x, y, minimum, curvatures, vectors, rotated, rest, float((rest**2).mean()), spread,
                   -(vectors.T @ minimum), np.empty((2, 0)))  # fmt: skip


def _chapter() -> tuple[Array, Array]:
    from engine.data.chapter import chapter_regression

    found = chapter_regression()
    return found.x, found.y[:, 0]


def _own(n: int, d: int, condition: float, noise: float, seed: int) -> tuple[Array, Array]:
    """x [n, d], y [n]."""
    draw = generator(seed, "a linear regression")
    # whitened, so that the eigenvalues are those asked for in the samples themselves
    white = np.linalg.qr(draw.standard_normal((n, d)))[0] * np.sqrt(n)
    turn = np.linalg.qr(draw.standard_normal((d, d)))[0]
    x = (white * np.geomspace(1.0, condition**-0.5, d)) @ turn.T
    return x, x @ draw.standard_normal(d) + noise * draw.standard_normal(n)


def _plane(spec: MinibatchSpec, curvatures: Array, start: Array) -> Array:
    """Two orthonormal directions [2, d] in the eigenbasis; the start is on the right of both, where it is not 0."""
    if spec.plane == "eigenvectors":
        rows = np.eye(len(start))[list(axes_of(spec))]
    else:
        # gradient flow has the closed form c exp(-curvature t); at a start in the minimum two eigenvectors are left
        times = np.linspace(0.0, 4.0 / curvatures[-1], 400)
        way = np.exp(-times[:, None] * curvatures) * start
        _, sizes, rows = np.linalg.svd(way, full_matrices=False)
        rows = rows[:2] if sizes[1] > 1e-9 * max(sizes[0], 1e-300) else np.eye(len(start))[[0, -1]]
    signs = np.where(rows @ start < 0, -1.0, 1.0)
    return np.ascontiguousarray(rows * signs[:, None])


def view_range(spec: MinibatchSpec, found: Problem) -> tuple[float, float, float, float]:
    """(x0, x1, y0, y1) of the map: start, minimum, and the room that noise takes around it; as wide as high."""
    at = found.plane @ found.start
    with np.errstate(all="ignore"):
        clouds = [np.sqrt(found.plane**2 @ found.stationary(spec, name)).max() for name in spec.batches]
    reach = float(np.abs(at).max())
    noise = max([float(cloud) for cloud in clouds if np.isfinite(cloud)], default=0.0)
    half = 0.7 * reach + (2.0 if reach else 4.0) * min(noise, reach or np.inf)
    half = half if half > 0 else 1.0
    x, y = at / 2
    return float(x - half), float(x + half), float(y - half), float(y + half)
