"""How far a script can follow the app: the race once more, and once with its numbers shaken in their last digits.

Derivatives by autograd round in another order than ours. Most methods forget that; a line search far from a minimum
may not. Where the two rehearsals part, rounding decides what comes, and the script compares no further.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from engine.second_order.method import StepFailed

from .cost import products
from .methods import CONTESTANTS
from .network import Array
from .objective import Watched
from .settings import hypers_of

SHAKE = 1e-13  # of every parameter, at each place where the runs are compared
APART = 1e-10  # how far the two may then be from each other
PLACES = 40
AFFORDED = 3e9  # multiplications of one contestant at one size of a sweep


@dataclass(frozen=True)
class Followed:
    """Of one contestant: up to which step it can be followed, and its parameters there [n]; `lost`: in the app it
    ended at that step, with what is no number any more."""

    step: int
    p: Array
    lost: bool


def rehearse(experiment: Any, pieces: Sequence[tuple[int, Any]], steps: int) -> dict[str, Followed]:
    """Every contestant of a race of `steps` steps under (step before the first, settings) in order."""
    names = experiment.series(pieces[0][1])
    told, shaken = _run(experiment, pieces, steps, 0.0), _run(experiment, pieces, steps, SHAKE)
    found = {}
    for s, name in enumerate(names):
        best = Followed(0, told[0][1][name], False)
        for (step, one, ended, lost), (_, other, also, _) in zip(told, shaken, strict=True):
            with np.errstate(all="ignore"):
                apart = np.abs(one[name] - other[name]) / np.maximum(1.0, np.abs(one[name]))
            if ended.get(s) != also.get(s) or not (s in lost or float(apart.max()) <= APART):
                break
            best = Followed(ended.get(s, step), one[name], s in lost)
        found[name] = best
    return found


def _run(
    experiment: Any, pieces: Sequence[tuple[int, Any]], steps: int, shake: float
) -> list[tuple[int, dict[str, Array], dict[int, int], set[int]]]:
    """(step, everybody's parameters, who ended at which step, who of them was lost) at some places along the race."""
    state = experiment.start(pieces[0][1])
    random = np.random.default_rng(0)
    places = {2**k for k in range(steps.bit_length()) if 2**k < steps}
    places |= set(np.linspace(0, steps, PLACES + 1).round().astype(int).tolist())
    lost: set[int] = set()
    found: list[tuple[int, dict[str, Array], dict[int, int], set[int]]] = [(0, _all(state), {}, set())]
    for until in sorted((places | {first for first, _ in pieces if first <= steps}) - {0}):
        if shake:
            for s, own in enumerate(state.methods.values()):
                if s not in state.ended:
                    own["p"] = own["p"] * (1.0 + shake * random.standard_normal(own["p"].shape))
        while state.step < until:
            spec = next(spec for first, spec in reversed(pieces) if first <= state.step)
            columns = experiment.advance(state, spec, until - state.step)
            lost |= {ending.series for ending in columns.endings if ending.finish == "diverged"}
            if columns.rows == 0:
                break
        found.append((until, _all(state), dict(state.ended), set(lost)))
    return found


def trial(work: Any, pieces: Sequence[tuple[int, Any]], name: str, taken: int, loss: float) -> tuple[int, float]:
    """Of one contestant of a sweep, which took so many steps to this loss: up to which of them it can be followed, and
    the loss there. `pieces`: (step of its own before the first, settings). Long ones are followed in part."""
    ours, shaken = (CONTESTANTS[name].start(work.start) for _ in range(2))
    random = np.random.default_rng(0)
    most = max(1, min(taken, int(AFFORDED / products(name, work.sizes, pieces[0][1].samples))))
    best = 0, work.problem.value(work.start)
    for step in range(most):
        hypers = hypers_of(next(spec for first, spec in reversed(pieces) if first <= step), name)
        if step & (step - 1) == 0:
            shaken["p"] = shaken["p"] + SHAKE * random.standard_normal(shaken["p"].shape)
        for own in (ours, shaken):
            try:
                with np.errstate(all="ignore"):
                    CONTESTANTS[name].step(own, Watched(work.problem, own.get("memo")), hypers)
            except StepFailed:
                return best
        apart = np.abs(ours["p"] - shaken["p"]) / np.maximum(1.0, np.abs(ours["p"]))
        if not float(apart.max()) <= APART:
            return best
        best = step + 1, loss if step + 1 == taken else work.problem.value(ours["p"])
    return best


def _all(state: Any) -> dict[str, Array]:
    return {name: own["p"].copy() for name, own in state.methods.items()}
