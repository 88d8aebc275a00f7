"""Lines over an abscissa of their own: a spectrum, a schedule, error against width. Drawn anew with every answer."""

from __future__ import annotations

from dataclasses import replace
from typing import Self

import numpy as np
from PySide6.QtCore import QPointF, QSize, Qt
from PySide6.QtGui import QColor, QKeyEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from engine.picture import Line, Lines
from gui.fonts import SMALL, font
from gui.palette import series_style
from gui.plots.curves import Curves
from gui.plots.geometry import Floats
from gui.plots.header import Entry
from gui.plots.readout import Row
from gui.plots.series import EMPTY, Series
from gui.plots.ticks import prose
from gui.tokens import DARK, Theme

OWN = "line/"  # the keys of the picture's own lines; others may lay theirs over them


class Note(QWidget):
    """One sentence below a plot, cut where it is too long; no room where there is none."""

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self.text, self.theme = "", theme
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.hide()

    def set_text(self, text: str, *, wait: bool = False) -> None:
        """Say this; the whole of it is also told by the mouse. `wait`: where there are no words there will be soon, so
        its room is kept."""
        if text != self.text:
            self.text = text
            self.setToolTip(text)
            self.setAccessibleName(text)
            self.update()
        self.setVisible(bool(text) or (wait and not self.isHidden()))

    def sizeHint(self) -> QSize:
        """As high as a line."""
        return QSize(100, round(22 * self.theme.scale))

    def paintEvent(self, event: QPaintEvent) -> None:
        """The words, from where the plots of a board begin."""
        painter, unit = QPainter(self), self.theme.scale
        painter.fillRect(self.rect(), QColor(self.theme.background))
        painter.setFont(font(SMALL * unit))
        painter.setPen(QColor(self.theme.dim))
        room = self.rect().adjusted(round(16 * unit), 0, -round(16 * unit), -round(4 * unit))
        words = painter.fontMetrics().elidedText(self.text, Qt.TextElideMode.ElideRight, room.width())
        painter.drawText(room, Qt.AlignmentFlag.AlignVCenter, words)
        painter.end()


