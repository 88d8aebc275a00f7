"""A surface in space as numbers: turning, projecting, sorting by depth, shading. Without Qt."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from gui.plots.geometry import Floats, clip_polyline
from gui.plots.relief import Relief

CELLS = 40
TALL = 1.1  # height of the box; its floor is [-1, 1] x [-1, 1]


@dataclass(frozen=True)
class Camera:
    """Where one looks from: `azimuth` and `elevation` in degrees, `zoom`, and the size of the picture in pixels.

    The projection is parallel: equal lengths stay equal, and a path can be compared along its way.
    """

    azimuth: float
    elevation: float
    zoom: float
    width: float
    height: float

    def project(self, x: Floats, y: Floats, z: Floats) -> tuple[Floats, Floats, Floats]:
        """Pixels and nearness (larger: nearer) of points in the box, x and y in [-1, 1], z in [0, TALL]; [n] each."""
        a, e = np.radians(self.azimuth), np.radians(self.elevation)
        across = x * np.cos(a) - y * np.sin(a)
        away = x * np.sin(a) + y * np.cos(a)
        z = z - TALL / 2
        up = z * np.cos(e) + away * np.sin(e)
        nearness = z * np.sin(e) - away * np.cos(e)
        reach_up = 0.5 * TALL * np.cos(e) + 1.42 * np.sin(e)
        scale = self.zoom * min(self.width / 3.1, (self.height - 40) / (1.84 * reach_up + 0.2))
        return self.width / 2 + scale * across, self.height / 2 - scale * up, nearness


@dataclass(frozen=True)
class Mesh:
    """The surface as (CELLS + 1)^2 nodes in the box; nan heights are holes. All arrays are [CELLS + 1, CELLS + 1]."""

    x: Floats
    y: Floats
    z: Floats
    height: Floats

    @classmethod
    def of(cls, field: Relief) -> Mesh:
        """Nodes on an even grid over the whole field."""
        x, y = np.meshgrid(np.linspace(-1, 1, CELLS + 1), np.linspace(-1, 1, CELLS + 1))
        values = field.sample(*to_data(field, x.ravel(), y.ravel())).reshape(x.shape)
        height = field.scaled(values)
        return cls(x, y, height * TALL, height)

    def quads(self) -> tuple[NDArray[np.intp], Floats]:
        """Node numbers [CELLS^2, 4] of each cell, and the cells' mean heights [CELLS^2], nan for a hole."""
        n = CELLS + 1
        first = (np.arange(CELLS)[:, None] * n + np.arange(CELLS)).ravel()
        corners = np.stack([first, first + 1, first + n + 1, first + n], axis=1)
        return corners, self.height.ravel()[corners].mean(axis=1)

    def shade(self, camera: Camera) -> Floats:
        """Light on each cell, about 0.72 to 1.12, [CELLS^2]: a lamp above the viewer's left shoulder."""
        slope_y, slope_x = np.gradient(np.nan_to_num(self.z), 2.0 / CELLS)
        a = np.radians(camera.azimuth - 35)
        lamp = np.array([-np.sin(a), -np.cos(a), 1.1]) / np.hypot(1.0, 1.1)
        normal = np.stack([-slope_x, -slope_y, np.ones_like(slope_x)]) / np.sqrt(1 + slope_x**2 + slope_y**2)
        light = np.tensordot(lamp, normal, 1)
        cell = (light[:-1, :-1] + light[1:, :-1] + light[:-1, 1:] + light[1:, 1:]) / 4
        shaded: Floats = (0.72 + 0.4 * np.clip(cell, 0, 1)).ravel()
        return shaded


def to_box(field: Relief, x: Floats, y: Floats) -> tuple[Floats, Floats]:
    """Data coordinates to the floor of the box."""
    with np.errstate(all="ignore"):
        return 2 * (x - field.x0) / (field.x1 - field.x0) - 1, 2 * (y - field.y0) / (field.y1 - field.y0) - 1


def to_data(field: Relief, x: Floats, y: Floats) -> tuple[Floats, Floats]:
    """The floor of the box to data coordinates."""
    return field.x0 + (x + 1) / 2 * (field.x1 - field.x0), field.y0 + (y + 1) / 2 * (field.y1 - field.y0)


def drape(field: Relief, x: Floats, y: Floats) -> tuple[Floats, Floats, Floats]:
    """A path of data points laid upon the surface: box coordinates [m], nan between pieces.

    It is cut at the edges of the field, and long segments are divided so that they follow the relief.
    """
    bx, by = to_box(field, np.asarray(x, float), np.asarray(y, float))
    bx, by = clip_polyline(np.clip(bx, -1e100, 1e100) + 1, np.clip(by, -1e100, 1e100) + 1, 2.0, 2.0)
    if len(bx) < 2:
        return bx - 1, by - 1, np.zeros(len(bx))
    # Steps far finer than a cell are merged, long ones are divided.
    keep = np.concatenate([[True], (np.diff(np.rint(bx * 400)) != 0) | (np.diff(np.rint(by * 400)) != 0)])
    keep |= ~np.isfinite(bx)
    keep[-1] = True
    bx, by = bx[keep] - 1, by[keep] - 1
    with np.errstate(invalid="ignore"):
        parts = np.hypot(np.diff(bx), np.diff(by)) / (1.0 / CELLS)
    count = np.where(np.isfinite(parts), np.clip(np.ceil(parts), 1, 4 * CELLS), 1).astype(int)
    owner = np.repeat(np.arange(len(count)), count)
    share = (np.arange(len(owner)) - np.repeat(np.cumsum(count) - count, count)) / count[owner]
    px = np.append(bx[owner] + np.where(share > 0, share * (bx[owner + 1] - bx[owner]), 0.0), bx[-1])
    py = np.append(by[owner] + np.where(share > 0, share * (by[owner + 1] - by[owner]), 0.0), by[-1])
    height = field.scaled(field.sample(*to_data(field, px, py)))
    return np.where(np.isfinite(height), px, np.nan), py, height * TALL


def strands(x: Floats, y: Floats) -> list[tuple[int, int]]:
    """Cuts a draped path where it enters another cell, so that each part can be sorted by depth: (start, stop)."""
    ok = np.isfinite(x) & np.isfinite(y)
    cell = np.floor((np.where(ok, x, 0) + 1) / 2 * CELLS) * 1000 + np.floor((np.where(ok, y, 0) + 1) / 2 * CELLS)
    edges = np.flatnonzero((np.diff(cell) != 0) | (np.diff(ok.astype(int)) != 0)) + 1
    bounds = np.concatenate([[0], edges, [len(x)]])
    parts = []
    for start, stop in pairwise(bounds):
        if ok[start]:
            last = min(stop + 1, len(x)) if stop < len(x) and ok[stop] else stop  # reach over the border
            if last - start > 1:
                parts.append((int(start), int(last)))
    return parts
