"""What theory says of descent on a quadratic: by what factor a step shrinks the distance, and where it stops to.

Along each eigenvector of the Hessian, with eigenvalue k, the distance from the minimum follows a recurrence whose
characteristic polynomial is, with rate eta and momentum beta,

    gradient descent   z - (1 - eta k)
    heavy ball         z^2 - (1 + beta - eta k) z + beta
    Nesterov           z^2 - (1 + beta)(1 - eta k) z + beta (1 - eta k)

and the larger root's size is the factor (Polyak 1964; Lessard, Recht and Packard 2016, Analysis and design of
optimization algorithms via integral quadratic constraints, section 2). It passes 1 where eta k is 2, 2 + 2 beta and
(2 + 2 beta) / (1 + 2 beta). Weight decay adds to every k.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from engine.experiment import Array
from engine.experiments.landscapes._hyperparameters.axes import PLAIN_RULES, Axis
from engine.optimizers import RULES
from engine.spec import value_of
from engine.surfaces import Surface

PROBES = ((0.0, 0.0), (1.0, 0.0), (0.0, 1.0), (-1.3, 0.7), (2.1, -1.9))  # where a Hessian must be the same
SEEN = 1e-9  # share of the start's distance below which a direction is not begun in
HALVINGS = 60
POINTS = 241  # of a line


@dataclass(frozen=True)
class Quadratic:
    """A quadratic surface: eigenvalues [2] and vectors [2, 2] of its Hessian, its minimum [2]."""

    eigenvalues: Array
    vectors: Array
    minimum: Array

    def fixed_point(self, decay: float) -> Array:
        """Where descent with weight decay comes to rest: the decay pulls towards 0."""
        hessian = (self.vectors * self.eigenvalues) @ self.vectors.T
        found: Array = np.linalg.solve(hessian + decay * np.eye(2), hessian @ self.minimum)
        return found


def quadratic(surface: Surface) -> Quadratic | None:
    """The surface as a quadratic with a minimum, None where it is none."""
    from engine.formula.compile import compile

    kernel = compile(surface.formula)
    x, y = np.array(PROBES).T
    with np.errstate(all="ignore"):
        f, fx, fy, xx, xy, yy = (np.asarray(part, float) for part in kernel.hessian(x, y))
        hessian, gradient = np.array([[xx[0], xy[0]], [xy[0], yy[0]]]), np.array([fx[0], fy[0]])
        same = np.isfinite([f, fx, fy, xx, xy, yy]).all() and all(
            (np.abs(part - part[0]) <= 1e-9 * np.abs(hessian).max()).all() for part in (xx, xy, yy)
        )
        if not same:
            return None
        # a Hessian that is the same at a few places may change elsewhere: the gradient tells
        told = np.stack([x, y], axis=1) @ hessian + gradient
        found = np.stack([fx, fy], axis=1)
        if not np.allclose(told, found, rtol=1e-9, atol=1e-9 * max(1.0, float(np.abs(found).max()))):
            return None
    values, vectors = np.linalg.eigh(hessian)
    if not values[0] > 0:
        return None
    return Quadratic(values, vectors, -np.linalg.solve(hessian, gradient))


@dataclass(frozen=True)
class Theory:
    """What theory says under these settings. `over`: names of the map's axes; `fixed`: rate, momentum and weight decay
    where the map does not go over them; `curvatures` [directions] that the start begins in (of the bowl over a
    condition number: 1 and that number)."""

    rule: str
    decay_factor: float
    fixed: Mapping[str, float]
    curvatures: tuple[float, ...]
    condition: bool  # the map goes over the bowl's condition number

    def _values(self, given: Mapping[str, Any]) -> tuple[Array, Array, list[Array]]:
        """Rate, momentum and every direction's curvature."""
        value = {name: np.asarray(given.get(name, fixed), float) for name, fixed in self.fixed.items()}
        decay = self.decay_factor * value["weight_decay"]
        steep = [np.asarray(k) for k in self.curvatures]
        if self.condition:
            steep = [np.asarray(given["condition_number"], float) if k < 0 else np.asarray(k) for k in self.curvatures]
        return value["learning_rate"], value["momentum"], [k + decay for k in steep]

    def factor(self, given: Mapping[str, Any]) -> Array:
        """By what factor a step shrinks the distance in the end; `given`: field -> values, broadcast together."""
        rate, beta, steep = self._values(given)
        found: Array = np.zeros(())
        for k in steep:
            turn = 1.0 - rate * k
            if self.rule == "sgd":
                size = np.abs(turn) + 0.0 * beta
            else:
                b, c = (1.0 + beta) * turn, beta * turn
                if self.rule == "momentum":
                    b, c = beta + turn, beta + 0.0 * turn
                root = np.sqrt((b * b - 4.0 * c).astype(complex))
                size = np.maximum(np.abs(b + root), np.abs(b - root)) / 2.0
            found = np.maximum(found, size)
        return found

    def beyond(self, given: Mapping[str, Any]) -> Array:
        """Above 0 where some direction is not stable: eta k less its limit."""
        rate, beta, steep = self._values(given)
        worst: Array = np.asarray(steep[0])
        for k in steep[1:]:
            worst = np.maximum(worst, k)
        limit = 2.0 + 0.0 * beta
        if self.rule == "momentum":
            limit = 2.0 + 2.0 * beta
        elif self.rule == "nesterov":
            limit = (2.0 + 2.0 * beta) / (1.0 + 2.0 * beta)
        return np.asarray(rate * worst - limit)

    def swings_from(self, rate: Array) -> Array:
        """Heavy ball: the momentum from which on every direction swings, and each step shrinks it by sqrt(beta)."""
        _, _, steep = self._values({"learning_rate": rate})
        found: Array = np.zeros(np.shape(rate))
        for k in steep:
            found = np.maximum(found, (1.0 - np.sqrt(rate * k)) ** 2)
        return found

    def fastest(self) -> tuple[float, float]:
        """Heavy ball: the rate and momentum of the fastest convergence (Polyak 1964, theorem 9)."""
        _, _, steep = self._values({})
        low, high = np.sqrt(float(min(steep))), np.sqrt(float(max(steep)))
        return float((2.0 / (high + low)) ** 2), float(((high - low) / (high + low)) ** 2)


