"""How cards, frames, joins and wires of a network look; in px at scale 1, on a painter that is scaled already."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPainterPath

from gui.fonts import MEDIUM, SMALL, font
from gui.palette import GENERAL, color, pen
from gui.plots.architecture_layout import HEAD, RADIUS, Card, Frame, Knot, Wire
from gui.tokens import Theme, alpha, mix

KINDS: dict[str, tuple[str, int]] = {  # the reader's name, and the place in the general palette; -1: grey
    "conv": ("convolution", 0), "linear": ("dense", 1), "attention": ("attention", 3), "norm": ("norm", 5),
    "activation": ("activation", 2), "pool": ("pooling", 4), "dropout": ("dropout", 6),
}  # fmt: skip
CORNER = 4.0


@dataclass(frozen=True)
class Ink:
    """Colours and type of one theme."""

    theme: Theme

    def of(self, kind: str) -> str:
        """The colour of a kind of layer."""
        place = KINDS.get(kind, ("", -1))[1]
        return color(GENERAL[place], self.theme) if place >= 0 else self.theme.border

    def fill(self, kind: str) -> str:
        """The ground of its card."""
        share = 0.24 if self.theme.dark else 0.17
        return mix(self.of(kind), self.theme.background, share)


def draw_wire(painter: QPainter, wire: Wire, ink: Ink, done: bool) -> None:
    """A line with rounded corners, perhaps an arrow, and the shape beside its start."""
    theme = ink.theme
    colour = mix(theme.text, theme.background, 0.55) if done else mix(theme.text, theme.background, 0.28)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(pen(colour, 1.3))
    painter.drawPath(_rounded(wire.points))
    if wire.arrow:
        (x0, y0), (x1, y1) = wire.points[-2:]
        _head(painter, QPointF(x1, y1), QPointF(_sign(x1 - x0), _sign(y1 - y0)), colour)
    if wire.words:
        (_, y0), (x, y1) = wire.points[-2:]
        painter.setFont(font(SMALL))
        painter.setPen(QColor(theme.dim))
        base = (y0 + y1) / 2 + QFontMetricsF(painter.font()).capHeight() / 2
        painter.drawText(QPointF(x + 7, base), wire.words)


def _sign(value: float) -> float:
    return (value > 1e-9) - (value < -1e-9)


def _rounded(points: Sequence[tuple[float, float]]) -> QPainterPath:
    path = QPainterPath(QPointF(*points[0]))
    for before, here, after in zip(points, points[1:], points[2:], strict=False):
        legs = [abs(here[0] - other[0]) + abs(here[1] - other[1]) for other in (before, after)]
        reach = min(6.0, legs[0] / 2, legs[1] / 2)
        a, b = _toward(here, before, reach), _toward(here, after, reach)
        path.lineTo(a)
        path.quadTo(QPointF(*here), b)
    path.lineTo(QPointF(*points[-1]))
    return path


def _toward(here: tuple[float, float], there: tuple[float, float], reach: float) -> QPointF:
    return QPointF(here[0] + reach * _sign(there[0] - here[0]), here[1] + reach * _sign(there[1] - here[1]))


def _head(painter: QPainter, tip: QPointF, way: QPointF, colour: str) -> None:
    across, back = QPointF(-way.y(), way.x()) * 3.0, tip - way * 5.0
    path = QPainterPath(tip)
    path.lineTo(back + across)
    path.lineTo(back - across)
    path.closeSubpath()
    painter.fillPath(path, QColor(colour))


def draw_frame(painter: QPainter, frame: Frame, ink: Ink, lit: bool, over: bool, bare: bool) -> None:
    """An open block: its ground, its name, and the sign that folds it."""
    theme, box = ink.theme, QRectF(frame.x, frame.y, frame.width, frame.height)
    painter.setPen(pen(theme.accent if over else mix(theme.border, theme.background, 0.7), 1.0))
    painter.setBrush(alpha(theme.raised, 0.55 if theme.dark else 0.6))
    painter.drawRoundedRect(box, 7, 7)
    base = frame.y + HEAD / 2 + 1.5 + QFontMetricsF(font(SMALL)).capHeight() / 2
    _fold_sign(painter, frame.x + 11, frame.y + HEAD / 2 + 1.5, theme.text if over else theme.dim, False)
    words = f"{frame.piece.times} × {frame.piece.words}" if frame.piece.times > 1 else frame.piece.words
    painter.setFont(font(SMALL, MEDIUM))
    painter.setPen(QColor(theme.text if lit or over else theme.dim))
    painter.drawText(QPointF(frame.x + 19, base), words)
    if frame.piece.small and not bare:
        used = font(SMALL)
        painter.setFont(used)
        painter.setPen(QColor(theme.dim))
        wide = QFontMetricsF(used).horizontalAdvance(frame.piece.small)
        painter.drawText(QPointF(frame.x + frame.width - 8 - wide, base), frame.piece.small)


def _fold_sign(painter: QPainter, x: float, y: float, colour: str, folded: bool) -> None:
    """A small triangle: it points right where something is folded."""
    path = QPainterPath(QPointF(x - 2, y - 3.5) if folded else QPointF(x - 3.5, y - 2))
    path.lineTo(QPointF(x + 3, y) if folded else QPointF(x, y + 3))
    path.lineTo(QPointF(x - 2, y + 3.5) if folded else QPointF(x + 3.5, y - 2))
    path.closeSubpath()
    painter.fillPath(path, QColor(colour))


def draw_card(painter: QPainter, card: Card, ink: Ink, now: int, over: bool, bare: bool) -> None:
    """A layer or a folded block; a ring around the one in hand."""
    theme, piece = ink.theme, card.piece
    here = piece.first <= now < piece.last
    box = QRectF(card.x, card.y, card.width, card.height)
    if piece.kind in ("input", "output"):
        painter.setPen(pen(theme.border))
        painter.setBrush(QColor(theme.background))
        painter.drawRoundedRect(box, card.height / 2, card.height / 2)
        _words(painter, box, piece.words, "", theme.text, theme)
        return
    if piece.kind in ("block", "cards"):
        _folded(painter, box, card, ink, now, over)
    else:
        edge = theme.bad if piece.failed else mix(ink.of(piece.kind), theme.background, 0.75 if not over else 1.0)
        fill = mix(theme.bad, theme.background, 0.25) if piece.failed else ink.fill(piece.kind)
        painter.setPen(pen(edge, 2.0 if piece.failed else 1.0))
        painter.setBrush(QColor(fill))
        painter.drawRoundedRect(box.adjusted(0, 0.5 if card.close else 0, 0, 0), CORNER, CORNER)
    left = 19.0 if piece.ways else 8.0
    words = f"{piece.words}  {piece.times} ×" if piece.times > 1 else piece.words
    inner = box.adjusted(left, 0, -8, -5 if piece.ways else 0)
    _words(painter, inner, words, "" if bare else piece.small, theme.text, theme, middle=not piece.ways and bare)
    if here or over:
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(pen(theme.accent if here else theme.text, 2.2 if here else 1.2))
        painter.drawRoundedRect(box.adjusted(-1.5, -1.5, 1.5, 1.5), CORNER + 1.5, CORNER + 1.5)


def _folded(painter: QPainter, box: QRectF, card: Card, ink: Ink, now: int, over: bool) -> None:
    """A folded block: cards behind it where it stands several times, and at its foot a stripe for each layer."""
    theme, piece = ink.theme, card.piece
    painter.setPen(pen(theme.text if over else mix(theme.border, theme.background, 0.8)))
    for behind in range(min(piece.times - 1, 2), 0, -1):
        painter.setBrush(QColor(mix(theme.raised, theme.background, 0.7)))
        painter.drawRoundedRect(box.translated(3 * behind, 3 * behind), CORNER, CORNER)
    painter.setBrush(QColor(theme.raised))
    painter.drawRoundedRect(box, CORNER, CORNER)
    _fold_sign(painter, box.left() + 11, box.center().y() - 2.5, theme.dim, True)
    stripes = [kind for kind in piece.stripes if kind in KINDS]
    if not stripes:
        return
    strip = QRectF(box.left() + 6, box.bottom() - 6.5, box.width() - 12, 3.0)
    each = strip.width() / len(stripes)
    painter.setPen(Qt.PenStyle.NoPen)
    for i, kind in enumerate(stripes):
        gap = 0.8 if each > 3 else 0.0
        painter.fillRect(QRectF(strip.left() + i * each, strip.top(), max(each - gap, 0.6), strip.height()),
                         QColor(ink.of(kind)))  # fmt: skip
    if piece.first <= now < piece.last:  # how far within
        far = strip.left() + strip.width() * (now + 1 - piece.first) / (piece.last - piece.first)
        painter.fillRect(QRectF(far - 1, strip.top() - 2.5, 2, 6.5), QColor(theme.accent))


def _words(
    painter: QPainter, box: QRectF, words: str, small: str, colour: str, theme: Theme, *, middle: bool = True
) -> None:
    used = font(SMALL)
    metrics = QFontMetricsF(used)
    base = box.center().y() + metrics.capHeight() / 2
    painter.setFont(used)
    room = box.width()
    if small:
        wide = metrics.horizontalAdvance(small)
        painter.setPen(QColor(theme.dim))
        painter.drawText(QPointF(box.right() - wide, base), small)
        room -= wide + 6
    words = metrics.elidedText(words, Qt.TextElideMode.ElideRight, room + 1)
    painter.setPen(QColor(colour))
    shift = (room - metrics.horizontalAdvance(words)) / 2 if middle and not small else 0.0
    painter.drawText(QPointF(box.left() + max(0.0, shift), base), words)


def draw_knot(painter: QPainter, knot: Knot, ink: Ink, now: int, over: bool) -> None:
    """A circle with the sign of what happens in it."""
    theme, middle = ink.theme, QPointF(knot.x, knot.y)
    here = knot.piece.last - 1 == now
    failed = knot.piece.failed
    edge = theme.bad if failed else theme.accent if here else theme.text if over else theme.border
    painter.setPen(pen(edge, 2.2 if here or failed else 1.3))
    painter.setBrush(QColor(mix(theme.bad, theme.background, 0.25) if failed else theme.background))
    painter.drawEllipse(middle, RADIUS, RADIUS)
    painter.setPen(pen(theme.bad if failed else theme.text, 1.4))
    arm = 4.0
    lines: dict[str, tuple[tuple[float, float, float, float], ...]] = {
        "add": ((-arm, 0, arm, 0), (0, -arm, 0, arm)),
        "multiply": ((-3, -3, 3, 3), (-3, 3, 3, -3)),
        "concat": ((-3, -arm, -3, arm), (0, -arm, 0, arm), (3, -arm, 3, arm)),
    }
    for x0, y0, x1, y1 in lines[knot.piece.kind]:
        painter.drawLine(middle + QPointF(x0, y0), middle + QPointF(x1, y1))


def draw_reason(painter: QPainter, area: QRectF, at: QPointF, words: str, theme: Theme) -> None:
    """A note beside `at` (px of the sheet) that says why a piece cannot be, kept inside `area`."""
    unit = theme.scale
    used = font(SMALL * unit, MEDIUM)
    metrics = QFontMetricsF(used)
    flags = int(Qt.TextFlag.TextWordWrap.value | Qt.AlignmentFlag.AlignLeft.value)
    room = min(260 * unit, area.width() - 20 * unit)
    text = metrics.boundingRect(QRectF(0, 0, room, 1e4), flags, words)
    wide, high = text.width() + 16 * unit, text.height() + 10 * unit
    left = min(max(at.x() + 12 * unit, area.left()), area.right() - wide)
    top = min(max(at.y() + 12 * unit, area.top()), area.bottom() - high)
    box = QRectF(left, top, wide, high)
    painter.setPen(pen(theme.bad, 1.2 * unit))
    painter.setBrush(QColor(mix(theme.bad, theme.background, 0.16)))
    painter.drawRoundedRect(box, 5 * unit, 5 * unit)
    painter.setFont(used)
    painter.setPen(QColor(theme.text))
    painter.drawText(box.adjusted(8 * unit, 5 * unit, -6 * unit, -5 * unit), flags, words)
