"""Reader for the user's own tables: nearly any text file with rows and columns, or one line that says why not.

Everything guessed can be seen in the Table and in its notes. Only text and numbers are read; nothing is evaluated.
"""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path

from engine.data import dialect
from engine.data.columns import DECIMAL_COMMA, make_column
from engine.data.dataset import DataError, listed
from engine.data.dialect import NAMES, Layout, is_blank, is_missing
from engine.data.table import Column, Table

MOST_BYTES = 100_000_000
MOST_ROWS = 200_000
MOST_CELLS = 5_000_000  # kept in memory while a file is read
MOST_COLUMNS = 1000
_SAMPLE = 1 << 16  # bytes that the guesses are made from
_LONGEST_LINE = 1 << 20
_END = "\x1e"  # a last line of our own: if it does not come out alone, a quotation mark was never closed
_ENCODINGS = {"utf-8": "UTF-8", "utf-8-sig": "UTF-8", "utf-16": "UTF-16", "cp1252": "Windows-1252",
              "latin-1": "Latin-1"}  # fmt: skip


def read(
    path: str | Path,
    *,
    target: str | None = None,
    inputs: Sequence[str] | None = None,
    most_bytes: int = MOST_BYTES,
    most_rows: int = MOST_ROWS,
    delimiter: str | None = None,
    header: bool | None = None,
) -> Table:
    """The table in a text file. Raises DataError.

    Guessed unless given: `delimiter` (comma, semicolon, tab, bar, space or runs of spaces) and whether the first row
    is a `header`; always guessed: encoding, decimal comma, thousands separators. A file larger than `most_bytes` is
    refused; of more rows than `most_rows` an evenly spaced part is kept, and the notes say so. `target` and `inputs`
    (empty: none chosen) are checked and kept for Table.dataset.
    """
    if delimiter is not None and delimiter not in NAMES:
        raise DataError(f"delimiter {delimiter!r:.20} is not allowed; give a comma, semicolon, tab, bar or space")
    data, name = _load(path, most_bytes)
    encoding = dialect.guess_encoding(data, name)
    start = _start(data, encoding, name, delimiter, header)
    body = _body(data, encoding, name, start, most_rows)
    width = start.layout.width
    cells = [*zip(*body.rows, strict=True)]
    body.rows.clear()
    notes: list[str] = []
    names = _unique_names(start.names, width)
    given = [bool(one.strip()) for one in start.names] or [False] * width
    delimiter = start.layout.delimiter
    columns, decimal = _columns(cells, names, given, delimiter, notes)
    cut = "one column" if width == 1 else f"{width} columns separated by {NAMES[delimiter]}"
    named = "names in the first row" if start.names else "no names, so columns are numbered"
    comma = "decimal comma" if decimal == "," else "decimal point"
    notes.insert(0, f"{_ENCODINGS[encoding]}, {cut}, {comma}, {named}: {_count(len(cells[0]), 'row')}.")
    if width == 1:
        notes.append("One column only: a data set needs a target and at least one input.")
    notes[1:1] = [*start.notes, *body.notes]
    table = Table(
        name, columns, len(cells[0]), encoding, delimiter, decimal, bool(start.names), tuple(notes), target or None,
        tuple(inputs) if inputs else None,
    )  # fmt: skip
    for one in (*((target,) if target else ()), *(inputs or ())):
        table.column(one)
    return table


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}" if number == 1 else f"{number:,} {what}s"


