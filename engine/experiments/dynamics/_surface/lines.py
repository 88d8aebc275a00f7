"""What is measured along lines and paths in weight space, as numbers and as pictures."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.experiments.dynamics._surface.cuts import plane_of_path
from engine.experiments.dynamics._surface.model import Array, State
from engine.experiments.dynamics._surface.settings import CONTESTANTS
from engine.networks.planes import places, principal, random_walk_shares
from engine.picture import Line, Lines, Table

COARSE = np.arange(17) / 16.0  # where the barrier is measured while training
FINE = np.arange(-20, 101) / 80.0  # where the line is drawn: -0.25 to 1.25, both ends among them
COMPONENTS = 10
LOST = "diverged; step back to look at it"


def between(here: Array, there: Array, at: Array) -> Array:
    """Parameters [K, P] on the straight line through `here` (0) and `there` (1); the ends are exact."""
    return np.asarray((1.0 - at)[:, None] * here + at[:, None] * there)


def rise(at: Array, values: Array) -> tuple[float, float]:
    """The barrier: how far `values` rise above the chord between their ends, and where. Frankle et al. 2020."""
    inside = (at >= 0.0) & (at <= 1.0)
    t, own = at[inside], values[inside]
    with np.errstate(all="ignore"):
        above = own - ((1.0 - t) * own[0] + t * own[-1])
    if not np.isfinite(above).all():
        return float("inf"), float("nan")
    top = int(above.argmax())
    return max(0.0, float(above[top])), float(t[top])


def barrier(state: State, s: int) -> float:
    """The barrier between contestant s and the other end of its line; nan where that is lost."""
    other = state.other(s)
    if other is None:
        return float("nan")
    return rise(COARSE, state.model.losses(s, between(state.solutions[s].params, other, COARSE)))[0]


def explained(state: State, s: int) -> float:
    """The share of the path's variance in its first two components; nan for fewer than three points."""
    points = state.path(s)[1]
    return float(principal(points).shares[:2].sum()) if len(points) > 2 else float("nan")


def line(state: State, spec: Any, s: int) -> Lines:
    """The loss on the straight line of every contestant; of the one looked at the test loss too."""
    found, told = [], []
    for c, name in enumerate(spec.contestants):
        other = state.other(c)
        if state.solutions[c].ended or other is None:
            told.append(f"{CONTESTANTS[name]}: {LOST}")
            continue
        points = between(state.solutions[c].params, other, FINE)
        values = state.model.losses(c, points)
        found.append(Line(CONTESTANTS[name], FINE, values, series=name))
        height, where = rise(FINE, values)
        told.append(f"{CONTESTANTS[name]}: barrier {height:.3g}" + (f" at {where:.2f}" if height > 0 else ""))
        if c == s and len(state.model.test_x):
            held = state.model.losses(c, points, test=True)
            found.append(Line(f"{CONTESTANTS[name]}, test", FINE, held, series=name, dashed=True))
    end = f"seed {spec.second_seed}" if state.model.twins else "start"
    return Lines(tuple(found), ((0.0, "here"), (1.0, end)), "; ".join(told))


def replay(state: State, spec: Any, s: int) -> Lines:
    """The loss at every point of the path, and at its foot on the plane of the path."""
    name = spec.contestants[s]
    steps, points = state.path(s)
    if len(points) < 3:
        return Lines((), note="The path is too short for a plane")
    centre, directions, _ = plane_of_path(points)
    feet = centre + places(points, centre, directions)[0] @ directions
    true, drawn = state.model.losses(s, points), state.model.losses(s, feet)
    worst = int(np.argmax(np.abs(np.log(np.maximum(drawn, 1e-300) / np.maximum(true, 1e-300)))))
    note = f"Step {steps[worst]:.0f}: truly {true[worst]:.3g}, drawn {drawn[worst]:.3g}"
    return Lines(
        (Line("true loss", steps, true, series=name), Line("on the plane", steps, drawn, series=name, dashed=True)),
        note=note,
    )


def off_plane(state: State, spec: Any, s: int) -> Lines:
    """How far every point of the path is from the plane, and from the weights in hand."""
    name = spec.contestants[s]
    steps, points = state.path(s)
    if len(points) < 3:
        return Lines((), note="The path is too short for a plane")
    centre, directions, _ = plane_of_path(points)
    away = np.sqrt(np.square(points - centre).sum(axis=1))
    off = places(points, centre, directions)[1]
    top = int(off.argmax())
    note = f"Step {steps[top]:.0f}: {off[top]:.3g} off the plane, of {away[top]:.3g}"
    return Lines((Line("from the weights in hand", steps, away, series=name, dashed=True),
                  Line("from the plane", steps, off, series=name)), note=note)  # fmt: skip


def variance(state: State, spec: Any, s: int) -> Lines:
    """The share of the path's variance in each component, beside that of a random walk."""
    points = state.path(s)[1]
    if len(points) < 3:
        return Lines((), note="The path is too short")
    shares = principal(points).shares[:COMPONENTS]
    number = np.arange(1.0, COMPONENTS + 1)
    lines = (
        Line("this path", number[: len(shares)], shares, series=spec.contestants[s]),
        Line("a random walk", number, random_walk_shares(COMPONENTS), dashed=True),
    )
    note = f"First two: {shares[:2].sum():.1%}; random walk: 76.0%, in many dimensions"
    return Lines(lines, note=note)


def table(state: State, spec: Any, s: int) -> Table:
    """The numbers of every contestant."""
    from engine.experiments.dynamics._surface.cuts import ring

    rows = []
    for c, name in enumerate(spec.contestants):
        if state.solutions[c].ended:
            rows.append((CONTESTANTS[name], "diverged", "", "", "", ""))
            continue
        points = state.path(c)[1]
        off = "-"
        if len(points) > 2:
            centre, directions, _ = plane_of_path(points)
            off = f"{places(points, centre, directions)[1].max():.3g}"
        here, around = ring(state, c)
        rows.append((CONTESTANTS[name], f"{here:.4g}", f"{around - here:.3g}", f"{barrier(state, c):.3g}",
                     f"{explained(state, c):.1%}" if len(points) > 2 else "-", off))  # fmt: skip
    head = ("Network", "Loss", "Rise nearby", "Barrier", "Two components", "Off plane")
    note = "Rise on a ring of half the weights' size: mean, directions normalised by filter"
    return Table(head, tuple(rows), (s,) if len(rows) > 1 else (), note)
