"""Networks as trees: layers one behind the other, named blocks of them, and forks whose ways are joined again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from engine.architectures.layers import Layer, Shape

Join = Literal["add", "concat", "multiply"]


@dataclass(frozen=True)
class Block:
    """Parts one behind the other under a name. Two equal blocks are the same definition, whatever comes into them."""

    title: str
    parts: tuple[Part, ...]


@dataclass(frozen=True)
class Fork:
    """The same input goes several ways, which are added, stood one behind the other by channels, or multiplied.

    An empty way brings the input as it is.
    """

    join: Join
    ways: tuple[tuple[Part, ...], ...]


Part = Layer | Block | Fork


@dataclass(frozen=True)
class Network:
    """A whole network: its input's shape, its parts, and where it comes from."""

    title: str
    input: Shape
    parts: tuple[Part, ...]
    source: str = ""


def leaves(part: Part) -> Iterator[Layer | Join]:
    """Every layer and every join, in the order of the forward pass."""
    if isinstance(part, Layer):
        yield part
        return
    for way in part.ways if isinstance(part, Fork) else (part.parts,):
        for inner in way:
            yield from leaves(inner)
    if isinstance(part, Fork):
        yield part.join
