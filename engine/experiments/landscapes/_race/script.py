"""The PyTorch script of a race: every optimizer of torch.optim, every seed, held to the app's weights."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from engine.experiments._shared.trained.model import Array
from engine.experiments._shared.trained.script import (
    _BATCH,
    _LOSSES,
    Pieces,
    horizon,
    live_words,
    program,
    tolerance,
)
from engine.experiments.landscapes._race import listing_script
from engine.experiments.landscapes._race.problem import race_seeds, tuning_seeds
from engine.experiments.landscapes._race.problem_script import problem_parts
from engine.experiments.landscapes._race.running import rates
from engine.experiments.landscapes._race.settings import TITLES, hands_words, hypers, tried, tunes, tuning_steps
from engine.networks import masks
from engine.torch_code import plain, section, sources, written_out, written_rules
from engine.torch_code.optimizers import NEARLY_ZERO, changes, constructor, settings
from engine.torch_code.training_run import numbers

SUMS = 24  # of each network's weights, with signs drawn once: what the end is held to

_TRAIN = '''\
def train(name, first, seed, steps, changes):
    """Train one network from its first weights for so many steps: the network, and the step at which it was lost, or
    0. `changes`: what is new in the optimizer's group, from which step on."""
    model = Network()
    load_flat(model, first)
    optimizer = MAKE[name](model)
    for step in range(1, steps + 1):
        optimizer.param_groups[0].update(changes.get(step, {{}}))
        x, y = batch(step, seed)
        losses = []

        def closure():
            model.zero_grad()
            loss = {loss}
            loss.backward()
            held = optimizer.param_groups[0]["params"]
            if len(held) == 1:  # a rule that is written out holds one vector, of which the weights are views
                held[0].grad = torch.nn.utils.parameters_to_vector([w.grad for w in model.parameters()])
            losses.append(loss.item())
            return loss

        optimizer.step(closure)
        if not (np.isfinite(losses[-1]) and all(torch.isfinite(w).all() for w in model.parameters())):
            return model, step
    return model, 0


def loss_of(model, x, y):
    """The loss over all these samples."""
    with torch.no_grad():
        return float({whole})


def joined(model):
    """The weights as views of one vector."""
    p = torch.nn.utils.parameters_to_vector(model.parameters()).detach().requires_grad_()
    torch.nn.utils.vector_to_parameters(p.data, model.parameters())
    return p


def sums(model):
    """Sums of all weights with signs drawn once: a network that ends elsewhere has others."""
    found = torch.nn.utils.parameters_to_vector(model.parameters()).detach().double().numpy()
    signs = np.random.RandomState(0).randint(0, 2, (len(found), {count})) * 2.0 - 1.0
    return found @ signs / np.sqrt(len(found))
