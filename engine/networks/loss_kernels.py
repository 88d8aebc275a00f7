"""Losses in the kernels: of sixteen samples (or networks) at a time, with their derivative by the last outputs."""

from __future__ import annotations

from engine.networks.dense_kernels import WIDTH, kernel
from engine.networks.vector_math import vexp, vlog, vlog_one_plus, vsigmoid
from engine.networks.vector_ops import across, first, magnitude, select
from engine.networks.vectors import full, load, store

MSE, BCE, CROSS_ENTROPY = range(3)


@kernel
def lose(loss, scale, work, a, targets, delta, outputs, stride):  # type: ignore[no-untyped-def]
    """Losses of sixteen columns; `scale` times their derivatives by the outputs go to `delta`.

    a: outputs (logits for bce and cross-entropy), a row each `stride`; targets: as many rows, or one row of classes.
    """
    if loss == MSE:
        total = full(work, 0.0)
        for o in range(outputs):
            error = load(work, a + o * stride) - load(work, targets + o * stride)
            total = total + error * error
            store(work, delta + o * stride, error * (2.0 * scale))
        return total
    if loss == BCE:
        z, y = load(work, a), load(work, targets)
        store(work, delta, (vsigmoid(z) - y) * scale)
        return select(z < 0.0, 0.0, z) - z * y + vlog_one_plus(vexp(0.0 - magnitude(z)))
    largest = load(work, a)
    for o in range(1, outputs):
        z = load(work, a + o * stride)
        largest = select(z > largest, z, largest)
    total = full(work, 0.0)
    for o in range(outputs):
        e = vexp(load(work, a + o * stride) - largest)
        total = total + e
        store(work, delta + o * stride, e)
    y = load(work, targets)
    chosen = full(work, 0.0)
    for o in range(outputs):
        mine = y == float(o)
        chosen = select(mine, load(work, a + o * stride), chosen)
        share = load(work, delta + o * stride) / total
        store(work, delta + o * stride, select(mine, share - 1.0, share) * scale)
    return largest - chosen + vlog(total)


@kernel
def lose_batch(loss, scale, work, a, targets, delta, outputs, stride, samples):  # type: ignore[no-untyped-def]
    """Sum of the losses of `samples` columns times `scale`; `delta` is 0 beyond them."""
    total = 0.0
    for c in range(0, samples, WIDTH):
        part = lose(loss, scale, work, a + c, targets + c, delta + c, outputs, stride)
        if samples - c < WIDTH:
            inside = first(samples - c)
            part = select(inside, part, 0.0)
            for o in range(outputs):
                at = delta + o * stride + c
                store(work, at, select(inside, load(work, at), 0.0))
        total += across(part)
    return total * scale
