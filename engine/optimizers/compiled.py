"""The rules as machine code: for each rule, convention and precision one C function over whole buffers.

    void update(intp n, T* p, T* g, T* s0, T* s1, T* s2, int64 t, double lr, double* h)
    void look_ahead(intp n, T* p, T* s0, T* out, double lr, double* h)

Pointers of states a rule does not have are never read, so they may be null; parameters, gradient and states must
not overlap (`out` of look_ahead may be p). T is double or float, and all arithmetic is done in T. Each element goes
through the same operations wherever it stands (nothing reordered, no contraction into fused multiply-adds), so
results do not depend on n or on the position. In float64 these are the operations of `rules`, one by one. In float32
a division by what is the same for all elements is a product with its reciprocal (an ulp at most): divisions, not
memory, are what Adam's time goes into.

A kernel is built when first asked for and kept by Numba's cache on disk. Numba is imported only then.
"""

from __future__ import annotations

import ctypes
import functools
import importlib
import threading
from collections.abc import Callable, Sequence
from types import FunctionType
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ..compile_cache import use_cache
from .catalogue import RULES
from .rule import CONVENTIONS, MOST_HYPERS, MOST_STATES, Convention, Rule

DTYPES = ("float64", "float32")
_Progress = Callable[[int, int, str], None]
_Floats = npt.NDArray[np.floating[Any]]
_BUILDING = threading.Lock()

if TYPE_CHECKING:  # the names that `_build` gives to the two loops below
    carray: Any = None
    real: Any = None
    zero: Any = None
    rule: Any = None
    SCALES: tuple[float, ...] = ()
    LAST = 0
    STATES = 0
    apart: Any = None


def _update_loop(n: Any, p: Any, g: Any, s0: Any, s1: Any, s2: Any, t: Any, lr: Any, h: Any) -> None:
    # The states a rule lacks are decided at compile time: LLVM sees no store to them and can vectorise.
    apart()
    p_, g_, s0_, s1_, s2_ = carray(p, n), carray(g, n), carray(s0, n), carray(s1, n), carray(s2, n)
    h_ = carray(h, LAST + 1)
    hypers = (
        real(h_[0] * SCALES[0]),
        real(h_[min(1, LAST)] * SCALES[1]),
        real(h_[min(2, LAST)] * SCALES[2]),
        real(h_[min(3, LAST)] * SCALES[3]),
        real(h_[min(4, LAST)] * SCALES[4]),
    )
    step, rate = real(t), real(lr)
    for i in range(n):
        a, b, c = zero, zero, zero
        if STATES > 0:
            a = s0_[i]
        if STATES > 1:
            b = s1_[i]
        if STATES > 2:
            c = s2_[i]
        new, a, b, c = rule(p_[i], g_[i], a, b, c, step, rate, hypers)
        p_[i] = new
        if STATES > 0:
            s0_[i] = a
        if STATES > 1:
            s1_[i] = b
        if STATES > 2:
            s2_[i] = c


def _look_ahead_loop(n: Any, p: Any, s0: Any, out: Any, lr: Any, h: Any) -> None:
    p_, s0_, out_, h_ = carray(p, n), carray(s0, n), carray(out, n), carray(h, LAST + 1)
    hypers = (real(h_[0]), real(h_[min(1, LAST)]))
    rate = real(lr)
    for i in range(n):
        out_[i] = rule(p_[i], s0_[i], rate, hypers)


def _apart() -> Any:
    """A call that does nothing but tell LLVM, of the function it stands in, what Numba has no words for.

    Its pointers do not overlap, so that no call has to compare them; 512-bit registers are welcome where there are
    any; no division becomes an estimate of one, whose bits would depend on the place in the array.
    """
    extending: Any = importlib.import_module("numba.extending")
    void: Any = importlib.import_module("numba.types").void

    def apart(typingctx: Any) -> Any:
        def code(context: Any, builder: Any, signature: Any, values: Any) -> Any:
            function = builder.function
            for argument in function.args:
                if argument.type.is_pointer:
                    argument.add_attribute("noalias")
            function.attributes.add("noinline")  # or all this would be lost with the function
            for text in ('"prefer-vector-width"="512"', '"reciprocal-estimates"="none"'):
                set.add(function.attributes, text)  # llvmlite lets only the attributes through that it knows
            return context.get_dummy_value()

        return void(), code

    return extending.intrinsic(apart)


