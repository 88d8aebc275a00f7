"""What a second-order method is: its step on a state, its hyper-parameters and its formulas."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from ..optimizers.rule import Hyper

Vector = npt.NDArray[np.float64]
State = dict[str, Any]
"""Everything a method keeps, by name: arrays and numbers. `p` is the position; a deep copy is a snapshot."""


class StepFailed(RuntimeError):
    """A step that cannot be taken; its text says why and where. The state is as it was before."""


class Objective(Protocol):
    """The function to be minimised, at positions of shape [n]."""

    def value_gradient(self, p: Vector) -> tuple[float, Vector]:
        """The value and its gradient [n]."""
        ...

    def hessian(self, p: Vector) -> Vector:
        """The matrix of second derivatives [n, n]."""
        ...


@dataclass(frozen=True, eq=False)
class Method:
    """A method whose step mixes coordinates.

    `start(p)` makes its state at position `p` [n]; `step(state, objective, hypers)` takes one iteration in
    place. A step leaves in the state the `direction` [n] it took and the `length` along it that was accepted:
    0 when it stays, which it does at a stationary point and where no decrease can be found any more.
    """

    name: str
    title: str
    source: str
    hypers: tuple[Hyper, ...]
    formulas: tuple[str, ...]
    start: Callable[[Vector], State]
    step: Callable[[State, Objective, Mapping[str, float]], None]


def fresh(p: Vector, **kept: Any) -> State:
    """A state at a copy of `p`, before any step, with what the method keeps besides."""
    position = np.array(p, np.float64)
    return {"p": position, "direction": np.zeros_like(position), "length": 0.0, **kept}


def evaluate(objective: Objective, p: Vector) -> tuple[float, Vector]:
    """Value and gradient at `p`; raises StepFailed if one is not finite."""
    value, gradient = objective.value_gradient(p)
    if not (np.isfinite(value) and np.isfinite(gradient).all()):
        raise StepFailed(f"value or gradient is not finite at {place(p)}")
    return float(value), np.array(gradient, np.float64)


def stay(state: State) -> None:
    """Record a step of length 0."""
    state["direction"], state["length"] = np.zeros_like(state["p"]), 0.0


def move(state: State, direction: Vector, length: float) -> None:
    """Go `length` along `direction` and record both."""
    state["p"] = state["p"] + length * direction
    state["direction"], state["length"] = direction, float(length)


def place(p: Vector) -> str:
    """A position in words, cut after four coordinates."""
    shown = ", ".join(f"{value:.6g}" for value in p[:4])
    return f"({shown}{', ...' if p.size > 4 else ''})"
