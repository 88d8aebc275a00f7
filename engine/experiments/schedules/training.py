"""One small network trained under several schedules at once, the rate above the loss: chapter 10.2.3."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, ClassVar

import numpy as np

from engine.data import DATA
from engine.experiment import Array, Basis, Columns, Curve, Ending, Picture
from engine.experiments._shared.trained.model import Model, build, cadence, first_weights, lost, rule_of
from engine.experiments._shared.trained.settings import check_samples, hypers
from engine.experiments.schedules._shared.ahead import PLATEAU, ahead
from engine.experiments.schedules._shared.settings import check_schedules, parameters
from engine.experiments.schedules._training.settings import TrainingSpec, momentum_name, moves_momentum
from engine.optimizers import RULES
from engine.schedules import SCHEDULES, Plateau, PlateauState, momenta, rates
from engine.spec import Spec, SpecError

TRAIN, TEST = 0, 1  # the model's parts


@dataclass
class State:
    """Everything that changes: parameters [S, P], the rule's numbers [S, 3, P] (of which it uses `rows`), what the
    plateau remembers with the peak rate it knows, the last row of every column [columns, S], and who
    ended at which step."""

    step: int
    params: Array
    numbers: Array
    rows: int
    machine: PlateauState
    peak: float
    row: Array
    every: int
    model: Model = field(metadata={"scratch": True})
    ended: dict[int, int] = field(default_factory=dict)

    def __deepcopy__(self, memo: dict[int, Any]) -> State:
        """A snapshot; rows that the rule does not use are zeros, which take no memory until they are written."""
        numbers = np.zeros(self.numbers.shape, self.numbers.dtype)
        numbers[:, : self.rows] = self.numbers[:, : self.rows]
        machine = PlateauState(**vars(self.machine))
        return State(self.step, self.params.copy(), numbers, self.rows, machine, self.peak, self.row.copy(),
                     self.every, self.model, dict(self.ended))  # fmt: skip


class Training(Basis):
    """See SPEC `schedules.training`.

    The row of step k holds the rate that step k used: the schedule's at index k - 1 (empty at step 0), the loss of its
    batch before the update, and every so many steps the losses over all samples after it. All contestants begin with
    the same weights and see the same batches, whoever else takes part.
    """

    id: ClassVar[str] = "schedules.training"
    title: ClassVar[str] = "Training under schedules"
    section: ClassVar[str] = "10.2.3"
    summary: ClassVar[str] = "The same network trained under several schedules at once, the rate above the loss."
    Spec: ClassVar[type[Spec]] = TrainingSpec
    columns: ClassVar[tuple[str, ...]] = (
        "learning_rate", "momentum", "batch_loss", "train_loss", "test_loss", "test_accuracy",
    )  # fmt: skip
    step_columns: ClassVar[tuple[str, ...]] = ("learning_rate", "momentum", "batch_loss")
    sparse: ClassVar[tuple[str, ...]] = ("momentum", "train_loss", "test_loss", "test_accuracy")
    loss: ClassVar[str] = "train_loss"
    large: ClassVar[int] = 2
    stacked: ClassVar[bool] = True
    steps_key: ClassVar[str] = "total_steps"
    pace: ClassVar[float] = 300.0
    plots: ClassVar[tuple[Curve | Picture, ...]] = (
        Curve("learning_rate", "Learning rate", "learning rate"),
        Curve("train_loss", "Training loss", "loss", log=True),
        Curve("test_loss", "Test loss", "loss", log=True),
        Curve("momentum", "Momentum", "momentum", empty="This optimizer has no momentum"),
        Picture("boundary", "What it answers", "map", "x1", "x2", every=0.3, empty="For two inputs only"),
        Curve("test_accuracy", "Test accuracy", "share right", empty="Of classes that are tested only"),
        Curve("batch_loss", "Loss of each batch", "loss", log=True),
    )

    # -- settings ----------------------------------------------------------------------------------------------------

    def check(self, spec: Any) -> None:
        """Raise SpecError where no schedule takes part, one makes no sense, or there are not enough samples."""
        check_schedules(spec)
        check_samples(spec, ("test_samples",))
        if PLATEAU in spec.schedules:
            _check_plateau(spec)

    def series(self, spec: Any) -> tuple[str, ...]:
        """The schedules, as chosen."""
        return tuple(spec.schedules)

    def steps(self, spec: Any) -> int:
        """As many updates as the schedules have steps."""
        return int(spec.total_steps)

    def label(self, series: str) -> str:
        """A schedule's title."""
        return SCHEDULES[series].title

    def difference(self, spec: Any, series: str) -> str:
        """How the conventions differ for the optimizer that all use."""
        return RULES[spec.optimizer].differs

    # -- running -----------------------------------------------------------------------------------------------------

    def start(self, spec: Any) -> State:
        """One network for each schedule, all with the same weights."""
        model = build(spec, (spec.samples, spec.test_samples))
        first, names = first_weights(model, spec), self.series(spec)
        numbers = np.stack([model.mlp.states(spec.optimizer)] * len(names))
        every = spec.evaluate_every or cadence(model, spec.batch_size)
        state = State(0, np.stack([first] * len(names)), numbers, len(RULES[spec.optimizer].states),
                      machine(spec).start(spec.base_lr), spec.base_lr, np.full((len(self.columns), len(names)), np.nan),
                      every, model)  # fmt: skip
        for s in range(len(names)):
            state.row[3:, s] = _measured(state, s)
        return state

    def measure(self, state: State, spec: Any) -> Columns:
        """The row of the step in hand."""
        return Columns({name: row[None].copy() for name, row in zip(self.columns, state.row, strict=True)})

    def advance(self, state: State, spec: Any, n: int) -> Columns:
        """Train all that still run for n steps; fewer where all are lost before."""
        names, total = self.series(spec), self.steps(spec)
        rows = np.full((len(self.columns), n, len(names)), np.nan)
        endings: list[Ending] = []
        done = 0
        if spec.base_lr != state.peak:  # the plateau's rate is its own: a new peak moves it in proportion
            state.machine.rate *= spec.base_lr / state.peak
            state.peak = spec.base_lr
        while done < n and len(state.ended) < len(names):
            until = min(state.step + n - done, (state.step // state.every + 1) * state.every)
            part = rows[:, done : done + until - state.step]
            ends = [self._train(state, spec, s, part) for s in range(len(names)) if s not in state.ended]
            new = [ending for ending in ends if ending is not None]
            endings += new
            state.ended |= {ending.series: ending.step for ending in new}
            if len(state.ended) == len(names):
                until = max(ending.step for ending in endings)
            done += until - state.step
            state.step = until
            if until % state.every == 0 or until == total:
                for s in [s for s in range(len(names)) if s not in state.ended]:
                    rows[3:, done - 1, s] = _measured(state, s)
                    if names[s] == PLATEAU:
                        self._tell_plateau(state, spec, rows[:, done - 1, s])
        if done:
            state.row = rows[:, done - 1].copy()
        return Columns(dict(zip(self.columns, rows[:, :done], strict=True)), tuple(endings))

    def _train(self, state: State, spec: Any, s: int, rows: Array) -> Ending | None:
        """Train one network for as many steps as `rows` [columns, steps, S] has; its ending, if it is lost."""
        name, first, n = self.series(spec)[s], state.step, rows.shape[1]
        rate, momentum = self.followed(state, spec, name, first, n)
        moves = momentum_name(spec.optimizer)
        fixed = not moves_momentum(name, spec.optimizer)
        cuts = [0, n] if fixed else [0, *(np.flatnonzero(np.diff(momentum)) + 1), n]
        train = state.model.parts[TRAIN]
        for a, b in pairwise(cuts):
            rule = rule_of(spec) if fixed else rule_of(spec, **{moves: float(momentum[a])})
            taken, code, told = state.model.mlp.train(
                state.params[s], state.numbers[s], train.x, train.y, rule, first + a + 1, rate[a:b], spec.batch_size,
                spec.seed,
            )  # fmt: skip
            part = slice(a, a + taken)
            rows[0, part, s], rows[1, part, s], rows[2, part, s] = rate[part], momentum[part], told[:, 0]
            if code:
                step, why = first + a + taken, lost(float(told[-1, 0]), state.params[s])
                return Ending(s, "diverged", step, f"{why} at step {step}, at a rate of {rate[a + taken - 1]:.4g}")
        return None

    def followed(self, state: State, spec: Any, name: str, first: int, n: int) -> tuple[Array, Array]:
        """Rate and momentum of the n steps after step `first`; nan where the optimizer has no momentum."""
        own = hypers(spec).get(momentum_name(spec.optimizer), np.nan)
        if name == PLATEAU:
            return np.full(n, state.machine.rate), np.full(n, own)
        given = (name, np.arange(first, first + n), spec.total_steps, spec.base_lr)
        rate = rates(*given, **parameters(spec, name))
        if not moves_momentum(name, spec.optimizer):
            return rate, np.full(n, own)
        return rate, momenta(*given, **parameters(spec, name))

    def _tell_plateau(self, state: State, spec: Any, row: Array) -> None:
        machine(spec).advance(state.machine, float(row[self.columns.index(spec.plateau.metric)]))

    # -- looking -----------------------------------------------------------------------------------------------------

    def probe(self, state: State, spec: Any, name: str, **asked: Any) -> Any:
        """`boundary`: what the network of the schedule `series` answers over the plane, as a Map. `ahead`: the rates
        of the whole run, as Lines."""
        if name == "ahead":
            return ahead(spec, first=1)
        if name != "boundary":
            raise KeyError(name)
        from engine.experiments._shared.trained.pictures import boundary

        names = self.series(spec)
        one = asked.get("series") or names[0]
        s = names.index(one) if one in names else 0
        return boundary(state.model, state.params[s], self.label(names[s]))

    def answer(self, spec: Any, view: Any, words: str) -> str:
        """`survivors`: whose network was not lost."""
        if words != "survivors":
            return super().answer(spec, view, words)
        lost = {ending.series for ending in view.branch.endings}
        return ",".join(name for s, name in enumerate(view.series) if s not in lost) or "nobody"

    def script(self, spec: Any, events: Sequence[Any], steps: int, end: State) -> str:
        """A PyTorch script that trains again under every schedule and asserts the weights."""
        from engine.experiments.schedules._training.script import write

        words: str = write(self, spec, events, steps, end)
        return words


def machine(spec: Any) -> Plateau:
    """The plateau as set."""
    return Plateau(**{name: getattr(spec.plateau, name) for name in Plateau.__dataclass_fields__})


def _check_plateau(spec: Any) -> None:
    """Raise SpecError for a metric that is never measured, or one that is to go the wrong way."""
    metric, mode = spec.plateau.metric, spec.plateau.mode
    right = "max" if metric == "test_accuracy" else "min"
    if metric == "test_accuracy" and (DATA[spec.data].kind == "regression" or not spec.test_samples):
        raise SpecError("plateau.metric", f"{metric} is not measured on these data; give test_loss or train_loss")
    if metric == "test_loss" and not spec.test_samples:
        raise SpecError("plateau.metric", "test_loss is not measured without test samples; give train_loss")
    if mode != right:
        raise SpecError("plateau.mode", f"{mode} is not allowed with {metric}; give {right}")


def _measured(state: State, s: int) -> tuple[float, float, float]:
    """Training loss, test loss and test accuracy of one network."""
    model, params = state.model, state.params[s]
    return model.loss(params, TRAIN), model.loss(params, TEST), model.accuracy(params, TEST)
