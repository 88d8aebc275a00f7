"""The linear families of double descent: every repetition's least squares at one width after another."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.experiments.dynamics._double_descent import data
from engine.experiments.dynamics._double_descent.settings import DoubleDescentSpec, penalties
from engine.nested_least_squares import NestedLeastSquares
from engine.turns import give_way

Array = NDArray[Any]
PIECE = 1e9  # n^3 of all fits of one step at the most (if a single one has not more): some 50 ms


def sizes(spec: DoubleDescentSpec) -> tuple[int, ...]:
    """The widths, rising: the reader's own, or evenly over decades with n among them."""
    if spec.widths:
        return tuple(sorted(set(spec.widths)))
    spaced = np.geomspace(spec.lowest, spec.highest, spec.count).round().astype(int).tolist()
    inside = [spec.samples] if spec.lowest < spec.samples < spec.highest else []
    return tuple(sorted({*spaced, *inside}))


def rounds(spec: DoubleDescentSpec) -> tuple[int, int]:
    """How many steps one width takes, and how many fits (repetition by repetition, penalty by penalty) each has."""
    fits = spec.seeds * len(spec.fits)
    together = int(min(fits, max(1.0, PIECE / spec.samples**3)))
    return -(-fits // together), together


def memory(spec: DoubleDescentSpec) -> float:
    """Bytes that all repetitions need at the most: columns, triangles, Gram matrices, features of the test set."""
    n, p = spec.samples, sizes(spec)[-1]
    tested = data.TESTED if spec.family == "random_features" else 0
    targets = len(sizes(spec)) if spec.family == "isotropic" and spec.spread == "seen" else 1
    each = (n + tested) * p + (2 + len(spec.fits)) * n * (n + targets)
    return 8.0 * each * spec.seeds


class _Repetition:
    """The data of one seed, their solver, and the truth to hold a fit to."""

    def __init__(self, spec: DoubleDescentSpec, seed: int) -> None:
        n, widths = spec.samples, sizes(spec)
        widest = widths[-1]
        self.truth: list[Array] = []  # isotropic: the true weights at each width
        self.unseen = [0.0] * len(widths)
        if spec.family == "isotropic":
            x = data.design(seed, n, widest)
            missed = data.noise(seed, n, spec.noise)
            if spec.spread == "seen":
                self.truth = [data.seen_signal(seed, p, spec.signal) for p in widths]
                y = np.column_stack([x[:, : len(w)] @ w + missed for w in self.truth])
            else:
                whole = data.fading_signal(seed, widest, spec.signal)
                self.truth = [whole[:p] for p in widths]
                self.unseen = [float((whole[p:] ** 2).sum()) for p in widths]
                y = x @ whole + missed
        else:
            inputs, f, others, self.wanted = real(spec, seed)
            x, self.tests = (data.features(seed, widest, part) for part in (inputs, others))
            y = f + data.noise(seed, n, spec.noise)
        self.solver = NestedLeastSquares(x, y, widths)

    def fit(self, i: int, penalty: float) -> tuple[float, float, float]:
        """Test error, training error and norm of the weights at the i-th width."""
        w = self.solver.weights(i, penalty)
        p = len(w)
        if self.truth:
            test = float(((w - self.truth[i]) ** 2).sum()) + self.unseen[i]
        else:
            test = float(((self.tests[:, :p] @ w - self.wanted) ** 2).mean())
        train = float(((self.solver.targets(i) - self.solver.x[:, :p] @ w) ** 2).mean())
        return test, train, float(np.linalg.norm(w))


def real(spec: DoubleDescentSpec, seed: int) -> tuple[Array, Array, Array, Array]:
    """Inputs and noise-free targets to fit, and those to test on, of a task that is not isotropic."""
    if spec.data == "digits":
        from engine.data.digits import digits

        shipped = digits()
        return data.pictures(seed, spec.samples, shipped.x, shipped.y)
    return data.made(seed, spec.samples, spec.inputs, spec.scale)


class Sweep:
    """All repetitions. What it keeps follows from the settings, so copies of a state share it."""

    def __init__(self, spec: DoubleDescentSpec) -> None:
        self.spec, self.sizes = spec, sizes(spec)
        self.rounds, self.together = rounds(spec)
        self._repetitions: dict[int, _Repetition] = {}

    def __deepcopy__(self, memo: Any) -> Sweep:
        """Nothing in here depends on the step."""
        return self

    def fill(self, table: Array, i: int, part: int) -> None:
        """Fit the `part`-th share of the i-th width; table: [fits, seeds, 3]."""
        wanted = list(penalties(self.spec, self.sizes[i]).values())
        first = part * self.together
        for item in range(first, min(first + self.together, table.shape[0] * table.shape[1])):
            give_way()
            s, f = divmod(item, len(wanted))
            if s not in self._repetitions:
                self._repetitions[s] = _Repetition(self.spec, self.spec.seed + s)
            table[f, s] = self._repetitions[s].fit(i, wanted[f])
