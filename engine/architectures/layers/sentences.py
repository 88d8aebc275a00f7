"""Layers that take sentences."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from engine.architectures.layers.layer import Kind, Layer, Shape, ShapeError, written


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


def _sentence(shape: Shape, who: str) -> None:
    if len(shape) != 2:
        raise ShapeError(f"{who} needs tokens (tokens×width), but {written(shape)} comes in")
