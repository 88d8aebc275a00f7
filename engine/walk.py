"""One optimizer walking a surface, step after step, in one compiled loop without the GIL.

The surface and the rule come in as the addresses of their compiled functions (see engine.formula.call), so that one
kernel, cached on disk, serves every formula and every rule.
"""

from __future__ import annotations

from engine.compile_cache import use_cache

use_cache()

import numpy as np  # noqa: E402
from numba import njit  # noqa: E402

from engine.formula.call import call_gradient, call_look_ahead, call_update  # noqa: E402

RUNNING, NOT_FINITE, TARGET = 0, 1, 2


@njit(nogil=True, cache=True, error_model="numpy")
def walk(gradient, update, look_ahead, first, p, states, rates, h, noise, target, out):  # type: ignore[no-untyped-def]
    """Take len(out) steps in place, or fewer where the walk ends. Returns (steps taken, RUNNING | NOT_FINITE | TARGET).

    `gradient`, `update`, `look_ahead`: addresses (look_ahead 0: the gradient is wanted where p is). `first`: number of
    the first step, from 1. p: [2]; states: [3, 2]; rates: [n]; h: hyper-parameters; noise: [n, 2] or [0, 2]; target:
    a loss, or -inf; out: [n, 5] gets x, y, loss and exact gradient after each step.
    """
    at = p.copy()
    loss, gx, gy, g = np.empty(1), np.empty(1), np.empty(1), np.empty(2)
    s0, s1, s2 = states[0], states[1], states[2]
    x, y, at_x, at_y = p[0:1], p[1:2], at[0:1], at[1:2]
    # arrays, not their addresses, are handed over: an address alone would not keep a local array alive
    call_gradient(gradient, 1, x, y, loss, gx, gy)
    for i in range(len(out)):
        if look_ahead != 0:
            call_look_ahead(look_ahead, 2, p, s0, at, rates[i], h)
            call_gradient(gradient, 1, at_x, at_y, loss, gx, gy)
        g[0], g[1] = gx[0], gy[0]
        if len(noise):
            g[0] += noise[i, 0]
            g[1] += noise[i, 1]
        call_update(update, 2, p, g, s0, s1, s2, first + i, rates[i], h)
        call_gradient(gradient, 1, x, y, loss, gx, gy)
        out[i, 0], out[i, 1], out[i, 2], out[i, 3], out[i, 4] = p[0], p[1], loss[0], gx[0], gy[0]
        if not (np.isfinite(p[0]) and np.isfinite(p[1]) and np.isfinite(loss[0])):
            return i + 1, NOT_FINITE
        if loss[0] <= target:
            return i + 1, TARGET
    return len(out), RUNNING
