"""What a basin map shows: the map, who arrived by when, and the table of the minima."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from engine.experiment import Array
from engine.minima import hues
from engine.picture import HATCHED, PLAIN, Line, Lines, Regions, Table
from engine.surfaces import Point

FEW = 8  # minima that are all named; of more only the lowest SOME are
SOME = 6
LISTED = 12


@dataclass(frozen=True)
class Found:
    """A map as far as it is made: for each cell [side, side] the label, steps taken and end of the walk that speaks for
    it; `minima` [m]; `walked`: how many starts walked."""

    label: Array
    took: Array
    x: Array
    y: Array
    minima: tuple[Point, ...]
    walked: int

    def share(self, label: int) -> float:
        """Of the map, with this label."""
        return float((self.label == label).mean())


def name(place: Point) -> str:
    """A minimum's name: where it is."""
    x, y = (round(part, 6) + 0.0 for part in place)  # no -0
    return f"({x:.3g}, {y:.3g})"


def named(count: int) -> tuple[int, ...]:
    """Which of so many minima have a name in the legend."""
    return tuple(range(count if count <= FEW else SOME))


def regions(found: Found, extent: tuple[float, float, float, float], note: str) -> Regions:
    """The map: a hue for each minimum, strong where few steps were taken."""
    count = len(found.minima)
    values = np.where(found.label >= 0, found.label, np.where(found.label == -2, count, count + 1))
    taken = np.log1p(found.took.astype(float))
    there = found.label >= 0
    soon, late = np.quantile(taken[there], (0.02, 0.98)) if there.any() else (0.0, 1.0)
    strength = np.clip((late - taken) / max(late - soon, 0.1), 0.0, 1.0)
    many = f"{count} minima, {SOME} named. " if count > FEW else ""
    return Regions(
        values.astype(np.int32), extent, classes=(*map(name, found.minima), "diverged", "not arrived"),
        value_label="steps", note=many + note, strength=strength, told=found.took,
        hues=(*hues(found.minima), HATCHED, PLAIN), named=(*named(count), count, count + 1),
        marks=np.array(found.minima, float).reshape(-1, 2),
    )  # fmt: skip


def arrivals(found: Found, steps: int) -> Lines:
    """The share of starts that are at their minimum to stay, by step."""
    x = np.unique(np.linspace(0, steps, min(steps, 200) + 1).round())
    colours = hues(found.minima)
    there = found.label >= 0

    def line(words: str, mask: Array, **look: Any) -> Line:
        taken = np.sort(found.took[mask])
        return Line(words, x, np.searchsorted(taken, x, side="right") / found.label.size, **look)

    lines = [
        line(name(found.minima[k]), found.label == k, series=f"minimum {k}", place=colours[k])
        for k in named(len(found.minima))
    ]
    return Lines((*lines, line("any minimum", there, dashed=True)))


def table(found: Found, heights: Array) -> Table:
    """The minima by how many starts end there, and what became of the others."""
    counts = np.bincount(found.label[found.label >= 0], minlength=len(found.minima))
    order = np.argsort(-counts, kind="stable")
    lowest = int(np.argmin(heights)) if len(heights) else -1
    listed = order[:LISTED]
    if len(heights) and lowest not in listed:
        listed = np.append(lowest, listed[:-1])
    rows = []
    for k in listed.tolist():
        taken = found.took[found.label == k]
        mean = f"{taken.mean():.0f}" if len(taken) else "-"
        height = f"{round(float(heights[k]), 9) + 0.0:.4g}"
        rows.append((name(found.minima[k]), f"{counts[k] / found.label.size:.2%}", mean, height))
    rest = counts.sum() - counts[listed].sum()
    if len(found.minima) > len(listed):
        rows.append((f"{len(found.minima) - len(listed)} others", f"{rest / found.label.size:.2%}", "", ""))
    rows += [("diverged", f"{found.share(-2):.2%}", "", ""), ("not arrived", f"{found.share(-1):.2%}", "", "")]
    good = tuple(i for i, k in enumerate(listed.tolist()) if heights[k] <= heights[lowest] + 1e-9)
    return Table(("minimum", "share", "mean steps", "height"), tuple(rows), good)
