"""Axes: they follow a view of pyqtgraph, with our own ticks, words and quiet looks."""

from __future__ import annotations

import math

import pyqtgraph as pg
from PySide6.QtCore import QPointF, QRectF, Qt, Slot
from PySide6.QtGui import QColor, QFontMetricsF, QPainter

from gui.fonts import SMALL, font, text_width
from gui.palette import pen
from gui.plots.ticks import linear_ticks, log_ticks, tick_words
from gui.tokens import Theme

LEFT_WIDTH, BOTTOM_HEIGHT = 48.0, 24.0  # px without the axis' name; fixed, so that plots align and never jump
NAME = 18.0  # px more for the name
OVER = 12.0  # px that words may stand over the ends of a left axis
CLOSEST = 14.0  # px from one number of a left axis to the next


class Axis(pg.GraphicsWidget):  # type: ignore[misc]
    """A left or bottom axis with a name.

    Not one of pyqtgraph's own: that sets a label as HTML eight times while it is made, and a page has up to thirty.
    `log`: the coordinate of the view is the decimal logarithm of what is written. The size is fixed: changing
    numbers never move the plot. Labels that would overlap are left out. `note` is a remark at the left of the name;
    a `blank` axis has neither ticks nor numbers, because there is nothing to read off yet.
    """

    def __init__(self, side: str, name: str, theme: Theme, *, log: bool = False) -> None:
        super().__init__()
        self.side, self.name, self.log = side, name, log
        self.note, self.blank = "", False
        self.range = (0.0, 1.0)
        self.setAcceptedMouseButtons(Qt.MouseButton.NoButton)
        self.keep_picture(True)
        self.apply_theme(theme)

    def apply_theme(self, theme: Theme) -> None:
        """Take over colours and scale."""
        self.theme = theme
        room = NAME if self.name else 0.0
        if self.side == "left":
            self.setMinimumWidth((LEFT_WIDTH + room) * theme.scale)
            self.setMaximumWidth((LEFT_WIDTH + room) * theme.scale)
        else:
            self.setMinimumHeight((BOTTOM_HEIGHT + room) * theme.scale)
            self.setMaximumHeight((BOTTOM_HEIGHT + room) * theme.scale)
        self.update()

    def follow(self, view: pg.ViewBox) -> None:
        """Have the range of a view from now on."""
        (view.sigYRangeChanged if self.side == "left" else view.sigXRangeChanged).connect(self._follow)

    @Slot(object, object)
    def _follow(self, _view: object, shown: tuple[float, float]) -> None:
        self.range = float(shown[0]), float(shown[1])
        self.update()

    def keep_picture(self, on: bool) -> None:
        """On a screen: paint it once and keep the picture until it changes, while the plot beside it changes often."""
        self.setCacheMode(self.CacheMode.DeviceCoordinateCache if on else self.CacheMode.NoCache)

    def set_note(self, note: str) -> None:
        """Change the remark; nothing but its row is painted again."""
        if note != self.note:
            self.note = note
            self.update(self.note_row())

    def note_row(self) -> QRectF:
        """Where note and name stand, in the axis' own pixels."""
        room = NAME * self.theme.scale
        return QRectF(0, self.size().height() - room, self.size().width(), room)

    def marks(self) -> tuple[list[float], list[str]]:
        """Tick positions in view coordinates and their words, for the range now shown."""
        low, high = self.range
        length = self.size().height() if self.side == "left" else self.size().width()
        spacing = (34.0 if self.side == "left" else 76.0) * self.theme.scale
        count = max(2, int(length / spacing))
        if self.log:
            return log_ticks(low, high, count)
        values, step = linear_ticks(low, high, count)
        return values, tick_words(values, step)

    def boundingRect(self) -> QRectF:
        """The axis and the half of a label that may stand over either end."""
        return QRectF(QPointF(0, 0), self.size()).adjusted(-24, -OVER, 24, OVER)

    def paint(self, painter: QPainter, _option: object, _widget: object) -> None:
        """Draw line, ticks, words and name."""
        width, height, theme = self.size().width(), self.size().height(), self.theme
        low, high = self.range
        if not high > low or width < 1 or height < 1:
            return
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        used = font(SMALL * theme.scale)
        painter.setFont(used)
        line, words = pen(theme.line), QColor(theme.dim)
        positions, texts = ([], []) if self.blank else self.marks()
        taken = -1e9
        for value, text in zip(positions, texts, strict=True):
            share = (value - low) / (high - low)
            painter.setPen(words)
            if self.side == "left":
                y = height * (1 - share)
                if abs(y - taken) < CLOSEST * theme.scale:
                    continue
                taken = y
                box = QRectF(0, y - 10 * theme.scale, width - 8 * theme.scale, 20 * theme.scale)
                painter.drawText(box, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, text)
                painter.setPen(line)
                sharp = math.floor(y) + 0.5
                painter.drawLine(QPointF(width - 4 * theme.scale, sharp), QPointF(width, sharp))
                continue
            x, half = width * share, text_width(used, text) / 2
            painter.setPen(line)
            sharp = math.floor(x) + 0.5
            painter.drawLine(QPointF(sharp, 0), QPointF(sharp, 4 * theme.scale))
            if x - half < taken:
                continue
            taken = x + half + 8 * theme.scale
            painter.setPen(words)
            box = QRectF(x - 60 * theme.scale, 5 * theme.scale, 120 * theme.scale, 18 * theme.scale)
            painter.drawText(box, Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignVCenter, text)
        painter.setPen(line)
        if self.side == "left":
            painter.drawLine(QPointF(width - 0.5, 0), QPointF(width - 0.5, height + 1))
        else:
            painter.drawLine(QPointF(0, 0.5), QPointF(width, 0.5))
        self._paint_name(painter, width, height)

    def _paint_name(self, painter: QPainter, width: float, height: float) -> None:
        room = NAME * self.theme.scale
        used = painter.font()
        if self.side == "bottom":
            box = QRectF(0, height - room, width, room)
            centre, left = Qt.AlignmentFlag.AlignVCenter, Qt.AlignmentFlag.AlignLeft
            painter.setPen(QColor(self.theme.faint))
            gap = 12 * self.theme.scale
            beside = QFontMetricsF(used).elidedText(
                self.note, Qt.TextElideMode.ElideRight, max(0.0, width - text_width(used, self.name) - gap)
            )
            painter.drawText(box, centre | left, beside)
            crowded = text_width(used, self.note) + 8 > (width - text_width(used, self.name)) / 2
            place = Qt.AlignmentFlag.AlignRight if crowded and self.note else Qt.AlignmentFlag.AlignHCenter
            painter.setPen(QColor(self.theme.dim))
            painter.drawText(box, centre | place, self.name)
            return
        if not self.name:
            return
        painter.setPen(QColor(self.theme.dim))
        painter.save()
        painter.translate(0, height)
        painter.rotate(-90)
        length = height + 2 * OVER  # it may stand over both ends
        name = QFontMetricsF(used).elidedText(self.name, Qt.TextElideMode.ElideRight, length)
        painter.drawText(QRectF(-OVER, 0, length, room), Qt.AlignmentFlag.AlignCenter, name)
        painter.restore()
