"""A real stack of layers that grows by one a step: the signal on its way up, a unit gradient on its way down."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from engine.experiment import Array
from engine.experiments.networks._activations.settings import ActivationsSpec
from engine.experiments.networks._activations.shapes import SATURATED, shape
from engine.networks.initializations import weights
from engine.randomness import generator
from engine.turns import give_way

MEASURED = ("signal_rms", "signal_std", "gradient_rms", "saturated_share", "dead_share")
ROWS, ALONE = 32, 2**18  # rows of a block; multiplications up to which OpenBLAS stays on one thread
LARGEST = 2**26  # numbers a stack may keep: half a gibibyte


@dataclass(frozen=True)
class Layer:
    """One layer. `weight` [seeds, out, in]; for each contestant what it puts out and its slopes f'(z), both
    [seeds, samples, width] (None once it has ended); `told` [measured, seeds, contestants] of the stack up to here.

    Never changed once made, so that all copies of a state share it.
    """

    weight: Array
    out: tuple[Array | None, ...]
    slopes: tuple[Array | None, ...]
    told: Array

    def __deepcopy__(self, memo: dict[int, Any]) -> Layer:
        return self


@dataclass
class State:
    """Inputs [seeds, samples, width], a gradient of the same shape with mean square 1, the layers so far, who ended."""

    step: int
    inputs: Array
    unit: Array
    layers: tuple[Layer, ...] = ()
    ended: list[int] = field(default_factory=list)


def size(spec: ActivationsSpec) -> int:
    """How many numbers the full stack keeps."""
    kept = 2 * len(spec.activations) * spec.samples + spec.width
    return int(spec.depth * spec.seeds * spec.width * kept)


def first(spec: ActivationsSpec) -> State:
    """No layers yet: inputs and gradient are standard normal numbers."""
    shape_of_one = (spec.samples, spec.width)
    drawn = [
        [generator(spec.seed + s, purpose).standard_normal(shape_of_one) for s in range(spec.seeds)]
        for purpose in ("inputs of the stack", "unit gradient")
    ]
    return State(0, np.array(drawn[0]), np.array(drawn[1]))


def product(a: Array, b: Array) -> Array:
    """a [seeds, n, k] times b [seeds, k, m], block by block, each so small that BLAS does it on the calling thread.

    With more threads it spins where the cores are busy with a window (seen: forty times slower), and what it rounds
    may depend on their number.
    """
    made = np.empty((a.shape[0], a.shape[1], b.shape[2]))
    columns = max(1, ALONE // (ROWS * b.shape[1]))
    for row in range(0, a.shape[1], ROWS):
        for column in range(0, b.shape[2], columns):
            block = slice(None), slice(row, row + ROWS), slice(column, column + columns)
            made[block] = a[:, block[1]] @ b[:, :, block[2]]
    return made


def rms(values: Array, axes: tuple[int, ...]) -> Array:
    """Root of the mean square over some axes; also where a square would overflow or vanish."""
    with np.errstate(all="ignore"):
        top = np.abs(values).max(axis=axes, keepdims=True)
        scale = np.where((top > 0) & np.isfinite(top), top, 1.0)
        found: Array = np.sqrt(((values / scale) ** 2).mean(axis=axes)) * scale.squeeze(axes)
    return found


def signal(values: Array) -> tuple[Array, Array]:
    """Root mean square of a signal [seeds, samples, width], and its standard deviation from sample to sample."""
    with np.errstate(all="ignore"):
        # two halves: the sum of very large numbers would overflow
        apart = values - 2.0 * (0.5 * values).mean(axis=1, keepdims=True)
    return rms(values, (1, 2)), rms(apart, (1, 2))


def beginning(state: State) -> Array:
    """What is measured without a layer: [measured, seeds]; there are no slopes to count."""
    nothing = np.full(len(state.inputs), np.nan)
    return np.stack([*signal(state.inputs), rms(state.unit, (1, 2)), nothing, nothing])


def grow(state: State, spec: ActivationsSpec) -> None:
    """Put one more layer on the stack and measure it, in place."""
    k = state.step
    made = [
        weights(
            spec.initialization, spec.width, spec.width, generator(spec.seed + s, "weights of the stack", k), spec.std
        )
        for s in range(spec.seeds)
    ]
    weight = np.array(made)
    outs, slopes = list[Array | None](), list[Array | None]()
    told = np.full((len(MEASURED), spec.seeds, len(spec.activations)), np.nan)
    for c, name in enumerate(spec.activations):
        below = state.layers[-1].out[c] if state.layers else state.inputs
        if below is None or c in state.ended:
            outs.append(None)
            slopes.append(None)
            continue
        with np.errstate(all="ignore"):  # an overflow is told by the row
            give_way()
            z = product(below, weight.transpose(0, 2, 1))
            outs.append(shape(spec, name, "value", z))
            slopes.append(shape(spec, name, "first", z))
        told[:, :, c] = _measure(state, weight, c, outs[-1], slopes[-1])
    state.layers = (*state.layers, Layer(weight, tuple(outs), tuple(slopes), told))
    state.step += 1


def _measure(state: State, weight: Array, c: int, out: Any, slope: Any) -> Array:
    """[measured, seeds] of contestant c once a layer with these weights, outputs and slopes is on top."""
    with np.errstate(all="ignore"):
        gradient = product(state.unit * slope, weight)
        for layer in reversed(state.layers):
            give_way()
            gradient = product(gradient * layer.slopes[c], layer.weight)
    shares = (np.abs(slope) < SATURATED).mean(axis=(1, 2)), (slope == 0.0).all(axis=1).mean(axis=1)
    return np.stack([*signal(out), rms(gradient, (1, 2)), *shares])
