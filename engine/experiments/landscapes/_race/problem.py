"""What is raced on: data, network, and the first weights of every seed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from engine.data import Dataset
from engine.experiments._shared.trained.model import Array, Model, Part
from engine.experiments._shared.trained.model import build as build_usual
from engine.experiments.landscapes._race.settings import CHAPTER_NOISE, hypers
from engine.networks.description import Description
from engine.randomness import generator

TRAIN, TEST = 0, 1  # the model's parts
INPUTS = 20  # of the chapter's listing
TUNING_SEED = 1000  # tuning has seeds of its own, this far beyond the first
FRESH_SEED = 100  # and so have the listing's networks, so far apart for each contestant


def noise_data(samples: int, test_samples: int, seed: int) -> tuple[Dataset, Dataset]:
    """The listing's data: 20 normal inputs, and a normal target that knows nothing of them. It has no seed; here it
    has one."""
    n = samples + test_samples
    random = generator(seed, "race noise")
    x, y = random.standard_normal((n, INPUTS)), random.standard_normal((n, 1))
    whole = Dataset(CHAPTER_NOISE, x, y, "regression", tuple(f"x{i + 1}" for i in range(INPUTS)))
    return whole.take(np.arange(samples)), whole.take(np.arange(samples, n))


def description(spec: Any) -> Description:
    """The network on the listing's data."""
    return Description(INPUTS, spec.hidden, 1, (spec.activation,) * len(spec.hidden), "mse")


def build(spec: Any) -> Model:
    """Data and network of the settings; arrays that may be written to, since kernels are built for one kind."""
    if spec.data != CHAPTER_NOISE:
        usual = build_usual(spec, (spec.samples, spec.test_samples))
        return replace(usual, parts=tuple(Part(part.x.copy(), part.y.copy()) for part in usual.parts))
    from engine.networks.mlp import Mlp

    d, data = description(spec), noise_data(spec.samples, spec.test_samples, spec.seed)
    parts = tuple(Part(one.x.astype(spec.dtype), one.y.astype(spec.dtype)) for one in data)
    return Model(d, Mlp(d, spec.dtype), parts, data)


def race_seeds(spec: Any) -> list[int]:
    """The seeds that race, [J]: each decides first weights and order of batches, for all contestants alike."""
    return [spec.seed + j for j in range(spec.seeds)]


def tuning_seeds(spec: Any) -> list[int]:
    """The seeds rates are tuned on: none of them races."""
    return [spec.seed + TUNING_SEED + j for j in range(spec.tuning_seeds)]


def fresh_seeds(spec: Any, s: int) -> list[int]:
    """The seeds of the networks that the listing makes anew for contestant s."""
    return [spec.seed + FRESH_SEED * (s + 1) + j for j in range(spec.seeds)]


def first_weights(d: Description, spec: Any, seeds: list[int]) -> Array:
    """The parameters before the first step, [seeds, P]."""
    from engine.networks.initializations import initialize

    return np.stack([initialize(d, spec.initialization, seed, spec.dtype) for seed in seeds])


def rule_of(spec: Any, name: str) -> Any:
    """What changes the parameters of a contestant under these settings."""
    from engine.networks.mlp import Rule

    return Rule.of(name, hypers(spec, name), convention=spec.convention)


def batch_sizes(samples: int, batch: int, before: int, n: int) -> Array:
    """How many samples each of the n updates after `before` takes, [n]."""
    if not 0 < batch < samples:
        return np.full(n, samples)
    rounds = -(-samples // batch)
    last = (np.arange(before, before + n) % rounds) == rounds - 1
    return np.where(last, samples - (rounds - 1) * batch, batch)


def batch_rows(samples: int, batch: int, seed: int, update: int) -> Array:
    """The samples that an update (from 1) takes, drawn again in NumPy from (seed, epoch) alone."""
    from engine.networks.masks import epoch_order

    if not 0 < batch < samples:
        return np.arange(samples)
    epoch, place = divmod(update - 1, -(-samples // batch))
    return epoch_order(seed, epoch, samples)[place * batch : (place + 1) * batch]
