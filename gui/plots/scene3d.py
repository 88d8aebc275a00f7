"""The drawing area of a surface in space: depth-sorted cells, paths among them, heads, readout, turning."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen, QPixmap, QPolygonF, QWheelEvent
from PySide6.QtWidgets import QWidget

from gui.fonts import MEDIUM, SMALL, font, text_width
from gui.palette import pen
from gui.plots.boxaxes import paint_axes
from gui.plots.geometry import Floats, Frame
from gui.plots.guard import guarded
from gui.plots.labels import place_labels
from gui.plots.marks import draw_mark, draw_words
from gui.plots.readout import Row, draw_readout
from gui.plots.relief import Relief, colour_table
from gui.plots.slices import SLOWLY, SOON, Slices
from gui.plots.space import CELLS, TALL, Camera, Mesh, drape, strands, to_box, to_data
from gui.plots.ticks import number
from gui.plots.trails import Trail, together
from gui.tokens import Theme, alpha

AZIMUTH, ELEVATION = 35.0, 38.0
UNSEEN = 0.001  # of the surface's side: what moves less is not painted anew while a run streams
Strand = tuple[float, QPolygonF, QPen]
Looks = tuple[Camera, Theme, float]


class Space(QWidget):
    """The drawing area of a Surface3D: drag turns, the wheel comes nearer, arrow keys turn, Home goes back."""

    turned = Signal(float, float)

    def __init__(self, theme: Theme, labels: tuple[str, str, str], parent: QWidget) -> None:
        super().__init__(parent)
        self.theme, self.labels = theme, labels
        self.azimuth, self.elevation, self.zoom = AZIMUTH, ELEVATION, 1.0
        self.field: Relief | None = None
        self.mesh: Mesh | None = None
        self.trails: list[Trail] = []
        self.start: tuple[float, float] | None = None
        self.for_picture = False
        self._held: QPointF | None = None
        self._mouse: QPointF | None = None
        self.patient = False
        # how it looks, of what, the picture, and its paths
        self._picture: tuple[Looks, Relief, QPixmap, list[Trail]] | None = None
        self._slices = Slices(self._make, self._old, self)
        self._slices.made.connect(self.update)
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setProperty("ownKeys", True)

    @property
    def busy(self) -> bool:
        """Whether a picture is being made."""
        return self._slices.busy

    def set_trails(self, trails: list[Trail]) -> None:
        """The paths to draw, lowest first."""
        self.trails = trails
        if self._picture is not None and self._shows(trails):
            self._picture = (*self._picture[:3], trails)
        else:
            self.update()

    def _shows(self, trails: list[Trail]) -> bool:
        """Whether the picture in hand shows these paths, but for what is too small to be seen."""
        assert self._picture is not None
        shown = self._picture[3]
        if self.field is None or self._slices.begun or len(shown) != len(trails):
            return False
        field = self.field
        least = UNSEEN * (field.x1 - field.x0), UNSEEN * (field.y1 - field.y0)
        return all(new.looks_like(old, least) for new, old in zip(trails, shown, strict=True))

    def _looks(self) -> Looks:
        """What a picture depends on, but for what it shows."""
        return self.camera(), self.theme, self.devicePixelRatioF()

    def _make(self) -> Iterator[None]:
        """Make a new picture; yields often, and puts the picture in place at the end."""
        if self.field is None or self.mesh is None:
            return
        looks, field, trails = self._looks(), self.field, self.trails
        camera, ratio = self.camera(), self.devicePixelRatioF()
        made = QPixmap(max(1, round(self.width() * ratio)), max(1, round(self.height() * ratio)))
        made.setDevicePixelRatio(ratio)
        made.fill(QColor(self.theme.background))
        painter = QPainter(made)
        try:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setFont(font(SMALL * self.theme.scale))
            paint_axes(painter, camera, field, self.labels, self.theme)
            yield from self._paint_surface(painter, camera, field, self.mesh, trails)
        finally:
            painter.end()
        self._picture = (looks, field, made, trails)

    def _old(self) -> bool:
        """Whether the picture in hand is another than the one wanted."""
        if self.field is None or self.mesh is None:
            return False
        made = self._picture
        return made is None or made[0] != self._looks() or made[1] is not self.field or made[3] is not self.trails

    def _paint_picture(self, painter: QPainter) -> None:
        """Paint the picture in hand. Another one is made bit by bit, but at once where the surface is turned or where
        the widget is not on screen."""
        if self._old():
            turned = self._picture is not None and not _same_way(self._picture[0][0], self.camera())
            if turned or not self.isVisible():
                self._slices.now()
            else:
                self._slices.ask(SLOWLY if self.patient else SOON)
        if self._picture is not None:
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
            painter.drawPixmap(QRectF(self.rect()), self._picture[2], QRectF(self._picture[2].rect()))

    def camera(self) -> Camera:
        """The camera as it stands."""
        return Camera(self.azimuth, self.elevation, self.zoom, max(self.width(), 1), max(self.height(), 1))

    def turn(self, azimuth: float, elevation: float) -> None:
        """Turn by degrees; the elevation stays between 5 and 88."""
        self.azimuth = (self.azimuth + azimuth) % 360
        self.elevation = min(max(self.elevation + elevation, 5.0), 88.0)
        self.turned.emit(self.azimuth, self.elevation)
        self.update()

    def home(self) -> None:
        """The first view again."""
        self.azimuth, self.elevation, self.zoom = AZIMUTH, ELEVATION, 1.0
        self.turn(0, 0)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Begin to turn."""
        self._held = event.position()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Turn, or tell the value under the mouse."""
        if self._held is not None and event.buttons() != Qt.MouseButton.NoButton:
            moved = event.position() - self._held
            self._held, self._mouse = event.position(), None
            self.turn(0.5 * moved.x(), 0.4 * moved.y())
        else:
            self._mouse = event.position()
            self.update()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """End turning."""
        self._held = None

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """The first view again."""
        self.home()

    def leaveEvent(self, event: object) -> None:
        """The mouse is gone."""
        self._mouse = None
        self.update()

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Come nearer or go back."""
        self.zoom = min(max(self.zoom * 1.1 ** (event.angleDelta().y() / 120), 0.4), 6.0)
        self.update()
        event.accept()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Arrow keys turn, plus and minus zoom, Home goes back."""
        turns = {Qt.Key.Key_Left: (-5, 0), Qt.Key.Key_Right: (5, 0), Qt.Key.Key_Up: (0, 5), Qt.Key.Key_Down: (0, -5)}
        zooms = {Qt.Key.Key_Plus: 1.1, Qt.Key.Key_Equal: 1.1, Qt.Key.Key_Minus: 1 / 1.1}
        key = Qt.Key(event.key())
        if key in turns:
            self.turn(*turns[key])
        elif key in zooms:
            self.zoom = min(max(self.zoom * zooms[key], 0.4), 6.0)
            self.update()
        elif key == Qt.Key.Key_Home:
            self.home()
        else:
            event.ignore()

    # -- painting ------------------------------------------------------------------------------------------------
    def paintEvent(self, event: QPaintEvent) -> None:
        """Axes, cells and paths from back to front, then heads and words."""
        with guarded(), QPainter(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.fillRect(self.rect(), QColor(self.theme.background))
            painter.setFont(font(SMALL * self.theme.scale))
            if self.field is None or self.mesh is None:
                painter.setPen(QColor(self.theme.faint))
                painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, "No surface yet")
            else:
                camera = self.camera()
                if self.for_picture:
                    paint_axes(painter, camera, self.field, self.labels, self.theme)
                    for _ in self._paint_surface(painter, camera, self.field, self.mesh, self.trails):
                        pass
                else:
                    self._paint_picture(painter)
                self._paint_heads(painter, camera, self.field)
                self._paint_readout(painter, camera, self.field, self.mesh)
            if self.hasFocus() and not self.for_picture:
                painter.setPen(pen(self.theme.accent))
                painter.setBrush(Qt.BrushStyle.NoBrush)
                painter.drawRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5))

    def _paint_surface(
        self, painter: QPainter, camera: Camera, field: Relief, mesh: Mesh, trails: list[Trail]
    ) -> Iterator[None]:
        """Cells and paths from back to front, a few at a time: yields after each few."""
        sx, sy, near = camera.project(mesh.x.ravel(), mesh.y.ravel(), mesh.z.ravel())
        corners, height = mesh.quads()
        depth = near[corners].mean(axis=1)
        fills, edges = _inks(height, mesh.shade(camera), self.theme)
        corner_points = [QPointF(a, b) for a, b in zip(sx.tolist(), sy.tolist(), strict=True)]
        cells = corners.tolist()
        edge = QPen(QColor(0), 0.7)  # closes the seams between cells and draws the net
        edge.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
        depths = depth.tolist()
        yield
        parts: list[Strand] = []
        for trail in trails:
            for part in self._strands(camera, field, trail):
                parts.append(part)
                if len(parts) % 16 == 0:
                    yield
            yield
        parts.sort(key=lambda part: part[0])
        yield
        order = np.argsort(depth)
        todo = 0
        for cell in order.tolist():
            while todo < len(parts) and parts[todo][0] <= depths[cell]:
                self._paint_strand(painter, parts[todo])
                todo += 1
                if todo % 8 == 0:
                    yield
            if cell % 8 == 0:
                yield
            if not fills[cell]:
                continue
            edge.setColor(QColor(edges[cell]))
            painter.setPen(edge)
            painter.setBrush(QColor(fills[cell]))
            a, b, c, d = cells[cell]
            painter.drawConvexPolygon([corner_points[a], corner_points[b], corner_points[c], corner_points[d]])
        for number_of, part in enumerate(parts[todo:]):
            self._paint_strand(painter, part)
            if number_of % 8 == 0:
                yield

    def _strands(self, camera: Camera, field: Relief, trail: Trail) -> Iterator[Strand]:
        """A path in pieces. Each is a little nearer than its cell, so that the cells beside it
        do not nibble at it, while every hill in front still hides it."""
        used = pen(trail.colour(self.theme), trail.thickness() * self.theme.scale, trail.dash(self.theme))
        x, y, z = drape(field, trail.x, trail.y)
        if len(x) < 2:
            return
        sx, sy, near = camera.project(x, y, z)
        length = np.concatenate([[0.0], np.cumsum(np.nan_to_num(np.hypot(np.diff(sx), np.diff(sy))))])
        for start, stop in strands(x, y):
            line = QPolygonF([QPointF(sx[k], sy[k]) for k in range(start, stop)])
            own = QPen(used)
            if used.style() == Qt.PenStyle.CustomDashLine:
                own.setDashOffset(float(length[start]) / used.widthF())
            yield float(near[start:stop].max()) + 3.0 / CELLS, line, own

    def _paint_strand(self, painter: QPainter, part: Strand) -> None:
        rim = QPen(QColor(self.theme.background), part[2].widthF() + 1.2 * self.theme.scale)
        rim.setCapStyle(Qt.PenCapStyle.FlatCap)
        for used in (rim, part[2]):
            painter.setPen(used)
            painter.drawPolyline(part[1])

    def _point(self, camera: Camera, field: Relief, x: float, y: float) -> tuple[float, float] | None:
        value = field.sample(np.array([x]), np.array([y]))
        if not np.isfinite(value[0]):
            return None
        bx, by = to_box(field, np.array([x]), np.array([y]))
        sx, sy, _ = camera.project(bx, by, field.scaled(value) * TALL)
        return float(sx[0]), float(sy[0])

    def _paint_heads(self, painter: QPainter, camera: Camera, field: Relief) -> None:
        theme, unit = self.theme, self.theme.scale
        if self.start is not None and (at := self._point(camera, field, *self.start)) is not None:
            painter.setBrush(Qt.BrushStyle.NoBrush)
            for colour, width in ((theme.background, 4.5), (theme.text, 2.0)):
                painter.setPen(pen(colour, width * unit))
                painter.drawEllipse(QPointF(*at), 7 * unit, 4.5 * unit)
        named: list[tuple[float, float, str, str]] = []
        for trail in self.trails:
            head = None if trail.overlay else trail.head_at()
            spot = self._point(camera, field, *head) if head is not None else None
            if spot is None:
                continue
            symbol = trail.style.symbol if theme.dashes and trail.style is not None else "circle"
            draw_mark(
                painter, symbol, *spot, (3.5 if trail.ghost else 5.0) * unit, trail.colour(theme), theme.background
            )
            if not trail.ghost:
                named.append((*spot, trail.label, trail.colour(theme)))
        named = together(named, theme)
        used = font(SMALL * unit, MEDIUM)
        sizes = [(text_width(used, words), 15 * unit) for _, _, words, _ in named]
        boxes = place_labels([n[:2] for n in named], sizes, self.width(), self.height(), 10 * unit)
        for (_, _, words, colour), box in zip(named, boxes, strict=True):
            draw_words(painter, words, QRectF(box.left, box.top, box.width, box.height), used, colour, theme.background)

    def value_at(self, at: QPointF) -> tuple[float, float, float] | None:
        """x, y and value of the nearest visible node within reach of a point of the widget, or None."""
        if self.field is None or self.mesh is None:
            return None
        x, y = self.mesh.x.ravel(), self.mesh.y.ravel()
        sx, sy, near = self.camera().project(x, y, self.mesh.z.ravel())
        distance = np.hypot(sx - at.x(), sy - at.y())
        reach = max(14.0, 1.5 * float(np.nanmin(np.where(distance > 0, distance, np.inf))))
        close = np.flatnonzero(distance < reach)
        if not close.size or float(np.nanmin(distance)) > 24:
            return None
        best = int(close[np.argmax(near[close])])
        dx, dy = to_data(self.field, x[best : best + 1], y[best : best + 1])
        return float(dx[0]), float(dy[0]), float(self.field.sample(dx, dy)[0])

    def _paint_readout(self, painter: QPainter, camera: Camera, field: Relief, mesh: Mesh) -> None:
        if self._mouse is None or self.for_picture:
            return
        found = self.value_at(self._mouse)
        if found is None:
            return
        x, y, value = found
        if (spot := self._point(camera, field, x, y)) is not None:
            painter.setPen(pen(alpha(self.theme.text, 0.9), 1.5))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawEllipse(QPointF(*spot), 3, 3)
        frame = Frame(self.width(), self.height(), 0, 1, 0, 1)
        head = f"{self.labels[0]} {number(x)}   {self.labels[1]} {number(y)}"
        draw_readout(painter, frame, self._mouse, head, [Row(self.labels[2], number(value))], self.theme)


def _same_way(one: Camera, other: Camera) -> bool:
    """Whether both look from the same side, as near."""
    return (one.azimuth, one.elevation, one.zoom) == (other.azimuth, other.elevation, other.zoom)


def _inks(height: Floats, light: Floats, theme: Theme) -> tuple[list[int], list[int]]:
    """Colours 0xffRRGGBB of cells and of their edges, [n] each; 0 for a hole. `height`, `light`: [n]."""
    place = np.where(np.isfinite(height), height * 255, 256).astype(int)
    base = colour_table(theme)[place]
    text = int(theme.text[1:], 16)
    fills, edges = np.full(len(place), 0xFF000000, np.uint32), np.full(len(place), 0xFF000000, np.uint32)
    for shift in (16, 8, 0):
        channel = np.clip(((base >> shift) & 255) * light, 0, 255)
        fills |= np.rint(channel).astype(np.uint32) << np.uint32(shift)
        net = 0.91 * channel + 0.09 * ((text >> shift) & 255)
        edges |= np.rint(net).astype(np.uint32) << np.uint32(shift)
    fills[place == 256] = 0
    return [int(v) for v in fills], [int(v) for v in edges]
