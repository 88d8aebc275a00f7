"""The network of a run and everything that trains and measures it; the compiled one wherever it can be."""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.experiments.networks._playground.data import Prepared, prepare
from engine.experiments.networks._playground.described import cadence, describe
from engine.experiments.networks._playground.settings import hypers
from engine.networks.description import Description

Array = NDArray[Any]
SEEN = 512  # training samples that dead units and mean activations are judged by
EARLY = 10  # steps at the beginning that are all measured, where nobody has said how often
LATE, LATER = 100, 5  # after so many measurements one in so many is made: a curve shows no more


@dataclass(frozen=True, eq=False)
class Model:
    """What a run never changes: data, network, and the arrays as the network takes them. Copies share it.

    `x`, `y`: training samples; `test_x`, `test_y`: test samples; `labels`, `test_labels`: classes [n] (empty for
    regression). The network is an Mlp or a TorchNetwork.
    """

    description: Description
    network: Any
    compiled: bool
    prepared: Prepared
    x: Array
    y: Array
    test_x: Array
    test_y: Array
    labels: Array
    test_labels: Array
    every: int
    paced: bool  # the app chose `every`: dense at the beginning, and sparse later

    def __deepcopy__(self, memo: dict[int, Any]) -> Model:
        """A snapshot shares what cannot change."""
        return self

    def due(self, step: int) -> int:
        """After how many steps from this one on all samples are measured again; it depends on the step alone."""
        if self.paced and step < EARLY:
            return 1
        every = self.every * (LATER if self.paced and step >= LATE * self.every else 1)
        return every - step % every

    # -- the two networks under one name -----------------------------------------------------------------------------

    def initial(self, spec: Any) -> tuple[Array, Array]:
        """First parameters and running statistics."""
        if not self.compiled:
            params, buffers = self.network.initial(spec.initialization, spec.seed, spec.std), None
            buffers = self.network.initial_buffers()
        else:
            from engine.networks.initializations import initialize

            params = initialize(self.description, spec.initialization, spec.seed, spec.dtype, spec.std)
            buffers = np.zeros(0, params.dtype)
        if spec.weights == "chapter":
            self._as_the_chapter(params)
        return params, buffers

    def _as_the_chapter(self, params: Array) -> None:
        """0.1 times normals of RandomState(42), layer after layer [in, out] as in the lab; biases 0."""
        stream = np.random.RandomState(42)
        for weight, bias in self.layers(params):
            weight[...] = 0.1 * stream.randn(*weight.shape[::-1]).T
            bias[...] = 0.0

    def layers(self, params: Array) -> list[tuple[Array, Array]]:
        """Weight [out, in] and bias [out] of every layer, as views."""
        if not self.compiled:
            return [(own[0], own[1]) for own in self.network.views(params)]
        from engine.networks.plan import layers

        return [(layer.weight, layer.bias) for layer in layers(self.description, params)]

    def train(self, state: Any, rule: Any, rates: Array, batch_size: int, seed: int) -> tuple[int, bool, Array]:
        """Steps in place: how many were taken, whether all is finite, and [steps, 2] losses and gradient norms."""
        given = (state.buffers,) if not self.compiled else ()
        done, code, out = self.network.train(
            state.params, *given, state.numbers, self.x, self.y, rule, state.step + 1, rates, batch_size, seed
        )
        return done, code == 0, out

    def loss(self, state: Any, test: bool = False) -> float:
        """Loss over all training or all test samples, nan where there are none; nothing dropped, no penalty."""
        x, y = (self.test_x, self.test_y) if test else (self.x, self.y)
        if not len(x):
            return math.nan
        return float(self.network.loss(state.params, *self._kept(state), x, y))

    def predict(self, state: Any, x: Array) -> Array:
        """Outputs [n, outputs]: shares for classes (binary: [n, 1] of the second), else what was learnt."""
        x = np.ascontiguousarray(x, state.params.dtype)
        with np.errstate(all="ignore"):  # of a diverged network
            found: Array = self.network.predict(state.params, *self._kept(state), x)
        return found

    def forward(self, state: Any, x: Array) -> list[tuple[Array, Array]]:
        """Pre-activation and output of every layer, [n, units] each."""
        x = np.ascontiguousarray(x, state.params.dtype)
        with np.errstate(all="ignore"):
            found: list[tuple[Array, Array]] = self.network.forward(state.params, *self._kept(state), x)
        return found

    def gradient(self, state: Any, most: int = 2048) -> list[tuple[Array, Array]]:
        """Of the loss over the first training samples, by every layer's weight and bias."""
        with np.errstate(all="ignore"):
            _, found = self.network.loss_gradient(state.params, *self._kept(state), self.x[:most], self.y[:most])
        return self.layers(found)

    def _kept(self, state: Any) -> tuple[Array, ...]:
        return () if self.compiled else (state.buffers,)

    # -- measures ----------------------------------------------------------------------------------------------------

    def sorted_into(self, outputs: Array) -> Array:
        """The class that outputs [n, outputs] stand for."""
        if outputs.shape[1] == 1:
            return np.asarray(outputs[:, 0] > 0.5).astype(np.int64)
        return np.asarray(outputs.argmax(axis=1))

    def accuracy(self, state: Any, test: bool = False) -> float:
        """Share of samples sorted into their class; nan for regression and where there are none."""
        x, labels = (self.test_x, self.test_labels) if test else (self.x, self.labels)
        if not len(labels):
            return math.nan
        return int(np.count_nonzero(self.sorted_into(self.predict(state, x)) == labels)) / len(labels)

    def dead(self, state: Any, answers: list[tuple[Array, Array]] | None = None) -> Array:
        """How many units of each hidden ReLU layer are 0 for all of the first training samples; nan for others."""
        names = self.description.activations
        if "relu" not in names:
            return np.full(len(names), np.nan)
        answers = self.forward(state, self.x[:SEEN]) if answers is None else answers
        return np.array([
            float((answers[i][0] <= 0).all(axis=0).sum()) if name == "relu" else math.nan
            for i, name in enumerate(names)
        ])  # fmt: skip

    def dead_share(self, state: Any) -> float:
        """Of all ReLU units; nan where there is none."""
        widths = [n for n, name in zip(self.description.hidden, self.description.activations, strict=True)
                  if name == "relu"]  # fmt: skip
        return float(np.nansum(self.dead(state))) / sum(widths) if widths else math.nan

    @functools.cached_property
    def _weighs(self) -> Array:
        """Where the weights stand in the flat parameters."""
        marks = np.zeros(self.network.parameters)
        for weight, _ in self.layers(marks):
            weight[...] = 1.0
        return np.flatnonzero(marks)

    def weight_norm(self, params: Array) -> float:
        """Euclidean norm of all weights, without biases."""
        found = params[self._weighs].astype(np.float64)
        return float(np.sqrt((found * found).sum()))


