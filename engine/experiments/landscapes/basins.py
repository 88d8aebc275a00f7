"""Where does each start end? A grid of starts walked together, coloured by the minimum reached. Chapter 10.2.2."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from engine.experiment import Array, Basis, Columns, Curve, Picture
from engine.experiments.landscapes._basins.pictures import Found, arrivals, regions, table
from engine.experiments.landscapes._basins.settings import BasinsSpec
from engine.formula import FormulaError
from engine.minima import local_minima, minima_near
from engine.optimizers import RULES
from engine.spec import Spec, SpecError, value_of
from engine.surfaces import Point, Surface, surface

SHARES = tuple(f"minimum_{k}" for k in range(1, 9))
COLUMNS = ("starts", "converged", "pending", "diverged", "minima", "mean_steps", "unsure", *SHARES)
REST = 10  # a walk is at rest if it stayed near its end for the last tenth of its steps
EVERY = 4  # of the coarsest starts one in so many walks in float64 too
AT_ONCE = 4  # tiles one call walks at the most, so that none takes long


@dataclass
class State:
    """`parts`: the ends of each tile walked, in order; `more`: minima found where walks came to rest; `unsure`: share
    of some of the coarsest starts that end elsewhere in float64, nan until they walked there."""

    step: int
    parts: tuple[Any, ...] = ()
    more: tuple[Point, ...] = ()
    unsure: float = field(default=float("nan"))


class Basins(Basis):
    """See SPEC `landscapes.basins`. Step 0 is the whole map at its coarsest; each step walks another tile, the last one
    tries some starts in float64."""

    id: ClassVar[str] = "landscapes.basins"
    title: ClassVar[str] = "Basins of attraction"
    section: ClassVar[str] = "10.2.2"
    summary: ClassVar[str] = "Where does each start end? Thousands of walks at once, coloured by the minimum reached."
    Spec: ClassVar[type[Spec]] = BasinsSpec
    columns: ClassVar[tuple[str, ...]] = COLUMNS
    loss: ClassVar[str] = ""
    sparse: ClassVar[tuple[str, ...]] = ("mean_steps", "unsure", *SHARES)
    unit: ClassVar[str] = "tile"
    steps_key: ClassVar[str] = ""
    pace: ClassVar[float] = 4.0
    eager: ClassVar[bool] = True
    plots: ClassVar[tuple[Curve | Picture, ...]] = (
        Picture("basins", "Where each start ends", "regions", "x", "y", every=0.03),
        Picture("arrivals", "Arrived to stay", "lines", "step", "share of all starts"),
        Picture("table", "The minima", "table"),
        Curve("converged", "Shares, tile by tile", "share", x_label="starts", x="starts", log_x=True,
              others=("pending", "diverged"), points=True,
              words={"converged": "at a minimum", "pending": "not arrived", "diverged": "diverged"}),
    )  # fmt: skip

    # -- settings ----------------------------------------------------------------------------------------------------

    def surface(self, spec: Any) -> Surface:
        """The surface of the settings. Raises FormulaError for a formula that does not parse."""
        return surface(spec.surface, condition_number=spec.condition_number, formula=spec.formula)

    def check(self, spec: Any) -> None:
        """Raise SpecError for a formula that does not parse, or a part too small for its numbers."""
        try:
            self.surface(spec)
        except FormulaError as error:
            raise SpecError("formula", str(error)) from None
        from engine.basins import starts

        if any(
            len(np.unique(axis)) < spec.resolution for axis in starts(self.extent(spec), spec.resolution, spec.dtype)
        ):
            raise SpecError("zoom", f"{spec.zoom:g} is not allowed here; {spec.dtype} cannot tell the starts apart")

    def series(self, spec: Any) -> tuple[str, ...]:
        """The rule."""
        return (str(spec.optimizer),)

    def label(self, series: str) -> str:
        """A rule's title."""
        return RULES[series].title if series in RULES else series

    def difference(self, spec: Any, series: str) -> str:
        """How the conventions differ for the rule."""
        return RULES[series].differs if series in RULES else ""

    def extent(self, spec: Any) -> tuple[float, float, float, float]:
        """The part of the plane seen."""
        x0, x1, y0, y1 = self.surface(spec).domain
        x, y = spec.centre if spec.centre is not None else ((x0 + x1) / 2, (y0 + y1) / 2)
        wide, high = (x1 - x0) / 2 / spec.zoom, (y1 - y0) / 2 / spec.zoom
        return (x - wide, x + wide, y - high, y + high)

    def steps(self, spec: Any) -> int:
        """How many tiles follow the coarsest map, and the step in which float64 is tried."""
        return len(self._tiles(spec))

    def hypers(self, spec: Any) -> dict[str, float]:
        """The rule's hyper-parameters."""
        return {h.name: value_of(spec, f"{spec.optimizer}.{h.name}") for h in RULES[spec.optimizer].hypers}

    def descent(self, spec: Any, x: float, y: float) -> dict[str, Any]:
        """The settings with which `landscapes.descent` walks from one start of this map."""
        rule = spec.optimizer
        return {
            "surface": spec.surface, "condition_number": spec.condition_number, "formula": spec.formula,
            "start": (x, y), "optimizers": (rule,), "learning_rate": spec.learning_rate,
            "convention": spec.convention, "steps": spec.steps,
            **{f"{rule}.{name}": value for name, value in self.hypers(spec).items()},
        }  # fmt: skip

    def start_at(self, spec: Any, x: float, y: float) -> tuple[float, float]:
        """The start of the cell at (x, y), as it walked: in the map's precision."""
        from engine.basins import starts

        x0, x1, y0, y1 = self.extent(spec)
        xs, ys = starts((x0, x1, y0, y1), spec.resolution, spec.dtype)
        column = int(np.clip((x - x0) / (x1 - x0) * len(xs), 0, len(xs) - 1))
        row = int(np.clip((y - y0) / (y1 - y0) * len(ys), 0, len(ys) - 1))
        return float(xs[column]), float(ys[row])

    # -- running -----------------------------------------------------------------------------------------------------

    def _tiles(self, spec: Any) -> tuple[Array, ...]:
        from engine.basins import tiles

        return tiles(spec.resolution, spec.steps)

    def _minima(self, spec: Any) -> tuple[Point, ...]:
        chosen = self.surface(spec)
        return local_minima(chosen.text, chosen.domain, chosen.minima)

    def walk(self, spec: Any, dtype: str) -> Any:
        """How everybody walks, in this precision."""
        from engine.basins import Walk
        from engine.formula.compile import compile

        chosen = self.surface(spec)
        x0, x1, y0, y1 = chosen.domain
        return Walk(
            compile(chosen.formula, dtype), spec.optimizer, spec.convention, tuple(self.hypers(spec).values()),
            spec.learning_rate, spec.steps, spec.within, ((x0 + x1) / 2, (y0 + y1) / 2), max(x1 - x0, y1 - y0),
        )  # fmt: skip

    def starts(self, spec: Any, cells: Array) -> tuple[Array, Array]:
        """Where the walks of these cells begin: x, y [n], in the map's precision."""
        from engine.basins import starts

        x, y = starts(self.extent(spec), spec.resolution, spec.dtype)
        return x[cells % spec.resolution], y[cells // spec.resolution]

    def start(self, spec: Any) -> State:
        """The coarsest map."""
        from engine.basins import pool

        state = State(0)
        with pool() as threads:
            self._walk_tile(state, spec, threads, self._tiles(spec)[0])
        return state

    def _walk_tile(self, state: State, spec: Any, threads: Any, cells: Array) -> None:
        from engine.basins import PENDING, ends
        from engine.formula.compile import compile

        found = ends(threads, self.walk(spec, spec.dtype), *self.starts(spec, cells), self._minima(spec))
        rest = (found.label == PENDING) & (found.took <= spec.steps - max(1, spec.steps // REST))
        if rest.any():
            x, y = found.x[rest].astype(float), found.y[rest].astype(float)
            rest = sorted_out(x, y, state.more, spec.within) == PENDING
            taken = (*self._minima(spec), *state.more)
            state.more += minima_near(compile(self.surface(spec).formula), x[rest], y[rest], spec.within, taken)
        state.parts += (found,)

    def advance(self, state: State, spec: Any, n: int) -> Columns:
        """Walk the next tiles; last of all, some of the coarsest starts once more in float64."""
        from engine.basins import pool

        rows, tiles = [], self._tiles(spec)
        with pool() as threads:
            for _ in range(min(n, AT_ONCE)):
                state.step += 1
                if state.step < len(tiles):
                    self._walk_tile(state, spec, threads, tiles[state.step])
                else:
                    state.unsure = self._unsure(state, spec, threads, tiles[0])
                rows.append(self.measure(state, spec))
        return Columns({name: np.concatenate([row.values[name] for row in rows]) for name in COLUMNS})

    def _unsure(self, state: State, spec: Any, threads: Any, cells: Array) -> float:
        from engine.basins import ends

        if spec.dtype == "float64":
            return 0.0
        x, y = (axis[::EVERY].astype(float) for axis in self.starts(spec, cells))
        other = ends(threads, self.walk(spec, "float64"), x, y, self._minima(spec))
        return float((self._labels(state, spec, other) != self._labels(state, spec, state.parts[0])[::EVERY]).mean())

    def _labels(self, state: State, spec: Any, ends: Any) -> Array:
        """Labels of ends, with the minima found on the way."""
        first = len(self._minima(spec))
        label: Array = ends.label.copy()
        pending = np.flatnonzero(label == -1)
        if state.more and len(pending):
            later = sorted_out(ends.x[pending].astype(float), ends.y[pending].astype(float), state.more, spec.within)
            label[pending] = np.where(later >= 0, first + later, -1)
        return label

    def found(self, state: State, spec: Any) -> Found:
        """The map as far as it is made."""
        from engine.basins import sources

        side = spec.resolution
        tiles = self._tiles(spec)[: len(state.parts)]
        where = np.concatenate(tiles)
        walked = np.zeros(side * side, bool)
        walked[where] = True
        order = np.empty(side * side, np.intp)
        order[where] = np.arange(len(where))
        at = order[sources(side, walked)]
        parts = [self._labels(state, spec, part) for part in state.parts]
        label = np.concatenate(parts)[at]
        took, x, y = (np.concatenate([getattr(part, name) for part in state.parts])[at] for name in ("took", "x", "y"))
        return Found(label, took, x, y, (*self._minima(spec), *state.more), len(where))

    def measure(self, state: State, spec: Any) -> Columns:
        """The shares of the map as it is seen."""
        found = self.found(state, spec)
        there = found.label >= 0
        counts = np.bincount(found.label[there], minlength=len(found.minima)) / found.label.size
        mean = float(found.took[there].mean()) if there.any() else np.nan
        shares = [counts[k] if k < len(counts) else np.nan for k in range(len(SHARES))]
        row = [found.walked, there.mean(), found.share(-1), found.share(-2), np.count_nonzero(counts), mean,
               state.unsure, *shares]  # fmt: skip
        return Columns({name: np.array([[float(value)]]) for name, value in zip(COLUMNS, row, strict=True)})

    # -- pictures ----------------------------------------------------------------------------------------------------

    def probe(self, state: State, spec: Any, name: str, **asked: Any) -> Any:
        """`basins`: the map. `arrivals`: who is there by which step. `table`: the minima."""
        found = self.found(state, spec)
        if name == "basins":
            return regions(found, self.extent(spec), self._note(state, spec))
        if name == "arrivals":
            return arrivals(found, spec.steps)
        if name == "table":
            from engine.formula.compile import compile

            places = np.array(found.minima, float).reshape(-1, 2)
            return table(found, np.asarray(compile(self.surface(spec).formula).value(places[:, 0], places[:, 1])))
        raise KeyError(name)

    def _note(self, state: State, spec: Any) -> str:
        words = "Strong: soon there. Click to walk."
        if spec.dtype == "float64" or np.isnan(state.unsure):
            return words
        walked = -(-len(self._tiles(spec)[0]) // EVERY)
        return f"Checked in float64: {round(state.unsure * walked):,} of {walked:,} end elsewhere. {words}"

    def answer(self, spec: Any, view: Any, words: str) -> str:
        """`reached`: how many minima were. `lowest`: whether the first one has under 5 %, under half, or more."""
        row = {name: float(values[0]) for name, values in view.branch.final.items()}
        if words == "reached":
            return str(int(row["minima"]))
        if words == "lowest":
            return "few" if row["minimum_1"] < 0.05 else "some" if row["minimum_1"] < 0.5 else "most"
        return super().answer(spec, view, words)

    def script(self, spec: Any, events: Sequence[Any], steps: int, end: State) -> str:
        """A PyTorch script that walks some of the coarsest starts and asserts where they end."""
        from engine.experiments.landscapes._basins.script import write

        words: str = write(self, spec, end)
        return words


def sorted_out(x: Array, y: Array, minima: Sequence[Point], within: float) -> Array:
    """For each place the nearest of the minima that is near enough, else -1: [n]."""
    label = np.full(len(x), -1)
    best = np.full(len(x), within**2)
    with np.errstate(all="ignore"):
        for k, (u, v) in enumerate(minima):
            apart = (x - u) ** 2 + (y - v) ** 2
            nearer = apart <= best
            label[nearer], best[nearer] = k, apart[nearer]
    return label
