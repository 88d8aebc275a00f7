"""How a field becomes colours and contour lines, in numbers. The map and the 3-D surface share it."""

from __future__ import annotations

import math
from collections.abc import Generator
from dataclasses import dataclass
from functools import lru_cache

import contourpy
import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PySide6.QtGui import QImage

from gui.plots.geometry import Floats, Frame, clip_polyline
from gui.plots.ticks import linear_ticks
from gui.tokens import Theme

LEVELS = 14
CROWDED = 30_000  # points of contour lines
BAND = 64  # rows of a map computed in one go
UNDEFINED = 256  # place in the table of colours for values that are not finite


@dataclass(frozen=True)
class Relief:
    """A field on a grid. `z`: [ny, nx], row 0 at y0, column 0 at x0, the last ones at y1 and x1; not finite where
    undefined. `log`: height is the logarithm of the distance from the lowest value."""

    z: Floats
    x0: float
    x1: float
    y0: float
    y1: float
    log: bool
    height: Floats  # [ny, nx] between 0 and 1, nan where undefined
    base: float
    offset: float

    @property
    def x(self) -> Floats:
        """Abscissae of the grid, [nx]."""
        return np.linspace(self.x0, self.x1, self.z.shape[1])

    @property
    def y(self) -> Floats:
        """Ordinates of the grid, [ny]."""
        return np.linspace(self.y0, self.y1, self.z.shape[0])

    def scaled(self, z: Floats) -> Floats:
        """Heights 0 to 1 of values, on this field's own scale; values beyond it are cut."""
        return _height(z, self.base, self.offset, self._top, self.log)

    @property
    def _top(self) -> float:
        finite = self.z[np.isfinite(self.z)]
        return float(finite.max()) if finite.size else 1.0

    def sample(self, x: Floats, y: Floats) -> Floats:
        """Values at points by bilinear interpolation; nan outside the grid. `x`, `y`: [n]."""
        ny, nx = self.z.shape
        with np.errstate(invalid="ignore", over="ignore"):
            u = (np.asarray(x, float) - self.x0) / (self.x1 - self.x0) * (nx - 1)
            v = (np.asarray(y, float) - self.y0) / (self.y1 - self.y0) * (ny - 1)
            ok = (u >= 0) & (u <= nx - 1) & (v >= 0) & (v <= ny - 1)
        u, v = np.where(ok, u, 0.0), np.where(ok, v, 0.0)
        i, j = np.minimum(u.astype(int), nx - 2), np.minimum(v.astype(int), ny - 2)
        a, b = u - i, v - j
        z = self.z
        with np.errstate(invalid="ignore", over="ignore"):
            low = z[j, i] * (1 - a) + z[j, i + 1] * a
            high = z[j + 1, i] * (1 - a) + z[j + 1, i + 1] * a
            return np.where(ok, low * (1 - b) + high * b, np.nan)


def relief(z: Floats, extent: tuple[float, float, float, float], log: bool, foot: float = 0.01) -> Relief:
    """A field ready to be drawn; the logarithm begins where the lowest share `foot` of the map ends.

    Raises ValueError unless z is [ny, nx] with two rows and columns at least."""
    z = np.array(z, float)
    if z.ndim != 2 or min(z.shape) < 2:
        raise ValueError(f"field: shape {z.shape} is not [ny, nx] with at least 2 rows and 2 columns")
    finite = z[np.isfinite(z) & (np.abs(z) < 1e300)]
    base = float(finite.min()) if finite.size else 0.0
    top = float(finite.max()) if finite.size else 1.0
    above = float(np.quantile(finite - base, foot)) if finite.size else 1.0
    offset = max(above, (top - base) * 1e-9, 1e-300)
    x0, x1, y0, y1 = (float(v) for v in extent)
    return Relief(z, x0, x1, y0, y1, log, _height(z, base, offset, top, log), base, offset)


def _height(z: Floats, base: float, offset: float, top: float, log: bool) -> Floats:
    with np.errstate(all="ignore"):
        if log:
            span = math.log1p((top - base) / offset) or 1.0
            height = np.log1p(np.maximum(z - base, 0.0) / offset) / span
        else:
            height = (z - base) / ((top - base) or 1.0)
        return np.where(np.isfinite(z), np.clip(height, 0.0, 1.0), np.nan)