def _copy(function: Callable[..., Any], names: dict[str, Any], number: type | None = None) -> FunctionType:
    """The same code with other global names; with `number` its float constants become of that type.

    The loops get their rule through globals, and not through a closure or an argument, because Numba's
    cache on disk misses for functions that hold other compiled functions that way.
    """
    code = function.__code__
    if number is not None:
        constants = tuple(number(value) if isinstance(value, float) else value for value in code.co_consts)
        code = code.replace(co_consts=constants)
    return FunctionType(code, names, function.__name__)


def _build(loop: Callable[..., None], scalar: Callable[..., Any], chosen: Rule, key: str, dtype: str) -> Any:
    use_cache()
    # Numba has no types; nothing of it leaves this function but as Any.
    numba: Any = importlib.import_module("numba")

    number = np.float64 if dtype == "float64" else np.float32
    real_type = numba.float64 if dtype == "float64" else numba.float32
    typed = _copy(scalar, scalar.__globals__, number)
    scales = chosen.scales("book" if key.endswith("book") else "pytorch")
    names = {
        "__name__": __name__,
        "carray": numba.carray,
        "real": real_type,
        "zero": number(0),
        # arcp lets LLVM multiply by a reciprocal; it does so where that can be computed once for the loop
        "rule": numba.njit(error_model="numpy", forceinline=True, fastmath={"arcp"} if dtype == "float32" else False)(
            typed
        ),
        "apart": _apart(),
        "SCALES": scales + (1.0,) * (MOST_HYPERS - len(scales)),
        "LAST": len(chosen.hypers) - 1,
        "STATES": len(chosen.states),
    }
    bound = _copy(loop, names)
    # Numba names the file in its cache by this.
    bound.__qualname__ = f"{loop.__name__}_{key}_{dtype}"
    data, hypers = numba.types.CPointer(real_type), numba.types.CPointer(numba.float64)
    if loop is _update_loop:
        arguments = (numba.intp, *[data] * (2 + MOST_STATES), numba.int64, numba.float64, hypers)
    else:
        arguments = (numba.intp, *[data] * 3, numba.float64, hypers)
    return numba.cfunc(numba.void(*arguments), cache=True, error_model="numpy")(bound)


@functools.cache
def _kernel(name: str, convention: Convention, dtype: str, ahead: bool) -> Any:
    """The Numba CFunc; it must outlive its address, which the cache sees to. Call it holding `_BUILDING`."""
    chosen = RULES[name]
    key = f"{name}_{convention}"
    if ahead:
        point = chosen.point(convention)
        return None if point is None else _build(_look_ahead_loop, point, chosen, key, dtype)
    return _build(_update_loop, chosen.function(convention), chosen, key, dtype)


def _checked(name: str, convention: Convention, dtype: npt.DTypeLike) -> tuple[str, Convention, str]:
    if name not in RULES:
        raise ValueError(f"optimizer {name!r} is unknown: it must be one of {', '.join(RULES)}")
    if convention not in CONVENTIONS:
        raise ValueError(f"convention {convention!r} is unknown: it must be one of {', '.join(CONVENTIONS)}")
    precision = np.dtype(dtype).name
    if precision not in DTYPES:
        raise ValueError(f"dtype {precision} is not supported: it must be one of {', '.join(DTYPES)}")
    return name, convention, precision


def update_address(name: str, convention: Convention, dtype: npt.DTypeLike = np.float64) -> int:
    """Address of the C function `update` of a rule; builds it if need be. Safe to call from any thread."""
    name, convention, precision = _checked(name, convention, dtype)
    chosen = RULES[name]
    if convention == "book" and chosen.decoupled and chosen.book is None:
        convention = "pytorch"  # the very same function
    with _BUILDING:
        return int(_kernel(name, convention, precision, False).address)


