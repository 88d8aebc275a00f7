"""How a table in a text file is written: encoding, delimiter, names in the first line, numbers. All guessed from it."""

from __future__ import annotations

import codecs
import csv
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass

from engine.data.dataset import DataError

MISSING = frozenset({"", "na", "n/a", "#n/a", "nan", "null", "?"})  # in lower case
RUNS = "runs of spaces"  # one or more spaces between cells
ALONE = "\x1f"  # no text has it: the delimiter of a single column
NAMES = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars", " ": "spaces", RUNS: RUNS, ALONE: "nothing"}
SAMPLE_ROWS = 200

_STRONG = ",;\t|"  # a cell with one of these in it was probably cut at the wrong place
_CONTROL = re.compile(rb"[\x00-\x08\x0e-\x1f]")
_THOUSANDS = re.compile(r"[+-]?[0-9]{1,3}(,[0-9]{3})+(\.[0-9]*)?", re.ASCII)
_THOUSANDS_COMMA = re.compile(r"[+-]?[0-9]{1,3}(\.[0-9]{3})+(,[0-9]*)?", re.ASCII)
_KNOWN_FILES = {
    b"PK\x03\x04": "a spreadsheet or zip file",
    b"\xd0\xcf\x11\xe0": "a spreadsheet",
    b"\x1f\x8b": "a gzip file",
    b"%PDF": "a PDF",
    b"\x89PNG": "a picture",
    b"\xff\xd8\xff": "a picture",
}

Reader = Callable[[str], float]


def _point(cell: str) -> float:
    if "_" in cell:  # Python reads 1_000 as a number; in a table it is a name
        raise ValueError
    return float(cell)


def _comma(cell: str) -> float:
    if "." in cell:
        raise ValueError
    return _point(cell.replace(",", "."))


def _thousands(cell: str) -> float:
    return float(cell.replace(",", "")) if _THOUSANDS.fullmatch(cell.strip()) else _point(cell)


def _thousands_comma(cell: str) -> float:
    if _THOUSANDS_COMMA.fullmatch(cell.strip()):
        return float(cell.replace(".", "").replace(",", "."))
    return _comma(cell)


POINT, COMMA, THOUSANDS, THOUSANDS_COMMA = "point", "comma", "thousands", "thousands and comma"
_READERS: dict[str, Reader] = {
    POINT: _point,
    COMMA: _comma,
    THOUSANDS: _thousands,
    THOUSANDS_COMMA: _thousands_comma,
}


def readers(delimiter: str) -> dict[str, Reader]:
    """Ways to read a number, likeliest first; each raises ValueError for a text that is none in its way."""
    order = (POINT, THOUSANDS, COMMA) if delimiter == "," else (POINT, COMMA, THOUSANDS_COMMA, THOUSANDS)
    return {style: _READERS[style] for style in order}


def is_number(cell: str, delimiter: str) -> bool:
    """Whether any way reads the cell as a number."""
    for reader in readers(delimiter).values():
        with suppress(ValueError):
            reader(cell)
            return True
    return False


def is_missing(cell: str) -> bool:
    """Whether the cell says that there is no value."""
    return cell.strip().lower() in MISSING


def guess_encoding(data: bytes, name: str) -> str:
    """A codec that reads all of `data`. Raises DataError for data that is no text, with the reason."""
    if data.startswith(codecs.BOM_UTF8):
        data, found = data[3:], "utf-8-sig"
    elif data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        with suppress(UnicodeDecodeError):
            data.decode("utf-16")
            return "utf-16"
        raise DataError(f"{name} is not readable as UTF-16; save it as CSV in UTF-8")
    else:
        found = "utf-8"
    for start, kind in _KNOWN_FILES.items():
        if data.startswith(start):
            raise DataError(f"{name} is {kind}, not a text file; save its table as CSV first")
    control = _CONTROL.search(data.removesuffix(b"\x1a"))  # old DOS files end with it
    if control:
        byte, at = control.group()[0], control.start() + 1
        raise DataError(f"{name} is not a text file: byte {byte} at position {at:,}; save the table as CSV in UTF-8")
    for codec in (found, "cp1252"):
        with suppress(UnicodeDecodeError):
            data.decode(codec)
            return codec
    return "latin-1"  # reads every byte


