"""The chapter's data by its published numbers, and the shipped digits against scikit-learn's."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from engine.data import DataError, load
from engine.data import digits as module
from engine.data.chapter import chapter_regression_parts


def test_xor_has_52_ones_and_the_first_numbers_of_seed_42() -> None:
    data = load("chapter_xor", n=7, noise=3.0, seed=9)  # nothing changes it
    assert data.x.shape == (100, 2) and data.y.sum() == 52 and data.kind == "binary"
    np.testing.assert_allclose(data.x[0], [0.49671415, -0.1382643], atol=5e-9)
    np.testing.assert_allclose(data.x[1], [0.64768854, 1.52302986], atol=5e-9)


def test_the_lab_s_losses_come_out_of_it() -> None:
    """Section 10.6 in plain NumPy on this data: losses before updates 0, 1,000, 2,000."""
    data = load("chapter_xor")
    x, y = data.x, data.y
    stream = np.random.RandomState(42)
    w1, b1, w2, b2 = 0.1 * stream.randn(2, 3), np.zeros(3), 0.1 * stream.randn(3, 1), np.zeros(1)
    losses = {}
    for step in range(2001):
        hidden = 1 / (1 + np.exp(-(x @ w1 + b1)))
        p = 1 / (1 + np.exp(-(hidden @ w2 + b2)))
        losses[step] = -np.mean(y * np.log(p + 1e-8) + (1 - y) * np.log(1 - p + 1e-8))
        delta = (p - y) / len(x)
        behind = delta @ w2.T * hidden * (1 - hidden)
        w2, b2 = w2 - 0.5 * hidden.T @ delta, b2 - 0.5 * delta.sum(0)
        w1, b1 = w1 - 0.5 * x.T @ behind, b1 - 0.5 * behind.sum(0)
    assert [losses[k] for k in (0, 1000, 2000)] == pytest.approx([0.692645, 0.635353, 0.498618], abs=1e-6)


def test_regression_gives_the_epoch_losses_of_10_2_1() -> None:
    data, weights, stream = chapter_regression_parts()
    np.testing.assert_allclose(weights[:2, 0], [-0.67849473, -0.30549946], atol=5e-9)
    eigenvalues = np.linalg.eigvalsh(2 * data.x.T @ data.x / 1000)
    np.testing.assert_allclose(eigenvalues[[0, -1]], [1.6818, 2.3413], atol=5e-5)
    w, epochs = np.zeros((10, 1)), []
    for _ in range(100):
        order, losses = stream.permutation(1000), []
        for start in range(0, 1000, 32):
            x, y = data.x[order[start : start + 32]], data.y[order[start : start + 32]]
            losses.append(np.mean((x @ w - y) ** 2))
            w = w - 0.01 * 2 * x.T @ (x @ w - y) / 32
        epochs.append(np.mean(losses))
    assert epochs[0] == pytest.approx(3.4285283, abs=5e-8) and epochs[-1] == pytest.approx(0.0093930779, abs=5e-11)
    assert np.mean((data.x @ w - data.y) ** 2) == pytest.approx(0.0093753224, abs=5e-11)
    assert np.array_equal(load("chapter_regression").y, data.y)


def test_polynomial_gives_the_ridge_end_points_of_10_3_2() -> None:
    linear = pytest.importorskip("sklearn.linear_model")
    data = load("chapter_polynomial")
    assert np.all(np.diff(data.x[:, 0]) > 0)
    np.testing.assert_allclose([data.x[0, 0], data.x[-1, 0]], [-2.967, 2.921], atol=5e-4)
    powers = np.arange(11)
    for alpha, left, right in ((0.001, -0.1244601096, 0.4466884501), (1, -0.0844222557, 0.2677728996)):
        fit = linear.Ridge(alpha=alpha).fit(data.x**powers, data.y[:, 0])
        np.testing.assert_allclose(fit.predict(np.array([[-3.0], [3.0]]) ** powers), [left, right], atol=1e-9)


def test_digits_equal_scikit_learn_s() -> None:
    theirs = pytest.importorskip("sklearn.datasets").load_digits()
    data = module.digits()
    assert np.array_equal(data.x * 16, theirs.data) and np.array_equal(data.y, theirs.target)
    assert data.x.shape == (1797, 64) and data.outputs == 10 and data.inputs[9] == "pixel 1,1"
    assert load("digits") is module.digits()


@pytest.mark.parametrize("content", [None, b"", b"no archive", "cut"])
def test_damaged_digits_are_told_in_one_line(
    content: bytes | str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "digits.npz"
    if content == "cut":
        file.write_bytes(module.FILE.read_bytes()[:20_000])
    elif isinstance(content, bytes):
        file.write_bytes(content)
    monkeypatch.setattr(module, "FILE", file)
    with pytest.raises(DataError, match=r"digits\.npz is missing or damaged"):
        module.digits.__wrapped__()


def test_no_pickled_digits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    np.savez(tmp_path / "d.npz", pictures=np.array([{}], object), labels=np.zeros(1))
    monkeypatch.setattr(module, "FILE", tmp_path / "d.npz")
    with pytest.raises(DataError, match="damaged"):
        module.digits.__wrapped__()


def test_the_origin_is_written_beside_the_digits() -> None:
    text = (module.FILE.parent / "ORIGIN.md").read_text(encoding="utf-8")
    assert all(word in text for word in ("UCI", "Alpaydin", "Kaynak", "1998", "CC BY 4.0", "Changes"))
