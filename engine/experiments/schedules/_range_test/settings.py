"""The settings of a learning-rate range test, the rate of each of its steps, and what is handed to training."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import create_model

from engine.experiments._shared.trained.settings import (
    DIGITS,
    data_fields,
    hypers,
    network_fields,
    optimizer_fields,
    rule_groups,
    run_fields,
)
from engine.spec import Spec, choice, number

Floats = NDArray[np.float64]
TRAINING = "schedules.training"
TESTED = 500  # samples held back there, where there are as many
GROWTH = {"exponential": "Exponential", "linear": "Linear"}
_SAME = ("data", "samples", "noise", "hidden", "activation", "initialization", "optimizer", "convention", "batch_size",
         "seed", "dtype")  # fmt: skip

_fields: dict[str, Any] = {
    "min_lr": (float, number(1e-4, 1e-12, 1e6, "Lowest rate", "Where the test begins", log=True, group="Test")),
    "max_lr": (float, number(10.0, 1e-12, 1e6, "Highest rate", "Where it ends, unless it stops before", log=True,
                             group="Test")),
    "steps": (int, number(200, 2, 5000, "Test steps", "How many batches are tried, each at a higher rate", log=True,
                          group="Test")),
    "growth": (str, choice("exponential", GROWTH, "The rate grows", "By a factor each step, or by an amount",
                           group="Test")),
    "smoothing": (float, number(0.9, 0.0, 0.999, "Smoothing",
                                "Share of the average so far in each new one; 0: none", group="Test")),
    "stop_factor": (float, number(4.0, 0.0, 1e6, "Stops at", "So many times the lowest smoothed loss; 0: never",
                                  unit="times", live=True, log=True, group="Test")),
    "warm_steps": (int, number(0, 0, 20_000, "Train first", "Steps at a constant rate before the test", unit="steps",
                               log=True, group="Before")),
    "warm_rate": (float, number(0.05, 0.0, 1e6, "At the rate", "Of the steps before the test", log=True,
                                group="Before")),
    **optimizer_fields("momentum"),
    "batch_size": (int, number(32, 0, 5000, "Batch size", "Samples a step takes; 0, or more than there are: all",
                               live=True, log=True, group="Optimizer")),
    **data_fields("digits", 1200, 0.2, {}),
    **network_fields((32,), "relu", "he_normal"),
    **run_fields("Of the data, the first weights and the batches"),
}  # fmt: skip
RangeTestSpec = create_model("RangeTestSpec", __base__=Spec, **_fields, **rule_groups())


def rates_of(spec: Any) -> Floats:
    """The rate of each step of the test, [steps]: from `min_lr` to `max_lr`, by one factor or by one amount."""
    share = np.linspace(0.0, 1.0, spec.steps)
    if spec.growth == "linear":
        return np.asarray(spec.min_lr + (spec.max_lr - spec.min_lr) * share, float)
    return np.asarray(spec.min_lr * (spec.max_lr / spec.min_lr) ** share, float)


def training(spec: Any, rate: float, three_phase: bool) -> dict[str, Any]:
    """Settings of `schedules.training`, by dotted key: one-cycle up to this rate, of the same network on the same data
    in the same order; in three phases, or in two."""
    settings: dict[str, Any] = {key: getattr(spec, key) for key in _SAME}
    settings |= {f"{spec.optimizer}.{name}": value for name, value in hypers(spec).items()}
    if spec.data == "digits":
        settings["test_samples"] = max(0, min(TESTED, DIGITS - spec.samples))
    return settings | {"schedules": ("one_cycle",), "base_lr": rate, "one_cycle.three_phase": three_phase}
