"""Back is exact: whatever was done before, step k is bit for bit what a fresh run to step k gives."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.experiments import load
from engine.session import history, session, snapshots
from engine.session.branches import Event
from engine.session.results import line
from engine.session.session import MOST_BRANCHES, Session
from engine.session.snapshots import digest
from engine.spec import SpecError, build, declarations

DESCENT: Any = load("landscapes.descent")
FIELDS = {d.key: d for d in declarations(DESCENT.Spec)}
OPTIMIZERS = FIELDS["optimizers"].choices


def run(values: dict[str, Any], events: tuple[Event, ...] = (), **options: Any) -> Session:
    """A fresh session of landscapes.descent."""
    return Session(DESCENT, build(DESCENT.Spec, values), events, **options)


SETTINGS = st.fixed_dictionaries({
    "optimizers": st.lists(st.sampled_from(OPTIMIZERS), min_size=1, max_size=4, unique=True).map(tuple),
    "surface": st.sampled_from(["rosenbrock", "beale", "himmelblau", "ackley", "monkey_saddle", "custom"]),
    "noise": st.sampled_from([0.0, 0.3]),
    "learning_rate": st.sampled_from([0.001, 0.03, 1.0]),  # at 1 most of them diverge
    "convention": st.sampled_from(["book", "pytorch"]),
    "target": st.sampled_from([None, 0.5]),
    "steps": st.sampled_from([15, 40, 400]),
    "record_every": st.sampled_from([1, 1, 3]),
    "seed": st.integers(0, 3),
})  # fmt: skip
LIVE = st.one_of(
    st.tuples(st.just("learning_rate"), st.floats(1e-4, 0.1)),
    st.tuples(st.just("noise"), st.sampled_from([0.0, 0.01, 1.0])),
    st.tuples(st.just("adam.beta1"), st.floats(0, 0.99)),
    st.tuples(st.just("momentum.momentum"), st.floats(0, 0.99)),
    st.tuples(st.just("sgd.learning_rate"), st.sampled_from([None, 1e-3, 1e-2])),
    st.tuples(st.just("lbfgs.history"), st.integers(1, 4)),
    st.tuples(st.just("newton.damping"), st.floats(0, 10)),
    st.tuples(st.just("steps"), st.sampled_from([5, 30, 80])),
)
ACTIONS = st.lists(
    st.one_of(
        st.tuples(st.just("step"), st.integers(1, 25)),
        st.tuples(st.just("step"), st.integers(1, 3)),
        st.tuples(st.just("back"), st.integers(1, 12)),
        st.tuples(st.just("seek"), st.integers(0, 60)),
        st.tuples(st.just("fork"), st.just(0)),
        st.tuples(st.just("switch"), st.integers(0, 3)),
        st.tuples(st.just("live"), LIVE),
    ),
    min_size=3, max_size=14,
)  # fmt: skip


def act(run: Session, action: str, value: Any) -> None:
    """Do one thing to a session, as a reader at the controls would."""
    match action:
        case "step":
            run.advance(value)
        case "back":
            run.back(value)
        case "seek":
            run.seek(value)
        case "switch":
            run.switch(value % len(run.branches))
        case "fork" if len(run.branches) < MOST_BRANCHES:
            run.fork()
        case "live" if len(run.branches) < MOST_BRANCHES:
            run.set_live(*value)


def assert_exact(run: Session) -> None:
    """State, row, settings and endings are those of a fresh run to this step."""
    fresh = Session(DESCENT, run.spec, run.branch.events)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(session, "MOST_ROWS", 2**16)
        while fresh.step < run.step and fresh._run(run.step - fresh.step):  # in calls as long as they may be
            pass
    assert fresh.step == run.step
    assert digest(fresh.state) == digest(run.state)
    assert digest(fresh.row) == digest(run.row)
    assert fresh.live == run.live
    assert fresh.branch.endings == tuple(e for e in run.branch.endings if e.step <= run.step)
    view = run.view()
    if (at := view.branch.history.at(run.step)) is not None:
        assert digest({name: rows[at] for name, rows in view.branch.history.values.items()}) == digest(run.row)


def assert_all_rows(run: Session, index: int) -> None:
    """The whole line of a branch, its ancestors' part included, is what a fresh run measures."""
    view = run.view()
    steps, values = line(view, index)
    fresh = Session(DESCENT, run.spec, view.branches[index].events)
    while fresh.step < view.branches[index].frontier and fresh._run(view.branches[index].frontier - fresh.step):
        pass
    expected, rows = line(fresh.view())
    places = np.searchsorted(expected, steps)
    assert (np.diff(steps) > 0).all() and expected[places].tolist() == steps.tolist()
    for name in values:
        assert values[name].tobytes() == rows[name][places].tobytes()
    assert digest(dict(view.branches[index].final)) == digest(dict(fresh.view().branch.final))


