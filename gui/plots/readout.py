"""The small box that tells values under the mouse. It never reaches beyond its plot, however small that is."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter

from gui.fonts import MEDIUM, SMALL, font, text_width
from gui.palette import pen
from gui.plots.geometry import Frame
from gui.tokens import Theme, alpha

EDGE = 2.0  # px between box and plot
DOT, SPACE = 12.0, 12.0  # px at scale 1: a colour's dot, and what parts a name from its value
SHORTEST = 26.0  # px at scale 1 of a name: where there is less room the colours stand for them
LOOSE, TIGHT = (16.0, 8.0, 16.0), (13.0, 4.0, 8.0)  # px at scale 1: height of a row, padding, gap between columns


@dataclass(frozen=True)
class Row:
    """One line of a readout; without a colour it has no dot."""

    label: str
    value: str = ""
    colour: str = ""


@dataclass(frozen=True)
class Box:
    """A readout laid out, in px: `columns` of `per` rows each; of a cell `dot`, `label` and `value` are the widths of
    its parts."""

    head: str
    rows: tuple[Row, ...]
    width: float
    height: float
    pad: float
    row: float
    gap: float
    per: int
    dot: float
    label: float
    value: float
    cell: float


def lay_out(width: float, height: float, head: str, rows: Sequence[Row], unit: float) -> Box | None:
    """The box for a plot of this size: as it should be; else in lower rows, with short names or only the colours, and
    then with fewer rows. None where there is no room for anything."""
    boxes = [box for style in (LOOSE, TIGHT) if (box := _box(width, height, head, rows, style, unit)) is not None]
    if boxes:
        return max(boxes, key=lambda box: box.label * box.row)  # low rows only where they say much more
    for count in range(len(rows) - 1, 0, -1):
        box = _box(width, height, head, (*rows[:count], Row(f"+{len(rows) - count} more")), TIGHT, unit)
        if box is not None:
            return box
    return _box(width, height, head, rows[:1], TIGHT, unit) or _box(width, height, head, (), TIGHT, unit)


def _box(
    width: float, height: float, head: str, rows: Sequence[Row], style: tuple[float, float, float], unit: float
) -> Box | None:
    """The box in rows and gaps of this style, or None if it cannot fit."""
    row, pad, gap = (part * unit for part in style)
    words, strong = font(SMALL * unit), font(SMALL * unit, MEDIUM)
    top = row if head else 0.0
    edges = 2 * pad - 4 * unit  # above and below
    room = width - 2 * EDGE - 2 * pad
    free = math.floor((height - 2 * EDGE - edges - top) / row)
    if room < SHORTEST * unit or free < (1 if rows else 0) or not (head or rows):
        return None
    columns = max(1, math.ceil(len(rows) / max(free, 1)))
    per = math.ceil(len(rows) / columns)
    dot = DOT * unit if any(r.colour for r in rows) else 0.0
    value = max((text_width(words, r.value) for r in rows), default=0.0)
    space = SPACE * unit if value else 0.0
    label = max((text_width(words, r.label) for r in rows), default=0.0)
    most = (room - (columns - 1) * gap) / columns - dot - space - value
    bare = any(not r.value for r in rows)  # such a row is nothing but its name
    if label > most >= SHORTEST * unit:
        label = most
    elif label > most:
        gap = min(gap, 8 * unit)
        label = space = 0.0
        most = (room - (columns - 1) * gap) / columns - dot
        if value > most or (bare and most < SHORTEST * unit):
            return None
        value = max(value, SHORTEST * unit) if bare else value
    cell = dot + label + space + value
    inner = min(room, max(columns * cell + (columns - 1) * gap if rows else 0.0, text_width(strong, head)))
    return Box(
        _cut(head, strong, inner), tuple(rows), inner + 2 * pad, edges + top + per * row, pad, row, gap, per,
        dot, label, value, cell,
    )  # fmt: skip


def _cut(words: str, used: QFont, room: float) -> str:
    return QFontMetricsF(used).elidedText(words, Qt.TextElideMode.ElideRight, room + 0.5)


def draw_readout(painter: QPainter, frame: Frame, at: QPointF, head: str, rows: Sequence[Row], theme: Theme) -> None:
    """A box beside `at` (plot pixels) with a head line and rows, inside the plot."""
    unit = theme.scale
    box = lay_out(frame.width, frame.height, head, rows, unit)
    if box is None:
        return
    left = at.x() + 14 * unit
    if left + box.width > frame.width - EDGE:
        left = at.x() - 14 * unit - box.width
    left = max(EDGE, min(left, frame.width - box.width - EDGE))
    top = max(EDGE, min(at.y() - box.height / 2, frame.height - box.height - EDGE))
    painter.setPen(pen(alpha(theme.border, 0.7)))
    painter.setBrush(alpha(theme.raised, 0.95))
    painter.drawRoundedRect(QRectF(left, top, box.width, box.height), 6 * unit, 6 * unit)
    left, y = left + box.pad, top + box.pad - 2 * unit
    middle = Qt.AlignmentFlag.AlignVCenter
    if box.head:
        painter.setFont(font(SMALL * unit, MEDIUM))
        painter.setPen(QColor(theme.text))
        painter.drawText(QRectF(left, y, box.width, box.row), middle | Qt.AlignmentFlag.AlignLeft, box.head)
        y += box.row
    words = font(SMALL * unit)
    painter.setFont(words)
    for index, entry in enumerate(box.rows):
        column, place = divmod(index, box.per)
        _draw_row(painter, QPointF(left + column * (box.cell + box.gap), y + place * box.row), entry, box, words, theme)


def _draw_row(painter: QPainter, at: QPointF, entry: Row, box: Box, words: QFont, theme: Theme) -> None:
    unit, middle = theme.scale, Qt.AlignmentFlag.AlignVCenter
    if entry.colour:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(entry.colour))
        painter.drawEllipse(QPointF(at.x() + 4 * unit, at.y() + box.row / 2), 3.5 * unit, 3.5 * unit)
    room = box.label if entry.value else box.cell - box.dot
    if room:
        painter.setPen(QColor(theme.dim))
        name = QRectF(at.x() + box.dot, at.y(), room + 1, box.row)
        painter.drawText(name, middle | Qt.AlignmentFlag.AlignLeft, _cut(entry.label, words, room))
    painter.setPen(QColor(theme.text))
    value = QRectF(at.x() + box.cell - box.value - 1, at.y(), box.value + 1, box.row)
    painter.drawText(value, middle | Qt.AlignmentFlag.AlignRight, entry.value)
