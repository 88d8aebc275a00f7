"""The map of what a model says: colours, boundary, samples, signals and pictures to take home."""

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
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QColor, QImage
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from engine.picture import Dots, Map
from gui.plots.decision import DecisionMap
from gui.plots.export import export_picture
from gui.plots.geometry import Frame
from gui.plots.samples import Group, Key, draw_dots
from gui.plots.shaded import class_colour, shaded, sign_colours
from gui.tokens import DARK, LIGHT, PRINT, Theme

EXTENT = (-2.0, 2.0, -2.0, 2.0)
X, Y = np.meshgrid(np.linspace(-2, 2, 41), np.linspace(-2, 2, 41))
NAN, INF = float("nan"), float("inf")


def signed(**changes: Any) -> Map:
    """Orange right of zero, blue left of it, with four samples."""
    dots = Dots("train", np.array([-1.0, 1.0]), np.array([0.5, 0.5]), np.array([-1.0, 1.0]))
    rings = Dots("test", np.array([-1.0, 1.0]), np.array([-0.5, -0.5]), np.array([-1.0, 1.0]), hollow=True)
    made = Map(np.tanh(3 * X), EXTENT, "signed", contours=(0.0,), dots=(dots, rings), value_label="output", note="Note")
    return replace(made, **changes)


def classes(count: int = 3) -> Map:
    """The plane cut by angle into so many classes."""
    centres = np.linspace(0, 2 * np.pi, count, endpoint=False)
    scores = np.exp(4 * np.stack([X * np.cos(a) + Y * np.sin(a) for a in centres]))
    dots = Dots("", np.cos(centres), np.sin(centres), np.arange(count))
    names = tuple(f"kind {k}" for k in range(count))
    return Map(scores / scores.sum(0), EXTENT, "classes", classes=names, dots=(dots,))


@pytest.fixture
def plot(qtbot: QtBot) -> Iterator[DecisionMap]:
    made = DecisionMap("What it says", "x₁", "x₂", DARK)
    qtbot.addWidget(made)
    made.resize(420, 400)
    yield made


def colour_at(plot: DecisionMap, x: float, y: float) -> QColor:
    image = plot.grab().toImage()
    at = plot.canvas.viewport().mapTo(plot, plot.canvas.on_screen(x, y))
    return image.pixelColor(at)


def near(one: QColor, other: str, tolerance: int = 14) -> bool:
    wanted = QColor(other)
    pairs = ((one.red(), wanted.red()), (one.green(), wanted.green()), (one.blue(), wanted.blue()))
    return all(abs(a - b) <= tolerance for a, b in pairs)


@pytest.mark.parametrize("theme", [DARK, LIGHT, DARK.scaled(1.5), PRINT])
def test_signed_maps_are_blue_below_and_orange_above(plot: DecisionMap, theme: Theme) -> None:
    plot.apply_theme(theme)
    plot.show_picture(signed(dots=()))
    plot.grab()
    left, right, ground = colour_at(plot, -1.7, 1), colour_at(plot, 1.7, 1), QColor(theme.background)
    assert left.blue() > left.red() and right.red() > right.blue()
    # Calm: nearer to the background than a dot of that kind.
    for shade, strong in zip((left, right), sign_colours(theme), strict=True):
        assert not near(shade, strong, 40)
        assert abs(shade.lightness() - ground.lightness()) < abs(QColor(strong).lightness() - ground.lightness()) + 12


def test_the_boundary_lies_at_the_centre_and_is_the_strongest_line(plot: DecisionMap) -> None:
    plot.show_picture(signed(dots=()))
    plot.grab()
    assert near(colour_at(plot, 0.0, 1.0), DARK.text, 30)
    plot.show_picture(signed(dots=(), contours=()))
    assert not near(colour_at(plot, 0.0, 1.0), DARK.text, 60)


