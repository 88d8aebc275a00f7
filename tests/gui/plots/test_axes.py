"""Axes in little room."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from unittest.mock import MagicMock

import pytest
from PySide6.QtCore import QSizeF
from pytestqt.qtbot import QtBot

from gui.fonts import SMALL, font, load_fonts, text_width
from gui.plots.axes import CLOSEST, OVER, Axis
from gui.plots.canvas import Canvas
from gui.theme import DARK


@pytest.mark.parametrize("height", [24, 60, 400])
def test_words_of_a_left_axis_neither_overlap_nor_leave_it(qtbot: QtBot, height: int) -> None:
    load_fonts()
    axis, painter = Axis("left", "mean squared error of all samples", DARK, log=True), MagicMock()
    painter.font.return_value = font(SMALL)
    axis.resize(QSizeF(66, height))
    axis.range = 0.0, 0.9
    axis.paint(painter, None, None)
    *numbers, name = [call.args for call in painter.drawText.call_args_list]
    assert numbers and all(above[0].y() - below[0].y() >= CLOSEST - 0.5 for below, above in pairwise(reversed(numbers)))
    assert text_width(font(SMALL), name[2]) <= height + 2 * OVER
    assert name[2].endswith("…") == (height < 200)


def test_axes_follow_their_view_each_way_alone(qtbot: QtBot) -> None:
    canvas = Canvas("step", "loss", DARK)
    qtbot.addWidget(canvas)
    canvas.set_range(2.0, 5.0, -1.0, 7.0)
    assert canvas.bottom.range == (2.0, 5.0) and canvas.left_axis.range == (-1.0, 7.0)
    wide, high = canvas.left_axis.maximumWidth(), canvas.bottom.maximumHeight()
    canvas.apply_theme(replace(DARK, scale=2.0))
    assert (canvas.left_axis.minimumWidth(), canvas.bottom.minimumHeight()) == (2 * wide, 2 * high)
