"""One small network with its data: what a run never changes, and what is measured of its parameters."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.data import DATA, DataError, Dataset, load
from engine.experiments._shared.trained.settings import DIGITS, hypers
from engine.networks.description import Description, Loss
from engine.randomness import generator
from engine.spec import SpecError

Array = NDArray[Any]
LOSSES: dict[str, Loss] = {"regression": "mse", "binary": "bce", "classes": "cross_entropy"}
LOSS_WORDS = {"mse": "mean squared error", "bce": "binary cross-entropy", "cross_entropy": "cross-entropy"}
CADENCES = (1, 2, 5, 10, 20, 50, 100)


@dataclass(frozen=True)
class Part:
    """Samples as the network takes them: x [n, inputs], y [n, 1], class numbers where there are classes."""

    x: Array
    y: Array


@dataclass(frozen=True, eq=False)
class Model:
    """Network and data. `parts`: the training samples, then those held back, in the order asked for. Copies share it.

    `mlp` is an engine.networks.mlp.Mlp.
    """

    description: Description
    mlp: Any
    parts: tuple[Part, ...]
    data: tuple[Dataset, ...]

    def __deepcopy__(self, memo: dict[int, Any]) -> Model:
        """A snapshot shares what cannot change."""
        return self

    def loss(self, params: Array, part: int) -> float:
        """Loss over all samples of a part; nan where it has none."""
        x, y = self.parts[part].x, self.parts[part].y
        return float(self.mlp.loss(params, x, y)) if len(x) else math.nan

    def accuracy(self, params: Array, part: int) -> float:
        """Share of a part's samples that are sorted into their class; nan for a regression and for an empty part."""
        x, y = self.parts[part].x, self.parts[part].y
        if not len(x):
            return math.nan
        with np.errstate(all="ignore"):  # of weights that are about to overflow
            return float(self.mlp.accuracy(params, x, y))


def drawn_parts(spec: Any, sizes: Sequence[int]) -> tuple[Dataset, ...]:
    """Data sets of these sizes that share no sample, the one to train on first.

    Digits are picked by the seed, those held back from the other end: with fewer to train on the rest stay the same.
    Raises SpecError.
    """
    total = sum(sizes)
    try:
        if spec.data != "digits":
            whole = load(spec.data, n=total, noise=spec.noise, seed=spec.seed)
            cuts = np.cumsum([0, *sizes])
            return tuple(whole.take(np.arange(a, b)) for a, b in pairwise(cuts))
        whole = load("digits")
        order = generator(spec.seed, "split").permutation(DIGITS)
        held = np.cumsum([0, *sizes[1:]])
        picked = [order[DIGITS - b : DIGITS - a] for a, b in pairwise(held)]
        return tuple(whole.take(rows) for rows in (order[: sizes[0]], *picked))
    except DataError as error:
        raise SpecError("data", str(error)) from None


def describe(spec: Any) -> Description:
    """The network of the settings."""
    kind = DATA[spec.data].kind
    assert kind is not None
    classes = {"rings": 3, "digits": 10}.get(spec.data, 1)
    inputs = 64 if spec.data == "digits" else 2
    return Description(inputs, spec.hidden, classes, (spec.activation,) * len(spec.hidden), LOSSES[kind])


def build(spec: Any, sizes: Sequence[int]) -> Model:
    """Data and network of the settings."""
    from engine.networks.mlp import Mlp

    data, d = drawn_parts(spec, sizes), describe(spec)
    parts = tuple(
        Part(np.ascontiguousarray(one.x, spec.dtype), np.ascontiguousarray(one.y.reshape(len(one.y), 1), spec.dtype))
        for one in data
    )
    return Model(d, Mlp(d, spec.dtype), parts, data)


def first_weights(model: Model, spec: Any) -> Array:
    """The parameters [P] before the first step."""
    from engine.networks.initializations import initialize

    return initialize(model.description, spec.initialization, spec.seed, spec.dtype)


def rule_of(spec: Any, **others: float) -> Any:
    """What changes the parameters under these settings; `others` are hyper-parameters of this moment."""
    from engine.networks.mlp import Rule

    return Rule.of(spec.optimizer, {**hypers(spec), **others}, convention=spec.convention)


def cadence(model: Model, batch_size: int) -> int:
    """Steps between two measurements over all samples, from sizes alone, so that measuring takes twice as long at most.

    The figures are microseconds on one core, roughly.
    """
    samples, params = sum(len(part.x) for part in model.parts), int(model.mlp.parameters)
    batch = min(batch_size or samples, len(model.parts[0].x))
    step, passes = 3.0 + 2e-4 * batch * params, 60.0 + 1.5e-4 * samples * params
    return next((every for every in CADENCES if passes <= 2 * every * step), CADENCES[-1])


def lost(loss: float, params: Array) -> str:
    """Why a network that is no longer finite is lost: in words that begin a sentence."""
    if math.isnan(loss):
        return "the loss is not a number"
    return "the loss overflowed" if math.isinf(loss) else "a weight overflowed"
