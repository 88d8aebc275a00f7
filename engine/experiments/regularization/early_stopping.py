"""Early stopping: one real run that overfits, watched with several patiences. Chapter 10.3.2."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from engine.experiment import Array, Basis, Columns, Curve, Drawn, Ending, Picture
from engine.experiments._shared.trained.model import Model, build, first_weights, lost, rule_of
from engine.experiments._shared.trained.settings import check_samples
from engine.experiments.regularization._early_stopping.patience import Patience, Watch
from engine.experiments.regularization._early_stopping.settings import STOPPERS, EarlyStoppingSpec
from engine.optimizers import RULES
from engine.picture import Table
from engine.spec import Spec, SpecError

NONE = "none"
TRAIN, VALIDATION, TEST = 0, 1, 2  # the model's parts
SHARED = ("train_loss", "validation_loss", "test_loss", "test_accuracy")


@dataclass
class State:
    """Everything that changes. `params` [P] and `numbers` [3, P] (of which the rule uses `rows`) are the run's, which
    all share; `kept` [S, P] are each contestant's best weights, which are its own once it has stopped. `handed`
    [S, 2]: test loss and accuracy of those; `row`: the last row of every column [columns, S]."""

    step: int
    params: Array
    numbers: Array
    rows: int
    kept: Array
    handed: Array
    watches: list[Watch]
    row: Array
    model: Model = field(metadata={"scratch": True})
    ended: dict[int, int] = field(default_factory=dict)

    def __deepcopy__(self, memo: dict[int, Any]) -> State:
        """A snapshot; rows that the rule does not use are zeros, which take no memory until they are written."""
        numbers = np.zeros(self.numbers.shape, self.numbers.dtype)
        numbers[: self.rows] = self.numbers[: self.rows]
        watches = [Watch(**vars(watch)) for watch in self.watches]
        return State(self.step, self.params.copy(), numbers, self.rows, self.kept.copy(), self.handed.copy(), watches,
                     self.row.copy(), self.model, dict(self.ended))  # fmt: skip


class EarlyStopping(Basis):
    """See SPEC `regularization.early_stopping`.

    One step is one epoch of the one run that all contestants watch. Who stops goes back to its best weights; `none`
    never stops and hands over the last ones. The first weights count as an evaluation, at epoch 0.
    """

    id: ClassVar[str] = "regularization.early_stopping"
    title: ClassVar[str] = "Early stopping"
    section: ClassVar[str] = "10.3.2"
    summary: ClassVar[str] = "A run that overfits, stopped by several patiences; the best weights are restored."
    Spec: ClassVar[type[Spec]] = EarlyStoppingSpec
    columns: ClassVar[tuple[str, ...]] = (
        *SHARED, "best_epoch", "best_loss", "bad_in_a_row", "kept_test_loss", "kept_test_accuracy",
    )  # fmt: skip
    sparse: ClassVar[tuple[str, ...]] = columns
    loss: ClassVar[str] = "validation_loss"
    unit: ClassVar[str] = "epoch"
    steps_key: ClassVar[str] = "epochs"
    pace: ClassVar[float] = 30.0
    plots: ClassVar[tuple[Curve | Picture, ...]] = (
        Curve("train_loss", "Loss", "loss", x_label="epoch", others=("validation_loss",),
              words={"train_loss": "training", "validation_loss": "validation"}),
        Picture("outcome", "What each hands over", "table", every=0.2),
        Curve("kept_test_loss", "Test loss of each", "loss", x_label="epoch"),
        Picture("kept", "The weights kept", "map", "x1", "x2", every=0.3, empty="For two inputs only"),
        Curve("bad_in_a_row", "Bad evaluations in a row", "count", x_label="epoch"),
        Picture("last", "The last weights", "map", "x1", "x2", every=0.3, empty="For two inputs only"),
        Curve("kept_test_accuracy", "Test accuracy of each", "share right", x_label="epoch"),
    )  # fmt: skip

    # -- settings ----------------------------------------------------------------------------------------------------

    def check(self, spec: Any) -> None:
        """Somebody must watch, and there must be something to look at."""
        if not spec.stoppers:
            raise SpecError("stoppers", "'' is not allowed; name at least one")
        if not spec.validation_samples:
            raise SpecError("validation_samples", "0 is not allowed; the stopping needs at least 1 to look at")
        check_samples(spec, ("validation_samples", "test_samples"))

    def series(self, spec: Any) -> tuple[str, ...]:
        """The contestants, as chosen."""
        return tuple(spec.stoppers)

    def steps(self, spec: Any) -> int:
        """Epochs."""
        return int(spec.epochs)

    def label(self, series: str) -> str:
        """A contestant's title."""
        return STOPPERS.get(series, series)

    def difference(self, spec: Any, series: str) -> str:
        """How the conventions differ for the optimizer."""
        return RULES[spec.optimizer].differs

    # -- running -----------------------------------------------------------------------------------------------------

    def start(self, spec: Any) -> State:
        """The first weights, measured."""
        model = build(spec, (spec.samples, spec.validation_samples, spec.test_samples))
        params, n = first_weights(model, spec), len(spec.stoppers)
        state = State(0, params, model.mlp.states(spec.optimizer), len(RULES[spec.optimizer].states),
                      np.stack([params] * n), np.full((n, 2), np.nan), [Watch() for _ in range(n)],
                      np.full((len(self.columns), n), np.nan), model)  # fmt: skip
        self._evaluate(state, spec)
        return state

    def measure(self, state: State, spec: Any) -> Columns:
        """The row of the epoch in hand."""
        return Columns({name: row[None].copy() for name, row in zip(self.columns, state.row, strict=True)})

    def advance(self, state: State, spec: Any, n: int) -> Columns:
        """Train for n epochs; fewer where all have ended before."""
        rows, endings = [], list[Ending]()
        for _ in range(n):
            if len(state.ended) == len(spec.stoppers):
                break
            why = self._train(state, spec)
            state.step += 1
            state.row = np.full(state.row.shape, np.nan)
            if why:
                endings += self._end(state, spec, range(len(spec.stoppers)), f"{why} in epoch {state.step}")
            elif state.step % spec.evaluate_every == 0 or state.step == spec.epochs:
                self._evaluate(state, spec)
                done = [s for s, watch in enumerate(state.watches) if watch.stopped == state.step]
                endings += self._end(state, spec, done, "")
            rows.append(state.row)
        shape = (0, *state.row.shape)
        every = np.stack(rows, axis=1) if rows else np.empty((shape[1], 0, shape[2]))
        return Columns(dict(zip(self.columns, every, strict=True)), tuple(endings))

    def _train(self, state: State, spec: Any) -> str:
        """One epoch; why the network is lost, if it is."""
        part = state.model.parts[TRAIN]
        size = min(spec.batch_size or len(part.x), len(part.x))
        rounds = -(-len(part.x) // size)
        _, code, told = state.model.mlp.train(
            state.params, state.numbers, part.x, part.y, rule_of(spec), state.step * rounds + 1,
            np.full(rounds, spec.learning_rate), size, spec.seed,
        )  # fmt: skip
        return lost(float(told[-1, 0]), state.params) if code else ""

    def _evaluate(self, state: State, spec: Any) -> None:
        """Measure the run, let everybody who still watches take it in, and write the row."""
        model, params = state.model, state.params
        found = [model.loss(params, part) for part in (TRAIN, VALIDATION, TEST)] + [model.accuracy(params, TEST)]
        for s, name in enumerate(spec.stoppers):
            if s in state.ended:
                continue
            watch = state.watches[s]
            if name == NONE or self.rule(spec, name).advance(watch, found[1], state.step):
                state.kept[s], state.handed[s] = params, (found[2], found[3])
            best = (math.nan,) * 3 if name == NONE else (watch.best_at, watch.best, watch.bad)
            state.row[:, s] = (*found, *best, *state.handed[s])

    def rule(self, spec: Any, name: str) -> Patience:
        """The rule of one contestant."""
        own = getattr(spec, name)
        gain = spec.min_delta if own.min_delta is None else own.min_delta
        return Patience(own.patience, gain, spec.counting)

    def _end(self, state: State, spec: Any, which: Sequence[int], why: str) -> list[Ending]:
        """Who ends now, and why: the network is lost, or a patience is used up."""
        found = []
        for s in which:
            if s in state.ended:
                continue
            watch, name = state.watches[s], spec.stoppers[s]
            reason = why
            if not why:
                patience = getattr(spec, name).patience
                reason = (f"patience {patience} used up: {watch.bad} evaluations in a row no better than epoch "
                          f"{watch.best_at}, whose weights are restored")  # fmt: skip
            elif name != NONE:
                reason += f"; the weights of epoch {watch.best_at} are kept"
            found.append(Ending(s, "diverged" if why else "stopped", state.step, reason))
            state.ended[s] = state.step
        return found

    # -- pictures ----------------------------------------------------------------------------------------------------

    def probe(self, state: State, spec: Any, name: str, **asked: Any) -> Any:
        """`outcome`: who hands over what. `kept` and `last`: the answers of the weights of contestant `series`, and of
        the run, over the plane."""
        if name == "outcome":
            return self._outcome(state, spec)
        if name not in ("kept", "last"):
            raise KeyError(name)
        from engine.experiments._shared.trained.pictures import boundary

        if name == "last":
            return boundary(state.model, state.params, f"Epoch {state.step}")
        one = asked.get("series") or spec.stoppers[0]
        s = spec.stoppers.index(one) if one in spec.stoppers else 0
        epoch = state.step if spec.stoppers[s] == NONE else state.watches[s].best_at
        return boundary(state.model, state.kept[s], f"{self.label(spec.stoppers[s])}: epoch {epoch}")

    def _outcome(self, state: State, spec: Any) -> Table:
        rows = []
        for s, name in enumerate(spec.stoppers):
            watch, loss = state.watches[s], state.handed[s, 0]
            best, stopped = "–", "–"
            if name != NONE:
                best, stopped = str(max(watch.best_at, 0)), str(watch.stopped) if watch.stopped >= 0 else "…"
            rows.append((self.label(name), best, stopped, f"{loss:.4g}"))
        losses = [loss if math.isfinite(loss) else math.inf for loss in state.handed[:, 0].tolist()]
        good = tuple(s for s, loss in enumerate(losses) if state.step and loss == min(losses) < math.inf)
        return Table(("", "best", "stop", "test loss"), tuple(rows), good)

    def drawn(self, spec: Any, view: Any) -> tuple[Drawn, ...]:
        """The chapter's simulated figure over the measured losses."""
        from engine.experiments.regularization._early_stopping.chapter import drawn

        return drawn(view)

    def answer(self, spec: Any, view: Any, words: str) -> str:
        """`learnt`: who, of those that stop, hands over a network that is right for over 60 % of the test samples."""
        if words != "learnt":
            return super().answer(spec, view, words)
        right = view.branch.final["kept_test_accuracy"].tolist()
        good = [name for name, share in zip(view.series, right, strict=True) if name != NONE and share > 0.6]
        return ",".join(good) or "nobody"

    def script(self, spec: Any, events: Sequence[Any], steps: int, end: State) -> str:
        """A PyTorch script that trains again, stops as here and asserts the weights that each hands over."""
        from engine.experiments.regularization._early_stopping.script import write

        words: str = write(self, spec, events, steps, end)
        return words
