"""The race itself: begin, train, measure."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.experiment import Ending
from engine.experiments._shared.trained.model import Array
from engine.experiments._shared.trained.model import lost as why_lost
from engine.experiments.landscapes._race import fairness, problem, tuning
from engine.experiments.landscapes._race.problem import TEST, TRAIN
from engine.experiments.landscapes._race.settings import by_hand, tuning_steps
from engine.experiments.landscapes._race.state import Clock, State, spread

COLUMNS = (
    "update", "samples", "learning_rate", "batch_loss", "gradient_norm", "train_loss", "train_low", "train_high",
    "test_loss", "test_low", "test_high", "test_accuracy", "lost",
)  # fmt: skip
ALWAYS = ("update", "samples", "lost")  # the other columns are empty while rates are tuned, or between measurements
AT = {name: i for i, name in enumerate(COLUMNS)}


def begin(state: State, spec: Any) -> None:
    """Everybody at the line: hold the starts equal, and take one step each on a copy, so that what loads at a
    first step is loaded before anything is timed."""
    if spec.holds == "own":
        fairness.same_start(state)
        for s in range(len(spec.optimizers)):
            first = state.params[s, :1].copy(), state.numbers[s, :1].copy(), np.zeros(1, np.int64)
            _train(state, spec, s, 0, 1, *first)
    else:
        from engine.experiments.landscapes._race import listing

        listing.walk(state.model, state.params[0, :1], state.piled[0, :1].copy(), [spec.seed], spec.batch_size, 1, 1)
    state.row[[AT[name] for name in ALWAYS]] = 0.0
    evaluate(state, spec, 0, state.row)


def rates(state: State, spec: Any) -> Array:
    """The rates now in force, [S]: those set by hand, else tuned or common ones; nan before they are tuned."""
    found = state.rates * spec.rate_factor if tuning_steps(spec) else np.full(len(spec.optimizers), spec.learning_rate)
    hand = by_hand(spec)
    return np.where(np.isnan(hand), found, hand)


def _train(state: State, spec: Any, s: int, update: int, n: int, params: Array, numbers: Array,
           lost: Array) -> Array:  # fmt: skip
    """n updates after `update` of contestant s with these networks, in place; [J, n, 2] loss and norm."""
    from engine.experiments.landscapes._race.crowd import train_crowd

    part, count = state.model.parts[TRAIN], len(params)
    return train_crowd(
        state.model.mlp, params, numbers, part.x, part.y, [problem.rule_of(spec, spec.optimizers[s])], update + 1,
        n, np.full(count, rates(state, spec)[s]), spec.batch_size,
        np.array(problem.race_seeds(spec)[:count]), lost,
    )  # fmt: skip


def race(state: State, spec: Any, update: int, rows: Array) -> list[Ending]:
    """All that still run take as many updates as `rows` [columns, updates, S] has; endings of those all lost."""
    n, endings = rows.shape[1], list[Ending]()
    running = [s for s in range(len(spec.optimizers)) if s not in state.ended]
    sizes = problem.batch_sizes(len(state.model.parts[TRAIN].x), spec.batch_size, update, n)
    turn, place = divmod(update, spec.evaluate_every)
    j = turn % spec.seeds  # whose batch is looked at this time
    wanted = fairness.expected(state, spec, j, update + 1) if place == 0 and spec.holds == "own" else None
    heard = np.full(len(spec.optimizers), np.nan)
    for s in running:
        told = _updates(state, spec, s, update, n)
        heard[s] = told[j, 0, 0]
        over = bool((state.lost[s] > 0).all())
        last = int(state.lost[s].max()) - update if over else n
        part = rows[:, :last, s]
        part[AT["update"]] = np.arange(update + 1, update + last + 1)
        part[AT["samples"]] = state.seen + np.cumsum(sizes[:last])
        part[AT["learning_rate"]] = rates(state, spec)[s]
        part[AT["batch_loss"]], _, _ = spread(told[:, :last, 0].T, spec.band)
        part[AT["gradient_norm"]], _, _ = spread(told[:, :last, 1].T, spec.band)
        lost = state.lost[s][state.lost[s] > 0]
        part[AT["lost"]] = (lost[None] <= part[AT["update"]][:, None]).sum(axis=1)
        if over:
            endings.append(Ending(s, "diverged", state.step + last, _reason(state, spec, s)))
    if wanted is not None:
        fairness.audit(state, spec, heard, wanted)
    if update == 0 and spec.holds == "own":
        fairness.same_first_batch(state)
    return endings


def _updates(state: State, spec: Any, s: int, update: int, n: int) -> Array:
    """n updates of contestant s with all its seeds, timed: [J, n, 2]; inf from where a seed is lost."""
    alive = int((state.lost[s] == 0).sum())
    began = Clock.now()
    if spec.holds == "discarded":
        from engine.experiments.landscapes._race import listing

        told = listing.walk(state.model, state.params[s], state.piled[s], problem.race_seeds(spec),
                            spec.batch_size, update + 1, n)  # fmt: skip
    else:
        told = _train(state, spec, s, update, n, state.params[s], state.numbers[s], state.lost[s])
    if (state.lost[s] > 0).sum() + alive == spec.seeds:  # nobody was lost on the way: all took all of them
        state.clock.tell(s, Clock.now() - began, n, alive)
    if update == 0:
        state.first[s] = told[:, 0, 0]
    return told


def _reason(state: State, spec: Any, s: int) -> str:
    rate, j = float(rates(state, spec)[s]), int(state.lost[s].argmax())
    with np.errstate(all="ignore"):
        loss = float(tuning.losses(state.model, state.params[s, j : j + 1], TRAIN)[0])
    seeds = "its only seed is" if spec.seeds == 1 else f"all {spec.seeds} seeds are"
    return f"{seeds} lost by step {state.lost[s, j]} of the race, at a rate of {rate:.4g}: " + why_lost(
        loss, state.params[s, j]
    )


def evaluate(state: State, spec: Any, update: int, row: Array) -> None:
    """Losses over all samples of all that still run into `row` [columns, S], and into what is told."""
    alive = [s for s in range(len(spec.optimizers)) if s not in state.ended]
    tested, found = len(state.model.parts[TEST].x) > 0, np.full((2, *state.lost.shape), np.inf)
    for part, word in ((TRAIN, "train"), (TEST, "test"))[: 1 + tested]:
        for s in alive:
            found[part, s] = tuning.losses(state.model, state.params[s], part)
        found[part, state.lost > 0] = np.inf
        found[part, np.isnan(found[part])] = np.inf
        for kind, values in zip(("loss", "low", "high"), spread(found[part], spec.band), strict=True):
            row[AT[f"{word}_{kind}"], alive] = values[alive]
    for s in alive:
        good = [state.model.accuracy(state.params[s, j], TEST) for j in range(spec.seeds) if not state.lost[s, j]]
        row[AT["test_accuracy"], s] = float(np.median(good)) if good else np.nan
    losses = found[TRAIN]
    losses.setflags(write=False)
    state.told.append((update, losses))
