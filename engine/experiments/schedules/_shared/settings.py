"""The settings of every schedule: one form for each, made from its own declaration, and what they amount to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from pydantic import create_model

from engine.schedules import SCHEDULES, Parameter, check_knots
from engine.spec import Settings, SpecError, choice, flag, number, numbers, points

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


def _settings(name: str, defaults: Mapping[str, Any], more: Mapping[str, Any]) -> Settings:
    own = [replace(p, default=defaults.get(f"{name}.{p.name}", p.default)) for p in SCHEDULES[name].parameters]
    fields: dict[str, Any] = {
        parameter.name: _declared(parameter, _ONLY.get((name, parameter.name)))
        for parameter in own
        if parameter.name != "warmup_steps"  # shared
    }
    if name not in NO_WARMUP:
        fields["warmup"] = (bool, flag(False, "Behind a warm-up", "First the warm-up steps, up to where it begins"))
    fields |= {key.partition(".")[2]: field for key, field in more.items() if key.startswith(f"{name}.")}
    return create_model(f"{name.title().replace('_', '')}Settings", __base__=Settings, **fields)()


def schedule_groups(defaults: Mapping[str, Any] | None = None, more: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """One group of settings for each schedule: name -> (type, its values).

    `defaults`: other defaults by dotted key, for runs of another length. `more`: further fields (annotation, field).
    """
    return {name: (type(own), own) for name in NAMES for own in [_settings(name, defaults or {}, more or {})]}


def parameters(spec: Any, name: str) -> dict[str, Any]:
    """A schedule's own parameters under these settings, and those with which `rates` puts it behind a warm-up."""
    own = getattr(spec, name)
    found = {p.name: getattr(own, p.name) for p in SCHEDULES[name].parameters if p.name != "warmup_steps"}
    if any(p.name == "warmup_steps" for p in SCHEDULES[name].parameters):
        found["warmup_steps"] = spec.warmup_steps
    if getattr(own, "warmup", False):
        found["warmup"] = spec.warmup_steps
    return found


def check_schedules(spec: Any) -> None:
    """Raise SpecError where no schedule takes part, or for what one of those that do cannot make sense of."""
    if not spec.schedules:
        raise SpecError("schedules", "'' is not allowed; name at least one schedule")
    if "drawn" in spec.schedules:
        try:
            check_knots(spec.drawn.knots)
        except ValueError as error:
            raise SpecError("drawn.knots", str(error)) from None
    cycle = spec.one_cycle.total_steps
    if "one_cycle" in spec.schedules and cycle is not None and cycle < spec.total_steps:
        raise SpecError(
            "one_cycle.total_steps",
            f"{cycle} is not allowed; give at least {spec.total_steps}, the length of the run: PyTorch refuses to "
            "step beyond the end of the cycle",
        )
