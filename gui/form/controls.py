"""The small parts rows are made of: dots, the live mark, sliders, boxes and fields that heed a form's manners."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFocusEvent,
    QIcon,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPixmap,
    QWheelEvent,
)  # fmt: skip
from PySide6.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QSizePolicy,
    QSlider,
    QStyle,
    QToolButton,
    QWidget,
)  # fmt: skip

from gui.form.numbers import POSITIONS
from gui.stylesheet import ICONS
from gui.tokens import Theme


def dot_icon(colour: str, size: int, ratio: float = 2.0) -> QIcon:
    """A disc of `size` px, the same whether its control is enabled, chosen or neither."""
    picture = QPixmap(QSize(round(size * ratio), round(size * ratio)))
    picture.setDevicePixelRatio(ratio)
    picture.fill(Qt.GlobalColor.transparent)
    with QPainter(picture) as painter:
        _disc(painter, colour, QRectF(0, 0, size, size))
    return QIcon(picture)


def cross_icon(colour: str, size: int, ratio: float = 2.0) -> QIcon:
    """A small cross of `size` px: take this away."""
    picture = QPixmap(QSize(round(size * ratio), round(size * ratio)))
    picture.setDevicePixelRatio(ratio)
    picture.fill(Qt.GlobalColor.transparent)
    with QPainter(picture) as painter:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(QColor(colour), size / 9))
        near, far = 0.25 * size, 0.75 * size
        painter.drawLine(QPointF(near, near), QPointF(far, far))
        painter.drawLine(QPointF(near, far), QPointF(far, near))
    return QIcon(picture)


def _disc(painter: QPainter, colour: str, place: QRectF) -> None:
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(colour))
    painter.drawEllipse(place)


class Dot(QWidget):
    """A disc in one colour."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._colour = "#000000"

    def set_colour(self, colour: str, size: int) -> None:
        """Paint it `size` px wide in `#rrggbb`."""
        self._colour = colour
        self.setFixedSize(size, size)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the disc."""
        with QPainter(self) as painter:
            _disc(painter, self._colour, QRectF(self.rect()))


class Live(QWidget):
    """The mark of a setting that may change while the run goes on: a dot, and the word where there is room."""

    def __init__(self, compact: bool, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setToolTip("Live: may change while the run goes on")
        self.dot, self.word = Dot(self), QLabel("live", self)
        self.word.setProperty("role", "faint")
        self.word.setVisible(not compact)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(self.dot)
        layout.addWidget(self.word)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Preferred)

    def full_width(self) -> int:
        """The room for dot and word, px."""
        return self.dot.width() + 4 + self.word.sizeHint().width()

    def apply_theme(self, theme: Theme) -> None:
        """Repaint in another theme."""
        self.dot.set_colour(theme.accent, round(6 * theme.scale))


class Title(QLabel):
    """A label that may be narrower than its words; what does not fit ends in an ellipsis."""

    def minimumSizeHint(self) -> QSize:
        """Qt's: any width will do."""
        return QSize(0, super().minimumSizeHint().height())

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw what fits."""
        with QPainter(self) as painter:
            words = self.fontMetrics().elidedText(self.text(), Qt.TextElideMode.ElideRight, self.width())
            colour = self.palette().color(self.foregroundRole())
            painter.setPen(colour)
            painter.drawText(self.rect(), Qt.AlignmentFlag.AlignVCenter | Qt.TextFlag.TextSingleLine, words)


class Glyph(QToolButton):
    """A small button that is only a picture: `cross`, or one of the controls' icons."""

    def __init__(self, name: str, words: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", "glyph")
        self._name = name
        self._theme: Theme | None = None
        self.setAccessibleName(words)
        self.setToolTip(words)

    def set_glyph(self, name: str) -> None:
        """Show another picture."""
        self._name = name
        if self._theme is not None:
            self.apply_theme(self._theme)

    def apply_theme(self, theme: Theme) -> None:
        """Repaint in another theme."""
        self._theme = theme
        side = round(12 * theme.scale)
        if self._name == "cross":
            self.setIcon(cross_icon(theme.dim, side))
        else:
            self.setIcon(QIcon(str(ICONS / f"{self._name}-{'dark' if theme.dark else 'light'}.svg")))
        self.setIconSize(QSize(side, side))
        self.setFixedSize(round(20 * theme.scale), round(20 * theme.scale))


class Slider(QSlider):
    """A slider that goes where it is pressed, and leaves the wheel to the column unless it has the focus."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(Qt.Orientation.Horizontal, parent)
        self.setRange(0, POSITIONS)
        self.setPageStep(POSITIONS // 20)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)

    def put(self, position: int) -> None:
        """Move it without telling anyone; a slider in the reader's hand stays in the hand."""
        if not self.isSliderDown():
            was = self.blockSignals(True)
            self.setValue(position)
            self.blockSignals(was)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Only with the focus."""
        if self.hasFocus():
            super().wheelEvent(event)
        else:
            event.ignore()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Bring the knob under the pointer first, so that a press anywhere is the beginning of a drag."""
        if event.button() == Qt.MouseButton.LeftButton:
            knob = 12
            x = round(event.position().x()) - knob // 2
            self.setValue(QStyle.sliderValueFromPosition(0, POSITIONS, x, max(1, self.width() - knob)))
        super().mousePressEvent(event)


class Choice(QComboBox):
    """A combo box that may be narrower than its longest entry and heeds the wheel only with the focus."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(6)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Only with the focus."""
        if self.hasFocus():
            super().wheelEvent(event)
        else:
            event.ignore()


class Entry(QLineEdit):
    """A line that is taken up on Enter and when the focus leaves, and restored by Escape.

    Signals: `finished()`; `restored()` for Escape; `stepped(up)` for the arrow keys; `entered()` when it
    gets the focus.
    """

    finished = Signal()
    restored = Signal()
    stepped = Signal(bool)
    entered = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", "value")
        self.editingFinished.connect(self.finished)

    @property
    def typing(self) -> bool:
        """Whether the reader is in the midst of writing here."""
        return self.hasFocus() and self.isModified()

    def put(self, words: str) -> None:
        """Show other words as if nobody had typed."""
        if self.text() != words:
            self.setText(words)
            self.setCursorPosition(0)  # of a number too long to show, the beginning matters most
        self.setModified(False)

    def mark(self, wrong: bool) -> None:
        """Draw the border in the colour of a mistake, or as ever."""
        if bool(self.property("invalid")) != wrong:
            self.setProperty("invalid", wrong)
            self.style().unpolish(self)
            self.style().polish(self)

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Say that the reader is here."""
        super().focusInEvent(event)
        self.entered.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Arrows step, Escape restores; the rest is typing."""
        key = event.key()
        if key in (Qt.Key.Key_Up, Qt.Key.Key_Down):
            self.stepped.emit(key == Qt.Key.Key_Up)
        elif key == Qt.Key.Key_Escape and (self.isModified() or self.property("invalid")):
            self.restored.emit()
        else:
            super().keyPressEvent(event)
