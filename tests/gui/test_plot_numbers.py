"""Whatever the numbers are (nan, inf, overflow, subnormal, all equal, none), every plot draws, and says no warning."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QMouseEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QGraphicsView, QWidget
from pytestqt.qtbot import QtBot

from engine.picture import (
    Bars,
    Diagram,
    Dots,
    Edge,
    Heat,
    Histogram,
    Images,
    Line,
    Lines,
    Map,
    Matrix,
    Node,
    Regions,
    Table,
    histogram,
)
from gui.palette import series_style
from gui.plots.curves import Curves
from gui.plots.export import paint_image, prepared
from gui.plots.field import Field
from gui.plots.panel import Panel
from gui.plots.pictures import plot_for
from gui.plots.surface3d import Surface3D
from gui.tokens import DARK, LIGHT, PRINT

N = 12
NUMBERS: dict[str, Any] = {
    "nan": np.full(N, np.nan),
    "inf": np.full(N, np.inf),
    "both infinities": np.tile([np.inf, -np.inf], N // 2),
    "mixed": np.tile([np.nan, np.inf, -np.inf, 0.0, 1.0, -1e300], N // 6),
    "overflow": 1.7e308 * np.linspace(-1.0, 1.0, N),
    "huge": np.full(N, 1.7e308),
    "subnormal": np.linspace(5e-324, 4e-320, N),
    "all equal": np.full(N, 3.0),
    "zero": np.zeros(N),
    "minus zero": np.full(N, -0.0),
    "nearly equal": 1.0 + np.arange(N) * 2.3e-16,
    "far away": 1e15 + np.arange(N),
    "one": np.ones(1),
    "none": np.zeros(0),
    "one among nan": np.where(np.arange(N) == 5, 2.0, np.nan),
    "whole range": np.array([5e-324, 1e-300, 1e-10, 1.0, 1e10, 1e300, -1e300, -1.0, 0.0, 1e-310, 3.0, 7.0]),
}
CASES = pytest.mark.parametrize("y", NUMBERS.values(), ids=NUMBERS.keys())


def square(y: Any) -> Any:
    """The numbers as a field of rows and columns."""
    return np.resize(y, (6, 7)) if len(y) else np.zeros((0, 0))


def used(widget: QWidget) -> None:
    """Draw it in three looks and sizes, point at it, turn its wheel; take it home."""
    for width, height in ((520, 360), (170, 110)):
        widget.resize(width, height)
        assert not widget.grab().isNull()
    for theme in (LIGHT, DARK):
        widget.apply_theme(theme)  # type: ignore[attr-defined]
        widget.grab()
    for view in [*widget.findChildren(QGraphicsView), widget]:
        target = view.viewport() if isinstance(view, QGraphicsView) else view
        for x, y in ((0.5, 0.5), (0.02, 0.9), (0.98, 0.1)):
            there = QPointF(x * target.width(), y * target.height())
            none = Qt.MouseButton.NoButton
            move = QMouseEvent(
                QMouseEvent.Type.MouseMove, there, target.mapToGlobal(there), none, none,
                Qt.KeyboardModifier.NoModifier,
            )  # fmt: skip
            QApplication.sendEvent(target, move)
        QTest.mouseDClick(target, Qt.MouseButton.LeftButton)
    widget.grab()
    twin = prepared(widget, PRINT)
    assert not paint_image(twin, 0.5).isNull()
    twin.deleteLater()


@CASES
@pytest.mark.parametrize("log", [False, True])
def test_curves(qtbot: QtBot, y: Any, log: bool) -> None:
    plot = Curves("Loss", "step", "loss", log, DARK)
    qtbot.addWidget(plot)
    x = np.arange(float(len(y)))
    for name in ("sgd", "adam", "lion"):
        plot.set_series(name, name, series_style(name))
    plot.set_lines({"sgd": (x, y, None, None), "adam": (x, y, y, y), "lion": (y, x, None, None)})
    plot.set_overlay("theory", x, y, "theory")
    plot.set_events([(1.0, "learning_rate = nan"), (1e300, "far")])
    plot.set_cursor(3.0)
    used(plot)
    plot.set_log(not log)
    plot.set_cursor(None)
    plot.reset_view()
    used(plot)


@CASES
@pytest.mark.parametrize("log", [False, True])
def test_field_and_surface(qtbot: QtBot, y: Any, log: bool) -> None:
    for plot in (Field(theme=DARK), Surface3D("Surface", theme=DARK)):
        qtbot.addWidget(plot)
        if len(y):
            plot.set_field(square(y), (-1.0, 1.0, -2.0, 2.0), log)
        plot.set_path("sgd", "SGD", series_style("sgd"), y, y[::-1])
        plot.set_overlay("theory", y, y, "theory")
        if len(y):
            plot.set_start(float(y[0]), float(y[-1]))
        used(plot)


def lines(y: Any) -> Lines:
    """The numbers as ordinates, abscissae, bands and points."""
    x = np.arange(float(len(y)))
    marks = tuple((float(value), "mark") for value in y[:2])
    return Lines(
        (Line("a", x, y), Line("b", y, x, dashed=True), Line("c", x, y, y, y), Line("d", y, y, points=True)), marks
    )


def plane(y: Any) -> Map:
    """The numbers as a map with dots and ways on it."""
    dots = Dots("dots", y, y, y, hollow=True)
    contours = tuple(float(value) for value in y[:3])
    return Map(square(y), (-1, 1, -1, 1), "signed", contours=contours, dots=(dots,), paths=(("way", y, y[::-1]),))


def shares(y: Any) -> Map:
    """The numbers as shares of classes."""
    values = np.stack([square(y), square(y[::-1])])
    return Map(values, (-1, 1, -1, 1), "classes", classes=("a", "b"), dots=(Dots("d", y, y, np.zeros(len(y))),))


def regions(y: Any) -> Regions:
    """The numbers as the strength of regions and as what is read out."""
    cells = np.zeros((6, 7), int) if len(y) else np.zeros((0, 0), int)
    return Regions(
        cells, (-1, 1, -1, 1), classes=("a", "b"), strength=square(y), told=square(y), hues=(0, 1), named=(0,),
        marks=np.stack([y, y], axis=1),
    )  # fmt: skip


def heat(y: Any) -> Heat:
    """The numbers as a scale beside regions."""
    cells = np.resize([0, 1], (6, 7)) if len(y) else np.zeros((0, 0), int)
    return Heat(
        cells, (-1, 1, -1, 1), classes=("a", "b"), strength=square(y), told=square(y), hues=(0, -2), named=(1,),
        low=float(y[0]) if len(y) else None, high=float(y[-1]) if len(y) else None,
        readings=(("loss", square(y)),), axes=(("rate", True), ("momentum", False)), names=("best",) * len(y),
        marks=np.stack([y, y], axis=1),
    )  # fmt: skip


def nodes(y: Any) -> Diagram:
    """The numbers as values, weights and responses of units."""
    layer = tuple(Node(f"h{i}", float(value), np.full((5, 5), value)) for i, value in enumerate(y[:4]))
    edges = tuple(Edge((0, i), (1, j), float(y[j])) for i in range(len(layer)) for j in range(len(layer)))
    return Diagram((layer, layer), edges, ("in", "out"), more=(0, 3), extent=(-1, 1, -1, 1))


MADE: list[tuple[str, Any, Callable[[Any], Any]]] = [
    ("lines", False, lines),
    ("lines", True, lines),
    ("map", False, plane),
    ("map", False, shares),
    ("map", False, lambda y: Map(square(y), (-1, 1, -1, 1))),
    ("regions", False, regions),
    ("regions", False, heat),
    ("bars", False, lambda y: Bars((histogram("h", y), Histogram("raw", np.arange(len(y) + 1.0), y, note="own")))),
    ("bars", False, lambda y: Bars((histogram("h", y), Histogram("raw", np.arange(len(y) + 1.0), y)), log=True)),
    ("matrix", False, lambda y: Matrix(square(y), ("r",) * len(square(y)), ("c",) * square(y).shape[1])),
    ("matrix", False, lambda y: Matrix(square(y), ("r",) * len(square(y)), (), scale="signed")),
    ("images", False, lambda y: Images(np.stack([square(y)] * 3), ("a", "b", "c"), marked=(1,))),
    ("images", False, lambda y: Images(np.stack([square(y)] * 3), (), "signed")),
    ("diagram", False, nodes),
    ("table", False, lambda y: Table(("a", "b"), tuple((str(value), f"{value:g}") for value in y), (0,))),
]  # fmt: skip


@CASES
@pytest.mark.parametrize(("kind", "log", "make"), MADE, ids=[f"{i} {case[0]}" for i, case in enumerate(MADE)])
def test_pictures(qtbot: QtBot, kind: Any, log: bool, make: Callable[[Any], Any], y: Any) -> None:
    plot: Any = plot_for(kind, "Title", "x", "y", log, DARK, log)
    qtbot.addWidget(plot)
    plot.show_picture(None)
    plot.show_picture(make(y))
    used(plot)
    plot.show_picture(make(NUMBERS["all equal"]))  # and back to what is drawn with ease
    plot.show_picture(make(y))
    plot.show_picture(None)
    used(plot)


@CASES
def test_a_panel_of_them(qtbot: QtBot, y: Any) -> None:
    plots: list[Any] = [plot_for(kind, kind, "x", "y", log, DARK, log) for kind, log, _ in MADE[:8]]  # type: ignore[arg-type]
    for plot, (_, _, make) in zip(plots, MADE, strict=False):
        plot.show_picture(make(y))
    panel = Panel(plots[0], plots[1:], "Title", "A caption")
    qtbot.addWidget(panel)
    used(panel)
    panel.exchange(plots[0], plots[-1])
    used(panel)
