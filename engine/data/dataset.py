"""What a data set is, how it is split, and how its columns are brought to one scale."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from engine.randomness import generator

Array = NDArray[Any]
Kind = Literal["regression", "binary", "classes"]
Range = tuple[float, float]

MOST_SAMPLES = 100_000  # of a generated data set
LARGEST = 1e100  # of any value: its square and sums of squares are still finite
LARGEST_SEED = 2**63 - 1


class DataError(ValueError):
    """Data that cannot be used, told in one line: what, which value, what is allowed."""


@dataclass(frozen=True, eq=False)
class Dataset:
    """Samples with their targets. The arrays are read-only, so threads may share them.

    Attributes: `x` [n, d] float64; `y` float64 [n, 1] for `regression` and `binary` (0 or 1), int64 [n] for `classes`
    (index into `classes`); `inputs` a name for each of the d columns; `classes` the labels (`binary`: of 0 and of 1;
    `regression`: none); `target` the name of what is predicted; `note` sentences on what was done to the data,
    empty if nothing.

    Raises DataError for shapes that do not belong together, for values that are not finite or beyond 1e100, and for
    class numbers without a label. n may be 0: an empty test set.
    """

    name: str
    x: Array
    y: Array
    kind: Kind
    inputs: tuple[str, ...]
    classes: tuple[str, ...] = ()
    note: str = ""
    target: str = "y"

    def __post_init__(self) -> None:
        """Take copies in the promised dtypes where needed, check them and lock them."""
        x = np.asarray(self.x, np.float64)
        if x.ndim != 2 or x.shape[1] != len(self.inputs) or not self.inputs:
            raise DataError(f"{self.name}: inputs of shape {x.shape} for {len(self.inputs)} names; give [n, d], d >= 1")
        y = np.asarray(self.y, np.int64 if self.kind == "classes" else np.float64)
        wanted = (len(x),) if self.kind == "classes" else (len(x), 1)
        if y.shape != wanted:
            raise DataError(
                f"{self.name}: targets of shape {y.shape}; {self.kind} with {len(x)} samples takes {wanted}"
            )
        for column, name in zip((*x.T, y.reshape(-1)), (*self.inputs, self.target), strict=True):
            wrong = column[~(np.abs(column) <= LARGEST)]
            if len(wrong):
                raise DataError(f"{self.name}: {name!r:.60} has the value {wrong[0]:g}; allowed is -1e100 to 1e100")
        labels = 0 if self.kind == "regression" else 2 if self.kind == "binary" else max(len(self.classes), 1)
        known = (y >= 0) & (y < labels) & (y == np.floor(y))
        if len(self.classes) != labels or (labels and not known.all()):
            raise DataError(f"{self.name}: {len(self.classes)} labels do not fit the targets of kind {self.kind}")
        object.__setattr__(self, "x", _locked(x))
        object.__setattr__(self, "y", _locked(y))

    @property
    def samples(self) -> int:
        """How many samples there are."""
        return len(self.x)

    @property
    def outputs(self) -> int:
        """How many outputs a network needs: one for each class, else one."""
        return len(self.classes) if self.kind == "classes" else 1

    @property
    def domain(self) -> tuple[Range, ...]:
        """For each input the part of its axis that holds the samples, with a tenth of it on either side."""
        if not self.samples:
            return ((-1.0, 1.0),) * len(self.inputs)
        ends = []
        for low, high in zip(self.x.min(axis=0).tolist(), self.x.max(axis=0).tolist(), strict=True):
            margin = 0.1 * (high - low) or 0.1 * abs(high) or 1.0
            ends.append((low - margin, high + margin))
        return tuple(ends)

    def take(self, chosen: ArrayLike) -> Dataset:
        """The samples of these indices (or this mask), in this order."""
        rows = np.asarray(chosen)
        rows = rows if rows.size else np.zeros(0, np.int64)
        return replace(self, x=self.x[rows], y=self.y[rows])


def _locked(array: Array) -> Array:
    if array.flags.writeable or not array.flags.c_contiguous:
        array = np.array(array, order="C")
        array.setflags(write=False)
    return array


@dataclass(frozen=True)
class Source:
    """One entry in a table of data sets.

    `make` gives the Dataset from keyword arguments; `options` names those it takes. `domain` is the part of each
    input's axis worth showing in a map, empty where that depends on the data (then Dataset.domain says it).
    """

    make: Callable[..., Dataset] = field(repr=False)
    title: str
    kind: Kind | None
    description: str
    domain: tuple[Range, ...] = ()
    options: tuple[str, ...] = ("n", "noise", "seed")


class Standardised(NamedTuple):
    """Train and test on one scale: (column - mean) / scale. `means`, `scales`: [d]."""

    train: Dataset
    test: Dataset
    means: Array
    scales: Array


def split(dataset: Dataset, test_share: float, seed: int) -> tuple[Dataset, Dataset]:
    """A train and a test set, drawn without replacement; both keep the order of the samples.

    The test set gets `test_share` (0 to below 1) of the samples, rounded, at least one where the share is above 0; at
    least one sample is left to train on, so the only sample of a data set is never tested on. A larger share only
    moves samples from train to test. Raises DataError.
    """
    check_seed(seed)
    if not (math.isfinite(test_share) and 0.0 <= test_share < 1.0):
        raise DataError(f"test share {test_share!r:.40} is not allowed; give a number from 0 to below 1")
    n = dataset.samples
    if n == 0:
        raise DataError(f"{dataset.name}: there are no samples to split; give at least 1")
    tested = min(max(math.floor(n * test_share + 0.5), 1), n - 1) if test_share > 0 else 0
    held = np.zeros(n, np.bool_)
    held[generator(seed, "split").permutation(n)[:tested]] = True
    return dataset.take(~held), dataset.take(held)


def standardised(train: Dataset, test: Dataset) -> Standardised:
    """Both sets with inputs of mean 0 and standard deviation 1 over the training samples (divided by n, not n - 1).

    A column that is constant in training becomes 0 there, with scale 1; the note of both sets names it.
    """
    means, scales = _scale(train.x)
    constant = constant_inputs(train)
    said = f"Constant in training, so only shifted to 0: {listed(constant)}." if constant else ""
    sets = [
        replace(part, x=(part.x - means) / scales, note=" ".join(filter(None, (part.note, said))))
        for part in (train, test)
    ]
    return Standardised(sets[0], sets[1], means, scales)


def standardised_target(train: Dataset, test: Dataset) -> tuple[Dataset, Dataset, float, float]:
    """Regression targets brought to mean 0 and standard deviation 1 over training, with that mean and scale.

    Other kinds come back as they are, with mean 0 and scale 1.
    """
    if train.kind != "regression":
        return train, test, 0.0, 1.0
    means, scales = _scale(train.y)
    train, test = (replace(part, y=(part.y - means) / scales) for part in (train, test))
    return train, test, float(means[0]), float(scales[0])


def _scale(columns: Array) -> tuple[Array, Array]:
    """Mean and standard deviation of each column; of a constant one its value, exactly, and 1."""
    if not len(columns):
        return np.zeros(columns.shape[1]), np.ones(columns.shape[1])
    means, scales = columns.mean(axis=0), columns.std(axis=0)
    still = columns.min(axis=0) == columns.max(axis=0)
    means[still] = columns[0, still]
    scales[still | (scales == 0.0)] = 1.0
    return means, scales


def constant_inputs(dataset: Dataset) -> list[str]:
    """The inputs that have one value in all samples; none where there are no samples."""
    if not dataset.samples:
        return []
    still = dataset.x.min(axis=0) == dataset.x.max(axis=0)
    return [name for name, one in zip(dataset.inputs, still.tolist(), strict=True) if one]


def listed(names: list[str], most: int = 5) -> str:
    """Names in one short line: the first few, each cut to 40 characters, and how many more."""
    shown = [name if len(name) <= 40 else name[:39] + "…" for name in names[:most]]
    more = f" and {len(names) - most:,} more" if len(names) > most else ""
    return ", ".join(shown) + more


def check_seed(seed: int) -> None:
    """Raise DataError for a seed that is no whole number from 0 to 2**63 - 1."""
    if isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed <= LARGEST_SEED:
        raise DataError(f"seed {seed!r:.40} is not allowed; give a whole number from 0 to {LARGEST_SEED}")


def check_draw(n: int, noise: float, seed: int) -> None:
    """Raise DataError for a number of samples, a noise or a seed that cannot be drawn with."""
    check_seed(seed)
    if isinstance(n, bool) or not isinstance(n, int) or not 1 <= n <= MOST_SAMPLES:
        raise DataError(f"{n!r:.40} samples are not allowed; give a whole number from 1 to {MOST_SAMPLES:,}")
    if not (isinstance(noise, (int, float)) and 0.0 <= noise <= 1e6):
        raise DataError(f"noise {noise!r:.40} is not allowed; give a number from 0 to 1,000,000")