def look_ahead_address(name: str, convention: Convention, dtype: npt.DTypeLike = np.float64) -> int:
    """Address of the C function `look_ahead`; 0 where the rule wants its gradient at the parameters."""
    name, convention, precision = _checked(name, convention, dtype)
    if RULES[name].point(convention) is None:
        return 0
    with _BUILDING:
        return int(_kernel(name, convention, precision, True).address)


_UPDATE = ctypes.CFUNCTYPE(
    None,
    ctypes.c_ssize_t,
    *[ctypes.c_void_p] * (2 + MOST_STATES),
    ctypes.c_int64,
    ctypes.c_double,
    ctypes.c_void_p,
)
_LOOK_AHEAD = ctypes.CFUNCTYPE(None, ctypes.c_ssize_t, *[ctypes.c_void_p] * 3, ctypes.c_double, ctypes.c_void_p)


def new_states(name: str, shape: int | tuple[int, ...], dtype: npt.DTypeLike = np.float64) -> tuple[_Floats, ...]:
    """The state arrays of a rule before its first step, one per state, of the given shape and precision."""
    name, _, precision = _checked(name, "pytorch", dtype)
    chosen = RULES[name]
    return tuple(np.full(shape, start, precision) for start in chosen.initial[: len(chosen.states)])


def _hypers(name: str, h: Sequence[float] | npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    values = np.ascontiguousarray(h, np.float64)
    if values.shape != (len(RULES[name].hypers),):
        raise ValueError(f"{name} takes {len(RULES[name].hypers)} hyper-parameters, not {values.size}")
    return values


def _same(p: _Floats, others: Sequence[_Floats], written: Sequence[_Floats]) -> None:
    for array in (p, *others):
        if array.shape != p.shape or array.dtype != p.dtype or not array.flags.c_contiguous:
            raise ValueError(
                f"an array of {array.dtype} {array.shape} does not fit parameters of {p.dtype} {p.shape}: "
                "all must be C-contiguous and of one shape and precision"
            )
    if not all(array.flags.writeable for array in written):
        raise ValueError("parameters, states and out must be writeable arrays")


def apply(
    name: str,
    convention: Convention,
    p: _Floats,
    g: _Floats,
    states: Sequence[_Floats],
    t: int,
    lr: float,
    h: Sequence[float] | npt.NDArray[np.float64],
) -> None:
    """One step in place: changes `p` and `states` (arrays of one shape and precision, C-contiguous).

    `g` is the gradient where `look_ahead` wants it, `t` the step counted from 1, `h` the hyper-parameters in
    declared order. Releases the interpreter lock. Raises ValueError for arrays that do not fit.
    """
    address = update_address(name, convention, p.dtype)
    if len(states) != len(RULES[name].states):
        raise ValueError(f"{name} keeps {len(RULES[name].states)} states, not {len(states)}")
    _same(p, (g, *states), (p, *states))
    values = _hypers(name, h)
    pointers = [state.ctypes.data for state in states] + [None] * (MOST_STATES - len(states))
    _UPDATE(address)(p.size, p.ctypes.data, g.ctypes.data, *pointers, t, lr, values.ctypes.data)


def look_ahead(
    name: str,
    convention: Convention,
    p: _Floats,
    states: Sequence[_Floats],
    out: _Floats,
    lr: float,
    h: Sequence[float] | npt.NDArray[np.float64],
) -> None:
    """Write into `out` the point where the rule wants its gradient; it may be `p` itself."""
    address = look_ahead_address(name, convention, p.dtype)
    _same(p, (out, *states), (out,))
    if address == 0:
        out[...] = p
        return
    values = _hypers(name, h)
    velocity = states[0]
    _LOOK_AHEAD(address)(p.size, p.ctypes.data, velocity.ctypes.data, out.ctypes.data, lr, values.ctypes.data)


def warm(progress: _Progress | None = None) -> None:
    """Build every kernel of both conventions and precisions, so that none has to be built while somebody waits.

    `progress(done, total, what)` is called after each rule and convention.
    """
    wanted = [(name, convention) for name in RULES for convention in CONVENTIONS]
    for done, (name, convention) in enumerate(wanted, 1):
        for dtype in DTYPES:
            update_address(name, convention, dtype)
            look_ahead_address(name, convention, dtype)
        if progress is not None:
            progress(done, len(wanted), f"{RULES[name].title} ({convention})")
