"""A map of runs as far as it is made."""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any

import numpy as np

from engine.experiment import Array
from engine.experiments.landscapes._hyperparameters.axes import Axis
from engine.experiments.landscapes._hyperparameters.refinement import sources
from engine.experiments.landscapes._hyperparameters.runs import Runs
from engine.experiments.landscapes._hyperparameters.theory import Theory


@dataclass(frozen=True, eq=False)
class Measured:
    """`made`: SurfaceRuns or NetworkRuns; `cells` [n]: the places in the flattened map that ran, in their order;
    `runs`: how they ended."""

    made: Any
    cells: Array
    runs: Runs

    @classmethod
    def of(cls, made: Any, batches: tuple[Array, ...], parts: tuple[Runs, ...]) -> Measured:
        """All batches so far as one."""
        cells = np.concatenate(batches[: len(parts)])
        joined = [np.concatenate([getattr(part, one.name) for part in parts]) for one in fields(Runs)]
        return cls(made, cells, Runs(*joined))

    @property
    def across(self) -> Axis:
        """The axis from left to right."""
        axis: Axis = self.made.across
        return axis

    @property
    def up(self) -> Axis:
        """The axis from bottom to top."""
        axis: Axis = self.made.up
        return axis

    @property
    def theory(self) -> Theory | None:
        """What theory says of these runs."""
        found: Theory | None = self.made.theory
        return found

    @property
    def rate_by_momentum(self) -> bool:
        """Whether the map goes over learning rate and momentum."""
        return {self.across.field, self.up.field} == {"learning_rate", "momentum"}

    @property
    def side(self) -> int:
        """Cells a side."""
        return self.across.cells

    @property
    def first(self) -> float:
        """The loss at the beginning."""
        return float(self.made.first)

    @cached_property
    def ran(self) -> Array:
        """Which cells of the flattened map ran."""
        found = np.zeros(self.side**2, bool)
        found[self.cells] = True
        return found

    @cached_property
    def place(self) -> Array:
        """For each cell that ran its place in `cells` and in the runs; 0 for others."""
        found = np.zeros(self.side**2, np.intp)
        found[self.cells] = np.arange(len(self.cells))
        return found

    @cached_property
    def source(self) -> Array:
        """For each cell of the flattened map the cell whose run speaks for it, or -1."""
        return sources(self.side, self.ran).ravel()

    def agreement(self) -> float:
        """The share of the runs that diverge just where theory says so; nan without it."""
        if self.theory is None:
            return float("nan")
        row, column = np.divmod(self.cells, self.side)
        given = {self.across.field: self.across.values[column], self.up.field: self.up.values[row]}
        return float(((self.theory.beyond(given) <= 0) == ~self.runs.diverged).mean())

    def last_stable(self, row: int) -> float:
        """The highest value across at which the run of a row does not diverge; nan before one of the row ran."""
        at, column = np.divmod(self.cells, self.side)
        good = (at == row) & ~self.runs.diverged
        values = self.across.values[column[good]]
        return float(values.max()) if len(values) else float("nan")

    def marks(self, best: int) -> tuple[Array, tuple[str, ...]]:
        """Coordinates [n, 2] and words of what is marked: the best run, and the fastest one in theory."""
        found, names = [], []
        if best >= 0:
            row, column = divmod(best, self.side)
            found.append((self.across.middle(column), self.up.middle(row)))
            names.append("best run")
        if self.theory is not None and self.theory.rule == "momentum" and self.rate_by_momentum:
            value = dict(zip(("learning_rate", "momentum"), self.theory.fastest(), strict=True))
            at = float(self.across.place(value[self.across.field])), float(self.up.place(value[self.up.field]))
            (x0, x1), (y0, y1) = self.across.extent, self.up.extent
            if x0 <= at[0] <= x1 and y0 <= at[1] <= y1:
                found.append(at)
                names.append("theory: fastest")
        return np.array(found, float).reshape(-1, 2), tuple(names)
