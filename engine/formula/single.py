"""sin, cos and exp of float32 as LLVM assembly without branches or calls, so that loops around them vectorise.

They compute in double and round once at the end, to within 0.51 ulp; libm's own take one element at a time. Each
works on one number, and the same instructions serve every place of a vector, so that bits do not depend on it.
"""

from __future__ import annotations

import math
import struct

FAR = 2.0**28  # sin and cos hold below; beyond, the product of PI_HIGH with a number of quarter turns is not exact

# pi/2 in two parts: 25 bits, whose product with a number of quarter turns is exact, and what is missing
_HIGH = math.ldexp(math.floor(math.ldexp(math.pi / 2, 24)), -24)
_LOW = (math.pi / 2 - _HIGH) + 6.123233995736766e-17  # pi/2 - its double
_ROUND = 1.5 * 2.0**52  # added, it leaves the nearest whole number in the low bits


def _number(value: float) -> str:
    return f"0x{struct.unpack('<Q', struct.pack('<d', value))[0]:016X}"


def _fused(result: str, a: str, b: str, c: str) -> str:
    """result = a b + c, rounded once where the processor does it at once."""
    return f"  {result} = call double @llvm.fmuladd.f64(double {a}, double {b}, double {c})"


def _polynomial(result: str, u: str, coefficients: list[float]) -> list[str]:
    """result = c0 + c1 u + c2 u^2 + ... by Horner's rule."""
    lines, so_far = [], _number(coefficients[-1])
    for k, coefficient in reversed(list(enumerate(coefficients[:-1]))):
        name = result if k == 0 else f"{result}{k}"
        lines.append(_fused(name, so_far, u, _number(coefficient)))
        so_far = name
    return lines


def _define(name: str, body: list[str]) -> str:
    head = [f"define internal float @near_{name}(float %x) alwaysinline nounwind memory(none) {{"]
    foot = ["  %rounded = fptrunc double %result to float", "  ret float %rounded", "}"]
    return "\n".join([*head, "  %d = fpext float %x to double", *body, *foot])


def _wave(quarter: int) -> list[str]:
    """sin of x, or of x and a quarter turn more.

    x = k pi/2 + r, |r| <= pi/4 a little over; then sin r or cos r as Taylor's series, wrong by 7e-12 and 1e-10.
    """
    return [
        _fused("%moved", "%d", _number(2 / math.pi), _number(_ROUND)),
        f"  %k = fsub double %moved, {_number(_ROUND)}",
        _fused("%rest", "%k", _number(-_HIGH), "%d"),
        _fused("%r", "%k", _number(-_LOW), "%rest"),
        "  %u = fmul double %r, %r",
        *_polynomial("%s", "%u", [(-1) ** n / math.factorial(2 * n + 1) for n in range(6)]),
        "  %sin = fmul double %s, %r",
        *_polynomial("%cos", "%u", [(-1) ** n / math.factorial(2 * n) for n in range(6)]),
        "  %bits = bitcast double %moved to i64",
        f"  %quarter = add i64 %bits, {quarter}",
        "  %odd = and i64 %quarter, 1",
        "  %even = icmp eq i64 %odd, 0",
        "  %size = select i1 %even, double %sin, double %cos",
        "  %half = and i64 %quarter, 2",
        "  %sign = shl i64 %half, 62",
        "  %plain = bitcast double %size to i64",
        "  %signed = xor i64 %plain, %sign",
        "  %result = bitcast i64 %signed to double",
    ]


def _exponential() -> list[str]:
    """exp(x) = 2^k exp(r), |r| <= ln(2)/2, as Taylor's series, wrong by 7e-12; k kept where 2^k is a double."""
    return [
        f"  %above = fcmp ogt double %d, {_number(128.0)}",
        f"  %most = select i1 %above, double {_number(128.0)}, double %d",
        f"  %below = fcmp olt double %most, {_number(-128.0)}",
        f"  %c = select i1 %below, double {_number(-128.0)}, double %most",
        _fused("%moved", "%c", _number(1 / math.log(2)), _number(_ROUND)),
        f"  %k = fsub double %moved, {_number(_ROUND)}",
        _fused("%r", "%k", _number(-math.log(2)), "%c"),
        *_polynomial("%e", "%r", [1 / math.factorial(n) for n in range(10)]),
        "  %bits = bitcast double %moved to i64",
        "  %exponent = shl i64 %bits, 52",
        f"  %biased = add i64 %exponent, {1023 << 52}",
        "  %scale = bitcast i64 %biased to double",
        "  %result = fmul double %e, %scale",
    ]


def _any(name: str) -> str:
    """sin or cos of whatever argument: ours where it holds, libm's beyond."""
    return f"""define internal float @any_{name}(float %x) noinline nounwind memory(none) {{
  %far = call i1 @is_far(float %x)
  br i1 %far, label %there, label %here
there:
  %other = call float @llvm.{name}.f32(float %x)
  ret float %other
here:
  %ours = call float @near_{name}(float %x)
  ret float %ours
}}"""


FUSED = "declare double @llvm.fmuladd.f64(double, double, double)"  # all of NEAR call it
NEAR = {"sin": _define("sin", _wave(0)), "cos": _define("cos", _wave(1)), "exp": _define("exp", _exponential())}
ANY = {name: _any(name) for name in ("sin", "cos")}  # calls NEAR, IS_FAR and LLVM's of the same name
IS_FAR = f"""define internal i1 @is_far(float %x) alwaysinline nounwind memory(none) {{
  %size = call float @llvm.fabs.f32(float %x)
  %large = fcmp oge float %size, {_number(FAR)}
  %finite = fcmp olt float %size, {_number(math.inf)}
  %far = and i1 %large, %finite
  ret i1 %far
}}"""
