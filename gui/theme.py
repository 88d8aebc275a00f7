"""Which look is in force, and who is told when it changes. Also the one place to import the look's parts from."""

from __future__ import annotations

from typing import Literal, get_args

from PySide6.QtCore import QObject, Qt, Signal, Slot
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication, QWidget

from gui.fonts import BODY, SMALL, TITLE, font, load_fonts
from gui.palette import GENERAL, OPTIMIZERS, SeriesStyle, color, dash_of, pen, series_style
from gui.stylesheet import palette, stylesheet
from gui.tokens import DARK, LIGHT, PRINT, Theme, alpha, contrast, luminance, mix

__all__ = [
    "BODY", "DARK", "GENERAL", "LIGHT", "OPTIMIZERS", "PRINT", "SMALL", "TITLE", "Appearance", "Mode",
    "SeriesStyle", "Theme", "alpha", "color", "contrast", "dash_of", "dress", "font", "load_fonts", "luminance", "mix",
    "palette", "pen", "series_style", "stylesheet",
]  # fmt: skip

Mode = Literal["system", "light", "dark"]
PRESENTATION_SCALE = 1.4


class Appearance(QObject):
    """The look in force: follows the system, or stays light or dark; larger in presentation mode.

    `changed` carries the new Theme and is emitted only when it differs from the one before. An unknown system
    scheme counts as dark.
    """

    changed = Signal(object)

    def __init__(self, mode: Mode = "system", presentation: bool = False, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._mode: Mode = _checked(mode)
        self._presentation = presentation
        self._theme = self._find()
        QGuiApplication.styleHints().colorSchemeChanged.connect(self._refresh)

    @property
    def theme(self) -> Theme:
        """The theme in force."""
        return self._theme

    @property
    def mode(self) -> Mode:
        """`system`, `light` or `dark`. Raises ValueError when set to anything else."""
        return self._mode

    @mode.setter
    def mode(self, mode: Mode) -> None:
        self._mode = _checked(mode)
        self._refresh()

    @property
    def presentation(self) -> bool:
        """Whether type and spacing are enlarged for a lecture hall."""
        return self._presentation

    @presentation.setter
    def presentation(self, on: bool) -> None:
        self._presentation = on
        self._refresh()

    def apply(self, app: QApplication) -> None:
        """Dress the application in the theme in force: fonts and palette.

        The style sheet is given to the parts of the window, each when it is seen (`dress`): one for the application
        is worked out for every widget there is, and takes seconds once all pages have been opened.
        """
        load_fonts()
        app.setFont(font(BODY * self._theme.scale))
        app.setPalette(palette(self._theme))

    def _find(self) -> Theme:
        scheme = QGuiApplication.styleHints().colorScheme()
        light = self._mode == "light" or (self._mode == "system" and scheme == Qt.ColorScheme.Light)
        return (LIGHT if light else DARK).scaled(PRESENTATION_SCALE if self._presentation else 1.0)

    @Slot()
    def _refresh(self) -> None:
        theme = self._find()
        if theme != self._theme:
            self._theme = theme
            self.changed.emit(theme)


def dress(part: QWidget, theme: Theme) -> None:
    """Give a part of a window the theme's style sheet and type, unless it has them.

    Whatever has a style sheet no longer follows the application's font.
    """
    sheet = stylesheet(theme)
    if part.styleSheet() != sheet:
        part.setFont(font(BODY * theme.scale))
        part.setStyleSheet(sheet)


def _checked(mode: str) -> Mode:
    if mode not in get_args(Mode):
        raise ValueError(f"theme: {mode!r} is not one of {', '.join(get_args(Mode))}")
    return mode  # type: ignore[return-value]