def _load(path: str | Path, most_bytes: int) -> tuple[bytes, str]:
    """The bytes of a file and its short name."""
    if not str(path).strip():
        raise DataError("no file is named; choose a CSV file")
    file = Path(os.path.expanduser(path))
    name = f"{''.join(c if c.isprintable() else '?' for c in file.name):.60}"
    try:
        if not file.exists():
            raise DataError(f"{name} does not exist; choose a CSV file")
        if not file.is_file():
            raise DataError(f"{name} is not a file; choose a CSV file")
        size = file.stat().st_size
        with open(file, "rb") as stream:
            data = stream.read(most_bytes + 1) if size <= most_bytes else b""
            size = max(size, len(data))
    except (OSError, ValueError) as error:
        if isinstance(error, DataError):
            raise
        raise DataError(f"{name} cannot be read ({getattr(error, 'strerror', None) or error})") from None
    if size > most_bytes:
        raise DataError(f"{name} has {size / 1e6:,.1f} MB; at most {most_bytes / 1e6:,.1f} MB are read, so take a part")
    if not data.strip():
        raise DataError(f"{name} is empty; a table needs at least one row")
    return data.removesuffix(b"\x1a"), name


@dataclass(frozen=True)
class _Start:
    """What the first lines tell: lines and then rows to skip, layout, names (empty: none), notes."""

    lines: int
    rows: int
    layout: Layout
    names: list[str]
    notes: list[str]


def _start(data: bytes, encoding: str, name: str, delimiter: str | None, header: bool | None) -> _Start:
    lines: list[str] = []
    taken = 0
    stream = io.TextIOWrapper(io.BytesIO(data), encoding, newline="")
    for line in iter(lambda: stream.readline(_LONGEST_LINE), ""):
        if len(line) == _LONGEST_LINE:
            raise DataError(f"{name}: line {len(lines) + 1} is longer than a million characters; is this a table?")
        lines.append(line)
        taken += len(line)
        if taken > _SAMPLE and len(lines) > 20:
            break
    if not any(line.strip() for line in lines):
        raise DataError(f"{name} is empty; a table needs at least one row")
    notes: list[str] = []
    skipped = 0
    first = lines[0].strip().strip('"').lower()
    if first[:4] == "sep=" and len(first) <= 5:  # what Excel writes
        delimiter, skipped = delimiter or (first[4:] if first[4:] in NAMES else "\t"), 1
    comments = []
    while skipped < len(lines) and (not lines[skipped].strip() or lines[skipped].lstrip().startswith("#")):
        if lines[skipped].strip():
            comments.append(lines[skipped].strip().lstrip("#").strip())
        skipped += 1
    if skipped == len(lines) and comments:  # nothing else: then it is no comment
        skipped, comments = 0, []
    table = lines[skipped:]
    if not any(line.strip() for line in table):
        raise DataError(f"{name} is empty; a table needs at least one row")
    layout = dialect.guess_layout(table, delimiter)
    try:
        rows = [row for row in dialect.records(table, layout.delimiter)[0] if not is_blank(row)]
    except csv.Error:
        rows = []  # _body tells the line
    if not rows:
        return _Start(skipped, 0, layout, [], notes)
    if layout.width > MOST_COLUMNS:
        raise DataError(f"{name} has {layout.width:,} columns; at most {MOST_COLUMNS:,} are allowed")
    if comments and header is None:
        [above] = list(dialect.records(comments[-1:], layout.delimiter)[0]) or [[]]
        if len(above) == layout.width and dialect.guess_header(above, _whole(rows, layout), layout.delimiter):
            notes += [f"{_count(len(comments) - 1, 'comment line')} skipped."] if len(comments) > 1 else []
            return _Start(skipped, 0, layout, above, notes)
    if comments:
        notes.append(f"{_count(len(comments), 'comment line')} skipped.")
    before, names = _names(rows, layout, header)
    if before:
        notes.append(f"{_count(before, 'row')} before the table skipped.")
    return _Start(skipped, before + bool(names), layout, names, notes)


def _whole(rows: Sequence[Sequence[str]], layout: Layout) -> list[Sequence[str]]:
    return [row for row in rows if len(row) == layout.width][: dialect.SAMPLE_ROWS]