@pytest.mark.parametrize("count", [2, 3, 7])
def test_each_region_has_the_colour_of_its_winner(plot: DecisionMap, count: int) -> None:
    plot.show_picture(replace(classes(count), dots=()))
    plot.grab()
    for k, angle in enumerate(np.linspace(0, 2 * np.pi, count, endpoint=False)):
        shade = colour_at(plot, 1.6 * np.cos(angle), 1.6 * np.sin(angle))
        away = [
            np.abs(np.array([shade.red(), shade.green(), shade.blue()]) - mixed(class_colour(j, DARK))).sum()
            for j in range(count)
        ]
        assert int(np.argmin(away)) == k
    assert plot.shaded is not None
    # All borders meet in the middle and run along the bisectors.
    points = np.concatenate(plot.shaded.boundary)
    points = points[np.isfinite(points).all(axis=1)]
    angles = np.arctan2(points[:, 1], points[:, 0])[np.hypot(*points.T) > 0.5]
    turn = (angles / (2 * np.pi / count) - 0.5) % 1.0
    assert np.minimum(turn, 1 - turn).max() < 0.06


def mixed(colour: str, share: float = DARK.map_share) -> np.ndarray:
    ink, ground = QColor(colour), QColor(DARK.background)
    both = [(ink.red(), ground.red()), (ink.green(), ground.green()), (ink.blue(), ground.blue())]
    return np.array([share * a + (1 - share) * b for a, b in both])


def test_dots_are_brightest_and_rings_are_hollow(plot: DecisionMap) -> None:
    plot.show_picture(signed())
    plot.grab()
    blue, orange = sign_colours(DARK)
    assert near(colour_at(plot, -1, 0.5), blue, 20) and near(colour_at(plot, 1, 0.5), orange, 20)
    assert not near(colour_at(plot, -1, -0.5), blue, 20) and not near(colour_at(plot, 1, -0.5), orange, 20)


def test_stamped_dots_look_like_true_circles() -> None:
    rng = np.random.default_rng(3)
    x, y = rng.uniform(0.1, 0.9, (2, 40))
    group = Group("a", x, y, np.full(40, 0x56B4E9, np.uint32))
    frame, pictures = Frame(200.0, 200.0, 0.0, 1.0, 0.0, 1.0), []
    from PySide6.QtGui import QPainter

    for ratio in (0.0, 1.0):
        image = QImage(200, 200, QImage.Format.Format_RGB32)
        image.fill(QColor("#000000"))
        painter = QPainter(image)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        draw_dots(painter, frame, [group], DARK, ratio)
        painter.end()
        pictures.append(np.frombuffer(image.constBits(), np.uint8).astype(float))
    assert pictures[0].max() > 200
    assert np.abs(pictures[0] - pictures[1]).mean() < 0.03 * pictures[0].mean() + 1.0


def test_classes_can_be_hidden_by_their_chips(plot: DecisionMap) -> None:
    plot.show_picture(classes())
    plot.grab()
    assert [entry.label for entry in plot.entries()] == ["kind 0", "kind 1", "kind 2"]
    plot.header.chip("class 0").click()
    assert plot.hidden == {"class 0"}
    assert [len(group.x) for group in plot._shown_groups()] == [2]
    assert plot.nearest(1.0, 0.0) is None
    plot.header.chip("class 0").click()
    assert plot.nearest(1.0, 0.0) is not None


def test_readout_tells_value_shares_and_the_nearest_sample(plot: DecisionMap) -> None:
    plot.show_picture(signed())
    plot.grab()
    head, rows = plot.readout(1.0, 0.5)
    assert head == "x₁ 1.000   x₂ 0.5000"
    assert [(row.label, row.value) for row in rows] == [("output", "0.9951"), ("sample of train", "1.000")]
    assert len(plot.readout(0.0, 1.9)[1]) == 1
    plot.show_picture(classes())
    _, rows = plot.readout(1.0, 0.0)
    assert [row.label for row in rows] == ["kind 0", "kind 1", "kind 2", "sample"]
    assert rows[-1].value == "kind 0"
    assert sum(float(row.value.rstrip("%")) for row in rows[:3]) == pytest.approx(100, abs=0.2)
    for at in (QPointF(30, 40), QPointF(-5, 1e4)):
        plot.hovered_at(at)
        assert not plot.grab().isNull()
    plot.hovered_at(None)


def test_sampling_is_bilinear() -> None:
    made = shaded(Map(2 * X + 3 * Y, EXTENT))
    assert made is not None
    rng = np.random.default_rng(0)
    for x, y in rng.uniform(-2, 2, (20, 2)):
        assert made.sample(x, y)[0] == pytest.approx(2 * x + 3 * y, abs=1e-9)
    assert np.isnan(made.sample(2.01, 0)).all() and np.isnan(made.sample(NAN, 0)).all()


