"""Snapshots: copies by step, thinned from the middle, and fingerprints that miss nothing."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.session import snapshots
from engine.session.snapshots import Snapshots, digest, size


@dataclass
class _State:
    step: int
    p: Any
    scratch: Any = field(default=None, metadata={"scratch": True})


def test_what_is_kept_is_a_copy_and_so_is_what_is_given_back() -> None:
    kept, state = Snapshots(), _State(3, np.zeros(2))
    kept.put(3, state)
    state.p[0] = 1.0
    found = kept.before(5)
    assert found is not None and found[0] == 3 and found[1].p.tolist() == [0, 0]
    found[1].p[0] = 2.0
    again = kept.before(3)
    assert again is not None and again[1].p.tolist() == [0, 0]


def test_a_step_kept_already_stays_as_it_is() -> None:
    kept = Snapshots()
    kept.put(0, "first")
    kept.put(0, "second")
    assert kept.before(0) == (0, "first")


@given(st.lists(st.integers(0, 500), min_size=1, max_size=120), st.sampled_from([2, 3, 8]))
def test_the_latest_before_a_step_is_found(steps: list[int], most: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(snapshots, "MOST", most)
        kept = Snapshots()
        kept.put(0, 0)
        for step in steps:
            kept.put(step, step)
            assert len(kept._steps) <= most
        assert kept._steps == sorted(set(kept._steps)) and kept._steps[0] == 0  # the first is never dropped
        for step in range(0, 501, 25):
            found = kept.before(step)
            assert found is not None and found[0] == found[1] == kept.nearest(step)
            assert found[0] == max(s for s in kept._steps if s <= step)
    assert kept.before(-1) is None and kept.nearest(-1) is None


def test_thinning_widens_the_spacing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snapshots, "MOST", 4)
    kept = Snapshots()
    for step in range(5):
        kept.put(step, step)
    assert kept._steps == [0, 2, 4] and kept.spacing == 2 * snapshots.SPACING


APART: list[tuple[Any, Any]] = [
    ([1, 23], [12, 3]),
    ([1], [[1]]),
    ([1, 2], [1, [2]]),
    ("1", 1),
    (1, True),
    (1, 1.0),
    (0.0, -0.0),
    (1.0, np.nextafter(1.0, 2.0)),
    (None, "None"),
    (np.zeros(2), np.zeros((2, 1))),
    (np.zeros(2), np.zeros(2, np.float32)),
    (np.zeros(2), np.array([0.0, -0.0])),
    ({"a": 1, "b": 2}, {"a": 2, "b": 1}),
    ({"ab": 1}, {"a": "b1"}),
    ({"a": {"b": 1}}, {"a": {}, "b": 1}),
    (_State(1, 2), _State(2, 1)),
    (np.random.default_rng(1), np.random.default_rng(2)),
]


@pytest.mark.parametrize(("one", "other"), APART)
def test_different_states_have_different_fingerprints(one: Any, other: Any) -> None:
    assert digest(one) != digest(other)
    assert digest([one]) != digest([other])


@pytest.mark.parametrize("value", [value for pair in APART for value in pair])
def test_equal_states_have_one_fingerprint(value: Any) -> None:
    import copy

    assert digest(value) == digest(copy.deepcopy(value))


def test_a_generator_that_has_drawn_is_another_state() -> None:
    random = np.random.default_rng(0)
    before = digest(random)
    random.random()
    assert digest(random) != before


def test_order_of_keys_and_scratch_space_do_not_count() -> None:
    assert digest({"a": 1, "b": 2}) == digest({"b": 2, "a": 1})
    assert digest(_State(1, 2, scratch=3)) == digest(_State(1, 2, scratch=4))


def test_what_cannot_be_compared_is_refused() -> None:
    with pytest.raises(TypeError, match="may not hold"):
        digest({"a": object()})


def test_heavy_states_are_kept_more_thinly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snapshots, "HEAVIEST", 8000)
    kept = Snapshots()
    spacing = kept.spacing
    for step in range(20):
        kept.put(step, {"p": np.zeros(125)})  # 1,000 bytes each: eight are the most
    assert 2 <= len(kept._steps) <= 8 and kept._steps[0] == 0 and kept.spacing > spacing
    assert size({"p": np.zeros(4), "q": [np.zeros(2, np.float32)], "n": 1}) == 40
