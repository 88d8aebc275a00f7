"""networks.depth on its page: the study's own plots stand large."""

from __future__ import annotations

from typing import Any

import pytest

from engine.experiments import load
from engine.session.session import Session
from engine.spec import build
from gui.theme import DARK, LIGHT
from gui.views import view_for

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support propagateSizeHints")
EXPERIMENT: Any = load("networks.depth")
SMALL = {"depth": 6, "depths": (4, 6), "width": 6, "samples": 40, "steps": 12, "seeds": 2}


def test_another_study_brings_its_plots_to_the_front(qtbot: Any) -> None:
    view: Any = view_for(EXPERIMENT, DARK)
    qtbot.addWidget(view)
    view.resize(900, 700)
    for study, first in (("train", "Training loss"), ("sweep", "Loss over depth"), ("train", "Training loss")):
        session = Session(EXPERIMENT, build(EXPERIMENT.Spec, {**SMALL, "study": study}))
        session.advance(10**6)
        view.set_spec(session.spec)
        answers = {name: session.probe(probe, **dict(asked)) for name, (probe, asked) in view.wanted().items()}
        view.show_run(session.view(), answers, ())
        assert view.panel.plots[0].title == first
        assert not view.grab().isNull()
    assert len(view.pictures["blocks"].picture.blocks) == 5
    assert view.pictures["boundary"].picture.note.startswith("Plain")
    view.apply_theme(LIGHT)
    assert not view.grab().isNull()
    view.rest()
