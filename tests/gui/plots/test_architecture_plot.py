"""The drawing of a network: where pieces stand, what folds, what the mouse and the keys do, and what is exported."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QPoint, QPointF, QRectF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QApplication

from engine.architectures.layers import written
from engine.architectures.library import LIBRARY
from engine.architectures.measuring import Measured, measure
from engine.architectures.notation import read_network
from engine.architectures.sketch import Piece, Sketch, innermost, pieces
from gui.plots.architecture import ArchitecturePlot
from gui.plots.architecture_layout import BOXED, RADIUS, Card, Frame, Knot, Part, failing, lay_out
from gui.plots.export import export_picture
from gui.tokens import DARK, LIGHT, PRINT


def wide(words: str) -> float:
    return 6.0 * len(words)


def sketch(found: Measured, now: int = -1) -> Sketch:
    return Sketch(pieces(found), written(found.network.input), now, note="A note.")


def own(text: str, shape: tuple[int, ...] = (3, 32, 32), now: int = -1) -> Sketch:
    return sketch(measure(read_network(text, shape), broken=True), now)


def every(found: tuple[Piece, ...]) -> list[Piece]:
    return [one for piece in found for one in (piece, *(i for way in piece.ways for i in every(way)))]


def all_open(drawn: Sketch) -> set[str]:
    return {piece.key for piece in every(drawn.pieces) if piece.kind in BOXED}


def box(one: Card | Frame | Knot) -> QRectF:
    if isinstance(one, Knot):
        return QRectF(one.x - RADIUS, one.y - RADIUS, 2 * RADIUS, 2 * RADIUS)
    return QRectF(one.x, one.y, one.width, one.height)


# -- layout ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("opened", [False, True])
@pytest.mark.parametrize("model", LIBRARY)
def test_no_piece_covers_another_and_nothing_is_outside(model: str, opened: bool) -> None:
    drawn = sketch(measure(LIBRARY[model]()))
    part = lay_out(drawn, all_open(drawn) if opened else (), 700, 480, wide)
    whole = QRectF(-0.01, -0.01, part.width + 0.02, part.height + 0.02)
    small: list[Card | Knot] = [*part.cards, *part.knots]
    boxes = [box(one).adjusted(0.01, 0.01, -0.01, -0.01) for one in small]
    for i, one in enumerate(boxes):
        assert whole.contains(one)
        assert not any(one.intersects(other) for other in boxes[i + 1 :]), small[i].piece
    assert all(whole.contains(QPointF(*point)) for wire in part.wires for point in wire.points)
    for frame in part.frames:  # a block holds what is in it
        inner = {piece.key for way in frame.piece.ways for piece in every(way)}
        assert all(box(frame).contains(box(one)) for one in small if one.piece.key in inner)
    if opened:  # every layer and every join is there once
        shown = [one.piece.key for one in small if one.piece.kind not in ("input", "output")]
        wanted = [piece.key for piece in every(drawn.pieces) if piece.kind not in BOXED]
        assert sorted(shown) == sorted(wanted)


def test_the_columns_are_as_many_as_read_best() -> None:
    drawn = sketch(measure(LIBRARY["vgg16"]()))

    def columns(width: float, height: float) -> int:
        part = lay_out(drawn, (), width, height, wide)
        return 1 + sum(len(wire.points) == 6 for wire in part.wires)

    assert columns(250, 1200) == 1 and columns(700, 480) == 2 and columns(1800, 300) > 3


def test_wires_lead_from_row_to_row() -> None:
    drawn = own("conv 3x3 4; relu; pool 2; residual 8")
    part = lay_out(drawn, all_open(drawn), 700, 480, wide)
    assert sorted({wire.row for wire in part.wires})[0] == -1  # out of the input
    assert {wire.words for wire in part.wires if wire.words} == {"4×32×32", "4×16×16", "8×16×16"}
    assert not any(wire.words for wire in lay_out(drawn, (), 200, 200, wide, bare=True).wires)


def test_kinds_can_be_left_out() -> None:
    drawn = own("conv 3x3 4; batchnorm; relu; residual 4")
    part = lay_out(drawn, all_open(drawn), 700, 480, wide, {"norm", "activation"})
    assert {card.piece.kind for card in part.cards} == {"input", "conv", "output"}
    nothing = lay_out(own("relu; tanh"), (), 700, 480, wide, {"activation"})
    assert {card.piece.kind for card in nothing.cards} <= {"input", "output"}


def test_what_cannot_be_is_found_within_its_blocks() -> None:
    drawn = own("2 * (residual 3); residual 8 identity; relu")
    assert [piece.kind for piece in failing(drawn.pieces)] == ["block", "add"]
    part = lay_out(drawn, all_open(drawn), 700, 480, wide)
    assert not any(card.piece.kind == "output" for card in part.cards)
    assert not failing(own("relu").pieces)


# -- the plot --------------------------------------------------------------------------------------------------------


@pytest.fixture
def plot(qtbot: Any) -> Iterator[Any]:
    made = ArchitecturePlot("Network", DARK)
    made.resize(720, 500)
    qtbot.addWidget(made)
    made.show()
    yield made


def place(plot: Any, key_or_words: str) -> QPoint:
    """Where a piece is on the ground."""
    area = plot.area(QRectF(plot.ground.rect()))
    part: Part = plot.layout_in(area)
    scale, origin = plot.view_in(area)
    for one in part.in_order():
        if key_or_words in (one.piece.key, one.piece.words):
            at = (one.x, one.y) if isinstance(one, Knot) else (one.x + 9, one.y + 7)
            return QPointF(origin + QPointF(*at) * scale).toPoint()
    raise AssertionError(key_or_words)


def cards(plot: Any) -> list[str]:
    return [card.piece.words for card in plot.layout_in(plot.area(QRectF(plot.ground.rect()))).cards]


def test_a_click_unfolds_and_folds(plot: Any, qtbot: Any) -> None:
    plot.show_picture(sketch(measure(LIBRARY["resnet50"]())))
    assert "stage 3" in cards(plot) and "bottleneck block" not in cards(plot)
    qtbot.mouseClick(plot.ground, Qt.MouseButton.LeftButton, pos=place(plot, "stage 3"))
    assert "stage 3" not in cards(plot) and cards(plot).count("bottleneck block") == 2
    plot.fit()
    qtbot.mouseClick(plot.ground, Qt.MouseButton.LeftButton, pos=place(plot, "stage 3"))
    assert "stage 3" in cards(plot)


def test_the_switches_unfold_and_fold_all(plot: Any) -> None:
    plot.show_picture(sketch(measure(LIBRARY["resnet50"]())))
    folded = cards(plot)
    plot.deeper.click()
    assert cards(plot).count("bottleneck block") == 8
    for _ in range(3):
        plot.deeper.click()
    assert cards(plot).count("conv 3×3, 256") == 5 and cards(plot).count("batch norm") == 53
    plot.grab()
    plot.higher.click()
    assert cards(plot) == folded


def test_a_click_on_a_layer_picks_its_row(plot: Any, qtbot: Any) -> None:
    plot.show_picture(own("conv 3x3 4; relu; residual 4"))
    with qtbot.waitSignal(plot.layerPicked) as told:
        qtbot.mouseClick(plot.ground, Qt.MouseButton.LeftButton, pos=place(plot, "ReLU"))
    assert told.args == [1]
    plot.deeper.click()
    with qtbot.waitSignal(plot.layerPicked) as told:
        qtbot.mouseClick(plot.ground, Qt.MouseButton.LeftButton, pos=place(plot, "sum"))
    assert told.args == [2 + 5]


def test_hover_tells_the_numbers(plot: Any, qtbot: Any) -> None:
    plot.show_picture(sketch(measure(LIBRARY["vgg16"]())))
    qtbot.mouseMove(plot.ground, place(plot, "dense 1000"))
    plot.mouse = QPointF(place(plot, "dense 1000"))
    head, rows = plot.told(plot.mouse, plot.area(QRectF(plot.ground.rect())))
    assert head == "dense 1000" and {row.label: row.value for row in rows}["parameters"] == "4,097,000"
    plot.mouse = QPointF(place(plot, "stage 5"))
    _, rows = plot.told(plot.mouse, plot.area(QRectF(plot.ground.rect())))
    assert {row.label: row.value for row in rows}["multiply-adds"] == "1,387,266,048"
    plot.grab()


def wheel(plot: Any, at: QPoint, turn: int) -> None:
    spot = QPointF(at)
    event = QWheelEvent(spot, plot.ground.mapToGlobal(spot), QPoint(), QPoint(0, turn), Qt.MouseButton.NoButton,
                        Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False)  # fmt: skip
    QApplication.sendEvent(plot.ground, event)


def test_the_wheel_zooms_around_the_mouse_and_a_drag_moves(plot: Any, qtbot: Any) -> None:
    plot.show_picture(sketch(measure(LIBRARY["resnet18"]())))
    at = place(plot, "stage 2")
    wheel(plot, at, 480)
    assert plot.zoom > 1.5
    now = place(plot, "stage 2")
    assert abs(now.x() - at.x()) <= 1 and abs(now.y() - at.y()) <= 1
    picked: list[int] = []
    plot.layerPicked.connect(picked.append)
    qtbot.mousePress(plot.ground, Qt.MouseButton.LeftButton, pos=now)
    qtbot.mouseMove(plot.ground, now + QPoint(40, 30))
    plot._drag(QPointF(now + QPoint(40, 30)))
    qtbot.mouseRelease(plot.ground, Qt.MouseButton.LeftButton, pos=now + QPoint(40, 30))
    moved = place(plot, "stage 2")
    assert abs(moved.x() - now.x() - 40) <= 1 and abs(moved.y() - now.y() - 30) <= 1
    assert "stage 2" in cards(plot) and not picked, "a drag is no click"
    qtbot.mouseDClick(plot.ground, Qt.MouseButton.LeftButton, pos=QPoint(3, 3))
    assert plot.zoom == 1.0 and plot.shift == QPointF()
    for _ in range(40):
        wheel(plot, at, -480)
    area = plot.area(QRectF(plot.ground.rect()))
    assert plot.view_in(area)[0] >= 0.4, "never out of sight"


def test_the_keys_do_what_the_mouse_does(plot: Any, qtbot: Any) -> None:
    plot.show_picture(sketch(measure(LIBRARY["resnet50"]())))
    plot.ground.setFocus()
    seen = []
    for _ in range(7):
        qtbot.keyClick(plot.ground, Qt.Key.Key_Down)
        seen.append(plot.ground.accessibleDescription().partition(";")[0])
    assert seen == ["3×224×224", "conv 7×7, 64 /2", "batch norm", "ReLU", "max pool 3×3 /2", "stage 1", "stage 2"]
    qtbot.keyClick(plot.ground, Qt.Key.Key_Return)
    assert "stage 2" not in cards(plot)
    qtbot.keyClick(plot.ground, Qt.Key.Key_Plus)
    assert plot.zoom > 1
    qtbot.keyClick(plot.ground, Qt.Key.Key_Home)
    assert plot.zoom == 1
    qtbot.keyClick(plot.ground, Qt.Key.Key_Up)
    assert plot.ground.accessibleDescription().startswith("stage 1")
    with qtbot.waitSignal(plot.layerPicked) as told:
        qtbot.keyClick(plot.ground, Qt.Key.Key_Up)
        qtbot.keyClick(plot.ground, Qt.Key.Key_Return)
    assert told.args == [3]


def test_another_network_begins_folded_and_a_step_changes_nothing(plot: Any) -> None:
    found = measure(LIBRARY["resnet50"]())
    drawn = pieces(found)
    plot.show_picture(Sketch(drawn, "3×224×224", 3))
    plot.deeper.click()
    unfolded = cards(plot)
    plot.show_picture(Sketch(drawn, "3×224×224", 4))
    assert cards(plot) == unfolded
    plot.show_picture(Sketch(pieces(found), "3×224×224", 4))  # measured anew, and the same
    assert cards(plot) == unfolded
    plot.zoom = 3.0
    plot.show_picture(sketch(measure(LIBRARY["vgg16"]())))
    assert "stage 1" in cards(plot) and plot.zoom == 1


def test_a_part_more_leaves_the_others_unfolded(plot: Any) -> None:
    plot.show_picture(own("conv 3x3 4; residual 4"))
    plot.deeper.click()
    plot.show_picture(own("conv 3x3 4; residual 4; residual 8"))
    assert cards(plot).count("batch norm") == 2 and cards(plot).count("residual block") == 1


def test_what_cannot_be_is_unfolded_and_explained(plot: Any) -> None:
    plot.show_picture(own("residual 3; residual 8 identity; relu"))
    assert cards(plot).count("batch norm") == 2  # the block that cannot be is open, the other one is not
    assert not plot.grab().isNull()


def test_a_block_drawn_whole_follows_the_row_in_hand(plot: Any) -> None:
    found = measure(LIBRARY["googlenet"]())
    drawn = pieces(found)
    plot.resize(240, 200)
    spots = []
    for row in (40, 55):
        inside = innermost(drawn, row)
        plot.show_picture(Sketch(inside, "in", row, True))
        plot.grab()
        area = plot.area(QRectF(plot.ground.rect()))
        scale, origin = plot.view_in(area)
        lit = next(card for card in plot.layout_in(area).cards if card.piece.first <= row < card.piece.last)
        at = origin + QPointF(lit.x + lit.width / 2, lit.y + lit.height / 2) * scale
        assert area.contains(at) and scale >= 0.8
        spots.append(origin)
    assert spots[0] != spots[1]


@pytest.mark.parametrize("ending", ["png", "svg", "pdf"])
def test_pictures_are_exported(plot: Any, tmp_path: Path, ending: str) -> None:
    plot.show_picture(sketch(measure(LIBRARY["resnet50"]()), 40))
    plot.deeper.click()
    path = tmp_path / f"network.{ending}"
    export_picture(plot, path, theme=PRINT)
    assert path.stat().st_size > 5000
    if ending == "svg":
        words = path.read_text(encoding="utf-8")
        for label in ("stage 3", "bottleneck block  5 ×", "1024×14×14", "dense 1000"):
            assert f'aria-label="{label}"' in words, label
        assert "clipPath" not in words and "clip-path" not in words


def test_themes_sizes_and_nothing(plot: Any) -> None:
    plot.show_picture(None)
    plot.grab()
    plot.show_picture(sketch(measure(LIBRARY["transformer_encoder"]()), 2))
    for theme in (LIGHT, DARK.scaled(1.5)):
        plot.apply_theme(theme)
        for size in ((160, 100), (300, 240), (1300, 700)):
            plot.resize(*size)
            assert not plot.grab().isNull()
    plot.show_picture(Sketch((), "3", -1))
    plot.grab()
