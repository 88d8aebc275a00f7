"""What every layer answers, and shapes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

Shape = tuple[int, ...]
Kind = Literal["conv", "linear", "attention", "norm", "activation", "pool", "reshape", "dropout"]


class ShapeError(ValueError):
    """A layer cannot take what comes in; the message is the reason in one line."""


def written(shape: Shape) -> str:
    """A shape as it is read: 64×56×56."""
    return "×".join(str(n) for n in shape)


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
