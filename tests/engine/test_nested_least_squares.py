"""Nested least squares, held to LAPACK's lstsq at every width and to the order of asking."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import scipy.linalg

from engine.nested_least_squares import NestedLeastSquares

N = 60
WIDTHS = (1, 2, 7, 30, 55, 58, 59, 60, 61, 62, 65, 90, 120, 240)


def table(kind: str) -> np.ndarray[Any, Any]:
    """A matrix [N, 240] of some kind."""
    draw = np.random.default_rng(3)
    gauss = draw.normal(size=(N, 240))
    if kind == "relu":
        return np.maximum(draw.normal(size=(N, 8)) @ draw.normal(size=(8, 240)), 0)
    if kind == "graded":  # columns of sizes from 1 to 1e-4, and a large mean
        return gauss * np.geomspace(1, 1e-4, 240) + 3.0
    if kind == "twins":  # two equal columns among the first, and a column of zeros
        gauss[:, 5], gauss[:, 20] = gauss[:, 1], 0.0
    if kind == "low rank":
        return draw.normal(size=(N, 6)) @ draw.normal(size=(6, 240))
    return gauss


def peer(x: np.ndarray[Any, Any], y: np.ndarray[Any, Any], penalty: float) -> np.ndarray[Any, Any]:
    """SciPy's: LAPACK's gelsd, or for ridge the singular values (rows below x lose digits in lstsq itself)."""
    if penalty:
        u, s, vt = scipy.linalg.svd(x, full_matrices=False, lapack_driver="gesvd")
        s[s < 1e-12 * s[0]] = 0.0
        ridge: np.ndarray[Any, Any] = vt.T @ (s / (s * s + penalty) * (u.T @ y))
        return ridge
    solved = scipy.linalg.lstsq(x, y, lapack_driver="gelsd", cond=np.finfo(float).eps * max(x.shape))
    found: np.ndarray[Any, Any] = solved[0]
    return found


@pytest.mark.parametrize("penalty", [0.0, 1e-6, 0.1, 100.0])
@pytest.mark.parametrize("kind", ["gauss", "relu", "graded", "twins", "low rank"])
def test_weights_are_those_of_lstsq(kind: str, penalty: float) -> None:
    x = table(kind)
    y = np.random.default_rng(4).normal(size=N)
    family = NestedLeastSquares(x, y, WIDTHS)
    for i, p in enumerate(WIDTHS):
        found, expected = family.weights(i, penalty), peer(x[:, :p], y, penalty)
        # where columns depend on each other a tiny penalty leaves the solution to the data's last digits
        loose = 1e-6 if kind in ("graded", "twins", "low rank") and penalty < 1e-3 else 1e-10
        assert np.linalg.norm(found - expected) <= loose * np.linalg.norm(expected), (p, penalty)


@pytest.mark.parametrize("penalty", [0.0, 0.5])
def test_targets_may_differ_from_width_to_width(penalty: float) -> None:
    x = table("gauss")
    y = np.random.default_rng(5).normal(size=(N, len(WIDTHS)))
    family = NestedLeastSquares(x, y, WIDTHS)
    for i, p in enumerate(WIDTHS):
        np.testing.assert_allclose(family.weights(i, penalty), peer(x[:, :p], y[:, i], penalty), rtol=1e-7, atol=1e-11)


def test_the_order_of_asking_changes_no_bit() -> None:
    x, y = table("gauss"), np.random.default_rng(6).normal(size=N)
    rising = NestedLeastSquares(x, y, WIDTHS)
    first = [rising.weights(i, 0.0) for i in range(len(WIDTHS))]
    mixed = NestedLeastSquares(x, y, WIDTHS)
    for i in np.random.default_rng(7).permutation(np.repeat(np.arange(len(WIDTHS)), 2)).tolist():
        mixed.weights(i, 0.3)
        np.testing.assert_array_equal(mixed.weights(i, 0.0), first[i])


def test_beyond_n_every_sample_is_hit_by_the_smallest_weights() -> None:
    x, y = table("gauss"), np.random.default_rng(8).normal(size=N)
    family = NestedLeastSquares(x, y, WIDTHS)
    for i, p in enumerate(WIDTHS):
        if p >= N:
            w = family.weights(i)
            np.testing.assert_allclose(x[:, :p] @ w, y, atol=1e-10)
            # smallest: nothing of it lies where the samples see nothing
            np.testing.assert_allclose(np.linalg.pinv(x[:, :p]) @ (x[:, :p] @ w), w, atol=1e-9)


@pytest.mark.parametrize(
    ("widths", "words"),
    [((), "at least one"), ((3, 2), "rise"), ((2, 2), "rise"), ((0, 1), "allowed is 1"), ((1, 300), "to 240")],
)
def test_wrong_widths_are_told(widths: tuple[int, ...], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        NestedLeastSquares(table("gauss"), np.zeros(N), widths)


@pytest.mark.parametrize("penalty", [-1.0, float("nan"), float("inf")])
def test_wrong_penalties_are_told(penalty: float) -> None:
    with pytest.raises(ValueError, match="penalty"):
        NestedLeastSquares(table("gauss"), np.zeros(N), (2,)).weights(0, penalty)


def test_wrong_targets_are_told() -> None:
    with pytest.raises(ValueError, match="do not fit"):
        NestedLeastSquares(table("gauss"), np.zeros((N, 2)), (1, 2, 3))
