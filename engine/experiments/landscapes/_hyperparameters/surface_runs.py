"""Runs of a map on a surface: each is the walk that `landscapes.descent` takes, in the kernel that takes it there."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np

from engine.experiment import Array
from engine.experiments.landscapes._hyperparameters.axes import axes
from engine.experiments.landscapes._hyperparameters.runs import Runs, finished, shrinking, still_from
from engine.experiments.landscapes._hyperparameters.settings import hyper_of
from engine.experiments.landscapes._hyperparameters.theory import Theory, quadratic, theory
from engine.optimizers import RULES
from engine.spec import value_of
from engine.surfaces import Surface, surface
from engine.turns import give_way

PIECES = 20  # a shaken run is shaken so often
PROBED = 9  # cells a side at which the surface's steepest curvature is looked for where it has no known minimum


class SurfaceRuns:
    """Every run of one map. It keeps nothing that changes, so copies share it."""

    def __init__(self, spec: Any) -> None:
        from engine.formula.compile import compile
        from engine.optimizers import look_ahead_address, update_address

        self.spec = spec
        self.surface: Surface = surface(spec.surface, condition_number=spec.condition_number, formula=spec.formula)
        self.start = spec.start if spec.start is not None else self.surface.start
        self.across, self.up = axes(spec, curvature(self.surface, self.start))
        self.theory: Theory | None = theory(spec, self.surface, self.across, self.up, self.start)
        self.known = quadratic(self.surface)
        rule = spec.optimizer
        self._rule = [(h.name, float(value_of(spec, f"{rule}.{h.name}"))) for h in RULES[rule].hypers]
        self._over = {field: hyper_of(field, rule) for field in (self.up.field, self.across.field)}
        self._update = update_address(rule, spec.convention, np.float64)
        self._ahead = look_ahead_address(rule, spec.convention, np.float64)
        self._kernel = compile(self.surface.formula)
        self.first = self._first(self.across.cells * (self.up.cells // 2) + self.across.cells // 2)

    def __deepcopy__(self, memo: dict[int, Any]) -> SurfaceRuns:
        return self

    def values(self, cell: int) -> dict[str, float]:
        """What the fields of the map are in a cell (a place in the flattened map)."""
        row, column = divmod(int(cell), self.across.cells)
        return {self.up.field: float(self.up.values[row]), self.across.field: float(self.across.values[column])}

    def handed(self, cell: int) -> tuple[str, dict[str, Any]]:
        """The experiment that makes this very run, and its settings."""
        spec, found = self.spec, self.values(cell)
        rule = spec.optimizer
        settings = {
            "surface": spec.surface, "condition_number": found.get("condition_number", spec.condition_number),
            "formula": spec.formula, "start": self.begin(found), "optimizers": (rule,),
            "learning_rate": found.get("learning_rate", spec.learning_rate), "convention": spec.convention,
            "noise": found.get("gradient_noise", spec.gradient_noise), "seed": self.seed(found),
            "steps": self.steps(found),
            **{f"{rule}.{name}": value for name, value in self.hypers(found).items()},
        }  # fmt: skip
        return "landscapes.descent", settings

    def hypers(self, found: dict[str, float]) -> dict[str, float]:
        """The rule's hyper-parameters in a cell with these values."""
        own = dict(self._rule)
        return own | {self._over[field]: value for field, value in found.items() if self._over[field]}

    # -- running -----------------------------------------------------------------------------------------------------

    def walk(self, cell: int, shaken: np.random.Generator | None = None, size: float = 0.0) -> tuple[Array, int]:
        """One run: rows [steps, 5] of x, y, loss and gradient after each step (nan after its end), and the step at
        which it overflowed, or 0. `shaken`: every number is moved now and then by about the share `size` of itself."""
        from engine.walk import NOT_FINITE, walk

        spec, found = self.spec, self.values(cell)
        steps = self.steps(found)
        kernel = self.kernel_of(found)
        noise = self.noise(found)
        own = list(self.hypers(found).values())
        given = np.array([*own, *[0.0] * (8 - len(own))])
        p = np.array(self.begin(found), float)
        numbers = np.zeros((3, 2)) + np.array(RULES[spec.optimizer].initial)[:, None]
        rows = np.full((steps, 5), np.nan)
        rates = np.full(steps, self.rate(found))
        cuts = np.unique(np.linspace(0, steps, (PIECES if shaken is not None else 1) + 1).round().astype(int)).tolist()
        for first, until in pairwise(cuts):
            if shaken is not None:
                p *= 1.0 + size * shaken.uniform(-1, 1, p.shape)
                numbers *= 1.0 + size * shaken.uniform(-1, 1, numbers.shape)
            part = slice(first, until)
            done, code = walk(
                kernel.gradient_address, self._update, self._ahead, first + 1, p, numbers, rates[part], given,
                noise[part], -np.inf, rows[part],
            )  # fmt: skip
            if code == NOT_FINITE:
                return rows, first + done
        return rows, 0

    def rate(self, found: dict[str, float]) -> float:
        """The learning rate of a cell with these values."""
        return float(found.get("learning_rate", self.spec.learning_rate))

    def steps(self, found: dict[str, float]) -> int:
        """How long the run of a cell is."""
        return int(found.get("steps", self.spec.steps))

    def seed(self, found: dict[str, float]) -> int:
        """The seed of its noise."""
        return int(found.get("seed", self.spec.seed))

    def begin(self, found: dict[str, float]) -> tuple[float, float]:
        """Where it begins."""
        x, y = self.start
        return float(found.get("start_x", x)), float(found.get("start_y", y))

    def noise(self, found: dict[str, float]) -> Array:
        """What is added to the gradient of each step: [steps, 2], or [0, 2] where nothing is."""
        from engine.randomness import normals

        sigma = found.get("gradient_noise", self.spec.gradient_noise)
        if not sigma > 0:
            return np.empty((0, 2))
        return np.asarray(sigma * normals(self.seed(found), "gradient noise", 0, self.steps(found)))

    def kernel_of(self, found: dict[str, float]) -> Any:
        """The surface of a cell, compiled."""
        if not ("condition_number" in found and self.surface.name == "bowl"):
            return self._kernel
        from engine.formula.compile import compile

        return compile(surface("bowl", condition_number=found["condition_number"]).formula)

    def run(self, cells: Array) -> Runs:
        """The runs of these cells [n]."""
        n, whole = len(cells), np.array([self.steps(self.values(cell)) for cell in cells.tolist()], np.int64)
        rows, took = np.full((n, int(whole.max()), 5), np.nan), np.zeros(n, np.int64)
        for i, cell in enumerate(cells.tolist()):  # a walk is too short to be shared among threads
            give_way()
            rows[i, : whole[i]], took[i] = self.walk(cell)
        until = np.where(took > 0, took, whole)
        loss = rows[np.arange(n), until - 1, 2]
        sizes = self._sizes(rows, cells, until)
        rate = shrinking(sizes, np.minimum(until, still_from(rows[:, :, :2])))
        arrived = sizes[np.arange(n), until - 1] == 0
        rate = np.where(np.isnan(rate) & (took == 0), np.where(arrived, 0.0, 1.0), rate)
        none, first = np.full(n, np.nan), np.full(n, self.first)
        if {"condition_number", "start_x", "start_y"} & {self.across.field, self.up.field}:
            first = np.array([self._first(cell) for cell in cells.tolist()])
        return finished(loss, none, none.copy(), rate, took, first)

    def _first(self, cell: int) -> float:
        """The loss at the start."""
        found = self.values(cell)
        return float(self.kernel_of(found).value(*self.begin(found)))

    def _sizes(self, rows: Array, cells: Array, until: Array) -> Array:
        """What shrinks at the rate measured: the distance from the minimum that a run ends nearest to; the size of
        the gradient where none is known. [n, steps]."""
        n = len(rows)
        with np.errstate(all="ignore"):
            if self.known is not None and self.surface.name != "bowl":
                goals = np.array([self.known.fixed_point(self._decay(cell)) for cell in cells.tolist()])[:, None]
            elif self.surface.minima:
                goals = np.tile(np.array(self.surface.minima, float)[None], (n, 1, 1))
            else:
                return _length(rows[:, :, 3:])
            end = rows[np.arange(n), until - 1, :2]
            nearest = np.nan_to_num(((goals - end[:, None]) ** 2).sum(axis=2), nan=np.inf).argmin(axis=1)
            return _length(rows[:, :, :2] - goals[np.arange(n), nearest][:, None])

    def _decay(self, cell: int) -> float:
        factor = RULES[self.spec.optimizer].l2_factor(self.spec.convention)
        return factor * self.hypers(self.values(cell)).get("weight_decay", 0.0)

    def curve(self, cell: int) -> tuple[Array, Array]:
        """Steps and losses of one run, the start included."""
        rows, _ = self.walk(cell)
        losses = np.concatenate([[self._first(cell)], rows[:, 2]])
        return np.arange(len(losses), dtype=float), losses


