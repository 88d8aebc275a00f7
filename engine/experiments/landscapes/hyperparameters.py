"""Two settings of an optimizer as a map of real runs, on a surface or on a network: chapter 10.2.2."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from engine.experiment import Array, Basis, Columns, Curve, Picture
from engine.experiments.landscapes._hyperparameters.axes import axes
from engine.experiments.landscapes._hyperparameters.map import Measured
from engine.experiments.landscapes._hyperparameters.refinement import batches
from engine.experiments.landscapes._hyperparameters.runs import Runs
from engine.experiments.landscapes._hyperparameters.settings import HyperparametersSpec
from engine.formula import FormulaError
from engine.optimizers import RULES
from engine.spec import Spec, SpecError
from engine.surfaces import surface

COLUMNS = ("runs", "diverged", "best_loss", "best_x", "best_y", "fastest", "agreement")
EXTRAS = ("edge_bottom", "edge_top")
CHANGED = 1.15  # by what factor two edges differ at the least
AT_ONCE = 4  # batches one call runs at the most, so that none takes long


@dataclass
class State:
    """`parts`: the ends of each batch of runs, in order. `made` makes the runs and never changes."""

    step: int
    parts: tuple[Runs, ...] = ()
    made: Any = field(default=None, metadata={"scratch": True})
    order: tuple[Array, ...] = field(default=(), metadata={"scratch": True})

    def __deepcopy__(self, memo: dict[int, Any]) -> State:
        """A snapshot shares what cannot change."""
        return State(self.step, self.parts, self.made, self.order)


class Hyperparameters(Basis):
    """See SPEC `landscapes.hyperparameters`. Step 0 is the first batch of the coarsest runs; each step runs another
    batch. `best_x` and `best_y` are the two settings of the run with the lowest loss; `fastest` is the lowest factor
    per step; `agreement` the share of runs that diverge just where theory says so. `edge_bottom` and `edge_top` are
    the highest stable values across in the lowest and the highest row."""

    id: ClassVar[str] = "landscapes.hyperparameters"
    title: ClassVar[str] = "Maps of hyper-parameters"
    section: ClassVar[str] = "10.2.2"
    summary: ClassVar[str] = "Learning rate by momentum, or any two settings: every cell of the map is a real run."
    Spec: ClassVar[type[Spec]] = HyperparametersSpec
    columns: ClassVar[tuple[str, ...]] = COLUMNS
    extras: ClassVar[tuple[str, ...]] = EXTRAS
    loss: ClassVar[str] = ""
    sparse: ClassVar[tuple[str, ...]] = ("best_loss", "best_x", "best_y", "fastest", "agreement", *EXTRAS)
    unit: ClassVar[str] = "batch"
    steps_key: ClassVar[str] = ""
    pace: ClassVar[float] = 8.0
    eager: ClassVar[bool] = True
    plots: ClassVar[tuple[Curve | Picture, ...]] = (
        Picture("map", "A run in every cell", "regions", "x", "y", every=0.05),
        Picture("runs", "The run pointed at", "lines", "step", "loss", log=True, every=0.3),
        Picture("cut", "Along its row", "lines", "x", "value", every=0.3),
        Picture("table", "The best runs", "table", every=0.3),
        Curve("best_loss", "The best so far", "final loss", log=True, x_label="runs", x="runs", points=True),
        Curve("diverged", "Diverged so far", "share of the runs", x_label="runs", x="runs", points=True),
    )  # fmt: skip

    # -- settings ----------------------------------------------------------------------------------------------------

    def check(self, spec: Any) -> None:
        """Raise SpecError for a formula that does not parse, and for axes that are the same or make no sense."""
        if spec.x_field == spec.y_field:
            raise SpecError("y_field", f"{spec.y_field} is not allowed; it is across already, give another one")
        if spec.on == "surface" or {"start_x", "start_y"} & {spec.x_field, spec.y_field}:
            try:
                surface(spec.surface, condition_number=spec.condition_number, formula=spec.formula)
            except FormulaError as error:
                raise SpecError("formula", str(error)) from None
        axes(spec, 0.0 if spec.on == "network" else 1.0)

    def series(self, spec: Any) -> tuple[str, ...]:
        """The rule."""
        return (str(spec.optimizer),)

    def label(self, series: str) -> str:
        """A rule's title."""
        return RULES[series].title if series in RULES else series

    def difference(self, spec: Any, series: str) -> str:
        """How the conventions differ for the rule."""
        return RULES[series].differs if series in RULES else ""

    def steps(self, spec: Any) -> int:
        """How many batches follow the first one."""
        return len(self._order(spec)) - 1

    def _order(self, spec: Any) -> tuple[Array, ...]:
        from engine.experiments.landscapes._hyperparameters.cost import cost
        from engine.experiments.landscapes._hyperparameters.settings import side

        return batches(side(spec), cost(spec))

    # -- running -----------------------------------------------------------------------------------------------------

    def start(self, spec: Any) -> State:
        """The first batch of the coarsest runs. Raises SpecError for data that cannot be used."""
        from engine.experiments.landscapes._hyperparameters.network_runs import runs_of

        made, order = runs_of(spec), self._order(spec)
        return State(0, (made.run(order[0]),), made, order)

    def advance(self, state: State, spec: Any, n: int) -> Columns:
        """Run the next batches."""
        rows = []
        for _ in range(min(n, AT_ONCE)):
            state.step += 1
            state.parts += (state.made.run(state.order[state.step]),)
            rows.append(self.measure(state, spec))
        return Columns({name: np.concatenate([row.values[name] for row in rows]) for name in (*COLUMNS, *EXTRAS)})

    def found(self, state: State) -> Measured:
        """The map as far as it is made."""
        return Measured.of(state.made, state.order, state.parts)

    def measure(self, state: State, spec: Any) -> Columns:
        """The best runs so far."""
        found = self.found(state)
        runs, good = found.runs, ~found.runs.diverged & np.isfinite(found.runs.loss)
        row = [len(found.cells), runs.diverged.mean(), np.nan, np.nan, np.nan, np.nan, found.agreement(),
               found.last_stable(0), found.last_stable(found.side - 1)]  # fmt: skip
        if good.any():
            best = int(np.where(good, runs.loss, np.inf).argmin())
            at = state.made.values(found.cells[best])
            row[2:6] = runs.loss[best], at[spec.x_field], at[spec.y_field], runs.rate[good].min()
        return Columns({name: np.array([[float(value)]]) for name, value in zip((*COLUMNS, *EXTRAS), row, strict=True)})

    # -- pictures ----------------------------------------------------------------------------------------------------

    def probe(self, state: State, spec: Any, name: str, **asked: Any) -> Any:
        """`map`, `table`; `runs` and `cut` of cell=(row, column), else of the best run; `open`: the experiment that
        makes the run of a cell, and its settings."""
        from engine.experiments.landscapes._hyperparameters import pictures

        found = self.found(state)
        if name == "map":
            return pictures.heat(found, spec.colour)
        if name == "table":
            return pictures.table(found, spec.colour)
        if name not in ("runs", "cut", "open"):
            raise KeyError(name)
        cell = self._cell(found, spec, asked.get("cell"))
        if name == "open":
            return state.made.handed(cell)
        return pictures.runs(found, cell) if name == "runs" else pictures.cut(found, cell, spec.colour)

    def _cell(self, found: Measured, spec: Any, asked: tuple[int, int] | None) -> int:
        """A place in the flattened map: the one asked for, else that of the best run, else the middle."""
        from engine.experiments.landscapes._hyperparameters.pictures import best

        side = found.side
        if asked is None:
            own = best(found, spec.colour)
            return own if own >= 0 else side * side // 2 + side // 2
        row, column = (min(max(int(k), 0), side - 1) for k in asked)
        return row * side + column

    def answer(self, spec: Any, view: Any, words: str) -> str:
        """`best x LIMIT...`, `best y LIMIT...`, `fastest LIMIT...`, `diverged LIMIT...`: how many of the limits lie
        below what was measured. `edge`: whether the highest stable value across is `more`, `same` or `less` at the top
        of the map than at its bottom."""
        row = {name: float(values[0]) for name, values in view.branch.final.items()}
        match words.split():
            case ["edge"]:
                low, high = row["edge_bottom"], row["edge_top"]
                return "more" if high > CHANGED * low else "less" if low > CHANGED * high else "same"
            case ["best", ("x" | "y") as axis, *limits]:
                value = row[f"best_{axis}"]
            case [("fastest" | "diverged") as name, *limits]:
                value = row[name]
            case _:
                return super().answer(spec, view, words)
        return str(sum(value > float(limit) for limit in limits))

    def script(self, spec: Any, events: Sequence[Any], steps: int, end: State) -> str:
        """A PyTorch script that makes some of the runs again and asserts how they end."""
        from engine.experiments.landscapes._hyperparameters.script import write

        words: str = write(self, spec, end)
        return words
