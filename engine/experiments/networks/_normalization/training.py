"""Small convolutional networks on handwritten digits, one kind for each normalisation, all seeds of it together."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from engine.data import load
from engine.experiment import Array
from engine.experiments.networks._normalization.settings import NormalizationSpec, rate
from engine.randomness import generator

SIDE = 8  # of a picture


@dataclass(frozen=True, eq=False)
class Problem:
    """Pictures [n, 1, 8, 8] and classes [n], to train on and held back; the networks (engine.networks.torch_network)
    of the contestants. Never changes: copies share it."""

    x: Array
    y: Array
    test_x: Array
    test_y: Array
    networks: tuple[Any, ...]

    def __deepcopy__(self, memo: dict[int, Any]) -> Problem:
        return self


def describe(spec: NormalizationSpec, norm: str) -> Any:
    """Three convolutions, the first two of stride 2 (8 x 8, 4 x 4, 2 x 2, 2 x 2), and a linear layer."""
    from engine.networks.conv_description import Conv, ConvDescription, Flatten, Linear

    def conv(channels: int, stride: int) -> Any:
        return Conv(channels, 3, stride, 1, normalization=norm, groups=spec.groups, bias=norm == "none")  # type: ignore[arg-type]

    m = spec.maps
    return ConvDescription((1, SIDE, SIDE), (conv(m, 2), conv(2 * m, 2), conv(2 * m, 1), Flatten(), Linear(10)))


def problem(spec: NormalizationSpec) -> Problem:
    """Data and networks of the settings. Loads torch."""
    from engine.networks.torch_network import TorchNetwork

    whole = load("digits")
    order = generator(spec.seed, "split").permutation(len(whole.y))
    train, test = order[: spec.samples], order[len(order) - spec.test_samples :]
    x, y = whole.x.reshape(-1, 1, SIDE, SIDE), np.asarray(whole.y, float).ravel()
    networks = tuple(TorchNetwork(describe(spec, norm)) for norm in spec.norms)
    return Problem(x[train].copy(), y[train], x[test].copy(), y[test], networks)


def seeds_of(spec: NormalizationSpec) -> list[int]:
    """The seeds that take part."""
    return [spec.seed + j for j in range(spec.seeds)]


@dataclass
class Team:
    """All seeds of one normalisation: params [J, P], running statistics [J, B], the optimizer's numbers [J, 3, P];
    lost [J]: the update at which a seed was lost, or 0."""

    place: int
    params: Array
    buffers: Array
    numbers: Array
    lost: Array
    problem: Problem = field(metadata={"scratch": True})

    @classmethod
    def fresh(cls, spec: NormalizationSpec, place: int, data: Problem) -> Team:
        """Before the first update."""
        network, seeds = data.networks[place], seeds_of(spec)
        params = np.stack([network.initial("he_normal", seed) for seed in seeds])
        buffers = np.stack([network.initial_buffers() for _ in seeds])
        numbers = np.stack([network.states(spec.optimizer) for _ in seeds])
        return cls(place, params, buffers, numbers, np.zeros(len(seeds), np.int64), data)

    @property
    def over(self) -> bool:
        """Whether every seed is lost."""
        return bool((self.lost > 0).all())

    def train(self, spec: NormalizationSpec, size: int, update: int, n: int) -> Array:
        """The n updates after `update`, of every seed that is not lost. Loss of each batch before it, [n, J]; infinite
        from where a seed is lost."""
        from engine.networks.mlp import Rule

        told = np.full((n, len(self.lost)), np.inf)
        rule, rates = Rule.of(spec.optimizer), np.full(n, rate(spec, size))
        for j, seed in enumerate(seeds_of(spec)):
            if self.lost[j]:
                continue
            done, code, found = self.problem.networks[self.place].train(
                self.params[j], self.buffers[j], self.numbers[j], self.problem.x, self.problem.y, rule, update + 1,
                rates, size, seed,
            )  # fmt: skip
            told[:done, j] = found[:, 0]
            if code:
                self.lost[j] = update + done
                told[done - 1, j] = np.inf
        return told

    def measured(self) -> Array:
        """Training loss, its accuracy, test loss, its accuracy, with running statistics: [4, J]; infinite losses where
        a seed is lost, nan where there are no test samples."""
        data = self.problem
        network = data.networks[self.place]
        found = np.full((4, len(self.lost)), np.nan)
        for part, (x, y) in enumerate(((data.x, data.y), (data.test_x, data.test_y))):
            if not len(x):
                continue
            for j in range(len(self.lost)):
                found[2 * part, j] = np.inf
                if not self.lost[j]:
                    loss = network.loss(self.params[j], self.buffers[j], x, y)
                    if np.isfinite(loss):
                        found[2 * part : 2 * part + 2, j] = (
                            loss,
                            network.accuracy(self.params[j], self.buffers[j], x, y),
                        )
        return found
