"""g(u), g'(u) and g''(u) of every function of one argument, as instructions.

Each entry takes the builder and the instruction that is u. It gives the instruction that is g(u), and how to
make g'(u) and g''(u) if they are needed (None: zero everywhere).
"""

from __future__ import annotations

import math
from collections.abc import Callable

from engine.formula.program import Builder, Slot

Derivatives = tuple[int, Callable[[], Slot], Callable[[], Slot]]


def _zero() -> Slot:
    return None


def _sin(b: Builder, u: int) -> Derivatives:
    s = b.emit("sin", u)
    return s, lambda: b.emit("cos", u), lambda: b.neg(s)


def _cos(b: Builder, u: int) -> Derivatives:
    c = b.emit("cos", u)
    return c, lambda: b.neg(b.emit("sin", u)), lambda: b.neg(c)


def _tan(b: Builder, u: int) -> Derivatives:
    t = b.emit("tan", u)

    def g1() -> Slot:
        return b.add(b.const(1.0), b.mul(t, t))

    return t, g1, lambda: b.times(2.0, b.mul(t, g1()))


def _exp(b: Builder, u: int) -> Derivatives:
    f = b.emit("exp", u)
    return f, lambda: f, lambda: f


def _log(b: Builder, u: int) -> Derivatives:
    def g1() -> Slot:
        return b.div(b.const(1.0), u)

    return b.emit("log", u), g1, lambda: b.neg(b.mul(g1(), g1()))


def _sqrt(b: Builder, u: int) -> Derivatives:
    s = b.emit("sqrt", u)

    def g1() -> Slot:
        return b.div(b.const(0.5), s)

    return s, g1, lambda: b.times(-0.5, b.div(g1(), u))


def _abs(b: Builder, u: int) -> Derivatives:
    return b.emit("abs", u), lambda: b.emit("sign", u), _zero


def _step(name: str) -> Callable[[Builder, int], Derivatives]:
    return lambda b, u: (b.emit(name, u), _zero, _zero)


def _tanh(b: Builder, u: int) -> Derivatives:
    t = b.emit("tanh", u)

    def g1() -> Slot:
        return b.sub(b.const(1.0), b.mul(t, t))

    return t, g1, lambda: b.times(-2.0, b.mul(t, g1()))


def _sinh(b: Builder, u: int) -> Derivatives:
    s = b.emit("sinh", u)
    return s, lambda: b.emit("cosh", u), lambda: s


def _cosh(b: Builder, u: int) -> Derivatives:
    c = b.emit("cosh", u)
    return c, lambda: b.emit("sinh", u), lambda: c


def _atan(b: Builder, u: int) -> Derivatives:
    def g1() -> Slot:
        return b.div(b.const(1.0), b.slot(b.add(b.const(1.0), b.mul(u, u))))

    return b.emit("atan", u), g1, lambda: b.times(-2.0, b.mul(u, b.mul(g1(), g1())))


def _sigmoid(b: Builder, u: int) -> Derivatives:
    one = b.const(1.0)
    s = b.emit("/", one, b.emit("+", one, b.emit("exp", b.slot(b.neg(u)))))

    def g1() -> Slot:
        return b.mul(s, b.sub(one, s))

    return s, g1, lambda: b.mul(g1(), b.sub(one, b.times(2.0, s)))


def _erf(b: Builder, u: int) -> Derivatives:
    def g1() -> Slot:
        return b.times(2.0 / math.sqrt(math.pi), b.emit("exp", b.slot(b.neg(b.mul(u, u)))))

    return b.emit("erf", u), g1, lambda: b.times(-2.0, b.mul(u, g1()))


FUNCTIONS: dict[str, Callable[[Builder, int], Derivatives]] = {
    "sin": _sin, "cos": _cos, "tan": _tan, "exp": _exp, "log": _log, "sqrt": _sqrt, "abs": _abs,
    "tanh": _tanh, "sinh": _sinh, "cosh": _cosh, "atan": _atan, "erf": _erf, "sigmoid": _sigmoid,
    "sign": _step("sign"), "floor": _step("floor"),
}  # fmt: skip
