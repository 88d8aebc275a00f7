"""The PyTorch script of networks.convolution: torch's own layer at every position, or the training once more."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import numpy as np

from engine.experiments._shared.trained.settings import hypers
from engine.experiments.networks._convolution.data import shown
from engine.experiments.networks._convolution.kernels import TITLES, kernel
from engine.experiments.networks._convolution.settings import BY_HAND, OPERATIONS
from engine.experiments.networks._playground.script import LEAST, ROOM, rehearse
from engine.optimizers import RULES
from engine.spec import changed
from engine.torch_code import array, header, section, wrapped
from engine.torch_code.training import training_script
from engine.torch_code.training_run import TrainingRun

_CHECK = """
with torch.no_grad():
    out = layer(torch.tensor(PICTURE)[None, None])[0, 0]
print(f"{tuple(out.shape)}: {STEPS} of {out.numel()} positions compared")
found = out.flatten().numpy()[:STEPS]
worst = float(np.max(np.abs(found - APP), initial=0.0))
assert worst <= 1e-12 * max(1.0, float(np.max(np.abs(APP), initial=0.0))), f"{worst} away from the app's numbers"
print(np.array2string(out.numpy(), precision=4, suppress_small=True))
print(f"The app's numbers to {worst:.1e}.")
"""


def write(experiment: Any, spec: Any, events: Sequence[Any], steps: int, end: Any) -> str:
    """The script of `steps` steps under `spec` and its live `events`, which asserts what `end` holds."""
    if spec.study == BY_HAND:
        return _by_hand(spec, steps, end)
    return _training(experiment, spec, events, steps, end)


def _layer(spec: Any) -> list[str]:
    """Lines that make torch's layer."""
    options = {"stride": spec.stride, "padding": spec.padding, "dilation": spec.dilation}
    told = "".join(f", {name}={value}" for name, value in options.items() if value != (0 if name == "padding" else 1))
    match spec.operation:
        case "convolution":
            weights = kernel(spec.kernel, spec.own)
            size = weights.shape[0] if weights.shape[0] == weights.shape[1] else tuple(weights.shape)
            turn = []
            if spec.turned == "yes":
                turn = ["KERNEL = KERNEL[::-1, ::-1].copy()  # torch's own is a cross-correlation"]
            return [
                wrapped("KERNEL = ", array(weights)), *turn,
                f"layer = torch.nn.Conv2d(1, 1, {size}{told})",
                "with torch.no_grad():",
                "    layer.weight.copy_(torch.tensor(KERNEL))",
                f"    layer.bias.fill_({spec.bias!r})",
            ]  # fmt: skip
        case "max":
            shown = f", stride={spec.stride}" + told.replace(f", stride={spec.stride}", "")
            return [f"layer = torch.nn.MaxPool2d({spec.window}{shown})"]
        case "average":
            padding = f", padding={spec.padding}" if spec.padding else ""
            return [f"layer = torch.nn.AvgPool2d({spec.window}, stride={spec.stride}{padding})"]
    kind = "Max" if spec.operation == "global_max" else "Avg"
    return [f"layer = torch.nn.Adaptive{kind}Pool2d(1)"]


def _by_hand(spec: Any, steps: int, end: Any) -> str:
    name = OPERATIONS[spec.operation] + (f", {TITLES[spec.kernel]}" if spec.operation == "convolution" else "")
    picture = shown(spec)
    words = [f"{picture.told}; the first {steps} of {end.sweep.positions} positions are compared.",
             "Written by Descent Lab; it needs torch and NumPy and nothing else."]  # fmt: skip
    imports = ["import numpy as np", "import torch", "", "torch.set_default_dtype(torch.float64)"]
    body = "\n".join([
        section("The picture"), wrapped("PICTURE = ", array(picture.values)), "",
        section("The window"), *_layer(spec), "",
        section("What the app found"), f"STEPS = {steps}",
        wrapped("APP = ", array(end.sweep.out.ravel()[:steps])), _CHECK,
    ])  # fmt: skip
    return header(f"{name}.", words, imports) + "\n" + body


def _training(experiment: Any, spec: Any, events: Sequence[Any], steps: int, end: Any) -> str:
    live = sorted((e for e in events if e.step < steps), key=lambda e: e.step)
    pieces = [(0, spec)]
    for event in live:
        pieces.append((event.step, changed(pieces[-1][1], event.key, event.value)))
    first = experiment.start(spec)
    diverged = bool(end.ended)
    told = rehearse(experiment, first, pieces, steps)
    if diverged and not told.same_end:  # where rounding decides the step of the overflow, the step before is asserted
        steps, diverged, end = steps - 1, False, copy.deepcopy(first)
        for k, (begin, piece) in enumerate(pieces):
            until = pieces[k + 1][0] if k + 1 < len(pieces) else steps
            experiment.advance(end, piece, max(0, min(until, steps) - begin))
        told = rehearse(experiment, first, pieces, steps)
    tolerance = max(LEAST["float64"], ROOM * told.spread)
    rates = np.empty(steps)
    for begin, piece in pieces:
        rates[begin:] = piece.learning_rate
    data = first.model.data
    run = TrainingRun(
        first.model.description, first.params, data.x, data.y, spec.optimizer, "pytorch", rates, hypers(spec),
        steps, end.params, batch_size=spec.batch_size, seed=spec.seed, tolerance=float(f"{tolerance:.1g}"),
        live=_changes(spec, live), statistics=first.buffers if len(first.buffers) else None,
        end_statistics=end.buffers if len(end.buffers) else None, diverged=diverged,
    )  # fmt: skip
    words = [f"{spec.layers}; {RULES[spec.optimizer].title}, {steps} steps in batches of {spec.batch_size}, seed "
             f"{spec.seed}, float64. The digits stand below as the network saw them."]  # fmt: skip
    if live:
        words.append("Changed during the run: "
                     + "; ".join(f"{e.key} = {e.value!r} from step {e.step + 1} on" for e in live) + ".")  # fmt: skip
    if diverged:
        words.append("The run ended because its numbers overflowed; the script must overflow at the same step.")
    elif tolerance > LEAST["float64"]:
        words.append(
            "Two libraries never round alike, and this run lets rounding grow: shaken in its last bits it ended up to "
            f"{told.spread:.0e} elsewhere. So every parameter may be {tolerance:.0e} from the app's."
        )
    return training_script("A convolutional network on handwritten digits.", words, run)


def _changes(spec: Any, live: Sequence[Any]) -> list[tuple[int, dict[str, float]]]:
    """What the loop and the optimizer are told of live changes; the rates have a table of their own."""
    found: dict[int, dict[str, float]] = {}
    for event in live:
        group, _, name = event.key.rpartition(".")
        if group == spec.optimizer or event.key == "batch_size":
            found.setdefault(event.step, {})[name or event.key] = float(event.value)
    return sorted(found.items())
