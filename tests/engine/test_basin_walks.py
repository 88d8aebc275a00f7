"""Where walks end: against one walk each, against closed forms, and however the work is shared."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from engine.basins import DIVERGED, FAR, PENDING, Walk, ends, sources, starts, strides, tiles
from engine.formula import parse
from engine.formula.compile import compile
from engine.lanes import PART, Lanes
from engine.minima import hues, local_minima, minima_near
from engine.optimizers import RULES, look_ahead_address, update_address
from engine.surfaces import surface
from engine.walk import walk


def plan(text: str, dtype: Any = np.float64, **given: Any) -> Walk:
    rule = given.pop("rule", "sgd")
    known = {"rate": 0.1, "steps": 60, "within": 0.05, "middle": (0.0, 0.0), "span": 4.0, "convention": "pytorch"}
    return Walk(compile(parse(text), dtype), rule, hypers=RULES[rule].values(), **{**known, **given})


@pytest.mark.parametrize(("rule", "convention"), [("sgd", "pytorch"), ("nesterov", "book"), ("nadam", "pytorch")])
def test_ends_and_steps_are_those_of_single_walks(rule: str, convention: Any) -> None:
    chosen = surface("himmelblau")
    told = plan(chosen.text, rule=rule, convention=convention, rate=0.004, span=10.0)
    x, y = np.random.default_rng(0).uniform(-4.5, 4.5, (2, 41))
    with Lanes(1) as pool:
        found = ends(pool, told, x, y, chosen.minima)
    for i in range(len(x)):
        p, out = np.array([x[i], y[i]]), np.full((60, 5), np.nan)
        walk(told.kernel.gradient_address, update_address(rule, told.convention),
             look_ahead_address(rule, told.convention), 1, p, np.zeros((3, 2)) + np.array(RULES[rule].initial)[:, None],
             np.full(60, 0.004), np.array([*told.hypers, *[0.0] * 8])[:8], np.empty((0, 2)), -np.inf, out)  # fmt: skip
        assert (found.x[i], found.y[i]) == (p[0], p[1])
        way = np.vstack([[x[i], y[i]], out[:, :2]])
        apart = np.hypot(*(np.array(chosen.minima)[:, None] - way[None]).transpose(2, 0, 1))
        near = int(apart[:, -1].argmin())
        assert found.label[i] == (near if apart[near, -1] <= 0.05 else PENDING)
        goal = apart[near] if found.label[i] >= 0 else np.hypot(*(way - way[-1]).T)
        assert found.took[i] == np.append(np.flatnonzero(goal > 0.05), -1).max() + 1


def test_steps_until_there_by_the_closed_form() -> None:
    x = np.array([0.04, 1.0, -2.0, 3.9])
    with Lanes(1) as pool:
        found = ends(pool, plan("x^2/2 + y^2/2"), x, np.zeros(4), ((0.0, 0.0),))
    expected = [max(0, int(np.ceil(np.log(0.05 / abs(v)) / np.log(0.9)))) for v in x]
    assert found.took.tolist() == expected and (found.label == 0).all()


def test_who_leaves_and_who_has_not_arrived() -> None:
    x, y = np.array([1.0, 0.0, 0.001]), np.array([0.0, 0.0, 0.0])
    with Lanes(1) as pool:
        found = ends(pool, plan("-x^2/2", steps=100), x, y, ())
        slow = ends(pool, plan("x^2/2", rate=1e-4), x, y, ((0.0, 0.0),))
        lost = ends(pool, plan("x^4", rate=10.0), x, y, ((0.0, 0.0),))
    assert found.label.tolist() == [DIVERGED, PENDING, PENDING]
    assert found.took[0] == int(np.ceil(np.log(FAR * 4.0) / np.log(1.1)))
    assert slow.label.tolist() == [PENDING, 0, 0]
    assert lost.label.tolist() == [DIVERGED, 0, 0] and not np.isfinite(lost.x[0])


def test_flying_past_is_not_being_there() -> None:
    heavy = plan("x^2/2 + y^2/2", rule="momentum", rate=0.05, steps=400)
    with Lanes(1) as pool:
        found = ends(pool, heavy, np.array([2.0]), np.array([0.0]), ((0.0, 0.0),))
    amplitude = np.log(0.05 / 2.0) / np.log(0.9**0.5)  # the rate of the complex pair is sqrt(momentum)
    assert found.label[0] == 0 and 0.7 * amplitude < found.took[0] < 1.3 * amplitude


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_neither_threads_nor_neighbours_change_a_bit(dtype: Any) -> None:
    chosen = surface("rastrigin")
    told = plan(chosen.text, dtype, rule="adam", rate=0.4, steps=40, span=10.24)
    minima = local_minima(chosen.text, chosen.domain, chosen.minima)
    x, y = np.random.default_rng(1).uniform(-5, 5, (2, 2 * PART + 77)).astype(dtype)
    with Lanes(1) as one, Lanes(3) as three:
        alone, shared = ends(one, told, x, y, minima), ends(three, told, x, y, minima)
        part = ends(one, told, x[100:137], y[100:137], minima)
    for name in ("x", "y", "label", "took"):
        assert getattr(alone, name).tobytes() == getattr(shared, name).tobytes()
        assert getattr(alone, name)[100:137].tobytes() == getattr(part, name).tobytes()


def test_a_long_walk_is_looked_at_now_and_then() -> None:
    told = plan("x^2/2 + y^2/2", rate=0.001, steps=5001)
    with Lanes(1) as pool:
        found = ends(pool, told, np.array([1.0]), np.array([0.0]), ((0.0, 0.0),))
    exact = int(np.ceil(np.log(0.05) / np.log(0.999)))
    assert told.every == 10 and found.took[0] == -(-exact // 10) * 10


@pytest.mark.parametrize(("side", "steps"), [(10, 1), (70, 500), (71, 500), (200, 500), (200, 10_000), (400, 3)])
def test_tiles_are_every_cell_once_and_a_coarse_map_speaks_for_all(side: int, steps: int) -> None:
    parts = tiles(side, steps)
    together = np.concatenate(parts)
    assert np.array_equal(np.sort(together), np.arange(side * side))
    assert len(parts[0]) <= 70**2 and len(strides(side)) == 1 + (side > 70) + (side > 210)
    walked = np.zeros(side * side, bool)
    for part in parts:
        walked[part] = True
        at = sources(side, walked)
        assert walked[at].all() and np.array_equal(at.ravel()[walked], np.flatnonzero(walked))
    cells = np.arange(side * side)
    coarse = np.zeros(side * side, bool)
    coarse[parts[0]] = True
    near = sources(side, coarse).ravel()
    far = np.maximum(np.abs(near // side - cells // side), np.abs(near % side - cells % side))
    assert far.max() <= strides(side)[0]


def test_starts_are_the_middles_of_cells() -> None:
    x, y = starts((-1.0, 1.0, 0.0, 4.0), 4, np.float64)
    assert x.tolist() == [-0.75, -0.25, 0.25, 0.75] and y.tolist() == [0.5, 1.5, 2.5, 3.5]


# -- minima ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["himmelblau", "styblinski_tang", "two_minima", "rosenbrock", "beale"])
def test_the_known_minima_are_found_without_being_told(name: str) -> None:
    chosen = surface(name)
    found = np.array(local_minima(chosen.text, chosen.domain))
    for place in chosen.minima:
        assert np.hypot(*(found - place).T).min() < 1e-8
    assert len(found) == len(chosen.minima)


def test_rastrigins_local_minima() -> None:
    chosen = surface("rastrigin")
    found = np.array(local_minima(chosen.text, chosen.domain, chosen.minima))
    assert found[0].tolist() == [0.0, 0.0]
    inside = found[(np.abs(found) <= 5.12).all(axis=1)]
    assert len(inside) == 121  # one near each whole point
    assert len(np.unique(np.rint(inside), axis=0)) == 121
    x = inside[:, 0]
    np.testing.assert_allclose(2 * x + 20 * np.pi * np.sin(2 * np.pi * x), 0, atol=1e-6)


@pytest.mark.parametrize("text", ["x^2 - y^2", "x^3 - 3*x*y^2", "x^2", "5", "x + y", "sqrt(x)"])
def test_no_minima_where_there_are_none(text: str) -> None:
    assert local_minima(text, (-4.0, 4.0, -4.0, 4.0)) == ()


@pytest.mark.parametrize(
    ("text", "at", "expected"),
    [
        ("abs(x - 1) + 2*abs(y)", (1.02, -0.01), (1.0, 0.0)),
        ("sqrt(x^2 + y^2)", (0.01, 0.02), (0.0, 0.0)),
        ("x^4 + y^4", (0.03, 0.03), (0.0, 0.0)),
        ("x^2 + y^2", (0.2, 0.0), None),  # a slope
        ("x^2", (0.001, 0.3), None),  # the floor of a valley
        ("x^2 - y^2", (0.0, 0.0), None),
        ("1000000*(y - x)^2 + x^2", (0.7, 0.7), None),  # a steep valley: Newton's method sees through it
        ("5", (0.0, 0.0), None),
    ],
)
def test_a_minimum_where_a_walk_came_to_rest(text: str, at: Any, expected: Any) -> None:
    found = minima_near(compile(parse(text)), np.array([at[0]] * 3), np.array([at[1]] * 3), 0.05, ())
    if expected is None:
        assert found == ()
    else:
        np.testing.assert_allclose(found, [expected], atol=1e-6)
        assert minima_near(compile(parse(text)), np.array([at[0]]), np.array([at[1]]), 0.05, found) == ()


def test_neighbours_differ_in_colour() -> None:
    places = [(float(i), float(j)) for i in range(11) for j in range(11)]
    given = np.array(hues(places)).reshape(11, 11)
    assert given.max() <= 11
    assert (given[1:] != given[:-1]).all() and (given[:, 1:] != given[:, :-1]).all()
    assert hues(places[:5]) == (0, 1, 2, 3, 4)
