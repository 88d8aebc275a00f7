"""Where the parts of a network diagram stand: columns of nodes, edges as polylines, plates for words. No painting."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.picture import Diagram
from gui.plots.geometry import Floats
from gui.plots.labels import Box

MOST_UNITS, MOST_EDGES = 10, 600
LEAST_ROW = 19.0  # px at scale 1: rows closer than this are left to '+N'
BUTTON = 21.0  # px at scale 1 from one button to the next
TITLE, CONTROLS, COUNT, LABEL = 22.0, 26.0, 18.0, 16.0  # px at scale 1: heights of the strips
LARGEST_NODE, SMALLEST_NODE = 56.0, 7.0  # px at scale 1
CLEAR = 60  # edges up to which words look for a place where only their own edge runs
CROWDED = 0.4  # of a plate may lie upon others
PLACES = (0.5, 0.4, 0.6, 0.3, 0.7, 0.22, 0.78, 0.15, 0.85)  # along an edge, where its words may stand

Area = tuple[float, float, float, float]  # left, top, width, height
Indices = NDArray[np.intp]


@dataclass(frozen=True)
class Needs:
    """What the words of a diagram ask for, px: beside the first and the last column, and inside the nodes of each."""

    before: float
    after: float
    inside: tuple[float, ...]
    below: bool
    titled: bool
    controls: bool


@dataclass(frozen=True)
class Layout:
    """Columns `x` [layers], node centres `y` (an array a layer, only nodes that are drawn), half their widths
    `half` [layers], half their height `reach`; `more` [layers] are not drawn; `pitch`: px between columns.

    `title_y`, `controls_y` are the middles of the strips (of two rows of controls: of the first); `labels` says
    whether words stand below nodes, `stacked` whether there are two rows.
    """

    area: Area
    x: tuple[float, ...]
    y: tuple[Floats, ...]
    half: tuple[float, ...]
    reach: float
    pitch: float
    more: tuple[int, ...]
    title_y: float
    controls_y: float
    labels: bool
    stacked: bool

    def node_at(self, x: float, y: float) -> tuple[int, int] | None:
        """(layer, unit) of the node under a point."""
        for layer, (cx, half) in enumerate(zip(self.x, self.half, strict=True)):
            if abs(x - cx) <= max(half, 8.0) and len(self.y[layer]):
                unit = int(np.abs(self.y[layer] - y).argmin())
                if abs(float(self.y[layer][unit]) - y) <= max(self.reach, 6.0):
                    return layer, unit
        return None

    def shows(self, layer: int, unit: int) -> bool:
        """Whether this node is drawn."""
        return 0 <= layer < len(self.y) and 0 <= unit < len(self.y[layer])


def lay_out(diagram: Diagram, area: Area, unit: float, needs: Needs) -> Layout:
    """Place the nodes of a diagram in an area (px); `unit` is the theme's scale."""
    left, top, width, height = area
    title_y = top + TITLE * unit / 2
    y0 = top + (TITLE * unit if needs.titled else 0.0)
    controls_y = y0 + CONTROLS * unit / 2
    # Where columns are too close for two buttons side by side, they stand one above the other.
    stacked = width - needs.before - needs.after < 2.1 * BUTTON * unit * max(len(diagram.layers), 1)
    y0 += ((2 if stacked else 1) * CONTROLS - (5 if stacked else 0)) * unit if needs.controls else 4 * unit
    room = max(top + height - y0, 1.0)
    counts = [len(layer) for layer in diagram.layers]
    most = int(min(MOST_UNITS, max(2, (room - COUNT * unit) // (LEAST_ROW * unit))))
    drawn = [min(n, most) for n in counts]
    told = [*diagram.more, *([0] * len(counts))][: len(counts)]
    more = tuple(n - shown + max(extra, 0) for n, shown, extra in zip(counts, drawn, told, strict=True))
    room = max(room - (COUNT * unit if any(more) else 2 * unit), 1.0)
    columns = max(len(counts), 1)
    row = room / max(max(drawn, default=1), 1)
    labels = needs.below and row >= (LABEL + 22) * unit
    inner = row - (LABEL * unit if labels else 0.0)
    free = max(width - needs.before - needs.after, 1.0)
    side = min(0.84 * inner, LARGEST_NODE * unit, 0.5 * free / max(columns - 0.5, 1.0))
    side = max(side, min(SMALLEST_NODE * unit, row))
    widest = 0.62 * free / columns
    half = tuple(max(side, min(words, widest)) / 2 for words in needs.inside)
    first, last = (half[0], half[-1]) if half else (0.0, 0.0)
    begin, end = left + needs.before + first, left + width - needs.after - last
    # A pair of columns at the far ends of a wide plot belongs together no more than it has to.
    most_wide = 300 * unit * max(columns - 1, 1)
    if end - begin > most_wide:
        begin, end = (begin + end - most_wide) / 2, (begin + end + most_wide) / 2
    xs = np.linspace(begin, end, columns) if columns > 1 else np.array([(begin + end) / 2])
    ys: list[Floats] = []
    for n in drawn:
        pitch = min(room / max(n, 1), 1.6 * row)
        middle = y0 + room / 2 - (LABEL * unit / 2 if labels else 0.0)
        ys.append(np.asarray(middle + (np.arange(n) - (n - 1) / 2) * pitch, np.float64))
    pitch_x = float(xs[1] - xs[0]) if columns > 1 else free
    return Layout(
        area, tuple(float(x) for x in xs[: len(counts)]), tuple(ys), half, side / 2, pitch_x, more,
        title_y, controls_y, labels, stacked,
    )  # fmt: skip


# -- edges ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Wires:
    """The edges that are drawn, weakest first: their `index` in the diagram [m], weights [m], `strength` [m] from 0
    to 1, polylines `x`, `y` [m, k] in px, and which are lit [m]."""

    index: Indices
    weight: Floats
    strength: Floats
    x: Floats
    y: Floats
    lit: NDArray[np.bool_]

    def near(self, x: float, y: float, reach: float) -> int | None:
        """The index in the diagram of the edge next to a point, if it is within reach (px)."""
        if not len(self.index):
            return None
        ax, ay, bx, by = self.x[:, :-1], self.y[:, :-1], self.x[:, 1:], self.y[:, 1:]
        dx, dy = bx - ax, by - ay
        t = np.clip(((x - ax) * dx + (y - ay) * dy) / np.maximum(dx * dx + dy * dy, 1e-12), 0.0, 1.0)
        far = np.hypot(ax + t * dx - x, ay + t * dy - y).min(axis=1)
        best = int(far.argmin())
        return int(self.index[best]) if far[best] <= reach else None


def lay_wires(diagram: Diagram, layout: Layout, points: int) -> Wires:
    """The edges between nodes that are drawn, `points` of a curve each; of very many only the strongest and the lit."""
    count = len(diagram.edges)
    ends = np.array([(*e.tail, *e.head) for e in diagram.edges], np.intp).reshape(count, 4)
    weight = np.array([e.weight for e in diagram.edges], float)
    lit = np.array([e.lit for e in diagram.edges], bool)
    sizes = np.array([len(y) for y in layout.y], np.intp)
    keep = np.ones(count, bool)
    for column in (0, 2):
        layers = ends[:, column]
        known = (layers >= 0) & (layers < len(sizes))
        size = sizes[np.where(known, layers, 0)] if len(sizes) else np.zeros(count, np.intp)
        keep &= known & (ends[:, column + 1] >= 0) & (ends[:, column + 1] < size)
    with np.errstate(invalid="ignore"):
        size = np.where(np.isfinite(weight), np.abs(weight), np.inf)
    finite = size[keep & np.isfinite(size)]
    top = float(finite.max()) if finite.size else 0.0
    strength = np.where(np.isfinite(size), size / top if top > 0 else 0.0, 1.0)
    index = np.flatnonzero(keep)
    order = np.argsort(strength[index] + 2.0 * lit[index], kind="stable")
    index = index[order][-MOST_EDGES:]
    x, y = _curves(layout, ends[index], points)
    return Wires(index, weight[index], strength[index], x, y, lit[index])


def _curves(layout: Layout, ends: Indices, points: int) -> tuple[Floats, Floats]:
    """Cubic curves that leave and reach the nodes level; edges that skip layers or go back bow upwards."""
    if not len(ends):
        return np.empty((0, points)), np.empty((0, points))
    xs, half = np.array(layout.x), np.array(layout.half)
    starts = np.concatenate([[0], np.cumsum([len(y) for y in layout.y])])
    all_y = np.concatenate(layout.y)
    tail, head = ends[:, 0], ends[:, 2]
    ax, bx = xs[tail] + half[tail], xs[head] - half[head]
    ay, by = all_y[starts[tail] + ends[:, 1]], all_y[starts[head] + ends[:, 3]]
    t = np.linspace(0.0, 1.0, points)
    pull = 0.42 * np.abs(bx - ax)[:, None]
    a, b, c, d = (1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t**2 * (1 - t), t**3
    x = a * ax[:, None] + b * (ax[:, None] + pull) + c * (bx[:, None] - pull) + d * bx[:, None]
    y = (a + b) * ay[:, None] + (c + d) * by[:, None]
    bow = np.where(head - tail == 1, 0.0, 1.6 * layout.reach + 10.0)[:, None]
    y = y - bow * 4 * t * (1 - t)
    left, top, width, height = layout.area
    return np.clip(x, left, left + width), np.clip(y, top, top + height)


def _crossings(wires: Wires, row: int, boxes: Floats) -> Floats:
    """How many other edges each box [k, 4] lies on: words belong to the one edge that they cover."""
    x, y, b = wires.x[None], wires.y[None], boxes[:, :, None, None]
    inside = (x > b[:, 0]) & (x < b[:, 2]) & (y > b[:, 1]) & (y < b[:, 3])
    touched = np.asarray(inside.any(axis=2), bool)
    touched[:, row] = False
    counts: Floats = touched.sum(axis=1).astype(float)
    return counts


def place_plates(
    wires: Wires, chosen: Sequence[int], sizes: Sequence[tuple[float, float]], solid: list[Box]
) -> list[Box | None]:
    """A box for the words of each chosen edge (rows of `wires`), somewhere along it; the least overlap with the boxes
    placed before and with `solid` ones wins. None where nothing but a place upon others is left."""
    placed = np.array([(b.left, b.top, b.left + b.width, b.top + b.height) for b in solid], float).reshape(-1, 4)
    hard = len(placed)
    made: list[Box | None] = []
    along = np.linspace(0.0, 1.0, wires.x.shape[1]) if len(wires.index) else np.zeros(0)
    for row, (wide, high) in zip(chosen, sizes, strict=True):
        cx = np.interp(PLACES, along, wires.x[row])
        cy = np.interp(PLACES, along, wires.y[row])
        boxes = np.stack([cx - wide / 2, cy - high / 2, cx + wide / 2, cy + high / 2], axis=1)
        over = np.minimum(boxes[:, None, 2:], placed[None, :, 2:]) - np.maximum(boxes[:, None, :2], placed[None, :, :2])
        shared = np.clip(over + 2.0, 0.0, None).prod(axis=2)
        hidden = shared.sum(axis=1)
        shared[:, :hard] *= 3.0
        crossed = _crossings(wires, row, boxes) if len(wires.index) <= CLEAR else 0.0
        cost = shared.sum(axis=1) + 3.0 * np.arange(len(PLACES)) + 45.0 * crossed
        best = int(cost.argmin())
        if hidden[best] > CROWDED * wide * high:
            made.append(None)
            continue
        placed = np.vstack([placed, boxes[best]])
        made.append(Box(float(boxes[best, 0]), float(boxes[best, 1]), wide, high))
    return made
