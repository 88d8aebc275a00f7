"""Calls to compiled code by address, for use inside Numba-compiled loops.

An address is an ordinary integer argument, so one compiled loop (cached on disk) serves every formula and
rule with no recompilation. Array arguments are given as arrays (C-contiguous) or as integer addresses such as
`a.ctypes.data`. Give arrays where the loop made the array itself: an address alone does not keep an array
alive. Nothing is checked: a wrong address, dtype or length ends the process. T below is the dtype the callee
was compiled for.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from llvmlite import ir
from numba import types
from numba.core.errors import TypingError
from numba.extending import intrinsic

_WORD, _POINTER, _REAL, _COUNT = "word", "pointer", "real", "count"
_intrinsic: Any = intrinsic  # callers do not give the typing context, which Numba's own annotation asks for


def _signature(kinds: Sequence[str], arguments: Sequence[Any]) -> tuple[Any, Callable[..., Any]]:
    """Typing and code of `call(address, *arguments)` for a C function returning nothing.

    `kinds` names, per argument after the address: word (intp), pointer, count (int64) or real (double).
    """
    for kind, given in zip(("word", *kinds), arguments, strict=True):
        if kind == _POINTER and isinstance(given, types.Array):
            if given.layout != "C":
                raise TypingError("arrays must be C-contiguous")
        elif kind == _REAL and isinstance(given, types.Float):
            continue
        elif not isinstance(given, types.Integer):
            raise TypingError(f"{given} is not allowed as a {kind}")

    def codegen(context: Any, builder: Any, signature: Any, values: Sequence[Any]) -> Any:
        machine = {
            _WORD: context.get_value_type(types.intp), _COUNT: ir.IntType(64), _REAL: ir.DoubleType(),
            _POINTER: ir.IntType(8).as_pointer(),
        }  # fmt: skip
        passed = []
        for kind, given, value in zip(kinds, signature.args[1:], values[1:], strict=True):
            if kind == _POINTER and isinstance(given, types.Array):
                data = context.make_array(given)(context, builder, value).data
                passed.append(builder.bitcast(data, machine[kind]))
            elif kind == _POINTER:
                word = context.cast(builder, value, given, types.uintp)
                passed.append(builder.inttoptr(word, machine[kind]))
            else:
                wanted = {_WORD: types.intp, _COUNT: types.int64, _REAL: types.float64}[kind]
                passed.append(context.cast(builder, value, given, wanted))
        kind_of_function = ir.FunctionType(ir.VoidType(), [machine[kind] for kind in kinds])
        address = context.cast(builder, values[0], signature.args[0], types.uintp)
        builder.call(builder.inttoptr(address, kind_of_function.as_pointer()), passed)
        return context.get_dummy_value()

    return types.void(*arguments), codegen


@_intrinsic  # type: ignore[untyped-decorator]
def call_value(typingctx: Any, address: Any, n: Any, x: Any, y: Any, f: Any) -> Any:
    """`void value(intp n, T *x, T *y, T *f)`: f at n points."""
    return _signature([_WORD, *[_POINTER] * 3], [address, n, x, y, f])


@_intrinsic  # type: ignore[untyped-decorator]
def call_gradient(typingctx: Any, address: Any, n: Any, x: Any, y: Any, f: Any, fx: Any, fy: Any) -> Any:
    """`void gradient(intp n, T *x, T *y, T *f, T *fx, T *fy)`: f and its gradient at n points."""
    return _signature([_WORD, *[_POINTER] * 5], [address, n, x, y, f, fx, fy])


@_intrinsic  # type: ignore[untyped-decorator]
def call_hessian(
    typingctx: Any,
    address: Any,
    n: Any,
    x: Any,
    y: Any,
    f: Any,
    fx: Any,
    fy: Any,
    fxx: Any,
    fxy: Any,
    fyy: Any,
) -> Any:
    """`void hessian(intp n, T *x, T *y, T *f, T *fx, T *fy, T *fxx, T *fxy, T *fyy)`: all up to order 2."""
    return _signature([_WORD, *[_POINTER] * 8], [address, n, x, y, f, fx, fy, fxx, fxy, fyy])


@_intrinsic  # type: ignore[untyped-decorator]
def call_update(
    typingctx: Any, address: Any, n: Any, p: Any, g: Any, s0: Any, s1: Any, s2: Any, t: Any, lr: Any, h: Any
) -> Any:
    """`void update(intp n, T *p, T *g, T *s0, T *s1, T *s2, int64 t, double lr, double *h)`.

    One optimizer step: parameters p and state s0..s2 changed in place, from gradient g, step t (from 1), rate
    lr and hyper-parameters h.
    """
    kinds = [_WORD, *[_POINTER] * 5, _COUNT, _REAL, _POINTER]
    return _signature(kinds, [address, n, p, g, s0, s1, s2, t, lr, h])


@_intrinsic  # type: ignore[untyped-decorator]
def call_look_ahead(typingctx: Any, address: Any, n: Any, p: Any, s0: Any, out: Any, lr: Any, h: Any) -> Any:
    """`void look_ahead(intp n, T *p, T *s0, T *out, double lr, double *h)`.

    Where a rule wants its gradient taken, given its state s0.
    """
    return _signature([_WORD, *[_POINTER] * 3, _REAL, _POINTER], [address, n, p, s0, out, lr, h])
