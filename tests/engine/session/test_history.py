"""The history keeps every row while they are few; its envelope is the true minimum and maximum, always."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from engine.experiment import Columns
from engine.session import history
from engine.session.history import History, HistoryView

SERIES = 3
Floats = NDArray[np.float64]


def _rows(n: int, seed: int) -> Floats:
    """n rows of [n, series] with nan and infinities among them."""
    random = np.random.default_rng(seed)
    rows = random.normal(size=(n, SERIES)) * 10.0 ** random.integers(-300, 300, size=(n, SERIES))
    for value in (np.nan, np.inf, -np.inf):
        rows[random.random((n, SERIES)) < 0.1] = value
    return rows


def _fill(kept: History, rows: Floats, first: int, sizes: list[int]) -> None:
    at = 0
    while at < len(rows):
        n = min(sizes[at % len(sizes)], len(rows) - at)
        kept.append(
            first + at, Columns({"loss": rows[at : at + n], "other": rows[at : at + n], "x": -rows[at : at + n]})
        )
        at += n


def _check_envelope(view: HistoryView, steps: NDArray[np.int64], rows: Floats) -> None:
    """Against minimum and maximum of every block, taken row by row."""
    assert view.block_steps is not None and view.low is not None and view.high is not None
    assert len(view.block_steps) <= history.BLOCKS
    edges = [*view.block_steps.tolist(), int(steps[-1]) + 1]
    assert edges[0] == steps[0]
    for b, (begin, end) in enumerate(itertools.pairwise(edges)):
        inside = rows[(steps >= begin) & (steps < end)]
        for s in range(SERIES):
            numbers = [value for value in inside[:, s].tolist() if value == value]
            low, high = view.low["loss"][b, s], view.high["loss"][b, s]
            if numbers:
                assert (low, high) == (min(numbers), max(numbers))
            else:
                assert np.isnan(low) and np.isnan(high)
            (x, y, *_), at = view.curve("loss", s), int(np.searchsorted(steps, begin))
            assert x[b] == begin and np.array_equal(y[b], rows[at, s], equal_nan=True)


@given(
    st.integers(1, 700), st.lists(st.integers(1, 90), min_size=1, max_size=5), st.integers(0, 60),
    st.sampled_from([4, 5, 8, 16]), st.sampled_from([1, 2, 7]), st.sampled_from([None, 0, 3000]), st.integers(0, 10**6),
    st.sampled_from([1, 20, 10**6]),
)  # fmt: skip
def test_envelope_and_rows(
    n: int, sizes: list[int], first: int, blocks: int, every: int, budget: int | None, seed: int, many: int
) -> None:
    rows = _rows(n, seed)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(history, "BLOCKS", blocks)
        patch.setattr(history, "MANY", many)  # in the compiled loop, in NumPy, and by turns
        kept = History(("loss", "x"), SERIES, every=every, budget=budget)
        _fill(kept, rows, first, sizes)
        view = kept.view()
        steps = np.arange(first, first + n)
        recorded = (steps % every == 0) | (steps == first)
        if view.low is not None:
            _check_envelope(view, steps[recorded], rows[recorded])
        elif budget is None:
            assert recorded.sum() <= blocks
    assert kept.last == first + n - 1
    assert view.steps[0] == first and (np.diff(view.steps) > 0).all()
    # Every row kept stands at its own step, and values are as measured.
    assert view.values["loss"].tobytes() == rows[view.steps - first].tobytes()
    assert view.values["x"].tobytes() == (-rows[view.steps - first]).tobytes()
    assert set(view.steps.tolist()) <= set(steps[recorded].tolist())
    if budget is None:
        assert view.steps.tolist() == steps[recorded].tolist() and not kept.thinned
    else:
        assert len(view.steps) <= max(2 * blocks, budget // (8 * SERIES * 2))
    spacing = np.diff(view.steps)[1:]
    assert len(set(spacing.tolist())) <= 1  # thinning leaves an even spacing (but for the first row)


def test_a_view_does_not_change_under_later_rows() -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(history, "BLOCKS", 8)
        kept = History(("loss", "x"), SERIES, budget=0)
        rows = _rows(400, 1)
        views: list[tuple[HistoryView, list[bytes]]] = []

        def prints(view: HistoryView) -> list[bytes]:
            arrays = [view.steps, *view.values.values()]
            if view.block_steps is not None and view.low is not None and view.high is not None:
                arrays += [view.block_steps, *view.low.values(), *view.high.values()]
            return [array.tobytes() for array in arrays]

        for at in range(0, 400, 5):
            chunk = rows[at : at + 5]
            kept.append(at, Columns({"loss": chunk, "x": chunk}))
            view = kept.view()
            views.append((view, prints(view)))
        assert kept.thinned
    for view, before in views:
        assert prints(view) == before


def test_a_curve_lies_within_its_envelope() -> None:
    n = 10_000
    rows = np.random.default_rng(0).normal(size=(n, SERIES))
    kept = History(("loss",), SERIES, budget=0)
    for at in range(0, n, 777):
        kept.append(at, Columns({"loss": rows[at : at + 777]}))
    x, y, low, high = kept.view().curve("loss", 1)
    assert kept.thinned and low is not None and high is not None
    assert len(x) == len(y) == len(low) <= history.BLOCKS
    assert ((low <= y) & (y <= high)).all()
    assert high.max() == rows[:, 1].max() and low.min() == rows[:, 1].min()  # no peak is lost


def test_few_rows_are_drawn_as_they_are() -> None:
    kept = History(("loss",), 1)
    kept.append(5, Columns({"loss": np.array([[3.0], [2.0], [1.0]])}))
    x, y, low, high = kept.view().curve("loss", 0)
    assert x.tolist() == [5, 6, 7] and y.tolist() == [3, 2, 1] and low is None and high is None
    assert kept.view().at(6) == 1 and kept.view().at(4) is None and kept.view().at(8) is None
