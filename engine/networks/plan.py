"""Where everything of a network stands: in the flat parameter buffer, and in the kernels' scratch memory."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.networks.activations import activation
from engine.networks.description import Description

Array = NDArray[Any]
Ints = NDArray[np.int64]

LOSSES = ("mse", "bce", "cross_entropy")
# Columns of the kernels' table, one row a layer: widths, offsets into the parameters (-1: it has none), activation,
# and offsets into the scratch memory of its input, pre-activation, output, derivative and dropout mask.
IN, OUT, WEIGHT, BIAS, SLOPE, ACT, INPUT, Z, A, F, MASK = range(11)
COLUMNS = 11
WIDTH = 16  # numbers in a vector; see engine.networks.vectors
MOST_COLUMNS, NARROW = (128, 512), 32


@dataclass(frozen=True)
class Layer:
    """One layer as views into a flat buffer: weight [out, in], bias [out] or [0], slopes [1] for PReLU, else [0]."""

    weight: Array
    bias: Array
    slopes: Array


@dataclass(frozen=True, eq=False)
class Plan:
    """The tables the kernels work from.

    `layers`: [layers, COLUMNS]; `reals`: [layers, 2] fixed slope and dropout rate; `parts`: loss code, columns of
    the scratch memory (samples taken at once), offsets of the targets, of two buffers for deltas and of the
    transposed inputs, rows of the targets, 1 for `half_mse`, and how many numbers the scratch memory has.
    """

    layers: Ints
    reals: NDArray[np.float64]
    parts: Ints


def offsets(d: Description) -> tuple[list[tuple[int, int, int]], int]:
    """Where each layer's weight, bias and slope begin in the flat buffer (-1: it has none), and the buffer's length."""
    found, at = [], 0
    for fan_in, fan_out, name in zip(d.sizes, d.sizes[1:], (*d.activations, d.output), strict=False):
        weight, at = at, at + fan_in * fan_out
        bias, at = (at, at + fan_out) if d.bias else (-1, at)
        slope, at = (at, at + 1) if activation(name).learns else (-1, at)
        found.append((weight, bias, slope))
    return found, at


def check(d: Description) -> None:
    """Raise ValueError where the compiled network cannot be this one."""
    if d.normalization != "none":
        raise ValueError(f"normalization {d.normalization} is for the torch networks: the compiled network has none")
    if d.residual:
        raise ValueError("residual connections are for the torch networks: the compiled network has none")
    if min(d.sizes) < 1:
        raise ValueError(f"layers of {', '.join(map(str, d.sizes))} units: each must have at least 1")
    if d.loss not in LOSSES:
        raise ValueError(f"loss {d.loss!r} is unknown: it must be one of {', '.join(LOSSES)}")
    if d.slopes and len(d.slopes) != len(d.hidden):
        raise ValueError(f"{len(d.slopes)} slopes for {len(d.hidden)} hidden layers; give one each")
    for rate in d.dropout:
        if not 0.0 <= rate < 1.0:
            raise ValueError(f"dropout {rate:g} is not allowed: it must be from 0 to below 1")


def slope(d: Description, layer: int) -> float:
    """The parameter of the activation after a layer (0 where it has none)."""
    names = (*d.activations, d.output)
    given = d.slopes[layer] if layer < len(d.slopes) else math.nan
    value = activation(names[layer]).slope if math.isnan(given) else given
    return 0.0 if math.isnan(value) else value


def parameter_count(d: Description) -> int:
    """How many numbers training changes."""
    return offsets(d)[1]


def layers(d: Description, params: Array) -> list[Layer]:
    """The layers as views into `params` ([P], or [lanes, P]: then each view has the lanes first)."""
    places, count = offsets(d)
    if params.shape[-1:] != (count,):
        raise ValueError(f"parameters of shape {params.shape} do not fit a network of {count}")
    lead = params.shape[:-1]
    found = []
    for (weight, bias, bent), fan_in, fan_out in zip(places, d.sizes, d.sizes[1:], strict=False):
        found.append(
            Layer(
                params[..., weight : weight + fan_in * fan_out].reshape(*lead, fan_out, fan_in),
                params[..., bias : bias + fan_out] if bias >= 0 else params[..., :0],
                params[..., bent : bent + 1] if bent >= 0 else params[..., :0],
            )
        )
    return found


def columns(d: Description, samples: int, lanes: bool = False) -> int:
    """How many samples the scratch memory takes at once."""
    most = MOST_COLUMNS[max(d.sizes) <= NARROW]
    return min(samples, most // WIDTH) if lanes else min(-(-samples // WIDTH) * WIDTH, most)


def plan(d: Description, samples: int, lanes: bool = False) -> Plan:
    """The plan for batches of up to `samples`; decided by the description and this number alone.

    With `lanes`, each number of the scratch memory is sixteen: one for each of sixteen networks.
    """
    places, _ = offsets(d)
    width = columns(d, samples, lanes)
    unit = WIDTH if lanes else 1
    at = 0

    def take(units: int) -> int:
        nonlocal at
        begin, at = at, at + units * width * unit
        return begin

    before = take(d.inputs)
    table = np.full((len(places), COLUMNS), -1, np.int64)
    reals = np.zeros((len(places), 2))
    names = (*d.activations, d.output)
    for i, row in enumerate(table):
        row[[IN, OUT, WEIGHT, BIAS, SLOPE, ACT]] = [*d.sizes[i : i + 2], *places[i], activation(names[i]).code]
        row[[INPUT, Z]] = before, take(d.sizes[i + 1])
        plain = i == len(table) - 1 and d.output == "identity"
        row[[A, F]] = (row[Z], -1) if plain else (take(d.sizes[i + 1]), take(d.sizes[i + 1]))
        reals[i] = slope(d, i), d.dropout[i] if i < len(d.dropout) else 0.0
        if reals[i, 1] > 0.0:
            row[MASK] = take(d.sizes[i + 1])
        before = int(row[A])
    targets = 1 if d.loss == "cross_entropy" else d.outputs
    places_of = [take(targets), take(max(d.sizes[1:])), take(max(d.sizes[1:]))]
    widest = -(-max(d.sizes[:-1]) // WIDTH) * WIDTH
    transposed = take(0 if lanes else widest)
    parts = [LOSSES.index(d.loss), width, *places_of, transposed, targets, int(d.half_mse), at]
    return Plan(table, reals, np.array(parts, np.int64))
