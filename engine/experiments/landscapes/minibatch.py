"""Batch, mini-batch and online SGD on linear regression: chapter 10.2.1."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from engine.experiment import Array, Basis, Columns, Curve, Drawn, Ending, Picture
from engine.experiments.landscapes._minibatch.batches import batches, is_full, stream
from engine.experiments.landscapes._minibatch.chapter import drawn, listing
from engine.experiments.landscapes._minibatch.pace import Pace, pace_of
from engine.experiments.landscapes._minibatch.problem import Problem, problem, view_range
from engine.experiments.landscapes._minibatch.settings import BATCHES, MinibatchSpec, check, rate_of, size_of
from engine.spec import Spec

COLUMNS = (
    "updates", "samples", "epoch", "loss", "excess", "batch_loss", "epoch_loss", "distance", "gradient_norm",
    "gradient_noise", "learning_rate",
)  # fmt: skip
EXTRAS = ("stationary", "along", "across")
# which of the kernel's columns a column is
TOLD = {"excess": 0, "batch_loss": 1, "distance": 2, "gradient_norm": 3, "gradient_noise": 4, "along": 5, "across": 6}
EPOCH_LOSS = 7
PORTION = 2**20  # samples that are put in a row at a time


@dataclass
class State:
    """Everything that changes, in the eigenbasis: c [S, d] around the minimum; updates [S] made; the sum and number of
    the batch losses of the epoch under way [S, 2]; sums [S, d] of c^2 over the updates after `since` [S], at `rate`;
    the last row of every column [columns, S]; the chapter's stream before each one's epoch; who has ended."""

    step: int
    c: Array
    updates: Array
    epoch: Array
    sums: Array
    since: Array
    rate: float
    row: Array
    streams: list[dict[str, Any]]
    problem: Problem = field(metadata={"scratch": True})
    ended: list[int] = field(default_factory=list)


class Minibatch(Basis):
    """See SPEC `landscapes.minibatch`. One step is one update of each contestant, or as many samples for each."""

    id: ClassVar[str] = "landscapes.minibatch"
    title: ClassVar[str] = "Batch, mini-batch, online"
    section: ClassVar[str] = "10.2.1"
    summary: ClassVar[str] = "Gradient descent on linear regression with batches of one, of some and of all samples."
    Spec: ClassVar[type[Spec]] = MinibatchSpec
    columns: ClassVar[tuple[str, ...]] = COLUMNS
    extras: ClassVar[tuple[str, ...]] = EXTRAS
    loss: ClassVar[str] = "excess"
    step_columns: ClassVar[tuple[str, ...]] = ("batch_loss", "gradient_noise", "learning_rate")
    sparse: ClassVar[tuple[str, ...]] = ("batch_loss", "epoch_loss", "gradient_noise")
    path: ClassVar[tuple[str, str] | None] = ("along", "across")
    pace: ClassVar[float] = 200.0
    plots: ClassVar[tuple[Curve | Picture, ...]] = (
        Curve("excess", "Loss by step", "loss − minimum", log=True),
        Curve("excess", "Loss by samples seen", "loss − minimum", log=True, x_label="samples seen",
              x="samples", log_x=True),
        Picture("cloud", "Gradients of batches", "lines", "gradient, first direction", "second direction",
                every=0.3),
        Picture("variance", "Variance at rest", "lines", "eigenvalue", "variance", log=True, every=0.3,
                log_x=True),
        Curve("distance", "Distance from the minimum", "‖w − minimum‖", log=True, others=("stationary",),
              words={"distance": "measured", "stationary": "theory, at rest"}),
        Curve("epoch_loss", "Loss of each epoch", "loss", log=True, x_label="epoch", x="epoch"),
        Curve("gradient_noise", "Noise in the gradient", "‖batch gradient − full gradient‖", log=True),
        Curve("loss", "Loss of all samples", "mean squared error", log=True),
        Curve("batch_loss", "Loss of each batch", "mean squared error", log=True),
    )  # fmt: skip

    # -- settings ----------------------------------------------------------------------------------------------------

    def check(self, spec: Any) -> None:
        """Batches must fit the samples, and eigenvectors the inputs."""
        check(spec)

    def series(self, spec: Any) -> tuple[str, ...]:
        """The batch sizes, as chosen."""
        return tuple(spec.batches)

    def label(self, series: str) -> str:
        """A batch size in words."""
        return BATCHES.get(series, series)

    def steps(self, spec: Any) -> int:
        """How long the run is."""
        return int(spec.steps)

    def extent(self, spec: Any) -> tuple[float, float, float, float]:
        """The part of the plane that the ways go through."""
        return view_range(spec, problem(spec))

    # -- running -----------------------------------------------------------------------------------------------------

    def start(self, spec: Any) -> State:
        """Everybody at the start."""
        found, names = problem(spec), self.series(spec)
        if spec.data == "chapter":
            listing()  # the window lays it over the run: worked out here, where nobody waits
        count, inputs = len(names), len(found.start)
        state = State(
            0, np.tile(found.start, (count, 1)), np.zeros(count, np.int64), np.zeros((count, 2)),
            np.zeros((count, inputs)), np.full(count, spec.settled, np.int64), spec.learning_rate,
            np.full((len(COLUMNS + EXTRAS), count), np.nan), [stream(spec)] * count, found,
        )  # fmt: skip
        c, k = found.start, found.curvatures
        first = [0.5 * c @ (k * c), np.nan, np.sqrt(c @ c), np.sqrt((k * c) @ (k * c)), np.nan, *(found.plane @ c)]
        for s in range(count):
            told = self._rows(state, spec, s, np.array([[*first, np.nan]]), np.zeros(1, np.int64))
            state.row[:, s] = [told[column][0] for column in COLUMNS + EXTRAS]
            state.row[COLUMNS.index("learning_rate"), s] = np.nan
        return state

    def measure(self, state: State, spec: Any) -> Columns:
        """The row of the step in hand."""
        return Columns({name: row[None].copy() for name, row in zip(COLUMNS + EXTRAS, state.row, strict=True)})

    def advance(self, state: State, spec: Any, n: int) -> Columns:
        """Take n steps in place; fewer where all have ended before."""
        names = self.series(spec)
        if spec.learning_rate != state.rate:  # averages over two rates would mean nothing
            state.rate, state.sums[:], state.since = spec.learning_rate, 0.0, state.updates + spec.settled
        paces = [pace_of(spec, name) for name in names]
        dear = max(1 if is_full(spec, name) else pace.size for name, pace in zip(names, paces, strict=True))
        portion = max(1, PORTION // max(dear, max(pace.each for pace in paces)))
        block = np.full((len(COLUMNS + EXTRAS), n, len(names)), np.nan)
        endings: list[Ending] = []
        done = 0
        while done < n and len(state.ended) < len(names):
            count = min(portion, n - done)
            lost: list[Ending] = []
            for s in [s for s in range(len(names)) if s not in state.ended]:
                lost += self._walk(state, spec, s, paces[s], block[:, done : done + count, s])
            state.ended += [ending.series for ending in sorted(lost, key=lambda e: (e.step, e.series))]
            endings += lost
            if len(state.ended) == len(names):
                count = max(ending.step for ending in endings) - state.step
            done += count
            state.step += count
        if done:
            state.row = block[:, done - 1].copy()
        values = dict(zip(COLUMNS + EXTRAS, block[:, :done], strict=True))
        return Columns(values, tuple(sorted(endings, key=lambda e: (e.step, e.series))))

    def _walk(self, state: State, spec: Any, s: int, pace: Pace, rows: Array) -> list[Ending]:
        """Take one contestant through as many steps as `rows` [columns, steps] has; its ending, if it is lost."""
        from engine.minibatch_kernel import MEASURED, walk

        name, u0 = self.series(spec)[s], int(state.updates[s])
        ends = pace.updates(np.arange(state.step + 1, state.step + 1 + rows.shape[1])) - u0
        u1 = u0 + int(ends[-1])
        told = np.empty((1 + u1 - u0, MEASURED))
        told[0] = [state.row[(COLUMNS + EXTRAS).index(column), s] for column in TOLD] + [np.nan]
        (order, begins, noise), after = batches(spec, name, pace, state.streams[s], u0, u1, len(state.c[s]))
        whole = np.full(u1 - u0, pace.size, float)
        found = state.problem
        taken = walk(
            found.rotated, found.rest, found.curvatures, found.floor, state.c[s], order, begins,
            whole if spec.last_batch == "chapter" or not len(begins) else np.diff(begins).astype(float), noise,
            rate_of(spec, name), found.plane, pace.ends(u0, u1), int(state.since[s]) - u0, state.sums[s],
            state.epoch[s], told[1:],
        )  # fmt: skip
        state.updates[s] = u0 + taken
        over = bool(taken) and not np.isfinite(told[taken, :3:2]).all()
        state.streams[s] = {} if over else after  # of one that is lost, the call would say how far it was drawn
        if over:
            lost_at = int(np.searchsorted(ends, taken))
            ends, rows = np.minimum(ends[: lost_at + 1], taken), rows[:, : lost_at + 1]
        for row, values in zip(rows, self._rows(state, spec, s, told, ends, u0).values(), strict=True):
            row[:] = values
        if not over:
            return []
        step = state.step + rows.shape[1]
        return [Ending(s, "diverged", step, _reason(state, spec, name, step))]

    def _rows(self, state: State, spec: Any, s: int, told: Array, ends: Array, before: int = 0) -> dict[str, Array]:
        """Every column of the steps that end with the updates `ends` (row 0 of `told`: the state before them)."""
        name = self.series(spec)[s]
        pace, rows = pace_of(spec, name), {column: told[ends, c] for column, c in TOLD.items()}
        rows["updates"] = (before + ends).astype(float)
        rows["samples"] = pace.seen(before + ends).astype(float)
        rows["epoch"] = rows["samples"] / pace.samples
        rows["loss"] = state.problem.floor + rows["excess"]
        rows["epoch_loss"] = _latest(told[:, EPOCH_LOSS], ends)
        rows["learning_rate"] = np.full(len(ends), rate_of(spec, name))
        with np.errstate(over="ignore"):
            rows["stationary"] = np.full(len(ends), np.sqrt(state.problem.stationary(spec, name).sum()))
        return {column: rows[column] for column in COLUMNS + EXTRAS}

    # -- looking -----------------------------------------------------------------------------------------------------

    def probe(self, state: State, spec: Any, name: str, **asked: Any) -> Any:
        """`field`: the loss above its minimum over extent=..., [n, n]. `cloud`: gradients of many batches where the
        contestant series=... stands. `variance`: measured around the minimum, beside the theory."""
        from engine.experiments.landscapes._minibatch import pictures

        if name == "field":
            return pictures.field(state.problem, asked["extent"], asked.get("n", 160))
        if name == "cloud":
            return pictures.cloud(self, state, spec, asked.get("series", ""))
        if name == "variance":
            return pictures.variance(self, state, spec)
        raise KeyError(name)

    def drawn(self, spec: Any, view: Any) -> tuple[Drawn, ...]:
        """The epoch losses of the chapter's listing laid over this run."""
        return drawn(spec, view)

    def script(self, spec: Any, events: Sequence[Any], steps: int, end: State) -> str:
        """A PyTorch script of every contestant up to step `steps`, which asserts the weights in `end`."""
        from engine.experiments.landscapes._minibatch.script import write

        words: str = write(self, spec, events, steps, end)
        return words


def _latest(values: Array, ends: Array) -> Array:
    """Of each step the last number in its rows of `values`; nan where it has none."""
    good = np.flatnonzero(np.isfinite(values))
    if not len(good):
        return np.full(len(ends), np.nan)
    at = np.searchsorted(good, ends, side="right") - 1
    begins = np.concatenate([[0], ends[:-1]])
    own = (at >= 0) & (good[at] > begins)
    return np.asarray(np.where(own, values[good[at]], np.nan))


def _reason(state: State, spec: Any, name: str, step: int) -> str:
    """Why a contestant's weights overflowed."""
    rate, steepest = rate_of(spec, name), float(state.problem.curvatures[0])
    told = f"the weights overflowed at step {step}: rate times the largest eigenvalue is {rate * steepest:.3g}"
    if rate * steepest > 2:
        return f"{told}, and above 2 every update overshoots further than the last"
    single = 2.0 * float((state.problem.rotated**2).sum(axis=1).max())
    return (f"{told}, below 2, but batches of {size_of(spec, name)} are steeper than all samples together: a single "
            f"sample reaches {rate * single:.3g}")  # fmt: skip
