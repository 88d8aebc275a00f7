"""The loss of one network at many parameters: points of a plane or of a line, or a list of them. Compiled, no GIL.

A plane costs little: the first layer is linear in the parameters, so its sums at any point of the plane are a sum of
three, which are computed once. What is left at each point is that sum and the layers behind it. Networks with
residual connections are taken too. Importing this module loads Numba.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from engine.compile_cache import use_cache

use_cache()

from numba import njit  # noqa: E402

from engine.networks import plan  # noqa: E402
from engine.networks.batch_kernels import HALF, LOSS, SCRATCH, STRIDE, TARGET_ROWS, TARGETS, fill  # noqa: E402
from engine.networks.bend_kernels import bend  # noqa: E402
from engine.networks.dense_kernels import WIDTH, forward, kernel  # noqa: E402
from engine.networks.description import Description  # noqa: E402
from engine.networks.loss_kernels import BCE, MSE  # noqa: E402
from engine.networks.mlp import Mlp  # noqa: E402
from engine.networks.plan import ACT, BIAS, IN, INPUT, OUT, SLOPE, WEIGHT, A, F, Z  # noqa: E402
from engine.networks.vector_math import vexp, vlog, vlog_one_plus  # noqa: E402
from engine.networks.vector_ops import across, first, fma, magnitude, select  # noqa: E402
from engine.networks.vectors import full, load, splat, store  # noqa: E402

Array = NDArray[Any]
COLUMNS = 96  # samples taken at once: what a piece needs stays in the nearest cache
_entry: Any = njit(nogil=True, cache=True, error_model="numpy")


def losses(d: Description, params: Array, x: ArrayLike, y: ArrayLike) -> NDArray[np.float64]:
    """The loss over all samples at each of many parameters: params [K, P] -> [K].

    x [n, inputs] and y as engine.networks.mlp.Mlp takes them; computed in the precision of `params`, summed up in
    float64. Raises ValueError for shapes that do not fit and for a network with normalisation.
    """
    given = _prepared(d, np.ascontiguousarray(params), x, y)
    out = np.zeros(len(params))
    _points(*given, out)
    return out


def plane(d: Description, params: Array, places: ArrayLike, x: ArrayLike, y: ArrayLike) -> NDArray[np.float64]:
    """The loss at points of a plane: params [3, P] are a centre and two directions, places [K, 2] -> [K].

    Point (a, b) is centre + a first + b second. As `losses` there, but for rounding.
    """
    where = np.ascontiguousarray(places, params.dtype)
    if len(params) != 3 or where.ndim != 2 or where.shape[1] != 2:
        raise ValueError(f"parameters {params.shape} and places {where.shape} do not fit: [3, P] and [K, 2] are wanted")
    given = _prepared(d, np.ascontiguousarray(params), x, y)
    out = np.zeros(len(where))
    _plane(*given, where, out)
    return out


def _prepared(d: Description, params: Array, x: ArrayLike, y: ArrayLike) -> tuple[Any, ...]:
    """What the kernels take: parameters, tables, outputs that count, layers that add their inputs, inputs, targets.

    Every layer is widened to a multiple of four units, which is what the products take at once; the new units have
    weights 0, in and out.
    """
    bare = replace(d, residual=False, dropout=())
    mlp = Mlp(bare, params.dtype)
    if params.ndim != 2 or params.shape[1] != mlp.parameters:
        raise ValueError(f"parameters of shape {params.shape} do not fit: [K, {mlp.parameters}] is wanted")
    inputs, targets = (part if part.flags.writeable else part.copy() for part in mlp.fitting(x, y))  # one kind of array
    wide = replace(bare, hidden=tuple(-(-n // 4) * 4 for n in d.hidden), outputs=-(-d.outputs // 4) * 4, loss="mse")
    found = plan.plan(wide, min(len(inputs), COLUMNS))
    parts = found.parts.copy()
    parts[[LOSS, TARGET_ROWS]] = plan.LOSSES.index(d.loss), targets.shape[1]
    padded = np.zeros((len(params), plan.parameter_count(wide)), params.dtype)
    for new, old in zip(plan.layers(wide, padded), plan.layers(bare, params), strict=True):
        _, fan_out, fan_in = old.weight.shape
        new.weight[:, :fan_out, :fan_in], new.bias[:, :fan_out], new.slopes[...] = old.weight, old.bias, old.slopes
    again = [d.residual and i < len(d.hidden) and a == b for i, (a, b) in enumerate(pairwise(d.sizes))]
    return padded, found.layers, found.reals, parts, d.outputs, np.array(again), inputs, targets


@kernel
def _slope(params, layers, reals, i, work):  # type: ignore[no-untyped-def]
    """The parameter of a layer's activation, as a vector."""
    return splat(params, layers[i, SLOPE]) if layers[i, SLOPE] >= 0 else full(work, reals[i, 0])


@kernel
def _bend_layer(row, slope, residual, work, stride, count):  # type: ignore[no-untyped-def]
    """Outputs of a layer from its sums; no derivatives are kept. `residual`: its inputs are added."""
    given, z, a, code = row[INPUT], row[Z], row[A], row[ACT]
    for o in range(row[OUT] if row[F] >= 0 else 0):
        for at in range(o * stride, o * stride + count * WIDTH, WIDTH):
            value, _ = bend(code, slope, load(work, z + at))
            if residual:
                value = value + load(work, given + at)
            store(work, a + at, value)


