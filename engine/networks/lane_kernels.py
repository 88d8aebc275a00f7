"""Sixteen networks of one description at once: the loop of training steps, without the GIL.

Each has its own parameters, rule, rate, penalties and seed; they share the data. Forward and back run with one number
of each network in a vector; parameters and gradients are turned for it, so that rules see whole networks and each is
updated by the very call that updates one network alone.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.compile_cache import use_cache

use_cache()

from numba import njit  # noqa: E402

from engine.formula.call import call_look_ahead, call_update  # noqa: E402
from engine.networks.batch_kernels import (  # noqa: E402
    DELTA_0,
    DELTA_1,
    HALF,
    LOSS,
    SCRATCH,
    STRIDE,
    TARGET_ROWS,
    TARGETS,
)
from engine.networks.bend_kernels import activate, thin, through, to_slope  # noqa: E402
from engine.networks.chance import drop, shuffle  # noqa: E402
from engine.networks.dense_kernels import WIDTH, kernel  # noqa: E402
from engine.networks.lane_dense_kernels import (  # noqa: E402
    lane_forward,
    lane_to_bias,
    lane_to_inputs,
    lane_to_weights,
)
from engine.networks.loss_kernels import MSE, lose  # noqa: E402
from engine.networks.plan import ACT, BIAS, IN, INPUT, MASK, OUT, SLOPE, WEIGHT, A, F, Z  # noqa: E402
from engine.networks.step_kernels import finite, norm, penalize, shorten  # noqa: E402
from engine.networks.vector_ops import transpose  # noqa: E402
from engine.networks.vectors import full, load, store  # noqa: E402

_entry: Any = njit(nogil=True, cache=True, error_model="numpy")


@kernel
def turn_in(rows, turned):  # type: ignore[no-untyped-def]
    """turned[p, lane] = rows[lane, p]; rows: [16, P rounded up to sixteen]."""
    length = rows.shape[1]
    flat = rows.reshape(rows.size)
    for p in range(0, length, WIDTH):
        transpose(flat, p, length, turned, p * WIDTH, WIDTH)


@kernel
def turn_out(turned, rows):  # type: ignore[no-untyped-def]
    """rows[lane, p] = turned[p, lane]."""
    length = rows.shape[1]
    flat = rows.reshape(rows.size)
    for p in range(0, length, WIDTH):
        transpose(turned, p * WIDTH, WIDTH, flat, p, length)


@kernel
def lane_fill(data, columns, orders, shared, begin, samples, work, at, stride):  # type: ignore[no-untyped-def]
    """As step_kernels.fill for sixteen networks; orders: [16, n] or [16, 0], `shared`: all are the same."""
    ordered = orders.shape[1] > 0
    for b in range(samples):
        if shared:
            row = orders[0, begin + b] if ordered else begin + b
            for f in range(columns):
                store(work, at + f * stride + b * WIDTH, full(work, data[row, f]))
        else:
            for lane in range(WIDTH):
                row = orders[lane, begin + b]
                for f in range(columns):
                    work[at + f * stride + b * WIDTH + lane] = data[row, f]


@kernel
def lane_gradient(  # type: ignore[no-untyped-def]
    params, layers, reals, parts, x, y, orders, shared, begin, samples, seeds, step, work, grad, losses
):
    """Losses [16] and gradients [P, 16] of sixteen networks on `samples` samples each."""
    for k in range(len(grad)):
        grad[k] = 0.0
    pieces, last = parts[STRIDE], len(layers) - 1
    stride = pieces * WIDTH
    outputs = layers[last, OUT]
    scale = 1.0 / samples
    if parts[LOSS] == MSE:
        scale = (0.5 if parts[HALF] else 1.0) / (samples * outputs)
    total = full(work, 0.0)
    for piece in range(0, samples, pieces):
        n = min(pieces, samples - piece)
        lane_fill(x, layers[0, IN], orders, shared, begin + piece, n, work, layers[0, INPUT], stride)
        lane_fill(y, parts[TARGET_ROWS], orders, shared, begin + piece, n, work, parts[TARGETS], stride)
        for i in range(len(layers)):
            row = layers[i]
            lane_forward(params, row[WEIGHT], row[BIAS], row[IN], row[OUT], work, row[INPUT], row[Z], stride, n)
            if row[F] >= 0:
                slope = full(work, reals[i, 0])
                if row[SLOPE] >= 0:
                    slope = load(params, row[SLOPE] * WIDTH)
                activate(row[ACT], slope, work, row[Z], row[A], row[F], row[OUT], stride, n)
            if row[MASK] >= 0:
                for lane in range(WIDTH):
                    drop(seeds[lane], step, i, reals[i, 1], work, row[MASK] + lane, row[OUT], stride, piece, n, WIDTH)
                thin(work, row[A], row[F], row[MASK], row[OUT], stride, n)
        delta, other = parts[DELTA_0], parts[DELTA_1]
        for c in range(0, n * WIDTH, WIDTH):
            total = total + lose(
                parts[LOSS], scale, work, layers[last, A] + c, parts[TARGETS] + c, delta + c, outputs, stride
            )
        for i in range(last, -1, -1):
            row = layers[i]
            if row[F] >= 0:
                if row[SLOPE] >= 0:
                    at = row[SLOPE] * WIDTH
                    bent = to_slope(work, delta, row[Z], row[MASK], row[OUT], stride, n)
                    store(grad, at, load(grad, at) + bent)
                through(work, delta, row[F], row[OUT], stride, n)
            if row[BIAS] >= 0:
                lane_to_bias(grad, row[BIAS], row[OUT], work, delta, stride, n)
            lane_to_weights(grad, row[WEIGHT], row[IN], row[OUT], work, delta, row[INPUT], stride, n)
            if i > 0:
                lane_to_inputs(params, row[WEIGHT], row[IN], row[OUT], work, delta, other, stride, n)
                delta, other = other, delta
    store(losses, 0, total * scale)


@_entry
def train_lanes(  # type: ignore[no-untyped-def]
    update, look_ahead, params, states, layers, reals, parts, x, y, first, rates, hypers, batch, seeds, penalty, out,
    ended,
):  # fmt: skip
    """Take len(rates) steps with sixteen networks in place, from step number `first` (from 1).

    `update`, `look_ahead`: [16] addresses. params: [16, P rounded up to sixteen]; states: [16, 3, P]; rates: [n, 16];
    hypers: [16, most]; seeds: [16]; penalty: [16, 4] as for one network; out: [n, 16, 2]; ended: [16] gets the number
    of the step at which a network's loss or parameters were first not finite; where it is not 0 at the start, the
    network ended before. An ended network is left as it is, and its rows are nan.
    """
    n, count = len(x), states.shape[2]
    work = np.zeros(parts[SCRATCH], params.dtype)
    turned = np.empty(params.size, params.dtype)
    turned_grad = np.zeros(params.size, params.dtype)
    grad, at = np.zeros_like(params), np.zeros_like(params)
    losses, sizes = np.empty(WIDTH, params.dtype), np.empty(WIDTH)
    orders = np.empty((WIDTH, n if batch < n else 0), np.int64)
    rounds, shuffled = -(-n // batch), np.int64(-1)
    shared, ahead = True, False
    for lane in range(WIDTH):
        shared &= batch >= n or seeds[lane] == seeds[0]
        ahead |= look_ahead[lane] != 0
    turn_in(params, turned)
    for k in range(len(rates)):
        step = first + k
        epoch, begin = (step - 1) // rounds, (step - 1) % rounds * batch
        if batch < n and epoch != shuffled:
            for lane in range(1 if shared else WIDTH):
                shuffle(seeds[lane], epoch, orders[lane])
            shuffled = epoch
        samples = min(batch, n - begin)
        for turn in range(2 if ahead else 1):
            if turn == 1:
                for lane in range(WIDTH):
                    p, to = params[lane, :count], at[lane, :count]
                    for i in range(count):
                        to[i] = p[i]
                    if look_ahead[lane] != 0:
                        s0 = states[lane, 0]
                        call_look_ahead(look_ahead[lane], count, p, s0, to, rates[k, lane], hypers[lane])
                turn_in(at, turned)
            lane_gradient(
                turned, layers, reals, parts, x, y, orders, shared, begin, samples, seeds, step, work, turned_grad,
                losses,
            )  # fmt: skip
            turn_out(turned_grad, grad)
            given = at if turn == 1 else params
            for lane in range(WIDTH):
                l1, l2 = params.dtype.type(penalty[lane, 0]), params.dtype.type(penalty[lane, 1])
                if l1 != 0.0 or l2 != 0.0:
                    penalize(given[lane], layers, grad[lane], l1, l2, penalty[lane, 2] != 0.0)
                sizes[lane] = norm(grad[lane, :count])
                if turn == 0:
                    over = ended[lane] != 0
                    out[k, lane, 0] = np.nan if over else np.float64(losses[lane])
                    out[k, lane, 1] = np.nan if over else sizes[lane]
                    if not over and not np.isfinite(losses[lane]):
                        ended[lane] = step
        running = False
        for lane in range(WIDTH):
            if ended[lane] == 0:
                p, g = params[lane, :count], grad[lane, :count]
                clip = penalty[lane, 3]
                if clip > 0.0 and sizes[lane] > clip:
                    shorten(g, clip, sizes[lane])
                s = states[lane]
                call_update(update[lane], count, p, g, s[0], s[1], s[2], step, rates[k, lane], hypers[lane])
                if finite(p):
                    running = True
                else:
                    ended[lane] = step
        if not running:
            for rest in range(k + 1, len(rates)):
                for lane in range(WIDTH):
                    out[rest, lane, 0], out[rest, lane, 1] = np.nan, np.nan
            return
        turn_in(params, turned)
