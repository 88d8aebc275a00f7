"""The colours of the app as named tokens: one set for dark, one for light, one for print."""

from __future__ import annotations

from dataclasses import dataclass, replace

from PySide6.QtGui import QColor


@dataclass(frozen=True)
class Theme:
    """Every colour the window and its pictures use, as `#rrggbb`.

    `background` is where plots live, `panel` the columns beside them, `raised` fields and buttons, `line` hairlines.
    `text`, `dim` and `faint` all carry words, so each keeps 4.5:1 (WCAG 2.2, 1.4.3) on all three grounds. `accent`
    marks one thing at a time; `link` is the accent where it is a word; `on_accent` are words upon it. `dashes`: every
    series shows its own line style. `map_share` is how much of the map's colour is mixed into the background.
    `scale` multiplies type and spacing (presentation mode).
    """

    name: str
    dark: bool
    background: str
    panel: str
    raised: str
    hover: str
    line: str
    border: str
    text: str
    dim: str
    faint: str
    accent: str
    accent_hover: str
    on_accent: str
    link: str
    good: str
    bad: str
    map_share: float
    dashes: bool = False
    scale: float = 1.0

    def scaled(self, scale: float) -> Theme:
        """The same colours with type and spacing multiplied by `scale`."""
        return replace(self, scale=scale)


DARK = Theme(
    name="dark", dark=True, background="#101418", panel="#161b21", raised="#1d242c", hover="#26303a",
    line="#29323c", border="#5a6774", text="#e6eaee", dim="#93a0ad", faint="#8593a1", accent="#4cc2ff",
    accent_hover="#7ad2ff", on_accent="#06121a", link="#4cc2ff", good="#5bd48a", bad="#ff7a6b", map_share=0.42,
)  # fmt: skip
LIGHT = Theme(
    name="light", dark=False, background="#ffffff", panel="#f6f7f9", raised="#eceff3", hover="#e0e5eb",
    line="#dbe0e6", border="#8a95a1", text="#161b21", dim="#566270", faint="#606b77", accent="#0078c8",
    accent_hover="#0068b0", on_accent="#ffffff", link="#006fba", good="#17803d", bad="#c9382a", map_share=0.30,
)  # fmt: skip
PRINT = replace(
    LIGHT, name="print", panel="#ffffff", raised="#ffffff", hover="#f2f2f2", line="#d0d0d0", border="#767676",
    text="#000000", dim="#303030", faint="#595959", dashes=True,
)  # fmt: skip


def mix(first: str, second: str, share: float) -> str:
    """`share` of `first` in `second`, channel by channel in sRGB, as `#rrggbb`."""
    a, b = QColor(first), QColor(second)
    channels = zip((a.red(), a.green(), a.blue()), (b.red(), b.green(), b.blue()), strict=True)
    return "#" + "".join(f"{round(share * p + (1 - share) * q):02x}" for p, q in channels)


def luminance(colour: str) -> float:
    """Relative luminance of `#rrggbb`, 0 to 1 (WCAG 2.2, definition of relative luminance)."""
    made = QColor(colour)
    parts = (made.redF(), made.greenF(), made.blueF())
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(first: str, second: str) -> float:
    """Contrast ratio of two colours, 1 to 21 (WCAG 2.2, definition of contrast ratio)."""
    low, high = sorted((luminance(first), luminance(second)))
    return (high + 0.05) / (low + 0.05)


def alpha(colour: str, share: float) -> QColor:
    """`colour` at opacity `share`."""
    made = QColor(colour)
    made.setAlphaF(share)
    return made
