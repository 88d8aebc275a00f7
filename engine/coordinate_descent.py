"""Coordinate descent for least squares with an L1 penalty, compiled."""

from __future__ import annotations

from engine.compile_cache import use_cache

use_cache()

import numpy as np  # noqa: E402
from numba import njit  # noqa: E402


@njit(nogil=True, cache=True, error_model="numpy")
def sweep(gram, right, l1, l2, weights, times):  # type: ignore[no-untyped-def]
    """Go over all weights `times` times, in place: each is set to its best value while the others stand still.

    gram: [p, p] = x'x; right: [p] = x'y; the objective is ||y - x w||^2 + l1 |w|_1 + l2 ||w||^2.
    """
    for _ in range(times):
        for j in range(len(weights)):
            if gram[j, j] + l2 <= 0.0:
                continue
            rest = right[j] + gram[j, j] * weights[j]
            for k in range(len(weights)):
                rest -= gram[j, k] * weights[k]
            size = abs(rest) - 0.5 * l1
            weights[j] = np.sign(rest) * size / (gram[j, j] + l2) if size > 0.0 else 0.0
