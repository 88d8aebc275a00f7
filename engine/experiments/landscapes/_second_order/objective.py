"""What a method sees during a step: loss and derivatives on the samples of that step, with its evaluations counted."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np

from . import curvature
from .network import Array, Network

Memo = dict[str, Any]


class Problem(Protocol):
    """Something to be minimised, with the curvatures that the methods ask for. Positions are flat: [n]."""

    @property
    def parameters(self) -> int:
        """n."""
        ...

    @property
    def l2(self) -> float:
        """The penalty is l2/2 times the squared length of the parameters; its own curvature is l2 everywhere."""
        ...

    def value(self, p: Array) -> float:
        """The loss."""
        ...

    def value_gradient(self, p: Array) -> tuple[float, Array]:
        """The loss and its gradient [n]."""
        ...

    def hessian(self, p: Array) -> Array:
        """The matrix of second derivatives [n, n], penalty included."""
        ...

    def fisher(self, p: Array) -> Array:
        """The Fisher matrix [n, n], without the penalty."""
        ...

    def fisher_form(self, p: Array, vectors: Array) -> Array:
        """v' F w for all pairs of vectors [m, n]: [m, m]."""
        ...

    def factors(self, p: Array) -> list[tuple[Array, Array]]:
        """Of every layer K-FAC's A [inputs + 1, inputs + 1] and G [outputs, outputs]."""
        ...


class Classifier(Network):
    """A network, or logistic regression, as a Problem."""

    def hessian(self, p: Array) -> Array:
        """Exact."""
        return curvature.hessian(self, p)

    def fisher(self, p: Array) -> Array:
        """In expectation over the model's own predictions."""
        return curvature.fisher(self, p)

    def fisher_form(self, p: Array, vectors: Array) -> Array:
        """Two forward passes, no matrix."""
        return curvature.fisher_form(self, p, vectors)

    def factors(self, p: Array) -> list[tuple[Array, Array]]:
        """In expectation over the model's own predictions."""
        return curvature.factors(self, p)


class Quadratic:
    """The chapter's f(x, y) = .01 x^2 + 5 y^2.

    It is the loss of a Gaussian of variance 1 around a single linear layer, whose Fisher matrix is its Hessian; of one
    layer with one output the Kronecker product A (x) G is exact too. So three methods are one here.
    """

    curvatures = np.array([0.02, 10.0])
    start = np.array([10.0, 2.0])
    parameters, l2 = 2, 0.0

    def value(self, p: Array) -> float:
        """f."""
        return float(0.01 * p[0] ** 2 + 5.0 * p[1] ** 2)

    def value_gradient(self, p: Array) -> tuple[float, Array]:
        """f and (.02 x, 10 y)."""
        return self.value(p), self.curvatures * p

    def hessian(self, p: Array) -> Array:
        """diag(.02, 10) everywhere."""
        return np.diag(self.curvatures)

    fisher = hessian

    def fisher_form(self, p: Array, vectors: Array) -> Array:
        """v' H w."""
        form: Array = (vectors * self.curvatures) @ vectors.T
        return form

    def factors(self, p: Array) -> list[tuple[Array, Array]]:
        """A = H and G = 1."""
        return [(self.hessian(p), np.ones((1, 1)))]


class Watched:
    """A Problem during one step: it counts evaluations of the loss or its gradient.

    `memo` keeps the last gradient from one step to the next, so that a line search, which ends with a gradient where
    the next step begins, pays for it once; None: nothing is kept.
    """

    def __init__(self, problem: Problem, memo: Memo | None = None) -> None:
        self.problem, self.memo, self.evaluations = problem, memo, 0
        self.l2 = problem.l2
        self.hessian, self.fisher = problem.hessian, problem.fisher
        self.fisher_form, self.factors = problem.fisher_form, problem.factors

    def value(self, p: Array) -> float:
        """The loss."""
        self.evaluations += 1
        return self.problem.value(p)

    def value_gradient(self, p: Array) -> tuple[float, Array]:
        """The loss and its gradient."""
        memo = self.memo
        if memo and np.array_equal(memo["at"], p):
            return memo["value"], memo["gradient"]
        self.evaluations += 1
        value, gradient = self.problem.value_gradient(p)
        if memo is not None:
            memo |= {"at": np.array(p), "value": value, "gradient": gradient}
        return value, gradient
