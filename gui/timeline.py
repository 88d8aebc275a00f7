"""The slider of a run: what was measured, what is still to come, live changes and forks."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from gui.tokens import Theme

MARGIN = 8


class Timeline(QWidget):
    """Click or drag to go to a step that was measured. `sought(step)`."""

    sought = Signal(int)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.theme = theme
        self.step, self.frontier, self.total = 0, 0, 1
        self.marks: tuple[tuple[int, str], ...] = ()
        self.fork: int | None = None
        self._looks: object = None
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName("Timeline")
        self.setCursor(Qt.CursorShape.PointingHandCursor)

    def sizeHint(self) -> QSize:
        """Wide, and as high as a button."""
        return QSize(300, round(32 * self.theme.scale))

    def minimumSizeHint(self) -> QSize:
        """Narrow windows still show it."""
        return QSize(80, round(32 * self.theme.scale))

    def set_state(
        self, step: int, frontier: int, total: int, marks: Sequence[tuple[int, str]], fork: int | None
    ) -> None:
        """Where the run stands, how far it was measured, how long it is, live changes, and where it forked."""
        state = (step, frontier, max(total, frontier, 1), tuple(marks), fork)
        if state != (self.step, self.frontier, self.total, self.marks, self.fork):
            self.step, self.frontier, self.total, self.marks, self.fork = state
            self.setAccessibleDescription(f"step {step} of {total}, measured up to {frontier}")
            ends = round(4 * self._x(self.step)), round(4 * self._x(self.frontier))
            looks = (*ends, self.total, self.marks, self.fork)
            if looks != self._looks:  # of a long run most frames move the knob by less than can be seen
                self._looks = looks
                self.update()

    def _x(self, step: float) -> float:
        return MARGIN + (self.width() - 2 * MARGIN) * step / self.total

    def _step(self, x: float) -> int:
        share = (x - MARGIN) / max(1, self.width() - 2 * MARGIN)
        return round(min(max(share, 0.0), 1.0) * self.total)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Track, measured part, covered part, marks, knob."""
        with QPainter(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(Qt.PenStyle.NoPen)
            middle, theme = self.height() / 2, self.theme
            ends = ((self.total, theme.line), (self.frontier, theme.border), (self.step, theme.accent))
            for end, colour in ends:
                painter.setBrush(QColor(colour))
                painter.drawRoundedRect(QRectF(MARGIN, middle - 2, self._x(end) - MARGIN, 4), 2, 2)
            for step, _ in self.marks:
                painter.setBrush(QColor(theme.text))
                painter.drawEllipse(QPointF(self._x(step), middle - 9), 3, 3)
            if self.fork is not None:
                painter.setBrush(QColor(theme.accent))
                painter.drawRect(QRectF(self._x(self.fork) - 1, middle - 10, 2, 20))
            painter.setBrush(QColor(theme.text))
            if self.hasFocus():
                painter.setPen(QColor(theme.accent))
            painter.drawEllipse(QPointF(self._x(self.step), middle), 6, 6)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Go there."""
        self.sought.emit(min(self._step(event.position().x()), self.frontier))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Scrub, or tell what is under the mouse."""
        step = self._step(event.position().x())
        if event.buttons() & Qt.MouseButton.LeftButton:
            self.sought.emit(min(step, self.frontier))
        near = [words for at, words in self.marks if abs(self._x(at) - event.position().x()) < 6]
        measured = "" if step <= self.frontier else " (not measured yet)"
        QToolTip.showText(event.globalPosition().toPoint(), "\n".join([f"step {step}{measured}", *near]), self)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Page keys move by a tenth of what was measured."""
        jump = max(1, self.frontier // 10)
        moves = {Qt.Key.Key_PageUp: jump, Qt.Key.Key_PageDown: -jump}
        if event.key() in moves:
            self.sought.emit(min(max(0, self.step + moves[Qt.Key(event.key())]), self.frontier))
        else:
            super().keyPressEvent(event)

    def apply_theme(self, theme: Theme) -> None:
        """Repaint in another theme."""
        self.theme = theme
        self.updateGeometry()
        self.update()
