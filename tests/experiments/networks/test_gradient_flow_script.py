"""networks.gradient_flow: its scripts find the app's numbers with torch alone, and notice wrong ones."""

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

EXPERIMENT: Any = load("networks.gradient_flow")
ALL = ("network", "plain", "initialization", "activation", "normalization", "residual", "clipping")
SMALL = {"width": 12, "samples": 9, "seeds": 3, "depth": 6}


def written(spec: Any, steps: int) -> str:
    session = Session(EXPERIMENT, spec)
    session.advance(steps)
    return script(session)


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"normalization": "batch", "residual": True, "clipping": "norm", "clip_at": 0.05, "branch": 0.4},
        {"normalization": "layer", "clipping": "value", "clip_at": 1e-3, "loss": "mse", "seed": 11},
        {"activation": "leaky_relu", "initialization": "orthogonal", "plain.activation": "elu"},
        {"activation": "gelu", "initialization": "normal", "std": 0.4, "plain.activation": "mish"},
        {"activation": "tanh", "initialization": "torch", "plain.activation": "identity", "depth": 1},
    ],
)
def test_scripts_find_the_apps_numbers(settings: dict[str, Any], alone: Alone) -> None:
    spec = build(EXPERIMENT.Spec, {**SMALL, "networks": ALL, **settings})
    numbers = int(alone.says(written(spec, 10**6)).rstrip().splitlines()[-1].split()[0])
    assert numbers == 7 * (3 * 3 + 6 * spec.depth)  # of each network: three of each seed, six of each layer


def test_a_script_of_a_part_tells_of_that_part(alone: Alone) -> None:
    within_the_second_seed = written(build(EXPERIMENT.Spec, SMALL), 8)
    assert "seed 1: gradient" in alone.says(within_the_second_seed)


def test_a_wrong_number_is_noticed(alone: Alone) -> None:
    text = written(build(EXPERIMENT.Spec, SMALL), 3)
    row = re.search(r"LAYERED = \{\n.*\n +\[([^,]+),", text)
    assert row is not None
    other = text[: row.start(1)] + repr(float(row[1]) * (1 + 1e-5)) + text[row.end(1) :]
    assert re.search("AssertionError: .*network, seed 0, layer 1, activation_rms", alone.fails(other))


def test_where_last_bits_decide_nothing_is_compared(alone: Alone) -> None:
    chaos = {"activation": "tanh", "initialization": "normal", "std": 3.0, "width": 64, "depth": 60, "seeds": 2}
    text = written(build(EXPERIMENT.Spec, {"networks": ("network",), **chaos}), 10**6)
    assert "Where a number is None it is not compared" in text
    numbers = int(alone.says(text).rstrip().splitlines()[-1].split()[0])
    assert 10 < numbers < 6 * 60


def test_overflow_is_not_compared(alone: Alone) -> None:
    wild = {"initialization": "normal", "std": 100.0, "width": 256, "depth": 100, "seeds": 2, "samples": 2}
    session = Session(EXPERIMENT, build(EXPERIMENT.Spec, {"networks": ("network",), **wild}))
    session.advance(150)
    assert session.branch.endings
    assert "numbers are the app's." in alone.says(script(session))


def test_a_script_of_a_preset(alone: Alone) -> None:
    assert "756 numbers are the app's." in alone.says(written(preset_spec(EXPERIMENT, "cures"), 30))
