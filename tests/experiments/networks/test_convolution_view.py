"""networks.convolution on its page: the study's plots stand in front, clicks are settings, a drawing is answered."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QPoint

from engine.experiments import load
from engine.session.session import Session
from engine.spec import build
from gui.page import Page
from gui.plots.drawing import SketchPlot
from gui.pump import Pump
from gui.theme import DARK, LIGHT
from gui.views import view_for

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support propagateSizeHints")
EXPERIMENT: Any = load("networks.convolution")
SMALL = {"samples": 64, "test_samples": 20, "steps": 20, "layers": "conv 3x3 3 stride 2; relu; flatten; dense 10"}
DRAWN = tuple(range(16)) * 4


def answers(view: Any, session: Any) -> Any:
    return {name: session.probe(probe, **dict(asked)) for name, (probe, asked) in view.wanted().items()}


def shown(view: Any, **settings: Any) -> Any:
    session = Session(EXPERIMENT, build(EXPERIMENT.Spec, {**SMALL, **settings}))
    session.advance(10**6)
    view.set_spec(session.spec)
    view.show_run(session.view(), answers(view, session), ())
    return session


def test_another_study_brings_its_plots_and_its_pace(qtbot: Any) -> None:
    view: Any = view_for(EXPERIMENT, DARK)
    qtbot.addWidget(view)
    view.resize(900, 700)
    paces: list[float] = []
    view.paced.connect(paces.append)
    for study, first, second in (
        ("by_hand", "Picture and window", "Output"), ("training", "Feature maps, layer by layer", "Draw a digit"),
        ("by_hand", "Picture and window", "Output"),
    ):  # fmt: skip
        shown(view, study=study)
        assert [plot.title for plot in view.panel.plots[:2]] == [first, second] and not view.grab().isNull()
    assert paces == [120.0, 6.0]
    view.apply_theme(LIGHT)
    assert not view.grab().isNull()
    view.rest()


def test_clicks_are_settings(qtbot: Any) -> None:
    view: Any = view_for(EXPERIMENT, DARK)
    qtbot.addWidget(view)
    told: list[Any] = []
    view.together.connect(told.append)
    shown(view, study="by_hand", operation="max")
    view.gallery.picked.emit(1)
    session = shown(view, study="training")
    places = session.probe("wrong").places
    assert places  # twenty steps are few
    view.wrong.picked.emit(len(places) - 1)
    view.wrong.picked.emit(99)
    view.sketch.drawn.emit(DRAWN)
    view.sketch.drawn.emit(())
    assert told[0] == {"operation": "convolution", "kernel": "edges"}
    assert told[1:] == [{"digit": places[-1]}, {"picture": "drawn", "drawing": DRAWN}, {"picture": "drawn"}]
    view.rest()


def test_while_the_pen_moves_the_drawing_goes_before_the_settings(qtbot: Any) -> None:
    view: Any = view_for(EXPERIMENT, DARK)
    qtbot.addWidget(view)
    session = shown(view, study="training")
    with qtbot.waitSignal(view.asked):
        view.sketch.changed.emit(DRAWN)
    found = answers(view, session)
    np.testing.assert_array_equal(found["sketch"].values.ravel(), DRAWN)
    np.testing.assert_array_equal(found["maps"].rows[0].images.ravel() * 16, DRAWN)
    view.sketch.drawn.emit(DRAWN)
    assert "drawing" not in view.wanted()["sketch"][1]
    view.rest()


@pytest.mark.parametrize("study", ["by_hand", "training"])
def test_a_drawing_on_a_page(qtbot: Any, study: str) -> None:
    """By hand it begins the run anew; in training it is looked at and the run goes on where it stands."""
    pump = Pump()
    page: Any = Page(EXPERIMENT, pump, DARK)
    qtbot.addWidget(page)
    page.resize(1200, 800)
    try:
        with qtbot.waitExposed(page):
            page.show()
        page.begin()
        qtbot.waitUntil(lambda: page.run.view is not None and not page.run.busy, timeout=20_000)
        page.use_settings({**SMALL, "study": study})
        page.play_when_ready = False
        qtbot.waitUntil(lambda: page.run.view.spec.study == study and not page.run.busy, timeout=20_000)
        page.run.step(10)
        qtbot.waitUntil(lambda: page.run.view.step == 10 and not page.run.busy, timeout=20_000)
        page.run.seek(6)
        qtbot.waitUntil(lambda: page.run.view.step == 6 and not page.run.busy, timeout=20_000)
        sketch = page.view.sketch
        assert isinstance(sketch, SketchPlot)
        sketch._strokes = [[(2.0, 1.0), (5.0, 1.0), (3.0, 7.0)]]
        sketch._lift()
        values = sketch.values
        qtbot.waitUntil(lambda: page.run.view.live.drawing == values and not page.run.busy, timeout=20_000)
        view = page.run.view
        assert view.live.picture == "drawn" and view.spec.drawing == values and sum(values) > 50
        assert view.step == (0 if study == "by_hand" else 6) and len(view.branches) == 1 and not view.branch.events
        assert page.form.spec.picture == "drawn" and page.form.spec.drawing == values
        assert page.document().spec.drawing == values and page.undo.undoes
        qtbot.waitUntil(lambda: sketch.picture is not None and sketch.picture.drawn, timeout=20_000)
        assert sketch._strokes and not page.view.grab(page.view.rect().translated(QPoint())).isNull()
    finally:
        page.close_run()
        pump.close()
