"""networks.convolution: its scripts find the app's numbers with torch's own layers, and notice wrong ones."""

from __future__ import annotations

import re
from typing import Any

import pytest

from engine.experiments import load
from engine.session.branches import Event
from engine.session.commands import script
from engine.session.session import Session
from engine.spec import build
from tests.alone import Alone

EXPERIMENT: Any = load("networks.convolution")
SMALL: Any = {"study": "training", "samples": 64, "test_samples": 20, "batch_size": 16, "steps": 20,
              "layers": "conv 3x3 3 stride 2; relu; flatten; dense 10"}  # fmt: skip


def written(steps: int = 10**6, events: Any = (), **settings: Any) -> str:
    session = Session(EXPERIMENT, build(EXPERIMENT.Spec, settings), events)
    session.advance(steps)
    return script(session)


@pytest.mark.parametrize(
    ("settings", "steps"),
    [
        ({"padding": 1, "digit": 3}, 99),
        ({"padding": 1}, 10),
        ({"padding": 1}, 0),
        ({"kernel": "own", "own": "1 2 1/3; -1 0 2", "turned": "yes", "dilation": 3, "padding": 4, "bias": 1.5}, 99),
        ({"operation": "max", "window": 3, "stride": 2, "padding": 1, "dilation": 2}, 99),
        ({"operation": "max", "window": 3}, 99),
        ({"operation": "average", "window": 3, "padding": 1, "stride": 3, "picture": "board"}, 99),
        ({"operation": "global_max", "picture": "drawn"}, 1),
        ({"operation": "global_average"}, 1),
    ],
)
def test_by_hand(settings: dict[str, Any], steps: int, alone: Alone) -> None:
    text = written(steps, **settings)
    assert "positions compared" in alone.says(text)
    assert "engine" not in text and max(map(len, text.splitlines())) <= 120


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"optimizer": "momentum", "learning_rate": 0.02},
        {"layers": "conv 3x3 3 stride 2; batchnorm; relu; dropout 0.2; mean; flatten; dense 10"},
        {"optimizer": "lion", "learning_rate": 0.001},
        {"layers": "conv 3x3 3 stride 2 dilation 2; relu; conv 2x2 4 dilation 3 padding 0; flatten; dense 10"},
    ],
)
def test_training(settings: dict[str, Any], alone: Alone) -> None:
    assert "from the app's" in alone.says(written(**{**SMALL, **settings}))


def test_live_changes_are_repeated(alone: Alone) -> None:
    events = [Event(5, "learning_rate", 0.02), Event(8, "batch_size", 10), Event(9, "adam.beta1", 0.5)]
    text = written(events=events, **SMALL)
    assert "batch_size = 10 from step 9 on" in text
    alone.says(text)


def test_a_run_that_overflowed_overflows_again(alone: Alone) -> None:
    wild = {"optimizer": "sgd", "learning_rate": 1e3, "layers": "conv 3x3 4; flatten; dense 10"}
    alone.says(written(**{**SMALL, **wild}))


def test_wrong_numbers_are_noticed(alone: Alone) -> None:
    other = re.sub(r"APP = \(\s*np\.array\(\[[-0-9.]+,", "APP = (np.array([99.0,", written(padding=1), count=1)
    assert re.search("AssertionError: .*away from the app's numbers", alone.fails(other))
    text = written(**SMALL)
    other = text.replace("RATES", "2 * RATES", 1) if "RATES" in text else text.replace("lr=0.005", "lr=0.006")
    assert alone.fails(other).startswith("AssertionError: ")
