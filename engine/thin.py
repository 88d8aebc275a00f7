"""What was measured, thinned to what a picture can show: a path in the plane, and rows. Without the GIL."""

from __future__ import annotations

from engine.compile_cache import use_cache

use_cache()

import numpy as np  # noqa: E402
from numba import njit  # noqa: E402

FAR = 1e6  # cells; what lies further out counts as being there
BREAK, BEFORE = -1, -2  # in the result: the line is broken here; the point before the first one
NOWHERE = np.iinfo(np.int64).min


@njit(nogil=True, cache=True, error_model="numpy")
def ways(x, y, origin, cell, last, table, kept, room):  # type: ignore[no-untyped-def]
    """Which points end a way from one cell to another that was not gone before.

    x, y: [n]; origin, cell: [2] corner and size of the cells; last: [3] int64, cell of the point before, and 1 if the
    line is broken there, updated; table: [power of two] uint64, the ways known, by their hash (0: free), updated;
    kept: [3 n] int64; room: it stops behind the point that adds this many ways. Returns (points gone through, entries
    written to `kept`, ways added). Entries are indices of points, BREAK or BEFORE.
    A point that is not finite has a cell of its own. Two ways with one hash (about 1 in 10^15 pairs) count as one.
    """
    mask = np.uint64(len(table) - 1)
    count, added = 0, 0
    for i in range(len(x)):
        if np.isfinite(x[i]) and np.isfinite(y[i]):
            a = np.int64(np.floor(min(max((x[i] - origin[0]) / cell[0], -FAR), FAR)))
            b = np.int64(np.floor(min(max((y[i] - origin[1]) / cell[1], -FAR), FAR)))
        else:
            a, b = np.int64(2 * FAR), np.int64(2 * FAR)
        if a == last[0] and b == last[1]:
            continue
        key = np.uint64(14695981039346656037)
        for part in (last[0], last[1], a, b):  # splitmix64, part by part (Steele et al. 2014)
            key = (key ^ np.uint64(part)) * np.uint64(0x9E3779B97F4A7C15)
            key ^= key >> np.uint64(30)
            key *= np.uint64(0xBF58476D1CE4E5B9)
            key ^= key >> np.uint64(27)
        key |= np.uint64(1)
        place = key & mask
        while table[place] != 0 and table[place] != key:
            place = (place + np.uint64(1)) & mask
        known = table[place] == key
        if known:
            last[2] = 1
        else:
            if added * 4 < len(table) * 3:
                table[place] = key
                added += 1
            if last[2] == 1:
                kept[count] = BREAK
                kept[count + 1] = i - 1 if i > 0 else BEFORE
                count += 2
                last[2] = 0
            kept[count] = i
            count += 1
        last[0], last[1] = a, b
        if added >= room:
            return i + 1, count, added
    return len(x), count, added


@njit(nogil=True, cache=True, error_model="numpy")
def extremes(rows, cuts, low, high):  # type: ignore[no-untyped-def]
    """The lowest and highest value of each block of rows, nan aside; nan where a block has nothing else.

    rows: [n, series]; cuts: [blocks] where each block begins; low, high: [blocks, series], written.
    """
    series = rows.shape[1]
    for b in range(len(cuts)):
        low[b, :], high[b, :] = np.inf, -np.inf
        stop = cuts[b + 1] if b + 1 < len(cuts) else len(rows)
        for i in range(cuts[b], stop):
            for s in range(series):
                value = rows[i, s]
                if value < low[b, s]:
                    low[b, s] = value
                if value > high[b, s]:
                    high[b, s] = value
        for s in range(series):
            if low[b, s] > high[b, s]:
                low[b, s] = high[b, s] = np.nan
