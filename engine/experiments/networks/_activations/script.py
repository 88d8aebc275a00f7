"""The PyTorch script of the growing stack."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np

from engine.experiments.networks._activations.settings import ActivationsSpec, parameter
from engine.experiments.networks._activations.stack import State, beginning
from engine.networks.initializations import weights
from engine.randomness import generator
from engine.torch_code import header, plain, section, sources

AMPLIFIED = 1e5  # where a difference in the last bit grows further than this, nothing is compared any more

_FUNCTIONS = {
    "sigmoid": "torch.sigmoid",
    "tanh": "torch.tanh",
    "relu": "torch.relu",
    "leaky_relu": "lambda x: F.leaky_relu(x, {0!r})",
    "prelu": "lambda x: F.prelu(x, torch.tensor([{0!r}]))",
    "elu": "lambda x: F.elu(x, {0!r})",
    "gelu": "F.gelu",
    "silu": "lambda x: F.silu({0!r} * x) / {0!r}",
    "mish": "F.mish",
    "identity": "lambda x: x + 0.0",
}

_STACK = '''
def stack(function, layers):
    """Root mean square and spread of the signal, gradient, saturated share and dead share behind each layer."""
    rows = []
    for s in range(SEEDS):
        inputs = generator(SEED + s, "inputs of the stack").standard_normal((SAMPLES, WIDTH))
        unit = torch.from_numpy(generator(SEED + s, "unit gradient").standard_normal((SAMPLES, WIDTH)))
        x = torch.from_numpy(inputs).requires_grad_()
        out, found = x, []
        for k in range(layers):
            random = generator(SEED + s, "weights of the stack", k)
            z = out @ torch.from_numpy(weights(INITIALIZATION, WIDTH, WIDTH, random, STD).copy()).T
            out = function(z)
            (gradient,) = torch.autograd.grad(out, x, unit, retain_graph=True)
            (slope,) = torch.autograd.grad(out, z, torch.ones_like(z), retain_graph=True)
            apart = out - out.mean(dim=0)
            found.append([
                rms(out.detach()), rms(apart.detach()), rms(gradient),
                float((slope.abs() < 0.05).double().mean()), float((slope == 0).all(dim=0).double().mean()),
            ])
        rows.append(found)
    return np.mean(rows, axis=0)


def rms(values):
    """Root of the mean square, also of very large and very small numbers."""
    top = float(values.abs().max()) or 1.0
    return top * float(((values / top) ** 2).mean().sqrt())
'''

_CHECK = """
for name, rows in APP.items():
    found = stack(FUNCTIONS[name], len(rows))
    for k, (mine, app) in enumerate(zip(found, rows), 1):
        for what, one, other, relative in zip(MEASURED, mine, app, (True, True, True, False, False)):
            if other is not None:  # of shares, a few slopes may lie just on the other side of the limit
                allowed = 1e-9 * abs(other) if relative else 5 / (SAMPLES * WIDTH)
                assert abs(one - other) <= allowed, f"{name}, layer {k}: {what} {one}, in the app {other}"
    if rows:
        print(f"{name:12} {len(rows):3} layers: signal {found[-1][0]:.6g}, gradient {found[-1][2]:.6g}")
print("Signals and gradients are the app's.")
"""


def write(experiment: Any, spec: ActivationsSpec, steps: int, end: State) -> str:
    """A script that builds the stacks up to layer `steps` and asserts what `end` measured."""
    rows = {name: _rows(end, c, steps) for c, name in enumerate(spec.activations)}
    functions = [f'    "{name}": {_FUNCTIONS[name].format(parameter(spec, name))},' for name in spec.activations]
    words = [
        "Every layer multiplies by fresh weights and applies the function; a gradient with mean square 1 is sent back "
        "through all layers by autograd. Each number is the mean over the seeds.",
    ]
    if any(len(told) < steps or any(None in row for row in told) for told in rows.values()):
        words.append(
            "Some layers are not compared, or their spread is None: there a difference in the last bit has grown so "
            "far that two libraries cannot agree, or the signal has overflowed."
        )
    names: dict[str, Callable[..., Any]] = {"generator": generator, "weights": weights}
    text = re.sub(r": it must be one of .*?\}\"", '"', sources(names, "engine."))
    table = [
        line
        for name, told in rows.items()
        for line in (f'    "{name}": [', *(f"        {plain(row)}," for row in told), "    ],")
    ]
    return "\n".join([
        header(
            "What a stack of layers makes of a signal and of a gradient.", words,
            ["import math", "import zlib", "", "import numpy as np", "import torch",
             "import torch.nn.functional as F", "",
             "torch.set_default_dtype(torch.float64)", "torch.set_num_threads(1)"],
        ),
        section("The run"),
        f"SEED, SEEDS, SAMPLES, WIDTH = {spec.seed}, {spec.seeds}, {spec.samples}, {spec.width}",
        f'INITIALIZATION, STD = "{spec.initialization}", {spec.std!r}',
        "FUNCTIONS = {", *functions, "}", "",
        section("The random numbers, as the app draws them"),
        text,
        section("The stack"),
        _STACK,
        section("What the app measured behind each layer"),
        'MEASURED = ("signal", "spread of the signal", "gradient", "saturated share", "dead share")',
        "APP = {", *table, "}",
        _CHECK,
    ])  # fmt: skip


def _rows(end: State, c: int, steps: int) -> list[list[float | None]]:
    """The means of contestant c behind each layer, as far as two libraries can agree on them.

    A relative difference of 1e-16 behind layer j is about s_j / s_k * g_k / g_j times as large behind layer k, where s
    is the signal and g the gradient: that many times does a difference grow on its way from j to k.
    """
    told = [beginning(end), *(layer.told[:, :, c] for layer in end.layers[:steps])]
    rows: list[list[float | None]] = []
    for k in range(1, len(told)):
        if not np.isfinite(told[k]).all():
            break
        with np.errstate(all="ignore"):
            grown = [
                told[j][0] * told[k][2] / told[j][2] for j in range(k)
            ]  # [seeds] each, next to a signal of layer k
            # 0 / 0: where every unit is dead nothing grows
            whole = float(np.nan_to_num([part / told[k][0] for part in grown], posinf=np.inf).max())
            spread = float(np.nan_to_num([part / told[k][1] for part in [*grown, told[k][0]]], posinf=np.inf).max())
        if not whole <= AMPLIFIED:
            break
        means: list[float | None] = [float(value) for value in told[k].mean(axis=1)]
        if not spread <= AMPLIFIED:
            means[1] = None
        rows.append(means)
    return rows
