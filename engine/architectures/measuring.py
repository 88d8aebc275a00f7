"""A network measured layer by layer: shapes, parameters, multiply-adds, memory, receptive field."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from engine.architectures.graph import Block, Fork, Join, Network, Part
from engine.architectures.layers import Layer, Shape, ShapeError, written

MOST_LAYERS = 2000
BYTES = 4  # of a number


class ArchitectureError(ValueError):
    """A network that cannot be; the message names the layer and the reason in one line."""


@dataclass(frozen=True)
class Field:
    """The receptive field of one number: `size` pixels (tokens, inputs) a side; a neighbour's lies `jump` further."""

    size: int = 1
    jump: int = 1

    def through(self, window: tuple[int, int], whole: int) -> Field:
        """Behind a layer with this window and stride; `whole`: the input's own size, which some layers see at once."""
        if not window[0]:
            return Field(max(self.size, whole), self.jump * window[1])
        return Field(self.size + (window[0] - 1) * self.jump, self.jump * window[1])


@dataclass(frozen=True)
class Row:
    """One layer or join: `place` in the forward pass from 0, `path` the names of the blocks it is in.

    `multiply_adds` and `memory` (bytes of what goes out, float32) are for one sample.
    """

    place: int
    path: tuple[str, ...]
    kind: str
    words: str
    inside: Shape
    out: Shape
    parameters: int
    multiply_adds: int
    field: Field

    @property
    def memory(self) -> int:
        """Bytes of what goes out."""
        return BYTES * math.prod(self.out)


@dataclass(frozen=True)
class Node:
    """A part where it stands: its shapes, its rows from `first` to before `last`, and its inner ways (a layer: none).

    `broken`: this layer or this join cannot be.
    """

    part: Part
    inside: Shape
    out: Shape
    first: int
    last: int
    ways: tuple[tuple[Node, ...], ...] = ()
    broken: bool = False


@dataclass(frozen=True)
class Measured:
    """A network with all that was measured. `rows` are in the order of the forward pass.

    `broken`: why the layer behind the last row cannot be, where one cannot; `nodes` then end with the part it is in.
    """

    network: Network
    nodes: tuple[Node, ...]
    rows: tuple[Row, ...]
    parameters: int
    multiply_adds: int
    broken: str = ""

    @property
    def out(self) -> Shape:
        """What the last layer brings."""
        return self.nodes[-1].out


def measure(network: Network, *, broken: bool = False) -> Measured:
    """Go through the network once.

    Raises ArchitectureError, unless a network that is `broken` is wanted as far as it goes.
    """
    if not network.parts:
        raise ArchitectureError("a network needs at least one layer")
    walk = _Walk(max(network.input[1:]) if len(network.input) == 3 else network.input[0])
    nodes, _, _ = walk.along(network.parts, network.input, Field(), ())
    if walk.broken and not broken:
        raise ArchitectureError(walk.broken)
    rows = tuple(walk.rows)
    parameters, multiply_adds = (sum(getattr(row, name) for row in rows) for name in ("parameters", "multiply_adds"))
    return Measured(network, nodes, rows, parameters, multiply_adds, walk.broken)


class _Walk:
    """Collects rows on the way through the tree, up to the first layer that cannot be."""

    def __init__(self, whole: int) -> None:
        self.rows: list[Row] = []
        self.broken = ""
        self._whole = whole
        self._here = False  # the part in hand is the one that cannot be

    def along(
        self, parts: Sequence[Part], shape: Shape, field: Field, path: tuple[str, ...]
    ) -> tuple[tuple[Node, ...], Shape, Field]:
        """Parts one behind the other; returns what stands where, and shape and field behind the last."""
        nodes = []
        for part in parts:
            if self.broken:
                break
            first, inside = len(self.rows), shape
            ways: tuple[tuple[Node, ...], ...] = ()
            if isinstance(part, Layer):
                shape, field = self._layer(part, shape, field, path)
            elif isinstance(part, Block):
                inner, shape, field = self.along(part.parts, shape, field, (*path, part.title))
                ways = (inner,)
            else:
                ways, shape, field = self._fork(part, shape, field, path)
            nodes.append(Node(part, inside, shape, first, len(self.rows), ways, self._here))
            self._here = False
        return tuple(nodes), shape, field

    def _layer(self, layer: Layer, inside: Shape, field: Field, path: tuple[str, ...]) -> tuple[Shape, Field]:
        try:
            out = layer.shape(inside)
        except ShapeError as error:
            self._break(layer.words, path, str(error))
            return inside, field
        field = field.through(layer.window(inside), self._whole)
        costs = layer.parameters(inside), layer.multiply_adds(inside)
        self._add(Row(len(self.rows), path, layer.kind, layer.words, inside, out, *costs, field))
        return out, field

    def _fork(
        self, fork: Fork, inside: Shape, field: Field, path: tuple[str, ...]
    ) -> tuple[tuple[tuple[Node, ...], ...], Shape, Field]:
        found = [self.along(way, inside, field, path) for way in fork.ways]
        ways, shapes = tuple(nodes for nodes, _, _ in found), [shape for _, shape, _ in found]
        if self.broken:
            return ways, inside, field
        try:
            out = joined(fork.join, shapes)
        except ShapeError as error:
            self._break(fork.join, path, str(error))
            return ways, inside, field
        # a gate weighs channels; what it has seen of the whole picture is not counted as seen by every place
        counted = [found[0][2]] if fork.join == "multiply" else [one for _, _, one in found]
        field = Field(max(one.size for one in counted), max(one.jump for one in counted))
        self._add(Row(len(self.rows), path, fork.join, fork.join, inside, out, 0, 0, field))
        return ways, out, field

    def _add(self, row: Row) -> None:
        if len(self.rows) == MOST_LAYERS:
            raise ArchitectureError(f"more than {MOST_LAYERS} layers")
        self.rows.append(row)

    def _break(self, words: str, path: tuple[str, ...], reason: str) -> None:
        self._here = True
        within = f" in {', '.join(path)}" if path else ""
        self.broken = f"layer {len(self.rows) + 1} ({words}){within}: {reason}"


def joined(join: Join, shapes: Sequence[Shape]) -> Shape:
    """The shape that several ways make together. Raises ShapeError."""
    first, others = shapes[0], shapes[1:]
    words = " and ".join(written(shape) for shape in dict.fromkeys(shapes))
    if join == "add" and any(shape != first for shape in others):
        raise ShapeError(f"{words} cannot be added; all ways must bring the same shape")
    if join == "concat":
        axis = -1 if len(first) == 2 else 0
        rest = {(*shape[:axis], *shape[axis + 1 :]) if axis == 0 else shape[:-1] for shape in shapes}
        if len({len(shape) for shape in shapes}) > 1 or len(rest) > 1:
            raise ShapeError(f"{words} cannot stand one behind the other; all but the channels must be the same")
        total = sum(shape[axis] for shape in shapes)
        return (*first[:-1], total) if axis == -1 else (total, *first[1:])
    if join == "multiply":
        for shape in others:
            if len(shape) != len(first) or any(b not in (1, a) for a, b in zip(first, shape, strict=True)):
                raise ShapeError(f"{words} cannot be multiplied")
    return first
