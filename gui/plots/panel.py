"""Several plots as one: a large one, up to three small ones below, a title and a caption for pictures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, Self

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPaintEvent
from PySide6.QtWidgets import QGridLayout, QWidget

from gui.fonts import BODY, REGULAR, SEMIBOLD, SMALL, TITLE, font
from gui.plots.curves import Curves
from gui.tokens import DARK, Theme

SMALL_PLOTS = 3


class Pictured(Protocol):
    """What can stand in a panel and be taken home: a widget that can dress itself and make a twin."""

    def apply_theme(self, theme: Theme) -> None:
        """Take over colours and scale."""

    def clone(self, theme: Theme) -> QWidget:
        """An off-screen twin with the same data in another theme."""


class Words(QWidget):
    """A strip of words over the width of the panel, as high as they need; nothing if there are none."""

    def __init__(self, size: int, weight: int, dim: bool, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self.text, self.theme, self._size, self._weight, self._dim = "", theme, size, weight, dim

    def set_text(self, text: str) -> None:
        """Show these words; none hide the strip."""
        self.text = text
        self.setVisible(bool(text))
        self.updateGeometry()
        self.update()

    def _font(self) -> QFont:
        return font(self._size * self.theme.scale, self._weight)

    def hasHeightForWidth(self) -> bool:
        """Long captions flow onto further lines."""
        return True

    def heightForWidth(self, width: int) -> int:
        """Height in px of the words at this width."""
        unit = self.theme.scale
        flags = int(Qt.TextFlag.TextWordWrap.value)
        box = QFontMetricsF(self._font()).boundingRect(QRectF(0, 0, width - 32 * unit, 1e4), flags, self.text)
        return round(box.height() + 16 * unit)

    def sizeHint(self) -> QSize:
        """As high as the words need at the present width."""
        return QSize(200, self.heightForWidth(max(self.width(), 200)))

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the words."""
        painter = QPainter(self)
        unit = self.theme.scale
        painter.fillRect(self.rect(), QColor(self.theme.background))
        painter.setFont(self._font())
        painter.setPen(QColor(self.theme.dim if self._dim else self.theme.text))
        area = QRectF(self.rect()).adjusted(16 * unit, 8 * unit, -16 * unit, -8 * unit)
        painter.drawText(area, int(Qt.TextFlag.TextWordWrap.value | Qt.AlignmentFlag.AlignLeft.value), self.text)
        painter.end()


class Panel(QWidget):
    """One large plot and up to three small ones. Curves among them share their hover cursor.

    Raises ValueError for more than three small plots.
    """

    def __init__(
        self,
        main: QWidget,
        small: Sequence[QWidget] = (),
        title: str = "",
        caption: str = "",
        theme: Theme = DARK,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        if len(small) > SMALL_PLOTS:
            raise ValueError(f"panel: {len(small)} small plots, at most {SMALL_PLOTS} are allowed")
        self.theme = theme
        self.plots: list[QWidget] = [main, *small]
        self._title = Words(TITLE, SEMIBOLD, False, theme, self)
        self._caption = Words(BODY if not small else SMALL + 1, REGULAR, True, theme, self)
        columns = max(1, len(small))
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setSpacing(0)
        grid.addWidget(self._title, 0, 0, 1, columns)
        grid.addWidget(main, 1, 0, 1, columns)
        for column, plot in enumerate(small):
            grid.addWidget(plot, 2, column)
            grid.setColumnStretch(column, 1)
        grid.addWidget(self._caption, 3, 0, 1, columns)
        grid.setRowStretch(1, 5)
        grid.setRowStretch(2, 2 if small else 0)
        self.set_words(title, caption)
        link([plot for plot in self.plots if isinstance(plot, Curves)])

    def set_words(self, title: str, caption: str) -> None:
        """Title above and caption below; empty ones take no room."""
        self._title.set_text(title)
        self._caption.set_text(caption)

    @property
    def words(self) -> tuple[str, str]:
        """Title and caption."""
        return self._title.text, self._caption.text

    def apply_theme(self, theme: Theme) -> None:
        """Take over colours and scale, in every plot."""
        self.theme = self._title.theme = self._caption.theme = theme
        for part in (self._title, self._caption):
            part.updateGeometry()
        for plot in self.plots:
            plot.apply_theme(theme)  # type: ignore[attr-defined]
        self.update()

    def clone(self, theme: Theme) -> Self:
        """An off-screen twin in another theme with the same data, views and size. This panel does not change."""
        twins = [plot.clone(theme) for plot in self.plots]  # type: ignore[attr-defined]
        twin = type(self)(twins[0], twins[1:], *self.words, theme)
        twin.resize(self.size())
        return twin

    def paintEvent(self, event: QPaintEvent) -> None:
        """Ground."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(self.theme.background))
        painter.end()


def link(curves: Sequence[Curves]) -> None:
    """Let curves share their hover cursor: what one shows, all show."""
    for source in curves:
        for other in curves:
            if other is not source:
                source.hovered.connect(other.set_hover)
