"""A plane of cells, each in the colour of its region: which minimum is reached from where, and how soon."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QImage, QPainter

from engine.picture import HATCHED, PLAIN, Dots, Map, Regions
from gui.plots.decision import DecisionMap
from gui.plots.geometry import Floats, Frame
from gui.plots.header import Entry
from gui.plots.marks import draw_mark
from gui.plots.readout import Row
from gui.plots.shaded import Shaded, class_colour
from gui.plots.shades import Table
from gui.plots.ticks import number, prose
from gui.tokens import Theme, mix

FAINTEST = 0.16  # share of a region's colour in its slowest cell
SHADES = 64  # of one region
STRIPES = 5  # cells from one stripe of a hatched region to the next
MOST_MARKS = 40  # more would cover the map


def hue_colour(hue: int, theme: Theme) -> str:
    """The colour of a region at full strength."""
    if hue == PLAIN:
        return mix(theme.text, theme.background, 0.42)
    if hue == HATCHED:
        return mix(theme.text, theme.background, 0.2)
    return class_colour(hue, theme)


@dataclass(frozen=True)
class Cells(Shaded):
    """Regions ready to be drawn; those in `hidden` are left blank."""

    hidden: frozenset[int] = frozenset()

    @property
    def regions(self) -> Regions:
        """What is drawn."""
        assert isinstance(self.source, Regions)
        return self.source

    @property
    def sorts(self) -> bool:
        """It has no scale of numbers."""
        return True

    @property
    def boundary(self) -> list[Floats]:
        """Cells have edges enough."""
        return []

    contours = boundary

    def image(self, theme: Theme) -> QImage:
        """One image point for each cell, the top row at y1."""
        regions = self.regions
        label = np.asarray(regions.values)
        table = np.array([self._shades(k, hue, theme) for k, hue in enumerate(regions.hues)], np.uint32)
        strength = np.nan_to_num(np.clip(regions.strength, 0.0, 1.0), nan=0.0)
        level = np.rint(strength * (SHADES - 1)).astype(np.intp)
        rows, columns = label.shape
        level[np.add.outer(np.arange(rows), np.arange(columns)) % STRIPES == 0] += SHADES
        colours = np.ascontiguousarray(table[label, level][::-1])
        return QImage(colours.data, columns, rows, 4 * columns, QImage.Format.Format_RGB32).copy()

    def _shades(self, region: int, hue: int, theme: Theme) -> Table:
        """The colours of one region, from faint to strong, and once more where a stripe goes: 0xffRRGGBB."""
        strong, faint = np.linspace(FAINTEST, 1.0, SHADES), np.ones(SHADES)
        share = np.concatenate([strong, strong] if hue >= 0 else [faint, 2 * faint if hue == HATCHED else faint])
        ink, ground = _rgb(hue_colour(hue, theme)), _rgb(theme.background)
        share = share[:, None] * (region not in self.hidden)
        rgb = np.rint(np.clip(ground + share * (ink - ground), 0, 255)).astype(np.uint32)
        colours: Table = np.asarray(0xFF000000 | (rgb[:, 0] << 16) | (rgb[:, 1] << 8) | rgb[:, 2], np.uint32)
        return colours

    def paint(self, painter: QPainter, frame: Frame, image: QImage) -> None:
        """Draw the cells with sharp edges, cut to the frame."""
        x0, x1, y0, y1 = self.extent
        left, right = max(x0, frame.x0), min(x1, frame.x1)
        low, high = max(y0, frame.y0), min(y1, frame.y1)
        if left >= right or low >= high:
            return
        per_x, per_y = image.width() / (x1 - x0), image.height() / (y1 - y0)
        source = QRectF((left - x0) * per_x, (y1 - high) * per_y, (right - left) * per_x, (high - low) * per_y)
        a, b, c, d = (float(v) for v in (frame.px(left), frame.px(right), frame.py(high), frame.py(low)))
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, False)
        painter.drawImage(QRectF(a, c, b - a, d - c), image, source)

    def cell(self, x: float, y: float) -> tuple[int, int] | None:
        """Row and column at a point; None outside."""
        x0, x1, y0, y1 = self.extent
        rows, columns = self.regions.values.shape
        row, column = int(np.floor((y - y0) / (y1 - y0) * rows)), int(np.floor((x - x0) / (x1 - x0) * columns))
        return (row, column) if 0 <= row < rows and 0 <= column < columns else None


class BasinMap(DecisionMap):
    """Shows engine.picture.Regions. `picked(x, y)`: a click on the plane, in data units."""

    def _shade(self, picture: Map) -> Shaded | None:
        if not isinstance(picture, Regions) or not picture.values.size:
            return None
        return Cells(picture, np.empty((0, 2, 2)), picture.extent, 0.0, 1.0, self._hidden_regions())

    def _hidden_regions(self) -> frozenset[int]:
        return frozenset(int(key.split()[1]) for key in self.hidden if key.startswith("region "))

    def hiding_changed(self) -> None:
        """Other regions than before are hidden."""
        if self.picture is not None:
            self.shaded, self._ground = self._shade(self.picture), None
        super().hiding_changed()

    def readout(self, x: float, y: float) -> tuple[str, list[Row]]:
        """The start, the region it belongs to, and the number told of it."""
        head = f"{self.x_label or 'x'} {number(x)}   {self.y_label or 'y'} {number(y)}"
        if not isinstance(self.shaded, Cells):
            return head, []
        at, regions = self.shaded.cell(x, y), self.shaded.regions
        if at is None:
            return head, []
        k = int(regions.values[at])
        rows = [Row(self._region_name(k), "", hue_colour(regions.hues[k], self.theme))]
        if regions.told.size:
            rows.append(Row(regions.value_label, f"{float(regions.told[at]):g}"))
        return head, rows

    def _region_name(self, k: int) -> str:
        names = self.picture.classes if self.picture is not None else ()
        return prose(names[k]) if k < len(names) else f"region {k}"

    def nearest(self, x: float, y: float) -> tuple[Dots, int] | None:
        """There are no samples."""
        return None

    def entries(self) -> list[Entry]:
        """A chip for each region that is to be named."""
        if not isinstance(self.picture, Regions):
            return []
        return [
            Entry(f"region {k}", self._region_name(k), hue_colour(self.picture.hues[k], self.theme),
                  symbol="square" if self.picture.hues[k] < 0 else "circle")
            for k in self.picture.named
        ]  # fmt: skip

    def _paint_marks(self, painter: QPainter, frame: Frame) -> None:
        if isinstance(self.picture, Regions) and len(self.picture.marks) <= MOST_MARKS:
            for x, y in self.picture.marks:
                at = QPointF(float(frame.px(x)), float(frame.py(y)))
                if 0 <= at.x() <= frame.width and 0 <= at.y() <= frame.height:
                    size = 5 * self.theme.scale
                    draw_mark(painter, "plus", at.x(), at.y(), size, self.theme.text, self.theme.background)
        super()._paint_marks(painter, frame)


def _rgb(colour: str) -> Floats:
    return np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)], float)
