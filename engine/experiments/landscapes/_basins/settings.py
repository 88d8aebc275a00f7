"""The settings of a basin map: the surface and the part of it seen, one rule, and how the map is made."""

from __future__ import annotations

from typing import Any

from pydantic import create_model

from engine.optimizers import RULES
from engine.spec import Settings, Spec, choice, number, point, text
from engine.surfaces import SURFACES


def _rule_settings(name: str) -> Settings:
    """One rule's hyper-parameters, shown while it is chosen."""
    shown = {"optimizer": (name,)}
    fields: dict[str, Any] = {
        h.name: (float, number(h.default, h.low, h.high, h.title, h.help.removesuffix("."), log=h.log,
                               group=RULES[name].title, shown_when=shown))
        for h in RULES[name].hypers
    }  # fmt: skip
    return create_model(f"{name.capitalize()}Settings", __base__=Settings, **fields)()


class _Base(Spec):
    surface: str = choice(
        "himmelblau", {**{name: s.title for name, s in SURFACES.items()}, "custom": "Your own formula"}, "Surface",
        "The function whose minima are sought", group="Surface",
    )  # fmt: skip
    condition_number: float = number(
        100.0, 1.0, 1e8, "Condition number", "Largest curvature over smallest, of the bowl", log=True, group="Surface",
        shown_when={"surface": ("bowl",)},
    )  # fmt: skip
    formula: str = text(
        "sin(3*x)*cos(2*y) + 0.1*(x^2+y^2)", "f(x, y) =",
        "Your own surface: + - * / ^, numbers, x, y, pi, e, sin cos tan exp log sqrt abs tanh max min ...",
        group="Surface", shown_when={"surface": ("custom",)},
    )  # fmt: skip
    optimizer: str = choice(
        "momentum", {name: rule.title for name, rule in RULES.items()}, "Optimizer", "Who walks from every start",
        group="Optimizer",
    )  # fmt: skip
    learning_rate: float = number(
        0.01, 1e-9, 1e4, "Learning rate", "The map follows while you drag", log=True, group="Optimizer"
    )
    convention: str = choice(
        "pytorch", {"book": "Book", "pytorch": "PyTorch"}, "Convention", "Whose formulas are in force",
        group="Optimizer",
    )  # fmt: skip
    steps: int = number(500, 1, 10_000, "Steps", "How many steps every start takes", log=True, group="Map")
    within: float = number(
        0.05, 1e-6, 10.0, "Arrived within", "How near its minimum a walk must stay to the end", log=True,
        group="Map",
    )  # fmt: skip
    resolution: int = number(200, 10, 400, "Starts a side", "The map is so many starts wide and high", group="Map")
    centre: tuple[float, float] | None = point(
        None, -1e6, 1e6, "Centre", "Middle of the part seen", group="Map", inherits="surface's own",
    )  # fmt: skip
    zoom: float = number(
        1.0, 1.0, 1e4, "Zoom", "The part seen is so many times smaller than the surface's own", log=True, group="Map",
    )  # fmt: skip
    dtype: str = choice(
        "float32", {"float32": "float32, fast", "float64": "float64, as a descent"}, "Precision",
        "Near a border, rounding alone can decide where a walk ends", group="Map",
    )  # fmt: skip


_groups: dict[str, Any] = {name: (type(own), own) for name in RULES for own in [_rule_settings(name)]}
BasinsSpec = create_model("BasinsSpec", __base__=_Base, **_groups)
