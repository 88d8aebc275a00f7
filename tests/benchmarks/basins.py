"""200 x 200 starts, 500 steps each: compiled lanes against the same in NumPy.

    python tests/benchmarks/basins.py

Goal: float32 on two threads at least 10 times as fast as the same formulas in NumPy (float32 too), medians of 9 runs
each. NumPy stands here twice: as one writes it, and tuned to work in place. The best run is printed too: of runs on
a machine with other work to do, it is the one least disturbed.
"""

from __future__ import annotations

import math
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

SIDE, STEPS, RUNS = 200, 500, 9


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


def rastrigin(x: Any, y: Any) -> tuple[Any, Any]:
    """The gradient, as one would write it in NumPy."""
    turn = 2 * math.pi
    return 2 * x + 10 * turn * np.sin(turn * x), 2 * y + 10 * turn * np.sin(turn * y)


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


def measure(runs: list[Callable[[], Any]]) -> list[tuple[float, float]]:
    """Median and best of RUNS in ms for each, after one to warm up; taken in turns, so that all meet the same load."""
    taken: list[list[float]] = [[] for _ in runs]
    for run in runs:
        run()
    for _ in range(RUNS):
        for run, times in zip(runs, taken, strict=True):
            began = time.perf_counter()
            run()
            times.append(1e3 * (time.perf_counter() - began))
    return [(statistics.median(times), min(times)) for times in taken]


CASES = (("himmelblau", himmelblau, 0.005), ("rosenbrock", rosenbrock, 0.0005), ("rastrigin", rastrigin, 0.002))


def main() -> None:
    """Print a line for each surface, rule and precision."""
    np.seterr(all="ignore")
    print(f"{SIDE}x{SIDE} starts, {STEPS} steps, median (best) of {RUNS} in ms; goal: 10 times, float32")
    head = "".join(f"{title:>15}" for title in ("1 thread", "2 threads", "plain NumPy", "in place"))
    print(f"{'':28}{head}   plain / 2 threads")
    with Lanes(1) as one, Lanes(2) as two:
        for name, gradient, rate in CASES:
            for rule, plain, tuned in (("momentum", plain_momentum, numpy_momentum), ("adam", plain_adam, numpy_adam)):
                for dtype in (np.float32, np.float64):
                    domain = surface(name).domain
                    runs: list[Callable[[], Any]] = [
                        partial(compiled, one, name, rule, rate, dtype),
                        partial(compiled, two, name, rule, rate, dtype),
                        lambda f=plain, g=gradient, d=dtype, r=rate, w=domain: f(g, *grid(w, d), d(r)),  # type: ignore[misc]
                        lambda f=tuned, g=gradient, d=dtype, r=rate, w=domain: f(g, *grid(w, d), d(r)),  # type: ignore[misc]
                    ]
                    took = measure(runs)
                    (x, y), (u, v) = runs[1](), runs[2]()
                    both = np.isfinite(x + y + u + v)
                    same = float(np.mean(np.hypot(x - u, y - v)[both] < 1e-2))
                    print(
                        f"{name:10} {rule:8} {np.dtype(dtype).name:8}"
                        + "".join(f"{middle:7.1f} ({best:5.1f})" for middle, best in took)
                        + f" {took[2][0] / took[1][0]:6.1f} ({took[2][1] / took[1][1]:.1f})"
                        f"   {100 * same:.1f} % end alike"
                    )


if __name__ == "__main__":
    main()
