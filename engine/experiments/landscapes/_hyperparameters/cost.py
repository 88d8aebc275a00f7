"""What one run costs, from the settings alone: it decides how many runs a batch has."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from engine.experiments.landscapes._hyperparameters.axes import axes

CALL, STEP = 20.0, 0.16  # microseconds of a run on a surface, beside its steps and for each
LOADED, UPDATE, WEIGHT = 60.0, 0.5, 3e-4  # of a run on a network: once, for each step, for each weight and sample


def cost(spec: Any) -> float:
    """Microseconds on one core, roughly; the dearest run of the map counts."""
    if spec.on == "surface":
        return CALL + STEP * float(spec.steps)
    inputs, outputs = (64, 10) if spec.data == "digits" else (2, 3)
    sizes = (inputs, *spec.hidden, outputs)
    weights = sum(a * b + b for a, b in pairwise(sizes))
    samples = {"digits": 1797, "chapter_xor": 100}.get(spec.data, spec.samples)
    over = [axis.high for axis in axes(spec, 0.0) if axis.field == "batch_size"]
    batch = int(over[0]) if over else spec.batch_size
    batch = min(batch, samples) if batch else samples
    return LOADED + float(spec.steps) * (UPDATE + WEIGHT * float(batch) * float(weights))
