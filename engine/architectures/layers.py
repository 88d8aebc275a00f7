"""The layers that networks are put together from: what each makes of a shape, and what it costs.

A shape is that of one sample: (channels, height, width) of a picture, (tokens, width) of a sentence, (features,) of a
vector. Parameters are those that are learnt. Multiply-adds are those of matrix products for one sample (convolution,
linear, attention), without biases, norms, activations and pooling, as published figures count them. A layer sees a
`window` (size, stride) of what comes in; receptive fields follow from it (Araujo, Norris and Sim 2019, Distill).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, Literal

Shape = tuple[int, ...]
Kind = Literal["conv", "linear", "attention", "norm", "activation", "pool", "reshape", "dropout"]
How = Literal["max", "avg"]

ACTIVATIONS: dict[str, str] = {
    "relu": "nn.ReLU()", "relu6": "nn.ReLU6()", "leaky_relu": "nn.LeakyReLU()", "elu": "nn.ELU()",
    "silu": "nn.SiLU()", "gelu": "nn.GELU()", "hardswish": "nn.Hardswish()", "tanh": "nn.Tanh()",
    "sigmoid": "nn.Sigmoid()", "softmax": "nn.Softmax(-1)",
}  # fmt: skip

TITLES = {"relu": "ReLU", "relu6": "ReLU6", "silu": "SiLU", "gelu": "GELU", "elu": "ELU", "leaky_relu": "leaky ReLU"}


class ShapeError(ValueError):
    """A layer cannot take what comes in; the message is the reason in one line."""


def written(shape: Shape) -> str:
    """A shape as it is read: 64×56×56."""
    return "×".join(str(n) for n in shape)


def _picture(shape: Shape, who: str) -> tuple[int, int, int]:
    if len(shape) != 3:
        raise ShapeError(f"{who} needs a picture (channels×height×width), but {written(shape)} comes in")
    return shape[0], shape[1], shape[2]


@dataclass(frozen=True)
class Layer:
    """What every layer answers. The methods take the shape that comes in; `shape` raises ShapeError."""

    kind: ClassVar[Kind] = "reshape"

    @property
    def words(self) -> str:
        """Its short name."""
        raise NotImplementedError

    def shape(self, inside: Shape) -> Shape:
        """The shape that goes out."""
        return inside

    def parameters(self, inside: Shape) -> int:
        """How many numbers it learns."""
        return 0

    def multiply_adds(self, inside: Shape) -> int:
        """Multiply-adds for one sample."""
        return 0

    def window(self, inside: Shape) -> tuple[int, int]:
        """How many neighbouring places of what comes in it looks at (0: at all there are), and how far it moves on
        (0: it does not; one place is left)."""
        return 1, 1

    def fixed_width(self) -> int | None:
        """The channels that go out where they do not depend on those that come in."""
        return None

    def code(self, width: str, inside: Shape) -> str:
        """A PyTorch expression; `width`: the channels (features) that come in, as an expression."""
        raise NotImplementedError


@dataclass(frozen=True)
class Conv(Layer):
    """Convolution with a square window; `groups` equal to the channels: depthwise."""

    channels: int
    kernel: int = 3
    stride: int = 1
    padding: int = 0
    groups: int = 1
    bias: bool = True
    kind: ClassVar[Kind] = "conv"

    @property
    def words(self) -> str:
        """Window, channels, stride, groups."""
        more = f" /{self.stride}" if self.stride > 1 else ""
        if self.groups > 1:
            depthwise = self.groups == self.channels
            return f"{'depthwise' if depthwise else 'conv'} {self.kernel}×{self.kernel}, {self.channels}" + (
                more if depthwise else f"{more}, {self.groups} groups"
            )
        return f"conv {self.kernel}×{self.kernel}, {self.channels}{more}"

    def shape(self, inside: Shape) -> Shape:
        """Channels as declared; sides as floor((side + 2 padding - kernel) / stride) + 1."""
        channels, *sides = _picture(inside, "a convolution")
        for count, what in ((channels, "that come in"), (self.channels, "that go out")):
            if count % self.groups:
                raise ShapeError(f"{self.groups} groups do not divide the {count} channels {what}")
        return (self.channels, *_fit(sides, self.kernel, self.stride, self.padding))

    def parameters(self, inside: Shape) -> int:
        """Weights and biases."""
        return self.channels * (inside[0] // self.groups * self.kernel**2 + self.bias)

    def multiply_adds(self, inside: Shape) -> int:
        """One for every weight at every place."""
        out = self.shape(inside)
        return math.prod(out) * (inside[0] // self.groups) * self.kernel**2

    def window(self, inside: Shape) -> tuple[int, int]:
        """Its own."""
        return self.kernel, self.stride

    def fixed_width(self) -> int:
        """As declared."""
        return self.channels

    def code(self, width: str, inside: Shape) -> str:
        """nn.Conv2d."""
        extra = "".join(
            f", {name}={value}"
            for name, value, usual in (
                ("stride", self.stride, 1), ("padding", self.padding, 0),
                ("groups", self.groups, 1), ("bias", self.bias, True),
            )
            if value != usual
        )  # fmt: skip
        return f"nn.Conv2d({width}, {self.channels}, {self.kernel}{extra})"


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
class Linear(Layer):
    """A matrix and a bias on the last axis."""

    features: int
    bias: bool = True
    kind: ClassVar[Kind] = "linear"

    @property
    def words(self) -> str:
        """How many units."""
        return f"dense {self.features}"

    def shape(self, inside: Shape) -> Shape:
        """The last axis is new."""
        if len(inside) == 3:
            came = written(inside)
            raise ShapeError(f"a dense layer needs a vector, but the picture {came} comes in: flatten it first")
        return (*inside[:-1], self.features)

    def parameters(self, inside: Shape) -> int:
        """Weights and biases."""
        return self.features * (inside[-1] + self.bias)

    def multiply_adds(self, inside: Shape) -> int:
        """One for every weight and token."""
        return math.prod(inside) * self.features

    def window(self, inside: Shape) -> tuple[int, int]:
        """All features of a vector; one token of a sentence."""
        return (inside[0], 0) if len(inside) == 1 else (1, 1)

    def fixed_width(self) -> int:
        """As declared."""
        return self.features

    def code(self, width: str, inside: Shape) -> str:
        """nn.Linear."""
        return f"nn.Linear({width}, {self.features}{'' if self.bias else ', bias=False'})"


@dataclass(frozen=True)
class Norm(Layer):
    """Batch norm over channels (features of a vector), or layer norm over the last axis."""

    how: Literal["batch", "layer"] = "batch"
    kind: ClassVar[Kind] = "norm"

    @property
    def words(self) -> str:
        """Which."""
        return f"{self.how} norm"

    def shape(self, inside: Shape) -> Shape:
        """The same."""
        if self.how == "batch" and len(inside) == 2:
            raise ShapeError(f"batch norm needs a picture or a vector, but the tokens {written(inside)} come in")
        if self.how == "layer" and len(inside) == 3:
            raise ShapeError(f"layer norm needs tokens or a vector, but the picture {written(inside)} comes in")
        return inside

    def parameters(self, inside: Shape) -> int:
        """A scale and a shift each."""
        return 2 * (inside[0] if self.how == "batch" else inside[-1])

    def code(self, width: str, inside: Shape) -> str:
        """nn.BatchNorm2d, nn.BatchNorm1d or nn.LayerNorm."""
        if self.how == "layer":
            return f"nn.LayerNorm({width})"
        return f"nn.BatchNorm{2 if len(inside) == 3 else 1}d({width})"


@dataclass(frozen=True)
class Activation(Layer):
    """One of ACTIVATIONS."""

    name: str = "relu"
    kind: ClassVar[Kind] = "activation"

    @property
    def words(self) -> str:
        """Its name."""
        return TITLES.get(self.name, self.name.replace("_", " "))

    def code(self, width: str, inside: Shape) -> str:
        """The module of torch."""
        return ACTIVATIONS[self.name]


@dataclass(frozen=True)
class Dropout(Layer):
    """A share of the values is left out in training."""

    share: float = 0.5
    kind: ClassVar[Kind] = "dropout"

    @property
    def words(self) -> str:
        """The share."""
        return f"dropout {self.share:g}"

    def code(self, width: str, inside: Shape) -> str:
        """nn.Dropout."""
        return f"nn.Dropout({self.share:g})"


@dataclass(frozen=True)
class Flatten(Layer):
    """All numbers in one row."""

    @property
    def words(self) -> str:
        """Its name."""
        return "flatten"

    def shape(self, inside: Shape) -> Shape:
        """One axis."""
        return (math.prod(inside),)

    def window(self, inside: Shape) -> tuple[int, int]:
        """All there is: what comes behind sees every place. (A vector has only one.)"""
        places = max(inside[1:]) if len(inside) == 3 else inside[0] if len(inside) == 2 else 1
        return places, (1 if len(inside) == 1 else 0)

    def code(self, width: str, inside: Shape) -> str:
        """nn.Flatten."""
        return "nn.Flatten()"


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


@dataclass(frozen=True)
class MeanToken(Layer):
    """The mean over all tokens."""

    kind: ClassVar[Kind] = "pool"

    @property
    def words(self) -> str:
        """Its name."""
        return "mean token"

    def shape(self, inside: Shape) -> Shape:
        """One token is left."""
        _sentence(inside, "a mean over tokens")
        return (inside[1],)

    def window(self, inside: Shape) -> tuple[int, int]:
        """All tokens."""
        return 0, 0

    def code(self, width: str, inside: Shape) -> str:
        """A module of the script."""
        return "MeanToken()"


def _sentence(shape: Shape, who: str) -> None:
    if len(shape) != 2:
        raise ShapeError(f"{who} needs tokens (tokens×width), but {written(shape)} comes in")


@dataclass(frozen=True)
class Attention(Layer):
    """Self-attention of several heads with four projections and their biases (Vaswani et al. 2017, 3.2.2)."""

    heads: int = 8
    kind: ClassVar[Kind] = "attention"

    @property
    def words(self) -> str:
        """How many heads."""
        return f"attention, {self.heads} head{'s' if self.heads > 1 else ''}"

    def shape(self, inside: Shape) -> Shape:
        """The same."""
        _sentence(inside, "attention")
        if inside[1] % self.heads:
            raise ShapeError(f"{self.heads} heads do not divide the width {inside[1]}")
        return inside

    def parameters(self, inside: Shape) -> int:
        """Query, key, value and output."""
        return 4 * (inside[1] ** 2 + inside[1])

    def multiply_adds(self, inside: Shape) -> int:
        """Four projections, the scores of all pairs, and the means weighted by them."""
        tokens, width = inside
        return 4 * tokens * width**2 + 2 * tokens**2 * width

    def window(self, inside: Shape) -> tuple[int, int]:
        """Every token sees all."""
        return 0, 1

    def code(self, width: str, inside: Shape) -> str:
        """A module of the script around nn.MultiheadAttention."""
        return f"SelfAttention({width}, {self.heads})"
