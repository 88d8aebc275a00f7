"""The contestants: who takes part, what each keeps, how it steps."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from engine.optimizers import RULES
from engine.second_order import METHODS as HOUSE
from engine.second_order.method import State, evaluate, fresh

from .damping import natural_step, newton_step
from .kfac import kfac_step
from .network import Array
from .searching import bfgs_step

Step = Callable[[State, Any, Mapping[str, Any]], None]


@dataclass(frozen=True, eq=False)
class Contestant:
    """A method: its title, its state at a position, its step, and what the lesson says of its memory.

    `kept(shapes, n, pairs)`: how many numbers it keeps beside the parameters, as a formula has it (`pairs` is L-BFGS's
    history); `words`: that formula. `dense`: it makes a matrix of n x n. `most`: steps it is given at one size of the
    sweep.
    """

    title: str
    start: Callable[[Array], State]
    step: Step
    kept: Callable[[tuple[tuple[int, int], ...], int, int], int]
    words: str
    most: int
    dense: bool = False


def _rule_step(name: str) -> Step:
    def step(state: State, objective: Any, hypers: Mapping[str, Any]) -> None:
        """The house's compiled rule on the gradient."""
        from engine.optimizers import apply

        _, gradient = evaluate(objective, state["p"])
        state["steps"] += 1
        h = [0.0 if hyper.name == "weight_decay" else hypers[hyper.name] for hyper in RULES[name].hypers]
        p = state["p"].copy()
        apply(name, "pytorch", p, gradient, state["states"], state["steps"], hypers["learning_rate"], h)
        state["p"] = p

    return step


def _rule_start(name: str) -> Callable[[Array], State]:
    def start(p: Array) -> State:
        from engine.optimizers import new_states

        return {"p": np.array(p, np.float64), "states": list(new_states(name, np.size(p))), "steps": 0}

    return start


def _damped(p: Array) -> State:
    return fresh(p, damping=0.0, set=-1.0, held=0)


def _kfac(p: Array) -> State:
    return fresh(p, damping=0.0, set=-1.0, held=0, last=np.zeros(np.size(p)))


def _searching(name: str) -> Callable[[Array], State]:
    return lambda p: {**HOUSE[name].start(p), "memo": {}}


def _squares(shapes: tuple[tuple[int, int], ...], n: int, pairs: int) -> int:
    return n * n


def _pairs(shapes: tuple[tuple[int, int], ...], n: int, pairs: int) -> int:
    return 2 * (pairs + 1) * n


CONTESTANTS: dict[str, Contestant] = {
    "sgd": Contestant("SGD", _rule_start("sgd"), _rule_step("sgd"), lambda shapes, n, pairs: 0, "nothing", 8000),
    "adam": Contestant("Adam", _rule_start("adam"), _rule_step("adam"), lambda shapes, n, pairs: 2 * n, "2n", 8000),
    "newton": Contestant("Newton", _damped, newton_step, _squares, "n²", 40, dense=True),
    "bfgs": Contestant("BFGS", _searching("bfgs"), bfgs_step, lambda shapes, n, pairs: n * n + 2 * n, "n² + 2n", 400,
                       dense=True),
    "lbfgs": Contestant("L-BFGS", _searching("lbfgs"), HOUSE["lbfgs"].step, _pairs, "(2 · history + 2) n", 800),
    "natural": Contestant("Natural gradient", _damped, natural_step, _squares, "n²", 40, dense=True),
    "kfac": Contestant("K-FAC", _kfac, kfac_step,
                       lambda shapes, n, pairs: n + sum(a * a + g * g for a, g in shapes), "n + sum of a² + g²", 400),
}  # fmt: skip


def held(state: State) -> int:
    """Bytes of what a method keeps beside the parameters: every array in its state, and the matrix of its last step."""
    skipped = ("p", "direction", "held")
    return int(state.get("held", 0)) + sum(_bytes(value) for name, value in state.items() if name not in skipped)


def _bytes(value: Any) -> int:
    if isinstance(value, np.ndarray):
        return value.nbytes
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return sum(_bytes(part) for part in parts)
