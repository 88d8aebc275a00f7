"""The settings of the race: who takes part, how rates are found, on what network, and over how many seeds."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import create_model

from engine.data import DATA
from engine.experiments._shared.trained.settings import (
    DRAWN,
    MOST_SAMPLES,
    NAMES,
    check_samples,
    network_fields,
    run_fields,
)
from engine.optimizers import RULES
from engine.spec import Settings, Spec, SpecError, choice, number

LONGEST = 100_000
CHAPTER_NOISE = "chapter_noise"
TITLES = {name: rule.title for name, rule in RULES.items()}
_DATA = {**{name: DATA[name].title for name in NAMES}, CHAPTER_NOISE: "Chapter: noise to fit noise"}
_RATES = {"tuned": "tuned for each", "equal": "the same for all"}
_HOLDS = {"own": "the network that is trained", "discarded": "a network thrown away"}
_BANDS = {"all": "lowest to highest seed", "quartiles": "middle half of the seeds"}
_TUNED, _EQUAL = {"rates": ("tuned",)}, {"rates": ("equal",)}


def _rule(name: str) -> Settings:
    """One contestant's own settings, all live: a rate by hand in place of the race's, and its rule's
    hyper-parameters."""
    fields: dict[str, Any] = {"learning_rate": (float | None, number(
        None, 1e-12, 1e6, "Learning rate", "By hand, of this one alone, instead of the tuned rate or the one for all; "
        "it takes part in the tuning all the same", live=True, log=True, inherits="the race's"))}  # fmt: skip
    fields |= {
        h.name: (float, number(h.default, h.low, h.high, h.title, h.help.removesuffix("."), live=True, log=h.log))
        for h in RULES[name].hypers
    }
    return create_model(f"{name.capitalize()}Settings", __base__=Settings, **fields)()


_fields: dict[str, Any] = {
    "optimizers": (tuple[str, ...], choice(
        ("sgd", "momentum", "rmsprop", "adam"), TITLES, "Optimizers",
        "Who takes part: all train the same network from the same first weights on the same batches",
        group="Optimizers")),
    "rates": (str, choice("tuned", _RATES, "Learning rates", "Tuned on an equal budget before the race, or one rate "
                          "for all, which favours whoever happens to like it", group="Rates")),
    "learning_rate": (float, number(0.01, 1e-12, 1e6, "Learning rate", "Of every contestant", live=True, log=True,
                                    group="Rates", shown_when=_EQUAL)),
    "tuning_steps": (int, number(200, 1, LONGEST, "Tuning steps", "How long each rate is tried", log=True,
                                 group="Rates", shown_when=_TUNED)),
    "tuning_rates": (int, number(11, 2, 25, "Rates tried", "By each optimizer, evenly spaced in decades",
                                 group="Rates", shown_when=_TUNED)),
    "lowest_rate": (float, number(1e-4, 1e-12, 1e6, "Lowest rate", "That is tried", log=True, group="Rates",
                                  shown_when=_TUNED)),
    "highest_rate": (float, number(10.0, 1e-12, 1e6, "Highest rate", "That is tried", log=True, group="Rates",
                                   shown_when=_TUNED)),
    "tuning_seeds": (int, number(2, 1, 5, "Tuning seeds", "Networks each rate is tried on; none of them races",
                                 group="Rates", shown_when=_TUNED)),
    "rate_factor": (float, number(1.0, 1e-6, 1e6, "Factor on the rates", "Every tuned rate times this", live=True,
                                  log=True, group="Rates", shown_when=_TUNED)),
    "steps": (int, number(600, 1, LONGEST, "Steps", "How long the race is, after the tuning", log=True, group="Race")),
    "seeds": (int, number(5, 1, 8, "Seeds", "Each has its own first weights and order of batches, the same for "
                          "every optimizer", group="Race")),
    "band": (str, choice("all", _BANDS, "Band", "Around the line, which is the median over the seeds", group="Race")),
    "target": (float, number(0.1, 1e-12, 1e6, "Target loss", "The table counts the steps until the training loss is "
                             "at or below it; nobody stops there", live=True, log=True, group="Race")),
    "batch_size": (int, number(32, 0, MOST_SAMPLES, "Batch size", "Samples a step takes; 0, or more than there are: "
                               "all", live=True, log=True, group="Race")),
    "convention": (str, choice("pytorch", {"book": "Book", "pytorch": "PyTorch"}, "Convention",
                               "Whose formulas are in force", group="Race")),
    "holds": (str, choice("own", _HOLDS, "Optimizers hold", "The chapter's listing makes its optimizers for one "
                          "network and then trains others: nothing is tuned, nothing moves", group="Race")),
    "data": (str, choice("digits", _DATA, "Data", "What is learnt", group="Data")),
    "samples": (int, number(1000, 1, MOST_SAMPLES, "Training samples", "How many the network learns from", log=True,
                            group="Data")),
    "test_samples": (int, number(500, 0, MOST_SAMPLES, "Test samples", "How many it is tested on", log=True,
                                 group="Data")),
    "noise": (float, number(0.1, 0.0, 10.0, "Noise", "Standard deviation: of both coordinates where there are "
                            "classes, else of the target", group="Data", shown_when={"data": DRAWN})),
    **network_fields((32,), "relu", "he_normal"),
    **run_fields("Of the data, the first weights and the batches; the other seeds follow it"),
    "evaluate_every": (int, number(10, 1, 1000, "Measure every", "Steps between two measurements over all samples",
                                   log=True, group="Run")),
}  # fmt: skip
_groups: dict[str, Any] = {name: (type(own), own) for name in RULES for own in [_rule(name)]}
RaceSpec = create_model("RaceSpec", __base__=Spec, **_fields, **_groups)


def check(spec: Any) -> None:
    """Raise SpecError for what no single field can see."""
    if not spec.optimizers:
        raise SpecError("optimizers", "'' is not allowed; name at least one")
    if spec.rates == "tuned" and not spec.lowest_rate < spec.highest_rate:
        raise SpecError(
            "highest_rate", f"{spec.highest_rate:g} is not allowed; give more than the lowest, {spec.lowest_rate:g}"
        )
    check_samples(spec, ("test_samples",))


def tunes(spec: Any) -> bool:
    """Whether rates are tuned; an optimizer that holds no network of the race has nothing to tune on."""
    return bool(spec.rates == "tuned" and spec.holds == "own")


def tuning_steps(spec: Any) -> int:
    """Steps of the run that come before the race."""
    return int(spec.tuning_steps) if tunes(spec) else 0


def tried(spec: Any) -> NDArray[np.float64]:
    """The rates that every optimizer tries, [G]."""
    decades = np.linspace(np.log10(spec.lowest_rate), np.log10(spec.highest_rate), spec.tuning_rates)
    return np.asarray(10.0**decades, np.float64)


def by_hand(spec: Any) -> NDArray[np.float64]:
    """The rates set by hand, [S]; nan where none is."""
    own = [getattr(spec, name).learning_rate for name in spec.optimizers]
    return np.array([np.nan if rate is None else rate for rate in own], np.float64)


def hands_words(spec: Any) -> str:
    """Who has a rate by hand, in words; empty: nobody."""
    told = zip(spec.optimizers, by_hand(spec).tolist(), strict=True)
    return ", ".join(f"{TITLES[name]} {rate:g}" for name, rate in told if rate == rate)


def hypers(spec: Any, name: str) -> dict[str, float]:
    """A contestant's hyper-parameters by name, in declared order."""
    return {h.name: float(getattr(getattr(spec, name), h.name)) for h in RULES[name].hypers}
