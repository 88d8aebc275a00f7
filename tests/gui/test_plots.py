"""The plot widgets: numbers in, pixels and signals out."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QColor, QImage, QMouseEvent, QWheelEvent
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot
from shiboken6 import isValid

from gui.palette import color, series_style
from gui.plots.curves import Curves
from gui.plots.field import Field
from gui.plots.geometry import Frame, clip_polyline, thin_line
from gui.plots.labels import Box, place_labels
from gui.plots.marks import dashes
from gui.plots.panel import Panel
from gui.plots.plot import Plot
from gui.plots.ranges import calm, extent, room_ahead, without_flight
from gui.plots.relief import levels, paint_map, relief
from gui.plots.slices import finished
from gui.plots.space import Camera, Mesh, drape, strands
from gui.plots.surface3d import Surface3D
from gui.plots.ticks import linear_ticks, log_ticks, number, prose, tick_words
from gui.plots.trails import together
from gui.tokens import DARK, LIGHT, PRINT

STEPS = np.arange(101.0)


def grabbed(widget: QWidget, width: int = 520, height: int = 360) -> QImage:
    widget.resize(width, height)
    widget.grab()
    return widget.grab().toImage()


def alike(one: QImage, other: QImage) -> bool:
    """Whether two pictures are the same, but for the last bit of a colour: Qt blends by where memory begins."""
    pixels = [
        np.array(image.convertToFormat(QImage.Format.Format_RGB32).constBits(), np.int16) for image in (one, other)
    ]
    return one.size() == other.size() and int(np.abs(pixels[0] - pixels[1]).max()) <= 1


def count(image: QImage, colour: str, tolerance: int = 12) -> int:
    """How many pixels have about this colour."""
    wanted = QColor(colour)
    data = np.frombuffer(image.convertToFormat(QImage.Format.Format_RGB32).constBits(), np.uint8)
    pixels = data.reshape(image.height(), -1, 4)[:, : image.width(), :3].astype(int)
    off = np.abs(pixels - np.array([wanted.blue(), wanted.green(), wanted.red()]))
    return int((off.max(axis=2) <= tolerance).sum())


def move(plot: Plot, to: QPoint, held: Qt.MouseButton = Qt.MouseButton.LeftButton) -> None:
    """Send a mouse move to a plot that no screen shows."""
    viewport, none = plot.canvas.viewport(), Qt.MouseButton.NoButton
    there = QPointF(to)
    event = QMouseEvent(
        QEvent.Type.MouseMove, there, viewport.mapToGlobal(there), none, held, Qt.KeyboardModifier.NoModifier
    )
    QApplication.sendEvent(viewport, event)


@pytest.fixture
def curves(qtbot: QtBot) -> Iterator[Curves]:
    plot = Curves("Loss", "step", "loss", True, DARK)
    for name in ("sgd", "adam"):
        plot.set_series(name, name.upper(), series_style(name))
    plot.set_data("sgd", STEPS, 10 * np.exp(-0.05 * STEPS))
    plot.set_data("adam", STEPS, 10 * np.exp(-0.1 * STEPS))
    yield plot
    if isValid(plot):
        plot.deleteLater()


@pytest.fixture
def field(qtbot: QtBot) -> Iterator[Field]:
    plot = Field("Bowl", "x", "y", DARK)
    x, y = np.meshgrid(np.linspace(-2, 2, 61), np.linspace(-1, 1, 41))
    plot.set_field((x**2 + 9 * y**2) / 2, (-2, 2, -1, 1))
    yield plot
    if isValid(plot):
        plot.deleteLater()


# -- numbers ---------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("low", "high", "words"),
    [
        (0, 200, ["0", "50", "100", "150", "200"]),
        (-1, 1, ["−1.0", "−0.5", "0.0", "0.5", "1.0"]),
        (0, 0.0004, ["0", "1×10⁻⁴", "2×10⁻⁴", "3×10⁻⁴", "4×10⁻⁴"]),
        (0, 3e300, ["0", "1×10³⁰⁰", "2×10³⁰⁰", "3×10³⁰⁰"]),
    ],
)
def test_linear_ticks(low: float, high: float, words: list[str]) -> None:
    values, step = linear_ticks(low, high, 5)
    assert tick_words(values, step) == words


@pytest.mark.parametrize(
    ("low", "high", "count_", "words"),
    [
        (-10, 0, 2, ["10⁻¹⁰", "10⁻⁵", "1"]),
        (-2, 2, 5, ["10⁻²", "10⁻¹", "1", "10", "10²"]),
        (0.2, 0.8, 4, ["2", "5"]),
        (-300, 300, 4, ["10⁻³⁰⁰", "10⁻¹⁵⁰", "1", "10¹⁵⁰", "10³⁰⁰"]),
    ],
)
def test_log_ticks(low: float, high: float, count_: int, words: list[str]) -> None:
    positions, found = log_ticks(low, high, count_)
    assert found == words
    assert all(low <= p <= high for p in positions)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (0.0031, "0.003100"),
        (128, "128.0"),
        (-3.812, "−3.812"),
        (1.236e-9, "1.236×10⁻⁹"),
        (9.99999, "10.00"),
        (0, "0"),
        (math.inf, "∞"),
        (-math.inf, "−∞"),
        (math.nan, "not a number"),
    ],
)
def test_numbers_for_people(value: float, words: str) -> None:
    assert number(value) == words


@pytest.mark.parametrize(
    ("words", "made"),
    [
        ("5e-13", "5×10⁻¹³"), ("0e+00", "0"), ("-2.277e+21", "−2.277×10²¹"), ("1e-05", "10⁻⁵"),
        ("(-2.81, 3.13)", "(−2.81, 3.13)"), ("within 1e-10.", "within 10⁻¹⁰."), ("x = -3 and .5", "x = −3 and .5"),
        ("2-8-8-1", "2-8-8-1"), ("10-fold", "10-fold"), ("3 - 4", "3 - 4"), ("0x1e5", "0x1e5"), ("1e5x", "1e5x"),
        ("x-1", "x-1"), ("v1e5", "v1e5"), ("nothing", "nothing"), ("", ""),
    ],
)  # fmt: skip
def test_numbers_in_words(words: str, made: str) -> None:
    assert prose(words) == made


@pytest.mark.parametrize("seed", range(6))
def test_clipped_lines_stay_inside_and_lose_nothing_inside(seed: int) -> None:
    random = np.random.default_rng(seed)
    x, y = random.uniform(-150, 250, 60), random.uniform(-100, 180, 60)
    x[random.integers(0, 60, 4)] = np.nan
    cx, cy = clip_polyline(x, y, 100.0, 80.0)
    ok = np.isfinite(cx)
    assert ok.any() and (cx[ok] >= -1e-9).all() and (cx[ok] <= 100 + 1e-9).all()
    assert (cy[ok] >= -1e-9).all() and (cy[ok] <= 80 + 1e-9).all()
    # Length inside, against points sampled along the whole line.
    share = np.linspace(0, 1, 4001)[:, None]
    px, py = x[:-1] + share * np.diff(x), y[:-1] + share * np.diff(y)
    inside = ((px >= 0) & (px <= 100) & (py >= 0) & (py <= 80)).mean(axis=0)
    expected = np.nansum(inside * np.hypot(np.diff(x), np.diff(y)))
    assert np.nansum(np.hypot(np.diff(cx), np.diff(cy))) == pytest.approx(expected, rel=2e-3)


def test_a_line_to_the_end_of_the_world_keeps_its_direction() -> None:
    frame = Frame(100, 100, 0, 1, 0, 1)
    x, y = clip_polyline(frame.px(np.array([0.5, 1e300])), frame.py(np.array([0.5, 0.5])), 100, 100)
    assert x.tolist() == [50, 100] and y.tolist() == [50, 50]
    x, y = clip_polyline(np.array([50, 1e150]), np.array([50, -1e150]), 100, 100)
    assert (x[-1], y[-1]) == (pytest.approx(100), pytest.approx(0))


def test_thinning_keeps_every_extreme() -> None:
    x = np.linspace(0, 100, 20_000)
    y = np.sin(x) + np.random.default_rng(1).normal(size=x.size)
    tx, ty = thin_line(x, y, 1.0)
    assert tx.size <= 4 * 102
    column = np.floor(x)
    for c in range(0, 100, 7):
        assert ty[np.floor(tx) == c].max() == y[column == c].max()
        assert ty[np.floor(tx) == c].min() == y[column == c].min()


def test_dashes_cover_their_share() -> None:
    x = np.linspace(0, 400, 37)
    segments = dashes(x, np.zeros(37), [6.0, 2.0])
    assert segments is not None
    drawn = (segments[:, 2] - segments[:, 0]).sum()
    assert drawn == pytest.approx(300, abs=6)
    assert dashes(x, np.where(np.arange(37) % 2, 1e5, 0.0), [6.0, 2.0]) is None


def test_labels_do_not_cover_each_other_nor_leave() -> None:
    points = [(195.0, 100.0)] * 6
    boxes = place_labels(points, [(60.0, 15.0)] * 6, 200.0, 200.0)
    for i, a in enumerate(boxes):
        assert a.left >= 0 and a.left + a.width <= 200 and a.top >= 0 and a.top + a.height <= 200
        assert all(a.overlap(b) == 0 for b in boxes[i + 1 :])
    assert Box(0, 0, 10, 10).overlap(Box(5, 5, 10, 10)) == 25


def test_names_of_heads_at_one_place_are_not_piled_up() -> None:
    at = [(50.0, 50.0), (51.0, 49.0), (50.0, 52.0), (120.0, 50.0), (122.0, 50.0)]
    names = together([(x, y, word, "#ff0000") for (x, y), word in zip(at, "abcde", strict=True)], DARK)
    assert names == [
        (50.0, 50.0, "a and 2 more", DARK.text),
        (120.0, 50.0, "d", "#ff0000"),
        (122.0, 50.0, "e", "#ff0000"),
    ]


def test_ranges_stay_calm_while_data_streams() -> None:
    held: tuple[float, float] | None = None
    changes = 0
    for n in range(1, 500):
        new = calm(-5 * n / 500, 1.0, held, log=True)
        changes += new != held
        held = new
        assert new[0] <= -5 * n / 500 and new[1] >= 1.0
    assert changes <= 12
    steps: tuple[float, float] | None = None
    changes = 0
    for n in range(1, 2000):
        new = room_ahead(0.0, float(n), steps)
        changes += new != steps
        steps = new
        assert new[1] >= n
    assert changes <= 20


def test_a_flat_line_stands_amid_its_axis_but_nought_at_its_foot() -> None:
    assert calm(4.0, 4.0, None, log=False) == (3.8, 4.2) and calm(-1.0, -1.0, None, log=True) == (-1.5, -0.5)
    assert calm(0.0, 0.0, None, log=False) == (0.0, 1.0) and calm(0.0, 0.0, None, log=True) == (-0.5, 0.5)


def test_one_diverged_series_does_not_flatten_the_others() -> None:
    usual, flight = np.linspace(0, -3, 200), np.array([0.0, 20, 100, 300])
    assert without_flight([usual, flight], -3, 300, log=True) == (-3, 2)  # two decades above where both begin
    high = np.array([6.0, 5, *usual])  # begins high and falls: all of it is shown
    assert without_flight([high], -3, 6, log=True) == (-3, 6)
    assert without_flight([high, flight], -3, 300, log=True) == (-3, 8)
    deep = np.linspace(0, -30, 20)
    assert without_flight([usual, deep], -30, 0, log=True)[0] > -13
    blown = np.linspace(0, 240, 50)  # all of it flies off: where it began is still seen
    assert without_flight([blown, blown + 3], 0, 243, log=True)[0] == 0
    most = [usual] * 4 + [np.linspace(0, 150, usual.size // 4)] * 3  # three of four left early, one went on
    assert without_flight(most, -3, 150, log=True)[1] < 12
    steady = np.linspace(0, 30, 100)  # not in flight: it grows all along
    assert without_flight([steady], 0, 30, log=True) == (0, 30)
    assert extent(np.array([np.nan, 1, np.inf, -2])) == (-2, 1)
    assert extent(np.array([np.nan])) is None


# -- curves ----------------------------------------------------------------------------------------------------------
def test_lines_are_drawn_in_their_colours(curves: Curves) -> None:
    image = grabbed(curves)
    for name in ("sgd", "adam"):
        assert count(image, color(series_style(name), DARK)) > 200


@pytest.mark.parametrize("log", [True, False])
def test_values_without_a_place_are_gaps(curves: Curves, log: bool) -> None:
    y = 10.0 ** -(STEPS / 10)
    y[[3, 50]], y[10], y[20], y[30], y[40:43] = 0.0, -1.0, np.nan, np.inf, -np.inf
    curves.set_log(log)
    curves.set_data("sgd", STEPS, y, y / 2, y * 2)
    image = grabbed(curves)
    assert count(image, color(series_style("sgd"), DARK)) > 100
    # Gaps on a logarithmic axis: 0 (twice), -1, and -inf (three times) lie at or below zero.
    assert curves.hint() == ("6 values ≤ 0, marked at the floor" if log else "")
    assert all(np.isfinite(curves.canvas.shown_range()))


@pytest.mark.parametrize("values", [[], [np.nan] * 3, [0.0] * 3, [5.0], [1e300, 1e-300, 1e308], [7.0] * 3])
@pytest.mark.parametrize("log", [True, False])
def test_odd_data_is_drawn_without_complaint(curves: Curves, values: list[float], log: bool) -> None:
    curves.remove("adam")
    curves.set_log(log)
    curves.set_data("sgd", np.arange(len(values)), values)
    image = grabbed(curves)
    x0, x1, y0, y1 = curves.canvas.shown_range()
    assert x0 < x1 and y0 < y1 and np.isfinite([x0, x1, y0, y1]).all()
    assert image.pixelColor(2, image.height() - 2).name() == DARK.background


def test_wrong_lengths_are_refused(curves: Curves) -> None:
    with pytest.raises(ValueError, match="sgd: lengths differ: 3, 2, 0, 0"):
        curves.set_data("sgd", [0, 1, 2], [1, 2])


def test_a_click_on_the_legend_hides_and_shows(curves: Curves, qtbot: QtBot) -> None:
    before = grabbed(curves)
    with qtbot.waitSignal(curves.seriesToggled) as told:
        curves.header.chip("sgd").click()
    assert told.args == ["sgd", False]
    # The chip's own swatch turns grey, too.
    assert count(grabbed(curves), color(series_style("sgd"), DARK)) == 0
    assert [row.label for row in curves.readout(50)[1]] == ["ADAM"]
    curves.header.chip("sgd").click()
    assert grabbed(curves) == before


def test_hover_tells_all_visible_values(curves: Curves) -> None:
    head, rows = curves.readout(50.3)
    assert head == "step 50"
    assert [(row.label, row.value) for row in rows] == [
        ("SGD", number(10 * math.exp(-2.5))),
        ("ADAM", number(10 * math.exp(-5.0))),
    ]
    assert curves.readout(500)[1] == []


def test_hover_follows_the_mouse_and_links(curves: Curves, qtbot: QtBot) -> None:
    other = Curves("Gradient", theme=DARK)
    panel = Panel(curves, [other], theme=DARK)
    qtbot.addWidget(panel)
    grabbed(panel)
    plain = grabbed(panel, 520, 560)
    spot = curves.canvas.on_screen(50, -1)
    with qtbot.waitSignal(curves.hovered) as told:
        move(curves, spot, Qt.MouseButton.NoButton)
    assert told.args[0] == pytest.approx(50, abs=0.5)
    assert other.hover == told.args[0]
    assert panel.grab().toImage() != plain
    curves.hovered_at(None)
    assert curves.hover is None and other.hover is None
    assert panel.grab().toImage() == plain


def test_click_drag_and_keys_scrub(curves: Curves, qtbot: QtBot) -> None:
    grabbed(curves)
    told: list[float] = []
    curves.cursorMoved.connect(told.append)
    viewport = curves.canvas.viewport()
    qtbot.mousePress(viewport, Qt.MouseButton.LeftButton, pos=curves.canvas.on_screen(20, 0))
    move(curves, curves.canvas.on_screen(60, 0))
    qtbot.mouseRelease(viewport, Qt.MouseButton.LeftButton, pos=curves.canvas.on_screen(60, 0))
    assert told[0] == pytest.approx(20, abs=0.5) and told[-1] == pytest.approx(60, abs=0.5)
    curves.set_cursor(60)
    qtbot.keyClick(curves.canvas, Qt.Key.Key_Right)
    assert told[-1] == 61
    qtbot.keyClick(curves.canvas, Qt.Key.Key_Left)
    assert told[-1] == 59


def test_the_cursor_is_drawn_where_it_stands(curves: Curves) -> None:
    curves.set_cursor(50)
    image = grabbed(curves)
    assert count(image, DARK.accent) > 100
    curves.set_cursor(None)
    assert count(grabbed(curves), DARK.accent) == 0


def test_log_switch(curves: Curves, qtbot: QtBot) -> None:
    grabbed(curves)
    assert "10⁻²" in curves.canvas.left_axis.marks()[1]
    with qtbot.waitSignal(curves.logChanged) as told:
        qtbot.keyClick(curves.canvas, Qt.Key.Key_L)
    assert told.args == [False]
    assert curves.canvas.left_axis.marks()[1][0] == "0"
    low, high = curves.canvas.shown_range()[2:]
    assert low <= 10 * math.exp(-10) and 10 <= high <= 15


def test_zoom_is_kept_until_reset(curves: Curves, qtbot: QtBot) -> None:
    grabbed(curves)
    home = curves.canvas.shown_range()
    middle = QPointF(curves.canvas.on_screen(50, -1))
    wheel = QWheelEvent(
        middle,
        curves.canvas.viewport().mapToGlobal(middle),
        QPoint(0, 0),
        QPoint(0, 240),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    with qtbot.waitSignal(curves.viewChanged):
        QApplication.sendEvent(curves.canvas.viewport(), wheel)
    near = curves.canvas.shown_range()
    assert near[1] - near[0] == pytest.approx((home[1] - home[0]) * 0.85**2)
    assert (near[0] + near[1]) / 2 == pytest.approx(50, abs=3)
    curves.set_data("sgd", STEPS, 20 * np.exp(-0.01 * STEPS))
    assert curves.canvas.shown_range() == near
    assert not curves.reset_switch.isHidden()
    curves.reset_switch.click()
    assert curves.canvas.shown_range()[0] == home[0] and curves.reset_switch.isHidden()


def test_theme_changes_at_once(curves: Curves, field: Field) -> None:
    for plot in (curves, field):
        dark = grabbed(plot)
        plot.apply_theme(LIGHT)
        light = grabbed(plot)
        assert dark.pixelColor(1, 200).name() == DARK.background
        assert light.pixelColor(1, 200).name() == LIGHT.background
        plot.apply_theme(DARK)
        assert grabbed(plot) == dark


def test_overlays_and_events_are_named(curves: Curves) -> None:
    plain = grabbed(curves)
    curves.set_overlay("theory", STEPS, np.exp(-0.02 * STEPS), "theory")
    curves.set_events([(40, "learning rate 0.1")])
    assert [entry.label for entry in curves.entries()] == ["SGD", "ADAM", "theory"]
    assert curves.entries()[-1].dash
    assert grabbed(curves) != plain
    curves.remove("theory")
    curves.set_events([])
    assert grabbed(curves) == plain


def test_band_shows_the_envelope(curves: Curves) -> None:
    y = 10 * np.exp(-0.05 * STEPS)
    plain = grabbed(curves)
    curves.set_data("sgd", STEPS, y, y / 3, y * 3)
    banded = grabbed(curves)
    at = curves.canvas.on_screen(50, math.log10(y[50] * 1.8))
    spot = curves.canvas.mapTo(curves, at)
    assert banded.pixelColor(spot) != plain.pixelColor(spot)
    assert banded.pixelColor(spot).name() != DARK.background


def test_empty_plot_says_so_and_clear_empties(curves: Curves) -> None:
    full = grabbed(curves)
    curves.clear()
    assert grabbed(curves) != full
    assert curves.canvas.bottom.blank
    assert curves.entries() == []


def test_small_plots_shorten_their_legend(curves: Curves) -> None:
    for k in range(6):
        curves.set_series(f"k{k}", f"a rather long name {k}", series_style("other", k))
    grabbed(curves, 360, 200)
    assert curves.header.height() <= 60
    assert curves.header.chip("k1").accessibleName() == "Show a rather long name 1"


# -- field -----------------------------------------------------------------------------------------------------------
def test_interpolation_is_exact_for_bilinear_fields() -> None:
    x, y = np.meshgrid(np.linspace(-1, 3, 9), np.linspace(0, 2, 5))
    made = relief(2 + 3 * x - y + 0.5 * x * y, (-1, 3, 0, 2), False)
    px, py = np.array([-1.0, 0.3, 2.9, 3.0]), np.array([0.0, 1.7, 0.2, 2.0])
    assert made.sample(px, py) == pytest.approx(2 + 3 * px - py + 0.5 * px * py)
    assert np.isnan(made.sample(np.array([3.01]), np.array([1.0]))).all()


@pytest.mark.parametrize("log", [True, False])
def test_map_runs_from_low_to_high(log: bool) -> None:
    z = np.tile(np.linspace(0, 100, 50), (20, 1))
    made = relief(z, (0, 1, 0, 1), log)
    assert made.height[0, 0] == 0 and made.height[0, -1] == pytest.approx(1)
    assert (np.diff(made.height[0]) > 0).all()
    assert levels(made) == sorted(levels(made)) and all(0 < v < 100 for v in levels(made))
    image = finished(paint_map(made, Frame(100, 40, 0, 1, 0, 1), DARK))
    assert (image.width(), image.height()) == (100, 40)
    assert image.pixelColor(0, 20).blueF() > image.pixelColor(0, 20).greenF()  # viridis: violet below, yellow above
    assert image.pixelColor(97, 20).greenF() > image.pixelColor(97, 20).blueF()


def test_row_zero_is_at_the_bottom_and_outside_is_ground() -> None:
    z = np.zeros((10, 10))
    z[0] = 1.0
    image = finished(paint_map(relief(z, (0, 1, 0, 1), False), Frame(60, 60, -1, 1, 0, 1), DARK))
    assert image.pixelColor(45, 58).name() != image.pixelColor(45, 2).name()
    assert image.pixelColor(5, 30).name() == DARK.background


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 1e308])
def test_holes_in_the_field_are_tolerated(field: Field, bad: float) -> None:
    x, y = np.meshgrid(np.linspace(-2, 2, 61), np.linspace(-1, 1, 41))
    z = x**2 + y**2
    z[:10, :10] = bad
    z[20, 20] = bad
    field.set_field(z, (-2, 2, -1, 1))
    grabbed(field)
    assert field.readout(1.0, 0.5)[1][0].value == number(1.25)
    field.set_field(np.full((5, 5), bad), (-2, 2, -1, 1))
    grabbed(field)


def test_wrong_shape_is_refused(field: Field) -> None:
    with pytest.raises(ValueError, match=r"field: shape \(3,\) is not"):
        field.set_field(np.zeros(3), (0, 1, 0, 1))


@pytest.mark.parametrize("far", [1e3, 1e30, 1e300, np.inf, np.nan])
def test_paths_may_leave_for_anywhere(field: Field, far: float) -> None:
    style = series_style("sgd")
    field.set_path("sgd", "SGD", style, [-1, 0, 0.5, far, -far, far], [0.5, 0.2, 0.0, far, far, -far])
    image = grabbed(field)
    assert count(image, color(style, DARK)) > 60
    field.set_path("sgd", "SGD", style, [far] * 3, [far] * 3)
    grabbed(field)


def test_heads_stand_at_the_cursor(field: Field) -> None:
    style = series_style("adam")
    field.set_path("adam", "Adam", style, [-1.5, 0, 1.5], [0.5, 0.5, 0.5], cursor_index=1)
    image = grabbed(field)
    for x, filled in ((0.0, True), (1.5, False)):
        spot = field.canvas.mapTo(field, field.canvas.on_screen(x, 0.5)) + QPoint(0, 3)
        assert (image.pixelColor(spot).name() == color(style, DARK)) is filled


def test_start_is_dragged_with_the_mouse(field: Field, qtbot: QtBot) -> None:
    field.set_start(-1, 0.5)
    grabbed(field)
    moved: list[tuple[float, float]] = []
    field.startMoved.connect(lambda x, y: moved.append((x, y)))
    viewport = field.canvas.viewport()
    qtbot.mousePress(viewport, Qt.MouseButton.LeftButton, pos=field.canvas.on_screen(-1, 0.5))
    move(field, field.canvas.on_screen(0.5, -0.25))
    with qtbot.waitSignal(field.startPicked) as picked:
        qtbot.mouseRelease(viewport, Qt.MouseButton.LeftButton, pos=field.canvas.on_screen(0.5, -0.25))
    assert moved[0] == pytest.approx((0.5, -0.25), abs=0.02)
    assert tuple(picked.args) == moved[-1]
    assert field.canvas.shown_range() == (-2, 2, -1, 1)


def test_a_click_picks_the_start_and_a_double_click_only_resets(field: Field, qtbot: QtBot) -> None:
    field.set_start(-1, 0.5)
    grabbed(field)
    viewport = field.canvas.viewport()
    with qtbot.waitSignal(field.startPicked) as picked:
        qtbot.mouseClick(viewport, Qt.MouseButton.LeftButton, pos=field.canvas.on_screen(1, 0))
    assert picked.args == [pytest.approx(1, abs=0.02), pytest.approx(0, abs=0.02)]
    field.zoom(QPointF(10, 10), 0.5)
    here = field.start
    qtbot.mouseClick(viewport, Qt.MouseButton.LeftButton, pos=QPoint(200, 150))
    assert field.start != here
    with qtbot.waitSignal(field.viewChanged):
        qtbot.mouseDClick(viewport, Qt.MouseButton.LeftButton, pos=QPoint(200, 150))
    assert field.start == here
    assert field.canvas.shown_range() == (-2, 2, -1, 1)


def test_arrow_keys_move_the_start(field: Field, qtbot: QtBot) -> None:
    field.set_start(0, 0)
    grabbed(field)
    with qtbot.waitSignal(field.startPicked) as picked:
        qtbot.keyClick(field.canvas, Qt.Key.Key_Right)
    assert picked.args == [pytest.approx(0.04), pytest.approx(0)]
    qtbot.keyClick(field.canvas, Qt.Key.Key_Up, Qt.KeyboardModifier.ShiftModifier)
    assert field.start is not None and field.start == pytest.approx((0.04, 0.002))


def test_dragging_the_map_pans_and_tells(field: Field, qtbot: QtBot) -> None:
    grabbed(field)
    viewport = field.canvas.viewport()
    qtbot.mousePress(viewport, Qt.MouseButton.LeftButton, pos=field.canvas.on_screen(0, 0))
    with qtbot.waitSignal(field.viewChanged) as told:
        move(field, field.canvas.on_screen(1, 0.5))
    qtbot.mouseRelease(viewport, Qt.MouseButton.LeftButton, pos=field.canvas.on_screen(1, 0))
    assert told.args == [pytest.approx(v, abs=0.02) for v in (-3, 1, -1.5, 0.5)]
    x, y = np.meshgrid(np.linspace(-3, 1, 40), np.linspace(-1.5, 0.5, 40))
    field.set_field(x + y, (-3, 1, -1.5, 0.5))
    assert field.home() == (-2, 2, -1, 1)


def test_readout_of_the_map(field: Field) -> None:
    head, rows = field.readout(1.0, 0.0)
    assert head == "x 1.000   y 0"
    assert [(row.label, row.value) for row in rows] == [("f", "0.5000")]
    field.set_readout(lambda x, y: f"f = {x + y:g}\nslope 3")
    assert [row.label for row in field.readout(1, 2)[1]] == ["f = 3", "slope 3"]


def test_points_and_arrows_are_drawn_and_removed(field: Field) -> None:
    plain = grabbed(field)
    field.set_points("minima", [0.0, 5.0], [0.0, 5.0], "plus", "minimum")
    field.set_arrows([(-1, 0.5, 0.5, -0.5, "gradient", "gradient"), (0, 0, 1e300, np.nan, "away", "step")])
    assert count(grabbed(field), DARK.bad) > 30
    field.remove("minima")
    field.set_arrows([])
    assert grabbed(field) == plain


# -- in space --------------------------------------------------------------------------------------------------------
def test_paths_lie_on_the_surface() -> None:
    x, y = np.meshgrid(np.linspace(-2, 2, 81), np.linspace(-1, 1, 81))
    made = relief(3 + x - 2 * y, (-2, 2, -1, 1), False)
    bx, by, bz = drape(made, np.array([-1.5, 1e300, 0.5]), np.array([-0.5, 0.5, 0.9]))
    ok = np.isfinite(bx)
    assert ok.sum() > 40 and (np.abs(bx[ok]) <= 1 + 1e-9).all()
    height = (bx[ok] - by[ok] + 2) / 4  # of 3 + 2 bx - 2 by between -1 and 7
    assert bz[ok] / 1.1 == pytest.approx(height, abs=1e-6)
    parts = strands(bx, by)
    assert len(parts) > 20 and all(stop - start >= 2 for start, stop in parts)


def test_the_near_is_in_front() -> None:
    camera = Camera(30, 40, 1, 400, 300)
    sx, sy, near = camera.project(np.array([0.0, 0.0]), np.array([0.0, 0.0]), np.array([0.0, 1.0]))
    assert sx[0] == sx[1] and sy[1] < sy[0] and near[1] > near[0]


def test_mesh_has_holes_where_the_field_has() -> None:
    z = np.ones((41, 41))
    z[:21, :21] = np.nan
    _, height = Mesh.of(relief(z, (0, 1, 0, 1), False)).quads()
    assert 380 <= np.isnan(height).sum() <= 450


def test_surface_turns_zooms_and_goes_home(qtbot: QtBot) -> None:
    plot = Surface3D("Bowl", theme=DARK)
    qtbot.addWidget(plot)
    assert grabbed(plot).pixelColor(3, 3).name() == DARK.background
    x, y = np.meshgrid(np.linspace(-2, 2, 41), np.linspace(-1, 1, 41))
    plot.set_field(x**2 + 9 * y**2, (-2, 2, -1, 1), log=True)
    style = series_style("adam")
    plot.set_path("adam", "Adam", style, np.linspace(-1.8, 0, 30), np.linspace(-0.9, 0, 30))
    plot.set_start(-1.8, -0.9)
    first = grabbed(plot)
    assert count(first, color(style, DARK)) > 60
    with qtbot.waitSignal(plot.viewTurned):
        qtbot.keyClick(plot.space, Qt.Key.Key_Right)
    assert grabbed(plot) != first
    qtbot.keyClick(plot.space, Qt.Key.Key_Plus)
    qtbot.keyClick(plot.space, Qt.Key.Key_Home)
    assert alike(grabbed(plot), first)
    plot.set_hidden("adam", True)
    assert count(grabbed(plot), color(style, DARK)) == 0
    centre = plot.space.value_at(QPointF(plot.space.width() / 2, plot.space.height() / 2))
    assert centre is not None and centre[2] == pytest.approx(centre[0] ** 2 + 9 * centre[1] ** 2, rel=0.01)


@pytest.mark.parametrize("far", [1e300, np.inf, np.nan])
def test_surface_bears_wild_paths_and_holes(qtbot: QtBot, far: float) -> None:
    plot = Surface3D(theme=LIGHT)
    qtbot.addWidget(plot)
    z = np.random.default_rng(0).normal(size=(30, 30))
    z[3:9, 4:20] = far
    plot.set_field(z, (-1, 1, -1, 1))
    plot.set_path("sgd", "SGD", series_style("sgd"), [0, 0.5, far, -far], [0, 0.5, far, 0.1])
    plot.set_overlay("drawn", [0, far], [0, far], "drawn")
    assert grabbed(plot).pixelColor(3, 300).name() == LIGHT.background


def test_of_many_small_plots_three_are_seen_and_others_can_take_their_place(qtbot: QtBot) -> None:
    parts = [Curves(f"plot {i}", theme=DARK) for i in range(6)]
    panel = Panel(parts[0], parts[1:])
    qtbot.addWidget(panel)
    panel.resize(800, 600)
    panel.grab()
    assert [not part.isHidden() for part in parts] == [True] * 4 + [False] * 2
    assert [words for _, words in panel.offers(parts[2])] == ["Show large", "plot 4", "plot 5"]
    with qtbot.waitSignal(panel.arranged):
        panel.exchange(parts[2], parts[5])
    assert not parts[5].isHidden() and parts[2].isHidden() and not panel.shows(parts[2])
    panel.exchange(parts[0], parts[1])
    assert panel.seen[:2] == [parts[1], parts[0]]
    panel.grab()
    assert parts[1].height() > parts[0].height()
    twin = panel.clone(PRINT)
    qtbot.addWidget(twin)
    assert [getattr(part, "title", "") for part in twin.plots] == ["plot 1", "plot 0", "plot 5", "plot 3"]


def test_panel_dresses_all_its_plots(curves: Curves, field: Field, qtbot: QtBot) -> None:
    panel = Panel(field, [curves], "Title", "A caption", DARK)
    qtbot.addWidget(panel)
    panel.apply_theme(PRINT)
    image = grabbed(panel, 600, 600)
    assert {image.pixelColor(x, y).name() for x in (1, 598) for y in (1, 598)} == {"#ffffff"}
    assert count(image, DARK.background, 2) == 0