def test_a_click_tells_where(plot: DecisionMap, qtbot: QtBot) -> None:
    plot.show_picture(signed())
    plot.grab()
    told: list[tuple[float, float]] = []
    plot.picked.connect(lambda x, y: told.append((x, y)))
    viewport = plot.canvas.viewport()
    qtbot.mouseClick(viewport, Qt.MouseButton.LeftButton, pos=plot.canvas.on_screen(1.0, -0.5))
    qtbot.mouseClick(viewport, Qt.MouseButton.RightButton, pos=plot.canvas.on_screen(1.0, -0.5))
    assert len(told) == 1
    assert told[0] == pytest.approx((1.0, -0.5), abs=0.02)


def test_another_extent_becomes_the_view_and_zoom_stays_otherwise(plot: DecisionMap) -> None:
    plot.show_picture(signed())
    plot.grab()
    with_zoom: list[tuple[float, ...]] = []
    plot.viewChanged.connect(lambda *r: with_zoom.append(r))
    plot.zoom(QPointF(100, 100), 0.5)
    view = plot.canvas.shown_range()
    assert with_zoom == [pytest.approx(view)] and not plot.reset_switch.isHidden()
    plot.show_picture(signed(note="next"))
    assert plot.canvas.shown_range() == view
    plot.show_picture(signed(extent=(0.0, 8.0, 0.0, 2.0)))
    assert plot.canvas.shown_range() == (0.0, 8.0, 0.0, 2.0)
    assert not plot.zoomed and plot.reset_switch.isHidden()


@pytest.mark.parametrize("size", [(700, 300), (300, 600), (420, 400)])
def test_only_equal_spans_are_drawn_square(plot: DecisionMap, size: tuple[int, int]) -> None:
    plot.resize(*size)
    plot.show_picture(signed())
    plot.grab()
    frame = plot.canvas.frame()
    assert frame.width <= frame.height + 1.5
    axis = plot.canvas.left_axis
    assert axis.mapRectToScene(axis.rect()).right() == pytest.approx(
        plot.canvas.view.mapToScene(QPointF(0, 0)).x(), abs=1
    )
    plot.show_picture(signed(extent=(-2.0, 2.0, 0.0, 1.0)))
    plot.grab()
    assert plot.canvas.frame().width > size[0] - 110


@pytest.mark.parametrize(
    "odd",
    [
        signed(values=np.full((5, 5), NAN)),
        signed(values=np.full((5, 5), 2.0)),
        signed(values=np.array([[1e308, -1e308], [INF, 0.0]])),
        signed(values=np.zeros((0, 0))),
        signed(values=np.zeros((1, 1))),
        signed(values=np.zeros(4)),
        signed(extent=(1.0, 1.0, 0.0, 1.0)),
        signed(extent=(NAN, 1.0, 0.0, INF)),
        signed(extent=(2.0, -2.0, 2.0, -2.0)),
        signed(low=-0.5, high=0.5, contours=(0.0, NAN, 5.0)),
        signed(scale="plain", low=1.0, high=1.0),
        signed(dots=(Dots("a", np.array([NAN, 1e300]), np.array([0.0, 0.0]), np.array([INF, NAN])),)),
        signed(
            dots=(Dots("a", np.zeros(0), np.zeros(0), np.zeros(0)), Dots("b", np.zeros(3), np.zeros(2), np.zeros(3)))
        ),
        signed(
            paths=(("way", np.array([NAN, 0, 1e300]), np.array([0.0, 0.1, 0.2])), ("none", np.zeros(0), np.zeros(0)))
        ),
        classes(1),
        replace(classes(), values=np.full((3, 4, 4), NAN)),
        replace(classes(), values=np.full((3, 4, 4), 1 / 3), classes=()),
        replace(classes(), dots=(Dots("", np.zeros(3), np.zeros(3), np.array([-1.0, 99.0, NAN])),)),
    ],
)
def test_odd_maps_are_drawn(plot: DecisionMap, odd: Map, tmp_path: Path) -> None:
    plot.show_picture(odd)
    plot.hovered_at(QPointF(60, 60))
    assert not plot.grab().isNull()
    plot.hovered_at(None)
    plot.apply_theme(LIGHT)
    assert plot.grab().toImage().pixelColor(1, 1).name() == LIGHT.background
    text = export_picture(plot, tmp_path / "a.svg").read_text()
    assert "nan" not in re.sub(r"base64,[^\"]+", "", text)


