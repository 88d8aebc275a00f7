"""What trains at one depth: data, first weights, batches, updates and measurements of all seeds of one network."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np

from engine.data import load
from engine.experiment import Array
from engine.experiments.networks._depth.network import Net, Run
from engine.experiments.networks._depth.settings import DepthSpec
from engine.networks.initializations import weights
from engine.networks.masks import epoch_order
from engine.randomness import generator

WEIGHTS = {"relu": "he_normal", "tanh": "xavier_normal"}


@dataclass(frozen=True, eq=False)
class Samples:
    """x [inputs, samples] and class numbers [samples], to train on and held back. Never changed: copies share it."""

    x: Array
    y: Array
    test_x: Array
    test_y: Array
    classes: int

    def __deepcopy__(self, memo: dict[int, Any]) -> Samples:
        return self


def samples(spec: DepthSpec) -> Samples:
    """The data of the settings; the same for every seed."""
    n, total = spec.samples, spec.samples + spec.test_samples
    if spec.data == "digits":
        whole = load("digits")
        order = generator(spec.seed, "split").permutation(len(whole.y))
        train, test = order[:n], order[len(order) - spec.test_samples :]
    else:
        whole = load(spec.data, n=total, noise=spec.noise, seed=spec.seed)
        train, test = np.arange(n), np.arange(n, total)
    y = np.asarray(whole.y, np.int64).ravel()
    x = np.ascontiguousarray(whole.x.T)
    return Samples(x[:, train], y[train], x[:, test], y[test], int(y.max()) + 1)


def net_of(spec: DepthSpec, kind: str, depth: int, data: Samples) -> Net:
    """One contestant at one depth."""
    return Net(kind, depth, spec.width, len(data.x), data.classes, spec.normalization, spec.activation, spec.branch)


def first_weights(net: Net, seeds: list[int]) -> Array:
    """Parameters before the first update, [seeds, parameters]: the same for every kind of network."""
    params = np.zeros((len(seeds), net.parameters))
    for k, own in enumerate(net.views(params)):
        out, fan_in = own[0].shape[1:]
        for j, seed in enumerate(seeds):
            own[0][j] = weights(WEIGHTS[net.activation], fan_in, out, generator(seed, "initial weights", k))
        if len(own) == 3:
            own[1][...] = 1.0
    return params


_order = lru_cache(maxsize=64)(epoch_order)  # a pure function, asked for again at every update of an epoch


def batch_rows(seed: int, update: int, samples: int, size: int) -> Array:
    """The samples of an update (from 1)."""
    if size >= samples:
        return np.arange(samples)
    epoch, place = divmod(update - 1, -(-samples // size))
    return _order(seed, epoch, samples)[place * size : (place + 1) * size]


@dataclass
class Team:
    """All seeds of one network: params [J, P], the optimizer's numbers, lost [J]: the update at which a seed was lost,
    or 0; `first` and `last`: norm of the gradient by the weights of layer 2 and of the last but one, `batch_loss`, of
    the last update, [J]."""

    net: Net
    params: Array
    numbers: list[Array]
    lost: Array
    first: Array
    last: Array
    batch_loss: Array
    begin: Array = field(metadata={"scratch": True})

    @classmethod
    def fresh(cls, spec: DepthSpec, kind: str, depth: int, data: Samples) -> Team:
        """Before the first update."""
        from engine.optimizers import new_states

        net = net_of(spec, kind, depth, data)
        params = first_weights(net, seeds_of(spec))
        begin = params.copy()
        begin.setflags(write=False)
        states, blank = list(new_states(spec.optimizer, params.shape)), np.full(spec.seeds, np.nan)
        return cls(net, params, states, np.zeros(spec.seeds, np.int64), blank, blank.copy(), blank.copy(), begin)

    def __deepcopy__(self, memo: dict[int, Any]) -> Team:
        return Team(self.net, self.params.copy(), [one.copy() for one in self.numbers], self.lost.copy(),
                    self.first.copy(), self.last.copy(), self.batch_loss.copy(), self.begin)  # fmt: skip

    @property
    def over(self) -> bool:
        """Whether every seed is lost."""
        return bool((self.lost > 0).all())

    def update(self, spec: DepthSpec, data: Samples, update: int) -> None:
        """One update (from 1) of every seed that is not lost."""
        from engine.optimizers import RULES, apply

        n = len(data.y)
        rows = np.stack([batch_rows(seed, update, n, spec.batch_size) for seed in seeds_of(spec)])
        x = np.ascontiguousarray(data.x[:, rows].transpose(1, 0, 2))
        run = Run(self.net, self.params, x)
        losses, signal = run.loss(data.y[rows])
        gradient = run.back(signal)
        rule = RULES[spec.optimizer]
        with np.errstate(all="ignore"):
            apply(spec.optimizer, "pytorch", self.params, gradient, self.numbers, update, spec.learning_rate,
                  [h.default for h in rule.hypers])  # fmt: skip
            ends = (1, self.net.depth - 2)
            self.first, self.last = (np.sqrt(np.square(run.by[k][0]).sum(axis=(1, 2))) for k in ends)
        self.batch_loss = losses
        good = np.isfinite(losses) & np.isfinite(self.params).all(axis=1)
        self.lost[(self.lost == 0) & ~good] = update
        for one in (self.first, self.last, self.batch_loss):
            one[self.lost > 0] = np.inf

    def measured(self, data: Samples) -> Array:
        """Training loss, its accuracy, test loss, its accuracy: [4, J]; infinite losses where a seed is lost, nan
        where there are no test samples. Batch normalisation takes the statistics of all training samples."""
        found = np.full((4, len(self.lost)), np.nan)
        run = Run(self.net, self.params, seen(data.x, len(self.lost)))
        found[0], _ = run.loss(seen(data.y, len(self.lost)))
        found[1] = run.accuracy(seen(data.y, len(self.lost)))
        if len(data.test_y):
            test = Run(self.net, self.params, seen(data.test_x, len(self.lost)), run.kept.statistics)
            found[2], _ = test.loss(seen(data.test_y, len(self.lost)))
            found[3] = test.accuracy(seen(data.test_y, len(self.lost)))
        gone = (self.lost > 0) | ~np.isfinite(found[0])
        found[0, gone], found[1, gone] = np.inf, np.nan
        if len(data.test_y):
            found[2, gone], found[3, gone] = np.inf, np.nan
        return found


def seen(values: Array, seeds: int) -> Array:
    """The same samples for every seed, without a copy."""
    return np.broadcast_to(values, (seeds, *values.shape))


def seeds_of(spec: DepthSpec) -> list[int]:
    """The seeds that take part."""
    return [spec.seed + j for j in range(spec.seeds)]
