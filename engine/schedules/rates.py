"""The rate, and the momentum, of any schedule at any steps."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from .catalogue import SCHEDULES
from .schedule import Floats, Function, Schedule
from .warmups import after_warmup, warmed


def _known(name: str) -> Schedule:
    if name not in SCHEDULES:
        raise ValueError(f"no such schedule: {name!r}; known: {', '.join(SCHEDULES)}")
    return SCHEDULES[name]


def rates(
    name: str, steps: ArrayLike, total: int, peak: float, /, *, warmup: int = 0, warmup_factor: float = 0.0,
    **parameters: Any,
) -> Floats:  # fmt: skip
    """The rate in force at each of `steps` [n] (whole numbers from 0) of a run of `total` steps: [n] float64.

    `peak` is the highest rate; `parameters` are the schedule's own (see SCHEDULES), `total` and `peak` take their
    places where they are left out. With `warmup` the schedule stands behind a warm-up of so many steps, in which the
    rate rises from warmup_factor times where the schedule begins (the schedules warmup_cosine, warmup_linear, wsd and
    inverse_sqrt have a `warmup_steps` of their own, and warmup_factor is a parameter of the first two).
    Raises ValueError in one line for an unknown schedule or parameter, a value that is not allowed, or `plateau`,
    which follows a metric.
    """
    schedule = _known(name)
    if schedule.function is None:
        raise ValueError(f"{name} follows a metric and has no rate of its own; see engine.schedules.plateau")
    if any(parameter.name == "warmup_factor" for parameter in schedule.parameters):
        parameters.setdefault("warmup_factor", warmup_factor)
    return _at(schedule, schedule.function, steps, total, peak, warmup, warmup_factor, parameters)


def momenta(name: str, steps: ArrayLike, total: int, peak: float, /, *, warmup: int = 0, **parameters: Any) -> Floats:
    """The momentum that goes with the rate at each of `steps`: [n], nan where the schedule has none."""
    schedule = _known(name)
    if schedule.momentum is None:
        schedule.values(total, parameters)
        return np.full(np.shape(steps), np.nan)
    # Before the schedule begins its momentum is the one it begins with.
    return _at(schedule, schedule.momentum, steps, total, peak, warmup, 1.0, parameters)


def _at(
    schedule: Schedule, function: Function, steps: ArrayLike, total: int, peak: float, warmup: int, factor: float,
    parameters: dict[str, Any],
) -> Floats:  # fmt: skip
    at = np.asarray(steps)
    if total < 1 or warmup < 0 or (at.size and (at.min() < 0 or not np.issubdtype(at.dtype, np.integer))):
        raise ValueError("steps and warmup are whole numbers from 0, total is one from 1")
    own = schedule.values(after_warmup(total, warmup), parameters)
    at = at.astype(np.int64)
    if warmup == 0:
        return function(at, total, float(peak), **own)
    return warmed(partial(function, **own), at, total, float(peak), warmup_steps=warmup, warmup_factor=factor)
