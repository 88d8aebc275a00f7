"""Data sets: generated, the chapter's, handwritten digits, and the user's own tables.

`load` gives any of them by name; `split` and `standardised` prepare them. DATA says for each name its title, kind,
description, domain and which options it takes.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from engine.data.chapter import CHAPTER
from engine.data.csv import read
from engine.data.dataset import DataError, Dataset, Source, split, standardised, standardised_target
from engine.data.digits import DIGITS
from engine.data.points import POINTS
from engine.data.table import Table

__all__ = [
    "DATA",
    "DataError",
    "Dataset",
    "Source",
    "Table",
    "load",
    "read",
    "split",
    "standardised",
    "standardised_target",
]


def from_file(path: str | Path = "", target: str | None = None, inputs: Sequence[str] | None = None) -> Dataset:
    """The data set in a file of the user's; see engine.data.csv.read and Table.dataset."""
    return read(path, target=target, inputs=inputs).dataset()


def load(
    name: str,
    *,
    n: int = 200,
    noise: float = 0.0,
    seed: int = 0,
    formula: str = "sin(3*x)",
    interval: tuple[float, float] = (-2.0, 2.0),
    path: str | Path = "",
    target: str | None = None,
    inputs: Sequence[str] | None = None,
) -> Dataset:
    """The data set of that name. Options that it does not take (DATA[name].options) change nothing.

    Raises DataError for an unknown name or an option out of range, FormulaError for a text that is no formula; both
    are ValueErrors of one line.
    """
    if name not in DATA:
        raise DataError(f"data set {name!r:.40} is not known; give one of {', '.join(DATA)}")
    given = {"n": n, "noise": noise, "seed": seed, "formula": formula, "interval": interval, "path": path,
             "target": target, "inputs": inputs}  # fmt: skip
    source = DATA[name]
    return source.make(**{option: given[option] for option in source.options})


DATA: dict[str, Source] = {
    **POINTS,
    **CHAPTER,
    **DIGITS,
    "csv": Source(
        from_file, "Your own CSV", None, "A table from a file: choose what to predict, and from what.", (),
        ("path", "target", "inputs"),
    ),
}  # fmt: skip
