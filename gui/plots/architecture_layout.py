"""Where the pieces of a network stand: cards from top to bottom, ways side by side, in as many columns as read best.

Without Qt and without a theme: lengths are in px at scale 1, and the width of words is asked of who knows the type.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

from engine.architectures.sketch import Piece, Sketch

Point = tuple[float, float]
Measure = Callable[[str], float]

CARD, SLAB, FOLDED = 24.0, 15.0, 30.0  # heights of a layer, of a thin layer, of a folded block
SLABS = ("norm", "activation", "dropout", "reshape")  # thin: they stand close below the layer they follow
JOINS = ("add", "concat", "multiply")
BOXED = ("block", "cards")
NARROW = 92.0  # width of a card at the least
PAD, HEAD = 9.0, 19.0  # of the frame around an open block
SHORT, LONG = 11.0, 22.0  # wires, without and with a shape beside them
WAYS, LANE = 14.0, 16.0  # between two ways; the width of a way without layers
GUTTER = 30.0  # between two columns
RADIUS = 8.0  # of a join
MOST_COLUMNS = 9


@dataclass(frozen=True)
class Card:
    """A layer, or a folded block; `close`: it touches the one above."""

    piece: Piece
    x: float
    y: float
    width: float
    height: float
    close: bool = False


@dataclass(frozen=True)
class Frame:
    """An open block."""

    piece: Piece
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True)
class Knot:
    """Where ways are joined: the middle of a circle."""

    piece: Piece
    x: float
    y: float


@dataclass(frozen=True)
class Wire:
    """What goes from piece to piece: corners, whether an arrow is at the end, the row of the forward pass that it comes
    out of (-1: the input), and the words beside its last leg."""

    points: tuple[Point, ...]
    arrow: bool
    row: int
    words: str = ""


@dataclass
class Part:
    """Pieces in a box of their own, whose top left corner is (0, 0); `axis`: where the line of the data lies."""

    width: float = 0.0
    height: float = 0.0
    axis: float = 0.0
    cards: list[Card] = field(default_factory=list)
    frames: list[Frame] = field(default_factory=list)
    knots: list[Knot] = field(default_factory=list)
    wires: list[Wire] = field(default_factory=list)

    def take(self, other: Part, x: float, y: float) -> None:
        """Put another's pieces here, moved by (x, y)."""
        self.cards += [replace(c, x=c.x + x, y=c.y + y) for c in other.cards]
        self.frames += [replace(f, x=f.x + x, y=f.y + y) for f in other.frames]
        self.knots += [replace(k, x=k.x + x, y=k.y + y) for k in other.knots]
        self.wires += [replace(w, points=tuple((a + x, b + y) for a, b in w.points)) for w in other.wires]

    def at(self, x: float, y: float) -> Card | Frame | Knot | None:
        """What stands at a point: a card, a join, or the head of an open block."""
        for card in self.cards:
            if card.x <= x <= card.x + card.width and card.y <= y <= card.y + card.height:
                return card
        for knot in self.knots:
            if (x - knot.x) ** 2 + (y - knot.y) ** 2 <= (1.3 * RADIUS) ** 2:
                return knot
        for frame in reversed(self.frames):  # inner ones come later
            if frame.x <= x <= frame.x + frame.width and frame.y <= y <= frame.y + HEAD:
                return frame
        return None

    def in_order(self) -> list[Card | Frame | Knot]:
        """Everything that can be chosen, in the order of the forward pass, a block before what is in it."""
        found: list[Card | Frame | Knot] = [*self.cards, *self.knots, *self.frames]
        return sorted(found, key=lambda one: (_turn(one), -one.piece.last if isinstance(one, Frame) else 0))


def _turn(one: Card | Frame | Knot) -> float:
    return one.piece.last - 1 if isinstance(one, Knot) else one.piece.first - (0.5 if isinstance(one, Frame) else 0.0)


