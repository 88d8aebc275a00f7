"""Stochastic gradient descent on least squares, update after update, in one compiled loop without the GIL.

Everything is in the basis of the Hessian's eigenvectors, with the minimum at the origin: there the full gradient of
c is `curvatures * c`, and loss, distance and gradient of every row cost no more than a look at c.
"""

from __future__ import annotations

from engine.compile_cache import use_cache

use_cache()

import numpy as np  # noqa: E402
from numba import njit  # noqa: E402

EXCESS, BATCH_LOSS, DISTANCE, GRADIENT, NOISE, ALONG, ACROSS, EPOCH_LOSS = range(8)
MEASURED = 8  # columns of `out`


@njit(nogil=True, cache=True, error_model="numpy")
def walk(x, rest, curvatures, floor, c, order, begins, divisors, kicks, rate, plane, ends, first, sums, epoch, out):  # type: ignore[no-untyped-def]
    """Take len(out) updates in place, or fewer where c overflows. Returns how many were taken.

    x: [n, d] inputs in the eigenbasis; rest: [n] what the minimum leaves of the targets; curvatures: [d]; floor: the
    loss at the minimum; c: [d]. Batches: order [samples], of which update k takes begins[k] to begins[k + 1]
    (begins: [updates + 1]) and divides by divisors[k]; empty `begins`: the full gradient, with kicks [updates, d] added
    to it unless they are empty. plane: [2, d]. ends: [updates], 1 where an epoch ends. From update number `first` of
    these on, sums [d] gathers c^2. epoch: [2], sum and number of this epoch's batch losses so far.
    out: [updates, 8]: loss above the floor, loss of the batch before the update, |c|, norm of the full gradient, norm
    of what the batch's gradient had beside the full one, the place in the plane (2), mean batch loss of an epoch ended.
    """
    d = len(c)
    g = np.empty(d)
    for k in range(len(out)):
        if len(begins) > 0:
            for i in range(d):
                g[i] = 0.0
            loss = 0.0
            for b in range(begins[k], begins[k + 1]):
                row = order[b]
                r = -rest[row]
                for i in range(d):
                    r += x[row, i] * c[i]
                loss += r * r
                for i in range(d):
                    g[i] += r * x[row, i]
            loss /= begins[k + 1] - begins[k]
            noise = 0.0
            for i in range(d):
                g[i] *= 2.0 / divisors[k]
                apart = g[i] - curvatures[i] * c[i]
                noise += apart * apart
        else:
            loss, noise = floor, 0.0
            for i in range(d):
                g[i] = curvatures[i] * c[i]
                loss += 0.5 * g[i] * c[i]
            if len(kicks) > 0:
                for i in range(d):
                    g[i] += kicks[k, i]
                    noise += kicks[k, i] * kicks[k, i]
        excess, distance, slope, along, across = 0.0, 0.0, 0.0, 0.0, 0.0
        for i in range(d):
            c[i] -= rate * g[i]
            full = curvatures[i] * c[i]
            excess += 0.5 * full * c[i]
            distance += c[i] * c[i]
            slope += full * full
            along += plane[0, i] * c[i]
            across += plane[1, i] * c[i]
        if k >= first:
            for i in range(d):
                sums[i] += c[i] * c[i]
        epoch[0] += loss
        epoch[1] += 1.0
        out[k, EXCESS], out[k, BATCH_LOSS], out[k, DISTANCE] = excess, loss, np.sqrt(distance)
        out[k, GRADIENT], out[k, NOISE], out[k, ALONG], out[k, ACROSS] = np.sqrt(slope), np.sqrt(noise), along, across
        out[k, EPOCH_LOSS] = np.nan
        if ends[k]:
            out[k, EPOCH_LOSS] = epoch[0] / epoch[1]
            epoch[0] = epoch[1] = 0.0
        if not (np.isfinite(excess) and np.isfinite(distance)):
            return k + 1
    return len(out)
