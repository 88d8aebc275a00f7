"""Before a script is written: the run once more, to find each ending and whose walk rounding can change.

Autograd and torch.optim work out the same formulas as the app, but not in the same order, so they differ in the last
bit of a step. Most walks forget that; on some (chaos, long unstable stretches) it grows beyond what the script asserts.
So the run is walked again with its numbers shaken in their last bits, and whoever then ends elsewhere is told apart.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from engine.experiment import Columns, Ending
from engine.formula.derive import derive
from engine.optimizers import RULES
from engine.torch_code import where_autograd_fails
from engine.turns import give_way

Why = Literal["search", "rounding", "singular"]
Pieces = Sequence[tuple[int, Any]]
"""(step, settings in force from the step after it), in order, beginning at step 0."""

CHUNK = 4096  # steps measured in one call
SHAKES = 400  # how often numbers are shaken during a run, at the most
TRIALS = 2
ULPS = 2.0  # what one step's rounding may come to, in units of the last bit
GROWN = 1e-11  # a tenth of what the script asserts


@dataclass(frozen=True)
class Rehearsal:
    """`endings`: who ended before or at the last step. `exact`: who needs the app's own arithmetic, and why."""

    endings: dict[str, Ending]
    exact: dict[str, Why]


def rehearse(experiment: Any, pieces: Pieces, steps: int) -> Rehearsal:
    """Walk the run and its shaken copies."""
    spec = pieces[0][1]
    names = experiment.series(spec)
    state = experiment.start(spec)
    program = derive(experiment.surface(spec).formula.tree, 1)
    endings: dict[str, Ending] = {}
    singular = _singular(experiment.measure(state, spec), program)
    for columns in _walk(experiment, state, pieces, steps, CHUNK):
        singular |= _singular(columns, program)
        endings |= {names[ending.series]: ending for ending in columns.endings}
    exact: dict[str, Why] = {}
    for s, name in enumerate(names):
        diverged = name in endings and endings[name].finish == "diverged"
        if name not in RULES and name != "newton":
            exact[name] = "search"
        elif singular[s] or (name == "newton" and diverged):
            exact[name] = "singular"
    rest = tuple(name for name in names if name not in exact)
    if rest and steps:
        places = {name: state.p[s] for s, name in enumerate(names)}
        spread = _spread(experiment, _only(pieces, rest), steps, places, endings)
        exact |= {name: "rounding" for name in rest if not spread[name] <= GROWN}
    return Rehearsal(endings, {name: exact[name] for name in names if name in exact})


def _walk(experiment: Any, state: Any, pieces: Pieces, steps: int, most: int) -> Iterator[Columns]:
    """Run in calls of at most `most` steps, cut at live changes; ends when everybody has ended."""
    for (_, spec), until in zip(pieces, [*(first for first, _ in pieces[1:]), steps], strict=True):
        while state.step < until:
            give_way()
            columns = experiment.advance(state, spec, min(most, until - state.step))
            if columns.rows == 0:
                return
            yield columns


def _singular(columns: Columns, program: Any) -> Any:
    """Who stood where the gradient is not finite though the loss is, or where autograd's would not be."""
    x, y, loss, grad_x, grad_y = (columns.values[name] for name in ("x", "y", "loss", "grad_x", "grad_y"))
    steep = np.isfinite(x) & np.isfinite(y) & np.isfinite(loss) & ~(np.isfinite(grad_x) & np.isfinite(grad_y))
    return (steep | where_autograd_fails(program, x, y)).any(axis=0)


def _only(pieces: Pieces, names: tuple[str, ...]) -> Pieces:
    """The same run with fewer contestants; it changes nothing for those who stay."""
    return [(step, spec.model_copy(update={"optimizers": names})) for step, spec in pieces]


def _spread(
    experiment: Any, pieces: Pieces, steps: int, places: dict[str, Any], endings: dict[str, Ending]
) -> dict[str, float]:
    """How far from its place each contestant ends when shaken, in units of max(1, |place|); inf: at another step."""
    names = experiment.series(pieces[0][1])
    block = max(1, steps // SHAKES)
    spread = dict.fromkeys(names, 0.0)
    for trial in range(TRIALS):
        random = np.random.default_rng(trial)
        state = experiment.start(pieces[0][1])
        ended: dict[str, tuple[str, int]] = {}
        _shake(state, random, ULPS)
        for columns in _walk(experiment, state, pieces, steps, block):
            ended |= {names[ending.series]: (ending.finish, ending.step) for ending in columns.endings}
            _shake(state, random, ULPS * block**0.5)
        for s, name in enumerate(names):
            before = endings.get(name)
            if ended.get(name) != ((before.finish, before.step) if before else None):
                spread[name] = np.inf
            elif before is None or before.finish != "diverged":
                apart = np.abs(state.p[s] - places[name]) / np.maximum(1.0, np.abs(places[name]))
                spread[name] = max(spread[name], float(apart.max()))
    return spread


def _shake(state: Any, random: np.random.Generator, ulps: float) -> None:
    """Change every number of those who still walk by some units in its last place."""
    size = ulps * np.finfo(np.float64).eps
    for s in range(len(state.p)):
        if s not in state.ended:
            state.p[s] *= 1 + size * random.uniform(-1, 1, state.p[s].shape)
            state.numbers[s] *= 1 + size * random.uniform(-1, 1, state.numbers[s].shape)
    for own in state.methods.values():
        own["p"] = own["p"] * (1 + size * random.uniform(-1, 1, own["p"].shape))
