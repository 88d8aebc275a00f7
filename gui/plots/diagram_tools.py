"""What a network diagram offers to the mouse: round buttons to edit it, and a unit's picture enlarged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QImage, QPainter

from engine.picture import Diagram
from gui.fonts import MEDIUM, SMALL, font, text_width
from gui.palette import pen
from gui.plots.diagram_layout import BUTTON, Layout
from gui.plots.diagram_nodes import fill_with
from gui.tokens import Theme, alpha, mix


@dataclass(frozen=True)
class Button:
    """A round button: `sign` on it, what it asks for (`units` or `layers`, where, by how many), its tip and place."""

    sign: str
    what: str
    at: int
    delta: int
    tip: str
    place: QRectF


def buttons(diagram: Diagram, layout: Layout, unit: float) -> list[Button]:
    """The buttons above the layers that may be edited, and between them as far as there is room."""
    made: list[Button] = []
    row, side, step = layout.controls_y, 18 * unit, BUTTON * unit
    editable = [layer for layer in diagram.editable if 0 <= layer < len(layout.x)]
    wide = layout.pitch >= 5 * step
    between = layout.pitch >= 3.2 * step
    for layer in editable:
        signs = [("−", "units", -1, "One unit fewer"), ("+", "units", 1, "One unit more")]
        signs += [("×", "layers", -1, "Take this layer away")] if wide else []
        for place, (sign, what, delta, tip) in enumerate(signs):
            x, y = layout.x[layer] + (place - (len(signs) - 1) / 2) * step, row
            if layout.stacked:
                x, y = layout.x[layer], row + (len(signs) - 1 - place) * step
            box = QRectF(x - side / 2, y - side / 2, side, side)
            made.append(Button(sign, what, layer, delta, tip, box))
    for layer in range(len(layout.x) - 1) if between else ():
        if layer in editable or layer + 1 in editable:
            x = (layout.x[layer] + layout.x[layer + 1]) / 2
            box = QRectF(x - side / 2, row - side / 2, side, side)
            made.append(Button("⊕", "layers", layer + 1, 1, "A new layer here", box))
    return made


def draw_buttons(painter: QPainter, all_of_them: Sequence[Button], under: Button | None, theme: Theme) -> None:
    """Round buttons: those for units are filled, those for layers are rings."""
    unit = theme.scale
    for button in all_of_them:
        over, middle = button == under, button.place.center()
        layers = button.what == "layers"
        painter.setBrush(QColor(theme.hover if over else theme.background if layers else theme.raised))
        edge = theme.accent if over else mix(theme.border, theme.background, 0.45 if layers else 0.7)
        painter.setPen(pen(edge, unit, (2, 2) if button.sign == "⊕" else ()))
        painter.drawEllipse(button.place.adjusted(0.5, 0.5, -0.5, -0.5))
        painter.setPen(pen(theme.text if over else theme.dim if not layers else theme.faint, 1.4 * unit))
        arm = 4 * unit if button.sign != "×" else 3 * unit
        x, y = middle.x(), middle.y()
        if button.sign == "×":
            painter.drawLine(QPointF(x - arm, y - arm), QPointF(x + arm, y + arm))
            painter.drawLine(QPointF(x - arm, y + arm), QPointF(x + arm, y - arm))
            continue
        painter.drawLine(QPointF(x - arm, y), QPointF(x + arm, y))
        if button.sign != "−":
            painter.drawLine(QPointF(x, y - arm), QPointF(x, y + arm))


def draw_card(
    painter: QPainter, whole: QRectF, at: QPointF, image: QImage, head: str, rows: Sequence[tuple[str, str]],
    theme: Theme,
) -> None:  # fmt: skip
    """The readout of a node with a picture: 96 px of it beside its rows."""
    unit = theme.scale
    side, pad, row = 96 * unit, 8 * unit, 16 * unit
    face, strong = font(SMALL * unit), font(SMALL * unit, MEDIUM)
    label = max((text_width(face, name) for name, _ in rows), default=0.0)
    value = max((text_width(face, words) for _, words in rows), default=0.0)
    words = max(text_width(strong, head), label + value + (12 * unit if value else 0.0))
    shown = rows[: max(0, int((whole.height() - 2 * pad - 4) / row) - 1)]
    width = side + words + 3 * pad if words else side + 2 * pad
    height = max(side, (len(shown) + bool(head)) * row) + 2 * pad
    left = at.x() + 16 * unit if at.x() + 16 * unit + width < whole.width() - 2 else at.x() - 16 * unit - width
    left = max(2.0, min(left, whole.width() - width - 2))
    top = max(2.0, min(at.y() - height / 2, whole.height() - height - 2))
    painter.setPen(pen(alpha(theme.border, 0.7)))
    painter.setBrush(alpha(theme.raised, 0.97))
    painter.drawRoundedRect(QRectF(left, top, width, height), 6 * unit, 6 * unit)
    fill_with(painter, QRectF(left + pad, top + pad, side, side), image, 6 * unit, False)
    x, y = left + side + 2 * pad, top + pad
    painter.setFont(strong)
    painter.setPen(QColor(theme.text))
    painter.drawText(QRectF(x, y, words + 2, row), Qt.AlignmentFlag.AlignVCenter, head)
    painter.setFont(face)
    for name, told in shown:
        y += row
        painter.setPen(QColor(theme.dim))
        painter.drawText(QRectF(x, y, label + 2, row), Qt.AlignmentFlag.AlignVCenter, name)
        painter.setPen(QColor(theme.text))
        right = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight
        painter.drawText(QRectF(x + words - value - 1, y, value + 1, row), right, told)