@dataclass(frozen=True)
class _Style:
    """What is left out: `hidden` kinds of layers; `bare`: shapes and numbers too. `open`: keys of blocks to unfold."""

    wide: Measure
    open: Collection[str]
    whole: bool
    hidden: Collection[str]
    bare: bool


def lay_out(
    sketch: Sketch, opened: Collection[str], width: float, height: float, wide: Measure,
    hidden: Collection[str] = (), *, bare: bool = False,
) -> Part:  # fmt: skip
    """Every piece, in the number of columns that can be drawn largest in `width` x `height`.

    `opened`: keys of the blocks that are unfolded (of a sketch that is `whole`: of those that are folded). `wide`: the
    width of words. `hidden`: kinds of layers that are left out; `bare`: shapes and numbers are too.
    """
    style = _Style(wide, opened, sketch.whole, hidden, bare)
    elements = _elements(style, sketch)
    best: tuple[float, list[tuple[Part, str]]] | None = None
    for count in range(1, min(MOST_COLUMNS, len(elements)) + 1):
        columns = [(_stack(column), column[0].words) for column in _broken(elements, count)]
        total = sum(part.width for part, _ in columns) + GUTTER * (len(columns) - 1)
        scale = min(width / total, height / (max(part.height for part, _ in columns) + (LONG if count > 1 else 0)))
        if best is None or scale > 1.02 * best[0]:
            best = scale, columns
    assert best is not None
    return _side_by_side(best[1])


def failing(pieces: Sequence[Piece]) -> tuple[Piece, ...]:
    """The piece that cannot be, behind all blocks and forks that it is in; empty where there is none."""
    for piece in pieces:
        if piece.failed:
            return (piece,)
        for way in piece.ways:
            if inner := failing(way):
                return (piece, *inner)
    return ()


# -- one behind the other --------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Element:
    """What may not be torn apart by the end of a column: `lead` is the wire that leads in, `words` stand beside it."""

    part: Part
    lead: float
    words: str
    row: int


def _elements(style: _Style, sketch: Sketch) -> list[_Element]:
    """The network from its input on; thin layers together with what they follow."""
    begin = Piece("input", "input", sketch.input, "", sketch.input, (("", "what comes in"),), -1, -1)
    first = sketch.pieces[0].first - 1 if sketch.pieces else -1
    found = [_Element(_card(style, begin, CARD), 0.0, "", -1)]
    found += _runs(style, sketch.pieces, sketch.input, first)
    out = sketch.pieces[-1].out if sketch.pieces else ""
    if out and not failing(sketch.pieces):  # nothing comes out of a network that cannot be
        last = sketch.pieces[-1].last
        end = Piece("output", "output", out, "", out, (("", "what goes out"),), last, last)
        found[-1] = _Element(_stack([found[-1], _Element(_card(style, end, CARD), SHORT, "", last - 1)]),
                             found[-1].lead, found[-1].words, found[-1].row)  # fmt: skip
    return [_Element(_stack(found[:2]), 0.0, "", -1), *found[2:]]  # nor does the input stand alone in a column


def _runs(style: _Style, pieces: Sequence[Piece], shape: str, row: int) -> list[_Element]:
    """Pieces as elements; `shape`: what comes in, `row`: out of which row."""
    found: list[_Element] = []
    told, close = shape, False
    for piece in pieces:
        if piece.kind in style.hidden and not piece.ways and not piece.failed:
            shape, row = piece.out, piece.last - 1
            continue
        slab = piece.kind in SLABS and not piece.failed
        if slab and close:
            above = found.pop()
            part = Part(above.part.width, above.part.height, above.part.axis)
            part.take(above.part, 0, 0)
            _below(part, _card(style, piece, SLAB, close=True))
            found.append(replace(above, part=part))
        else:
            words = "" if style.bare or shape == told else shape
            told = shape if words else told
            found.append(_Element(_piece(style, piece, shape, row), LONG if words else SHORT, words, row))
        shape, row = piece.out, piece.last - 1
        close = not piece.ways
    return found


