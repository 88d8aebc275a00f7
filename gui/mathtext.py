"""Formulas as pictures: LaTeX in, vector drawing out, without a web engine.

A formula takes about 13 ms to set, a long one five times that, and is set once for all colours and sizes. So a
`Typesetter` sets at most one in a turn of the event loop and keeps what it has set; a `MathLabel` shows one or more
lines and fills as they come. What cannot be set is shown as plain words.
"""

from __future__ import annotations

import math
import re
import warnings
from collections import OrderedDict, deque
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from PySide6.QtCore import QByteArray, QObject, QRectF, QSize, QSizeF, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPaintEvent
from PySide6.QtSvg import QSvgRenderer
from PySide6.QtWidgets import QSizePolicy, QWidget
from shiboken6 import isValid

from gui.tokens import Theme

SIZE = 16.0  # px of a formula's letters beside 13 px of text
APART = 5  # milliseconds between two formulas: other timers have their turns meanwhile
KEPT = 400  # pictures kept by one typesetter
FADED = 0.35
INK = "#010203"  # stands for the colour in a drawing

_LETTERS = (
    "alpha beta gamma delta epsilon varepsilon zeta eta theta iota kappa lambda mu nu xi pi rho sigma tau upsilon phi "
    "varphi chi psi omega Gamma Delta Theta Lambda Xi Pi Sigma Phi Psi Omega"
)
_GREEK = dict(zip(_LETTERS.split(), "αβγδεεζηθικλμνξπρστυφφχψωΓΔΘΛΞΠΣΦΨΩ", strict=True))
_SIGNS = {
    "nabla": "∇", "partial": "∂", "cdot": "·", "times": "×", "le": "≤", "leq": "≤", "ge": "≥", "geq": "≥", "ne": "≠",
    "neq": "≠", "approx": "≈", "sim": "∼", "infty": "∞", "pm": "±", "to": "→", "rightarrow": "→", "sum": "∑",
    "prod": "∏", "in": "∈", "odot": "⊙", "ll": "≪", "gg": "≫", "propto": "∝", "ldots": "…", "cdots": "…", "dots": "…",
    "quad": " ", "qquad": " ", "top": "ᵀ", "Vert": "‖", "|": "‖", ",": " ", ";": " ", ":": " ", "!": "", " ": " ",
    "{": "{", "}": "}", "%": "%", "_": "_", "&": "&", "#": "#", "$": "$",
}  # fmt: skip
_ACCENTS = {"hat": "\u0302", "widehat": "\u0302", "bar": "\u0304", "tilde": "\u0303", "vec": "\u20d7"}
_GROUP = r"\{([^{}]*)\}"
_SIGN = re.compile(
    r"(=|\\cdot|\\times|\\leq?|\\geq?|[(\[<>,])\s*-"
)  # a sign of its own, which must not be spaced as a difference
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:e[-+]?\d+)?")


def plain(latex: str) -> str:
    """Simple LaTeX as ordinary words and signs (`\\eta g_t` is `η g_t`); never fails, at worst it keeps a command."""
    text = latex
    before = ""
    while text != before:  # from the innermost braces outwards
        before = text
        for name, mark in _ACCENTS.items():
            text = re.sub(rf"\\{name}\s*(?:{_GROUP}|([A-Za-z]))", rf"\1\2{mark}", text)
        text = re.sub(rf"\\[dt]?frac\s*{_GROUP}\s*{_GROUP}", lambda m: f"{_held(m[1])}/{_held(m[2])}", text)
        text = re.sub(rf"\\sqrt\s*{_GROUP}", lambda m: f"√{_held(m[1])}", text)
        text = re.sub(rf"\\(?:text|mathrm|mathbf|mathit|operatorname)\s*{_GROUP}", r"\1", text)
        text = re.sub(rf"([_^]){_GROUP}", r"\1\2", text)
    text = re.sub(r"\\(?:left|right|displaystyle|big|Big)(?![A-Za-z])", "", text)
    text = re.sub(r"\\([A-Za-z]+|[^A-Za-z])", lambda m: _GREEK.get(m[1], _SIGNS.get(m[1], m[1])), text)
    return re.sub(r"\s+", " ", re.sub(r"[{}]", "", text)).replace("-", "−").strip()


def _held(part: str) -> str:
    return part if re.fullmatch(r"[\w\\.]+", part) else f"({part})"


