"""Generated sets: where their samples lie, that they are the seed's, and what they refuse."""

from __future__ import annotations

import numpy as np
import pytest

from engine.data import DATA, DataError, Dataset, load
from engine.data.points import BUMP_WIDTH, BUMPS, POINTS
from engine.formula import FormulaError

NAMES = list(POINTS)


@pytest.mark.parametrize("name", NAMES)
def test_shape_kind_and_domain(name: str) -> None:
    data, entry = load(name, n=301, noise=0.05, seed=5), DATA[name]
    assert data.kind == entry.kind and data.samples == 301 and data.name == name
    assert data.x.dtype == np.float64 and data.x.shape == (301, len(data.inputs))
    assert data.y.dtype == (np.int64 if data.kind == "classes" else np.float64)
    if data.kind != "regression":
        counts = np.unique(data.y, return_counts=True)[1]
        assert len(counts) == len(data.classes) and counts.max() - counts.min() <= 1
    for (low, high), column in zip(entry.domain, data.x.T, strict=False):
        assert low < column.min() and column.max() < high


@pytest.mark.parametrize("name", NAMES)
def test_the_seed_decides_and_more_samples_keep_the_earlier_ones(name: str) -> None:
    few, many = load(name, n=40, noise=0.3, seed=7), load(name, n=90, noise=0.3, seed=7)
    assert np.array_equal(few.x, many.x[:40]) and np.array_equal(few.y, many.y[:40])
    assert not np.array_equal(few.x, load(name, n=40, noise=0.3, seed=8).x)


@pytest.mark.parametrize("name", NAMES)
def test_noise_moves_the_same_samples_further_in_proportion(name: str) -> None:
    still, little, much = (load(name, n=4000, noise=noise, seed=2) for noise in (0.0, 0.1, 0.2))
    regression = still.kind == "regression"
    assert np.array_equal(still.x, much.x) if regression else np.array_equal(still.y, much.y)
    first, second = ((one.y if regression else one.x) - (still.y if regression else still.x) for one in (little, much))
    np.testing.assert_allclose(second, 2.0 * first, atol=1e-12)
    assert first.std() == pytest.approx(0.1, rel=0.05) and abs(first.mean()) < 0.01


def radius(data: Dataset) -> np.ndarray:
    return np.hypot(data.x[:, 0], data.x[:, 1])


def test_circle_is_a_disc_in_a_ring_even_over_the_area() -> None:
    data = load("circle", n=20_000)
    inside = data.y[:, 0] == 1
    assert radius(data)[inside].max() < 0.9 and radius(data)[~inside].min() >= 1.3 and radius(data).max() <= 2.0
    # Even density: the mean of r^2 is halfway between the squares of the ends.
    assert np.mean(radius(data)[inside] ** 2) == pytest.approx(0.9**2 / 2, rel=0.02)
    assert np.mean(radius(data)[~inside] ** 2) == pytest.approx((1.3**2 + 2.0**2) / 2, rel=0.02)


def test_xor_is_one_where_the_signs_differ() -> None:
    data = load("xor", n=2000)
    assert np.array_equal(data.y[:, 0] == 1, (data.x[:, 0] > 0) != (data.x[:, 1] > 0))
    assert np.abs(data.x).min() >= 0.08 and np.abs(data.x).max() <= 2.0
    assert all(((data.x[:, 0] > 0) == a).sum() > 900 for a in (True, False))


def test_gauss_has_two_clouds() -> None:
    data = load("gauss", n=10_000)
    for label, centre in ((0, -1.0), (1, 1.0)):
        cloud = data.x[data.y[:, 0] == label]
        np.testing.assert_allclose(cloud.mean(axis=0), centre, atol=0.03)
        np.testing.assert_allclose(cloud.std(axis=0), 0.4, rtol=0.04)


