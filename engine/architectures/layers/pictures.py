"""Layers that take pictures: convolution, pooling, and the one that makes a sentence of them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, Literal

from engine.architectures.layers.layer import Kind, Layer, Shape, ShapeError, written

How = Literal["max", "avg"]


@dataclass(frozen=True)
class Conv(Layer):
    """Convolution with a square window, its weights `dilation` places apart; `groups` equal to the channels:
    depthwise."""

    channels: int
    kernel: int = 3
    stride: int = 1
    padding: int = 0
    groups: int = 1
    bias: bool = True
    dilation: int = 1
    kind: ClassVar[Kind] = "conv"

    @property
    def reach(self) -> int:
        """How many places of a side the window reaches over."""
        return self.dilation * (self.kernel - 1) + 1

    @property
    def words(self) -> str:
        """Window, channels, stride, dilation, groups."""
        more = f" /{self.stride}" if self.stride > 1 else ""
        more += f", dilation {self.dilation}" if self.dilation > 1 else ""
        if self.groups > 1:
            depthwise = self.groups == self.channels
            return f"{'depthwise' if depthwise else 'conv'} {self.kernel}×{self.kernel}, {self.channels}" + (
                more if depthwise else f"{more}, {self.groups} groups"
            )
        return f"conv {self.kernel}×{self.kernel}, {self.channels}{more}"

    def shape(self, inside: Shape) -> Shape:
        """Channels as declared; sides as floor((side + 2 padding - reach) / stride) + 1."""
        channels, *sides = _picture(inside, "a convolution")
        for count, what in ((channels, "that come in"), (self.channels, "that go out")):
            if count % self.groups:
                raise ShapeError(f"{self.groups} groups do not divide the {count} channels {what}")
        return (self.channels, *_fit(sides, self.reach, self.stride, self.padding))

    def parameters(self, inside: Shape) -> int:
        """Weights and biases."""
        return self.channels * (inside[0] // self.groups * self.kernel**2 + self.bias)

    def multiply_adds(self, inside: Shape) -> int:
        """One for every weight at every place."""
        out = self.shape(inside)
        return math.prod(out) * (inside[0] // self.groups) * self.kernel**2

    def window(self, inside: Shape) -> tuple[int, int]:
        """As far as it reaches."""
        return self.reach, self.stride

    def fixed_width(self) -> int:
        """As declared."""
        return self.channels

    def code(self, width: str, inside: Shape) -> str:
        """nn.Conv2d."""
        extra = "".join(
            f", {name}={value}"
            for name, value, usual in (
                ("stride", self.stride, 1), ("padding", self.padding, 0),
                ("dilation", self.dilation, 1), ("groups", self.groups, 1), ("bias", self.bias, True),
            )
            if value != usual
        )  # fmt: skip
        return f"nn.Conv2d({width}, {self.channels}, {self.kernel}{extra})"


@dataclass(frozen=True)
class Pool(Layer):
    """Largest or mean value of a moving window."""

    how: How = "max"
    size: int = 2
    stride: int = 2
    padding: int = 0
    ceil: bool = False
    kind: ClassVar[Kind] = "pool"

    @property
    def words(self) -> str:
        """Window and stride."""
        return f"{self.how} pool {self.size}×{self.size}" + (f" /{self.stride}" if self.stride > 1 else "")

    def shape(self, inside: Shape) -> Shape:
        """As a convolution's; rounded up where `ceil`."""
        channels, *sides = _picture(inside, f"{self.how} pooling")
        return (channels, *_fit(sides, self.size, self.stride, self.padding, self.ceil))

    def window(self, inside: Shape) -> tuple[int, int]:
        """Its own."""
        return self.size, self.stride

    def code(self, width: str, inside: Shape) -> str:
        """nn.MaxPool2d or nn.AvgPool2d."""
        extra = (f", padding={self.padding}" if self.padding else "") + (", ceil_mode=True" if self.ceil else "")
        return f"nn.{'Max' if self.how == 'max' else 'Avg'}Pool2d({self.size}, stride={self.stride}{extra})"


@dataclass(frozen=True)
class PoolTo(Layer):
    """Means of equal parts, `size` a side: 1 is the mean of the whole picture."""

    size: int = 1
    kind: ClassVar[Kind] = "pool"

    @property
    def words(self) -> str:
        """What is left."""
        return "global mean" if self.size == 1 else f"mean to {self.size}×{self.size}"

    def shape(self, inside: Shape) -> Shape:
        """`size` a side."""
        return (_picture(inside, "pooling")[0], self.size, self.size)

    def window(self, inside: Shape) -> tuple[int, int]:
        """The parts, one next to the other."""
        return -(-max(inside[1:]) // self.size), max(1, max(inside[1:]) // self.size)

    def code(self, width: str, inside: Shape) -> str:
        """nn.AdaptiveAvgPool2d."""
        return f"nn.AdaptiveAvgPool2d({self.size})"


@dataclass(frozen=True)
class Tokens(Layer):
    """The places of a picture as a row of tokens, channels last (Dosovitskiy et al. 2021)."""

    @property
    def words(self) -> str:
        """Its name."""
        return "to tokens"

    def shape(self, inside: Shape) -> Shape:
        """(height times width, channels)."""
        channels, height, width = _picture(inside, "a row of tokens")
        return (height * width, channels)

    def code(self, width: str, inside: Shape) -> str:
        """A module of the script."""
        return "Tokens()"


def _fit(sides: list[int], kernel: int, stride: int, padding: int, ceil: bool = False) -> list[int]:
    """What a moving window leaves of the sides. Raises ShapeError."""
    if min(sides) + 2 * padding < kernel:
        pads = f" with padding {padding}" if padding else ""
        raise ShapeError(f"a {kernel}×{kernel} window does not fit into {written(tuple(sides))}{pads}")
    found = []
    for side in sides:
        room = side + 2 * padding - kernel
        steps = -(-room // stride) if ceil else room // stride
        if ceil and steps * stride >= side + padding:  # the last window must begin inside
            steps -= 1
        found.append(steps + 1)
    return found


def _picture(shape: Shape, who: str) -> tuple[int, int, int]:
    if len(shape) != 3:
        raise ShapeError(f"{who} needs a picture (channels×height×width), but {written(shape)} comes in")
    return shape[0], shape[1], shape[2]
