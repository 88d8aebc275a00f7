"""Layers that take any shape, or the last axis of it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, Literal

from engine.architectures.layers.layer import Kind, Layer, Shape, ShapeError, written

ACTIVATIONS: dict[str, str] = {
    "relu": "nn.ReLU()", "relu6": "nn.ReLU6()", "leaky_relu": "nn.LeakyReLU()", "elu": "nn.ELU()",
    "silu": "nn.SiLU()", "gelu": "nn.GELU()", "hardswish": "nn.Hardswish()", "tanh": "nn.Tanh()",
    "sigmoid": "nn.Sigmoid()", "softmax": "nn.Softmax(-1)",
}  # fmt: skip

TITLES = {"relu": "ReLU", "relu6": "ReLU6", "silu": "SiLU", "gelu": "GELU", "elu": "ELU", "leaky_relu": "leaky ReLU"}


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
