"""Ranges for axes that stay calm while data streams in, without Qt."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import numpy as np

from gui.plots.geometry import Floats
from gui.plots.ticks import nice_step

Span = tuple[float, float]


def extent(values: Floats) -> Span | None:
    """Smallest and largest finite value, or None if there is none."""
    if not values.size:
        return None
    low, high = float(values.min()), float(values.max())
    if math.isfinite(low) and math.isfinite(high):
        return low, high
    finite = values[np.isfinite(values)]
    return (float(finite.min()), float(finite.max())) if finite.size else None


def union(spans: Iterable[Span | None]) -> Span | None:
    """The span of all spans, or None if there is none."""
    known = [span for span in spans if span is not None]
    return (min(s[0] for s in known), max(s[1] for s in known)) if known else None


SAMPLE = 512  # values that suffice to know what is usual


DECADES = 8.0  # how far beyond the usual a logarithmic axis goes
LEAVING = 2.0  # decades above the usual that are left of what goes further: its line is seen leaving


def without_flight(arrays: Sequence[Floats], low: float, high: float, *, log: bool) -> tuple[float, float]:
    """Cut a range to what can still be read when a series has diverged, or is far ahead of the others.

    A value 1e6 times beyond the 90th percentile of all sizes is out of the picture (log: 8 decades above the 75th
    percentile or below the 10th, every series' beginning included): its line is seen leaving, and the others stay
    readable. The whole can still be reached by zooming out.
    """
    pool = np.concatenate([values[np.isfinite(values)] for values in arrays])
    if not pool.size:
        return low, high
    if log:
        bottom, usual = (float(value) for value in np.percentile(pool, (10, 75)))
        begun = [float(values[0]) for values in arrays if values.size and np.isfinite(values[0])]
        usual = max(usual, *begun, usual)
        top = usual + LEAVING if high > usual + DECADES else high
        return min(max(low, min(bottom - DECADES, *begun, bottom)), high), max(top, low)
    size = float(np.percentile(np.abs(pool), 90))
    if size > 0 and max(abs(low), abs(high)) > 1e6 * size:
        return max(low, -3 * size), min(high, 3 * size)
    return low, high


def calm(
    low: float, high: float, held: tuple[float, float] | None, *, log: bool, ahead: float = 0.0
) -> tuple[float, float]:
    """A round range around [low, high] that keeps to the one `held` as long as that still fits.

    It grows as soon as data leaves it, and shrinks only when the data fills less than two fifths. `log`: the values
    are decimal exponents, and the range ends on whole or half decades. `ahead`: where it grows, it grows by this share
    more, so that it stands still for a while.
    """
    if held is not None and held[0] <= low and high <= held[1] and high - low >= 0.4 * (held[1] - held[0]):
        return held
    if low == high == 0 and not log:
        return 0.0, 1.0  # a share or a count that is nought: neither is ever below
    if not high > low:
        spread = 1.0 if log else (abs(low) * 0.1 or 1.0)
        return low - spread / 2, high + spread / 2
    decades = 1.0 if high - low > 3 else 0.5 if high - low > 1 else 0.1
    step = decades if log else nice_step(high - low, 5) / 2
    pad, more = 0.04 * (high - low), ahead * (high - low)
    down, up = (pad + more if grown else pad for grown in _grown(low, high, held))
    first, last = math.floor((low - down) / step) * step, math.ceil((high + up) / step) * step
    if not log and low >= 0 > first:
        first = 0.0
    if held is not None and high - low >= 0.4 * (held[1] - held[0]):  # growing: never give back on the other side
        first, last = min(first, held[0]), max(last, held[1])
    return first, last


def _grown(low: float, high: float, held: tuple[float, float] | None) -> tuple[bool, bool]:
    """Whether data left the held range below, and above."""
    return (low < held[0], high > held[1]) if held is not None else (False, False)


def room_ahead(low: float, high: float, held: tuple[float, float] | None) -> tuple[float, float]:
    """A range for steps: from the first to a round number ahead of the last, so that it rarely has to grow."""
    if held is not None and held[0] == low and held[1] >= high >= 0.2 * held[1]:
        return held
    span = max(high - low, 1e-9)
    base = 10.0 ** math.floor(math.log10(span))
    ahead = next((m * base for m in (1.0, 1.5, 2.0, 3.0, 5.0, 7.5, 10.0) if m * base >= span * (1 - 1e-9)), span)
    return low, low + max(ahead, 10.0 if float(high).is_integer() and span < 10 else ahead)
