"""The lines of a Curves plot: what is kept of each, and how it is painted."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter

from gui.fonts import SMALL, font, text_width
from gui.palette import Dash, SeriesStyle, color, dash_of, pen
from gui.plots.datums import paint_points, paint_spans, paint_sunk
from gui.plots.geometry import Floats, Frame, clip_polyline, thin, thin_line
from gui.plots.marks import draw_line, draw_mark, draw_words
from gui.plots.ranges import Span, extent, union
from gui.tokens import Theme, alpha, mix

OVERLAY_DASHES: tuple[Dash, ...] = ((6, 3), (2, 2), (10, 3, 2, 3), (1, 2))
EMPTY: Floats = np.empty(0)
SLIM = 1.0  # px: a band as narrow as this lies under its line


@dataclass
class Series:
    """One line. `x`, `y`: [n]; `low`, `high`: [n] envelope or empty. `points` marks every datum (width 0: no line).

    An overlay (`order` >= 0) is somebody's drawn curve or theory; a ghost is a pinned earlier run. `style` None: the
    colour of words. `name`: what all plots of a page call it, if not by its label.
    """

    label: str
    style: SeriesStyle | None
    ghost: bool = False
    width: float = 2.0
    order: int = -1
    points: bool = False
    x: Floats = field(default_factory=lambda: EMPTY)
    y: Floats = field(default_factory=lambda: EMPTY)
    low: Floats = field(default_factory=lambda: EMPTY)
    high: Floats = field(default_factory=lambda: EMPTY)
    name: str = ""
    _known: dict[str, Span | None] = field(default_factory=dict, init=False, repr=False)
    _shown: dict[bool, tuple[Floats, Floats, Floats]] = field(default_factory=dict, init=False, repr=False)
    _rising: bool | None = field(default=None, init=False, repr=False)
    _sunk: NDArray[np.intp] | None = field(default=None, init=False, repr=False)

    def emptied(self) -> Series:
        """The same line without its points."""
        return replace(self, x=EMPTY, y=EMPTY, low=EMPTY, high=EMPTY)

    def across(self, log: bool = False) -> Span | None:
        """Smallest and largest finite abscissa as the view has them."""
        name = "log x" if log else "x"
        if name not in self._known:
            self._known[name] = extent(self.on_axis(self.x, log))
        return self._known[name]

    def up(self, log: bool) -> Span | None:
        """Smallest and largest ordinate as the view has them, envelope included."""
        name = "log" if log else "y"
        if name not in self._known:
            self._known[name] = union(extent(part) for part in self.shown(log))
        return self._known[name]

    def shown(self, log: bool) -> tuple[Floats, Floats, Floats]:
        """`y`, `low` and `high` as the view has them."""
        if log not in self._shown:
            self._shown[log] = tuple(self.on_axis(part, log) for part in (self.y, self.low, self.high))  # type: ignore[assignment]
        return self._shown[log]

    def rising(self) -> bool:
        """Whether its abscissae never go back."""
        if self._rising is None:
            self._rising = bool((self.x[1:] >= self.x[:-1]).all())
        return self._rising

    def differs_from(self, other: Series) -> float:
        """The abscissa from which on this line may look different from `other`; inf where both are the same."""
        first = min(self.x.size, other.x.size)
        for name in ("x", "y", "low", "high"):
            mine, yours = getattr(self, name), getattr(other, name)
            if bool(mine.size) != bool(yours.size):
                return -math.inf
            changed = mine[:first] != yours[:first]
            if changed.any():
                first = int(np.argmax(changed))
        if first == self.x.size == other.x.size:
            return math.inf
        if first < 3 or not np.isfinite(self.x).all():
            return -math.inf
        return float(self.x[first - 2])

    @property
    def overlay(self) -> bool:
        """Whether this is a drawn curve rather than a measured one."""
        return self.order >= 0

    def colour(self, theme: Theme) -> str:
        """Its colour; overlays and ghosts stand back. Always opaque."""
        if self.style is None:
            return theme.dim
        own = color(self.style, theme)
        return mix(own, theme.background, 0.5) if self.ghost else mix(own, theme.text, 0.6) if self.overlay else own

    def dash(self, theme: Theme) -> Dash:
        """Its line pattern: overlays are always dashed."""
        if self.overlay:
            return OVERLAY_DASHES[self.order % len(OVERLAY_DASHES)]
        return dash_of(self.style, theme) if self.style is not None else ()

    def has_band(self) -> bool:
        """Whether a band is drawn around its line."""
        return bool(self.low.size and self.width and not self.ghost)

    def thickness(self) -> float:
        """Line width in plot pixels; ghosts and overlays are thinner."""
        return min(self.width, 1.25) if self.ghost else min(self.width, 1.5) if self.overlay else self.width

    def missing(self) -> int:
        """How many values a logarithmic axis cannot show: those at or below zero."""
        return int(self.sunk().size)

    def sunk(self) -> NDArray[np.intp]:
        """Indices of the values at or below zero."""
        if self._sunk is None:
            with np.errstate(invalid="ignore"):
                self._sunk = np.flatnonzero(self.y <= 0)
        return self._sunk

    def on_axis(self, values: Floats, log: bool) -> Floats:
        """Values as the view has them: decimal logarithms on a logarithmic axis; what has no place there is nan."""
        with np.errstate(all="ignore"):
            shown = np.log10(values) if log else values
            return np.where(np.isfinite(shown), shown, np.nan)

    def nearest(self, x: float, log: bool = False) -> int | None:
        """Index of the point next to abscissa `x` (`log`: on a logarithmic axis), or None if there is none near it.

        Beyond its ends a series says nothing, but for half a step.
        """
        at, xs = (float(np.log10(x)) if x > 0 else -math.inf, self.on_axis(self.x, True)) if log else (x, self.x)
        ok = np.flatnonzero(np.isfinite(xs))
        if not ok.size or not math.isfinite(at):
            return None
        found = int(ok[ok.size - 1 - np.argmin(np.abs(xs[ok] - at)[::-1])])  # of two at one place (stairs) the later
        reach = 0.51 * (xs[ok[-1]] - xs[ok[0]]) / max(1, ok.size - 1) + 1e-12 * abs(at)
        reach = max(reach, 0.02 if log else 0.5)
        return found if xs[ok].min() - reach <= at <= xs[ok].max() + reach else None


class LogFrame(Frame):
    """A frame whose view has the decimal logarithms of the abscissae."""

    def px(self, x: Floats | float) -> Floats:
        """Pixels of data abscissae; nan for those at or below zero."""
        with np.errstate(all="ignore"):
            return super().px(np.log10(np.asarray(x, float)))

    def x(self, px: float) -> float:
        """Data abscissa of a pixel."""
        return float(10.0 ** min(max(super().x(px), -307.0), 308.0))


def paint_series(
    painter: QPainter,
    frame: Frame,
    series: Series,
    theme: Theme,
    *,
    log: bool,
    whole: bool,
    left: float = -math.inf,
    band: bool = True,
    line: bool = True,
) -> None:
    """Draw band and line of one series. `whole`: for a picture, with four times the detail a screen pixel has.

    What ends before the pixel `left` may be left out. Where series have bands, those of all are drawn before any line.
    """
    if not series.x.size or not (line or series.has_band()):
        return
    column = 0.25 if whole else 1.5  # px; a line is 2 px wide
    start = _start(frame, series, left, column) if left > 0 and not series.dash(theme) else 0
    y, low, high = (part[start:] for part in series.shown(log))
    px = frame.px(series.x[start:])
    unit = theme.scale
    width = series.thickness() * unit
    if series.low.size and not series.width and line:
        paint_spans(painter, frame, px, frame.py(low), frame.py(high), pen(series.colour(theme), 1.25 * unit))
    elif series.has_band() and band:
        top, foot = frame.py(high), frame.py(low)
        if whole or not (foot - top).max() <= SLIM:  # nan is no small number
            _paint_band(painter, frame, px, foot, top, series.colour(theme), column)
    if not line:
        return
    py = frame.py(y)
    if series.width:
        x, y = thin_line(px, py, column)
        x, y = clip_polyline(x, y, frame.width, frame.height, margin=width)
        used = pen(series.colour(theme), width, series.dash(theme))
        draw_line(painter, x, y, used, whole=whole)
    if series.points:
        symbol = series.style.symbol if series.style is not None else "circle"
        paint_points(painter, frame, px, py, symbol, series.colour(theme), unit)
    if log and series.sunk().size:
        sunk = frame.px(series.x[series.sunk()])
        paint_sunk(painter, frame, sunk, series.colour(theme), theme.background, unit)
    if series.x.size == 1 and not series.points and 0 <= px[0] <= frame.width:
        (only,) = py
        if np.isfinite(only) and 0 <= only <= frame.height:
            draw_mark(painter, "circle", float(px[0]), float(only), 3 * unit, series.colour(theme), theme.background)


def _start(frame: Frame, series: Series, left: float, column: float) -> int:
    """From which point on a line is to be drawn where what ends well before the pixel `left` may be left out: where a
    pixel column begins, so that columns stay the same. 0 where its abscissae do not rise."""
    x = series.x
    if not series.rising():
        return 0
    start = max(0, int(np.searchsorted(x, frame.x(left - 12))) - 2)
    place = math.floor(float(frame.px(x[start])) / column) * column
    return min(start, int(np.searchsorted(x, frame.x(place))))


def _paint_band(
    painter: QPainter, frame: Frame, px: Floats, low: Floats, high: Floats, colour: str, column: float
) -> None:
    """The envelope from `low` to `high`, [n] pixels. Where only its foot has no place on the axis, it reaches down to
    the floor."""
    low = np.where(np.isnan(low) & np.isfinite(high), frame.height, low)
    ok = np.isfinite(px) & np.isfinite(high) & np.isfinite(low) & (px >= -2) & (px <= frame.width + 2)
    if ok.sum() < 2:
        return
    x, top, foot = thin(px[ok], high[ok], low[ok], column)
    x = np.clip(x, 0, frame.width)
    # thin() takes minima of its second and maxima of its third argument: on screen y runs down, so top is smaller.
    top, foot = np.clip(top, 0, frame.height), np.clip(foot, 0, frame.height)
    corners = pg.functions.arrayToQPolygonF(np.concatenate([x, x[::-1]]), np.concatenate([top, foot[::-1]]))
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(alpha(colour, 0.22))  # what lies beneath shows through
    painter.drawPolygon(corners)


def paint_empty(painter: QPainter, frame: Frame, words: str, theme: Theme) -> None:
    """A faint word where there is nothing to see yet."""
    painter.setPen(QColor(theme.faint))
    how = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
    painter.drawText(QRectF(0, 0, frame.width, frame.height), how, words)


def paint_grid(painter: QPainter, frame: Frame, ordinates: list[float], theme: Theme) -> None:
    """Quiet horizontal lines at the ticks of the y axis."""
    painter.setPen(pen(mix(theme.line, theme.background, 0.55)))
    for value in ordinates:
        y = math.floor(float(frame.py(value))) + 0.5  # sharp on the screen's own pixels
        painter.drawLine(QPointF(0, y), QPointF(frame.width, y))


def paint_events(painter: QPainter, frame: Frame, events: list[tuple[float, str]], theme: Theme) -> None:
    """Dotted marks on the abscissa with their words at the top, in two lines where they would overlap. Words for which
    neither side has room are cut; those for which there is none at all are left out."""
    unit = theme.scale
    small, row, least = font(SMALL * unit), 16 * unit, 32 * unit
    free = [-1.0, -1.0] if frame.height >= 6 * row else [-1.0]  # where the next words of each line may begin
    shown = sorted((float(frame.px(x)), words) for x, words in events)
    shown = [(px, words) for px, words in shown if 0 <= px <= frame.width]
    painter.setPen(pen(theme.border, unit, (2, 3)))
    painter.drawLines([QLineF(px, 0, px, frame.height) for px, _ in shown])
    for px, words in shown:
        sides = [(frame.width - px - 8 * unit if px + 4 * unit > end else 0.0, px - 4 * unit - max(end, 0.0))
                 for end in free]  # fmt: skip
        wide = text_width(small, words)
        line = next((k for k, side in enumerate(sides) if wide <= max(side)), 0)
        beyond, before = sides[line]
        if wide > max(beyond, before) >= least:
            words = QFontMetricsF(small).elidedText(words, Qt.TextElideMode.ElideRight, max(beyond, before))
            wide = text_width(small, words)
        if words and wide <= max(beyond, before):
            left = px + 4 * unit if wide <= beyond else px - wide - 4 * unit
            draw_words(painter, words, QRectF(left, line * row, wide, row), small, theme.faint, theme.background)
            free[line] = left + wide + 8 * unit


def paint_crosshair(painter: QPainter, frame: Frame, x: float, shown: list[Series], theme: Theme, *, log: bool) -> None:
    """A line at abscissa x, and a dot on the nearest point of every series."""
    unit, px = theme.scale, float(frame.px(x))
    painter.setPen(pen(alpha(theme.dim, 0.6), unit))
    line = math.floor(px) + 0.5
    painter.drawLine(QPointF(line, 0), QPointF(line, frame.height))
    for series in shown:
        index = series.nearest(x, isinstance(frame, LogFrame))
        if index is None:
            continue
        (sy,) = frame.py(series.on_axis(series.y[index : index + 1], log))
        sx = float(frame.px(series.x[index]))
        if 0 <= sx <= frame.width and 0 <= sy <= frame.height:
            painter.setPen(pen(theme.background, 1.5 * unit))
            painter.setBrush(QColor(series.colour(theme)))
            painter.drawEllipse(QPointF(sx, float(sy)), 4 * unit, 4 * unit)