@settings(max_examples=40)
@given(SETTINGS, ACTIONS)
def test_back_is_exact(values: dict[str, Any], actions: list[tuple[str, Any]]) -> None:
    one = run(values)
    for action in actions:
        act(one, *action)
        assert_exact(one)


@contextmanager
def cramped() -> Iterator[None]:
    """Few snapshots, few rows, few blocks, and calls of a step or two: everything is thinned all the time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(snapshots, "MOST", 3)
        patch.setattr(snapshots, "SPACING", 0.0)
        patch.setattr(history, "BLOCKS", 4)
        patch.setattr(session, "CHUNK", 1e-9)
        patch.setattr(session, "MOST_ROWS", 2)
        yield


@settings(max_examples=25)
@given(SETTINGS, ACTIONS)
def test_back_is_exact_when_everything_is_thinned(values: dict[str, Any], actions: list[tuple[str, Any]]) -> None:
    with cramped():
        one = run(values, budget=0)
        for action in actions:
            act(one, *action)
        assert_exact(one)
        for index in range(len(one.branches)):
            one.switch(index)
            assert_exact(one)
            one.seek(one.branch.frontier // 2)
            assert_exact(one)


@settings(max_examples=25)
@given(SETTINGS, ACTIONS)
def test_every_line_is_what_a_fresh_run_measures(values: dict[str, Any], actions: list[tuple[str, Any]]) -> None:
    one = run(values | {"record_every": 1})
    for action in actions:
        act(one, *action)
    for index in range(len(one.branches)):
        assert_all_rows(one, index)


@pytest.mark.parametrize("convention", ["book", "pytorch"])
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_each_optimizer_goes_back_exactly(name: str, convention: str) -> None:
    one = run({"optimizers": (name,), "surface": "himmelblau", "start": (0.3, -0.2), "learning_rate": 0.01,
               "noise": 0.5, "convention": convention})  # fmt: skip
    seen = [digest([one.state, one.row])]
    for _ in range(30):
        one.advance(1)
        seen.append(digest([one.state, one.row]))
    for step in [29, 12, 13, 0, 30, 7]:
        one.seek(step)
        assert one.step == step and digest([one.state, one.row]) == seen[step]
    assert_exact(one)


def test_a_live_change_acts_from_the_next_step_on() -> None:
    """x = prod(1 - rate_k) on (x^2 + y^2)/2, in plain floats."""
    one = run(
        {"surface": "bowl", "condition_number": 1.0, "start": (1, 1), "optimizers": ("sgd",), "learning_rate": 0.1}
    )
    one.advance(3)
    assert one.set_live("learning_rate", 0.5) is False
    one.advance(2)
    assert one.row["x"][0] == pytest.approx(0.9**3 * 0.5**2, rel=1e-15)
    assert [float(v) for v in one.view().branch.history.values["learning_rate"][1:, 0]] == [0.1, 0.1, 0.1, 0.5, 0.5]
    one.seek(3)
    assert one.set_live("learning_rate", 0.2) is True
    one.advance(2)
    assert one.row["x"][0] == pytest.approx(0.9**3 * 0.8**2, rel=1e-15)
    assert [b.name for b in one.branches] == ["main", "learning_rate 0.2 from 3"]
    assert one.branch.events == (Event(3, "learning_rate", 0.2),)
    one.switch(0)
    assert one.row["x"][0] == pytest.approx(0.9**3 * 0.5**2, rel=1e-15)


def test_a_change_to_the_value_in_force_is_none() -> None:
    one = run({"learning_rate": 0.01})
    one.advance(5)
    one.back(2)
    assert one.set_live("learning_rate", 0.01) is False
    assert len(one.branches) == 1 and one.branch.events == ()


def test_the_value_of_an_event_is_as_declared() -> None:
    one = run({})
    one.set_live("learning_rate", "0.5")
    one.set_live("steps", 50.0)
    assert [(e.key, repr(e.value)) for e in one.branch.events] == [("learning_rate", "0.5"), ("steps", "50")]


@pytest.mark.parametrize(
    ("key", "value", "part"),
    [
        ("surface", "bowl", "live fields"), ("nothing", 1, "live fields"), ("learning_rate", -1, "a number from"),
        ("learning_rate", float("nan"), "a number from"), ("adam.beta1", 1.0, "0.999999"), ("noise", [1], "a number"),
        ("steps", 0, "a whole number"), ("steps", "many", "a whole number"),
    ],
)  # fmt: skip
def test_a_wrong_live_change_changes_nothing(key: str, value: Any, part: str) -> None:
    one = run({"noise": 0.1})
    one.advance(20)
    one.back(5)
    before = digest(one.state), len(one.branches), one.branch.events, one.live
    with pytest.raises(SpecError, match=part) as told:
        one.set_live(key, value)
    assert "\n" not in str(told.value)
    assert (digest(one.state), len(one.branches), one.branch.events, one.live) == before
    assert_exact(one)


def test_a_hundred_changes_of_one_slider_stay_one_event() -> None:
    one = run({})
    one.advance(4)
    for i in range(100):
        one.set_live("learning_rate", 0.001 * (i + 2))
    assert one.branch.events == (Event(4, "learning_rate", pytest.approx(0.101)),)


def test_planned_changes_happen_and_survive_another_change() -> None:
    planned = (Event(10, "learning_rate", 0.002), Event(20, "learning_rate", 0.003))
    one = run({"steps": 30}, planned)
    one.advance(12)
    one.set_live("noise", 0.1)
    one.advance(100)
    assert one.step == 30 and [e.step for e in one.branch.events] == [10, 12, 20]
    rates = one.view().branch.history.values["learning_rate"][1:, 0]
    assert rates.tolist() == [0.001] * 10 + [0.002] * 10 + [0.003] * 10
    assert_exact(one)
    one.seek(15)  # here the planned change belongs to the future that is left behind
    one.set_live("noise", 0.2)
    assert [e.step for e in one.branch.events] == [10, 12, 15]


def test_divergence_ends_one_contestant_and_not_the_others() -> None:
    one = run({"optimizers": ("sgd", "adam"), "sgd.learning_rate": 1.0, "surface": "rosenbrock", "steps": 50})
    one.advance(50)
    assert (one.finish, one.step) == ("done", 50)
    (ending,) = one.branch.endings
    assert (ending.series, ending.finish) == (0, "diverged") and 0 < ending.step < 50
    assert f"at step {ending.step}" in ending.reason and ("overflowed" in ending.reason or "nan" in ending.reason)
    loss = one.view().branch.history.values["loss"]
    assert np.isfinite(loss[: ending.step, 0]).all() and not np.isfinite(loss[ending.step :, 0]).any()
    assert np.isfinite(loss[:, 1]).all()
    for step in (ending.step - 1, ending.step, ending.step + 1, 0, 50):
        one.seek(step)
        assert_exact(one)
    one.seek(ending.step - 1)
    assert one.finish is None and np.isfinite(one.row["loss"]).all()


def test_a_run_has_diverged_once_everybody_has() -> None:
    one = run({"optimizers": ("sgd", "momentum"), "learning_rate": 1.0, "surface": "rosenbrock", "steps": 500})
    taken = one.advance(500)
    last = max(e.step for e in one.branch.endings)
    assert one.finish == "diverged" and taken == one.step == last < 500
    assert one.branch.reason.startswith(("sgd: ", "momentum: ")) and f"step {last}" in one.branch.reason
    assert one.advance(10) == 0
    one.set_live("learning_rate", 0.001)  # too late for them
    assert one.advance(10) == 0 and one.finish == "diverged"
    one.back(1)
    assert one.finish is None and one.view().finish is None
    one.seek(0)
    assert one.set_live("learning_rate", 0.0005) is True  # soon enough
    assert one.advance(500) == 500 and one.finish == "done"
    assert_exact(one)


def test_a_live_change_after_a_divergence_acts_on_those_who_go_on() -> None:
    one = run({"optimizers": ("sgd", "adam"), "sgd.learning_rate": 1.0, "surface": "rosenbrock", "steps": 40})
    one.advance(20)
    one.set_live("adam.learning_rate", 0.05)
    one.advance(20)
    rates = one.view().branch.history.values["learning_rate"]
    assert rates[20, 1] == 0.001 and rates[21, 1] == 0.05 and np.isnan(rates[21, 0])
    assert_exact(one)


def test_the_target_stops_whoever_reaches_it() -> None:
    one = run({"surface": "bowl", "condition_number": 1.0, "start": (1, 1), "optimizers": ("sgd", "newton"),
               "learning_rate": 0.1, "target": 0.5})  # fmt: skip
    one.advance(100)
    # f = .81^k, so sgd is at or below .5 after 4 steps; Newton after 1.
    assert [(e.series, e.finish, e.step) for e in one.branch.endings] == [(1, "target", 1), (0, "target", 4)]
    assert one.finish == "target" and one.step == 4 and one.branch.reason.startswith("sgd: loss at or below")
    assert one.branch.final["loss"].tolist() == [pytest.approx(0.81**4), 0.0]


def test_who_ended_does_not_depend_on_how_the_steps_are_cut() -> None:
    values = {"surface": "bowl", "condition_number": 1.0, "start": (1, 1), "optimizers": ("sgd", "newton"),
              "learning_rate": 0.1, "target": 0.5}  # fmt: skip
    whole, pieces = run(values), run(values)
    assert whole._run(100) == 4
    for _ in range(4):
        pieces.advance(1)
    assert digest(whole.state) == digest(pieces.state)
    assert whole.branch.endings == pieces.branch.endings
    assert digest(whole.branch.final) == digest(pieces.branch.final)


def test_a_finished_run_goes_on_when_steps_are_raised() -> None:
    one = run({"steps": 10})
    assert one.advance(50) == 10 and one.finish == "done" and "10" in one.branch.reason
    one.set_live("steps", 25)
    assert one.finish is None and one.steps == 25
    assert one.advance(50) == 15 and one.finish == "done"
    assert len(one.branches) == 1 and one.branch.events == (Event(10, "steps", 25),)
    assert_exact(one)
    one.back(20)
    assert one.finish is None
    assert one.advance(50) == 20 and one.step == 25 and one.finish == "done"


def test_steps_lowered_below_the_step_in_hand_end_the_run() -> None:
    one = run({})
    one.advance(30)
    one.set_live("steps", 5)
    assert one.finish == "done" and one.advance(5) == 0 and one.view().steps == 30
    one.set_live("steps", 31)
    assert one.advance(5) == 1


def test_a_branch_may_fork_below_its_parents_own_fork() -> None:
    one = run({"steps": 60})
    one.advance(20)
    one.back(5)
    one.set_live("learning_rate", 0.002)
    one.advance(10)
    one.seek(8)
    one.set_live("learning_rate", 0.003)
    one.advance(10)
    assert [(b.parent, b.fork, b.frontier) for b in one.branches] == [(None, 0, 20), (0, 15, 25), (1, 8, 18)]
    for index in range(3):
        steps, _ = line(one.view(), index)
        assert steps.tolist() == list(range(one.branches[index].frontier + 1))
        assert_all_rows(one, index)


def test_branches_are_limited() -> None:
    one = run({})
    for _ in range(MOST_BRANCHES - 1):
        one.fork()
    one.advance(3)
    one.back(1)
    with pytest.raises(SpecError, match=f"{MOST_BRANCHES} branches"):
        one.set_live("learning_rate", 0.5)
    assert len(one.branches) == MOST_BRANCHES and one.branch.events == ()
    with pytest.raises(SpecError, match=f"0 to {MOST_BRANCHES - 1}"):
        one.switch(MOST_BRANCHES)


def test_a_view_stays_as_it_was() -> None:
    one = run({"optimizers": ("sgd", "adam"), "sgd.learning_rate": 1.0})
    one.advance(10)
    view = one.view()
    before = digest([dict(view.row), dict(view.branch.final), dict(view.branch.history.values)])
    one.advance(20)
    one.set_live("noise", 0.1)
    one.back(25)
    assert digest([dict(view.row), dict(view.branch.final), dict(view.branch.history.values)]) == before
    assert (view.step, view.branch.frontier, view.branch.events) == (10, 10, ())


class _Breaks:
    """landscapes.descent, but step `at` raises in the middle of it."""

    def __init__(self, at: int, error: type[BaseException]) -> None:
        self.at, self.error = at, error

    def __getattr__(self, name: str) -> Any:
        return getattr(DESCENT, name)

    def advance(self, state: Any, spec: Any, n: int) -> Any:
        columns = DESCENT.advance(state, spec, n)
        if state.step >= self.at:
            raise self.error("broken on purpose")
        return columns


def test_a_failure_keeps_what_was_measured() -> None:
    one: Any = Session(_Breaks(25, RuntimeError), build(DESCENT.Spec, {}))  # type: ignore[arg-type]
    with pytest.raises(RuntimeError, match="on purpose"):
        while one.advance(4):
            pass
    frontier = one.branch.frontier
    assert (one.branch.finish, one.branch.reason) == ("failed", "RuntimeError: broken on purpose")
    assert frontier == 24 and len(one.view().branch.history.steps) == 25
    one.seek(frontier)
    assert one.finish == "failed" and one.advance(5) == 0
    assert_exact(one)
    one.seek(3)
    assert_exact(one)


def test_an_interrupt_leaves_a_state_that_was_measured() -> None:
    one: Any = Session(_Breaks(25, KeyboardInterrupt), build(DESCENT.Spec, {}))  # type: ignore[arg-type]
    with pytest.raises(KeyboardInterrupt):
        while one.advance(4):
            pass
    assert one.branch.finish is None
    one.seek(one.branch.frontier)
    assert one.step == 24
    assert_exact(one)