def levels(field: Relief, count: int = LEVELS) -> list[float]:
    """Values for contour lines: evenly spaced in height on a logarithmic map, round numbers on a linear one."""
    finite = field.z[np.isfinite(field.z) & (np.abs(field.z) < 1e300)]
    if not finite.size or finite.min() == finite.max():
        return []
    top = float(finite.max())
    if not field.log:
        return [v for v in linear_ticks(field.base, top, count)[0] if field.base < v < top]
    span = math.log1p((top - field.base) / field.offset)
    # The lowest level is left out: along a narrow valley a grid breaks it into beads.
    return [field.base + field.offset * math.expm1(span * k / (count + 1)) for k in range(2, count + 1)]


@lru_cache(32)
def colour_table(theme: Theme) -> NDArray[np.uint32]:
    """viridis mixed into the background, [257] as 0xffRRGGBB, read only; the last entry stands for undefined values."""
    bright = pg.colormap.get("viridis").getLookupTable(0.0, 1.0, 256)[:, :3].astype(float)
    ground = np.array([int(theme.background[i : i + 2], 16) for i in (1, 3, 5)], float)
    mixed = np.vstack([theme.map_share * bright + (1 - theme.map_share) * ground, ground])
    rgb = np.rint(mixed).astype(np.uint32)
    colours: NDArray[np.uint32] = np.uint32(0xFF000000) | (rgb[:, 0] << 16) | (rgb[:, 1] << 8) | rgb[:, 2]
    colours.flags.writeable = False  # it is handed out more than once
    return colours


def paint_map(field: Relief, frame: Frame, theme: Theme, detail: float = 1.0) -> Generator[None, None, QImage]:
    """The map's colours for exactly this frame, `detail` image points a plot pixel; no clipping is needed. Yields after
    every few rows and returns the image."""
    width = max(2, min(2400, round(frame.width * detail)))
    height = max(2, min(2400, round(frame.height * detail)))
    ny, nx = field.z.shape
    px = (np.arange(width) + 0.5) / width
    py = (np.arange(height) + 0.5) / height
    u = (frame.x0 + px * (frame.x1 - frame.x0) - field.x0) / (field.x1 - field.x0) * (nx - 1)
    v = (frame.y1 + py * (frame.y0 - frame.y1) - field.y0) / (field.y1 - field.y0) * (ny - 1)
    # Half a cell beyond the grid still belongs to it; farther out there is nothing.
    out_u, out_v = (u < -0.5) | (u > nx - 0.5), (v < -0.5) | (v > ny - 0.5)
    u, v = np.clip(u, 0, nx - 1), np.clip(v, 0, ny - 1)
    i, j = np.minimum(u.astype(int), nx - 2), np.minimum(v.astype(int), ny - 2)
    a, b = (u - i).astype(np.float32), (v - j).astype(np.float32)[:, None]
    h = (field.height * 255).astype(np.float32)
    table = colour_table(theme)
    colours = np.empty((height, width), np.uint32)
    for first in range(0, height, BAND):
        band = slice(first, first + BAND)
        rows = h[j[band]] + (h[j[band] + 1] - h[j[band]]) * b[band]
        blended = rows[:, i] + (rows[:, i + 1] - rows[:, i]) * a
        with np.errstate(invalid="ignore"):
            index = np.where(np.isfinite(blended), blended + 0.5, UNDEFINED).astype(np.intp)
        index[out_v[band], :] = UNDEFINED
        index[:, out_u] = UNDEFINED
        colours[band] = table[index]
        yield
    return QImage(colours.data, width, height, 4 * width, QImage.Format.Format_RGB32).copy()


def contours(field: Relief, frame: Frame) -> Generator[None, None, tuple[Floats, Floats]]:
    """All contour lines of a field, [n] plot pixels cut to the frame, nan between two lines. Yields after each, and
    returns them.

    Where there are more points than `CROWDED`, lines would lie upon lines and take seconds to draw: every second level
    is left out, again and again.
    """
    z = np.ma.masked_invalid(field.z)
    with np.errstate(all="ignore"):
        maker = contourpy.contour_generator(field.x, field.y, z, line_type=contourpy.LineType.ChunkCombinedNan)
    found: list[list[Floats]] = []
    for level in levels(field):
        found.append([line for line in maker.lines(level)[0] if line is not None])
        yield
    while sum(len(line) for level in found for line in level) > CROWDED:
        found = found[1::2]
    gap = np.array([np.nan])
    parts: tuple[list[Floats], list[Floats]] = ([gap], [gap])
    for line in (line for level in found for line in level):
        cut = clip_polyline(frame.px(line[:, 0]), frame.py(line[:, 1]), frame.width, frame.height)
        for part, along in zip(parts, cut, strict=True):
            part += [along, gap]
        yield
    return np.concatenate(parts[0]), np.concatenate(parts[1])
