"""The three products of a fully connected layer, over batches that lie unit by unit.

A batch is stored [units, stride] with `count` vectors of sixteen samples in use; weights are [out, in] in the flat
parameter buffer. Four rows at a time share each load. All arrays are flat; layers are told apart by offsets.
"""

from __future__ import annotations

from typing import Any

from engine.compile_cache import use_cache

use_cache()

from numba import njit  # noqa: E402

from engine.networks.vector_ops import across, element, fma, transpose  # noqa: E402
from engine.networks.vectors import full, load, splat, store  # noqa: E402

WIDTH = 16
# Inlined: a call would pass every array as seven words, and these networks take a microsecond a step.
kernel: Any = njit(nogil=True, error_model="numpy", forceinline=True)


@kernel
def forward(params, weight, bias, fan_in, fan_out, work, given, out, stride, count):  # type: ignore[no-untyped-def]
    """out[o, b] = bias[o] + sum over i of weight[o, i] given[i, b]. `bias` -1: there is none."""
    product(params, weight, fan_in, 1, bias, fan_out, fan_in, work, given, out, stride, count)


@kernel
def to_inputs(params, weight, fan_in, fan_out, work, delta, out, stride, count):  # type: ignore[no-untyped-def]
    """out[i, b] = sum over o of weight[o, i] delta[o, b]."""
    product(params, weight, 1, fan_in, -1, fan_in, fan_out, work, delta, out, stride, count)


@kernel
def product(  # type: ignore[no-untyped-def]
    params, matrix, row, step, bias, rows, inner, work, given, out, stride, count
):
    """out[r, b] = bias[r] + sum over k of matrix[r, k] given[k, b], where entry (r, k) stands at r row + k step."""
    zero = full(work, 0.0)
    whole = rows - rows % 4
    for r in range(0, whole, 4):
        b0, b1, b2, b3 = zero, zero, zero, zero
        if bias >= 0:
            b0, b1 = splat(params, bias + r), splat(params, bias + r + 1)
            b2, b3 = splat(params, bias + r + 2), splat(params, bias + r + 3)
        # Eight sums under way keep the multipliers busy; an odd last column of vectors is done twice.
        for v in range(0, count if count > 1 else 0, 2):
            one = v * WIDTH
            two = min(v + 1, count - 1) * WIDTH
            s0, s1, s2, s3, t0, t1, t2, t3 = b0, b1, b2, b3, b0, b1, b2, b3
            at, at_w = given, matrix + r * row
            for _ in range(inner):
                x, y = load(work, at + one), load(work, at + two)
                w0, w1 = splat(params, at_w), splat(params, at_w + row)
                w2, w3 = splat(params, at_w + 2 * row), splat(params, at_w + 3 * row)
                s0, s1, s2, s3 = fma(w0, x, s0), fma(w1, x, s1), fma(w2, x, s2), fma(w3, x, s3)
                t0, t1, t2, t3 = fma(w0, y, t0), fma(w1, y, t1), fma(w2, y, t2), fma(w3, y, t3)
                at += stride
                at_w += step
            to = out + r * stride
            _store_four(work, to + one, stride, s0, s1, s2, s3)
            _store_four(work, to + two, stride, t0, t1, t2, t3)
        if count == 1:
            s0, s1, s2, s3 = b0, b1, b2, b3
            at, at_w = given, matrix + r * row
            for _ in range(inner):
                x = load(work, at)
                s0, s1 = fma(splat(params, at_w), x, s0), fma(splat(params, at_w + row), x, s1)
                s2, s3 = fma(splat(params, at_w + 2 * row), x, s2), fma(splat(params, at_w + 3 * row), x, s3)
                at += stride
                at_w += step
            _store_four(work, out + r * stride, stride, s0, s1, s2, s3)
    for r in range(whole, rows):
        b0 = zero
        if bias >= 0:
            b0 = splat(params, bias + r)
        for at_v in range(0, count * WIDTH, WIDTH):
            s0 = b0
            at, at_w = given + at_v, matrix + r * row
            for _ in range(inner):
                s0 = fma(splat(params, at_w), load(work, at), s0)
                at += stride
                at_w += step
            store(work, out + r * stride + at_v, s0)


