"""Kernels without the code they were made of.

Of every kernel that Numba loads from its cache it also keeps the intermediate code, parsed, for kernels that may yet be
compiled and call it: of ours half a megabyte each, several times the machine code. Here the bytes stay, and are parsed
when somebody asks. In the midst of a long life such small blocks also hold many times their size in place.
"""

from __future__ import annotations

import functools
from typing import Any


@functools.cache
def keep_little() -> bool:
    """Have Numba load kernels so from now on; call it once Numba may be imported.

    Returns False, and changes nothing, where Numba is built otherwise inside than it was so far.
    """
    import llvmlite.binding as llvm
    from numba.core.codegen import JITCPUCodegen

    usual: Any = getattr(JITCPUCodegen, "_library_class", None)
    if not all(hasattr(usual, name) for name in ("_unserialize", "_get_module_for_linking", "_ensure_finalized")):
        return False

    class Lean(usual):  # type: ignore[misc]
        """A library that parses the code of what it loaded when another one is linked to it."""

        _bitcode = b""

        @classmethod
        def _unserialize(cls, codegen: Any, state: Any) -> Any:
            made = super()._unserialize(codegen, state)
            parsed = getattr(made, "_shared_module", None)
            if state[1] == "object" and parsed is not None:
                made._bitcode, made._shared_module = state[2][1], None
                parsed.close()
            return made

        def _get_module_for_linking(self) -> Any:
            if self._shared_module is None and self._bitcode:
                self._ensure_finalized()
                return llvm.parse_bitcode(self._bitcode)
            return super()._get_module_for_linking()

    JITCPUCodegen._library_class = Lean
    return True
