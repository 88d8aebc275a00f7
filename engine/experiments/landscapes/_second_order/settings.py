"""The settings of first against second order."""

from __future__ import annotations

from typing import Any

from pydantic import create_model

from engine.optimizers import RULES
from engine.second_order import METHODS as HOUSE
from engine.spec import Settings, Spec, choice, flag, number, numbers

from .methods import CONTESTANTS

RACE, SIZE = "race", "size"
QUADRATIC, LOGISTIC, NETWORK = "quadratic", "logistic", "network"
MADE, DIGITS = "made", "digits"
DATA = {
    MADE: "Gaussian inputs", DIGITS: "Handwritten digits", "moons": "Moons", "circle": "Circle", "xor": "XOR",
    "spiral": "Spiral",
}  # fmt: skip
_FITTED = {"problem": (LOGISTIC, NETWORK)}
_MADE = {**_FITTED, "data": (MADE,)}
_RACE, _SIZE = {"study": (RACE,)}, {"study": (SIZE,)}


def _house(name: str, rate: float) -> Settings:
    """The settings of a contestant of the house, made from its own declaration of its hyper-parameters."""
    hypers = RULES[name].hypers if name in RULES else HOUSE[name].hypers
    fields: dict[str, Any] = {}
    if name in RULES:
        fields["learning_rate"] = float, number(rate, 1e-12, 1e6, "Learning rate", "Of every step", live=True, log=True)
    for hyper in hypers:
        if hyper.name != "weight_decay":  # the penalty belongs to the loss, where all see it
            default = int(hyper.default) if hyper.integer else hyper.default
            fields[hyper.name] = (
                int if hyper.integer else float,
                number(default, hyper.low, hyper.high, hyper.title, hyper.help, live=True, log=hyper.log),
            )  # fmt: skip
    return create_model(f"Own{name.capitalize()}", __base__=Settings, **fields)()


class Damped(Settings):
    """Of Newton's method and natural gradient."""

    learning_rate: float = number(1.0, 1e-6, 2.0, "Step length", "1 is the full step", live=True, log=True)
    damping: float = number(
        1e-3, 0.0, 1e6, "Damping", "Added to the diagonal of the matrix; where it adapts, at first", live=True,
    )  # fmt: skip
    adapt: bool = flag(
        True, "Damping adapts", "Levenberg and Marquardt: more where a step fails, less where the quadratic model "
        "foretells it well", live=True,
    )  # fmt: skip


class Kfac(Damped):
    """Of K-FAC."""

    rescale: bool = flag(
        True, "Length by exact Fisher", "How far to go, from products with the exact Fisher matrix; off: the step "
        "length above", live=True,
    )  # fmt: skip
    momentum: bool = flag(True, "Momentum", "The last step joins in, its share chosen in the same way", live=True)


class _Base(Spec):
    """What is fitted, who takes part, and how long."""

    study: str = choice(
        RACE, {RACE: "Race at one size", SIZE: "Growing size"}, "Study",
        "One problem, step by step; or one size after another, each until the gradient is small", group="Problem",
    )  # fmt: skip
    problem: str = choice(
        LOGISTIC, {LOGISTIC: "Logistic regression", NETWORK: "Small tanh network", QUADRATIC: "Chapter's quadratic"},
        "Problem", "What is minimised, in float64", group="Problem",
    )  # fmt: skip
    data: str = choice(MADE, DATA, "Data", "What is told apart", group="Problem", shown_when=_FITTED)
    samples: int = number(300, 4, 2000, "Samples", "How many", log=True, group="Problem", shown_when=_FITTED)
    inputs: int = number(20, 1, 2000, "Inputs", "Of each sample", log=True, group="Problem", shown_when=_MADE)
    classes: int = number(2, 2, 10, "Classes", "To tell apart", group="Problem", shown_when=_MADE)
    condition: float = number(
        100.0, 1.0, 1e6, "Condition number", "Of the inputs' covariance: largest over smallest eigenvalue", log=True,
        group="Problem", shown_when=_MADE,
    )  # fmt: skip
    hidden: tuple[int, ...] = numbers(
        (8,), 1, 128, 2, "Hidden units", "Of one or two layers; in a growing network there is one, and it grows",
        group="Problem", shown_when={"problem": (NETWORK,)},
    )  # fmt: skip
    l2: float = number(
        1e-3, 0.0, 10.0, "L2 penalty", "Half of it times the squared parameters is part of the loss", group="Problem",
        shown_when=_FITTED,
    )  # fmt: skip
    seed: int = number(0, 0, 2**32 - 1, "Seed", "Of data, first weights and batches", group="Problem",
                       shown_when=_FITTED)  # fmt: skip
    optimizers: tuple[str, ...] = choice(
        tuple(CONTESTANTS), {name: one.title for name, one in CONTESTANTS.items()}, "Contestants", "Who takes part",
        group="Contestants",
    )  # fmt: skip
    batch_size: int = number(
        0, 0, 2000, "Batch size", "Samples of a step, the same for all; 0: every sample", group="Run",
        shown_when={**_RACE, **_FITTED},
    )  # fmt: skip
    tolerance: float = number(
        1e-6, 0.0, 0.9, "Gradient to reach", "As a share of the first gradient; a contestant stops there",
        group="Run",
    )  # fmt: skip
    steps: int = number(300, 1, 5000, "Steps", "How long the race is", live=True, log=True, group="Run",
                        shown_when=_RACE)  # fmt: skip
    lowest: int = number(
        10, 2, 2000, "Fewest parameters", "Of the first size", log=True, group="Run", shown_when=_SIZE,
    )  # fmt: skip
    highest: int = number(
        1000, 3, 2000, "Most parameters", "Of the last size", log=True, group="Run", shown_when=_SIZE,
    )  # fmt: skip
    count: int = number(9, 2, 20, "Sizes", "Evenly over decades", group="Run", shown_when=_SIZE)


_own: dict[str, Settings] = {
    "sgd": _house("sgd", 1.0), "adam": _house("adam", 0.1), "newton": Damped(), "bfgs": _house("bfgs", 1.0),
    "lbfgs": _house("lbfgs", 1.0), "natural": Damped(), "kfac": Kfac(),
}  # fmt: skip
_groups: dict[str, Any] = {name: (type(own), own) for name, own in _own.items()}
SecondOrderSpec = create_model("SecondOrderSpec", __base__=_Base, **_groups)


def hypers_of(spec: Any, name: str) -> dict[str, Any]:
    """A contestant's own settings by name."""
    own = getattr(spec, name)
    return {field: getattr(own, field) for field in type(own).model_fields}
