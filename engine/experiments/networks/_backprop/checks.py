"""The same derivatives found in two other ways: by PyTorch's autograd, and by central differences."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from engine.experiment import Array
from engine.experiments.networks._backprop.passes import forward, loss
from engine.experiments.networks._backprop.settings import BackpropSpec, sample, targets
from engine.torch_setup import torch

STEP = 1e-5  # of the quotient; times the weight where that is larger than 1

TORCH = {  # how torch calls each activation
    "identity": "lambda z: z + 0.0",
    "sigmoid": "torch.sigmoid",
    "tanh": "torch.tanh",
    "relu": "torch.relu",
    "leaky_relu": "torch.nn.functional.leaky_relu",
    "elu": "torch.nn.functional.elu",
    "gelu": "torch.nn.functional.gelu",
    "silu": "torch.nn.functional.silu",
    "mish": "torch.nn.functional.mish",
}
Derivatives = tuple[list[Array], list[Array]]  # of the weights and of the biases, layer by layer


def _function(name: str) -> Any:
    if name == "identity":
        return lambda z: z + 0.0
    found = torch()
    for part in TORCH[name].split(".")[1:]:
        found = getattr(found, part)
    return found


def autograd(spec: BackpropSpec, weights: Sequence[Array], biases: Sequence[Array]) -> Derivatives:
    """dL/dW and dL/db as PyTorch finds them, without our formulas."""
    t = torch()
    ws, bs = ([t.tensor(part, requires_grad=True) for part in parts] for parts in (weights, biases))
    a = t.tensor(sample(spec))
    for i, (w, b) in enumerate(zip(ws, bs, strict=True)):
        a = _function(spec.activation if i < len(spec.hidden) else spec.output_activation)(a @ w + b)
    squares = (a - t.tensor(targets(spec))) ** 2
    (0.5 * squares.sum() if spec.loss == "half_squared" else squares.mean()).backward()
    return [w.grad.numpy() for w in ws], [b.grad.numpy() for b in bs]


def quotients(spec: BackpropSpec, weights: Sequence[Array], biases: Sequence[Array]) -> Derivatives:
    """(L(w + h) - L(w - h)) / 2h for one weight or bias after the other."""
    parts = [*weights, *biases]
    found = []
    with np.errstate(all="ignore"):
        for p, part in enumerate(parts):
            own = np.empty_like(part)
            for at in np.ndindex(part.shape):
                h = STEP * max(1.0, abs(float(part[at])))
                values = []
                for sign in (1.0, -1.0):
                    moved = list(parts)
                    moved[p] = part.copy()
                    moved[p][at] += sign * h
                    values.append(loss(spec, forward(spec, moved[: len(weights)], moved[len(weights) :])))
                own[at] = (values[0] - values[1]) / (2.0 * h)
            found.append(own)
    return found[: len(weights)], found[len(weights) :]
