"""The plots of pictures: matrices, small images, tables, histograms, and lines over any abscissa."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QHelpEvent, QImage, QMouseEvent, QWheelEvent
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from engine.picture import Bars, Histogram, Images, Line, Lines, Matrix, Table, histogram
from gui.palette import series_style
from gui.plots import canvas
from gui.plots.bars import BarsPlot
from gui.plots.board import Board
from gui.plots.curves import Curves
from gui.plots.export import export_picture, paint_image, prepared
from gui.plots.images import ImagesPlot
from gui.plots.lines import LinesPlot
from gui.plots.matrix import MatrixPlot
from gui.plots.panel import Panel
from gui.plots.pictures import plot_for
from gui.plots.readout import Row
from gui.plots.series import LogFrame, Series
from gui.plots.shades import UNDEFINED, ink_table, places, plain_table, signed_table, words_on
from gui.plots.table import TablePlot
from gui.tokens import DARK, LIGHT, PRINT, Theme, contrast

Make = Callable[[Theme], QWidget]
RANDOM = np.random.RandomState(42)
DIGITS = tuple("0123456789")
NOT = np.array([[math.nan, math.inf], [-math.inf, math.nan]])


def matrix(values: object, **more: object) -> Matrix:
    """A matrix with numbered rows and columns."""
    made = np.asarray(values, float)
    rows, columns = made.shape if made.ndim == 2 else (0, 0)
    return Matrix(made, tuple(map(str, range(rows))), tuple(map(str, range(columns))), "true", "said", **more)  # type: ignore[arg-type]


CONFUSION = matrix(np.diag(RANDOM.randint(150, 190, 10)) + RANDOM.poisson(0.6, (10, 10)))
TABLE = Table(
    ("what is claimed", "steps", "loss"),
    tuple((f"claim {i}: momentum halves the steps on a long ravine", str(i * 7), f"{i / 3:.3f}") for i in range(30)),
    (1, 4),
    "measured here",
)
HUGE = (
    histogram("huge", np.array([1e308, -1e308, math.inf])),
    Histogram("wide", np.array([-1.7e308, 0, 1.7e308]), np.ones(2)),
)
BAD = Histogram("bad", np.array([0, math.nan, 1]), np.ones(2))
X = np.arange(9.0)
FAR = Line("huge", np.array([1.0, 2]), np.array([-1e308, 1e308]))
PICTURES: dict[str, list[object]] = {
    "matrix": [
        CONFUSION,
        matrix(np.zeros((0, 0))),
        matrix([[3.0]]),
        matrix(NOT, scale="signed"),
        matrix([[1e308, -1e308], [1e-320, 0]], scale="signed"),
        matrix(RANDOM.randn(300, 400), numbers=False, note="weights"),
        matrix(RANDOM.randn(40, 60) * 1e9),
        Matrix(np.ones((3, 3)), ("only one",), (), "", ""),
    ],
    "images": [
        Images(RANDOM.rand(10, 8, 8), DIGITS, marked=(3, 99)),
        Images(np.zeros((0, 8, 8))),
        Images(np.full((1, 1, 1), 7.0), ("one",), "signed"),
        Images(np.stack([NOT, NOT]), scale="signed"),
        Images(np.array([[[1e308, -1e308]]])),
        Images(RANDOM.randn(3000, 5, 5), tuple(map(str, range(3000))), note="many"),
        Images(RANDOM.rand(2, 400, 3)),
    ],
    "table": [
        TABLE,
        Table((), ()),
        Table(("a", "b"), ()),
        Table(("a",), (("",), ("x" * 3000,), ("two\nlines",))),
        Table(("a", "b", "c"), (("short row",), ("a", "b", "c", "d"))),
        Table(tuple(f"column {i}" for i in range(40)), tuple(tuple(map(str, range(40))) for _ in range(9))),
    ],
    "bars": [
        Bars(tuple(histogram(f"layer {i}", RANDOM.randn(300), note="12 % zeros") for i in range(3)), note="weights"),
        Bars(()),
        Bars((Histogram("none", np.array([0.0]), np.array([])),)),
        Bars((histogram("nan", np.full(5, math.nan)), histogram("equal", np.full(5, 3.0)), *HUGE), log=True),
        Bars((BAD, Histogram("fine", np.arange(2001.0), np.arange(2000)))),
        Bars(tuple(histogram(f"layer number {i}", RANDOM.randn(50)) for i in range(60)), log=True),
    ],
    "lines": [
        Lines((Line("a", X, X, X - 1, X + 1),), ((3.0, "here"),), "n"),
        Lines(()),
        Lines((Line("one", np.array([3.0]), np.array([4.0])), Line("none", np.array([]), np.array([])))),
        Lines((Line("odd", np.array([1.0, 2, math.nan, 4]), np.array([math.nan, math.inf, 1, 2])),)),
        Lines((Line("far", np.array([-1e308, 1e308]), np.ones(2)), FAR)),
        Lines((FAR, Line("theory", np.ones(2), np.ones(2), dashed=True))),
        Lines((Line("dots", np.arange(5000.0), RANDOM.randn(5000), points=True), Line("dots", np.ones(3), np.ones(4)))),
    ],
}
KINDS: dict[str, Make] = {
    "matrix": lambda theme: MatrixPlot("Confusion", theme),
    "images": lambda theme: ImagesPlot("Digits", theme),
    "table": lambda theme: TablePlot("Results", theme),
    "bars": lambda theme: BarsPlot("Weights", theme),
    "lines": lambda theme: LinesPlot("Error", "width", "error", False, theme),
}
ALL = [(kind, index) for kind, pictures in PICTURES.items() for index in range(len(pictures))]


def made(qtbot: QtBot, kind: str, picture: object, theme: Theme = DARK, size: tuple[int, int] = (250, 190)) -> QWidget:
    """A plot that shows a picture."""
    plot = KINDS[kind](theme)
    qtbot.addWidget(plot)
    plot.show_picture(picture)  # type: ignore[attr-defined]
    plot.resize(*size)
    plot.grab()
    return plot


def board(qtbot: QtBot, kind: str, picture: object, size: tuple[int, int] = (250, 190)) -> Board:
    """A plot without axes that shows a picture."""
    plot = made(qtbot, kind, picture, DARK, size)
    assert isinstance(plot, Board)
    return plot


def area(plot: Board) -> QRectF:
    """Where a board paints."""
    return plot.area(QRectF(plot.ground.rect()))


def mouse(plot: Board, at: QPointF, kind: QEvent.Type, button: Qt.MouseButton = Qt.MouseButton.NoButton) -> None:
    """Send a mouse event to a plot that no screen shows."""
    none = Qt.KeyboardModifier.NoModifier
    event = QMouseEvent(kind, at, plot.ground.mapToGlobal(at), button, button, none)
    QApplication.sendEvent(plot.ground, event)


def words_of(plot: QWidget, path: Path) -> list[str]:
    """Every word in the picture of a plot."""
    root = ElementTree.fromstring(export_picture(plot, path).read_bytes())
    return [element.get("aria-label", "") for element in root.iter() if element.get("aria-label")]


# -- all of them -----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(("kind", "index"), ALL)
def test_anything_is_drawn_at_every_size_theme_and_scale(qtbot: QtBot, kind: str, index: int) -> None:
    plot = made(qtbot, kind, PICTURES[kind][index])
    for theme in (DARK, LIGHT.scaled(1.5), PRINT):
        plot.apply_theme(theme)  # type: ignore[attr-defined]
        for size in ((160, 100), (250, 190), (800, 500)):
            plot.resize(*size)
            image = plot.grab().toImage()
            assert (image.width(), image.height()) == size
            if isinstance(plot, Board):  # the mouse everywhere
                inside = area(plot)
                for share in (0.02, 0.4, 0.98):
                    plot.mouse = inside.topLeft() + QPointF(share * inside.width(), share * inside.height())
                    plot.grab()
                plot.mouse = None
    plot.show_picture(None)  # type: ignore[attr-defined]
    plot.grab()


@pytest.mark.parametrize(("kind", "index"), ALL)
def test_the_picture_stays_within_its_edges(qtbot: QtBot, tmp_path: Path, kind: str, index: int) -> None:
    """SVG has no clip: no point of any shape may lie far outside."""
    plot = made(qtbot, kind, PICTURES[kind][index])
    root = ElementTree.fromstring(export_picture(plot, tmp_path / "a.svg").read_bytes())
    frame = QRectF(-8, -8, 266, 206)
    for element, (a, b, c, d, e, f) in _placed(root):
        for x, y in _corners(element):
            px, py = a * x + c * y + e, b * x + d * y + f
            assert frame.contains(px, py), (element.tag, element.get("aria-label"), px, py)


def _placed(
    element: ElementTree.Element, at: tuple[float, ...] = (1.0, 0.0, 0.0, 1.0, 0.0, 0.0)
) -> list[tuple[ElementTree.Element, tuple[float, ...]]]:
    """Every element with the transformation in force there."""
    found = re.match(r"matrix\(([^)]*)\)", element.get("transform", ""))
    if found:
        a, b, c, d, e, f = (float(v) for v in found.group(1).split(","))
        p, q, r, s, t, u = at
        at = (p * a + r * b, q * a + s * b, p * c + r * d, q * c + s * d, p * e + r * f + t, q * e + s * f + u)
    return [(element, at), *(pair for child in element for pair in _placed(child, at))]


def _corners(element: ElementTree.Element) -> list[tuple[float, float]]:
    tag = element.tag.rsplit("}", 1)[-1]
    if tag in ("path", "polygon", "polyline"):
        told = element.get("points") or element.get("d") or ""
        numbers = [float(v) for v in re.findall(r"-?\d+(?:\.\d+)?(?:e[+-]?\d+)?", told)]
        return list(zip(numbers[::2], numbers[1::2], strict=True))
    if tag in ("rect", "image"):
        x, y, wide, high = (float(element.get(name, "0")) for name in ("x", "y", "width", "height"))
        return [(x, y), (x + wide, y + high)]
    return []


@pytest.mark.parametrize("kind", list(PICTURES))
def test_a_twin_shows_the_same_in_another_theme(qtbot: QtBot, tmp_path: Path, kind: str) -> None:
    plot = made(qtbot, kind, PICTURES[kind][0])
    before = plot.grab().toImage()
    twin = plot.clone(PRINT)  # type: ignore[attr-defined]
    qtbot.addWidget(twin)
    assert twin.picture is plot.picture  # type: ignore[attr-defined]
    assert (twin.size(), twin.accessibleName()) == (plot.size(), plot.accessibleName())
    # The twin in our own theme is our own picture, but for the switches.
    own = plot.clone(DARK)  # type: ignore[attr-defined]
    qtbot.addWidget(own)
    own.grab()
    top = plot.header.height()  # type: ignore[attr-defined]
    if isinstance(plot, Board):
        both = [image.copy(0, top, 250, 190 - top) for image in (before, own.grab().toImage())]
        assert both[0] == both[1]
    twin.grab()
    assert twin.grab().toImage().pixelColor(1, 1) == QColor(PRINT.background)
    assert plot.grab().toImage() == before
    assert words_of(plot, tmp_path / "a.svg") == words_of(own, tmp_path / "b.svg")


@pytest.mark.parametrize("kind", list(PICTURES))
@pytest.mark.parametrize("ending", ["png", "svg", "pdf"])
def test_pictures_can_be_taken_home(qtbot: QtBot, tmp_path: Path, kind: str, ending: str) -> None:
    plot = made(qtbot, kind, PICTURES[kind][0])
    target = export_picture(plot, tmp_path / f"a.{ending}", scale=2)
    if ending == "png":
        image = QImage(str(target))
        assert (image.width(), image.height()) == (500, 380)
        colours = {image.pixelColor(x, y).name() for x in range(0, 500, 3) for y in range(0, 380, 3)}
        assert len(colours) > 5
    elif ending == "svg":
        assert "nan" not in re.sub(r"base64,[^\"]+", "", target.read_text())
    else:
        assert target.read_bytes().startswith(b"%PDF-")


@pytest.mark.parametrize("kind", list(PICTURES))
def test_every_plot_has_a_name_and_a_factory(qtbot: QtBot, kind: str) -> None:
    plot = plot_for(kind, "Its title", "x", "y", False, LIGHT)  # type: ignore[arg-type]
    qtbot.addWidget(plot)
    assert type(plot) is type(made(qtbot, kind, None))
    assert plot.accessibleName() == "Its title"
    assert plot.theme is LIGHT  # type: ignore[attr-defined]


# -- shades ----------------------------------------------------------------------------------------------------------
def test_places_of_numbers() -> None:
    found, low, high = places(np.array([-2.0, 0, 1, math.nan]), "signed")
    assert (low, high) == (-2, 2)
    assert found.tolist() == [0, 128, 191, UNDEFINED]
    found, low, high = places(np.array([10.0, 15, 20, math.inf]), "plain")
    assert (found.tolist(), low, high) == ([0, 128, 255, UNDEFINED], 10, 20)
    assert places(np.array([-1.7e308, 1.7e308]), "plain")[0].tolist() == [0, 255]
    assert places(np.array([5.0, 5.0]), "plain")[0].tolist() == [128, 128]
    assert places(np.zeros(2), "plain")[0].tolist() == [0, 0]
    few = places(np.array([0.0, 1, 190]), "plain")[0]
    assert few[0] == 0 and few[1] >= 20  # one miss is no blank


@pytest.mark.parametrize("theme", [DARK, LIGHT, PRINT], ids=lambda theme: theme.name)
@pytest.mark.parametrize("make", [plain_table, signed_table, ink_table])
def test_words_can_be_read_on_every_shade(make: Callable[[Theme], np.ndarray], theme: Theme) -> None:
    table = make(theme)
    inks = words_on(table, theme)
    assert table.shape == (257,)
    assert f"#{int(table[256]) & 0xFFFFFF:06x}" == theme.background
    worst = min(contrast(ink, f"#{int(v) & 0xFFFFFF:06x}") for ink, v in zip(inks, table, strict=True))
    assert worst >= (3.9 if make is not ink_table else 3.5)
    away = [contrast(theme.background, f"#{int(v) & 0xFFFFFF:06x}") for v in table[128:256:8]]
    assert away == sorted(away)  # farther from the middle is farther from the ground


# -- matrix ----------------------------------------------------------------------------------------------------------
def test_a_confusion_matrix_is_readable_in_a_small_plot(qtbot: QtBot, tmp_path: Path) -> None:
    plot = board(qtbot, "matrix", CONFUSION)
    words = words_of(plot, tmp_path / "a.svg")
    counts = [f"{v:.0f}" for v in CONFUSION.values.ravel()]
    assert all(words.count(w) >= counts.count(w) for w in set(counts))  # every number of it
    assert {"true ↓", "said →"} <= set(words)
    plot.resize(170, 130)
    assert not set(words_of(plot, tmp_path / "a.svg")) & {w for w in counts if len(w) == 3}


def test_the_matrix_tells_row_column_and_number(qtbot: QtBot) -> None:
    plot = board(qtbot, "matrix", Matrix(np.array([[1, 2.5], [3, -4]]), ("a", "b"), ("c", "d"), "true", "said"))
    assert isinstance(plot, MatrixPlot)
    grid = plot.grid(area(plot))
    assert grid is not None
    told = plot.told(grid.cell(0, 1).center(), area(plot))
    assert told is not None
    assert [(row.label, row.value) for row in told[1]] == [("true", "a"), ("said", "d"), ("value", "2.5")]
    assert plot.told(grid.cells.topLeft() - QPointF(3, 3), area(plot)) is None
    plain = plot.grab().toImage()
    mouse(plot, grid.cell(1, 1).center(), QEvent.Type.MouseMove)
    assert plot.grab().toImage() != plain
    QApplication.sendEvent(plot.ground, QEvent(QEvent.Type.Leave))
    assert plot.grab().toImage() == plain


def test_labels_of_many_rows_are_thinned(qtbot: QtBot, tmp_path: Path) -> None:
    plot = board(qtbot, "matrix", matrix(RANDOM.randn(40, 60), numbers=False))
    words = words_of(plot, tmp_path / "a.svg")
    assert {"0", "20", "40"} <= set(words) and "1" not in words and "39" not in words


# -- images ----------------------------------------------------------------------------------------------------------
def test_images_are_scaled_without_blur(qtbot: QtBot) -> None:
    checked = np.indices((4, 4)).sum(axis=0) % 2
    plot = board(qtbot, "images", Images(checked[None].astype(float)))
    assert isinstance(plot, ImagesPlot)
    tiles = plot.tiles(area(plot))
    assert tiles is not None
    box = tiles.tile(0).toRect()
    image = plot.ground.grab().toImage().copy(box.adjusted(1, 1, -1, -1))
    shades = {image.pixelColor(x, y).name() for x in range(image.width()) for y in range(image.height())}
    assert shades == {DARK.background, DARK.text}  # light on dark, and nothing between
    plot.apply_theme(LIGHT)
    image = plot.ground.grab().toImage().copy(box.adjusted(2, 2, -2, -2))
    first = image.pixelColor(0, 0).name()
    assert first == LIGHT.background  # a nought is paper


def test_images_tell_and_are_picked(qtbot: QtBot) -> None:
    values = np.arange(10 * 4.0).reshape(10, 2, 2)
    plot = board(qtbot, "images", Images(values, tuple("abcdefghij")))
    assert isinstance(plot, ImagesPlot)
    tiles = plot.tiles(area(plot))
    assert tiles is not None and tiles.shown == 10
    at = tiles.tile(6).bottomRight() - QPointF(2, 2)
    told = plot.told(at, area(plot))
    assert told is not None and told[0] == "g"
    assert [row.value for row in told[1]] == ["1, 1", "27.00"]
    with qtbot.waitSignal(plot.picked) as blocker:
        mouse(plot, at, QEvent.Type.MouseButtonRelease, Qt.MouseButton.LeftButton)
    assert blocker.args == [6]
    with qtbot.assertNotEmitted(plot.picked):
        mouse(plot, tiles.tile(0).topLeft() - QPointF(3, 3), QEvent.Type.MouseButtonRelease, Qt.MouseButton.LeftButton)
        mouse(plot, at, QEvent.Type.MouseButtonRelease, Qt.MouseButton.RightButton)


def test_the_best_grid_is_chosen(qtbot: QtBot) -> None:
    plot = board(qtbot, "images", Images(RANDOM.rand(12, 8, 8)), (640, 200))
    assert isinstance(plot, ImagesPlot)
    wide = plot.tiles(area(plot))
    plot.resize(200, 640)
    plot.grab()
    tall = plot.tiles(area(plot))
    assert wide is not None and tall is not None
    assert (wide.columns, tall.columns) == (6, 2)
    assert wide.wide % 8 == 0  # whole pixels


# -- table -----------------------------------------------------------------------------------------------------------
def test_a_table_says_what_is_left_over_and_scrolls(qtbot: QtBot, tmp_path: Path) -> None:
    plot = board(qtbot, "table", TABLE)
    assert isinstance(plot, TablePlot)
    sheet = plot.sheet(area(plot))
    assert sheet is not None and sheet.numbers == (False, True, True)
    words = words_of(plot, tmp_path / "a.svg")
    assert f"and {30 - sheet.shown} more rows" in words and "7" in words and "203" not in words
    qtbot.keyClick(plot, Qt.Key.Key_PageDown)
    assert plot.first == sheet.shown
    qtbot.keyClick(plot, Qt.Key.Key_End)
    words = words_of(plot, tmp_path / "a.svg")
    assert "203" in words and f"{30 - sheet.shown} above" in words
    wheel(plot, 120)
    assert plot.first == 30 - sheet.shown - 3
    for _ in range(20):
        wheel(plot, 120)
    assert plot.first == 0
    plot.resize(800, 900)
    plot.grab()
    assert "and" not in " ".join(words_of(plot, tmp_path / "a.svg"))


def wheel(plot: TablePlot, turn: int, keys: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
    """Turn the wheel over a table."""
    at = QPointF(20, 60)
    event = QWheelEvent(
        at, plot.mapToGlobal(at), QPoint(), QPoint(0, turn), Qt.MouseButton.NoButton, keys,
        Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    QApplication.sendEvent(plot, event)


def test_a_cell_that_is_cut_is_told_whole(qtbot: QtBot) -> None:
    plot = board(qtbot, "table", TABLE)
    assert isinstance(plot, TablePlot)
    inside = area(plot)
    sheet = plot.sheet(inside)
    assert sheet is not None
    middle = inside.top() + 2.5 * sheet.row
    told = plot.told(QPointF(sheet.lefts[0] + 5, middle), inside)
    assert told is not None and told[0] == "what is claimed"
    assert " ".join(row.label for row in told[1]) == TABLE.rows[1][0]
    assert plot.told(QPointF(sheet.lefts[1] + 5, middle), inside) is None
    foot = plot.told(QPointF(sheet.lefts[0], inside.top() + (sheet.shown + 1.5) * sheet.row), inside)
    assert foot == (plot.rest(sheet), [Row("Wheel, or ↑ ↓")])


def test_many_columns_are_reached_sideways(qtbot: QtBot, tmp_path: Path) -> None:
    plot = board(qtbot, "table", PICTURES["table"][-1])
    assert isinstance(plot, TablePlot)
    assert any("columns" in words for words in words_of(plot, tmp_path / "a.svg"))
    for _ in range(60):
        qtbot.keyClick(plot, Qt.Key.Key_Right)
    assert {"column 0", "column 39"} <= set(words_of(plot, tmp_path / "a.svg"))
    for _ in range(60):
        qtbot.keyClick(plot, Qt.Key.Key_Left)
    assert plot.side == 0
    wheel(plot, -120, Qt.KeyboardModifier.ShiftModifier)
    assert plot.side == 1


def test_where_all_rows_are_seen_the_wheel_goes_sideways(qtbot: QtBot) -> None:
    many = Table(tuple(f"column {i}" for i in range(40)), (tuple(str(i) for i in range(40)),))
    plot = board(qtbot, "table", many)
    assert isinstance(plot, TablePlot)
    sheet = plot.sheet(area(plot))
    assert sheet is not None and plot.rest(sheet) == f"and {40 - len(sheet.columns)} more columns"
    foot = QPointF(sheet.lefts[0] + 5, area(plot).top() + 2.5 * sheet.row)
    assert plot.told(foot, area(plot)) == (plot.rest(sheet), [Row("Wheel, or ← →")])
    wheel(plot, -120)
    wheel(plot, -120)
    assert plot.side == 2
    wheel(plot, 120)
    assert plot.side == 1


# -- bars ------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("log", [False, True])
def test_bars_are_as_high_as_their_counts(qtbot: QtBot, log: bool) -> None:
    counts = np.array([1.0, 4, 0, 9])
    plot = board(qtbot, "bars", Bars((Histogram("one", np.linspace(-1, 1, 5), counts, "adam"),), log), (400, 300))
    assert isinstance(plot, BarsPlot)
    frames = plot.frames(area(plot))
    assert frames is not None
    body = frames.frame(0)
    image = plot.ground.grab().toImage()
    ground = QColor(DARK.background).name()
    highs = []
    for k in range(4):
        x = round(body.left() + (k + 0.5) * body.width() / 4)
        column = [image.pixelColor(x, y).name() for y in range(round(body.top() + 16), round(body.bottom() - 14))]
        highs.append(len([c for c in column if c != ground]))
    expected = np.log1p(counts) / math.log(10) if log else counts / 9
    assert highs == pytest.approx(expected * highs[3], abs=2)
    assert highs[2] <= 1


def test_bars_tell_bin_count_and_share(qtbot: QtBot) -> None:
    group = Histogram("layer 1", np.array([-1.0, 0, 1, 2]), np.array([1, 6, 3]), note="40 % zeros")
    plot = board(qtbot, "bars", Bars((group, group)))
    assert isinstance(plot, BarsPlot)
    frames = plot.frames(area(plot))
    assert frames is not None
    told = plot.told(frames.frame(1).center(), area(plot))
    assert told is not None and told[0] == "layer 1"
    lines = [(row.label, row.value) for row in told[1]]
    assert lines == [("0 to 1.00", ""), ("count", "6"), ("share", "60.0%"), ("40 % zeros", "")]
    assert plot.told(area(plot).topLeft() - QPointF(9, 9), area(plot)) is None


def test_many_layers_wrap_into_rows(qtbot: QtBot, tmp_path: Path) -> None:
    groups = tuple(histogram(f"layer {i}", RANDOM.randn(90)) for i in range(8))
    plot = board(qtbot, "bars", Bars(groups))
    assert isinstance(plot, BarsPlot)
    frames = plot.frames(area(plot))
    assert frames is not None and frames.shown == 8 and 1 < frames.columns < 8
    assert {group.name for group in groups} <= set(words_of(plot, tmp_path / "a.svg"))
    plot.show_picture(PICTURES["bars"][-1])
    frames = plot.frames(area(plot))
    assert frames is not None
    assert f"and {60 - frames.shown} more" in words_of(plot, tmp_path / "a.svg")


# -- lines, and what Curves learned for them -------------------------------------------------------------------------
def test_lines_keep_what_others_laid_over_them(qtbot: QtBot) -> None:
    plot = made(qtbot, "lines", PICTURES["lines"][0])
    assert isinstance(plot, LinesPlot)
    plot.set_overlay("overlay 0", [0, 100], [1, 1], "drawn in the chapter")
    plot.set_hidden("line/a", True)
    line = Line("a", np.arange(5.0), np.ones(5))
    plot.show_picture(Lines((line, Line("theory", np.arange(6.0), np.ones(6), dashed=True)), ((2.0, "turn"),)))
    assert list(plot.series) == ["line/a", "line/theory", "overlay 0"]
    assert plot.hidden == {"line/a"} and plot.series["line/theory"].overlay
    assert plot.events == [(2.0, "turn")]
    plot.set_hidden("line/a", False)
    assert plot.home()[:2] == (0, 5)  # what was laid over does not stretch it
    plot.show_picture(None)  # names keep their place in the legend until others come
    assert list(plot.series) == ["line/a", "line/theory", "overlay 0"]
    assert [s.x.size for s in plot.series.values()] == [0, 0, 2] and not plot.events
    plot.show_picture(Lines((Line("b", np.arange(2.0), np.ones(2)),)))
    assert list(plot.series) == ["line/b", "overlay 0"]


def test_a_remark_keeps_its_room_for_the_next_one(qtbot: QtBot) -> None:
    plot = made(qtbot, "lines", None)
    assert isinstance(plot, LinesPlot) and plot.note.isHidden()
    plot.show_picture(None)
    assert plot.note.isHidden()
    line = Line("a", np.arange(5.0), np.ones(5))
    plot.show_picture(Lines((line,), note="seen"))
    plot.show_picture(None)
    assert not plot.note.isHidden() and plot.note.text == ""
    plot.show_picture(Lines((line,)))
    assert plot.note.isHidden()


def test_lines_tell_values_and_marks_and_no_cursor(qtbot: QtBot) -> None:
    plot = LinesPlot("Error", "width", "error", False, DARK)
    other = Curves("Loss", theme=DARK)
    panel = Panel(other, [plot], theme=DARK)  # which owns them
    qtbot.addWidget(panel)
    plot.show_picture(PICTURES["lines"][0])  # type: ignore[arg-type]
    panel.resize(500, 500)
    panel.grab()
    head, rows = plot.readout(3.1)
    assert (head, [(row.label, row.value) for row in rows]) == ("width 3", [("a", "3.000"), ("here", "")])
    with qtbot.assertNotEmitted(plot.cursorMoved), qtbot.assertNotEmitted(plot.hovered):
        qtbot.mouseClick(plot.canvas.viewport(), Qt.MouseButton.LeftButton, pos=plot.canvas.on_screen(4, 4))
        plot.hovered_at(QPointF(20, 20))
        assert plot.hover is not None
        qtbot.keyClick(plot.canvas, Qt.Key.Key_Right)
    before = plot.hover
    other.hovered.emit(77.0)
    assert plot.hover == before


def test_the_note_takes_room_only_where_there_is_one(qtbot: QtBot) -> None:
    plot = made(qtbot, "lines", Lines((Line("a", np.arange(3.0), np.arange(3.0)),), note="five seeds"))
    assert isinstance(plot, LinesPlot)
    assert not plot.note.isHidden() and plot.note.toolTip() == "five seeds"
    twin = prepared(plot, PRINT)
    assert isinstance(twin, LinesPlot) and twin.note.text == "five seeds"
    twin.deleteLater()
    plot.show_picture(Lines(()))
    assert plot.note.isHidden()


@pytest.fixture
def decades(qtbot: QtBot) -> Curves:
    """A power law over five decades, both axes logarithmic."""
    plot = Curves("Error", "width", "error", True, DARK, log_x=True)
    qtbot.addWidget(plot)
    x = np.concatenate([[0.0], np.logspace(0, 5, 400)])
    plot.set_series("a", "a", series_style("adam"))
    plot.set_data("a", x, np.concatenate([[1.0], 1 / np.logspace(0, 5, 400)]))
    plot.resize(500, 400)
    plot.grab()
    return plot


def test_a_logarithmic_abscissa_has_decades(decades: Curves) -> None:
    x0, x1, _, _ = decades.canvas.shown_range()
    assert (x0, x1) == (0.0, 5.0)
    assert decades.canvas.bottom.marks()[1] == ["1", "10", "10²", "10³", "10⁴", "10⁵"]
    assert decades.hint() == "1 at width ≤ 0 not shown"
    frame = decades._frame()
    assert isinstance(frame, LogFrame)
    assert frame.px(np.array([1.0, 1e5, 0.0, -3.0])) == pytest.approx([0, frame.width, math.nan, math.nan], nan_ok=True)
    assert frame.x(frame.width / 5) == pytest.approx(10)
    assert decades.clone(PRINT).log_x


def test_a_power_law_is_straight_on_two_logarithmic_axes(decades: Curves) -> None:
    picture = paint_image(prepared(decades, PRINT, (500, 400)))
    colour = QColor(series_style("adam").light)
    at = [
        (x, y)
        for x in range(picture.width())
        for y in range(40, picture.height())
        if abs(picture.pixelColor(x, y).red() - colour.red()) < 30
        and abs(picture.pixelColor(x, y).green() - colour.green()) < 30
    ]
    xs, ys = np.array(at, float).T
    assert len(at) > 200
    assert abs(np.corrcoef(xs, ys)[0, 1]) > 0.999


def test_scrubbing_on_a_logarithmic_abscissa_tells_data(decades: Curves, qtbot: QtBot) -> None:
    frame = decades.canvas.frame()
    with qtbot.waitSignal(decades.cursorMoved) as blocker:
        decades.dragged(QPointF(0.6 * frame.width, 10))
    assert blocker.args == [pytest.approx(1000)]
    decades.set_cursor(1000)
    decades.hovered_at(QPointF(0.4 * frame.width, 10))
    assert decades.hover == pytest.approx(100)
    decades.set_x_range(10, 1000)
    assert decades.canvas.shown_range()[:2] == (1, 3)
    decades.grab()


def test_nearest_is_nearest_to_the_eye() -> None:
    series = Series("a", None, x=np.array([0.0, 1, 10, 100]), y=np.zeros(4))
    assert series.nearest(40) == 2 and series.nearest(40, True) == 3
    assert series.nearest(-5, True) is None and series.nearest(1e9, True) is None


def ink(image: QImage, colour: str) -> np.ndarray:
    """Rows and columns of the pixels of about this colour, [n, 2]."""
    data = np.frombuffer(image.convertToFormat(QImage.Format.Format_RGB32).constBits(), np.uint8)
    pixels = data.reshape(image.height(), -1, 4)[:, : image.width(), 2::-1].astype(int)
    wanted = QColor(colour)
    off = np.abs(pixels - np.array([wanted.red(), wanted.green(), wanted.blue()]))
    return np.argwhere(off.max(axis=2) < 40)


def test_values_without_a_logarithm_are_marked_on_the_floor(qtbot: QtBot) -> None:
    style = series_style("adam")
    plot = Curves("Loss", "step", "loss", True, DARK)
    qtbot.addWidget(plot)
    plot.set_series("a", "a", style)
    plot.set_data("a", [0, 1, 2, 3, 4], [1, 0.1, 0, -1, 0.01])
    plot.resize(400, 300)
    plot.grab()
    assert plot.hint() == "2 values ≤ 0, marked at the floor"
    found = ink(plot.grab().toImage(), style.dark)
    foot = plot.canvas.mapTo(plot, plot.canvas.on_screen(0, plot.canvas.shown_range()[2])).y()
    near = found[(found[:, 0] > foot - 11) & (found[:, 0] <= foot)]
    for step, there in ((0, False), (1, False), (2, True), (3, True)):
        x = plot.canvas.mapTo(plot, plot.canvas.on_screen(step, 0)).x()
        assert bool((np.abs(near[:, 1] - x) <= 5).any()) is there
    plot.set_log(False)
    assert plot.hint() == ""


@pytest.mark.parametrize("width", [0.0, 2.0])
def test_points_mark_every_datum(qtbot: QtBot, width: float) -> None:
    style = series_style("adam")
    plot = Curves("Loss", "step", "loss", False, DARK)
    qtbot.addWidget(plot)
    plot.set_series("a", "a", style, width=width, points=True)
    plot.set_data("a", np.arange(6.0), [1, 3, 2, math.nan, 3, 1])
    plot.resize(400, 300)
    found = ink(plot.grab().toImage(), style.dark)
    for x, y in ((1, 3), (2, 2), (4, 3)):
        at = plot.canvas.mapTo(plot, plot.canvas.on_screen(x, y))
        close = (np.abs(found - np.array([at.y(), at.x()])) <= 3).all(axis=1)
        assert close.sum() >= 16  # a disc, not a line
    half = plot.canvas.mapTo(plot, (plot.canvas.on_screen(1, 3) + plot.canvas.on_screen(2, 2)) / 2)
    between = (np.abs(found - np.array([half.y(), half.x()])) <= 2).all(axis=1)
    assert bool(between.any()) is bool(width)
    assert plot.entries()[0].symbol == ("" if width else style.symbol)


def test_a_cut_note_is_told_whole_by_the_mouse(qtbot: QtBot) -> None:
    plot = TablePlot("claims", DARK)
    qtbot.addWidget(plot)
    plot.resize(300, 200)
    plot.show()
    plot.show_picture(TABLE)
    ground = plot.ground
    for y, tip in ((ground.height() - 8, "measured here"), (10, "")):
        QApplication.sendEvent(ground, _mouse(QPoint(40, y)))
        assert ground.toolTip() == tip


def test_a_cut_remark_below_curves_is_told_whole_by_the_mouse(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    plot = Curves("loss", "step", "loss", True)
    qtbot.addWidget(plot)
    plot.resize(300, 200)
    plot.show()
    plot.set_series("a", "a", series_style("", 0))
    plot.set_data("a", np.arange(9), np.zeros(9))
    told: list[str] = []
    monkeypatch.setattr(canvas.QToolTip, "showText", lambda _at, words, _widget: told.append(words))
    port = plot.canvas.viewport()
    for y in (port.height() - 8, 20):
        QApplication.sendEvent(port, QHelpEvent(QEvent.Type.ToolTip, QPoint(150, y), port.mapToGlobal(QPoint(150, y))))
    assert told == [plot.hint(), ""] and "9 values" in told[0]


def _mouse(at: QPoint) -> QMouseEvent:
    none = Qt.MouseButton.NoButton
    return QMouseEvent(QEvent.Type.MouseMove, QPointF(at), QPointF(at), none, none, Qt.KeyboardModifier.NoModifier)
