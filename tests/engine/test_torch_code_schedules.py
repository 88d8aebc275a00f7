"""The text that makes a scheduler, executed, against our rates at every step."""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np
import pytest
import torch

from engine.schedules import SCHEDULES, Plateau, momenta, rates
from engine.torch_code.schedules import constructor

PEAK = 0.2
CASES: tuple[tuple[str, dict[str, Any]], ...] = (
    *((name, {}) for name in SCHEDULES if name != "plateau"),
    ("step", {"step_size": 7, "gamma": 0.5}), ("multi_step", {"milestones": (5, 9, 9), "gamma": 0.3}),
    ("cosine", {"T_max": 40, "eta_min": 0.01}), ("cosine_restarts", {"T_0": 5, "T_mult": 2, "eta_min": 0.05}),
    ("polynomial", {"power": 3.5, "total_iters": 20}),
    ("linear", {"start_factor": 1.0, "end_factor": 0.0, "total_iters": 30}),
    ("inverse_sqrt", {"warmup_steps": 0}), ("inverse_sqrt", {"warmup_steps": 5, "timescale": 3.0}),
    ("cyclic", {"base_lr": 0.0, "step_size_up": 3, "step_size_down": 11, "mode": "triangular2"}),
    ("cyclic", {"mode": "exp_range", "gamma": 0.9}),
    ("one_cycle", {"three_phase": True, "anneal_strategy": "linear", "pct_start": 0.4}),
    ("one_cycle", {"total_steps": 3000}),
    ("warmup_cosine", {"warmup_steps": 0}), ("warmup_cosine", {"warmup_factor": 0.1, "eta_min": 0.01, "T_max": 30}),
    ("warmup_cosine", {"warmup_steps": 500}), ("warmup_linear", {"end_factor": 0.25, "total_iters": 20}),
    ("warmup_linear", {"warmup_steps": 1}), ("warmup_linear", {"warmup_factor": 0.5, "warmup_steps": 4}),
    *(("wsd", {"decay": decay, "eta_min": low, "decay_share": share, "warmup_steps": warmup})
      for decay in ("linear", "cosine", "sqrt") for low, share, warmup in ((0.0, 0.2, 10), (0.02, 0.9, 30), (0, 0, 0))),
    ("drawn", {"smooth": True}), ("drawn", {"knots": ((0.3, 0.7),)}),
    ("drawn", {"knots": ((0.3, 0.7),), "smooth": True}),
    ("drawn", {"knots": ((0.1, 0.9), (0.8, 0.2)), "smooth": True}),
    ("drawn", {"knots": ((0.1, 0.2), (0.4, 0.2), (0.5, 0.9), (0.7, 0.1), (0.9, 0.15)), "smooth": True}),
)  # fmt: skip


def made(lines: list[str]) -> tuple[Any, Any]:
    """The optimizer and the scheduler that the lines make."""
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=PEAK, momentum=0.9)
    names: dict[str, Any] = {"torch": torch, "math": math, "optimizer": optimizer}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        exec("\n".join(lines), names)
    return optimizer, names["scheduler"]


def walked(lines: list[str], total: int) -> tuple[Any, Any]:
    """Rate and momentum at each step, as a script would find them."""
    optimizer, scheduler = made(lines)
    found = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for _ in range(total):
            group = optimizer.param_groups[0]
            found.append((float(group["lr"]), float(group["momentum"])))
            optimizer.step()
            scheduler.step()
    lr, momentum = np.array(found).T
    return lr, momentum


@pytest.mark.parametrize("total", [1, 2, 60, 400])
@pytest.mark.parametrize(("name", "parameters"), CASES, ids=lambda p: str(p)[:60])
def test_the_text_makes_our_rates(name: str, parameters: dict[str, Any], total: int) -> None:
    lines = constructor(name, parameters, total, PEAK)
    lr, momentum = walked(lines, total)
    ours = rates(name, np.arange(total), total, PEAK, **parameters)
    np.testing.assert_allclose(lr, ours, rtol=0, atol=1e-9 * PEAK, err_msg="\n".join(lines))
    if SCHEDULES[name].momentum is not None:
        ours = momenta(name, np.arange(total), total, PEAK, **parameters)
        np.testing.assert_allclose(momentum, ours, rtol=0, atol=1e-12)


WARMED = (
    "constant",
    "step",
    "multi_step",
    "exponential",
    "cosine",
    "cosine_restarts",
    "polynomial",
    "linear",
    "cyclic",
)


@pytest.mark.parametrize("factor", [0.0, 0.3])
@pytest.mark.parametrize("name", WARMED)
def test_the_text_of_a_warm_up_before_any(name: str, factor: float) -> None:
    total, warmup = 90, 15
    lines = constructor(name, {}, total, PEAK, warmup=warmup, warmup_factor=factor)
    ours = rates(name, np.arange(total), total, PEAK, warmup=warmup, warmup_factor=factor)
    lr, _ = walked(lines, total)
    np.testing.assert_allclose(lr, ours, rtol=0, atol=1e-9 * PEAK, err_msg="\n".join(lines))


def test_plateau_is_made_with_its_settings() -> None:
    given = {"patience": 2, "factor": 0.5, "cooldown": 1, "threshold_mode": "abs", "threshold": 0.1}
    optimizer, scheduler = made(constructor("plateau", given, 50, PEAK))
    machine = Plateau(**given)  # type: ignore[arg-type]
    state = machine.start(PEAK)
    for k in range(50):
        metric = math.sin(k) / (1 + k)
        scheduler.step(metric)
        assert machine.advance(state, metric) == optimizer.param_groups[0]["lr"]
    assert state.rate < PEAK / 4


def test_lines_are_short_and_name_the_optimizer() -> None:
    for name, parameters in CASES:
        lines = constructor(name, parameters, 400, PEAK, "others")
        assert all(len(line) <= 120 for line in lines), (name, max(lines, key=len))
        assert "others" in "\n".join(lines) and "optimizer," not in "\n".join(lines)


@pytest.mark.parametrize(
    ("name", "parameters", "more", "words"),
    [
        ("one_cycle", {"total_steps": 10}, {}, "refuses to step beyond"),
        ("cosin", {}, {}, "no such schedule"),
        ("cosine", {"T_min": 3}, {}, "has no parameter 'T_min'"),
        ("drawn", {"knots": ((0.5, 1.0), (0.2, 1.0))}, {}, "to the right"),
        ("wsd", {}, {"warmup": 5}, "not offered"),
    ],
)
def test_what_cannot_be_made_is_told(name: str, parameters: dict[str, Any], more: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        constructor(name, parameters, 100, PEAK, **more)
