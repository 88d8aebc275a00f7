"""First weights: the usual distributions, each layer from its own random numbers.

Statistics are those of torch.nn.init; the numbers are the house's own (engine.randomness), so that a layer's weights
depend on the seed, its place and its shape alone.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from engine.networks.description import Description
from engine.networks.plan import layers, parameter_count, slope
from engine.randomness import generator

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Initialization:
    """A way to draw first weights: its name, title, formula and source."""

    name: str
    title: str
    latex: str
    source: str


INITIALIZATIONS: dict[str, Initialization] = {
    one.name: one
    for one in (
        Initialization("normal", "Normal", r"w \sim N(0, s^2)", ""),
        Initialization("xavier_uniform", "Xavier uniform", r"w \sim U(\pm \sqrt{6 / (n_{in} + n_{out})})",
                       "Glorot and Bengio 2010, equation 16"),
        Initialization("xavier_normal", "Xavier normal", r"w \sim N(0, 2 / (n_{in} + n_{out}))",
                       "Glorot and Bengio 2010, equation 12"),
        Initialization("he_uniform", "He uniform", r"w \sim U(\pm \sqrt{6 / n_{in}})", "He et al. 2015, equation 10"),
        Initialization("he_normal", "He normal", r"w \sim N(0, 2 / n_{in})", "He et al. 2015, equation 10"),
        Initialization("orthogonal", "Orthogonal", r"W W^T = I \ \mathrm{or} \ W^T W = I",
                       "Saxe, McClelland and Ganguli 2014"),
        Initialization("lecun_normal", "LeCun normal", r"w \sim N(0, 1 / n_{in})",
                       "LeCun, Bottou, Orr and Müller 1998, equation 16"),
        Initialization("torch", "PyTorch's own", r"w, b \sim U(\pm \sqrt{1 / n_{in}})", "torch.nn.Linear"),
    )
}  # fmt: skip


def weights(name: str, fan_in: int, fan_out: int, random: np.random.Generator, std: float = 1.0) -> Floats:
    """One layer's first weights, [out, in]. `std` counts for `normal` only. Raises ValueError for another name."""
    shape = (fan_out, fan_in)
    if name == "normal":
        return random.normal(0.0, std, shape)
    if name == "xavier_normal":
        return random.normal(0.0, math.sqrt(2.0 / (fan_in + fan_out)), shape)
    if name == "he_normal":
        return random.normal(0.0, math.sqrt(2.0 / fan_in), shape)
    if name == "lecun_normal":
        return random.normal(0.0, math.sqrt(1.0 / fan_in), shape)
    if name == "orthogonal":
        return _orthogonal(random.normal(size=(max(shape), min(shape))), fan_out < fan_in)
    bounds = {"xavier_uniform": 6.0 / (fan_in + fan_out), "he_uniform": 6.0 / fan_in, "torch": 1.0 / fan_in}
    if name not in bounds:
        raise ValueError(f"initialization {name!r} is unknown: it must be one of {', '.join(INITIALIZATIONS)}")
    bound = math.sqrt(bounds[name])
    return random.uniform(-bound, bound, shape)


def _orthogonal(normal: Floats, wide: bool) -> Floats:
    """Orthonormal columns spread evenly: those of QR, with R's diagonal made positive (Mezzadri 2007)."""
    q, r = np.linalg.qr(normal)
    q = q * np.where(np.diagonal(r) < 0, -1.0, 1.0)
    return q.T if wide else q


def initialize(
    d: Description, name: str, seed: int, dtype: DTypeLike = np.float64, std: float = 1.0
) -> NDArray[np.floating[Any]]:
    """The flat buffer [P] before the first step: weights as named, biases 0 (`torch`: as the weights), slopes given.

    What a layer gets depends on (seed, its number, its shape). Precisions differ by rounding only.
    """
    params = np.zeros(parameter_count(d))
    for i, layer in enumerate(layers(d, params)):
        random = generator(seed, "initial weights", i)
        fan_out, fan_in = layer.weight.shape
        layer.weight[...] = weights(name, fan_in, fan_out, random, std)
        if name == "torch":
            bound = 1.0 / math.sqrt(fan_in)
            layer.bias[...] = random.uniform(-bound, bound, layer.bias.shape)
        layer.slopes[...] = slope(d, i)
    return params.astype(dtype)
