"""Where the parameters and running statistics of a torch network stand, how they begin, and what data fit it."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from engine.networks import plan
from engine.networks.conv_description import ConvDescription
from engine.networks.description import Description
from engine.optimizers import new_states

Array = NDArray[Any]


class Layout:
    """Where everything of a network stands, and what fits it.

    x: [n, inputs], or pictures [n, channels, h, w] (flat ones too); y: [n, outputs] for `mse`, [n, 1] of 0 and 1 for
    `bce`, class numbers [n] for `cross_entropy`. `parameters`: length of the flat buffer; `buffer_count`: of the
    running statistics (layer by layer: means, then variances), which are part of a run's state and change in training.
    Raises ValueError in one line for a description that cannot be.
    """

    def __init__(self, description: Description | ConvDescription, dtype: DTypeLike = np.float64) -> None:
        self.description = d = description
        self.dtype = np.dtype(dtype)
        if self.dtype.name not in ("float64", "float32"):
            raise ValueError(f"dtype {self.dtype.name} is not supported: it must be one of float64, float32")
        if isinstance(d, Description):
            plan.check(replace(d, normalization="none", residual=False))
            from engine.networks.torch_layers import dense_layers

            self.input: tuple[int, ...] = (d.inputs,)
            self.layers = dense_layers(d)
        else:
            from engine.networks.torch_conv import conv_layers

            self.input = d.input
            self.layers = conv_layers(d)
        self.parameters = sum(math.prod(shape) for layer in self.layers for shape in layer.shapes)
        self.buffer_count = 2 * sum(layer.statistics for layer in self.layers)

    # -- what stands where -------------------------------------------------------------------------------------------

    def views(self, params: Any) -> list[list[Any]]:
        """Every layer's parameters as views into a flat array or tensor [P]."""
        found, at = [], 0
        for layer in self.layers:
            own = []
            for shape in layer.shapes:
                own.append(params[at : at + math.prod(shape)].reshape(shape))
                at += math.prod(shape)
            found.append(own)
        return found

    def statistics(self, buffers: Any) -> list[tuple[Any, Any] | None]:
        """Every layer's running mean and variance as views into the flat buffers; None where it keeps none."""
        found: list[tuple[Any, Any] | None] = []
        at = 0
        for layer in self.layers:
            n = layer.statistics
            found.append((buffers[at : at + n], buffers[at + n : at + 2 * n]) if n else None)
            at += 2 * n
        return found

    def penalized(self, biases: bool = False) -> Array:
        """1 for every number of the flat buffer that l1 and l2 act on (weights, and biases if asked), else 0: [P]."""
        marks = np.zeros(self.parameters, self.dtype)
        for layer, own in zip(self.layers, self.views(marks), strict=True):
            for view in own[: layer.weighs if biases else min(1, layer.weighs)]:
                view[...] = 1.0
        return marks

    def initial(self, initialization: str, seed: int, std: float = 1.0) -> Array:
        """The flat buffer [P] before the first step; for a plain network the very numbers of the compiled one."""
        params = np.zeros(self.parameters)
        for layer, own in zip(self.layers, self.views(params), strict=True):
            layer.first(initialization, seed, std, own)
        return params.astype(self.dtype)

    def initial_buffers(self) -> Array:
        """The running statistics before the first step: means 0, variances 1."""
        buffers = np.zeros(self.buffer_count, self.dtype)
        for pair in self.statistics(buffers):
            if pair is not None:
                pair[1][...] = 1.0
        return buffers

    def states(self, rule: str) -> Array:
        """The optimizer's states before the first step, [3, P] (unused rows are 0)."""
        found = np.zeros((3, self.parameters), self.dtype)
        for row, start in zip(found, new_states(rule, self.parameters, self.dtype), strict=False):
            row[:] = start
        return found

    # -- what comes in -----------------------------------------------------------------------------------------------

    def data(self, x: ArrayLike, y: ArrayLike) -> tuple[Array, Array]:
        """x [n, *input] and y [n, outputs] (classes: [n, 1]); ValueError in one line where they do not fit."""
        inputs, targets = self.inputs(x), np.ascontiguousarray(y, self.dtype)
        classes = self.description.loss == "cross_entropy"
        columns = 1 if classes else self.description.outputs
        targets = targets[:, None] if targets.ndim == 1 and columns == 1 else targets
        if targets.ndim != 2 or targets.shape != (len(inputs), columns):
            raise ValueError(f"targets of shape {targets.shape} do not fit: [{len(inputs)}, {columns}] is wanted")
        if classes and not (targets.min() >= 0 and targets.max() < self.description.outputs):
            low, high, most = targets.min(), targets.max(), self.description.outputs - 1
            raise ValueError(f"classes {low:g} to {high:g}: they must be from 0 to {most}")
        return inputs, targets

    def inputs(self, x: ArrayLike) -> Array:
        """x as the network reads it: [n, *input]."""
        found = np.ascontiguousarray(x, self.dtype)
        if found.ndim < 2 or len(found) == 0 or found.shape[1:] not in (self.input, (math.prod(self.input),)):
            wanted = ", ".join(map(str, self.input))
            raise ValueError(f"inputs of shape {found.shape} do not fit: [n, {wanted}] is wanted")
        return found.reshape(len(found), *self.input)

    def check(self, samples: int, batch_size: int = 0) -> None:
        """Raise ValueError where a batch normalisation would see a single number, which has no variance."""
        batch = samples if batch_size <= 0 else min(batch_size, samples)
        least = samples % batch or batch
        if any(least * layer.places == 1 for layer in self.layers):
            raise ValueError(
                "batch normalization needs at least 2 samples in a batch: "
                f"{samples} in batches of {batch} leave {least}"
            )

    def fitting(self, array: Array, shape: tuple[int, ...], what: str) -> Array:
        """The array itself; ValueError where its shape, precision or memory do not fit."""
        if array.shape != shape or array.dtype != self.dtype or not array.flags.c_contiguous:
            wanted = f"contiguous {self.dtype} {list(shape)}"
            raise ValueError(f"{what} of {array.dtype} {list(array.shape)} do not fit: {wanted} is wanted")
        return array
