"""Where each of many starts ends: a grid of them walked by one first-order rule, in tiles from coarse to fine.

Every start takes all its steps. A walk belongs to the minimum it ends near; the steps it took are those until it
stayed near, so that flying past a minimum does not count.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from engine.compile_cache import use_cache

use_cache()

import numpy as np  # noqa: E402
from numba import njit  # noqa: E402
from numpy.typing import DTypeLike, NDArray  # noqa: E402

from engine.formula.call import call_gradient, call_look_ahead, call_update  # noqa: E402
from engine.lanes import BLOCK, LINE, Lanes  # noqa: E402
from engine.optimizers import RULES, Convention, look_ahead_address, update_address  # noqa: E402
from engine.turns import give_way  # noqa: E402

Array = NDArray[Any]

PENDING, DIVERGED = -1, -2  # labels of walks that ended at no minimum
FAR = 100.0  # a walk so many spans from the middle of the plane has left
CHECKS = 512  # places kept of one walk at the most: with more steps it is looked at every second step, and so on
THREADS = 4
COARSE = 70  # starts a side of the first picture at the most
WORK = 2**22  # steps of all lanes together that one tile takes, about
LEAST = 4096  # lanes a tile has at the least, so that threads have something to share


@njit(nogil=True, cache=True, error_model="numpy")
def walk_and_sort(  # type: ignore[no-untyped-def]
    gradient, update, look_ahead, x, y, initial, steps, every, rate, h, minima, within, middle, far, label, took, low,
    high,
):  # fmt: skip
    """Walk the lanes from `low` to before `high` in place and say where each ended and when it came to stay there.

    `gradient`, `update`, `look_ahead`: addresses for the precision of x and y [lanes]. initial: [3], the rule's states
    at first; `every`: steps between two looks; h: hyper-parameters, float64; minima: [m, 2], `within`, middle: [2] and
    `far` in the precision of x. label, took: [lanes] int32, the results.
    """
    checks = (steps + every - 1) // every
    aligned = np.empty(12 * BLOCK + LINE // x.itemsize, x.dtype)
    aligned = aligned[(-aligned.ctypes.data % LINE) // x.itemsize :]
    pairs = aligned[: 12 * BLOCK].reshape(6, 2 * BLOCK)  # x beside y of: lanes, gradient, three states, look-ahead
    f = np.empty(BLOCK, x.dtype)
    trail = np.empty((checks + 1, 2 * BLOCK), x.dtype)
    goal = np.empty((2, BLOCK), x.dtype)
    nearest, last = np.empty(BLOCK, x.dtype), np.empty(BLOCK, np.int32)
    for begin in range(low, high, BLOCK):
        n = min(begin + BLOCK, high) - begin
        p, g, s0, s1, s2, at = pairs[0], pairs[1], pairs[2], pairs[3], pairs[4], pairs[5]
        u, v, gu, gv, at_u, at_v = p[:n], p[n : 2 * n], g[:n], g[n:], at[:n], at[n:]
        u[:], v[:] = x[begin : begin + n], y[begin : begin + n]
        s0[:], s1[:], s2[:] = initial[0], initial[1], initial[2]
        trail[0, : 2 * n] = p[: 2 * n]
        step = 0
        for k in range(checks):
            for _ in range(min(every, steps - step)):
                step += 1
                if look_ahead != 0:
                    call_look_ahead(look_ahead, 2 * n, p, s0, at, rate, h)
                    call_gradient(gradient, n, at_u, at_v, f, gu, gv)
                else:
                    call_gradient(gradient, n, u, p[n:], f, gu, gv)
                call_update(update, 2 * n, p, g, s0, s1, s2, step, rate, h)
            trail[k + 1, : 2 * n] = p[: 2 * n]
        x[begin : begin + n], y[begin : begin + n] = u, v
        near = within * within
        nearest[:n], last[:n] = near, PENDING
        for m in range(len(minima)):
            a, b = minima[m, 0], minima[m, 1]
            for i in range(n):
                apart = (u[i] - a) * (u[i] - a) + (v[i] - b) * (v[i] - b)
                last[i] = m if apart <= nearest[i] else last[i]
                nearest[i] = min(apart, nearest[i])
        for i in range(n):
            found = last[i]
            goal[0, i] = minima[found, 0] if found >= 0 else u[i]
            goal[1, i] = minima[found, 1] if found >= 0 else v[i]
            if not (abs(u[i] - middle[0]) <= far and abs(v[i] - middle[1]) <= far):
                found = DIVERGED
            label[begin + i], last[i] = found, -1
        for k in range(checks + 1):
            for i in range(n):
                dx, dy = trail[k, i] - goal[0, i], trail[k, n + i] - goal[1, i]
                last[i] = last[i] if dx * dx + dy * dy <= near else k
        for i in range(n):
            if label[begin + i] == DIVERGED:
                last[i] = checks
                while last[i] > 0 and not (
                    abs(trail[last[i] - 1, i] - middle[0]) <= far and abs(trail[last[i] - 1, n + i] - middle[1]) <= far
                ):
                    last[i] -= 1
                took[begin + i] = min(last[i] * every, steps)
            else:
                took[begin + i] = min((last[i] + 1) * every, steps)


@dataclass(frozen=True)
class Walk:
    """How everybody walks. `within`: how near a minimum counts as there; `middle`, `span` of the plane."""

    kernel: Any  # engine.formula.compile.Kernel, in the precision of the walk
    rule: str
    convention: Convention
    hypers: tuple[float, ...]
    rate: float
    steps: int
    within: float
    middle: tuple[float, float]
    span: float

    @property
    def every(self) -> int:
        """Steps between two looks at a walk."""
        return -(-self.steps // CHECKS)


@dataclass(frozen=True, eq=False)
class Ends:
    """Where walks ended: x, y [n]; `label` [n] the minimum's number, PENDING or DIVERGED; `took` [n] the steps until it
    stayed near its minimum (or near its end, or until it left for good). Never changed, so copies share it."""

    x: Array
    y: Array
    label: Array
    took: Array

    def __deepcopy__(self, memo: dict[int, Any]) -> Ends:
        return self


def ends(pool: Lanes, walk: Walk, x: Array, y: Array, minima: Sequence[tuple[float, float]]) -> Ends:
    """Walk from the starts x, y [n] (float64 or float32; they stay as they are)."""
    dtype: Any = walk.kernel.dtype
    x, y = x.astype(dtype), y.astype(dtype)
    label, took = np.empty(len(x), np.int32), np.empty(len(x), np.int32)
    h = np.array([*walk.hypers, *[0.0] * 8])[:8]
    update = update_address(walk.rule, walk.convention, dtype)
    ahead = look_ahead_address(walk.rule, walk.convention, dtype)
    initial = np.array(RULES[walk.rule].initial, dtype)
    places = np.array(minima, dtype).reshape(-1, 2)
    middle = np.array(walk.middle, dtype)
    within, far = dtype.type(walk.within), dtype.type(FAR * walk.span)
    gradient = walk.kernel.gradient_address

    def work(low: int, high: int) -> None:
        give_way()
        walk_and_sort(gradient, update, ahead, x, y, initial, walk.steps, walk.every, walk.rate, h, places, within,
                      middle, far, label, took, low, high)  # fmt: skip

    pool.share(len(x), work)
    for array in (x, y, label, took):
        array.flags.writeable = False
    return Ends(x, y, label, took)


def pool() -> Lanes:
    """Threads for one call or more; to be used in `with`."""
    return Lanes(max(1, min(THREADS, os.cpu_count() or 1)))


def starts(extent: tuple[float, float, float, float], side: int, dtype: DTypeLike) -> tuple[Array, Array]:
    """The middles of side x side cells: x [side], y [side], rounded to the precision."""
    x0, x1, y0, y1 = extent
    middle = (np.arange(side) + 0.5) / side
    return (x0 + (x1 - x0) * middle).astype(dtype), (y0 + (y1 - y0) * middle).astype(dtype)


# -- coarse to fine ----------------------------------------------------------------------------------------------------


def strides(side: int) -> tuple[int, ...]:
    """From the first picture to the last: every so many cells, one walks for all around it."""
    most = 1
    while -(-side // most) > COARSE:
        most *= 3
    return tuple(3**k for k in range(round(np.log(most) / np.log(3)), -1, -1))


def _lattice(side: int, stride: int) -> Array:
    """Rows (or columns) that walk at a stride: the middle one of every `stride`."""
    return np.arange(stride // 2, side, stride)


def tiles(side: int, steps: int) -> tuple[Array, ...]:
    """Cells, as places in the flattened [side, side], that walk together: the whole first picture, then in parts."""
    size = max(LEAST, WORK // steps // LEAST * LEAST)
    found: list[Array] = []
    walked = np.zeros((side, side), bool)
    for stride in strides(side):
        level = np.zeros((side, side), bool)
        at = _lattice(side, stride)
        level[np.ix_(at, at)] = True
        cells = np.flatnonzero(level & ~walked)
        found += [cells[i : i + size] for i in range(0, len(cells), size)] if found else [cells]
        walked |= level
    return tuple(found)


def sources(side: int, walked: Array) -> Array:
    """For each cell of [side, side] the walked cell that speaks for it: itself, else the nearest of the finest lattice
    that has one. `walked`: [side * side], bool."""
    cells = np.arange(side)
    found: Array | None = None
    for stride in strides(side):
        at = _lattice(side, stride)
        near = at[np.minimum(cells // stride, len(at) - 1)]
        there = near[:, None] * side + near[None, :]
        found = there if found is None else np.where(walked[there], there, found)
    assert found is not None
    return found
