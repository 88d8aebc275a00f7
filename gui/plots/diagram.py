"""A network drawn layer by layer: what its units answer, how strong its weights are, and buttons to edit it."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt, Signal, Slot
from PySide6.QtGui import QColor, QImage, QKeyEvent, QMouseEvent, QPainter, QPixmap
from PySide6.QtWidgets import QWidget

from engine.picture import Diagram, Node
from gui.fonts import MEDIUM, SMALL, font, text_width
from gui.palette import pen
from gui.plots.board import Board
from gui.plots.diagram_layout import Layout, Needs, Wires, lay_out, lay_wires, place_plates
from gui.plots.diagram_nodes import (
    CORNER,
    Rims,
    draw_node,
    draw_words_of,
    label_inside,
    node_images,
    node_place,
    written,
)
from gui.plots.diagram_tools import Button, buttons, draw_buttons, draw_card
from gui.plots.diagram_wires import Ink, draw_plate, draw_rows, draw_wires, ink
from gui.plots.labels import Box
from gui.plots.readout import Row
from gui.plots.ticks import number
from gui.tokens import DARK, Theme

REACH = 6.0  # px around an edge within which the mouse finds it
BEND = 10, 25  # points of an edge on a screen, and where there are few of them or in a picture
FEW = 40
MOST_PLATES = 80  # words on edges at most; of more only the lit ones are written


class DiagramPlot(Board):
    """Shows an engine.picture.Diagram.

    `nodePicked(layer, unit)`: a node was clicked. Where layers are editable: `unitsAsked(layer, delta)` and
    `layersAsked(at, delta)`; with delta 1 a new layer is to be the layer `at`, with -1 layer `at` is to go. Keys:
    arrows go from node to node, Return picks it, + and - ask for units, Insert and Delete for layers.
    """

    unitsAsked = Signal(int, int)
    layersAsked = Signal(int, int)
    nodePicked = Signal(int, int)
    picture: Diagram | None

    def __init__(self, title: str = "", theme: Theme = DARK, parent: QWidget | None = None, *, empty: str = "") -> None:
        super().__init__(title, theme, parent, empty=empty)
        self._ink: Ink = ink(theme)
        self._layout: tuple[object, Layout] | None = None
        self._wires: tuple[object, Wires] | None = None
        self._images: tuple[object, dict[tuple[int, int], QImage]] | None = None
        self._plates: tuple[object, list[Box | None]] | None = None
        self._sheet: tuple[tuple[object, ...], QPixmap] | None = None
        self._strip: tuple[Layout, float, QPixmap] | None = None
        self._rims = Rims()
        self._chosen: tuple[int, int] | None = None
        self.more_layers = self.header.add_switch("+ layer", "Add a hidden layer before the last layer (Insert)")
        self.less_layers = self.header.add_switch("− layer", "Take the last hidden layer away (Delete)")
        for switch in (self.more_layers, self.less_layers):
            switch.setCheckable(False)
            switch.hide()
        self.more_layers.clicked.connect(self._one_more)
        self.less_layers.clicked.connect(self._one_less)

    # -- data --------------------------------------------------------------------------------------------------------

    def show_picture(self, picture: Diagram | None) -> None:
        """Draw this one from now on; None: nothing yet."""
        editable = picture is not None and bool(picture.editable) and not self.for_picture
        if self.more_layers.isHidden() == editable:
            self.more_layers.setVisible(editable)
            self.less_layers.setVisible(editable)
        keys = Qt.FocusPolicy.TabFocus if picture is not None and not self.for_picture else Qt.FocusPolicy.NoFocus
        if self.ground.focusPolicy() != keys:
            self.ground.setFocusPolicy(keys)
            self.ground.setProperty("ownKeys", True)
        super().show_picture(picture)

    def layout_in(self, area: QRectF) -> Layout:
        """Where everything stands in this area."""
        picture, unit = self._shown(), self.theme.scale
        labels = tuple(tuple(node.label for node in layer) for layer in picture.layers)
        letters = tuple(
            max(
                (len(written(node.value)) for node in layer if node.value is not None and node.image is None), default=0
            )
            for layer in picture.layers
        )
        key = area.getRect(), unit, labels, letters, picture.more, picture.editable, any(picture.titles)
        if self._layout is None or self._layout[0] != key:
            rect = area.left(), area.top(), area.width(), area.height()
            self._layout = key, lay_out(picture, rect, unit, self._needs(picture, letters, area.width()))
        return self._layout[1]

    def _needs(self, picture: Diagram, letters: tuple[int, ...], width: float) -> Needs:
        unit = self.theme.scale
        face = font(SMALL * unit)
        digit = text_width(face, "0")

        def beside(layer: tuple[Node, ...]) -> float:
            words = [
                text_width(face, n.label) for n in layer if n.label and not label_inside(n, 99, 28 * unit, self._ink)
            ]
            return min(max(words, default=-7 * unit) + 7 * unit, 0.2 * width) + 6 * unit

        many = len(picture.layers) > 1
        inner = picture.layers[1:-1] if many else picture.layers
        return Needs(
            beside(picture.layers[0]) if many else 0.0,
            beside(picture.layers[-1]) if many else 0.0,
            tuple(n * digit + 12 * unit if n else 0.0 for n in letters),
            any(node.label and not label_inside(node, 99, 28 * unit, self._ink) for layer in inner for node in layer),
            any(picture.titles),
            bool(picture.editable) and not self.for_picture,
        )

    def _shown(self) -> Diagram:
        assert self.picture is not None
        return self.picture

    def wires_in(self, area: QRectF) -> Wires:
        """The edges that are drawn in this area."""
        layout = self.layout_in(area)
        if self._wires is None or self._wires[0] != (id(self.picture), id(layout)):
            few = self.for_picture or len(self._shown().edges) <= FEW
            wires = lay_wires(self._shown(), layout, BEND[1] if few else BEND[0])
            self._wires = (id(self.picture), id(layout)), wires
        return self._wires[1]

    def apply_theme(self, theme: Theme) -> None:
        """Take over colours and scale."""
        self._ink, self._layout, self._wires, self._images, self._sheet = ink(theme), None, None, None, None
        self._plates = None
        super().apply_theme(theme)

    # -- painting ----------------------------------------------------------------------------------------------------

    def paint(self, painter: QPainter, area: QRectF) -> None:
        """Draw the network; on a screen it is kept as a picture until it changes, and what is hovered drawn on it."""
        if not self._shown().layers:
            return
        if self.for_picture:
            self._draw(painter, area)
            return
        place, ratio = area.toAlignedRect(), self.devicePixelRatioF()
        key = self.picture, area.getRect(), ratio, self.theme
        if self._sheet is None or self._sheet[0][0] is not self.picture or self._sheet[0][1:] != key[1:]:
            kept = self._sheet[1] if self._sheet is not None else QPixmap()
            wanted = place.size() * ratio
            if kept.size() != wanted or kept.devicePixelRatio() != ratio:
                kept = QPixmap(wanted)
                kept.setDevicePixelRatio(ratio)
            kept.fill(QColor(self.theme.background))
            with QPainter(kept) as inner:
                inner.setRenderHint(QPainter.RenderHint.Antialiasing)
                inner.translate(-place.topLeft())
                self._draw(inner, area)
            self._sheet = key, kept
        painter.drawPixmap(place.topLeft(), self._sheet[1])
        self._draw_hovered(painter, area)

    def _draw(self, painter: QPainter, area: QRectF) -> None:
        picture, layout, used = self._shown(), self.layout_in(area), self._ink
        wires = self.wires_in(area)
        draw_wires(painter, wires, used, self.for_picture)
        images, rims = self._pictures(layout), None if self.for_picture else self._rims
        values = [
            abs(n.value) for nodes in picture.layers for n in nodes if n.value is not None and np.isfinite(n.value)
        ]
        top = max(values, default=0.0) or 1.0
        for layer, nodes in enumerate(picture.layers):
            for unit in range(len(layout.y[layer])):
                node = nodes[unit]
                share = abs(node.value) / top if node.value is not None and np.isfinite(node.value) else 0.0
                image = images.get((layer, unit))
                draw_node(painter, layout, layer, unit, node, image, used, share, rims, self.devicePixelRatioF())
        self._draw_plates(painter, layout, wires)
        draw_words_of(painter, picture, layout, used)

    def _pictures(self, layout: Layout) -> dict[tuple[int, int], QImage]:
        if self._images is None or self._images[0] is not self.picture:
            self._images = self.picture, node_images(self._shown(), layout, self._ink)
        return self._images[1]

    def _draw_plates(self, painter: QPainter, layout: Layout, wires: Wires) -> None:
        edges = self._shown().edges
        rows = [row for row, index in enumerate(wires.index.tolist()) if edges[index].label]
        if len(rows) > MOST_PLATES:
            rows = [row for row in rows if wires.lit[row]][-MOST_PLATES:]
        if not rows:
            return
        rows.sort(key=lambda row: (not wires.lit[row], int(wires.index[row])))  # the lit ones get the better places
        unit = self.theme.scale
        face = font(SMALL * unit, MEDIUM)
        words = [edges[int(wires.index[row])].label for row in rows]
        sizes = [(text_width(face, text) + 8 * unit, 16 * unit) for text in words]
        key = (id(layout), tuple(int(wires.index[row]) for row in rows), tuple(sizes))
        if self._plates is None or self._plates[0] != key:
            solid = [
                Box(place.left(), place.top(), place.width(), place.height())
                for layer in range(len(layout.x))
                for place in (node_place(layout, layer, k, False) for k in range(len(layout.y[layer])))
            ]
            self._plates = key, place_plates(wires, rows, sizes, solid)
        for row, text, box in reversed(list(zip(rows, words, self._plates[1], strict=True))):
            if box is not None:
                draw_plate(painter, box, text, self._ink, float(wires.weight[row]), bool(wires.lit[row]))

    def _draw_hovered(self, painter: QPainter, area: QRectF) -> None:
        layout, theme, unit = self.layout_in(area), self.theme, self.theme.scale
        self._draw_buttons(painter, layout, self._button(area))
        node, edge = self._under(area)
        if node is not None:
            place = node_place(layout, *node, self._shown().layers[node[0]][node[1]].image is not None)
            corner = place.height() * (CORNER if self._shown().layers[node[0]][node[1]].image is not None else 0.5)
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(pen(theme.text, 2 * unit))
            painter.drawRoundedRect(place, corner, corner)
        elif edge is not None:
            wires = self.wires_in(area)
            rows = np.flatnonzero(wires.index == edge)
            draw_rows(painter, wires, rows, theme.text, 2 * unit, False)
        if self.ground.hasFocus():
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(pen(theme.accent))
            painter.drawRect(area.adjusted(0.5, 0.5, -0.5, -0.5))

    def _draw_buttons(self, painter: QPainter, layout: Layout, under: Button | None) -> None:
        """The strip of buttons, kept as a picture while the mouse is on none of them."""
        found = buttons(self._shown(), layout, self.theme.scale)
        if under is not None or not found:
            draw_buttons(painter, found, under, self.theme)
            return
        ratio = self.devicePixelRatioF()
        top, foot = min(b.place.top() for b in found), max(b.place.bottom() for b in found)
        place = QRectF(layout.area[0], top, layout.area[2], foot - top)
        whole = place.adjusted(-2, -2, 2, 2).toAlignedRect()
        if self._strip is None or self._strip[0] is not layout or self._strip[1] != ratio:
            made = QPixmap(whole.size() * ratio)
            made.setDevicePixelRatio(ratio)
            made.fill(QColor(self.theme.background))
            with QPainter(made) as inner:
                inner.setRenderHint(QPainter.RenderHint.Antialiasing)
                inner.translate(-whole.topLeft())
                draw_buttons(inner, found, None, self.theme)
            self._strip = layout, ratio, made
        painter.drawPixmap(whole.topLeft(), self._strip[2])

    def paint_all(self, painter: QPainter, whole: QRectF) -> None:
        """Ground, picture, note and readout; a unit with a picture shows it large."""
        super().paint_all(painter, whole)
        if self.picture is None or self.for_picture or self.mouse is None:
            return
        area = self.area(whole)
        node, _ = self._under(area)
        image = self._pictures(self.layout_in(area)).get(node) if node is not None else None
        if node is not None and image is not None:
            head, rows = self._words_of_node(*node)
            draw_card(painter, whole, self.mouse, image, head, [(row.label, row.value) for row in rows], self.theme)

    # -- readout -----------------------------------------------------------------------------------------------------

    def _under(self, area: QRectF) -> tuple[tuple[int, int] | None, int | None]:
        """The node under the mouse, or the edge next to it."""
        if self.mouse is None or self.picture is None or not self.picture.layers or self._button(area) is not None:
            return None, None
        node = self.layout_in(area).node_at(self.mouse.x(), self.mouse.y())
        if node is not None:
            return node, None
        return None, self.wires_in(area).near(self.mouse.x(), self.mouse.y(), REACH * self.theme.scale)

    def _name(self, layer: int, unit: int) -> str:
        picture = self._shown()
        label = picture.layers[layer][unit].label
        if label:
            return label
        title = picture.titles[layer] if layer < len(picture.titles) else f"layer {layer}"
        return f"{title}, unit {unit + 1}"

    def _words_of_node(self, layer: int, unit: int) -> tuple[str, list[Row]]:
        node = self._shown().layers[layer][unit]
        rows = [Row("value", number(node.value))] if node.value is not None else []
        return self._name(layer, unit), rows + [Row(*pair) for pair in node.told]

    def told(self, at: QPointF, area: QRectF) -> tuple[str, list[Row]] | None:
        """What is known of the node or the edge here; a node with a picture is told beside it."""
        node, edge = self._under(area)
        if node is not None:
            return None if node in self._pictures(self.layout_in(area)) else self._words_of_node(*node)
        if edge is None:
            return None
        found = self._shown().edges[edge]
        rows = [Row("weight", number(found.weight), self._ink.sign(found.weight))]
        return f"{self._name(*found.tail)} → {self._name(*found.head)}", rows + [Row(*pair) for pair in found.told]

    # -- mouse and keys ----------------------------------------------------------------------------------------------

    def _button(self, area: QRectF) -> Button | None:
        if self.mouse is None or self.picture is None or not self.picture.editable or not self.picture.layers:
            return None
        found = buttons(self.picture, self.layout_in(area), self.theme.scale)
        return next((b for b in found if b.place.contains(self.mouse)), None)

    @Slot(object)
    def _moved(self, at: QPointF) -> None:
        super()._moved(at)
        if self.picture is None:
            return
        area = self.area(QRectF(self.ground.rect()))
        button = self._button(area)
        if button is not None:
            self.ground.setToolTip(button.tip)
        hand = button is not None or self._under(area)[0] is not None
        self.ground.setCursor(Qt.CursorShape.PointingHandCursor if hand else Qt.CursorShape.ArrowCursor)

    def pressed(self, at: QPointF, area: QRectF, event: QMouseEvent) -> None:
        """A click on a button or on a node."""
        if event.button() != Qt.MouseButton.LeftButton or not self._shown().layers:
            return
        self.mouse = at
        button = self._button(area)
        if button is not None:
            (self.unitsAsked if button.what == "units" else self.layersAsked).emit(button.at, button.delta)
            return
        node = self.layout_in(area).node_at(at.x(), at.y())
        if node is not None:
            self.nodePicked.emit(*node)

    @Slot()
    def _one_more(self) -> None:
        if self.picture is not None and self.picture.editable:
            self.layersAsked.emit(max(self.picture.editable) + 1, 1)

    @Slot()
    def _one_less(self) -> None:
        if self.picture is not None and self.picture.editable:
            self.layersAsked.emit(max(self.picture.editable), -1)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Arrows go from node to node as the mouse would; the others act on the node or layer they have reached."""
        if self.picture is None or not self.picture.layers or not self.ground.hasFocus():
            super().keyPressEvent(event)
            return
        arrows = {
            Qt.Key.Key_Left: (-1, 0), Qt.Key.Key_Right: (1, 0), Qt.Key.Key_Up: (0, -1), Qt.Key.Key_Down: (0, 1),
        }  # fmt: skip
        key = Qt.Key(event.key())
        layer, unit = self._chosen or (0, 0)
        layer = min(layer, len(self.picture.layers) - 1)
        editable = layer in self.picture.editable
        if key in arrows:
            move = arrows[key] if self._chosen is not None else (0, 0)
            self._choose(layer + move[0], unit + move[1])
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self._chosen is not None:
            self.nodePicked.emit(layer, unit)
        elif key in (Qt.Key.Key_Plus, Qt.Key.Key_Equal) and editable:
            self.unitsAsked.emit(layer, 1)
        elif key == Qt.Key.Key_Minus and editable:
            self.unitsAsked.emit(layer, -1)
        elif key == Qt.Key.Key_Insert and self.picture.editable:
            self.layersAsked.emit(layer + 1 if editable else max(self.picture.editable) + 1, 1)
        elif key == Qt.Key.Key_Delete and editable:
            self.layersAsked.emit(layer, -1)
        else:
            super().keyPressEvent(event)

    def _choose(self, layer: int, unit: int) -> None:
        """Stand on a node and tell of it, as if the mouse were there."""
        layout = self.layout_in(self.area(QRectF(self.ground.rect())))
        layer = min(max(layer, 0), len(layout.x) - 1)
        unit = min(max(unit, 0), max(len(layout.y[layer]) - 1, 0))
        if not layout.shows(layer, unit):
            return
        self._chosen = layer, unit
        self.mouse = QPointF(layout.x[layer], float(layout.y[layer][unit]))
        head, rows = self._words_of_node(layer, unit)
        self.ground.setAccessibleDescription("; ".join([head, *(f"{r.label} {r.value}" for r in rows)]))
        self.ground.update()
