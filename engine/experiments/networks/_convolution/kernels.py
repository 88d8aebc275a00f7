"""The kernels on offer, and the reader's own, read from text."""

from __future__ import annotations

import re

import numpy as np

from engine.experiment import Array
from engine.spec import SpecError, echo

MOST = 5  # rows and columns of a kernel
LARGEST = 1000.0
OWN = "own"
KERNELS: dict[str, tuple[str, str]] = {
    "identity": ("Identity", "0 0 0; 0 1 0; 0 0 0"),
    "edges": ("Edges", "-1 -1 -1; -1 8 -1; -1 -1 -1"),
    "sharpen": ("Sharpen", "0 -1 0; -1 5 -1; 0 -1 0"),
    "blur": ("Blur", "1/9 1/9 1/9; 1/9 1/9 1/9; 1/9 1/9 1/9"),
    "sobel_x": ("Sobel x", "-1 0 1; -2 0 2; -1 0 1"),
    "sobel_y": ("Sobel y", "-1 -2 -1; 0 0 0; 1 2 1"),
}
TITLES = {**{name: title for name, (title, _) in KERNELS.items()}, OWN: "Own numbers"}
_NUMBER = r"[+-]?(?:\d{1,9}(?:\.\d{0,9})?|\.\d{1,9})"


def kernel(name: str, own: str = "") -> Array:
    """A kernel [k, l] by its name. Raises SpecError of `own` where the reader's numbers are none."""
    return read(own if name == OWN else KERNELS[name][1])


def read(text: str) -> Array:
    """Numbers from text: rows between semicolons, numbers between spaces or commas; 1/9 is a number."""
    rows = [re.split(r"[\s,]+", row.strip()) for row in text.replace("\u2212", "-").split(";") if row.strip()]
    if not rows or len({len(row) for row in rows}) > 1:
        raise SpecError(
            "own", f"{echo(text)} is not allowed; give rows of equally many numbers, as {KERNELS['edges'][1]}"
        )
    if len(rows) > MOST or len(rows[0]) > MOST:
        raise SpecError("own", f"{len(rows)} x {len(rows[0])} numbers are not allowed; give at most {MOST} x {MOST}")
    return np.array([[_number(word) for word in row] for row in rows])


def _number(word: str) -> float:
    above, stroke, below = word.partition("/")
    if re.fullmatch(_NUMBER, above) and (not stroke or (re.fullmatch(_NUMBER, below) and float(below) != 0)):
        value = float(above) / (float(below) if stroke else 1.0)
        if abs(value) <= LARGEST:
            return value
    raise SpecError(
        "own", f"{echo(word)} is not allowed; give numbers from -{LARGEST:g} to {LARGEST:g}, or parts as 1/9"
    )
