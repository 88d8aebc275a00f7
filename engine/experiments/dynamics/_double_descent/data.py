"""The data of double descent, from plain numbers: the exported scripts carry these functions as they are."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.randomness import generator

Array = NDArray[Any]
TESTED = 1000  # samples that the error is measured on


def design(seed: int, samples: int, columns: int) -> Array:
    """Independent standard normal columns [samples, columns]; more columns leave the first ones as they are."""
    return np.asarray(generator(seed, "columns").standard_normal((columns, samples)).T)


def noise(seed: int, samples: int, variance: float) -> Array:
    """What the targets miss the truth by: [samples]."""
    return np.asarray(np.sqrt(variance) * generator(seed, "noise").standard_normal(samples))


def seen_signal(seed: int, columns: int, signal: float) -> Array:
    """True weights [columns] in a random direction, their squares summing to `signal`."""
    direction = generator(seed, "signal").standard_normal(columns)
    return np.asarray(np.sqrt(signal) * direction / np.linalg.norm(direction))


def fading_signal(seed: int, columns: int, signal: float) -> Array:
    """True weights [columns] of random sign that fall as 1/j, their squares summing to `signal`."""
    size = 1.0 / np.arange(1, columns + 1)
    sign = np.sign(generator(seed, "signal").standard_normal(columns))
    return np.asarray(np.sqrt(signal) * sign * size / np.linalg.norm(size))


def made(seed: int, samples: int, inputs: int, scale: float) -> tuple[Array, Array, Array, Array]:
    """Gaussian inputs and a bent function of them: x [samples, d], f [samples], the same of TESTED others.

    f = (a.x) + ((b.x)^2 - 1) / 2 for two random unit vectors a and b. Then every second input is shown times `scale`.
    """
    draw = generator(seed, "directions")
    a, b = (v / np.linalg.norm(v) for v in draw.standard_normal((2, inputs)))
    x = generator(seed, "inputs").standard_normal((samples + TESTED, inputs))
    f = x @ a + ((x @ b) ** 2 - 1.0) / 2.0
    x[:, 1::2] *= scale
    return x[:samples], f[:samples], x[samples:], f[samples:]


def pictures(seed: int, samples: int, x: Array, labels: Array) -> tuple[Array, Array, Array, Array]:
    """Digits out of x [all, 64]: centred, of mean square 1; targets 1 for odd and -1 for even; the same of TESTED
    others (or all the rest)."""
    order = generator(seed, "pictures").permutation(len(x))[: samples + TESTED]
    centred = x - x.mean(axis=0)
    centred = centred / np.sqrt((centred**2).mean())
    f = np.where(labels % 2 == 1, 1.0, -1.0)
    first, rest = order[:samples], order[samples:]
    return centred[first], f[first], centred[rest], f[rest]


def features(seed: int, columns: int, x: Array) -> Array:
    """Random ReLU features of x [n, d]: max(0, x.w + b) with w ~ N(0, 1/d), b ~ N(0, 1/4); [n, columns]."""
    draw = generator(seed, "features").standard_normal((columns, x.shape[1] + 1))
    return np.asarray(np.maximum(draw[:, 1:] @ x.T / np.sqrt(x.shape[1]) + draw[:, :1] / 2.0, 0.0).T)


def first_weights(seed: int, inputs: int, units: int) -> Array:
    """A network before training, flat: weight [units, inputs], bias, weight [1, units], bias (He et al. 2015)."""
    lower = generator(seed, "initial weights", 0).normal(0.0, np.sqrt(2.0 / inputs), (units, inputs))
    upper = generator(seed, "initial weights", 1).normal(0.0, np.sqrt(1.0 / units), units)
    return np.concatenate([lower.ravel(), np.zeros(units), upper, np.zeros(1)])
