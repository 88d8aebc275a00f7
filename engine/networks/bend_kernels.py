"""Activations in the kernels: value and derivative of sixteen pre-activations at a time, forward and back."""

from __future__ import annotations

from engine.networks.activations import ELU, GELU, LEAKY_RELU, MISH, PRELU, RELU, SIGMOID, SILU, TANH
from engine.networks.dense_kernels import WIDTH, kernel
from engine.networks.vector_math import vexp, vexpm1, vnormal, vsigmoid, vtanh
from engine.networks.vector_ops import constant, select
from engine.networks.vectors import full, load, store

_one = constant(1.0, 1.0)


@kernel
def bend(code, slope, x):  # type: ignore[no-untyped-def]
    """f(x) and f'(x) of sixteen numbers; `slope`: a vector, read where the activation has one."""
    one = _one(x)
    if code == RELU:
        return select(x < 0.0, 0.0, x), select(x > 0.0, one, one - 1.0)
    if code == TANH:
        a = vtanh(x)
        return a, one - a * a
    if code == SIGMOID:
        a = vsigmoid(x)
        return a, a * (one - a)
    if code in (LEAKY_RELU, PRELU):
        return select(x > 0.0, x, slope * x), select(x > 0.0, one, slope)
    if code == ELU:
        low = select(x > 0.0, 0.0, x)
        return select(x > 0.0, x, slope * vexpm1(low)), select(x > 0.0, one, slope * vexp(low))
    if code == GELU:
        share, density = vnormal(x)
        return x * share, share + x * density
    if code == SILU:
        s = vsigmoid(x)
        return x * s, s * (one + x * (one - s))
    if code == MISH:
        # with n = e^x (e^x + 2): tanh(softplus(x)) = n / (n + 2); beyond 20 nothing of it is left to add
        e = vexp(select(x > 20.0, 20.0, x))
        n = e * (e + 2.0)
        below = one / (n + 2.0)
        t = n * below
        return x * t, t + x * (4.0 * (n + 1.0) * below * below) * (e / (e + 1.0))
    return x, one


@kernel
def activate(code, slope, work, z, a, f, units, stride, count):  # type: ignore[no-untyped-def]
    """a = f(z) and the derivative there, for a layer. `slope`: a vector."""
    for o in range(units):
        for at in range(o * stride, o * stride + count * WIDTH, WIDTH):
            value, derivative = bend(code, slope, load(work, z + at))
            store(work, a + at, value)
            store(work, f + at, derivative)


@kernel
def thin(work, a, f, mask, units, stride, count):  # type: ignore[no-untyped-def]
    """Dropout: outputs and derivatives times the mask."""
    for o in range(units):
        for at in range(o * stride, o * stride + count * WIDTH, WIDTH):
            kept = load(work, mask + at)
            store(work, a + at, load(work, a + at) * kept)
            store(work, f + at, load(work, f + at) * kept)


@kernel
def through(work, delta, f, units, stride, count):  # type: ignore[no-untyped-def]
    """delta with respect to outputs becomes delta with respect to pre-activations."""
    for o in range(units):
        for at in range(o * stride, o * stride + count * WIDTH, WIDTH):
            store(work, delta + at, load(work, delta + at) * load(work, f + at))


@kernel
def to_slope(work, delta, z, mask, units, stride, count):  # type: ignore[no-untyped-def]
    """Place by place the sum of delta z over the negative pre-activations. `delta`: with respect to outputs."""
    total = full(work, 0.0)
    for o in range(units):
        for at in range(o * stride, o * stride + count * WIDTH, WIDTH):
            x = load(work, z + at)
            part = load(work, delta + at) * select(x > 0.0, 0.0, x)
            if mask >= 0:
                part = part * load(work, mask + at)
            total = total + part
    return total
