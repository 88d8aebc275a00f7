"""Deep networks of one width, plain or in residual blocks: forward, and back with every gradient exact.

All seeds go through at once: numbers stand as [seeds, units, samples]. torch is the oracle of the tests.

    plain          h <- f(N(W2 f(N(W1 h))))
    residual       h <- f(h + s N(W2 f(N(W1 h))))                       He et al. 2016, "Deep residual learning"
    preactivation  h <- h + s W2 f(N(W1 f(N(h))))                       He et al. 2016, "Identity mappings"
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from engine.experiment import Array
from engine.turns import give_way

EPS = 1e-5  # joins the variance below the root, as in torch
BLOCK = 2  # layers of a block
AXES = {"batch": 2, "layer": 1}  # what a mean is taken over


@dataclass(frozen=True)
class Net:
    """What a network is. `depth` counts every layer with weights: the first, those in blocks, and the last.

    Its parameters stand in one flat row, layer by layer: weights [out, in] row by row; then gamma and beta [out] of the
    normalisation where there is one, else the bias [out]; the last layer has a bias always. So every kind has equally
    many. The normalisation that stands behind a layer's weights here comes right after them in a plain and a residual
    network, and right before the next layer's in one with pre-activation.
    """

    kind: str
    depth: int
    width: int
    inputs: int
    outputs: int
    normalization: str = "batch"
    activation: str = "relu"
    branch: float = 1.0

    @cached_property
    def slots(self) -> list[list[tuple[int, tuple[int, ...]]]]:
        """Of every layer the place and the shape of its weights, and of what stands behind them."""
        found, at = [], 0
        for k in range(self.depth):
            out = self.outputs if k == self.depth - 1 else self.width
            shapes: list[tuple[int, ...]] = [(out, self.inputs if k == 0 else self.width)]
            twice = self.normalization != "none" and k < self.depth - 1
            shapes += [(out, 1)] * (2 if twice else 1)
            own = []
            for shape in shapes:
                own.append((at, shape))
                at += shape[0] * shape[1]
            found.append(own)
        return found

    @cached_property
    def parameters(self) -> int:
        """How many numbers are learnt."""
        at, shape = self.slots[-1][-1]
        return at + shape[0] * shape[1]

    @cached_property
    def blocks(self) -> list[list[int]]:
        """The layers between the first and the last, in blocks; where their number is odd the last has one."""
        between = list(range(1, self.depth - 1))
        return [between[i : i + BLOCK] for i in range(0, len(between), BLOCK)]

    def views(self, flat: Array) -> list[list[Array]]:
        """Of every layer what it learns, as views [seeds, out, in] and [seeds, out, 1] of flat [seeds, parameters]."""
        return [[flat[:, at : at + s[0] * s[1]].reshape(len(flat), *s) for at, s in own] for own in self.slots]


@dataclass
class _Kept:
    """What the way back needs: every input of weights, every normalisation's result and factor, every activation's
    input or slope; statistics [seeds, ...] of every normalisation, (mean, variance), in the order of the layers."""

    below: dict[int, Array]
    normal: dict[int, tuple[Array, Array]]
    slope: dict[Any, Array]
    statistics: dict[int, tuple[Array, Array]]


class Run:
    """One way through a network: forward when made, `back` afterwards.

    x: [seeds, inputs, samples]. `given`: statistics to normalise with in batch normalisation, of an earlier run over
    other samples; else these samples' own.
    """

    def __init__(self, net: Net, params: Array, x: Array, given: dict[int, tuple[Array, Array]] | None = None) -> None:
        self.net, self.of, self.given = net, net.views(params), given
        self.kept = _Kept({}, {}, {}, {})
        self.signals: dict[int, Array] = {}
        with np.errstate(all="ignore"):  # an overflow is told by what is measured
            self.logits = self._forward(x)

    # -- forward -----------------------------------------------------------------------------------------------------

    def _forward(self, x: Array) -> Array:
        net = self.net
        h = self._weigh(0, x)
        if net.kind != "preactivation":
            h = self._bend(0, self._normalize(0, h))
        for block in net.blocks:
            way = h
            for k in block:
                if net.kind == "preactivation":
                    way = self._weigh(k, self._bend(k - 1, self._normalize(k - 1, way)))
                else:
                    way = self._normalize(k, self._weigh(k, way))
                    if k != block[-1]:
                        way = self._bend(k, way)
            if net.kind != "plain":
                way = h + (way if net.branch == 1.0 else net.branch * way)
            h = way if net.kind == "preactivation" else self._bend(block[-1], way)
        if net.kind == "preactivation":
            h = self._bend(net.depth - 2, self._normalize(net.depth - 2, h))
        return self._weigh(net.depth - 1, h)

    def _weigh(self, k: int, h: Array) -> Array:
        give_way()
        self.kept.below[k] = h
        z: Array = np.matmul(self.of[k][0], h)
        if len(self.of[k]) == 2:  # a bias
            z += self.of[k][1]
        return z

    def _normalize(self, k: int, z: Array) -> Array:
        net = self.net
        if net.normalization == "none":
            return z
        axis, gamma, beta = AXES[net.normalization], self.of[k][1], self.of[k][2]
        if self.given is None or net.normalization == "layer":
            mean = z.mean(axis=axis, keepdims=True)
            z = z - mean
            variance = np.square(z).mean(axis=axis, keepdims=True)
        else:
            mean, variance = self.given[k]
            z = z - mean
        self.kept.statistics[k] = mean, variance
        factor = 1.0 / np.sqrt(variance + z.dtype.type(EPS))
        z *= factor
        self.kept.normal[k] = z, factor
        z = z * gamma
        z += beta
        return z

    def _bend(self, k: int, z: Array) -> Array:
        if self.net.activation == "relu":
            bent = np.maximum(z, 0)
            self.kept.slope[k] = bent > 0
        else:
            bent = np.tanh(z)
            self.kept.slope[k] = 1 - bent * bent
        return bent

    # -- loss and back -----------------------------------------------------------------------------------------------

    def loss(self, classes: Array) -> tuple[Array, Array]:
        """Cross-entropy, a mean over the samples, [seeds]; its gradient by the logits. classes: [seeds, samples]."""
        with np.errstate(all="ignore"):
            shifted = self.logits - self.logits.max(axis=1, keepdims=True)
            power = np.exp(shifted)
            total = power.sum(axis=1, keepdims=True)
            picked = np.take_along_axis(shifted, classes[:, None], 1)
            losses = (np.log(total) - picked).mean(axis=2, dtype=np.float64)[:, 0]
            power /= total
            np.put_along_axis(power, classes[:, None], np.take_along_axis(power, classes[:, None], 1) - 1, 1)
            power /= classes.shape[1]
        return losses, power

    def accuracy(self, classes: Array) -> Array:
        """Share of the samples sorted into their class, [seeds]; nan where the logits are not finite."""
        right = (self.logits.argmax(axis=1) == classes).mean(axis=1)
        return np.where(np.isfinite(self.logits).all(axis=(1, 2)), right, np.nan)

    def back(self, signal: Array) -> Array:
        """From the gradient by the logits to that by every parameter, [seeds, parameters]."""
        net = self.net
        flat = np.empty((len(signal), net.parameters), signal.dtype)
        self.by = net.views(flat)
        with np.errstate(all="ignore"):
            self._backward(signal)
        return flat

    def _backward(self, signal: Array) -> None:
        net = self.net
        pre = net.kind == "preactivation"
        g = self._unweigh(net.depth - 1, signal)
        if pre:
            g = self._unnormalize(net.depth - 2, self._unbend(net.depth - 2, g))
        for block in reversed(net.blocks):
            if not pre:
                g = self._unbend(block[-1], g)
            way = g if net.kind == "plain" or net.branch == 1.0 else net.branch * g
            for k in reversed(block):
                if pre:
                    way = self._unnormalize(k - 1, self._unbend(k - 1, self._unweigh(k, way)))
                else:
                    if k != block[-1]:
                        way = self._unbend(k, way)
                    way = self._unweigh(k, self._unnormalize(k, way))
            g = way if net.kind == "plain" else g + way
        if not pre:
            g = self._unnormalize(0, self._unbend(0, g))
        self._unweigh(0, g)

    def _unweigh(self, k: int, g: Array) -> Array:
        give_way()
        np.matmul(g, self.kept.below[k].transpose(0, 2, 1), out=self.by[k][0])
        if len(self.by[k]) == 2:
            np.sum(g, axis=2, keepdims=True, out=self.by[k][1])
        below: Array = np.matmul(self.of[k][0].transpose(0, 2, 1), g) if k else g
        return below

    def _unnormalize(self, k: int, g: Array) -> Array:
        if self.net.normalization == "none":
            return g
        axis = AXES[self.net.normalization]
        normal, factor = self.kept.normal[k]
        along = g * normal
        np.sum(along, axis=2, keepdims=True, out=self.by[k][1])
        np.sum(g, axis=2, keepdims=True, out=self.by[k][2])
        gamma = self.of[k][1]
        if axis == 2:  # the two sums are at hand
            n = g.dtype.type(g.shape[2])
            inner: Array = normal * (self.by[k][1] / n)
            inner += self.by[k][2] / n
            np.subtract(g, inner, out=inner)
            inner *= factor * gamma
            return inner
        g = g * gamma
        inner = normal * (g * normal).mean(axis=axis, keepdims=True)
        inner += g.mean(axis=axis, keepdims=True)
        np.subtract(g, inner, out=inner)
        inner *= factor
        return inner

    def _unbend(self, k: int, g: Array) -> Array:
        through: Array = g * self.kept.slope[k]
        return through
