"""regularization.early_stopping on screen: the losses once, with everybody's best and stop on them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from pytestqt.qtbot import QtBot

from engine.experiments import load
from engine.session.session import Session
from engine.spec import build
from gui.theme import DARK, LIGHT
from gui.views import view_for

STOPPING: Any = load("regularization.early_stopping")
QUICK = {"epochs": 40, "hidden": (20,), "test_samples": 100, "learning_rate": 0.05, "patient.patience": 20}


def show(view: Any, session: Session) -> None:
    """Show a run as it stands, as a page would."""
    told = session.view()
    answers = {name: session.probe(probe, **dict(asked)) for name, (probe, asked) in view.wanted().items()}
    view.show_run(told, answers, ())
    view.grab()  # lays it out


@pytest.fixture
def view(qtbot: QtBot) -> Iterator[Any]:
    made = view_for(STOPPING, DARK)
    made.resize(900, 700)
    qtbot.addWidget(made)
    yield made
    made.rest()


def test_one_line_for_each_loss_with_marks_and_stops(view: Any) -> None:
    session = Session(STOPPING, build(STOPPING.Spec, QUICK))
    view.set_spec(session.spec)
    show(view, session)
    session.advance(40)
    show(view, session)
    losses = view.curves["train_loss"]
    lines = [key for key in losses.series if not key.startswith("best/")]
    assert len(lines) == 2 and all(losses.series[key].x[-1] == 40 for key in lines)
    stops = {e.step for e in session.branch.endings if e.finish == "stopped"}
    assert stops and {x for x, words in losses.events if words.endswith("stops")} == stops
    for s, name in enumerate(session.series):
        if name != "none":
            mark = losses.series[f"best/{name}"]
            watch = session.state.watches[s]
            assert (mark.x[0], mark.y[0]) == (watch.best_at, watch.best)
    assert list(losses.series)[:2] == lines, "the marks lie on top"
    view.apply_theme(LIGHT)
    view.grab()


def test_another_run_and_a_branch(view: Any) -> None:
    session = Session(STOPPING, build(STOPPING.Spec, QUICK))
    view.set_spec(session.spec)
    session.advance(40)
    show(view, session)
    session.seek(15)
    assert session.set_live("learning_rate", 0.01)
    session.advance(40)
    show(view, session)
    losses = view.curves["train_loss"]
    assert sum(not key.startswith("best/") for key in losses.series) == 4
    other = Session(STOPPING, build(STOPPING.Spec, {**QUICK, "stoppers": ("usual",), "evaluate_every": 3}))
    view.set_spec(other.spec)
    other.advance(5)
    show(view, other)
    assert [key for key in losses.series if key.startswith("best/")] == ["best/usual"]
    assert sum(not key.startswith("best/") for key in losses.series) == 2
