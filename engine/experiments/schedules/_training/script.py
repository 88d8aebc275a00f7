"""The PyTorch script of training under several schedules: real schedulers, one training for each."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from engine.experiments._shared.trained.script import (
    Pieces,
    accuracy_part,
    compare_part,
    data_part,
    horizon,
    live_words,
    network_part,
    optimizer_words,
    program,
    training_part,
)
from engine.experiments.schedules._shared.script import schedulers
from engine.experiments.schedules._shared.settings import parameters
from engine.experiments.schedules._training.settings import momentum_name, moves_momentum
from engine.schedules import SCHEDULES
from engine.torch_code import plain, section
from engine.torch_code.optimizers import NEARLY_ZERO
from engine.torch_code.schedules import constructor
from engine.torch_code.training_run import numbers

PLATEAU = "plateau"

_FOLLOWED = '''\
def followed(pieces, steps):
    """Rate and momentum of each step; a change of the peak rate has a scheduler of its own from then on."""
    found = [(0.0, 0.0)] * steps
    for first, peak, make in pieces:
        optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=peak, momentum=0.9)
        scheduler = make(optimizer)
        group = optimizer.param_groups[0]
        for step in range(steps):
            if step >= first:
                found[step] = float(group["lr"]), float(group["momentum"])
            optimizer.step()
            if step < steps - 1:
                scheduler.step()
    return found


def steps_of(name):
    """How many steps are taken: those to compare, or up to where the app's run was lost."""
    return LOST.get(name) or STEPS[name]


def watch(step, model, loss):
    """Whether the run is lost: its loss or a weight is no longer finite."""
    return not (np.isfinite(loss) and all(torch.isfinite(w).all() for w in model.parameters()))


def check(name, found, broken):
    """Hold a run to the app's."""
    if name in LOST:
        assert broken == LOST[name], f"{name} was lost at step {broken}, in the app at step {LOST[name]}"
        print(f"{name:16} lost at step {broken}, as in the app")
    else:
        assert broken is None, f"{name} was lost at step {broken}"
        compare(name, found, END[name])
'''

_RUN = """\
for name, pieces in SCHEDULERS.items():
    plan, broken = followed(pieces, steps_of(name)), []

    def before(step, group):
        group["lr"], momentum = plan[step - 1]{momentum}

    def after(step, model, optimizer, loss):
        broken.extend([step] if watch(step, model, loss) else [])
        return bool(broken)

    found = train(steps_of(name), before, after)
    check(name, found, broken[0] if broken else None)
"""

_MOVED = {
    "momentum": '\n        if name in MOVES:\n            group["momentum"] = momentum or 1e-300  # at 0 SGD would '
                'forget its velocity',
    "beta1": '\n        if name in MOVES:\n            group["betas"] = momentum, group["betas"][1]',
    "": "",
}  # fmt: skip

_PLATEAU = '''\
{make}

def run_plateau():
    """Train at the rate that the plateau sets from {words}."""
    schedulers, broken = [], []

    def before(step, group):
        group["lr"] *= SCALED.get(step, 1.0)

    def after(step, model, optimizer, loss):
        if watch(step, model, loss):
            broken.append(step)
            return True
        if not schedulers:
            schedulers.append(plateau(optimizer))
        if step % EVERY == 0 or step == TOTAL:
            schedulers[0].step({metric})

    found = train(steps_of("plateau"), before, after)
    check("plateau", found, broken[0] if broken else None)


