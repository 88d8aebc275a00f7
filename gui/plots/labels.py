"""Placing short labels beside points so that they neither cover each other nor leave the plot, without Qt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Box:
    """A rectangle in plot pixels."""

    left: float
    top: float
    width: float
    height: float

    def overlap(self, other: Box) -> float:
        """Area in common, square pixels."""
        wide = min(self.left + self.width, other.left + other.width) - max(self.left, other.left)
        high = min(self.top + self.height, other.top + other.height) - max(self.top, other.top)
        return max(0.0, wide) * max(0.0, high)


def place_labels(
    points: Sequence[tuple[float, float]],
    sizes: Sequence[tuple[float, float]],
    width: float,
    height: float,
    gap: float = 10.0,
) -> list[Box]:
    """A box for each label, near its point, in the order given (earlier ones get the better places).

    `points`: pixels; `sizes`: width and height of each label; `width`, `height`: the plot. Tried are the right and
    the left side, level first, then ever farther above and below; the least overlap wins.
    """
    dots = [Box(x - 6, y - 6, 12, 12) for x, y in points]
    placed: list[Box] = []
    for (x, y), (wide, high) in zip(points, sizes, strict=True):
        best, least = Box(x + gap, y - high / 2, wide, high), float("inf")
        for rank, (side, rise) in enumerate(
            (s, r) for r in (0, -1, 1, -2, 2, -3, 3, -4, 4, -5, 5, -6, 6) for s in (1, -1)
        ):
            if 2.0 * rank >= least:
                break  # the rank alone costs as much: no later place can be better
            left = x + gap if side > 0 else x - gap - wide
            box = Box(left, y - high / 2 + rise * high, wide, high)
            inside = Box(
                min(max(box.left, 2.0), max(2.0, width - wide - 2)),
                min(max(box.top, 2.0), max(2.0, height - high - 2)),
                wide,
                high,
            )
            moved = abs(inside.left - box.left) + abs(inside.top - box.top)
            cost = sum(inside.overlap(other) for other in placed) * 4 + sum(inside.overlap(dot) for dot in dots)
            cost += 0.5 * moved + 2.0 * rank
            if cost < least:
                best, least = inside, cost
        placed.append(best)
    return placed
