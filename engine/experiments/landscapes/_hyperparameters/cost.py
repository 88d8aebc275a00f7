"""What one run costs, from the settings alone: it decides how many runs a batch has."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from engine.experiments.landscapes._hyperparameters.axes import axes

CALL, STEP = 20.0, 0.16  # microseconds of a run on a surface, beside its steps and for each
LOADED, UPDATE, WEIGHT = 60.0, 1.8, 1.2e-4  # of a run on a network: once, for each step, for each weight and sample


def cost(spec: Any) -> float:
    """Microseconds on one core, roughly; the dearest run of the map counts."""
    high = {axis.field: axis.high for axis in axes(spec, 0.0)}
    steps = float(high.get("steps", spec.steps))
    if spec.on == "surface":
        return CALL + STEP * steps
    inputs, outputs = (64, 10) if spec.data == "digits" else (2, 3)
    hidden = [int(high["units"])] * len(spec.hidden) if "units" in high else spec.hidden
    weights = sum(a * b + b for a, b in pairwise((inputs, *hidden, outputs)))
    samples = {"digits": 1797, "chapter_xor": 100}.get(spec.data, int(high.get("samples", spec.samples)))
    batch = int(high.get("batch_size", spec.batch_size))
    batch = min(batch, samples) if batch else samples
    return LOADED + steps * (UPDATE + WEIGHT * float(batch) * float(weights))
