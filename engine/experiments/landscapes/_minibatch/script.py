"""The PyTorch script of batch, mini-batch and online SGD."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from engine.experiments.landscapes._minibatch import orders
from engine.experiments.landscapes._minibatch.pace import pace_of
from engine.experiments.landscapes._minibatch.settings import ALL, rate_of
from engine.spec import changed
from engine.torch_code import header, plain, section, sources
from engine.torch_code.training_run import UNPACKED, numbers

_CHAPTER = """\
stream = np.random.RandomState(42)
X = stream.randn(1000, 10)
Y = (X @ stream.randn(10, 1) + 0.1 * stream.randn(1000, 1))[:, 0]
"""

_EPOCHS = '''\
def batches(size, updates):
    """The samples of one update after the other, and what their gradient is divided by."""
    per_epoch = -(-len(X) // size)
{stream}    for update in range(updates):
        epoch, place = divmod(update, per_epoch)
        if place == 0:
            order = {order}
        rows = order[place * size : (place + 1) * size]
        yield X[rows], Y[rows], {divisor}
'''

_DRAWN = '''\
def batches(size, updates):
    """The samples of one update after the other, and what their gradient is divided by."""
    for first in range(0, updates, 1000):
        rows = drawn(SEED, first * size, min(1000, updates - first) * size, len(X)).reshape(-1, size)
        for some in rows:
            yield X[some], Y[some], size
'''

_WHOLE = '''\
def whole(updates):
    """All samples at every update."""
    for update in range(updates):
        yield X, Y, len(X)
'''

_NOISE = '''\
def noise(size, updates):
    """What is added to the full gradient at one update after the other: as much in every direction."""
    for first in range(0, updates, 1000):
        for kick in kicks(SEED, first, min(1000, updates - first), X.shape[1]):
            yield torch.from_numpy(VECTORS @ kick) * SIGMA / size**0.5
'''

_RUN = '''\
def train(name, size, updates):
    """Plain SGD from the start; the weights at the end."""
    w = torch.tensor(START, requires_grad=True)
    optimizer = torch.optim.SGD([w], lr=RATES[name][0])
{setup}    for update, (x, y, divisor) in enumerate({source}):
        optimizer.param_groups[0]["lr"] = RATES[name].get(update, optimizer.param_groups[0]["lr"])
        optimizer.zero_grad()
        (((x @ w - y) ** 2).sum() / divisor).backward()
{add}        optimizer.step()
    return w.detach()


for name, (size, updates, end) in APP.items():
    found = train(name, size, updates)
    with torch.no_grad():
        loss = float(((X @ found - Y) ** 2).mean())
    if end is None:
        print(f"{{name:10}} {{updates:8}} updates, lost as in the app: loss {{loss:.3g}}")
        assert not loss < 1e200, f"{{name}} has a loss of {{loss}} after {{updates}} updates, in the app it overflowed"
        continue
    end = torch.tensor(end)
    apart = float(torch.linalg.norm(found - end) / max(1.0, float(torch.linalg.norm(end))))
    print(f"{{name:10}} {{updates:8}} updates, loss {{loss:.10g}}, weights {{apart:.1e}} from the app's")
    assert apart <= 1e-9, f"{{name}} ended at {{found.tolist()}}, in the app at {{end.tolist()}}"
print("Every contestant ended where it ended in the app.")
'''


def write(experiment: Any, spec: Any, events: Sequence[Any], steps: int, end: Any) -> str:
    """A script of all contestants up to step `steps` that asserts the weights of `end`."""
    live = [event for event in events if event.step < steps]
    told = [
        f"{experiment.summary} {_words(spec)}",
        "The app computes along the eigenvectors of the Hessian, around the minimum; this script computes with the "
        "weights themselves. The same batches lead both to the same weights.",
        *([_story(live)] if live else []),
        "Written by Descent Lab. It needs torch and NumPy and nothing else.",
    ]
    parts = [
        section("The data") + _data(spec, end),
        section("The batches") + f"SEED, SIGMA = {spec.seed}, {spec.sigma!r}\n\n\n" + _needs(spec),
        section("The run", "What the app found: batch size, updates, weights at the end (None: they overflowed).")
        + _found(experiment, spec, live, end),
        _training(spec),
    ]
    body = "\n\n".join(part.strip("\n") + "\n" for part in parts)
    if "unpacked(" in body:
        body = UNPACKED + "\n\n" + body
    imports = [f"import {name}" for name in ("base64", "zlib") if f"{name}." in body]
    imports += [*([""] if imports else []), "import numpy as np", "import torch", "",
                "torch.set_default_dtype(torch.float64)",
                "torch.set_num_threads(1)  # small tensors: more threads only cost time"]  # fmt: skip
    return header("Batch, mini-batch and online SGD on linear regression.", told, imports) + "\n\n" + body


def _words(spec: Any) -> str:
    last = {"chapter": "the batch size also where it is smaller", "true": "its own size"}[spec.last_batch]
    return {
        "chapter": f"Every epoch is shuffled by NumPy's legacy stream; the last batch is divided by {last}.",
        "shuffle": f"Every epoch is shuffled; the last batch is divided by {last}.",
        "replacement": "Every batch is drawn with replacement.",
        "additive": "Every gradient is the full one with normal noise added.",
    }[spec.sampling]


def _story(live: Sequence[Any]) -> str:
    return "Changed on the way: " + "; ".join(f"{e.key} = {e.value!r} from step {e.step + 1} on" for e in live) + "."


def _data(spec: Any, end: Any) -> str:
    found = end.problem
    lines = [_CHAPTER.strip("\n")] if spec.data == "chapter" else [numbers("X", found.x), numbers("Y", found.y)]
    if spec.sampling == "chapter" and spec.data == "own":
        lines.append(f"stream = np.random.RandomState({spec.seed})")
    if spec.sampling == "chapter":
        lines.append("ORDERS = stream.get_state()  # each contestant's epochs are drawn from here on")
    lines += ["X, Y = torch.from_numpy(X), torch.from_numpy(Y)"]
    start = found.minimum if spec.start == "minimum" else np.zeros(len(found.minimum))
    lines.append(f"START = {plain(start.tolist())}")
    if spec.sampling == "additive":
        lines += ["# the noise is drawn along the app's eigenvectors", numbers("VECTORS", found.vectors)]
    return "\n".join(lines)


def _needs(spec: Any) -> str:
    """The functions that give batches and noise."""
    parts = [_WHOLE] if ALL in spec.batches or spec.sampling == "additive" else []
    if set(spec.batches) == {ALL}:
        return parts[0]
    if spec.sampling == "additive":
        return "\n\n".join([*parts, sources({"kicks": orders.kicks}, "engine"), _NOISE])
    if spec.sampling == "replacement":
        return "\n\n".join([*parts, sources({"drawn": orders.drawn}, "engine"), _DRAWN])
    stream, order = "", "shuffled(SEED, epoch, len(X))"
    if spec.sampling == "shuffle":
        parts.append(sources({"shuffled": orders.shuffled}, "engine"))
    else:
        stream = "    own = np.random.RandomState()\n    own.set_state(ORDERS)\n"
        order = "own.permutation(len(X))"
    divisor = "size" if spec.last_batch == "chapter" else "len(rows)"
    return "\n\n".join([*parts, _EPOCHS.format(divisor=divisor, stream=stream, order=order)])


def _found(experiment: Any, spec: Any, live: Sequence[Any], end: Any) -> str:
    rates, app = [], []
    for s, name in enumerate(experiment.series(spec)):
        pace, own, now = pace_of(spec, name), {0: rate_of(spec, name)}, spec
        for event in live:
            now = changed(now, event.key, event.value)
            own[int(pace.updates(np.array([event.step]))[0])] = rate_of(now, name)
        rates.append(f"    {name!r}: {plain(own)},")
        weights = None if s in end.ended else end.problem.weights(end.c[s]).tolist()
        app.append(f"    {name!r}: ({pace.size}, {int(end.updates[s])}, {plain(weights)}),")
    return "\n".join(["RATES = {  # from which update on, counted from 0", *rates, "}", "APP = {", *app, "}", ""])


def _training(spec: Any) -> str:
    """The loop, and the comparison."""
    setup = add = ""
    if spec.sampling == "additive":
        source = "whole(updates)"
        if set(spec.batches) != {ALL}:
            setup = '    kick = None if name == "all" else noise(size, updates)\n'
            add = "        if kick is not None:\n            w.grad += next(kick)\n"
    elif set(spec.batches) == {ALL}:
        source = "whole(updates)"
    else:
        source = "batches(size, updates)"
        if ALL in spec.batches:
            source = f'whole(updates) if name == "all" else {source}'
    return _RUN.format(setup=setup, source=source, add=add)