@dataclass(frozen=True)
class Setting:
    """A formula that has been set: the drawing and its size in px; no drawing where it could not be set."""

    renderer: QSvgRenderer | None
    width: float
    height: float


def typeset(latex: str, colour: str, size: float) -> Setting:
    """Set one formula now; `size` in px. What cannot be set gives a Setting without a drawing, never an error."""
    svg = _drawing(latex)
    if not svg:
        return Setting(None, 0.0, 0.0)
    renderer = QSvgRenderer(QByteArray(svg.replace(INK, colour).encode()))
    box = renderer.viewBoxF()
    if not renderer.isValid() or box.width() <= 0 or box.height() <= 0:
        return Setting(None, 0.0, 0.0)
    box.setLeft(max(box.left(), _first_ink(svg) - 0.5))
    renderer.setViewBox(box)
    return Setting(renderer, box.width() * size / SIZE, box.height() * size / SIZE)


@lru_cache(KEPT)
def _drawing(latex: str) -> str:
    """A formula as SVG, of `SIZE` and in `INK`; nothing where it cannot be set."""
    try:
        signed = _SIGN.sub(r"\1 \\mathrm{-}", latex)
        with warnings.catch_warnings():  # it still asks for its fonts in a way that Python deprecates
            warnings.simplefilter("ignore", DeprecationWarning)
            import ziamath  # here, because it takes a while and many windows show no formula

            ziamath.config.svg2 = False  # type: ignore[attr-defined]  # Qt draws only fragments of SVG 2
            return str(ziamath.Latex(signed, size=SIZE, color=INK).svg())  # type: ignore[attr-defined]
    except Exception:  # a formula of the reader's may be anything, and the parser's own errors have no common base
        return ""


def _first_ink(svg: str) -> float:
    """Where the drawing begins. Its box begins earlier under a wide hat, and lines would not stand below each other."""
    paths = [_NUMBER.findall(path)[::2] for path in re.findall(r' d="([^"]*)"', svg)]
    left = [float(x) for x in re.findall(r'<rect x="([^"]*)"', svg)]
    return min([min(map(float, path)) for path in paths if path] + left, default=-math.inf)


class Typesetter(QObject):
    """Sets formulas one in each turn of the event loop. `ready` tells that one more is to be had.

    `paused` stops it, so that a hidden page does nothing.
    """

    ready = Signal(str)

    def __init__(self, parent: QObject | None = None, kept: int = KEPT) -> None:
        super().__init__(parent)
        self._kept = kept
        self._found: OrderedDict[tuple[str, str, float], Setting] = OrderedDict()
        self._queue: deque[tuple[str, str, float]] = deque()
        self._paused = False
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(APART)
        self._timer.timeout.connect(self._next)

    def get(self, latex: str, colour: str, size: float) -> Setting | None:
        """The formula if it is set already; else None, and it will be."""
        key = (latex, colour, size)
        if key in self._found:
            self._found.move_to_end(key)
            return self._found[key]
        if key not in self._queue:
            self._queue.append(key)
            while len(self._queue) > self._kept:
                self._queue.popleft()
        self._go()
        return None

    def set_paused(self, paused: bool) -> None:
        """Rest, or go on with what waits."""
        self._paused = paused
        self._timer.stop()
        self._go()

    @property
    def waiting(self) -> int:
        """How many formulas are still to be set."""
        return len(self._queue)

    def __len__(self) -> int:
        return len(self._found)

    def _go(self) -> None:
        if self._queue and not self._paused and not self._timer.isActive():
            self._timer.start()

    @Slot()
    def _next(self) -> None:
        if not self._queue:
            return
        key = self._queue.popleft()
        self._found[key] = typeset(*key)
        if not isValid(self):  # typesetting is long enough for the collector to clear a closed window away
            return
        while len(self._found) > self._kept:
            self._found.popitem(last=False)
        self._go()
        self.ready.emit(key[0])


