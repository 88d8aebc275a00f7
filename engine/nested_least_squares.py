"""Least squares on the first p columns of one matrix, for many p: a whole curve of widths at about the price of one.

For each p the weights w [p] minimise ||y - X_p w||^2 + penalty ||w||^2, where X_p has the first p columns of X [n, P];
without a penalty they are the minimum of smallest norm (min-norm interpolation for p > n).

Up to n columns one QR decomposition serves all p, since the triangle of the first p columns is the corner of the
larger triangle (Golub and Van Loan, Matrix Computations, 5.3). Beyond n the solution is w = X_p' z with
(X_p X_p' + penalty I) z = y; that Gram matrix grows by a product for each width and is factored by Cholesky. Where a
step of refinement says that squaring has cost too many digits (near p = n), the triangle comes from a QR of X_p'
itself: then z squares nothing away (Paige 1973: the error grows with the condition of X_p, not with its square). Where
a triangle has no full rank, or X_p' z cancels, the singular values decide, as in numpy.linalg.lstsq.

float64 throughout: in float32 the peak at p = n is rounding.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
BLOCK = 64  # rows that a triangular solve takes at once
TRUSTED = 1e-5  # a Cholesky solution that refinement moves by more is not used; refined, it is off by about the square
CANCELLED = 1e-10  # a solution in which X_p' z may have lost more, relatively, is not used
EPS = float(np.finfo(np.float64).eps)


class NestedLeastSquares:
    """The family of one X [n, P] and one rising list of widths, each from 1 to P.

    `y` is [n], or [n, widths]: targets that differ from width to width. Solutions do not depend on the order in which
    they are asked for; rising widths are the quick ones. Keeps X and y and takes no copy of them. Raises ValueError
    for widths or shapes that do not fit.
    """

    def __init__(self, x: Array, y: Array, widths: Sequence[int]) -> None:
        self.x, self.y = np.asarray(x, np.float64), np.asarray(y, np.float64)
        self.widths = tuple(int(p) for p in widths)
        if self.x.ndim != 2 or self.y.shape not in ((len(self.x),), (len(self.x), len(self.widths))):
            raise ValueError(f"inputs {self.x.shape} and targets {self.y.shape} do not fit: [n, P] and [n] are wanted")
        if not self.widths or list(self.widths) != sorted(set(self.widths)):
            raise ValueError("widths must rise, and there must be at least one")
        if self.widths[0] < 1 or self.widths[-1] > self.x.shape[1]:
            raise ValueError(f"widths {self.widths[0]} to {self.widths[-1]}: allowed is 1 to {self.x.shape[1]}")
        self._corners: dict[float, tuple[Array, Array]] = {}
        self._gram: tuple[int, Array] | None = None  # of which width (its place), and the matrix

    def targets(self, i: int) -> Array:
        """y [n] of the i-th width."""
        return self.y if self.y.ndim == 1 else self.y[:, i]

    def weights(self, i: int, penalty: float = 0.0) -> Array:
        """The weights [p] of the i-th width."""
        if not (math.isfinite(penalty) and penalty >= 0.0):
            raise ValueError(f"penalty {penalty!r} is not allowed; give a finite number from 0 on")
        narrow = self.widths[i] <= len(self.x)
        found = self._narrow(i, penalty) if narrow else self._wide(i, penalty)
        return found if found is not None else self._by_singular_values(i, penalty)

    # -- up to n columns -----------------------------------------------------------------------------------------------

    def _narrow(self, i: int, penalty: float) -> Array | None:
        """By the corner of one triangle; None where it has no full rank."""
        p = self.widths[i]
        triangle, right = self._corner(penalty)
        if _deficient(triangle[:p, :p], len(self.x)):
            return None
        return _upper(triangle, right[:p] if right.ndim == 1 else right[:p, i], p)

    def _corner(self, penalty: float) -> tuple[Array, Array]:
        """R [m, m] of the first m = min(n, widest) columns with the rows sqrt(penalty) I below, and Q'y."""
        if penalty not in self._corners:
            m = min(len(self.x), self.widths[-1])
            table = np.column_stack([self.x[:, :m], self.y])
            if penalty > 0.0:
                below = np.zeros((m, table.shape[1]))
                below[np.arange(m), np.arange(m)] = math.sqrt(penalty)
                table = np.vstack([table, below])
            whole: Array = np.asarray(np.linalg.qr(table, mode="r"))
            right = whole[:m, m] if self.y.ndim == 1 else whole[:m, m:]
            self._corners[penalty] = np.ascontiguousarray(whole[:m, :m]), np.ascontiguousarray(right)
        return self._corners[penalty]

    # -- beyond n columns ----------------------------------------------------------------------------------------------

    def _wide(self, i: int, penalty: float) -> Array | None:
        """By a triangle of the Gram matrix, refined once; None where it has no full rank."""
        gram = self._accumulated(i)
        try:
            lower = np.linalg.cholesky(gram + penalty * np.eye(len(gram)))
            found = self._refined(i, penalty, lower)
        except np.linalg.LinAlgError:  # not positive definite: squared away
            found = None
        if found is not None:
            return found
        p, n = self.widths[i], len(self.x)
        table = self.x[:, :p].T
        if penalty > 0.0:
            table = np.vstack([table, math.sqrt(penalty) * np.eye(n)])
        lower = np.asarray(np.linalg.qr(table, mode="r")).T
        return None if _deficient(lower, p) else self._refined(i, penalty, lower, trusted=math.inf)

    def _accumulated(self, i: int) -> Array:
        """X_p X_p' of the i-th width: always the same sum, begun anew when an earlier width is asked for."""
        n = len(self.x)
        if self._gram is None or self._gram[0] > i:
            first = next(k for k, p in enumerate(self.widths) if p > n)
            part = self.x[:, : self.widths[first]]
            self._gram = first, part @ part.T
        at, gram = self._gram
        while at < i:
            part = self.x[:, self.widths[at] : self.widths[at + 1]]
            gram = gram + part @ part.T
            at += 1
        self._gram = at, gram
        return gram

    def _refined(self, i: int, penalty: float, lower: Array, trusted: float = TRUSTED) -> Array | None:
        """X_p' z for (L L') z = y with one step of refinement against X_p itself; None where that moves z too far, or
        where a small penalty made z large in directions that X_p hardly has."""
        part, y = self.x[:, : self.widths[i]], self.targets(i)
        z = _both(lower, y)
        missed = y - part @ (part.T @ z) - penalty * z
        more = _both(lower, missed)
        if not float(np.linalg.norm(more)) <= trusted * float(np.linalg.norm(z)):
            return None
        z = z + more
        weights: Array = part.T @ z
        size = math.sqrt(float(np.trace(self._accumulated(i))))  # at least the largest singular value
        cancelled = EPS * size * float(np.linalg.norm(z)) > CANCELLED * float(np.linalg.norm(weights))
        return None if cancelled else weights

    # -- without full rank ---------------------------------------------------------------------------------------------

    def _by_singular_values(self, i: int, penalty: float) -> Array:
        part, y = self.x[:, : self.widths[i]], self.targets(i)
        u, s, vt = np.linalg.svd(part, full_matrices=False)
        kept = s > EPS * max(part.shape) * s[:1]
        factors = np.divide(s, s * s + penalty, out=np.zeros_like(s), where=kept)
        weights: Array = vt.T @ (factors * (u.T @ y))
        return weights


def _deficient(triangle: Array, longer: int) -> bool:
    """The rank test: whether the diagonal falls to rounding."""
    diagonal = np.abs(np.diagonal(triangle))
    return not bool(diagonal.min() > EPS * max(longer, len(diagonal)) * diagonal.max())


def _both(lower: Array, right: Array) -> Array:
    """z with L L' z = right."""
    return _upper(lower.T, _lower(lower, right), len(lower))


def _lower(triangle: Array, right: Array) -> Array:
    """x with L x = right, block by block: the blocks on the diagonal are solved, the rest is products."""
    x = np.array(right)
    for start in range(0, len(x), BLOCK):
        part = slice(start, start + BLOCK)
        x[part] = np.linalg.solve(triangle[part, part], x[part] - triangle[part, :start] @ x[:start])
    return x


def _upper(triangle: Array, right: Array, p: int) -> Array:
    """x [p] with R x = right for the corner R [p, p] of an upper triangle."""
    x = np.array(right)
    for start in reversed(range(0, p, BLOCK)):
        end = min(start + BLOCK, p)
        part = slice(start, end)
        x[part] = np.linalg.solve(triangle[part, part], x[part] - triangle[part, end:p] @ x[end:])
    return x
