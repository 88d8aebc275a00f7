"""Blocks of networks as they are drawn: every part in its place, in every size, theme and picture."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QPointF, QRectF, QSize
from PySide6.QtGui import QColor

from engine.drawings import Block, Blocks, Box
from gui.plots.blocks import BlocksPlot
from gui.plots.export import export_picture
from gui.plots.pictures import plot_for
from gui.tokens import DARK, LIGHT, PRINT

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support propagateSizeHints")
PLAIN = Block("Plain", (Box("x", "end"), Box("weights", "weights"), Box("ReLU", "bend")), told="first; second")
AROUND = Block("Around", (Box("x", "end"), Box("weights", "weights"), Box("+", "join")), ((0, 2, "x"),))
WIDE = Block("Wide", (Box("x", "end"), Box("3 × 3", "weights", 4), Box("all", "end")), ((0, 2, ""), (1, 2, "")), False)
THREE = Blocks((PLAIN, AROUND, WIDE), "a note")


def shown(qtbot: Any, picture: Any, size: tuple[int, int] = (600, 300), theme: Any = DARK) -> Any:
    plot = plot_for("blocks", "One block", "", "", False, theme)
    assert isinstance(plot, BlocksPlot)
    qtbot.addWidget(plot)
    plot.resize(*size)
    plot.show_picture(picture)
    plot.grab()  # so that it is laid out
    return plot


def area(plot: Any) -> QRectF:
    return plot.area(QRectF(plot.ground.rect()))  # type: ignore[no-any-return]


@pytest.mark.parametrize("size", [(160, 100), (240, 180), (700, 260), (1400, 900)])
def test_every_part_lies_within_the_plot(qtbot: Any, size: tuple[int, int]) -> None:
    plot = shown(qtbot, THREE, size)
    plot.grab()
    inner = area(plot)
    for placed in plot.places(inner):
        for box in placed.boxes:
            assert inner.adjusted(-1, -1, 1, 1).contains(box) and placed.column.adjusted(0, 0, 1, 1).contains(box)
        assert all(a.bottom() < b.top() for a, b in zip(placed.boxes, placed.boxes[1:], strict=False))


def test_where_there_is_room_for_fewer_the_last_are_left_out(qtbot: Any) -> None:
    assert [len(plot.places(area(plot))) for plot in (shown(qtbot, THREE, (w, 200)) for w in (160, 170, 240))] == [
        2, 2, 3]  # fmt: skip


@pytest.mark.parametrize("theme", [DARK, LIGHT, PRINT])
def test_the_way_around_is_painted_beside_the_boxes(qtbot: Any, theme: Any) -> None:
    def lit(picture: Any) -> int:
        plot = shown(qtbot, picture, theme=theme)
        image, accent = plot.ground.grab().toImage(), QColor(theme.accent).rgb()
        right = plot.places(area(plot))[0].boxes[0].right() + 4
        columns = range(int(right * image.devicePixelRatio()), image.width())
        return sum(image.pixel(x, y) == accent for x in columns for y in range(image.height()))

    assert lit(Blocks((AROUND,))) > 40 and lit(Blocks((PLAIN,))) == 0


def test_the_mouse_is_told_what_a_block_does(qtbot: Any) -> None:
    plot = shown(qtbot, THREE)
    placed = plot.places(area(plot))
    head, rows = plot.told(placed[0].column.center(), area(plot))
    assert head == "Plain" and [row.value for row in rows] == ["first", "second"]
    assert plot.told(QPointF(-5, -5), area(plot)) is None


def test_nothing_to_show(qtbot: Any) -> None:
    for picture in (None, Blocks(()), Blocks((Block("none", (Box("x", "end"),)),))):
        assert not shown(qtbot, picture).grab().isNull()


@pytest.mark.parametrize("kind", ["png", "svg", "pdf"])
def test_it_is_exported(qtbot: Any, tmp_path: Path, kind: str) -> None:
    plot = shown(qtbot, THREE)
    twin = plot.clone(PRINT)
    qtbot.addWidget(twin)
    assert twin.picture is THREE and twin.size() == QSize(600, 300)
    path = tmp_path / f"blocks.{kind}"
    export_picture(plot, path)
    assert path.stat().st_size > 1000
