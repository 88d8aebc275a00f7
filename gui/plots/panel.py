"""Several plots as one: large ones, up to three small ones below, a title and a caption for pictures."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Protocol, Self

from PySide6.QtCore import QRectF, QSize, Qt, Signal, Slot
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QHBoxLayout, QMenu, QVBoxLayout, QWidget

from gui.fonts import BODY, REGULAR, SEMIBOLD, SMALL, TITLE, font
from gui.layouts import emptied
from gui.plots.curves import Curves
from gui.plots.header import Header
from gui.plots.hiding import Hiding, Switched
from gui.tokens import DARK, Theme

SMALL_PLOTS = 3
NARROWEST = 160  # px at scale 1 that a small plot needs; where there is less room, fewer are seen


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
        with QPainter(self) as painter:
            unit = self.theme.scale
            painter.fillRect(self.rect(), QColor(self.theme.background))
            painter.setFont(self._font())
            painter.setPen(QColor(self.theme.dim if self._dim else self.theme.text))
            area = QRectF(self.rect()).adjusted(16 * unit, 8 * unit, -16 * unit, -8 * unit)
            painter.drawText(area, int(Qt.TextFlag.TextWordWrap.value | Qt.AlignmentFlag.AlignLeft.value), self.text)


class Panel(QWidget):
    """Plots as one: `main` (one, or several beside each other; `stacked`: above each other) above, and up to three
    small ones in a row below.

    Where there are more, the others wait unseen; the small switch of a plot puts another in its place, or makes it
    the large one. `arranged()` tells of it. Curves among them share their hover cursor, and all what is switched off in
    their legends: `hiding`.
    """

    arranged = Signal()

    def __init__(
        self,
        main: QWidget | Sequence[QWidget],
        small: Sequence[QWidget] = (),
        title: str = "",
        caption: str = "",
        theme: Theme = DARK,
        parent: QWidget | None = None,
        *,
        stacked: bool = False,
        hiding: Hiding | None = None,
    ) -> None:
        super().__init__(parent)
        large = [main] if isinstance(main, QWidget) else list(main)
        self.theme = theme
        self.large, self.stacked = len(large), stacked
        self._places = SMALL_PLOTS
        self._fixed = False  # a twin shows what the panel shows, however small the picture
        self.plots: list[QWidget] = [*large, *small]  # the large ones, the small ones, those that wait
        self._title = Words(TITLE, SEMIBOLD, False, theme, self)
        self._caption = Words(BODY if not small else SMALL + 1, REGULAR, True, theme, self)
        self._upper: QBoxLayout = QVBoxLayout() if stacked else QHBoxLayout()
        self._lower = QHBoxLayout()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self._title)
        rows: tuple[QBoxLayout, ...] = (self._upper, self._lower)
        for row in rows:
            row.setSpacing(0)
            column.addLayout(row)
        column.addWidget(self._caption)
        column.setStretch(1, 6 if stacked and len(large) > 1 else 5)
        column.setStretch(2, 2 if small else 0)
        self._switches: dict[QWidget, QWidget] = {}
        for plot in self.plots:
            plot.setParent(self)
            if len(self.plots) > 1:
                self._add_switch(plot)
        self._place()
        self.set_words(title, caption)
        link([plot for plot in self.plots if isinstance(plot, Curves)])
        self.hiding = hiding or Hiding()
        for plot in self.plots:
            if isinstance(plot, Switched):
                plot.share(self.hiding)

    # -- where plots stand -------------------------------------------------------------------------------------------

    @property
    def seen(self) -> list[QWidget]:
        """The plots that have a place, the large ones first."""
        return self.plots[: self.large + self._places]

    def shows(self, plot: QWidget) -> bool:
        """Whether a plot has a place now."""
        return plot in self.seen

    def exchange(self, one: QWidget, other: QWidget) -> None:
        """Let two plots change places."""
        i, j = self.plots.index(one), self.plots.index(other)
        self.plots[i], self.plots[j] = other, one
        self._place()
        self.arranged.emit()

    def _place(self) -> None:
        rows: tuple[QBoxLayout, ...] = (self._upper, self._lower)
        for row in rows:
            emptied(row)
        for i, plot in enumerate(self.plots):
            if i < self.large:
                self._upper.addWidget(plot, 1)
            elif i < self.large + self._places:
                self._lower.addWidget(plot, 1)
            plot.setVisible(i < self.large + self._places)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Show as many small plots as there is room for."""
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        if self._fixed:
            return
        places = max(1, min(SMALL_PLOTS, int(self.width() / (NARROWEST * self.theme.scale))))
        if places != self._places:
            self._places = places
            self._place()
            self.arranged.emit()

    def _add_switch(self, plot: QWidget) -> None:
        header = getattr(plot, "header", None)
        if isinstance(header, Header):
            switch = header.add_switch("▾", f"{header.title or 'Plot'}: show another plot here, or make this one large")
            switch.setCheckable(False)
            switch.clicked.connect(self._offer)
            self._switches[switch] = plot

    @Slot()
    def _offer(self) -> None:
        """A menu of what could stand here instead."""
        switch = self.sender()
        if not isinstance(switch, QWidget) or switch not in self._switches:
            return
        plot = self._switches[switch]
        menu = QMenu(self)
        for other, words in self.offers(plot):
            action = menu.addAction(words)
            action.triggered.connect(partial(self.exchange, plot, other))
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(switch.mapToGlobal(switch.rect().bottomLeft()))

    def offers(self, plot: QWidget) -> list[tuple[QWidget, str]]:
        """The plots that `plot` can change places with, and the words for it."""
        found: list[tuple[QWidget, str]] = []
        if self.plots.index(plot) >= self.large:
            first = self.plots[0]
            found.append((first, f"Large, in place of {_title(first)}" if self.large > 1 else "Show large"))
        found += [(other, _title(other)) for other in self.plots[self.large + self._places :] if other is not plot]
        if self.plots.index(plot) < self.large:
            found = [(other, f"{_title(other)} large") for other in self.plots[self.large :]]
        return found

    # -- words and looks ---------------------------------------------------------------------------------------------

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
        self._fit()
        self.update()

    def clone(self, theme: Theme) -> Self:
        """An off-screen twin of what is seen, in another theme, with the same size. This panel does not change."""
        twins = [plot.clone(theme) for plot in self.seen]  # type: ignore[attr-defined]
        twin = type(self)(
            twins[: self.large], twins[self.large :], *self.words, theme,
            stacked=self.stacked, hiding=self.hiding.copy(),
        )  # fmt: skip
        twin._fixed = True
        for switch in twin._switches:
            switch.hide()
        twin.resize(self.size())
        return twin

    def paintEvent(self, event: QPaintEvent) -> None:
        """Ground."""
        with QPainter(self) as painter:
            painter.fillRect(self.rect(), QColor(self.theme.background))


def _title(plot: QWidget) -> str:
    return str(getattr(plot, "title", "") or plot.accessibleName() or "plot")


def link(curves: Sequence[Curves]) -> None:
    """Let curves share their hover cursor: what one shows, all show."""
    for source in curves:
        for other in curves:
            if other is not source:
                source.hovered.connect(other.set_hover)