def test_nothing_yet_and_nothing_again(plot: DecisionMap) -> None:
    plot.show_picture(None)
    before = plot.grab().toImage()
    plot.show_picture(signed())
    assert plot.grab().toImage() != before
    plot.show_picture(None)
    assert plot.entries() == [] and plot.canvas.bottom.blank
    assert not plot.grab().isNull()


def test_paths_have_heads_and_chips(plot: DecisionMap) -> None:
    way = np.linspace(-1.5, 1.5, 30)
    plot.show_picture(signed(paths=(("adam", way, way**2 / 2),), dots=()))
    plot.grab()
    assert [entry.label for entry in plot.entries()] == ["adam"]
    assert near(colour_at(plot, 1.5, 1.125), "#ff7eb6", 20)
    plot.set_hidden("path adam", True)
    assert not near(colour_at(plot, 1.5, 1.125), "#ff7eb6", 60)


def test_dots_are_kept_while_they_stay_the_same(plot: DecisionMap) -> None:
    picture = signed()
    plot.show_picture(picture)
    plot.grab()
    assert plot._sheet is not None
    kept = plot._sheet.made
    again = tuple(Dots(d.name, d.x.copy(), d.y.copy(), d.value.copy(), d.hollow) for d in picture.dots)
    plot.show_picture(signed(values=np.tanh(2 * X), dots=again))
    plot.grab()
    assert plot._sheet.made is kept
    moved = replace(again[0], x=again[0].x + 0.5)
    plot.show_picture(signed(dots=(moved, again[1])))
    plot.grab()
    assert plot._sheet.made is not kept


def test_the_twin_is_the_same_picture(plot: DecisionMap) -> None:
    plot.show_picture(signed())
    plot.grab()
    plot.zoom(QPointF(100, 100), 0.7)
    twin = plot.clone(PRINT)
    assert twin.picture is plot.picture and twin.for_picture and plot.theme is DARK
    assert twin.canvas.shown_range() == plot.canvas.shown_range()
    assert twin.key_strip.isVisibleTo(twin) and not twin.reset_switch.isVisibleTo(twin)
    twin.deleteLater()


@pytest.mark.parametrize("picture", [signed(), classes()])
def test_exports(plot: DecisionMap, picture: Map, tmp_path: Path) -> None:
    plot.show_picture(picture)
    plot.grab()
    plot.zoom(QPointF(100, 100), 0.5)
    with Image.open(export_picture(plot, tmp_path / "a.png", scale=2)) as image:
        assert image.size == (840, 800)
        assert image.convert("RGB").getpixel((2, 2)) == (255, 255, 255)
        assert len(image.convert("RGB").getcolors(1 << 24) or []) > 200
    root = ElementTree.fromstring(export_picture(plot, tmp_path / "a.svg").read_bytes())
    kinds = {element.tag.split("}")[1] for element in root.iter()}
    assert "clipPath" not in kinds and "image" in kinds
    for element in root.iter():
        points = element.get("points") or element.get("d") or ""
        assert all(abs(float(v)) < 1000 for v in re.findall(r"-?\d+(?:\.\d+)?(?:e[+-]?\d+)?", points))


def test_the_key_names_its_bar_and_gives_way_from_the_right(qtbot: QtBot) -> None:
    parent = QWidget()
    qtbot.addWidget(parent)
    key = Key(DARK, parent)
    bar = (0.0, 1.0, QImage(8, 1, QImage.Format.Format_RGB32))
    key.show_key((("training", False), ("test", True)), bar, "factor per step")
    told = []
    for width in (900, 330, 250, 120):
        parent.resize(width, 20)
        told.append(key._told())
    assert told == [(True, True, True), (True, True, False), (True, False, False), (False, False, False)]
    assert "factor per step" in key.accessibleName()
