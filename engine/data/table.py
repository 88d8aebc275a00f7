"""A table of columns as it was read, and the data set that a choice of columns makes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from engine.data.dataset import Array, DataError, Dataset, Kind, constant_inputs, listed

MOST_LABELS = 12  # different texts in an input column
MOST_CLASSES = 100
MOST_INPUTS = 1000
_TARGETS = ("target", "label", "labels", "class", "y", "species", "outcome")
_ROW_NAMES = ("", "id", "index", "row", "no", "nr", "unnamed: 0")


@dataclass(frozen=True, eq=False)
class Column:
    """One column. `numbers` [rows] float64 with nan where missing (kind `number`); `codes` [rows] index into `labels`,
    which are sorted, -1 where missing (kind `text`). A column `empty` has no value at all. `named`: the file has a
    name for it.
    """

    name: str
    kind: Literal["number", "text", "empty"]
    numbers: Array
    codes: Array
    labels: tuple[str, ...] = ()
    named: bool = True

    @property
    def present(self) -> Array:
        """Where the column has a value: [rows] of bool."""
        return ~np.isnan(self.numbers) if self.kind == "number" else self.codes >= 0

    @property
    def counts_rows(self) -> bool:
        """Whether this is only the number of the row: counting up by one, and named so or not at all."""
        if self.kind != "number" or len(self.numbers) < 2:
            return False
        return (not self.named or self.name.lower() in _ROW_NAMES) and bool(np.all(np.diff(self.numbers) == 1.0))


@dataclass(frozen=True, eq=False)
class Table:
    """A table from a file, with how it was read: `encoding`, `delimiter`, `decimal` (. or ,), `header`.

    `notes` are sentences for the reader: what was guessed, and what was left out. `target` and `inputs` are the
    columns chosen when it was read, if any.
    """

    name: str
    columns: tuple[Column, ...]
    rows: int
    encoding: str
    delimiter: str
    decimal: str
    header: bool
    notes: tuple[str, ...]
    target: str | None = None
    inputs: tuple[str, ...] | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the columns, all different."""
        return tuple(column.name for column in self.columns)

    def column(self, name: str) -> Column:
        """The column of that name. Raises DataError."""
        for column in self.columns:
            if column.name == name:
                return column
        raise DataError(f"{self.name} has no column {name!r:.60}; it has {listed(list(self.names), 10)}")

    def dataset(
        self, target: str | None = None, inputs: Sequence[str] | None = None, kind: Kind | None = None
    ) -> Dataset:
        """The data set that predicts `target` from `inputs`; its note says what was left out and why.

        Without a target: a column that is named like one (target, label, class, ...), else the last that can be one.
        Without inputs: all other columns but those mostly missing and row numbers. Rows with a missing value in a
        chosen column are dropped. Text inputs become one column of 0 and 1 for each of at most 12 texts.

        Without a kind: texts are classes (binary where there are two); two whole numbers are binary; whole numbers
        that count from 0 or 1 without a gap to at most 20, each twice on average, are classes; other numbers are
        regression (as are two whole numbers beyond 2 in fewer than four rows).

        Raises DataError where no data set is left.
        """
        if len(self.columns) < 2:
            raise DataError(f"{self.name} has one column; a data set needs a target and at least one input beside it")
        goal = self.column(target or self.target or self._usual_target())
        if goal.kind == "empty":
            raise DataError(f"{self.name}: the target {goal.name!r:.60} has no values; choose another column")
        notes: list[str] = []
        chosen = self._inputs(goal, inputs or self.inputs, notes)
        keep = goal.present
        for column in chosen:
            keep = keep & column.present
        left = int(keep.sum())
        if not left:
            raise DataError(f"{self.name}: no row has a value in all {len(chosen) + 1} chosen columns; choose fewer")
        if left < self.rows:
            notes.append(f"{self.rows - left:,} of {self.rows:,} rows dropped: a value is missing.")
        x, names = _input_columns(chosen, keep)
        if len(names) > MOST_INPUTS:
            raise DataError(f"{self.name}: {len(names):,} inputs are too many; at most {MOST_INPUTS:,} are allowed")
        found, y, classes = _targets(goal, keep, kind)
        if found == "classes" and len(classes) == 1:
            notes.append(f"Every row has the label {classes[0]!r:.60}: there is nothing to tell apart.")
        elif found == "regression" and y.min() == y.max():
            notes.append(f"The target is {y[0, 0]:g} in every row: there is nothing to learn but that.")
        made = Dataset(self.name, x, y, found, names, classes, "", goal.name)
        constant = constant_inputs(made)
        if constant:
            notes.append(f"Constant, so they tell nothing: {listed(constant)}.")
        return Dataset(self.name, made.x, made.y, found, names, classes, " ".join(notes), goal.name)

    def _usual_target(self) -> str:
        for column in self.columns:
            if column.kind != "empty" and column.name.lower() in _TARGETS:
                return column.name
        for column in reversed(self.columns):
            if column.kind == "number" or 0 < len(column.labels) <= MOST_CLASSES:
                return column.name
        raise DataError(f"{self.name} has no column that can be a target; give one of numbers or of up to "
                        f"{MOST_CLASSES} different texts")  # fmt: skip

    def _inputs(self, goal: Column, names: Sequence[str] | None, notes: list[str]) -> list[Column]:
        """The columns to learn from; what is left out is said in `notes`."""
        if names is not None:
            twice = [name for at, name in enumerate(names) if name in names[:at]]
            if twice or goal.name in names:
                wrong, why = (twice[0], "twice an input") if twice else (goal.name, "the target and an input")
                raise DataError(f"{self.name}: the column {wrong!r:.60} is {why}; each may be chosen once")
        columns = [one for one in self.columns if one is not goal] if names is None else [*map(self.column, names)]
        left_out: dict[str, list[str]] = {}
        chosen = []
        for column in columns:
            why = _useless(column) or ("" if names is not None else self._doubtful(column))
            if why:
                left_out.setdefault(why, []).append(column.name)
            else:
                chosen.append(column)
        notes += [f"Left out, {why}: {listed(left)}." for why, left in left_out.items()]
        if not chosen:
            reason = notes[-1][:-1].lower() if notes else "none was chosen"
            raise DataError(f"{self.name}: no input is left ({reason}); choose a column of numbers or of few texts")
        return chosen

    def _doubtful(self, column: Column) -> str:
        """Why a column that nobody asked for is better left out, or an empty text."""
        if 2 * int(column.present.sum()) < self.rows:
            return "mostly missing"
        return "only counts the rows" if column.counts_rows else ""