@dataclass(frozen=True)
class Layout:
    """How the lines of a table are cut: the delimiter, the usual number of cells, lines before the table."""

    delimiter: str
    width: int


def records(lines: Iterable[str], delimiter: str) -> tuple[Iterator[list[str]], Callable[[], int]]:
    """The rows of cells in `lines`, and a function that tells how many lines were taken so far."""
    reader = csv.reader(lines, delimiter=" " if delimiter == RUNS else delimiter)
    if delimiter == RUNS:
        return ([cell for cell in row if cell] for row in reader), lambda: reader.line_num
    return reader, lambda: reader.line_num


def is_blank(row: Sequence[str]) -> bool:
    """Whether a line has nothing on it."""
    return not row or (len(row) == 1 and not row[0].strip())


def guess_layout(lines: Sequence[str], delimiter: str | None = None) -> Layout:
    """The layout that cuts most lines into the same number of cells, and into numbers rather than leftovers."""
    best, best_score = Layout(delimiter or ALONE, 1), 0.0
    for candidate in (delimiter,) if delimiter else (",", ";", "\t", "|", " ", RUNS):
        try:
            rows = [row for row in records(lines, candidate)[0] if not is_blank(row)][: SAMPLE_ROWS + 1]
        except csv.Error:
            continue
        if rows:
            width, score = _score(rows, candidate)
            if delimiter or (width > 1 and score > best_score):
                best, best_score = Layout(candidate, width), score
    return best


def _score(rows: Sequence[Sequence[str]], delimiter: str) -> tuple[int, float]:
    """The usual number of cells, and how well the cut fits: 0 to 4."""
    counted = Counter(len(row) for row in rows)
    width = max(counted, key=lambda one: (counted[one], one))
    whole = [row for row in rows if len(row) == width]
    cells = [cell.strip() for row in whole for cell in row]
    full = [cell for cell in cells if not is_missing(cell)]
    numbers = [is_number(cell, delimiter) for cell in full]
    others = [sign for sign in _STRONG if sign != delimiter]
    cut_wrong = sum(
        not number and any(sign in cell for sign in others) for number, cell in zip(numbers, full, strict=True)
    )
    if delimiter == " ":  # a column of nothing is the space between aligned columns
        cut_wrong += len(whole) * sum(not any(cell.strip() for cell in column) for column in zip(*whole, strict=True))
    numeric = sum(numbers) / max(len(full), 1)
    if delimiter in (" ", RUNS) and numeric < 0.25:
        return width, 0.0  # words of a sentence are no table
    return width, 2.0 * len(whole) / len(rows) + max(0.0, 1.0 - cut_wrong / max(len(cells), 1)) + numeric


def guess_header(first: Sequence[str], rest: Sequence[Sequence[str]], delimiter: str) -> bool:
    """Whether the first row holds names: texts above columns of numbers, or texts that never come again."""
    cells = [cell.strip() for cell in first]
    numeric = [is_number(cell, delimiter) and not is_missing(cell) for cell in cells]
    if not rest:
        return not any(numeric)
    above_numbers = 0
    for cell, number, column in zip(cells, numeric, zip(*rest, strict=True), strict=True):
        full = [one for one in column if not is_missing(one)]
        if not number and not is_missing(cell) and full and all(is_number(one, delimiter) for one in full):
            above_numbers += 1
    if above_numbers:
        counted = [cell for cell, number in zip(cells, numeric, strict=True) if number]
        start = int(counted[0]) if counted and counted[0].isdecimal() else 0
        in_order = counted == [str(start + k) for k in range(len(counted))]  # label,0,1,2: columns by number
        return above_numbers >= len(counted) or (in_order and len(counted) > 1)
    if any(numeric) or any(cell and is_missing(cell) for cell in cells):
        return False  # NA is a value that is missing, not a name; an empty cell may stand above the row names
    names = [cell for cell in cells if not is_missing(cell)]
    again = any(
        cell in {one.strip() for one in column} for cell, column in zip(cells, zip(*rest, strict=True), strict=True)
    )
    return bool(names) and len(set(names)) == len(names) and not again
