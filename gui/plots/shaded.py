"""A map over a plane in numbers and colours: shades, limits, decision boundaries, values between the grid points."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import contourpy
import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QImage, QPainter

from engine.picture import Array, Map
from gui.palette import GENERAL, color
from gui.plots.geometry import Floats, Frame
from gui.plots.relief import colour_table
from gui.plots.shades import UNDEFINED, Table, signed_table
from gui.tokens import Theme

LARGE = 1e300  # contouring takes differences
CALM = 1.0  # the share of a signed or class colour in the background, against that of the map's green


def class_colour(index: int, theme: Theme) -> str:
    """The colour of a class, the same on the map, its dots and the legend."""
    return color(GENERAL[index % len(GENERAL)], theme)


def sign_colours(theme: Theme) -> tuple[str, str]:
    """Blue for below and orange for above, at full strength."""
    table = signed_table(theme)
    return f"#{int(table[0]) & 0xFFFFFF:06x}", f"#{int(table[255]) & 0xFFFFFF:06x}"


@dataclass(frozen=True)
class Shaded:
    """A map ready to be drawn. `values`: [1 or classes, rows, columns], two rows and columns at least, row 0 at y0,
    the last at y1; `extent` ascending; `low`, `high`: the ends of the scale, finite."""

    source: Map
    values: Floats
    extent: tuple[float, float, float, float]
    low: float
    high: float

    @property
    def sorts(self) -> bool:
        """Whether it shows classes."""
        return self.source.scale == "classes"

    # -- values ------------------------------------------------------------------------------------------------------

    def sample(self, x: float, y: float) -> Floats:
        """The values at a point by bilinear interpolation, [1 or classes]; nan outside the grid."""
        x0, x1, y0, y1 = self.extent
        _, rows, columns = self.values.shape
        u, v = (x - x0) / (x1 - x0) * (columns - 1), (y - y0) / (y1 - y0) * (rows - 1)
        if not (0 <= u <= columns - 1 and 0 <= v <= rows - 1):
            return np.full(len(self.values), np.nan)
        i, j = min(int(u), columns - 2), min(int(v), rows - 2)
        a, b, z = u - i, v - j, self.values
        with np.errstate(all="ignore"):
            below = z[:, j, i] * (1 - a) + z[:, j, i + 1] * a
            above = z[:, j + 1, i] * (1 - a) + z[:, j + 1, i + 1] * a
            mixed: Floats = below * (1 - b) + above * b
        return mixed

    def places(self, values: Array) -> NDArray[np.intp]:
        """Where numbers on this scale lie in a table of 256 shades; UNDEFINED where they are not finite."""
        given = np.asarray(values, float)
        good = np.isfinite(given)
        # Halves: the distance of two floats may be more than a float can hold.
        low, high, half = self.low / 2, self.high / 2, given / 2
        with np.errstate(all="ignore"):
            if self.source.scale == "signed":
                centre = self.source.centre / 2
                up, down = (half - centre) / (high - centre), (half - centre) / (centre - low)
                share = 0.5 + 0.5 * np.where(half >= centre, up, down)
            else:
                share = (half - low) / (high - low) if high > low else np.full(given.shape, 0.5)
            share = np.nan_to_num(np.clip(share, 0.0, 1.0), nan=0.5)
            found: NDArray[np.intp] = np.where(good, share * 255 + 0.5, UNDEFINED).astype(np.intp)
        return found

    # -- lines -------------------------------------------------------------------------------------------------------

    @cached_property
    def boundary(self) -> list[Floats]:
        """Where the decision turns, as polylines [n, 2] in data units with nan between pieces: between the winners of
        a class map; at the centre of a signed one, if it is among the contours."""
        if not self.sorts:
            wanted = self.source.scale == "signed" and self.source.centre in self.source.contours
            return self._lines(self.values[0], [self.source.centre]) if wanted else []
        if len(self.values) < 2:
            return []
        top = np.partition(self.values, -2, axis=0)
        first, second = top[-1], top[-2]
        winner = np.argmax(self.values, axis=0)
        found: list[Floats] = []
        for index in np.unique(winner)[:-1]:  # the last one's border is drawn with the others'
            with np.errstate(all="ignore"):
                lead = np.where(winner == index, first - second, self.values[index] - first)
            found += self._lines(lead, [0.0])
        return found

    @cached_property
    def contours(self) -> list[Floats]:
        """The other contour lines, as `boundary`; on a class map those of the winner's share."""
        levels = [
            float(v)
            for v in self.source.contours
            if np.isfinite(v) and not (self.source.scale == "signed" and v == self.source.centre)
        ]
        return self._lines(self.values.max(axis=0) if self.sorts else self.values[0], levels) if levels else []

    def _lines(self, z: Floats, levels: list[float]) -> list[Floats]:
        x0, x1, y0, y1 = self.extent
        rows, columns = z.shape
        good = np.ma.masked_where(~(np.abs(z) < LARGE), z)
        with np.errstate(all="ignore"):
            maker = contourpy.contour_generator(
                np.linspace(x0, x1, columns), np.linspace(y0, y1, rows), good,
                line_type=contourpy.LineType.ChunkCombinedNan,
            )  # fmt: skip
            parts = [points for level in levels for points in maker.lines(level)[0]]
        return [np.asarray(points, float) for points in parts if points is not None]

    # -- colours -----------------------------------------------------------------------------------------------------

    def table(self, theme: Theme) -> Table:
        """The calm colours of the scale, [257] as 0xffRRGGBB: mixed into the background."""
        if self.source.scale != "signed":
            return colour_table(theme)
        return _calmed(signed_table(theme), min(1.0, CALM * theme.map_share), theme)

    def strong(self, theme: Theme) -> Table:
        """The same scale at full strength, for dots."""
        if self.source.scale == "signed":
            table = signed_table(theme)
            # A dot stays a dot where the map is blank.
            table[64:192] = np.repeat(table[[64, 191]], 64)
            return table
        return _calmed(colour_table(theme), 1.0 / theme.map_share, theme)

    def image(self, theme: Theme) -> QImage:
        """One image point for each grid point, the top row at y1."""
        colours = self._class_colours(theme) if self.sorts else self.table(theme)[self.places(self.values[0])]
        colours = np.ascontiguousarray(colours[::-1])
        rows, columns = colours.shape
        return QImage(colours.data, columns, rows, 4 * columns, QImage.Format.Format_RGB32).copy()

    def _class_colours(self, theme: Theme) -> Table:
        count = len(self.values)
        shares = np.nan_to_num(self.values, nan=-1.0, posinf=1.0, neginf=-1.0)
        winner = shares.argmax(axis=0)
        share = shares.max(axis=0)
        share = np.clip(share, -1.0, 1.0)
        sure = np.clip((share - 1 / count) / (1 - 1 / count), 0.0, 1.0) if count > 1 else np.clip(share, 0.0, 1.0)
        inks = np.array([_rgb(class_colour(k, theme)) for k in range(count)])
        strength = min(1.0, CALM * theme.map_share) * (0.2 + 0.8 * sure)
        strength = np.where(np.isfinite(self.values).all(axis=0), strength, 0.0)[..., None]
        rgb = np.rint(strength * inks[winner] + (1 - strength) * _rgb(theme.background)).astype(np.uint32)
        colours: Table = np.uint32(0xFF000000) | (rgb[..., 0] << 16) | (rgb[..., 1] << 8) | rgb[..., 2]
        return colours

    def paint(self, painter: QPainter, frame: Frame, image: QImage) -> None:
        """Draw `image` where it belongs, smoothly scaled, cut to the frame."""
        x0, x1, y0, y1 = self.extent
        left, right = max(x0, frame.x0), min(x1, frame.x1)
        low, high = max(y0, frame.y0), min(y1, frame.y1)
        if left >= right or low >= high:
            return
        per_x, per_y = (image.width() - 1) / (x1 - x0), (image.height() - 1) / (y1 - y0)
        source = QRectF(
            0.5 + (left - x0) * per_x, 0.5 + (y1 - high) * per_y, (right - left) * per_x, (high - low) * per_y
        )
        a, b, c, d = (float(v) for v in (frame.px(left), frame.px(right), frame.py(high), frame.py(low)))
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.drawImage(QRectF(a, c, b - a, d - c), image, source)

    def picture(self, frame: Frame, theme: Theme, detail: float) -> QImage:
        """The whole frame as an image of `detail` points a pixel: formats without a clip take nothing else."""
        wide, high = (max(1, min(2400, round(side * detail))) for side in (frame.width, frame.height))
        made = QImage(wide, high, QImage.Format.Format_RGB32)
        made.fill(QColor(theme.background))
        with QPainter(made) as painter:
            painter.scale(wide / frame.width, high / frame.height)
            self.paint(painter, frame, self.image(theme))
        return made

    def bar(self, theme: Theme) -> QImage:
        """The scale from low to high, one image point high."""
        colours = np.ascontiguousarray(
            self.table(theme)[self.places(2 * np.linspace(self.low / 2, self.high / 2, 128))]
        )
        return (
            QImage(colours.data, 128, 1, 512, QImage.Format.Format_RGB32)
            .copy()
            .scaled(128, 8, Qt.AspectRatioMode.IgnoreAspectRatio)
        )