run_plateau()
'''
_METRICS = {
    "test_loss": "loss_of(model, TEST_X, TEST_Y)", "train_loss": "loss_of(model, X, Y)",
    "test_accuracy": "accuracy_of(model, TEST_X, TEST_Y)",
}  # fmt: skip


def _weights(state: Any) -> Any:
    """Every network's weights [S, P]; of one that is lost the step at which it was: all that there is to compare."""
    found = state.params.astype(float)
    for s, step in state.ended.items():
        found[s] = step
    return found


def write(experiment: Any, spec: Any, events: Sequence[Any], steps: int, end: Any) -> str:
    """The script of a run up to step `steps`; each schedule as far as rounding does not decide what becomes of it."""
    names, model = experiment.series(spec), end.model
    live = [event for event in events if event.step < steps]
    pieces = Pieces.of(spec, live, steps)
    until, told = horizon(experiment, pieces, steps, _weights)
    states = dict(told)
    lost, ends, compared = {}, [], {}
    for s, name in enumerate(names):
        state = states[until[s]]
        if s in state.ended:
            lost[name] = state.ended[s]
        else:
            ends.append(numbers(f'END["{name}"]', state.params[s]))
        compared[name] = until[s]
    pure = [name for name in names if name != PLATEAU]
    moves = [name for name in pure if moves_momentum(name, spec.optimizer)]
    rates = {first + 1: now.base_lr for first, now in pieces.pieces}
    changes = [(first, now) for (_, old), (first, now) in pairwise(pieces.pieces) if now.base_lr != old.base_lr]
    parts = [
        data_part(model, ("TEST",)), network_part(model, spec),
        training_part(model, pieces, {1: spec.base_lr}),
        compare_part(spec, "Two runs that round differently may part; each is compared as far as they do not."),
        f"STEPS = {plain(compared)}  # up to which step each is compared\n"
        f"LOST = {plain(lost)}  # at which step a run was no longer finite\nEND = {{}}\n" + "\n".join(ends),
        _FOLLOWED,
    ]  # fmt: skip
    if pure:
        asked = [(0, spec), *changes]
        parts.append(schedulers(pure, asked))
        parts.append((f"MOVES = {plain(moves)}  # whose momentum is another from step to step\n\n" if moves else "")
                     + _RUN.format(momentum=_MOVED[momentum_name(spec.optimizer)] if moves else ""))  # fmt: skip
    if PLATEAU in names:
        parts.append(_plateau(model, spec, pieces, rates, end.every))
    text = program("Training under schedules.", _words(experiment, spec, live, steps, compared, lost), spec, parts)
    return text.replace("1e-300", repr(NEARLY_ZERO))


def _plateau(model: Any, spec: Any, pieces: Pieces, rates: dict[int, float], every: int) -> str:
    scaled = {}
    for (_, before), (step, after) in pairwise(list(rates.items())):
        if before != after:
            scaled[step] = after / before
    lines = constructor(PLATEAU, parameters(spec, PLATEAU), spec.total_steps, spec.base_lr)
    make = "\n".join(["def plateau(optimizer):", '    """Reduce on plateau."""',
                      *(f"    {line}" for line in [*lines, "return scheduler"]), ""])  # fmt: skip
    metric = spec.plateau.metric
    head = section("The plateau") + f"EVERY, TOTAL = {every}, {spec.total_steps}  # it is told every so many steps\n"
    head += f"SCALED = {plain(scaled)}  # by what a change of the peak rate multiplies the rate, at which step\n\n\n"
    if metric == "test_accuracy":
        head += accuracy_part(model) + "\n\n"
    return head + _PLATEAU.format(make=make, words=metric.replace("_", " "), metric=_METRICS[metric])


def _words(
    experiment: Any, spec: Any, live: Sequence[Any], steps: int, compared: dict[str, int], lost: dict[str, int]
) -> list[str]:
    names = ", ".join(SCHEDULES[name].title for name in experiment.series(spec))
    told = [f"Steps 1 to {steps} of {spec.total_steps} of one network under {names}, with {optimizer_words(spec)}.",
            "All begin with the same weights and see the same batches. The rates are those of "
            "torch.optim.lr_scheduler, or of a LambdaLR where torch has none of a kind; the weights at the end are "
            "held to the app's."]  # fmt: skip
    early = {name: k for name, k in compared.items() if k < steps and name not in lost}
    if early:
        short = ", ".join(f"{SCHEDULES[name].title} up to step {k}" for name, k in early.items())
        told.append(
            "Where two runs that differ in the last digit part, rounding decides what comes, and the app rounds in "
            f"another order than torch. So these are compared to an earlier step: {short}."
        )
    return told + live_words(live, "step")
