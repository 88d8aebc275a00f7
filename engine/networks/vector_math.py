"""Functions of vectors: exp, tanh, sigmoid, the normal distribution and logarithms, to a few units in the last place.

The argument of exp is reduced to n ln 2 + r with |r| <= ln 2 / 2 and e^r summed as its Taylor series (degree 7 in
float32, 13 in float64). Results that would underflow are about 1e-38 (1e-308) instead of 0; arguments beyond the
range give its end. nan stays nan.
"""

from __future__ import annotations

import math
from typing import Any

from engine.compile_cache import use_cache

use_cache()

from numba import njit  # noqa: E402

from engine.networks.vector_ops import constant, exponent, fma, magnitude, mantissa, polynomial, select, times_power  # noqa: E402

_inline: Any = njit(error_model="numpy", forceinline=True)

# Adding 1.5 * 2^23 (2^52) to a small number leaves it rounded to whole in the lowest bits.
_round_shift = constant(1.5 * 2.0**52, 1.5 * 2.0**23)
_lowest = constant(-708.0, -87.0)
_highest = constant(709.0, 88.0)
# ln 2 in two parts: the first has so few bits that n times it is exact.
_ln2_high = constant(0.6931471803691238, 0.693359375)
_ln2_low = constant(1.9082149292705877e-10, -2.1219444005469057e-4)
# (e^r - 1) / r
_growth = polynomial(
    [1.0 / math.factorial(k) for k in range(1, 14)],
    [1.0 / math.factorial(k) for k in range(1, 8)],
)
# atanh(s) / s in s^2, for |s| <= 1/3
_atanh = polynomial([1.0 / (2 * k + 1) for k in range(17)], [1.0 / (2 * k + 1) for k in range(8)])
# Phi(-x) exp(x^2 / 2) for x >= 0 in t = (4 - x) / (4 + x): its Chebyshev series, fitted in 40 digits
_tail = polynomial(
    [
        0.09441064130196893, 0.17039772154845542, 0.12437925533926537, 0.07170740733773803, 0.03086480410622515,
        0.008492095482084967, 0.000507562076799988, -0.0006388138514064342, -0.00018718428669896724,
        4.5554892640417344e-05, 2.8648442798579606e-05, -4.631555015543092e-06, -4.303904346491218e-06,
        8.294129430235673e-07, 6.62297108753446e-07, -2.0602260013457762e-07, -9.534702277947434e-08,
        5.2845602685133334e-08, 1.0479978903484804e-08, -1.192568322987461e-08, -4.583989356967971e-10,
        2.0206904361824695e-09, -4.767851228809609e-11, -1.8544963358123816e-10,
    ],
    [
        0.09441064260748247, 0.17039772031292164, 0.12437916006397212, 0.07170744266111631, 0.030865937056417783,
        0.008491804367315869, 0.0005025865374741987, -0.0006377692002538717, -0.00017711176832157545,
        4.367325280500483e-05, 1.8786717652412837e-05, -2.8714791859122906e-06,
    ],
)  # fmt: skip
_one = constant(1.0, 1.0)
_LN_2 = math.log(2.0)
_LOG2_E = 1.0 / _LN_2
_DENSITY_AT_0 = 1.0 / math.sqrt(2.0 * math.pi)


@_inline
def vexp(x):  # type: ignore[no-untyped-def]
    """e^x."""
    x = select(x < _lowest(x), _lowest(x), x)
    x = select(x > _highest(x), _highest(x), x)
    shifted = fma(x, _LOG2_E, _round_shift(x))
    n = shifted - _round_shift(x)
    r = (x - n * _ln2_high(x)) - n * _ln2_low(x)
    return times_power(fma(_growth(r), r, 1.0), shifted)


@_inline
def vexpm1(x):  # type: ignore[no-untyped-def]
    """e^x - 1 without loss near 0, for x up to 88 (709)."""
    x = select(x < _lowest(x), _lowest(x), x)
    x = select(x > _highest(x), _highest(x), x)
    shifted = fma(x, _LOG2_E, _round_shift(x))
    n = shifted - _round_shift(x)
    r = (x - n * _ln2_high(x)) - n * _ln2_low(x)
    power = times_power(_one(x), shifted)
    return fma(_growth(r) * r, power, power - 1.0)


@_inline
def vsigmoid(x):  # type: ignore[no-untyped-def]
    """1 / (1 + e^-x)."""
    return 1.0 / (vexp(0.0 - x) + 1.0)


@_inline
def vtanh(x):  # type: ignore[no-untyped-def]
    """tanh x, from e^(-2|x|) - 1."""
    fall = vexpm1(magnitude(x) * -2.0)
    size = (0.0 - fall) / (fall + 2.0)
    return select(x < 0.0, 0.0 - size, size)


@_inline
def vlog_one_plus(e):  # type: ignore[no-untyped-def]
    """log(1 + e) for e from 0 to 1, as 2 atanh(e / (2 + e))."""
    s = e / (e + 2.0)
    return s * 2.0 * _atanh(s * s)


@_inline
def vlog(x):  # type: ignore[no-untyped-def]
    """log x for positive normal numbers; nan stays nan."""
    m = mantissa(x)
    s = (m - 1.0) / (m + 1.0)
    return select(x == x, fma(exponent(x), _LN_2, s * 2.0 * _atanh(s * s)), x)


@_inline
def vnormal(x):  # type: ignore[no-untyped-def]
    """The standard normal's distribution and density at x."""
    fall = vexp(x * x * -0.5)
    size = magnitude(x)
    # far out the density is 0 all the same, and infinity divided by itself would be nan
    size = select(size > 1e6, 1e6, size)
    below = fall * _tail((4.0 - size) / (size + 4.0))
    return select(x > 0.0, 1.0 - below, below), fall * _DENSITY_AT_0
