"""The icons: all drawn, in the theme's colours, sharp at any size."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QSize
from PySide6.QtGui import QColor, QIcon, QImage
from pytestqt.qtbot import QtBot

from gui.icons import FOLDER, icon
from gui.theme import DARK, LIGHT, Theme

NAMES = sorted(file.stem for file in FOLDER.glob("*.svg"))


def drawn_in(image: QImage, colour: str) -> bool:
    """Whether there are wholly covered points, and all have the colour (where two shapes meet, but for rounding)."""
    points = [image.pixelColor(x, y) for x in range(image.width()) for y in range(image.height())]
    full = [point.getRgb()[:3] for point in points if point.alpha() == 255]
    wanted = QColor(colour).getRgb()[:3]
    return bool(full) and all(abs(a - b) <= 1 for point in full for a, b in zip(point, wanted, strict=True))


@pytest.mark.parametrize("theme", [DARK, LIGHT], ids=lambda theme: theme.name)
@pytest.mark.parametrize("name", NAMES)
def test_an_icon_is_drawn_in_the_themes_colours(qtbot: QtBot, name: str, theme: Theme) -> None:
    made = icon(name, theme)
    for mode, colour in ((QIcon.Mode.Normal, theme.dim), (QIcon.Mode.Active, theme.text)):
        assert drawn_in(made.pixmap(QSize(60, 60), mode).toImage(), colour)
    off = made.pixmap(QSize(60, 60), QIcon.Mode.Disabled).toImage()
    assert not drawn_in(off, theme.dim) and not drawn_in(off, theme.text)


@pytest.mark.parametrize("side", [16, 20, 28, 40])
@pytest.mark.parametrize("name", NAMES)
def test_an_icon_keeps_clear_of_its_edges(qtbot: QtBot, name: str, side: int) -> None:
    image = icon(name, DARK).pixmap(QSize(side, side)).toImage()
    assert image.size() == QSize(side, side)
    last = side - 1
    assert not any(
        image.pixelColor(x, y).alpha() for i in range(side) for x, y in ((0, i), (last, i), (i, 0), (i, last))
    )


def test_an_icon_on_the_accent(qtbot: QtBot) -> None:
    image = icon("play", DARK, on_accent=True).pixmap(QSize(40, 40)).toImage()
    assert drawn_in(image, DARK.on_accent)


def test_a_name_nobody_drew() -> None:
    with pytest.raises(KeyError, match="no-such-icon"):
        icon("no-such-icon", DARK)
