"""Many parameter vectors on the same data, held to the networks that train; directions held to their definitions."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from sklearn.decomposition import PCA  # type: ignore[import-untyped]

from engine.networks.description import Description
from engine.networks.initializations import initialize
from engine.networks.mlp import Mlp
from engine.networks.plan import layers
from engine.networks.planes import (
    SCALINGS,
    places,
    principal,
    random_direction,
    random_walk_shares,
    rescaled,
)
from engine.networks.slices import losses, plane
from engine.networks.torch_network import TorchNetwork

NETWORKS = {
    "linear mse": Description(3, (), 2, (), "mse"),
    "mse": Description(3, (7,), 2, ("tanh",), "mse", "sigmoid", half_mse=True),
    "bce": Description(2, (5, 5), 1, ("relu", "prelu"), "bce"),
    "no bias": Description(2, (6,), 1, ("elu",), "bce", bias=False),
    "classes": Description(9, (4, 8, 3), 10, ("gelu", "relu", "mish"), "cross_entropy"),
    "residual": Description(2, (6, 6, 5, 5), 1, ("relu",) * 4, "bce", residual=True),
    "residual from the input": Description(5, (5, 5), 3, ("tanh", "silu"), "cross_entropy", residual=True),
}


def drawn(d: Description, samples: int, dtype: Any = np.float64) -> tuple[Any, Any, Any, Any]:
    """Parameters [3, P], places [K, 2], x and y."""
    random = np.random.default_rng(0)
    here = np.asarray(initialize(replace(d, residual=False), "torch", 0))
    params = np.stack([here, *random.normal(0, 0.3, (2, len(here)))]).astype(dtype)
    y = {
        "mse": random.normal(size=(samples, d.outputs)), "bce": random.integers(0, 2, (samples, 1)).astype(float),
        "cross_entropy": random.integers(0, d.outputs, samples),
    }[d.loss]  # fmt: skip
    return params, random.normal(size=(23, 2)), random.normal(size=(samples, d.inputs)), y


@pytest.mark.parametrize("samples", [1, 16, 210])
@pytest.mark.parametrize("name", NETWORKS)
def test_every_loss_is_the_training_networks(name: str, samples: int) -> None:
    d = NETWORKS[name]
    params, where, x, y = drawn(d, samples)
    every = params[0] + where @ params[1:]
    peer: Any = TorchNetwork(d) if d.residual else Mlp(d)
    kept = (np.zeros(0),) if d.residual else ()
    expected = [peer.loss(np.ascontiguousarray(one), *kept, x, y) for one in every]
    np.testing.assert_allclose(losses(d, every, x, y), expected, rtol=1e-12)
    np.testing.assert_allclose(plane(d, params, where, x, y), expected, rtol=1e-12)
    assert plane(d, params, np.zeros((1, 2)), x, y)[0] == losses(d, params[:1], x, y)[0]


def test_single_precision_is_close() -> None:
    params, where, x, y = drawn(NETWORKS["classes"], 300)
    single = plane(NETWORKS["classes"], params.astype(np.float32), where, x, y)
    np.testing.assert_allclose(single, plane(NETWORKS["classes"], params, where, x, y), rtol=2e-6)


def test_a_place_does_not_depend_on_what_else_is_asked() -> None:
    d = NETWORKS["bce"]
    params, where, x, y = drawn(d, 100)
    where[5:9, 1] = where[5, 1]  # a stretch of one line
    whole = plane(d, params, where, x, y)
    alone = np.concatenate([plane(d, params, one[None], x, y) for one in where])
    np.testing.assert_array_equal(whole, alone)
    np.testing.assert_array_equal(whole[::-1], plane(d, params, where[::-1], x, y))


def test_a_linear_network_gives_the_exact_quadratic_form() -> None:
    d = NETWORKS["linear mse"]
    params, where, x, y = drawn(d, 50)
    ones = np.column_stack([x, np.ones(len(x))])

    def answers(p: Any) -> Any:
        return ones @ np.vstack([p[:6].reshape(2, 3).T, p[6:]])

    error, first, second = answers(params[0]) - y, answers(params[1]), answers(params[2])
    a, b = where.T
    form = (
        (error**2).mean()
        + 2 * a * (error * first).mean() + 2 * b * (error * second).mean()
        + a**2 * (first**2).mean() + 2 * a * b * (first * second).mean() + b**2 * (second**2).mean()
    )  # fmt: skip
    np.testing.assert_allclose(plane(d, params, where, x, y), form, rtol=1e-12)


@pytest.mark.parametrize(
    ("changed", "words"),
    [({"places": np.zeros((3, 3))}, "places"), ({"params": np.zeros((2, 9))}, "parameters"),
     ({"x": np.zeros((4, 7))}, "inputs"), ({"y": np.zeros(3)}, "targets")],
)  # fmt: skip
def test_what_does_not_fit_is_told_in_one_line(changed: dict[str, Any], words: str) -> None:
    params, where, x, y = drawn(NETWORKS["bce"], 4)
    given: dict[str, Any] = {"params": params, "places": where, "x": x, "y": y} | changed
    with pytest.raises(ValueError, match=words) as told:
        plane(NETWORKS["bce"], **given)
    assert "\n" not in str(told.value)


@pytest.mark.parametrize("scaling", SCALINGS)
def test_directions_have_the_norms_they_should(scaling: str) -> None:
    d = NETWORKS["classes"]
    params = drawn(d, 1)[0][0]
    found = random_direction(d, params, 3, 1, scaling)
    weights, total = [], [0.0, 0.0]
    for mine, theirs in zip(layers(d, found), layers(d, params), strict=True):
        assert not mine.bias.any() and mine.weight.all()
        weights.append(mine.weight.ravel())
        pair = float(np.linalg.norm(mine.weight)), float(np.linalg.norm(theirs.weight))
        total = [total[0] + pair[0] ** 2, total[1] + pair[1] ** 2]
        if scaling == "filter":
            norms = [np.linalg.norm(one.weight, axis=1) for one in (mine, theirs)]
            np.testing.assert_allclose(norms[0], norms[1], rtol=1e-12)
        if scaling == "layer":
            assert pair[0] == pytest.approx(pair[1], rel=1e-12)
    if scaling == "whole":
        assert total[0] == pytest.approx(total[1], rel=1e-12)
    if scaling == "none":
        assert abs(np.concatenate(weights).std() - 1) < 0.2
    np.testing.assert_array_equal(found, random_direction(d, params, 3, 1, scaling))
    assert abs(np.corrcoef(found, random_direction(d, params, 3, 2, scaling))[0, 1]) < 0.5
    with pytest.raises(ValueError, match="scaling"):
        random_direction(d, params, 3, 1, "up")


def test_filter_normalised_pictures_do_not_see_a_rescaled_network() -> None:
    d = Description(2, (8, 8), 1, ("relu", "relu"), "bce")
    params, where, x, y = drawn(d, 80)
    other = rescaled(d, params[0], 10.0)
    assert np.abs(other - params[0]).max() > 1
    pictures = {
        (scaling, i): plane(d, np.stack([p, *(random_direction(d, p, 0, k, scaling) for k in (1, 2))]), where, x, y)
        for scaling in ("filter", "none") for i, p in enumerate((params[0], other))
    }  # fmt: skip
    np.testing.assert_allclose(pictures["filter", 0], pictures["filter", 1], rtol=1e-10)
    assert np.abs(np.log(pictures["none", 0] / pictures["none", 1])).max() > 0.3
    for bad in (NETWORKS["mse"], NETWORKS["residual"], NETWORKS["linear mse"]):
        with pytest.raises(ValueError, match="ReLU"):
            rescaled(bad, np.zeros(100), 2.0)


def test_principal_components_are_numpys_and_scikit_learns() -> None:
    path = np.cumsum(np.random.default_rng(4).normal(size=(40, 300)), axis=0)
    found = principal(path)
    away = path - path.mean(axis=0)
    _, singular, right = np.linalg.svd(away, full_matrices=False)
    np.testing.assert_allclose(found.shares, (singular**2 / (singular**2).sum())[: len(found.shares)], rtol=1e-9)
    np.testing.assert_allclose(np.abs((found.directions[:10] * right[:10]).sum(axis=1)), 1.0, rtol=1e-9)
    np.testing.assert_allclose(found.shares[:10], PCA(10).fit(path).explained_variance_ratio_, rtol=1e-9)
    where, off = places(path, path[-1], found.directions[:2])
    rest = (path - path[-1]) - (path - path[-1]) @ found.directions[:2].T @ found.directions[:2]
    np.testing.assert_allclose(off, np.linalg.norm(rest, axis=1), atol=1e-9)
    assert off[-1] < 1e-9 and abs(where[-1]).max() < 1e-9


def test_a_random_walk_has_its_published_shares() -> None:
    walk = np.cumsum(np.random.default_rng(0).normal(size=(400, 20_000)), axis=0)
    np.testing.assert_allclose(principal(walk).shares[:4], random_walk_shares(4), rtol=0.02)
    assert random_walk_shares(2).sum() == pytest.approx(0.7599, abs=1e-4)


@pytest.mark.parametrize("points", [np.zeros((1, 5)), np.ones((4, 5))])
def test_a_path_that_goes_nowhere_has_no_components(points: Any) -> None:
    found = principal(points)
    assert found.directions.shape == (0, 5) and found.shares.shape == (0,)


def test_feet_on_a_slanted_plane_are_least_squares() -> None:
    random = np.random.default_rng(2)
    centre, directions, points = random.normal(size=12), random.normal(size=(2, 12)), random.normal(size=(6, 12))
    where, off = places(points, centre, directions)
    expected, *_ = np.linalg.lstsq(directions.T, (points - centre).T, rcond=None)
    np.testing.assert_allclose(where, expected.T, rtol=1e-9)
    np.testing.assert_allclose(off, np.linalg.norm(points - centre - where @ directions, axis=1), rtol=1e-9)
