"""The settings of training under several schedules."""

from __future__ import annotations

from typing import Any

from pydantic import create_model

from engine.experiments._shared.trained.settings import (
    data_fields,
    network_fields,
    optimizer_fields,
    rule_groups,
    run_fields,
)
from engine.experiments.schedules._shared.settings import LONGEST, NAMES, schedule_groups
from engine.optimizers import RULES
from engine.schedules import SCHEDULES
from engine.spec import Spec, choice, number

WATCHED = {"test_loss": "the test loss", "train_loss": "the training loss", "test_accuracy": "the test accuracy"}
TOTAL = 3000
_LONGER = {  # defaults for a run of thousands of steps and not of a hundred
    "step.step_size": 1000, "multi_step.milestones": (1500, 2400), "exponential.gamma": 0.999,
    "cosine_restarts.T_0": 1000, "cyclic.step_size_up": 250, "plateau.factor": 0.3,
}  # fmt: skip
_HELD = {"test_samples": (500, "Test samples", "How many it is tested on")}

_fields: dict[str, Any] = {
    "schedules": (tuple[str, ...], choice(
        ("constant", "step", "cosine", "one_cycle"), NAMES, "Schedules",
        "Who takes part: each trains a network of its own, from the same first weights on the same batches",
        group="Schedules")),
    "base_lr": (float, number(
        0.1, 1e-12, 1e6, "Peak rate", "The highest rate of every schedule (max_lr of cyclic and one-cycle)", live=True,
        log=True, group="Shared")),
    "warmup_steps": (int, number(300, 0, LONGEST, "Warm-up steps", "Of every schedule that warms up", log=True,
                                 group="Shared")),
    "total_steps": (int, number(TOTAL, 1, LONGEST, "Total steps", "How long the run is", log=True, group="Shared")),
    **optimizer_fields("momentum"),
    "batch_size": (int, number(16, 0, 5000, "Batch size", "Samples a step takes; 0, or more than there are: all",
                               live=True, log=True, group="Optimizer")),
    **data_fields("regression_gauss", 400, 0.2, _HELD),
    **network_fields((32, 32), "tanh", "xavier_uniform"),
    **run_fields("Of the data, the first weights and the batches"),
    "evaluate_every": (int, number(
        0, 0, LONGEST, "Measure every", "Steps between two measurements over all samples, which the plateau counts "
        "too; 0: by the network's size", group="Run")),
}  # fmt: skip
_WATCHES = choice("test_loss", WATCHED, "Watches", "The metric, each time it is measured; accuracy wants higher")
_groups = schedule_groups(_LONGER, {"plateau.metric": (str, _WATCHES)})
TrainingSpec = create_model("TrainingSpec", __base__=Spec, **_fields, **rule_groups(), **_groups)


def momentum_name(optimizer: str) -> str:
    """Which hyper-parameter a schedule moves as its momentum; empty where the optimizer has none (as in torch)."""
    names = [h.name for h in RULES[optimizer].hypers]
    return next((name for name in ("momentum", "beta1") if name in names), "")


def moves_momentum(schedule: str, optimizer: str) -> bool:
    """Whether the momentum is another from step to step."""
    return SCHEDULES[schedule].momentum is not None and momentum_name(optimizer) != ""
