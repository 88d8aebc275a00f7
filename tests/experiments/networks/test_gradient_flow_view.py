"""networks.gradient_flow on its page: no decade is cut, a slider is followed, the chapter is laid over."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from engine.experiment import Estimate
from engine.experiments import load
from engine.experiments.networks import gradient_flow
from engine.experiments.networks._gradient_flow import cost
from engine.session.presets import preset_spec
from engine.session.session import Session
from engine.spec import build
from gui.page import Page
from gui.pump import Pump
from gui.theme import DARK, LIGHT
from gui.views import view_for

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support propagateSizeHints")
EXPERIMENT: Any = load("networks.gradient_flow")


def shown(qtbot: Any, session: Any) -> Any:
    """A view of this run with every picture answered."""
    view: Any = view_for(EXPERIMENT, DARK)
    qtbot.addWidget(view)
    view.resize(900, 700)
    follow(view, session)
    return view


def follow(view: Any, session: Any) -> None:
    view.set_spec(session.spec)
    answers = {name: session.probe(probe, **dict(asked)) for name, (probe, asked) in view.wanted().items()}
    view.show_run(session.view(), answers, ())


def finished(**settings: Any) -> Any:
    session = Session(EXPERIMENT, build(EXPERIMENT.Spec, {"depth": 80, "width": 16, "samples": 8, **settings}))
    session.advance(10**6)
    return session


def test_however_far_a_gradient_falls_it_is_in_the_picture(qtbot: Any) -> None:
    session = finished(networks=("network", "plain", "residual", "normalization", "activation"))
    view = shown(qtbot, session)
    plot = view.pictures["gradient"]
    lowest = min(float(line.low.min()) for line in plot.picture.lines)
    assert lowest < 1e-40
    frame = plot.canvas.frame()
    assert 10.0**frame.y0 <= lowest
    twin = plot.clone(LIGHT)
    qtbot.addWidget(twin)
    assert type(twin) is type(plot)


def test_an_edit_leaves_the_old_picture_until_the_new_one_is_there(qtbot: Any) -> None:
    view = shown(qtbot, finished())
    before = view.pictures["gradient"].picture
    view.set_spec(build(EXPERIMENT.Spec, {"depth": 79}))
    assert view.pictures["gradient"].picture is before
    follow(view, finished(depth=30))
    assert len(view.pictures["gradient"].picture.lines[0].x) == 30


def test_the_chapter_is_laid_over_the_gradients(qtbot: Any) -> None:
    session = Session(EXPERIMENT, preset_spec(EXPERIMENT, "chapter"))
    session.advance(10**6)
    view = shown(qtbot, session)
    (drawn,) = EXPERIMENT.drawn(session.spec, session.view())
    view.show_drawn(drawn)
    assert sum(series.overlay for series in view.pictures["gradient"].series.values()) == 3
    view.apply_theme(LIGHT)
    assert not view.grab().isNull()
    view.show_drawn(None)
    assert not any(series.overlay for series in view.pictures["gradient"].series.values())
    view.rest()


def test_no_line_is_hidden_by_a_band(qtbot: Any) -> None:
    session = Session(EXPERIMENT, preset_spec(EXPERIMENT, "hundred"))
    session.advance(400)
    view = shown(qtbot, session)
    plot = view.pictures["gradient"]
    network, plain = (plot.series[f"line/{name}"] for name in ("Your network", "Plain"))
    assert ((plain.low < network.y) & (network.y < plain.high)).mean() > 0.3, "else nothing could hide it"
    image, frame = plot.grab().toImage(), plot.canvas.frame()
    corner = plot.canvas.mapTo(plot, plot.canvas.rect().topLeft())
    colour = network.colour(DARK)
    found = {
        x
        for x in range(image.width())
        for y in range(corner.y(), corner.y() + plot.canvas.height())
        if image.pixelColor(x, y).name() == colour.lower()
    }
    assert len(found) > 0.6 * frame.width


def test_the_first_updates_are_asked_for_once_and_last(qtbot: Any) -> None:
    session = Session(EXPERIMENT, build(EXPERIMENT.Spec, {"depth": 4, "width": 8, "seeds": 3}))
    view: Any = view_for(EXPERIMENT, DARK)
    qtbot.addWidget(view)
    view.resize(900, 700)
    with qtbot.waitExposed(view):
        view.show()
    view.live = True
    view.set_spec(session.spec)
    assert "gradient" in view.wanted() and "training" not in view.wanted()
    view.show_run(session.view(), {}, ())
    assert "training" not in view.wanted()
    session.advance(10**6)
    with qtbot.waitSignal(view.asked):
        view.show_run(session.view(), {}, ())
    assert "training" in view.wanted()
    view.show_run(session.view(), {"training": session.probe("training")}, ())
    assert "training" not in view.wanted()
    qtbot.waitUntil(lambda: view.pictures["training"].picture is not None)
    view.set_spec(session.spec)
    assert "training" not in view.wanted() and view.pictures["training"].picture is not None
    view.rest()


@pytest.fixture
def page(qtbot: Any) -> Iterator[Any]:
    pump = Pump()
    made: Any = Page(EXPERIMENT, pump, DARK)
    qtbot.addWidget(made)
    yield made
    made.close_run()
    pump.close()


def test_of_a_slider_in_hand_only_the_newest_place_is_measured(
    qtbot: Any, page: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The worker is held in the middle of a seed while three more settings come: the first two are never begun."""
    begun: list[int] = []
    held, go = threading.Event(), threading.Event()
    whole = gradient_flow.measured

    def measured(spec: Any, seed: int) -> Any:
        begun.append(spec.depth)
        held.set()
        assert go.wait(20)
        return whole(spec, seed)

    monkeypatch.setattr(gradient_flow, "measured", measured)
    page.use_settings({"depth": 11, "width": 8, "seeds": 4})
    assert held.wait(20)
    for depth in (12, 13, 14):
        page.edit("depth", depth)
    go.set()
    qtbot.waitUntil(lambda: page.run.view is not None and page.run.view.finish is not None, timeout=20_000)
    assert page.run.view.spec.depth == 14
    assert begun == [11] + 4 * [14], "the seed in hand, and then nothing but the newest setting"
    qtbot.waitUntil(lambda: not page.run.busy, timeout=20_000)
    assert len(page.view.pictures["gradient"].picture.lines[0].x) == 14


def test_a_long_measurement_is_told_beforehand(qtbot: Any, page: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cost, "estimate", lambda spec: Estimate(2.0 * spec.seeds, 3 * 2**20))
    page.use_settings({"depth": 4, "width": 8, "seeds": 9})
    qtbot.waitUntil(lambda: not page.notice.isHidden(), timeout=20_000)
    assert page.notice.label.text() == "About 18 s and 3 MiB for 9 seeds; each is drawn as it comes"
    page.use_settings({"depth": 4, "width": 8, "seeds": 5})
    qtbot.waitUntil(page.notice.isHidden, timeout=20_000)
    qtbot.waitUntil(lambda: page.run.view is not None and page.run.view.finish is not None, timeout=20_000)


def test_taking_a_line_back_leaves_others(page: Any) -> None:
    page.view.told.emit("About 18 s")
    page.notice.show_message("not allowed", bad=True)
    page.view.told.emit("")
    assert page.notice.label.text() == "not allowed" and not page.notice.isHidden()