def _useless(column: Column) -> str:
    """Why a column cannot be an input, or an empty text."""
    if column.kind == "empty":
        return "without any value"
    if column.kind == "text" and len(column.labels) > MOST_LABELS:
        return f"more than {MOST_LABELS} different texts"
    return "always the same text" if column.kind == "text" and len(column.labels) == 1 else ""


def _input_columns(chosen: Sequence[Column], keep: Array) -> tuple[Array, tuple[str, ...]]:
    """Inputs [n, d] and their names; texts one-hot."""
    parts, names = [], []
    for column in chosen:
        if column.kind == "number":
            parts.append(column.numbers[keep])
            names.append(column.name)
            continue
        codes = column.codes[keep]
        for code in np.unique(codes).tolist():
            parts.append((codes == code).astype(np.float64))
            names.append(f"{column.name}={' '.join(column.labels[code].split())}")
    return np.stack(parts, axis=1), tuple(names)


def _targets(goal: Column, keep: Array, kind: Kind | None) -> tuple[Kind, Array, tuple[str, ...]]:
    """Kind, targets and labels of the kept rows."""
    name = f"the target {goal.name!r:.60}"
    if goal.kind == "number":
        values = goal.numbers[keep]
        distinct, codes = np.unique(values, return_inverse=True)
        if (kind or _kind_of(distinct, len(values))) == "regression":
            return "regression", values[:, None], ()
        labels = tuple(f"{value:.17g}" for value in distinct[: MOST_CLASSES + 1].tolist())
    else:
        if kind == "regression":
            raise DataError(f"{name} holds texts, such as {goal.labels[0]!r:.40}; regression needs numbers")
        distinct, codes = np.unique(goal.codes[keep], return_inverse=True)
        labels = tuple(goal.labels[code] for code in distinct[: MOST_CLASSES + 1].tolist())
    if len(distinct) > MOST_CLASSES:
        raise DataError(f"{name} has {len(distinct):,} different values; at most {MOST_CLASSES} classes are allowed")
    if kind == "binary" and len(labels) != 2:
        raise DataError(f"{name} has {len(labels)} different values; binary needs exactly 2")
    if len(labels) == 2 and kind != "classes":
        return "binary", codes.reshape(-1, 1).astype(np.float64), labels
    return "classes", codes.reshape(-1).astype(np.int64), labels


def _kind_of(distinct: Array, rows: int) -> Kind:
    """What a column of numbers most likely is, from its different values (sorted)."""
    count = len(distinct)
    if count < 2 or bool(np.any(distinct != np.floor(distinct))):
        return "regression"
    if count == 2:
        return "binary" if rows >= 4 or bool(np.all(np.abs(distinct) <= 2.0)) else "regression"
    counting = distinct[0] in (0.0, 1.0) and distinct[-1] - distinct[0] == count - 1
    return "classes" if counting and count <= 20 and rows >= 2 * count else "regression"
