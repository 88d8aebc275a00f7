"""From numbers to shades: the colours of matrices and of small pictures, as numbers."""

from __future__ import annotations

import numpy as np
import pyqtgraph as pg
from numpy.typing import ArrayLike, NDArray

from gui.plots.geometry import Floats
from gui.tokens import Theme, contrast

Table = NDArray[np.uint32]
UNDEFINED = 256  # place in a table of the values that are not finite
FAINTEST = 26  # a number above a lowest one of zero is never as blank as zero


def plain_table(theme: Theme) -> Table:
    """Low to high, [257] as 0xffRRGGBB: from the ground into the middle of viridis, stronger and farther from it."""
    bright = pg.colormap.get("viridis").getLookupTable(0.0, 1.0, 256)[:, :3].astype(float)
    share = np.linspace(0.0, 1.0, 256)
    ends = (0.32, 0.74) if theme.dark else (0.6, 0.28)
    place = np.rint((ends[0] + (ends[1] - ends[0]) * share) * 255).astype(int)
    return _table(bright[place], 0.92 * share**0.9, theme)


def signed_table(theme: Theme) -> Table:
    """Blue below, the ground at the middle, orange above: [257] as 0xffRRGGBB."""
    blue, orange = ("#56b4e9", "#f0a21a") if theme.dark else ("#0072b2", "#d67d00")
    share = np.linspace(-1.0, 1.0, 256)
    ends = np.where(share[:, None] < 0, _rgb(blue), _rgb(orange))
    return _table(ends, 0.92 * np.abs(share) ** 0.9, theme)


def ink_table(theme: Theme) -> Table:
    """From the ground to the colour of words: ink on paper, or light on dark; [257] as 0xffRRGGBB."""
    return _table(np.tile(_rgb(theme.text), (256, 1)), np.linspace(0.0, 1.0, 256), theme)


def _table(colours: Floats, share: Floats, theme: Theme) -> Table:
    ground = _rgb(theme.background)
    mixed = np.vstack([share[:, None] * colours + (1 - share[:, None]) * ground, ground])
    rgb = np.rint(mixed).astype(np.uint32)
    made = np.uint32(0xFF000000) | (rgb[:, 0] << 16) | (rgb[:, 1] << 8) | rgb[:, 2]
    return made.astype(np.uint32)


def _rgb(colour: str) -> Floats:
    return np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)], float)


def places(values: ArrayLike, scale: str) -> tuple[NDArray[np.intp], float, float]:
    """Where values (any shape) lie in a table, and the numbers at its two ends.

    `signed` is symmetric about zero; any other scale runs from the lowest to the highest finite value.
    """
    given = np.asarray(values, float)
    good = np.isfinite(given)
    finite = given[good]
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 1.0)
    if scale == "signed":
        high = max(abs(low), abs(high))
        low = -high
    largest = max(abs(low), abs(high)) or 1.0
    with np.errstate(all="ignore"):
        first, last = low / largest, high / largest  # their distance may be more than a float can hold
        share = (given / largest - first) / (last - first) if last > first else np.full(given.shape, 0.5)
        if last <= first and low == 0:
            share = np.full(given.shape, 0.5 if scale == "signed" else 0.0)
        found = np.where(good, np.clip(share, 0.0, 1.0) * 255 + 0.5, UNDEFINED).astype(np.intp)
    if scale == "plain" and low == 0 and high > 0:
        found = np.where(good & (given > 0), np.maximum(found, FAINTEST), found)
    return found, low, high


def words_on(table: Table, theme: Theme) -> list[str]:
    """The colour of words that reads best on each shade of a table: the ground's or the words', whichever is
    farther."""
    light, dark = theme.text, theme.background
    shades = [f"#{int(value) & 0xFFFFFF:06x}" for value in table]
    return [light if contrast(light, shade) >= contrast(dark, shade) else dark for shade in shades]
