"""What is drawn in a crowd: the cost of one path grows with the square of its length."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from PySide6.QtCore import QBuffer, QIODevice, QSize
from PySide6.QtGui import QImage, QPainter
from PySide6.QtSvg import QSvgGenerator
from pytestqt.qtbot import QtBot

from gui.palette import pen
from gui.plots.datums import paint_points
from gui.plots.geometry import Floats, Frame
from gui.plots.marks import crowded, draw_line
from gui.plots.relief import CROWDED, contours, levels, relief
from gui.plots.slices import finished

RANDOM = np.random.default_rng(0)
FRAME = Frame(300, 200, -1.0, 1.0, -1.0, 1.0)
NOISE = np.linspace(0, 300, 400), RANDOM.uniform(0, 200, 400)
ARC = np.linspace(0, 300, 400), 100 + 80 * np.sin(np.linspace(0, 6, 400))


def painted(draw: Callable[[QPainter], object]) -> Floats:
    """Grey values [200, 300] of what is drawn in black on white."""
    image = QImage(300, 200, QImage.Format.Format_Grayscale8)
    image.fill(255)
    with QPainter(image) as painter:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        draw(painter)
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(200, image.bytesPerLine())
    return rows[:, :300].astype(float)


@pytest.mark.parametrize("dash", [(), (4.0, 2.0)])
def test_a_crowded_line_of_an_image_is_drawn_as_on_screen(qtbot: QtBot, dash: tuple[float, ...]) -> None:
    assert crowded(*NOISE) and not crowded(*ARC)
    for line, same in ((NOISE, True), (ARC, False)):
        screen, picture = (
            painted(lambda p, w=whole, at=line: draw_line(p, *at, pen("#000000", 2.0, dash), whole=w))  # type: ignore[misc]
            for whole in (False, True)
        )
        assert (screen == picture).all() == same
        assert screen.min() == 0 and abs(screen - picture).mean() < 4  # the joins are all that differs


def test_a_crowded_line_keeps_its_joins_where_nothing_is_rasterised(qtbot: QtBot) -> None:
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    made = QSvgGenerator()
    made.setOutputDevice(buffer)
    made.setSize(QSize(300, 200))
    with QPainter(made) as painter:
        draw_line(painter, *NOISE, pen("#000000", 2.0), whole=True)
    assert bytes(buffer.data().data()).count(b"<polyline") + bytes(buffer.data().data()).count(b"<path") == 1


def test_lines_that_let_something_through_lie_upon_each_other_nowhere(qtbot: QtBot) -> None:
    used = pen("#000000", 2.0)
    faint = used.color()
    faint.setAlphaF(0.25)
    used.setColor(faint)
    assert painted(lambda p: draw_line(p, *NOISE, used, whole=True)).min() >= 255 * 0.75 - 1


def test_contours_stand_at_their_levels_and_are_fewer_in_a_crowd() -> None:
    x, y = np.meshgrid(np.linspace(-1, 1, 160), np.linspace(-1, 1, 160))
    bowl = relief(x**2 + y**2, (-1.0, 1.0, -1.0, 1.0), False)
    px, py = finished(contours(bowl, FRAME))
    ok = np.isfinite(px)
    at = bowl.sample(-1 + px[ok] / 150, 1 - py[ok] / 100)
    assert {float(v) for v in np.round(at, 2)} == {round(v, 2) for v in levels(bowl)}
    assert not np.isfinite(px[0]) and not np.isfinite(px[-1])  # no line is tied to another

    noise = relief(RANDOM.normal(size=(160, 160)), (-1.0, 1.0, -1.0, 1.0), True)
    px, _ = finished(contours(noise, FRAME))
    assert 0 < np.isfinite(px).sum() <= CROWDED
    flat = relief(np.zeros((3, 3)), (-1.0, 1.0, -1.0, 1.0), True)
    assert not np.isfinite(finished(contours(flat, FRAME))[0]).any()


def test_where_no_level_has_room_there_are_no_contours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gui.plots.relief.CROWDED", 3)
    x, y = np.meshgrid(np.linspace(-1, 1, 40), np.linspace(-1, 1, 40))
    assert not np.isfinite(finished(contours(relief(x**2 + y**2, (-1.0, 1.0, -1.0, 1.0), False), FRAME))[0]).any()


@pytest.mark.parametrize("count", [1, 16, 17, 100])
def test_no_mark_is_lost_between_two_paths(qtbot: QtBot, count: int) -> None:
    x, y = 10.0 + 14 * (np.arange(count) % 20), 10.0 + 14 * (np.arange(count) // 20)
    image = painted(lambda p: paint_points(p, FRAME, x, y, "circle", "#000000", 1.0))
    assert (image[y.astype(int), x.astype(int)] == 0).all()
    one = painted(lambda p: paint_points(p, FRAME, x[:1], y[:1], "circle", "#000000", 1.0))
    assert (255 - image).sum() == pytest.approx(count * (255 - one).sum(), rel=1e-6)
