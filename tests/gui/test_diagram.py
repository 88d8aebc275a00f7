"""The drawn network: layout, pictures of units, words on edges, buttons, keys, and pictures to take home."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import QEvent, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QKeyEvent, QMouseEvent
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from engine.picture import Diagram, Edge, Node
from gui.plots.diagram import DiagramPlot
from gui.plots.diagram_layout import MOST_EDGES, MOST_UNITS, Needs, lay_out
from gui.plots.diagram_tools import Button, buttons
from gui.plots.export import export_picture
from gui.tokens import DARK, LIGHT, PRINT, Theme

NAN, INF = float("nan"), float("inf")


def network(sizes: tuple[int, ...] = (2, 8, 8, 8, 1), pictures: bool = True, **changes: Any) -> Diagram:
    """A dense network with random weights, pictures of 16 x 16 or values."""
    rng = np.random.default_rng(len(sizes))
    layers = tuple(
        tuple(
            Node(
                f"x{unit}" if not layer else "",
                None if pictures else float(rng.normal()),
                rng.uniform(-1, 1, (16, 16)) if pictures else None,
                (("bias", "0.12"),),
            )
            for unit in range(size)
        )
        for layer, size in enumerate(sizes)
    )
    edges = tuple(
        Edge((layer, i), (layer + 1, j), float(rng.normal()), told=(("gradient", "0.5"),))
        for layer in range(len(sizes) - 1)
        for i in range(sizes[layer])
        for j in range(sizes[layer + 1])
    )
    titles = tuple(f"layer {k}" for k in range(len(sizes)))
    made = Diagram(layers, edges, titles, (), tuple(range(1, len(sizes) - 1)), (-1, 1, -1, 1) if pictures else None)
    return replace(made, **changes)


def small() -> Diagram:
    """3-2-1 with all numbers written."""
    made = network((3, 2, 1), pictures=False, editable=(), note="A note")
    return replace(made, edges=tuple(replace(edge, label=f"{edge.weight:.3f}") for edge in made.edges))


@pytest.fixture
def plot(qtbot: QtBot) -> Iterator[DiagramPlot]:
    made = DiagramPlot("The network", DARK)
    qtbot.addWidget(made)
    made.resize(700, 450)
    yield made


def area(plot: DiagramPlot) -> QRectF:
    return plot.area(QRectF(plot.ground.rect()))


def shown(plot: DiagramPlot, picture: Diagram) -> None:
    plot.show_picture(picture)
    plot.grab()


def point(plot: DiagramPlot, layer: int, unit: int) -> QPointF:
    layout = plot.layout_in(area(plot))
    return QPointF(layout.x[layer], float(layout.y[layer][unit]))


def hover(plot: DiagramPlot, at: QPointF) -> None:
    none = Qt.MouseButton.NoButton
    there = plot.ground.mapToGlobal(at)
    event = QMouseEvent(QEvent.Type.MouseMove, at, there, none, none, Qt.KeyboardModifier.NoModifier)
    QApplication.sendEvent(plot.ground, event)


def found_buttons(plot: DiagramPlot) -> list[Button]:
    assert plot.picture is not None
    return buttons(plot.picture, plot.layout_in(area(plot)), plot.theme.scale)


@pytest.mark.parametrize("size", [(700, 450), (400, 300), (1200, 800)])
@pytest.mark.parametrize("sizes", [(2, 8, 8, 8, 1), (3, 2, 1), (64,) * 8, (1, 1), (5,)])
@pytest.mark.parametrize("scale", [1.0, 1.5])
def test_nodes_stand_apart_inside_the_area(
    plot: DiagramPlot, size: tuple[int, int], sizes: tuple[int, ...], scale: float
) -> None:
    plot.resize(*size)
    plot.apply_theme(DARK.scaled(scale))
    shown(plot, network(sizes))
    room, layout = area(plot), plot.layout_in(area(plot))
    assert len(layout.x) == len(sizes) and list(layout.x) == sorted(layout.x)
    for layer, (x, y, half) in enumerate(zip(layout.x, layout.y, layout.half, strict=True)):
        assert 1 <= len(y) <= MOST_UNITS
        assert len(y) + layout.more[layer] == sizes[layer]
        assert room.left() - 1 <= x - half and x + half <= room.right() + 1
        ceiling = layout.controls_y if found_buttons(plot) else layout.title_y
        assert y.min() - layout.reach >= ceiling and y.max() + layout.reach <= room.bottom() + 1
        assert len(y) == 1 or np.diff(y).min() >= 2 * layout.reach
    for one, other, wide, next_wide in zip(layout.x[:-1], layout.x[1:], layout.half[:-1], layout.half[1:], strict=True):
        assert other - next_wide > one + wide


def test_units_that_are_not_drawn_are_counted(plot: DiagramPlot) -> None:
    shown(plot, network((4, 30, 3), pictures=False, more=(0, 70, 0)))
    layout = plot.layout_in(area(plot))
    assert layout.more == (0, 100 - len(layout.y[1]), 0)


def test_of_many_edges_the_strongest_are_drawn(plot: DiagramPlot) -> None:
    picture = network((10,) * 9, pictures=False)
    shown(plot, picture)
    plot.resize(1200, 800)
    plot.grab()
    wires = plot.wires_in(area(plot))
    weights = np.abs([edge.weight for edge in picture.edges])
    assert len(wires.index) == MOST_EDGES < len(weights)
    assert np.abs(wires.weight).min() >= np.sort(weights)[-MOST_EDGES]
    assert (np.diff(wires.strength) >= 0).all() and wires.strength.max() == 1.0


def test_wires_run_from_node_to_node(plot: DiagramPlot) -> None:
    picture = network()
    shown(plot, picture)
    layout, wires = plot.layout_in(area(plot)), plot.wires_in(area(plot))
    assert len(wires.index) == len(picture.edges)
    for row, index in enumerate(wires.index.tolist()):
        (a, i), (b, j) = picture.edges[index].tail, picture.edges[index].head
        ends = [layout.x[a] + layout.half[a], layout.y[a][i], layout.x[b] - layout.half[b], layout.y[b][j]]
        assert [wires.x[row, 0], wires.y[row, 0], wires.x[row, -1], wires.y[row, -1]] == pytest.approx(ends)


def strokes(plot: DiagramPlot, wanted: str) -> int:
    """Pixels nearer to this colour than 30 a channel."""
    image = plot.grab().toImage().convertToFormat(plot.grab().toImage().Format.Format_RGB32)
    data = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), -1, 4)[..., 2::-1].astype(int)
    ink = QColor(wanted)
    return int((np.abs(data - [ink.red(), ink.green(), ink.blue()]).max(axis=2) < 30).sum())


@pytest.mark.parametrize("theme", [DARK, LIGHT])
@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_sign_is_colour_and_size_is_width(plot: DiagramPlot, theme: Theme, sign: float) -> None:
    plot.apply_theme(theme)
    nodes = ((Node(""), Node("")), (Node(""),))
    counts = []
    for weak in (1.0, 0.05):
        edges = (Edge((0, 0), (1, 0), sign), Edge((0, 1), (1, 0), sign * weak))
        shown(plot, Diagram(nodes, edges))
        counts.append((strokes(plot, plot._ink.sign(sign)), strokes(plot, plot._ink.sign(-sign))))
    assert counts[0][0] > 1.7 * counts[1][0] > 100
    assert counts[0][1] == counts[1][1] == 0


def test_pictures_of_units_have_their_first_row_below(plot: DiagramPlot) -> None:
    image = np.repeat(np.array([[-1.0], [1.0]]), 2, axis=1).repeat(8, axis=0)
    nodes = ((Node("", image=image),), (Node("", image=np.full((4, 4), NAN)),))
    for extent, above in (((-1.0, 1.0, -1.0, 1.0), 1.0), (None, -1.0)):
        shown(plot, Diagram(nodes, (), extent=extent))
        at, reach = point(plot, 0, 0), plot.layout_in(area(plot)).reach
        seen = plot.grab().toImage()
        for turn, sign in ((-0.5, above), (0.5, -above)):
            place = plot.ground.mapTo(plot, at + QPointF(0, turn * reach))
            shade = seen.pixelColor(place.toPoint())
            assert (shade.red() > shade.blue()) == (sign > 0)


def test_words_on_edges_keep_clear_of_each_other(plot: DiagramPlot) -> None:
    for size in ((800, 500), (560, 360)):
        plot.resize(*size)
        shown(plot, small())
        assert plot._plates is not None
        boxes = [box for box in plot._plates[1] if box is not None]
        assert len(boxes) == 8
        overlaps = [a.overlap(b) for k, a in enumerate(boxes) for b in boxes[:k]]
        assert max(overlaps) == 0.0


def test_hover_tells_of_nodes_edges_and_nothing(plot: DiagramPlot) -> None:
    shown(plot, small())
    picture = plot.picture
    assert picture is not None
    at = point(plot, 1, 1)
    hover(plot, at)
    found = plot.told(at, area(plot))
    assert found is not None
    assert found[0] == "layer 1, unit 2"
    assert [row.label for row in found[1]] == ["value", "bias"]
    wires = plot.wires_in(area(plot))
    middle = wires.x.shape[1] // 4
    at = QPointF(float(wires.x[0, middle]), float(wires.y[0, middle]) + 2)
    hover(plot, at)
    found = plot.told(at, area(plot))
    assert found is not None and " → " in found[0]
    assert [row.label for row in found[1]] == ["weight", "gradient"]
    before = plot.grab().toImage()
    at = QPointF(area(plot).center().x(), area(plot).bottom() - 1)
    hover(plot, at)
    assert plot.told(at, area(plot)) is None
    assert plot.grab().toImage() != before


def test_a_unit_with_a_picture_is_enlarged(plot: DiagramPlot) -> None:
    shown(plot, network())
    before = plot.grab().toImage()
    hover(plot, point(plot, 2, 3))
    after = plot.grab().toImage()
    assert plot.told(point(plot, 2, 3), area(plot)) is None
    differ = np.flatnonzero(
        np.frombuffer(before.constBits(), np.uint32) != np.frombuffer(after.constBits(), np.uint32)
    ).size
    assert differ > 0.7 * 96 * 96


def test_clicks_pick_nodes_and_press_buttons(plot: DiagramPlot, qtbot: QtBot) -> None:
    shown(plot, network())
    told: list[tuple[Any, ...]] = []
    plot.nodePicked.connect(lambda layer, unit: told.append(("node", layer, unit)))
    plot.unitsAsked.connect(lambda layer, delta: told.append(("units", layer, delta)))
    plot.layersAsked.connect(lambda at, delta: told.append(("layers", at, delta)))
    left = Qt.MouseButton.LeftButton
    qtbot.mouseClick(plot.ground, left, pos=point(plot, 3, 7).toPoint())
    qtbot.mouseClick(plot.ground, Qt.MouseButton.RightButton, pos=point(plot, 3, 7).toPoint())
    assert told == [("node", 3, 7)]
    told.clear()
    offered = found_buttons(plot)
    for button in offered:
        hover(plot, button.place.center())
        assert plot.ground.toolTip() == button.tip != ""
        qtbot.mouseClick(plot.ground, left, pos=button.place.center().toPoint())
    assert told == [(button.what, button.at, button.delta) for button in offered]
    wanted = {("units", layer, delta) for layer in (1, 2, 3) for delta in (1, -1)}
    wanted |= {("layers", layer, -1) for layer in (1, 2, 3)} | {("layers", at, 1) for at in (1, 2, 3, 4)}
    assert set(told) == wanted
    hover(plot, QPointF(3, area(plot).bottom()))
    assert plot.ground.toolTip() == ""
    told.clear()
    plot.more_layers.click()
    plot.less_layers.click()
    assert told == [("layers", 4, 1), ("layers", 3, -1)]


def press(plot: DiagramPlot, key: Qt.Key) -> None:
    for kind in (QEvent.Type.KeyPress, QEvent.Type.KeyRelease):
        QApplication.sendEvent(plot.ground, QKeyEvent(kind, key, Qt.KeyboardModifier.NoModifier))


def test_everything_can_be_done_with_keys(plot: DiagramPlot, qtbot: QtBot) -> None:
    plot.show_picture(network())
    plot.show()
    qtbot.waitExposed(plot)
    plot.activateWindow()
    plot.ground.setFocus()
    qtbot.waitUntil(plot.ground.hasFocus)
    told: list[tuple[Any, ...]] = []
    plot.nodePicked.connect(lambda layer, unit: told.append(("node", layer, unit)))
    plot.unitsAsked.connect(lambda layer, delta: told.append(("units", layer, delta)))
    plot.layersAsked.connect(lambda at, delta: told.append(("layers", at, delta)))
    keys = [Qt.Key.Key_Right, Qt.Key.Key_Minus, Qt.Key.Key_Right, Qt.Key.Key_Right, Qt.Key.Key_Down]
    keys += [Qt.Key.Key_Return, Qt.Key.Key_Plus, Qt.Key.Key_Minus, Qt.Key.Key_Insert, Qt.Key.Key_Delete]
    for key in keys:
        press(plot, key)
    assert told == [("node", 2, 1), ("units", 2, 1), ("units", 2, -1), ("layers", 3, 1), ("layers", 2, -1)]
    assert plot.ground.accessibleDescription() == "layer 2, unit 2; bias 0.12"
    for _ in range(20):
        press(plot, Qt.Key.Key_Right)
        press(plot, Qt.Key.Key_Down)
    assert plot._chosen == (4, 0)
    assert not plot.grab().isNull()
    plot.hide()


def test_only_what_may_be_edited_has_buttons(plot: DiagramPlot) -> None:
    shown(plot, network(editable=()))
    assert found_buttons(plot) == [] and plot.more_layers.isHidden()
    shown(plot, network(editable=(2,)))
    assert {b.at for b in found_buttons(plot) if b.what == "units"} == {2}
    assert not plot.more_layers.isHidden()
    twin = plot.clone(PRINT)
    assert not twin.more_layers.isVisibleTo(twin) and not twin.less_layers.isVisibleTo(twin)
    twin.deleteLater()


@pytest.mark.parametrize(
    "odd",
    [
        Diagram((), ()),
        Diagram(((),), ()),
        Diagram(((), (Node("a"),), ()), (), editable=(0, 1, 7, -1)),
        Diagram(((Node("alone", 1.0),),), (), ("one",)),
        Diagram(((Node("a", NAN),), (Node("b", INF),)), (Edge((0, 0), (1, 0), NAN, "nan"),)),
        Diagram(((Node("a", 1e300),), (Node("b", 0.0),)), (Edge((0, 0), (1, 0), INF), Edge((0, 0), (1, 0), 0.0))),
        Diagram(((Node("a"),), (Node("b"),)), (Edge((0, 5), (1, 0), 1.0), Edge((3, 0), (-1, 0), 1.0))),
        Diagram(((Node("a"),), (Node("b"),), (Node("c"),)), (Edge((0, 0), (2, 0), 1.0), Edge((2, 0), (1, 0), -1.0))),
        Diagram(((Node("a", lit=True), Node("b")), (Node("c"),)), (Edge((0, 0), (1, 0), 0.0, "zero", lit=True),)),
        Diagram(((Node("a", image=np.zeros((0, 0))), Node("b", image=np.full((1, 1), 9.0))),), ()),
        Diagram(((Node("c", image=np.zeros(3)), Node("d", image=np.full((2, 3), -INF))),), ()),
        Diagram(((Node("a name that is far too long for the room there is"),) * 3,) * 2, (), ("t" * 90,)),
        network((12, 12), pictures=True, more=(3,), titles=("only one",)),
    ],
)  # fmt: skip
@pytest.mark.parametrize("size", [(160, 100), (400, 300)])
def test_odd_networks_are_drawn(plot: DiagramPlot, odd: Diagram, size: tuple[int, int], tmp_path: Path) -> None:
    plot.resize(*size)
    shown(plot, odd)
    for x, y in ((0, 0), (60, 60), (200, 150)):
        hover(plot, QPointF(x, y))
        assert not plot.grab().isNull()
    plot.apply_theme(LIGHT.scaled(1.5))
    assert plot.grab().toImage().pixelColor(1, 1).name() == LIGHT.background
    assert "nan" not in re.sub(
        r"base64,[^\"]+|aria-label=\"[^\"]*\"", "", export_picture(plot, tmp_path / "a.svg").read_text()
    )


def test_nothing_yet_and_nothing_again(plot: DiagramPlot) -> None:
    shown(plot, network())
    full = plot.grab().toImage()
    plot.show_picture(None)
    assert plot.grab().toImage() != full
    hover(plot, QPointF(100, 100))
    plot.more_layers.click()
    press(plot, Qt.Key.Key_Right)
    assert not plot.grab().isNull()


def test_lit_parts_glow(plot: DiagramPlot) -> None:
    dark = Diagram(((Node("a"),), (Node("b"),)), (Edge((0, 0), (1, 0), 1.0),))
    shown(plot, dark)
    before = strokes(plot, DARK.accent)
    lit = replace(dark, layers=((replace(dark.layers[0][0], lit=True),), dark.layers[1]))
    shown(plot, lit)
    node = strokes(plot, DARK.accent)
    shown(plot, replace(lit, edges=(replace(dark.edges[0], lit=True),)))
    assert before < node < strokes(plot, DARK.accent)


@pytest.mark.parametrize("picture", [network(), small()])
def test_exports(plot: DiagramPlot, picture: Diagram, tmp_path: Path) -> None:
    shown(plot, picture)
    with Image.open(export_picture(plot, tmp_path / "a.png", scale=2)) as image:
        assert image.size == (1400, 900)
        assert image.convert("RGB").getpixel((2, 2)) == (255, 255, 255)
        assert len(image.convert("RGB").getcolors(1 << 24) or []) > 100
    root = ElementTree.fromstring(export_picture(plot, tmp_path / "a.svg").read_bytes())
    kinds = {element.tag.split("}")[1] for element in root.iter()}
    assert "clipPath" not in kinds and ("image" in kinds) == (picture.extent is not None)
    words = {element.get("aria-label") for element in root.iter()}
    assert {"The network", "layer 0", "x0"} <= words
    for element in root.iter():
        points = element.get("points") or ("" if element.get("transform") else element.get("d")) or ""
        values = [float(v) for v in re.findall(r"-?\d+(?:\.\d+)?(?:e[+-]?\d+)?", points)]
        assert all(-1 <= v <= 701 for v in values)
    assert plot.theme is DARK


@pytest.mark.parametrize("hidden", [1, 2, 5, 8])
@pytest.mark.parametrize("width", [320, 700, 1200])
def test_buttons_never_overlap(hidden: int, width: int) -> None:
    layers = tuple(tuple(Node(f"{layer}.{i}") for i in range(8)) for layer in range(hidden + 2))
    diagram = Diagram(layers, (), editable=tuple(range(1, hidden + 1)))
    needs = Needs(60.0, 60.0, (0.0,) * len(layers), False, True, True)
    found = buttons(diagram, lay_out(diagram, (0.0, 0.0, float(width), 400.0), 1.0, needs), 1.0)
    assert len(found) >= 2 * hidden
    for i, one in enumerate(found):
        assert all(not one.place.intersects(other.place) for other in found[:i])