def _names(rows: list[list[str]], layout: Layout, header: bool | None) -> tuple[int, list[str]]:
    """How many rows stand before the table, and the names (empty: there are none)."""
    width = layout.width
    before = next((at for at, row in enumerate(rows) if len(row) == width), 0)
    first = rows[0]
    while len(first) > width and not first[-1].strip():
        first = first[:-1]
    numeric = any(dialect.is_number(cell, layout.delimiter) for cell in first)
    rest = _whole(rows[before + 1 :], layout)
    named = header if header is not None else dialect.guess_header(rows[before], rest, layout.delimiter)
    if before == 1 and header is None and not named and not numeric and len(first) in (width, width - 1):
        rest = _whole(rows, layout)
        nothing_last = all(is_missing(row[-1]) for row in rest)  # every row ends with a delimiter
        if len(first) < width:
            first = [*first, ""] if nothing_last else ["row", *first]  # R leaves the name of the row names out
        return 0, first
    return before, rows[before] if named else []


@dataclass(frozen=True)
class _Body:
    rows: list[list[str]]
    notes: list[str]


def _body(data: bytes, encoding: str, name: str, start: _Start, most_rows: int) -> _Body:
    """The rows of the table that have the usual number of cells, or an evenly spaced part of them."""
    width = start.layout.width
    total = max(data.count(b"\n"), data.count(b"\r")) + 1  # at least as many as there are rows
    limit = max(1, min(most_rows, MOST_CELLS // width))
    lines: Iterator[str] = io.TextIOWrapper(io.BytesIO(data), encoding, newline="")
    found, line_number = dialect.records(chain(islice(lines, start.lines, None), [_END]), start.layout.delimiter)
    rows: list[list[str]] = []
    seen = wrong = first_wrong = begun = 0
    last: list[str] = []
    skip = start.rows
    try:
        for row in found:
            begun, here = line_number(), begun + 1
            last = row
            if len(row) != width or width == 1:
                if is_blank(row) or row == [_END]:
                    continue
                if len(row) != width and not skip:
                    wrong += 1
                    first_wrong = first_wrong or here + start.lines
                    continue
            if skip:
                skip -= 1
                continue
            if limit >= total or (seen + 1) * limit // total > seen * limit // total:
                rows.append(row)
            seen += 1
    except csv.Error as error:
        why = "a cell is longer than 131,072 characters; is a quotation mark never closed?"
        raise DataError(f"{name}, line {begun + 1 + start.lines}: {why if 'limit' in str(error) else error}") from None
    if last != [_END]:
        raise DataError(f"{name}, line {here + start.lines}: a quotation mark is never closed; close it, or write it "
                        "twice inside a cell")  # fmt: skip
    if not rows:
        if start.names:
            raise DataError(f"{name} has names but no rows; a table needs at least one row")
        raise DataError(f"{name} has no rows of {width} cells; a table needs at least one")
    notes = []
    if wrong:
        notes.append(f"{_count(wrong, 'row')} left out for not having {width} cells (first: line {first_wrong:,}).")
    if len(rows) < seen:
        notes.append(f"An evenly spaced part is used: {len(rows):,} of {seen:,} rows.")
    return _Body(rows, notes)


def _unique_names(names: Sequence[str], width: int) -> list[str]:
    """A name for every column, all different, each on one line of at most 60 characters."""
    made: list[str] = []
    taken = set()
    for at in range(width):
        given = " ".join(names[at].split()) if names else ""
        base = name = given[:60] or f"column {at + 1}"
        again = 2
        while name in taken:
            name, again = f"{base} ({again})", again + 1
        taken.add(name)
        made.append(name)
    return made


def _columns(
    cells: Sequence[Sequence[str]], names: Sequence[str], given: Sequence[bool], delimiter: str, notes: list[str]
) -> tuple[tuple[Column, ...], str]:
    """The columns and the decimal sign; what had to be read in a special way is said in `notes`."""
    said: dict[str, list[str]] = {}
    columns = []
    for name, named, column in zip(names, given, cells, strict=True):
        made, how = make_column(name, named, column, delimiter)
        columns.append(made)
        for one in how:
            said.setdefault(one, []).append(name)
    notes += [f"{one}: {listed(where)}." for one, where in said.items()]
    return tuple(columns), "," if DECIMAL_COMMA in said else "."
