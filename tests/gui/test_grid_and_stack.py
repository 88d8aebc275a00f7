"""Grids with a window on them, and stacks of maps: everything has its place, and the mouse is told what is there."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QPointF, QRectF

from engine.feature_maps import Grid, Maps, Stack
from gui.plots.grid import GridPlot
from gui.plots.stack import StackPlot
from gui.theme import DARK, LIGHT

PICTURE = Grid(np.pad(np.arange(16.0).reshape(4, 4), 1), 1, ((1, 1), (1, 2), (2, 1), (2, 2)), ("×1", "×−1", "×0", "×2"))
STACK = Stack((
    Maps("One: 8×8", np.random.default_rng(0).random((1, 8, 8))),
    Maps("Two: 16 maps", np.random.default_rng(1).normal(size=(16, 4, 4)), (), "signed"),
    Maps("Three", np.arange(10.0)[:, None, None], tuple("0123456789"), "grey", (9,)),
))  # fmt: skip


def area(plot: Any) -> QRectF:
    found: QRectF = plot.area(QRectF(plot.ground.rect()))
    return found


@pytest.mark.parametrize("size", [(400, 400), (160, 100), (900, 300)])
def test_every_cell_lies_within_and_is_told(qtbot: Any, size: tuple[int, int]) -> None:
    plot = GridPlot("Picture", DARK)
    qtbot.addWidget(plot)
    plot.resize(*size)
    plot.grab()
    plot.show_picture(PICTURE)
    corner, side = plot.cells(area(plot))
    whole = QRectF(corner.x(), corner.y(), 6 * side, 6 * side)
    assert side > 5 and area(plot).adjusted(-1, -1, 1, 1).contains(whole)

    def told(row: int, column: int) -> Any:
        return plot.told(corner + QPointF((column + 0.5) * side, (row + 0.5) * side), area(plot))

    assert told(0, 3)[0] == "padding" and told(0, 3)[1][0].value == "−1, 2"
    rows = {row.label: row.value for row in told(2, 2)[1]}
    assert rows == {"row, column": "1, 1", "value": "5", "weight": "2"}
    assert plot.told(QPointF(1, 1), area(plot)) is None
    before = plot.grab().toImage()
    plot.apply_theme(LIGHT)
    assert plot.grab().toImage() != before


def test_empty_cells_infinities_and_words(qtbot: Any) -> None:
    plot: Any = GridPlot("Output", DARK)
    qtbot.addWidget(plot)
    plot.resize(300, 300)
    values = np.array([[1.5, -2.0], [np.nan, -np.inf]])
    for picture in (
        Grid(values, lit=(1, 0), scale="signed", top=2.0),
        Grid(values, words=(("a", "b"), ("c", "d"))),
        Grid(np.full((2, 2), np.nan)),
        Grid(np.empty((0, 0))),
    ):
        plot.show_picture(picture)
        assert not plot.grab().isNull()
    plot.show_picture(Grid(values))
    corner, side = plot.cells(area(plot))
    assert plot.told(corner + QPointF(0.5 * side, 1.5 * side), area(plot))[1][1].value == "not yet"


@pytest.mark.parametrize("size", [(400, 460), (240, 170), (1100, 600), (160, 100)])
def test_rows_do_not_overlap_and_as_many_pictures_as_fit_are_seen(qtbot: Any, size: tuple[int, int]) -> None:
    plot: Any = StackPlot("Maps", DARK)
    qtbot.addWidget(plot)
    plot.resize(*size)
    plot.grab()
    plot.show_picture(STACK)
    assert not plot.grab().isNull()
    placed, room = plot.placed(area(plot)), area(plot)
    boxes = [box for row in placed for box in row.boxes]
    assert boxes and all(room.adjusted(-1, -1, 1, 2).contains(box) for box in boxes)
    assert not any(a.intersects(b) for i, a in enumerate(boxes) for b in boxes[:i])
    if size[1] > 400:
        assert [len(row.boxes) for row in placed] == [1, 16, 10]
        assert len({box.top() for box in placed[2].boxes}) == 1  # single numbers in one line
        assert plot.told(placed[2].boxes[7].center(), room)[0] == "Three, 7"
        head, rows = plot.told(placed[1].boxes[3].center(), room)
        assert head == "Two, 4 of 16" and rows[0].value == "2, 2"
    assert plot.told(QPointF(room.right() - 1, room.bottom() - 1), room) is None


def test_numbers_that_are_none(qtbot: Any) -> None:
    plot: Any = StackPlot("Maps", DARK)
    qtbot.addWidget(plot)
    plot.resize(300, 300)
    for images in (np.full((3, 2, 2), np.nan), np.array([[[np.inf, 1.0]]]), np.zeros((0, 1, 1)), np.zeros((2, 3, 3))):
        plot.show_picture(Stack((Maps("Row", images, (), "signed"), Maps("Row", images))))
        assert not plot.grab().isNull()
    assert not plot.clone(LIGHT).grab().isNull()