@kernel
def _store_four(work, to, stride, s0, s1, s2, s3):  # type: ignore[no-untyped-def]
    store(work, to, s0)
    store(work, to + stride, s1)
    store(work, to + 2 * stride, s2)
    store(work, to + 3 * stride, s3)


@kernel
def to_bias(grad, bias, fan_out, work, delta, stride, count):  # type: ignore[no-untyped-def]
    """grad[bias + o] += sum over b of delta[o, b]."""
    for o in range(fan_out):
        at = delta + o * stride
        total = load(work, at)
        for v in range(1, count):
            total = total + load(work, at + v * WIDTH)
        grad[bias + o] += across(total)


@kernel
def to_weights_few(grad, weight, fan_in, fan_out, work, delta, given, stride, count):  # type: ignore[no-untyped-def]
    """grad[weight + o fan_in + i] += sum over b of delta[o, b] given[i, b]; for few inputs."""
    zero = full(work, 0.0)
    for o in range(fan_out):
        for i in range(fan_in):
            total = zero
            d, x = delta + o * stride, given + i * stride
            for _ in range(count):
                total = fma(load(work, d), load(work, x), total)
                d += WIDTH
                x += WIDTH
            grad[weight + o * fan_in + i] += across(total)


@kernel
def to_weights_many(  # type: ignore[no-untyped-def]
    grad, weight, fan_in, fan_out, work, delta, given, turned, stride, count
):
    """As `to_weights_few`, for many inputs: they are transposed first, so that no sum runs across a vector.

    `turned`: room for [stride, inputs rounded up to sixteen].
    """
    zero = full(work, 0.0)
    samples = count * WIDTH
    padded = -(-fan_in // WIDTH) * WIDTH
    for i in range(fan_in, padded):
        for b in range(samples):
            work[turned + b * padded + i] = 0.0
    for i in range(0, fan_in, WIDTH):
        if i + WIDTH <= fan_in:
            for b in range(0, samples, WIDTH):
                transpose(work, given + i * stride + b, stride, work, turned + b * padded + i, padded)
        else:
            for j in range(i, fan_in):
                for b in range(samples):
                    work[turned + b * padded + j] = work[given + j * stride + b]
    for i in range(0, padded, 2 * WIDTH):
        # a second vector of inputs that is not there repeats the first, and so do missing rows; neither is added
        n, m = min(WIDTH, fan_in - i), fan_in - i - WIDTH
        second = WIDTH if m > 0 else 0
        for o in range(0, fan_out, 4):
            rows = min(4, fan_out - o)
            d0 = delta + o * stride
            d1, d2, d3 = d0 + min(1, rows - 1) * stride, d0 + min(2, rows - 1) * stride, d0 + (rows - 1) * stride
            s0, s1, s2, s3, t0, t1, t2, t3 = zero, zero, zero, zero, zero, zero, zero, zero
            at = turned + i
            for b in range(samples):
                x, y = load(work, at), load(work, at + second)
                w0, w1, w2, w3 = splat(work, d0 + b), splat(work, d1 + b), splat(work, d2 + b), splat(work, d3 + b)
                s0, s1, s2, s3 = fma(w0, x, s0), fma(w1, x, s1), fma(w2, x, s2), fma(w3, x, s3)
                t0, t1, t2, t3 = fma(w0, y, t0), fma(w1, y, t1), fma(w2, y, t2), fma(w3, y, t3)
                at += padded
            to = weight + o * fan_in + i
            _add_four(grad, to, fan_in, rows, n, s0, s1, s2, s3)
            if second:
                _add_four(grad, to + WIDTH, fan_in, rows, min(m, WIDTH), t0, t1, t2, t3)


@kernel
def _add_four(grad, to, row, rows, n, s0, s1, s2, s3):  # type: ignore[no-untyped-def]
    _add(grad, to, s0, n)
    if rows > 1:
        _add(grad, to + row, s1, n)
    if rows > 2:
        _add(grad, to + 2 * row, s2, n)
    if rows > 3:
        _add(grad, to + 3 * row, s3, n)


@kernel
def _add(grad, to, vector, n):  # type: ignore[no-untyped-def]
    if n == WIDTH:
        store(grad, to, load(grad, to) + vector)
    else:
        for k in range(n):
            grad[to + k] += element(vector, k)
