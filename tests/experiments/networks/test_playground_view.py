"""The playground on screen: the network is edited by clicking on it, and pictures stand where they are of use."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pytestqt.qtbot import QtBot

from engine.experiments import load
from engine.session.session import Session
from engine.spec import build
from gui.plots.export import export_picture
from gui.theme import DARK, LIGHT, PRINT
from gui.views import view_for

PLAYGROUND: Any = load("networks.playground")


def show(view: Any, steps: int = 0, **values: Any) -> Session:
    """Show a run after some steps, as a page would."""
    session = Session(PLAYGROUND, build(PLAYGROUND.Spec, values))
    session.advance(steps)
    view.set_spec(session.spec)
    again(view, session)
    return session


def again(view: Any, session: Session) -> None:
    answers = {name: session.probe(probe, **dict(asked)) for name, (probe, asked) in view.wanted().items()}
    view.show_run(session.view(), answers, ())
    view.grab()  # lays it out


@pytest.fixture
def view(qtbot: QtBot) -> Iterator[Any]:
    made = view_for(PLAYGROUND, DARK)
    made.resize(900, 700)
    qtbot.addWidget(made)
    yield made
    made.rest()


@pytest.mark.parametrize(
    "settings",
    [
        {"data": "spiral"}, {"data": "rings"}, {"data": "function"}, {"data": "regression_gauss"}, {"hidden": ()},
        {"data": "digits", "hidden": (20,)}, {"hidden": (8,) * 8, "activation": "relu"}, {"samples": 1},
        {"data": "regression_plane", "activation": "relu", "optimizer": "sgd", "learning_rate": 100.0},
    ],
)  # fmt: skip
def test_the_page_draws(view: Any, settings: dict[str, Any]) -> None:
    for steps in (0, 30):
        show(view, steps, **settings)
    for theme in (LIGHT, DARK):
        view.apply_theme(theme)
        assert not view.grab().isNull()


def test_every_declared_plot_is_drawn_and_exported(view: Any, tmp_path: Path) -> None:
    show(view, 40, data="moons", hidden=(6, 4), activation="relu")
    for title, plot in view.plots().items():
        assert not plot.grab().isNull(), title
    for ending in ("png", "svg"):
        export_picture(view.panel, tmp_path / f"one.{ending}", theme=PRINT)
        assert (tmp_path / f"one.{ending}").stat().st_size > 3000


@pytest.mark.parametrize(
    ("hidden", "ask", "at", "delta", "wanted"),
    [
        ((8, 4), "unitsAsked", 2, 1, (8, 5)), ((8, 4), "unitsAsked", 1, -1, (7, 4)), ((1,), "unitsAsked", 1, -1, None),
        ((256,), "unitsAsked", 1, 1, None), ((8, 4), "layersAsked", 1, 1, (8, 8, 4)),
        ((8, 4), "layersAsked", 3, 1, (8, 4, 4)), ((8, 4), "layersAsked", 2, 1, (8, 8, 4)),
        ((8, 4), "layersAsked", 1, -1, (4,)), ((3,), "layersAsked", 1, -1, ()), ((2,) * 8, "layersAsked", 9, 1, None),
        ((8,), "unitsAsked", 0, 1, None), ((8,), "layersAsked", 5, -1, None),
    ],
)  # fmt: skip
def test_the_network_is_edited_where_it_is_drawn(
    view: Any, hidden: tuple[int, ...], ask: str, at: int, delta: int, wanted: tuple[int, ...] | None
) -> None:
    show(view, data="circle", hidden=hidden)
    told: list[tuple[str, Any]] = []
    view.edited.connect(lambda key, value: told.append((key, value)))
    getattr(view.diagram, ask).emit(at, delta)
    assert told == ([] if wanted is None else [("hidden", wanted)])
    if wanted is not None:
        build(PLAYGROUND.Spec, {"hidden": wanted})


def test_without_a_hidden_layer_the_picture_still_offers_one(view: Any, qtbot: QtBot) -> None:
    show(view, data="circle", hidden=())
    assert not view.diagram.more_layers.isHidden()
    with qtbot.waitSignal(view.edited) as told:
        view.diagram.more_layers.click()
    assert told.args == ["hidden", (4,)]
    show(view, data="circle", hidden=(3,))
    told_again: list[Any] = []
    view.edited.connect(lambda key, value: told_again.append(value))
    view.diagram.more_layers.click()
    assert told_again == [(3, 3)], "asked once, not twice"


def test_a_unit_that_is_picked_fills_the_map(view: Any, qtbot: QtBot) -> None:
    session = show(view, 20, data="circle", hidden=(5, 3))
    with qtbot.waitSignal(view.asked):
        view.diagram.nodePicked.emit(1, 2)
    assert view.wanted()["boundary"] == ("boundary", {"unit": (1, 2)})
    again(view, session)
    assert "Hidden 1, unit 3" in view.plane.picture.note
    view.diagram.nodePicked.emit(1, 2)
    assert view.wanted()["boundary"] == ("boundary", {})
    view.diagram.nodePicked.emit(2, 0)
    view.diagram.nodePicked.emit(3, 0)  # the only output is the network's own answer
    assert view.wanted()["boundary"] == ("boundary", {})
    view.diagram.nodePicked.emit(2, 0)
    show(view, data="circle", hidden=(5,))
    assert view.wanted()["boundary"] == ("boundary", {}), "another network has other units"


def test_plots_stand_where_they_are_of_use(view: Any) -> None:
    large = view.panel.plots[: view.panel.large]
    assert view.plane in large
    show(view, data="function")
    assert view.pictures["fit"] in view.panel.plots[:2] and view.plane not in view.panel.plots[:2]
    assert not view.panel.shows(view.curves["train_accuracy"])
    show(view, data="digits", hidden=(4,))
    assert view.plane in view.panel.plots[:2] and view.panel.shows(view.curves["train_accuracy"])
    assert (view.plane.x_label, view.plane.y_label) == ("component 1", "component 2")
    show(view, data="moons")
    assert (view.plane.x_label, view.plane.y_label) == ("x1", "x2")


def test_the_inside_says_what_was_done_to_the_data(view: Any, tmp_path: Path) -> None:
    path = tmp_path / "own.csv"
    path.write_text("size;price\n" + "".join(f"{i},5;{i * i}\n" for i in range(30)), encoding="utf-8")
    session = show(view, data="csv", csv=str(path), hidden=(4,))
    note = session.probe("inside").note
    assert "semicolon" in note and "decimal comma" in note and "Predicts price from size" in note
    assert (view.plane.x_label, view.plane.y_label) == ("size", "price")
    assert "inside" in view.wanted()
