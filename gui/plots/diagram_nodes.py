"""How the nodes of a network diagram look: pictures of what they answer, values, words."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QBrush, QColor, QImage, QPainter, QPixmap, QTransform

from engine.picture import Diagram, Node
from gui.plots.diagram_layout import Layout
from gui.plots.diagram_wires import Ink
from gui.plots.shades import UNDEFINED
from gui.plots.ticks import number
from gui.tokens import mix

CORNER = 0.2  # of the side of a picture is round
CENTRE = Qt.AlignmentFlag.AlignCenter


def written(value: float) -> str:
    """A node's value in as few figures as tell it."""
    return number(value, 3) if abs(value) < 1000 or not np.isfinite(value) else number(value, 4)


def node_images(diagram: Diagram, layout: Layout, used: Ink) -> dict[tuple[int, int], QImage]:
    """The pictures of the nodes that are drawn. Of a plane (the diagram has an extent) the last row is on top."""
    found: dict[tuple[int, int], QImage] = {}
    groups: dict[tuple[int, ...], list[tuple[int, int]]] = {}
    for layer, nodes in enumerate(diagram.layers):
        for unit in range(len(layout.y[layer])):
            image = nodes[unit].image
            if image is not None and np.ndim(image) == 2 and np.size(image):
                groups.setdefault(np.shape(image), []).append((layer, unit))
    for (high, wide), keys in groups.items():
        values = np.array([diagram.layers[i][j].image for i, j in keys], float)
        if diagram.extent is not None:
            values = values[:, ::-1, :]
        place = np.where(np.isfinite(values), np.clip(values, -1, 1) * 127.5 + 127.99, UNDEFINED).astype(np.intp)
        colours = np.ascontiguousarray(used.table[place])
        for key, picture in zip(keys, colours, strict=True):
            found[key] = QImage(picture.data, wide, high, 4 * wide, QImage.Format.Format_RGB32).copy()
    return found


def fill_with(painter: QPainter, place: QRectF, image: QImage, corner: float, whole: bool) -> None:
    """A picture with round corners, smoothly scaled. `whole`: as a picture of its own, for formats without a clip."""
    if whole:
        detail = 4.0
        made = QImage(
            max(1, round(place.width() * detail)), max(1, round(place.height() * detail)),
            QImage.Format.Format_ARGB32_Premultiplied,
        )  # fmt: skip
        made.fill(Qt.GlobalColor.transparent)
        with QPainter(made) as inner:
            inner.setRenderHint(QPainter.RenderHint.Antialiasing)
            fill_with(inner, QRectF(made.rect()), image, corner * detail, False)
        painter.drawImage(place, made)
        return
    brush = QBrush(image)
    # From the middle of the first image point to that of the last: beyond, a brush begins anew.
    cut = 0.5 if min(image.width(), image.height()) > 1 else 0.0
    to_place = QTransform.fromTranslate(place.left(), place.top())
    to_place.scale(place.width() / (image.width() - 2 * cut), place.height() / (image.height() - 2 * cut))
    to_place.translate(-cut, -cut)
    brush.setTransform(to_place)
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(brush)
    painter.drawRoundedRect(place, corner, corner)


def node_place(layout: Layout, layer: int, unit: int, square: bool) -> QRectF:
    """The rectangle of a node; pictures are squares."""
    reach = layout.reach
    if square:  # on whole pixels: their rims are stamped
        left, top = round(layout.x[layer] - reach), round(float(layout.y[layer][unit]) - reach)
        return QRectF(left, top, round(2 * reach), round(2 * reach))
    half = layout.half[layer]
    return QRectF(layout.x[layer] - half, float(layout.y[layer][unit]) - reach, 2 * half, 2 * reach)


class Rims:
    """Rims of nodes with pictures for a screen: stamped, they also give the picture its round corners, which is far
    cheaper than to fill a round shape with it."""

    def __init__(self) -> None:
        self._key: object = None
        self._made = QPixmap()

    def stamp(self, painter: QPainter, place: QRectF, image: QImage, used: Ink, ratio: float) -> None:
        """Draw a picture in a square place, with its rim."""
        side, margin = place.width(), 2.0
        if self._key != (side, ratio, used.theme):
            self._key = side, ratio, used.theme
            points = round((side + 2 * margin) * ratio)
            self._made = QPixmap(points, points)
            self._made.setDevicePixelRatio(ratio)
            self._made.fill(Qt.GlobalColor.transparent)
            with QPainter(self._made) as inner:
                inner.setRenderHint(QPainter.RenderHint.Antialiasing)
                shape = QRectF(margin, margin, side, side)
                inner.fillRect(shape, QColor(used.theme.background))
                inner.setCompositionMode(QPainter.CompositionMode.CompositionMode_DestinationOut)
                inner.setPen(Qt.PenStyle.NoPen)
                inner.setBrush(QColor("black"))
                inner.drawRoundedRect(shape, CORNER * side, CORNER * side)
                inner.setCompositionMode(QPainter.CompositionMode.CompositionMode_SourceOver)
                inner.setBrush(Qt.BrushStyle.NoBrush)
                inner.setPen(used.rim)
                inner.drawRoundedRect(shape, CORNER * side, CORNER * side)
        cut = 0.5 if min(image.width(), image.height()) > 1 else 0.0
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.drawImage(place, image, QRectF(cut, cut, image.width() - 2 * cut, image.height() - 2 * cut))
        painter.drawPixmap(QPointF(place.left() - margin, place.top() - margin), self._made)