def test_spiral_lies_on_its_curve() -> None:
    data = load("spiral", n=500)
    angle = 3.5 * np.pi * radius(data) / 2.0 + np.pi * data.y[:, 0]
    np.testing.assert_allclose(data.x, radius(data)[:, None] * np.stack([np.cos(angle), np.sin(angle)], 1), atol=1e-12)


def test_moons_lie_on_the_half_circles_of_scikit_learn() -> None:
    datasets = pytest.importorskip("sklearn.datasets")
    theirs, labels = datasets.make_moons(n_samples=4000, noise=None, shuffle=False)
    theirs = 1.2 * (theirs - [0.5, 0.25])
    data = load("moons", n=200)
    for label in (0, 1):
        mine = data.x[data.y[:, 0] == label]
        distance = np.linalg.norm(mine[:, None] - theirs[labels == label][None], axis=2).min(axis=1)
        assert distance.max() < 1.2 * np.pi / 2000


def test_rings_are_three_classes_by_radius() -> None:
    data = load("rings", n=3000)
    for label, middle in enumerate((0.5, 1.15, 1.8)):
        assert np.abs(radius(data)[data.y == label] - middle).max() <= 0.15


def test_regression_targets_are_their_formulas() -> None:
    plane, bumps = load("regression_plane", n=100), load("regression_gauss", n=100)
    np.testing.assert_allclose(plane.y[:, 0], (plane.x[:, 0] + plane.x[:, 1]) / 4, atol=1e-15)
    for x, y in zip(bumps.x, bumps.y[:, 0], strict=True):
        terms = [h * np.exp(-np.sum((x - [a, b]) ** 2) / (2 * BUMP_WIDTH**2)) for a, b, h in BUMPS]
        assert y == pytest.approx(sum(terms), abs=1e-12)
    assert np.abs(load("regression_gauss", n=5000).y).max() < 1.1


def test_a_function_of_ones_own() -> None:
    data = load("function", n=50, seed=3, formula="sin(2x) + x^2/4", interval=(-3.0, 1.0))
    x = data.x[:, 0]
    np.testing.assert_allclose(data.y[:, 0], np.sin(2 * x) + x**2 / 4, rtol=1e-13, atol=1e-15)
    assert x.min() >= -3 and x.max() <= 1 and np.ptp(x) > 3
    assert np.all(load("function", formula="2").y == 2.0)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"formula": "x + y"}, "'x \\+ y' has a y in it"),
        ({"formula": "log(x)"}, "'log\\(x\\)' is nan at x = -"),
        ({"formula": "exp(200*x)", "interval": (1.0, 5.0)}, "at x = "),
        ({"interval": (2.0, 2.0)}, "interval 2 to 2"),
        ({"interval": (0.0, float("inf"))}, "interval 0 to inf"),
        ({"interval": (float("nan"), 1.0)}, "interval nan to 1"),
    ],
)
def test_functions_that_cannot_be_used(options: dict[str, object], told: str) -> None:
    with pytest.raises(DataError, match=told) as error:
        load("function", **options)  # type: ignore[arg-type]
    assert "\n" not in str(error.value)


def test_a_text_that_is_no_formula() -> None:
    with pytest.raises(FormulaError, match="unknown name"):
        load("function", formula="__import__('os')")


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    ("options", "told"),
    [({"n": 0}, "0 samples"), ({"n": 100_001}, "100001 samples"), ({"n": 2.5}, "2.5 samples"),
     ({"noise": -1.0}, "noise -1.0"), ({"noise": float("nan")}, "noise nan"), ({"noise": float("inf")}, "noise inf"),
     ({"seed": -1}, "seed -1"), ({"seed": 2**64}, "seed")],
)  # fmt: skip
def test_options_out_of_range(name: str, options: dict[str, object], told: str) -> None:
    with pytest.raises(DataError, match=told):
        load(name, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", NAMES)
def test_one_sample_is_a_data_set(name: str) -> None:
    assert load(name, n=1).samples == 1