def _below(part: Part, other: Part) -> None:
    """Put `other` directly below, on the same axis and as wide."""
    width = max(part.width, other.width)
    part.cards = [replace(c, width=width, x=0.0) for c in part.cards]
    part.take(Part(cards=[replace(c, width=width, x=0.0) for c in other.cards]), 0, part.height)
    part.width, part.axis = width, width / 2
    part.height += other.height


def _stack(elements: Sequence[_Element], *, lead: bool = False) -> Part:
    """Elements below each other with wires between; `lead`: also above the first."""
    axis = max(e.part.axis for e in elements)
    made = Part(axis=axis)
    made.width = axis + max(max(e.part.width - e.part.axis for e in elements), _room(elements))
    for i, element in enumerate(elements):
        gap = element.lead if i or lead else 0.0
        if gap:
            ends = ((axis, made.height), (axis, made.height + gap))
            forked = any(knot.y == element.part.height - RADIUS for knot in element.part.knots)  # its ways have arrows
            made.wires.append(Wire(ends, not forked, element.row, element.words))
        made.take(element.part, axis - element.part.axis, made.height + gap)
        made.height += gap + element.part.height
    return made


def _room(elements: Sequence[_Element]) -> float:
    """What the words beside the wires need at the right of the axis (11 px type is about 6 px a letter)."""
    return max((8 + 6.2 * len(e.words) for e in elements if e.words), default=0.0)


# -- the pieces ------------------------------------------------------------------------------------------------------


def _piece(style: _Style, piece: Piece, shape: str, row: int) -> Part:
    """A card, an open block, or a fork."""
    if piece.kind in JOINS:
        return _fork(style, piece, shape, row)
    if piece.kind in BOXED and (piece.key in style.open) != style.whole:
        return _frame(style, piece, shape, row)
    height = FOLDED if piece.kind in BOXED else SLAB if piece.kind in SLABS else CARD
    return _card(style, piece, height)


def _card(style: _Style, piece: Piece, height: float, *, close: bool = False) -> Part:
    words = f"{piece.words}  {piece.times} ×" if piece.times > 1 else piece.words
    beside = 0.0 if style.bare or not piece.small else style.wide(piece.small) + 12
    width = max(NARROW, style.wide(words) + beside + 22)
    behind = 3.0 * min(piece.times - 1, 2)  # the edges of the cards behind it
    card = Card(piece, 0.0, 0.0, width, height, close)
    return Part(width + behind, height + behind, width / 2, cards=[card])


def _frame(style: _Style, piece: Piece, shape: str, row: int) -> Part:
    inner = _stack(_runs(style, piece.ways[0], shape, row), lead=True) if _seen(style, piece.ways[0]) else Part()
    head = style.wide(piece.words) + (0 if style.bare else style.wide(piece.small) + 14) + 24
    width = max(inner.width + 2 * PAD, head)
    left = PAD + (width - 2 * PAD - inner.width) / 2
    made = Part(width, inner.height + HEAD + PAD, left + inner.axis)
    made.frames.append(Frame(piece, 0, 0, width, made.height))
    made.take(inner, left, HEAD)
    last = piece.last - 1
    made.wires.append(Wire(((made.axis, made.height - PAD), (made.axis, made.height)), False, last))
    return made


def _seen(style: _Style, pieces: Sequence[Piece]) -> bool:
    return any(piece.ways or piece.failed or piece.kind not in style.hidden for piece in pieces)


