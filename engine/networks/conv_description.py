"""What a small convolutional network is, before anything trains it.

Parameters stand in one flat buffer, layer by layer: weight [out, in, k, k] (or [out, in]) row by row, bias [out], then
gamma [out] and beta [out] of a normalisation, then PReLU's slope.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from engine.networks.description import Loss

Shape = tuple[int, ...]
MapNormalization = Literal["none", "batch", "layer", "instance", "group"]
Pooling = Literal["max", "average"]


@dataclass(frozen=True)
class Conv:
    """A convolution with square kernels, then normalisation, activation and dropout (of single numbers), in this order.

    `normalization` of feature maps: `batch` over samples and places, `layer` over all of a sample, `instance` over
    one map, `group` over `groups` equal parts of the maps; each learns a gamma and a beta for every map. `residual`
    adds the input to the output, whose shape must equal it. `slope` is the activation's parameter, nan the usual.
    """

    channels: int
    kernel: int = 3
    stride: int = 1
    padding: int = 0
    dilation: int = 1
    activation: str = "relu"
    slope: float = math.nan
    normalization: MapNormalization = "none"
    groups: int = 2
    dropout: float = 0.0
    residual: bool = False
    bias: bool = True


@dataclass(frozen=True)
class Pool:
    """The largest number or the average of each square of `kernel` places; `stride` 0: as large as the kernel."""

    kind: Pooling = "max"
    kernel: int = 2
    stride: int = 0
    padding: int = 0


@dataclass(frozen=True)
class GlobalPool:
    """One number for each map, the largest or the average: [c, h, w] becomes [c]."""

    kind: Pooling = "average"


@dataclass(frozen=True)
class Flatten:
    """[c, h, w] becomes [c * h * w], map by map, row by row."""


@dataclass(frozen=True)
class Linear:
    """A fully connected layer, then activation and dropout."""

    outputs: int
    activation: str = "identity"
    slope: float = math.nan
    dropout: float = 0.0
    bias: bool = True


MapLayer = Conv | Pool | GlobalPool | Flatten | Linear


@dataclass(frozen=True)
class ConvDescription:
    """A network of these layers on pictures [channels, height, width]; the last is Linear and gives the outputs.

    Losses as in Description: `bce` and `cross_entropy` from the last layer's logits, `mse` the mean over all elements.
    Raises ValueError in one line, which names the layer, for a network that cannot be.
    """

    input: tuple[int, int, int]
    layers: tuple[MapLayer, ...]
    loss: Loss = "cross_entropy"
    half_mse: bool = False

    def __post_init__(self) -> None:
        """Work the shapes out once, so that an impossible one is told at once."""
        if len(self.input) != 3 or min(self.input) < 1:
            raise ValueError(f"an input of {_told(self.input)} is not allowed: it must be channels x height x width")
        last = self.layers[-1] if self.layers else None
        if not isinstance(last, Linear):
            raise ValueError("the last layer must be Linear: it gives the outputs")
        if self.loss != "mse" and (last.activation != "identity" or last.dropout):
            raise ValueError(f"{self.loss} is computed from logits: the last layer must be plain")
        if self.loss == "bce" and last.outputs != 1:
            raise ValueError(f"bce wants 1 output, not {last.outputs}")
        _ = self.shapes

    @property
    def outputs(self) -> int:
        """How many numbers come out."""
        return int(self.shapes[-1][0])

    @property
    def shapes(self) -> tuple[Shape, ...]:
        """The shape before the first layer and after each, without the sample axis."""
        found: list[Shape] = [self.input]
        for number, layer in enumerate(self.layers, 1):
            try:
                found.append(after(layer, found[-1]))
            except ValueError as error:
                raise ValueError(f"layer {number} ({type(layer).__name__}): {error}") from None
        return tuple(found)


def after(layer: MapLayer, shape: Shape) -> Shape:
    """What a layer makes of a shape. Raises ValueError with the reason where it cannot."""
    if isinstance(layer, Linear):
        _at_least(1, outputs=layer.outputs)
        _dropout(layer.dropout)
        if len(shape) != 1:
            raise ValueError(f"wants a row of numbers, not {_told(shape)}: put Flatten or GlobalPool before it")
        return (layer.outputs,)
    if isinstance(layer, Flatten):
        return (math.prod(shape),)
    if len(shape) != 3:
        raise ValueError(f"wants channels x height x width, not {_told(shape)}")
    if isinstance(layer, GlobalPool):
        return (shape[0],)
    if isinstance(layer, Pool):
        _at_least(1, kernel=layer.kernel)
        _at_least(0, stride=layer.stride, padding=layer.padding)
        if layer.padding > layer.kernel // 2:
            raise ValueError(f"a padding of {layer.padding} is more than half the kernel of {layer.kernel}")
        return (shape[0], *_places(shape, layer.kernel, layer.stride or layer.kernel, layer.padding, 1))
    _at_least(1, channels=layer.channels, kernel=layer.kernel, stride=layer.stride, dilation=layer.dilation)
    _at_least(0, padding=layer.padding)
    _dropout(layer.dropout)
    if layer.normalization == "group" and (layer.groups < 1 or layer.channels % layer.groups):
        raise ValueError(f"{layer.channels} channels do not fall into {layer.groups} equal groups")
    found = (layer.channels, *_places(shape, layer.kernel, layer.stride, layer.padding, layer.dilation))
    if layer.residual and found != shape:
        raise ValueError(f"a residual connection cannot add {_told(shape)} to {_told(found)}")
    return found


def _places(shape: Shape, kernel: int, stride: int, padding: int, dilation: int) -> tuple[int, int]:
    reach = dilation * (kernel - 1) + 1
    if min(shape[1:]) + 2 * padding < reach:
        raise ValueError(f"a kernel that reaches over {reach} does not fit into {_told(shape)} with padding {padding}")
    height, width = ((size + 2 * padding - reach) // stride + 1 for size in shape[1:])
    return height, width


def _at_least(least: int, **numbers: int) -> None:
    for name, value in numbers.items():
        if value < least:
            raise ValueError(f"{name} {value} is not allowed: it must be at least {least}")


def _dropout(rate: float) -> None:
    if not 0.0 <= rate < 1.0:
        raise ValueError(f"dropout {rate:g} is not allowed: it must be from 0 to below 1")


def _told(shape: Shape) -> str:
    return " x ".join(str(size) for size in shape)
