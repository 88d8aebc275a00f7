"""Fully connected layers in torch, as functions of parameters that stand elsewhere.

Loads torch: import this module inside functions only.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.networks import plan
from engine.networks.activations import activation
from engine.networks.description import Description
from engine.networks.initializations import weights
from engine.randomness import generator
from engine.torch_setup import torch as load_torch

torch = load_torch()
F = torch.nn.functional

EPS = 1e-5  # joins the variance below the root, as in torch
MOMENTUM = 0.1  # share of a batch in the running statistics, as in torch
Shape = tuple[int, ...]
Tensors = Sequence[Any]


@dataclass(frozen=True)
class Pass:
    """How the layers are run.

    `train`: with the batch's own statistics; `remember`: and the running statistics take them in. `draw(layer, rate,
    shape)` gives dropout's mask; None: nothing is dropped.
    """

    train: bool = False
    remember: bool = False
    draw: Callable[[int, float, Shape], Any] | None = None


@dataclass(frozen=True)
class Layer:
    """A layer that learns nothing: what all layers have.

    `shapes` of its parameters in their order, of which the first `weighs` are the weight and the bias; `statistics`:
    how many running means it keeps, and as many variances behind them; `places`: over how many numbers of one sample
    a batch normalisation averages (0: it has none).
    """

    number: int

    @property
    def shapes(self) -> tuple[Shape, ...]:
        """Shapes of its parameters."""
        return ()

    @property
    def weighs(self) -> int:
        """How many of `shapes` are its weight and its bias."""
        return 0

    @property
    def statistics(self) -> int:
        """How many running means it keeps."""
        return 0

    @property
    def places(self) -> int:
        """Numbers of a sample that share a mean in batch normalisation; 0: no batch normalisation."""
        return 0

    def first(self, name: str, seed: int, std: float, views: Sequence[NDArray[Any]]) -> None:
        """Fill its parameters as they are before the first step."""

    def run(self, h: Any, p: Tensors, b: Tensors, how: Pass) -> tuple[Any, Any]:
        """From the input [n, ...] to the pre-activation and the output."""
        raise NotImplementedError


@dataclass(frozen=True)
class Weighted(Layer):
    """A layer with weights, and what may follow them: normalisation, activation, dropout, the input added again."""

    weight: Shape
    activation: str
    slope: float
    bias: bool = True
    normalization: str = "none"
    groups: int = 1
    dropout: float = 0.0
    residual: bool = False
    averaged: int = 1

    @property
    def shapes(self) -> tuple[Shape, ...]:
        """Weight, bias, gamma and beta, PReLU's slope: those it has."""
        out = self.weight[:1]
        learnt = ((1,),) if activation(self.activation).learns else ()
        return (self.weight, *(out,) * self.bias, *(out,) * (2 * (self.normalization != "none")), *learnt)

    @property
    def weighs(self) -> int:
        """The weight, and the bias where it has one."""
        return 1 + self.bias

    @property
    def statistics(self) -> int:
        """One mean for each unit or map."""
        return self.weight[0] if self.normalization == "batch" else 0

    @property
    def places(self) -> int:
        """1, or the size of a feature map."""
        return self.averaged if self.normalization == "batch" else 0

    def first(self, name: str, seed: int, std: float, views: Sequence[NDArray[Any]]) -> None:
        """Weights as named, biases 0 (`torch`: as the weights), gamma 1, beta 0, the slope as given."""
        random = generator(seed, "initial weights", self.number)
        out, fan_in = self.weight[0], math.prod(self.weight[1:])
        drawn = weights(name, fan_in, out, random, std)
        if name.startswith("xavier"):  # torch counts a kernel's places for the outputs too
            drawn *= math.sqrt((fan_in + out) / (fan_in + out * math.prod(self.weight[2:])))
        views[0][...] = drawn.reshape(self.weight)
        if self.bias:
            bound = 1.0 / math.sqrt(fan_in)
            views[1][...] = random.uniform(-bound, bound, out) if name == "torch" else 0.0
        if self.normalization != "none":
            views[self.weighs][...] = 1.0
            views[self.weighs + 1][...] = 0.0
        if activation(self.activation).learns:
            views[-1][...] = self.slope

    def product(self, h: Any, weight: Any, bias: Any) -> Any:
        """What the weights make of the input."""
        return F.linear(h, weight, bias)

    def run(self, h: Any, p: Tensors, b: Tensors, how: Pass) -> tuple[Any, Any]:
        """The pre-activation is what the activation takes: it comes after the normalisation."""
        z = self.product(h, p[0], p[1] if self.bias else None)
        if self.normalization != "none":
            z = self._normalized(z, p[self.weighs], p[self.weighs + 1], b, how)
        a = activate(self.activation, z, self.slope, p[-1])
        if self.dropout > 0.0 and how.draw is not None:
            a = a * how.draw(self.number, self.dropout, tuple(a.shape))
        return z, a + h if self.residual else a

    def _normalized(self, z: Any, gamma: Any, beta: Any, b: Tensors, how: Pass) -> Any:
        if self.normalization == "batch":
            kept = (None, None) if how.train and not how.remember else b
            return torch.batch_norm(z, gamma, beta, *kept, how.train, MOMENTUM, EPS, False)
        groups = {"layer": 1, "instance": z.shape[1]}.get(self.normalization, self.groups)
        return torch.group_norm(z, groups, gamma, beta, EPS, False)


def activate(name: str, z: Any, slope: float, learnt: Any) -> Any:
    """An activation by its name; `slope` its fixed parameter, `learnt` PReLU's [1]."""
    match name:
        case "identity":
            return z
        case "leaky_relu":
            return F.leaky_relu(z, slope)
        case "elu":
            return F.elu(z, slope)
        case "prelu":
            return F.prelu(z, learnt)
        case "gelu" | "silu" | "mish":
            return getattr(F, name)(z)
        case _:
            return getattr(torch, name)(z)


def dense_layers(d: Description) -> list[Layer]:
    """The layers of a fully connected network; ValueError in one line for a description that cannot be."""
    names = (*d.activations, d.output)
    found: list[Layer] = []
    for i, (fan_in, fan_out) in enumerate(zip(d.sizes, d.sizes[1:], strict=False)):
        hidden = i < len(d.hidden)
        found.append(
            Weighted(
                i, (fan_out, fan_in), names[i], plan.slope(d, i), d.bias,
                normalization=d.normalization if hidden else "none",
                dropout=d.dropout[i] if hidden and d.dropout else 0.0,
                residual=d.residual and hidden and fan_in == fan_out,
            )
        )  # fmt: skip
    return found


def as_dropout(mask: NDArray[np.float64], dtype: Any) -> Any:
    """A mask from NumPy as a tensor of the network's precision."""
    return torch.from_numpy(mask.astype(dtype))
