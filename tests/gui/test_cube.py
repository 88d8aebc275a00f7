"""Tensors as blocks: every cell in its place and in the colour of its group, in every size, theme and picture."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QColor

from engine.drawings import Cube, Cubes
from gui.plots.cube import CubePlot, shade
from gui.plots.export import export_picture
from gui.plots.pictures import plot_for
from gui.tokens import DARK, LIGHT, PRINT

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support propagateSizeHints")
SHAPE = (4, 3, 16)
N, C, P = np.meshgrid(*(np.arange(size) for size in SHAPE), indexing="ij")
TOLD: Any = tuple((("mean", f"{g}.5"), ("variance", "1")) for g in range(12))
BATCH = Cube("Batch norm", C, 2, "over N, H, W", TOLD[:3])
LAYER = Cube("Layer norm", N, 0, "over C, H, W", TOLD[:4])
INSTANCE = Cube("Instance norm", 3 * N + C, 12, "over H, W", TOLD)
NONE = Cube("None", np.full(SHAPE, -1), 0)
FOUR = Cubes((BATCH, LAYER, INSTANCE, NONE), note="a note")


def shown(qtbot: Any, picture: Any, size: tuple[int, int] = (600, 500), theme: Any = DARK) -> Any:
    plot = plot_for("cube", "Which share a mean", "", "", False, theme)
    assert isinstance(plot, CubePlot)
    qtbot.addWidget(plot)
    plot.resize(*size)
    plot.show_picture(picture)
    plot.grab()  # so that it is laid out
    return plot


def rgb(colour: QColor) -> tuple[int, int, int]:
    return colour.red(), colour.green(), colour.blue()


def area(plot: Any) -> QRectF:
    return plot.area(QRectF(plot.ground.rect()))  # type: ignore[no-any-return]


@pytest.mark.parametrize("size", [(200, 220), (360, 480), (900, 260), (1400, 900)])
def test_every_face_lies_within_its_frame_and_no_two_frames_meet(qtbot: Any, size: tuple[int, int]) -> None:
    plot = shown(qtbot, FOUR, size)
    found = plot.solids(area(plot))
    for box, _, faces in found:
        assert area(plot).adjusted(-1, -1, 1, 1).contains(box)
        for face in faces:
            assert box.adjusted(-1, -1, 1, 1).contains(face.shape.boundingRect())
    for i, (one, _, _) in enumerate(found):
        assert all(not one.adjusted(1, 1, -1, -1).intersects(other) for other, _, _ in found[i + 1 :])


def test_each_sample_shows_its_front_its_top_and_its_side(qtbot: Any) -> None:
    plot = shown(qtbot, Cubes((LAYER,)))
    ((_, _, faces),) = plot.solids(area(plot))
    assert len(faces) == 4 * (3 * 16 + 3 + 16)
    assert [sum(face.group == n for face in faces) for n in range(4)] == [67] * 4
    assert [faces[0].group, faces[-1].group] == [3, 0], "the last sample lies behind, the first in front"


def test_samples_recede_channels_go_right_and_places_down(qtbot: Any) -> None:
    plot = shown(qtbot, Cubes((BATCH,)))
    ((_, solid, _),) = plot.solids(area(plot))
    origin = solid.at(0, 0, 0)
    back, right, down = solid.at(1, 0, 0) - origin, solid.at(0, 1, 0) - origin, solid.at(0, 0, 1) - origin
    assert back.x() > 0 > back.y() and right.x() > 0 == right.y() and down.x() == 0 < down.y()


@pytest.mark.parametrize("theme", [DARK, LIGHT, PRINT])
def test_a_cell_has_the_colour_of_its_group(qtbot: Any, theme: Any) -> None:
    plot = shown(qtbot, Cubes((BATCH,)), theme=theme)
    image = plot.ground.grab().toImage()
    ((_, _, faces),) = plot.solids(area(plot))
    seen = set()
    for face in (face for face in faces[-51:] if face.light == 0.88):  # the first sample's front: nothing is before it
        at = face.shape.boundingRect().center()
        ratio = image.devicePixelRatio()
        colour = image.pixelColor(round(at.x() * ratio), round(at.y() * ratio))
        wanted = QColor(shade(BATCH, face, theme))
        assert max(abs(a - b) for a, b in zip(rgb(colour), rgb(wanted), strict=True)) <= 40
        seen.add(wanted.name())
    assert len(seen) == 3


def test_a_group_is_strongest_in_its_turn_and_stronger_after_than_before(qtbot: Any) -> None:
    plot = shown(qtbot, Cubes((BATCH,)))
    _, _, faces = plot.solids(area(plot))[0]
    ground = QColor(DARK.background)
    face = next(face for face in faces if face.group == 1 and face.light == 1.0)

    def strength(done: int) -> float:
        colour = QColor(shade(Cube("", C, done), face, DARK))
        return sum(abs(a - b) for a, b in zip(rgb(colour), rgb(ground), strict=True))

    assert strength(1) < strength(3) < strength(2)
    assert shade(NONE, faces[0], DARK) != "" and shade(NONE, plot.solids(area(plot))[0][2][0], DARK)


def test_the_mouse_is_told_the_group_in_front(qtbot: Any) -> None:
    plot = shown(qtbot, Cubes((INSTANCE, NONE)))
    (_, solid, _), (_, other, _) = plot.solids(area(plot))
    middle = (solid.at(0, 1, 8) + solid.at(0, 2, 9)) / 2
    head, rows = plot.told(middle, area(plot))
    assert head == "Instance norm: group 2 of 12" and [row.value for row in rows] == ["1.5", "1"]
    head, rows = plot.told((other.at(0, 0, 0) + other.at(0, 1, 1)) / 2, area(plot))
    assert head == "None" and "stays" in rows[0].label
    assert plot.told(QPointF(-9, -9), area(plot)) is None


def test_a_new_picture_is_drawn_anew(qtbot: Any) -> None:
    plot = shown(qtbot, Cubes((BATCH,)))
    before = plot.grab().toImage()
    plot.show_picture(Cubes((Cube("Batch norm", C, 3, "over N, H, W", TOLD[:3]),)))
    assert plot.grab().toImage() != before


def test_nothing_and_little_to_show(qtbot: Any) -> None:
    for picture in (None, Cubes(()), Cubes((Cube("one", np.zeros((1, 1, 1), int), 0),))):
        assert not shown(qtbot, picture, (160, 100)).grab().isNull()


@pytest.mark.parametrize("kind", ["png", "svg", "pdf"])
def test_it_is_exported(qtbot: Any, tmp_path: Path, kind: str) -> None:
    plot = shown(qtbot, FOUR)
    path = tmp_path / f"cube.{kind}"
    export_picture(plot, path)
    assert path.stat().st_size > 2000
