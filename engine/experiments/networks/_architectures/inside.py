"""The coming layer in equations: its shape, its parameters, its multiply-adds and what it sees, each in numbers."""

from __future__ import annotations

import math
from collections.abc import Iterator

from engine.architectures.graph import leaves
from engine.architectures.layers import Attention, Conv, Layer, Linear, Norm, Pool, Shape, written
from engine.architectures.measuring import Field, Measured, Row
from engine.experiment import Inside
from engine.quantity import Quantity

JOINED = {
    "add": "Ways of one shape are added, number by number.",
    "concat": "The ways stand one behind the other by channels.",
    "multiply": "Each channel is multiplied by its gate.",
}
FREE = {
    "activation": "Number by number; it learns nothing, and its cost is not counted.",
    "dropout": "In training a share of the numbers is set to 0; it learns nothing.",
    "reshape": "The same numbers in another order.",
    "pool": "It learns nothing.",
}


def inside(found: Measured, series: str, step: int) -> Inside:
    """What the layer after `step` layers does. Of the end, and of a layer that cannot be, a sentence."""
    if step >= len(found.rows):
        words = found.broken or "All layers are done. Step back, or click on a layer, to see its equations."
        return Inside(series, (), (), note=words[0].upper() + words[1:])
    row = found.rows[step]
    layer = [leaf for part in found.network.parts for leaf in leaves(part)][step]
    quantities = (
        Quantity("parameters", "P", (int(row.parameters),), "scale"),
        Quantity("multiply-adds", "M", (int(row.multiply_adds),), "scale"),
        Quantity("receptive field", "r", (int(row.field.size),), "scale"),
    )
    lines = list(_lines(layer, row, _before(found, row))) if isinstance(layer, Layer) else []
    what = JOINED.get(row.kind) or FREE.get(row.kind, "")
    within = f", in {' › '.join(row.path)}" if row.path else ""
    note = f"Layer {step + 1}, {row.words}{within}: {written(row.inside)} becomes {written(row.out)}. {what}".strip()
    return Inside(series, (), quantities, tuple(lines), note)


def _before(found: Measured, row: Row) -> Field:
    """The receptive field of what comes into a layer: that of the last row before it that brings it."""
    nodes, here = found.nodes, Field()
    while True:
        for node in nodes:
            if node.first <= row.place < node.last:
                break
            here = found.rows[node.last - 1].field if node.last > node.first else here
        if not node.ways:
            return here
        ways = [way for way in node.ways if way and way[0].first <= row.place < way[-1].last]
        if not ways:  # it is the join
            return here
        nodes = ways[0]


def _lines(layer: Layer, row: Row, before: Field) -> Iterator[str]:
    given, out = row.inside, row.out
    match layer:
        case Conv() | Pool():
            pad, room = layer.padding, given[1] + 2 * layer.padding
            size = layer.reach if isinstance(layer, Conv) else layer.size
            wide = rf"{given[1]} + {2 * pad} - {size}" if pad else rf"{room} - {size}"
            sides = ("lceil", "rceil") if isinstance(layer, Pool) and layer.ceil else ("lfloor", "rfloor")
            yield rf"n' = \left\{sides[0]} \frac{{{wide}}}{{{layer.stride}}} \right\{sides[1]} + 1 = {out[1]}"
        case Linear():
            yield rf"M = {_product(given)} \cdot {layer.features} = {row.multiply_adds}"
            yield rf"P = {layer.features} \cdot ({given[-1]}{' + 1' if layer.bias else ''}) = {row.parameters}"
        case Norm():
            yield rf"P = 2 \cdot {row.parameters // 2} = {row.parameters}"
        case Attention():
            tokens, width = given
            yield rf"P = 4 \cdot ({width}^2 + {width}) = {row.parameters}"
            yield rf"M = 4 \cdot {tokens} \cdot {width}^2 + 2 \cdot {tokens}^2 \cdot {width}"
            yield rf"\quad = {row.multiply_adds}"
    if isinstance(layer, Conv):
        each = f"{given[0]}" if layer.groups == 1 else rf"\frac{{{given[0]}}}{{{layer.groups}}}"
        one = rf"{each} \cdot {layer.kernel}^2"
        yield rf"P = {out[0]} \cdot {_held(one + ' + 1') if layer.bias else one} = {row.parameters}"
        yield rf"M = {out[1]} \cdot {out[2]} \cdot {out[0]} \cdot {one}"
        yield rf"\quad = {row.multiply_adds}"
    size, _ = layer.window(given)
    if size > 1 and len(given) == 3:
        yield rf"r = {before.size} + ({size} - 1) \cdot {before.jump} = {row.field.size}"


def _product(shape: Shape) -> str:
    return str(shape[0]) if len(shape) == 1 else rf"{math.prod(shape[:-1])} \cdot {shape[-1]}"


def _held(words: str) -> str:
    return rf"\left( {words} \right)"
