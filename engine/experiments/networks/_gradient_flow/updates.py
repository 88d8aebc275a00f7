"""The first updates of the first network of each kind: gradient descent on its one batch, clipped as set."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from engine.experiment import Array
from engine.experiments.networks._gradient_flow.measure import work
from engine.experiments.networks._gradient_flow.network import (
    clip,
    first_weights,
    forward,
    losses,
    task,
    there_and_back,
)
from engine.experiments.networks._gradient_flow.settings import GradientFlowSpec, Network, network

BUDGET = 2**31  # multiplications of all ways forth together; larger networks make fewer updates


def affordable(spec: GradientFlowSpec) -> int:
    """How many updates are made: as many as asked for, or as many as large networks leave time for."""
    return max(1, min(spec.updates, BUDGET // work(spec)))


def loss_path(spec: GradientFlowSpec, kind: Network, updates: int) -> Array:
    """The loss before, and after each update: [updates + 1], nan from where it is no longer finite."""
    found = np.full(updates + 1, np.nan)
    for k, loss in enumerate(_descend(spec, kind, updates)):
        if not np.isfinite(loss):
            break
        found[k] = loss
    return found


def _descend(spec: GradientFlowSpec, kind: Network, updates: int) -> Iterator[float]:
    given = task(spec.loss, spec.samples, spec.width, spec.seed)
    weight = first_weights(spec.depth, spec.width, kind.initialization, kind.std, spec.seed)
    for _ in range(updates):
        found = there_and_back(kind, weight, given)
        yield found.loss
        with np.errstate(all="ignore"):
            used = clip(kind, found.gradients)
            weight = [w - spec.learning_rate * g for w, g in zip(weight, used, strict=True)]
    with np.errstate(all="ignore"):
        yield losses(kind, forward(kind, weight, given.x)[1] @ weight[-1].T, given.y)[0]


def loss_paths(spec: GradientFlowSpec) -> dict[str, Array]:
    """The path of every contestant."""
    most = affordable(spec)
    return {name: loss_path(spec, network(spec, name), most) for name in spec.networks}
