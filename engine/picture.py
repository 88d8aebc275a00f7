"""What a dear picture of a state holds: plain arrays and words, made by an experiment's probe, drawn by a plot.

Each kind belongs to one widget in gui/plots; neither side knows the other. Everything here is frozen and crosses the
thread as it is.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Kind = Literal[
    "lines", "map", "regions", "bars", "matrix", "images", "diagram", "table", "blocks", "cube", "architecture",
    "grid", "stack", "sketch",
]  # fmt: skip


@dataclass(frozen=True)
class Line:
    """One line of `Lines`: x, y [n]; `low`, `high` [n] a band around it; `series` names the contestant whose colour it
    has (else its place in the picture says; `place` is filled in by who shows it); `dashed`: a theory or somebody's
    drawing; `points`: marks instead of a line."""

    name: str
    x: Array
    y: Array
    low: Array | None = None
    high: Array | None = None
    series: str = ""
    dashed: bool = False
    points: bool = False
    place: int = -1


@dataclass(frozen=True)
class Lines:
    """Lines over a common abscissa, drawn anew with every answer. `marks`: (x, words) verticals. `note`: a sentence.
    `legend`: False where there are too many lines to name each."""

    lines: tuple[Line, ...]
    marks: tuple[tuple[float, str], ...] = ()
    note: str = ""
    legend: bool = True


@dataclass(frozen=True)
class Dots:
    """Samples on a map: x, y [n]; `value` [n] is a class index (`classes` maps) or a number on the map's own scale.
    `hollow` draws them as rings (test samples)."""

    name: str
    x: Array
    y: Array
    value: Array
    hollow: bool = False


@dataclass(frozen=True)
class Map:
    """A field over a plane: values [rows along y, columns], `extent` (x0, x1, y0, y1).

    `scale`: `signed` (blue below, orange above `centre`), `plain` (low to high), or `classes` (values [classes, rows,
    columns] are shares that sum to 1: the winner's colour, as strong as it is sure). `contours`: levels drawn as lines.
    `paths`: ways on it as (name, x, y).
    """

    values: Array
    extent: tuple[float, float, float, float]
    scale: Literal["signed", "plain", "classes"] = "plain"
    low: float | None = None
    high: float | None = None
    centre: float = 0.0
    contours: tuple[float, ...] = ()
    dots: tuple[Dots, ...] = ()
    paths: tuple[tuple[str, Array, Array], ...] = ()
    classes: tuple[str, ...] = ()
    value_label: str = "value"
    note: str = ""


@dataclass(frozen=True)
class Regions(Map):
    """A plane of cells, each of one region: values [rows along y, columns] are places in `classes`, the regions' names.

    `strength` [rows, columns], 0 to 1, says how bright a cell is; `told` [rows, columns] is read out as `value_label`.
    `hues`: of each region the place in the palette, or PLAIN (grey) or HATCHED (dark, with stripes). `named`: regions
    with a chip in the legend. `marks`: x, y [n, 2] of points to be marked, in the order of the first regions.
    """

    strength: Array = field(default_factory=lambda: np.ones((0, 0)))
    told: Array = field(default_factory=lambda: np.ones((0, 0)))
    hues: tuple[int, ...] = ()
    named: tuple[int, ...] = ()
    marks: Array = field(default_factory=lambda: np.ones((0, 2)))


PLAIN, HATCHED = -1, -2


@dataclass(frozen=True)
class Heat(Regions):
    """Cells of one region on a scale, `values` 0, beside other regions; `strength` is the place on the scale (0: the
    end named `low`). `readings`: (words, numbers [rows, columns]) to be read out; `axes`: (name, whether its numbers
    are decimal logarithms); `settings`: (name, value of each column), (name, of each row); `names`: of the `marks`."""

    readings: tuple[tuple[str, Array], ...] = ()
    axes: tuple[tuple[str, bool], ...] = (("x", False), ("y", False))
    settings: tuple[tuple[str, Array], ...] = ()
    names: tuple[str, ...] = ()


@dataclass(frozen=True)
class Histogram:
    """Counts [n] between edges [n + 1]; `series` names whose colour they have; `note`: a remark."""

    name: str
    edges: Array
    counts: Array
    series: str = ""
    note: str = ""


@dataclass(frozen=True)
class Bars:
    """Histograms side by side, one small frame each."""

    groups: tuple[Histogram, ...]
    log: bool = False
    note: str = ""


@dataclass(frozen=True)
class Matrix:
    """Numbers in cells: values [rows, columns]; `scale` as for Map; `numbers`: write them into the cells."""

    values: Array
    rows: tuple[str, ...]
    columns: tuple[str, ...]
    row_label: str = ""
    column_label: str = ""
    scale: Literal["signed", "plain"] = "plain"
    numbers: bool = True
    note: str = ""


@dataclass(frozen=True)
class Images:
    """Small grey or signed pictures: images [n, h, w] with captions; `marked` are framed."""

    images: Array
    captions: tuple[str, ...] = ()
    scale: Literal["grey", "signed"] = "grey"
    marked: tuple[int, ...] = ()
    note: str = ""


@dataclass(frozen=True)
class Node:
    """A unit of a network: its words, its value, perhaps a picture of its response [h, w] on [-1, 1], and rows of
    (name, number) to be told on hover."""

    label: str
    value: float | None = None
    image: Array | None = None
    told: tuple[tuple[str, str], ...] = ()
    lit: bool = False


@dataclass(frozen=True)
class Edge:
    """A connection: (layer, unit) to (layer, unit), its signed weight (width and colour), words on it, hover rows."""

    tail: tuple[int, int]
    head: tuple[int, int]
    weight: float
    label: str = ""
    told: tuple[tuple[str, str], ...] = ()
    lit: bool = False


@dataclass(frozen=True)
class Diagram:
    """A network drawn layer by layer. `titles` stand above the layers; `more[i]` units of layer i are not drawn.

    `editable`: (layer index of) the layers whose units the reader may add and take away by clicking.
    """

    layers: tuple[tuple[Node, ...], ...]
    edges: tuple[Edge, ...]
    titles: tuple[str, ...] = ()
    more: tuple[int, ...] = ()
    editable: tuple[int, ...] = ()
    extent: tuple[float, float, float, float] | None = None
    note: str = ""


@dataclass(frozen=True)
class Table:
    """Words in rows beneath a head; `good` rows are marked."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    good: tuple[int, ...] = field(default=())
    note: str = ""


Answer = Lines | Map | Bars | Matrix | Images | Diagram | Table


def histogram(name: str, values: Array, bins: int = 30, series: str = "", note: str = "") -> Histogram:
    """Counts of values (any shape) in equal bins; values that are not finite are left out and told."""
    flat = np.asarray(values, float).ravel()
    good = flat[np.isfinite(flat)]
    if len(good) < len(flat):
        note = ", ".join(part for part in (note, f"{len(flat) - len(good):,} not finite") if part)
    with np.errstate(all="ignore"):
        low, high = (float(good.min()), float(good.max())) if len(good) else (0.0, 1.0)
    if not np.isfinite(high - low):
        good, low, high = np.clip(good, -1e300, 1e300), -1e300, 1e300
    if high - low <= 1e-12 * max(abs(low), abs(high), 1e-300):
        low, high = low - max(0.5, abs(low) * 1e-6), high + max(0.5, abs(high) * 1e-6)
    counts, edges = np.histogram(good, bins=bins, range=(low, high))
    return Histogram(name, edges, counts, series, note)
