"""The network that is trained: what a run never changes, its state, and what is measured."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from engine.experiment import Array
from engine.experiments._shared.trained.settings import hypers
from engine.experiments.networks._convolution.data import Digits, digits_of
from engine.experiments.networks._convolution.network import described
from engine.networks.conv_description import ConvDescription
from engine.optimizers import RULES

SEEN = 450  # training digits that the training loss and accuracy are measured on
EARLY, OFTEN, EVERY = 50, 5, 25  # up to this step all is measured so often, then so often


@dataclass(frozen=True, eq=False)
class Model:
    """Digits and network (an engine.networks.torch_network.TorchNetwork, float64). Copies share it."""

    description: ConvDescription
    network: Any
    data: Digits

    def __deepcopy__(self, memo: dict[int, Any]) -> Model:
        """A snapshot shares what cannot change."""
        return self

    def measured(self, state: Trained) -> tuple[float, float, float, float]:
        """Training loss and accuracy (of the first SEEN digits), test loss and accuracy."""
        found = list[float]()
        with np.errstate(all="ignore"):  # of a network that is lost
            for x, y in ((self.data.x[:SEEN], self.data.y[:SEEN]), (self.data.test_x, self.data.test_y)):
                shares = self.answers(state, x)
                right = shares[np.arange(len(y)), y.astype(int)]
                finite = bool(np.isfinite(shares).all())
                found.append(self.network.loss(state.params, state.buffers, x, y) if not finite or right.min() < 1e-12
                             else float(-np.log(right).mean()))  # fmt: skip
                found.append(float(np.mean(shares.argmax(axis=1) == y)) if finite else math.nan)
        return found[0], found[1], found[2], found[3]

    def answers(self, state: Trained, x: Array) -> Array:
        """Probabilities [n, 10] of pictures [n, 1, 8, 8]."""
        with np.errstate(all="ignore"):
            return np.asarray(self.network.predict(state.params, state.buffers, x))

    def forward(self, state: Trained, x: Array) -> list[Array]:
        """What comes out of every layer, [n, maps, h, w] or [n, units]."""
        with np.errstate(all="ignore"):
            return [np.asarray(a) for _, a in self.network.forward(state.params, state.buffers, x)]


@dataclass
class Trained:
    """Everything that changes in training: parameters [P], the rule's numbers [3, P] (of which it uses `rows`),
    running statistics, digits seen so far, and who has ended."""

    step: int
    params: Array
    numbers: Array
    rows: int
    buffers: Array
    seen: int
    model: Model = field(metadata={"scratch": True})
    ended: list[int] = field(default_factory=list)

    def __deepcopy__(self, memo: dict[int, Any]) -> Trained:
        """A snapshot; rows that the rule does not use are zeros that take no memory until they are written."""
        numbers = np.zeros(self.numbers.shape, self.numbers.dtype)
        numbers[: self.rows] = self.numbers[: self.rows]
        return Trained(self.step, self.params.copy(), numbers, self.rows, self.buffers.copy(), self.seen, self.model,
                       list(self.ended))  # fmt: skip


def begin(spec: Any) -> Trained:
    """Before the first step. Loads torch."""
    from engine.networks.torch_network import TorchNetwork

    d = described(spec.layers)
    network = TorchNetwork(d)
    model = Model(d, network, digits_of(spec))
    return Trained(0, network.initial(spec.initialization, spec.seed), network.states(spec.optimizer),
                   len(RULES[spec.optimizer].states), network.initial_buffers(), 0, model)  # fmt: skip


def due(step: int) -> int:
    """After how many steps from this one on all is measured again; it depends on the step alone."""
    every = OFTEN if step < EARLY else EVERY
    return every - step % every


def train(state: Trained, spec: Any, n: int) -> tuple[int, bool, Array]:
    """At most n steps in place: how many were taken, whether all is finite, [steps, 2] batch losses and norms."""
    from engine.networks.mlp import Rule

    rule = Rule.of(spec.optimizer, hypers(spec))
    data = state.model.data
    with np.errstate(all="ignore"):  # of a network that is about to overflow
        done, code, out = state.model.network.train(
            state.params, state.buffers, state.numbers, data.x, data.y, rule, state.step + 1,
            np.full(n, float(spec.learning_rate)), spec.batch_size, spec.seed,
        )  # fmt: skip
    return done, code == 0, out


def batch_sizes(spec: Any, before: int, n: int) -> Array:
    """How many digits each of the n steps after `before` takes."""
    size = min(spec.batch_size, spec.samples)
    rounds = -(-spec.samples // size)
    last = np.arange(before, before + n) % rounds == rounds - 1
    return np.asarray(np.where(last, spec.samples - (rounds - 1) * size, size))


def why(state: Trained, rate: float) -> str:
    """What overflowed at which step and rate."""
    what = "the loss" if np.isfinite(state.params).all() else "a weight"
    return f"{what} overflowed at step {state.step}, rate {rate:g}"
