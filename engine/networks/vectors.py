"""Sixteen numbers as one value, for use inside Numba-compiled loops: explicit vectors, whatever the machine.

    total = fma(load(a, i), load(b, j), total)

Numba leaves a loop to LLVM's vectoriser, which will not vectorise a sum without being allowed to reorder it. Here the
order is written down. LLVM cuts a vector into what the machine has (two AVX registers, four of NEON). Operators + - * /
and comparisons take vectors and scalars; a scalar takes the vector's precision. Nothing is checked: an index beyond the
array reads what is there.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types
from numba.core.datamodel import models
from numba.core.typing.templates import AbstractTemplate, infer_global, signature
from numba.extending import intrinsic, lower_builtin, register_model

WIDTH = 16
typed_intrinsic: Any = intrinsic  # callers do not give the typing context, which Numba's own annotation asks for


class Vector(types.Type):
    """Sixteen numbers of one precision."""

    def __init__(self, element: Any) -> None:
        self.element = element
        super().__init__(name=f"vector({element})")


class Mask(types.Type):
    """Sixteen answers, as from comparing vectors."""

    def __init__(self) -> None:
        super().__init__(name="mask")


MASK = Mask()


@register_model(Vector)
class _VectorModel(models.PrimitiveModel):
    def __init__(self, manager: Any, kind: Any) -> None:
        super().__init__(manager, kind, ir.VectorType(manager.lookup(kind.element).get_value_type(), WIDTH))  # type: ignore[no-untyped-call]


@register_model(Mask)
class _MaskModel(models.PrimitiveModel):
    def __init__(self, manager: Any, kind: Any) -> None:
        super().__init__(manager, kind, ir.VectorType(ir.IntType(1), WIDTH))  # type: ignore[no-untyped-call]


def machine_of(kind: Any) -> Any:
    """The LLVM type of a vector."""
    return ir.VectorType(ir.FloatType() if kind.element == types.float32 else ir.DoubleType(), WIDTH)


def bits_of(kind: Any) -> int:
    """Bits of one of its numbers: 32 or 64."""
    return 32 if kind.element == types.float32 else 64


def spread(builder: Any, scalar: Any) -> Any:
    """Code for a scalar sixteen times."""
    empty = ir.Constant(ir.VectorType(scalar.type, WIDTH), ir.Undefined)
    one = builder.insert_element(empty, scalar, ir.IntType(32)(0))
    return builder.shuffle_vector(one, empty, ir.Constant(ir.VectorType(ir.IntType(32), WIDTH), [0] * WIDTH))


def as_vector(context: Any, builder: Any, value: Any, given: Any, kind: Any) -> Any:
    """The value as a vector of `kind`; scalars are converted and spread."""
    if isinstance(given, Vector):
        return value
    return spread(builder, context.cast(builder, value, given, kind.element))


# ---- operators


def _operator(function: Any, make: Callable[[Any, Any, Any], Any], comparison: bool = False) -> None:
    @infer_global(function)  # type: ignore[no-untyped-call]
    class _Typing(AbstractTemplate):
        def generic(self, given: Any, names: Any) -> Any:
            vectors = {one for one in given if isinstance(one, Vector)}
            numbers = all(isinstance(one, (Vector, types.Float)) for one in given)
            if len(given) == 2 and len(vectors) == 1 and numbers:
                return signature(MASK if comparison else vectors.pop(), *given)  # type: ignore[no-untyped-call]
            return None

    def lower(context: Any, builder: Any, sig: Any, values: Any) -> Any:
        kind = next(one for one in sig.args if isinstance(one, Vector))
        a, b = (as_vector(context, builder, value, given, kind) for value, given in zip(values, sig.args, strict=True))
        return make(builder, a, b)

    for pair in ((Vector, Vector), (Vector, types.Float), (types.Float, Vector)):
        lower_builtin(function, *pair)(lower)  # type: ignore[no-untyped-call]


_operator(operator.add, lambda builder, a, b: builder.fadd(a, b))
_operator(operator.sub, lambda builder, a, b: builder.fsub(a, b))
_operator(operator.mul, lambda builder, a, b: builder.fmul(a, b))
_operator(operator.truediv, lambda builder, a, b: builder.fdiv(a, b))
_operator(operator.gt, lambda builder, a, b: builder.fcmp_ordered(">", a, b), True)
_operator(operator.lt, lambda builder, a, b: builder.fcmp_ordered("<", a, b), True)
_operator(operator.eq, lambda builder, a, b: builder.fcmp_ordered("==", a, b), True)


# ---- memory


def pointer_to(context: Any, builder: Any, kind: Any, array: Any, index: Any) -> Any:
    """Code for the address of an entry of a contiguous array."""
    data = context.make_array(kind)(context, builder, array).data
    return builder.gep(data, [index])


@typed_intrinsic  # type: ignore[untyped-decorator]
def load(typingctx: Any, array: Any, index: Any) -> Any:
    """The sixteen numbers of a contiguous array from `index` on."""

    def codegen(context: Any, builder: Any, sig: Any, values: Any) -> Any:
        where = pointer_to(context, builder, sig.args[0], values[0], values[1])
        where = builder.bitcast(where, machine_of(sig.return_type).as_pointer())
        return builder.load(where, align=bits_of(sig.return_type) // 8)

    return Vector(array.dtype)(array, types.intp), codegen


@typed_intrinsic  # type: ignore[untyped-decorator]
def store(typingctx: Any, array: Any, index: Any, vector: Any) -> Any:
    """Write sixteen numbers into a contiguous array from `index` on."""

    def codegen(context: Any, builder: Any, sig: Any, values: Any) -> Any:
        where = pointer_to(context, builder, sig.args[0], values[0], values[1])
        where = builder.bitcast(where, machine_of(sig.args[2]).as_pointer())
        builder.store(values[2], where, align=bits_of(sig.args[2]) // 8)
        return context.get_dummy_value()

    return types.void(array, types.intp, vector), codegen


@typed_intrinsic  # type: ignore[untyped-decorator]
def splat(typingctx: Any, array: Any, index: Any) -> Any:
    """One number of a contiguous array, sixteen times."""

    def codegen(context: Any, builder: Any, sig: Any, values: Any) -> Any:
        where = pointer_to(context, builder, sig.args[0], values[0], values[1])
        return spread(builder, builder.load(where, align=bits_of(sig.return_type) // 8))

    return Vector(array.dtype)(array, types.intp), codegen


@typed_intrinsic  # type: ignore[untyped-decorator]
def full(typingctx: Any, array: Any, value: Any) -> Any:
    """A number sixteen times, in the precision of `array` (of which nothing else is used)."""

    def codegen(context: Any, builder: Any, sig: Any, values: Any) -> Any:
        return spread(builder, context.cast(builder, values[1], sig.args[1], sig.return_type.element))

    return Vector(array.dtype)(array, value), codegen
