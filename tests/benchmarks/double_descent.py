"""A whole double-descent curve: nested least squares against a loop of numpy.linalg.lstsq.

    python tests/benchmarks/double_descent.py

n = 1000 samples, 47 widths from 100 to 3,000, n itself and its neighbours among them; isotropic columns and random
ReLU features. Goal: at least 4 times as fast (median of the runs of one over the median of the other), and the curve of
test errors within 1e-8 of the loop's, relatively. The best run is printed too: of runs on a machine with other work
to do, it is the one least disturbed. Both on one thread: with more, OpenBLAS waits for busy cores.
"""

from __future__ import annotations

import os
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

for _library in ("OMP", "OPENBLAS", "MKL"):
    os.environ[f"{_library}_NUM_THREADS"] = "1"
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import numpy as np  # noqa: E402

from engine.experiments.dynamics._double_descent.data import design, features  # noqa: E402
from engine.nested_least_squares import NestedLeastSquares  # noqa: E402

N, WIDEST, WIDTHS, RUNS, LOOPS = 1000, 3000, 47, 5, 2
Array = Any


def widths() -> list[int]:
    """Evenly over decades, with n and its nearest neighbours; 47 of them."""
    near = {N - 1, N, N + 1}
    count = WIDTHS
    while True:
        found = sorted({*np.geomspace(N // 10, WIDEST, count).round().astype(int).tolist(), *near})
        if len(found) == WIDTHS:
            return found
        count -= 1


def timed(run: Callable[[], Array], times: int) -> tuple[float, float, Array]:
    """Median and best seconds, and the answer."""
    took = []
    for _ in range(times):
        began = time.perf_counter()
        answer = run()
        took.append(time.perf_counter() - began)
    return statistics.median(took), min(took), answer


def main() -> None:
    """Measure and print."""
    draw = np.random.default_rng(0)
    sizes = widths()
    inputs, others = draw.normal(size=(N, 20)), draw.normal(size=(500, 20))
    truth = draw.normal(size=20)
    tasks = {
        "isotropic": (design(0, N, WIDEST), design(1, 500, WIDEST)),
        "ReLU features": (features(0, WIDEST, inputs), features(0, WIDEST, others)),
    }
    print(f"{len(sizes)} widths from {sizes[0]} to {sizes[-1]}, n = {N}; seconds: median (best)")
    print(f"{'columns':16}{'lstsq':>16}{'nested':>16}   times      largest error of the curve")
    for name, (x, tests) in tasks.items():
        y = np.sin(inputs @ truth) + 0.5 * draw.normal(size=N)
        wanted = np.sin(others @ truth)

        def curve(weights: Callable[[int], Array], tests: Array = tests, wanted: Array = wanted) -> Array:
            return np.array([((tests[:, :p] @ weights(i) - wanted) ** 2).mean() for i, p in enumerate(sizes)])

        def loop(x: Array = x, y: Array = y) -> Array:
            return curve(lambda i: np.linalg.lstsq(x[:, : sizes[i]], y, rcond=None)[0])

        def nested(x: Array = x, y: Array = y) -> Array:
            return curve(NestedLeastSquares(x, y, sizes).weights)

        nested()  # warm
        fast, best, found = timed(nested, RUNS)
        slow, slow_best, expected = timed(loop, LOOPS)
        error = float(np.max(np.abs(found - expected) / expected))
        print(
            f"{name:16}{slow:9.2f} ({slow_best:.2f}){fast:9.2f} ({best:.2f})"
            f"{slow / fast:8.1f} ({slow_best / best:.1f})   {error:.1e}"
        )


if __name__ == "__main__":
    main()
