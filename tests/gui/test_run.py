"""A run and its worker, without a page: what is asked comes back, in order, at most once a frame."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import pytest
from pytestqt.qtbot import QtBot

from engine.experiments import load
from engine.session.branches import SessionView
from engine.session.session import Session
from engine.spec import build
from gui.pump import Batch, Open, Pump, Shut
from gui.run import Run

DESCENT = load("landscapes.descent")


def spec(**values: Any) -> Any:
    return build(DESCENT.Spec, {"optimizers": ("sgd", "adam"), "noise": 0.1, "steps": 200} | values)


@pytest.fixture
def pump() -> Iterator[Pump]:
    made = Pump()
    yield made
    made.close()


@pytest.fixture
def run(pump: Pump, qtbot: QtBot) -> Iterator[Run]:
    made = Run(pump, DESCENT.id)
    yield made
    made.close()


def wait_for(qtbot: QtBot, run: Run, wanted: Any) -> SessionView:
    """The first view for which `wanted` holds."""
    qtbot.waitUntil(lambda: run.view is not None and wanted(run.view), timeout=20_000)
    assert run.view is not None
    return run.view


def opened(qtbot: QtBot, run: Run, **values: Any) -> SessionView:
    with qtbot.waitSignal(run.shown, timeout=20_000):
        run.open(spec(**values))
    assert run.view is not None
    return run.view


def test_a_run_reaches_its_end_and_equals_a_session(qtbot: QtBot, run: Run) -> None:
    opened(qtbot, run)
    run.speed = math.inf
    run.play()
    view = wait_for(qtbot, run, lambda v: v.finish is not None)
    assert view.finish == "done" and view.step == 200
    session = Session(DESCENT, spec())
    session.advance(200)
    for name, row in session.row.items():
        assert row.tobytes() == view.row[name].tobytes()
    qtbot.waitUntil(lambda: not run.running)


def test_step_back_and_seek(qtbot: QtBot, run: Run) -> None:
    opened(qtbot, run)
    run.step(50)
    wait_for(qtbot, run, lambda v: v.step == 50)
    run.back(7)
    view = wait_for(qtbot, run, lambda v: v.step == 43)
    at = view.branch.history.at(43)
    assert at is not None and view.branch.history.values["x"][at].tobytes() == view.row["x"].tobytes()
    for step in (3, 40, 12, 49, 20):  # scrubbing: only the last wish matters
        run.seek(step)
    wait_for(qtbot, run, lambda v: v.step == 20)
    assert view.branch.frontier == 50


def test_while_the_pump_rests_no_steps_are_granted(qtbot: QtBot, run: Run, pump: Pump) -> None:
    opened(qtbot, run, steps=1_000_000)
    frames: list[bool] = []
    run._timer.timeout.connect(lambda: frames.append(run._granted > 0))
    run.speed = math.inf
    run.play()
    wait_for(qtbot, run, lambda v: v.step > 100)
    pump.rest(10**9)
    qtbot.waitUntil(lambda: run._granted == 0, timeout=20_000)  # what was under way comes in
    frames.clear()
    qtbot.waitUntil(lambda: len(frames) > 8, timeout=20_000)
    assert run.running and not any(frames)
    stood = run.view.step if run.view is not None else 0
    pump.wake()
    wait_for(qtbot, run, lambda v: v.step > stood)


def test_what_is_asked_while_the_pump_rests_goes_its_way_afterwards(qtbot: QtBot, run: Run, pump: Pump) -> None:
    pump.rest(10**9)
    run.open(spec())
    came: list[object] = []
    pump.batch.connect(came.append)
    with qtbot.waitSignal(run.working, raising=False, timeout=100):
        pass
    assert run.view is None and not came
    with qtbot.waitSignal(run.shown, timeout=20_000):
        pump.wake()
    assert run.view is not None and not pump.resting


def test_the_rest_ends_by_itself(qtbot: QtBot, run: Run, pump: Pump) -> None:
    pump.rest(20)
    with qtbot.waitSignal(run.shown, timeout=20_000):
        run.open(spec())


def long_opening() -> Open:
    """The beginning of a run that takes seconds, in Python."""
    long = load("regularization.weight_decay")
    return Open(1, {}, long.id, build(long.Spec, {"fits": ("adam_l2", "adamw"), "adam_steps": 100_000}))


def test_what_nobody_waits_for_is_given_up_half_way(qtbot: QtBot, pump: Pump) -> None:
    came: list[Batch] = []
    pump.batch.connect(lambda batch: came.append(batch) if isinstance(batch.command, Open) else None)
    pump.send(long_opening())
    qtbot.waitUntil(lambda: pump._worker.begun == 1, timeout=20_000)
    pump.send(Shut(1))
    pump.send(Open(2, {}, DESCENT.id, spec()))
    qtbot.waitUntil(lambda: bool(came), timeout=20_000)
    assert [batch.run for batch in came] == [2] and came[0].view is not None and not came[0].problem


def test_the_worker_ends_in_the_midst_of_a_long_computation(qtbot: QtBot) -> None:
    pump = Pump()
    pump.send(long_opening())
    qtbot.waitUntil(lambda: pump._worker.begun == 1, timeout=20_000)
    assert pump.close(20_000)


def test_a_live_change_behind_the_frontier_begins_a_branch(qtbot: QtBot, run: Run) -> None:
    opened(qtbot, run)
    run.step(30)
    wait_for(qtbot, run, lambda v: v.step == 30)
    run.seek(10)
    wait_for(qtbot, run, lambda v: v.step == 10)
    run.live("learning_rate", 0.002)
    view = wait_for(qtbot, run, lambda v: len(v.branches) == 2)
    assert view.branch.fork == 10 and view.live.learning_rate == 0.002  # type: ignore[attr-defined]
    run.step(20)
    wait_for(qtbot, run, lambda v: v.step == 30)
    run.switch(0)
    view = wait_for(qtbot, run, lambda v: v.current == 0)
    assert view.step == 30


def test_a_refused_change_is_told_and_changes_nothing(qtbot: QtBot, run: Run) -> None:
    opened(qtbot, run)
    run.step(5)
    wait_for(qtbot, run, lambda v: v.step == 5)
    with qtbot.waitSignal(run.refused, timeout=20_000) as told:
        run.live("surface", "bowl")
    assert "surface" in told.args[0] and told.args[1] == ""
    assert run.view is not None and run.view.step == 5


def test_an_old_run_is_not_heard_again(qtbot: QtBot, run: Run) -> None:
    opened(qtbot, run)
    run.speed = math.inf
    run.play()
    first = run.run
    view = opened(qtbot, run, learning_rate=1e-4)
    assert run.run != first and view.step == 0 and view.spec.learning_rate == 1e-4  # type: ignore[attr-defined]


def test_speed_is_kept(qtbot: QtBot, run: Run) -> None:
    opened(qtbot, run, steps=100_000)
    run.speed = 1.0
    shown: list[int] = []
    run.shown.connect(lambda v, _: shown.append(v.step))
    run.play()
    wait_for(qtbot, run, lambda v: v.step >= 1)
    run.pause()
    assert max(shown, default=0) <= 2


def test_probes_come_with_the_answer(qtbot: QtBot, run: Run) -> None:
    extent = (-1.0, 1.0, -1.0, 1.0)
    run.wanted = {"map": ("field", {"extent": extent, "n": 8}), "inside": ("inside", {"series": "adam"})}
    with qtbot.waitSignal(run.shown, timeout=20_000) as told:
        run.open(spec())
    assert told.args[1]["map"].shape == (8, 8) and told.args[1]["inside"].series == "adam"


def test_the_script_of_a_run_comes_back(qtbot: QtBot, run: Run) -> None:
    opened(qtbot, run)
    run.step(3)
    wait_for(qtbot, run, lambda v: v.step == 3)
    with qtbot.waitSignal(run.scripted, timeout=20_000) as told:
        run.script()
    assert "torch" in told.args[0]


def test_closing_in_the_middle(qtbot: QtBot, pump: Pump) -> None:
    run = Run(pump, DESCENT.id)
    run.open(spec(steps=10**9))
    run.speed = math.inf
    qtbot.waitUntil(lambda: run.view is not None, timeout=20_000)
    run.play()
    wait_for(qtbot, run, lambda v: v.step > 1000)
    run.close()
    pump.close()  # and again by the fixture: closing twice is no error
