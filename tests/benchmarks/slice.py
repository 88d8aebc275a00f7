"""51 x 51 points of the loss over a plane through a digits network's weights: compiled against a torch loop.

    python tests/benchmarks/slice.py

All 1,797 samples, 64-32-10, cross-entropy; filter-normalised random directions. One thread each, processor time of
that thread, median (best) of 7 runs taken in turns. Goal: at least 15 times the torch loop, at the same precision.
"""

from __future__ import annotations

import os
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

# Before NumPy loads: BLAS would keep threads of its own.
for _library in ("OMP", "OPENBLAS", "MKL"):
    os.environ[f"{_library}_NUM_THREADS"] = "1"

import numpy as np  # noqa: E402

from engine.data import load  # noqa: E402
from engine.networks.description import Description  # noqa: E402
from engine.networks.initializations import initialize  # noqa: E402
from engine.networks.planes import random_direction  # noqa: E402
from engine.networks.slices import losses, plane  # noqa: E402

SIDE, RUNS, GOAL = 51, 7, 15
HIDDEN = (32,)


def torch_loop(params: Any, x: Any, y: Any, places: Any, activation: str) -> Callable[[], Any]:
    """As one writes it: put the parameters into the module, run it, take the loss."""
    import torch

    torch.set_num_threads(1)
    bends = {"relu": torch.nn.ReLU, "tanh": torch.nn.Tanh}[activation]
    dtype = torch.from_numpy(params).dtype
    model = torch.nn.Sequential(torch.nn.Linear(64, *HIDDEN), bends(), torch.nn.Linear(*HIDDEN, 10)).to(dtype)
    centre, first, second = torch.from_numpy(params)
    inputs, classes = torch.tensor(x), torch.tensor(y)

    def run() -> Any:
        found = []
        with torch.no_grad():
            for a, b in places.tolist():
                torch.nn.utils.vector_to_parameters(centre + a * first + b * second, model.parameters())
                found.append(torch.nn.functional.cross_entropy(model(inputs), classes).item())
        return np.array(found)

    return run


def main() -> None:
    """Print a line for each activation and precision."""
    digits = load("digits")
    grid = np.linspace(-1.0, 1.0, SIDE)
    places = np.stack(np.meshgrid(grid, grid), axis=-1).reshape(-1, 2)
    print(f"{SIDE}x{SIDE} slice, {len(digits.x)} samples, 64-32-10: median (best) of {RUNS} in ms; goal {GOAL} times")
    for activation in ("relu", "tanh"):
        for dtype in (np.float32, np.float64):
            d = Description(64, HIDDEN, 10, (activation,), loss="cross_entropy")
            here = initialize(d, "he_normal", 0, dtype)
            params = np.stack([here, *(random_direction(d, here, 0, k) for k in (1, 2))])
            x, y = digits.x.astype(dtype), digits.y
            every = params[0] + places.astype(dtype) @ params[1:]
            runs: list[Callable[[], Any]] = [
                lambda d=d, p=params, x=x, y=y: plane(d, p, places, x, y),  # type: ignore[misc]
                lambda d=d, p=every, x=x, y=y: losses(d, p, x, y),  # type: ignore[misc]
                torch_loop(params, x, y, places, activation),
            ]
            found = [run() for run in runs]
            taken: list[list[float]] = [[] for _ in runs]
            for _ in range(RUNS):
                for run, times in zip(runs, taken, strict=True):
                    began = time.thread_time()
                    run()
                    times.append(1e3 * (time.thread_time() - began))
            middle = [statistics.median(times) for times in taken]
            words = "".join(
                f"{name} {m:7.1f} ({min(times):6.1f})  "
                for name, m, times in zip(("plane", "points one by one", "torch loop"), middle, taken, strict=True)
            )
            apart = float(np.max(np.abs(found[0] - found[2]) / found[2]))
            print(f"{activation:5}{np.dtype(dtype).name:8} {words} {middle[2] / middle[0]:5.1f} times "
                  f"({min(taken[2]) / min(taken[0]):.1f}); at most {apart:.0e} apart")  # fmt: skip


if __name__ == "__main__":
    main()
