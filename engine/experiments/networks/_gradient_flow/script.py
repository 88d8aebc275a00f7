"""The PyTorch script of gradient flow: autograd through the same networks, layer by layer."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np

from engine.experiment import Array
from engine.experiments.networks._gradient_flow.measure import LAYERED, WHOLE, Seed, measured
from engine.experiments.networks._gradient_flow.network import OUTPUTS
from engine.experiments.networks._gradient_flow.settings import GradientFlowSpec, network
from engine.networks.initializations import weights
from engine.randomness import generator
from engine.torch_code import header, section, sources

NUDGE = 1e-13  # by which a rehearsal moves the inputs
SURE = 1e-8  # a number that moves by more than this share of itself is shown and not asserted
ASSERTED = tuple(name for name in LAYERED if name != "weight_gain")

_FUNCTIONS = {
    "sigmoid": "torch.sigmoid",
    "tanh": "torch.tanh",
    "relu": "torch.relu",
    "leaky_relu": "lambda z: torch.nn.functional.leaky_relu(z, 0.01)",
    "elu": "torch.nn.functional.elu",
    "gelu": "torch.nn.functional.gelu",
    "silu": "torch.nn.functional.silu",
    "mish": "torch.nn.functional.mish",
    "identity": "lambda z: z + 0.0",
}

_NETWORK = '''
def measure(seed, activation, initialization, std, normalization, residual, branch, clipping, clip_at, loss):
    """One network, forth and back: its numbers layer by layer, and those of the whole."""
    function = FUNCTIONS[activation]
    x = torch.from_numpy(generator(seed, "inputs of the batch").standard_normal((SAMPLES, WIDTH)))
    targets = generator(seed, "targets of the batch")
    matrices = [
        torch.nn.Parameter(torch.from_numpy(weights(initialization, WIDTH, WIDTH if k < DEPTH else OUTPUTS,
                                                    generator(seed, "weights of a layer", k), std).copy()))
        for k in range(DEPTH + 1)
    ]
    outs, slopes = [], []
    for matrix in matrices[:-1]:
        z = x @ matrix.T
        if normalization == "batch":
            z = torch.nn.functional.batch_norm(z, None, None, training=True)
        elif normalization == "layer":
            z = torch.nn.functional.layer_norm(z, (WIDTH,))
        bent = function(z)
        at = z.detach().requires_grad_()
        slopes.append(torch.autograd.grad(function(at).sum(), at)[0])
        x = x + branch * bent if residual else bent
        x.retain_grad()
        outs.append(x)
    logits = x @ matrices[-1].T
    if loss == "mse":
        error = torch.nn.functional.mse_loss(logits, torch.from_numpy(targets.standard_normal((SAMPLES, OUTPUTS))))
    else:
        classes = torch.from_numpy(targets.integers(0, OUTPUTS, SAMPLES))
        error = torch.nn.functional.cross_entropy(logits, classes)
    error.backward()
    before = [norm(matrix.grad) for matrix in matrices]
    if clipping == "norm":
        torch.nn.utils.clip_grad_norm_(matrices, clip_at)
    elif clipping == "value":
        torch.nn.utils.clip_grad_value_(matrices, clip_at)
    after = [norm(matrix.grad) for matrix in matrices]
    outs_, root = [out.detach() for out in outs], (SAMPLES * WIDTH) ** 0.5
    layered = [
        [norm(out) / root for out in outs_],
        [spread * spread for spread in (norm(out - out.mean()) / root for out in outs_)],
        [norm(out.grad) for out in outs],
        [norm(slope) / root for slope in slopes],
        before[:-1],
        after[:-1],
    ]
    return layered, [float(error.detach()), norm(torch.tensor(before)), norm(torch.tensor(after))]


def norm(values):
    """Root of the sum of squares, also of very large and very small numbers."""
    top = float(values.abs().max())
    return top * float(((values / top) ** 2).sum().sqrt()) if 0 < top < float("inf") else top
'''

_CHECK = '''
def check(what, found, expected):
    """The app's number to one part in a million; None: rounding alone moves it, or it has overflowed."""
    global compared
    if expected is not None:
        compared += 1
        assert abs(found - expected) <= 1e-6 * abs(expected), f"{what}: {found}, in the app {expected}"


