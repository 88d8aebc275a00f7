"""networks.depth: its scripts find the app's losses with torch alone, and notice wrong ones."""

from __future__ import annotations

import re
from typing import Any

import pytest

from engine.experiments import load
from engine.session.commands import script
from engine.session.session import Session
from engine.spec import build
from tests.alone import Alone

EXPERIMENT: Any = load("networks.depth")
SMALL = {"depth": 6, "width": 6, "samples": 40, "batch_size": 16, "steps": 12, "seeds": 2, "learning_rate": 0.01,
         "evaluate_every": 5}  # fmt: skip


def written(steps: int = 10**6, **settings: Any) -> str:
    session = Session(EXPERIMENT, build(EXPERIMENT.Spec, {**SMALL, **settings}))
    session.advance(steps)
    return script(session)


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"normalization": "layer", "activation": "tanh", "optimizer": "adam", "branch": 0.4, "seed": 11},
        {"normalization": "none", "optimizer": "sgd", "data": "rings", "depth": 3},
        {"study": "sweep", "depths": (4, 7), "normalization": "none", "activation": "tanh", "data": "digits"},
    ],
)
def test_scripts_find_the_apps_losses(settings: dict[str, Any], alone: Alone) -> None:
    told = alone.says(written(**settings)).splitlines()
    assert "losses are the app's." in told[-1]
    count = len(settings.get("depths", (0,))) * 3 * 2
    assert len(told) == count + 1 and sum("equal to the end" in line for line in told) >= 0.8 * count
    assert int(told[-1].split()[0]) >= 3 * count


def test_a_live_rate_and_a_part_of_a_sweep(alone: Alone) -> None:
    session = Session(EXPERIMENT, build(EXPERIMENT.Spec, {**SMALL, "study": "sweep", "depths": (4, 7)}))
    session.advance(5)
    session.set_live("learning_rate", 0.03)
    session.advance(9)
    session.set_live("batch_size", 30)
    session.advance(4)
    text = script(session)
    assert "RATES = {1: 0.01, 6: 0.03, 15: 0.03}" in text and "(7, 12): 6," in text
    assert "equal to the end" in alone.says(text)


def test_a_wrong_number_is_noticed(alone: Alone) -> None:
    text = written(normalization="none")
    row = re.search(r'\("plain", 0\): \(\{0: ([0-9.]+),', text)
    assert row is not None
    other = text[: row.start(1)] + repr(float(row[1]) * (1 + 1e-4)) + text[row.end(1) :]
    assert re.search("AssertionError: .*plain, 6 layers, seed 0, update 0", alone.fails(other))


def test_where_rounding_decides_nothing_is_compared(alone: Alone) -> None:
    text = written(depth=40, networks=("plain",), seeds=1, steps=20, learning_rate=0.05, width=16)
    (line, count) = alone.says(text).splitlines()
    assert "equal up to update" in line and int(count.split()[0]) < 5


def test_a_lost_network_is_told(alone: Alone) -> None:
    assert "in the app inf" in alone.says(written(depth=50, width=16, normalization="none", learning_rate=1.0))
