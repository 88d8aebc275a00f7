"""Exported scripts of architectures run alone, and notice what is wrong."""

from __future__ import annotations

import re
from typing import Any

import pytest

from engine.architectures.library import LIBRARY
from engine.experiments import load
from engine.session.commands import script
from engine.session.presets import preset_spec, presets
from engine.session.session import Session
from engine.spec import build
from tests.alone import Alone

ID = "networks.architectures"
EXPERIMENT: Any = load(ID)


def text_of(settings: dict[str, Any] | str, steps: int = 10**6) -> str:
    """The script of a preset, or of these settings."""
    named = isinstance(settings, str)
    spec = preset_spec(EXPERIMENT, settings) if named else build(EXPERIMENT.Spec, settings)  # type: ignore[arg-type]
    session = Session(EXPERIMENT, spec)
    session.advance(steps)
    return script(session)


def test_it_counts_as_is_published(alone: Alone) -> None:
    printed = alone.says(text_of("resnet50"))
    assert "175 layers: 25,557,032 parameters, 4,089,184,256 multiply-adds" in printed


@pytest.mark.parametrize("model", LIBRARY)
def test_every_network_of_the_library(model: str, alone: Alone) -> None:
    text = text_of({"model": model})
    assert "Shapes and counts are the app's" in alone.says(text)
    assert max(len(line) for line in text.split("\n")) <= 120


@pytest.mark.parametrize("preset", [one.name for one in presets(ID) if one.settings.get("model") == "custom"])
def test_own_networks(preset: str, alone: Alone) -> None:
    alone.says(text_of(preset))


@pytest.mark.parametrize("steps", [0, 1, 17])
def test_only_what_was_reached_is_compared(steps: int, alone: Alone) -> None:
    assert alone.says(text_of({"model": "resnet18"}, steps)).startswith(f"{steps} layers:")


def test_a_network_that_cannot_be_is_written_as_far_as_it_goes(alone: Alone) -> None:
    text = text_of("too_small")
    assert "does not fit into 1×1" in text
    assert alone.says(text).startswith("12 layers:")
    text = text_of({"model": "vgg16", "input": "10"})
    assert alone.says(text).startswith("0 layers:")


def test_a_changed_network_is_noticed(alone: Alone) -> None:
    text = text_of({"model": "lenet5"})
    wider = text.replace("nn.Linear(400, 120)", "nn.Linear(400, 121)").replace("Linear(120, 84)", "Linear(121, 84)")
    assert re.search("AssertionError: .*layer 8: output, parameters", alone.fails(wider))
    other = re.sub(r"WHOLE = (.*), \d+", r"WHOLE = \1, 1", text)
    assert re.search("AssertionError: .*parameters in all", alone.fails(other))


def test_the_network_it_returns_computes(alone: Alone) -> None:
    text = text_of({"model": "lenet5"})
    printed = alone.says(f"{text}\nprint(*build().eval()(torch.rand(3, 1, 32, 32)).shape)\n")
    assert printed.splitlines()[-1] == "3 10"
