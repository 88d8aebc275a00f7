"""networks.gradient_flow: its scripts find the app's numbers with torch alone, and notice wrong ones."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from engine.experiments import load
from engine.session.commands import script
from engine.session.presets import preset_spec
from engine.session.session import Session
from engine.spec import build

EXPERIMENT: Any = load("networks.gradient_flow")
ALL = ("network", "plain", "initialization", "activation", "normalization", "residual", "clipping")
SMALL = {"width": 12, "samples": 9, "seeds": 3, "depth": 6}


def written(spec: Any, steps: int) -> str:
    session = Session(EXPERIMENT, spec)
    session.advance(steps)
    return script(session)


def played(text: str) -> None:
    before = torch.get_default_dtype()
    try:
        exec(compile(text, "script", "exec"), {})
    finally:
        torch.set_default_dtype(before)


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"normalization": "batch", "residual": True, "clipping": "norm", "clip_at": 0.05, "branch": 0.4},
        {"normalization": "layer", "clipping": "value", "clip_at": 1e-3, "loss": "mse", "seed": 11},
        {"activation": "leaky_relu", "initialization": "orthogonal", "plain.activation": "elu"},
        {"activation": "gelu", "initialization": "normal", "std": 0.4, "plain.activation": "silu"},
        {"activation": "tanh", "initialization": "torch", "plain.activation": "identity", "depth": 1},
    ],
)
def test_scripts_find_the_apps_numbers(settings: dict[str, Any], capsys: Any) -> None:
    spec = build(EXPERIMENT.Spec, {**SMALL, "networks": ALL, **settings})
    played(written(spec, 10**6))
    numbers = int(capsys.readouterr().out.rstrip().splitlines()[-1].split()[0])
    assert numbers == 7 * (3 * 3 + 6 * spec.depth)  # of each network: three of each seed, six of each layer


def test_a_script_of_a_part_tells_of_that_part(capsys: Any) -> None:
    played(written(build(EXPERIMENT.Spec, SMALL), 8))  # within the second seed
    assert "seed 1: gradient" in capsys.readouterr().out


def test_a_wrong_number_is_noticed() -> None:
    text = written(build(EXPERIMENT.Spec, SMALL), 3)
    row = re.search(r"LAYERED = \{\n.*\n +\[([^,]+),", text)
    assert row is not None
    other = text[: row.start(1)] + repr(float(row[1]) * (1 + 1e-5)) + text[row.end(1) :]
    with pytest.raises(AssertionError, match="network, seed 0, layer 1, activation_rms"):
        played(other)


def test_where_last_bits_decide_nothing_is_compared(capsys: Any) -> None:
    chaos = {"activation": "tanh", "initialization": "normal", "std": 3.0, "width": 64, "depth": 60, "seeds": 2}
    text = written(build(EXPERIMENT.Spec, {"networks": ("network",), **chaos}), 10**6)
    assert "Where a number is None it is not compared" in text
    played(text)
    numbers = int(capsys.readouterr().out.rstrip().splitlines()[-1].split()[0])
    assert 10 < numbers < 6 * 60


def test_overflow_is_not_compared(capsys: Any) -> None:
    wild = {"initialization": "normal", "std": 100.0, "width": 256, "depth": 100, "seeds": 2, "samples": 2}
    session = Session(EXPERIMENT, build(EXPERIMENT.Spec, {"networks": ("network",), **wild}))
    session.advance(150)
    assert session.branch.endings
    played(script(session))
    assert "numbers are the app's." in capsys.readouterr().out


def test_a_script_runs_alone(tmp_path: Path) -> None:
    path = tmp_path / "flow.py"
    path.write_text(written(preset_spec(EXPERIMENT, "cures"), 30), encoding="utf-8")
    done = subprocess.run([sys.executable, str(path)], capture_output=True, text=True, timeout=110, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "756 numbers are the app's." in done.stdout
