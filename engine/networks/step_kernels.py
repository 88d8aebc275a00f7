"""One network: the loop of training steps, without the GIL.

Everything a step draws belongs to (seed, step): a run may be cut anywhere.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.compile_cache import use_cache

use_cache()

from numba import njit  # noqa: E402

from engine.formula.call import call_look_ahead, call_update  # noqa: E402
from engine.networks.batch_kernels import SCRATCH, batch_gradient  # noqa: E402
from engine.networks.chance import shuffle  # noqa: E402
from engine.networks.dense_kernels import WIDTH, kernel  # noqa: E402
from engine.networks.plan import BIAS, IN, OUT, WEIGHT  # noqa: E402
from engine.networks.vector_ops import across, fma  # noqa: E402
from engine.networks.vectors import full, load  # noqa: E402

RUNNING, NOT_FINITE = 0, 1
_entry: Any = njit(nogil=True, cache=True, error_model="numpy")


@kernel
def add_pull(params, grad, begin, end, l1, l2):  # type: ignore[no-untyped-def]
    """Add the gradient of l1 sum |p| + l2 / 2 sum p^2 over parameters from `begin` to before `end`."""
    for k in range(begin, end):
        p = params[k]
        grad[k] += l2 * p
        if p > 0.0:
            grad[k] += l1
        elif p < 0.0:
            grad[k] -= l1


@kernel
def penalize(params, layers, grad, l1, l2, biases):  # type: ignore[no-untyped-def]
    """Add the gradient of l1 sum |w| + l2 / 2 sum w^2 over the weights (and biases)."""
    for i in range(len(layers)):
        row = layers[i]
        add_pull(params, grad, row[WEIGHT], row[WEIGHT] + row[IN] * row[OUT], l1, l2)
        if biases and row[BIAS] >= 0:
            add_pull(params, grad, row[BIAS], row[BIAS] + row[OUT], l1, l2)


@kernel
def norm(grad):  # type: ignore[no-untyped-def]
    """Euclidean norm; in float64 where the squares would overflow."""
    even, odd = full(grad, 0.0), full(grad, 0.0)
    whole = len(grad) - len(grad) % (2 * WIDTH)
    for k in range(0, whole, 2 * WIDTH):
        a, b = load(grad, k), load(grad, k + WIDTH)
        even, odd = fma(a, a, even), fma(b, b, odd)
    total = np.float64(across(even + odd))
    for k in range(whole, len(grad)):
        total += np.float64(grad[k]) * np.float64(grad[k])
    if not np.isfinite(total):
        total = np.float64(0.0)
        for k in range(len(grad)):
            total += np.float64(grad[k]) * np.float64(grad[k])
    return np.sqrt(total)


@kernel
def shorten(grad, clip, size):  # type: ignore[no-untyped-def]
    """Scale a gradient of norm `size` down to norm `clip`, as torch.nn.utils.clip_grad_norm_ does."""
    for k in range(len(grad)):
        grad[k] *= clip / (size + 1e-6)


@kernel
def finite(values):  # type: ignore[no-untyped-def]
    """Whether all of them are."""
    good = True
    for k in range(len(values)):
        good &= np.isfinite(values[k])
    return good


@_entry
def train(  # type: ignore[no-untyped-def]
    update, look_ahead, params, states, layers, reals, parts, x, y, first, rates, hypers, batch, seed, penalty, out
):
    """Take len(rates) steps in place, from number `first` (from 1). Returns (rows of `out` written, code).

    `update`, `look_ahead`: addresses. params: [P]; states: [3, P] or as many rows as the rule has (unused: [.., 0]);
    penalty: l1, l2 (as l2 / 2 sum w^2), 1 for biases too, norm to clip at (0: off). out: [steps, 2] gets the loss
    before the update and the norm of its gradient, both with dropout, the norm with penalties and before clipping.
    """
    n = len(x)
    work = np.zeros(parts[SCRATCH], params.dtype)
    grad = np.empty_like(params)
    at = np.empty_like(params)
    order = np.empty(n if batch < n else 0, np.int64)
    rounds = -(-n // batch)
    shuffled = np.int64(-1)
    l1, l2 = params.dtype.type(penalty[0]), params.dtype.type(penalty[1])
    biases, clip = penalty[2] != 0.0, penalty[3]
    s0, s1, s2 = states[0], states[1], states[2]
    turns, size = 1 if look_ahead == 0 else 2, 0.0
    for k in range(len(rates)):
        step = first + k
        epoch = (step - 1) // rounds
        begin = (step - 1) % rounds * batch
        if batch < n and epoch != shuffled:
            shuffle(seed, epoch, order)
            shuffled = epoch
        samples = min(batch, n - begin)
        for turn in range(turns):
            # first where the parameters are; then, for a rule that wants it elsewhere, there
            where = params if turn == 0 else at
            if turn == 1:
                call_look_ahead(look_ahead, len(params), params, s0, at, rates[k], hypers)
            loss = batch_gradient(where, layers, reals, parts, x, y, order, begin, samples, seed, step, work, grad)
            if l1 != 0.0 or l2 != 0.0:
                penalize(where, layers, grad, l1, l2, biases)
            size = norm(grad)
            if turn == 0:
                out[k, 0], out[k, 1] = loss, size
                if not np.isfinite(loss):
                    return k + 1, NOT_FINITE
        if clip > 0.0 and size > clip:
            shorten(grad, clip, size)
        call_update(update, len(params), params, grad, s0, s1, s2, step, rates[k], hypers)
        if not finite(params):
            return k + 1, NOT_FINITE
    return len(rates), RUNNING
