"""Where a run stands, in words beside the timeline: its step, how it ended, and a result.

Drawn by hand and not with QLabel: a label lays out the whole bar whenever its text gets wider, which at 30 times a
second makes the timeline beside it tremble.
"""

from __future__ import annotations

from PySide6.QtCore import QEvent, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QHelpEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QToolTip, QVBoxLayout, QWidget

from gui.fonts import BODY, REGULAR, SEMIBOLD, SMALL, font
from gui.plots.ticks import prose
from gui.tokens import Theme

USUAL, MOST, LEAST, STUB = 236, 520, 96, 40  # px, times the theme's scale


class Line(QWidget):
    """One line of plain words in a colour of the theme; what does not fit ends in an ellipsis and is in the tip.

    Without `snug` it takes the room it is given; with it, it asks for the room of its words, or of the longest words
    it will show (`reserve`).
    """

    def __init__(self, theme: Theme, *, size: int = BODY, weight: int = REGULAR, snug: bool = False) -> None:
        super().__init__()
        self._theme, self._size, self._weight, self._snug = theme, size, weight, snug
        self._words = self._room = ""
        self._token = "text"
        across = QSizePolicy.Policy.Maximum if snug else QSizePolicy.Policy.Ignored
        self.setSizePolicy(across, QSizePolicy.Policy.Fixed)

    def text(self) -> str:
        """The whole words."""
        return self._words

    def put(self, words: str, token: str = "text") -> None:
        """Show words in the theme's colour named `token`."""
        if (words, token) == (self._words, self._token):
            return
        old = self._width()
        self._words, self._token = words, token
        self.setAccessibleName(words)
        if self._snug and self._width() != old:
            self.updateGeometry()
        self.update()

    def reserve(self, words: str) -> None:
        """Keep room for these words."""
        if words != self._room:
            self._room = words
            self.updateGeometry()

    def apply_theme(self, theme: Theme) -> None:
        """Repaint in another theme."""
        self._theme = theme
        self.updateGeometry()
        self.update()

    def _metrics(self) -> QFontMetricsF:
        return QFontMetricsF(font(self._size * self._theme.scale, self._weight))

    def _width(self) -> int:
        metrics = self._metrics()
        widest = max(metrics.horizontalAdvance(words) for words in (self._words, self._room))
        return round(widest + 1) if widest else 0

    def sizeHint(self) -> QSize:
        """Qt's."""
        return QSize(self._width(), round(self._metrics().height()))

    def minimumSizeHint(self) -> QSize:
        """Qt's: words can be cut."""
        return QSize(0, self.sizeHint().height())

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the words."""
        with QPainter(self) as painter:
            painter.setFont(font(self._size * self._theme.scale, self._weight))
            painter.setPen(QColor(str(getattr(self._theme, self._token))))
            words = self._metrics().elidedText(self._words, Qt.TextElideMode.ElideRight, self.width())
            if words != self._words and self.width() < STUB * self._theme.scale:
                words = ""  # a letter and an ellipsis tell nothing
            painter.drawText(QRectF(self.rect()), Qt.AlignmentFlag.AlignVCenter, words)

    def event(self, event: QEvent) -> bool:
        """Words that are cut are told in full under the pointer."""
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            cut = self._metrics().horizontalAdvance(self._words) > self.width()
            QToolTip.showText(event.globalPos(), self.toolTip() or (self._words if cut else ""), self)
            return True
        return super().event(event)


class Standing(QWidget):
    """Two lines: the step and how the run ended; why it ended badly, and a result."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self.unit = "step"
        self.where = Line(theme, weight=SEMIBOLD, snug=True)
        self.finish = Line(theme)
        self.reason = Line(theme, size=SMALL, snug=True)
        self.reason.hide()
        self.readout = Line(theme, size=SMALL)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        column.addStretch(1)
        for pair in ((self.where, self.finish), (self.reason, self.readout)):
            row = QHBoxLayout()
            row.setSpacing(8)
            for line in pair:
                row.addWidget(line)
            row.setStretch(1, 1)
            column.addLayout(row)
        column.addStretch(1)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Preferred)

    def show_step(self, step: int, total: int) -> None:
        """The step, in room enough for the last one."""
        self.where.reserve(f"{self.unit} {_grouped(total)} of {_grouped(total)}")
        self.where.put(f"{self.unit} {_grouped(step)} of {_grouped(total)}")

    def show_word(self, word: str) -> None:
        """What is being done instead of steps."""
        self.where.put(word)
        self.show_end("", "", bad=False)

    def show_end(self, word: str, reason: str, *, bad: bool) -> None:
        """How the run ended; the reason of a bad end has a line, any other is in the tip."""
        self.finish.put(word, "bad" if bad else "good")
        self.finish.setToolTip(reason)
        told = prose(reason) if bad else ""
        if told != self.reason.text():
            self.reason.put(told, "bad")
            self.reason.setVisible(bool(told))
            self.updateGeometry()
        self.reason.setToolTip(reason if bad else "")

    def show_readout(self, words: str) -> None:
        """A short result; without one the step stands alone in the middle."""
        self.readout.put(prose(words), "dim")
        self.readout.setVisible(bool(words))

    def apply_theme(self, theme: Theme) -> None:
        """Repaint in another theme."""
        self._theme = theme
        for line in (self.where, self.finish, self.reason, self.readout):
            line.apply_theme(theme)
        self.updateGeometry()

    def sizeHint(self) -> QSize:
        """Qt's: always the same, so that the timeline keeps its length; but a bad end has room for its reason."""
        found = super().sizeHint()
        width = max(round(USUAL * self._theme.scale), self.where.sizeHint().width() + 8 + round(96 * self._theme.scale))
        if not self.reason.isHidden():
            width = max(width, min(self.reason.sizeHint().width(), round(MOST * self._theme.scale)))
        return QSize(width, found.height())

    def minimumSizeHint(self) -> QSize:
        """Qt's: in the narrowest window a long step is cut."""
        return QSize(round(LEAST * self._theme.scale), super().minimumSizeHint().height())


def _grouped(number: int) -> str:
    return f"{number:,}"
