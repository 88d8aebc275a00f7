"""From numbers to pixels: mapping, clipping and thinning of lines, without Qt.

All painting happens in plot pixels, so that pens and type scale with the picture and nothing outside the plot
reaches the painter: SVG has no clip, and Qt's painters break on coordinates such as 1e300.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
FAR = 1e150  # px: far outside every plot, small enough for differences and quotients in float64


@dataclass(frozen=True)
class Frame:
    """A plot's rectangle in pixels (0, 0, width, height; y down) and the range of the data it shows (y up)."""

    width: float
    height: float
    x0: float
    x1: float
    y0: float
    y1: float

    def px(self, x: Floats | float) -> Floats:
        """Pixels of data abscissae; finite input gives finite output."""
        return _scale(x, self.x0, self.x1, 0.0, self.width)

    def py(self, y: Floats | float) -> Floats:
        """Pixels of data ordinates; finite input gives finite output."""
        return _scale(y, self.y0, self.y1, self.height, 0.0)

    def x(self, px: float) -> float:
        """Data abscissa of a pixel."""
        return self.x0 + (self.x1 - self.x0) * px / max(self.width, 1e-9)

    def y(self, py: float) -> float:
        """Data ordinate of a pixel."""
        return self.y1 + (self.y0 - self.y1) * py / max(self.height, 1e-9)


def _scale(value: Floats | float, low: float, high: float, first: float, last: float) -> Floats:
    value = np.asarray(value, float)
    with np.errstate(all="ignore"):
        mapped = first + (value - low) * ((last - first) / (np.float64(high) - low))
        if mapped.size and mapped.min() > -FAR and mapped.max() < FAR:
            return mapped  # nothing to mend
        return np.where(np.isfinite(value), np.clip(mapped, -FAR, FAR), np.nan)


def clip_polyline(x: Floats, y: Floats, width: float, height: float, margin: float = 0.0) -> tuple[Floats, Floats]:
    """Cut a polyline to the rectangle [-margin, width + margin] x [-margin, height + margin].

    `x`, `y`: [n] pixels; a non-finite point is a gap. Returns [m] arrays in which nan separates the pieces. Each
    segment is cut exactly where it crosses the border (Liang and Barsky 1984, "A new concept and method for line
    clipping"), so the direction of a path that leaves for 1e300 stays true.
    """
    if len(x) < 2:
        return np.empty(0), np.empty(0)
    if x.min() >= -margin and x.max() <= width + margin and y.min() >= -margin and y.max() <= height + margin:
        return x, y
    ok = np.isfinite(x) & np.isfinite(y)
    ax, ay, bx, by = x[:-1], y[:-1], x[1:], y[1:]
    with np.errstate(all="ignore"):
        dx, dy = bx - ax, by - ay
        t0, t1 = np.zeros(len(dx)), np.ones(len(dx))
        keep = ok[:-1] & ok[1:]
        sides = ((-dx, ax + margin), (dx, width + margin - ax), (-dy, ay + margin), (dy, height + margin - ay))
        for p, q in sides:
            t = q / p
            t0 = np.where(p < 0, np.maximum(t0, t), t0)
            t1 = np.where(p > 0, np.minimum(t1, t), t1)
            keep &= (p != 0) | (q >= 0)
        keep &= t0 <= t1
        first = np.flatnonzero(keep)
        sx, sy = ax[first] + t0[first] * dx[first], ay[first] + t0[first] * dy[first]
        ex, ey = ax[first] + t1[first] * dx[first], ay[first] + t1[first] * dy[first]
    # A piece starts wherever a segment does not continue the one before it.
    new = np.ones(len(first), bool)
    new[1:] = (np.diff(first) != 1) | (t1[first[:-1]] < 1) | (t0[first[1:]] > 0)
    columns = [np.stack([np.where(new, np.nan, 0.0), np.where(new, s, 0.0), e]) for s, e in ((sx, ex), (sy, ey))]
    wanted = np.stack([new, new, np.ones(len(new), bool)]).T.ravel()
    return columns[0].T.ravel()[wanted][1:], columns[1].T.ravel()[wanted][1:]


def thin(x: Floats, low: Floats, high: Floats, column: float) -> tuple[Floats, Floats, Floats]:
    """Merge points that share a pixel column, keeping the smallest and the largest value of each.

    `x`: [n] pixels, non-decreasing; `low`, `high`: [n] pixels. `column`: width of a column in pixels. Nothing that
    could be seen is lost. A column with a gap (nan) in it keeps the gap only if nothing else is there.
    """
    if len(x) < 3:
        return x, low, high
    group = np.flatnonzero(np.diff(np.floor(x / column), prepend=-np.inf))
    if len(group) > 0.7 * len(x):
        return x, low, high
    return x[group], np.fmin.reduceat(low, group), np.fmax.reduceat(high, group)


def thin_line(x: Floats, y: Floats, column: float) -> tuple[Floats, Floats]:
    """A line with at most four points a pixel column: first, lowest, highest, last.

    `x`: [n] pixels, non-decreasing (else the line is returned as it is); `y`: [n] pixels, nan for gaps.
    """
    ok = np.isfinite(x)
    if len(x) < 64 or not ok.all() or bool((np.diff(x) < 0).any()):
        return x, y
    group = np.flatnonzero(np.diff(np.floor(x / column), prepend=-np.inf))
    if 4 * len(group) > len(x):
        return x, y
    last = np.append(group[1:], len(x)) - 1
    corners = (y[group], np.fmin.reduceat(y, group), np.fmax.reduceat(y, group), y[last])
    return np.repeat(x[group], 4), np.stack(corners, axis=1).ravel()


def pieces(x: Floats, y: Floats) -> list[tuple[Floats, Floats]]:
    """The runs of finite points of a polyline, each with at least two."""
    ok = np.isfinite(x) & np.isfinite(y)
    edges = np.flatnonzero(np.diff(np.concatenate([[False], ok, [False]]).astype(np.int8)))
    return [(x[a:b], y[a:b]) for a, b in zip(edges[::2], edges[1::2], strict=True) if b - a > 1]
