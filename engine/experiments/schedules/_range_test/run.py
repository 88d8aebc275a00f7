"""A range test as it runs: steps before it, one batch at each rate, when it stops, and what is put back."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.experiments._shared.trained.model import Model, first_weights, lost, rule_of
from engine.experiments.schedules._range_test.curvature import MOST, Lanczos, Largest, hessian_parts
from engine.experiments.schedules._range_test.kept import Kept, PutBack, compare, keep, moved, next_order
from engine.experiments.schedules._range_test.settings import rates_of
from engine.experiments.schedules._range_test.suggestions import suggest
from engine.optimizers import RULES
from engine.randomness import generator

Array = NDArray[Any]
Floats = NDArray[np.float64]
AT_ONCE = 4_000_000  # parameters times samples: where a product with the Hessian is no more, all are made at once
PIECE = 10_000_000  # of a larger one: what is done in a piece, some 5 to 10 ms
SHARE = 60_000_000  # and in a step of the test, so that nobody waits long for a step
ROUGH = 0.1  # share of the eigenvalue that it may be off where the test ends before it is known; else none is told
PICTURES = 50  # times that dear things are measured, in the test and in the steps before it
COLUMNS = ("learning_rate", "batch_loss", "smoothed_loss", "train_loss", "steepest", "minimum_tenth", "valley",
           "stability_limit", "tested_rate", "slope")  # fmt: skip
RATE, BATCH, SMOOTHED, TRAIN, STEEPEST, _, VALLEY, LIMIT, TESTED, SLOPE = range(len(COLUMNS))


@dataclass
class State:
    """Everything that changes.

    `step`: of the run; `taken`: how many steps the network has been trained, which says where the order of its batches
    stands. params [P], numbers [3, P] (of which the rule uses `rows`). Of the test: its `smoothed` losses so far [n],
    the running `average` that they are made of, the `lowest` of them, how many are `planned`, what was `kept` before
    it (with the size of the `batch` then) and what came of putting it `back`. The `curvature` at its beginning is None
    until it is known; `lanczos` measures it, and `pieces` says how far it is, in shares of a step where the network is
    large (the end of the test takes what there is). `row` [columns]: the last one. `ended`:
    how it ended before its time, why, and at which step.
    """

    step: int
    taken: int
    params: Array
    numbers: Array
    rows: int
    smoothed: Floats
    average: float
    lowest: float
    row: Floats
    planned: int
    model: Model = field(metadata={"scratch": True})
    kept: Kept | None = None
    batch: int = 0
    lanczos: Lanczos | None = field(default=None, metadata={"scratch": True})
    pieces: int = 0
    curvature: Largest | None = None
    back: PutBack | None = None
    ended: tuple[str, str, int] | None = None


def start(spec: Any, model: Model) -> State:
    """The network before anything; without steps before it the test may begin."""
    numbers = model.mlp.states(spec.optimizer)
    state = State(0, 0, first_weights(model, spec), numbers, len(RULES[spec.optimizer].states), np.zeros(0), 0.0,
                  math.inf, np.full(len(COLUMNS), np.nan), spec.steps, model)  # fmt: skip
    state.row[TRAIN] = model.loss(state.params, 0)
    if not spec.warm_steps:
        _begin(state, spec)
    return state


def _begin(state: State, spec: Any) -> None:
    """Keep what the test must not change, and find out how curved the loss is here, or begin to."""
    part = state.model.parts[0]
    order = next_order(spec.seed, state.taken, len(part.x), spec.batch_size)
    state.kept, state.batch = keep(state.params, state.numbers[: state.rows], state.taken, order), spec.batch_size
    params = state.kept.params
    small = len(params) * len(part.x) <= AT_ONCE
    first = generator(spec.seed, "curvature").standard_normal(len(params))
    with np.errstate(all="ignore"):
        parts = hessian_parts(state.model.description, params, part.x, part.y, AT_ONCE if small else PIECE)
        state.lanczos = Lanczos(parts, first)
    if small:
        _measure(state, MOST)
    state.row[LIMIT] = limit(state.curvature)


def _measure(state: State, pieces: int) -> None:
    """Go on measuring the curvature; nothing where it is known."""
    if state.lanczos is None or state.curvature is not None:
        return
    state.pieces += pieces
    with np.errstate(all="ignore"):
        found = state.lanczos.after(state.pieces)
    if state.lanczos.over(state.pieces):
        state.curvature = found


def measuring(state: State) -> bool:
    """Whether the curvature is still being measured."""
    return state.lanczos is not None and state.curvature is None and state.back is None


def limit(found: Largest | None) -> float:
    """2 / lambda_max; nan where the loss does not curve upwards anywhere."""
    return 2.0 / found.value if found is not None and found.value > 0 else math.nan


def advance(state: State, spec: Any, n: int) -> Floats:
    """Take n steps, fewer where the test ends before: their rows [columns, steps]."""
    rows = np.full((len(COLUMNS), n), np.nan)
    done, end = 0, spec.warm_steps + spec.steps
    while done < n and state.step < end and state.ended is None:
        warm = state.step < spec.warm_steps
        first, length = (0, spec.warm_steps) if warm else (spec.warm_steps, spec.steps)
        every = max(1, length // PICTURES)
        place = state.step - first
        if measuring(state):
            if done:
                break  # a step takes long enough to be looked at
            every = 1
        take = min(n - done, length - place, every - place % every)
        part = rows[:, done : done + take]
        took = _train(state, spec, part) if warm else _test(state, spec, part)
        if not warm:
            _measure(state, max(1, SHARE // PIECE) * took)
        state.step += took
        done += took
        row = rows[:, done - 1]
        finished = state.step == end or state.ended is not None
        every = max(1, length // PICTURES)
        if finished and measuring(state) and state.lanczos is not None:
            rough = state.lanczos.after(state.pieces)
            state.curvature = rough if rough is not None and rough.error <= ROUGH * rough.value else None
        if finished or (state.step - first) % every == 0 or state.step == spec.warm_steps:
            row[TRAIN] = state.model.loss(state.params, 0) if np.isfinite(state.params).all() else np.nan
            if not warm:
                found = suggest(rates_of(spec), state.smoothed, spec.steps)
                row[STEEPEST : VALLEY + 1] = found.rates
            if warm and state.step == spec.warm_steps and state.ended is None:
                _begin(state, spec)
            row[LIMIT] = limit(state.curvature)
        state.row = row.copy()
        if finished and state.kept is not None:
            _put_back(state, spec)
    return rows[:, :done]


def _train(state: State, spec: Any, rows: Floats) -> int:
    """Steps at a constant rate before the test."""
    rates = np.full(rows.shape[1], spec.warm_rate)
    took, code, told = _steps(state, spec, rates)
    rows[RATE, :took], rows[BATCH, :took] = rates[:took], told[:, 0]
    if code:
        why = lost(float(told[-1, 0]), state.params)
        step = state.step + took
        words = f"{why} at step {step}, before the test began; lower the rate of the steps before it"
        state.ended = ("diverged", words, step)
    return took


def _test(state: State, spec: Any, rows: Floats) -> int:
    """One batch at each of the rates that come next, until one of them is too high."""
    place = state.step - spec.warm_steps
    rates = rates_of(spec)[place : place + rows.shape[1]]
    before = state.params.copy(), state.numbers.copy(), state.taken
    took, code, told = _steps(state, spec, rates)
    good = took - (1 if code and not np.isfinite(told[-1, 0]) else 0)
    average, lowest, smoothed, ended = state.average, state.lowest, [], False
    for k in range(good):
        average = spec.smoothing * average + (1.0 - spec.smoothing) * float(told[k, 0])
        smoothed.append(average / (1.0 - spec.smoothing ** (place + k + 1)))
        lowest = min(lowest, smoothed[-1])
        ended = bool(spec.stop_factor) and smoothed[-1] > spec.stop_factor * lowest
        if ended:
            break
    if len(smoothed) < took and ended:  # it went too far: again, to the very step
        state.params[...], state.numbers[...], state.taken = before
        took, code, told = _steps(state, spec, rates[: len(smoothed)])
    old = state.smoothed[-1:]
    state.average, state.lowest = average, lowest
    state.smoothed = np.concatenate([state.smoothed, smoothed])
    rows[RATE, :took] = rows[TESTED, :took] = rates[:took]
    rows[BATCH, :took], rows[SMOOTHED, : len(smoothed)] = told[:, 0], smoothed
    falls = np.diff(np.concatenate([old, smoothed]))
    rows[SLOPE, len(smoothed) - len(falls) : len(smoothed)] = falls
    step, rate = state.step + took, float(rates[took - 1])
    if ended:
        words = (f"the smoothed loss, {smoothed[-1]:.3g}, is more than {spec.stop_factor:g} times its lowest, "
                 f"{lowest:.3g}, at a rate of {rate:.3g}")  # fmt: skip
        state.ended = ("stopped", words, step)
    elif code:
        why = lost(float(told[-1, 0]), state.params)
        state.ended = ("diverged", f"{why} at step {step}, at a rate of {rate:.3g}", step)
    return took


def _steps(state: State, spec: Any, rates: Floats) -> tuple[int, int, Floats]:
    """Train one batch at each rate: steps taken, 0 or why it ended, and what was recorded [steps, 2]."""
    part = state.model.parts[0]
    took, code, told = state.model.mlp.train(
        state.params, state.numbers, part.x, part.y, rule_of(spec), state.taken + 1, rates, spec.batch_size, spec.seed
    )
    state.taken += took
    return took, code, told


def _put_back(state: State, spec: Any) -> None:
    """The test is over: everything as it was."""
    assert state.kept is not None
    kept, numbers = state.kept, state.numbers[: state.rows]
    done = moved(kept, state.params, numbers, state.taken)
    state.params[...], numbers[...], state.taken = kept.params, kept.numbers, kept.taken
    order = next_order(spec.seed, state.taken, len(state.model.parts[0].x), state.batch)
    state.back = compare(kept, state.params, numbers, state.taken, order, done)
