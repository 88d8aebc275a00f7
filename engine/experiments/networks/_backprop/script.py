"""The PyTorch script of backpropagation by hand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from engine.experiment import Array
from engine.experiments.networks._backprop.checks import TORCH
from engine.experiments.networks._backprop.passes import State, first, phases, take
from engine.experiments.networks._backprop.settings import BackpropSpec, first_weights, sample, targets
from engine.spec import changed
from engine.torch_code import array, header, plain, section

ALIKE = 1e-11  # cycles are compared while a change in the last bit changes the loss by no more than this, relatively

_RUN = """
for cycle, rate in enumerate(RATES, 1):
    activations, sums = X, []
    for layer, (w, b) in enumerate(zip(W, B), 1):
        sums.append(activations @ w + b)
        sums[-1].retain_grad()
        activations = (OUTPUT if layer == len(W) else HIDDEN)(sums[-1])
    loss = loss_of(activations)
    loss.backward()
    row = [*activations.tolist(), loss.item(), *sums[-1].grad.tolist(), *sums[-2].grad.tolist()]
    if cycle <= len(APP):
        for found, expected in zip(row, APP[cycle - 1]):
            allowed = 1e-9 * abs(expected) + 1e-12
            assert abs(found - expected) <= allowed, f"cycle {cycle}: {found}, in the app {expected}"
    if cycle in (1, 2, 3, len(RATES)):
        print(f"cycle {cycle}: prediction {activations.tolist()}, loss {loss.item():.8f}")
    with torch.no_grad():
        for part in (*W, *B):
            if rate is not None:  # the last cycle may have got no further than its passes
                part -= rate * part.grad
            part.grad = None
"""

_CHECK = """
for found, expected in zip([*W, *B], END):
    expected = torch.tensor(expected)
    apart = float((found.detach() - expected).abs().max())
    assert apart <= 1e-9 * max(1.0, float(expected.abs().max())), f"weights are {apart} apart"
"""


def write(experiment: Any, spec: BackpropSpec, events: Sequence[Any], steps: int, end: State) -> str:
    """A script that repeats the cycles begun by step `steps` and asserts the app's numbers as far as it got."""
    many = len(phases(spec))
    whole, rest = divmod(steps, many)
    rates = _rates(spec, events, whole, many)
    rows = _rows(spec, rates, steps)
    alike = _alike(rows, _rows(spec, rates, steps, nudged=True))
    words = [
        "The passes are PyTorch's own: autograd finds every derivative. Each cycle's prediction, loss, output deltas "
        "and deltas of the last hidden layer are compared with the app's.",
    ]
    if alike < len(rows):
        words.append(
            f"Only the first {alike} cycles are compared: after them a difference in the last bit has grown so far "
            "that two libraries cannot agree, or a number has overflowed."
        )
    loss = "0.5 * ((p - Y) ** 2).sum()" if spec.loss == "half_squared" else "((p - Y) ** 2).mean()"
    begin = first_weights(spec)
    chapter = [
        "random = np.random.RandomState(42)",
        "W = [" + ", ".join(f"random.randn{w.shape}" for w in begin) + "]",
    ]
    given = chapter if spec.weights == "chapter" else ["W = [", *(f"    {array(w)}," for w in begin), "]"]
    told = [[value for value in row if value is not None] for row in rows[:alike]]
    text = [
        header(
            "Backpropagation on one sample.", words,
            ["import numpy as np", "import torch", "", "torch.set_default_dtype(torch.float64)",
             "torch.set_num_threads(1)"],
        ),
        section("The network and its sample"),
        *given,
        "W = [torch.from_numpy(np.array(w)).requires_grad_() for w in W]",
        "B = [torch.zeros(w.shape[1], requires_grad=True) for w in W]",
        f"X, Y = torch.tensor({sample(spec).tolist()}), torch.tensor({targets(spec).tolist()})",
        f"HIDDEN = {TORCH[spec.activation]}",
        f"OUTPUT = {TORCH[spec.output_activation]}",
        "", "",
        "def loss_of(p):", f'    """{_LOSSES[spec.loss]}"""', f"    return {loss}", "", "",
        section("The learning rate of each cycle's update (None: not done), and what the app found in each cycle"),
        _listed(rates, whole, rest),
        "APP = [", *(f"    {plain(row)}," for row in told), "]",
        "",
        section("The run"),
        _RUN,
    ]  # fmt: skip
    if alike == len(rows):
        text += ["END = [", *(f"    {plain(part.tolist())}," for part in (*end.weights, *end.biases)), "]", _CHECK]
    return "\n".join([*text, 'print("The numbers are the app\'s.")', ""])


_LOSSES = {"half_squared": "Half the sum of the squared errors.", "mse": "The mean of the squared errors."}


def _rates(spec: BackpropSpec, events: Sequence[Any], whole: int, many: int) -> list[float]:
    """The rate in force at each whole cycle's update: step many * c is taken under the settings of the step before."""
    settings = [(0, spec)]
    for event in sorted(events, key=lambda e: e.step):
        settings.append((event.step + 1, changed(settings[-1][1], event.key, event.value)))
    return [
        next(own.learning_rate for first_step, own in reversed(settings) if first_step <= cycle * many)
        for cycle in range(1, whole + 1)
    ]


def _listed(rates: list[float], whole: int, rest: int) -> str:
    """RATES as an expression."""
    runs: list[tuple[float, int]] = []
    for rate in rates:
        runs = [*runs[:-1], (rate, runs[-1][1] + 1)] if runs and runs[-1][0] == rate else [*runs, (rate, 1)]
    parts = [f"[{rate!r}] * {count}" for rate, count in runs] + (["[None]"] if rest else [])
    return f"RATES = {' + '.join(parts) or '[]'}"


def _rows(spec: BackpropSpec, rates: list[float], steps: int, nudged: bool = False) -> list[list[float | None]]:
    """Of every cycle begun: predictions, loss, output deltas, deltas of the last hidden layer, as far as it got.

    `nudged`: from a first weight that is larger by its last bit.
    """
    state, many = first(spec), len(phases(spec))
    if nudged:
        state.weights = [np.nextafter(w, np.inf) for w in state.weights]
    rows: list[list[float | None]] = []
    while state.step < steps:
        for _ in range(min(many, steps - state.step)):
            cycle = state.step // many
            take(state, changed(spec, "learning_rate", rates[cycle]) if cycle < len(rates) else spec)
        parts: list[tuple[Array | None, int]] = [(state.a[-1], spec.outputs)]
        parts += [(None if np.isnan(state.loss) else np.array([state.loss]), 1)]
        parts += [(state.deltas[-1], spec.outputs), (state.deltas[-2], spec.hidden[-1])]
        rows.append([value for part, n in parts for value in ([None] * n if part is None else part.tolist())])
    return rows


def _alike(rows: list[list[float | None]], others: list[list[float | None]]) -> int:
    """How many cycles agree in both, all numbers finite."""
    for c, (row, other) in enumerate(zip(rows, others, strict=True)):
        mine = np.array([value for value in row if value is not None])
        theirs = np.array([value for value in other if value is not None])
        with np.errstate(all="ignore"):
            close = np.abs(mine - theirs) <= ALIKE * np.abs(mine) + 1e-14
        if not (np.isfinite(mine).all() and close.all()):
            return c
    return len(rows)
