"""Many starts on one surface at once, without the GIL: the lanes of a basin map.

Lanes go through the compiled surface and the compiled rule in blocks that stay in the first-level cache, so that the
cost of the two calls is shared and both loops vectorise.
"""

from __future__ import annotations

import itertools
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from engine.compile_cache import use_cache

use_cache()

import numpy as np  # noqa: E402
from numba import njit  # noqa: E402

from engine.formula.call import call_gradient, call_update  # noqa: E402

BLOCK = 512


@njit(nogil=True, cache=True, error_model="numpy")
def descend(gradient, update, x, y, states, first, steps, rate, h, low, high):  # type: ignore[no-untyped-def]
    """Take `steps` steps with the lanes from `low` to before `high`, in place.

    `gradient`, `update`: addresses for the precision of x and y. x, y: [lanes]; states: [3, 2, lanes]; `first`: number
    of the first step, from 1; h: hyper-parameters, float64.
    """
    f, gx, gy = np.empty(BLOCK, x.dtype), np.empty(BLOCK, x.dtype), np.empty(BLOCK, x.dtype)
    for begin in range(low, high, BLOCK):
        end = min(begin + BLOCK, high)
        n = end - begin
        u, v = x[begin:end], y[begin:end]
        a0, a1, a2 = states[0, 0, begin:end], states[1, 0, begin:end], states[2, 0, begin:end]
        b0, b1, b2 = states[0, 1, begin:end], states[1, 1, begin:end], states[2, 1, begin:end]
        for k in range(steps):
            call_gradient(gradient, n, u, v, f, gx, gy)
            call_update(update, n, u, gx, a0, a1, a2, first + k, rate, h)
            call_update(update, n, v, gy, b0, b1, b2, first + k, rate, h)


def descend_on(threads: int, gradient: int, update: int, x: Any, y: Any, states: Any, first: int, steps: int,
               rate: float, h: Any) -> None:  # fmt: skip
    """`descend` with the lanes shared among threads; the result is the same to the bit, whatever their number."""
    if threads <= 1 or len(x) < 2 * BLOCK:
        descend(gradient, update, x, y, states, first, steps, rate, h, 0, len(x))
        return
    cuts = [len(x) * i // threads for i in range(threads + 1)]
    with ThreadPoolExecutor(threads) as pool:
        parts = [
            pool.submit(descend, gradient, update, x, y, states, first, steps, rate, h, a, b)
            for a, b in itertools.pairwise(cuts)
        ]
        for part in parts:
            part.result()
