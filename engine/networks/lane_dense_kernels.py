"""The products of a fully connected layer for sixteen networks at once: a vector holds one number of each.

A batch is stored [units, samples, 16] with `stride` numbers from unit to unit, parameters are [P, 16]. Two rows and
two columns share their loads; where there is no second one, the first is computed and written twice.
"""

from __future__ import annotations

from engine.networks.dense_kernels import WIDTH, kernel
from engine.networks.vector_ops import fma
from engine.networks.vectors import full, load, store


@kernel
def lane_forward(  # type: ignore[no-untyped-def]
    params, weight, bias, fan_in, fan_out, work, given, out, stride, samples
):
    """out[o, b] = bias[o] + sum over i of weight[o, i] given[i, b]. `bias` -1: there is none."""
    zero = full(work, 0.0)
    for o in range(0, fan_out, 2):
        p = min(o + 1, fan_out - 1)
        start, start_p = zero, zero
        if bias >= 0:
            start, start_p = load(params, (bias + o) * WIDTH), load(params, (bias + p) * WIDTH)
        for b in range(0, samples, 2):
            c = min(b + 1, samples - 1)
            s_ob, s_oc, s_pb, s_pc = start, start, start_p, start_p
            at_b, at_c = given + b * WIDTH, given + c * WIDTH
            w_o, w_p = (weight + o * fan_in) * WIDTH, (weight + p * fan_in) * WIDTH
            for _ in range(fan_in):
                x_b, x_c = load(work, at_b), load(work, at_c)
                o_w, p_w = load(params, w_o), load(params, w_p)
                s_ob, s_oc = fma(o_w, x_b, s_ob), fma(o_w, x_c, s_oc)
                s_pb, s_pc = fma(p_w, x_b, s_pb), fma(p_w, x_c, s_pc)
                at_b += stride
                at_c += stride
                w_o += WIDTH
                w_p += WIDTH
            store(work, out + o * stride + b * WIDTH, s_ob)
            store(work, out + o * stride + c * WIDTH, s_oc)
            store(work, out + p * stride + b * WIDTH, s_pb)
            store(work, out + p * stride + c * WIDTH, s_pc)


@kernel
def lane_to_inputs(  # type: ignore[no-untyped-def]
    params, weight, fan_in, fan_out, work, delta, out, stride, samples
):
    """out[i, b] = sum over o of weight[o, i] delta[o, b]."""
    zero = full(work, 0.0)
    for i in range(0, fan_in, 2):
        j = min(i + 1, fan_in - 1)
        for b in range(0, samples, 2):
            c = min(b + 1, samples - 1)
            s_ib, s_ic, s_jb, s_jc = zero, zero, zero, zero
            at_b, at_c = delta + b * WIDTH, delta + c * WIDTH
            w_i, w_j = (weight + i) * WIDTH, (weight + j) * WIDTH
            for _ in range(fan_out):
                d_b, d_c = load(work, at_b), load(work, at_c)
                i_w, j_w = load(params, w_i), load(params, w_j)
                s_ib, s_ic = fma(i_w, d_b, s_ib), fma(i_w, d_c, s_ic)
                s_jb, s_jc = fma(j_w, d_b, s_jb), fma(j_w, d_c, s_jc)
                at_b += stride
                at_c += stride
                w_i += fan_in * WIDTH
                w_j += fan_in * WIDTH
            store(work, out + i * stride + b * WIDTH, s_ib)
            store(work, out + i * stride + c * WIDTH, s_ic)
            store(work, out + j * stride + b * WIDTH, s_jb)
            store(work, out + j * stride + c * WIDTH, s_jc)


@kernel
def lane_to_weights(  # type: ignore[no-untyped-def]
    grad, weight, fan_in, fan_out, work, delta, given, stride, samples
):
    """grad[weight + o fan_in + i] += sum over b of delta[o, b] given[i, b]."""
    zero = full(work, 0.0)
    for o in range(0, fan_out, 2):
        p = min(o + 1, fan_out - 1)
        for i in range(0, fan_in, 2):
            j = min(i + 1, fan_in - 1)
            s_oi, s_oj, s_pi, s_pj = zero, zero, zero, zero
            d_o, d_p = delta + o * stride, delta + p * stride
            x_i, x_j = given + i * stride, given + j * stride
            for at in range(0, samples * WIDTH, WIDTH):
                o_d, p_d = load(work, d_o + at), load(work, d_p + at)
                i_x, j_x = load(work, x_i + at), load(work, x_j + at)
                s_oi, s_oj = fma(o_d, i_x, s_oi), fma(o_d, j_x, s_oj)
                s_pi, s_pj = fma(p_d, i_x, s_pi), fma(p_d, j_x, s_pj)
            to_oi, to_oj = (weight + o * fan_in + i) * WIDTH, (weight + o * fan_in + j) * WIDTH
            to_pi, to_pj = (weight + p * fan_in + i) * WIDTH, (weight + p * fan_in + j) * WIDTH
            # all are read before any is written: two of them may be the same
            s_oi, s_oj = s_oi + load(grad, to_oi), s_oj + load(grad, to_oj)
            s_pi, s_pj = s_pi + load(grad, to_pi), s_pj + load(grad, to_pj)
            store(grad, to_oi, s_oi)
            store(grad, to_oj, s_oj)
            store(grad, to_pi, s_pi)
            store(grad, to_pj, s_pj)


@kernel
def lane_to_bias(grad, bias, fan_out, work, delta, stride, samples):  # type: ignore[no-untyped-def]
    """grad[bias + o] += sum over b of delta[o, b]."""
    for o in range(fan_out):
        total = load(grad, (bias + o) * WIDTH)
        for b in range(samples):
            total = total + load(work, delta + o * stride + b * WIDTH)
        store(grad, (bias + o) * WIDTH, total)
