"""What is drawn while a network trains: the order of the samples in an epoch, and what dropout drops.

Both are hashes of (seed, what for, where): SplitMix64's finaliser (Steele, Lea and Flood 2014) over a counter. So they
are computed where they are used, in the compiled loop, and do not depend on where a run was cut.
"""

from __future__ import annotations

import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.networks.dense_kernels import kernel

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_M1, _M2 = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_S27, _S30, _S31, _S11 = np.uint64(27), np.uint64(30), np.uint64(31), np.uint64(11)
_ORDER, _DROPOUT = np.uint64(zlib.crc32(b"batches")), np.uint64(zlib.crc32(b"dropout"))


@kernel
def mix(word):  # type: ignore[no-untyped-def]
    """64 bits well mixed; one to one."""
    word = (word ^ (word >> _S30)) * _M1
    word = (word ^ (word >> _S27)) * _M2
    return word ^ (word >> _S31)


@kernel
def key(seed, purpose, step):  # type: ignore[no-untyped-def]
    """Where the counter of one purpose at one step begins."""
    return mix(mix(mix(np.uint64(seed) + _GOLDEN) + purpose) + np.uint64(step))


@kernel
def shuffle(seed, epoch, order):  # type: ignore[no-untyped-def]
    """Fill `order` with 0 to n - 1 as that epoch takes them (Fisher and Yates; n below 2^32)."""
    n = len(order)
    for i in range(n):
        order[i] = i
    start = key(seed, _ORDER, epoch)
    for i in range(n - 1, 0, -1):
        word = mix(start + np.uint64(i) * _GOLDEN)
        # the high 32 bits as a fraction of i + 1; its bias is below n / 2^32
        j = np.int64(((word >> np.uint64(32)) * np.uint64(i + 1)) >> np.uint64(32))
        kept = order[i]
        order[i] = order[j]
        order[j] = kept


@kernel
def drop(seed, step, layer, rate, mask, at, units, stride, begin, samples, spacing):  # type: ignore[no-untyped-def]
    """Inverted dropout's mask for samples `begin` on of a batch: 0 with probability `rate`, else 1 / (1 - rate).

    Unit o's number for sample b goes to mask[at + o stride + b spacing].
    """
    start = key(seed, _DROPOUT + np.uint64(layer), step)
    kept = 1.0 / (1.0 - rate)
    for o in range(units):
        word = start + (np.uint64(o) << np.uint64(40)) + np.uint64(begin)
        for b in range(samples):
            chance = np.float64(mix((word + np.uint64(b)) * _GOLDEN) >> _S11) * 2.0**-53
            mask[at + o * stride + b * spacing] = 0.0 if chance < rate else kept


def order(seed: int, epoch: int, samples: int) -> NDArray[np.int64]:
    """The order in which epoch `epoch` (from 0) takes the samples."""
    found: NDArray[Any] = np.empty(samples, np.int64)
    shuffle(seed, epoch, found)
    return found
