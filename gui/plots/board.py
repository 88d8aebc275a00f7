"""What every plot without axes of its own shares: header, ground, hover readout, theme, and the picture's twin."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

from PySide6.QtCore import QPointF, QRectF, Qt, Signal, Slot
from PySide6.QtGui import QColor, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QVBoxLayout, QWidget

from gui.fonts import BODY, SMALL, font
from gui.plots.geometry import Frame
from gui.plots.guard import guarded
from gui.plots.header import Entry, Header
from gui.plots.hiding import Switched
from gui.plots.readout import Row, draw_readout
from gui.plots.ticks import prose
from gui.tokens import DARK, Theme

MARGIN = 16.0  # px at scale 1 between the edge of the plot and what is drawn


class Ground(QWidget):
    """The sheet a board paints on. It turns the mouse into positions and knows no more."""

    moved = Signal(object)
    clicked = Signal(object, object)
    left = Signal()

    def __init__(self, board: Board) -> None:
        super().__init__(board)
        self._board = board
        self.setMouseTracking(True)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Let the board paint."""
        with guarded(), QPainter(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            self._board.paint_all(painter, QRectF(self.rect()))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Tell where."""
        self.moved.emit(event.position())

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """A click."""
        if QRectF(self.rect()).contains(event.position()):
            self.clicked.emit(event.position(), event)

    def leaveEvent(self, event: object) -> None:
        """The mouse is gone."""
        self.left.emit()


class Board(Switched, QWidget):
    """A titled plot that paints `picture` by hand. Subclasses give `paint`, and where they wish `entries`, `told` and
    `pressed`. A twin made by `clone` is for pictures: it has no switches and no readout.

    `seriesToggled(key, shown)` follows the legend.
    """

    seriesToggled = Signal(str, bool)

    def __init__(self, title: str = "", theme: Theme = DARK, parent: QWidget | None = None, *, empty: str = "") -> None:
        super().__init__(parent)
        self.title, self.theme, self.empty = title, theme, empty or "Nothing measured yet"
        self.for_picture = False
        self.picture: Any = None
        self.mouse: QPointF | None = None
        self.header = Header(title, theme, self)
        self.header.set_inset(MARGIN)
        self.ground = Ground(self)
        self.ground.setAccessibleName(title)
        self.setAccessibleName(title)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.header)
        column.addWidget(self.ground, 1)
        self.setMinimumSize(160, 100)
        self.begin_hiding()
        self.ground.moved.connect(self._moved)
        self.ground.clicked.connect(self._clicked)
        self.ground.left.connect(self._left)

    # -- what subclasses give ----------------------------------------------------------------------------------------

    def paint(self, painter: QPainter, area: QRectF) -> None:
        """Draw `picture` (never None here) inside `area`, antialiased, in px; nothing may lie outside it."""
        raise NotImplementedError

    def entries(self) -> Sequence[Entry]:
        """The legend's entries."""
        return ()

    def told(self, at: QPointF, area: QRectF) -> tuple[str, list[Row]] | None:
        """Head and rows of the readout under the mouse, or None."""
        return None

    def tip_at(self, at: QPointF) -> str:
        """What the mouse is told when it rests: the whole note, for which there may be no room."""
        return self._note() if at.y() >= self.ground.height() - 24 * self.theme.scale else ""

    def pressed(self, at: QPointF, area: QRectF, event: QMouseEvent) -> None:
        """A click at `at`."""

    # -- shared ------------------------------------------------------------------------------------------------------

    def show_picture(self, picture: Any) -> None:
        """Draw this one from now on; None: nothing yet."""
        self.picture = picture
        self.update_header()
        self.ground.update()

    def update_header(self) -> None:
        """Bring the legend up to date."""
        self.show_entries()

    def area(self, whole: QRectF) -> QRectF:
        """Where `paint` may draw: within the margins, above the note."""
        unit = self.theme.scale
        inner = whole.adjusted(MARGIN * unit, 4 * unit, -MARGIN * unit, -8 * unit)
        if self._note():
            inner.setBottom(inner.bottom() - 20 * unit)
        return inner

    def _note(self) -> str:
        return prose(str(getattr(self.picture, "note", "") or ""))

    def paint_all(self, painter: QPainter, whole: QRectF) -> None:
        """Ground, picture, note and readout."""
        theme, unit = self.theme, self.theme.scale
        painter.fillRect(whole, QColor(theme.background))
        area = self.area(whole)
        if self.picture is None:
            painter.setFont(font(BODY * unit))
            painter.setPen(QColor(theme.faint))
            painter.drawText(area, Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap, self.empty)
            return
        if area.width() < 8 or area.height() < 8:
            return
        painter.save()
        self.paint(painter, area)
        painter.restore()
        if self._note():
            painter.setFont(font(SMALL * unit))
            painter.setPen(QColor(theme.dim))
            line = QRectF(area.left(), whole.bottom() - 24 * unit, area.width(), 20 * unit)
            words = painter.fontMetrics().elidedText(self._note(), Qt.TextElideMode.ElideRight, int(line.width()))
            painter.drawText(line, Qt.AlignmentFlag.AlignVCenter, words)
        if self.mouse is not None and not self.for_picture:
            found = self.told(self.mouse, area)
            if found is not None:
                frame = Frame(whole.width(), whole.height(), 0.0, 1.0, 0.0, 1.0)
                draw_readout(painter, frame, self.mouse, *found, theme)

    def apply_theme(self, theme: Theme) -> None:
        """Take over colours and scale."""
        self.theme = theme
        self.header.apply_theme(theme)
        self.update_header()
        self.ground.update()

    def hiding_changed(self) -> None:
        """Other series than before are hidden: paint anew."""
        self.ground.update()

    def _blank(self, theme: Theme) -> Self:
        """An empty plot of the same kind and settings."""
        return type(self)(self.title, theme)

    def clone(self, theme: Theme) -> Self:
        """An off-screen twin in another theme with the same picture and size. This plot does not change."""
        twin = self._blank(theme)
        twin.for_picture = True
        twin.share(self.hiding.copy())
        for switch in twin.header.switches:
            switch.hide()
        twin.show_picture(self.picture)
        twin.resize(self.size().expandedTo(twin.minimumSize()))
        return twin

    @Slot(object)
    def _moved(self, at: QPointF) -> None:
        self.mouse = at
        self.ground.update()
        self.ground.setToolTip(self.tip_at(at))

    @Slot(object, object)
    def _clicked(self, at: QPointF, event: QMouseEvent) -> None:
        if self.picture is not None:
            self.pressed(at, self.area(QRectF(self.ground.rect())), event)

    @Slot()
    def _left(self) -> None:
        self.mouse = None
        self.ground.update()
