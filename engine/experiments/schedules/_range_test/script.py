"""The PyTorch script of a range test: the same batches at the same rates, its suggestions, the weights put back."""

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
from engine.experiments.schedules._range_test import suggestions
from engine.experiments.schedules._range_test.settings import rates_of
from engine.experiments.schedules._range_test.suggestions import FEWEST, LAST, TENTH, suggest
from engine.torch_code import plain, section, sources
from engine.torch_code.training_run import numbers

_TEST = '''\
def before(step, group):
    """The rate of a step."""
    group["lr"] = WARM_RATE if step <= WARM else float(RATES[step - WARM - 1])


def after(step, model, optimizer, loss):
    """Take in the loss that the batch of this step had before it; True where the test is over."""
    loss, coming[0] = coming[0], loss_of(model, *batch(step + 1))
    lost = not (np.isfinite(loss) and all(torch.isfinite(w).all() for w in model.parameters()))
    if step > WARM and np.isfinite(loss):
        average[0] = SMOOTHING * average[0] + (1 - SMOOTHING) * loss
        smoothed.append(average[0] / (1 - SMOOTHING ** (step - WARM)))
        factor = FACTORS[max(s for s in FACTORS if s <= step)]
        if factor and smoothed[-1] > factor * min(smoothed):
            ended.append(("stopped", step))
            return True
    if lost:
        ended.append(("diverged", step))
        return True
    if step == WARM:
        kept[0] = flat(model)
    return False


first = Network()
load_flat(first, INITIAL)
kept, coming, average, smoothed, ended = [flat(first)], [loss_of(first, *batch(1))], [0.0], [], []
found = train(STEPS, before, after)
assert ended == ENDED, f"the test ended with {ended}, in the app with {ENDED}"
assert len(smoothed) == len(SMOOTHED), f"{len(smoothed)} losses, in the app {len(SMOOTHED)}"
for step, (one, app) in enumerate(zip(smoothed, SMOOTHED), WARM + 1):
    assert abs(one - app) <= TOLERANCE * max(1, abs(app)), f"step {step}: a smoothed loss of {one}, in the app {app}"
'''

_SUGGEST = '''
def suggested(rates, losses, planned):
    """Steepest, minimum / 10 and valley, without the first tenth of the planned steps and the last ones."""
    margin = planned // 10
    rates, losses = rates[margin : len(losses) - {last}], np.array(losses[margin : len(losses) - {last}])
    if len(losses) < {fewest}:
        return np.nan, np.nan, np.nan
    return rates[steepest(losses)], rates[np.argmin(losses)] / {tenth}, rates[valley(losses)[1]]
'''

_TELL = """\
for name, rate, app in zip(("steepest", "minimum / 10", "valley"), suggested(RATES, smoothed, len(RATES)), SUGGESTED):
    print(f"{name:16} {rate:.6g}")
    assert np.isclose(rate, app, rtol=1e-12, equal_nan=True), f"{name}: {rate}, in the app {app}"
"""

_BACK = """\
load_flat(first, kept[0])  # the test is over: the weights are what they were before it
found = flat(first)
assert found.tobytes() == kept[0].tobytes(), "a weight is not what it was"
"""


class _Rehearsed:
    """The experiment without the curvature, which a script does not need and which takes long of a large network."""

    def __init__(self, experiment: Any) -> None:
        self.series, self._experiment = experiment.series, experiment

    def start(self, spec: Any) -> Any:
        """The network before anything."""
        state = self._experiment.start(spec)
        state.lanczos = None
        return state

    def advance(self, state: Any, spec: Any, n: int) -> Any:
        """Take n steps."""
        rows = self._experiment.advance(state, spec, n)
        state.lanczos = None
        return rows


