"""networks.normalization: its scripts find the app's numbers with torch's own layers, and notice wrong ones."""

from __future__ import annotations

import re
from typing import Any

import pytest

from engine.experiments import load
from engine.session.commands import script
from engine.session.session import Session
from engine.spec import build
from tests.alone import Alone

EXPERIMENT: Any = load("networks.normalization")
ALL = ("batch", "layer", "instance", "group", "none")
SMALL: Any = {"study": "train", "samples": 48, "maps": 4, "seeds": 2, "batch_size": 8, "epochs": 2}


def written(steps: int = 10**6, **settings: Any) -> str:
    session = Session(EXPERIMENT, build(EXPERIMENT.Spec, settings))
    session.advance(steps)
    return script(session)


@pytest.mark.parametrize(
    ("settings", "steps"),
    [
        ({"norms": ALL}, 12),
        ({"norms": ALL}, 5),
        ({"convention": "book", "variance": "unbiased", "channels": 6, "group_size": 3, "tensor_seed": 7}, 99),
        ({"side": 1, "batch": 1}, 99),
    ],
)
def test_a_tensor(settings: dict[str, Any], steps: int, alone: Alone) -> None:
    told = alone.says(written(steps, **settings)).splitlines()
    assert len(told) == len(settings.get("norms", range(4)))
    assert ("torch's layer" in told[2]) == (steps >= 12 and settings.get("side") != 1)


@pytest.mark.parametrize(
    "settings",
    [
        {"norms": ALL},
        {"norms": ("batch", "none"), "optimizer": "momentum", "learning_rate": 0.01, "scaling": "linear"},
        {"study": "sweep", "sizes": (6, 48), "norms": ("batch", "group"), "optimizer": "sgd", "groups": 4},
    ],
)
def test_training(settings: dict[str, Any], alone: Alone) -> None:
    told = alone.says(written(**{**SMALL, **settings})).splitlines()
    count = 2 * len(settings["norms"]) * len(settings.get("sizes", (0,)))
    assert len(told) == count + 1 and sum("equal to the end" in line for line in told) >= 0.8 * count


def test_a_part_with_live_changes(alone: Alone) -> None:
    session = Session(EXPERIMENT, build(EXPERIMENT.Spec, {**SMALL, "norms": ("layer",), "samples": 400, "seeds": 1}))
    session.advance(5)
    session.set_live("learning_rate", 0.001)
    session.advance(2)
    text = script(session)
    assert "RATES = {1: 0.003, 6: 0.001}" in text and "(8, 0): 7," in text
    assert "equal to the end" in alone.says(text)


def test_wrong_numbers_are_noticed(alone: Alone) -> None:
    text = written(**SMALL, norms=("layer",))
    row = re.search(r'\("layer", 0\): \(\{0: ([0-9.]+),', text)
    assert row is not None
    other = text[: row.start(1)] + repr(float(row[1]) * (1 + 1e-4)) + text[row.end(1) :]
    assert re.search("AssertionError: .*layer, batches of 8, seed 0, update 0", alone.fails(other))
    other = written(norms=("batch",)).replace("SEED = 4, 3, 4, 1, 42", "SEED = 4, 3, 4, 1, 43")
    assert re.search("AssertionError: .*batch: .* from the app's numbers", alone.fails(other))


def test_a_script_of_the_settings_it_opens_with(alone: Alone) -> None:
    assert alone.says(written()).count("the app's numbers") == 4
