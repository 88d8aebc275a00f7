"""A training run as a script needs it: plain arrays and numbers, and how they change on the way."""

from __future__ import annotations

import base64
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.networks.conv_description import ConvDescription
from engine.networks.description import Description
from engine.optimizers import Convention

from .optimizers import settings
from .text import WIDTH, array, wrapped

Array = NDArray[Any]
LITERAL = 240  # numbers written out; more are packed
SEGMENTS = 12  # pieces of constant learning rate written as changes; more become a table

UNPACKED = '''\
def unpacked(text, *shape):
    """Numbers from text: float64, compressed, in base64."""
    return np.frombuffer(zlib.decompress(base64.b64decode(text)), "<f8").reshape(shape).copy()
'''


@dataclass(frozen=True)
class TrainingRun:
    """A run that a script repeats.

    `x` [n, ...], `y` [n, outputs] or classes [n]; `rates`: one learning rate, or one for each step; `hypers` by name.
    `l1`, `l2`, `penalize_biases`, `clip` as in engine.networks.mlp.Rule, `batch_size` 0: all samples in their order.
    `live`: (step, what is new from the step after it) with names of hyper-parameters, `learning_rate` (where `rates`
    is one number), `l1`, `l2`, `clip`, `batch_size`. `statistics` and `end_statistics`: running means and variances
    of batch normalisation, before and after. `diverged`: the run ended because numbers were no longer finite.
    """

    description: Description | ConvDescription
    initial: Array
    x: Array
    y: Array
    rule: str
    convention: Convention
    rates: float | Sequence[float] | Array
    hypers: Mapping[str, float]
    steps: int
    end: Array
    l1: float = 0.0
    l2: float = 0.0
    penalize_biases: bool = False
    clip: float = 0.0
    batch_size: int = 0
    seed: int = 0
    tolerance: float = 1e-10
    dtype: str = "float64"
    live: Sequence[tuple[int, Mapping[str, float]]] = field(default=())
    statistics: Array | None = None
    end_statistics: Array | None = None
    diverged: bool = False

    def minibatches(self) -> bool:
        """Whether any step takes fewer than all samples."""
        sizes = [self.batch_size, *(int(new["batch_size"]) for _, new in self.live if "batch_size" in new)]
        return any(0 < size < len(self.x) for size in sizes)

    def changes(self, name: str) -> bool:
        """Whether a setting is another one later."""
        return any(name in new for _, new in self.live)

    def pieces(self) -> tuple[float, dict[int, float], Array | None]:
        """The first learning rate, its changes (step -> rate from the step after it), or a table of all."""
        if isinstance(self.rates, (int, float)):
            live = {step: float(new["learning_rate"]) for step, new in self.live if "learning_rate" in new}
            return float(self.rates), live, None
        rates = np.asarray(self.rates, np.float64)[: self.steps]
        if len(rates) != self.steps:
            raise ValueError(f"{len(rates)} learning rates for {self.steps} steps; give one each")
        new = [k for k in range(1, self.steps) if rates[k] != rates[k - 1]]
        if len(new) > SEGMENTS:
            return float(rates[0]), {}, rates
        return float(rates[0]) if self.steps else 0.0, {k: float(rates[k]) for k in new}, None

    def groups(self) -> list[tuple[int, dict[str, Any]]]:
        """(step, what the optimizer's group holds from the step after it), in order, beginning at step 0."""
        rate, changes, _ = self.pieces()
        hypers = dict(self.hypers)
        found = [(0, settings(self.rule, self.convention, rate, hypers))]
        for step in sorted({*changes, *(step for step, _ in self.live)}):
            rate = changes.get(step, rate)
            for at, new in self.live:
                hypers |= {name: value for name, value in new.items() if at == step and name in hypers}
            found.append((step, settings(self.rule, self.convention, rate, hypers)))
        return found


def numbers(name: str, value: Array) -> str:
    """An assignment that gives the array back bit for bit, written out where it is small and packed where it is not."""
    value = np.ascontiguousarray(value, np.float64)
    if value.size <= LITERAL:
        return wrapped(f"{name} = ", array(value))
    text = base64.b64encode(zlib.compress(value.astype("<f8").tobytes(), 9)).decode()
    lines = [text[i : i + WIDTH] for i in range(0, len(text), WIDTH)]
    return "\n".join([f'{name} = unpacked("""', *lines, f'""", {", ".join(map(str, value.shape))})'])