def shaded(source: Map) -> Shaded | None:
    """A map made ready; None where there is nothing to draw: no values, no extent, or the wrong number of axes."""
    values = np.asarray(source.values)
    if values.ndim != (3 if source.scale == "classes" else 2) or not values.size:
        return None
    values = np.asarray(values if values.ndim == 3 else values[None], float)
    x0, x1, y0, y1 = (float(v) for v in source.extent)
    if not (np.isfinite([x0, x1, y0, y1]).all() and np.isfinite([x1 - x0, y1 - y0]).all() and x0 != x1 and y0 != y1):
        return None
    if x0 > x1:
        x0, x1, values = x1, x0, values[:, :, ::-1]
    if y0 > y1:
        y0, y1, values = y1, y0, values[:, ::-1, :]
    for axis in (1, 2):
        if values.shape[axis] == 1:
            values = np.repeat(values, 2, axis=axis)
    return Shaded(source, values, (x0, x1, y0, y1), *_limits(source, values))


def _limits(source: Map, values: Floats) -> tuple[float, float]:
    """The ends of the scale: those given, else of what is finite; about the centre where it has one."""
    if source.scale == "classes":
        return 0.0, 1.0
    finite = values[np.isfinite(values)]
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 1.0)
    if source.scale == "signed":
        centre = source.centre
        with np.errstate(over="ignore"):
            half = min(max(high - centre, centre - low, 0.0), 1e308) or 1.0
        low, high = centre - half, centre + half
    low = low if source.low is None or not np.isfinite(source.low) else float(source.low)
    high = high if source.high is None or not np.isfinite(source.high) else float(source.high)
    return max(low, -1e308), min(high, 1e308)


def _calmed(table: Table, share: float, theme: Theme) -> Table:
    """Every colour as far from the background as `share` says; more than 1 takes a mixing back."""
    ground = _rgb(theme.background)
    whole = table.astype(np.int64)
    channels = np.stack([(whole >> shift) & 255 for shift in (16, 8, 0)], axis=1).astype(float)
    rgb: Array = np.rint(np.clip(ground + share * (channels - ground), 0, 255)).astype(np.uint32)
    red, green, blue = (rgb[:, k] for k in range(3))
    colours: Table = np.asarray(np.uint32(0xFF000000) | (red << 16) | (green << 8) | blue, np.uint32)
    return colours


def _rgb(colour: str) -> Floats:
    return np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)], float)
