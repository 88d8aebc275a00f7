"""The lines of a Curves plot: what is kept of each, and how it is painted."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter

from gui.fonts import SMALL, font, text_width
from gui.palette import Dash, SeriesStyle, color, dash_of, pen
from gui.plots.geometry import Floats, Frame, clip_polyline, thin, thin_line
from gui.plots.marks import draw_line, draw_mark, draw_words
from gui.plots.ranges import Span, extent, union
from gui.tokens import Theme, alpha, mix

OVERLAY_DASHES: tuple[Dash, ...] = ((6, 3), (2, 2), (10, 3, 2, 3), (1, 2))
EMPTY: Floats = np.empty(0)


@dataclass
class Series:
    """One line. `x`, `y`: [n]; `low`, `high`: [n] envelope or empty. An overlay (`order` >= 0) is somebody's drawn
    curve or theory; a ghost is a pinned earlier run. `style` None: the colour of words."""

    label: str
    style: SeriesStyle | None
    ghost: bool = False
    width: float = 2.0
    order: int = -1
    x: Floats = field(default_factory=lambda: EMPTY)
    y: Floats = field(default_factory=lambda: EMPTY)
    low: Floats = field(default_factory=lambda: EMPTY)
    high: Floats = field(default_factory=lambda: EMPTY)
    _known: dict[str, Span | None] = field(default_factory=dict, init=False, repr=False)

    def across(self) -> Span | None:
        """Smallest and largest finite abscissa."""
        if "x" not in self._known:
            self._known["x"] = extent(self.x)
        return self._known["x"]

    def up(self, log: bool) -> Span | None:
        """Smallest and largest ordinate as the view has them, envelope included."""
        name = "log" if log else "y"
        if name not in self._known:
            self._known[name] = union(extent(self.on_axis(part, log)) for part in (self.y, self.low, self.high))
        return self._known[name]

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

    def thickness(self) -> float:
        """Line width in plot pixels; ghosts and overlays are thinner."""
        return min(self.width, 1.25) if self.ghost else min(self.width, 1.5) if self.overlay else self.width

    def missing(self) -> int:
        """How many values a logarithmic axis cannot show: those at or below zero."""
        with np.errstate(invalid="ignore"):
            return int((self.y <= 0).sum())

    def on_axis(self, values: Floats, log: bool) -> Floats:
        """Values as the view has them: decimal logarithms on a logarithmic axis; what has no place there is nan."""
        with np.errstate(all="ignore"):
            shown = np.log10(values) if log else values
            return np.where(np.isfinite(shown), shown, np.nan)

    def nearest(self, x: float) -> int | None:
        """Index of the point next to abscissa `x`, or None if the series has no point near it.

        Beyond its ends a series says nothing, but for half a step.
        """
        ok = np.flatnonzero(np.isfinite(self.x))
        if not ok.size:
            return None
        at = int(ok[np.argmin(np.abs(self.x[ok] - x))])
        reach = 0.51 * (self.x[ok[-1]] - self.x[ok[0]]) / max(1, ok.size - 1) + 1e-12 * abs(x)
        inside = self.x[ok].min() - max(reach, 0.5) <= x <= self.x[ok].max() + max(reach, 0.5)
        return at if inside else None


def paint_series(
    painter: QPainter,
    frame: Frame,
    series: Series,
    theme: Theme,
    *,
    log: bool,
    whole: bool,
    left: float = -math.inf,
) -> None:
    """Draw band and line of one series. `whole`: for a picture, with four times the detail a screen pixel has.

    What ends before the pixel `left` may be left out.
    """
    if not series.x.size:
        return
    column = 0.25 if whole else 1.5  # px; a line is 2 px wide
    if left > 0 and not series.dash(theme):
        series = _rest(frame, series, left, column)
    px = frame.px(series.x)
    unit = theme.scale
    width = series.thickness() * unit
    if series.low.size and not series.ghost:
        _paint_band(painter, frame, series, theme, log, column)
    x, y = thin_line(px, frame.py(series.on_axis(series.y, log)), column)
    x, y = clip_polyline(x, y, frame.width, frame.height, margin=width)
    used = pen(series.colour(theme), width, series.dash(theme))
    draw_line(painter, x, y, used, whole=whole)
    if series.x.size == 1 and 0 <= px[0] <= frame.width:
        (only,) = frame.py(series.on_axis(series.y, log))
        if np.isfinite(only) and 0 <= only <= frame.height:
            draw_mark(painter, "circle", float(px[0]), float(only), 3 * unit, series.colour(theme), theme.background)


def _rest(frame: Frame, series: Series, left: float, column: float) -> Series:
    """A line without what ends well before the pixel `left`; cut where a pixel column begins, so that columns stay
    the same. As it is where its abscissae do not rise."""
    x = series.x
    if not (np.diff(x) >= 0).all():
        return series
    start = max(0, int(np.searchsorted(x, frame.x(left - 12))) - 2)
    place = math.floor(float(frame.px(x[start])) / column) * column
    start = min(start, int(np.searchsorted(x, frame.x(place))))
    parts = {name: getattr(series, name)[start:] for name in ("x", "y", "low", "high")}
    return replace(series, **parts)


def _paint_band(painter: QPainter, frame: Frame, series: Series, theme: Theme, log: bool, column: float) -> None:
    """The envelope from `low` to `high`. Where only its foot has no place on the axis, it reaches down to the floor."""
    px = frame.px(series.x)
    high = frame.py(series.on_axis(series.high, log))
    low = frame.py(series.on_axis(series.low, log))
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
    painter.setBrush(QColor(mix(series.colour(theme), theme.background, 0.22)))
    painter.drawPolygon(corners)


def paint_empty(painter: QPainter, frame: Frame, words: str, theme: Theme) -> None:
    """A faint word where there is nothing to see yet."""
    painter.setPen(QColor(theme.faint))
    painter.drawText(QRectF(0, 0, frame.width, frame.height), Qt.AlignmentFlag.AlignCenter, words)


def paint_grid(painter: QPainter, frame: Frame, ordinates: list[float], theme: Theme) -> None:
    """Quiet horizontal lines at the ticks of the y axis."""
    painter.setPen(pen(mix(theme.line, theme.background, 0.55)))
    for value in ordinates:
        y = math.floor(float(frame.py(value))) + 0.5  # sharp on the screen's own pixels
        painter.drawLine(QPointF(0, y), QPointF(frame.width, y))


def paint_events(painter: QPainter, frame: Frame, events: list[tuple[float, str]], theme: Theme) -> None:
    """Dotted marks on the abscissa with their words at the top; words that would overlap are left out."""
    free = -1.0
    small, row = font(SMALL * theme.scale), 16 * theme.scale
    for x, words in sorted(events):
        px = float(frame.px(x))
        if not 0 <= px <= frame.width:
            continue
        painter.setPen(pen(theme.border, theme.scale, (2, 3)))
        painter.drawLine(QPointF(px, 0), QPointF(px, frame.height))
        wide = text_width(small, words)
        fits = px + wide + 8 * theme.scale < frame.width
        left = px + 4 * theme.scale if fits else px - wide - 4 * theme.scale
        if left > free:
            draw_words(painter, words, QRectF(left, 0, wide, row), small, theme.faint, theme.background)
            free = left + wide + 8 * theme.scale


def paint_crosshair(painter: QPainter, frame: Frame, x: float, shown: list[Series], theme: Theme, *, log: bool) -> None:
    """A line at abscissa x, and a dot on the nearest point of every series."""
    unit, px = theme.scale, float(frame.px(x))
    painter.setPen(pen(alpha(theme.dim, 0.6), unit))
    line = math.floor(px) + 0.5
    painter.drawLine(QPointF(line, 0), QPointF(line, frame.height))
    for series in shown:
        index = series.nearest(x)
        if index is None:
            continue
        (sy,) = frame.py(series.on_axis(series.y[index : index + 1], log))
        sx = float(frame.px(series.x[index]))
        if 0 <= sx <= frame.width and 0 <= sy <= frame.height:
            painter.setPen(pen(theme.background, 1.5 * unit))
            painter.setBrush(QColor(series.colour(theme)))
            painter.drawEllipse(QPointF(sx, float(sy)), 4 * unit, 4 * unit)