class LinesPlot(Curves):
    """Shows engine.picture.Lines. The abscissa need not be the step: there is no cursor, the left button pans, and
    Left and Right move the readout."""

    def __init__(
        self,
        title: str = "",
        x_label: str = "",
        y_label: str = "",
        log_y: bool = False,
        theme: Theme = DARK,
        parent: QWidget | None = None,
        *,
        empty: str = "Nothing measured yet",
        log_x: bool = False,
    ) -> None:
        super().__init__(title, x_label, y_label, log_y, theme, parent, empty=empty, log_x=log_x)
        self.picture: Lines | None = None
        self.note = Note(theme, self)
        layout = self.layout()
        if layout is not None:
            layout.addWidget(self.note)

    def show_picture(self, picture: Lines | None) -> None:
        """Draw this one from now on; None: nothing yet. What others laid over it stays."""
        self.picture = picture
        lines = picture.lines if picture is not None else ()
        made: dict[str, Series] = {}
        for index, line in enumerate(lines):
            key = OWN + line.name
            key = key if key not in made else f"{key}/{index}"
            order = sum(known.overlay for known in made.values())
            made[key] = replace(_series(line, index, order), name=self.hiding.name_of(line.series, line.name))
        before = [(key, s.label, s.style, s.order, s.name) for key, s in self.series.items()]
        laid = {key: s for key, s in self.series.items() if not key.startswith(OWN)}
        if picture is None:  # what was there keeps its name in the legend until others come, so that nothing moves
            made = {key: s.emptied() for key, s in self.series.items() if key not in laid}
        self.series = {**made, **laid}
        self.events = [(float(x), words) for x, words in picture.marks] if picture is not None else []
        self.note.set_text(prose(picture.note) if picture is not None else "", wait=picture is None)
        if before != [(key, s.label, s.style, s.order, s.name) for key, s in self.series.items()]:
            self.update_header()
        self.data_changed()

    def apply_theme(self, theme: Theme) -> None:
        """Take over colours and scale."""
        self.note.theme = theme
        self.note.updateGeometry()
        super().apply_theme(theme)

    def _copy_to(self, twin: Self) -> None:
        super()._copy_to(twin)
        twin.picture = self.picture
        twin.note.set_text(self.note.text)

    def entries(self) -> list[Entry]:
        """One chip for each line, unless the picture has too many to name; points on a line of the same contestant
        need none."""
        named = self.picture is None or self.picture.legend
        lines = {s.name for s in self.series.values() if s.width}
        beside = {key for key, s in self.series.items() if not s.width and s.name in lines and s.name != s.label}
        return [one for one in super().entries() if one.key not in beside and (named or not one.key.startswith(OWN))]

    # -- range -------------------------------------------------------------------------------------------------------

    def _spanning(self, visible: list[Series]) -> list[Series]:
        own = {id(s) for key, s in self.series.items() if key.startswith(OWN)}
        return [s for s in visible if id(s) in own and s.x.size] or visible

    def _x_range(self, low: float, high: float, held: tuple[float, float] | None) -> tuple[float, float]:
        """All of it, with room for marks at the ends."""
        marked = any(s.points for s in self.shown())
        room = (0.03 if marked else 0.0) * (high - low) if high > low else 0.5 * (abs(low) or 1.0)
        return low - room, high + room

    # -- mouse and keys ----------------------------------------------------------------------------------------------

    def set_hover(self, x: float | None) -> None:
        """Other plots stand over another abscissa: their hover says nothing here."""

    def grabbed(self, at: QPointF) -> bool:
        """Nothing to scrub: the drag pans."""
        return False

    def hovered_at(self, at: QPointF | None) -> None:
        """Readout here only."""
        frame = self._frame()
        inside = at is not None and 0 <= at.x() <= frame.width and 0 <= at.y() <= frame.height
        self._mouse = at if inside else None
        self._tell(frame.x(at.x()) if at is not None and inside else None)

    def readout(self, x: float) -> tuple[str, list[Row]]:
        """Head and rows of the readout at x; a mark beside it is told in full."""
        head, rows = super().readout(x)
        frame = self._frame()
        near = [words for at, words in self.events if abs(float(frame.px(at) - frame.px(x))) <= 6 * self.theme.scale]
        return head, rows + [Row(words) for words in near]

    def _tell(self, x: float | None) -> None:
        self.hover = x
        self._marks.update()

    def key(self, event: QKeyEvent) -> bool:
        """Left and Right move the readout by one point, Escape ends it, L switches the axis."""
        step = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}.get(Qt.Key(event.key()))
        if step is not None:
            known: Floats = np.unique(np.concatenate([s.x[np.isfinite(s.x)] for s in self.shown()] or [EMPTY]))
            if known.size:
                now = int(np.argmin(np.abs(known - self.hover))) + step if self.hover is not None else 0
                self._mouse = None
                self._tell(float(known[min(max(now, 0), known.size - 1)]))
            return True
        if event.key() == Qt.Key.Key_Escape and self.hover is not None:
            self._tell(None)
            return True
        return super().key(event)


def _series(line: Line, index: int, order: int) -> Series:
    """A line of the picture as the plot draws it; `order` counts the dashed ones before it. Arrays of different
    lengths are cut to the shortest."""
    parts = [np.asarray(part, float).ravel() for part in (line.x, line.y)]
    n = min(part.size for part in parts)
    band = [np.asarray(part, float).ravel() if part is not None else EMPTY for part in (line.low, line.high)]
    low, high = (part[:n] for part in band) if min(part.size for part in band) >= n else (EMPTY, EMPTY)
    quiet = line.series == "data" or (line.dashed and not line.series)  # what is given, not what somebody found
    style = None if quiet else series_style(line.series or line.name, index if line.place < 0 else line.place)
    width = 0.0 if line.points else 2.0
    places = (order if line.dashed and not line.points else -1, line.points)
    return Series(line.name, style, False, width, *places, parts[0][:n], parts[1][:n], low, high)
