"""networks.normalization on its page: the study's plots stand large, and torch is not waited for."""

from __future__ import annotations

from typing import Any

import pytest

from engine.experiments import load
from engine.session.session import Session
from engine.spec import build
from gui.theme import DARK, LIGHT
from gui.views import view_for

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support propagateSizeHints")
EXPERIMENT: Any = load("networks.normalization")
SMALL = {"samples": 48, "maps": 4, "seeds": 1, "sizes": (12, 48), "epochs": 1}


def answers(view: Any, session: Any) -> Any:
    return {name: session.probe(probe, **dict(asked)) for name, (probe, asked) in view.wanted().items()}


def test_another_study_brings_its_plots_and_its_pace(qtbot: Any) -> None:
    view: Any = view_for(EXPERIMENT, DARK)
    qtbot.addWidget(view)
    view.resize(900, 700)
    paces: list[float] = []
    view.paced.connect(paces.append)
    for study, first in (
        ("tensor", "Which numbers share a mean"), ("train", "Training loss"), ("sweep", "Loss over batch size"),
        ("tensor", "Which numbers share a mean"),
    ):  # fmt: skip
        session = Session(EXPERIMENT, build(EXPERIMENT.Spec, {**SMALL, "study": study}))
        session.advance(10**6)
        view.set_spec(session.spec)
        view.show_run(session.view(), answers(view, session), ())
        assert view.panel.plots[0].title == first and not view.grab().isNull()
    assert paces == [60.0, float("inf"), 4.0]
    view.apply_theme(LIGHT)
    assert not view.grab().isNull()
    view.rest()


def test_torch_comes_second(qtbot: Any) -> None:
    view: Any = view_for(EXPERIMENT, DARK)
    qtbot.addWidget(view)
    view.resize(900, 700)
    with qtbot.waitExposed(view):
        view.show()
    view.live = True
    session = Session(EXPERIMENT, build(EXPERIMENT.Spec, {}))
    view.set_spec(session.spec)
    first = answers(view, session)
    assert "cube" in first and "torch" not in first
    with qtbot.waitSignal(view.asked):
        view.show_run(session.view(), first, ())
    assert "torch" in view.wanted()
    view.rest()
