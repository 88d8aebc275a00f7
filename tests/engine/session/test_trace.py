"""Thinned paths: nothing that a picture of their fineness shows is lost."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from engine.session.trace import FINENESS, MOST, Trace

EXTENT = (-2.0, 2.0, -1.0, 1.0)


def cells(points: np.ndarray) -> set[tuple[int, int]]:
    finite = points[np.isfinite(points).all(axis=1)]
    size = np.array([EXTENT[1] - EXTENT[0], EXTENT[3] - EXTENT[2]]) / FINENESS
    return {tuple(cell) for cell in np.floor((finite - np.array([-2.0, -1.0])) / size).astype(int).tolist()}


def traced(points: np.ndarray, cuts: tuple[int, ...] = ()) -> Trace:
    trace = Trace(EXTENT)
    for part, steps in zip(np.split(points, cuts), np.split(np.arange(len(points)), cuts), strict=True):
        trace.append(steps, np.ascontiguousarray(part[:, 0]), np.ascontiguousarray(part[:, 1]))
    return trace


def test_a_short_way_keeps_every_cell() -> None:
    t = np.linspace(0, 1, 3000)
    points = np.stack([2 * np.cos(3 * t) * (1 - t), np.sin(5 * t) * (1 - t)], axis=1)
    assert cells(traced(points).points) == cells(points)


def test_a_rest_is_one_point() -> None:
    trace = traced(np.full((100_000, 2), 0.25))
    assert len(trace.steps) == 1


def test_a_long_zigzag_keeps_its_ways_and_no_false_ones() -> None:
    """Half a million steps round and round the same forty places: each way stays, and no line leads elsewhere."""
    places = np.stack([np.cos(np.arange(40) * 2.4), 0.9 * np.sin(np.arange(40) * 2.4)], axis=1)
    points = places[np.arange(500_000) % 40]
    trace = traced(points, (7, 5000, 300_000))
    assert len(trace.steps) <= 200
    kept = trace.points
    allowed = {(tuple(places[i]), tuple(places[(i + 1) % 40])) for i in range(40)}
    pairs = {(tuple(a), tuple(b)) for a, b in itertools.pairwise(kept) if np.isfinite([*a, *b]).all()}
    assert {pair for pair in pairs if pair[0] != pair[1]} == allowed


@pytest.mark.parametrize("spread", [0.005, 0.05, 0.5])
@pytest.mark.parametrize("cuts", [(1, 2, 1999, 3999), tuple(range(700, 60_000, 700)), (12_345,)])
def test_how_it_is_cut_does_not_matter(cuts: tuple[int, ...], spread: float) -> None:
    points = np.random.default_rng(1).normal(0, spread, (60_000, 2))
    whole, cut = traced(points), traced(points, cuts)
    assert whole.steps.tolist() == cut.steps.tolist()
    assert np.array_equal(whole.points, cut.points, equal_nan=True)


def test_a_wild_walk_stays_bounded() -> None:
    points = np.random.default_rng(2).normal(0, 5, (200_000, 2))
    trace = traced(points, tuple(range(10_000, 200_000, 10_000)))
    assert len(trace.steps) < 4 * MOST
    assert np.all(np.diff(trace.steps) >= 0)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 1e300])
def test_what_is_not_finite_or_far_is_no_error(bad: float) -> None:
    points = np.zeros((10, 2))
    points[5] = bad
    assert len(traced(points).steps) == 3
