"""Convolutions and pooling in torch, built from a ConvDescription. Loads torch: import inside functions only."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from engine.networks.activations import activation
from engine.networks.conv_description import Conv, ConvDescription, Flatten, GlobalPool, Linear, MapLayer, Pool, Shape
from engine.networks.torch_layers import F, Layer, Pass, Tensors, Weighted


@dataclass(frozen=True)
class Convolution(Weighted):
    """Weighted by kernels: [n, in, h, w] becomes [n, out, h', w']."""

    stride: int = 1
    padding: int = 0
    dilation: int = 1

    def product(self, h: Any, weight: Any, bias: Any) -> Any:
        """Cross-correlation, as torch's Conv2d."""
        return F.conv2d(h, weight, bias, self.stride, self.padding, self.dilation)


@dataclass(frozen=True)
class Pooling(Layer):
    """Squares of places, or whole maps, become one number each."""

    pool: Pool | GlobalPool

    def run(self, h: Any, p: Tensors, b: Tensors, how: Pass) -> tuple[Any, Any]:
        """Nothing is activated: pre-activation and output are one."""
        largest = self.pool.kind == "max"
        if isinstance(self.pool, GlobalPool):
            out = h.flatten(2).amax(2) if largest else h.flatten(2).mean(2)
        else:
            pooled = F.max_pool2d if largest else F.avg_pool2d
            out = pooled(h, self.pool.kernel, self.pool.stride or self.pool.kernel, self.pool.padding)
        return out, out


@dataclass(frozen=True)
class Flattening(Layer):
    """Maps become one row of numbers."""

    def run(self, h: Any, p: Tensors, b: Tensors, how: Pass) -> tuple[Any, Any]:
        """Nothing is activated."""
        out = h.flatten(1)
        return out, out


def conv_layers(d: ConvDescription) -> list[Layer]:
    """The layers of a convolutional network. ValueError for an unknown activation."""
    shapes = d.shapes
    return [_layer(i, layer, *shapes[i : i + 2]) for i, layer in enumerate(d.layers)]


def _layer(number: int, layer: MapLayer, before: Shape, after: Shape) -> Layer:
    if isinstance(layer, (Pool, GlobalPool)):
        return Pooling(number, layer)
    if isinstance(layer, Flatten):
        return Flattening(number)
    slope = slope_of(layer)
    if isinstance(layer, Linear):
        weight = (layer.outputs, before[0])
        return Weighted(number, weight, layer.activation, slope, layer.bias, dropout=layer.dropout)
    return Convolution(
        number, (layer.channels, before[0], layer.kernel, layer.kernel), layer.activation, slope, layer.bias,
        layer.normalization, layer.groups, layer.dropout, layer.residual, math.prod(after[1:]),
        layer.stride, layer.padding, layer.dilation,
    )  # fmt: skip


def slope_of(layer: Conv | Linear) -> float:
    """The parameter of a layer's activation: its own or the usual one; 0 where it has none."""
    value = activation(layer.activation).slope if math.isnan(layer.slope) else layer.slope
    return 0.0 if math.isnan(value) else value
