"""200 x 200 starts, 500 steps each: compiled lanes against the same in NumPy.

    python tests/benchmarks/basins.py

Goal: float32 on two threads at least 10 times as fast as the same formulas in NumPy (float32 too), median of 5 runs
each. NumPy stands here twice: as one writes it, and tuned to work in place.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import numpy as np

from engine.formula.compile import compile
from engine.lanes import Lanes
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


def plain_momentum(gradient: Any, x: Any, y: Any, rate: float) -> tuple[Any, Any]:
    """Heavy ball as one writes it."""
    point = np.stack([x, y])
    velocity = np.zeros_like(point)
    for _ in range(STEPS):
        velocity = 0.9 * velocity + np.stack(gradient(*point))
        point = point - rate * velocity
    return point[0], point[1]


def plain_adam(gradient: Any, x: Any, y: Any, rate: float) -> tuple[Any, Any]:
    """Adam as one writes it."""
    point = np.stack([x, y])
    m, v = np.zeros_like(point), np.zeros_like(point)
    for t in range(1, STEPS + 1):
        g = np.stack(gradient(*point))
        m = 0.9 * m + 0.1 * g
        v = 0.999 * v + 0.001 * g**2
        point = point - rate * (m / (1 - 0.9**t)) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)
    return point[0], point[1]


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


def compiled(pool: Lanes, name: str, rule: str, rate: float, dtype: Any) -> tuple[Any, Any]:
    """The same through the app's lanes."""
    chosen = surface(name)
    kernel = compile(chosen.formula, dtype)
    x, y = grid(chosen.domain, dtype)
    states = np.zeros((3, 2, len(x)), dtype)
    h = np.array([*RULES[rule].values(), *[0.0] * 8])[:8]
    update = update_address(rule, "pytorch", dtype)
    pool.descend(kernel.gradient_address, update, 0, x, y, states, 1, STEPS, rate, h)
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
    print(f"{SIDE}x{SIDE} starts, {STEPS} steps, median of {RUNS}, in ms (times = plain NumPy / two threads; goal 10)")
    print(f"{'':30} 1 thread  2 threads  NumPy plain  in place   times")
    for name, gradient, rate in (("himmelblau", himmelblau, 0.005), ("rosenbrock", rosenbrock, 0.0005)):
        for rule, plain, tuned in (("momentum", plain_momentum, numpy_momentum), ("adam", plain_adam, numpy_adam)):
            for dtype in (np.float32, np.float64):
                domain = surface(name).domain
                runs: tuple[Callable[[], Any], ...] = (
                    partial(lanes, name, rule, rate, dtype, 1),
                    partial(lanes, name, rule, rate, dtype, 2),
                    lambda f=plain, g=gradient, d=dtype, r=rate, w=domain: f(g, *grid(w, d), d(r)),  # type: ignore[misc]
                    lambda f=tuned, g=gradient, d=dtype, r=rate, w=domain: f(g, *grid(w, d), d(r)),  # type: ignore[misc]
                )
                took = [1e3 * median(run) for run in runs]
                (x, y), (u, v) = runs[1](), runs[2]()
                both = np.isfinite(x + y + u + v)
                same = float(np.mean(np.hypot(x - u, y - v)[both] < 1e-2))
                print(
                    f"{name:11} {rule:9} {np.dtype(dtype).name:8} {took[0]:8.1f} {took[1]:10.1f} {took[2]:12.1f} "
                    f"{took[3]:9.1f} {took[2] / took[1]:7.1f}   {100 * same:.1f} % end alike"
                )


if __name__ == "__main__":
    main()
