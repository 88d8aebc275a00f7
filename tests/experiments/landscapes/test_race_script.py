"""Scripts of the race: real torch.optim, held to the app's end."""

from __future__ import annotations

import re
from typing import Any

import pytest

from engine.experiments import load
from engine.optimizers import RULES
from engine.session.commands import script
from engine.session.presets import preset_spec
from engine.session.session import Session
from engine.spec import build
from tests.alone import Alone

ID = "landscapes.race"
QUICK: dict[str, Any] = {
    "data": "moons", "samples": 60, "test_samples": 40, "hidden": (6,), "batch_size": 8, "steps": 60, "seeds": 3,
    "tuning_steps": 20, "tuning_rates": 4, "tuning_seeds": 1,
}  # fmt: skip
SCRIPTS: dict[str, tuple[dict[str, Any], list[tuple[str, Any]], int]] = {
    "tuned": ({}, [], 10**6),
    "pytorch": ({"optimizers": tuple(RULES), "rates": "equal"}, [], 10**6),
    "book": ({"optimizers": tuple(RULES), "convention": "book", "activation": "prelu", "initialization": "torch",
              "seeds": 1}, [], 10**6),
    "live": ({}, [("rate_factor", 3.0), ("batch_size", 5), ("momentum.momentum", 0.5), ("adam.beta1", 0.5)], 10**6),
    "by hand": ({"adam.learning_rate": 0.003}, [("sgd.learning_rate", 0.02), ("adam.learning_rate", None)], 10**6),
    "while tuning": ({}, [], 10),
    "lost": ({"data": "regression_gauss", "rates": "equal", "learning_rate": 5.0}, [], 10**6),
    "single": ({"dtype": "float32", "data": "rings", "initialization": "orthogonal", "hidden": (5, 4)}, [], 10**6),
    "digits": ({"data": "digits", "samples": 50, "steps": 20}, [], 10**6),
    "noise": ({"data": "chapter_noise", "batch_size": 0, "steps": 20}, [], 10**6),
    "discarded": ({"holds": "discarded", "optimizers": ("sgd", "lion"), "seeds": 2,
                   "lion.learning_rate": 0.5}, [], 10**6),
}  # fmt: skip


def session(**settings: Any) -> Session:
    experiment = load(ID)
    return Session(experiment, build(experiment.Spec, {**QUICK, **settings}))


@pytest.mark.parametrize("case", SCRIPTS)
def test_scripts_race_to_the_same_weights(case: str, alone: Alone) -> None:
    settings, live, steps = SCRIPTS[case]
    found = session(**settings)
    if live:
        found.advance(45)
        for key, value in live:
            found.set_live(key, value)
    found.advance(steps)
    printed = alone.says(script(found)).splitlines()
    assert len(printed) == len(found.series) * (settings["seeds"] if case == "discarded" else 1)
    if case == "lost":
        assert "all lost" in printed[0]


def test_a_script_that_is_tampered_with_fails(alone: Alone) -> None:
    text = script(session(rates="equal", steps=20))
    assert alone.says(text)
    found = session(rates="equal", steps=20)
    found.advance(20)
    text = script(found)
    assert "lr=0.01" in text
    assert re.search("AssertionError: .*from the app's end", alone.fails(text.replace("lr=0.01", "lr=0.011")))


def test_it_tunes_on_request(alone: Alone) -> None:
    found = session(optimizers=("sgd", "adam"), seeds=1)
    found.advance(10**6)
    printed = alone.says(script(found), "--tune")
    tried = [line.split() for line in printed.splitlines() if "(" in line]
    assert len(tried) == 8
    for words in tried:
        assert float(words[3]) == pytest.approx(float(words[4].strip("()")), rel=1e-3)


def test_the_chapter_script_moves_nothing(alone: Alone) -> None:
    experiment = load(ID)
    found = Session(experiment, preset_spec(experiment, "chapter"))
    found.advance(10**6)
    assert alone.says(script(found)).count("no weight has moved") == 5
