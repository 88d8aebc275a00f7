"""Architectures layer by layer: shapes, parameters, multiply-adds, receptive fields. Chapter 10.4.1, 10.4.2."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from engine.architectures.measuring import BYTES, Measured
from engine.architectures.sketch import Piece, pieces
from engine.experiment import Array, Basis, Columns, Curve, Drawn, Ending, Picture
from engine.experiments.networks._architectures import pictures
from engine.experiments.networks._architectures.settings import CUSTOM, ArchitecturesSpec, measured
from engine.spec import Spec

COLUMNS = (
    "parameters", "multiply_adds", "layer_parameters", "layer_multiply_adds", "memory", "total_memory",
    "receptive_field", "channels", "places",
)  # fmt: skip
SHARES = ("parameter_share", "multiply_add_share")


@dataclass
class State:
    """How far the forward pass has come. The network measured, its drawing, and every column [layers + 1, 1] follow
    from the settings and never change."""

    step: int
    found: Measured = field(metadata={"scratch": True})
    pieces: tuple[Piece, ...] = field(metadata={"scratch": True})
    table: Mapping[str, Array] = field(metadata={"scratch": True})

    def __deepcopy__(self, memo: dict[int, Any]) -> State:
        """A snapshot shares what never changes."""
        return State(self.step, self.found, self.pieces, self.table)


def _table(found: Measured) -> dict[str, Array]:
    """Every column, its first row the input."""
    start = found.network.input
    counts = np.array([0, *(row.parameters for row in found.rows)], float)
    work = np.array([0, *(row.multiply_adds for row in found.rows)], float)
    memory = np.array([BYTES * math.prod(start), *(row.memory for row in found.rows)], float)
    shapes = [start, *(row.out for row in found.rows)]
    columns = {
        "parameters": counts.cumsum(), "multiply_adds": work.cumsum(), "layer_parameters": counts,
        "layer_multiply_adds": work, "memory": memory, "total_memory": memory.cumsum(),
        "receptive_field": [1, *(row.field.size for row in found.rows)],
        "channels": [shape[0] if len(shape) == 3 else shape[-1] for shape in shapes],
        "places": [math.prod(shape[1:]) if len(shape) == 3 else shape[0] if len(shape) == 2 else 1 for shape in shapes],
        "parameter_share": counts.cumsum() / max(found.parameters, 1),
        "multiply_add_share": work.cumsum() / max(found.multiply_adds, 1),
    }  # fmt: skip
    return {name: np.asarray(values, float)[:, None] for name, values in columns.items()}


class Architectures(Basis):
    """See the module's text. One step is one layer of the forward pass, joins included.

    `parameters`, `multiply_adds` and `total_memory` are those of all layers so far, the input's memory included. A
    network whose shapes cannot be fails at the layer that cannot take what comes in.
    """

    id: ClassVar[str] = "networks.architectures"
    title: ClassVar[str] = "Architectures"
    section: ClassVar[str] = "10.4.1"
    summary: ClassVar[str] = "Networks from the chapter, the literature and you: drawn, counted, written as PyTorch."
    Spec: ClassVar[type[Spec]] = ArchitecturesSpec
    columns: ClassVar[tuple[str, ...]] = COLUMNS
    extras: ClassVar[tuple[str, ...]] = SHARES
    loss: ClassVar[str] = ""
    unit: ClassVar[str] = "layer"
    steps_key: ClassVar[str] = ""
    pace: ClassVar[float] = 12.0
    eager: ClassVar[bool] = True
    plots: ClassVar[tuple[Curve | Picture, ...]] = (
        Picture("network", "Network", "architecture"),
        Picture("inner", "The block", "architecture", every=0.15),
        Picture("costs", "Cost of every layer", "bars", every=3600.0),
        Curve("receptive_field", "Receptive field", "input places", log=True, x_label="layer"),
        Picture("parts", "Where the cost is", "table", every=0.15),
        Curve("parameter_share", "Cost so far", "share of the whole", x_label="layer", others=("multiply_add_share",),
              words={"parameter_share": "parameters", "multiply_add_share": "multiply-adds"}),
        Curve("channels", "Width and places", "count", log=True, x_label="layer", others=("places",),
              words={"channels": "channels", "places": "places (height × width)"}),
        Curve("memory", "Memory of the output", "bytes", log=True, x_label="layer"),
        Picture("layers", "Layer by layer", "table", every=0.15),
        Picture("library", "The library", "table", every=3600.0),
    )  # fmt: skip

    # -- settings ----------------------------------------------------------------------------------------------------

    def check(self, spec: Any) -> None:
        """The text must be a network, and the input a shape."""
        measured(spec)

    def doubt(self, spec: Any) -> tuple[str, str]:
        """The setting that makes a layer impossible, and a line that names layer and reason; both empty where all can
        be. Such a network is measured and drawn up to that layer."""
        broken = measured(spec).broken
        return ("layers" if spec.model == CUSTOM else "input", broken) if broken else ("", "")

    def series(self, spec: Any) -> tuple[str, ...]:
        """The network."""
        return (str(spec.model),)

    def facts(self, spec: Any) -> Mapping[str, int]:
        """What the whole network costs, however far the run goes."""
        found = measured(spec)
        return {"parameters": found.parameters, "multiply_adds": found.multiply_adds}

    def label(self, series: str) -> str:
        """A network's title."""
        from engine.architectures.library import TITLES

        return {**TITLES, CUSTOM: "Your own"}.get(series, series)

    def steps(self, spec: Any) -> int:
        """One for each layer and join; one more where it fails there."""
        found = measured(spec)
        return len(found.rows) + bool(found.broken)

    # -- running -----------------------------------------------------------------------------------------------------

    def start(self, spec: Any) -> State:
        """The input, no layer yet."""
        found = measured(spec)
        return State(0, found, pieces(found), _table(found))

    def measure(self, state: State, spec: Any) -> Columns:
        """The row behind the layer in hand."""
        at = min(state.step, len(state.found.rows))
        return Columns({name: state.table[name][at : at + 1] for name in (*COLUMNS, *SHARES)})

    def advance(self, state: State, spec: Any, n: int) -> Columns:
        """The next n layers; fewer where the network ends, or cannot go on."""
        last = len(state.found.rows)
        first, stop = state.step, min(state.step + n, last)
        values = {name: state.table[name][first + 1 : stop + 1] for name in (*COLUMNS, *SHARES)}
        state.step = max(first, stop)
        if not state.found.broken or first + n <= last or first > last:
            return Columns(values)
        state.step = last + 1
        empty = np.full((1, 1), np.nan)
        ending = Ending(0, "failed", last + 1, state.found.broken)
        return Columns({name: np.concatenate([rows, empty]) for name, rows in values.items()}, (ending,))

    # -- looking -----------------------------------------------------------------------------------------------------

    def probe(self, state: State, spec: Any, name: str, **asked: Any) -> Any:
        """`network`, `inner`: the drawing, and the block around the layer in hand. `costs`, `parts`, `layers`,
        `library`."""
        found, row = state.found, state.step - 1
        match name:
            case "network":
                return pictures.drawing(found, state.pieces, row)
            case "inner":
                return pictures.inner(found, state.pieces, row)
            case "costs":
                return pictures.costs(found)
            case "parts":
                return pictures.parts(found, state.pieces, row)
            case "layers":
                return pictures.layers(found, row)
            case "library":
                return pictures.library(spec.model)
            case "inside":
                from engine.experiments.networks._architectures.inside import inside

                return inside(found, spec.model, state.step)
        raise KeyError(name)

    def training(self, spec: Any) -> tuple[str, dict[str, Any]] | str:
        """The experiment that trains this network, and its settings; a sentence where none does."""
        from engine.experiments.networks._architectures.training import training

        return training(spec, measured(spec))

    # -- the chapter, questions and the script -----------------------------------------------------------------------

    def drawn(self, spec: Any, view: Any) -> tuple[Drawn, ...]:
        """The shapes that the chapter writes beside its CNN."""
        from engine.experiments.networks._architectures.chapter import drawn

        return drawn(spec, measured(spec))

    def answer(self, spec: Any, view: Any, words: str) -> str:
        """`most parameters`, `most multiply_adds`: the kind of layer that has most. `more A`: whether this network has
        more or fewer parameters than A of the library. `field`: whether the largest receptive field of a convolution
        is larger or smaller than the input."""
        what, _, other = words.partition(" ")
        found = measured(spec)
        if what == "most" and other in ("parameters", "multiply_adds"):
            sums: dict[str, int] = {}
            for row in found.rows:
                sums[row.kind] = sums.get(row.kind, 0) + getattr(row, other)
            return max(sums, key=lambda kind: sums[kind])
        if what == "more":
            return "more" if found.parameters > pictures.parameters_of(other) else "fewer"
        if what == "field":
            seen = max(row.field.size for row in found.rows if row.kind == "conv")
            return "larger" if seen > max(found.network.input[1:]) else "smaller"
        return super().answer(spec, view, words)

    def script(self, spec: Any, events: Sequence[Any], steps: int, end: State) -> str:
        """A PyTorch script with the network as an nn.Module, which asserts what was measured up to layer `steps`."""
        from engine.experiments.networks._architectures.script import write

        return write(end.found, steps)
