"""The two axes of a map of runs: which setting they stand for, its values, and where these stand on the axis."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from engine.experiment import Array
from engine.experiments.landscapes._hyperparameters.settings import (
    FIELDS,
    MOST_STEPS,
    MOST_UNITS,
    WHOLE,
    counts,
    hyper_of,
    side,
)
from engine.optimizers import RULES
from engine.spec import SpecError
from engine.surfaces import surface

USUAL = {  # field -> low, high, scale; those of learning rate, seed and start are found for each case
    "momentum": (0.0, 1.0, "linear"), "beta2": (0.9, 0.9999, "near_one"), "weight_decay": (1e-5, 1.0, "log"),
    "eps": (1e-12, 1.0, "log"), "condition_number": (1.0, 1e4, "log"), "gradient_noise": (1e-3, 10.0, "log"),
    "batch_size": (1.0, 256.0, "log"), "clip": (1e-3, 10.0, "log"), "lr_decay": (1e-4, 1.0, "log"),
    "momentum_decay": (1e-4, 1.0, "log"), "steps": (10.0, 1000.0, "log"), "units": (1.0, 64.0, "log"),
    "samples": (20.0, 2000.0, "log"), "noise": (0.0, 1.0, "linear"),
}  # fmt: skip
LIMITS = {
    "learning_rate": (1e-12, 1e6), "condition_number": (1.0, 1e8), "gradient_noise": (0.0, 1e6),
    "batch_size": (1.0, 5000.0), "clip": (0.0, 1e6), "steps": (1.0, float(MOST_STEPS)), "seed": (0.0, 2.0**32 - 1),
    "units": (1.0, float(MOST_UNITS)), "samples": (10.0, 5000.0), "noise": (0.0, 10.0), "start_x": (-1e6, 1e6),
    "start_y": (-1e6, 1e6),
}  # fmt: skip
RATES = {  # usual learning rates of rules that bring the gradient to a size of their own
    "adagrad": (1e-3, 10.0), "adadelta": (1e-2, 100.0), "lion": (1e-5, 0.1),
}  # fmt: skip
PLAIN_RULES = ("sgd", "momentum", "nesterov")
NEAR = 0.02  # of the distance to the next value: as much as rounding to few digits may move one


@dataclass(frozen=True)
class Axis:
    """One axis. `field`: what changes along it; `idle`: it changes nothing here. `place` maps values to coordinates:
    themselves, their decimal logarithms, or those of what they lack to 1."""

    field: str
    title: str
    scale: str
    low: float
    high: float
    cells: int
    idle: bool

    @property
    def log(self) -> bool:
        """Whether coordinates are decimal logarithms."""
        return self.scale != "linear"

    def place(self, values: Any) -> Array:
        """Coordinates of values."""
        given = np.asarray(values, float)
        with np.errstate(all="ignore"):
            if self.scale == "log":
                given = np.log10(given)
            elif self.scale == "near_one":
                given = np.log10(1.0 - given)
        return given

    def back(self, places: Any) -> Array:
        """Values at coordinates."""
        at = np.asarray(places, float)
        if self.scale == "log":
            return np.asarray(10.0**at)
        return np.asarray(1.0 - 10.0**at) if self.scale == "near_one" else at

    @property
    def extent(self) -> tuple[float, float]:
        """Coordinates of the two ends, ascending (near one the higher value comes first)."""
        a, b = sorted(float(v) for v in self.place([self.low, self.high]))
        return a, b

    def middle(self, cell: Any) -> Any:
        """The coordinate of the middle of a cell, or of cells."""
        a, b = self.extent
        return a + (b - a) * (cell + 0.5) / self.cells

    @cached_property
    def values(self) -> Array:
        """The value of each cell [cells]: at its middle, rounded to as few digits as can be told apart."""
        a, b = self.extent
        middle = self.middle(np.arange(self.cells))
        exact = self.back(middle)
        if self.field == "seed":  # from 0 to 24 in 24 cells: 0, 1, ... 23
            return np.floor(exact)
        if self.field in WHOLE:
            return np.maximum(np.rint(exact), 1.0)
        room = NEAR * np.abs(self.back(middle + 0.5 * (b - a) / self.cells) - exact)
        near_one = self.scale == "near_one"
        for digits in (2, 3, 4, 6, 9, 12):
            parts = 1.0 - exact if near_one else exact
            short = np.array([float(f"{v:.{digits}g}") for v in parts])
            short = np.array([float(f"{1.0 - v:.15g}") for v in short]) if near_one else short
            if (np.abs(short - exact) <= room).all():
                return short
        return exact

    def words(self, cell: int, digits: int = 3) -> str:
        """The value of a cell, as it is read."""
        value = float(self.values[cell])
        return f"{value:.0f}" if self.field in WHOLE else f"{value:.{6 if self.scale == 'near_one' else digits}g}"

    @property
    def short(self) -> str:
        """Its name where there is little room."""
        return {"learning_rate": "rate", "condition_number": "condition", "gradient_noise": "noise",
                "batch_size": "batch", "momentum_decay": "decay"}.get(self.field, self.title.lower())  # fmt: skip

    @property
    def name(self) -> str:
        """What stands at the axis."""
        return f"1 − {self.title.lower()}" if self.scale == "near_one" else self.title.lower()


def axes(spec: Any, curvature: float) -> tuple[Axis, Axis]:
    """Across and upwards. `curvature`: the largest of the surface, which the usual rates go by (0: a network)."""
    across = _axis("x", spec.x_field, spec.x_range, spec.x_scale, spec, curvature)
    return across, _axis("y", spec.y_field, spec.y_range, spec.y_scale, spec, curvature)


def _axis(letter: str, field: str, given: Any, scale: str, spec: Any, curvature: float) -> Axis:
    low, high, usual = usual_range(field, spec, curvature)
    scale = usual if scale == "usual" else scale
    hyper = hyper_of(field, spec.optimizer)
    title = next((h.title for h in RULES[spec.optimizer].hypers if h.name == hyper), FIELDS[field].split(" of ")[0])
    low, high = given or (low, high)
    axis = Axis(field, title.split(",")[0], scale, low, high, side(spec), not counts(field, spec))
    check(letter, axis, spec, given is not None)
    return axis


def usual_range(field: str, spec: Any, curvature: float) -> tuple[float, float, str]:
    """Low, high and scale where nobody has said."""
    if field == "seed":
        low = min(float(spec.seed), LIMITS["seed"][1] + 1 - side(spec))
        return low, low + side(spec), "linear"
    if field in ("start_x", "start_y"):
        domain = surface(spec.surface, condition_number=spec.condition_number, formula=spec.formula).domain
        return (*(domain[:2] if field == "start_x" else domain[2:]), "linear")
    if field != "learning_rate":
        return USUAL[field]
    if spec.optimizer in RATES:
        return (*RATES[spec.optimizer], "log")
    if spec.optimizer not in PLAIN_RULES:
        return (1e-4, 1.0, "log") if spec.on == "network" else (1e-3, 10.0, "log")
    if not curvature > 0:
        return 1e-3, 10.0, "log"
    return float(f"{0.02 / curvature:.1g}"), float(f"{8.0 / curvature:.1g}"), "log"


def limits(field: str, spec: Any) -> tuple[float, float]:
    """Which values a field may have."""
    hyper = hyper_of(field, spec.optimizer)
    found = next(((h.low, h.high) for h in RULES[spec.optimizer].hypers if h.name == hyper), (0.0, 1e8))
    return LIMITS.get(field, found)


def check(letter: str, axis: Axis, spec: Any, given: bool) -> None:
    """Raise SpecError for a range that is empty, or that the scale or the field does not allow."""
    key, told = f"{letter}_range", f"{axis.low:g},{axis.high:g}"
    low, high = limits(axis.field, spec)
    if not axis.low < axis.high:
        raise SpecError(key, f"{told} is not allowed; the first number must be below the second")
    if axis.scale == "log" and not axis.low > 0:
        where = (key, told) if given else (f"{letter}_scale", "log")
        raise SpecError(where[0], f"{where[1]} is not allowed; a logarithmic scale begins above 0")
    if axis.scale == "near_one" and not axis.high < 1:
        where = (key, told) if given else (f"{letter}_scale", "near_one")
        raise SpecError(where[0], f"{where[1]} is not allowed; this scale ends below 1")
    if not (low <= axis.values.min() and axis.values.max() <= high):
        raise SpecError(key, f"{told} is not allowed; {axis.title.lower()} is from {low:g} to {high:g}")
    if len(np.unique(axis.values)) < axis.cells and axis.field not in WHOLE:
        raise SpecError(key, f"{told} is not allowed; so close numbers cannot be told apart")
