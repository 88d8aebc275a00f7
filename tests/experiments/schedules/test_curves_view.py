"""schedules.curves on screen: what lies ahead, whose colour is whose, and knots under the mouse."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QPointF
from pytestqt.qtbot import QtBot

from engine.experiments import load
from engine.schedules import SCHEDULES, rates
from engine.session.session import Session
from engine.spec import build
from gui.plots.export import export_picture
from gui.theme import DARK, LIGHT, PRINT
from gui.views import view_for
from gui.views.schedules._ahead import stairs

CURVES: Any = load("schedules.curves")
KNOTS = ((0.0, 0.2), (0.5, 1.0), (1.0, 0.0))


def show(view: Any, values: dict[str, Any], steps: int = 0) -> Session:
    """Show a run after some steps, as a page would."""
    session = Session(CURVES, build(CURVES.Spec, values))
    session.advance(steps)
    told = session.view()
    view.set_spec(told.spec)
    answers = {name: session.probe(probe, **dict(asked)) for name, (probe, asked) in view.wanted().items()}
    view.show_run(told, answers, ())
    view.grab()  # lays it out
    return session


@pytest.fixture
def view(qtbot: QtBot) -> Iterator[Any]:
    made = view_for(CURVES, DARK)
    made.resize(900, 700)
    qtbot.addWidget(made)
    yield made
    made.rest()


HAND = {"schedules": ("drawn", "cosine"), "drawn.knots": KNOTS, "total_steps": 101}


def test_what_lies_ahead_is_there_before_the_first_step(view: Any) -> None:
    show(view, {"schedules": tuple(SCHEDULES), "total_steps": 80})
    ahead = {key: s for key, s in view.rate.series.items() if key.startswith("ahead/")}
    assert set(ahead) == {f"ahead/{name}" for name in SCHEDULES if name != "plateau"}
    for key, line in ahead.items():
        assert line.ghost
        wanted = rates(key.removeprefix("ahead/"), np.arange(80), 80, 0.1)
        last = np.flatnonzero(np.append(np.diff(line.x) > 0, True))  # of two at one place (stairs) the later
        np.testing.assert_array_equal(line.y[last], wanted)
        assert [line.y[line.nearest(float(k))] for k in range(80)] == list(wanted)
    assert "ahead" not in view.wanted(), "asked for once"
    show(view, {"schedules": ("cosine",), "total_steps": 50})
    assert [key for key in view.rate.series if key.startswith("ahead/")] == ["ahead/cosine"]
    assert view.rate.series["ahead/cosine"].x[-1] == 49


def test_a_rate_holds_until_the_step_that_changes_it() -> None:
    x, y = np.arange(8.0), np.array([1.0, 1.0, 1.0, 0.5, 0.5, 0.4, 0.3, 0.2])
    found = stairs(x, y, y - 0.1, None)
    corners = [(2, 1.0), (3, 1.0), (3, 0.5), (4, 0.5), (5, 0.5), (5, 0.4)]
    assert list(zip(found[0], found[1], strict=True))[2:8] == corners
    np.testing.assert_allclose(found[2], found[1] - 0.1)
    assert found[3] is None
    falling = stairs(x, np.cos(x))
    np.testing.assert_array_equal(falling[1], np.cos(x))  # what changes with every step is no stairs


def test_the_rates_of_a_step_schedule_are_drawn_as_stairs(view: Any) -> None:
    show(view, {"schedules": ("step",), "step.step_size": 10, "total_steps": 40}, 39)
    (line,) = (s for s in view.rate.series.values() if not s.ghost)
    for fall in (10, 20, 30):
        at = np.flatnonzero(line.x == fall)
        assert len(at) == 2
        np.testing.assert_allclose(line.y[at[0]] / line.y[at[1]], 10)


def test_each_keeps_its_colour_and_only_some_have_a_momentum(view: Any) -> None:
    show(view, {"schedules": ("cosine", "one_cycle", "plateau")}, 30)
    styles = {s.label: s.style for s in view.rate.series.values() if not s.ghost}
    assert [s.label for s in view.curves["momentum"].series.values()] == ["One-cycle"]
    assert [s.label for s in view.curves["loss"].series.values()] == ["Reduce on plateau"]
    show(view, {"schedules": ("plateau", "one_cycle")}, 30)
    assert all(styles[s.label] == s.style for s in view.rate.series.values() if not s.ghost)


def test_a_live_change_asks_for_what_is_ahead_anew(view: Any) -> None:
    session = show(view, {"schedules": ("cosine",)}, 10)
    session.set_live("base_lr", 0.02)
    view.show_run(session.view(), {}, ())
    assert "ahead" in view.wanted()
    view.show_run(session.view(), {"ahead": session.probe("ahead")}, ())
    assert view.rate.series["ahead/cosine"].y[0] == 0.02


def test_nothing_is_told_twice(view: Any) -> None:
    show(view, {"schedules": ("cosine",), "cosine.T_max": 50, "total_steps": 101}, 60)
    view.rate.set_log(True)
    assert view.rate.hint().startswith("1 value ")
    assert [row.label for row in view.rate.readout(30.0)[1]] == ["Cosine"]
    assert [row.label for row in view.rate.readout(80.0)[1]] == ["Cosine · ahead"] or [
        row.label for row in view.rate.readout(80.0)[1]
    ] == ["Cosine · ahead", "Cosine"]


@pytest.mark.parametrize("log", [False, True])
def test_a_knot_is_dragged_between_its_neighbours(view: Any, qtbot: QtBot, log: bool) -> None:
    show(view, HAND)
    plot = view.rate
    plot.set_log(log)
    plot.grab()
    frame = plot.canvas.frame()
    moved: list[Any] = []
    plot.knotsMoved.connect(moved.append)
    with qtbot.waitSignal(view.edited) as told:
        assert plot.grabbed(plot.place(KNOTS[1]))
        plot.dragged(QPointF(frame.width * 5, plot.place((0.5, 0.4)).y()))  # far beyond the last knot
        plot.dropped(QPointF(0, 0))
    key, knots = told.args
    assert key == "drawn.knots" and knots[0] == KNOTS[0] and knots[2] == KNOTS[2]
    assert 0.99 < knots[1][0] < 1.0 and knots[1][1] == pytest.approx(0.4, abs=0.01)
    assert moved == [knots]
    line = view.rate.series["ahead/drawn"]
    assert float(np.interp(knots[1][0] * 100, line.x, line.y)) == pytest.approx(0.04, abs=0.002)
    build(CURVES.Spec, {**HAND, key: knots})


def test_beside_the_knots_the_mouse_scrubs(view: Any, qtbot: QtBot) -> None:
    show(view, HAND, 100)
    plot = view.rate
    plot.grab()
    with qtbot.waitSignal(view.sought) as told:
        plot.grabbed(QPointF(float(plot.canvas.frame().px(25.0)), 3.0))
        plot.dropped(QPointF(0, 0))
    assert told.args == [25] and plot.knots == KNOTS


def test_a_click_on_a_knot_changes_nothing(view: Any, qtbot: QtBot) -> None:
    show(view, HAND)
    at = view.rate.place(KNOTS[1])
    with qtbot.assertNotEmitted(view.edited), qtbot.assertNotEmitted(view.sought):
        view.rate.grabbed(at)
        view.rate.dropped(at)


def test_double_clicks_add_and_take_away(view: Any, qtbot: QtBot) -> None:
    show(view, HAND)
    plot = view.rate
    with qtbot.waitSignal(view.edited) as told:
        plot._doubled(plot.place((0.25, 0.6)))  # on the straight line from .2 to 1
    added = told.args[1]
    assert len(added) == 4 and added[1] == (pytest.approx(0.25, abs=0.01), pytest.approx(0.6, abs=0.02))
    with qtbot.waitSignal(view.edited) as told:
        plot._doubled(plot.place(KNOTS[1]))
    assert told.args[1] == (KNOTS[0], KNOTS[2])
    with qtbot.assertNotEmitted(view.edited):  # elsewhere a double click shows everything again
        plot.zoomed = True
        plot._doubled(plot.place((0.25, 0.05)))
    assert not plot.zoomed


def test_the_last_knot_stays_and_no_knots_without_the_hand(view: Any, qtbot: QtBot) -> None:
    show(view, {**HAND, "drawn.knots": ((0.5, 0.5),)})
    with qtbot.assertNotEmitted(view.edited):
        view.rate._doubled(view.rate.place((0.5, 0.5)))
    show(view, {"schedules": ("cosine",)})
    assert view.rate.knots == ()


def test_it_is_painted_in_every_theme_and_exported(view: Any, tmp_path: Any) -> None:
    show(view, HAND, 40)
    for theme in (LIGHT, DARK):
        view.apply_theme(theme)
        assert not view.grab().isNull()
    for ending in ("png", "svg"):
        export_picture(view.panel, tmp_path / f"one.{ending}", theme=PRINT)
        assert (tmp_path / f"one.{ending}").stat().st_size > 3000