def _watched(state: Any) -> Any:
    """What two rehearsals must agree about, [1, P + n + 1]: weights, smoothed losses, and where the run ended."""
    good = np.isfinite(state.params).all()
    weights = state.params.astype(float) if good else np.zeros(len(state.params))
    test = np.zeros(state.planned)
    test[: len(state.smoothed)] = state.smoothed
    return np.concatenate([weights, test, [state.ended[2] if state.ended else 0.0]])[None]


def write(experiment: Any, spec: Any, events: Sequence[Any], steps: int, end: Any) -> str:
    """The script of a run up to step `steps`, or as far as rounding does not decide what becomes of it."""
    model = end.model
    live = [event for event in events if event.step < steps]
    pieces = Pieces.of(spec, live, steps)
    until, told = horizon(_Rehearsed(experiment), pieces, steps, _watched)
    last = until[0]
    state = dict(told)[last]
    rates = rates_of(spec)
    over = state.back is not None
    lost = state.ended is not None and state.ended[0] == "diverged" and not over  # before the test began
    factors = {first + 1: now.stop_factor for first, now in pieces.pieces}
    growth = ("LOWEST + (HIGHEST - LOWEST) * SHARE" if spec.growth == "linear" else
              "LOWEST * (HIGHEST / LOWEST) ** SHARE")  # fmt: skip
    lines = [
        section("The range test", "The rate grows with every batch until the loss does, or the rates end."),
        f"LOWEST, HIGHEST = {spec.min_lr!r}, {spec.max_lr!r}",
        f"SHARE = np.linspace(0, 1, {spec.steps})",
        f"RATES = {growth}",
        f"SMOOTHING = {spec.smoothing!r}  # share of the average so far in each new one",
        f"FACTORS = {plain(factors)}  # of the lowest smoothed loss, at which it stops, from which step on; 0: never",
        f"WARM, WARM_RATE = {spec.warm_steps}, {spec.warm_rate!r}  # steps before the test",
        f"STEPS = {last}  # of all, up to which the run is compared",
        f"ENDED = {[(state.ended[0], state.ended[2])] if state.ended else []!r}  # before its time: how, at which step",
        numbers("SMOOTHED", state.smoothed),
        "" if lost else numbers("END", state.params), "", "", _TEST,
    ]  # fmt: skip
    parts = [
        data_part(model, ()), network_part(model, spec), training_part(model, pieces, {1: float(rates[0])}),
        compare_part(spec, "Two runs that round differently may part; they are compared as far as they do not."),
        "\n".join(lines),
    ]  # fmt: skip
    if over:
        own = sources({"steepest": suggestions.steepest, "valley": suggestions.valley}, suggestions.__name__)
        asked = _SUGGEST.format(last=LAST, fewest=FEWEST, tenth=TENTH)
        app = suggest(rates, state.smoothed, spec.steps).rates
        told_app = ", ".join(repr(rate) if np.isfinite(rate) else "np.nan" for rate in app)
        parts.append("\n".join([section("The suggestions"), "from bisect import bisect_left\n\n", own, asked, "",
                                f"SUGGESTED = {told_app}", _TELL]))  # fmt: skip
        parts.append(_BACK)
    if not lost:
        parts.append('compare("weights", found, END)')
    return program("A learning-rate range test.", _words(spec, live, steps, last, over), spec, parts)


def _words(spec: Any, live: Sequence[Any], steps: int, last: int, over: bool) -> list[str]:
    told = [f"{spec.warm_steps + spec.steps} steps of one network with {optimizer_words(spec)}: "
            f"{spec.warm_steps} at {spec.warm_rate:g}, then {spec.steps} at rates from {spec.min_lr:g} to "
            f"{spec.max_lr:g}, one batch each. Every smoothed loss is held to the app's."]  # fmt: skip
    if over:
        told.append("The suggestions must be the app's, and afterwards the weights are those of before the test.")
    if last < steps:
        told.append(
            f"Beyond step {last} two runs that differ in the last digit part: rounding decides what comes, and the app "
            "rounds in another order than torch. So the script ends there."
        )
    return told + live_words(live, "step")
