"""Three ways to read a peak rate off a range test: where it falls steepest, a tenth of its minimum, its valley.

The names and the rules are those of the fastai library (`lr_find`, Howard and Gugger 2020), which tests as Smith 2017,
section 3.3, proposed; so are its margins: the first tenth of the planned steps and the last five are left out.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
LAST = 5  # steps left out at the end, where the loss may be on its way out
FEWEST = 3  # losses that a suggestion needs
TENTH = 10.0
FELL = 0.75  # a lowest loss above this share of the one at the beginning is no fall to speak of


@dataclass(frozen=True)
class Found:
    """What the losses say: the rates suggested (nan: none), and the places in the test they were read from.

    `steepest`: the step before the steepest fall; `lowest`: the step with the lowest smoothed loss; `fall`: first step,
    middle and last step of the valley. All are indices into the test.
    """

    steepest_rate: float = np.nan
    minimum_tenth: float = np.nan
    valley_rate: float = np.nan
    steepest: int = -1
    lowest: int = -1
    fall: tuple[int, int, int] = (-1, -1, -1)

    @property
    def rates(self) -> tuple[float, float, float]:
        """Steepest, minimum / 10, valley."""
        return self.steepest_rate, self.minimum_tenth, self.valley_rate


def suggest(rates: Floats, smoothed: Floats, planned: int) -> Found:
    """What a test says that was planned with so many steps; rates and smoothed losses [n] of those taken."""
    first, last = planned // 10, len(smoothed) - LAST
    if last - first < FEWEST:
        return Found()
    losses = smoothed[first:last]
    falls, low = first + steepest(losses), first + int(np.argmin(losses))
    begin, middle, end = (first + i for i in valley(losses))
    return Found(float(rates[falls]), float(rates[low]) / TENTH, float(rates[middle]), falls, low, (begin, middle, end))


def fell(smoothed: Floats, planned: int) -> bool:
    """Whether the smoothed loss fell by a quarter and more from the end of the first tenth on: else there is nothing
    to read off."""
    losses = smoothed[planned // 10 : len(smoothed) - LAST]
    return bool(len(losses) and losses.min() <= FELL * losses[0])


def steepest(losses: Floats) -> int:
    """The place before the largest fall from one loss to the next."""
    return int(np.argmin(np.diff(losses)))


def valley(losses: Floats) -> tuple[int, int, int]:
    """First place, middle and last place of the valley: the longest chain of ever lower losses, neighbours or not.

    The chain with the earliest end counts; it is taken to begin as many places before its end as it has losses, and
    its middle is a third and half a third behind that. Lengths are found by patience sorting, in n log n.
    """
    tops: list[float] = []  # the highest last loss that a chain of each length can have, negated: these rise
    longest, end = 0, 0
    for i, loss in enumerate(losses.tolist()):
        place = bisect_left(tops, -loss)
        tops[place : place + 1] = [-loss]
        if place + 1 > longest:
            longest, end = place + 1, i
    begin = end - longest
    third = longest / 3.0
    return max(begin, 0), max(begin + int(third) + int(third / 2.0), 0), end
