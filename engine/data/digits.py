"""Handwritten digits: 1,797 pictures of 8 x 8, shipped with the app (origin and licence: resources/data/ORIGIN.md)."""

from __future__ import annotations

import zipfile
import zlib
from functools import lru_cache
from pathlib import Path

import numpy as np

from engine.data.dataset import DataError, Dataset, Source

FILE = Path(__file__).resolve().parents[2] / "resources" / "data" / "digits.npz"
SIDE = 8
_CREDIT = "Optical Recognition of Handwritten Digits, E. Alpaydin and C. Kaynak (1998), UCI, CC BY 4.0."


@lru_cache(maxsize=1)  # a data set cannot be changed, so one serves all
def digits() -> Dataset:
    """The digits: x [1797, 64] from 0 to 1 (rows of the picture, top first), ten classes.

    Raises DataError where the shipped file is missing or damaged.
    """
    try:
        with open(FILE, "rb") as stream, np.load(stream, allow_pickle=False) as stored:
            pictures, labels = stored["pictures"], stored["labels"]
    except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile, zlib.error):
        raise DataError(f"{FILE.name} is missing or damaged; install the app's resources again") from None
    names = tuple(f"pixel {row},{column}" for row in range(SIDE) for column in range(SIDE))
    x = pictures.reshape(len(pictures), SIDE * SIDE) / 16.0
    return Dataset("digits", x, labels, "classes", names, tuple("0123456789"), _CREDIT, "digit")


DIGITS: dict[str, Source] = {
    "digits": Source(digits, "Handwritten digits", "classes", "1,797 pictures of 8 x 8 pixels, ten classes.", (), ())
}
