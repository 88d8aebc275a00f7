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
from gui.plots.surface3d import Surface3D
from gui.tokens import DARK
from gui.views import view_for

X, Y = np.meshgrid(np.linspace(-2, 2, 41), np.linspace(-1, 1, 41))
EXTENT = (-2.0, 2.0, -1.0, 1.0)


def shown(qtbot: QtBot, plot: QWidget) -> None:
    qtbot.addWidget(plot)
    plot.resize(420, 300)
    with qtbot.waitExposed(plot):
        plot.show()
    QApplication.processEvents()


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


def test_the_map_of_another_surface_stays_until_the_new_one_comes(qtbot: QtBot) -> None:
    plot = Field("Bowl", "x", "y", DARK)
    shown(qtbot, plot)
    plot.set_field(X**2 + Y**2, EXTENT)
    old = picture(plot.canvas.viewport())
    kept = plot._picture
    plot.set_home(0.0, 9.0, 0.0, 9.0)
    frame = plot.canvas.frame()
    assert (frame.x0, frame.x1) == (0.0, 9.0)
    picture(plot)
    assert plot._picture is kept  # what is shown is not computed anew
    plot.set_field(X * Y, (0.0, 9.0, 0.0, 9.0))
    assert picture(plot.canvas.viewport()) != old and plot._picture is not kept


def test_with_patience_another_surface_is_made_bit_by_bit(qtbot: QtBot) -> None:
    plot = Surface3D("Bowl", theme=DARK)
    shown(qtbot, plot)
    plot.set_field(X**2 + Y**2, EXTENT)
    old = picture(plot.space)
    plot.set_patient(True)
    plot.set_field(X * Y, EXTENT)
    at = plot.space._picture
    assert picture(plot.space) == old and plot.space._picture is at
    plot.set_path("adam", "Adam", series_style("adam"), [-1.0, 1.0], [0.5, 0.0])  # meanwhile
    qtbot.waitUntil(lambda: not plot.space._slices.isActive() and plot.space._picture is not at)
    made = picture(plot.space)
    plot.set_patient(False)
    plot.space._picture = None
    assert picture(plot.space) == made != old
    plot.set_field(X + Y, EXTENT)
    assert picture(plot.space) != made  # without it: at once


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
