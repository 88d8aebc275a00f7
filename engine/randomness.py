"""Random numbers that belong to a step.

What is drawn for step k depends on (seed, purpose, k) alone: contestants share it, adding one changes no other, and
going back draws the same again. Philox is a counter-based generator (Salmon et al. 2011): block k is computed, not
reached by drawing the blocks before it.
"""

from __future__ import annotations

import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


def normals(seed: int, purpose: str, first_step: int, steps: int) -> Array:
    """Two independent standard normals for each of `steps` steps from `first_step` on: [steps, 2], float64.

    Block k of Philox gives four 64-bit words; the first two make one Box-Muller pair.
    """
    key = np.array([seed, zlib.crc32(purpose.encode())], dtype=np.uint64)
    words = np.random.Philox(key=key, counter=first_step).random_raw(4 * steps).reshape(steps, 4)
    uniform = ((words[:, :2] >> np.uint64(11)).astype(np.float64) + 0.5) * 2.0**-53  # inside (0, 1)
    radius = np.sqrt(-2.0 * np.log(uniform[:, 0]))
    angle = 2.0 * np.pi * uniform[:, 1]
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)


def generator(seed: int, purpose: str, step: int = 0) -> np.random.Generator:
    """A generator for one purpose at one step."""
    return np.random.Generator(np.random.Philox(key=[seed, zlib.crc32(purpose.encode())], counter=[0, 0, 0, step]))
