"""The activations' curves: value and derivatives, where they saturate, where they are dead, and what stands out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.experiment import Array
from engine.experiments.networks._activations.settings import ActivationsSpec, parameter
from engine.networks.activations import activation
from engine.picture import Line, Lines

POINTS = 321  # as many as a small plot draws as a smooth line
FINE = 10_001  # on which what stands out is looked for
SATURATED = 0.05  # |f'| below this counts as saturated
HALO = 0.018  # of the height of the plot: half the band that marks a saturated stretch
MARKS = 40  # crosses at the most along a dead stretch
ORDERS = ("value", "first", "second")


def shape(spec: ActivationsSpec, name: str, order: str, x: Array) -> Array:
    """f, f' or f'' (`order` value, first, second) of one activation at x, of the shape of x.

    Swish is SiLU stretched: f(x) = silu(beta x) / beta (Ramachandran, Zoph and Le 2017).
    """
    one, given = activation(name), parameter(spec, name)
    function = getattr(one, order)
    if name == "silu":
        beta = given or 1.0
        stretched: Array = function(beta * x) * beta ** (ORDERS.index(order) - 1)
        return stretched
    found: Array = function(x) if given is None else function(x, given)
    return found


def abscissae(spec: ActivationsSpec) -> Array:
    """Where the curves are drawn, evenly from end to end."""
    return np.linspace(spec.low, spec.high, POINTS)


def stretches(x: Array, mask: Array) -> list[tuple[float, float]]:
    """The stretches of x [n] over which mask [n] holds, as (from, to)."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], mask.astype(int), [0]])))
    return [(float(x[a]), float(x[b - 1])) for a, b in edges.reshape(-1, 2)]


@dataclass(frozen=True)
class Facts:
    """What stands out of one activation over the range: extremes of f and |f'| with their places, and its zones."""

    lowest: tuple[float, float]
    steepest: tuple[float, float]
    peaked: bool  # whether it is that steep at one place only
    saturated: tuple[tuple[float, float], ...]
    dead: tuple[tuple[float, float], ...]


def facts(spec: ActivationsSpec, name: str) -> Facts:
    """Looked for on a fine grid over the range."""
    x = np.linspace(spec.low, spec.high, FINE)
    value, first = shape(spec, name, "value", x), shape(spec, name, "first", x)
    low, steep = int(value.argmin()), int(np.abs(first).argmax())
    return Facts(
        (float(x[low]), float(value[low])), (float(x[steep]), float(first[steep])),
        bool((np.abs(first) >= abs(first[steep]) * (1 - 1e-9)).sum() <= 2),
        tuple(stretches(x, np.abs(first) < SATURATED)), tuple(stretches(x, first == 0.0)),
    )  # fmt: skip


def curves(spec: ActivationsSpec, order: str, titles: dict[str, str]) -> Lines:
    """The picture of one order: on the function saturated stretches have a band and dead ones crosses, on the slope
    the strip of what counts as saturated is shaded."""
    x = abscissae(spec)
    found = {name: shape(spec, name, order, x) for name in spec.activations}
    span = max((float(np.ptp(y)) for y in found.values()), default=1.0) or 1.0
    lines, dead = [], []
    for name, y in found.items():
        if order != "value":
            lines.append(Line(titles[name], x, y, series=name))
            continue
        slope = shape(spec, name, "first", x)
        half = np.where(np.abs(slope) < SATURATED, HALO * span, 0.0)
        lines.append(Line(titles[name], x, y, y - half, y + half, series=name))
        still = np.flatnonzero(slope == 0.0)
        if still.size:
            some = still[:: max(1, POINTS // MARKS)]
            dead.append(Line(f"{titles[name]}: dead", x[some], y[some], series=name, points=True))
    if order == "first":
        ends, level = np.array([spec.low, spec.high]), np.zeros(2)
        strip = Line("saturated", ends, level, level - SATURATED, level + SATURATED)
        return Lines((strip, *lines))
    words = f"Thick: saturated. Marks: dead. That is |f′| < {SATURATED:g} and f′ = 0 exactly."
    note = words if order == "value" else ""
    return Lines((*lines, *dead), note=note)
