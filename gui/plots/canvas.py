"""The canvas of a plot: a pyqtgraph scene with a view, two axes and layers that paint in plot pixels."""

from __future__ import annotations

from collections.abc import Callable

import pyqtgraph as pg
from PySide6.QtCore import QEvent, QPoint, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QHelpEvent, QKeyEvent, QMouseEvent, QPainter, QWheelEvent
from PySide6.QtWidgets import QFrame, QGraphicsGridLayout, QStyleOptionGraphicsItem, QToolTip, QWidget

from gui.plots.axes import Axis
from gui.plots.geometry import Frame
from gui.plots.guard import guarded
from gui.tokens import Theme

Paint = Callable[[QPainter, Frame], None]
Range = tuple[float, float, float, float]
WIDEST, NARROWEST = 1e290, 1e-280


class Layer(pg.GraphicsObject):  # type: ignore[misc]
    """A sheet over the view whose coordinates are plot pixels; `paint_on` draws it."""

    def __init__(self, view: pg.ViewBox, paint_on: Paint, z: float) -> None:
        super().__init__()
        self._view, self._paint_on = view, paint_on
        self.setParentItem(view)
        self.setZValue(z)
        self.exposed = QRectF()  # what has to be painted, in plot pixels; while painting
        self.setFlag(self.GraphicsItemFlag.ItemUsesExtendedStyleOption)
        self.setAcceptedMouseButtons(Qt.MouseButton.NoButton)

    def boundingRect(self) -> QRectF:
        """The whole view, in its own pixels."""
        return QRectF(QPointF(0, 0), self._view.size())

    def paint(self, painter: QPainter, option: QStyleOptionGraphicsItem, _widget: object) -> None:
        """Let the plot draw, with the frame as it is now."""
        (x0, x1), (y0, y1) = self._view.viewRange()
        size = self._view.size()
        if size.width() >= 1 and size.height() >= 1:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            self.exposed = QRectF(option.exposedRect)
            with guarded():
                self._paint_on(painter, Frame(size.width(), size.height(), x0, x1, y0, y1))


