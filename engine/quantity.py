"""One quantity in the inside of a step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["gradient", "momentum", "scale", "correction", "step"]


@dataclass(frozen=True)
class Quantity:
    """A number, or one per coordinate, with its name, its symbol in LaTeX and what it is drawn as. What is counted is
    an int."""

    name: str
    latex: str
    value: tuple[float, ...]
    kind: Kind
