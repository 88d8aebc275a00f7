"""The PyTorch script of a playground run, and how closely it can be held to the app's end."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.experiments.networks._playground.settings import hypers
from engine.networks.activations import ACTIVATIONS
from engine.optimizers import RULES
from engine.spec import changed
from engine.torch_code.training import training_script
from engine.torch_code.training_run import TrainingRun

Array = NDArray[Any]
LEAST = {"float64": 1e-8, "float32": 1e-4}
ROOM = 30.0  # how much further than a shaken run the script may end
SHAKES = 50  # how often a run is shaken
LOOP = ("l1", "l2", "clip", "batch_size")


@dataclass(frozen=True)
class Rehearsal:
    """How far rounding alone moves a parameter of the run (`spread`, in units of max(1, |parameter|)), and whether a
    shaken run ends at the same step."""

    spread: float
    same_end: bool


def write(experiment: Any, spec: Any, events: Sequence[Any], steps: int, end: Any) -> str:
    """The script of `steps` steps under `spec` and its live `events`, which asserts the parameters of `end`."""
    live = sorted((e for e in events if e.step < steps), key=lambda e: e.step)
    pieces = [(0, spec)]
    for event in live:
        pieces.append((event.step, changed(pieces[-1][1], event.key, event.value)))
    first = experiment.start(spec)
    diverged = bool(end.ended)
    told = rehearse(experiment, first, pieces, steps)
    if diverged and not told.same_end:  # where rounding decides the step of the overflow, the step before is asserted
        steps, diverged = steps - 1, False
        end = _walk(experiment, copy.deepcopy(first), pieces, steps, None)
        told = rehearse(experiment, first, pieces, steps)
    tolerance = max(LEAST[spec.dtype], ROOM * told.spread)
    model = first.model
    run = TrainingRun(
        model.description, first.params, model.x, model.y, spec.optimizer, spec.convention,
        _rates(experiment, pieces, steps), hypers(spec), steps, end.params, spec.l1, spec.l2, False, spec.clip,
        spec.batch_size, spec.seed, float(f"{tolerance:.1g}"), spec.dtype, _changes(spec, live),
        first.buffers if len(first.buffers) else None, end.buffers if len(end.buffers) else None, diverged,
    )  # fmt: skip
    layers = f"{len(spec.hidden) or 'no'} hidden layer{'s' * (len(spec.hidden) != 1)}"
    return training_script(f"A network of {layers} on {spec.data}.",
                           _words(spec, model, live, steps, told, tolerance, diverged), run)  # fmt: skip


def _words(
    spec: Any, model: Any, live: Sequence[Any], steps: int, told: Rehearsal, tolerance: float, diverged: bool
) -> list[str]:
    sizes = "-".join(map(str, model.description.sizes))
    names = ", ".join(dict.fromkeys(ACTIVATIONS[name].title for name in model.description.activations)) or "no hidden"
    convention = {"book": "the book's", "pytorch": "PyTorch's"}[spec.convention]
    found = [
        f"{sizes}, {names}; {RULES[spec.optimizer].title} in {convention} convention, {steps} steps, seed {spec.seed}, "
        f"{spec.dtype}. The data stand below as the network saw them."
    ]
    if live:
        story = "; ".join(f"{e.key} = {e.value!r} from step {e.step + 1} on" for e in live)
        found.append(f"Changed during the run: {story}.")
    if diverged:
        found.append("The run ended because its numbers overflowed; the script must overflow at the same step.")
    elif tolerance > LEAST[spec.dtype]:
        found.append(
            f"Two libraries never round alike, and this run lets rounding grow: shaken in its last bits it ended up to "
            f"{told.spread:.0e} elsewhere. So every parameter may be {tolerance:.0e} from the app's."
        )
    return found


def _rates(experiment: Any, pieces: Sequence[tuple[int, Any]], steps: int) -> Array:
    found = np.empty(steps)
    bounds = [*(min(step, steps) for step, _ in pieces), steps]
    for (_, piece), begin, until in zip(pieces, bounds, bounds[1:], strict=False):
        if until > begin:
            found[begin:until] = experiment._rates(piece, begin, until - begin)
    return found


def _changes(spec: Any, live: Sequence[Any]) -> list[tuple[int, dict[str, float]]]:
    """What the loop and the optimizer are told of live changes; the rates have a table of their own."""
    found: dict[int, dict[str, float]] = {}
    for event in live:
        group, _, name = event.key.rpartition(".")
        if group == spec.optimizer or (not group and name in LOOP):
            found.setdefault(event.step, {})[name] = float(event.value)
    return sorted(found.items())


def rehearse(experiment: Any, first: Any, pieces: Sequence[tuple[int, Any]], steps: int) -> Rehearsal:
    """Run twice, once with every number shaken in its last bits now and then."""
    plain = _walk(experiment, copy.deepcopy(first), pieces, steps, None)
    shaken = _walk(experiment, copy.deepcopy(first), pieces, steps, np.random.default_rng(0))
    same = plain.step == shaken.step and bool(plain.ended) == bool(shaken.ended)
    if plain.ended or shaken.ended:
        return Rehearsal(0.0, same)
    apart = np.abs(plain.params.astype(float) - shaken.params) / np.maximum(1.0, np.abs(plain.params.astype(float)))
    return Rehearsal(float(apart.max(initial=0.0)), same)


def _walk(
    experiment: Any, state: Any, pieces: Sequence[tuple[int, Any]], steps: int, random: np.random.Generator | None
) -> Any:
    """Train under the settings of each piece; `random` shakes numbers by as much as the steps since may have."""
    block = max(1, steps // SHAKES)
    bounds = [*(min(step, steps) for step, _ in pieces), steps]
    for (_, piece), until in zip(pieces, bounds[1:], strict=True):
        while state.step < until and not state.ended:
            n = min(block, until - state.step)
            experiment.advance(state, piece, n)
            if random is not None:
                size = 2.0 * float(np.finfo(state.params.dtype).eps) * n**0.5
                for numbers in (state.params, state.numbers[: state.rows]):
                    numbers *= (1 + size * random.uniform(-1, 1, numbers.shape)).astype(numbers.dtype)
    return state
