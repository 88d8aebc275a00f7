"""A map of a function of two variables, with the paths that walk on it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Self

import numpy as np
from numpy.typing import ArrayLike
from PySide6.QtCore import QPointF, Qt, Signal
from PySide6.QtGui import QKeyEvent, QPainter
from PySide6.QtWidgets import QWidget

from gui.fonts import SMALL, font
from gui.palette import SeriesStyle
from gui.plots.canvas import Range
from gui.plots.geometry import Frame
from gui.plots.ground import Ground, Look, draw_ground
from gui.plots.header import Entry
from gui.plots.plot import Plot
from gui.plots.readout import Row, draw_readout
from gui.plots.relief import Relief, relief
from gui.plots.sheet import Sheet
from gui.plots.ticks import number
from gui.plots.trails import Arrow, Points, Trail, draw_arrows, draw_heads, draw_points, draw_ring, draw_trail
from gui.tokens import DARK, Theme

UNSEEN = 0.2  # px a head may move without a new painting
REACH = 14.0  # px around the start within which the mouse takes it
Readout = Callable[[float, float], str]


class Field(Plot):
    """Map, contours, paths with heads, marked points, arrows, and a start that can be dragged.

    `startMoved(x, y)` while the start is dragged, `startPicked(x, y)` when it is dropped, when the map is clicked or
    an arrow key is pressed. `viewChanged` tells which range is shown, so that the field can be computed anew there.
    """

    startMoved = Signal(float, float)
    startPicked = Signal(float, float)

    def __init__(
        self,
        title: str = "",
        x_label: str = "x",
        y_label: str = "y",
        theme: Theme = DARK,
        parent: QWidget | None = None,
        *,
        value_label: str = "f",
    ) -> None:
        super().__init__(title, x_label, y_label, theme, parent)
        self.value_label = value_label
        self.relief: Relief | None = None
        self.trails: dict[str, Trail] = {}
        self._arrow_looks: object = []
        self._seen: dict[str, Trail] = {}  # as they were when a painting was last asked for
        self.points: dict[str, Points] = {}
        self.arrows: list[Arrow] = []
        self.start: tuple[float, float] | None = None
        self._home: Range | None = None
        self._readout: Readout | None = None
        self._mouse: QPointF | None = None
        self._before_click: tuple[float, float] | None = None
        self._waits = False  # the field is another's: it comes soon
        self._sheet = Sheet()
        self.ground = Ground(self.canvas.layer(self._paint_ground, 0).update, self)
        self._walk = self.canvas.layer(self._paint_walk, 5)
        self._marks = self.canvas.layer(self._paint_marks, 10)

    # -- data ----------------------------------------------------------------------------------------------------
    def set_field(self, z: ArrayLike, extent: Sequence[float], log: bool = True) -> None:
        """The field: `z` [ny, nx] (row 0 at y0) on the grid spanned by `extent` (x0, x1, y0, y1), ends included.

        Values that are not finite stay blank. As long as the user has not zoomed, the extent becomes the view.
        """
        x0, x1, y0, y1 = (float(v) for v in extent)
        self.relief = relief(np.asarray(z, float), (x0, x1, y0, y1), log)
        self._waits = False
        if self._home is None or not self.zoomed:
            self._home = (x0, x1, y0, y1)
            self.canvas.set_range(*self._home)
        self.data_changed()

    def set_home(self, x0: float, x1: float, y0: float, y1: float) -> None:
        """Show this range and return to it on reset; for a new surface, whose field comes next: until then the map in
        hand is shown as it is. Emits nothing."""
        self._waits = True
        self.ground.stretch()
        self._home = (x0, x1, y0, y1)
        self.zoomed = False
        self.reset_switch.hide()
        self.canvas.set_range(*self._home)

    def set_path(
        self,
        key: str,
        label: str,
        style: SeriesStyle,
        x: ArrayLike,
        y: ArrayLike,
        ghost: bool = False,
        cursor_index: int | None = None,
        name: str = "",
    ) -> None:
        """A path `x`, `y` [n] with its head at `cursor_index` (default: the last finite point). `name`: what all plots
        of a page call it, if not by its label."""
        known = self.trails.get(key)
        xs, ys = np.asarray(x, float), np.asarray(y, float)
        self.trails[key] = Trail(label, style, xs, ys, ghost, cursor_index, name=name)
        if known is None or (known.label, known.style, known.ghost, known.name) != (label, style, ghost, name):
            self.update_header()
        seen, frame = self._seen.get(key), self.canvas.frame()
        least = UNSEEN * abs(frame.x1 - frame.x0) / frame.width, UNSEEN * abs(frame.y1 - frame.y0) / frame.height
        if seen is None or not self.trails[key].looks_like(seen, least):
            self._seen[key] = self.trails[key]
            self._walk.update()

    def set_overlay(self, key: str, x: ArrayLike, y: ArrayLike, label: str, style: SeriesStyle | None = None) -> None:
        """Lay somebody's drawn path over the measured ones: dashed and named."""
        self.trails[key] = Trail(label, style, np.asarray(x, float), np.asarray(y, float), overlay=True)
        self.update_header()
        self._walk.update()

    def set_points(self, key: str, x: ArrayLike, y: ArrayLike, symbol: str = "plus", label: str = "") -> None:
        """Marked points (known minima): `x`, `y` [n] or one number each."""
        xs, ys = np.atleast_1d(np.asarray(x, float)), np.atleast_1d(np.asarray(y, float))
        self.points[key] = Points(xs, ys, symbol, label)
        self._walk.update()

    def set_arrows(self, arrows: Sequence[tuple[float, float, float, float, str, str]]) -> None:
        """Arrows as (x, y, dx, dy, label, colour) in data units; the colour is `#rrggbb` or a kind: gradient, step,
        momentum, text."""
        self.arrows = [Arrow(*arrow) for arrow in arrows]
        frame = self.canvas.frame()
        looks = [(a.label, a.colour, np.rint(np.stack(a.ends(frame)) / UNSEEN).tolist()) for a in self.arrows]
        if looks != self._arrow_looks:
            self._arrow_looks = looks
            self._walk.update()

    def set_start(self, x: float | None, y: float | None = None) -> None:
        """Where the ring stands; None takes it away. Emits nothing."""
        self.start = None if x is None or y is None else (float(x), float(y))
        self._marks.update()

    def set_readout(self, readout: Readout | None) -> None:
        """What the readout says at (x, y), instead of the interpolated value; lines parted by newlines."""
        self._readout = readout

    def remove(self, key: str) -> None:
        """Take a path, an overlay or points away; an unknown key is no error."""
        self._seen.pop(key, None)
        if self.trails.pop(key, None) is not None:
            self.update_header()
        self.points.pop(key, None)
        self._walk.update()

    def clear(self) -> None:
        """Take paths, points and arrows away; field, view and start stay."""
        self.trails, self.points, self.arrows = {}, {}, []
        self._seen.clear()
        self.update_header()
        self.data_changed()

    def readout(self, x: float, y: float) -> tuple[str, list[Row]]:
        """Head line and rows of the readout at (x, y)."""
        head = f"{self.x_label} {number(x)}   {self.y_label} {number(y)}"
        if self._readout is not None:
            return head, [Row(line) for line in self._readout(x, y).splitlines() if line]
        value = float(self.relief.sample(np.array([x]), np.array([y]))[0]) if self.relief is not None else np.nan
        return head, [Row(self.value_label, number(value))] if np.isfinite(value) else []

    # -- what Plot asks for --------------------------------------------------------------------------------------
    def entries(self) -> list[Entry]:
        """The legend's entries: one a path."""
        return [
            Entry(key, t.label, t.colour(self.theme), t.dash(self.theme), width=t.thickness(), name=t.name)
            for key, t in self.trails.items()
            if not t.ghost
        ]

    def named(self) -> dict[str, str]:
        """The name of every path, ghosts too."""
        return {key: t.name or t.label for key, t in self.trails.items()}

    def home(self) -> Range:
        """The range of the field as it was first given."""
        return self._home or (-1.0, 1.0, -1.0, 1.0)

    def _blank(self, theme: Theme) -> Self:
        return type(self)(self.title, self.x_label, self.y_label, theme, value_label=self.value_label)

    def _copy_to(self, twin: Self) -> None:
        twin.relief, twin._home, twin.start = self.relief, self._home, self.start
        twin.trails = {key: replace(trail) for key, trail in self.trails.items()}
        twin.points, twin.arrows = dict(self.points), list(self.arrows)

    # -- mouse and keys ------------------------------------------------------------------------------------------
    def _over_start(self, at: QPointF) -> bool:
        if self.start is None:
            return False
        frame = self.canvas.frame()
        ring = QPointF(float(frame.px(self.start[0])), float(frame.py(self.start[1])))
        return bool((at - ring).manhattanLength() <= REACH * self.theme.scale)

    def grabbed(self, at: QPointF) -> bool:
        """The start can be taken; elsewhere a drag pans."""
        self._before_click = self.start
        return self._over_start(at)

    def dragged(self, at: QPointF) -> None:
        """Move the start, within the map."""
        frame = self.canvas.frame()
        x, y = min(max(at.x(), 0.0), frame.width), min(max(at.y(), 0.0), frame.height)
        self.set_start(frame.x(x), frame.y(y))
        assert self.start is not None
        self.startMoved.emit(*self.start)

    def dropped(self, at: QPointF) -> None:
        """Let go of the start."""
        if self.start is not None and self.start != self._before_click:
            self.startPicked.emit(*self.start)

    def clicked(self, at: QPointF) -> None:
        """Put the start where the map is clicked, if it has one."""
        frame = self.canvas.frame()
        if self.start is not None and 0 <= at.x() <= frame.width and 0 <= at.y() <= frame.height:
            self.set_start(frame.x(at.x()), frame.y(at.y()))
            self.startPicked.emit(*self.start)

    def _doubled(self, at: QPointF) -> None:
        # The first click of a double click has already moved the start: put it back, the user meant the view.
        if self._before_click is not None and self.start != self._before_click:
            self.set_start(*self._before_click)
            self.startPicked.emit(*self._before_click)
        self.reset_view()

    def hovered_at(self, at: QPointF | None) -> None:
        """Readout here; the cursor says when the start can be taken."""
        self._mouse = at
        over = at is not None and self._over_start(at)
        self.canvas.setCursor(Qt.CursorShape.OpenHandCursor if over else Qt.CursorShape.CrossCursor)
        self._marks.update()

    def key(self, event: QKeyEvent) -> bool:
        """The arrow keys move the start by a hundredth of the view, with Shift by a tenth of that."""
        step = {
            Qt.Key.Key_Left: (-1, 0), Qt.Key.Key_Right: (1, 0), Qt.Key.Key_Up: (0, 1), Qt.Key.Key_Down: (0, -1),
        }.get(Qt.Key(event.key()))  # fmt: skip
        if step is None or self.start is None:
            return False
        x0, x1, y0, y1 = self.canvas.shown_range()
        share = 0.001 if event.modifiers() & Qt.KeyboardModifier.ShiftModifier else 0.01
        self.set_start(self.start[0] + step[0] * share * (x1 - x0), self.start[1] + step[1] * share * (y1 - y0))
        self.startPicked.emit(*self.start)
        return True

    # -- painting ------------------------------------------------------------------------------------------------
    def _paint_ground(self, painter: QPainter, frame: Frame) -> None:
        if self.relief is None:
            return
        if self.for_picture:
            draw_ground(painter, self.relief, frame, self.theme)
            return
        look = Look(self.relief, frame, self.theme, self.devicePixelRatioF())
        self.ground.paint(painter, look, at_once=not self.isVisible(), waits=self._waits)

    def _paint_walk(self, painter: QPainter, frame: Frame) -> None:
        theme = self.theme
        shown = [t for t in self.trails.values() if not self.hiding.hides(t.name or t.label)]
        order = sorted(shown, key=lambda t: 0 if t.ghost else 2 if t.overlay else 1)
        if self.for_picture:
            for trail in order:
                draw_trail(painter, frame, trail, theme, whole=True)
        else:
            self._sheet.paint(painter, frame, order, theme, self.devicePixelRatioF())
        tips = draw_points(painter, frame, list(self.points.values()), theme)
        tips = draw_arrows(painter, frame, self.arrows, theme) + tips
        ratio = 0.0 if self.for_picture else self.devicePixelRatioF()
        draw_heads(painter, frame, shown, tips, theme, ratio)

    def _paint_marks(self, painter: QPainter, frame: Frame) -> None:
        if self.start is not None:
            draw_ring(painter, frame, *self.start, self.theme)
        if self.for_picture:
            return
        painter.setFont(font(SMALL * self.theme.scale))
        at = self._mouse
        if at is not None and 0 <= at.x() <= frame.width and 0 <= at.y() <= frame.height and self.relief is not None:
            head, rows = self.readout(frame.x(at.x()), frame.y(at.y()))
            draw_readout(painter, frame, at, head, rows, self.theme)
        self.paint_focus(painter, frame)
