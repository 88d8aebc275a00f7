"""The five schedules of the chapter's listing in 10.2.3, by its own formulas.

Its epochs are e = 1 to 100, its base rate is .1. Epoch e is torch's step e.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from .schedule import Floats

BASE = 0.1
EPOCHS = 100
WARMUP = 10


def chapter_rates(epochs: ArrayLike) -> dict[str, Floats]:
    """Schedule -> its rate at each of the epochs [n], under the names of SCHEDULES."""
    e = np.asarray(epochs, np.float64)
    rising = BASE * e / WARMUP
    falling = BASE * (1 + np.cos(np.pi * (e - WARMUP) / (EPOCHS - WARMUP))) / 2
    return {
        "constant": np.full(e.shape, BASE),
        "step": BASE * 0.1 ** np.floor(e / 30),
        "exponential": BASE * np.exp(-0.03 * e),
        "cosine": BASE * (1 + np.cos(np.pi * e / EPOCHS)) / 2,
        "warmup_cosine": np.where(e <= WARMUP, rising, falling),
    }
