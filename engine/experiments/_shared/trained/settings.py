"""Fields of data, network and optimizer, as dictionaries that an experiment puts into its Spec in its own order."""

from __future__ import annotations

from typing import Any

from pydantic import create_model

from engine.data import DATA
from engine.networks.activations import ACTIVATIONS
from engine.networks.initializations import INITIALIZATIONS
from engine.optimizers import RULES
from engine.spec import Settings, SpecError, choice, number, numbers

Fields = dict[str, Any]
NAMES = ("moons", "circle", "spiral", "rings", "regression_gauss", "digits")
DRAWN = tuple(name for name in NAMES if name != "digits")
DIGITS = 1797
MOST_LAYERS, MOST_UNITS, MOST_SAMPLES = 4, 256, 5000
_BENT = {name: one.title for name, one in ACTIVATIONS.items()}
_FIRST = {name: one.title for name, one in INITIALIZATIONS.items() if name != "normal"}


def data_fields(data: str, samples: int, noise: float, held: dict[str, tuple[int, str, str]]) -> Fields:
    """What is learnt. `held`: further fields of so many samples: key -> (default, title, help)."""
    fields: Fields = {
        "data": (str, choice(data, {name: DATA[name].title for name in NAMES}, "Data", "What is learnt", group="Data")),
        "samples": (int, number(samples, 1, MOST_SAMPLES, "Training samples", "How many the network learns from",
                                log=True, group="Data")),
    }  # fmt: skip
    for key, (default, title, help) in held.items():
        fields[key] = (int, number(default, 0, MOST_SAMPLES, title, help, log=True, group="Data"))
    words = "Standard deviation: of both coordinates where there are classes, else of the target"
    own = number(noise, 0.0, 10.0, "Noise", words, group="Data", shown_when={"data": DRAWN})
    return {**fields, "noise": (float, own)}


def network_fields(hidden: tuple[int, ...], activation: str, initialization: str) -> Fields:
    """What learns."""
    return {
        "hidden": (tuple[int, ...], numbers(hidden, 1, MOST_UNITS, MOST_LAYERS, "Hidden layers",
                                            "Units of each; none: a linear model", group="Network")),
        "activation": (str, choice(activation, _BENT, "Activation", "Of every hidden layer", group="Network")),
        "initialization": (str, choice(initialization, _FIRST, "Initialisation", "Of the first weights",
                                       group="Network")),
    }  # fmt: skip


def optimizer_fields(optimizer: str) -> Fields:
    """Who changes the weights; `rule_groups` has the hyper-parameters."""
    rules = {name: rule.title for name, rule in RULES.items()}
    both = {"book": "Book", "pytorch": "PyTorch"}
    return {
        "optimizer": (str, choice(optimizer, rules, "Optimizer", "The rule of each step", group="Optimizer")),
        "convention": (str, choice("pytorch", both, "Convention", "Whose formulas are in force", group="Optimizer")),
    }  # fmt: skip


def run_fields(seed_words: str) -> Fields:
    """Seed and precision."""
    both = {"float32": "float32", "float64": "float64"}
    return {
        "seed": (int, number(0, 0, 2**32 - 1, "Seed", seed_words, group="Run")),
        "dtype": (str, choice("float64", both, "Precision", "Of everything that trains", group="Run")),
    }  # fmt: skip


def rule_groups() -> Fields:
    """One group of settings for each optimizer, shown while it is chosen; all of them live."""
    return {name: (type(own), own) for name in RULES for own in [_rule(name)]}


def _rule(name: str) -> Settings:
    shown = {"optimizer": (name,)}
    fields: Fields = {
        h.name: (float, number(h.default, h.low, h.high, h.title, h.help.removesuffix("."), live=True, log=h.log,
                               group=RULES[name].title, shown_when=shown))
        for h in RULES[name].hypers
    }  # fmt: skip
    return create_model(f"{name.capitalize()}Settings", __base__=Settings, **fields)()


def hypers(spec: Any) -> dict[str, float]:
    """The chosen optimizer's hyper-parameters by name, in declared order."""
    own = getattr(spec, spec.optimizer)
    return {h.name: float(getattr(own, h.name)) for h in RULES[spec.optimizer].hypers}


def check_samples(spec: Any, held: tuple[str, ...]) -> None:
    """Raise SpecError where there are not as many digits as asked for."""
    asked = spec.samples + sum(getattr(spec, key) for key in held)
    if spec.data == "digits" and asked > DIGITS:
        others = " and ".join(key.replace("_", " ") for key in held)
        raise SpecError(
            "samples", f"{spec.samples} is not allowed; there are {DIGITS:,} digits, and with {others} that makes "
            f"{asked:,}",
        )  # fmt: skip
