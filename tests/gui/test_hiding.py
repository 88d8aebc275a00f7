"""Switching series off in the legend: in every plot of the page, alone, for good, and in pictures too."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPointF, QSize, Qt
from PySide6.QtGui import QImage, QMouseEvent
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from engine.experiments import load
from engine.picture import Line, Lines, Map, Regions
from engine.session.session import Session
from engine.spec import build
from gui.palette import color, series_style
from gui.pictures import frames
from gui.plots.basinmap import BasinMap
from gui.plots.curves import Curves
from gui.plots.curvestream import ALL_OFF
from gui.plots.decision import DecisionMap
from gui.plots.field import Field
from gui.plots.header import Chip
from gui.plots.hiding import Hiding, Switched, part_of
from gui.plots.lines import LinesPlot
from gui.plots.panel import Panel
from gui.plots.surface3d import Surface3D
from gui.theme import DARK, LIGHT, PRINT
from gui.views import view_for
from gui.views.view import View

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support propagateSizeHints")

X = np.linspace(0, 9, 10)
TITLES = {"adam": "Adam", "sgd": "SGD"}


def labels(plot: Any) -> list[str]:
    return [series.label for series in plot.shown()]


# -- what is switched off ----------------------------------------------------------------------------------------------
def test_what_is_hidden_takes_its_parts_along() -> None:
    hiding = Hiding()
    hiding.begin(TITLES)
    theory = hiding.name_of("adam", "Adam, theory")
    assert theory == part_of("Adam", "Adam, theory")
    assert hiding.name_of("adam", "Adam") == "Adam" and hiding.name_of("adam", "true loss") == "true loss"
    assert hiding.name_of("", "Adam, theory") == "Adam, theory"
    hiding.switch("Adam", False)
    assert hiding.hides(theory) and not hiding.hides("true loss")
    hiding.switch(theory, True)
    assert not hiding.names
    hiding.switch(theory, False)
    assert hiding.hides(theory) and not hiding.hides("Adam")


@pytest.mark.parametrize(
    ("off", "after"),
    [
        (set(), {"b", "c"}),
        ({"a"}, {"b", "c"}),
        ({"b"}, {"b", "c"}),
        ({"b", "c"}, set()),
        ({"b", "c", "elsewhere"}, {"elsewhere"}),
        ({"a", "b", "c"}, {"b", "c"}),
    ],
)
@pytest.mark.parametrize("doubled", [False, True], ids=["with Ctrl", "double click"])
def test_one_alone_and_again_all(off: set[str], after: set[str], doubled: bool) -> None:
    hiding = Hiding()
    for name in sorted(off):
        hiding.switch(name, False)
    if doubled:  # begins with a click
        hiding.switch("a", "a" in off)
    hiding.alone("a", ["a", "b", "c"], doubled=doubled)
    assert hiding.names == after


def test_a_run_that_would_show_nobody_shows_all() -> None:
    hiding = Hiding()
    hiding.begin({**TITLES, "momentum": "Momentum"})
    hiding.alone("Adam", ["Adam", "SGD", "Momentum"])
    hiding.begin(TITLES)
    assert hiding.names == {"SGD", "Momentum"}
    hiding.begin({"sgd": "SGD", "momentum": "Momentum"})
    assert hiding.names == set()


# -- chips -------------------------------------------------------------------------------------------------------------
@pytest.fixture
def curves(qtbot: QtBot) -> Curves:
    made = Curves("Loss", theme=DARK)
    qtbot.addWidget(made)
    for key in ("a", "b", "c"):
        made.set_series(key, key.upper(), series_style(key, ord(key)))
        made.set_data(key, X, X + ord(key))
    made.resize(600, 400)
    made.grab()
    return made


def double(qtbot: QtBot, chip: Chip) -> None:
    """A double click as it comes from a real mouse: press, release, double click, release."""
    qtbot.mouseClick(chip, Qt.MouseButton.LeftButton)
    at = QPointF(chip.rect().center())
    left, none = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    for kind, down in ((QEvent.Type.MouseButtonDblClick, left), (QEvent.Type.MouseButtonRelease, left)):
        event = QMouseEvent(kind, at, chip.mapToGlobal(at), left, down, none)
        QApplication.sendEvent(chip, event)


def control(qtbot: QtBot, chip: Chip) -> None:
    qtbot.mouseClick(chip, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.ControlModifier)


def enter(qtbot: QtBot, chip: Chip) -> None:
    qtbot.keyClick(chip, Qt.Key.Key_Return)


def control_space(qtbot: QtBot, chip: Chip) -> None:
    qtbot.keyClick(chip, Qt.Key.Key_Space, Qt.KeyboardModifier.ControlModifier)


@pytest.mark.parametrize("gesture", [double, control, enter, control_space])
def test_gestures_for_one_alone(qtbot: QtBot, curves: Curves, gesture: Callable[[QtBot, Chip], None]) -> None:
    chip = curves.header.chip("b")
    gesture(qtbot, chip)
    assert labels(curves) == ["B"] and curves.hidden == {"a", "c"}
    assert [curves.header.chip(key).isChecked() for key in "abc"] == [False, True, False]
    gesture(qtbot, chip)
    assert labels(curves) == ["A", "B", "C"] and all(curves.header.chip(key).isChecked() for key in "abc")


def test_space_and_click_switch_one(qtbot: QtBot, curves: Curves) -> None:
    chip = curves.header.chip("b")
    qtbot.keyClick(chip, Qt.Key.Key_Space)
    assert labels(curves) == ["A", "C"]
    qtbot.mouseClick(chip, Qt.MouseButton.LeftButton)
    assert labels(curves) == ["A", "B", "C"]


def test_a_chip_says_what_it_does(curves: Curves) -> None:
    chip = curves.header.chip("b")
    assert chip.accessibleName() == "Show B" and chip.cursor().shape() == Qt.CursorShape.PointingHandCursor
    assert "every plot" in chip.toolTip() and "Ctrl+click: only this one" in chip.toolTip()
    assert "Enter shows it alone" in chip.accessibleDescription()
    assert chip.focusPolicy() & Qt.FocusPolicy.TabFocus


def test_an_emptied_plot_says_why(qtbot: QtBot, curves: Curves, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    monkeypatch.setattr("gui.plots.curvestream.paint_empty", lambda painter, frame, words, theme: told.append(words))
    for key in "abc":
        curves.set_hidden(key, True)
    curves.grab()
    assert set(told) == {ALL_OFF}


# -- every plot of a page ----------------------------------------------------------------------------------------------
Z = np.add.outer(X, X)


def all_kinds() -> list[QWidget]:
    """A plot of every kind that has contestants, each with Adam and SGD."""
    loss, field, relief = Curves("Loss"), Field(theme=DARK), Surface3D(theme=DARK)
    field.set_field(Z, (0, 9, 0, 9))
    relief.set_field(Z, (0, 9, 0, 9))
    for s, (key, title) in enumerate(TITLES.items()):
        style = series_style(key, s)
        loss.set_series(f"/0/{key}", title, style, name=title)
        loss.set_series(f"/1/{key}", f"{title} · main", style, ghost=True, name=title)
        loss.set_lines({f"/{b}/{key}": (X, X + s + b, None, None) for b in (0, 1)})
        field.set_path(f"/0/{key}", title, style, X, X, name=title)
        relief.set_path(f"/0/{key}", title, style, X, X)
    return [loss, field, relief, LinesPlot("Theory"), DecisionMap("Plane"), LinesPlot("True")]


@pytest.fixture
def panel(qtbot: QtBot) -> Iterator[Panel]:
    plots = all_kinds()
    made = Panel(plots[0], plots[1:])
    qtbot.addWidget(made)
    made.hiding.begin(TITLES)
    theory = [Line(f"{t}{more}", X, X, series=k) for k, t in TITLES.items() for more in ("", ", theory")]
    plots[3].show_picture(Lines((*theory, Line("data", X, X))))  # type: ignore[attr-defined]
    plots[4].show_picture(Map(Z, (0, 9, 0, 9), paths=tuple((key, X, X) for key in TITLES)))  # type: ignore[attr-defined]
    plots[5].show_picture(Lines((Line("true loss", X, X, series="adam"),)))  # type: ignore[attr-defined]
    made.resize(900, 700)
    made.grab()
    yield made


def seen(panel: Panel) -> list[list[str]]:
    """The words of everything that each plot shows."""
    return [sorted(name.replace("\x1f", "/") for key, name in plot.named().items() if key not in plot.hidden)
            for plot in panel.plots if isinstance(plot, Switched)]  # fmt: skip


@pytest.mark.parametrize("source", range(5))
def test_a_click_hides_the_contestant_everywhere(panel: Panel, source: int) -> None:
    whole, plot = seen(panel), panel.plots[source]
    assert isinstance(plot, Switched)
    key = next(entry.key for entry in plot.entries() if entry.label == "Adam")
    plot.header.chip(key).click()
    assert seen(panel) == [["SGD", "SGD"], ["SGD"], ["SGD"], ["SGD", "SGD/SGD, theory", "data"], ["SGD"], ["true loss"]]
    chips = [other.header.chip(e.key) for other in panel.plots if isinstance(other, Switched)
             for e in other.entries() if e.label == "Adam"]  # fmt: skip
    assert len(chips) == 5 and not any(chip.isChecked() for chip in chips)
    ink = color(series_style("adam", 0), DARK)
    for other in panel.plots[:5]:
        body = getattr(other, "space", None) or other.canvas  # type: ignore[attr-defined]
        assert not has(body.grab().toImage(), ink), other
    plot.header.chip(key).click()
    assert seen(panel) == whole


def has(image: QImage, colour: str) -> bool:
    rgb = np.frombuffer(image.convertToFormat(QImage.Format.Format_RGB32).constBits(), np.uint32) & 0xFFFFFF
    return bool((rgb == int(colour[1:], 16)).any())


def test_a_part_is_hidden_alone(panel: Panel) -> None:
    theory = panel.plots[3]
    assert isinstance(theory, LinesPlot)
    theory.header.chip("line/Adam, theory").click()
    assert labels(theory) == ["Adam", "SGD", "SGD, theory", "data"]
    assert [plot.hidden for plot in panel.plots if isinstance(plot, Switched)].count(frozenset()) == 5


def test_maps_share_their_regions_with_lines(qtbot: QtBot) -> None:
    regions, lines = BasinMap("Map"), LinesPlot("Arrivals")
    panel = Panel(regions, [lines])
    qtbot.addWidget(panel)
    regions.show_picture(Regions(np.array([[0, 1]]), (0, 2, 0, 1), classes=("left", "right"), hues=(0, 1), named=(0, 1),
                                 strength=np.ones((1, 2)), told=np.ones((1, 2))))  # fmt: skip
    lines.show_picture(Lines((Line("left", X, X), Line("right", X, X))))
    lines.header.chip("line/left").click()
    assert regions.hidden == {"region 0"} and not regions.header.chip("region 0").isChecked()


def test_pictures_of_all_and_of_one_leave_out_what_is_hidden(panel: Panel) -> None:
    plot = panel.plots[1]
    assert isinstance(plot, Field)
    plot.set_hidden("/0/adam", True)
    twin = panel.clone(PRINT)
    before = [[e.label for e in p.entries() if e.key not in p.hidden] for p in twin.plots if isinstance(p, Switched)]
    assert all("Adam" not in words for words in before) and before[0] == ["SGD"]
    panel.hiding.switch("Adam", True)
    assert [list(p.header._chips) for p in twin.plots if isinstance(p, Switched)][1] == ["/0/sgd"]
    alone = plot.clone(PRINT)
    assert alone.hidden == frozenset()
    twin.deleteLater()
    alone.deleteLater()


# -- a real run --------------------------------------------------------------------------------------------------------
SETTINGS = {"optimizers": ("sgd", "adam"), "steps": 20}


@pytest.fixture
def made(qtbot: QtBot) -> tuple[Session, View]:
    experiment = load("landscapes.descent")
    spec = build(experiment.Spec, SETTINGS)
    session, view = Session(experiment, spec), view_for(experiment, DARK)
    qtbot.addWidget(view)
    view.resize(1000, 700)
    show(session, view)
    return session, view


def show(session: Session, view: View) -> None:
    view.set_spec(session.view().spec)
    session.advance(20)
    update(session, view)


def update(session: Session, view: View) -> None:
    probes = {name: session.probe(probe, **asked) for name, (probe, asked) in view.wanted().items()}
    view.show_run(session.view(), probes, ())


def adam_is_seen(view: View) -> set[bool]:
    """Whether any line of Adam's is seen, in each plot."""
    return {any(name == "Adam" and key not in plot.hidden for key, name in plot.named().items())
            for plot in view.plots().values() if isinstance(plot, Switched)}  # fmt: skip


