"""networks.normalization: its scripts find the app's numbers with torch's own layers, and notice wrong ones."""

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
from engine.session.session import Session
from engine.spec import build

EXPERIMENT: Any = load("networks.normalization")
ALL = ("batch", "layer", "instance", "group", "none")
SMALL: Any = {"study": "train", "samples": 48, "maps": 4, "seeds": 2, "batch_size": 8, "epochs": 2}


def written(steps: int = 10**6, **settings: Any) -> str:
    session = Session(EXPERIMENT, build(EXPERIMENT.Spec, settings))
    session.advance(steps)
    return script(session)


def played(text: str) -> None:
    before = torch.get_default_dtype()
    try:
        exec(compile(text, "script", "exec"), {})
    finally:
        torch.set_default_dtype(before)


@pytest.mark.parametrize(
    ("settings", "steps"),
    [
        ({"norms": ALL}, 12),
        ({"norms": ALL}, 5),
        ({"convention": "book", "variance": "unbiased", "channels": 6, "group_size": 3, "tensor_seed": 7}, 99),
        ({"side": 1, "batch": 1}, 99),
    ],
)
def test_a_tensor(settings: dict[str, Any], steps: int, capsys: Any) -> None:
    played(written(steps, **settings))
    told = capsys.readouterr().out.splitlines()
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
def test_training(settings: dict[str, Any], capsys: Any) -> None:
    played(written(**{**SMALL, **settings}))
    told = capsys.readouterr().out.splitlines()
    count = 2 * len(settings["norms"]) * len(settings.get("sizes", (0,)))
    assert len(told) == count + 1 and sum("equal to the end" in line for line in told) >= 0.8 * count


def test_a_part_with_live_changes(capsys: Any) -> None:
    session = Session(EXPERIMENT, build(EXPERIMENT.Spec, {**SMALL, "norms": ("layer",), "samples": 400, "seeds": 1}))
    session.advance(5)
    session.set_live("learning_rate", 0.001)
    session.advance(2)
    text = script(session)
    assert "RATES = {1: 0.003, 6: 0.001}" in text and "(8, 0): 7," in text
    played(text)
    assert "equal to the end" in capsys.readouterr().out


def test_wrong_numbers_are_noticed() -> None:
    text = written(**SMALL, norms=("layer",))
    row = re.search(r'\("layer", 0\): \(\{0: ([0-9.]+),', text)
    assert row is not None
    with pytest.raises(AssertionError, match="layer, batches of 8, seed 0, update 0"):
        played(text[: row.start(1)] + repr(float(row[1]) * (1 + 1e-4)) + text[row.end(1) :])
    with pytest.raises(AssertionError, match=r"batch: .* from the app's numbers"):
        played(written(norms=("batch",)).replace("SEED = 4, 3, 4, 1, 42", "SEED = 4, 3, 4, 1, 43"))


def test_a_script_runs_alone(tmp_path: Path) -> None:
    path = tmp_path / "normalization.py"
    path.write_text(written(), encoding="utf-8")
    done = subprocess.run([sys.executable, str(path)], capture_output=True, text=True, timeout=110, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("the app's numbers") == 4
