"""The settings of early stopping."""

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
from engine.experiments.regularization._early_stopping.patience import COUNTING
from engine.spec import Settings, Spec, choice, number

LONGEST = 100_000
STOPPERS = {"none": "Never stops", "hasty": "Hasty", "usual": "Usual", "patient": "Patient"}
PATIENCES = {"hasty": 3, "usual": 10, "patient": 40}
_HELD = {
    "validation_samples": (200, "Validation samples", "How many the stopping looks at"),
    "test_samples": (1000, "Test samples", "How many nobody looks at before the end"),
}


def _stopper(name: str) -> Settings:
    fields: dict[str, Any] = {
        "patience": (int, number(PATIENCES[name], 1, LONGEST, "Patience", "Bad evaluations in a row before it stops",
                                 log=True)),
        "min_delta": (float | None, number(None, 0.0, 1e6, "Least gain", "By how much a loss must beat the best",
                                           inherits="shared")),
    }  # fmt: skip
    return create_model(f"{name.capitalize()}Settings", __base__=Settings, **fields)()


_fields: dict[str, Any] = {
    "stoppers": (tuple[str, ...], choice(
        ("none", "hasty", "usual", "patient"), STOPPERS, "Who stops",
        "All watch one and the same run; each stops by itself and goes back to its best weights", group="Stopping")),
    "min_delta": (float, number(0.0, 0.0, 1e6, "Least gain", "By how much a loss must beat the best so far",
                                group="Stopping")),
    "counting": (str, choice("reached", COUNTING, "Stops", "At which bad evaluation: Keras and Lightning stop at the "
                             "last one that patience allows, the chapter's listing one later", group="Stopping")),
    "evaluate_every": (int, number(1, 1, 1000, "Evaluate every", "Patience counts evaluations", unit="epochs", log=True,
                                   group="Stopping")),
    "epochs": (int, number(300, 1, LONGEST, "Epochs", "How long the run is where nobody stops", log=True,
                           group="Stopping")),
    **optimizer_fields("momentum"),
    "learning_rate": (float, number(0.02, 1e-12, 1e6, "Learning rate", "Of the optimizer", live=True, log=True,
                                    group="Optimizer")),
    "batch_size": (int, number(20, 0, 5000, "Batch size", "Samples a step takes; 0, or more than there are: all",
                               log=True, group="Optimizer")),
    **data_fields("moons", 60, 0.4, _HELD),
    **network_fields((200,), "relu", "he_normal"),
    **run_fields("Of the data, the first weights and the batches"),
}  # fmt: skip
_groups: dict[str, Any] = {name: (type(own), own) for name in PATIENCES for own in [_stopper(name)]}
EarlyStoppingSpec = create_model("EarlyStoppingSpec", __base__=Spec, **_fields, **_groups, **rule_groups())