def test_it_survives_a_branch_the_next_run_and_a_theme(made: tuple[Session, View]) -> None:
    session, view = made
    loss = next(iter(view.curves.values()))
    loss.header.chip("/0/adam").click()
    assert adam_is_seen(view) == {False} and labels(loss) == ["SGD"]
    session.seek(10)
    session.fork()
    session.advance(10)
    update(session, view)
    assert adam_is_seen(view) == {False} and not loss.header.chip("/1/adam").isChecked()
    view.apply_theme(LIGHT)
    assert adam_is_seen(view) == {False}
    again = Session(session.experiment, build(session.experiment.Spec, {**SETTINGS, "learning_rate": 0.005}))
    show(again, view)
    assert adam_is_seen(view) == {False} and not loss.header.chip("/0/adam").isChecked()
    loss.header.chip("/0/adam").click()
    assert adam_is_seen(view) == {True}


def test_another_page_knows_nothing_of_it(qtbot: QtBot, made: tuple[Session, View]) -> None:
    view = made[1]
    next(iter(view.curves.values())).header.chip("/0/adam").click()
    other = view_for(load("landscapes.race"), DARK)
    qtbot.addWidget(other)
    assert other.panel.hiding is not view.panel.hiding and not other.panel.hiding.names


def test_frames_of_a_gif_leave_it_out(made: tuple[Session, View]) -> None:
    session, view = made
    ink = color(view.line_style("adam", 1), DARK)

    def drawn() -> bool:
        size, hiding = QSize(500, 400), view.panel.hiding
        found = frames(session.experiment, session.view(), [0, 20], view.answers(), DARK, size, "Map", hiding)
        return has(list(found)[-1].copy(0, 60, 500, 340), ink)

    assert drawn()
    view.map.set_hidden("/0/adam", True)  # type: ignore[attr-defined]
    assert not drawn()
