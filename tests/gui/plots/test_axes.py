"""Axes in little room."""

from __future__ import annotations

from itertools import pairwise
from unittest.mock import MagicMock

import pytest
from PySide6.QtCore import QSizeF
from pytestqt.qtbot import QtBot

from gui.fonts import SMALL, font, load_fonts, text_width
from gui.plots.axes import CLOSEST, OVER, Axis
from gui.theme import DARK


@pytest.mark.parametrize("height", [24, 60, 400])
def test_words_of_a_left_axis_neither_overlap_nor_leave_it(qtbot: QtBot, height: int) -> None:
    load_fonts()
    axis, painter = Axis("left", "mean squared error of all samples", DARK, log=True), MagicMock()
    painter.font.return_value = font(SMALL)
    axis.resize(QSizeF(66, height))
    axis.setRange(0.0, 0.9)
    axis.paint(painter, None, None)
    *numbers, name = [call.args for call in painter.drawText.call_args_list]
    assert numbers and all(above[0].y() - below[0].y() >= CLOSEST - 0.5 for below, above in pairwise(reversed(numbers)))
    assert text_width(font(SMALL), name[2]) <= height + 2 * OVER
    assert name[2].endswith("…") == (height < 200)
