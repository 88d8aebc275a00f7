"""The map of runs on screen: cells, readout, the run pointed at, the click that opens it, and the slider."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QColor
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from engine.experiments import load
from engine.session.session import Session
from engine.spec import build
from gui.page import Page
from gui.plots.export import export_picture
from gui.pump import Pump
from gui.theme import DARK, LIGHT, PRINT

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support propagateSizeHints")


@pytest.fixture
def page(qtbot: QtBot) -> Iterator[Page]:
    pump = Pump()
    made = Page(load("landscapes.hyperparameters"), pump, DARK)
    qtbot.addWidget(made)
    made.resize(1100, 700)
    made.show()
    made._restart(build(made.experiment.Spec, {"resolution": 20, "steps": 100}))
    yield made
    made.close_run()
    pump.close()


def finished(qtbot: QtBot, page: Page, **wanted: Any) -> Any:
    def there() -> bool:
        view = page.run.view
        return (view is not None and not page.run.busy and view.finish == "done"
                and all(getattr(view.live, key) == value for key, value in wanted.items()))  # fmt: skip

    qtbot.waitUntil(there, timeout=30_000)
    return page.run.view


def at(plot: Any, row: int, column: int) -> QPointF:
    """The middle of a cell in plot pixels."""
    x0, x1, y0, y1 = plot.picture.extent
    rows, columns = plot.picture.values.shape
    plot.grab()
    frame = plot.canvas.frame()
    x, y = x0 + (x1 - x0) * (column + 0.5) / columns, y0 + (y1 - y0) * (row + 0.5) / rows
    return QPointF(float(frame.px(x)), float(frame.py(y)))


def colour(plot: Any, place: QPointF) -> QColor:
    """The colour on the screen at plot pixels."""
    canvas = plot.canvas
    on_screen = canvas.viewport().mapTo(plot, canvas.mapFromScene(canvas.view.mapToScene(place)))
    return QColor(plot.grab().toImage().pixelColor(on_screen))


def test_cells_axes_and_legend(qtbot: QtBot, page: Page, tmp_path: Any) -> None:
    finished(qtbot, page)
    plot: Any = page.view.pictures["map"]
    labels = [entry.label for entry in plot.entries()]
    theory = [f"theory: {word}" for word in ("fastest", "edge of stability", "oscillates above")]
    assert labels == ["best run", *theory, "diverged"]
    assert plot.canvas.bottom.log and not plot.canvas.left_axis.log
    assert (plot.canvas.bottom.name, plot.canvas.left_axis.name) == ("learning rate", "momentum")
    for theme in (DARK, LIGHT):
        page.change_theme(theme)
        qtbot.waitUntil(page.updatesEnabled)
        slow, fast = colour(plot, at(plot, 1, 1)), colour(plot, at(plot, 13, 15))
        assert slow.name() != fast.name() != theme.background
        plot.set_hidden("region 1", True)
        assert colour(plot, at(plot, 1, 18)).name() == theme.background
        plot.set_hidden("region 1", False)
    head, rows = plot.readout(float(np.log10(0.05)), 0.02)
    assert head.startswith("learning rate 0.05") and rows[0].label == "diverged"
    assert [row.label for row in rows] == ["diverged", "final loss", "factor per step", "theory: factor"]
    for name in ("map.png", "map.svg"):
        export_picture(plot, tmp_path / name, theme=PRINT)
        assert (tmp_path / name).stat().st_size > 1000


def test_pointing_at_a_cell_shows_its_run(qtbot: QtBot, page: Page) -> None:
    finished(qtbot, page)
    plot: Any = page.view.pictures["map"]
    runs: Any = page.view.pictures["runs"]
    session = Session(page.experiment, page.spec)
    session.advance(10**6)
    qtbot.waitUntil(lambda: runs.picture.lines[0].y[-1] == session.row["best_loss"][0])
    best = runs.picture.lines[0]
    plot.hovered_at(at(plot, 4, 6))
    qtbot.waitUntil(lambda: runs.picture.lines[0].y[-1] != best.y[-1])
    assert runs.picture.lines[0].y[-1] == session.probe("runs", cell=(4, 6)).lines[0].y[-1]
    cut: Any = page.view.pictures["cut"]
    qtbot.waitUntil(lambda: cut.picture.note.startswith("At momentum 0.225"))
    assert cut.log_x and cut.canvas.bottom.log


def test_arrow_keys_go_from_cell_to_cell_and_enter_opens(qtbot: QtBot, page: Page) -> None:
    finished(qtbot, page)
    plot: Any = page.view.pictures["map"]
    plot.point((4, 6))
    for key in (Qt.Key.Key_Right, Qt.Key.Key_Up, Qt.Key.Key_Up, Qt.Key.Key_Left, Qt.Key.Key_Down):
        QTest.keyClick(plot.canvas, key)
    assert plot.at == (5, 6)
    with qtbot.waitSignal(page.handed) as told:
        QTest.keyClick(plot.canvas, Qt.Key.Key_Return)
    assert told.args[1]["learning_rate"] == plot.picture.settings[0][1][6]


@pytest.mark.parametrize(("on", "id"), [("surface", "landscapes.descent"), ("network", "networks.playground")])
def test_a_click_opens_that_very_run(qtbot: QtBot, page: Page, on: str, id: str) -> None:
    page._restart(build(page.experiment.Spec, {"resolution": 6, "steps": 40, "on": on}))
    finished(qtbot, page, on=on)
    plot: Any = page.view.pictures["map"]
    with qtbot.waitSignal(page.handed) as told:
        plot.clicked(at(plot, 2, 3))
    assert told.args[0] == id
    other = load(id)
    made = Session(other, build(other.Spec, told.args[1]))
    made.advance(10**6)
    shown = float(dict(plot.picture.readings)["final loss"][2, 3])
    assert float(made.row[other.loss][0]) == shown
    qtbot.waitUntil(lambda: not page.run.busy)
    with qtbot.assertNotEmitted(page.handed, wait=100):
        page.edit("colour", "rate")


def test_the_map_is_made_without_play_and_follows_every_edit(qtbot: QtBot, page: Page) -> None:
    finished(qtbot, page)
    assert not page.run.running
    plot: Any = page.view.pictures["map"]
    first = plot.picture
    page.edit("condition_number", 50.0)
    assert plot.picture is first  # no blank in between
    finished(qtbot, page, condition_number=50.0)
    assert plot.picture is not first
    page.edit("colour", "rate")
    finished(qtbot, page, colour="rate")
    qtbot.waitUntil(lambda: plot.picture.value_label == "factor per step")
    assert page.view.pictures["cut"].y_label == "factor per step"  # type: ignore[attr-defined]
    page.edit("optimizer", "sgd")
    finished(qtbot, page, optimizer="sgd")
    assert "every row is the same" in plot.picture.note
    page.edit("y_field", "condition_number")
    finished(qtbot, page, y_field="condition_number")
    assert plot.canvas.left_axis.log and plot.canvas.left_axis.name == "condition number"
    page.run.seek(0)
    qtbot.waitUntil(lambda: page.run.view is not None and page.run.view.step == 0 and not page.run.busy)