@kernel
def _first_layer(row, slope, residual, a, sums, base, work, stride, count):  # type: ignore[no-untyped-def]
    """Outputs of the first layer at place (a, b) of a plane; `base` holds its sums at (0, b)."""
    given, to, code, bends, room = row[INPUT], row[A], row[ACT], row[F] >= 0, row[OUT] * stride
    va = full(work, a)
    for o in range(row[OUT]):
        for at in range(o * stride, o * stride + count * WIDTH, WIDTH):
            value = fma(va, load(sums, room + at), load(base, at))
            if bends:
                value, _ = bend(code, slope, value)
            if residual:
                value = value + load(work, given + at)
            store(work, to + at, value)


@kernel
def _line(units, b, sums, base, stride, count):  # type: ignore[no-untyped-def]
    """base = the first layer's sums at (0, b)."""
    vb, room = full(sums, b), units * stride
    for o in range(units):
        for at in range(o * stride, o * stride + count * WIDTH, WIDTH):
            store(base, at, fma(vb, load(sums, 2 * room + at), load(sums, at)))


@kernel
def _value(loss, work, a, targets, outputs, stride):  # type: ignore[no-untyped-def]
    """Losses of sixteen samples, as engine.networks.loss_kernels.lose without the derivatives."""
    if loss == MSE:
        total = full(work, 0.0)
        for o in range(outputs):
            error = load(work, a + o * stride) - load(work, targets + o * stride)
            total = total + error * error
        return total
    y = load(work, targets)
    if loss == BCE:
        z = load(work, a)
        return select(z < 0.0, 0.0, z) - z * y + vlog_one_plus(vexp(0.0 - magnitude(z)))
    largest = load(work, a)
    chosen = largest
    for o in range(1, outputs):
        z = load(work, a + o * stride)
        largest, chosen = select(z > largest, z, largest), select(y == float(o), z, chosen)
    total = full(work, 0.0)
    for o in range(outputs):
        total = total + vexp(load(work, a + o * stride) - largest)
    return largest - chosen + vlog(total)


@kernel
def _lose(layers, parts, outputs, samples, work, n):  # type: ignore[no-untyped-def]
    """What the `n` samples in `work` add to the loss over `samples`."""
    last = layers[len(layers) - 1]
    total = 0.0
    for c in range(0, n, WIDTH):
        part = _value(parts[LOSS], work, last[A] + c, parts[TARGETS] + c, outputs, parts[STRIDE])
        total += across(part if n - c >= WIDTH else select(first(n - c), part, 0.0))
    if parts[LOSS] == MSE:
        return total * ((0.5 if parts[HALF] else 1.0) / (samples * outputs))
    return total / samples


@_entry
def _points(params, layers, reals, parts, outputs, residual, x, y, out):  # type: ignore[no-untyped-def]
    work = np.zeros(parts[SCRATCH], params.dtype)
    none = np.empty(0, np.int64)
    stride = parts[STRIDE]
    for piece in range(0, len(x), stride):
        n = min(stride, len(x) - piece)
        count = -(-n // WIDTH)
        fill(x, layers[0, IN], none, piece, n, work, layers[0, INPUT], stride)
        fill(y, parts[TARGET_ROWS], none, piece, n, work, parts[TARGETS], stride)
        for k in range(len(params)):
            for i in range(len(layers)):
                row, own = layers[i], params[k]
                forward(own, row[WEIGHT], row[BIAS], row[IN], row[OUT], work, row[INPUT], row[Z], stride, count)
                _bend_layer(row, _slope(own, layers, reals, i, work), residual[i], work, stride, count)
            out[k] += _lose(layers, parts, outputs, len(x), work, n)


@_entry
def _plane(params, layers, reals, parts, outputs, residual, x, y, places, out):  # type: ignore[no-untyped-def]
    work = np.zeros(parts[SCRATCH], params.dtype)
    none = np.empty(0, np.int64)
    stride = parts[STRIDE]
    top = layers[0]
    room = top[OUT] * stride
    sums = np.empty(3 * room, params.dtype)  # of the first layer: the centre's, and those of both directions
    base = np.empty(room, params.dtype)
    bent = max(top[WEIGHT] + top[IN] * top[OUT], top[BIAS] + top[OUT])  # from here on parameters are needed themselves
    own = np.zeros(params.shape[1], params.dtype)
    for piece in range(0, len(x), stride):
        n = min(stride, len(x) - piece)
        count = -(-n // WIDTH)
        fill(x, top[IN], none, piece, n, work, top[INPUT], stride)
        fill(y, parts[TARGET_ROWS], none, piece, n, work, parts[TARGETS], stride)
        for j in range(3):
            forward(params[j], top[WEIGHT], top[BIAS], top[IN], top[OUT], work, top[INPUT], top[Z], stride, count)
            for at in range(room):
                sums[j * room + at] = work[top[Z] + at]
        for k in range(len(places)):
            a, b = places[k, 0], places[k, 1]
            for p in range(bent, len(own)):
                own[p] = params[0, p] + a * params[1, p] + b * params[2, p]
            if k == 0 or b != places[k - 1, 1]:  # points of a grid lie line by line
                _line(top[OUT], b, sums, base, stride, count)
            _first_layer(top, _slope(own, layers, reals, 0, work), residual[0], a, sums, base, work, stride, count)
            for i in range(1, len(layers)):
                row = layers[i]
                forward(own, row[WEIGHT], row[BIAS], row[IN], row[OUT], work, row[INPUT], row[Z], stride, count)
                _bend_layer(row, _slope(own, layers, reals, i, work), residual[i], work, stride, count)
            out[k] += _lose(layers, parts, outputs, len(x), work, n)
