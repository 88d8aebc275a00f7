"""Random numbers belong to (seed, purpose, step) and to nothing else."""

from __future__ import annotations

import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats  # type: ignore[import-untyped]

from engine.randomness import generator, normals


@given(st.integers(0, 2**32 - 1), st.integers(0, 10**12), st.lists(st.integers(1, 40), min_size=1, max_size=6))
def test_cutting_the_steps_changes_no_bit(seed: int, first: int, pieces: list[int]) -> None:
    whole = normals(seed, "noise", first, sum(pieces))
    parts, at = [], first
    for n in pieces:
        parts.append(normals(seed, "noise", at, n))
        at += n
    assert whole.tobytes() == np.concatenate(parts).tobytes()
    assert whole.shape == (sum(pieces), 2) and whole.dtype == np.float64


def test_no_step_gives_an_empty_array() -> None:
    assert normals(0, "noise", 5, 0).shape == (0, 2)


@pytest.mark.parametrize("step", [0, 1, 17, 10**9])
def test_a_pair_is_box_muller_of_its_own_block(step: int) -> None:
    """Box and Muller 1958 on the first two words of block `step`, written out in plain floats."""
    key = np.array([42, zlib.crc32(b"noise")], dtype=np.uint64)
    words = np.random.Philox(key=key, counter=step).random_raw(2)
    u, v = ((int(word) // 2**11 + 0.5) / 2**53 for word in words)
    expected = np.sqrt(-2 * np.log(u)) * np.array([np.cos(2 * np.pi * v), np.sin(2 * np.pi * v)])
    np.testing.assert_allclose(normals(42, "noise", step, 1)[0], expected, rtol=1e-14)


def test_they_are_independent_standard_normals() -> None:
    drawn = normals(7, "noise", 0, 50_000)
    for column in drawn.T:
        assert stats.kstest(column, "norm").pvalue > 1e-3
    assert abs(np.corrcoef(drawn.T)[0, 1]) < 0.02
    assert abs(np.corrcoef(drawn[:-1, 0], drawn[1:, 0])[0, 1]) < 0.02


def test_seeds_purposes_and_steps_are_apart() -> None:
    seen = {
        normals(seed, purpose, step, 1).tobytes()
        for seed in (0, 1, 2**32 - 1)
        for purpose in ("noise", "batches")
        for step in (0, 1, 2**40)
    }
    assert len(seen) == 18


def test_a_generator_is_made_anew_for_each_step() -> None:
    same = [generator(3, "batches", 9).permutation(100).tobytes() for _ in range(2)]
    assert same[0] == same[1]
    others = [generator(*key).permutation(100).tobytes() for key in ((4, "batches", 9), (3, "x", 9), (3, "batches", 8))]
    assert len({same[0], *others}) == 4
