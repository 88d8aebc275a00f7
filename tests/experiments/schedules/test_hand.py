"""The schedule drawn by hand, in both pages that show it: its knots are moved by mouse and by keys."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QPointF, Qt

from engine.experiments import load
from engine.session.session import Session
from engine.spec import build
from gui.page import Page
from gui.plots.canvas import Canvas
from gui.pump import Pump
from gui.theme import DARK, LIGHT, PRINT
from gui.views import view_for

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support propagateSizeHints")
KNOTS = ((0.0, 0.2), (0.5, 1.0), (1.0, 0.0))
HAND: dict[str, Any] = {"schedules": ("cosine", "drawn"), "drawn.knots": KNOTS, "total_steps": 101, "base_lr": 0.1}
SMALL: dict[str, Any] = {"hidden": (3,), "samples": 20, "test_samples": 10, "batch_size": 10}
MORE: dict[str, dict[str, Any]] = {"schedules.curves": {}, "schedules.training": SMALL}
FIRST = {"schedules.curves": 0, "schedules.training": 1}  # where the first rate stands


def show(view: Any, values: dict[str, Any], steps: int = 0) -> Session:
    """Show a run after some steps, as a page would."""
    experiment = view.experiment
    session = Session(experiment, build(experiment.Spec, {**MORE[experiment.id], **values}))
    session.advance(steps)
    view.set_spec(session.spec)
    answers = {name: session.probe(probe, **dict(asked)) for name, (probe, asked) in view.wanted().items()}
    view.show_run(session.view(), answers, ())
    view.grab()  # lays it out
    return session


@pytest.fixture(params=list(MORE))
def view(request: pytest.FixtureRequest, qtbot: Any) -> Iterator[Any]:
    made = view_for(load(request.param), DARK)
    made.resize(900, 700)
    qtbot.addWidget(made)
    yield made
    made.rest()


def accepted(view: Any, knots: Any) -> Any:
    """The knots as the experiment takes them."""
    spec: Any = build(view.experiment.Spec, {**MORE[view.experiment.id], **HAND, "drawn.knots": knots})
    view.experiment.check(spec)
    return spec


def test_the_knots_hang_on_the_line_that_the_run_follows(view: Any) -> None:
    session = show(view, HAND, 101)
    first, ahead = FIRST[view.experiment.id], view.rate.series["ahead/drawn"]
    history = session.view().branch.history
    measured = history.values["learning_rate"][:, 1]
    steps = history.steps[np.isfinite(measured)]
    assert steps[0] == first and len(steps) == 101
    np.testing.assert_allclose(np.interp(steps, ahead.x, ahead.y), measured[np.isfinite(measured)], atol=2e-4)
    frame = view.rate.canvas.frame()
    for x, y in KNOTS:
        at = view.rate.place((x, y))
        assert frame.x(at.x()) == pytest.approx(first + 100 * x) and frame.y(at.y()) == pytest.approx(0.1 * y, abs=1e-9)


def test_a_knot_is_dragged(view: Any, qtbot: Any) -> None:
    show(view, HAND)
    plot, first = view.rate, FIRST[view.experiment.id]
    with qtbot.waitSignal(view.edited) as told:
        assert plot.grabbed(plot.place(KNOTS[1]))
        plot.dragged(plot.place((0.3, 0.6)))
        line = plot.series["ahead/drawn"]
        assert float(np.interp(first + 30, line.x, line.y)) == pytest.approx(0.06, abs=0.002), "it follows the hand"
        plot.dropped(QPointF(0, 0))
    assert told.args is not None
    key, knots = told.args
    assert key == "drawn.knots" and knots[1] == (pytest.approx(0.3, abs=0.002), pytest.approx(0.6, abs=0.01))
    accepted(view, knots)


def test_without_the_hand_there_is_nothing_to_take(view: Any) -> None:
    show(view, HAND)
    show(view, {"schedules": ("cosine",), "total_steps": 101})
    assert view.rate.knots == () and "ahead/drawn" not in view.rate.series
    assert view.rate.canvas.accessibleDescription() == ""


def test_keys_choose_a_knot_and_move_it(view: Any, qtbot: Any) -> None:
    show(view, HAND)
    canvas: Canvas = view.rate.canvas
    assert canvas.accessibleDescription() == "Page Down chooses a knot, Insert adds one"
    qtbot.keyClick(canvas, Qt.Key.Key_PageDown)
    qtbot.keyClick(canvas, Qt.Key.Key_PageDown)
    at = 50 + FIRST[view.experiment.id]
    assert canvas.accessibleDescription().startswith(f"Knot 2 of 3: step {at}, rate 0.1. ")
    with qtbot.assertNotEmitted(view.sought), qtbot.waitSignal(view.edited) as told:
        qtbot.keyClick(canvas, Qt.Key.Key_Left)
        qtbot.keyClick(canvas, Qt.Key.Key_Down, Qt.KeyboardModifier.ShiftModifier)
        assert view.rate.knots[1] == (0.49, 0.9), "at once on screen"
        line = view.rate.series["ahead/drawn"]
        assert float(np.interp(at - 1, line.x, line.y)) == pytest.approx(0.09, abs=1e-3)
    assert told.args == ["drawn.knots", (KNOTS[0], (0.49, 0.9), KNOTS[2])], "once, when the keys are quiet"
    show(view, {**HAND, "drawn.knots": told.args[1]})
    assert canvas.accessibleDescription().startswith("Knot 2 of 3"), "it stays in hand"


def test_keys_add_and_take_away(view: Any, qtbot: Any) -> None:
    show(view, HAND)
    canvas: Canvas = view.rate.canvas
    with qtbot.waitSignal(view.edited) as told:
        qtbot.keyClick(canvas, Qt.Key.Key_PageUp)
        qtbot.keyClick(canvas, Qt.Key.Key_Insert)
    assert told.args == ["drawn.knots", (*KNOTS[:2], (0.75, 0.5), KNOTS[2])], "half way to its neighbour, on the line"
    show(view, {**HAND, "drawn.knots": told.args[1]})
    assert canvas.accessibleDescription().startswith("Knot 3 of 4"), "the new one is in hand"
    with qtbot.waitSignal(view.edited) as told:
        qtbot.keyClick(canvas, Qt.Key.Key_Delete)
    assert told.args == ["drawn.knots", KNOTS]
    show(view, {**HAND, "drawn.knots": ((0.2, 0.5),)})
    assert view.rate.chosen is None, "there is no such knot"
    qtbot.keyClick(canvas, Qt.Key.Key_PageDown)
    with qtbot.assertNotEmitted(view.edited):
        qtbot.keyClick(canvas, Qt.Key.Key_Delete)  # the last one stays
    with qtbot.waitSignal(view.edited) as told:
        qtbot.keyClick(canvas, Qt.Key.Key_Insert)
    assert told.args == ["drawn.knots", ((0.2, 0.5), (0.6, 0.5))], "where most room is"


def test_the_arrows_scrub_until_a_knot_is_chosen_and_after_it_is_let_go(view: Any, qtbot: Any) -> None:
    show(view, HAND, 40)
    canvas: Canvas = view.rate.canvas
    with qtbot.waitSignal(view.sought):
        qtbot.keyClick(canvas, Qt.Key.Key_Left)
    qtbot.keyClick(canvas, Qt.Key.Key_PageDown)
    with qtbot.assertNotEmitted(view.sought):
        qtbot.keyClick(canvas, Qt.Key.Key_Right)
    qtbot.keyClick(canvas, Qt.Key.Key_Escape)
    with qtbot.waitSignal(view.sought):
        qtbot.keyClick(canvas, Qt.Key.Key_Left)
    with qtbot.waitSignal(view.edited):
        pass  # the knot moved before


@pytest.mark.parametrize("log", [False, True])
def test_no_key_takes_a_knot_out_of_the_picture(view: Any, qtbot: Any, log: bool) -> None:
    show(view, HAND)
    view.rate.set_log(log)
    view.rate.grab()
    canvas: Canvas = view.rate.canvas
    for knot in range(3):
        qtbot.keyClick(canvas, Qt.Key.Key_PageDown)
        for key in (Qt.Key.Key_Up, Qt.Key.Key_Right, Qt.Key.Key_Left, Qt.Key.Key_Down):
            for _ in range(30):
                qtbot.keyClick(canvas, key, Qt.KeyboardModifier.ShiftModifier)
            accepted(view, view.rate.knots)
        assert view.rate.knots[knot][1] == 0.0
        qtbot.keyClick(canvas, Qt.Key.Key_Up)
        assert 0.0 < view.rate.knots[knot][1] < 0.1
    with qtbot.waitSignal(view.edited):
        pass


def test_other_settings_end_what_the_keys_began(view: Any, qtbot: Any) -> None:
    show(view, HAND)
    qtbot.keyClick(view.rate.canvas, Qt.Key.Key_PageDown)
    qtbot.keyClick(view.rate.canvas, Qt.Key.Key_Up)
    show(view, HAND)
    assert view.rate.knots == KNOTS
    with qtbot.assertNotEmitted(view.edited, wait=700):
        pass


def test_the_note_says_what_can_be_done(view: Any) -> None:
    show(view, HAND, 20)
    plot = view.rate
    plot.hovered_at(plot.place(KNOTS[1]))
    assert plot.canvas.bottom.note == "Drag the knot; double-click takes it away"
    plot.hovered_at(plot.place((0.25, 0.6)))
    assert plot.canvas.bottom.note == "Double-click adds a knot"
    plot.hovered_at(None)
    assert plot.canvas.bottom.note == ""


def test_a_live_peak_moves_knots_and_line(view: Any) -> None:
    session = show(view, HAND, 10)
    session.set_live("base_lr", 0.05)
    answers = {name: session.probe(probe, **dict(asked)) for name, (probe, asked) in view.wanted().items()}
    view.show_run(session.view(), answers, ())
    plot = view.rate
    assert plot.canvas.frame().y(plot.place((0.5, 1.0)).y()) == pytest.approx(0.05)
    view.show_run(session.view(), {name: session.probe(probe, **dict(asked))
                                   for name, (probe, asked) in view.wanted().items()}, ())  # fmt: skip
    assert plot.series["ahead/drawn"].y.max() == pytest.approx(0.05)


def test_a_picture_has_the_line_and_no_knots(view: Any, qtbot: Any) -> None:
    show(view, HAND, 30)
    twin = view.rate.clone(PRINT)
    qtbot.addWidget(twin)
    assert twin.knots == () and "ahead/drawn" in twin.series and not twin.grab().isNull()
    view.apply_theme(LIGHT)
    assert not view.grab().isNull()


@pytest.fixture
def page(qtbot: Any) -> Iterator[Any]:
    pump = Pump()
    made = Page(load("schedules.training"), pump, DARK)
    qtbot.addWidget(made)
    yield made
    made.close_run()
    pump.close()


def test_the_transport_keeps_its_arrows_beside_the_plot(page: Any, qtbot: Any) -> None:
    """On a whole page: arrows step the run, unless the plot has the keyboard."""
    page.use_settings({**SMALL, **HAND})
    qtbot.waitUntil(lambda: page.run.view is not None and page.run.view.finish is not None, timeout=20_000)
    with qtbot.waitExposed(page):
        page.show()
        page.activateWindow()
    page.setFocus()  # as the window does
    canvas = page.view.rate.canvas
    qtbot.waitUntil(canvas.isVisible)
    right = page.transport._shortcuts["Right"]
    assert right.isEnabled()
    canvas.setFocus(Qt.FocusReason.TabFocusReason)
    qtbot.waitUntil(canvas.hasFocus)
    assert not right.isEnabled()
    qtbot.keyClick(canvas, Qt.Key.Key_PageDown)
    assert page.view.rate.canvas.bottom.note.startswith("Knot 1 of 3: step 1, rate 0.02. ")
    qtbot.keyClick(canvas, Qt.Key.Key_Up)
    qtbot.waitUntil(lambda: page.spec.drawn.knots[0] == (0.0, 0.22), timeout=20_000)
    page.setFocus()
    qtbot.waitUntil(lambda: not canvas.hasFocus())
    assert right.isEnabled() and page.view.rate.canvas.bottom.note == ""
    qtbot.waitUntil(lambda: not page.run.busy, timeout=20_000)