def theory(spec: Any, surface: Surface | None, across: Axis, up: Axis, start: tuple[float, float]) -> Theory | None:
    """What theory says of this map, None where it has nothing to say."""
    rule = spec.optimizer
    over = (across.field, up.field)
    noisy = spec.gradient_noise > 0 or "gradient_noise" in over
    if surface is None or rule not in PLAIN_RULES or noisy:
        return None
    found = quadratic(surface)
    if found is None:
        return None
    names = [h.name for h in RULES[rule].hypers]
    fixed = {"learning_rate": float(spec.learning_rate)}
    for name in ("momentum", "weight_decay"):
        fixed[name] = float(value_of(spec, f"{rule}.{name}")) if name in names else 0.0
    condition = surface.name == "bowl" and "condition_number" in over
    along = found.vectors.T @ (np.array(start) - found.minimum)
    begun = np.abs(along) > SEEN * max(float(np.abs(along).max()), 1e-300)
    elsewhere = {"start_x", "start_y"} & set(over)  # runs begin here and there: hardly one on an eigenvector
    begun |= bool(elsewhere)
    steep: tuple[float, ...] = tuple(found.eigenvalues[begun].tolist())
    if condition:  # -1 stands for the condition number
        steep = tuple(k for k, at in zip((1.0, -1.0), start, strict=True) if at != 0.0 or elsewhere)
    if not steep:
        return None
    return Theory(rule, RULES[rule].l2_factor(spec.convention), fixed, steep, condition)


def edge(theory: Theory, across: Axis, up: Axis) -> tuple[Array, Array]:
    """Coordinates of the line where stability ends: x, y [POINTS], nan where it is not within the map.

    Along one axis it is found by halving, to the last bit or so; `beyond` rises or falls along each.
    """
    first = up if up.field == "learning_rate" else across
    second = across if first is up else up
    for along, beside in ((first, second), (second, first)):
        fixed = np.linspace(*beside.extent, POINTS)
        low, high = (np.full(POINTS, end) for end in along.extent)

        def height(at: Array, along: Axis = along, beside: Axis = beside, fixed: Array = fixed) -> Array:
            return theory.beyond({along.field: along.back(at), beside.field: beside.back(fixed)})

        below = height(low)
        crosses = (below > 0) != (height(high) > 0)
        if not crosses.any():
            continue
        for _ in range(HALVINGS):
            middle = 0.5 * (low + high)
            same = (height(middle) > 0) == (below > 0)
            low, high = np.where(same, middle, low), np.where(same, high, middle)
        found = np.where(crosses, 0.5 * (low + high), np.nan)
        return (found, fixed) if along is across else (fixed, found)
    return np.empty(0), np.empty(0)
