"""Planes through a network's weights, and the loss over them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from engine.experiments.dynamics._surface.model import Array, State
from engine.networks.planes import places, principal, random_direction, rescaled
from engine.networks.slices import plane
from engine.picture import Dots, Map

FINE = 51  # points along each side
RING, ANGLES = 0.5, 16  # where a ring around the weights is measured
MARGIN = 1.35  # of the plane around a path
LEAST = 1e-300


@dataclass(frozen=True)
class Cut:
    """A plane: `params` [3, P] are its centre and two directions, `extent` (x0, x1, y0, y1) what is drawn of it.

    `marks`: places (name, x, y) worth a dot; `paths`: ways (name, x, y) on it; `note`: a sentence.
    """

    params: Array
    extent: tuple[float, float, float, float]
    marks: tuple[tuple[str, float, float], ...] = ()
    paths: tuple[tuple[str, Array, Array], ...] = ()
    note: str = ""

    def at(self, x: float, y: float) -> Array:
        """The parameters [P] at a place."""
        return np.asarray(self.params[0] + x * self.params[1] + y * self.params[2])


def surface(state: State, spec: Any, s: int, n: int = FINE) -> Map:
    """The training loss over the plane in force, on n x n points: its logarithm (base 10) where that is drawn."""
    words = "log10 loss" if spec.log_loss else "loss"
    if state.solutions[s].ended:
        note = "This network has diverged: step back to look at it"
        return Map(np.full((2, 2), np.nan), (-1.0, 1.0, -1.0, 1.0), value_label=words, note=note)
    cut = cut_of(state, spec, s)
    x0, x1, y0, y1 = cut.extent
    grid = np.stack(np.meshgrid(np.linspace(x0, x1, n), np.linspace(y0, y1, n)), axis=-1).reshape(-1, 2)
    with np.errstate(all="ignore"):
        values = plane(state.model.descriptions[s], cut.params, grid, state.model.x, state.model.y).reshape(n, n)
        shown = np.log10(np.maximum(values, LEAST)) if spec.log_loss else values
    marks = tuple(
        Dots(name, np.array([x]), np.array([y]), np.array([_sampled(shown, cut.extent, x, y)]), hollow=name != "here")
        for name, x, y in cut.marks
    )
    return Map(shown, cut.extent, contours=_levels(shown), dots=marks, paths=cut.paths, value_label=words,
               note=cut.note)  # fmt: skip


def cut_of(state: State, spec: Any, s: int) -> Cut:
    """The plane in force for contestant s."""
    if spec.slice == "pca":
        return _path_plane(state, spec, s)
    if spec.slice == "line":
        return _line_plane(state, spec, s)
    return _random_plane(state, spec, s)


def _random_plane(state: State, spec: Any, s: int, why: str = "") -> Cut:
    """Two random directions through the weights."""
    d, here = state.model.descriptions[s], state.solutions[s].params
    if spec.rescale != 1.0:
        here = rescaled(d, here, spec.rescale)
    params = np.stack([here, *(random_direction(d, here, spec.direction_seed, k, spec.scaling) for k in (1, 2))])
    r = spec.reach
    note = why or f"Two random directions of {len(here):,}"
    if spec.rescale == 1.0 and len(state.solutions[s].path) > 1:
        start = state.solutions[s].path[0]
        _, off = places([start], here, params[1:])
        away = float(np.sqrt(np.square(start - here).sum()))
        if away > 0:
            note = why or f"{float(off[0]) / away:.1%} of the way from the start lies off this plane"
    return Cut(params, (-r, r, -r, r), (), (("here", np.zeros(2), np.zeros(2)),), note)


def plane_of_path(points: Array) -> tuple[Array, Array, float]:
    """The plane of a path [n, P]: through its last point, along its first two principal components. Li et al. 2018.

    Returns the centre [P], the directions [2, P] (orthonormal; a second that is missing is 0) and the share of the
    path's variance (about its mean) that they hold.
    """
    found = principal(points)
    directions = np.zeros((2, points.shape[1]))
    directions[: min(2, len(found.directions))] = found.directions[:2]
    return points[-1], directions, float(found.shares[:2].sum())


def _path_plane(state: State, spec: Any, s: int) -> Cut:
    points = state.path(s)[1]
    if len(points) < 3:
        return _random_plane(state, spec, s, "No path yet: two random directions")
    centre, directions, share = plane_of_path(points)
    where, off = places(points, centre, directions)
    middle = 0.5 * (where.min(axis=0) + where.max(axis=0))
    half = max(0.5 * MARGIN * float((where.max(axis=0) - where.min(axis=0)).max()) * spec.reach, 1e-9)
    extent = (middle[0] - half, middle[0] + half, middle[1] - half, middle[1] + half)
    marks = (("here", 0.0, 0.0), ("start", float(where[0, 0]), float(where[0, 1])))
    note = f"Holds {share:.1%} of the path's variance; steps are up to {off.max():.3g} off"
    return Cut(np.stack([centre, *directions]), _plain(extent), marks, (("path", where[:, 0], where[:, 1]),), note)


def _line_plane(state: State, spec: Any, s: int) -> Cut:
    """The plane of both ends of the line and the start; without a third point a random direction completes it."""
    other, own = state.other(s), state.solutions[s]
    here = own.params
    if other is None or not np.square(other - here).sum() > 0:
        why = "The other solution diverged" if other is None else "Both ends are one"
        return _random_plane(state, spec, s, f"{why}: two random directions")
    along = other - here
    third = own.path[0] - here if state.model.twins else random_direction(
        state.model.descriptions[s], here, spec.direction_seed, 1)  # fmt: skip
    length = float(np.sqrt(along @ along))
    across = third - (third @ along) / length**2 * along
    if not across @ across > 1e-20 * length**2:
        third = random_direction(state.model.descriptions[s], here, spec.direction_seed, 1)
        across = third - (third @ along) / length**2 * along
    across = across * (length / float(np.sqrt(across @ across)))
    params = np.stack([here, along, across])
    where, _ = places(state.path(s)[1], here, params[1:])
    end = f"seed {spec.second_seed}" if state.model.twins else "start"
    paths = [(f"line to {end}", np.array([0.0, 1.0]), np.array([0.0, 0.0])), ("path", where[:, 0], where[:, 1])]
    marks = [("here", 0.0, 0.0), (end, 1.0, 0.0)]
    middle = 0.5 * float(where[0, 1]) if state.model.twins else 0.0
    half = max(1.0, abs(middle) + 0.25) * spec.reach
    note = f"The ends are {length:.3g} apart: 1 on both axes"
    extent = (0.5 - half, 0.5 + half, middle - half, middle + half)
    return Cut(params, extent, tuple(marks), tuple(paths), note)


def ring(state: State, s: int) -> tuple[float, float]:
    """The loss at the weights of contestant s, and its mean over a ring around them in the filter-normalised plane."""
    d, here = state.model.descriptions[s], state.solutions[s].params
    params = np.stack([here, random_direction(d, here, 0, 1), random_direction(d, here, 0, 2)])
    angle = 2.0 * np.pi * np.arange(ANGLES) / ANGLES
    points = RING * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    with np.errstate(all="ignore"):
        found = plane(d, params, np.concatenate([np.zeros((1, 2)), points]), state.model.x, state.model.y)
    return float(found[0]), float(found[1:].mean())


def _plain(extent: tuple[Any, ...]) -> tuple[float, float, float, float]:
    x0, x1, y0, y1 = (float(v) for v in extent)
    return x0, x1, y0, y1


def _sampled(values: Array, extent: tuple[float, float, float, float], x: float, y: float) -> float:
    """The value of the nearest point of the grid."""
    x0, x1, y0, y1 = extent
    n = len(values) - 1
    i, j = (int(np.clip(round((v - low) / (high - low) * n), 0, n)) for v, low, high in ((y, y0, y1), (x, x0, x1)))
    return float(values[i, j])


def _levels(values: Array, count: int = 12) -> tuple[float, ...]:
    """Contours evenly spread over what is drawn."""
    finite = values[np.isfinite(values)]
    if not finite.size or finite.min() == finite.max():
        return ()
    return tuple(np.linspace(finite.min(), finite.max(), count + 2)[1:-1].tolist())