def _length(pairs: Array) -> Array:
    """Euclidean lengths of [..., 2] without underflow."""
    with np.errstate(all="ignore"):
        large = np.abs(pairs).max(axis=-1)
        found: Array = np.where(large > 0, large * np.sqrt(((pairs / large[..., None]) ** 2).sum(axis=-1)), large)
    return found


def curvature(chosen: Surface, start: tuple[float, float]) -> float:
    """The largest curvature (in size) at the start and at the known minima, else on a coarse grid."""
    from engine.formula.compile import compile

    places = np.array([*chosen.minima, start], float)
    if not chosen.minima:
        x0, x1, y0, y1 = chosen.domain
        grid = np.meshgrid(np.linspace(x0, x1, PROBED), np.linspace(y0, y1, PROBED))
        places = np.stack([axis.ravel() for axis in grid], axis=1)
    with np.errstate(all="ignore"):
        _, _, _, xx, xy, yy = (np.asarray(p, float) for p in compile(chosen.formula).hessian(*places.T))
        largest = 0.5 * (np.abs(xx + yy) + np.sqrt((xx - yy) ** 2 + 4.0 * xy * xy))
    good = largest[np.isfinite(largest)]
    return float(np.median(good) if not chosen.minima and len(good) else good.max(initial=0.0))
