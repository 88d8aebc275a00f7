"""landscapes.hyperparameters: its scripts make runs of the map again with torch.optim and agree."""

from __future__ import annotations

from typing import Any

import pytest

from engine.experiments import load
from engine.session.commands import script
from engine.session.session import Session
from engine.spec import build
from tests.alone import Alone

ID = "landscapes.hyperparameters"


def written(**settings: Any) -> str:
    """The script of a finished map."""
    experiment = load(ID)
    session = Session(experiment, build(experiment.Spec, {"resolution": 9, **settings}))
    session.advance(10**6)
    return script(session)


@pytest.mark.parametrize(
    "settings",
    [
        {"surface": "custom", "formula": "sqrt(x^2)+y^2", "optimizer": "nesterov", "convention": "book", "steps": 60},
        {"optimizer": "adam", "x_field": "condition_number", "y_field": "gradient_noise", "steps": 60},
        {"on": "network", "steps": 40, "optimizer": "rmsprop", "convention": "book", "y_field": "batch_size",
         "x_field": "clip", "dtype": "float64", "data": "rings", "samples": 80},
        {"optimizer": "sgd", "x_field": "start_x", "y_field": "seed", "gradient_noise": 0.1, "steps": 40,
         "learning_rate": 0.01},
        {"x_field": "steps", "y_field": "start_y", "x_range": (1, 50), "learning_rate": 0.01, "steps": 40},
        {"on": "network", "steps": 40, "x_field": "steps", "y_field": "seed", "x_range": (1, 30), "dtype": "float64",
         "learning_rate": 0.1},
        {"on": "network", "steps": 20, "x_field": "samples", "y_field": "units", "x_range": (20, 60), "hidden": (3,),
         "optimizer": "rmsprop", "convention": "book", "learning_rate": 0.01, "dtype": "float64"},
    ],
    ids=["book", "noise", "network", "starts", "lengths", "seeds", "sizes"],
)  # fmt: skip
def test_the_script_runs_again_with_torch_and_agrees(settings: dict[str, Any], alone: Alone) -> None:
    assert int(alone.says(written(**settings)).splitlines()[-1].split()[0]) >= 5


def test_the_script_fails_where_the_runs_are_others(alone: Alone) -> None:
    text = written(on="network", steps=30)
    assert "SEED = 0" in text
    assert "in the app" in alone.fails(text.replace("SEED = 0", "SEED = 1"))
