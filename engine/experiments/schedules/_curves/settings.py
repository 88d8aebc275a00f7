"""The settings of the schedules' curves: the run, and one form for each schedule, made from its own declaration."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import create_model

from engine.schedules import SCHEDULES, Parameter
from engine.spec import Settings, Spec, choice, flag, number, numbers, points

LONGEST = 1_000_000
MOST_KNOTS = 32
NAMES = {name: schedule.title for name, schedule in SCHEDULES.items()}
# With a warm-up of their own, or (one-cycle, drawn) a beginning of their own, or (plateau) no way to know the rate.
NO_WARMUP = ("inverse_sqrt", "one_cycle", "warmup_cosine", "warmup_linear", "wsd", "plateau", "drawn")
_ONLY: Mapping[tuple[str, str], Mapping[str, tuple[Any, ...]]] = {("cyclic", "gamma"): {"mode": ("exp_range",)}}


def _declared(parameter: Parameter, only: Mapping[str, tuple[Any, ...]] | None) -> tuple[Any, Any]:
    """Annotation and field of one parameter."""
    p = parameter
    words = p.help.removesuffix(".")
    match p.kind:
        case "choice":
            return str, choice(p.default, p.choices, p.title, words)
        case "flag":
            return bool, flag(p.default, p.title, words)
        case "milestones":
            return tuple[int, ...], numbers(p.default, int(p.low), int(p.high), MOST_KNOTS, p.title, words)
        case "knots":
            return tuple[tuple[float, float], ...], points(p.default, p.low, p.high, MOST_KNOTS, p.title, words)
    kind: Any = int if p.integer else float
    if p.inherits:  # a value of None: total steps, or what the schedule works out
        return kind | None, number(None, p.low, p.high, p.title, words, log=p.log, inherits=p.inherits, shown_when=only)
    return kind, number(p.default, p.low, p.high, p.title, words, log=p.log, shown_when=only)


def _settings(name: str) -> Settings:
    fields: dict[str, Any] = {
        parameter.name: _declared(parameter, _ONLY.get((name, parameter.name)))
        for parameter in SCHEDULES[name].parameters
        if parameter.name != "warmup_steps"  # shared
    }
    if name not in NO_WARMUP:
        fields["warmup"] = (bool, flag(False, "Behind a warm-up", "First the warm-up steps, up to where it begins"))
    if name == "plateau":
        fields["noise"] = (
            float,
            number(0.5, 0.0, 100.0, "Gradient noise",
                   "Of the run whose loss it watches: gradient descent from (1, 1) on (x^2 + 10 y^2) / 2 with this "
                   "standard deviation added to each coordinate of the gradient, at the rate it gives"),
        )  # fmt: skip
    return create_model(f"{name.title().replace('_', '')}Settings", __base__=Settings, **fields)()


class _Base(Spec):
    schedules: tuple[str, ...] = choice(
        ("constant", "step", "exponential", "cosine", "warmup_cosine"), NAMES, "Schedules", "Whose rate is drawn",
        group="Schedules",
    )  # fmt: skip
    base_lr: float = number(
        0.1, 1e-12, 1e6, "Peak rate", "The highest rate of every schedule (max_lr of cyclic and one-cycle)",
        live=True, log=True, group="Shared",
    )  # fmt: skip
    warmup_steps: int = number(
        10, 0, LONGEST, "Warm-up steps", "Of every schedule that warms up", log=True, group="Shared"
    )
    total_steps: int = number(
        100, 1, LONGEST, "Total steps", "How long the run is: steps 0 to this less one", log=True, group="Run"
    )
    seed: int = number(
        0, 0, 2**32 - 1, "Seed", "Of the gradient noise in the run that the plateau watches", group="Run"
    )


_groups: dict[str, Any] = {name: (type(own), own) for name in NAMES for own in [_settings(name)]}
CurvesSpec = create_model("CurvesSpec", __base__=_Base, **_groups)


def parameters(spec: Any, name: str) -> dict[str, Any]:
    """A schedule's own parameters under these settings, and those with which `rates` puts it behind a warm-up."""
    own = getattr(spec, name)
    found = {p.name: getattr(own, p.name) for p in SCHEDULES[name].parameters if p.name != "warmup_steps"}
    if any(p.name == "warmup_steps" for p in SCHEDULES[name].parameters):
        found["warmup_steps"] = spec.warmup_steps
    if getattr(own, "warmup", False):
        found["warmup"] = spec.warmup_steps
    return found
