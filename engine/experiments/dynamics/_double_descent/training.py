"""The trained families of double descent: networks of one hidden layer on all samples at once, to the end."""

from __future__ import annotations

from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from engine.data.digits import SIDE
from engine.experiments.dynamics._double_descent import data
from engine.experiments.dynamics._double_descent.settings import DoubleDescentSpec, penalties
from engine.experiments.dynamics._double_descent.sweep import real
from engine.turns import give_way

Array = NDArray[Any]
PIECE = 2.5e8  # products of all networks in one step: some 50 ms


class Piece(NamedTuple):
    """One step: `size` (place of the network), epochs done before, epochs to do, whether that was the last."""

    size: int
    before: int
    epochs: int
    last: bool


def inputs_of(spec: DoubleDescentSpec) -> int:
    """How many inputs a sample has."""
    return SIDE * SIDE if spec.data == "digits" else spec.inputs


def parameters(spec: DoubleDescentSpec, units: int) -> int:
    """Weights and biases of a network."""
    return units * (inputs_of(spec) + 2) + 1


def hidden_units(spec: DoubleDescentSpec) -> tuple[int, ...]:
    """The networks, rising in width."""
    return tuple(sorted(set(spec.units))) if spec.family == "width" else (spec.hidden,)


def products(spec: DoubleDescentSpec, units: int) -> float:
    """What one epoch of all networks of a width costs."""
    return 3.0 * spec.samples * parameters(spec, units) * spec.seeds * len(spec.fits)


def _epochs(spec: DoubleDescentSpec, units: int) -> int:
    """How many epochs of a width one step takes."""
    return int(max(1.0, PIECE / products(spec, units)))


def pieces(spec: DoubleDescentSpec) -> int:
    """How many pieces the plan has."""
    if spec.family == "epochs":
        return -(-spec.epochs // spec.every) + int(spec.every > 1 and spec.epochs > 1)
    return sum(-(-spec.epochs // _epochs(spec, units)) for units in hidden_units(spec))


def plan(spec: DoubleDescentSpec) -> list[Piece]:
    """What each step does, from step 0 on."""
    if spec.family == "epochs":
        cuts = sorted({0, 1, *range(spec.every, spec.epochs, spec.every), spec.epochs})  # 0 has no place in decades
        return [Piece(0, a, b - a, True) for a, b in pairwise(cuts)]
    found = []
    for i, units in enumerate(hidden_units(spec)):
        some = _epochs(spec, units)
        for before in range(0, spec.epochs, some):
            now = min(some, spec.epochs - before)
            found.append(Piece(i, before, now, before + now == spec.epochs))
    return found


class Networks:
    """The data of every repetition and the compiled networks. Follows from the settings: copies of a state share it.

    `nudge`: by how much of themselves the first weights are off (to see how far rounding carries).
    """

    def __init__(self, spec: DoubleDescentSpec, nudge: float = 0.0) -> None:
        self.spec, self.sizes, self.plan, self.nudge = spec, hidden_units(spec), plan(spec), nudge
        self._data: dict[int, tuple[Array, Array, Array, Array]] = {}
        self._mlps: dict[int, Any] = {}

    def __deepcopy__(self, memo: Any) -> Networks:
        """Nothing in here depends on the step."""
        return self

    def samples(self, s: int) -> tuple[Array, Array, Array, Array]:
        """x, noisy y [n, 1], x and y of the test set, of repetition s."""
        if s not in self._data:
            seed = self.spec.seed + s
            x, f, tests, wanted = real(self.spec, seed)
            y = f + data.noise(seed, len(x), self.spec.noise)
            self._data[s] = tuple(np.ascontiguousarray(part) for part in (x, y[:, None], tests, wanted[:, None]))  # type: ignore[assignment]
        return self._data[s]

    def mlp(self, i: int) -> Any:
        """The compiled network of the i-th width."""
        if i not in self._mlps:
            from engine.networks.description import Description
            from engine.networks.mlp import Mlp

            inputs = inputs_of(self.spec)
            self._mlps[i] = Mlp(Description(inputs, (self.sizes[i],), 1, ("relu",)))
        return self._mlps[i]

    def fresh(self, i: int) -> tuple[Array, Array]:
        """First weights [fits, seeds, P], the same for every fit, and optimizer states [fits, seeds, rows, P]."""
        spec = self.spec
        drawn = [data.first_weights(spec.seed + s, inputs_of(spec), self.sizes[i]) for s in range(spec.seeds)]
        weights = np.repeat((1.0 + self.nudge) * np.array(drawn)[None], len(spec.fits), axis=0)
        rows = {"adam": 2, "momentum": 1, "sgd": 0}[spec.optimizer]
        return weights, np.zeros((len(spec.fits), spec.seeds, rows, weights.shape[-1]))

    def train(self, piece: Piece, weights: Array, states: Array, rate: float, ended: list[int]) -> dict[int, str]:
        """Take a piece's epochs with every network in place. Returns which fits overflowed, and how."""
        from engine.networks.mlp import NOT_FINITE, Rule

        spec, mlp = self.spec, self.mlp(piece.size)
        rates, lost = np.full(piece.epochs, rate), dict[int, str]()
        for f, penalty in enumerate(penalties(spec, 0).values()):
            # mean squared error + (penalty / n) sum of squares, as in least squares; the rule puts 1/2 before it
            rule = Rule.of(spec.optimizer, l2=2.0 * penalty / spec.samples, penalize_biases=True)
            for s in range(spec.seeds if f not in ended else 0):
                give_way()
                x, y, _, _ = self.samples(s)
                whole = np.zeros((3, weights.shape[-1]))
                whole[: states.shape[2]] = states[f, s]
                done, code, _ = mlp.train(weights[f, s], whole, x, y, rule, piece.before + 1, rates)
                states[f, s] = whole[: states.shape[2]]
                if code == NOT_FINITE or not np.isfinite(weights[f, s]).all():
                    lost.setdefault(f, f"{self.sizes[piece.size]} hidden units, repetition {s + 1}: the weights "
                                       f"overflowed at epoch {piece.before + done}")  # fmt: skip
        return lost

    def fill(self, table: Array, i: int, weights: Array) -> None:
        """Test error, training error and norm of the weights of every network; table: [fits, seeds, 3]."""
        mlp = self.mlp(i)
        for f in range(table.shape[0]):
            for s in range(table.shape[1]):
                x, y, tests, wanted = self.samples(s)
                w = weights[f, s]
                with np.errstate(all="ignore"):
                    table[f, s] = (
                        ((mlp.predict(w, tests) - wanted) ** 2).mean(), ((mlp.predict(w, x) - y) ** 2).mean(),
                        np.linalg.norm(w),
                    )  # fmt: skip
