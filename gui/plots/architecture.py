"""An architecture drawn layer by layer, to be folded, unfolded, enlarged and asked."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QPointF, QRectF, Qt, Signal, Slot
from PySide6.QtGui import QFontMetricsF, QKeyEvent, QMouseEvent, QPainter, QWheelEvent
from PySide6.QtWidgets import QWidget

from engine.architectures.sketch import Piece, Sketch
from gui.fonts import SMALL, font
from gui.palette import pen
from gui.plots.architecture_layout import BOXED, Card, Frame, Knot, Part, failing, lay_out
from gui.plots.architecture_paint import KINDS, Ink, draw_card, draw_frame, draw_knot, draw_reason, draw_wire
from gui.plots.board import Board
from gui.plots.header import Entry
from gui.plots.readout import Row
from gui.tokens import DARK, Theme

LARGEST, LEGIBLE = 1.5, 0.85  # px a unit: what fits is drawn no larger, what is looked at no smaller
FARTHEST = 6.0
DRAG = 4.0  # px from where a press becomes a drag
BARE = 380.0  # px at scale 1 of width below which numbers and shapes are left to the mouse


class ArchitecturePlot(Board):
    """Shows an engine.architectures.sketch.Sketch.

    A click unfolds or folds a block, the wheel zooms, a drag moves, a double click beside the cards shows all again;
    the legend leaves a kind of layer out. `layerPicked(row)`: a layer was clicked. Keys: arrows go from piece to
    piece, Return is a click, + and - zoom, Home shows all.
    """

    layerPicked = Signal(int)
    picture: Sketch | None

    def __init__(self, title: str = "", theme: Theme = DARK, parent: QWidget | None = None, *, empty: str = "") -> None:
        super().__init__(title, theme, parent, empty=empty)
        self.open: set[str] = set()  # of a sketch that is whole: what is folded
        self.zoom, self.shift = 1.0, QPointF()  # over what fits; px by which the middle is moved
        self._ink = Ink(theme)
        self._layout: tuple[object, Part] | None = None
        self._metrics: QFontMetricsF | None = None
        self._chosen: str | None = None
        self._held: QPointF | None = None
        self._dragged = self._swallow = False
        self.deeper = self._switch("unfold", "Unfold every block that is seen", self.unfold)
        self.higher = self._switch("fold", "Fold all blocks", self.fold)
        self.all_of_it = self._switch("fit", "Show all of it (Home)", self.fit)
        self.ground.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.ground.setProperty("ownKeys", True)
        self.ground.installEventFilter(self)

    def _switch(self, words: str, name: str, act: object) -> QWidget:
        made = self.header.add_switch(words, name)
        made.setCheckable(False)
        made.clicked.connect(act)
        return made

    # -- data --------------------------------------------------------------------------------------------------------

    def show_picture(self, picture: Sketch | None) -> None:
        """Draw this one from now on; None: nothing yet.

        Of another network all is shown; the blocks that it has in common with the last one stay as they are.
        """
        before = self.picture
        if picture is not None and before is not None and picture.pieces is not before.pieces and not picture.whole:
            known = {piece.key: piece.words for piece in _every(before.pieces)}
            now = {piece.key: piece.words for piece in _every(picture.pieces)}
            self.open &= {key for key, words in now.items() if known.get(key) == words}
            if now != known:
                self.zoom, self.shift = 1.0, QPointF()
        if picture is not None and not picture.whole and (before is None or picture.pieces is not before.pieces):
            self.open |= {piece.key for piece in failing(picture.pieces)[:-1]}  # what cannot be is seen at once
        super().show_picture(picture)

    def entries(self) -> list[Entry]:
        """One for each kind of layer there is."""
        if self.picture is None:
            return []
        there = {kind for piece in self.picture.pieces for kind in piece.stripes}
        return [Entry(kind, words, self._ink.of(kind), symbol="square")
                for kind, (words, _) in KINDS.items() if kind in there]  # fmt: skip

    def hiding_changed(self) -> None:
        """Kinds of layers are left out, or shown again."""
        self._layout = None
        super().hiding_changed()

    def layout_in(self, area: QRectF) -> Part:
        """Where every piece stands, in px at scale 1."""
        assert self.picture is not None
        bare = area.width() < BARE * self.theme.scale
        key = (self.picture.pieces, self.picture.input, frozenset(self.open), frozenset(self.hidden),
               round(area.width()), round(area.height()), bare)  # fmt: skip
        if self._layout is None or self._layout[0] != key:
            if self._metrics is None:
                self._metrics = QFontMetricsF(font(SMALL))
            wide = self._metrics.horizontalAdvance
            room = area.width(), area.height()
            self._layout = key, lay_out(self.picture, self.open, *room, wide, self.hidden, bare=bare)
        return self._layout[1]

    def _fitting(self, area: QRectF, part: Part) -> float:
        return min(area.width() / part.width, area.height() / part.height, LARGEST * self.theme.scale)

    def view_in(self, area: QRectF) -> tuple[float, QPointF]:
        """Scale, and where the drawing's own (0, 0) lies, in px. What is drawn whole follows the row in hand."""
        assert self.picture is not None
        part = self.layout_in(area)
        fitting = self._fitting(area, part)
        scale = fitting * self.zoom
        middle = area.center() + self.shift
        legible = LEGIBLE * self.theme.scale
        if self.picture.whole and self.zoom == 1.0 and fitting < legible and not self.for_picture:
            scale = legible
            middle = self._held_in(area, part, scale, self._middle_of_now(part))
        return scale, QPointF(middle.x() - scale * part.width / 2, middle.y() - scale * part.height / 2)

    def _middle_of_now(self, part: Part) -> QPointF:
        now = self.picture.now if self.picture is not None else -1
        for card in part.cards:
            if card.piece.first <= now < card.piece.last:
                return QPointF(card.x + card.width / 2, card.y + card.height / 2)
        for knot in part.knots:
            if knot.piece.last - 1 == now:
                return QPointF(knot.x, knot.y)
        return QPointF(part.axis, 0.0)

    def _held_in(self, area: QRectF, part: Part, scale: float, at: QPointF) -> QPointF:
        """Where the drawing's middle is to be, px, for `at` to be in the middle as far as no room is wasted."""
        found = []
        for centre, room, size, place in (
            (area.center().x(), area.width(), part.width, at.x()),
            (area.center().y(), area.height(), part.height, at.y()),
        ):
            most = max(0.0, (scale * size - room) / 2)
            found.append(centre + min(max(scale * (size / 2 - place), -most), most))
        return QPointF(*found)

    # -- painting ----------------------------------------------------------------------------------------------------

    def paint(self, painter: QPainter, area: QRectF) -> None:
        """Frames, wires, cards and joins that are seen."""
        assert self.picture is not None
        part, (scale, origin), now = self.layout_in(area), self.view_in(area), self.picture.now
        bare = area.width() < BARE * self.theme.scale
        over = self._under(area)
        inside = QRectF(
            (area.left() - origin.x()) / scale, (area.top() - origin.y()) / scale, area.width() / scale,
            area.height() / scale,
        )  # fmt: skip
        if not self.for_picture:  # a picture shows all, and has no clip
            painter.setClipRect(area)
        painter.save()
        painter.translate(origin)
        painter.scale(scale, scale)
        for frame in part.frames:
            if inside.intersects(QRectF(frame.x, frame.y, frame.width, frame.height)):
                draw_frame(painter, frame, self._ink, frame.piece.first <= now < frame.piece.last, over is frame, bare)
        for wire in part.wires:
            xs, ys = [p[0] for p in wire.points], [p[1] for p in wire.points]
            wide = max(xs) - min(xs) + 90
            if inside.intersects(QRectF(min(xs) - 5, min(ys) - 5, wide, max(ys) - min(ys) + 10)):
                draw_wire(painter, wire, self._ink, wire.row <= now)
        for card in part.cards:
            if inside.intersects(QRectF(card.x - 2, card.y - 2, card.width + 10, card.height + 10)):
                draw_card(painter, card, self._ink, now, over is card, bare)
        for knot in part.knots:
            if inside.intersects(QRectF(knot.x - 12, knot.y - 12, 24, 24)):
                draw_knot(painter, knot, self._ink, now, over is knot)
        painter.restore()
        self._explain(painter, area, part, scale, origin)
        if self.ground.hasFocus() and not self.for_picture:
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(pen(self.theme.accent))
            painter.drawRect(area.adjusted(0.5, 0.5, -0.5, -0.5))

    def _explain(self, painter: QPainter, area: QRectF, part: Part, scale: float, origin: QPointF) -> None:
        """The reason beside the piece that cannot be."""
        every: list[Card | Knot] = [*part.cards, *part.knots]
        found = next((one for one in every if one.piece.failed), None)
        if found is None or area.width() < BARE * self.theme.scale:
            return
        at = QPointF(found.x, found.y) if isinstance(found, Knot) else QPointF(found.x + 8, found.y + found.height)
        draw_reason(painter, area, origin + at * scale, found.piece.told[-1][1], self.theme)

    def apply_theme(self, theme: Theme) -> None:
        """Take over colours and scale."""
        self._ink, self._layout = Ink(theme), None
        super().apply_theme(theme)

    def _note(self) -> str:
        hint = "" if self.for_picture or self.picture is None else self.picture.hint
        return "  ".join(part for part in (super()._note(), hint) if part)

    def clone(self, theme: Theme) -> ArchitecturePlot:
        """An off-screen twin in another theme with the same blocks unfolded; it shows all of the network."""
        twin = super().clone(theme)
        twin.open = set(self.open)
        return twin

    # -- what is under the mouse -------------------------------------------------------------------------------------

    def _under(self, area: QRectF) -> Card | Frame | Knot | None:
        if self.mouse is None or self.picture is None or self.for_picture or self._held is not None:
            return None
        scale, origin = self.view_in(area)
        at = (self.mouse - origin) / scale
        return self.layout_in(area).at(at.x(), at.y())

    def told(self, at: QPointF, area: QRectF) -> tuple[str, list[Row]] | None:
        """What is known of the piece here."""
        found = self._under(area)
        return None if found is None else (found.piece.words, [Row(*pair) for pair in found.piece.told])

    @Slot(object)
    def _moved(self, at: QPointF) -> None:
        super()._moved(at)
        if self.picture is not None:
            found = self._under(self.area(QRectF(self.ground.rect())))
            hand = found is not None and found.piece.kind not in ("input", "output")
            self.ground.setCursor(Qt.CursorShape.PointingHandCursor if hand else Qt.CursorShape.ArrowCursor)

    # -- hands -------------------------------------------------------------------------------------------------------

    def pressed(self, at: QPointF, area: QRectF, event: QMouseEvent) -> None:
        """A click: fold or unfold a block, pick a layer."""
        self.mouse = at
        found = self._under(area)
        if event.button() == Qt.MouseButton.LeftButton and found is not None:
            self._act(found, area)

    def _act(self, found: Card | Frame | Knot, area: QRectF) -> None:
        piece = found.piece
        if piece.kind in BOXED:
            self.toggle(piece.key)
        elif piece.last > piece.first:
            self.layerPicked.emit(piece.last - 1)

    def toggle(self, key: str) -> None:
        """Fold or unfold a block; where the whole would be too small to read, what was unfolded is looked at."""
        assert self.picture is not None
        area = self.area(QRectF(self.ground.rect()))
        self.open ^= {key}
        part = self.layout_in(area)
        frame = next((f for f in part.frames if f.piece.key == key), None)
        fitting, legible = self._fitting(area, part), LEGIBLE * self.theme.scale
        self.zoom, self.shift = 1.0, QPointF()
        if frame is not None and fitting < legible and not self.picture.whole:
            self.zoom = legible / fitting
            top = min(frame.height / 2, area.height() / legible / 2)
            at = QPointF(frame.x + frame.width / 2, frame.y + top)
            self.shift = self._held_in(area, part, legible, at) - area.center()
        self.ground.update()

    @Slot()
    def unfold(self) -> None:
        """Open every folded block that is drawn."""
        if self.picture is not None:
            part = self.layout_in(self.area(QRectF(self.ground.rect())))
            folded = {card.piece.key for card in part.cards if card.piece.kind in BOXED}
            self.open = self.open - folded if self.picture.whole else self.open | folded
            self.fit()

    @Slot()
    def fold(self) -> None:
        """Close all blocks."""
        if self.picture is not None:
            keys = {piece.key for piece in _every(self.picture.pieces) if piece.kind in BOXED}
            self.open = keys if self.picture.whole else set()
            self.fit()

    @Slot()
    def fit(self) -> None:
        """Show all of it."""
        self.zoom, self.shift = 1.0, QPointF()
        self.ground.update()

    def zoom_by(self, factor: float, at: QPointF) -> None:
        """Enlarge around a point of the ground."""
        if self.picture is None:
            return
        area = self.area(QRectF(self.ground.rect()))
        part, (scale, origin) = self.layout_in(area), self.view_in(area)
        fitting = self._fitting(area, part)
        wanted = min(max(scale * factor, min(0.5, fitting)), max(FARTHEST, fitting))
        if abs(wanted - fitting) < 1e-6 and factor < 1:
            self.fit()
            return
        moved = at - (at - origin) * (wanted / scale)
        middle = moved + QPointF(part.width, part.height) * (wanted / 2)
        self.zoom = wanted / fitting
        self.shift = self._bounded(middle - area.center(), area, part, wanted)
        self.ground.update()

    def _bounded(self, shift: QPointF, area: QRectF, part: Part, scale: float) -> QPointF:
        """A shift that leaves a good piece of the drawing on the sheet."""
        most = [(scale * size + room) / 2 - 40 for size, room in
                ((part.width, area.width()), (part.height, area.height()))]  # fmt: skip
        return QPointF(min(max(shift.x(), -most[0]), most[0]), min(max(shift.y(), -most[1]), most[1]))

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """The ground's wheel, drags and double clicks."""
        if watched is not self.ground or self.picture is None:
            return super().eventFilter(watched, event)
        if isinstance(event, QWheelEvent):
            turn = event.angleDelta().y() or event.angleDelta().x()
            self.zoom_by(1.0015**turn, event.position())
            return True
        if isinstance(event, QMouseEvent):
            return self._mouse(event)
        return super().eventFilter(watched, event)

    def _mouse(self, event: QMouseEvent) -> bool:
        left = event.button() == Qt.MouseButton.LeftButton
        match event.type():
            case QEvent.Type.MouseButtonPress if left:
                self._held, self._dragged, self._swallow = event.position(), False, False
            case QEvent.Type.MouseButtonDblClick if left:
                self._swallow = True  # the first click of the two has acted
                self.mouse = event.position()
                if self._under(self.area(QRectF(self.ground.rect()))) is None:
                    self.fit()
            case QEvent.Type.MouseMove if self._held is not None:
                self._drag(event.position())
                return self._dragged
            case QEvent.Type.MouseButtonRelease if left:
                acted, self._held = self._dragged or self._swallow, None
                self._dragged = self._swallow = False
                return acted
        return False

    def _drag(self, at: QPointF) -> None:
        assert self._held is not None
        step = at - self._held
        if not self._dragged and abs(step.x()) + abs(step.y()) < DRAG:
            return
        area = self.area(QRectF(self.ground.rect()))
        part, (scale, origin) = self.layout_in(area), self.view_in(area)
        middle = origin + QPointF(part.width, part.height) * (scale / 2) + step
        self.zoom = scale / self._fitting(area, part)
        self.shift = self._bounded(middle - area.center(), area, part, scale)
        if self.zoom == 1.0 and self.picture is not None and self.picture.whole:
            self.zoom = 1.0 + 1e-9  # it stays where it was put
        self._dragged, self._held, self.mouse = True, at, None
        self.ground.setCursor(Qt.CursorShape.ClosedHandCursor)
        self.ground.update()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Go from piece to piece, fold and unfold, zoom."""
        if self.picture is None or not self.ground.hasFocus():
            super().keyPressEvent(event)
            return
        area = self.area(QRectF(self.ground.rect()))
        key, moves = Qt.Key(event.key()), {
            Qt.Key.Key_Up: -1, Qt.Key.Key_Left: -1, Qt.Key.Key_Down: 1, Qt.Key.Key_Right: 1,
        }  # fmt: skip
        if key in moves:
            self._choose(moves[key], area)
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and (found := self._by_key(area)) is not None:
            self._act(found, area)
        elif key in (Qt.Key.Key_Plus, Qt.Key.Key_Equal, Qt.Key.Key_Minus):
            self.zoom_by(1 / 1.25 if key == Qt.Key.Key_Minus else 1.25, area.center())
        elif key == Qt.Key.Key_Home:
            self.fit()
        else:
            super().keyPressEvent(event)

    def _by_key(self, area: QRectF) -> Card | Frame | Knot | None:
        return next((one for one in self.layout_in(area).in_order() if one.piece.key == self._chosen), None)

    def _choose(self, move: int, area: QRectF) -> None:
        """Stand on the next piece and tell of it, as if the mouse were there."""
        order = self.layout_in(area).in_order()
        keys = [one.piece.key for one in order]
        at = keys.index(self._chosen) + move if self._chosen in keys else 0
        found = order[min(max(at, 0), len(order) - 1)]
        self._chosen = found.piece.key
        x, y = (found.x, found.y) if isinstance(found, Knot) else (found.x + 9, found.y + 8)
        scale, origin = self.view_in(area)
        self.mouse = origin + QPointF(x, y) * scale
        if not area.contains(self.mouse):
            part = self.layout_in(area)
            self.zoom = scale / self._fitting(area, part) or 1.0
            self.shift = self._held_in(area, part, scale, QPointF(x, y)) - area.center()
            scale, origin = self.view_in(area)
            self.mouse = origin + QPointF(x, y) * scale
        rows = "; ".join(f"{name} {words}".strip() for name, words in found.piece.told)
        self.ground.setAccessibleDescription(f"{found.piece.words}; {rows}")
        self.ground.update()


def _every(pieces: tuple[Piece, ...]) -> list[Piece]:
    """These and all that is in them."""
    return [one for piece in pieces for one in (piece, *(i for way in piece.ways for i in _every(way)))]
