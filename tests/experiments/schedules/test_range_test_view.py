"""The range test on screen: marks on the curve, words and buttons below it, and the click that trains."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QPointF, QSettings, Qt
from PySide6.QtGui import QColor
from pytestqt.qtbot import QtBot

from engine.experiments import load
from engine.session.session import Session
from engine.spec import build
from gui.pictures import draw
from gui.theme import DARK, LIGHT, PRINT
from gui.views import view_for
from gui.window import MainWindow

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support propagateSizeHints")
RANGE_TEST: Any = load("schedules.range_test")
QUICK: dict[str, Any] = {"steps": 80, "data": "moons", "samples": 60, "hidden": (6,), "batch_size": 8, "max_lr": 1000.0}
KEYS = {"valley", "steepest", "minimum_tenth"}


def shown(qtbot: QtBot, steps: int = 10**6, **settings: Any) -> tuple[Any, Session]:
    """A view of a run that has gone so far."""
    view: Any = view_for(RANGE_TEST, DARK)
    view.resize(900, 800)
    qtbot.addWidget(view)
    session = Session(RANGE_TEST, build(RANGE_TEST.Spec, {**QUICK, **settings}))
    view.set_spec(session.spec)
    session.advance(steps)
    view.show_run(session.view(), answered(view, session), ())
    view.grab()
    return view, session


def answered(view: Any, session: Session) -> dict[str, Any]:
    return {name: session.probe(probe, **dict(asked)) for name, (probe, asked) in view.wanted().items()}


def test_every_suggestion_is_marked_with_name_and_number(qtbot: QtBot) -> None:
    view, session = shown(qtbot)
    rates = {s.key: s.rate for s in session.probe("report").suggestions}
    marks = {mark.key: mark for mark in view.loss.marks}
    assert set(marks) == KEYS | {"limit"}
    for key in KEYS:
        assert marks[key].x == rates[key] and f"{rates[key]:.3g}" in marks[key].words
        assert f"{rates[key]:.3g}" in view.bar.choices[key].text()
    assert "theory" in marks["limit"].words and marks["limit"].x == float(session.row["stability_limit"][0])
    frame = view.loss._frame()
    boxes = [box for _, _, box in view.loss.boxes(frame, DARK)]
    assert len(boxes) == 4 and not any(a.intersects(b) for i, a in enumerate(boxes) for b in boxes[:i])
    assert all(box.left() >= 0 and box.right() <= frame.width for box in boxes)


def test_words_on_the_plot_pick_and_elsewhere_it_scrubs(qtbot: QtBot) -> None:
    view, _ = shown(qtbot)
    place = next(box for mark, _, box in view.loss.boxes(view.loss._frame(), DARK) if mark.key == "steepest")
    assert view.bar.chosen == "valley"
    assert not view.loss.grabbed(place.center())
    assert view.bar.chosen == "steepest" and view.bar.choices["steepest"].isChecked()
    assert [mark.key for mark in view.loss.marks if mark.strong] == ["steepest"]
    limit = next(box for mark, _, box in view.loss.boxes(view.loss._frame(), DARK) if mark.key == "limit")
    assert view.loss.mark_at(limit.center()) == "", "theory cannot be picked"
    with qtbot.waitSignal(view.sought) as told:
        view.loss.grabbed(QPointF(view.loss.canvas.frame().width * 0.5, 200.0))
    assert 0 < told.args[0] <= 80


def test_a_plot_over_a_column_that_has_no_place_yet_scrubs_nowhere(qtbot: QtBot) -> None:
    view, session = shown(qtbot, 0)
    assert not np.isfinite(session.row["tested_rate"]).any()
    with qtbot.assertNotEmitted(view.sought):
        view.loss.grabbed(QPointF(view.loss.canvas.frame().width * 0.5, 200.0))


def test_a_picked_suggestion_tells_why(qtbot: QtBot) -> None:
    view, session = shown(qtbot)
    for one in session.probe("report").suggestions:
        view.bar.choices[one.key].click()
        assert view.bar.why.text() == one.why and f"{one.rate:.3g}" in view.bar.rate.text()
    assert "2/λmax" in view.bar.theory.text()
    assert view.bar.back.text().startswith("✓") and "bytes" in view.bar.back.text()


@pytest.mark.parametrize("three", [False, True])
def test_a_click_hands_the_rate_to_training(qtbot: QtBot, three: bool) -> None:
    view, session = shown(qtbot)
    view.bar.pick("minimum_tenth")
    with qtbot.waitSignal(view.handed) as told:
        view.bar.trains[three].click()
    id, settings = told.args
    spec: Any = build(load(id).Spec, settings)
    rate = next(s.rate for s in session.probe("report").suggestions if s.key == "minimum_tenth")
    assert id == "schedules.training" and spec.schedules == ("one_cycle",)
    assert (spec.base_lr, spec.one_cycle.three_phase) == (rate, three)


def test_before_the_test_there_is_nothing_to_train_with(qtbot: QtBot) -> None:
    view, session = shown(qtbot, 0, warm_steps=30)
    assert not any(button.isEnabled() for button in view.bar.trains.values()) and view.loss.marks == ()
    session.advance(20)
    view.show_run(session.view(), answered(view, session), ())
    assert view.loss.cursor_at is None and view.loss.marks == ()
    session.advance(50)
    view.show_run(session.view(), answered(view, session), ())
    assert view.loss.cursor_at == float(session.row["tested_rate"][0]) and view.bar.picked_rate is not None
    assert view.bar.back.text() == "", "not before it is over"
    view.set_spec(session.spec)
    assert view.loss.marks == () and view.bar.picked_rate is None


def test_a_caveat_is_told(qtbot: QtBot) -> None:
    view, _ = shown(qtbot, max_lr=1e-3)
    assert "hardly fell" in view.bar.caveat.text() and not view.bar.caveat.isHidden()
    good, _ = shown(qtbot, steps=10**6)
    assert good.bar.caveat.isHidden()


def test_linear_growth_has_a_linear_axis(qtbot: QtBot) -> None:
    view, session = shown(qtbot, growth="linear", max_lr=1.0)
    assert not view.loss.log_x and not view.loss.canvas.bottom.log
    assert view.loss.fixed_x == (session.spec.min_lr, 1.0)  # type: ignore[attr-defined]
    view.set_spec(build(RANGE_TEST.Spec, QUICK))
    assert view.loss.log_x and view.loss.canvas.bottom.log


@pytest.mark.parametrize("theme", [DARK, LIGHT], ids=["dark", "light"])
def test_marks_have_their_colours(qtbot: QtBot, theme: Any) -> None:
    from gui.palette import color
    from gui.views.schedules.range_test import STYLES

    view, _ = shown(qtbot)
    view.apply_theme(theme)
    for key in KEYS:
        view.bar.pick(key)  # the one in hand is drawn in full
        picture = view.loss.grab().toImage()
        px = next(px for mark, px, _ in view.loss.boxes(view.loss._frame(), theme) if mark.key == key)
        canvas = view.loss.canvas
        foot = view.loss._frame().height - 4
        at = canvas.viewport().mapTo(
            view.loss, canvas.mapFromScene(canvas.view.mapToScene(QPointF(px, foot)))
        )  # fmt: skip
        near = [picture.pixelColor(at.x() + dx, at.y()) for dx in (-1, 0, 1)]
        wanted = QColor(color(STYLES[key], theme))
        assert min(_apart(one, wanted) for one in near) < 60


def _apart(a: QColor, b: QColor) -> int:
    return abs(a.red() - b.red()) + abs(a.green() - b.green()) + abs(a.blue() - b.blue())


def test_pictures_have_the_marks_too(qtbot: QtBot, tmp_path: Path) -> None:
    view, session = shown(qtbot)
    twin = view.loss.clone(PRINT)
    qtbot.addWidget(twin)
    twin.grab()
    assert twin.marks == view.loss.marks and len(twin.boxes(twin._frame(), PRINT)) == 4
    draw(session, tmp_path / "figure")
    assert (tmp_path / "figure.png").stat().st_size > 10_000 and (tmp_path / "figure.svg").stat().st_size > 10_000
    view.rest()


@pytest.fixture
def window(qtbot: QtBot, tmp_path: Path) -> Iterator[MainWindow]:
    made = MainWindow(QSettings(str(tmp_path / "settings.ini"), QSettings.Format.IniFormat))
    made.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, False)
    qtbot.addWidget(made)
    made.resize(1280, 800)
    made.show()
    qtbot.waitUntil(lambda: made.page is not None and made.page.run.view is not None, timeout=30_000)
    yield made
    made.close()


def test_one_click_starts_the_one_cycle_run(qtbot: QtBot, window: MainWindow) -> None:
    page: Any = window.show_experiment("schedules.range_test")
    page._restart(build(RANGE_TEST.Spec, QUICK))
    qtbot.waitUntil(lambda: page.run.view is not None and not page.run.busy, timeout=30_000)
    page.run.step(200)
    qtbot.waitUntil(lambda: page.run.view.finish == "stopped" and page.view.bar.picked_rate is not None, timeout=30_000)
    rate = page.view.bar.picked_rate
    qtbot.mouseClick(page.view.bar.trains[True], Qt.MouseButton.LeftButton)
    training: Any = window.page
    assert training is not page and training.experiment.id == "schedules.training"
    assert training.spec.base_lr == rate and training.spec.one_cycle.three_phase and training.spec.data == "moons"
    qtbot.waitUntil(lambda: training.run.view is not None and training.run.view.step > 0, timeout=30_000)
    training.run.pause()
    assert training.run.view.series == ("one_cycle",)
