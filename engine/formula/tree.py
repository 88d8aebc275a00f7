"""The formula tree: four kinds of immutable node, and how to walk them without recursion."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

R = TypeVar("R")

ARGUMENTS: dict[str, int] = {
    "neg": 1, "sin": 1, "cos": 1, "tan": 1, "exp": 1, "log": 1, "sqrt": 1, "abs": 1, "tanh": 1, "sinh": 1,
    "cosh": 1, "atan": 1, "erf": 1, "floor": 1, "sign": 1, "sigmoid": 1, "max": 2, "min": 2,
}  # fmt: skip
CONSTANTS: dict[str, float] = {"pi": math.pi, "e": math.e}
VARIABLES = ("x", "y")


class FormulaError(ValueError):
    """A text that is no formula, told in one line: what is wrong, at which position, what is allowed.

    `position` counts characters from 1; 0 when the fault is the text as a whole.
    """

    def __init__(self, message: str, position: int = 0) -> None:
        super().__init__(message)
        self.position = position


@dataclass(frozen=True, slots=True)
class Const:
    """A number. `name` is "pi" or "e" where the text says so."""

    value: float
    name: str = ""


@dataclass(frozen=True, slots=True)
class Var:
    """x or y."""

    name: str


@dataclass(frozen=True, slots=True)
class Call:
    """A function of one or two arguments; "neg" is the minus sign. `position`: where in the text, from 1."""

    name: str
    arguments: tuple[Node, ...]
    position: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Binary:
    """`left operator right`, operator one of + - * / ^. `position`: where it stands in the text, from 1."""

    operator: str
    left: Node
    right: Node
    position: int = field(default=0, compare=False)


Node = Const | Var | Call | Binary


def children(node: Node) -> tuple[Node, ...]:
    """The nodes directly below."""
    if isinstance(node, Binary):
        return (node.left, node.right)
    return node.arguments if isinstance(node, Call) else ()


def fold(root: Node, combine: Callable[[Node, Sequence[R]], R]) -> R:
    """Work from the leaves up: `combine(node, results of its children)`, once per node.

    Iterative, because a sum of 200 terms is 200 levels deep and must not meet the recursion limit.
    """
    results: dict[int, R] = {}
    todo: list[tuple[Node, bool]] = [(root, False)]
    while todo:
        node, ready = todo.pop()
        if id(node) in results:
            continue
        below = children(node)
        if ready or not below:
            results[id(node)] = combine(node, [results[id(child)] for child in below])
        else:
            todo.append((node, True))
            todo.extend((child, False) for child in below)
    return results[id(root)]


def _sign(u: float) -> float:
    return 1.0 if u > 0 else -1.0 if u < 0 else u


EVALUATE: Mapping[str, Callable[..., float]] = {
    "neg": lambda u: -u, "sin": math.sin, "cos": math.cos, "tan": math.tan, "exp": math.exp, "log": math.log,
    "sqrt": math.sqrt, "abs": abs, "tanh": math.tanh, "sinh": math.sinh, "cosh": math.cosh, "atan": math.atan,
    "erf": math.erf, "floor": lambda u: float(math.floor(u)), "sign": _sign,
    "sigmoid": lambda u: 1.0 / (1.0 + math.exp(-u)), "max": max, "min": min,
    "+": lambda a, b: a + b, "-": lambda a, b: a - b, "*": lambda a, b: a * b, "/": lambda a, b: a / b,
    "^": math.pow,
}  # fmt: skip
