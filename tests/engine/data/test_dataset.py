"""Data sets as such: what is refused, how they are split and scaled. Oracle: scikit-learn's StandardScaler."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.data import DATA, DataError, Dataset, load, split, standardised, standardised_target

ROOT = Path(__file__).resolve().parents[3]


def plain(n: int, kind: str = "regression") -> Dataset:
    """n samples whose first input is their number."""
    x = np.stack([np.arange(n), np.ones(n)], axis=1)
    if kind == "classes":
        return Dataset("plain", x, np.arange(n) % 3, "classes", ("a", "b"), ("p", "q", "r"))
    return Dataset("plain", x, np.arange(n)[:, None], "regression", ("a", "b"))


@given(n=st.integers(1, 60), share=st.floats(0, 1, exclude_max=True), seed=st.integers(0, 2**63 - 1))
def test_a_split_parts_every_sample_once_and_leaves_one_to_train_on(n: int, share: float, seed: int) -> None:
    train, test = split(plain(n), share, seed)
    numbers = [*train.x[:, 0], *test.x[:, 0]]
    assert sorted(numbers) == list(range(n)) and train.samples >= 1
    assert list(train.x[:, 0]) == sorted(train.x[:, 0]) and list(test.x[:, 0]) == sorted(test.x[:, 0])
    assert np.array_equal(train.y[:, 0], train.x[:, 0]) and np.array_equal(test.y[:, 0], test.x[:, 0])
    if share == 0 or n == 1:
        assert test.samples == 0
    else:
        assert 1 <= test.samples <= n - 1 and abs(test.samples - n * share) <= 1


def test_a_split_is_the_seed_s_and_a_larger_share_only_moves_samples_over() -> None:
    data = load("moons", n=50)
    small, large = (set(split(data, share, 3)[1].x[:, 0]) for share in (0.2, 0.4))
    assert len(small) == 10 and len(large) == 20 and small < large
    assert np.array_equal(split(data, 0.2, 3)[1].x, split(data, 0.2, 3)[1].x)
    assert not np.array_equal(split(data, 0.2, 3)[1].x, split(data, 0.2, 4)[1].x)


@pytest.mark.parametrize("kind", ["regression", "classes"])
def test_one_sample_splits_and_scales(kind: str) -> None:
    train, test = split(plain(1, kind), 0.5, 0)
    done = standardised(train, test)
    assert (train.samples, test.samples) == (1, 0) and test.x.shape == (0, 2)
    assert done.train.x.tolist() == [[0.0, 0.0]] and done.scales.tolist() == [1.0, 1.0]
    assert test.domain == ((-1.0, 1.0), (-1.0, 1.0))


def test_scaling_equals_scikit_learn_s() -> None:
    preprocessing = pytest.importorskip("sklearn.preprocessing")
    train, test = split(load("digits"), 0.3, 1)
    done = standardised(train, test)
    oracle = preprocessing.StandardScaler().fit(train.x)
    np.testing.assert_allclose(done.means, oracle.mean_, rtol=0, atol=1e-14)
    np.testing.assert_allclose(done.scales, oracle.scale_, rtol=1e-12)
    np.testing.assert_allclose(done.train.x, oracle.transform(train.x), atol=1e-11)
    np.testing.assert_allclose(done.test.x, oracle.transform(test.x), atol=1e-11)
    assert "Constant in training" in done.train.note and "pixel 0,0" in done.test.note


def test_a_constant_column_becomes_zero_exactly() -> None:
    x = np.stack([np.full(7, 0.1), np.arange(7.0)], axis=1)
    data = Dataset("d", x, np.arange(7.0)[:, None], "regression", ("still", "moving"))
    done = standardised(data, data.take([0]))
    assert done.means[0] == 0.1 and done.scales[0] == 1.0 and not done.train.x[:, 0].any()
    assert "still" in done.train.note and "moving" not in done.train.note


def test_targets_are_scaled_in_regressions_alone() -> None:
    data = plain(5)
    train, test, mean, scale = standardised_target(data, data.take([1]))
    assert (mean, scale) == (2.0, pytest.approx(np.sqrt(2.0)))
    assert np.allclose(train.y * scale + mean, data.y) and np.allclose(test.y * scale + mean, [[1.0]])
    other = load("circle", n=5)
    assert standardised_target(other, other) == (other, other, 0.0, 1.0)


@pytest.mark.parametrize(
    ("x", "y", "kind", "classes", "told"),
    [
        ([[1.0, 2.0, 3.0]], [[1.0]], "regression", (), "shape"),
        ([[1.0, np.nan]], [[1.0]], "regression", (), "'b' has the value nan"),
        ([[1e101, 0.0]], [[1.0]], "regression", (), "'a' has the value 1e+101"),
        ([[1.0, 0.0]], [[np.inf]], "regression", (), "'y' has the value inf"),
        ([[1.0, 0.0]], [1.0], "regression", (), "targets of shape"),
        ([[1.0, 0.0]], [[0.5]], "binary", ("n", "p"), "labels"),
        ([[1.0, 0.0]], [[1.0]], "binary", (), "labels"),
        ([[1.0, 0.0]], [3], "classes", ("p", "q", "r"), "labels"),
        ([[1.0, 0.0]], [-1], "classes", ("p", "q", "r"), "labels"),
    ],
)
def test_what_is_no_data_set(x: object, y: object, kind: str, classes: tuple[str, ...], told: str) -> None:
    with pytest.raises(DataError, match=told.replace("+", r"\+")) as error:
        Dataset("d", np.array(x), np.array(y), kind, ("a", "b"), classes)  # type: ignore[arg-type]
    assert "\n" not in str(error.value)


def test_arrays_are_copies_nobody_can_write_to() -> None:
    mine = np.zeros((2, 2))
    data = Dataset("d", mine, np.zeros((2, 1)), "regression", ("a", "b"))
    mine[:] = 5.0
    assert not data.x.any()
    with pytest.raises(ValueError, match="read-only"):
        data.x[0, 0] = 1.0


@pytest.mark.parametrize(
    ("share", "seed", "told"),
    [(1.0, 0, "test share 1.0"), (-0.1, 0, "test share -0.1"), (float("nan"), 0, "test share nan"),
     (0.2, -1, "seed -1"), (0.2, 2**63, "seed"), (0.2, 1.5, "seed 1.5")],
)  # fmt: skip
def test_what_no_split_takes(share: float, seed: int, told: str) -> None:
    with pytest.raises(DataError, match=told):
        split(plain(4), share, seed)


def test_outputs_and_domain() -> None:
    assert (load("rings").outputs, load("circle").outputs, load("digits").outputs) == (3, 1, 10)
    assert plain(11).domain == ((-1.0, 11.0), (0.9, 1.1))


def test_names_and_options_of_the_table() -> None:
    with pytest.raises(DataError, match="'sprial' is not known; give one of circle, xor"):
        load("sprial")
    for name, source in DATA.items():
        assert source.title and source.description.endswith((".", "?")), name
    pinned = ["circle", "xor", "gauss", "spiral", "moons", "rings", "chapter_xor", "regression_plane",
              "regression_gauss", "function", "digits", "csv"]  # fmt: skip
    assert set(pinned) <= set(DATA)


def test_importing_loads_no_compiler_no_torch_no_qt() -> None:
    watched = {"numba", "llvmlite", "torch", "PySide6", "pydantic"}
    code = f"import sys, engine.data\nprint(*sorted({watched} & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60, env={**os.environ}
    )
    assert (done.stdout.strip(), done.stderr) == ("", "")
