"""The one typeface of the app, shipped with it, in three sizes and three weights."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from PySide6.QtGui import QFont, QFontDatabase, QFontMetricsF

FAMILY = "Inter"
TITLE, BODY, SMALL = 20, 13, 11  # px: all the type there is
REGULAR, MEDIUM, SEMIBOLD = 400, 500, 600

FOLDER = Path(__file__).resolve().parent.parent / "resources" / "fonts"


def load_fonts(folder: Path = FOLDER) -> bool:
    """Register the shipped font files with Qt; True if the typeface can be used.

    Needs an application object. Without the files Qt falls back on the system's font. Calling it again is harmless.
    """
    if FAMILY not in QFontDatabase.families():
        for file in sorted(folder.glob("*.otf")):
            QFontDatabase.addApplicationFont(str(file))
    return FAMILY in QFontDatabase.families()


def font(size: float = BODY, weight: int = REGULAR, *, tabular: bool = True) -> QFont:
    """Inter at `size` px. `tabular` figures all have one width: columns line up and live numbers stand still."""
    return QFont(_font(size, weight, tabular))  # the caller may change it


@lru_cache(64)
def _font(size: float, weight: int, tabular: bool) -> QFont:
    made = QFont(FAMILY)
    made.setPixelSize(max(1, round(size)))
    made.setWeight(QFont.Weight(weight))
    made.setHintingPreference(QFont.HintingPreference.PreferNoHinting)  # the same shapes at every scale
    if tabular:
        made.setFeature(QFont.Tag("tnum"), 1)
    return made


def text_width(used: QFont, text: str) -> float:
    """Advance width of `text` in px."""
    return QFontMetricsF(used).horizontalAdvance(text)
