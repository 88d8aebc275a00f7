"""The largest eigenvalue of the Hessian of a small network's loss over all samples, from exact products with it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.networks.activations import activation
from engine.networks.description import Description
from engine.networks.plan import layers, slope
from engine.turns import give_way

Floats = NDArray[np.float64]
Product = Callable[[Floats], Floats]
MOST = 80  # products
ENOUGH = 1e-8  # of the eigenvalue: as near as it need be known


@dataclass(frozen=True)
class Largest:
    """The largest eigenvalue found, within `error` of a true one, after so many products."""

    value: float
    error: float
    products: int


class Hessian:
    """Products with the Hessian of a loss over all samples, exactly and without the matrix, in float64: Pearlmutter's
    R-operator (Pearlmutter 1994, section 3). At the kink of an activation it has no curvature, as in torch.

    params [P]; x [n, inputs] and y [n, outputs or 1] as engine.networks.mlp.Mlp takes them.
    """

    def __init__(self, d: Description, params: NDArray[Any], x: NDArray[Any], y: NDArray[Any]) -> None:
        self.d = d
        self.size = len(params)
        self._layers = layers(d, np.asarray(params, float))
        self._kinds = [activation(name) for name in d.activations]
        self._inputs = [np.asarray(x, float)]
        self._pre: list[Floats] = []
        for i, layer in enumerate(self._layers):
            z = self._inputs[-1] @ layer.weight.T + (layer.bias if d.bias else 0.0)
            self._pre.append(z)
            if i < len(self._kinds):
                self._inputs.append(self._kinds[i].value(z, self._slope(i)))
        self._bends = [(kind.first(z, self._slope(i)), kind.second(z, self._slope(i)))
                       for i, (kind, z) in enumerate(zip(self._kinds, self._pre, strict=False))]  # fmt: skip
        self._delta, self._share = self._of_outputs(np.asarray(y, float))

    def _slope(self, i: int) -> float:
        own = self._layers[i].slopes
        return float(own[0]) if len(own) else slope(self.d, i)

    def _of_outputs(self, y: Floats) -> tuple[Floats, Floats]:
        """What the loss changes by with the last layer's outputs z [n, outputs], and what curvature is worked out
        from: probabilities, where there are any."""
        z, n = self._pre[-1], len(y)
        if self.d.loss == "mse":
            return 2.0 * (z - y) / z.size * (0.5 if self.d.half_mse else 1.0), z
        if self.d.loss == "bce":
            p = np.exp(-np.logaddexp(0.0, -z))
            return (p - y) / n, p
        powers = np.exp(z - z.max(axis=1, keepdims=True))
        p = powers / powers.sum(axis=1, keepdims=True)
        return (p - (np.arange(z.shape[1]) == y)) / n, p

    def _bent(self, moved: Floats) -> Floats:
        """The loss's own curvature in the outputs, times how they move [n, outputs]."""
        p, n = self._share, len(moved)
        if self.d.loss == "mse":
            return np.asarray((1.0 if self.d.half_mse else 2.0) * moved / moved.size)
        if self.d.loss == "bce":
            return np.asarray(p * (1.0 - p) * moved / n)
        return np.asarray(p * (moved - (p * moved).sum(axis=1, keepdims=True)) / n)

    def times(self, vector: Floats) -> Floats:
        """The Hessian times a vector [P]: each quantity of both passes is differentiated along it."""
        give_way()
        turns = layers(self.d, vector)
        moved: list[Floats | None] = [None]  # how each layer's inputs move; the samples do not
        moved_pre: list[Floats] = []
        for i, (layer, turn) in enumerate(zip(self._layers, turns, strict=True)):
            a, along = self._inputs[i], moved[i]
            dz = a @ turn.weight.T + (turn.bias if self.d.bias else 0.0)
            dz = dz if along is None else dz + along @ layer.weight.T
            moved_pre.append(dz)
            if i < len(self._kinds):
                da = self._bends[i][0] * dz
                if len(turn.slopes):
                    da = da + np.minimum(self._pre[i], 0.0) * turn.slopes[0]
                moved.append(da)
        found = np.zeros(self.size)
        out = layers(self.d, found)
        delta, bent = self._delta, self._bent(moved_pre[-1])
        for i in range(len(self._layers) - 1, -1, -1):
            a, along = self._inputs[i], moved[i]
            out[i].weight[...] = bent.T @ a if along is None else bent.T @ a + delta.T @ along
            out[i].bias[...] = bent.sum(axis=0) if self.d.bias else 0.0
            if i == 0:
                break
            back = delta @ self._layers[i].weight
            moved_back = bent @ self._layers[i].weight + delta @ turns[i].weight
            first, second = self._bends[i - 1]
            z, dz, learnt = self._pre[i - 1], moved_pre[i - 1], turns[i - 1].slopes
            turned = second * dz
            if len(learnt):  # PReLU: its slope moves too
                below = z < 0.0
                turned = turned + below * learnt[0]
                out[i - 1].slopes[0] = (moved_back * np.minimum(z, 0.0) + back * below * dz).sum()
            delta, bent = back * first, moved_back * first + back * turned
        return found


