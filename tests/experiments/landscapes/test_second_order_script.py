"""The scripts of first against second order run alone and end where the app ended."""

from __future__ import annotations

from typing import Any

import pytest

from engine.experiments import load
from engine.experiments.landscapes._second_order.methods import CONTESTANTS
from engine.experiments.landscapes._second_order.rehearsal import rehearse
from engine.session.commands import script
from engine.session.session import Session
from engine.spec import build
from tests.alone import Alone

ID = "landscapes.second_order"
SMALL = {"samples": 40, "inputs": 5, "steps": 30}
RUNS: dict[str, dict[str, Any]] = {
    "logistic": SMALL,
    "softmax in batches": {**SMALL, "classes": 3, "batch_size": 11, "steps": 15},
    "network": {"problem": "network", "data": "moons", "hidden": (4, 3), "samples": 30, "steps": 15},
    "quadratic": {"problem": "quadratic", "sgd.learning_rate": 1.0, "newton.damping": 0, "steps": 200},
    "growing": {"study": "size", "samples": 30, "lowest": 4, "highest": 9, "count": 2, "tolerance": 3e-3},
    "growing network": {"study": "size", "problem": "network", "data": "moons", "samples": 30, "lowest": 9,
                        "highest": 17, "count": 2, "tolerance": 0.3},
}  # fmt: skip


@pytest.mark.parametrize("name", RUNS)
def test_scripts_agree(name: str, alone: Alone) -> None:
    experiment = load(ID)
    session = Session(experiment, build(experiment.Spec, RUNS[name]))
    for step in (3, 43) if name.startswith("growing") else (3,):
        session.advance(step - session.step)
        session.set_live("adam.learning_rate", 1.0 / (step + 20))
        session.set_live("kfac.damping", 1.0 / (step + 100))
    session.advance(10**6)
    printed = alone.says(script(session))
    assert "in the app" in printed.splitlines()[-1]
    for one in session.series:
        assert one in printed
    if name == "quadratic":
        assert "lost by step" in printed


def test_a_script_notices_another_end(alone: Alone) -> None:
    experiment = load(ID)
    session = Session(experiment, build(experiment.Spec, SMALL | {"optimizers": ("sgd",)}))
    session.advance(20)
    text = script(session)
    assert '"lr": 1.0' in text
    assert "from where it ended in the app" in alone.fails(text.replace('"lr": 1.0', '"lr": 1.0001'))


def test_most_can_be_followed_to_the_end_and_none_beyond_its_own() -> None:
    experiment = load(ID)
    spec = build(experiment.Spec, SMALL)
    session = Session(experiment, spec)
    session.advance(30)
    found = rehearse(experiment, [(0, spec)], 30)
    ends = {session.series[e.series]: e.step for e in session.branch.endings}
    assert list(found) == list(CONTESTANTS)
    for name, one in found.items():
        assert 0 < one.step <= ends.get(name, 30) and not one.lost
    assert found["newton"].step == ends["newton"] and found["sgd"].step == 30
