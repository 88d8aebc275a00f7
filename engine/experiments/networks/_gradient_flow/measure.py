"""What is measured of one seed's networks, layer by layer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from engine.experiment import Array
from engine.experiments.networks._gradient_flow.network import (
    Layer,
    Pass,
    Task,
    clip,
    first_weights,
    norm,
    task,
    there_and_back,
    whole,
)
from engine.experiments.networks._gradient_flow.settings import GradientFlowSpec, network

LAYERED = (
    "activation_rms", "activation_variance", "gradient_norm", "slope_rms", "weight_gain", "weight_gradient_norm",
    "update_norm",
)  # fmt: skip
WHOLE = ("loss", "whole_norm", "clipped_norm")
LARGEST = 2**32  # multiplications of one way forth through all networks of a seed


@dataclass(frozen=True)
class Seed:
    """One seed: `layered` [measures, depth, contestants] as named in LAYERED, `whole` [measures, contestants] as in
    WHOLE. Never changed once made, so that all copies of a state share it."""

    layered: Array
    whole: Array

    def __deepcopy__(self, memo: dict[int, Any]) -> Seed:
        return self


def work(spec: GradientFlowSpec) -> int:
    """Multiplications of one way forth through all networks of a seed."""
    return len(spec.networks) * spec.depth * spec.width**2 * spec.samples


def measured(spec: GradientFlowSpec, seed: int, nudge: float = 0.0) -> Seed:
    """Measure every contestant with the weights and the batch of `seed`; `nudge` moves each input by about so much of
    itself, to see what rounding does."""
    given = nudged(task(spec.loss, spec.samples, spec.width, seed), nudge)
    kinds = [network(spec, name) for name in spec.networks]
    layered = np.full((len(LAYERED), spec.depth, len(kinds)), np.nan)
    totals = np.full((len(WHOLE), len(kinds)), np.nan)
    for drawn in dict.fromkeys((kind.initialization, kind.std) for kind in kinds):  # one set of weights at a time
        weight = first_weights(spec.depth, spec.width, *drawn, seed)
        gains = [norm(w) / np.sqrt(spec.width) for w in weight[:-1]]
        for c, kind in enumerate(kinds):
            if (kind.initialization, kind.std) == drawn:
                found = there_and_back(kind, weight, given)
                raw = [norm(one) for one in found.gradients]
                used = raw if kind.clipping == "none" else [norm(one) for one in clip(kind, found.gradients)]
                layered[:, :, c] = [*_layered(found), gains, raw[:-1], used[:-1]]
                totals[:, c] = found.loss, whole(raw), whole(used)
    layered.setflags(write=False)
    totals.setflags(write=False)
    return Seed(layered, totals)


def nudged(given: Task, nudge: float) -> Task:
    """The same task with inputs a little beside themselves."""
    if nudge == 0.0:
        return given
    return Task(given.x * (1.0 + nudge * np.sin(np.arange(given.x.size)).reshape(given.x.shape)), given.y)


def outputs(layers: Sequence[Layer], top: Array) -> tuple[Array, ...]:
    """What every hidden layer puts out, from the first on: [samples, width] each."""
    return (*(layer.below for layer in layers[1:]), top)


def _layered(found: Pass) -> list[list[float]]:
    """The first four measures of one network, [4, depth]."""
    out = outputs(found.layers, found.top)
    root = np.sqrt(out[0].size)
    with np.errstate(all="ignore"):
        return [
            [norm(one) / root for one in out],
            [(norm(one - one.mean()) / root) ** 2 for one in out],
            [norm(one) for one in found.signals],
            [norm(layer.slope) / root for layer in found.layers],
        ]
