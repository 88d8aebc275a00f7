"""Formulas as machine code, in tens of milliseconds: our own LLVM assembly, through llvmlite without Numba.

The compiler is loaded at the first compilation, not at import.
"""

from __future__ import annotations

import ctypes
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from engine.formula.derive import Order, derive
from engine.formula.emit import assembly
from engine.formula.parse import Formula, parse

Array = NDArray[np.floating[Any]]

_REALS = {"float64": "double", "float32": "float"}
_ORDERS: dict[str, Order] = {"value": 0, "gradient": 1, "hessian": 2}
_COMPILING = threading.Lock()  # two threads that ask for one formula get one kernel, compiled once


@dataclass(frozen=True, eq=False, repr=False)
class Kernel:
    """Compiled value, gradient and Hessian of one formula in one dtype.

    The addresses are C functions over arrays of n points in the kernel's dtype, outputs apart from the
    inputs:

        void value   (intp n, T *x, T *y, T *f)
        void gradient(intp n, T *x, T *y, T *f, T *f_x, T *f_y)
        void hessian (intp n, T *x, T *y, T *f, T *f_x, T *f_y, T *f_xx, T *f_xy, T *f_yy)

    They are valid while the Kernel lives: **whoever keeps an address must keep the Kernel.** Its memory is
    freed with it. The functions keep no state: any number of threads may call them at once. A point's result
    has the same bits whatever else is in the arrays and whichever of the three functions gave it.
    """

    formula: Formula
    dtype: np.dtype[Any]
    value_address: int
    gradient_address: int
    hessian_address: int
    _owner: tuple[object, ...] = field(default=())  # what holds the code in memory

    def value(self, x: ArrayLike, y: ArrayLike) -> Array:
        """f at points x, y of any shapes that broadcast. The interpreter lock is free meanwhile."""
        return self._call(self.value_address, 1, x, y)[0]

    def gradient(self, x: ArrayLike, y: ArrayLike) -> tuple[Array, Array, Array]:
        """f, f_x, f_y, each of the shape x and y broadcast to."""
        f, f_x, f_y = self._call(self.gradient_address, 3, x, y)
        return f, f_x, f_y

    def hessian(self, x: ArrayLike, y: ArrayLike) -> tuple[Array, Array, Array, Array, Array, Array]:
        """f, f_x, f_y, f_xx, f_xy, f_yy, each of the shape x and y broadcast to."""
        f, f_x, f_y, f_xx, f_xy, f_yy = self._call(self.hessian_address, 6, x, y)
        return f, f_x, f_y, f_xx, f_xy, f_yy

    def _call(self, address: int, outputs: int, x: ArrayLike, y: ArrayLike) -> list[Array]:
        pair = np.broadcast_arrays(np.asarray(x, self.dtype), np.asarray(y, self.dtype))
        xs, ys = (np.ascontiguousarray(one) for one in pair)
        results: list[Array] = [np.empty(pair[0].shape, self.dtype) for _ in range(outputs)]
        function = _prototype(outputs)(address)
        function(xs.size, *(array.ctypes.data for array in (xs, ys, *results)))
        return results


def compile(formula: Formula, dtype: DTypeLike = np.float64) -> Kernel:
    """The kernel of a formula in float64 or float32; remembered, so asking again costs nothing.

    Takes tens of milliseconds the first time. May be called from any thread. Raises ValueError for another
    dtype.
    """
    kind = np.dtype(dtype)
    if kind.name not in _REALS:
        raise ValueError(f"dtype {kind.name} is not allowed; give float64 or float32")
    with _COMPILING:
        return _compile(formula.text, kind.name)


@lru_cache(maxsize=64)
def _compile(text: str, kind: str) -> Kernel:
    import llvmlite.binding as llvm

    formula = parse(text)
    word = f"i{8 * ctypes.sizeof(ctypes.c_void_p)}"
    programs = {name: derive(formula.tree, order) for name, order in _ORDERS.items()}
    machine = _compiler()
    context = llvm.create_context()  # a context of its own: nothing shared with another thread's compilation
    module = llvm.parse_assembly(assembly(programs, _REALS[kind], word), context)
    module.triple, module.data_layout = machine.triple, str(machine.target_data)
    tuning = llvm.create_pipeline_tuning_options(speed_level=3)
    tuning.loop_vectorization = True
    builder = llvm.create_pass_builder(machine, tuning)
    passes = builder.getModulePassManager()
    passes.run(module, builder)
    with suppress(AttributeError):  # llvmlite 0.50 does not by itself: its first base class hides the method
        llvm.newpassmanagers.NewPassManager._dispose(passes)
        passes.detach()
    # Only the machine code is kept: what it was made with is a megabyte for a formula, and goes in this order.
    code = llvm.ObjectFileRef.from_data(machine.emit_object(module))
    module.close()
    context.close()
    engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), _machine())
    engine.add_object_file(code)
    engine.finalize_object()
    value, gradient, hessian = (engine.get_function_address(name) for name in programs)
    return Kernel(formula, np.dtype(kind), value, gradient, hessian, (engine,))


@lru_cache(maxsize=1)
def _compiler() -> Any:
    """The one that compiles all formulas. Ask for it holding `_COMPILING`."""
    import llvmlite.binding as llvm

    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    return _machine()


def _machine() -> Any:
    """This computer, for the compiler."""
    import llvmlite.binding as llvm

    return llvm.Target.from_default_triple().create_target_machine(
        cpu=llvm.get_host_cpu_name(), features=llvm.get_host_cpu_features().flatten(), opt=3, jit=True
    )


@lru_cache(maxsize=8)
def _prototype(outputs: int) -> Any:
    """C type of the functions; ctypes frees the interpreter lock while they run."""
    return ctypes.CFUNCTYPE(None, ctypes.c_ssize_t, *[ctypes.c_void_p] * (2 + outputs))
