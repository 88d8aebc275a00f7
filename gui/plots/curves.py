"""A line plot for measured curves: live, scrubbed, compared, and laid over by what others draw."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Self

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt, Signal, Slot
from PySide6.QtGui import QKeyEvent, QPainter
from PySide6.QtWidgets import QWidget

from gui.fonts import SMALL, font
from gui.palette import pen
from gui.plots.curvestream import CurveStream
from gui.plots.geometry import Frame
from gui.plots.readout import draw_readout
from gui.plots.series import EMPTY, LogFrame, Series, paint_crosshair
from gui.tokens import DARK, Theme


class Curves(CurveStream):
    """Curves against a common abscissa.

    `cursorMoved(x)`: a click or drag (or Left and Right) scrubs to x. `hovered(x or None)`: the mouse is over x, for
    linked plots. `logChanged(on)`: the switch for a logarithmic y axis. Values that are not finite, and on a
    logarithmic axis values at or below zero, are gaps; the latter are marked on the floor of the plot and counted in a
    hint. `log_x`: the abscissa is logarithmic too; all arguments and signals stay plain numbers.
    """

    cursorMoved = Signal(float)
    hovered = Signal(object)
    logChanged = Signal(bool)

    def __init__(
        self,
        title: str = "",
        x_label: str = "step",
        y_label: str = "",
        log_y: bool = False,
        theme: Theme = DARK,
        parent: QWidget | None = None,
        *,
        empty: str = "Nothing measured yet",
        log_x: bool = False,
    ) -> None:
        super().__init__(title, x_label, y_label, theme, parent)
        self.log_y, self.log_x, self.empty = log_y, log_x, empty
        self.series: dict[str, Series] = {}
        self.events: list[tuple[float, str]] = []
        self.cursor_at: float | None = None
        self.hover: float | None = None
        self._mouse: QPointF | None = None
        self.canvas.left_axis.log, self.canvas.bottom.log = log_y, log_x
        self._strips: list[float] = []  # where the cursor was or is, to be painted with them
        self.log_switch = self.header.add_switch("log", "Logarithmic y axis", checked=log_y)
        self.log_switch.toggled.connect(self._log_toggled)
        self._begin_stream()
        self._marks = self.canvas.layer(self._paint_marks, 10)
        self.data_changed()

    # -- what is shown -------------------------------------------------------------------------------------------------

    def clear(self) -> None:
        """Take everything away: lines, overlays, events, cursor. The user's zoom ends."""
        self.series, self.events, self.cursor_at, self.hover, self._held = {}, [], None, None, None
        self.update_header()
        if self.zoomed:
            self.reset_view()
        self.data_changed()

    def set_cursor(self, x: float | None) -> None:
        """Where the transport stands; None hides it."""
        if x != self.cursor_at:
            self._strips += [at for at in (x, self.cursor_at) if at is not None]
            self.cursor_at = x
            if not self._later.isActive():
                self._paint_cursor()

    def _lines_shown(self, in_place: bool) -> None:
        """New lines are being painted: values at the mouse, and the cursor, follow."""
        if in_place and self.hover is not None:
            self._marks.update()
        self._paint_cursor()

    def _paint_cursor(self) -> None:
        """Paint the cursor where it is, and what it hid where it was."""
        frame, unit = self._frame(), self.theme.scale
        for at in self._strips:
            place = min(max(-99.0, float(frame.px(at))), frame.width + 99.0)
            self._marks.update(QRectF(place - 4 * unit, 0, 8 * unit, frame.height))
        self._strips.clear()

    def cursor_moves(self, x: float) -> float:
        """How many pixels the cursor would move if it went to x; inf where there is none yet."""
        if self.cursor_at is None:
            return math.inf
        frame = self._frame()
        return abs(float(frame.px(x)) - float(frame.px(self.cursor_at)))

    def set_hover(self, x: float | None) -> None:
        """Show the readout at x, as linked plots do; emits nothing."""
        if x != self.hover:
            self.hover = x
            self._marks.update()

    def set_log(self, on: bool) -> None:
        """Logarithmic or linear y axis."""
        self.log_switch.setChecked(on)

    # -- what Plot asks for --------------------------------------------------------------------------------------------

    def _blank(self, theme: Theme) -> Self:
        return type(self)(self.title, self.x_label, self.y_label, self.log_y, theme, empty=self.empty, log_x=self.log_x)

    def _copy_to(self, twin: Self) -> None:
        twin.series = {key: replace(s) for key, s in self.series.items()}
        twin.events = list(self.events)
        twin.fixed_x = self.fixed_x
        twin.data_changed()

    @Slot(bool)
    def _log_toggled(self, on: bool) -> None:
        self.log_y = self.canvas.left_axis.log = on
        self._held = None
        if self.zoomed:
            self.reset_view()
        self.data_changed()
        self.canvas.left_axis.update()
        self.logChanged.emit(on)

    # -- mouse and keys ------------------------------------------------------------------------------------------------

    def grabbed(self, at: QPointF) -> bool:
        """The left button always scrubs; other buttons pan."""
        self.dragged(at)
        return True

    def dragged(self, at: QPointF) -> None:
        """Scrub."""
        frame = self._frame()
        self.cursorMoved.emit(frame.x(min(max(at.x(), 0.0), frame.width)))

    def hovered_at(self, at: QPointF | None) -> None:
        """Readout here, and tell linked plots."""
        frame = self._frame()
        inside = at is not None and 0 <= at.x() <= frame.width and 0 <= at.y() <= frame.height
        self._mouse = at if inside else None
        x = frame.x(at.x()) if at is not None and inside else None
        if x != self.hover:
            self.set_hover(x)
            self.hovered.emit(x)
        elif inside:
            self._marks.update()

    def key(self, event: QKeyEvent) -> bool:
        """Left and Right move the cursor by one point, L switches the axis."""
        step = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}.get(Qt.Key(event.key()))
        if step is not None:
            xs = np.unique(np.concatenate([s.x[np.isfinite(s.x)] for s in self.shown()] or [EMPTY]))
            if xs.size:
                now = int(np.argmin(np.abs(xs - (self.cursor_at if self.cursor_at is not None else xs[-1]))))
                self.cursorMoved.emit(float(xs[min(max(now + step, 0), xs.size - 1)]))
            return True
        if event.key() == Qt.Key.Key_L:
            self.log_switch.toggle()
            return True
        return False

    # -- painting ------------------------------------------------------------------------------------------------------

    def _paint_marks(self, painter: QPainter, frame: Frame) -> None:
        if self.for_picture:
            return
        theme = self.theme
        frame = LogFrame(**vars(frame)) if self.log_x else frame
        painter.setFont(font(SMALL * theme.scale))
        if self.cursor_at is not None and not self.canvas.bottom.blank:  # it would cross the words there
            px = float(frame.px(self.cursor_at))
            if 0 <= px <= frame.width:
                painter.setPen(pen(theme.accent, 2 * theme.scale))
                painter.drawLine(QPointF(round(px), 0), QPointF(round(px), frame.height))
        if self.hover is not None:
            self._paint_hover(painter, frame, self.hover)
        self.paint_focus(painter, frame)

    def _paint_hover(self, painter: QPainter, frame: Frame, x: float) -> None:
        head, rows = self.readout(x)
        px = float(frame.px(x))
        if not rows or not 0 <= px <= frame.width:
            return
        paint_crosshair(painter, frame, x, self.shown(), self.theme, log=self.log_y)
        height = self._mouse.y() if self._mouse is not None else frame.height / 2
        draw_readout(painter, frame, QPointF(px, height), head, rows, self.theme)