'''

_RACE = """\
for name, steps in STEPS.items():
    losses, worst = [], 0.0
    for j, seed in enumerate(SEEDS):
        model, lost = train(name, first_weights(seed), seed, steps, CHANGES[name])
        app = LOST[name][j]
        assert lost == app, f"{name}, seed {seed}: lost at step {lost}, in the app at step {app} (0: never)"
        if not lost:
            apart = np.abs(sums(model) - END[name][j]) / np.maximum(1, np.abs(END[name][j]))
            worst = max(worst, float(apart.max()))
            losses.append(loss_of(model, X, Y))
    told = f"median loss {np.median(losses):.4g}" if losses else "all lost"
    print(f"{name:10} {steps} steps, {len(SEEDS)} seeds, {told}, the worst sum of weights {worst:.1e} from the app's")
    assert worst <= TOLERANCE, f"{name}: {worst:.1e} from the app's end; at most {TOLERANCE} is allowed"
"""

_TUNE = """\
if "--tune" in sys.argv:
    print("Median training loss of each rate tried; in brackets the app's")
    for name, app in TUNED.items():
        for rate, wanted in zip(RATES, app):
            found = []
            for seed in TUNING_SEEDS:
                model, lost = train(name, first_weights(seed), seed, TUNING_STEPS, {1: {"lr": rate}})
                found.append(np.inf if lost else loss_of(model, X, Y))
            print(f"{name:10} rate {rate:<10.4g} {np.median(found):10.4g} ({wanted:.4g})")
"""


def write(experiment: Any, spec: Any, events: Sequence[Any], steps: int, end: Any) -> str:
    """The script of a run up to step `steps`; each contestant as far as rounding does not decide what becomes of it."""
    live = [event for event in events if event.step < steps]
    if spec.holds == "discarded":
        return listing_script.write(experiment, spec, live, steps, end)
    before, names, model = tuning_steps(spec), experiment.series(spec), end.model
    pieces = Pieces.of(spec, live, steps)
    until, told = horizon(experiment, pieces, steps, _weights)
    states = dict(told)
    compared, ends, lost = {}, [], {}
    for s, name in enumerate(names):
        state = states[until[s]]
        compared[name] = max(0, until[s] - before)
        lost[name] = state.lost[s].tolist()
        ends.append(numbers(f'END["{name}"]', _sums(state.params[s].astype(float))))
    parts = [
        *problem_parts(model, spec), _training(model, pieces, before, end),
        _tuning(spec, end, live) if before and steps >= before else "",
        section("The race", "Two runs that round differently may part; each is compared as far as they do not.")
        + "\n".join([f"STEPS = {plain(compared)}", f"SEEDS = {race_seeds(spec)}",
                     f"LOST = {plain(lost)}  # at which step a network was no longer finite",
                     f"TOLERANCE = {tolerance(spec.dtype)!r}", "END = {}", *ends, "", _RACE]),
    ]  # fmt: skip
    text = program("A fair race.", _words(experiment, spec, live, steps, before, compared, until), spec, parts)
    if "sys.argv" in text:
        text = text.replace("import zlib\n", "import sys\nimport zlib\n", 1)
    return text.replace("1e-300", repr(NEARLY_ZERO))


def _weights(state: Any) -> Array:
    """Every contestant's weights [S, J P]; of a network that is lost the step at which it was."""
    found = state.params.astype(float)
    found[state.lost > 0] = state.lost[state.lost > 0][:, None]
    return np.asarray(found.reshape(len(found), -1))


def _sums(params: Array) -> Array:
    signs = np.random.RandomState(0).randint(0, 2, (params.shape[1], SUMS)) * 2.0 - 1.0
    with np.errstate(all="ignore"):
        found = params @ signs / np.sqrt(params.shape[1])
    return np.where(np.isfinite(found), found, 0.0)  # of one that is lost: not compared


def _training(model: Any, pieces: Pieces, before: int, end: Any) -> str:
    """The optimizers, what changes in them on the way, the batches, and `train`."""
    spec = pieces.pieces[0][1]
    made, table, own = [], {}, set()
    every = dict(pieces.pieces)  # by the step of the run; of several at one step, or in the tuning, the last counts
    now = {max(0, step - before): later for step, later in every.items()}
    for s, name in enumerate(spec.optimizers):
        groups = []
        for step, later in sorted(now.items()):
            rate = float(rates(end, later)[s])
            rate = rate if np.isfinite(rate) else 1.0  # nothing is tuned yet, and nothing raced
            groups.append((step, settings(name, spec.convention, rate, hypers(later, name))))
        rule = written_out(name, spec.convention)
        own |= {rule} if rule else set()
        call = constructor(name, spec.convention, groups[0][1])
        call = call.replace("[p]", "[joined(model)]" if rule else "model.parameters()", 1)
        made.append(f'    "{name}": lambda model: {call},')
        table[name] = {step + 1: new for step, new in changes(groups).items()}
    lines = [section("The training", "torch.optim does not have all of these: they are written out." if own else "")]
    if own:
        lines += ["", written_rules(sorted(own)), ""]
    lines += ["MAKE = {", *made, "}", f"CHANGES = {plain(table)}  # of the optimizers' groups, from which step on"]
    sizes = {step + 1: later.batch_size for step, later in sorted(now.items())}
    for (_, one), (step, other) in pairwise(list(sizes.items())):
        if one == other:
            sizes.pop(step)
    if any(0 < size < len(model.parts[0].x) for size in sizes.values()):
        lines += [f"GOLDEN = np.uint64({hex(int(masks.GOLDEN))})",
                  f"SIZES = {plain(sizes)}  # of a batch, from which step on; 0: all samples", "", "",
                  sources({"epoch_order": masks.epoch_order}, "engine.networks.masks"), "",
                  _BATCH.replace("batch(step)", "batch(step, seed)").replace("SEED", "seed"), ""]  # fmt: skip
    else:
        lines += ["", "", 'def batch(step, seed):\n    """All samples, at every step."""\n    return X, Y\n', ""]
    loss = _LOSSES[model.description.loss].replace("out", "model(x)", 1)
    lines.append(_TRAIN.format(loss=loss, whole=loss, count=SUMS))
    return "\n".join(lines)


def _tuning(spec: Any, end: Any, live: Sequence[Any]) -> str:
    """The tuning again, on request: it takes longer than the race. Nothing where it was meddled with."""
    if any(event.step < tuning_steps(spec) for event in live):
        return ""
    found = {name: [float(f"{loss:.6g}") for loss in losses]
             for name, losses in zip(spec.optimizers, end.scores.tolist(), strict=True)}  # fmt: skip
    told = plain(found).replace("inf", 'float("inf")')
    return section("The tuning", "Run this with --tune to try every rate again; near a rate that is too high, rounding "
                   "decides much.") + "\n".join([
        f"RATES = {tried(spec).tolist()}", f"TUNING_SEEDS = {tuning_seeds(spec)}",
        f"TUNING_STEPS = {spec.tuning_steps}", f"TUNED = {told}  # the app's losses", "", _TUNE])  # fmt: skip


def _words(experiment: Any, spec: Any, live: Sequence[Any], steps: int, before: int, compared: dict[str, int],
           until: Sequence[int]) -> list[str]:  # fmt: skip
    names = ", ".join(TITLES[name] for name in spec.optimizers)
    told = [f"{names} on one network ({spec.convention} convention): {spec.seeds} seeds, {max(0, steps - before)} of "
            f"{spec.steps} steps.",
            "Every seed's first weights and order of batches are the same for all. The weights at the end are held to "
            f"the app's through {SUMS} sums of each network's with random signs."]  # fmt: skip
    if tunes(spec):
        told.append("The rates are those that the app's tuning chose." if steps >= before else
                    "The tuning was not over: nothing had raced.")  # fmt: skip
    if hands_words(spec):
        told.append(f"Rates by hand: {hands_words(spec)}.")
    early = {name: k for (name, k), at in zip(compared.items(), until, strict=True) if at < steps and at >= before}
    if early and steps > before:
        short = ", ".join(f"{TITLES[name]} up to step {k}" for name, k in early.items())
        told.append(
            "Where two runs that differ in the last digit part, rounding decides what comes, and the app rounds in "
            f"another order than torch. So these are compared to an earlier step: {short}."
        )
    return told + live_words(live, "step")
