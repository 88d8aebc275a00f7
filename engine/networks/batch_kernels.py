"""One network on one batch: its response, and loss with gradient, without the GIL.

A batch is worked off in pieces of at most `STRIDE` samples, so that memory does not grow with it; what the pieces
give is added up in order.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.compile_cache import use_cache

use_cache()

from numba import njit  # noqa: E402

from engine.networks.bend_kernels import activate, thin, through, to_slope  # noqa: E402
from engine.networks.chance import drop  # noqa: E402
from engine.networks.dense_kernels import (  # noqa: E402
    WIDTH,
    forward,
    kernel,
    to_bias,
    to_inputs,
    to_weights_few,
    to_weights_many,
)
from engine.networks.loss_kernels import MSE, lose_batch  # noqa: E402
from engine.networks.plan import ACT, BIAS, IN, INPUT, MASK, OUT, SLOPE, WEIGHT, A, F, Z  # noqa: E402
from engine.networks.vector_ops import across  # noqa: E402
from engine.networks.vectors import full, splat  # noqa: E402

LOSS, STRIDE, TARGETS, DELTA_0, DELTA_1, TURNED, TARGET_ROWS, HALF, SCRATCH = range(9)
_entry: Any = njit(nogil=True, cache=True, error_model="numpy")


@kernel
def fill(data, columns, order, begin, samples, work, at, stride):  # type: ignore[no-untyped-def]
    """Columns of a batch from rows of data [n, columns]; 0 up to a whole vector. `order` empty: as they lie."""
    for b in range(samples):
        row = order[begin + b] if len(order) > 0 else begin + b
        for f in range(columns):
            work[at + f * stride + b] = data[row, f]
    for b in range(samples, -(-samples // WIDTH) * WIDTH):
        for f in range(columns):
            work[at + f * stride + b] = 0.0


@kernel
def run_forward(params, layers, reals, stride, work, count):  # type: ignore[no-untyped-def]
    """All layers of the piece in `work`, without dropout."""
    for i in range(len(layers)):
        forward_one(params, layers, reals, i, stride, work, count)


@kernel
def forward_one(params, layers, reals, i, stride, work, count):  # type: ignore[no-untyped-def]
    """One layer of the piece in `work`."""
    row = layers[i]
    forward(params, row[WEIGHT], row[BIAS], row[IN], row[OUT], work, row[INPUT], row[Z], stride, count)
    if row[F] >= 0:
        slope = full(work, reals[i, 0])
        if row[SLOPE] >= 0:
            slope = splat(params, row[SLOPE])
        activate(row[ACT], slope, work, row[Z], row[A], row[F], row[OUT], stride, count)


@kernel
def batch_gradient(  # type: ignore[no-untyped-def]
    params, layers, reals, parts, x, y, order, begin, samples, seed, step, work, grad
):
    """Loss of `samples` samples from `begin` on; its gradient into `grad` ([0]: none). `step` 0: nothing is dropped."""
    for k in range(len(grad)):
        grad[k] = 0.0
    stride, last = parts[STRIDE], len(layers) - 1
    outputs = layers[last, OUT]
    scale = 1.0 / samples
    if parts[LOSS] == MSE:
        scale = (0.5 if parts[HALF] else 1.0) / (samples * outputs)
    loss = 0.0
    for piece in range(0, samples, stride):
        n = min(stride, samples - piece)
        count = -(-n // WIDTH)
        fill(x, layers[0, IN], order, begin + piece, n, work, layers[0, INPUT], stride)
        fill(y, parts[TARGET_ROWS], order, begin + piece, n, work, parts[TARGETS], stride)
        for i in range(len(layers)):
            forward_one(params, layers, reals, i, stride, work, count)
            row = layers[i]
            if row[MASK] >= 0 and step > 0:
                drop(seed, step, i, reals[i, 1], work, row[MASK], row[OUT], stride, piece, count * WIDTH, 1)
                thin(work, row[A], row[F], row[MASK], row[OUT], stride, count)
        delta, other = parts[DELTA_0], parts[DELTA_1]
        loss += lose_batch(parts[LOSS], scale, work, layers[last, A], parts[TARGETS], delta, outputs, stride, n)
        for i in range(last if len(grad) else -1, -1, -1):
            row = layers[i]
            if row[F] >= 0:
                if row[SLOPE] >= 0:
                    mask = row[MASK] if step > 0 else -1
                    bent = to_slope(work, delta, row[Z], mask, row[OUT], stride, count)
                    grad[row[SLOPE]] += across(bent)
                through(work, delta, row[F], row[OUT], stride, count)
            if row[BIAS] >= 0:
                to_bias(grad, row[BIAS], row[OUT], work, delta, stride, count)
            if row[IN] < WIDTH:
                to_weights_few(grad, row[WEIGHT], row[IN], row[OUT], work, delta, row[INPUT], stride, count)
            else:
                to_weights_many(
                    grad, row[WEIGHT], row[IN], row[OUT], work, delta, row[INPUT], parts[TURNED], stride, count
                )
            if i > 0:
                to_inputs(params, row[WEIGHT], row[IN], row[OUT], work, delta, other, stride, count)
                delta, other = other, delta
    return loss


@_entry
def gradient(params, layers, reals, parts, x, y, grad):  # type: ignore[no-untyped-def]
    """Loss of all samples in x; its gradient into `grad`. Nothing is dropped."""
    work = np.zeros(parts[SCRATCH], params.dtype)
    return batch_gradient(params, layers, reals, parts, x, y, np.empty(0, np.int64), 0, len(x), 0, 0, work, grad)


@_entry
def respond(params, layers, reals, parts, x, pre, post):  # type: ignore[no-untyped-def]
    """Pre-activations and outputs of every unit, [units, n] each; `pre` [0, 0]: only the last layer's outputs."""
    work = np.zeros(parts[SCRATCH], params.dtype)
    none = np.empty(0, np.int64)
    stride, last = parts[STRIDE], len(layers) - 1
    for begin in range(0, len(x), stride):
        n = min(stride, len(x) - begin)
        fill(x, layers[0, IN], none, begin, n, work, layers[0, INPUT], stride)
        run_forward(params, layers, reals, stride, work, -(-n // WIDTH))
        unit = 0
        for i in range(0 if len(pre) else last, last + 1):
            for o in range(layers[i, OUT]):
                z, a = layers[i, Z] + o * stride, layers[i, A] + o * stride
                for b in range(n):
                    if len(pre):
                        pre[unit, begin + b] = work[z + b]
                    post[unit, begin + b] = work[a + b]
                unit += 1
