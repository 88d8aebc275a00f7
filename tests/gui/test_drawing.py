"""The sheet to draw on: anti-aliased as the data, fitted, and reachable by keyboard."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, QRectF, Qt
from PySide6.QtGui import QMouseEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from engine.feature_maps import Sketch
from gui.plots.drawing import SketchPlot
from gui.plots.strokes import FINE, NIB, inked
from gui.theme import DARK, LIGHT

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support propagateSizeHints")
EIGHT = np.zeros((8, 8))


def sheet(qtbot: Any, size: tuple[int, int] = (420, 460), **given: Any) -> Any:
    plot = SketchPlot("Draw a digit", DARK)
    qtbot.addWidget(plot)
    plot.resize(*size)
    plot.show_picture(Sketch(**{"values": EIGHT, "answers": tuple((str(k), 0.1) for k in range(10)), **given}))
    with qtbot.waitExposed(plot):
        plot.show()
    return plot


def where(plot: SketchPlot, x: float, y: float) -> QPoint:
    """Pixels of a point given in cells."""
    box = plot._places(plot.area(QRectF(plot.ground.rect())))[0]
    return QPoint(round(box.left() + x * box.width() / 8), round(box.top() + y * box.height() / 8))


def draw(plot: SketchPlot, *points: tuple[float, float], lift: bool = True) -> None:
    QTest.mousePress(plot.ground, Qt.MouseButton.LeftButton, pos=where(plot, *points[0]))
    for point in points[1:]:
        at = QPointF(where(plot, *point))
        QApplication.sendEvent(plot.ground, QMouseEvent(
            QEvent.Type.MouseMove, at, plot.ground.mapToGlobal(at), Qt.MouseButton.NoButton,
            Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier))  # fmt: skip
    if lift:
        QTest.mouseRelease(plot.ground, Qt.MouseButton.LeftButton, pos=where(plot, *points[-1]))


# -- from strokes to cells -------------------------------------------------------------------------------------------


def test_a_cell_counts_its_inked_points() -> None:
    """Strokes without fitting: as much ink as their area on the fine bitmap, no more than a cell can hold."""
    slanted = inked([[(2.1, 2.3), (5.9, 5.4)]], 8, 16, fit=False)
    assert slanted.sum() == pytest.approx(2 * NIB * math.hypot(3.8, 3.1) * FINE + math.pi * NIB**2, rel=0.05)
    found = inked([[(2.0, 4.0), (6.0, 4.0)]], 8, 16, fit=False)
    assert found.min() == 0 and found.max() <= 16 and (found == np.rint(found)).all()
    assert found[3, 3] == found[4, 3] and found[3:5, 3:5].min() >= 8 and (found[:2] == 0).all()
    np.testing.assert_array_equal(found, found[:, ::-1])
    np.testing.assert_array_equal(inked([[(4.0, 2.0), (4.0, 6.0)]], 8, 16, fit=False), found.T)


def test_fitting_forgets_size_and_place() -> None:
    tall = [[(2.0, 1.0), (5.0, 1.0), (3.0, 7.0)]]
    small = [[(0.5 + 0.3 * x, 4.0 + 0.3 * y) for x, y in tall[0]]]
    np.testing.assert_array_equal(inked(tall, 8), inked(small, 8))
    found = inked(small, 8)
    assert found[0].any() and found[7].any()  # the full height
    assert (inked(small, 8, fit=False) != found).any()
    columns = np.flatnonzero(found.any(axis=0))
    assert columns[0] == 7 - columns[-1]  # in the middle
    wide = inked([[(1.0, 4.0), (7.0, 4.0)]], 8)
    assert not wide[:, 0].any() and not wide[:, 7].any() and not wide[0].any()


def test_a_dot_is_not_blown_up_and_nothing_is_nothing() -> None:
    dot = inked([[(1.0, 1.0)]], 8)
    assert 0 < dot.sum() < 40 and dot[3:5, 3:5].sum() == dot.sum()
    assert not inked([], 8).any() and not inked([[]], 8).any()


# -- hands -----------------------------------------------------------------------------------------------------------


def test_the_pen_is_followed_and_told_when_lifted(qtbot: Any) -> None:
    plot = sheet(qtbot)
    changes: list[Any] = []
    plot.changed.connect(changes.append)
    with qtbot.waitSignal(plot.drawn) as told:
        draw(plot, (2, 1), (5, 1), (3, 7))
    (values,) = told.args
    assert len(changes) == 3 and len(values) == 64 and changes[-1] == values and {type(v) for v in values} == {int}
    np.testing.assert_allclose(np.reshape(values, (8, 8)), inked([[(2, 1), (5, 1), (3, 7)]], 8), atol=3)
    with qtbot.waitSignal(plot.drawn) as more:  # a second stroke joins the first
        draw(plot, (2, 4), (6, 4))
    assert sum(more.args[0]) > sum(values)
    plot.fit.click()
    assert not plot.fit.isChecked() and plot.values != more.args[0]


def test_what_was_drawn_stays_until_it_comes_back(qtbot: Any) -> None:
    """Answers on their way, of the picture before, do not take the strokes away."""
    plot = sheet(qtbot)
    draw(plot, (2, 1), (5, 1), (3, 7), lift=False)
    old = Sketch(EIGHT + 1)
    plot.show_picture(old)
    assert plot._strokes
    QTest.mouseRelease(plot.ground, Qt.MouseButton.LeftButton, pos=where(plot, 3, 7))
    values = plot.values
    plot.show_picture(old)
    plot.show_picture(Sketch(np.reshape(values, (8, 8)), drawn=True))
    assert plot._strokes and plot.values == values
    plot.show_picture(old)  # now another picture is looked at
    assert not plot._strokes and not any(plot.values)


def test_a_drawing_from_a_file_is_drawn_upon(qtbot: Any) -> None:
    given = EIGHT.copy()
    given[2, 3] = 16
    plot = sheet(qtbot, values=given, drawn=True)
    with qtbot.waitSignal(plot.drawn) as told:
        draw(plot, (1, 6), (7, 6))
    found = np.reshape(told.args[0], (8, 8))
    assert found[2, 3] == 16 and found[5:7].sum() > 60
    plot.show_picture(None)
    assert plot.values == told.args[0] and all(math.isnan(share) for _, share in plot.picture.answers)


def test_clear(qtbot: Any) -> None:
    plot = sheet(qtbot)
    draw(plot, (2, 1), (3, 7))
    with qtbot.waitSignal(plot.drawn) as told:
        plot.clear_switch.click()
    assert told.args == [()] and not any(plot.values)


def test_keyboard_alone(qtbot: Any) -> None:
    plot = sheet(qtbot)
    plot.ground.setFocus()
    assert "draw" in plot.ground.accessibleName() and "space" in plot.ground.accessibleDescription()
    for key in (Qt.Key.Key_Right, Qt.Key.Key_Right, Qt.Key.Key_Down, Qt.Key.Key_Left):
        QTest.keyClick(plot.ground, key)
    for wanted in (4, 8, 12, 16, 0, 4):
        with qtbot.waitSignal(plot.drawn) as told:
            QTest.keyClick(plot.ground, Qt.Key.Key_Space)
        assert told.args[0][9] == wanted and sum(told.args[0]) == wanted
    for _ in range(20):
        QTest.keyClick(plot.ground, Qt.Key.Key_Up)
        QTest.keyClick(plot.ground, Qt.Key.Key_Left)
    QTest.keyClick(plot.ground, Qt.Key.Key_Space)
    assert plot.values[0] == 4 and plot.values[9] == 4
    with qtbot.waitSignal(plot.drawn):
        QTest.keyClick(plot.ground, Qt.Key.Key_Delete)
    assert not any(plot.values)


def test_the_first_stroke_over_a_given_picture_begins_an_empty_sheet(qtbot: Any) -> None:
    plot = sheet(qtbot, values=EIGHT + 16, truth="8", told="Test digit 1, an 8")
    QTest.mousePress(plot.ground, Qt.MouseButton.LeftButton, pos=where(plot, -2, 4))  # beside the sheet
    assert not plot._strokes
    draw(plot, (2, 1), (3, 7))
    assert 0 < sum(plot.values) < 64 * 16
    assert "Test digit 1" in plot._note()


@pytest.mark.parametrize("size", [(420, 460), (900, 260), (240, 170), (160, 100), (1200, 700)])
@pytest.mark.parametrize("share", [0.1, float("nan")])
def test_it_paints_in_any_size(qtbot: Any, size: tuple[int, int], share: float) -> None:
    answers = tuple((str(k), share) for k in range(10))
    plot = sheet(qtbot, size, values=EIGHT + 3, answers=answers, truth="3")
    plot.ground.setFocus()
    for x in range(0, plot.ground.width(), 23):
        for y in range(0, plot.ground.height(), 31):
            plot.told(QPointF(x, y), plot.area(QRectF(plot.ground.rect())))
    draw(plot, (2, 1), (3, 7))
    before = plot.grab().toImage()
    plot.apply_theme(LIGHT)
    assert plot.grab().toImage() != before
    twin = plot.clone(DARK)
    assert twin.values == plot.values and not twin.grab().isNull()
    twin.deleteLater()
    plot.show_picture(Sketch(EIGHT))
    assert not plot.grab().isNull()
