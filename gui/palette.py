"""One colour, one line style and one mark for every series, the same in the whole app.

Colours are brighter on dark and deeper on light. Under simulated deuteranopia and protanopia the six everyday
optimizers differ in colour or, where colour alone does not carry, in the line style they show on screen as well.
In print every series shows its line style.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QPen

from gui.tokens import Theme

Dash = tuple[float, ...]
SOLID: Dash = ()


@dataclass(frozen=True)
class SeriesStyle:
    """How a series looks: its colour on dark and on light, its line and its mark.

    `dash` is a pattern of line and gap lengths in line widths (empty: solid), always used in print; `screen_dash`
    says whether it shows on screen too. `symbol` is one of the marks of gui.plots.marks.
    """

    dark: str
    light: str
    dash: Dash = SOLID
    symbol: str = "circle"
    screen_dash: bool = False


OPTIMIZERS: dict[str, SeriesStyle] = {
    "sgd": SeriesStyle("#e69f00", "#b87300", SOLID, "circle"),
    "momentum": SeriesStyle("#56b4e9", "#0072b2", (7, 2), "square"),
    "nesterov": SeriesStyle("#f0e442", "#9c8b00", (10, 2, 2, 2), "diamond", True),
    "rmsprop": SeriesStyle("#00c49a", "#00805f", (6, 1.5), "triangle", True),
    "adam": SeriesStyle("#ff7eb6", "#c2357a", (14, 2), "circle"),
    "newton": SeriesStyle("#c9b8ff", "#6b4fc4", (3, 2), "star", True),
    "adagrad": SeriesStyle("#fa5d32", "#b23b19", (5, 2, 1, 2), "down"),
    "adadelta": SeriesStyle("#ecac9a", "#75220a", (8, 2, 1, 2, 1, 2), "pentagon"),
    "adamw": SeriesStyle("#fabcda", "#8b5571", (3, 1.5), "square"),
    "nadam": SeriesStyle("#b188b4", "#861192", (9, 3), "diamond"),
    "amsgrad": SeriesStyle("#ad74ff", "#493766", (6, 2, 2, 2), "triangle"),
    "adamax": SeriesStyle("#979e64", "#555a20", (1.2, 1.4), "down"),
    "lion": SeriesStyle("#56f487", "#139948", (12, 2, 1, 2), "star"),
    "bfgs": SeriesStyle("#a3f5fd", "#3b8e96", (5, 1.5), "square"),
    "lbfgs": SeriesStyle("#8491e2", "#3022a9", (3, 2, 1, 2), "diamond"),
    "cg": SeriesStyle("#7fcfc5", "#00635c", (6, 3), "triangle"),
}
GENERAL: tuple[SeriesStyle, ...] = tuple(
    OPTIMIZERS[name]
    for name in (
        "momentum", "sgd", "rmsprop", "adam", "newton", "nesterov", "adagrad", "bfgs",
        "lion", "amsgrad", "adadelta", "lbfgs", "adamax", "nadam", "cg", "adamw",
    )
)  # fmt: skip


def series_style(name: str, index: int = 0) -> SeriesStyle:
    """The style of a series: its own if it is an optimizer (`adam`, also `adam (branch 2)`), else the general one.

    `index` counts the series of a plot and picks from the general palette, which starts again after its end.
    """
    known = name.strip().lower()
    known = known if known in OPTIMIZERS else re.split(r"[^a-z0-9]", known, maxsplit=1)[0]
    return OPTIMIZERS.get(known, GENERAL[index % len(GENERAL)])


def color(style: SeriesStyle, theme: Theme) -> str:
    """The series colour in this theme, `#rrggbb`."""
    return style.dark if theme.dark else style.light


def dash_of(style: SeriesStyle, theme: Theme) -> Dash:
    """The line pattern in this theme: its own in print, on screen only where colour alone does not carry."""
    return style.dash if theme.dashes or style.screen_dash else SOLID


def pen(colour: QColor | str, width: float = 1.0, dash: Dash = SOLID) -> QPen:
    """A pen in plot pixels. It is not cosmetic, so that its width grows with the picture."""
    made = QPen(QColor(colour), width)
    made.setCosmetic(False)
    made.setCapStyle(Qt.PenCapStyle.FlatCap if dash else Qt.PenCapStyle.RoundCap)
    made.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
    if dash:
        made.setDashPattern(list(dash))
    return made
