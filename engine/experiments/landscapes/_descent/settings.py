"""The settings of optimizers on a surface: one form for the surface and the run, one for each optimizer."""

from __future__ import annotations

from typing import Any

from pydantic import Field, create_model

from engine.optimizers import RULES
from engine.second_order import METHODS
from engine.spec import Settings, Spec, choice, number, point, text
from engine.surfaces import SURFACES

NAMES = {**{name: rule.title for name, rule in RULES.items()}, **{name: m.title for name, m in METHODS.items()}}


def _rule_settings(name: str) -> Settings:
    """The settings of one contestant, made from the rule's own declaration of its hyper-parameters."""
    fields: dict[str, Any] = {}
    if name in RULES:
        fields["learning_rate"] = (
            float | None,
            number(None, 1e-12, 1e6, "Learning rate", "This optimizer's own rate; empty: the shared one",
                   live=True, log=True, inherits="shared"),
        )  # fmt: skip
    hypers = RULES[name].hypers if name in RULES else METHODS[name].hypers
    for hyper in hypers:
        fields[hyper.name] = (
            int if hyper.integer else float,
            number(int(hyper.default) if hyper.integer else hyper.default, hyper.low, hyper.high, hyper.title,
                   hyper.help, live=True, log=hyper.log),
        )  # fmt: skip
    return create_model(f"{name.capitalize()}Settings", __base__=Settings, **fields)()


def _range(title: str, way: str) -> Any:
    """From where to where the map of an own formula reaches."""
    lab: dict[str, Any] = {"group": "Surface", "low": -1e6, "high": 1e6, "point": True,
           "inherits": "−4 to 4", "shown_when": {"surface": ("custom",)}}  # fmt: skip
    told = f"Lowest and highest {way} that the map shows at first; empty: also the start. Nothing of the run"
    return Field(default=None, title=title, description=told, json_schema_extra={"lab": lab})


class _Base(Spec):
    surface: str = choice(
        "rosenbrock",
        {**{name: s.title for name, s in SURFACES.items()}, "custom": "Your own formula"},
        "Surface", "The function whose minimum is sought", group="Surface",
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
    x_range: tuple[float, float] | None = _range("Map across", "x")
    y_range: tuple[float, float] | None = _range("Map upwards", "y")
    start: tuple[float, float] | None = point(
        None, -1e6, 1e6, "Start", "Where every optimizer begins; click or drag on the map",
        group="Surface", inherits="surface's own",
    )  # fmt: skip
    optimizers: tuple[str, ...] = choice(
        ("sgd", "momentum", "rmsprop", "adam"), NAMES, "Optimizers", "Who walks", group="Optimizers",
    )  # fmt: skip
    learning_rate: float = number(
        0.001, 1e-12, 1e6, "Learning rate", "Shared by the first-order rules that have none of their own",
        live=True, log=True, group="Shared",
    )  # fmt: skip
    noise: float = number(
        0.0, 0.0, 1e6, "Gradient noise",
        "Standard deviation added to each coordinate of the gradient; the same draw for every optimizer",
        live=True, group="Shared",
    )  # fmt: skip
    convention: str = choice(
        "pytorch", {"book": "Book", "pytorch": "PyTorch"}, "Convention", "Whose formulas are in force", group="Shared",
    )  # fmt: skip
    steps: int = number(400, 1, 1_000_000_000, "Steps", "How long the run is", live=True, log=True, group="Run")
    target: float | None = number(
        None, -1e12, 1e12, "Target loss", "An optimizer stops once its loss is at or below this", group="Run",
        inherits="none",
    )  # fmt: skip
    seed: int = number(0, 0, 2**32 - 1, "Seed", "Of the gradient noise", group="Run")


_groups: dict[str, Any] = {name: (type(own), own) for name in NAMES for own in [_rule_settings(name)]}
DescentSpec = create_model("DescentSpec", __base__=_Base, **_groups)
