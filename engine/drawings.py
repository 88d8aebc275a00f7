"""Two drawings as data: what a block of a network is made of, and which numbers of a tensor share a mean.

As engine.picture, of which they are two more kinds: plain words and numbers, frozen; drawn by gui/plots/blocks.py and
gui/plots/cube.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from numpy.typing import NDArray

Part = Literal["weights", "norm", "bend", "join", "end"]


@dataclass(frozen=True)
class Box:
    """One part of a block: its words, what it is (`join`: a small circle), and how many stand side by side."""

    words: str
    part: Part
    times: int = 1


@dataclass(frozen=True)
class Block:
    """A way from top to bottom through `boxes`. `ways`: lines around them, (from behind box a, to box b, words); `lit`:
    with words in full strength; `told`: a sentence on it."""

    title: str
    boxes: tuple[Box, ...]
    ways: tuple[tuple[int, int, str], ...] = ()
    lit: bool = True
    told: str = ""


@dataclass(frozen=True)
class Blocks:
    """Blocks side by side."""

    blocks: tuple[Block, ...]
    note: str = ""


@dataclass(frozen=True)
class Cube:
    """A tensor as a block of cells. groups [samples, channels, places]: which cells share a mean, counted from 0 in the
    order of their turn; -1: none. The first `done` groups have had their turn, the last of them is lit. `told`: of each
    group rows (name, words) for the mouse; `over`: words below it."""

    title: str
    groups: NDArray[Any]
    done: int
    over: str = ""
    told: tuple[tuple[tuple[str, str], ...], ...] = ()


@dataclass(frozen=True)
class Cubes:
    """Cubes side by side. `axes`: names of samples, channels and places."""

    cubes: tuple[Cube, ...]
    axes: tuple[str, str, str] = ("N", "C", "H, W")
    note: str = ""
