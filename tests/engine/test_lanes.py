"""Many starts at once: the same as one walk each, however the lanes are shared among threads."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from engine.formula.compile import compile
from engine.lanes import BLOCK, descend_on
from engine.optimizers import RULES, update_address
from engine.surfaces import surface
from engine.walk import walk

STEPS = 40


def lanes(rule: str, threads: int, n: int, dtype: Any = np.float64) -> tuple[Any, Any]:
    kernel = compile(surface("himmelblau").formula, dtype)
    x, y = np.random.default_rng(3).uniform(-4, 4, (2, n)).astype(dtype)
    states = np.zeros((3, 2, n), dtype)
    states += np.array(RULES[rule].initial, dtype)[:, None, None]
    h = np.array([*RULES[rule].values(), *[0.0] * 8])[:8]
    update = update_address(rule, "pytorch", dtype)
    descend_on(threads, kernel.gradient_address, update, x, y, states, 1, STEPS, 0.004, h)
    return x, y


@pytest.mark.parametrize("rule", ["sgd", "momentum", "adam", "nadam"])
def test_a_lane_is_a_walk_to_the_bit(rule: str) -> None:
    n = 5
    x, y = lanes(rule, 1, n)
    kernel = compile(surface("himmelblau").formula)
    starts = np.random.default_rng(3).uniform(-4, 4, (2, n))
    for i in range(n):
        p = starts[:, i].copy()
        states = np.zeros((3, 2)) + np.array(RULES[rule].initial)[:, None]
        h = np.array([*RULES[rule].values(), *[0.0] * 8])[:8]
        out = np.empty((STEPS, 5))
        walk(kernel.gradient_address, update_address(rule, "pytorch"), 0, 1, p, states, np.full(STEPS, 0.004), h,
             np.empty((0, 2)), -np.inf, out)  # fmt: skip
        assert (p[0], p[1]) == (x[i], y[i])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_threads_do_not_change_a_bit(dtype: Any) -> None:
    n = 3 * BLOCK + 77
    one, two = lanes("adam", 1, n, dtype), lanes("adam", 3, n, dtype)
    assert one[0].tobytes() == two[0].tobytes() and one[1].tobytes() == two[1].tobytes()
