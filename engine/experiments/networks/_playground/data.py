"""The playground's data: loaded, split, on one scale, with what a picture of them needs."""

from __future__ import annotations

import functools
import math
import os
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.data import DATA, DataError, Dataset, load, read, split, standardised, standardised_target
from engine.formula import FormulaError, parse
from engine.spec import SpecError

Array = NDArray[Any]
QUICK = 300_000  # bytes of a table that is read while its name is checked
FIXED = {"chapter_xor": 100, "digits": 1797}
INTERVAL = (-2.0, 2.0)  # of a function of x


@dataclass(frozen=True, eq=False)
class Prepared:
    """Data as a run has them. `train` and `test` are on the scale the network sees; their inputs were (column - mean)
    / scale, a regression's target (y - target_mean) / target_scale."""

    train: Dataset
    test: Dataset
    means: Array
    scales: Array
    target_mean: float
    target_scale: float
    domain: tuple[tuple[float, float], ...]  # of each input, as the reader knows it
    notes: tuple[str, ...]

    @property
    def kind(self) -> str:
        """`regression`, `binary` or `classes`."""
        return self.train.kind

    @property
    def inputs(self) -> int:
        """How many inputs there are."""
        return len(self.train.inputs)

    def seen(self, x: Array) -> Array:
        """Inputs as the reader knows them, as the network sees them."""
        return np.asarray((x - self.means) / self.scales)

    def known(self, x: Array) -> Array:
        """Inputs as the network sees them, as the reader knows them."""
        return np.asarray(x * self.scales + self.means)

    @functools.cached_property
    def plane(self) -> tuple[Array, Array, float]:
        """Directions [2, d] of the first two principal components of the training inputs, their mean [d], and the
        share of the variance they hold. Signs: each direction's largest entry is positive."""
        x = self.train.x
        mean = x.mean(axis=0)
        values, vectors = np.linalg.eigh((x - mean).T @ (x - mean))
        two = vectors[:, ::-1].T[:2]
        two = two * np.sign(two[np.arange(2), np.abs(two).argmax(axis=1)])[:, None]
        total = float(values.sum())
        return two, mean, float(values[-2:].sum()) / total if total > 0 else 1.0

    def answer(self, y: Array) -> Array:
        """A regression's outputs in the reader's units."""
        return y * self.target_scale + self.target_mean


def prepare(spec: Any) -> Prepared:
    """The data of the settings. Raises SpecError under the field that is to blame."""
    try:
        whole = _csv(spec) if spec.data == "csv" else _load(spec)
        train, test = split(whole, spec.test_share, spec.seed)
    except FormulaError as error:
        raise SpecError("formula", str(error)) from None
    except DataError as error:
        raise SpecError(_blamed(spec), str(error)) from None
    given = DATA[spec.data].domain
    domain = given or ((INTERVAL,) if spec.data == "function" else whole.domain)
    means, scales = np.zeros(len(whole.inputs)), np.ones(len(whole.inputs))
    mean, scale = 0.0, 1.0
    notes = [whole.note] if whole.note else []
    if spec.data == "csv":
        notes.append(f"Predicts {whole.target} from {_listed(whole.inputs)}.")
        if spec.standardise:
            train, test, means, scales = standardised(train, test)
            train, test, mean, scale = standardised_target(train, test)
            told = "Inputs are standardised over the training set"
            told += f", and so is {whole.target}: a loss of 1 is its variance" if whole.kind == "regression" else ""
            notes.append(f"{told}.")
    if whole.kind != "regression" and len(np.unique(train.y)) == 1:
        notes.append("All training labels are equal: there is nothing to tell apart.")
    return Prepared(train, test, means, scales, mean, scale, domain, tuple(notes))


def _load(spec: Any) -> Dataset:
    return load(
        spec.data, n=spec.samples, noise=spec.noise, seed=spec.seed, formula=spec.formula, interval=INTERVAL
    )  # fmt: skip


def _blamed(spec: Any) -> str:
    return {"csv": "csv", "function": "formula"}.get(spec.data, "data")


def _listed(names: tuple[str, ...], most: int = 6) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def _csv(spec: Any) -> Dataset:
    path = os.path.abspath(os.path.expanduser(spec.csv)) if spec.csv.strip() else ""
    try:
        found = os.stat(path) if path else None
    except (OSError, ValueError):
        found = None
    stamp = (found.st_mtime_ns, found.st_size) if found is not None else (0, 0)
    return _table(path, stamp, spec.csv_target.strip(), spec.csv_inputs)


@functools.lru_cache(maxsize=2)  # the check reads what the run then takes; a changed file has another stamp
def _table(path: str, stamp: tuple[int, int], target: str, inputs: str) -> Dataset:
    names = tuple(name.strip() for name in inputs.split(",") if name.strip())
    table = read(path, target=target or None, inputs=names or None)
    whole = table.dataset()
    note = " ".join(filter(None, (*table.notes, whole.note)))
    return Dataset(whole.name, whole.x, whole.y, whole.kind, whole.inputs, whole.classes, note, whole.target)


def check(spec: Any) -> tuple[int | None, str | None]:
    """How many samples are trained on and of which kind, None where only reading a long file would tell.

    Raises SpecError for a formula that does not parse and for a table that cannot be used, as far as that is quick.
    """
    kind: str | None = DATA[spec.data].kind
    n = FIXED.get(spec.data, spec.samples)
    if spec.data == "function":
        try:
            if "y" in parse(spec.formula).variables:
                raise SpecError("formula", "it has a y in it; a function of one input may have x alone")
        except FormulaError as error:
            raise SpecError("formula", str(error)) from None
    if spec.data == "csv":
        try:
            size = os.path.getsize(os.path.expanduser(spec.csv)) if spec.csv.strip() else 0
        except (OSError, ValueError):
            size = 0
        if size > QUICK:
            return None, None
        try:
            whole = _csv(spec)
        except DataError as error:
            raise SpecError("csv", str(error)) from None
        n, kind = whole.samples, whole.kind
    tested = min(max(math.floor(n * spec.test_share + 0.5), 1), n - 1) if spec.test_share > 0 else 0
    return n - tested, kind
