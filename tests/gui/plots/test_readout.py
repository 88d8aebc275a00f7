"""The box that tells values: inside the plot at every size, and as much in it as there is room for."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from PySide6.QtCore import QPointF
from PySide6.QtGui import QColor, QImage, QPainter
from pytestqt.qtbot import QtBot

from gui.fonts import load_fonts
from gui.plots.curves import Curves
from gui.plots.geometry import Frame
from gui.plots.readout import Row, draw_readout, lay_out
from gui.theme import DARK, series_style

LARGE = DARK.scaled(1.3)
NAMES = ("Nesterov accelerated gradient", "Adam", "RMSProp", "Momentum", "AdaGrad", "AMSGrad", "SGD", "AdamW", "NAdam")
ROWS = tuple(Row(name, f"{1 / (k + 3):.6g}", "#3366ff") for k, name in enumerate(NAMES))
REMARK = (Row("x1", "0.25"), Row("a remark that is longer than many a plot is wide"))
SIZES = [(w, h) for w in (36, 60, 90, 140, 220, 420) for h in (18, 30, 48, 80, 140, 300)]


@pytest.fixture(autouse=True)
def fonts(qapp: object) -> None:
    load_fonts()


@pytest.mark.parametrize("theme", [DARK, LARGE], ids=["as usual", "presentation"])
@pytest.mark.parametrize("rows", [ROWS, ROWS[:1], REMARK, ()], ids=["nine", "one", "remark", "none"])
def test_nothing_is_painted_outside_the_plot(rows: tuple[Row, ...], theme: object) -> None:
    margin, ground = 150, QColor(1, 2, 3)
    for (width, height), across, down in product(SIZES, (0.0, 0.5, 1.0), (0.0, 0.5, 1.0)):
        x, y = across * width, down * height
        image = QImage(width + 2 * margin, height + 2 * margin, QImage.Format.Format_RGB32)
        image.fill(ground)
        painter = QPainter(image)
        painter.translate(margin, margin)
        head = "step 123,456 of a very long run"
        draw_readout(painter, Frame(width, height, 0, 1, 0, 1), QPointF(x, y), head, rows, theme)  # type: ignore[arg-type]
        painter.end()
        pixels = np.frombuffer(image.constBits(), np.uint32).reshape(image.height(), -1) & 0xFFFFFF
        pixels = pixels.copy()
        pixels[margin : margin + height, margin : margin + width] = ground.rgb() & 0xFFFFFF
        assert (pixels == (ground.rgb() & 0xFFFFFF)).all(), (width, height, x, y)


@pytest.mark.parametrize(
    ("size", "columns", "rows", "named"),
    [
        ((600, 400), 1, 9, "whole"),
        ((560, 110), 2, 9, "whole"),
        ((400, 110), 2, 9, "cut"),
        ((220, 110), 2, 9, ""),
        ((180, 400), 1, 9, "cut"),
        ((94, 400), 1, 9, ""),
        ((94, 64), 1, 3, ""),
        ((94, 40), 1, 1, ""),
    ],
)
def test_names_are_cut_then_left_out_then_rows(size: tuple[int, int], columns: int, rows: int, named: str) -> None:
    box = lay_out(*size, "step 12", ROWS, 1.0)
    assert box is not None and box.width <= size[0] - 4 and box.height <= size[1] - 4
    found = "whole" if box.label > 150 else "cut" if box.label else ""
    assert (-(-len(box.rows) // box.per), len(box.rows), found) == (columns, rows, named)
    if len(ROWS) > rows > 1:
        assert box.rows[-1].label == f"+{len(ROWS) - rows + 1} more"


def test_no_room_no_box() -> None:
    assert lay_out(20, 300, "step 12", ROWS, 1.0) is None
    assert lay_out(300, 12, "step 12", ROWS, 1.0) is None
    low = lay_out(300, 24, "step 12", ROWS, 1.0)
    assert low is not None and (low.head, low.rows) == ("step 12", ())


def test_values_are_never_cut() -> None:
    for width in range(40, 400, 7):
        box = lay_out(width, 200, "", ROWS, 1.0)
        if box is not None and box.rows:
            assert box.cell * -(-len(box.rows) // box.per) <= box.width
            assert box.cell >= box.dot + box.value and box.value > 40


def test_a_small_plot_with_many_curves_shows_its_box_whole(qtbot: QtBot) -> None:
    plot = Curves("Loss", theme=DARK)
    qtbot.addWidget(plot)
    for k, name in enumerate(NAMES):
        plot.set_series(name, name, series_style(name, k))
        plot.set_data(name, np.arange(9.0), np.arange(9.0) + k)
    plot.resize(170, 160)
    plot.grab()
    frame = plot.canvas.frame()
    box = lay_out(frame.width, frame.height, *plot.readout(4.0), 1.0)
    assert box is not None and box.rows
    assert box.width <= frame.width - 4 and box.height <= frame.height - 4
