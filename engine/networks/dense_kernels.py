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
kernel: Any = njit(nogil=True, error_model="numpy")


@kernel
def forward(params, weight, bias, fan_in, fan_out, work, given, out, stride, count):  # type: ignore[no-untyped-def]
    """out[o, b] = bias[o] + sum over i of weight[o, i] given[i, b]. `bias` -1: there is none."""
    zero = full(work, 0.0)
    whole = fan_out - fan_out % 4
    for o in range(0, whole, 4):
        w0 = weight + o * fan_in
        w1, w2, w3 = w0 + fan_in, w0 + 2 * fan_in, w0 + 3 * fan_in
        for v in range(count):
            s0, s1, s2, s3 = zero, zero, zero, zero
            if bias >= 0:
                s0, s1 = splat(params, bias + o), splat(params, bias + o + 1)
                s2, s3 = splat(params, bias + o + 2), splat(params, bias + o + 3)
            at = given + v * WIDTH
            for i in range(fan_in):
                x = load(work, at)
                s0 = fma(splat(params, w0 + i), x, s0)
                s1 = fma(splat(params, w1 + i), x, s1)
                s2 = fma(splat(params, w2 + i), x, s2)
                s3 = fma(splat(params, w3 + i), x, s3)
                at += stride
            to = out + o * stride + v * WIDTH
            store(work, to, s0)
            store(work, to + stride, s1)
            store(work, to + 2 * stride, s2)
            store(work, to + 3 * stride, s3)
    for o in range(whole, fan_out):
        w0 = weight + o * fan_in
        for v in range(count):
            s0 = zero
            if bias >= 0:
                s0 = splat(params, bias + o)
            at = given + v * WIDTH
            for i in range(fan_in):
                s0 = fma(splat(params, w0 + i), load(work, at), s0)
                at += stride
            store(work, out + o * stride + v * WIDTH, s0)


@kernel
def to_inputs(params, weight, fan_in, fan_out, work, delta, out, stride, count):  # type: ignore[no-untyped-def]
    """out[i, b] = sum over o of weight[o, i] delta[o, b]."""
    zero = full(work, 0.0)
    whole = fan_in - fan_in % 4
    for i in range(0, whole, 4):
        for v in range(count):
            s0, s1, s2, s3 = zero, zero, zero, zero
            at, w = delta + v * WIDTH, weight + i
            for _ in range(fan_out):
                d = load(work, at)
                s0 = fma(splat(params, w), d, s0)
                s1 = fma(splat(params, w + 1), d, s1)
                s2 = fma(splat(params, w + 2), d, s2)
                s3 = fma(splat(params, w + 3), d, s3)
                at += stride
                w += fan_in
            to = out + i * stride + v * WIDTH
            store(work, to, s0)
            store(work, to + stride, s1)
            store(work, to + 2 * stride, s2)
            store(work, to + 3 * stride, s3)
    for i in range(whole, fan_in):
        for v in range(count):
            s0 = zero
            at, w = delta + v * WIDTH, weight + i
            for _ in range(fan_out):
                s0 = fma(splat(params, w), load(work, at), s0)
                at += stride
                w += fan_in
            store(work, out + i * stride + v * WIDTH, s0)


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
    for i in range(0, padded, WIDTH):
        n = min(WIDTH, fan_in - i)
        for o in range(0, fan_out, 4):
            rows = min(4, fan_out - o)
            d0 = delta + o * stride
            # rows that are not there repeat the last one and are not stored
            d1, d2, d3 = d0 + min(1, rows - 1) * stride, d0 + min(2, rows - 1) * stride, d0 + min(3, rows - 1) * stride
            s0, s1, s2, s3 = zero, zero, zero, zero
            at = turned + i
            for b in range(samples):
                x = load(work, at)
                s0 = fma(splat(work, d0 + b), x, s0)
                s1 = fma(splat(work, d1 + b), x, s1)
                s2 = fma(splat(work, d2 + b), x, s2)
                s3 = fma(splat(work, d3 + b), x, s3)
                at += padded
            to = weight + o * fan_in + i
            _add(grad, to, s0, n)
            if rows > 1:
                _add(grad, to + fan_in, s1, n)
            if rows > 2:
                _add(grad, to + 2 * fan_in, s2, n)
            if rows > 3:
                _add(grad, to + 3 * fan_in, s3, n)


@kernel
def _add(grad, to, vector, n):  # type: ignore[no-untyped-def]
    if n == WIDTH:
        store(grad, to, load(grad, to) + vector)
    else:
        for k in range(n):
            grad[to + k] += element(vector, k)
