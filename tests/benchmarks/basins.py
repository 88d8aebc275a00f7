"""200 x 200 starts, 500 steps each: compiled lanes against the same in NumPy.

    python tests/benchmarks/basins.py

Goal: float32 at least 10 times as fast as NumPy (float32 too), median of 5 runs each, on one core.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import numpy as np

from engine.formula.compile import compile
from engine.lanes import descend
from engine.optimizers import RULES, update_address
from engine.surfaces import surface

SIDE, STEPS, RUNS = 200, 500, 5


def grid(domain: tuple[float, float, float, float], dtype: Any) -> tuple[Any, Any]:
    """The starts: [40000] each."""
    x0, x1, y0, y1 = domain
    x, y = np.meshgrid(np.linspace(x0, x1, SIDE), np.linspace(y0, y1, SIDE))
    return x.ravel().astype(dtype), y.ravel().astype(dtype)


def himmelblau(x: Any, y: Any) -> tuple[Any, Any]:
    """The gradient, as one would write it in NumPy."""
    a, b = x * x + y - 11, x + y * y - 7
    return 4 * a * x + 2 * b, 2 * a + 4 * b * y


def rosenbrock(x: Any, y: Any) -> tuple[Any, Any]:
    """The gradient, as one would write it in NumPy."""
    a = y - x * x
    return -400 * a * x - 2 * (1 - x), 200 * a


def numpy_momentum(gradient: Any, x: Any, y: Any, rate: float) -> tuple[Any, Any]:
    """Heavy ball in NumPy, in place where NumPy can."""
    u, v = np.zeros_like(x), np.zeros_like(y)
    for _ in range(STEPS):
        gx, gy = gradient(x, y)
        u *= 0.9
        u += gx
        v *= 0.9
        v += gy
        x -= rate * u
        y -= rate * v
    return x, y


def numpy_adam(gradient: Any, x: Any, y: Any, rate: float) -> tuple[Any, Any]:
    """Adam in NumPy, in place where NumPy can."""
    m, n, v, w = (np.zeros_like(x) for _ in range(4))
    for t in range(1, STEPS + 1):
        gx, gy = gradient(x, y)
        for p, g, first, second in ((x, gx, m, v), (y, gy, n, w)):
            first *= 0.9
            first += 0.1 * g
            second *= 0.999
            second += 0.001 * g * g
            p -= rate * (first / (1 - 0.9**t)) / (np.sqrt(second / (1 - 0.999**t)) + 1e-8)
    return x, y


def lanes(name: str, rule: str, rate: float, dtype: Any) -> tuple[Any, Any]:
    """The same through the app's lanes."""
    chosen = surface(name)
    kernel = compile(chosen.formula, dtype)
    x, y = grid(chosen.domain, dtype)
    states = np.zeros((3, 2, len(x)), dtype)
    h = np.array([*RULES[rule].values(), *[0.0] * 8])[:8]
    descend(kernel.gradient_address, update_address(rule, "pytorch", dtype), x, y, states, 1, STEPS, rate, h)
    return x, y


def median(run: Callable[[], Any]) -> float:
    """Seconds, median of RUNS after one to warm up."""
    run()
    taken = []
    for _ in range(RUNS):
        began = time.perf_counter()
        run()
        taken.append(time.perf_counter() - began)
    return statistics.median(taken)


def main() -> None:
    """Print a line for each surface, rule and precision."""
    np.seterr(all="ignore")
    print(f"{SIDE}x{SIDE} starts, {STEPS} steps, one core, median of {RUNS}")
    cases = [("himmelblau", himmelblau, 0.005), ("rosenbrock", rosenbrock, 0.0005)]
    for (name, gradient, rate), (rule, peer) in (
        (case, pair) for case in cases for pair in (("momentum", numpy_momentum), ("adam", numpy_adam))
    ):
        for dtype in (np.float32, np.float64):
            ours = median(lambda n=name, r=rule, lr=rate, d=dtype: lanes(n, r, lr, d))
            domain = surface(name).domain
            theirs = median(lambda g=gradient, p=peer, lr=rate, d=dtype, w=domain: p(g, *grid(w, d), d(lr)))
            x, y = lanes(name, rule, rate, dtype)
            u, v = peer(gradient, *grid(domain, dtype), dtype(rate))
            close = np.isfinite(x + y + u + v)
            same = float(np.mean(np.hypot(x - u, y - v)[close] < 1e-2))
            print(
                f"{name:11} {rule:9} {np.dtype(dtype).name}: lanes {1e3 * ours:6.1f} ms, "
                f"NumPy {1e3 * theirs:6.1f} ms, {theirs / ours:5.1f} times; {100 * same:.1f} % end alike"
            )


if __name__ == "__main__":
    main()
