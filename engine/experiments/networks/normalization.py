"""Batch, layer, instance and group norm: on the chapter's feature maps, and in training at every batch size.

Chapter 10.4.3; Wu and He 2018.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from engine.experiment import Array, Basis, Columns, Curve, Ending, Picture
from engine.experiments.networks._normalization import pictures
from engine.experiments.networks._normalization.pictures import Told, spread
from engine.experiments.networks._normalization.settings import (
    NORMS,
    NormalizationSpec,
    batch_sizes,
    check,
    rate,
    updates,
)
from engine.experiments.networks._normalization.tensor import Normalised, every
from engine.experiments.networks._normalization.training import Problem, Team, problem
from engine.spec import Spec

OF_GROUP = ("mean", "variance", "mean_after", "variance_after")
MEASURED = (
    "train_loss", "train_low", "train_high", "train_accuracy", "test_loss", "test_accuracy", "final_loss", "final_low",
    "final_high", "final_accuracy",
)  # fmt: skip
COLUMNS = ("group", *OF_GROUP, "batch_size", "update", "batch_loss", *MEASURED, "lost")
AT = {name: i for i, name in enumerate(COLUMNS)}
EVERY = 24  # measurements of a batch size


@dataclass
class State:
    """Of the study on a tensor the `step` alone: how many groups of each are normalised; `tensors` follow from the
    settings. Of training: the `place` of the batch size in hand with its update, the networks, what was `told` of that
    size and in the `past`, and who has `ended` at which step. `row`: the last row of every column."""

    step: int
    row: Array
    tensors: tuple[Normalised, ...] = field(default=(), metadata={"scratch": True})
    place: int = -1
    update: int = 0
    teams: list[Team] = field(default_factory=list)
    told: Told = ()
    past: tuple[tuple[int, Told], ...] = ()
    problem: Problem | None = field(default=None, metadata={"scratch": True})
    ended: dict[int, int] = field(default_factory=dict)

    def __deepcopy__(self, memo: dict[int, Any]) -> State:
        """A snapshot. What was told never changes and is shared."""
        teams = [copy.deepcopy(team, memo) for team in self.teams]
        return State(self.step, self.row, self.tensors, self.place, self.update, teams, self.told, self.past,
                     self.problem, dict(self.ended))  # fmt: skip


class Normalization(Basis):
    """See the module's text. On a tensor one step normalises one group of each contestant; in training it is one
    update of all networks, and a sweep trains at one batch size after another.

    What is told of a trained contestant is the median over its seeds with the lowest and the highest of them; a lost
    seed is infinitely bad. Losses over all samples are measured with running statistics, as in use.
    """

    id: ClassVar[str] = "networks.normalization"
    title: ClassVar[str] = "Normalisation"
    section: ClassVar[str] = "10.4.3"
    summary: ClassVar[str] = "Batch, layer, instance and group norm: what each averages over, and how each trains."
    Spec: ClassVar[type[Spec]] = NormalizationSpec
    columns: ClassVar[tuple[str, ...]] = COLUMNS
    loss: ClassVar[str] = "train_loss"
    step_columns: ClassVar[tuple[str, ...]] = ("group", *OF_GROUP, "batch_loss")
    sparse: ClassVar[tuple[str, ...]] = (
        "group", *OF_GROUP, "batch_size", "update", "batch_loss", *MEASURED, "lost",
    )  # fmt: skip
    large: ClassVar[int] = 2
    steps_key: ClassVar[str] = ""
    pace: ClassVar[float] = 4.0
    plots: ClassVar[tuple[Curve | Picture, ...]] = (
        Picture("cube", "Which numbers share a mean", "cube", every=0.05),
        Picture("after", "The tensor now", "bars", every=0.05),
        Picture("before", "Before", "bars", every=3600.0),
        Picture("means", "Mean of every map", "matrix", every=0.05),
        Picture("torch", "Beside torch's layers", "table", every=3600.0, empty="PyTorch is loading"),
        Picture("table", "Groups", "table", every=0.05),
        Curve("variance", "Variance of the group", "variance", log=True, x_label="group",
              others=("variance_after",), words={"variance": "before", "variance_after": "after"}),
        Curve("train_loss", "Training loss", "cross-entropy", log=True, x_label="update",
              band=("train_low", "train_high")),
        Picture("sizes", "Loss over batch size", "lines", "batch size", "training loss", log=True, log_x=True,
                every=0.3, empty="Comes at the end"),
        Curve("test_accuracy", "Test accuracy", "share right", x_label="update"),
        Picture("accuracy", "Accuracy over batch size", "lines", "batch size", "share right", log_x=True,
                every=0.3, empty="Comes at the end"),
        Picture("standing", "Standing", "table", every=0.3, empty="Nothing is trained in this study"),
        Curve("batch_loss", "Loss of each batch", "cross-entropy", log=True, x_label="update"),
    )  # fmt: skip

    # -- settings ----------------------------------------------------------------------------------------------------

    def check(self, spec: Any) -> None:
        """Somebody must take part, groups must divide channels, and an update must not take long."""
        check(spec)

    def series(self, spec: Any) -> tuple[str, ...]:
        """The normalisations, as chosen."""
        return tuple(spec.norms)

    def label(self, series: str) -> str:
        """A normalisation's title."""
        return NORMS.get(series, series)

    def steps(self, spec: Any) -> int:
        """As many as the contestant with most groups has; the updates of all batch sizes."""
        if spec.study == "tensor":
            groups = spec.channels // spec.group_size
            counts = {"batch": spec.channels, "layer": spec.batch, "instance": spec.batch * spec.channels,
                      "group": spec.batch * groups, "none": 1}  # fmt: skip
            return int(max(counts[name] for name in spec.norms))
        return sum(updates(spec, size) for size in batch_sizes(spec))

    def difference(self, spec: Any, series: str) -> str:
        """How the conventions differ on a tensor."""
        if spec.study != "tensor" or series == "none":
            return ""
        return "PyTorch adds epsilon to the variance, below the root; the chapter's listing adds it to the deviation."

    # -- running -----------------------------------------------------------------------------------------------------

    def start(self, spec: Any) -> State:
        """Before the first group, or the first update."""
        state = State(0, np.full((len(COLUMNS), len(spec.norms)), np.nan))
        if spec.study == "tensor":
            state.tensors = every(spec)
            return state
        state.problem = problem(spec)
        self._begin(state, spec)
        state.row = self._row(state, spec, 0, np.empty((0,)), True)
        return state

    def measure(self, state: State, spec: Any) -> Columns:
        """The row of the step in hand."""
        return Columns({name: row[None].copy() for name, row in zip(COLUMNS, state.row, strict=True)})

    def advance(self, state: State, spec: Any, n: int) -> Columns:
        """The next n groups or updates; fewer where all are lost before."""
        rows, endings = list[Array](), list[Ending]()
        while len(rows) < n and state.step < self.steps(spec):
            if spec.study == "tensor":
                state.step += 1
                rows.append(self._turn(state))
            elif len(state.ended) == len(spec.norms):
                break
            else:
                rows += self._train(state, spec, n - len(rows), endings)
        if rows:
            state.row = rows[-1]
        table = np.stack(rows, axis=1) if rows else np.empty((len(COLUMNS), 0, len(spec.norms)))
        return Columns(dict(zip(COLUMNS, table, strict=True)), tuple(endings))

    def _turn(self, state: State) -> Array:
        """The row of the group whose turn it was."""
        row = np.full((len(COLUMNS), len(state.tensors)), np.nan)
        for c, one in enumerate(state.tensors):
            if state.step <= one.count:
                row[AT["group"], c] = state.step
                for name in OF_GROUP:
                    row[AT[name], c] = getattr(one, name)[state.step - 1]
        return row

    def _begin(self, state: State, spec: Any) -> None:
        """The next batch size: its networks as they are before the first update."""
        assert state.problem is not None
        state.place += 1
        state.update = 0
        state.teams = [Team.fresh(spec, c, state.problem) for c in range(len(spec.norms))]
        for c in state.ended:
            state.teams[c].lost[:] = 1
        state.told = ()
        self._evaluate(state)

    def _evaluate(self, state: State) -> None:
        found = np.stack([team.measured() for team in state.teams], axis=1)
        found.setflags(write=False)
        state.told = (*state.told, (state.update, found))

    def _train(self, state: State, spec: Any, most: int, endings: list[Ending]) -> list[Array]:
        """At most so many updates, up to the next measurement: their rows."""
        size = batch_sizes(spec)[state.place]
        if state.update == updates(spec, size):
            self._begin(state, spec)
            size = batch_sizes(spec)[state.place]
        total = updates(spec, size)
        between = max(1, total // EVERY)
        until = min(total, (state.update // between + 1) * between, state.update + most)
        first, n = state.update, until - state.update
        told = np.full((n, len(spec.norms), spec.seeds), np.inf)
        for c, team in enumerate(state.teams):
            if c not in state.ended:
                told[:, c] = team.train(spec, size, first, n)
        over = [c for c, team in enumerate(state.teams) if team.over and c not in state.ended]
        if len(over) + len(state.ended) == len(spec.norms):  # nobody goes on: no row beyond the last ending
            n = max(int(state.teams[c].lost.max()) for c in over) - first
        state.update, state.step = first + n, state.step + n
        measured = state.update % between == 0 or state.update == total
        if measured:
            self._evaluate(state)
        if state.update == total:
            state.past = (*state.past, (size, state.told))
        rows = [self._row(state, spec, first + k + 1, told[k], measured and k == n - 1) for k in range(n)]
        for c in over:
            lost = int(state.teams[c].lost.max())
            step = state.step - n + lost - first
            for k in range(lost - first, n):
                rows[k][:, c] = np.nan
            state.ended[c] = step
            reason = f"the last of {spec.seeds} seeds" if spec.seeds > 1 else "its only seed"
            reason += f" overflowed at update {lost} with batches of {size}, at a rate of {rate(spec, size):.4g}"
            endings.append(Ending(c, "diverged", step, reason))
        return rows

    def _row(self, state: State, spec: Any, update: int, told: Array, measured: bool) -> Array:
        """The columns [columns, contestants] behind an update. told [contestants, seeds]: losses of its batch."""
        row = np.full((len(COLUMNS), len(spec.norms)), np.nan)
        size = batch_sizes(spec)[state.place]
        row[AT["batch_size"]], row[AT["update"]] = size, update
        row[AT["lost"]] = [int(((team.lost > 0) & (team.lost <= update)).sum()) for team in state.teams]
        if update:
            row[AT["batch_loss"]] = spread(told)[0]
        if measured:
            now = state.told[-1][1]
            names = [("train_loss", "train_low", "train_high")]
            if update == updates(spec, size):
                names.append(("final_loss", "final_low", "final_high"))
            for each in names:
                for name, values in zip(each, spread(now[0]), strict=True):
                    row[AT[name]] = values
            row[AT["train_accuracy"]], row[AT["test_loss"]] = spread(now[1])[0], spread(now[2])[0]
            row[AT["test_accuracy"]] = spread(now[3])[0]
            if update == updates(spec, size):
                row[AT["final_accuracy"]] = row[AT["test_accuracy"]]
        row[:, list(state.ended)] = np.nan
        return row

    # -- looking -----------------------------------------------------------------------------------------------------

    def probe(self, state: State, spec: Any, name: str, **asked: Any) -> Any:
        """On a tensor `cube`, `before`, `after` and `means` (of the contestant `series`), `table`, `torch`; in training
        `sizes`, `accuracy`, `standing`. None in the other study."""
        series = asked.get("series", "")
        tensor: dict[str, Callable[[], Any]] = {
            "cube": lambda: pictures.cubes(state.tensors, state.step),
            "before": lambda: pictures.bars(state.tensors[0].before, "As drawn: mean ± deviation of every channel"),
            "after": lambda: pictures.after(state.tensors, state.step, series),
            "means": lambda: pictures.means(state.tensors, state.step, series),
            "table": lambda: pictures.table(state.tensors, state.step),
            "torch": lambda: pictures.against_torch(spec, state.tensors),
        }
        training: dict[str, Callable[[], Any]] = {
            "sizes": lambda: pictures.over_size(spec, state.past, 0),
            "accuracy": lambda: pictures.over_size(spec, state.past, 3),
            "standing": lambda: pictures.standing(spec, batch_sizes(spec)[state.place], state.told),
        }
        if name not in tensor and name not in training:
            raise KeyError(name)
        here = tensor if spec.study == "tensor" else training
        return here[name]() if name in here else None

    # -- questions and the script ------------------------------------------------------------------------------------

    def answer(self, spec: Any, view: Any, words: str) -> str:
        """`groups NAME`: how many groups it has. `worst`: who ends a sweep with the highest loss at the smallest batch.
        `better NAME`: whether its loss is lower at the `small`est or at the `large`r batches (the best of them)."""
        values = view.branch.history.values
        kind, _, name = words.partition(" ")
        if kind == "groups" and name in view.series:
            known = values["group"][:, view.series.index(name)]
            return f"{int(np.nanmax(known))}"
        done = np.isfinite(values["final_loss"]).all(axis=1)
        sizes, losses = values["batch_size"][done, 0], values["final_loss"][done]
        if kind == "worst":
            return str(view.series[int(losses[sizes.argmin()].argmax())])
        if kind == "better" and name in view.series:
            own = losses[:, view.series.index(name)]
            return "small" if own[sizes.argmin()] <= own.min() else "large"
        return super().answer(spec, view, words)

    def script(self, spec: Any, events: Sequence[Any], steps: int, end: State) -> str:
        """A PyTorch script that repeats the run with torch's own layers and asserts what the app found."""
        from engine.experiments.networks._normalization.script import write

        words: str = write(self, spec, events, steps, end)
        return words
