"""A line plot for measured curves: live, scrubbed, compared, and laid over by what others draw."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Self, cast

import numpy as np
from numpy.typing import ArrayLike
from PySide6.QtCore import QPointF, QRectF, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QKeyEvent, QPainter
from PySide6.QtWidgets import QWidget

from gui.fonts import SMALL, font
from gui.palette import SeriesStyle, pen
from gui.plots.canvas import WIDEST, Range, mended
from gui.plots.geometry import Frame
from gui.plots.header import Entry
from gui.plots.plot import Plot
from gui.plots.ranges import SAMPLE, Span, calm, room_ahead, union, without_flight
from gui.plots.readout import Row, draw_readout
from gui.plots.recorder import Recorder
from gui.plots.series import (
    EMPTY,
    LogFrame,
    Series,
    paint_crosshair,
    paint_empty,
    paint_events,
    paint_grid,
    paint_series,
)
from gui.plots.ticks import number
from gui.tokens import DARK, Theme

AHEAD = 0.3  # of the range of the ordinates: room where it grows while data streams in


@dataclass(frozen=True)
class _Ready:
    """Lines as they are to be painted in a frame, from the pixel `left` on; new from the abscissa `first` on."""

    lines: Recorder
    frame: Frame
    left: float
    first: float


class Curves(Plot):
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
        self.fixed_x: tuple[float, float] | None = None
        self._held: tuple[tuple[float, float], tuple[float, float]] | None = None
        self._beyond: float | None = None  # the highest value, where the range that shows everything leaves it out
        self._mouse: QPointF | None = None
        self.canvas.left_axis.log, self.canvas.bottom.log = log_y, log_x
        self._streaming = False  # lines come one set after the other
        self._ready: _Ready | None = None  # the lines as they are to be painted, worked out beforehand
        self._strips: list[float] = []  # where the cursor was or is, to be painted with them
        self._later = QTimer(self)  # while they stream: lines are worked out in one turn and painted in the next
        self._later.setSingleShot(True)
        self._later.setInterval(0)
        self._later.timeout.connect(self._show_ready)
        self._calm = QTimer(self)
        self._calm.setSingleShot(True)
        self._calm.setInterval(500)
        self._calm.timeout.connect(self._settle)
        self.log_switch = self.header.add_switch("log", "Logarithmic y axis", checked=log_y)
        self.log_switch.toggled.connect(self._log_toggled)
        self._data = self.canvas.layer(self._paint_data, 0)
        self._marks = self.canvas.layer(self._paint_marks, 10)
        self.data_changed()

    # -- data ----------------------------------------------------------------------------------------------------
    def set_series(
        self,
        key: str,
        label: str,
        style: SeriesStyle,
        *,
        ghost: bool = False,
        width: float = 2.0,
        points: bool = False,
    ) -> None:
        """Declare a line, or change how it is called and looks. `points` marks every datum; width 0: and no line."""
        held = self.series.get(key) or Series(label, style)
        same = (held.label, held.style, held.ghost, held.width, held.points) == (label, style, ghost, width, points)
        if key in self.series and same:
            return
        self.series[key] = replace(held, label=label, style=style, ghost=ghost, width=width, points=points)
        self.update_header()
        self.data_changed()

    def set_data(
        self, key: str, x: ArrayLike, y: ArrayLike, low: ArrayLike | None = None, high: ArrayLike | None = None
    ) -> None:
        """The points of a declared line: `x`, `y` [n], and the envelope `low`, `high` [n] drawn as a band.

        Raises KeyError for a key that was not declared and ValueError for lengths that differ.
        """
        self._put(key, x, y, low, high)
        self.data_changed()

    def set_lines(self, lines: Mapping[str, tuple[ArrayLike, ArrayLike, ArrayLike | None, ArrayLike | None]]) -> None:
        """The points of several declared lines, as set_data takes them; the range is fitted and painted once."""
        first, self._streaming = math.inf, self._calm.isActive()
        frame, blank = self._frame(), self.canvas.bottom.blank
        for key, (x, y, low, high) in lines.items():
            before = self.series[key]
            self._put(key, x, y, low, high)
            first = min(first, self.series[key].differs_from(before))
        blank_now = all(s.up(False) is None for s in self.shown())
        if not self._streaming or blank_now != blank or self.log_x:
            self.data_changed()
            self._calm.start()
            return
        aim = self.canvas.shown_range() if self._fits() else mended(*self.home())
        if self._ready is not None and self._later.isActive():  # the painting before is still to come
            first = min(first, self._ready.first)
        if aim == (frame.x0, frame.x1, frame.y0, frame.y1):
            if first == math.inf:
                return
            # all to the left of what is new stays on the screen as it is
            left = max(-4.0, float(frame.px(first)) - 6 * self.theme.scale)
        else:
            left = -math.inf
        frame = Frame(frame.width, frame.height, *aim)
        lines_ready = Recorder()
        self._paint_lines(cast(QPainter, lines_ready), frame, left)
        self._ready = _Ready(lines_ready, frame, left, first)
        self._later.start()

    @Slot()
    def _show_ready(self) -> None:
        """Paint what set_lines worked out. The count in the note changes with every frame: not worth a painting."""
        if self._ready is None:
            return
        frame, left = self._ready.frame, self._ready.left
        if not self.zoomed:
            self.canvas.set_range(frame.x0, frame.x1, frame.y0, frame.y1)
        if left > -math.inf:
            self._data.update(QRectF(left, 0, max(0.0, frame.width - left) + 4, frame.height))
            if self.hover is not None:
                self._marks.update()
        self._paint_cursor()

    def _put(self, key: str, x: ArrayLike, y: ArrayLike, low: ArrayLike | None, high: ArrayLike | None) -> None:
        arrays = [np.asarray(part, float).ravel() if part is not None else EMPTY for part in (x, y, low, high)]
        if any(part.size not in (0, arrays[0].size) for part in arrays) or arrays[1].size != arrays[0].size:
            raise ValueError(f"{key}: lengths differ: {', '.join(str(part.size) for part in arrays)}")
        self.series[key] = replace(self.series[key], x=arrays[0], y=arrays[1], low=arrays[2], high=arrays[3])

    def set_overlay(
        self, key: str, x: ArrayLike, y: ArrayLike, label: str, style: SeriesStyle | None = None, *,
        points: bool = False,
    ) -> None:  # fmt: skip
        """Lay a drawn curve or a theory over the measured ones: dashed and named; single values as `points`."""
        order = sum(s.overlay for k, s in self.series.items() if k != key)
        held = self.series.get(key)
        order = held.order if held is not None and held.overlay else order
        width = 0.0 if points else 1.5
        x, y = np.asarray(x, float), np.asarray(y, float)
        self.series[key] = Series(label, style, width=width, order=order, points=points, x=x, y=y)
        self.update_header()
        self.data_changed()

    def remove(self, key: str) -> None:
        """Take a line or an overlay away; an unknown key is no error."""
        if self.series.pop(key, None) is not None:
            self.hidden.discard(key)
            self.update_header()
            self.data_changed()

    def clear(self) -> None:
        """Take everything away: lines, overlays, events, cursor. The user's zoom ends."""
        self.series, self.events, self.cursor_at, self.hover, self._held = {}, [], None, None, None
        self.hidden = set()
        self.update_header()
        if self.zoomed:
            self.reset_view()
        self.data_changed()

    def set_events(self, events: list[tuple[float, str]]) -> None:
        """Marks on the abscissa (x, words): live changes, branches, divergence."""
        if events != self.events:
            self.events = list(events)
            self.data_changed()

    def set_x_range(self, x0: float | None, x1: float | None = None) -> None:
        """Fix the abscissa (for example to all steps of the run), or let it follow the data again with None."""
        self.fixed_x = None if x0 is None or x1 is None else (x0, x1)
        self.data_changed()

    def set_cursor(self, x: float | None) -> None:
        """Where the transport stands; None hides it."""
        if x != self.cursor_at:
            self._strips += [at for at in (x, self.cursor_at) if at is not None]
            self.cursor_at = x
            if not self._later.isActive():
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

    def shown(self) -> list[Series]:
        """The series that are not hidden; overlays and ghosts first, so that live lines lie on top."""
        visible = [s for key, s in self.series.items() if key not in self.hidden]
        return sorted(visible, key=lambda s: 0 if s.ghost else 2 if s.overlay else 1)

    def hint(self) -> str:
        """What the axis cannot show, in words, or an empty string."""
        missing = sum(s.missing() for s in self.shown()) if self.log_y else 0
        words = [f"{missing} {'value' if missing == 1 else 'values'} ≤ 0, marked at the floor"] if missing else []
        if self._beyond is not None:
            highest = 10.0 ** min(self._beyond, 308.0) if self.log_y else self._beyond
            words.append(f"↑ goes on to {number(highest, 2)}, off scale")
        if self.log_x and (
            beside := sum(int((np.isfinite(s.x) & np.isnan(s.on_axis(s.x, True))).sum()) for s in self.shown())
        ):
            words.append(f"{beside} at {self.x_label or 'x'} ≤ 0 not shown")
        return ", ".join(words)

    def readout(self, x: float) -> tuple[str, list[Row]]:
        """Head line and rows of the readout at x: every visible series with its value at its nearest point."""
        rows, at = [], x
        for series in self.shown():
            index = series.nearest(x, self.log_x)
            if index is not None:
                at = float(series.x[index]) if not series.overlay else at
                rows.append(Row(series.label, number(float(series.y[index])), series.colour(self.theme)))
        return f"{self.x_label} {number(at, 6)}".strip(), rows

    # -- what Plot asks for --------------------------------------------------------------------------------------
    def entries(self) -> list[Entry]:
        """The legend's entries."""
        return [
            Entry(key, s.label, s.colour(self.theme), s.dash(self.theme), _symbol(s), s.thickness())
            for key, s in self.series.items()
            if not s.ghost  # a caption names the ghosts: their chips would crowd out the rest
        ]

    def home(self) -> Range:
        """The calm range around all visible data."""
        visible = self.shown()
        log = self.log_y
        across = _drawable(union(s.across(self.log_x) for s in self._spanning(visible)))
        up = _drawable(union(s.up(log) for s in visible))
        held_x, held_y = self._held or (None, None)
        x_range = self._fixed() or (self._x_range(*across, held_x) if across else (0.0, 1.0))
        self._beyond = None
        if up is None:
            return *x_range, 0.0, 1.0
        ahead = AHEAD if self._streaming else 0.0
        y_range = calm(*self._readable(visible, *up), held_y, log=log, ahead=ahead)
        self._held = (x_range, y_range)
        return *x_range, *y_range

    def _spanning(self, visible: list[Series]) -> list[Series]:
        """The series that decide which abscissae are shown: what was measured, rather than what was drawn over it."""
        return [s for s in visible if not s.overlay and s.x.size] or visible

    def _x_range(self, low: float, high: float, held: tuple[float, float] | None) -> tuple[float, float]:
        """The range of the view around abscissae (on a logarithmic axis decimal exponents), with room ahead."""
        return (low, max(math.ceil(4 * high) / 4, low + 0.25)) if self.log_x else room_ahead(low, high, held)

    def _fixed(self) -> tuple[float, float] | None:
        if self.fixed_x is None or not self.log_x:
            return self.fixed_x
        x0, x1 = self.fixed_x
        return (math.log10(x0), math.log10(x1)) if 0 < x0 < x1 else None

    def _frame(self) -> Frame:
        """The frame as it is now, from data to pixels."""
        frame = self.canvas.frame()
        return LogFrame(**vars(frame)) if self.log_x else frame

    def _readable(self, visible: list[Series], low: float, high: float) -> tuple[float, float]:
        stride = max(1, sum(s.y.size for s in visible) // SAMPLE)
        found = without_flight([s.shown(self.log_y)[0][::stride] for s in visible], low, high, log=self.log_y)
        self._beyond = high if found[1] < high else None
        return found

    def data_changed(self) -> None:
        """Fit the range unless the user has zoomed, and paint."""
        self._forget()
        self._fit()
        self._note()
        super().data_changed()

    def _forget(self) -> None:
        """What was worked out is not how it looks any more."""
        self._ready = None
        self._later.stop()

    def apply_theme(self, theme: Theme) -> None:
        """Take over colours and scale."""
        self._forget()
        super().apply_theme(theme)

    @Slot()
    def _settle(self) -> None:
        """What set_lines put off: the note, and, once no more data comes, the range without the room for it."""
        if self._streaming:
            self._calm.start()
        else:
            self._held = None
        self._streaming = False
        self._fit()
        self._note()

    def _fits(self) -> bool:
        """Whether all lines lie within the range that is held: then it need not be found anew with every frame."""
        if self.zoomed or self._held is None or self.log_x:
            return self.zoomed
        lines = [s for s in self.shown() if s.x.size]
        across, up = union(s.across() for s in lines if not s.overlay), union(s.up(self.log_y) for s in lines)
        (x0, x1), (y0, y1) = self._held
        inside = across is not None and up is not None and x0 == across[0] and y0 <= up[0] and up[1] <= y1
        return inside and across is not None and 0.2 * x1 <= across[1] <= x1

    def _note(self) -> None:
        axis, note = self.canvas.bottom, self.hint()
        blank = all(s.up(False) is None for s in self.shown())
        if axis.blank != blank:
            axis.blank, self.canvas.left_axis.blank = blank, blank
            axis.update()
            self.canvas.left_axis.update()
        axis.set_note(note)

    def set_hidden(self, key: str, hidden: bool) -> None:
        """Hide or show a series; the range may shrink at once."""
        self._held = None
        super().set_hidden(key, hidden)

    def _fit(self) -> None:
        if not self.zoomed:
            self.canvas.set_range(*self.home())

    def reset_view(self) -> None:
        """Show everything again, on a fresh range."""
        self._held = None
        super().reset_view()

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

    # -- mouse and keys ------------------------------------------------------------------------------------------
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

    # -- painting ------------------------------------------------------------------------------------------------
    def _paint_data(self, painter: QPainter, frame: Frame) -> None:
        theme = self.theme
        frame = LogFrame(**vars(frame)) if self.log_x else frame
        painter.setFont(font(SMALL * theme.scale))
        if not self.canvas.bottom.blank:
            paint_grid(painter, frame, self.canvas.left_axis.marks()[0], self.theme)
        paint_events(painter, frame, self.events, self.theme)
        left = -math.inf if self.for_picture else self._data.exposed.left()
        ready = self._ready
        if ready is not None and not self.for_picture and ready.frame == frame and ready.left <= left + 1:
            ready.lines.play(painter)
        else:
            self._paint_lines(painter, frame, left)
        if self.canvas.bottom.blank:
            paint_empty(painter, frame, self.empty, theme)

    def _paint_lines(self, painter: QPainter, frame: Frame, left: float) -> None:
        """All bands, then all lines; what ends before the pixel `left` may be left out."""
        shown, how = self.shown(), {"log": self.log_y, "whole": self.for_picture}
        for series in shown:
            paint_series(painter, frame, series, self.theme, **how, left=left, line=False)
        for series in shown:
            paint_series(painter, frame, series, self.theme, **how, left=left, band=False)

    def _paint_marks(self, painter: QPainter, frame: Frame) -> None:
        if self.for_picture:
            return
        theme = self.theme
        frame = LogFrame(**vars(frame)) if self.log_x else frame
        painter.setFont(font(SMALL * theme.scale))
        if self.cursor_at is not None:
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


def _drawable(span: Span | None) -> Span | None:
    """A span cut to what a view can show: the distance of two floats may be more than a float can hold."""
    return span and (max(span[0], -WIDEST), min(span[1], WIDEST))


def _symbol(series: Series) -> str:
    """The mark that stands for a series of points in the legend, or none for a line."""
    if not series.points or series.width:
        return ""
    return series.style.symbol if series.style is not None else "circle"
