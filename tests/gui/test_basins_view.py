"""The basin map on screen: colours, readout, legend, the click, and a page that follows the slider without Play."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QPointF
from PySide6.QtGui import QColor
from pytestqt.qtbot import QtBot

from engine.experiments import load
from engine.picture import HATCHED, PLAIN, Regions
from engine.spec import build
from gui.page import Page
from gui.plots.basinmap import BasinMap, hue_colour
from gui.plots.export import export_picture
from gui.pump import Pump
from gui.theme import DARK, LIGHT, PRINT

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support propagateSizeHints")

PICTURE = Regions(
    np.array([[0, 1, 2], [3, 3, 3]]), (0.0, 3.0, 0.0, 2.0), classes=("left", "middle", "gone", "grey"),
    value_label="steps", note="A note.", strength=np.array([[1.0, 0.0, 1.0], [0.5, 0.5, 0.5]]),
    told=np.arange(6.0).reshape(2, 3), hues=(0, 1, HATCHED, PLAIN), named=(0, 1, 2, 3),
    marks=np.array([[0.5, 0.5], [1.5, 0.5]]),
)  # fmt: skip


@pytest.fixture
def plot(qtbot: QtBot) -> BasinMap:
    made = BasinMap("Map", theme=DARK)
    made.resize(420, 360)
    qtbot.addWidget(made)
    made.show_picture(PICTURE)
    made.grab()
    return made


def pixel(plot: BasinMap, x: float, y: float) -> QColor:
    """The colour on the screen at a point of the plane."""
    frame = plot.canvas.frame()
    at = plot.canvas.viewport().mapTo(plot, plot.canvas.mapFromScene(plot.canvas.view.mapToScene(
        QPointF(float(frame.px(x)), float(frame.py(y))))))  # fmt: skip
    return plot.grab().toImage().pixelColor(at)


@pytest.mark.parametrize("theme", [DARK, LIGHT], ids=["dark", "light"])
def test_each_cell_has_the_colour_of_its_region(plot: BasinMap, theme: Any) -> None:
    plot.apply_theme(theme)
    assert pixel(plot, 0.2, 0.2).name() == hue_colour(0, theme)
    slow, ground = pixel(plot, 1.2, 0.2), QColor(theme.background)
    full = QColor(hue_colour(1, theme))
    assert slow.name() != full.name() and slow.name() != ground.name()
    assert pixel(plot, 0.4, 1.5).name() == pixel(plot, 2.6, 1.6).name() == hue_colour(PLAIN, theme)
    assert len({hue_colour(hue, theme) for hue in (0, 1, PLAIN, HATCHED)}) == 4


def test_the_readout_names_region_and_steps(plot: BasinMap) -> None:
    head, rows = plot.readout(2.5, 0.5)
    assert head.startswith("x 2.5") and [(row.label, row.value) for row in rows] == [("gone", ""), ("steps", "2")]
    assert plot.readout(3.5, 0.5)[1] == []


def test_a_chip_hides_its_region(plot: BasinMap) -> None:
    assert [entry.label for entry in plot.entries()] == ["left", "middle", "gone", "grey"]
    plot.set_hidden("region 0", True)
    assert pixel(plot, 0.2, 0.2).name() == DARK.background
    plot.set_hidden("region 0", False)
    assert pixel(plot, 0.2, 0.2).name() == hue_colour(0, DARK)


def test_pictures_of_it(plot: BasinMap, tmp_path: Any) -> None:
    for name in ("map.png", "map.svg", "map.pdf"):
        export_picture(plot, tmp_path / name, theme=PRINT)
        assert (tmp_path / name).stat().st_size > 1000
    plot.show_picture(None)
    assert plot.readout(0.5, 0.5)[1] == [] and plot.entries() == []
    plot.show_picture(replace(PICTURE, named=()))
    assert plot.entries() == []


# -- the page ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def page(qtbot: QtBot) -> Iterator[Page]:
    pump = Pump()
    made = Page(load("landscapes.basins"), pump, DARK)
    qtbot.addWidget(made)
    made.resize(1100, 700)
    made.show()
    made.begin()
    yield made
    made.close_run()
    pump.close()


def finished(qtbot: QtBot, page: Page, **wanted: Any) -> Any:
    def there() -> bool:
        view = page.run.view
        return (view is not None and not page.run.busy and view.finish == "done"
                and all(getattr(view.spec, key) == value for key, value in wanted.items()))  # fmt: skip

    qtbot.waitUntil(there, timeout=30_000)
    return page.run.view


def test_the_map_is_made_without_play_and_follows_every_edit(qtbot: QtBot, page: Page) -> None:
    finished(qtbot, page)
    assert not page.run.running
    plane: Any = page.view.pictures["basins"]
    first = plane.picture
    shown: list[int] = []
    page.run.shown.connect(lambda view, probes: shown.append(view.step))
    page.edit("learning_rate", 0.0123)
    assert plane.picture is first  # no blank in between
    view = finished(qtbot, page, learning_rate=0.0123)
    assert shown[0] == 0 and shown[-1] == view.steps
    assert plane.picture is not first and plane.picture.values.shape == (200, 200)
    page.edit("optimizer", "adam")
    finished(qtbot, page, optimizer="adam")
    page.go_back()
    finished(qtbot, page, optimizer="momentum")


def test_quick_edits_leave_the_last_one(qtbot: QtBot, page: Page) -> None:
    finished(qtbot, page)
    for rate in np.linspace(0.001, 0.02, 12):
        page.edit("learning_rate", float(rate))
        qtbot.wait(5)
    view = finished(qtbot, page, learning_rate=0.02)
    assert view.row["diverged"][0] > 0.4


def test_back_and_play_go_through_the_tiles(qtbot: QtBot, page: Page) -> None:
    finished(qtbot, page)
    page.run.seek(0)
    qtbot.waitUntil(lambda: page.run.view is not None and page.run.view.step == 0 and not page.run.busy)
    page.run.speed = 1000.0
    page.play()
    finished(qtbot, page)


def test_a_click_hands_the_start_over(qtbot: QtBot, page: Page) -> None:
    finished(qtbot, page)
    plane: Any = page.view.pictures["basins"]
    plane.grab()
    frame = plane.canvas.frame()
    with qtbot.waitSignal(page.handed) as told:
        plane.clicked(QPointF(float(frame.px(1.03)), float(frame.py(-2.02))))
    id, settings = told.args
    assert id == "landscapes.descent" and settings["optimizers"] == ("momentum",)
    assert np.allclose(settings["start"], (1.025, -2.025), atol=1e-6)
    assert build(load(id).Spec, settings) is not None
