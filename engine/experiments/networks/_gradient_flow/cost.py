"""What a measurement will cost, told before it is made: a few layers of every network are timed here and now."""

from __future__ import annotations

import time

from engine.experiment import Estimate
from engine.experiments.networks._gradient_flow.measure import measured
from engine.experiments.networks._gradient_flow.settings import GradientFlowSpec

LONG = 10.0  # seconds from which on it is worth a word
TIMED = 3  # layers
NUMBER = 8  # bytes
KEPT = 4  # arrays [samples, width] that the way back needs of each layer


def estimate(spec: GradientFlowSpec) -> Estimate:
    """Seconds of all seeds, from shallow networks that are measured now; bytes of the one seed in hand."""
    shallow = spec.model_copy(update={"depth": min(spec.depth, TIMED)})
    began = time.perf_counter()
    measured(shallow, spec.seed)
    layer = (time.perf_counter() - began) / shallow.depth
    numbers = spec.depth * spec.width * (2 * spec.width + KEPT * spec.samples)  # weights, their gradients, the layers
    return Estimate(layer * spec.depth * spec.seeds, NUMBER * numbers)


def words(spec: GradientFlowSpec, found: Estimate) -> str:
    """One line for the reader; empty where it does not take long."""
    if found.seconds <= LONG:
        return ""
    size = max(1, round(found.bytes / 2**20))
    return f"About {found.seconds:.0f} s and {size} MiB for {spec.seeds} seeds; each is drawn as it comes"
