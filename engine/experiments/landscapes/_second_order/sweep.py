"""The sweep over sizes: at each, every contestant is run until its gradient is small, in shares of its steps.

One step of the experiment is one share for all contestants, so that a long size can be watched, paused and given up.
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from engine.second_order.method import State, StepFailed
from engine.turns import give_way

from .clock import Clock
from .cost import ladder, products
from .methods import CONTESTANTS, held
from .network import Array
from .objective import Watched
from .settings import hypers_of
from .work import Work, count, work_of

SHARES = 40  # of each contestant's steps at one size
PORTION = 4e9  # multiplications of one contestant in one share, about a fifth of a second; at the least one step
TABLE = ("parameters", "taken", "there", "bytes", "loss", "evaluations")
PARAMETERS, TAKEN, THERE, BYTES, LOSS, EVALUATIONS = range(len(TABLE))
ONGOING, REACHED, GIVEN_UP, LOST = 0.0, 1.0, 2.0, 3.0


def rounds(spec: Any) -> int:
    """How many steps the sweep has."""
    return len(ladder(spec)) * SHARES


def steps_of_share(name: str, sizes: tuple[int, ...], spec: Any) -> int:
    """How many steps a contestant takes in one share."""
    return max(1, min(CONTESTANTS[name].most // SHARES, int(PORTION / products(name, sizes, spec.samples))))


def begin(spec: Any, work: Work) -> tuple[dict[str, State], Array]:
    """Everybody at the start, and the length of the first gradient."""
    methods = {name: CONTESTANTS[name].start(work.start) for name in spec.optimizers}
    first = float(np.linalg.norm(work.problem.value_gradient(work.start)[1]))
    return methods, np.full(len(methods), first)


def timed_step(
    name: str, state: State, watched: Watched, spec: Any, clock: Clock, key: Any, hypers: dict[str, Any] | None = None
) -> str:
    """One step of one contestant, its seconds told to the clock; why it failed, or nothing."""
    give_way()  # not while the clock runs
    chosen = hypers_of(spec, name) if hypers is None else hypers
    began = time.perf_counter()
    try:
        with np.errstate(all="ignore"):  # an overflow is told by the row
            CONTESTANTS[name].step(state, watched, chosen)
    except StepFailed as failure:
        return str(failure)
    clock.add(key, time.perf_counter() - began)
    return ""


def share(state: Any, spec: Any) -> None:
    """The next share: at a new size everybody begins again."""
    size, part = divmod(state.step, SHARES)
    sizes = ladder(spec)[size]
    if part == 0:
        state.work = work_of(spec, sizes)
        state.methods, state.first = begin(spec, state.work)
        fresh = np.zeros((1, len(spec.optimizers), len(TABLE)))
        fresh[..., PARAMETERS] = count(sizes)
        state.table = np.concatenate([state.table, fresh])
    if state.work.sizes != sizes:  # after going back
        state.work = work_of(spec, sizes)
    for s, name in enumerate(spec.optimizers):
        row = state.table[-1, s]
        for _ in range(steps_of_share(name, sizes, spec)):
            if row[THERE] != ONGOING:
                break
            _trial(state, spec, size, s, name, row)
        if part == SHARES - 1 and row[THERE] == ONGOING:
            row[THERE] = GIVEN_UP
    state.step += 1


def _trial(state: Any, spec: Any, size: int, s: int, name: str, row: Array) -> None:
    """One step of one contestant, and whether that was enough."""
    own, problem = state.methods[name], state.work.problem
    watched = Watched(problem, own.get("memo"))
    failed = timed_step(name, own, watched, spec, state.clock, (size, name))
    row[TAKEN] += 1.0
    row[EVALUATIONS] += watched.evaluations
    row[BYTES] = held(own)
    with np.errstate(all="ignore"):
        row[LOSS], gradient = problem.value_gradient(own["p"])
        norm = float(np.linalg.norm(gradient))
    if failed or not (np.isfinite(row[LOSS]) and np.isfinite(norm)):
        row[THERE] = LOST
    elif norm <= spec.tolerance * state.first[s]:
        row[THERE] = REACHED


def seconds(state: Any, spec: Any) -> Array:
    """Seconds of each contestant's median step at every size so far, measured: [sizes, S]."""
    names = spec.optimizers
    return np.array([[state.clock.median((i, name)) for name in names] for i in range(len(state.table))]).reshape(
        -1, len(names)
    )


def to_target(state: Any, spec: Any) -> Array:
    """Seconds until each contestant was there: its steps times its median step, [sizes, S]; nan where it was not."""
    reached = state.table[..., THERE] == REACHED
    return np.where(reached, state.table[..., TAKEN] * seconds(state, spec), np.nan)


def crossing(parameters: Array, one: Array, other: Array) -> float | None:
    """The size from which on `one` is quicker than `other` at all larger ones measured, along straight lines in
    decades; None where it is not at the largest, or was so from the first."""
    good = np.isfinite(one) & np.isfinite(other)
    if good.sum() < 2:
        return None
    n, gap = np.log(parameters[good]), np.log(one[good] / other[good])
    if gap[-1] >= 0.0 or not (gap >= 0.0).any():
        return None
    last = int(np.flatnonzero(gap >= 0.0)[-1])
    at = n[last] + (n[last + 1] - n[last]) * gap[last] / (gap[last] - gap[last + 1])
    return float(np.exp(at))
