"""A map of what a model says over a plane, with its decision boundary, the samples, and ways on it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from PySide6.QtCore import QEvent, QObject, QPointF, Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPixmap
from PySide6.QtWidgets import QWidget

from engine.picture import Dots, Map
from gui.fonts import BODY, SMALL, font
from gui.palette import pen, series_style
from gui.plots.canvas import Range
from gui.plots.geometry import Floats, Frame, clip_polyline
from gui.plots.header import Entry
from gui.plots.marks import draw_line
from gui.plots.plot import Plot
from gui.plots.readout import Row, draw_readout
from gui.plots.samples import Group, Key, draw_dots, grouped, radius, same_dots
from gui.plots.shaded import Shaded, class_colour, shaded, sign_colours
from gui.plots.ticks import number, prose
from gui.plots.trails import Trail, draw_heads, draw_trail
from gui.tokens import DARK, Theme, mix

NEAR = 10.0  # px around a sample within which the mouse finds it
LISTED = 6  # classes in the readout at most, the likeliest first
SQUARE = 1e-6  # how much the spans of a square plane may differ


@dataclass
class Sheet:
    """The dots of a picture on a transparent sheet, kept while they stay the same."""

    key: object
    picture: Map
    groups: list[Group]
    made: QPixmap


class DecisionMap(Plot):
    """Shows an engine.picture.Map. `picked(x, y)`: a click on the plane, in data units."""

    picked = Signal(float, float)

    def __init__(
        self, title: str = "", x_label: str = "x", y_label: str = "y", theme: Theme = DARK,
        parent: QWidget | None = None, *, empty: str = "",
    ) -> None:  # fmt: skip
        super().__init__(title, x_label, y_label, theme, parent)
        self.empty = empty or "Nothing measured yet"
        self.picture: Map | None = None
        self.shaded: Shaded | None = None
        self.trails: dict[str, Trail] = {}
        self._home: Range | None = None
        self._mouse: QPointF | None = None
        self._ground: tuple[object, QPixmap] | None = None
        self._sheet: Sheet | None = None
        self._inset_of = 0.0
        self.key_strip = Key(theme, self.header)
        self.header.switches.append(self.key_strip)
        self.canvas.layer(self._paint_ground, 0)
        self.canvas.layer(self._paint_dots, 4)
        self._marks = self.canvas.layer(self._paint_marks, 10)
        self.canvas.installEventFilter(self)
        self.show_picture(None)

    # -- data --------------------------------------------------------------------------------------------------------

    def show_picture(self, picture: Map | None) -> None:
        """Draw this one from now on; None: nothing yet. Another extent than before becomes the view."""
        before = self._home
        self.picture, self._ground = picture, None
        self.shaded = self._shade(picture) if picture is not None else None
        titles = self.hiding.titles
        self.trails = {
            f"path {name}": Trail(
                titles.get(name, name), series_style(name, i), np.asarray(x, float), np.asarray(y, float)
            )
            for i, (name, x, y) in enumerate(picture.paths if picture is not None else ())
            if len(x) == len(y) > 0  # an empty one keeps the colours of those after it
        }
        if picture is not None:
            x0, x1, y0, y1 = (float(v) for v in picture.extent)
            self._home = min(x0, x1), max(x0, x1), min(y0, y1), max(y0, y1)
        if self._home is not None and self._home != before:
            self.zoomed = False
            self.reset_switch.hide()
            self.canvas.set_range(*self._home)
            self._make_square()
        self._write_note()
        self.update_header()
        self.data_changed()

    def _shade(self, picture: Map) -> Shaded | None:
        """The picture ready to be drawn; None where there is nothing to draw."""
        return shaded(picture)

    def _write_note(self) -> None:
        bottom, left = self.canvas.bottom, self.canvas.left_axis
        note = prose(self.picture.note) if self.picture is not None else ""
        blank = self.picture is None
        name = self.x_label or (" " if note else "")  # the note stands in the line of the name
        if (bottom.note, bottom.blank, bottom.name) != (note, blank, name):
            grown = bottom.name != name
            bottom.note, bottom.blank, bottom.name, left.blank = note, blank, name, blank
            self.canvas.setAccessibleDescription(note)
            for axis in (bottom, left):
                axis.update()
            if grown:
                bottom.apply_theme(self.theme)

    def readout(self, x: float, y: float) -> tuple[str, list[Row]]:
        """Head line and rows of the readout at (x, y): the value or the classes' shares, and the nearest sample."""
        head = f"{self.x_label or 'x'} {number(x)}   {self.y_label or 'y'} {number(y)}"
        rows: list[Row] = []
        field = self.shaded
        if field is not None:
            values = field.sample(x, y)
            if field.sorts:
                likely = [int(k) for k in np.argsort(-values, kind="stable")[:LISTED] if np.isfinite(values[k])]
                rows += [Row(self._class_name(k), f"{values[k]:.1%}", class_colour(k, self.theme)) for k in likely]
            elif np.isfinite(values[0]):
                rows.append(Row(field.source.value_label, number(float(values[0]))))
        found = self.nearest(x, y)
        if found is not None:
            dots, index = found
            value = float(np.asarray(dots.value)[index])
            said = self._class_name(int(value)) if self._classes() and np.isfinite(value) else number(value)
            colour = f"#{int(grouped(dots, self.shaded, self._classes(), self.theme).colours[index]):06x}"
            rows.append(Row(f"sample of {dots.name}" if dots.name else "sample", said, colour))
        return head, rows

    def nearest(self, x: float, y: float) -> tuple[Dots, int] | None:
        """The sample next to (x, y), as (dots, index), if it is within reach of the mouse."""
        frame, best, least = self.canvas.frame(), None, NEAR * self.theme.scale
        at_x, at_y = float(frame.px(x)), float(frame.py(y))
        for dots in self.picture.dots if self.picture is not None else ():
            if not len(dots.x) or not len(dots.x) == len(dots.y) == len(dots.value):
                continue
            far = np.hypot(frame.px(dots.x) - at_x, frame.py(dots.y) - at_y)
            far[~np.isfinite(far) | self._group_hidden(dots)] = np.inf
            index = int(far.argmin())
            if far[index] < least:
                best, least = (dots, index), float(far[index])
        return best

    # -- classes and colours -----------------------------------------------------------------------------------------

    def _classes(self) -> int:
        """How many classes the map tells apart; 0 for a scale."""
        if self.picture is None or self.picture.scale != "classes":
            return 0
        known = len(self.shaded.values) if self.shaded is not None else 0
        return max(known, len(self.picture.classes), 1)

    def _class_name(self, index: int) -> str:
        names = self.picture.classes if self.picture is not None else ()
        return names[index] if 0 <= index < len(names) else f"class {index}"

    def _sides(self, dots: Dots) -> Floats:
        """For each sample the number of the legend's chip it belongs to; -1: none."""
        values = np.asarray(dots.value, float)
        if self._classes():
            return np.where(np.isfinite(values), values, -1.0)
        assert self.picture is not None
        both = self.picture.scale == "signed" and len(self.picture.classes) == 2
        return np.where(values > self.picture.centre, 1.0, 0.0) if both else np.full(values.shape, -1.0)

    def _group_hidden(self, dots: Dots) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        off = [int(key.split()[1]) for key in self.hidden if key.startswith("class ")]
        return np.isin(self._sides(dots), off)

    def _shown_groups(self) -> list[Group]:
        groups = []
        for dots in self.picture.dots if self.picture is not None else ():
            if len(dots.x) == len(dots.y) == len(dots.value):
                group, keep = grouped(dots, self.shaded, self._classes(), self.theme), ~self._group_hidden(dots)
                groups.append(replace(group, x=group.x[keep], y=group.y[keep], colours=group.colours[keep]))
        return groups

    # -- what Plot asks for ------------------------------------------------------------------------------------------

    def entries(self) -> list[Entry]:
        """A chip for each class, and one for each path."""
        made = [
            Entry(f"class {k}", self._class_name(k), class_colour(k, self.theme), symbol="circle")
            for k in range(self._classes())
        ]
        if self.picture is not None and self.picture.scale == "signed" and len(self.picture.classes) == 2:
            pairs = zip(self.picture.classes, sign_colours(self.theme), strict=True)
            made += [Entry(f"class {k}", name, colour, symbol="circle") for k, (name, colour) in enumerate(pairs)]
        return made + [
            Entry(key, t.label, t.colour(self.theme), t.dash(self.theme), width=t.thickness())
            for key, t in self.trails.items()
        ]

    def update_header(self) -> None:
        """Bring legend and key up to date."""
        names = tuple((d.name, d.hollow) for d in self.picture.dots if d.name) if self.picture is not None else ()
        bar = None
        if self.shaded is not None and not self.shaded.sorts:
            bar = self.shaded.low, self.shaded.high, self.shaded.bar(self.theme)
        self.key_strip.theme = self.theme
        word = self.picture.value_label if self.picture is not None and self.picture.value_label != "value" else ""
        self.key_strip.show_key(names if len(names) > 1 or any(h for _, h in names) else (), bar, word)
        self.key_strip.setVisible(bool(self.key_strip.names or bar))
        super().update_header()

    def home(self) -> Range:
        """The extent of the map."""
        return self._home or (-1.0, 1.0, -1.0, 1.0)

    def apply_theme(self, theme: Theme) -> None:
        """Take over colours and scale."""
        self._ground = self._sheet = None
        super().apply_theme(theme)
        self._make_square()

    def clone(self, theme: Theme) -> Self:
        """An off-screen twin in another theme with the same picture, view and size. This plot does not change."""
        twin = super().clone(theme)
        twin.update_header()  # the key is no switch: it belongs to the picture
        return twin

    def _blank(self, theme: Theme) -> Self:
        return type(self)(self.title, self.x_label, self.y_label, theme, empty=self.empty)

    def _copy_to(self, twin: Self) -> None:
        twin.show_picture(self.picture)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Before the canvas lays itself out anew, the margins are settled."""
        if event.type() == QEvent.Type.Resize and watched is self.canvas:
            self._make_square(lay_out=False)
        return False

    def _make_square(self, lay_out: bool = True) -> None:
        """A plane with equal spans is shown as a square, in the middle of the room there is."""
        canvas, unit = self.canvas, self.theme.scale
        x0, x1, y0, y1 = self.home()
        extra = 0.0
        if self._home is not None and abs((x1 - x0) - (y1 - y0)) <= SQUARE * max(x1 - x0, y1 - y0):
            axis = canvas.left_axis.maximumWidth(), canvas.bottom.maximumHeight()
            wide, high = canvas.width() - axis[0] - 24 * unit, canvas.height() - axis[1] - 12 * unit
            extra = max(0.0, float(int((wide - high) / 2)))
        wanted = (8 * unit + extra, 8 * unit, 16 * unit + extra, 4 * unit)
        if canvas.grid.getContentsMargins() != wanted:
            canvas.grid.setContentsMargins(*wanted)
            if lay_out:
                canvas.grid.activate()
        if extra != self._inset_of:
            self._inset_of = extra
            self._inset()

    def _inset(self) -> None:
        extra = getattr(self, "_inset_of", 0.0) / self.theme.scale
        self.header.set_inset(8 + 48 + (18 if self.y_label else 0) + extra)

    # -- mouse -------------------------------------------------------------------------------------------------------

    def clicked(self, at: QPointF) -> None:
        """Tell where the plane was clicked."""
        frame = self.canvas.frame()
        if self.picture is not None and 0 <= at.x() <= frame.width and 0 <= at.y() <= frame.height:
            self.picked.emit(frame.x(at.x()), frame.y(at.y()))

    def hovered_at(self, at: QPointF | None) -> None:
        """Readout here."""
        self._mouse = at
        self._marks.update()

    # -- painting ----------------------------------------------------------------------------------------------------

    def _paint_ground(self, painter: QPainter, frame: Frame) -> None:
        if self.shaded is None:
            if self.picture is None:
                painter.setFont(font(BODY * self.theme.scale))
                painter.setPen(QColor(self.theme.faint))
                whole = self.canvas.view.boundingRect()
                painter.drawText(whole, Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap, self.empty)
            return
        if self.for_picture:
            painter.drawImage(self.canvas.view.boundingRect(), self.shaded.picture(frame, self.theme, 2.0))
            self._paint_lines(painter, frame)
            return
        ratio = self.devicePixelRatioF()
        key = (frame, ratio)
        if self._ground is None or self._ground[0] != key:
            made = self._pixmap(frame, ratio)
            made.fill(QColor(self.theme.background))
            with QPainter(made) as inner:
                inner.setRenderHint(QPainter.RenderHint.Antialiasing)
                self.shaded.paint(inner, frame, self.shaded.image(self.theme))
                self._paint_lines(inner, frame)
            self._ground = (key, made)
        painter.drawPixmap(QPointF(0, 0), self._ground[1])

    @staticmethod
    def _pixmap(frame: Frame, ratio: float) -> QPixmap:
        made = QPixmap(max(1, round(frame.width * ratio)), max(1, round(frame.height * ratio)))
        made.setDevicePixelRatio(ratio)
        return made

    def _paint_lines(self, painter: QPainter, frame: Frame) -> None:
        assert self.shaded is not None
        theme, whole = self.theme, self.for_picture
        quiet = mix(theme.text, theme.background, 0.42 if theme.dark else 0.36)
        for lines, colour, width in ((self.shaded.contours, quiet, 1.0), (self.shaded.boundary, theme.text, 1.8)):
            for points in lines:
                x, y = clip_polyline(frame.px(points[:, 0]), frame.py(points[:, 1]), frame.width, frame.height)
                if len(x) > 1:
                    draw_line(painter, x, y, pen(colour, width * theme.scale), whole=whole)

    def _paint_dots(self, painter: QPainter, frame: Frame) -> None:
        if self.picture is None:
            return
        if self.for_picture:
            draw_dots(painter, frame, self._shown_groups(), self.theme)
            return
        ratio = self.devicePixelRatioF()
        key = (frame, ratio, self.theme, frozenset(self.hiding.names))
        kept = self._sheet if self._sheet is not None and self._sheet.key == key else None
        if kept is None or kept.picture is not self.picture:
            groups = self._shown_groups()
            if kept is not None and same_dots(kept.groups, groups):
                kept.picture = self.picture
            else:
                made = self._pixmap(frame, ratio)
                made.fill(Qt.GlobalColor.transparent)
                with QPainter(made) as inner:
                    inner.setRenderHint(QPainter.RenderHint.Antialiasing)
                    draw_dots(inner, frame, groups, self.theme, ratio)
                kept = self._sheet = Sheet(key, self.picture, groups, made)
        painter.drawPixmap(QPointF(0, 0), kept.made)

    def _paint_marks(self, painter: QPainter, frame: Frame) -> None:
        theme = self.theme
        shown = [trail for trail in self.trails.values() if not self.hiding.hides(trail.label)]
        for trail in shown:
            draw_trail(painter, frame, trail, theme, whole=self.for_picture)
        draw_heads(painter, frame, shown, [], theme, 0.0 if self.for_picture else self.devicePixelRatioF())
        if self.for_picture:
            return
        at = self._mouse
        if at is not None and 0 <= at.x() <= frame.width and 0 <= at.y() <= frame.height and self.picture is not None:
            found = self.nearest(frame.x(at.x()), frame.y(at.y()))
            if found is not None:
                self._ring(painter, frame, *found)
            painter.setFont(font(SMALL * theme.scale))
            head, rows = self.readout(frame.x(at.x()), frame.y(at.y()))
            draw_readout(painter, frame, at, head, rows, theme)
        self.paint_focus(painter, frame)

    def _ring(self, painter: QPainter, frame: Frame, dots: Dots, index: int) -> None:
        assert self.picture is not None
        r = radius(sum(len(d.x) for d in self.picture.dots), frame, self.theme) + 2.5 * self.theme.scale
        at = QPointF(float(frame.px(float(dots.x[index]))), float(frame.py(float(dots.y[index]))))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(pen(self.theme.text, 1.5 * self.theme.scale))
        painter.drawEllipse(at, r, r)
