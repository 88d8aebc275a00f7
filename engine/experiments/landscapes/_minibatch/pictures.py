"""The loss on the map's plane, the gradients of many batches, and the variance around the minimum."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.experiments.landscapes._minibatch.problem import Problem
from engine.experiments.landscapes._minibatch.settings import ALL, BATCHES, size_of
from engine.picture import Line, Lines
from engine.randomness import generator

Array = NDArray[Any]
BATCHES_DRAWN = 80  # of each size, in the cloud
DRAWN_AT_ONCE = 2**16  # samples of one size in it at the most
FAR = 1e100  # who has come so far is not looked at any more
CIRCLE = np.linspace(0.0, 2.0 * np.pi, 73)


def field(problem: Problem, extent: tuple[float, float, float, float], n: int) -> Array:
    """The loss above its minimum on an n x n grid over the plane through the minimum: [n, n], rows along y."""
    x0, x1, y0, y1 = extent
    x, y = np.meshgrid(np.linspace(x0, x1, n), np.linspace(y0, y1, n))
    (xx, xy), (_, yy) = (problem.plane * problem.curvatures) @ problem.plane.T
    values: Array = 0.5 * (xx * x**2 + 2.0 * xy * x * y + yy * y**2)
    return values


def cloud(experiment: Any, state: Any, spec: Any, series: str) -> Lines:
    """Gradients of many batches of every size at the place of one contestant, seen along the map's two directions.

    Dashed: where two standard deviations of them lie, worked out from all samples.
    """
    names, found = experiment.series(spec), state.problem
    good = [s for s in range(len(names)) if np.abs(state.c[s]).max() < FAR]
    if not good:
        return Lines((), note="All have flown off; step back to look.")
    s = names.index(series) if series in names else 0
    s = s if s in good else good[0]
    c = state.c[s]
    note = f"Dashed: two standard deviations. Where {experiment.label(names[s])} stands."
    single = 2.0 * (found.rotated @ c - found.rest)[:, None] * (found.rotated @ found.plane.T)  # [n, 2]
    full = found.plane @ (found.curvatures * c)
    dots, rings = list[Line](), list[Line]()
    for name in sorted((name for name in names if name != ALL), key=lambda name: size_of(spec, name)):
        size = size_of(spec, name)
        some = _gradients(state, spec, name, single, full)
        covariance = np.eye(2) * spec.sigma**2 if spec.sampling == "additive" else np.cov(single.T, bias=True)
        share = 1.0 / size
        if spec.sampling in ("chapter", "shuffle"):
            share *= (len(single) - size) / (len(single) - 1)
        sizes, turn = np.linalg.eigh(covariance * share)
        ring = full[:, None] + 2.0 * turn @ (np.sqrt(sizes.clip(0.0))[:, None] * [np.cos(CIRCLE), np.sin(CIRCLE)])
        dots.append(Line(BATCHES[name], some[:, 0], some[:, 1], series=name, points=True))
        rings.append(Line(f"{BATCHES[name]}, 2 sd", ring[0], ring[1], series=name, dashed=True))
    centre = Line("full gradient", full[:1], full[1:], series=ALL, points=True)
    return Lines((*dots, *rings, centre), note=note, legend=False)


def _gradients(state: Any, spec: Any, name: str, single: Array, full: Array) -> Array:
    """Gradients [batches, 2] of batches of one size, drawn for this picture alone."""
    size, n = size_of(spec, name), len(single)
    draw = generator(spec.seed, f"cloud {name}", state.step)
    count = max(8, min(BATCHES_DRAWN, DRAWN_AT_ONCE // size))
    if spec.sampling == "additive":
        return np.asarray(full + spec.sigma / np.sqrt(size) * draw.standard_normal((count, 2)))
    if spec.sampling == "replacement":
        return np.asarray(single[draw.integers(n, size=(count, size))].mean(axis=1))
    whole = n // size  # batches in one order of all samples
    orders = [draw.permutation(n)[: whole * size].reshape(whole, size) for _ in range(-(-count // whole))]
    return np.asarray(single[np.concatenate(orders)[:count]].mean(axis=1))


def variance(experiment: Any, state: Any, spec: Any) -> Lines:
    """Mean square of the distance from the minimum along every eigenvector, measured and (dashed) in theory."""
    found, lines = state.problem, list[Line]()
    counted = np.maximum(state.updates - state.since, 0)
    for s, name in enumerate(experiment.series(spec)):
        theory = found.stationary(spec, name)
        if counted[s] > 0 and state.sums[s].max() < FAR:
            measured = state.sums[s] / counted[s]
            lines.append(Line(BATCHES[name], found.curvatures, measured, series=name, points=True))
        if name != ALL and np.isfinite(theory).any():
            lines.append(Line(f"{BATCHES[name]}, theory", found.curvatures, theory, series=name, dashed=True))
    most = int(counted.max(initial=0))
    note = f"Dots: over {most:,} updates. " if most else f"Dots: from update {state.since.min() + 1:,} on. "
    theory = "Dashed: theory" + " with replacement." * (spec.sampling in ("chapter", "shuffle"))
    return Lines(tuple(lines), note=note + theory, legend=False)
