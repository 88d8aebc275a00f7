"""The icons: one family, drawn for the app on a grid of 20 px, in the theme's colours and sharp at any size."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from PySide6.QtCore import QByteArray, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QIcon, QIconEngine, QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer

from gui.tokens import Theme, mix

FOLDER = Path(__file__).resolve().parent.parent / "resources" / "icons" / "actions"


@cache
def _drawing(name: str) -> str:
    """The SVG text of an icon, in `currentColor`. Raises KeyError for a name nobody drew."""
    file = FOLDER / f"{name}.svg"
    if not file.is_file():
        raise KeyError(name)
    return file.read_text(encoding="utf-8")


class _Engine(QIconEngine):
    """Draws one SVG in the colour of the button's state, at the size asked for."""

    def __init__(self, drawing: str, normal: str, active: str, disabled: str) -> None:
        super().__init__()
        self._drawing = drawing
        self._colours = {QIcon.Mode.Normal: normal, QIcon.Mode.Active: active, QIcon.Mode.Selected: active,
                         QIcon.Mode.Disabled: disabled}  # fmt: skip
        self._made: dict[tuple[int, int, QIcon.Mode], QPixmap] = {}

    def paint(self, painter: QPainter, rect: QRect, mode: QIcon.Mode, state: QIcon.State) -> None:
        """Draw in the middle of `rect`."""
        svg = self._drawing.replace("currentColor", self._colours[mode])
        side = min(rect.width(), rect.height())
        place = QRectF(rect.x() + (rect.width() - side) / 2, rect.y() + (rect.height() - side) / 2, side, side)
        QSvgRenderer(QByteArray(svg.encode())).render(painter, place)

    def pixmap(self, size: QSize, mode: QIcon.Mode, state: QIcon.State) -> QPixmap:
        """The icon as a picture of `size` device px; kept, for buttons paint often."""
        key = (size.width(), size.height(), mode)
        if key not in self._made:
            picture = QPixmap(size)
            picture.fill(Qt.GlobalColor.transparent)
            with QPainter(picture) as painter:
                self.paint(painter, QRect(0, 0, size.width(), size.height()), mode, state)
            self._made[key] = picture
        return self._made[key]


def icon(name: str, theme: Theme, *, on_accent: bool = False) -> QIcon:
    """An icon by the name of what it does. Raises KeyError for a name nobody drew."""
    if on_accent:
        return QIcon(_Engine(_drawing(name), theme.on_accent, theme.on_accent, theme.dim))
    return QIcon(_Engine(_drawing(name), theme.dim, theme.text, mix(theme.dim, theme.panel, 0.4)))
