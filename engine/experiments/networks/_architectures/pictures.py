"""The pictures beside the drawing: where the cost is, layer by layer and part by part, and the library compared."""

from __future__ import annotations

from functools import cache

import numpy as np

from engine.architectures.layers import written
from engine.architectures.library import LIBRARY, TITLES
from engine.architectures.measuring import Measured, measure
from engine.architectures.sketch import Piece, Sketch, innermost, short
from engine.picture import Bars, Histogram, Table

PUBLISHED: dict[str, tuple[int, float | None]] = {  # parameters; multiply-adds in 1e9, both as torchvision says
    "chapter_cnn": (4275594, None), "mlp": (11810, None), "lenet5": (61706, None), "alexnet": (61100840, 0.71),
    "vgg16": (138357544, 15.47), "googlenet": (6624904, 1.50), "resnet18": (11689512, 1.81),
    "resnet50": (25557032, 4.09), "resnext50_32x4d": (25028904, 4.23), "densenet121": (7978856, 2.83),
    "efficientnet_b0": (5288548, 0.39),
}  # fmt: skip


def drawing(found: Measured, pieces: tuple[Piece, ...], row: int) -> Sketch:
    """The whole network with the row in hand."""
    total = f"{found.parameters:,} parameters, {found.multiply_adds:,} multiply-adds"
    hint = "" if found.broken else "Click: fold and unfold.  Wheel: zoom.  Drag: move.  Double click: all of it."
    return Sketch(pieces, written(found.network.input), row, note=found.broken or f"{total}.", hint=hint)


def inner(found: Measured, pieces: tuple[Piece, ...], row: int) -> Sketch | None:
    """The block around the row in hand, all unfolded."""
    if not found.rows:
        return None
    row = min(max(0, row), len(found.rows) - 1)
    inside = innermost(pieces, row)
    if not inside:
        return None
    here = found.rows[inside[0].first]
    where = "".join(f", in {name}" for name in here.path[-1:])
    fails = f"Layer {row + 2} fails. " if found.broken and row == len(found.rows) - 1 else ""
    return Sketch(inside, written(here.inside), row, True, f"{fails}Layer {row + 1}: {found.rows[row].words}{where}")


def costs(found: Measured) -> Bars:
    """Parameters and multiply-adds of every layer."""
    edges = np.arange(len(found.rows) + 1.0)
    groups = []
    if not found.rows:
        return Bars(())
    for name, values in (
        ("parameters", [one.parameters for one in found.rows]),
        ("multiply-adds", [one.multiply_adds for one in found.rows]),
    ):
        groups.append(Histogram(name, edges, np.asarray(values, float)))
    words = "Up to the layer that fails" if found.broken else "Layer by layer, from the input on"
    return Bars(tuple(groups), note=words)


def layers(found: Measured, row: int) -> Table:
    """Every layer, the one in hand marked."""
    rows = tuple(
        (str(one.place + 1), one.words, written(one.out), f"{one.parameters:,}", f"{one.multiply_adds:,}",
         str(one.field.size), one.path[0] if one.path else "")
        for one in found.rows
    )  # fmt: skip
    head = ("layer", "what", "output", "parameters", "multiply-adds", "field", "part")
    return Table(head, rows, (row,) if 0 <= row < len(rows) else ())


def parts(found: Measured, pieces: tuple[Piece, ...], row: int) -> Table:
    """The parts at the top of the drawing that have a cost."""
    rows, good = list[tuple[str, ...]](), list[int]()
    for piece in pieces:
        inside = found.rows[piece.first : piece.last]
        count, work = sum(one.parameters for one in inside), sum(one.multiply_adds for one in inside)
        if not count and not work:
            continue
        if piece.first <= row < piece.last:
            good.append(len(rows))
        times = f" ×{piece.times}" if piece.times > 1 else ""
        rows.append(
            (piece.words + times, piece.out, short(count), _share(count, found.parameters), short(work),
             _share(work, found.multiply_adds))
        )  # fmt: skip
    return Table(("part", "output", "parameters", "share", "multiply-adds", "share"), tuple(rows), tuple(good))


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.1%}" if whole else "–"


@cache
def _standing() -> dict[str, tuple[int, int, int]]:
    """Parameters, multiply-adds and layers of the whole library. Never changes."""
    told = {name: measure(make()) for name, make in LIBRARY.items()}
    return {name: (one.parameters, one.multiply_adds, len(one.rows)) for name, one in told.items()}


def library(model: str) -> Table:
    """The library, computed and published."""
    rows, good = list[tuple[str, ...]](), list[int]()
    for name, (count, work, deep) in _standing().items():
        known = PUBLISHED.get(name)
        if name == model:
            good.append(len(rows))
        rows.append(
            (TITLES[name], f"{count:,}", "–" if known is None else "same" if known[0] == count else f"{known[0]:,}",
             f"{short(work)}", f"{known[1]:.2f} G" if known and known[1] else "–", str(deep))
        )  # fmt: skip
    head = ("network", "parameters", "published", "multiply-adds", "published", "layers")
    return Table(head, tuple(rows), tuple(good))


def parameters_of(model: str) -> int:
    """Computed parameters of a network of the library."""
    return _standing()[model][0]
