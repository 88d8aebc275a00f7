"""What every flat plot shares: header and canvas, theme, zoom and pan, and the off-screen twin for pictures."""

from __future__ import annotations

from typing import Self

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal, Slot
from PySide6.QtGui import QKeyEvent, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget

from gui.plots.canvas import Canvas, Range
from gui.plots.geometry import Frame
from gui.plots.header import Entry, Header
from gui.plots.hiding import Switched
from gui.tokens import DARK, Theme

CLICK = 4.0  # px the mouse may wander within a click


class Plot(Switched, QWidget):
    """A titled plot with a legend. Subclasses paint, and say what a click and a drag mean.

    `viewChanged(x0, x1, y0, y1)` follows zoom and pan by the user; `seriesToggled(key, shown)` the legend. A twin
    made by `clone` is for pictures: it paints every detail, has no switches and no cursor.
    """

    viewChanged = Signal(float, float, float, float)
    seriesToggled = Signal(str, bool)

    def __init__(
        self, title: str = "", x_label: str = "", y_label: str = "", theme: Theme = DARK, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.title, self.x_label, self.y_label, self.theme = title, x_label, y_label, theme
        self.for_picture = False
        self.zoomed = False
        self._drag: tuple[QPointF, Range] | None = None
        self._wandered = False
        self.header = Header(title, theme, self)
        self.canvas = Canvas(x_label, y_label, theme, self)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.header)
        column.addWidget(self.canvas, 1)
        self.canvas.setAccessibleName(title or y_label)
        self.setAccessibleName(title or y_label)
        self.setMinimumSize(160, 100)
        self.reset_switch = self.header.add_switch("Reset view", "Show everything again (Home, or double click)")
        self.reset_switch.setCheckable(False)
        self.reset_switch.hide()
        self.reset_switch.clicked.connect(self.reset_view)
        self.begin_hiding()
        canvas = self.canvas
        canvas.pressed.connect(self._pressed)
        canvas.moved.connect(self._moved)
        canvas.released.connect(self._released)
        canvas.doubled.connect(self._doubled)
        canvas.wheeled.connect(self._wheeled)
        canvas.left.connect(self._left)
        canvas.keyed.connect(self._keyed)
        self._inset()

    # -- what subclasses give ------------------------------------------------------------------------------------
    def entries(self) -> list[Entry]:
        """The legend's entries."""
        raise NotImplementedError

    def home(self) -> Range:
        """The range that shows everything."""
        raise NotImplementedError

    def _blank(self, theme: Theme) -> Self:
        """An empty plot of the same kind and settings."""
        raise NotImplementedError

    def _copy_to(self, twin: Self) -> None:
        """Hand the data over to a twin."""
        raise NotImplementedError

    def clicked(self, at: QPointF) -> None:
        """A click without a drag, at plot pixels."""

    def grabbed(self, at: QPointF) -> bool:
        """The left button goes down: True if the plot itself takes the drag (else it may pan)."""
        return False

    def dragged(self, at: QPointF) -> None:
        """The drag that was taken moves."""

    def dropped(self, at: QPointF) -> None:
        """The drag that was taken ends."""

    def hovered_at(self, at: QPointF | None) -> None:
        """The mouse is over plot pixels, or gone."""

    def key(self, event: QKeyEvent) -> bool:
        """A key; True if it was used."""
        return False

    # -- shared --------------------------------------------------------------------------------------------------
    def clone(self, theme: Theme) -> Self:
        """An off-screen twin in another theme with the same data, view and size. This plot does not change."""
        twin = self._blank(theme)
        twin.for_picture = True
        for axis in (twin.canvas.bottom, twin.canvas.left_axis):
            axis.keep_picture(False)
        twin.share(self.hiding.copy())
        self._copy_to(twin)
        for part in twin.header.switches:
            part.hide()
        twin.resize(self.size().expandedTo(QSize(160, 100)))
        twin.update_header()
        twin.canvas.set_range(*self.canvas.shown_range())
        twin.zoomed = True
        return twin

    def apply_theme(self, theme: Theme) -> None:
        """Take over colours and scale."""
        self.theme = theme
        self.header.apply_theme(theme)
        self.canvas.apply_theme(theme)
        self._inset()
        self.update_header()
        self.update()

    def hiding_changed(self) -> None:
        """Other series than before are hidden: paint anew."""
        self.data_changed()

    def update_header(self) -> None:
        """Bring the legend up to date with the series."""
        self.show_entries()

    def data_changed(self) -> None:
        """Paint anew after a change of the data."""
        self.canvas.refresh()

    @Slot()
    def reset_view(self) -> None:
        """Show everything again."""
        self.zoomed = False
        self.canvas.set_range(*self.home())
        self._view_moved(False)

    def zoom(self, at: QPointF, factor: float, *, x: bool = True, y: bool = True) -> None:
        """Scale the view about plot pixels `at`; a factor below 1 comes nearer."""
        frame = self.canvas.frame()
        cx, cy = frame.x(at.x()), frame.y(at.y())
        fx, fy = factor if x else 1.0, factor if y else 1.0
        self.canvas.set_range(
            cx + (frame.x0 - cx) * fx, cx + (frame.x1 - cx) * fx, cy + (frame.y0 - cy) * fy, cy + (frame.y1 - cy) * fy
        )
        self._view_moved(True)

    def _view_moved(self, zoomed: bool) -> None:
        self.zoomed = zoomed
        if not self.for_picture and self.reset_switch.isHidden() == zoomed:
            self.reset_switch.setVisible(zoomed)
            self.header.apply_theme(self.theme)
        self.viewChanged.emit(*self.canvas.shown_range())

    def _inset(self) -> None:
        self.header.set_inset(8 + 48 + (18 if self.y_label else 0))

    def paintEvent(self, event: QPaintEvent) -> None:
        """Ground, where neither header nor canvas is."""
        with QPainter(self) as painter:
            painter.fillRect(self.rect(), self.theme.background)

    # -- mouse and keys ------------------------------------------------------------------------------------------
    @Slot(object, object)
    def _pressed(self, at: QPointF, event: QMouseEvent) -> None:
        self._start, self._wandered = at, False
        self._taken = event.button() == Qt.MouseButton.LeftButton and self.grabbed(at)
        self._drag = None if self._taken else (at, self.canvas.shown_range())
        self._left_button = event.button() == Qt.MouseButton.LeftButton

    @Slot(object, object)
    def _moved(self, at: QPointF, event: QMouseEvent) -> None:
        if event.buttons() == Qt.MouseButton.NoButton or not hasattr(self, "_start"):
            self.hovered_at(at)
            return
        if (at - self._start).manhattanLength() > CLICK:
            self._wandered = True
        if self._taken:
            self.dragged(at)
        elif self._drag is not None and self._wandered:
            start, (x0, x1, y0, y1) = self._drag
            frame = self.canvas.frame()
            dx = (x1 - x0) * (start.x() - at.x()) / frame.width
            dy = (y1 - y0) * (at.y() - start.y()) / frame.height
            self.canvas.set_range(x0 + dx, x1 + dx, y0 + dy, y1 + dy)
            self._view_moved(True)

    @Slot(object, object)
    def _released(self, at: QPointF, event: QMouseEvent) -> None:
        if not hasattr(self, "_start"):
            return
        if self._taken:
            self.dropped(at)
        elif not self._wandered and self._left_button:
            self.clicked(at)
        self._taken, self._drag = False, None
        del self._start

    @Slot(object)
    def _doubled(self, at: QPointF) -> None:
        self.reset_view()

    @Slot(object, float, object)
    def _wheeled(self, at: QPointF, steps: float, modifiers: Qt.KeyboardModifier) -> None:
        only_x = bool(modifiers & Qt.KeyboardModifier.ShiftModifier)
        only_y = bool(modifiers & Qt.KeyboardModifier.ControlModifier)
        self.zoom(at, 0.85**steps, x=not only_y, y=not only_x)

    @Slot()
    def _left(self) -> None:
        self.hovered_at(None)

    @Slot(object)
    def _keyed(self, event: QKeyEvent) -> None:
        frame = self.canvas.frame()
        middle = QPointF(frame.width / 2, frame.height / 2)
        used = True
        if self.key(event):
            pass
        elif event.key() == Qt.Key.Key_Home:
            self.reset_view()
        elif event.key() in (Qt.Key.Key_Plus, Qt.Key.Key_Equal):
            self.zoom(middle, 0.8)
        elif event.key() == Qt.Key.Key_Minus:
            self.zoom(middle, 1.25)
        else:
            used = False
        event.setAccepted(used)

    def paint_focus(self, painter: QPainter, frame: Frame) -> None:
        """A ring around the plot while the keyboard is on it."""
        if self.canvas.hasFocus() and not self.for_picture:
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(self.theme.accent)
            painter.drawRect(QRectF(0.5, 0.5, frame.width - 1, frame.height - 1))
