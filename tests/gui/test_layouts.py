"""Widgets taken out of layouts, without leaving anything behind."""

from __future__ import annotations

import ctypes
import gc
import sys

import pytest
from PySide6.QtCore import QEvent
from PySide6.QtWidgets import QApplication, QGridLayout, QHBoxLayout, QLabel, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from gui.layouts import clear, emptied


def labels(parent: QWidget, names: str) -> list[QLabel]:
    return [QLabel(name, parent) for name in names]


def test_widgets_behind_a_place_are_taken_out_and_live(qtbot: QtBot) -> None:
    parent = QWidget()
    qtbot.addWidget(parent)
    row = QHBoxLayout(parent)
    for label in labels(parent, "abcd"):
        row.addWidget(label)
    assert [widget.text() for widget in emptied(row, 2) if isinstance(widget, QLabel)] == ["c", "d"]
    assert row.count() == 2
    assert len(emptied(row)) == 2 and row.count() == 0 and emptied(row) == []
    assert len(parent.findChildren(QLabel)) == 4


def test_a_cleared_layout_deletes(qtbot: QtBot) -> None:
    parent = QWidget()
    qtbot.addWidget(parent)
    grid = QGridLayout(parent)
    for place, label in enumerate(labels(parent, "abcd")):
        grid.addWidget(label, place // 2, place % 2)
    clear(grid)
    assert grid.count() == 0 and all(label.isHidden() for label in parent.findChildren(QLabel))
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
    assert parent.findChildren(QLabel) == []


class _Allocated(ctypes.Structure):
    _fields_ = [  # in use: the eighth
        (name, ctypes.c_size_t) for name in [*(f"before_{i}" for i in range(7)), "uordblks", "free", "at_the_end"]
    ]


def allocated() -> int:
    """Bytes in use as glibc counts them."""
    count = ctypes.CDLL(None).mallinfo2
    count.restype = _Allocated
    gc.collect()
    return int(count().uordblks)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="asks glibc")
def test_clearing_leaks_nothing(qtbot: QtBot) -> None:
    if not hasattr(ctypes.CDLL(None), "mallinfo2"):
        pytest.skip("this C library does not count")
    parent = QWidget()
    qtbot.addWidget(parent)
    column = QVBoxLayout(parent)

    def lap(laid_out: bool) -> int:
        before = allocated()
        for _ in range(2000):
            label = QLabel(parent)
            if laid_out:
                column.addWidget(label)
                clear(column)
            else:
                label.deleteLater()
            QApplication.sendPostedEvents()
            QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
        return allocated() - before

    lap(True)  # what is made once
    usual = lap(False)
    assert lap(True) < usual + 40_000  # with takeAt 96 bytes more each
