"""Optimizers on one real network, fairly: chapter 10.2.2."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from engine.experiment import Basis, Columns, Curve, Drawn, Ending, Picture
from engine.experiments.landscapes._race import fairness, problem, running, tuning
from engine.experiments.landscapes._race.running import ALWAYS, AT, COLUMNS
from engine.experiments.landscapes._race.settings import TITLES, RaceSpec, check, tuning_steps
from engine.experiments.landscapes._race.state import Clock, State
from engine.optimizers import RULES
from engine.spec import Spec


class Race(Basis):
    """See SPEC `landscapes.race`.

    First the rates are tuned, on networks that do not race; then the race begins, at update 0. A contestant is one
    optimizer with a network for each seed. Losses over all samples are measured every so many updates and told as the
    median over the seeds with the edges of their band; learning rate, batch loss and gradient norm (medians too)
    belong to the update itself. Who is lost counts as infinitely bad in a median; a contestant ends when all its seeds
    are lost. Where optimizers hold a network thrown away, the gradient norm is that of the gradients piled up.
    """

    id: ClassVar[str] = "landscapes.race"
    title: ClassVar[str] = "A fair race"
    section: ClassVar[str] = "10.2.2"
    summary: ClassVar[str] = "Optimizers on one real network: same weights, same batches, rates tuned on equal budgets."
    Spec: ClassVar[type[Spec]] = RaceSpec
    columns: ClassVar[tuple[str, ...]] = COLUMNS
    loss: ClassVar[str] = "train_loss"
    step_columns: ClassVar[tuple[str, ...]] = ("learning_rate", "batch_loss", "gradient_norm")
    sparse: ClassVar[tuple[str, ...]] = tuple(name for name in COLUMNS if name not in ALWAYS)
    large: ClassVar[int] = 2
    pace: ClassVar[float] = 400.0
    plots: ClassVar[tuple[Curve | Picture, ...]] = (
        Curve("train_loss", "Loss by step", "training loss", log=True, x_label="step of the race", x="update",
              band=("train_low", "train_high")),
        Picture("tuned", "Tuning", "lines", "learning rate", "loss", log=True, every=0.15, log_x=True,
                empty="No rate is tuned here"),
        Picture("times", "Loss by computing time", "lines", "CPU ms, one network", "training loss", log=True,
                every=0.2, empty="Nothing timed yet"),
        Picture("result", "Steps to target", "table", every=0.2),
        Picture("fair", "Held equal", "table", every=0.2),
        Curve("train_loss", "Loss by samples", "training loss", log=True, x_label="samples seen", x="samples",
              band=("train_low", "train_high")),
        Curve("test_loss", "Test loss", "test loss", log=True, x_label="step of the race", x="update",
              band=("test_low", "test_high")),
        Curve("test_accuracy", "Test accuracy", "share right", x_label="step of the race", x="update"),
        Curve("batch_loss", "Loss of each batch", "loss", log=True, x_label="step of the race", x="update"),
        Curve("gradient_norm", "Gradient", "‖gradient‖", log=True, x_label="step of the race", x="update"),
        Curve("lost", "Seeds lost", "count", x_label="step of the race", x="update"),
    )  # fmt: skip

    # -- settings ----------------------------------------------------------------------------------------------------

    def check(self, spec: Any) -> None:
        """Somebody must race, among rates that are not one and the same, on samples that exist."""
        check(spec)

    def series(self, spec: Any) -> tuple[str, ...]:
        """The optimizers, as chosen."""
        return tuple(spec.optimizers)

    def steps(self, spec: Any) -> int:
        """Tuning and race."""
        return tuning_steps(spec) + int(spec.steps)

    def label(self, series: str) -> str:
        """An optimizer's title."""
        return TITLES.get(series, series)

    def difference(self, spec: Any, series: str) -> str:
        """How the conventions differ for this optimizer."""
        return RULES[series].differs

    # -- running -----------------------------------------------------------------------------------------------------

    def start(self, spec: Any) -> State:
        """The networks that will race, and before them those that rates are tuned on."""
        model, names = problem.build(spec), self.series(spec)
        count, seeds, size = len(names), spec.seeds, model.mlp.parameters
        thrown = spec.holds == "discarded"
        if thrown:
            params = np.stack([problem.first_weights(model.description, spec, problem.fresh_seeds(spec, s))
                               for s in range(count)])  # fmt: skip
        else:
            params = np.stack([problem.first_weights(model.description, spec, problem.race_seeds(spec))] * count)
        numbers = np.stack([np.stack([model.mlp.states(name)] * seeds) for name in names])
        state = State(
            0, params, numbers, [len(RULES[name].states) for name in names], np.zeros((count, seeds), np.int64), 0,
            np.full(count, np.nan), np.full((count, spec.tuning_rates), np.nan),
            np.zeros((count, seeds, size), params.dtype) if thrown else np.zeros(0), np.full((count, seeds), np.nan),
            np.zeros(2), np.full((len(COLUMNS), count), np.nan), model, Clock(count),
        )  # fmt: skip
        state.row[[AT[name] for name in ALWAYS]] = 0.0
        if tuning_steps(spec):
            state.trial = tuning.begin(model, spec)
        else:
            running.begin(state, spec)
        return state

    def measure(self, state: State, spec: Any) -> Columns:
        """The row of the step in hand."""
        return Columns({name: row[None].copy() for name, row in zip(COLUMNS, state.row, strict=True)})

    def advance(self, state: State, spec: Any, n: int) -> Columns:
        """Tune and race for n steps in all; fewer where all are lost before."""
        names, before = self.series(spec), tuning_steps(spec)
        rows = np.full((len(COLUMNS), n, len(names)), np.nan)
        samples, endings, done = len(state.model.parts[problem.TRAIN].x), list[Ending](), 0
        while done < n and len(state.ended) < len(names):
            if state.step < before:
                taken = min(n - done, before - state.step)
                tuning.walk(state, spec, taken)
                rows[[AT[name] for name in ALWAYS], done : done + taken] = 0.0
                state.step += taken
                done += taken
                if state.step == before:
                    state.scores = tuning.scores(state, spec)
                    state.rates, state.trial = tuning.choose(state.scores, spec), None
                    running.begin(state, spec)
                    rows[:, done - 1] = state.row
                continue
            update = state.step - before
            until = min(update + n - done, (update // spec.evaluate_every + 1) * spec.evaluate_every)
            part = rows[:, done : done + until - update]
            new = running.race(state, spec, update, part)
            endings += new
            state.ended |= {ending.series: ending.step for ending in new}
            if len(state.ended) == len(names):
                until = max(ending.step for ending in endings) - before
            state.seen += int(problem.batch_sizes(samples, spec.batch_size, update, until - update).sum())
            done += until - update
            state.step = before + until
            if until % spec.evaluate_every == 0 or until == spec.steps:
                running.evaluate(state, spec, until, rows[:, done - 1])
        if done:
            state.row = rows[:, done - 1].copy()
        return Columns(dict(zip(COLUMNS, rows[:, :done], strict=True)), tuple(endings))

    # -- looking -----------------------------------------------------------------------------------------------------

    def probe(self, state: State, spec: Any, name: str, **asked: Any) -> Any:
        """`tuned`: loss over rate. `times`: loss over computing time. `result` and `fair`: the tables."""
        from engine.experiments.landscapes._race import pictures

        match name:
            case "tuned":
                return pictures.tuned(state, spec)
            case "times":
                return pictures.times(state, spec)
            case "result":
                return pictures.result(state, spec, running.rates(state, spec))
            case "fair":
                return fairness.badge(state, spec)
        raise KeyError(name)

    def timed(self, state: State, spec: Any) -> Mapping[str, Mapping[str, float]]:
        """CPU seconds of one update of one network: the median over the calls."""
        each = state.clock.each().tolist()
        return {name: {"seconds_per_step": seconds} for name, seconds in zip(spec.optimizers, each, strict=True)}

    def drawn(self, spec: Any, view: Any) -> tuple[Drawn, ...]:
        """The flat lines of the chapter's listing over this run."""
        from engine.experiments.landscapes._race.listing import drawn

        return drawn(spec, view)

    def answer(self, spec: Any, view: Any, words: str) -> str:
        """`quickest`: whose median first reaches the target. `moved`: whether any loss has moved (yes, no). `within
        FACTOR`: whether the losses at the end lie within that factor (yes, no)."""
        losses, updates = (view.branch.history.values[name] for name in ("train_loss", "update"))
        match words.split():
            case ["quickest"]:
                with np.errstate(invalid="ignore"):
                    found = np.where(losses <= spec.target, updates, np.inf).min(axis=0)
                return view.series[int(found.argmin())] if np.isfinite(found).any() else "nobody"
            case ["moved"]:
                known = losses[np.isfinite(losses).all(axis=1)]
                return "yes" if (known != known[0]).any() else "no"
            case ["within", factor]:
                ends = view.branch.final["train_loss"]
                return "yes" if ends.max() <= float(factor) * ends.min() else "no"
        return super().answer(spec, view, words)

    def script(self, spec: Any, events: Sequence[Any], steps: int, end: State) -> str:
        """A PyTorch script that races again and asserts where every network ends."""
        from engine.experiments.landscapes._race.script import write

        words: str = write(self, spec, events, steps, end)
        return words
