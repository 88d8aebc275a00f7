"""Many starts at once: the same as one walk each, however the lanes are shared among threads."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import pytest

from engine.formula.compile import compile
from engine.lanes import BLOCK, PART, Lanes
from engine.optimizers import CONVENTIONS, RULES, look_ahead_address, update_address
from engine.surfaces import surface
from engine.walk import walk

STEPS = 40
KINDS = [(rule, convention) for rule in RULES for convention in CONVENTIONS]


def starts(n: int, dtype: Any = np.float64) -> Any:
    return np.random.default_rng(3).uniform(-4, 4, (2, n)).astype(dtype)


def hypers(rule: str) -> Any:
    return np.array([*RULES[rule].values(), *[0.0] * 8])[:8]


def descend(rule: str, convention: Any, threads: int, at: Any, cuts: tuple[int, ...] = (STEPS,)) -> tuple[Any, Any]:
    """Where lanes that begin at at[2, n] are after STEPS steps, and their states; `cuts`: steps of each call."""
    kernel = compile(surface("himmelblau").formula, at.dtype)
    x, y = at[0].copy(), at[1].copy()
    states = np.zeros((3, 2, len(x)), at.dtype)
    states += np.array(RULES[rule].initial, at.dtype)[:, None, None]
    update = update_address(rule, convention, at.dtype)
    ahead = look_ahead_address(rule, convention, at.dtype)
    first = 1
    with Lanes(threads) as pool:
        for steps in cuts:
            pool.descend(kernel.gradient_address, update, ahead, x, y, states, first, steps, 0.004, hypers(rule))
            first += steps
    return np.stack([x, y]), states


@pytest.mark.parametrize(("rule", "convention"), KINDS)
def test_a_lane_is_a_walk_to_the_bit(rule: str, convention: Any) -> None:
    kernel = compile(surface("himmelblau").formula)
    at = starts(37)
    ends, kept = descend(rule, convention, 1, at)
    for i in (0, 17, 36):
        p = at[:, i].copy()
        states = np.zeros((3, 2)) + np.array(RULES[rule].initial)[:, None]
        walk(kernel.gradient_address, update_address(rule, convention), look_ahead_address(rule, convention), 1, p,
             states, np.full(STEPS, 0.004), hypers(rule), np.empty((0, 2)), -np.inf, np.empty((STEPS, 5)))  # fmt: skip
        assert p.tobytes() == ends[:, i].tobytes() and states.tobytes() == kept[:, :, i].tobytes()


@pytest.mark.parametrize(("rule", "convention"), KINDS)
def test_a_float32_lane_does_not_depend_on_its_place(rule: str, convention: Any) -> None:
    at = starts(37, np.float32)
    ends, _ = descend(rule, convention, 1, at)
    for i in (0, 15, 16, 33, 36):
        assert descend(rule, convention, 1, at[:, i : i + 1])[0].tobytes() == ends[:, i].tobytes()
    assert np.allclose(descend(rule, convention, 1, at.astype(float))[0], ends, rtol=0, atol=2e-3)


@pytest.mark.parametrize("rule", ["momentum", "nadam"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("n", [0, 1, BLOCK, 2 * PART + BLOCK + 77])
def test_neither_threads_nor_cuts_change_a_bit(rule: str, dtype: Any, n: int) -> None:
    at = starts(n, dtype)
    one, kept = descend(rule, "pytorch", 1, at)
    for threads, cuts in ((3, (STEPS,)), (2, (1, 0, STEPS - 1))):
        ends, states = descend(rule, "pytorch", threads, at, cuts)
        assert ends.tobytes() == one.tobytes() and states.tobytes() == kept.tobytes()


def test_no_thread_outlives_its_lanes() -> None:
    before = set(threading.enumerate())
    with Lanes(3):
        descend("sgd", "pytorch", 3, starts(5 * PART))
    assert set(threading.enumerate()) == before


def test_an_error_in_a_part_comes_back_when_the_other_parts_have_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    ended = []

    def descend_or_fail(*arguments: Any) -> None:
        low = arguments[-2]
        if low == 0:
            raise ValueError("a broken part")
        ended.append(low)

    monkeypatch.setattr("engine.lanes.descend", descend_or_fail)
    x, y = starts(4 * PART)
    with Lanes(2) as pool, pytest.raises(ValueError, match="a broken part"):
        pool.descend(0, 0, 0, x, y, np.zeros((3, 2, len(x))), 1, 1, 0.1, hypers("sgd"))
    assert sorted(ended) == [PART, 2 * PART, 3 * PART]


def test_at_least_one_thread() -> None:
    with pytest.raises(ValueError, match="0 threads"):
        Lanes(0)
