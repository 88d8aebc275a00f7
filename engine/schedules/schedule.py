"""What a schedule is: its function, its parameters and its formula, as data."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Steps = NDArray[np.int64]
Function = Callable[..., Floats]
Kind = Literal["number", "whole", "flag", "choice", "milestones", "knots"]
TOTAL = "total"


@dataclass(frozen=True)
class Parameter:
    """One parameter of a schedule, named as in torch.optim.lr_scheduler where torch has it.

    `default` is a value, `"total"` (the length of the run) or None (worked out by the function; `inherits` says how in
    words). `low`, `high` are inclusive limits of a number, of each milestone and of each half of a knot. `choices`
    maps the allowed names to the reader's.
    """

    name: str
    default: Any
    low: float
    high: float
    title: str
    help: str
    integer: bool = False
    choices: Mapping[str, str] = field(default_factory=dict)
    inherits: str = ""
    log: bool = False

    @property
    def kind(self) -> Kind:
        """What sort of value it takes."""
        if self.choices:
            return "choice"
        if isinstance(self.default, bool):
            return "flag"
        if isinstance(self.default, tuple):
            return "milestones" if self.integer else "knots"
        return "whole" if self.integer else "number"

    def checked(self, value: Any, schedule: str) -> Any:
        """The value, as the function takes it. Raises ValueError in one line."""
        if value is None and self.inherits:
            return None
        kind, wrong = self.kind, ValueError(f"{schedule}.{self.name} = {value!r} is not allowed: {self.allowed}")
        try:
            if kind == "flag":
                good = isinstance(value, bool | np.bool_)
                return bool(value) if good else _refuse(wrong)
            if kind == "choice":
                return value if value in self.choices else _refuse(wrong)
            if kind == "milestones":
                return tuple(self._number(one, wrong) for one in value)
            if kind == "knots":
                return tuple((self._number(x, wrong), self._number(y, wrong)) for x, y in value)
            return self._number(value, wrong)
        except (TypeError, OverflowError):
            raise wrong from None

    def _number(self, value: Any, wrong: ValueError) -> Any:
        if isinstance(value, bool | str) or not self.low <= value <= self.high:  # also refuses nan
            raise wrong
        if self.integer and int(value) != value:
            raise wrong
        return int(value) if self.integer else float(value)

    @property
    def allowed(self) -> str:
        """What may stand here, in words."""
        match self.kind:
            case "choice":
                return "give one of " + ", ".join(self.choices)
            case "flag":
                return "give true or false"
            case "milestones":
                return f"give whole numbers from {self.low:g} to {self.high:g}"
            case "knots":
                return f"give points (x, y), each from {self.low:g} to {self.high:g}"
        whole = "a whole number" if self.integer else "a number"
        return f"give {whole} from {self.low:g} to {self.high:g}"


def _refuse(wrong: ValueError) -> Any:
    raise wrong


@dataclass(frozen=True, eq=False)
class Schedule:
    """A schedule.

    `function(step, total, peak, /, **parameters) -> rates`: step [n] whole numbers from 0, the length of the run, the
    peak rate; [n] float64. It is pure: the rate at a step depends on nothing but its arguments. `momentum` has the same
    signature and gives the momentum that goes with the rate, or is None. `plateau` alone has no function, since it
    follows a metric (see engine.schedules.plateau). `torch` is the class in torch.optim.lr_scheduler, if there is one.
    """

    name: str
    title: str
    formula: tuple[str, ...]
    source: str
    parameters: tuple[Parameter, ...]
    function: Function | None
    momentum: Function | None = None
    torch: str | None = None

    def values(self, total: int, given: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Every parameter: the defaults for a run of `total` steps, overridden by `given`.

        Raises ValueError in one line for an unknown name or a value that is not allowed.
        """
        chosen = dict(given or {})
        found: dict[str, Any] = {}
        for parameter in self.parameters:
            value = chosen.pop(parameter.name, None)
            if value is None:
                value = total if parameter.default == TOTAL else parameter.default
                found[parameter.name] = value
            else:
                found[parameter.name] = parameter.checked(value, self.name)
        if chosen:
            known = ", ".join(parameter.name for parameter in self.parameters) or "none"
            raise ValueError(f"{self.name} has no parameter {next(iter(chosen))!r}; it has: {known}")
        return found