compared = 0
for name, settings in NETWORKS.items():
    for seed, expected in WHOLE[name].items():
        layered, whole = measure(seed, *settings)
        for what, one, other in zip(("loss", "norm of the gradient", "norm once clipped"), whole, expected):
            check(f"{name}, seed {seed}, {what}", one, other)
        if seed == SHOWN:
            for what, row, others in zip(MEASURES, layered, LAYERED[name]):
                for k, (one, other) in enumerate(zip(row, others), 1):
                    check(f"{name}, seed {seed}, layer {k}, {what}", one, other)
            first, last = layered[2][0], layered[2][-1]
            print(f"{name:14} seed {seed}: gradient {last:.6g} at the last hidden layer, {first:.6g} at the first")
print(f"{compared} numbers are the app's.")
'''


def write(experiment: Any, spec: GradientFlowSpec, steps: int, end: Any) -> str:
    """A script that measures the seeds up to step `steps` and asserts what `end` holds of them."""
    seeds = end.seeds[: steps // spec.depth + 1]
    shown = spec.seed + len(seeds) - 1
    sure = [_sure(one, measured(spec, spec.seed + s, NUDGE)) for s, one in enumerate(seeds)]
    kinds = {name: network(spec, name) for name in spec.networks}
    functions = dict.fromkeys(kind.activation for kind in kinds.values())
    asserted = [LAYERED.index(name) for name in ASSERTED]
    settings, totals, layers = [], [], []
    for c, (name, kind) in enumerate(kinds.items()):
        values = (
            kind.activation, kind.initialization, kind.std, kind.normalization, kind.residual, kind.branch,
            kind.clipping, kind.clip_at, kind.loss,
        )  # fmt: skip
        settings.append(f'    "{name}": {_plain(values)},')
        totals += [f'    "{name}": {{', *(
            f"        {spec.seed + s}: {_plain(_known(one.whole[:, c]))}," for s, one in enumerate(sure)
        ), "    },"]  # fmt: skip
        rows = [_known(sure[-1].layered[m, :, c]) for m in asserted]
        layers += [f'    "{name}": [', *(f"        {_plain(row)}," for row in rows), "    ],"]
    drawing: dict[str, Callable[..., Any]] = {"generator": generator, "weights": weights}
    text = re.sub(r": it must be one of .*?\}\"", '"', sources(drawing, "engine."))
    words = [
        "Every network is measured with the weights and the batch that the app draws: one way forth, and back by "
        "autograd. Written by Descent Lab; it needs torch and NumPy and nothing else.",
    ]
    if any("None" in line for line in (*totals, *layers)):
        words.append(
            "Where a number is None it is not compared: it has overflowed, or a difference in the last bit grows so "
            "far on its way through the layers that two libraries cannot agree on it."
        )
    return "\n".join([
        header(
            "Gradient flow: every layer of the app's networks, measured again with torch.", words,
            ["import math", "import zlib", "", "import numpy as np", "import torch", "",
             "torch.set_default_dtype(torch.float64)", "torch.set_num_threads(1)"],
        ),
        section("The run"),
        f"DEPTH, WIDTH, SAMPLES, OUTPUTS = {spec.depth}, {spec.width}, {spec.samples}, {OUTPUTS}",
        "FUNCTIONS = {", *(f'    "{name}": {_FUNCTIONS[name]},' for name in functions), "}",
        "# activation, weights, their deviation, normalisation, residual, scale of a branch, clipping, its limit, loss",
        "NETWORKS = {", *settings, "}", "",
        section("The random numbers, as the app draws them"),
        text,
        section("The networks"),
        _NETWORK,
        section("What the app measured"),
        f"SHOWN = {shown}  # the seed whose layers are compared one by one",
        f"MEASURES = {_plain(ASSERTED)}",
        f"# of every seed: {', '.join(WHOLE)}",
        "WHOLE = {", *totals, "}",
        "# of that seed: a row for each of the measures, a number for each layer",
        "LAYERED = {", *layers, "}",
        "",
        _CHECK,
    ])  # fmt: skip


def _sure(one: Seed, other: Seed) -> Seed:
    """The numbers of `one` that `other`, measured a little beside it, shares; all others are nan."""

    def shared(a: Array, b: Array) -> Array:
        with np.errstate(all="ignore"):
            same = np.isfinite(a) & (np.abs(a - b) <= SURE * np.abs(a))
        found: Array = np.where(same, a, np.nan)
        return found

    return Seed(shared(one.layered, other.layered), shared(one.whole, other.whole))


def _known(values: Array) -> list[float | None]:
    return [float(value) if np.isfinite(value) else None for value in values]


def _plain(value: Any) -> str:
    return repr(value).replace("'", '"')