class Canvas(pg.GraphicsView):  # type: ignore[misc]
    """View, axes and layers of one plot. It turns the mouse into plot pixels and leaves the meaning to the plot.

    Signals: `pressed`, `moved`, `released` (QPointF in plot pixels, QMouseEvent), `doubled` (QPointF), `wheeled`
    (QPointF, steps up, keyboard modifiers), `left`, `keyed` (QKeyEvent, to be accepted by who uses it), `framed`
    (the range or the size has changed).
    """

    pressed = Signal(object, object)
    moved = Signal(object, object)
    released = Signal(object, object)
    doubled = Signal(object)
    wheeled = Signal(object, float, object)
    left = Signal()
    keyed = Signal(object)
    framed = Signal()

    def __init__(self, x_label: str, y_label: str, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent, background=theme.background)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)  # a click leaves the keys to the transport
        self.setProperty("ownKeys", True)
        self.setMouseTracking(True)
        self.viewport().setMouseTracking(True)
        self.view = pg.ViewBox(enableMenu=False, enableMouse=False, defaultPadding=0)
        self.view.setBorder(None)
        self.bottom = Axis("bottom", x_label, theme)
        self.left_axis = Axis("left", y_label, theme)
        for axis in (self.bottom, self.left_axis):
            axis.follow(self.view)
        self.grid = QGraphicsGridLayout()
        self.grid.setSpacing(0)
        self.grid.addItem(self.left_axis, 0, 0)
        self.grid.addItem(self.view, 0, 1)
        self.grid.addItem(self.bottom, 1, 1)
        self.centralWidget.setLayout(self.grid)
        self.view.sigRangeChanged.connect(self._reframed)
        self.view.sigResized.connect(self._reframed)
        self._layers: list[Layer] = []
        self.apply_theme(theme)

    def layer(self, paint_on: Paint, z: float) -> Layer:
        """Add a sheet; higher z lies on top."""
        made = Layer(self.view, paint_on, z)
        self._layers.append(made)
        return made

    def apply_theme(self, theme: Theme) -> None:
        """Take over colours and scale."""
        self.setBackground(theme.background)
        unit = theme.scale
        self.grid.setContentsMargins(8 * unit, 8 * unit, 16 * unit, 4 * unit)
        self.bottom.apply_theme(theme)
        self.left_axis.apply_theme(theme)
        self.refresh()

    def refresh(self) -> None:
        """Paint all layers again."""
        for layer in self._layers:
            layer.update()

    def shown_range(self) -> Range:
        """x0, x1, y0, y1 of the view."""
        (x0, x1), (y0, y1) = self.view.viewRange()
        return x0, x1, y0, y1

    def set_range(self, x0: float, x1: float, y0: float, y1: float) -> None:
        """Show this range. Ranges that are empty, not finite or beyond what can be drawn are mended first."""
        x0, x1, y0, y1 = mended(x0, x1, y0, y1)
        if (x0, x1, y0, y1) != self.shown_range():
            self.view.setRange(xRange=(x0, x1), yRange=(y0, y1), padding=0, disableAutoRange=True)

    def frame(self) -> Frame:
        """The frame as it is now, in plot pixels."""
        size = self.view.size()
        return Frame(max(1.0, size.width()), max(1.0, size.height()), *self.shown_range())

    def place(self, position: QPointF) -> QPointF:
        """Plot pixels of a position on the viewport."""
        return QPointF(self.view.mapFromScene(self.mapToScene(position.toPoint())))

    def on_screen(self, x: float, y: float) -> QPoint:
        """Position on the viewport of a data point."""
        frame = self.frame()
        at = QPointF(float(frame.px(x)), float(frame.py(y)))
        return QPoint(self.mapFromScene(self.view.mapToScene(at)))

    def _reframed(self, *_: object) -> None:
        for layer in self._layers:
            layer.prepareGeometryChange()
        self.refresh()
        self.framed.emit()

    def viewportEvent(self, event: QEvent) -> bool:
        """The remark below the plot is told whole under the mouse: there may be no room for all of it."""
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            row = self.mapFromScene(self.bottom.mapRectToScene(self.bottom.note_row())).boundingRect()
            QToolTip.showText(event.globalPos(), self.bottom.note if row.contains(event.pos()) else "", self)
            return True
        return bool(super().viewportEvent(event))

    # The scene's own handling of mouse and keys is left out on purpose: no item in it wants any.
    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Pass it on in plot pixels."""
        self.pressed.emit(self.place(event.position()), event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Pass it on in plot pixels."""
        self.moved.emit(self.place(event.position()), event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Pass it on in plot pixels."""
        self.released.emit(self.place(event.position()), event)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Pass it on in plot pixels."""
        self.doubled.emit(self.place(event.position()))

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Pass it on in plot pixels."""
        self.wheeled.emit(self.place(event.position()), event.angleDelta().y() / 120, event.modifiers())
        event.accept()

    def leaveEvent(self, event: object) -> None:
        """The mouse is gone."""
        self.left.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Pass it on; who does not use it leaves it ignored, so that Tab and shortcuts work."""
        event.ignore()
        self.keyed.emit(event)


def mended(x0: float, x1: float, y0: float, y1: float) -> Range:
    """The range as it can be shown: neither empty nor upside down, finite, and not beyond what can be drawn."""
    return *_sound(x0, x1), *_sound(y0, y1)


def _sound(low: float, high: float) -> tuple[float, float]:
    low, high = (min(max(v, -WIDEST), WIDEST) if v == v else 0.0 for v in (low, high))
    if low > high:
        low, high = high, low
    least = max(NARROWEST, 1e-12 * max(abs(low), abs(high)))
    if high - low < least:
        middle, half = (low + high) / 2, max(least, 0.5 * abs(low) if low == high else 0.0) or 0.5
        low, high = middle - half, middle + half
        if high - low < 1e-200:
            low, high = middle - 0.5, middle + 0.5
    return low, high
