"""The PyTorch script of early stopping: one training, watched by all who may stop it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from engine.experiments._shared.trained.script import (
    Pieces,
    compare_part,
    data_part,
    horizon,
    live_words,
    network_part,
    optimizer_words,
    program,
    training_part,
)
from engine.torch_code import plain, section
from engine.torch_code.training_run import numbers

NONE = "none"

_RUN = '''\
class Watcher:
    """Stops after `patience` evaluations in a row that beat the best loss by no more than `gain`, and keeps the weights
    that had it; with no patience it never stops and keeps the last ones."""

    def __init__(self, patience, gain):
        self.patience, self.gain = patience, gain
        self.best, self.best_epoch, self.bad, self.stopped, self.kept = math.inf, 0, 0, 0, None

    def look(self, loss, epoch, model):
        """Take in the loss of one evaluation."""
        if self.stopped:
            return
        if self.patience is None or loss < self.best - self.gain:
            self.best, self.best_epoch, self.bad, self.kept = loss, epoch, 0, flat(model)
            return
        self.bad += 1
        if self.bad >= self.patience:
            self.stopped = epoch


def evaluate(epoch, model):
    """Let all look at the validation loss; returns whether there is nobody left."""
    loss = loss_of(model, VALIDATION_X, VALIDATION_Y)
    for watcher in WATCHERS.values():
        watcher.look(loss, epoch, model)
    return all(watcher.stopped for watcher in WATCHERS.values())


def after(step, model, optimizer, loss):
    """At the end of every so many epochs, evaluate."""
    epoch, rest = divmod(step, STEPS_PER_EPOCH)
    if not (np.isfinite(loss) and all(torch.isfinite(w).all() for w in model.parameters())):
        broken.append(-(-step // STEPS_PER_EPOCH))
        return True
    return rest == 0 and (epoch % EVERY == 0 or epoch == LAST) and evaluate(epoch, model)


first, broken = Network(), []
load_flat(first, INITIAL)
evaluate(0, first)
train(EPOCHS * STEPS_PER_EPOCH, lambda step, group: None, after)
assert (broken[0] if broken else None) == BROKEN, f"lost in epoch {broken}, in the app {BROKEN}"
for name, (best, stopped) in APP.items():
    watcher = WATCHERS[name]
    if watcher.patience is not None:
        found = watcher.best_epoch, watcher.stopped
        assert found == (best, stopped), f"{name}: best and stop at {found}, in the app at {(best, stopped)}"
        print(f"{name:16} best at epoch {best}, " + (f"stopped at {stopped}" if stopped else "not stopped"))
    compare(name, watcher.kept, END[name])
    {tested}
'''

_TESTED = '''\
def loss_kept(weights):
    """The test loss of these weights."""
    model = Network()
    load_flat(model, weights)
    return loss_of(model, TEST_X, TEST_Y)
'''


def _kept(state: Any) -> Any:
    """What two rehearsals must agree about, [S, 2 P + 2]: everybody's best weights, the run's, best epoch and stop."""
    marks = np.array([(watch.best_at, watch.stopped) for watch in state.watches], float)
    run = state.params.astype(float) if np.isfinite(state.params).all() else np.zeros(len(state.params))
    return np.concatenate([state.kept.astype(float), np.stack([run] * len(marks)), marks], axis=1)


def write(experiment: Any, spec: Any, events: Sequence[Any], steps: int, end: Any) -> str:
    """The script of a run up to epoch `steps`, or as far as rounding does not decide what becomes of it."""
    names, model = experiment.series(spec), end.model
    part = model.parts[0]
    rounds = -(-len(part.x) // min(spec.batch_size or len(part.x), len(part.x)))
    live = [event for event in events if event.step < steps]
    pieces = Pieces.of(spec, live, steps)
    until, told = horizon(experiment, pieces, steps, _kept)
    last = min(until)
    state = dict(told)[last]
    lost = [s for s, step in state.ended.items() if state.watches[s].stopped < 0]
    watchers = []
    for name in names:
        rule = experiment.rule(spec, name) if name != NONE else None
        bad = rule.patience + int(rule.counting == "beyond") if rule else None
        watchers.append(f'    "{name}": Watcher({bad}, {rule.min_delta if rule else 0.0!r}),')
    told_of = zip(names, state.watches, strict=True)
    app = {name: (max(watch.best_at, 0), max(watch.stopped, 0)) for name, watch in told_of}
    rates = {first * rounds + 1: now.learning_rate for first, now in pieces.pieces}
    by_step = Pieces(tuple((first * rounds, now) for first, now in pieces.pieces))
    tested = 'print(f"{name:16} test loss of these weights {loss_kept(watcher.kept):.6g}")'
    lines = [
        f"EPOCHS, EVERY, LAST, STEPS_PER_EPOCH = {last}, {spec.evaluate_every}, {spec.epochs}, {rounds}",
        f"BROKEN = {state.ended[lost[0]] if lost else None!r}  # the epoch in which the app's weights were lost",
        f"APP = {plain(app)}  # best epoch, and where it stopped (0: not)", "END = {}",
        *(numbers(f'END["{name}"]', kept) for name, kept in zip(names, state.kept, strict=True)),
    ]  # fmt: skip
    run, rest = _RUN.split("first, broken = ")
    watching = section("The watching") + "\n\n" + run + "\n".join(["WATCHERS = {", *watchers, "}"])
    has_test = bool(len(model.parts[2].x))
    finish = "first, broken = " + rest.replace("{tested}", tested if has_test else "pass")
    parts = [
        data_part(model, ("VALIDATION", "TEST")), network_part(model, spec), training_part(model, by_step, rates),
        compare_part(spec, "Whose weights are kept, and where each stopped, must be as in the app."),
        _TESTED if has_test else "",
        "\n".join(lines), watching, finish,
    ]  # fmt: skip
    return program("Early stopping.", _words(spec, live, steps, last, last < told[-1][0]), spec, parts)


def _words(spec: Any, live: Sequence[Any], steps: int, last: int, early: bool) -> list[str]:
    told = [f"Epochs 1 to {steps} of one network with {optimizer_words(spec)}, watched by several patiences. Each "
            "keeps the best weights it saw; they are held to those that the app restored."]  # fmt: skip
    if early:
        told.append(
            f"Beyond epoch {last} two runs that differ in the last digit part: rounding decides what comes, and the "
            "app rounds in another order than torch. So the script ends there."
        )
    return told + live_words(live, "epoch")
