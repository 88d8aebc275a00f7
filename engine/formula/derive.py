"""Derivatives of a formula tree: second-order forward mode, as a straight list of elementary instructions.

Every node carries f and, as far as asked for, f_x, f_y, f_xx, f_xy, f_yy (Griewank and Walther, Evaluating
Derivatives, 2nd ed., section 3.2 and chapter 13). A derivative that is zero by structure is None and makes no
instruction; an instruction made twice is made once. The list is linear in the size of the tree, and the
instructions of f are the same at every order, so its bits are too.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce
from typing import Literal

from engine.formula.functions import FUNCTIONS
from engine.formula.program import Builder, Program, Slot
from engine.formula.tree import Binary, Call, Const, Node, Var, fold

Order = Literal[0, 1, 2]
Jet = tuple[Slot, ...]  # 1, 3 or 6 parts; the first is never None
_PARTS: dict[int, int] = {0: 1, 1: 3, 2: 6}  # f | f_x f_y | f_xx f_xy f_yy
_PAIRS = ((1, 1), (1, 2), (2, 2))


def derive(tree: Node, order: Order) -> Program:
    """The program for f (order 0), f and gradient (1), or f, gradient and Hessian (2) of a settled tree."""
    jets = _Jets(_PARTS[order])
    jet = fold(tree, jets.node)
    outputs = tuple(jets.code.slot(part) for part in jet)
    return Program(tuple(jets.code.instructions), outputs)


class _Jets:
    def __init__(self, parts: int) -> None:
        self.parts = parts
        self.code = Builder()

    def node(self, node: Node, below: Sequence[Jet]) -> Jet:
        if isinstance(node, Const):
            return self._jet(self.code.const(node.value), lambda i: None, lambda i, j, k: None)
        if isinstance(node, Var):
            one = self.code.const(1.0) if self.parts > 1 else None
            mine = "xy".index(node.name) + 1
            return self._jet(self.code.emit(node.name), lambda i: one if i == mine else None, lambda i, j, k: None)
        if isinstance(node, Call):
            return self._call(node.name, below)
        return self._binary(node, *below)

    def _jet(self, value: Slot, first: Callable[[int], Slot], second: Callable[[int, int, int], Slot]) -> Jet:
        """f; first(i) for i = 1 (x), 2 (y); second(i, j, k), where part k of every jet is d/di d/dj."""
        parts = [value]
        if self.parts > 1:
            parts += [first(1), first(2)]
        if self.parts > 3:
            parts += [second(i, j, k) for k, (i, j) in enumerate(_PAIRS, start=3)]
        return tuple(parts)

    def _each(self, operation: Callable[..., Slot], *jets: Jet) -> Jet:
        return tuple(operation(*parts) for parts in zip(*jets, strict=True))

    def _binary(self, node: Binary, a: Jet, b: Jet) -> Jet:
        match node.operator:
            case "+":
                return self._each(self.code.add, a, b)
            case "-":
                return self._each(self.code.sub, a, b)
            case "*":
                return self._product(a, b)
            case "/":
                return self._quotient(a, b)
        if isinstance(node.right, Const):
            return self._constant_power(a, node.right.value)
        return self._power(a, b)

    def _product(self, a: Jet, b: Jet) -> Jet:
        mul, add = self.code.mul, self.code.add
        return self._jet(
            mul(a[0], b[0]),
            lambda i: add(mul(a[i], b[0]), mul(a[0], b[i])),
            lambda i, j, k: add(
                add(mul(a[k], b[0]), mul(a[0], b[k])), add(mul(a[i], b[j]), mul(a[j], b[i]))
            ),
        )  # fmt: skip

    def _quotient(self, a: Jet, b: Jet) -> Jet:
        mul, sub, bottom = self.code.mul, self.code.sub, self.code.slot(b[0])
        f: list[Slot] = [self.code.div(a[0], bottom)]

        def first(i: int) -> Slot:
            f.append(self.code.div(sub(a[i], mul(f[0], b[i])), bottom))
            return f[i]

        def second(i: int, j: int, k: int) -> Slot:
            crossed = self.code.add(mul(f[i], b[j]), mul(f[j], b[i]))
            return self.code.div(sub(sub(a[k], crossed), mul(f[0], b[k])), bottom)

        return self._jet(f[0], first, second)

    def _chain(self, u: Jet, value: int, g1: Callable[[], Slot], g2: Callable[[], Slot], steep: bool = False) -> Jet:
        """g(u) from g, g' and g''. `steep`: g' may be infinite; then a zero slope of u counts as zero."""
        mul = (lambda a, b: self.code.mul(a, b, "slope")) if steep else self.code.mul

        def second(i: int, j: int, k: int) -> Slot:
            curved = mul(g2(), self.code.mul(u[i], u[j])) if u[i] is not None and u[j] is not None else None
            return self.code.add(curved, mul(g1(), u[k]) if u[k] is not None else None)

        return self._jet(value, lambda i: mul(g1(), u[i]) if u[i] is not None else None, second)

    def _whole_power(self, u: int, n: int) -> int:
        """u^n by repeated squaring; 1/u^-n for n < 0."""
        if n < 0:
            return self.code.emit("/", self.code.const(1.0), self._whole_power(u, -n))
        squares, factors = u, []
        while n:
            if n & 1:
                factors.append(squares)
            n >>= 1
            if n:
                squares = self.code.emit("*", squares, squares)
        return reduce(lambda a, b: self.code.emit("*", a, b), factors) if factors else self.code.const(1.0)

    def _constant_power(self, u: Jet, p: float) -> Jet:
        base, whole = self.code.slot(u[0]), p.is_integer()

        def power(q: float) -> int:
            return self._whole_power(base, int(q)) if whole else self.code.emit("pow", base, self.code.const(q))

        def g1() -> Slot:
            return self.code.times(p, power(p - 1)) if p else None

        def g2() -> Slot:
            return self.code.times(p * (p - 1), power(p - 2)) if p * (p - 1) else None

        return self._chain(u, power(p), g1, g2, steep=not whole)

    def _power(self, u: Jet, v: Jet) -> Jet:
        """u^v = exp(L) with L = v log u; the value itself by pow."""
        f = self.code.emit("pow", self.code.slot(u[0]), self.code.slot(v[0]))
        if self.parts == 1:
            return (f,)
        log_u = self._call("log", [u])
        exponent = self._product(v, log_u)
        return self._chain(exponent, f, lambda: f, lambda: f)

    def _call(self, name: str, arguments: Sequence[Jet]) -> Jet:
        if name == "neg":
            return self._each(self.code.neg, arguments[0])
        if name in ("max", "min"):
            return self._extreme(name, *arguments)
        u = arguments[0]
        return self._chain(u, *FUNCTIONS[name](self.code, self.code.slot(u[0])), steep=name == "sqrt")

    def _extreme(self, name: str, a: Jet, b: Jet) -> Jet:
        more, less = (
            (self.code.slot(a[0]), self.code.slot(b[0]))
            if name == "max"
            else (self.code.slot(b[0]), self.code.slot(a[0]))
        )

        def pick(p: Slot, q: Slot) -> Slot:
            if p == q:
                return p
            return self.code.emit("tied", more, less, self.code.slot(p), self.code.slot(q))

        value = self.code.emit(name, self.code.slot(a[0]), self.code.slot(b[0]))
        return (value, *(pick(p, q) for p, q in zip(a[1:], b[1:], strict=True)))
