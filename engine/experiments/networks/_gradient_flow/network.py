"""A deep network, forward and backward, with every gradient exact; torch is its oracle in the tests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from engine.experiment import Array
from engine.experiments.networks._gradient_flow.settings import Network
from engine.networks.activations import activation
from engine.networks.initializations import weights
from engine.randomness import generator
from engine.turns import give_way

OUTPUTS = 10
EPS = 1e-5  # of both normalisations, as in torch
TINY = 1e-6  # torch.nn.utils.clip_grad_norm_ adds it to the norm


@dataclass(frozen=True)
class Task:
    """Inputs [samples, width], and classes [samples] or targets [samples, 10]."""

    x: Array
    y: Array


@dataclass(frozen=True)
class Layer:
    """What the way back needs of a layer: its input, z after normalisation (`at`), the slopes there (all
    [samples, width]), and what normalisation multiplied by (None: nothing)."""

    below: Array
    at: Array
    slope: Array
    scale: Array | None


@dataclass(frozen=True)
class Pass:
    """One way forth and back. `layers`, from the first on; `top` [samples, width], what the last one put out; the
    `loss`; `signals[k]` the gradient by what hidden layer k + 1 puts out; `gradients` by all weights, the output's
    last."""

    layers: tuple[Layer, ...]
    top: Array
    loss: float
    signals: tuple[Array, ...] = ()
    gradients: tuple[Array, ...] = ()


def task(loss: str, samples: int, width: int, seed: int) -> Task:
    """The batch of one seed."""
    x = generator(seed, "inputs of the batch").standard_normal((samples, width))
    targets = generator(seed, "targets of the batch")
    y = (
        targets.integers(0, OUTPUTS, samples)
        if loss == "cross_entropy"
        else targets.standard_normal((samples, OUTPUTS))
    )
    return Task(x, y)


def first_weights(depth: int, width: int, initialization: str, std: float, seed: int) -> list[Array]:
    """Weights [out, in] of every hidden layer and of the output, each from random numbers of its own."""
    return [
        weights(initialization, width, width if k < depth else OUTPUTS, generator(seed, "weights of a layer", k), std)
        for k in range(depth + 1)
    ]


def forward(kind: Network, weight: list[Array], x: Array) -> tuple[tuple[Layer, ...], Array]:
    """Through all hidden layers: what the way back needs of each, and what the last one puts out."""
    function, axis = activation(kind.activation), 0 if kind.normalization == "batch" else 1
    layers, out = [], x
    with np.errstate(all="ignore"):  # an overflow is told by what is measured
        for w in weight[:-1]:
            give_way()
            z, scale = out @ w.T, None
            if kind.normalization != "none":
                scale = 1.0 / np.sqrt(z.var(axis=axis, keepdims=True) + EPS)
                z = (z - z.mean(axis=axis, keepdims=True)) * scale
            layers.append(Layer(out, z, function.first(z), scale))
            bent = function.value(z)
            out = out + kind.branch * bent if kind.residual else bent
    return tuple(layers), out


def losses(kind: Network, logits: Array, y: Array) -> tuple[float, Array]:
    """The loss, a mean over the samples (and for squares over the outputs), and its gradient by the outputs."""
    if kind.loss == "mse":
        apart = logits - y
        return float((apart**2).mean()), 2.0 * apart / apart.size
    shifted = logits - logits.max(axis=1, keepdims=True)
    total = np.exp(shifted).sum(axis=1, keepdims=True)
    rows = np.arange(len(y))
    gradient = np.exp(shifted) / total
    gradient[rows, y] -= 1.0
    return float((np.log(total[:, 0]) - shifted[rows, y]).mean()), gradient / len(y)


def there_and_back(kind: Network, weight: list[Array], given: Task) -> Pass:
    """Forward to the loss and back to the first layer."""
    layers, top = forward(kind, weight, given.x)
    with np.errstate(all="ignore"):
        loss, back = losses(kind, top @ weight[-1].T, given.y)
        gradients = [back.T @ top]
        back = back @ weight[-1]
        signals = []
        for layer, w in zip(reversed(layers), reversed(weight[:-1]), strict=True):
            give_way()
            signals.append(back)
            inner = _through_norm(kind, layer, (kind.branch if kind.residual else 1.0) * back * layer.slope)
            gradients.append(inner.T @ layer.below)
            below = inner @ w
            back = back + below if kind.residual else below
    return Pass(layers, top, loss, tuple(reversed(signals)), tuple(reversed(gradients)))


def _through_norm(kind: Network, layer: Layer, back: Array) -> Array:
    """From the gradient by the normalised z to that by z itself (Ioffe and Szegedy 2015, section 3)."""
    if layer.scale is None:
        return back
    axis = 0 if kind.normalization == "batch" else 1
    mean, along = (part.mean(axis=axis, keepdims=True) for part in (back, back * layer.at))
    through: Array = layer.scale * (back - mean - layer.at * along)
    return through


def clip(kind: Network, gradients: tuple[Array, ...]) -> tuple[Array, ...]:
    """The gradient an update uses: as torch's clip_grad_norm_ and clip_grad_value_ have it."""
    if kind.clipping == "value":
        return tuple(np.clip(one, -kind.clip_at, kind.clip_at) for one in gradients)
    if kind.clipping == "norm":
        with np.errstate(all="ignore"):
            factor = min(1.0, kind.clip_at / (whole([norm(one) for one in gradients]) + TINY))
            return tuple(one * factor for one in gradients)
    return gradients


def norm(values: Array) -> float:
    """Root of the sum of squares, also where a square would overflow or vanish."""
    flat = values.ravel()
    with np.errstate(all="ignore"):
        squares = float(flat @ flat)
        if 1e-280 < squares < 1e280:
            return float(np.sqrt(squares))
        top = float(np.abs(flat).max())
        if not 0.0 < top < np.inf:
            return top
        scaled = flat / top
        return top * float(np.sqrt(scaled @ scaled))


def whole(norms: Sequence[float]) -> float:
    """The norm of several gradients together, from the norm of each."""
    return norm(np.array(norms))
