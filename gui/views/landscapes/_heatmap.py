"""A plane of cells on a scale of colours, each of them something that was run: it can be pointed at and opened."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QBrush, QColor, QImage, QKeyEvent, QPainter, QPainterPath

from engine.picture import HATCHED, Heat, Map
from gui.palette import pen
from gui.plots.basinmap import BasinMap, Cells, hue_colour
from gui.plots.geometry import Floats, Frame
from gui.plots.header import Entry
from gui.plots.marks import draw_mark
from gui.plots.readout import Row
from gui.plots.relief import colour_table
from gui.plots.shaded import Shaded
from gui.plots.shades import Table
from gui.plots.ticks import number
from gui.plots.trails import Trail
from gui.tokens import Theme, mix

STRIPES = (128, 128, 128, 170)  # a grey that shows on every ground
SYMBOLS = ("star", "diamond")


@dataclass(frozen=True)
class HeatCells(Cells):
    """Cells of the first region in the colours of a scale; the others as regions have them."""

    @property
    def sorts(self) -> bool:
        """It has a scale."""
        return False

    def image(self, theme: Theme) -> QImage:
        """Colours of the scale, and over them the cells of other regions."""
        whole = super().image(theme)
        label = np.asarray(self.regions.values)
        shades = np.minimum(np.rint(self.regions.strength * 255), 255).astype(np.intp)
        rows, columns = label.shape
        drawn = np.frombuffer(whole.constBits(), np.uint32).reshape(rows, columns).copy()
        drawn[np.isin(label[::-1], self._hatched())] = 0xFF000000 | int(
            mix(theme.text, theme.background, 0.08)[1:], 16
        )  # stripes come over it
        run = label[::-1] == 0
        drawn[run] = self.scale(theme)[shades[::-1][run]]
        return QImage(drawn.data, columns, rows, 4 * columns, QImage.Format.Format_RGB32).copy()

    @staticmethod
    def scale(theme: Theme) -> Table:
        """The map's colours, fainter towards the worst and nearer to full strength towards the best, which is where
        the eye is to go."""
        faint, strong = (_channels(colour_table(replace(theme, map_share=share))) for share in (0.4, 0.9))
        share = (np.arange(len(strong)) / 255.0).clip(0.0, 1.0)[:, None]
        red, green, blue = np.rint(faint + share * (strong - faint)).astype(np.uint32).T
        found: Table = np.asarray(np.uint32(0xFF000000) | (red << 16) | (green << 8) | blue, np.uint32)
        return found

    def paint(self, painter: QPainter, frame: Frame, image: QImage) -> None:
        """The cells, and stripes over those of a hatched region."""
        super().paint(painter, frame, image)
        x0, x1, y0, y1 = self.extent
        label = np.asarray(self.regions.values)
        rows, columns = label.shape
        px = frame.px(x0 + (x1 - x0) * np.arange(columns + 1) / columns)
        py = frame.py(y0 + (y1 - y0) * np.arange(rows + 1) / rows)
        shown = self._hatched()
        striped = QPainterPath()
        for row in range(rows):
            edges = np.flatnonzero(np.diff(np.isin(label[row], shown).astype(np.int8), prepend=0, append=0))
            for a, b in zip(edges[::2], edges[1::2], strict=True):
                left, right = max(float(px[a]), 0.0), min(float(px[b]), frame.width)
                high, low = max(float(py[row + 1]), 0.0), min(float(py[row]), frame.height)
                if left < right and high < low:
                    striped.addRect(QRectF(left, high, right - left, low - high))
        painter.fillPath(striped, QBrush(QColor(*STRIPES), Qt.BrushStyle.BDiagPattern))

    def _hatched(self) -> list[int]:
        """Regions with stripes that are shown."""
        return [k for k, hue in enumerate(self.regions.hues) if hue == HATCHED and k not in self.hidden]

    def bar(self, theme: Theme) -> QImage:
        """The scale, from the worst to the best."""
        colours = np.ascontiguousarray(self.scale(theme)[np.linspace(0, 255, 128).astype(int)])
        made = QImage(colours.data, 128, 1, 512, QImage.Format.Format_RGB32).copy()
        return made.scaled(128, 8, Qt.AspectRatioMode.IgnoreAspectRatio)


def _channels(table: Table) -> Floats:
    """Red, green and blue [n, 3] of colours."""
    return np.stack([(table >> shift) & 255 for shift in (16, 8, 0)], axis=1).astype(float)


class HeatMap(BasinMap):
    """Shows engine.picture.Heat. `pointed(row, column)`: the mouse or the arrow keys are on a cell; `opened(row,
    column)`: it was clicked, or Enter pressed."""

    pointed = Signal(int, int)
    opened = Signal(int, int)

    def __init__(self, *given: Any, **named: Any) -> None:
        self.at: tuple[int, int] | None = None
        super().__init__(*given, **named)

    def show_picture(self, picture: Map | None) -> None:
        """Draw this one from now on."""
        if isinstance(picture, Heat):
            axes = (self.canvas.bottom, picture.axes[0]), (self.canvas.left_axis, picture.axes[1])
            for axis, (name, log) in axes:
                if (axis.name, axis.log) != (name, log):
                    axis.name, axis.log = name, log
                    axis.apply_theme(self.theme)
            self.x_label, self.y_label = picture.axes[0][0], picture.axes[1][0]
        super().show_picture(picture)
        self.trails = {key: Trail(one.label, None, one.x, one.y, overlay=True, order=k)
                       for k, (key, one) in enumerate(self.trails.items())}  # fmt: skip
        self.update_header()

    def _shade(self, picture: Map) -> Shaded | None:
        if not isinstance(picture, Heat) or not picture.values.size:
            return None
        ends = float(picture.low or 0.0), float(picture.high or 0.0)
        return HeatCells(picture, np.empty((0, 2, 2)), picture.extent, *ends, self._hidden_regions())

    def cell(self, x: float, y: float) -> tuple[int, int] | None:
        """Row and column at a point of the plane."""
        return self.shaded.cell(x, y) if isinstance(self.shaded, Cells) else None

    def readout(self, x: float, y: float) -> tuple[str, list[Row]]:
        """The two settings of the cell, and what its run measured."""
        at, heat = self.cell(x, y), self.picture
        if at is None or not isinstance(heat, Heat):
            return "", []
        rows = [Row(words, number(float(values[at]), 4)) for words, values in heat.readings if np.isfinite(values[at])]
        (a, b), (c, d) = heat.settings
        head = f"{a} {b[at[1]]:.6g}   {c} {d[at[0]]:.6g}"
        k = int(heat.values[at])
        if k:
            rows.insert(0, Row(heat.classes[k], "", hue_colour(heat.hues[k], self.theme)))
        return head, rows

    def entries(self) -> list[Entry]:
        """Regions that are there, marks, and lines of theory."""
        if not isinstance(self.picture, Heat):
            return []
        marks = [
            Entry(f"mark {k}", name, self.theme.text, symbol=SYMBOLS[k % 2])
            for k, name in enumerate(self.picture.names)
        ]
        lines = [Entry(key, t.label, t.colour(self.theme), t.dash(self.theme), width=t.thickness())
                 for key, t in self.trails.items()]  # fmt: skip
        return [*marks, *lines, *super().entries()]

    # -- hands -------------------------------------------------------------------------------------------------------

    def clicked(self, at: QPointF) -> None:
        """Open the run of the cell."""
        frame = self.canvas.frame()
        found = self.cell(frame.x(at.x()), frame.y(at.y()))
        if found is not None:
            self.opened.emit(*found)

    def hovered_at(self, at: QPointF | None) -> None:
        """Readout here, and tell which cell it is."""
        super().hovered_at(at)
        frame = self.canvas.frame()
        if at is not None and 0 <= at.x() <= frame.width and 0 <= at.y() <= frame.height:
            self.point(self.cell(frame.x(at.x()), frame.y(at.y())))

    def point(self, at: tuple[int, int] | None) -> None:
        """The cell looked at."""
        if at is not None and at != self.at:
            self.at = at
            self._marks.update()
            self.pointed.emit(*at)

    def key(self, event: QKeyEvent) -> bool:
        """Arrow keys go from cell to cell, Enter opens the run."""
        if not isinstance(self.picture, Heat):
            return False
        rows, columns = self.picture.values.shape
        row, column = self.at or (rows // 2, columns // 2)
        step = {
            Qt.Key.Key_Left: (0, -1), Qt.Key.Key_Right: (0, 1), Qt.Key.Key_Up: (1, 0), Qt.Key.Key_Down: (-1, 0),
        }.get(Qt.Key(event.key()))  # fmt: skip
        if step is not None:
            self.point((min(max(row + step[0], 0), rows - 1), min(max(column + step[1], 0), columns - 1)))
            return True
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.at is not None:
            self.opened.emit(*self.at)
            return True
        return False

    # -- painting ----------------------------------------------------------------------------------------------------

    def _paint_marks(self, painter: QPainter, frame: Frame) -> None:
        heat, theme = self.picture, self.theme
        if isinstance(heat, Heat):
            self._paint_cell(painter, frame)
            for k, (x, y) in enumerate(heat.marks):
                px, py = float(frame.px(x)), float(frame.py(y))
                if f"mark {k}" not in self.hidden and 0 <= px <= frame.width and 0 <= py <= frame.height:
                    draw_mark(painter, SYMBOLS[k % 2], px, py, 6 * theme.scale, theme.text, theme.background)
        picture, self.picture = self.picture, replace(heat, marks=np.empty((0, 2))) if isinstance(heat, Heat) else heat
        super()._paint_marks(painter, frame)
        self.picture = picture

    def _paint_cell(self, painter: QPainter, frame: Frame) -> None:
        """A frame around the cell looked at."""
        if self.at is None or self.for_picture or self.picture is None:
            return
        x0, x1, y0, y1 = self.picture.extent
        rows, columns = self.picture.values.shape
        row, column = min(self.at[0], rows - 1), min(self.at[1], columns - 1)
        left, right = (float(frame.px(x0 + (x1 - x0) * k / columns)) for k in (column, column + 1))
        low, high = (float(frame.py(y0 + (y1 - y0) * k / rows)) for k in (row, row + 1))
        box = QRectF(left, high, right - left, low - high)
        if not QRectF(0, 0, frame.width, frame.height).contains(box.center()):
            return
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for colour, width in ((self.theme.background, 3.0), (self.theme.text, 1.2)):
            painter.setPen(pen(colour, width * self.theme.scale))
            painter.drawRect(box)
