"""The order in which the cells of a map are run: from coarse to fine, in batches of about the same work."""

from __future__ import annotations

import numpy as np

from engine.experiment import Array

COARSE = 6  # cells a side of the first picture at the most
MOST = 512  # runs in a batch
BATCH = 15_000.0  # microseconds a batch takes, about


def strides(side: int) -> tuple[int, ...]:
    """From the first picture to the last: one run speaks for so many cells a side."""
    most = 1
    while -(-side // most) > COARSE:
        most *= 2
    found = [most]
    while found[-1] > 1:
        found.append(found[-1] // 2)
    return tuple(found)


def lattice(side: int, stride: int) -> Array:
    """Rows (or columns) that run at a stride: the middle one of every `stride`, or the last where there are fewer."""
    first = np.arange(0, side, stride)
    return np.minimum(first + stride // 2, side - 1)


def batches(side: int, cost: float) -> tuple[Array, ...]:
    """Cells, as places in the flattened [side, side], that run together. `cost`: microseconds of one run, about."""
    size = int(np.clip(BATCH / max(cost, 1e-3), 1, MOST))
    found: list[Array] = []
    ran = np.zeros((side, side), bool)
    for stride in strides(side):
        level = np.zeros((side, side), bool)
        at = lattice(side, stride)
        level[np.ix_(at, at)] = True
        cells = np.flatnonzero(level & ~ran)
        found += [cells[i : i + size] for i in range(0, len(cells), size)]
        ran |= level
    return tuple(found)


def sources(side: int, ran: Array) -> Array:
    """For each cell of [side, side] the cell whose run speaks for it: its own, else that of the finest lattice that
    has one, else -1. `ran`: [side * side], bool."""
    cells = np.arange(side)
    found = np.full((side, side), -1)
    for stride in strides(side):
        at = lattice(side, stride)
        near = at[np.minimum(cells // stride, len(at) - 1)]
        there = near[:, None] * side + near[None, :]
        found = np.where(ran[there], there, found)
    own = np.arange(side * side).reshape(side, side)
    return np.where(ran[own], own, found)
