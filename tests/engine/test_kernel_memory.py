"""Kernels from the cache hold no parsed code, and yet others can be compiled that call them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
KERNELS = """
from engine.kernel_memory import keep_little
assert keep_little() and keep_little()
from numba import njit

@njit("float64(float64)", cache=True)
def inner(x):
    return 3.0 * x + 1.0
"""
CALLER = """
from kernels import inner
from numba import njit

(library,) = [made.library for made in inner.overloads.values()]
print(type(library).__name__, library._shared_module is None, len(library._bitcode) > 500, inner(2.0))

@njit("float64(float64)")
def outer(x):
    return inner(inner(x))

print(outer(2.0), library._shared_module is None)
"""


def run(folder: Path) -> list[str]:
    command = [sys.executable, "-c", CALLER]
    environ = {"PYTHONPATH": f"{ROOT}:{folder}", "NUMBA_CACHE_DIR": str(folder / "cache"), "PATH": "/usr/bin:/bin"}
    done = subprocess.run(command, capture_output=True, text=True, cwd=folder, env=environ, check=True)
    return done.stdout.splitlines()


def test_what_was_loaded_can_still_be_called_by_what_is_compiled(tmp_path: Path) -> None:
    (tmp_path / "kernels.py").write_text(KERNELS)
    built = run(tmp_path)
    assert built[0].split()[:1] == ["Lean"] and built[1].split()[0] == "22.0"
    assert run(tmp_path) == ["Lean True True 7.0", "22.0 True"]
