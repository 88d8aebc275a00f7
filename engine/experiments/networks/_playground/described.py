"""From settings to a network's description: its loss, its shape, and how often a run of it is measured."""

from __future__ import annotations

import math
from typing import Any

from engine.experiments.networks._playground.settings import activations
from engine.networks.description import Description, Loss
from engine.spec import SpecError

CADENCES = (1, 2, 5, 10, 20, 50, 100)
ALLOWED: dict[str, tuple[Loss, ...]] = {
    "regression": ("mse",), "binary": ("bce", "mse", "cross_entropy"), "classes": ("cross_entropy", "mse"),
}  # fmt: skip


def loss_name(spec: Any, kind: str) -> Loss:
    """The loss in force. Raises SpecError where data of this kind have no such loss."""
    allowed = ALLOWED[kind]  # the first of them suits best
    if spec.loss == "auto":
        return allowed[0]
    for name in allowed:
        if name == spec.loss:
            return name
    what = {"regression": "a regression", "binary": "two classes", "classes": "more than two classes"}[kind]
    raise SpecError("loss", f"{spec.loss} is not allowed for {what}; give one of auto, {', '.join(allowed)}")


def describe(spec: Any, inputs: int, kind: str, classes: int) -> Description:
    """The network of the settings. Squared error of classes is taken of sigmoid outputs, one for each class."""
    loss = loss_name(spec, kind)
    outputs = 1 if kind == "regression" or (kind == "binary" and loss != "cross_entropy") else max(classes, 2)
    names = activations(spec)
    slope = math.nan if spec.slope is None else spec.slope
    return Description(
        inputs, spec.hidden, outputs, names, loss, "sigmoid" if loss == "mse" and kind != "regression" else "identity",
        (slope,) * len(names), dropout=(spec.dropout,) * len(names) if spec.dropout > 0 else (),
        normalization=spec.normalization, residual=spec.residual,
    )  # fmt: skip


def cadence(samples: int, tests: int, parameters: int, batch_size: int) -> int:
    """Steps between two measurements, from the sizes alone, so that measuring takes about as long as training.

    The figures are microseconds as measured on one core, roughly; a measurement is calls of about 80 in all.
    """
    batch = min(batch_size, samples) if batch_size else samples
    step = 0.3 + 2e-4 * batch * parameters
    passes = 1e-4 * (samples + tests) * parameters
    for every in CADENCES:
        if passes <= 2 * every * step and 8 * every * step >= 80:
            return every
    return CADENCES[-1]
