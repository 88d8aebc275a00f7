"""Curves painted, whole or while data streams in: worked out in one turn of the event loop, painted in the next."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

from numpy.typing import ArrayLike
from PySide6.QtCore import QRectF, QTimer, Slot
from PySide6.QtGui import QPainter

from gui.fonts import SMALL, font
from gui.plots.canvas import mended
from gui.plots.curverange import CurveRange
from gui.plots.geometry import Frame
from gui.plots.recorder import Recorder
from gui.plots.series import LogFrame, paint_empty, paint_events, paint_grid, paint_series
from gui.tokens import Theme

CALM, APART = 500, 40  # milliseconds without new data until a plot comes to rest; between two plots
ALL_OFF = "All is switched off in the legend"


@dataclass(frozen=True)
class _Ready:
    """Lines as they are to be painted in a frame, from the pixel `left` on; new from the abscissa `first` on."""

    lines: Recorder
    frame: Frame
    left: float
    first: float


class CurveStream(CurveRange):
    """The lines on the screen. What is painted over them is for subclasses."""

    empty: str
    _ready: _Ready | None = None  # the lines as they are to be painted, worked out beforehand

    def _begin_stream(self) -> None:
        self._later = QTimer(self)  # while they stream: lines are worked out in one turn and painted in the next
        self._later.setSingleShot(True)
        self._later.setInterval(0)
        self._later.timeout.connect(self._show_ready)
        self._calm = QTimer(self)
        self._calm.setSingleShot(True)
        # The plots of a page come to rest one after another: all in one turn would stop the window.
        self._calm.setInterval(CALM + APART * (sum(map(ord, self.title)) % 8))
        self._calm.timeout.connect(self._settle)
        self._data = self.canvas.layer(self._paint_data, 0)

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
        self._lines_shown(left > -math.inf)

    def _lines_shown(self, in_place: bool) -> None:
        """New lines are being painted, `in_place` without a new range: what lies over them follows."""

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

    def data_changed(self) -> None:
        """Fit the range unless the user has zoomed, and paint."""
        if self._put_off is not None:
            self._put_off.add("data")
            return
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

    # -- painting ------------------------------------------------------------------------------------------------------

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
            hidden = any(s.up(False) is not None for s in self.series.values())
            paint_empty(painter, frame, ALL_OFF if hidden else self.empty, theme)

    def _paint_lines(self, painter: QPainter, frame: Frame, left: float) -> None:
        """All bands, then all lines; what ends before the pixel `left` may be left out."""
        shown, how = self.shown(), {"log": self.log_y, "whole": self.for_picture}
        for series in shown:
            paint_series(painter, frame, series, self.theme, **how, left=left, line=False)
        for series in shown:
            paint_series(painter, frame, series, self.theme, **how, left=left, band=False)
