"""Classification by a tanh network of any depth, down to logistic regression without a hidden layer: loss, gradient.

Parameters are one flat vector. Layer by layer it holds a matrix [inputs + 1, outputs] in row order, whose last row is
the bias: the layer's inputs carry a 1 as their last column, as K-FAC wants it (Martens and Grosse 2015, section 2.1).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


@dataclass(frozen=True, eq=False)
class Network:
    """Samples and the shape of what is fitted to them.

    `sizes`: inputs, hidden units of each layer, outputs. One output is the logit of class 1 of two; several are the
    logits of a softmax. `x` [N, inputs + 1] ends with a column of ones; `y` [N, outputs] is 0 or 1. The loss is the
    mean cross-entropy plus l2/2 times the squared length of all parameters, biases included.
    """

    sizes: tuple[int, ...]
    x: Array
    y: Array
    l2: float

    @cached_property
    def shapes(self) -> tuple[tuple[int, int], ...]:
        """Of each layer's matrix: inputs + 1, outputs."""
        return tuple((inputs + 1, outputs) for inputs, outputs in pairwise(self.sizes))

    @cached_property
    def parameters(self) -> int:
        """How many numbers are fitted."""
        return sum(rows * columns for rows, columns in self.shapes)

    def on(self, rows: Array) -> Self:
        """The same network on these samples only."""
        return replace(self, x=self.x[rows], y=self.y[rows])

    def matrices(self, p: Array) -> list[Array]:
        """The layers' matrices out of flat parameters [..., n]: [..., inputs + 1, outputs] each, without a copy."""
        found, first = [], 0
        for rows, columns in self.shapes:
            found.append(p[..., first : first + rows * columns].reshape(*p.shape[:-1], rows, columns))
            first += rows * columns
        return found

    def forward(self, p: Array) -> tuple[list[Array], Array]:
        """Every layer's inputs, each with its column of ones [N, inputs + 1], and the logits [N, outputs]."""
        inputs = [self.x]
        for matrix in self.matrices(p)[:-1]:
            inputs.append(with_ones(np.tanh(inputs[-1] @ matrix)))
        return inputs, inputs[-1] @ self.matrices(p)[-1]

    def value(self, p: Array) -> float:
        """The loss."""
        return self._loss(p, self.forward(p)[1])

    def _loss(self, p: Array, logits: Array) -> float:
        if self.sizes[-1] == 1:
            told = np.logaddexp(0.0, logits) - self.y * logits
        else:
            highest = logits.max(axis=1, keepdims=True)
            told = np.log(np.exp(logits - highest).sum(axis=1)) + ((highest - logits) * self.y).sum(axis=1)
        return float(told.sum() / len(self.x) + 0.5 * self.l2 * (p @ p))

    def value_gradient(self, p: Array) -> tuple[float, Array]:
        """The loss and its gradient [n]."""
        inputs, logits = self.forward(p)
        delta = (probabilities(logits) - self.y) / len(self.x)
        return self._loss(p, logits), self.joined(self.backward(p, inputs, delta)) + self.l2 * p

    def backward(self, p: Array, inputs: Sequence[Array], delta: Array) -> list[Array]:
        """The layers' gradients, from what the loss changes by with the logits: delta [N, outputs]."""
        return [a.T @ d for a, d in zip(inputs, self.deltas(p, inputs, delta), strict=True)]

    def deltas(self, p: Array, inputs: Sequence[Array], delta: Array) -> list[Array]:
        """What the loss changes by with every layer's pre-activations, [N, outputs] each, the first layer first."""
        found = [delta]
        for a, matrix in zip(inputs[:0:-1], self.matrices(p)[:0:-1], strict=True):
            found.append((found[-1] @ matrix[:-1].T) * (1.0 - a[:, :-1] ** 2))
        return found[::-1]

    def joined(self, layers: Sequence[Array]) -> Array:
        """Matrices [..., inputs + 1, outputs] of all layers as flat parameters [..., n]."""
        return np.concatenate([layer.reshape(*layer.shape[:-2], -1) for layer in layers], axis=-1)

    def accuracy(self, p: Array) -> float:
        """The share of samples sorted into their class."""
        logits = self.forward(p)[1]
        if self.sizes[-1] == 1:
            return float(((logits > 0) == (self.y > 0.5)).mean())
        return float((logits.argmax(axis=1) == self.y.argmax(axis=1)).mean())


def with_ones(a: Array) -> Array:
    """[..., k] with a last column of ones: [..., k + 1]."""
    return np.concatenate([a, np.ones((*a.shape[:-1], 1))], axis=-1)


def probabilities(logits: Array) -> Array:
    """What the model believes: sigmoid of one logit, softmax of several; [N, outputs]."""
    if logits.shape[1] == 1:
        return np.exp(-np.logaddexp(0.0, -logits))
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    shares: Array = powers / powers.sum(axis=1, keepdims=True)
    return shares


def first_weights(sizes: Sequence[int], draw: np.random.Generator) -> Array:
    """Where training begins: zero without a hidden layer, else N(0, 2/(inputs + outputs)) (Glorot and Bengio 2010,
    eq. 12's variance) with biases 0."""
    parts = []
    for inputs, outputs in pairwise(sizes):
        matrix = np.zeros((inputs + 1, outputs))
        if len(sizes) > 2:
            matrix[:-1] = np.sqrt(2.0 / (inputs + outputs)) * draw.standard_normal((inputs, outputs))
        parts.append(matrix.ravel())
    return np.concatenate(parts)
