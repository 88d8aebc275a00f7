"""Exported scripts of architectures run alone, and notice what is wrong."""

from __future__ import annotations

import contextlib
import io
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from engine.architectures.library import LIBRARY
from engine.experiments import load
from engine.session.commands import script
from engine.session.presets import preset_spec, presets
from engine.session.session import Session
from engine.spec import build

ID = "networks.architectures"
EXPERIMENT: Any = load(ID)


def execute(text: str) -> tuple[str, dict[str, Any]]:
    """What a script prints and what it leaves, run in this process: loading torch anew would take longest of all."""
    printed, space = io.StringIO(), {"__name__": "__main__"}
    with contextlib.redirect_stdout(printed):
        exec(compile(text, "script.py", "exec"), space)
    return printed.getvalue(), space


def text_of(settings: dict[str, Any] | str, steps: int = 10**6) -> str:
    """The script of a preset, or of these settings."""
    named = isinstance(settings, str)
    spec = preset_spec(EXPERIMENT, settings) if named else build(EXPERIMENT.Spec, settings)  # type: ignore[arg-type]
    session = Session(EXPERIMENT, spec)
    session.advance(steps)
    return script(session)


def test_a_script_runs_alone(tmp_path: Path) -> None:
    path = tmp_path / "network.py"
    path.write_text(text_of("resnet50"), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-I", "-W", "error", str(path)], cwd=tmp_path, capture_output=True, text=True, timeout=110
    )
    assert done.returncode == 0, done.stderr
    assert "175 layers: 25,557,032 parameters, 4,089,184,256 multiply-adds" in done.stdout


@pytest.mark.parametrize("model", LIBRARY)
def test_every_network_of_the_library(model: str) -> None:
    text = text_of({"model": model})
    printed, _ = execute(text)
    assert "Shapes and counts are the app's" in printed
    assert max(len(line) for line in text.split("\n")) <= 120


@pytest.mark.parametrize("preset", [one.name for one in presets(ID) if one.settings.get("model") == "custom"])
def test_own_networks(preset: str) -> None:
    execute(text_of(preset))


@pytest.mark.parametrize("steps", [0, 1, 17])
def test_only_what_was_reached_is_compared(steps: int) -> None:
    printed, _ = execute(text_of({"model": "resnet18"}, steps))
    assert printed.startswith(f"{steps} layers:")


def test_a_network_that_cannot_be_is_written_as_far_as_it_goes() -> None:
    text = text_of("too_small")
    assert "does not fit into 1×1" in text
    printed, _ = execute(text)
    assert printed.startswith("12 layers:")
    text = text_of({"model": "vgg16", "input": "10"})
    assert execute(text)[0].startswith("0 layers:")


def test_a_changed_network_is_noticed() -> None:
    text = text_of({"model": "lenet5"})
    with pytest.raises(AssertionError, match="layer 8: output, parameters"):
        execute(
            text.replace("nn.Linear(400, 120)", "nn.Linear(400, 121)").replace("Linear(120, 84)", "Linear(121, 84)")
        )
    with pytest.raises(AssertionError, match="parameters in all"):
        execute(re.sub(r"WHOLE = (.*), \d+", r"WHOLE = \1, 1", text))


def test_the_network_it_returns_computes() -> None:
    _, space = execute(text_of({"model": "lenet5"}))
    network = space["build"]().eval()
    assert network(torch.rand(3, 1, 32, 32)).shape == (3, 10)