class Lanczos:
    """The largest eigenvalue of a symmetric matrix from products with it: Lanczos' method from the vector `start` [P],
    every new vector made orthogonal to all before (Golub and Van Loan 2013, section 10.3.1). Its error is bounded by
    the residual: |beta s|, s the last part of the small matrix's eigenvector (ibid. 10.1.4).

    The matrix is the sum of `parts`, each a product with one of them: so the work can be cut finely. What is known
    after so many pieces of work follows from their number alone, so copies share what was done already.
    """

    def __init__(self, parts: Sequence[Product], start: Floats, most: int = MOST, enough: float = ENOUGH) -> None:
        self.parts = tuple(parts)
        self.most, self._enough = min(most, len(start)), enough
        self._basis = [start / np.linalg.norm(start)]
        self._alphas: list[float] = []
        self._betas: list[float] = []
        self._sum = np.zeros(len(start))
        self._pieces = 0
        self._found: list[Largest] = []
        self._over = False

    def __deepcopy__(self, memo: dict[int, Any]) -> Lanczos:
        """Shared: see above."""
        return self

    def after(self, pieces: int) -> Largest | None:
        """What is known after so many pieces; None before the first product is whole."""
        while self._pieces < pieces and not self._over:
            place = self._pieces % len(self.parts)
            part = self.parts[place](self._basis[-1])
            self._sum = part if place == 0 else self._sum + part
            self._pieces += 1
            if place == len(self.parts) - 1:
                self._take_in(self._sum)
        whole = min(pieces // len(self.parts), len(self._found))
        return self._found[whole - 1] if whole else None

    def over(self, pieces: int) -> bool:
        """Whether nothing is left to be done after so many pieces."""
        return self._over and pieces >= len(self._found) * len(self.parts)

    def _take_in(self, w: Floats) -> None:
        """One product with the last vector is there."""
        self._alphas.append(float(w @ self._basis[-1]))
        held = np.stack(self._basis)
        for _ in range(2):  # once is not enough where much cancels
            w = w - held.T @ (held @ w)
        beta = float(np.linalg.norm(w))
        small = np.diag(self._alphas) + np.diag(self._betas, 1) + np.diag(self._betas, -1)
        values, vectors = np.linalg.eigh(small)
        value, error = float(values[-1]), beta * abs(float(vectors[-1, -1]))
        self._found.append(Largest(value, error, len(self._alphas)))
        near = error <= self._enough * abs(value) or beta <= 1e-14 * max(1e-300, float(np.abs(values).max()))
        self._over = near or len(self._found) == self.most
        if self._over:
            self._basis, self._sum = [], np.zeros(0)
        else:
            self._betas.append(beta)
            self._basis.append(w / beta)


def largest(times: Product, start: Floats, most: int = MOST, enough: float = ENOUGH) -> Largest:
    """The largest eigenvalue of a symmetric matrix from products with it, in one go; see Lanczos."""
    made = Lanczos((times,), start, most, enough)
    found = made.after(made.most)
    assert found is not None
    return found


def hessian_parts(d: Description, params: NDArray[Any], x: NDArray[Any], y: NDArray[Any], work: int) -> list[Product]:
    """Products with parts of the Hessian of a loss over all samples, which add up to it: each over so many samples
    that parameters times samples are at most about `work`. Of several none keeps anything between two products."""
    n = len(x)
    blocks = -(-n * len(params) // work)
    edges = np.linspace(0, n, min(max(blocks, 1), n) + 1).round().astype(int)
    if len(edges) == 2:
        return [Hessian(d, params, x, y).times]

    def product(rows: slice) -> Product:
        share = (rows.stop - rows.start) / n  # each loss is a mean over its samples
        return lambda vector: share * Hessian(d, params, x[rows], y[rows]).times(vector)

    return [product(slice(int(a), int(b))) for a, b in pairwise(edges)]
