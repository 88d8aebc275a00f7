"""What a drawing of a network needs to know: pieces with words, shapes and numbers, equal neighbours as one card."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from engine.architectures.graph import Block, Fork
from engine.architectures.layers import Layer, written
from engine.architectures.measuring import Measured, Node


@dataclass(frozen=True)
class Piece:
    """A box, a block of boxes, or a fork of several ways.

    `kind`: that of a layer (conv, linear, attention, norm, activation, pool, reshape, dropout), `block`, `cards` (equal
    blocks one behind the other, as many as `times`), or a join (add, concat, multiply). `failed`: it cannot be, and the
    last row `told` says why. `words` and `small` stand in the box, `out` (a shape) behind it, `told` in the readout.
    `first`, `last`: its rows of the forward pass. `ways`: what is inside. `stripes`: the kinds of all layers within,
    for a folded card. `key` is the same for the same piece in every drawing of the network.
    """

    key: str
    kind: str
    words: str
    small: str
    out: str
    told: tuple[tuple[str, str], ...]
    first: int
    last: int
    ways: tuple[tuple[Piece, ...], ...] = ()
    times: int = 1
    stripes: tuple[str, ...] = ()
    failed: bool = False


@dataclass(frozen=True)
class Sketch:
    """A network, or a part of it. `input`: the shape that comes in; `now`: the row in hand, -1 none; `whole`: fold
    nothing to begin with; `note`: a sentence below, and `hint` on a screen what the mouse can do."""

    pieces: tuple[Piece, ...]
    input: str
    now: int = -1
    whole: bool = False
    note: str = ""
    hint: str = ""


def short(number: float) -> str:
    """A count as a person says it: 25.6 M."""
    for size, unit in ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")):
        if number >= 0.9995 * size:
            return f"{number / size:.3g} {unit}"
    return f"{number:g}"


def pieces(measured: Measured) -> tuple[Piece, ...]:
    """All of a network."""
    return _along(measured, measured.nodes, "")


def innermost(found: Sequence[Piece], row: int) -> tuple[Piece, ...]:
    """The smallest block around a row, or the layer itself; empty where there is none."""
    here = [piece for piece in found if piece.first <= row < piece.last]
    for piece in here:
        for way in piece.ways:
            inner = innermost(way, row)
            if inner and (inner[0].kind == "block" or piece.kind == "cards"):
                return inner
    return tuple(here[:1])


def _along(measured: Measured, nodes: Sequence[Node], key: str) -> tuple[Piece, ...]:
    """Nodes one behind the other; equal blocks that are neighbours become cards."""
    made, i = [], 0
    while i < len(nodes):
        stop = i + 1
        if isinstance(nodes[i].part, Block):
            while stop < len(nodes) and nodes[stop].part == nodes[i].part:
                stop += 1
        own = [_piece(measured, nodes[k], f"{key}/{k}") for k in range(i, stop)]
        made.append(own[0] if len(own) == 1 else _cards(measured, own, f"{key}/{i}-{stop}"))
        i = stop
    return tuple(made)


def _cards(measured: Measured, own: list[Piece], key: str) -> Piece:
    first, last = own[0].first, own[-1].last
    return Piece(
        key, "cards", own[0].words, _cost(measured, first, last), own[-1].out,
        (("", f"{len(own)} equal blocks, one behind the other"), *_sums(measured, first, last, own[-1].out)),
        first, last, (tuple(own),), len(own), own[0].stripes,
    )  # fmt: skip


def _piece(measured: Measured, node: Node, key: str) -> Piece:
    part, rows = node.part, measured.rows[node.first : node.last]
    out = written(node.out)
    told: tuple[tuple[str, str], ...]
    if node.broken and isinstance(part, Layer):
        told = (("in", written(node.inside)), ("", measured.broken.partition(": ")[2]))
        return Piece(key, part.kind, part.words, "cannot be", "", told, node.first, node.last, failed=True)
    if isinstance(part, Layer):
        row = rows[0]
        told = (
            ("in", written(row.inside)), ("out", out), ("parameters", f"{row.parameters:,}"),
            ("multiply-adds", f"{row.multiply_adds:,}"), ("memory of the output", f"{short(row.memory)}B"),
            ("receptive field", str(row.field.size)), ("layer", f"{row.place + 1} of {len(measured.rows)}"),
        )  # fmt: skip
        small = short(row.parameters) if row.parameters else ""
        return Piece(key, part.kind, part.words, small, out, told, node.first, node.last, stripes=(part.kind,))
    ways = tuple(_along(measured, way, f"{key}.{w}") for w, way in enumerate(node.ways))
    stripes = tuple(row.kind for row in rows)
    if isinstance(part, Fork):
        words = {"add": "sum", "concat": "one behind the other", "multiply": "product"}[part.join]
        told = (("", f"{words} of {len(ways)} ways"),)
        if rows:
            told += _sums(measured, node.first, node.last, out)
        if node.broken:
            told = (("", measured.broken.partition(": ")[2]),)
        return Piece(
            key, part.join, words, "", out, told, node.first, node.last, ways, stripes=stripes, failed=node.broken
        )
    return Piece(
        key, "block", part.title, _cost(measured, node.first, node.last), out,
        (("in", written(node.inside)), *(_sums(measured, node.first, node.last, out) if rows else ())),
        node.first, node.last, ways, stripes=stripes,
    )  # fmt: skip


def _cost(measured: Measured, first: int, last: int) -> str:
    count = sum(row.parameters for row in measured.rows[first:last])
    return f"{short(count)} parameters" if count else ""


def _sums(measured: Measured, first: int, last: int, out: str) -> tuple[tuple[str, str], ...]:
    rows = measured.rows[first:last]
    count, work = sum(row.parameters for row in rows), sum(row.multiply_adds for row in rows)
    share = f" ({count / measured.parameters:.1%})" if measured.parameters and count else ""
    return (
        ("out", out), ("layers", str(last - first)), ("parameters", f"{count:,}{share}"),
        ("multiply-adds", f"{work:,}"), ("memory of all outputs", f"{short(sum(row.memory for row in rows))}B"),
        ("receptive field", str(rows[-1].field.size)),
    )  # fmt: skip
