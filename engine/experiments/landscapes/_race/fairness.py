"""That the race is fair, checked while it runs: the same first weights, the same batches, the same budget."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from engine.experiments._shared.trained.model import Array
from engine.experiments.landscapes._race.problem import TRAIN, batch_rows, race_seeds
from engine.experiments.landscapes._race.settings import hands_words, tunes, tuning_steps
from engine.experiments.landscapes._race.state import State
from engine.picture import Table

TOLERANCE = {"float64": 1e-9, "float32": 1e-3}  # of a loss, relative: it is summed up in another order


class Unfair(RuntimeError):
    """The contestants were not treated alike: a fault of the program, which ends the run."""


def same_start(state: State) -> None:
    """Every contestant begins each seed with the same weights, bit for bit. Raises Unfair."""
    if not (state.params == state.params[0]).all():
        raise Unfair("the contestants do not begin with the same weights")


def same_first_batch(state: State) -> None:
    """The same weights on the same batch have the same loss, bit for bit. Raises Unfair."""
    if not np.array_equal(state.first, np.broadcast_to(state.first[0], state.first.shape), equal_nan=True):
        raise Unfair("the contestants' first losses differ, so their first batches do")


def expected(state: State, spec: Any, j: int, update: int) -> Array:
    """The loss of every contestant in seed j, [S], on the batch that the coming update must take, which is drawn anew
    by other code; nan for who is lost."""
    found, part = np.full(len(state.params), math.nan), state.model.parts[TRAIN]
    rows = batch_rows(len(part.x), spec.batch_size, race_seeds(spec)[j], update)
    x, y = part.x[rows], part.y[rows]
    for s in np.flatnonzero(state.lost[:, j] == 0):
        found[s] = state.model.mlp.loss(state.params[s, j], x, y)
    return found


def audit(state: State, spec: Any, told: Array, wanted: Array) -> None:
    """Hold the losses that the training told, [S], to those of the batches it had to take. Raises Unfair."""
    good = np.isfinite(told) & np.isfinite(wanted)
    if not good.any():
        return
    apart = np.abs(told - wanted)[good] / np.maximum(np.abs(wanted[good]), 1e-6)
    state.audits += (int(good.sum()), 0)
    state.audits[1] = max(state.audits[1], float(apart.max()))
    if state.audits[1] > TOLERANCE[spec.dtype]:
        raise Unfair(f"a batch is not the one that its seed gives: its loss is {apart.max():.1e} off")


def badge(state: State, spec: Any) -> Table:
    """What was held equal, with how it was checked; a tick where it holds."""
    update = max(0, state.step - tuning_steps(spec))
    rows: list[tuple[str, str]] = []
    good: list[int] = []

    def add(words: str, how: str, holds: bool = True) -> None:
        if holds:
            good.append(len(rows))
        rows.append((words, how))

    if spec.holds == "discarded":
        add("Data", f"{spec.samples:,} samples")
        add("First weights", "each has a fresh network", False)
        add("Network held", "one that is thrown away", False)
        add("Rate", f"{spec.learning_rate:g}, of no use")
        return Table(("held equal", "how"), tuple(rows), tuple(good), "Not a race: nobody moves")
    (count, worst), hands = state.audits, hands_words(spec)
    add("First weights", f"{spec.seeds} × {state.params.shape[2]:,}, to the bit")
    if update:
        add("First losses", "equal to the bit")
    add("Batches", f"{int(count):,} checked" if update else "not begun", bool(update and count))
    add("Samples seen", f"{state.seen:,} each")
    if tunes(spec):
        budget = spec.tuning_rates * spec.tuning_seeds
        done = min(state.step, spec.tuning_steps)
        add("Tuning", f"{budget} × {done or spec.tuning_steps:,} steps {'each' if done else 'to come'}", bool(done))
    else:
        add("Rate", f"{spec.learning_rate:g} for all", not hands)
    if hands:
        add("But by hand", hands, False)
    off = f"within {worst:.0e}" if worst else "to the bit"
    note = f"Batches drawn anew agree {off}" if update and count else ""
    if hands:
        note = "By hand is no equal budget"
    return Table(("held equal", "how"), tuple(rows), tuple(good), note)
