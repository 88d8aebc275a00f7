"""What is drawn while a network trains, in NumPy: the order of an epoch and dropout's masks.

The very bits of engine.networks.chance, which draws them inside the compiled loop. The torch networks use this module,
and exported scripts carry its text.
"""

from __future__ import annotations

import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

GOLDEN = np.uint64(0x9E3779B97F4A7C15)


def mixed(words: Any) -> NDArray[np.uint64]:
    """64-bit words well mixed, one to one: SplitMix64's finaliser (Steele, Lea and Flood 2014)."""
    words = (words ^ (words >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    words = (words ^ (words >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(words ^ (words >> np.uint64(31)))


def stream(seed: int, purpose: str, offset: int, step: int) -> NDArray[np.uint64]:
    """Where the counter of one purpose at one step begins: [1]."""
    word = mixed(np.array([seed], np.uint64) + GOLDEN)
    return mixed(mixed(word + np.uint64(zlib.crc32(purpose.encode()) + offset)) + np.uint64(step))


def epoch_order(seed: int, epoch: int, samples: int) -> NDArray[np.int64]:
    """The order in which an epoch (counted from 0) takes the samples: shuffled as Fisher and Yates do."""
    places = np.arange(samples, dtype=np.uint64)
    high = mixed(stream(seed, "batches", 0, epoch) + places * GOLDEN) >> np.uint64(32)
    order = list(range(samples))
    chosen = ((high * (places + np.uint64(1))) >> np.uint64(32)).tolist()
    for i in range(samples - 1, 0, -1):
        order[i], order[chosen[i]] = order[chosen[i]], order[i]
    return np.array(order, np.int64)


def dropout_mask(seed: int, step: int, layer: int, rate: float, samples: int, units: int) -> NDArray[np.float64]:
    """Inverted dropout at one step (from 1) after one layer (from 0): 0 or 1 / (1 - rate), [samples, units]."""
    counter = (np.arange(units, dtype=np.uint64) << np.uint64(40)) + np.arange(samples, dtype=np.uint64)[:, None]
    words = mixed((stream(seed, "dropout", layer, step) + counter) * GOLDEN)
    return np.where((words >> np.uint64(11)) * 2.0**-53 < rate, 0.0, 1.0 / (1.0 - rate))
