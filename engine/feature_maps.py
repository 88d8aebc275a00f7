"""Three drawings as data: a picture with a window on it, feature maps layer by layer, a digit drawn by hand.

As engine.picture, of which they are three more kinds: plain words and numbers, frozen; drawn by gui/plots/grid.py,
gui/plots/stack.py and gui/plots/drawing.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from numpy.typing import NDArray

Array = NDArray[Any]
Cell = tuple[int, int]


@dataclass(frozen=True)
class Grid:
    """Numbers in square cells: values [rows, columns]; nan is a cell that is still empty.

    `border`: so many cells at every edge are padding. `window`: cells that are framed, with `corners`, words in a
    corner of each. `lit`: one cell framed alone. `words`: what is written in the cells in place of their numbers.
    `scale`: grey from 0 to `top`, or signed from -`top` to `top`; `top` 0: the largest there is.
    """

    values: Array
    border: int = 0
    window: tuple[Cell, ...] = ()
    corners: tuple[str, ...] = ()
    lit: Cell | None = None
    words: tuple[tuple[str, ...], ...] = ()
    scale: Literal["grey", "signed"] = "grey"
    top: float = 0.0
    note: str = ""


@dataclass(frozen=True)
class Maps:
    """One row of a stack: pictures [n, h, w] on one common scale, under one title; `captions` below them."""

    title: str
    images: Array
    captions: tuple[str, ...] = ()
    scale: Literal["grey", "signed"] = "grey"
    marked: tuple[int, ...] = ()


@dataclass(frozen=True)
class Stack:
    """Rows of small pictures, one under the other."""

    rows: tuple[Maps, ...]
    note: str = ""


@dataclass(frozen=True)
class Sketch:
    """A small grey picture that can be drawn anew: values [side, side] from 0 to `levels`.

    `answers`: what it is taken for, as (name, share from 0 to 1; nan: unknown); `truth`: the right name where there is
    one. `drawn`: whether it was drawn by hand; `told`: what it is, in a few words.
    """

    values: Array
    levels: int = 16
    answers: tuple[tuple[str, float], ...] = ()
    truth: str = ""
    drawn: bool = False
    told: str = ""
    note: str = ""
