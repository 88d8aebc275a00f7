"""What a range test must leave as it was: kept before, put back afterwards, and compared byte by byte."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.networks.masks import epoch_order

Array = NDArray[Any]
WORDS = ("parameters", "optimizer", "step count", "data order")


@dataclass(frozen=True)
class Kept:
    """What the test will change, as it was before: parameters [P], the rule's numbers [rows, P], how many steps the
    network had been trained, and which samples the epoch in hand takes next (none where each step takes them all).

    `sha` is the SHA-256 of all of it, taken before the test.
    """

    params: Array
    numbers: Array
    taken: int
    order: Array
    sha: str


@dataclass(frozen=True)
class Compared:
    """One thing that was put back: its name, its bytes, how many of them differ, and what the test had done to it."""

    name: str
    bytes: int
    differ: int
    moved: str


@dataclass(frozen=True)
class PutBack:
    """What came of putting it back, and the SHA-256 of all of it before the test and after it was put back."""

    items: tuple[Compared, ...]
    before: str
    after: str

    @property
    def bytes(self) -> int:
        """How many bytes were compared."""
        return sum(item.bytes for item in self.items)

    @property
    def whole(self) -> bool:
        """Whether not a bit differs."""
        return self.before == self.after and not any(item.differ for item in self.items)


def next_order(seed: int, taken: int, samples: int, batch: int) -> Array:
    """The samples that the epoch in hand takes after `taken` steps, drawn from the seed: [what is left of n]."""
    if not 0 < batch < samples:
        return np.zeros(0, np.int64)
    epoch, place = divmod(taken, -(-samples // batch))
    return epoch_order(seed, epoch, samples)[place * batch :]


def keep(params: Array, numbers: Array, taken: int, order: Array) -> Kept:
    """Copies of everything that the test will change."""
    return Kept(params.copy(), numbers.copy(), taken, order.copy(), _sha(_bytes(params, numbers, taken, order)))


def moved(kept: Kept, params: Array, numbers: Array, taken: int) -> tuple[str, ...]:
    """What the test has done to each thing, in words."""
    return (_distance(params, kept.params), _distance(numbers, kept.numbers), f"{taken - kept.taken:,} ahead", "ran on")


def compare(kept: Kept, params: Array, numbers: Array, taken: int, order: Array, done: tuple[str, ...]) -> PutBack:
    """What is there now, byte by byte against what was kept; `done`: the words of `moved`. Rules without a state and
    batches of all samples have nothing to compare."""
    before = _bytes(kept.params, kept.numbers, kept.taken, kept.order)
    after = _bytes(params, numbers, taken, order)
    items = tuple(
        Compared(name, len(a), _differing(a, b), how)
        for name, a, b, how in zip(WORDS, before, after, done, strict=True)
        if a
    )
    return PutBack(items, kept.sha, _sha(after))


def _bytes(params: Array, numbers: Array, taken: int, order: Array) -> tuple[bytes, bytes, bytes, bytes]:
    return params.tobytes(), numbers.tobytes(), np.int64(taken).tobytes(), order.tobytes()


def _differing(a: bytes, b: bytes) -> int:
    """How many bytes differ; all of them where there are not as many."""
    if len(a) != len(b):
        return max(len(a), len(b))
    return int((np.frombuffer(a, np.uint8) != np.frombuffer(b, np.uint8)).sum())


def _distance(now: Array, then: Array) -> str:
    with np.errstate(all="ignore"):  # of a test that ended in an overflow
        far = float(np.sqrt(np.square(now.astype(float) - then).sum()))
    return f"moved by {far:.3g}" if np.isfinite(far) else "overflowed"


def _sha(parts: tuple[bytes, ...]) -> str:
    return hashlib.sha256(b"".join(parts)).hexdigest()
