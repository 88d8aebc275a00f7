"""Title, legend and switches of a plot."""

from __future__ import annotations

from itertools import pairwise

import pytest
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from gui.plots.header import Chip, Entry, Header
from gui.tokens import DARK

NAMES = ("SGD", "Momentum", "RMSprop", "Adam", "Newton", "Conjugate gradient")


@pytest.mark.parametrize("width", [150, 206, 240, 330, 480, 700])
@pytest.mark.parametrize("title", ["Loss", "Gradient", "Weight gradient as used"])
def test_no_contestant_is_lost_from_a_small_legend(qtbot: QtBot, width: int, title: str) -> None:
    plot = QWidget()
    qtbot.addWidget(plot)
    header = Header(title, DARK, plot)
    header.add_switch("log", "Logarithmic axis")
    plot.resize(width, 190)
    header.resize(width, 30)
    header.set_entries([Entry(name, name, "#ffffff") for name in NAMES], frozenset())
    plot.show()
    chips = [chip for chip in header.findChildren(Chip) if chip.entry is not None]
    assert [chip.text() for chip in chips] == list(NAMES)
    for chip in chips:
        assert not chip.isHidden() and chip.geometry().right() <= width, chip.text()
    for one, other in pairwise(chips):
        assert not one.geometry().intersects(other.geometry())
