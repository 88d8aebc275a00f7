"""Cells to columns: numbers where they are numbers, in whichever way they are written, else texts."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from engine.data import dialect
from engine.data.dataset import LARGEST, Array
from engine.data.dialect import is_missing
from engine.data.table import MOST_LABELS, Column

DECIMAL_COMMA = "Read with a decimal comma"
_SAID = {
    dialect.POINT: (),
    dialect.COMMA: (DECIMAL_COMMA,),
    dialect.THOUSANDS: ("Commas read as thousands separators",),
    dialect.THOUSANDS_COMMA: (DECIMAL_COMMA, "Points read as thousands separators"),
}


def make_column(name: str, named: bool, cells: Sequence[str], delimiter: str) -> tuple[Column, tuple[str, ...]]:
    """One column, and in words how it was read where it is not plain.

    `named`: the file has the name. `delimiter` tells whether a comma in a cell can be a decimal comma.
    """
    no_codes = np.zeros(0, np.int64)
    try:
        if "_" in "".join(cells[:100]):
            raise ValueError
        numbers = np.fromiter(map(float, cells), np.float64, len(cells))
        style = dialect.POINT
        if np.isnan(numbers).all() or "_" in "".join(cells):
            raise ValueError
    except ValueError:
        different = set(cells)
        present = [cell for cell in different if not is_missing(cell)]
        if not present:
            return Column(name, "empty", np.full(len(cells), np.nan), np.full(len(cells), -1), (), named), ()
        read_as = _as_numbers(present, cells, delimiter)
        if read_as is None:
            labels = tuple(sorted({cell.strip() for cell in present}))
            code = {label: at for at, label in enumerate(labels)}
            lookup = {cell: -1 if is_missing(cell) else code[cell.strip()] for cell in different}
            codes = np.fromiter(map(lookup.__getitem__, cells), np.int64, len(cells))
            return Column(name, "text", np.zeros(0), codes, labels, named), ()
        style, values = read_as
        numbers = np.fromiter((values.get(cell, np.nan) for cell in cells), np.float64, len(cells))
        said = _SAID[style]
        if len(values) < len(present):
            bad = next(cell for cell in cells if cell not in values and not is_missing(cell))
            said = (*said, f"Cells that are no numbers (such as {bad.strip()!r:.30}) count as missing")
        numbers, beyond = _finite(numbers)
        return Column(name, "number", numbers, no_codes, (), named), said + beyond
    numbers, beyond = _finite(numbers)
    return Column(name, "number", numbers, no_codes, (), named), _SAID[style] + beyond


def _finite(numbers: Array) -> tuple[Array, tuple[str, ...]]:
    large = np.abs(numbers) > LARGEST
    if not large.any():
        return numbers, ()
    return np.where(large, np.nan, numbers), ("Values that are infinite or beyond 1e100 count as missing",)


def _as_numbers(present: Sequence[str], cells: Sequence[str], delimiter: str) -> tuple[str, dict[str, float]] | None:
    """The way to read a column's different cells as numbers, and their values; None if they are texts.

    A few cells that are no numbers (a tenth of the rows at most) do not make a column of numbers into texts, unless
    the whole column has few different texts and so may well be labels.
    """
    best: tuple[str, dict[str, float]] | None = None
    for style, reader in dialect.readers(delimiter).items():
        values: dict[str, float] = {}
        for cell in present:
            try:
                values[cell] = reader(cell)
            except ValueError:
                continue
        if len(values) == len(present):
            return style, values
        if best is None or len(values) > len(best[1]):
            best = style, values
    if best is None or len(present) <= MOST_LABELS:
        return None
    spoilt = sum(cell not in best[1] and not is_missing(cell) for cell in cells)
    return best if 10 * spoilt <= len(cells) else None
