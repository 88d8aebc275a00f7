"""From strokes of a pen to the cells of a small grey picture.

A picture is drawn as those of the data set were made: strokes on a bitmap four times as fine, of which each cell
counts the points that are inked (Kaynak 1995). It is fitted as they were, too: what is drawn is brought to the full
height of the frame and to its middle.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

FINE = 4  # points of the bitmap along one side of a cell
NIB = 2.4  # radius of the pen, in points of the bitmap: about as much ink as in the data
WIDEST = 0.75  # of the frame, that a fitted drawing may fill from left to right: six cells of eight
SMALLEST = 6.0  # points of height: a mere dot is not blown up
Stroke = list[tuple[float, float]]
Values = NDArray[np.float64]


def inked(strokes: Sequence[Sequence[tuple[float, float]]], side: int, levels: int = 16, fit: bool = True) -> Values:
    """Strokes as a picture [side, side] from 0 to `levels`. Points (x, y) of strokes are in cells from the left top."""
    lines = [np.asarray(stroke, float) * FINE for stroke in strokes if len(stroke)]
    if not lines:
        return np.zeros((side, side))
    if fit:
        lines = fitted(lines, side * FINE)
    middle = np.arange(side * FINE) + 0.5
    x, y = np.meshgrid(middle, middle)
    bitmap = np.zeros(x.shape, bool)
    for line in lines:
        ends = np.vstack([line, line[-1:]])
        for (ax, ay), (bx, by) in pairwise(ends.tolist()):
            dx, dy = bx - ax, by - ay
            length = dx * dx + dy * dy
            along = np.clip(((x - ax) * dx + (y - ay) * dy) / length, 0.0, 1.0) if length else 0.0
            bitmap |= (x - ax - along * dx) ** 2 + (y - ay - along * dy) ** 2 <= NIB * NIB
    counts = bitmap.reshape(side, FINE, side, FINE).sum(axis=(1, 3))
    return np.asarray(np.rint(counts * (levels / FINE**2)))


def fitted(lines: Sequence[Values], size: int) -> list[Values]:
    """Lines in points of a bitmap of `size`, brought to its full height (or WIDEST of its width) and its middle."""
    every = np.vstack(list(lines))
    low, high = every.min(axis=0), every.max(axis=0)
    wide, tall = np.maximum(high - low, 1e-9)
    zoom = min((size - 2 * NIB) / max(tall, SMALLEST), (WIDEST * size - 2 * NIB) / wide)
    return [(line - (low + high) / 2) * zoom + size / 2 for line in lines]
