"""What can be done with vectors of sixteen numbers beyond + - * /: choosing, summing across, turning, polynomials."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils

from engine.networks.vectors import MASK, WIDTH, Vector, as_vector, bits_of, machine_of, pointer_to, spread
from engine.networks.vectors import typed_intrinsic as _intrinsic

_MANTISSA = {32: 23, 64: 52}
_BIAS = {32: 127, 64: 1023}


def constant_vector(kind: Any, value: float) -> Any:
    """Code for a constant sixteen times."""
    machine = machine_of(kind)
    return ir.Constant(machine, [float(value)] * WIDTH)


def _call(builder: Any, name: str, machine: Any, values: Sequence[Any]) -> Any:
    suffix = f"v{WIDTH}f{32 if isinstance(machine.element, ir.FloatType) else 64}"
    kind = ir.FunctionType(machine, [machine] * len(values))
    return builder.call(cgutils.get_or_insert_function(builder.module, kind, f"llvm.{name}.{suffix}"), values)  # type: ignore[no-untyped-call]


@_intrinsic  # type: ignore[untyped-decorator]
def fma(typingctx: Any, a: Any, b: Any, c: Any) -> Any:
    """a * b + c, rounded once where the machine can."""

    def codegen(context: Any, builder: Any, sig: Any, values: Any) -> Any:
        vectors = [as_vector(context, builder, v, g, sig.return_type) for v, g in zip(values, sig.args, strict=True)]
        return _call(builder, "fmuladd", machine_of(sig.return_type), vectors)

    return next(one for one in (a, b, c) if isinstance(one, Vector))(a, b, c), codegen


@_intrinsic  # type: ignore[untyped-decorator]
def magnitude(typingctx: Any, a: Any) -> Any:
    """Absolute values."""

    def codegen(context: Any, builder: Any, sig: Any, values: Any) -> Any:
        return _call(builder, "fabs", machine_of(sig.return_type), values)

    return a(a), codegen


@_intrinsic  # type: ignore[untyped-decorator]
def select(typingctx: Any, mask: Any, a: Any, b: Any) -> Any:
    """`a` where the mask holds, else `b`; one of them may be a scalar."""
    kind = a if isinstance(a, Vector) else b

    def codegen(context: Any, builder: Any, sig: Any, values: Any) -> Any:
        left = as_vector(context, builder, values[1], sig.args[1], sig.return_type)
        right = as_vector(context, builder, values[2], sig.args[2], sig.return_type)
        return builder.select(values[0], left, right)

    return kind(mask, a, b), codegen


@_intrinsic  # type: ignore[untyped-decorator]
def first(typingctx: Any, count: Any) -> Any:
    """The mask that holds in the first `count` of the sixteen places."""

    def codegen(context: Any, builder: Any, sig: Any, values: Any) -> Any:
        kind = ir.VectorType(ir.IntType(64), WIDTH)
        return builder.icmp_signed("<", ir.Constant(kind, list(range(WIDTH))), spread(builder, values[0]))

    return MASK(types.int64), codegen


@_intrinsic  # type: ignore[untyped-decorator]
def across(typingctx: Any, vector: Any) -> Any:
    """The sum of the sixteen numbers, halves upon halves: one fixed order."""

    def codegen(context: Any, builder: Any, sig: Any, values: Any) -> Any:
        total, width = values[0], WIDTH
        while width > 1:
            width //= 2
            low, high = (
                builder.shuffle_vector(
                    total,
                    ir.Constant(total.type, ir.Undefined),
                    ir.Constant(ir.VectorType(ir.IntType(32), width), list(range(start, start + width))),
                )
                for start in (0, width)
            )
            total = builder.fadd(low, high)
        return builder.extract_element(total, ir.IntType(32)(0))

    return vector.element(vector), codegen


@_intrinsic  # type: ignore[untyped-decorator]
def times_power(typingctx: Any, vector: Any, shifted: Any) -> Any:
    """`vector` times 2^n, where `shifted` is n plus `round_shift` (n from -126 to 127, or -1022 to 1023)."""

    def codegen(context: Any, builder: Any, sig: Any, values: Any) -> Any:
        bits = bits_of(sig.return_type)
        whole = ir.VectorType(ir.IntType(bits), WIDTH)
        n = builder.bitcast(values[1], whole)
        n = builder.add(n, ir.Constant(whole, [_BIAS[bits]] * WIDTH))
        power = builder.shl(n, ir.Constant(whole, [_MANTISSA[bits]] * WIDTH))
        return builder.fmul(values[0], builder.bitcast(power, machine_of(sig.return_type)))

    return vector(vector, shifted), codegen


@_intrinsic  # type: ignore[untyped-decorator]
def element(typingctx: Any, vector: Any, place: Any) -> Any:
    """One of the sixteen numbers."""

    def codegen(context: Any, builder: Any, sig: Any, values: Any) -> Any:
        return builder.extract_element(values[0], values[1])

    return vector.element(vector, types.int64), codegen


@_intrinsic  # type: ignore[untyped-decorator]
def exponent(typingctx: Any, vector: Any) -> Any:
    """n where a positive number is 2^n m with m from 0.7 to 1.42."""

    def codegen(context: Any, builder: Any, sig: Any, values: Any) -> Any:
        n, _ = _split(builder, values[0], sig.return_type)
        return builder.sitofp(n, machine_of(sig.return_type))

    return vector(vector), codegen


@_intrinsic  # type: ignore[untyped-decorator]
def mantissa(typingctx: Any, vector: Any) -> Any:
    """m where a positive number is 2^n m with m from 0.7 to 1.42."""

    def codegen(context: Any, builder: Any, sig: Any, values: Any) -> Any:
        return builder.bitcast(_split(builder, values[0], sig.return_type)[1], machine_of(sig.return_type))

    return vector(vector), codegen


def _split(builder: Any, value: Any, kind: Any) -> tuple[Any, Any]:
    bits = bits_of(kind)
    whole = ir.VectorType(ir.IntType(bits), WIDTH)
    shift = ir.Constant(whole, [_MANTISSA[bits]] * WIDTH)
    word = builder.bitcast(value, whole)
    # less the bits of about the root of one half: what is left above the mantissa is n
    root = ((_BIAS[bits] - 1) << _MANTISSA[bits]) + (0x35 << (_MANTISSA[bits] - 7))
    n = builder.ashr(builder.sub(word, ir.Constant(whole, [root] * WIDTH)), shift)
    return n, builder.sub(word, builder.shl(n, shift))


@_intrinsic  # type: ignore[untyped-decorator]
def transpose(typingctx: Any, given: Any, start: Any, row: Any, out: Any, to: Any, out_row: Any) -> Any:
    """out[to + i out_row + j] = given[start + j row + i] for i and j below sixteen; they may be one array."""
    kind = Vector(given.dtype)

    def codegen(context: Any, builder: Any, sig: Any, values: Any) -> Any:
        align, machine = bits_of(kind) // 8, machine_of(kind)

        def place(which: int, i: int) -> Any:
            index = builder.add(values[which + 1], builder.mul(values[which + 2], values[which + 2].type(i)))
            where = pointer_to(context, builder, sig.args[which], values[which], index)
            return builder.bitcast(where, machine.as_pointer())

        rows = [builder.load(place(0, i), align=align) for i in range(WIDTH)]
        # squares of 8, 4, 2, 1 change places with the ones across the diagonal
        for s in (8, 4, 2, 1):
            for i in range(WIDTH):
                if not i & s:
                    low = [k if not k & s else WIDTH + k - s for k in range(WIDTH)]
                    high = [k + s if not k & s else WIDTH + k for k in range(WIDTH)]
                    both = rows[i], rows[i + s]
                    rows[i], rows[i + s] = (
                        builder.shuffle_vector(*both, ir.Constant(ir.VectorType(ir.IntType(32), WIDTH), order))
                        for order in (low, high)
                    )
        for i, value in enumerate(rows):
            builder.store(value, place(3, i), align=align)
        return context.get_dummy_value()

    return types.void(given, types.intp, types.intp, out, types.intp, types.intp), codegen


def polynomial(double: Sequence[float], single: Sequence[float]) -> Any:
    """An intrinsic for c[0] + c[1] v + c[2] v^2 + ..., with other coefficients in each precision."""

    @_intrinsic  # type: ignore[untyped-decorator]
    def horner(typingctx: Any, vector: Any) -> Any:
        def codegen(context: Any, builder: Any, sig: Any, values: Any) -> Any:
            coefficients = single if bits_of(sig.return_type) == 32 else double
            result = constant_vector(sig.return_type, coefficients[-1])
            for value in reversed(coefficients[:-1]):
                machine = machine_of(sig.return_type)
                result = _call(
                    builder, "fmuladd", machine, [result, values[0], constant_vector(sig.return_type, value)]
                )
            return result

        return vector(vector), codegen

    return horner


def constant(double: float, single: float) -> Any:
    """An intrinsic for a number that is another one in each precision; its argument is any vector."""
    return polynomial((double,), (single,))
