"""The batches of a contestant's coming updates, however they are sampled."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.experiments.landscapes._minibatch.orders import drawn, kicks, shuffled
from engine.experiments.landscapes._minibatch.pace import Pace
from engine.experiments.landscapes._minibatch.settings import ALL, MinibatchSpec

Array = NDArray[Any]
Stream = dict[str, Any]


def is_full(spec: MinibatchSpec, name: str) -> bool:
    """Whether a contestant has the full gradient, with or without noise on it."""
    return name == ALL or spec.sampling == "additive"


def stream(spec: MinibatchSpec) -> Stream:
    """Where the legacy stream of the orders begins: after the chapter's data, or at the seed. Empty where unused."""
    if spec.sampling != "chapter":
        return {}
    from engine.data.chapter import chapter_regression_parts

    begun = chapter_regression_parts()[2] if spec.data == "chapter" else np.random.RandomState(spec.seed)
    return dict(begun.get_state(legacy=False))


def batches(
    spec: MinibatchSpec, name: str, pace: Pace, before: Stream, first: int, last: int, inputs: int
) -> tuple[tuple[Array, Array, Array], Stream]:
    """Of the updates first + 1 ... last: the row of samples [samples], where each batch begins in it [updates + 1]
    (empty where the gradient is full), and the noise added [updates, inputs] (empty where there is none).

    `before`: the legacy stream ahead of the epoch under way; the one ahead of that under way afterwards comes back.
    """
    none, quiet = np.empty(0, np.int64), np.empty((0, inputs))
    if name == ALL:
        return (none, none, quiet), before
    if spec.sampling == "additive":
        return (none, none, spec.sigma / np.sqrt(pace.size) * kicks(spec.seed, first, last - first, inputs)), before
    if spec.sampling == "replacement":
        order = drawn(spec.seed, first * pace.size, (last - first) * pace.size, pace.samples)
        return (order, pace.begins(first, last), quiet), before
    epoch, skipped = divmod(first, pace.per_epoch)
    epochs = range(epoch, -(-last // pace.per_epoch))
    if spec.sampling == "chapter":
        orders, before = _legacy(before, epochs, last // pace.per_epoch, pace.samples)
    else:
        orders = [shuffled(spec.seed, epoch, pace.samples) for epoch in epochs]
    order = np.concatenate([*orders, none])[skipped * pace.size :]
    return (order, pace.begins(first, last), quiet), before


def _legacy(before: Stream, epochs: range, under_way: int, samples: int) -> tuple[list[Array], Stream]:
    """The orders of these epochs, and the stream ahead of the one under way afterwards."""
    drawing, orders = np.random.RandomState(0), list[Array]()
    drawing.set_state(before)
    after = before
    for epoch in epochs:
        if epoch == under_way:
            after = dict(drawing.get_state(legacy=False))
        orders.append(drawing.permutation(samples))
    return orders, after if under_way in epochs else dict(drawing.get_state(legacy=False))
