"""What keeps the window's turns short: changes in one go, pictures that wait for theirs, plots drawn one by one."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

import gui.views.view as views
from engine.experiments import everything
from engine.session.session import Session
from engine.spec import build
from gui.palette import series_style
from gui.plots.curves import Curves
from gui.plots.field import Field
from gui.plots.slices import Slices
from gui.plots.surface3d import Surface3D
from gui.tokens import DARK, LIGHT
from gui.views import view_for

X, Y = np.meshgrid(np.linspace(-2, 2, 41), np.linspace(-1, 1, 41))
EXTENT = (-2.0, 2.0, -1.0, 1.0)


def shown(qtbot: QtBot, plot: QWidget) -> None:
    qtbot.addWidget(plot)
    plot.resize(420, 300)
    with qtbot.waitExposed(plot):
        plot.show()
    QApplication.processEvents()
    if focused := plot.focusWidget():
        focused.clearFocus()  # its frame is painted too


def picture(plot: QWidget) -> QImage:
    return plot.grab().toImage()


@pytest.fixture
def curves(qtbot: QtBot) -> Iterator[Curves]:
    plot = Curves("Loss", "step", "loss", False, DARK)
    shown(qtbot, plot)
    yield plot


def test_of_several_changes_the_legend_is_made_once(curves: Curves, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[list[str]] = []
    real = curves.header.set_entries
    monkeypatch.setattr(curves.header, "set_entries", lambda *all: (made.append([e.label for e in all[0]]), real(*all)))
    with curves.at_once():
        for name in ("sgd", "adam", "lion"):
            curves.set_series(name, name, series_style(name))
            with curves.at_once():  # one within another ends nothing
                curves.set_data(name, np.arange(5.0), np.full(5, 7.0))
        curves.remove("lion")
        assert not made
    assert made == [["sgd", "adam"]] and curves.canvas.shown_range()[2] > 1  # and the range follows
    with pytest.raises(KeyError), curves.at_once():
        curves.remove("adam")
        curves.set_data("nobody", (), ())
    assert made[1:] == [["sgd"]]  # what was done before is shown


def test_lines_stand_in_the_order_asked_for_and_others_behind(curves: Curves) -> None:
    for name in ("own", "sgd", "adam", "lion"):
        curves.set_series(name, name, series_style(name))
    curves.put_in_order(["lion", "adam", "sgd"])
    assert list(curves.series) == ["lion", "adam", "sgd", "own"] == [e.key for e in curves.entries()]
    assert list(curves.header._chips) == list(curves.series)
    with pytest.raises(KeyError):
        curves.put_in_order(["nobody"])


def test_contestants_of_a_new_run_stand_in_their_order_though_some_were_there_before(qtbot: QtBot) -> None:
    experiment = next(e for e in everything() if e.id == "schedules.curves")
    view = view_for(experiment, DARK)
    qtbot.addWidget(view)
    for names in (("step", "cosine"), ("constant", "step", "exponential", "cosine")):
        session = Session(experiment, build(experiment.Spec, {"schedules": names}))
        session.advance(3)
        view.set_spec(session.spec)
        view.show_run(session.view(), {}, ())
        rates = view.curves["learning_rate"]
        assert [e.label for e in rates.entries()][: len(names)] == [view.label(name) for name in session.series]
    view.rest()


def test_a_legend_that_grows_moves_the_plot_at_once(curves: Curves) -> None:
    """Else the plot is painted where it was, and again when it has moved."""
    for i in range(12):
        curves.set_series(str(i), f"a rather long name {i}", series_style("", i))
        assert curves.canvas.geometry().top() >= curves.header.height() > 0


@pytest.fixture
def field(qtbot: QtBot) -> Iterator[Field]:
    plot = Field("Bowl", "x", "y", DARK)
    shown(qtbot, plot)
    plot.set_field(X**2 + Y**2, EXTENT)
    qtbot.waitUntil(lambda: not plot.ground.busy and plot.ground._shown is not None)
    yield plot


@pytest.fixture
def surface(qtbot: QtBot) -> Iterator[Surface3D]:
    plot = Surface3D("Bowl", theme=DARK)
    shown(qtbot, plot)
    plot.set_field(X**2 + Y**2, EXTENT)
    qtbot.waitUntil(lambda: not plot.space.busy and plot.space._picture is not None)
    yield plot


def test_the_map_of_another_surface_stays_until_the_new_one_comes(field: Field, qtbot: QtBot) -> None:
    old = picture(field.canvas.viewport())
    kept = field.ground._shown
    field.set_home(0.0, 9.0, 0.0, 9.0)
    frame = field.canvas.frame()
    assert (frame.x0, frame.x1) == (0.0, 9.0)
    picture(field)
    QApplication.processEvents()
    assert field.ground._shown is kept and not field.ground.busy  # what is shown is not computed anew
    field.set_field(X * Y, (0.0, 9.0, 0.0, 9.0))
    picture(field)
    assert field.ground._shown is kept and field.ground.busy
    qtbot.waitUntil(lambda: not field.ground.busy)
    assert picture(field.canvas.viewport()) != old and field.ground._shown is not kept


@pytest.mark.parametrize("change", ["size", "range", "theme", "field"])
def test_the_ground_is_made_bit_by_bit_and_as_it_would_be_at_once(field: Field, qtbot: QtBot, change: str) -> None:
    old = picture(field.canvas)
    field.set_path("adam", "Adam", series_style("adam"), [-1.0, 1.0], [0.5, 0.0])
    match change:
        case "size":
            field.resize(500, 360)
        case "range":
            field.canvas.set_range(-1.5, 3.0, -0.5, 0.25)
        case "theme":
            field.apply_theme(LIGHT)
        case "field":
            field.set_field(X * Y, EXTENT)
    kept = field.ground._shown
    stale = picture(field.canvas)
    assert field.ground.busy and field.ground._shown is kept
    qtbot.waitUntil(lambda: not field.ground.busy)
    made = picture(field.canvas)
    assert made != stale and made != old
    field.ground._shown = None
    field.hide()  # not on screen: at once
    assert picture(field.canvas) == made


def test_a_map_of_another_range_is_shown_where_it_belongs(field: Field, qtbot: QtBot) -> None:
    """Zoomed to the lower left quarter the ground is at once about what it will be; elsewhere there is none of it."""

    def ground() -> tuple[QImage, int, int]:
        view = field.canvas.view.sceneBoundingRect().toRect()
        image = picture(field.canvas.viewport())
        return image, view.left() + view.width() // 4, view.top() + view.height() // 2

    field.canvas.set_range(-2.0, 0.0, -1.0, 0.0)
    early, x, y = ground()
    assert field.ground.busy
    qtbot.waitUntil(lambda: not field.ground.busy)
    late = ground()[0]
    for channel in ("red", "green", "blue"):
        assert abs(getattr(early.pixelColor(x, y), channel)() - getattr(late.pixelColor(x, y), channel)()) < 12
    field.canvas.set_range(5.0, 6.0, 5.0, 6.0)
    image, x, y = ground()
    assert image.pixelColor(x, y).name() == DARK.background


def test_another_surface_is_made_bit_by_bit(surface: Surface3D, qtbot: QtBot) -> None:
    old = picture(surface.space)
    surface.set_patient(True)
    surface.set_field(X * Y, EXTENT)
    at = surface.space._picture
    assert picture(surface.space) == old and surface.space._picture is at
    surface.set_path("adam", "Adam", series_style("adam"), [-1.0, 1.0], [0.5, 0.0])  # meanwhile
    qtbot.waitUntil(lambda: not surface.space.busy and surface.space._picture is not at)
    made = picture(surface.space)
    surface.set_patient(False)
    surface.hide()
    surface.space._picture = None
    assert picture(surface.space) == made != old
    surface.set_field(X + Y, EXTENT)
    assert picture(surface.space) != made  # not on screen: at once


@pytest.mark.parametrize("change", ["size", "theme", "path"])
def test_a_surface_is_made_anew_bit_by_bit(surface: Surface3D, qtbot: QtBot, change: str) -> None:
    match change:
        case "size":
            surface.resize(500, 360)
        case "theme":
            surface.apply_theme(LIGHT)
        case "path":
            surface.set_path("adam", "Adam", series_style("adam"), [-1.0, 1.0], [0.5, 0.0])
    at = surface.space._picture
    stale = picture(surface.space)
    assert surface.space.busy and surface.space._picture is at
    qtbot.waitUntil(lambda: not surface.space.busy)
    made = picture(surface.space)
    surface.space._picture = None
    surface.hide()
    assert picture(surface.space) == made != stale


def test_a_surface_that_is_turned_follows_at_once(surface: Surface3D) -> None:
    surface.space.resize(500, 360)
    surface.space.turn(20.0, 5.0)
    turned = picture(surface.space)
    assert not surface.space.busy
    surface.hide()
    surface.space._picture = None
    assert picture(surface.space) == turned


def test_slices_that_fail_are_told_once(qtbot: QtBot) -> None:
    begun = []

    def fail() -> Iterator[None]:
        begun.append(1)
        yield
        raise ValueError("no picture")

    slices = Slices(fail, lambda: True, QApplication.instance())
    with qtbot.captureExceptions() as told:
        slices.ask()
        qtbot.waitUntil(lambda: not slices.busy)
    assert len(begun) == len(told) == 1
    slices.deleteLater()


def test_what_takes_long_is_drawn_in_the_next_turns(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    experiment = next(e for e in everything() if e.id == "networks.playground")
    session = Session(experiment, experiment.Spec())
    session.advance(3)
    view = view_for(experiment, DARK)
    qtbot.addWidget(view)
    drawn: list[str] = []
    real = view._show_curves
    monkeypatch.setattr(view, "_show_curves", lambda name, *rest: (drawn.append(name), real(name, *rest)))
    monkeypatch.setattr(views, "AT_ONCE", -1.0)  # as if each took long
    view.set_spec(session.spec)
    view.show_run(session.view(), {}, ())
    assert drawn == list(view.curves)  # a picture shows all at once
    drawn.clear()
    view.live = True
    view._came = 0.0  # and not because views follow each other
    view.show_run(session.view(), {}, ())
    assert not drawn
    qtbot.waitUntil(lambda: drawn == list(view.curves) and not view._turns.isActive())
    assert not view.answers()  # nothing measured is no answer
    picture = session.probe("network", **view.asks("network"))
    view._came = 0.0
    view.show_run(session.view(), {"network": picture}, ())
    assert view.answers() == {"network": picture}, "what waits for its turn is there for a picture elsewhere"
    view.rest()