class MathLabel(QWidget):
    """One or more formulas below each other, at the left, each scaled down where it is wider than the widget.

    `size` is in px and is multiplied by the theme's scale; `role` names the theme's colour. Without a typesetter it
    has one of its own.
    """

    def __init__(
        self, theme: Theme, typesetter: Typesetter | None = None, *, size: float = SIZE, role: str = "text",
        gap: float = 8.0, parent: QWidget | None = None,
    ) -> None:  # fmt: skip
        super().__init__(parent)
        self._theme, self._size, self._role, self._gap = theme, size, role, gap
        self._setter = typesetter if typesetter is not None else Typesetter(self)
        self._lines: tuple[str, ...] = ()
        self._settings: list[Setting | None] = []
        self._faded = False
        policy = QSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        self._setter.ready.connect(self._fill)

    @property
    def lines(self) -> tuple[str, ...]:
        """The formulas shown."""
        return self._lines

    @property
    def complete(self) -> bool:
        """Whether every formula is drawn or known to be undrawable."""
        return all(setting is not None for setting in self._settings)

    @property
    def faded(self) -> bool:
        """Whether it is drawn as something out of date."""
        return self._faded

    def set_latex(self, lines: Sequence[str]) -> None:
        """Show these formulas, one a line."""
        if tuple(lines) == self._lines:
            return
        self._lines = tuple(lines)
        self.setAccessibleName("; ".join(plain(line) for line in self._lines))
        self.setAccessibleDescription("\n".join(self._lines))
        self._ask()

    def set_faded(self, faded: bool) -> None:
        """Draw it pale: what it says is no longer of this moment."""
        if faded != self._faded:
            self._faded = faded
            self.update()

    def apply_theme(self, theme: Theme) -> None:
        """Set anew in another theme's colour and scale."""
        if theme != self._theme:
            self._theme = theme
            self._ask()

    def _ask(self) -> None:
        self._settings = [self._setter.get(*self._key(line)) for line in self._lines]
        self.updateGeometry()
        self.update()

    def _key(self, line: str) -> tuple[str, str, float]:
        return line, str(getattr(self._theme, self._role)), self._size * self._theme.scale

    @Slot(str)
    def _fill(self, latex: str) -> None:
        changed = False
        for i, line in enumerate(self._lines):
            if line == latex and self._settings[i] is None:
                self._settings[i] = self._setter.get(*self._key(line))
                changed = changed or self._settings[i] is not None
        if changed:
            self.updateGeometry()
            self.update()

    # -- sizes -------------------------------------------------------------------------------------------------------

    def _box(self, i: int, width: float) -> QSizeF:
        """How large line i is drawn in `width` px."""
        setting = self._settings[i]
        if setting is None:  # about the height it will have, so that little moves when it comes
            return QSizeF(0.0, self._size * self._theme.scale * (2.4 if r"\frac" in self._lines[i] else 1.4))
        if setting.renderer is None:
            flags = Qt.TextFlag.TextWordWrap | Qt.TextFlag.TextWrapAnywhere
            metrics = QFontMetricsF(self.font())
            rect = metrics.boundingRect(QRectF(0, 0, max(width, 1.0), 1e4), int(flags), plain(self._lines[i]))
            return QSizeF(width, rect.height())
        share = min(1.0, width / setting.width)
        return QSizeF(setting.width * share, setting.height * share)

    def hasHeightForWidth(self) -> bool:
        """Qt's: narrower may be lower."""
        return True

    def heightForWidth(self, width: int) -> int:
        """Qt's: the height of all lines in `width` px."""
        if not self._lines:
            return 0
        gaps = self._gap * self._theme.scale * (len(self._lines) - 1)
        return math.ceil(sum(self._box(i, width).height() for i in range(len(self._lines))) + gaps)

    def sizeHint(self) -> QSize:
        """Qt's: as wide as the widest line."""
        metrics = QFontMetricsF(self.font())
        widths = [
            s.width if s.renderer is not None else metrics.horizontalAdvance(plain(line)) + 1
            for line, s in zip(self._lines, self._settings, strict=True) if s is not None
        ]  # fmt: skip
        width = math.ceil(max(widths, default=0.0))
        return QSize(width, self.heightForWidth(width) if width else self.heightForWidth(200))

    def minimumSizeHint(self) -> QSize:
        """Qt's: any width will do."""
        return QSize(0, 0)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw every line as vectors, so it is sharp at any scale."""
        with QPainter(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setOpacity(FADED if self._faded else 1.0)
            painter.setPen(QColor(str(getattr(self._theme, self._role))))
            top = 0.0
            for i, setting in enumerate(self._settings):
                box = self._box(i, self.width())
                area = QRectF(0, top, box.width(), box.height())
                if setting is not None and setting.renderer is not None:
                    setting.renderer.render(painter, area)
                elif setting is not None:
                    flags = Qt.TextFlag.TextWordWrap | Qt.TextFlag.TextWrapAnywhere
                    painter.drawText(area, int(flags), plain(self._lines[i]))
                top += box.height() + self._gap * self._theme.scale
