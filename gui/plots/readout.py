"""The small box that tells values under the mouse."""

from __future__ import annotations

import math
from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter

from gui.fonts import MEDIUM, SMALL, font, text_width
from gui.palette import pen
from gui.plots.geometry import Frame
from gui.tokens import Theme, alpha


@dataclass(frozen=True)
class Row:
    """One line of a readout; without a colour it has no dot."""

    label: str
    value: str = ""
    colour: str = ""


def draw_readout(painter: QPainter, frame: Frame, at: QPointF, head: str, rows: list[Row], theme: Theme) -> None:
    """A box beside `at` (plot pixels) with a head line and rows, kept inside the plot, in columns if it is low."""
    unit = theme.scale
    words, strong = font(SMALL * unit), font(SMALL * unit, MEDIUM)
    row, pad, gap = 16 * unit, 8 * unit, 16 * unit
    head_height = row if head else 0.0
    free = max(1, int((frame.height - 2 * pad - head_height - 8 * unit) / row))
    columns = max(1, math.ceil(len(rows) / free))
    per = math.ceil(len(rows) / columns) if rows else 0
    # Where there is no room for the names, the colours stand for them.
    named = (
        columns == 1
        or columns * (40 * unit + max(text_width(words, r.label) + text_width(words, r.value) for r in rows))
        < frame.width - 4
    )
    gap = gap if named else 8 * unit
    dot = 12 * unit if any(r.colour for r in rows) else 0.0
    label = max((text_width(words, r.label) for r in rows), default=0.0) if named else 0.0
    value = max((text_width(words, r.value) for r in rows), default=0.0)
    cell = dot + label + ((12 * unit if named else 0.0) + value if value else 0.0)
    inner = max(columns * cell + (columns - 1) * gap if rows else 0.0, text_width(strong, head))
    width, height = inner + 2 * pad, head_height + per * row + 2 * pad - 4 * unit
    left = at.x() + 14 * unit
    if left + width > frame.width - 2:
        left = at.x() - 14 * unit - width
    left = max(2.0, min(left, frame.width - width - 2))
    top = max(2.0, min(at.y() - height / 2, frame.height - height - 2))
    painter.setPen(pen(alpha(theme.border, 0.7)))
    painter.setBrush(alpha(theme.raised, 0.95))
    painter.drawRoundedRect(QRectF(left, top, width, height), 6 * unit, 6 * unit)
    y = top + pad - 2 * unit
    middle = Qt.AlignmentFlag.AlignVCenter
    if head:
        painter.setFont(strong)
        painter.setPen(QColor(theme.text))
        painter.drawText(QRectF(left + pad, y, inner, row), middle | Qt.AlignmentFlag.AlignLeft, head)
    painter.setFont(words)
    for index, entry in enumerate(rows):
        x = left + pad + (index // per) * (cell + gap)
        line = y + head_height + (index % per) * row
        if entry.colour:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(entry.colour))
            painter.drawEllipse(QPointF(x + 4 * unit, line + row / 2), 3.5 * unit, 3.5 * unit)
        if named:
            painter.setPen(QColor(theme.dim))
            painter.drawText(QRectF(x + dot, line, label + 1, row), middle | Qt.AlignmentFlag.AlignLeft, entry.label)
        painter.setPen(QColor(theme.text))
        box = QRectF(x + cell - value - 1, line, value + 1, row)
        painter.drawText(box, middle | Qt.AlignmentFlag.AlignRight, entry.value)
