"""Exported scripts of the playground run alone and end where the app ends."""

from __future__ import annotations

import re
from typing import Any

import pytest

from engine.experiments import load
from engine.session.commands import script
from engine.session.presets import preset_spec
from engine.session.session import Session
from engine.spec import build
from tests.alone import Alone

PLAYGROUND: Any = load("networks.playground")
QUICK = {"samples": 60, "hidden": (6, 5), "steps": 80}


def tolerance(text: str) -> float:
    found = re.search(r"^TOLERANCE = (\S+)$", text, re.MULTILINE)
    assert found
    return float(found.group(1))


@pytest.mark.parametrize(("preset", "steps"), [("chapter_lab", 5000), ("digits", 60), ("batch_norm", 80)])
def test_presets_run_alone(preset: str, steps: int, alone: Alone) -> None:
    session = Session(PLAYGROUND, preset_spec(PLAYGROUND, preset))
    session.advance(steps)
    text = script(session)
    printed = alone.says(text)
    assert f"{session.state.model.network.parameters} parameters, the farthest" in printed
    if preset == "chapter_lab":
        assert tolerance(text) <= 1e-8 and "loss before it 0.41970818" in printed


CASES: dict[str, dict[str, Any]] = {
    "minibatches, dropout, penalties": {"batch_size": 7, "dropout": 0.3, "l1": 1e-3, "l2": 1e-2, "clip": 0.5},
    "book nesterov, decay": {"optimizer": "nesterov", "convention": "book", "nesterov.weight_decay": 0.01},
    "layer norm, residual": {"normalization": "layer", "residual": True, "hidden": (5, 5)},
    "classes as squares": {"data": "rings", "loss": "mse", "optimizer": "rmsprop"},
    "cosine": {"schedule": "warmup_cosine", "warmup_cosine.warmup_steps": 10, "optimizer": "sgd"},
    "function": {"data": "function", "activations": ("prelu", "gelu"), "slope": 0.1},
    "no hidden layer": {"hidden": (), "data": "gauss"},
}


@pytest.mark.parametrize("name", CASES)
def test_scripts_end_where_the_app_ends(name: str, alone: Alone) -> None:
    session = Session(PLAYGROUND, build(PLAYGROUND.Spec, {**QUICK, "dtype": "float64", **CASES[name]}))
    session.advance(10**6)
    text = script(session)
    assert tolerance(text) <= 1e-7
    assert "the farthest" in alone.says(text)
    assert max(len(line) for line in text.split("\n")) <= 120


def test_live_changes_are_in_the_script(alone: Alone) -> None:
    settings = {**QUICK, "dtype": "float64", "batch_size": 8, "l2": 0.01}
    session = Session(PLAYGROUND, build(PLAYGROUND.Spec, settings))
    session.advance(20)
    for key, value in (("learning_rate", 0.05), ("batch_size", 5), ("adam.beta1", 0.5), ("l2", 0.1), ("steps", 90)):
        session.set_live(key, value)
    session.advance(30)
    session.set_live("clip", 0.1)
    session.advance(30)
    text = script(session)
    assert "learning_rate = 0.05 from step 21 on" in text and "batch_size = 5" in text
    alone.says(text)
    other = text.replace("batch_size = 5", "batch_size = 6")
    assert re.search("AssertionError: .*a parameter ended", alone.fails(other))


def test_single_precision_is_held_to_what_rounding_allows(alone: Alone) -> None:
    session = Session(PLAYGROUND, build(PLAYGROUND.Spec, {**QUICK, "activation": "relu", "steps": 400}))
    session.advance(400)
    text = script(session)
    assert "set_default_dtype(torch.float32)" in text and 1e-4 <= tolerance(text) < 0.1
    alone.says(text)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_diverged_run_diverges_in_its_script(dtype: str, alone: Alone) -> None:
    spec = preset_spec(PLAYGROUND, "too_high").model_copy(update={"dtype": dtype})
    session = Session(PLAYGROUND, spec)
    session.advance(10**6)
    assert session.finish == "diverged"
    text = script(session)
    assert "no longer finite at step" in text or "the farthest" in text
    alone.says(text)
