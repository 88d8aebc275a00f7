"""What a first-order rule is: its function, its hyper-parameters, its states and its formulas, as data."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from engine.quantity import Kind

Convention = Literal["pytorch", "book"]
Scalar = Callable[..., tuple[float, float, float, float]]
LookAhead = Callable[..., float]

CONVENTIONS: tuple[Convention, ...] = ("pytorch", "book")
MOST_HYPERS = 5
MOST_STATES = 3


@dataclass(frozen=True)
class Hyper:
    """One hyper-parameter: its name, default, allowed range [low, high] and the words shown beside it."""

    name: str
    default: float
    low: float
    high: float
    title: str
    help: str
    log: bool = False
    """True where a slider should be logarithmic."""
    integer: bool = False
    """True where only whole numbers make sense."""


@dataclass(frozen=True)
class StateNumber:
    """One of the numbers a rule keeps for each parameter: its name, its symbol and what it stands for."""

    name: str
    latex: str
    kind: Kind


@dataclass(frozen=True, eq=False)
class Rule:
    """A first-order rule.

    `update`, and `book` where the chapter has a formula of its own, have the signature
    `rule(p, g, s0, s1, s2, t, lr, h) -> (p, s0, s1, s2)`: one parameter, its gradient, its states, the
    step counted from 1, the learning rate and the hyper-parameters in the order of `hypers`. `look_ahead`
    is `(p, s0, lr, h) -> point` where the book convention wants the gradient, or None: at p.
    """

    name: str
    title: str
    source: str
    learning_rate: float
    update: Scalar
    hypers: tuple[Hyper, ...]
    formulas: Mapping[Convention, tuple[str, ...]]
    states: tuple[StateNumber, ...] = ()
    initial: tuple[float, float, float] = (0.0, 0.0, 0.0)
    book: Scalar | None = None
    look_ahead: LookAhead | None = None
    differs: str = ""
    """One sentence saying what differs between the conventions; empty where nothing does."""
    decoupled: bool = False
    """True where weight decay shrinks the parameter itself instead of joining the gradient."""

    @property
    def book_has_own_formula(self) -> bool:
        """False where the book convention is this very function, but for the factor of L2."""
        return self.book is not None

    def l2_factor(self, convention: Convention) -> float:
        """How many times weight_decay * p joins the gradient.

        1 in PyTorch (half of lambda times the sum of squares), 2 in the book, which has no half, and 0 where
        the decay is decoupled.
        """
        if self.decoupled:
            return 0.0
        return 2.0 if convention == "book" else 1.0

    def scales(self, convention: Convention) -> tuple[float, ...]:
        """By what each hyper-parameter is multiplied before `function(convention)` sees it.

        All 1, but for the weight decay of a rule without a formula of its own in the book: L2 without the
        half at lambda is L2 with the half at 2 lambda.
        """
        doubled = convention == "book" and self.book is None and not self.decoupled
        return tuple(2.0 if doubled and hyper.name == "weight_decay" else 1.0 for hyper in self.hypers)

    def function(self, convention: Convention) -> Scalar:
        """The scalar function of the convention; hand it hyper-parameters multiplied by `scales`."""
        return self.book if convention == "book" and self.book is not None else self.update

    def point(self, convention: Convention) -> LookAhead | None:
        """The function that says where the gradient is wanted, or None: at the parameter itself."""
        return self.look_ahead if convention == "book" else None

    def step_one(
        self,
        convention: Convention,
        p: float,
        g: float,
        states: Sequence[float],
        t: int,
        lr: float,
        h: Sequence[float],
    ) -> tuple[float, float, float, float]:
        """One step of one parameter in plain Python: `(p, s0, s1, s2)` after it, as in the kernels."""
        scaled = [value * factor for value, factor in zip(h, self.scales(convention), strict=True)]
        return self.function(convention)(p, g, *states, t, lr, scaled)

    def values(self, given: Mapping[str, float] | None = None) -> tuple[float, ...]:
        """The hyper-parameters in declared order: the defaults, overridden by `given`.

        Raises ValueError in one line for an unknown name or a value out of range.
        """
        chosen = dict(given or {})
        result: list[float] = []
        for hyper in self.hypers:
            value = float(chosen.pop(hyper.name, hyper.default))
            if not hyper.low <= value <= hyper.high:  # also refuses nan
                raise ValueError(
                    f"{self.name}.{hyper.name} = {value!r} is not allowed: "
                    f"it must be from {hyper.low:g} to {hyper.high:g}"
                )
            result.append(value)
        if chosen:
            allowed = ", ".join(hyper.name for hyper in self.hypers)
            raise ValueError(f"{self.name}.{next(iter(chosen))} is unknown; {self.name} has {allowed}")
        return tuple(result)