def _fork(style: _Style, piece: Piece, shape: str, row: int) -> Part:
    """Ways side by side between a split above and a join below."""
    ways = [_stack(_runs(style, way, shape, row)) if _seen(style, way) else Part(LANE, 0.0, LANE / 2)
            for way in piece.ways]  # fmt: skip
    ends = [way[-1].last - 1 if way else row for way in piece.ways]
    gate = piece.kind == "multiply"
    order = sorted(range(len(ways)), key=lambda i: (not ways[i].height) != gate)  # around at the right, a gate too
    many = sum(bool(way.height) for way in ways) > 2
    made, lefts, x = Part(), {}, 0.0
    for i in order:
        lefts[i] = x
        x += ways[i].width + WAYS
    made.width = x - WAYS
    first = order[0]
    made.axis = made.width / 2 if many else lefts[first] + ways[first].axis
    top = SHORT + 4
    tall = max(way.height for way in ways)
    bus = top + tall + (10 if many else 0)
    knot = bus + 10 + RADIUS
    made.knots.append(Knot(piece, made.axis, knot))
    made.height = knot + RADIUS
    for i in order:
        way, axis = ways[i], lefts[i] + ways[i].axis
        made.take(way, lefts[i], top)
        start: tuple[Point, ...] = ((made.axis, 0.0), (made.axis, 4.0), (axis, 4.0))
        end = (axis, top + way.height)
        if axis == made.axis:
            start = start[:1]
            tail: tuple[Point, ...] = (end, (axis, knot - RADIUS))
        elif many:
            tail = (end, (axis, bus), (made.axis, bus), (made.axis, knot - RADIUS))
        else:
            tail = (end, (axis, knot), (made.axis + (RADIUS if axis > made.axis else -RADIUS), knot))
        if way.height:
            made.wires.append(Wire((*start, (axis, top)), True, row))
            made.wires.append(Wire(tail, True, ends[i]))
        else:
            made.wires.append(Wire((*start, *tail[1:]), True, row))
    return made


# -- columns ---------------------------------------------------------------------------------------------------------


def _broken(elements: Sequence[_Element], count: int) -> list[list[_Element]]:
    """At most `count` columns, the tallest as low as can be."""
    tall = [e.part.height + e.lead for e in elements]
    low, high = max(tall), sum(tall)
    for _ in range(24):
        middle = (low + high) / 2
        low, high = (low, middle) if len(list(_filled(tall, middle))) <= count else (middle, high)
    cuts = [0, *_filled(tall, high)]
    return [list(elements[a:b]) for a, b in pairwise(cuts)]


def _filled(tall: Sequence[float], limit: float) -> Iterator[int]:
    """Where each column ends if none may be taller than `limit`."""
    used = 0.0
    for i, height in enumerate(tall):
        if used and used + height > limit + 1e-6:
            yield i
            used = 0.0
        used += height
    yield len(tall)


def _side_by_side(columns: Sequence[tuple[Part, str]]) -> Part:
    """Columns from left to right; a wire leads from the foot of each to the head of the next, words beside its end."""
    made, x = Part(height=max(part.height for part, _ in columns)), 0.0
    foot: tuple[Point, int] | None = None
    several = len(columns) > 1
    above = LONG if several else 0.0
    for column, words in columns:
        if foot is not None:
            (from_x, from_y), row = foot
            gutter = x - GUTTER / 2
            axis = x + column.axis
            corners = ((from_x, from_y), (from_x, from_y + 9), (gutter, from_y + 9), (gutter, 2.0), (axis, 2.0),
                       (axis, above))  # fmt: skip
            made.wires.append(Wire(corners, True, row, words))
        made.take(column, x, above)
        lowest = max((card.y + card.height for card in column.cards), default=0.0)
        lowest = max([lowest, *(f.y + f.height for f in column.frames), *(k.y + RADIUS for k in column.knots)])
        ends = [*(c.piece.last for c in column.cards), *(k.piece.last for k in column.knots)]
        foot = (x + column.axis, above + lowest), max(ends, default=0) - 1
        x += column.width + GUTTER
    made.width, made.axis = x - GUTTER, columns[0][0].axis
    made.height += above + (10.0 if several else 0.0)
    return made