def draw_node(
    painter: QPainter, layout: Layout, layer: int, unit: int, node: Node, image: QImage | None, used: Ink,
    share: float, rims: Rims | None, ratio: float,
) -> None:  # fmt: skip
    """One node: its picture, or a round shape tinted by its value (`share`: against the largest one) with it inside.

    `rims`: for a screen of `ratio` device pixels a pixel.
    """
    theme, scale = used.theme, used.theme.scale
    place = node_place(layout, layer, unit, image is not None)
    corner = CORNER * place.height() if image is not None else place.height() / 2
    if node.lit:
        for grow, strength in ((5.0, 0.16), (2.8, 0.32)):
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(mix(theme.accent, theme.background, strength)))
            grown = place.adjusted(-grow * scale, -grow * scale, grow * scale, grow * scale)
            painter.drawRoundedRect(grown, corner + grow * scale, corner + grow * scale)
    if image is not None:
        if rims is not None and not node.lit:
            rims.stamp(painter, place, image, used, ratio)
            return
        fill_with(painter, place, image, corner, rims is None)
        painter.setBrush(Qt.BrushStyle.NoBrush)
    else:
        tint = used.sign(node.value) if node.value is not None else theme.raised
        painter.setBrush(QColor(mix(tint, theme.raised, min(0.34, 0.06 + 0.3 * share) if node.value else 0.0)))
    if place.height() > 4:
        painter.setPen(used.lit_rim if node.lit else used.rim)
        painter.drawRoundedRect(place, corner, corner)
    if image is not None or place.height() < 17 * scale:
        return
    if node.value is None:
        tries = [(used.small, node.label)]
    else:
        tries = [
            (used.small, written(node.value)),
            (used.small, number(node.value, 2)),
            (used.small, number(node.value, 1)),
        ]
        if place.height() >= 40 * scale:
            tries.insert(0, (used.large, written(node.value)))
    for face, words in tries:
        if words and face.width(words) <= place.width() - 8 * scale:
            painter.setFont(face.font)
            painter.setPen(QColor(theme.text))
            painter.drawText(place, CENTRE, words)
            break


def label_inside(node: Node, height: float, width: float, used: Ink) -> bool:
    """Whether the label of a node is what stands inside it."""
    scale = used.theme.scale
    fits = height >= 17 * scale and used.small.width(node.label) <= width - 10 * scale
    return node.value is None and node.image is None and fits


def draw_words_of(painter: QPainter, diagram: Diagram, layout: Layout, used: Ink) -> None:
    """Titles above, labels beside the first and the last column and below the others, '+N' under what is left out."""
    theme, unit = used.theme, used.theme.scale
    metrics = used.small.metrics
    painter.setFont(used.small.font)
    left, _, width, _ = layout.area
    elide, middle = Qt.TextElideMode.ElideRight, Qt.AlignmentFlag.AlignVCenter
    last = len(layout.x) - 1
    for layer, x in enumerate(layout.x):
        room = min(layout.pitch - 8 * unit, 2 * min(x - left, left + width - x) if last else width)
        if layer < len(diagram.titles) and diagram.titles[layer]:
            painter.setPen(QColor(theme.dim))
            room_here = max(room, min(layout.pitch - 8 * unit, 56 * unit))
            words = metrics.elidedText(diagram.titles[layer], elide, room_here)
            wide = used.small.width(words) + 2
            start = min(max(x - wide / 2, left), left + width - wide)
            painter.drawText(QRectF(start, layout.title_y - 10 * unit, wide, 20 * unit), CENTRE, words)
        reach, half = layout.reach, layout.half[layer]
        for node, y in zip(diagram.layers[layer], layout.y[layer].tolist(), strict=False):
            if not node.label or label_inside(node, 2 * reach, 2 * half, used):
                continue
            painter.setPen(QColor(theme.text if node.lit else theme.dim))
            gap, high = 7 * unit, 16 * unit
            if layer == 0 and last:
                box = QRectF(left, y - high / 2, x - half - gap - left, high)
                words = metrics.elidedText(node.label, elide, box.width())
                painter.drawText(box, middle | Qt.AlignmentFlag.AlignRight, words)
            elif layer == last and last:
                box = QRectF(x + half + gap, y - high / 2, left + width - x - half - gap, high)
                words = metrics.elidedText(node.label, elide, box.width())
                painter.drawText(box, middle | Qt.AlignmentFlag.AlignLeft, words)
            elif layout.labels:
                words = metrics.elidedText(node.label, elide, max(room, 2 * half))
                painter.drawText(QRectF(x - room / 2, y + reach + 2 * unit, room, high - 2 * unit), CENTRE, words)
        if layout.more[layer]:
            painter.setPen(QColor(theme.faint))
            foot = float(layout.y[layer][-1]) + reach if len(layout.y[layer]) else layout.area[1]
            foot += (15 * unit if layout.labels and 0 < layer < last else 0.0) + 2 * unit
            foot = min(foot, layout.area[1] + layout.area[3] - 16 * unit)
            painter.drawText(QRectF(x - 40 * unit, foot, 80 * unit, 16 * unit), CENTRE, f"+{layout.more[layer]}")
