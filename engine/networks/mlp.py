"""The compiled network of fully connected layers: loss, gradient, response and training, without the GIL.

Importing this module loads Numba; the first call of a kind loads its machine code from the cache (or builds it).
Parameters are one flat buffer (see engine.networks.description); a step is
loss and gradient of a batch, penalties, clipping, and the optimizer's compiled rule over the whole buffer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from engine.networks import plan
from engine.networks.batch_kernels import gradient, respond
from engine.networks.chance import order
from engine.networks.description import Description
from engine.networks.plan import Layer, layers, parameter_count
from engine.networks.step_kernels import NOT_FINITE, RUNNING, train
from engine.optimizers import RULES, Convention, look_ahead_address, new_states, update_address

__all__ = ["NOT_FINITE", "RUNNING", "Layer", "Mlp", "Rule", "layers", "order", "parameter_count"]

Array = NDArray[Any]
RESPONSE_SAMPLES = 4096


@dataclass(frozen=True)
class Rule:
    """What changes the parameters: an optimizer's name, convention and hyper-parameters, and the penalties.

    `l1` and `l2` are the lambdas of the penalties on the weights (with `penalize_biases` on biases too): lambda sum
    |w|, and lambda / 2 sum w^2 (pytorch) or lambda sum w^2 (book). They join the gradient, not the loss that is
    recorded. `clip`: the gradient is scaled down to this norm where it is longer; 0 is off.
    """

    name: str = "sgd"
    convention: Convention = "pytorch"
    hypers: tuple[float, ...] = ()
    l1: float = 0.0
    l2: float = 0.0
    penalize_biases: bool = False
    clip: float = 0.0

    @classmethod
    def of(cls, name: str, given: Mapping[str, float] | None = None, **others: Any) -> Rule:
        """A rule with its default hyper-parameters, but for those given by name."""
        if name not in RULES:
            raise ValueError(f"optimizer {name!r} is unknown: it must be one of {', '.join(RULES)}")
        return cls(name, hypers=RULES[name].values(given), **others)

    def values(self) -> NDArray[np.float64]:
        """The hyper-parameters in declared order."""
        return np.array(self.hypers or RULES[self.name].values(), np.float64)

    def penalty(self) -> NDArray[np.float64]:
        """What the kernels take: l1, l2 as in lambda / 2 sum w^2, 1 for biases too, the norm to clip at."""
        twice = 2.0 if self.convention == "book" else 1.0
        return np.array([self.l1, self.l2 * twice, float(self.penalize_biases), self.clip])


class Mlp:
    """One network, prepared. It keeps no parameters and nothing that changes: any number of threads may share it.

    Data are x [n, inputs] and y: [n, outputs] for `mse`, [n, 1] of 0 and 1 for `bce`, class numbers [n] for
    `cross_entropy`. Give arrays from `data` where speed matters. Raises ValueError for a description with
    normalisation or residual connections.
    """

    def __init__(self, d: Description, dtype: DTypeLike = np.float64) -> None:
        plan.check(d)
        self.description = d
        self.dtype = np.dtype(dtype)
        if self.dtype.name not in ("float64", "float32"):
            raise ValueError(f"dtype {self.dtype.name} is not supported: it must be one of float64, float32")
        self.parameters = parameter_count(d)
        self._plans: dict[int, plan.Plan] = {}

    def data(self, x: ArrayLike, y: ArrayLike) -> tuple[Array, Array]:
        """x [n, inputs] and y [n, outputs] (classes: [n, 1]) as kernels read them; ValueError where they do not fit."""
        return self._inputs(x), self._targets(y)

    def _inputs(self, x: ArrayLike) -> Array:
        found = np.ascontiguousarray(x, self.dtype)
        if found.ndim != 2 or found.shape[1] != self.description.inputs or len(found) == 0:
            raise ValueError(f"inputs of shape {found.shape} do not fit: [n, {self.description.inputs}] is wanted")
        return found

    def _targets(self, y: ArrayLike) -> Array:
        found = np.ascontiguousarray(y, self.dtype)
        columns = 1 if self.description.loss == "cross_entropy" else self.description.outputs
        found = found[:, None] if found.ndim == 1 and columns == 1 else found
        if found.ndim != 2 or found.shape[1] != columns:
            raise ValueError(f"targets of shape {found.shape} do not fit: [n, {columns}] is wanted")
        if self.description.loss == "cross_entropy" and len(found):
            low, high = found.min(), found.max()
            if not (low >= 0 and high < self.description.outputs):
                raise ValueError(f"classes {low:g} to {high:g}: they must be from 0 to {self.description.outputs - 1}")
        return found

    def _params(self, params: Array) -> Array:
        if params.shape != (self.parameters,) or params.dtype != self.dtype or not params.flags.c_contiguous:
            raise ValueError(
                f"parameters of {params.dtype} {params.shape} do not fit: contiguous {self.dtype} "
                f"[{self.parameters}] is wanted"
            )
        return params

    def _tables(self, samples: int) -> tuple[Array, Array, Array]:
        key = plan.columns(self.description, samples)
        if key not in self._plans:
            self._plans[key] = plan.plan(self.description, key)
        found = self._plans[key]
        return found.layers, found.reals, found.parts

    def loss_gradient(self, params: Array, x: ArrayLike, y: ArrayLike) -> tuple[float, Array]:
        """Loss over all the samples and its gradient [P]; no dropout, no penalty."""
        x, y = self.fitting(x, y)
        grad = np.empty_like(params)
        return float(gradient(self._params(params), *self._tables(len(x)), x, y, grad)), grad

    def loss(self, params: Array, x: ArrayLike, y: ArrayLike) -> float:
        """Loss over all the samples; no dropout, no penalty."""
        x, y = self.fitting(x, y)
        return float(gradient(self._params(params), *self._tables(len(x)), x, y, params[:0]))

    def fitting(self, x: ArrayLike, y: ArrayLike) -> tuple[Array, Array]:
        """As `data`, and as many targets as inputs."""
        inputs, targets = self.data(x, y)
        if len(inputs) != len(targets):
            raise ValueError(f"{len(inputs)} inputs and {len(targets)} targets: there must be as many")
        return inputs, targets

    def forward(self, params: Array, x: ArrayLike) -> list[tuple[Array, Array]]:
        """Pre-activation and output of every layer, [n, units] each (for the last: logits, then the output)."""
        inputs = self._inputs(x)
        pre = np.empty((sum(self.description.sizes[1:]), len(inputs)), self.dtype)
        post = np.empty_like(pre)
        respond(self._params(params), *self._tables(RESPONSE_SAMPLES), inputs, pre, post)
        found, at = [], 0
        for units in self.description.sizes[1:]:
            found.append((pre[at : at + units].T, post[at : at + units].T))
            at += units
        return found

    def predict(self, params: Array, x: ArrayLike) -> Array:
        """The network's answer [n, outputs]: outputs for `mse`, probabilities for `bce` and `cross_entropy`."""
        inputs = self._inputs(x)
        post = np.empty((self.description.outputs, len(inputs)), self.dtype)
        respond(self._params(params), *self._tables(RESPONSE_SAMPLES), inputs, post[:0], post)
        if self.description.loss == "bce":
            fall = np.exp(-np.abs(post))
            post = np.where(post >= 0, 1, fall) / (1 + fall)
        elif self.description.loss == "cross_entropy":
            post = np.exp(post - post.max(axis=0))
            post /= post.sum(axis=0)
        return post.T

    def accuracy(self, params: Array, x: ArrayLike, y: ArrayLike) -> float:
        """Share of samples whose class is right (nan for `mse`, which has none)."""
        if self.description.loss == "mse":
            return float("nan")
        inputs, targets = self.fitting(x, y)
        answer = self.predict(params, inputs)
        classes = answer.argmax(axis=1) if self.description.loss == "cross_entropy" else answer[:, 0] > 0.5
        return float(np.mean(classes == targets[:, 0]))

    def states(self, rule: str) -> Array:
        """The optimizer's states before the first step, [3, P] (unused rows are 0)."""
        found = np.zeros((3, self.parameters), self.dtype)
        for row, start in zip(found, new_states(rule, self.parameters, self.dtype), strict=False):
            row[:] = start
        return found

    def train(
        self,
        params: Array,
        states: Array,
        x: ArrayLike,
        y: ArrayLike,
        rule: Rule,
        first_step: int,
        rates: Sequence[float] | Array,
        batch_size: int = 0,
        seed: int = 0,
        out: Array | None = None,
    ) -> tuple[int, int, Array]:
        """Take len(rates) steps in place, the first of which has number `first_step` (from 1).

        Returns steps taken (the one that ended the run included), RUNNING or NOT_FINITE, and what was recorded:
        [steps, 2] loss before the update and norm of its gradient (penalties in, before clipping), float64.
        `batch_size` 0 or at least n: all samples, in their order. Otherwise epoch e takes them in `order(seed, e, n)`,
        and its last batch may be smaller and is divided by its own size. `states` from `states`. Where the loss is
        not finite the update is left out.
        """
        x, y = self.fitting(x, y)
        if states.shape != (3, self.parameters) or states.dtype != self.dtype or not states.flags.c_contiguous:
            raise ValueError(f"states of {states.dtype} {states.shape} do not fit: {self.dtype} [3, {self.parameters}]")
        every = np.ascontiguousarray(rates, np.float64)
        out = np.empty((len(every), 2)) if out is None else out
        batch = len(x) if batch_size <= 0 else min(batch_size, len(x))
        done, code = train(
            update_address(rule.name, rule.convention, self.dtype),
            look_ahead_address(rule.name, rule.convention, self.dtype),
            self._params(params), states, *self._tables(batch), x, y, first_step, every, rule.values(), batch,
            seed, rule.penalty(), out,
        )  # fmt: skip
        return int(done), int(code), out[:done]
