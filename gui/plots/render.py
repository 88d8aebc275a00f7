"""The window's own plots without a window: pictures for the command line."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from PySide6.QtWidgets import QApplication, QWidget

from gui.fonts import load_fonts
from gui.plots.export import export_picture
from gui.tokens import PRINT, Theme

SIZE = (1200, 900)  # px at scale 1
SCALE = 2.0


def application() -> QApplication:
    """The application that plots need; off-screen if there is none yet. The caller keeps it as long as it draws."""
    running = QApplication.instance()
    if not isinstance(running, QApplication):
        os.environ["QT_QPA_PLATFORM"] = "offscreen"
        running = QApplication(["descent-lab"])
    load_fonts()
    return running


def render(
    panel: QWidget,
    paths: Iterable[str | os.PathLike[str]],
    *,
    size: tuple[int, int] = SIZE,
    scale: float = SCALE,
    theme: Theme = PRINT,
) -> list[Path]:
    """Write one plot or panel to several files, each in the format of its ending. Raises ExportError."""
    return [export_picture(panel, path, size=size, scale=scale, theme=theme) for path in paths]