@dataclass
class State:
    """Everything that changes: flat parameters [P], the rule's numbers [3, P] (of which it uses `rows`), running
    statistics, samples seen so far, who has ended. `kernel` and `data` say what computed it from what."""

    step: int
    params: Array
    numbers: Array
    rows: int
    buffers: Array
    seen: int
    kernel: str
    data: str
    model: Model = field(metadata={"scratch": True})
    ended: list[int] = field(default_factory=list)

    def __deepcopy__(self, memo: dict[int, Any]) -> State:
        """A snapshot; rows that the rule does not use are zeros that take no memory until they are written."""
        numbers = np.zeros(self.numbers.shape, self.numbers.dtype)
        numbers[: self.rows] = self.numbers[: self.rows]
        return State(self.step, self.params.copy(), numbers, self.rows, self.buffers.copy(), self.seen, self.kernel,
                     self.data, self.model, list(self.ended))  # fmt: skip


def build(spec: Any) -> Model:
    """Data and network of the settings. Raises SpecError."""
    data = prepare(spec)
    d = describe(spec, data.inputs, data.kind, len(data.train.classes))
    compiled = spec.normalization == "none" and not spec.residual
    if compiled:
        from engine.networks.mlp import Mlp

        network: Any = Mlp(d, spec.dtype)
    else:
        from engine.networks.torch_network import TorchNetwork

        network = TorchNetwork(d, spec.dtype)
    labels = [part.y.reshape(-1).astype(np.int64) if data.kind != "regression" else np.zeros(0, np.int64)
              for part in (data.train, data.test)]  # fmt: skip
    targets = []
    for part, own in zip((data.train, data.test), labels, strict=True):
        y = part.y
        if d.loss == "cross_entropy":
            y = own[:, None]
        elif data.kind == "classes":
            y = np.eye(d.outputs)[own]
        targets.append(np.ascontiguousarray(y, spec.dtype))
    x, test_x = (np.ascontiguousarray(part.x, spec.dtype) for part in (data.train, data.test))
    every = spec.evaluate_every or cadence(len(x), len(test_x), network.parameters, spec.batch_size)
    return Model(d, network, compiled, data, x, targets[0], test_x, targets[1], labels[0], labels[1], every,
                 not spec.evaluate_every)  # fmt: skip


def rule_of(spec: Any) -> Any:
    """What changes the parameters under these settings."""
    from engine.networks.mlp import Rule

    return Rule.of(
        spec.optimizer, hypers(spec), convention=spec.convention, l1=spec.l1, l2=spec.l2, clip=spec.clip
    )  # fmt: skip
