"""Which samples come when, and the noise that stands for them. Scripts carry the text of these functions.

All contestants go through one row of samples, each in batches of its own size.
"""

from __future__ import annotations

import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.randomness import generator, normals

Array = NDArray[Any]


def shuffled(seed: int, epoch: int, samples: int) -> Array:
    """The order of an epoch, counted from 0: [samples]."""
    return generator(seed, "order of an epoch", epoch).permutation(samples)


def drawn(seed: int, first: int, count: int, samples: int) -> Array:
    """Numbers `first`, first + 1, ... of the row of samples drawn with replacement: [count].

    Sample k is made of 64-bit word k of one Philox stream; some samples are likelier than others by less than n / 2^32.
    """
    block, skipped = divmod(first, 4)
    key = np.array([seed, zlib.crc32(b"samples with replacement")], dtype=np.uint64)
    words = np.random.Philox(key=key, counter=block).random_raw(skipped + count)[skipped:]
    rows = ((words >> np.uint64(32)) * np.uint64(samples)) >> np.uint64(32)
    return rows.astype(np.int64)


def kicks(seed: int, first: int, updates: int, inputs: int) -> Array:
    """Standard normals for the updates first, first + 1, ...: [updates, inputs]."""
    pairs = -(-inputs // 2)
    return normals(seed, "added noise", first * pairs, updates * pairs).reshape(updates, 2 * pairs)[:, :inputs]
