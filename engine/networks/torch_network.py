"""Networks that torch computes (normalisation, residual, convolution) on the compiled network's own terms.

One flat parameter buffer, the same optimizer rules over it, the same batches and dropout masks; only loss and gradient
come from autograd. Importing this module loads neither torch nor Numba; the first network does.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from engine.networks.masks import dropout_mask, epoch_order
from engine.networks.torch_layout import Layout
from engine.optimizers import RULES, apply, look_ahead
from engine.torch_setup import torch as load_torch
from engine.turns import give_way

if TYPE_CHECKING:
    from engine.networks.mlp import Rule

Array = NDArray[Any]
RUNNING, NOT_FINITE = 0, 1  # as the kernels say it
_order = functools.lru_cache(maxsize=8)(epoch_order)  # a run is often cut within an epoch


class TorchNetwork(Layout):
    """One network, prepared. It keeps no parameters and nothing that changes: any number of threads may share it.

    See Layout for the shapes of data, parameters and running statistics.
    """

    def _tensors(self, params: Array, buffers: Array) -> tuple[Any, list[list[Any]], list[Any]]:
        """The flat parameters as a tensor, its layers' leaves, and the running statistics, all sharing memory."""
        flat = aligned(self.fitting(params, (self.parameters,), "parameters"))
        leaves = [[view.requires_grad_() for view in own] for own in self.views(flat)]
        kept = self.fitting(buffers, (self.buffer_count,), "running statistics")
        own = load_torch().from_numpy(kept if kept.flags.writeable else kept.copy())
        return flat, leaves, self.statistics(own)

    # -- passes ------------------------------------------------------------------------------------------------------

    def _pass(self, train: bool, remember: bool, mask_key: tuple[int, int] | None) -> Any:
        from engine.networks.torch_layers import Pass, as_dropout

        def draw(layer: int, rate: float, shape: tuple[int, ...]) -> Any:
            assert mask_key is not None
            mask = dropout_mask(*mask_key, layer, rate, shape[0], math.prod(shape[1:]))
            return as_dropout(mask.reshape(shape), self.dtype)

        return Pass(train, remember, draw if train and mask_key is not None else None)

    def _run(self, leaves: list[list[Any]], kept: list[Any], x: Any, how: Any) -> list[tuple[Any, Any]]:
        found = []
        for layer, p, b in zip(self.layers, leaves, kept, strict=True):
            give_way()
            found.append(layer.run(x, p, b, how))
            x = found[-1][1]
        return found

    def _loss(self, out: Any, y: Any) -> Any:
        functional = load_torch().nn.functional
        match self.description.loss:
            case "mse":
                return functional.mse_loss(out, y) * (0.5 if self.description.half_mse else 1.0)
            case "bce":
                return functional.binary_cross_entropy_with_logits(out, y)
            case _:
                return functional.cross_entropy(out, y[:, 0].long())

    def _gradient(self, leaves: list[list[Any]], kept: list[Any], x: Any, y: Any, how: Any, grad: Any) -> float:
        torch = load_torch()
        loss = self._loss(self._run(leaves, kept, x, how)[-1][1], y)
        parts = torch.autograd.grad(loss, [leaf for own in leaves for leaf in own])
        torch.cat([part.reshape(-1) for part in parts], out=grad)
        return float(loss.detach())

    def loss_gradient(
        self, params: Array, buffers: Array, x: ArrayLike, y: ArrayLike, *,
        train: bool = False, mask_key: tuple[int, int] | None = None,
    ) -> tuple[float, Array]:  # fmt: skip
        """Loss over all the samples and its gradient [P], without penalties; `buffers` stay as they are.

        `train`: with the batch's own statistics, and with dropout of `mask_key` = (seed, step) where it is given.
        """
        inputs, targets = self.data(x, y)
        if train:
            self.check(len(inputs))
        _, leaves, kept = self._tensors(params, buffers)
        grad = load_torch().empty(self.parameters, dtype=aligned(params).dtype)
        how = self._pass(train, False, mask_key)
        loss = self._gradient(leaves, kept, aligned(inputs), aligned(targets), how, grad)
        return loss, np.asarray(grad.numpy())

    def loss(self, params: Array, buffers: Array, x: ArrayLike, y: ArrayLike) -> float:
        """Loss over all the samples, with the running statistics; no dropout, no penalty."""
        inputs, targets = self.data(x, y)
        out = self._respond(params, buffers, inputs, False)[-1][1]
        return float(self._loss(out, aligned(targets)))

    def _respond(self, params: Array, buffers: Array, x: ArrayLike, train: bool) -> list[tuple[Any, Any]]:
        inputs = aligned(self.inputs(x))
        _, leaves, kept = self._tensors(params, buffers)
        with load_torch().no_grad():
            return self._run(leaves, kept, inputs, self._pass(train, False, None))

    def forward(self, params: Array, buffers: Array, x: ArrayLike, train: bool = False) -> list[tuple[Array, Array]]:
        """Pre-activation and output of every layer, [n, units] or [n, maps, h, w] each; nothing is dropped.

        The pre-activation is what the activation takes (after a normalisation). `train`: with the batch's statistics.
        """
        return [(z.numpy(), a.numpy()) for z, a in self._respond(params, buffers, x, train)]

    def predict(self, params: Array, buffers: Array, x: ArrayLike) -> Array:
        """The network's answer [n, outputs]: outputs for `mse`, probabilities for `bce` and `cross_entropy`."""
        out = self._respond(params, buffers, x, False)[-1][1]
        if self.description.loss != "mse":
            out = out.sigmoid() if self.description.loss == "bce" else out.softmax(1)
        return np.asarray(out.numpy())

    def accuracy(self, params: Array, buffers: Array, x: ArrayLike, y: ArrayLike) -> float:
        """Share of samples whose class is right (nan for `mse`, which has none)."""
        if self.description.loss == "mse":
            return float("nan")
        inputs, targets = self.data(x, y)
        answer = self.predict(params, buffers, inputs)
        classes = answer.argmax(axis=1) if self.description.loss == "cross_entropy" else answer[:, 0] > 0.5
        return float(np.mean(classes == targets[:, 0]))

    # -- training ----------------------------------------------------------------------------------------------------

    def train(
        self, params: Array, buffers: Array, states: Array, x: ArrayLike, y: ArrayLike, rule: Rule, first_step: int,
        rates: Sequence[float] | Array, batch_size: int = 0, seed: int = 0, out: Array | None = None,
    ) -> tuple[int, int, Array]:  # fmt: skip
        """Take len(rates) steps in place, the first of which has number `first_step` (from 1), as Mlp.train does.

        Returns steps taken (the one that ended the run included), RUNNING or NOT_FINITE, and [steps, 2]: loss before
        the update and norm of its gradient (with dropout; penalties in the norm only; before clipping). `buffers`
        take in each batch once: where the gradient is taken.
        """
        inputs, targets = self.data(x, y)
        n = len(inputs)
        batch = n if batch_size <= 0 else min(batch_size, n)
        self.check(n, batch)
        self.fitting(states, (3, self.parameters), "states")
        out = np.empty((len(rates), 2)) if out is None else out
        flat, leaves, kept = self._tensors(params, buffers)
        here, ahead = flat.numpy(), look_ahead_needed(rule)
        at = flat.clone() if ahead else flat
        own = list(states[: len(RULES[rule.name].states)])
        at_leaves = [[v.requires_grad_() for v in views] for views in self.views(at)] if ahead else leaves
        grad = load_torch().empty_like(flat)
        every, all_y, g, rounds = aligned(inputs), aligned(targets), grad.numpy(), -(-n // batch)
        penalty, h = rule.penalty(), rule.values()
        number: Any = self.dtype.type
        l1, l2, clip = number(penalty[0]), number(penalty[1]), float(penalty[3])
        marks = self.penalized(bool(penalty[2]))
        done, code = len(rates), RUNNING
        for k, rate in enumerate(rates):
            step = first_step + k
            bx, by = every, all_y
            if batch < n:
                begin = (step - 1) % rounds * batch
                chosen = load_torch().from_numpy(_order(seed, (step - 1) // rounds, n)[begin : begin + batch])
                bx, by = every[chosen], all_y[chosen]
            loss = self._gradient(leaves, kept, bx, by, self._pass(True, not ahead, (seed, step)), grad)
            out[k] = loss, self._finish(g, here, marks, l1, l2)
            if not math.isfinite(loss):
                done, code = k + 1, NOT_FINITE
                break
            size = float(out[k, 1])
            if ahead:
                look_ahead(rule.name, rule.convention, here, own, at.numpy(), float(rate), h)
                self._gradient(at_leaves, kept, bx, by, self._pass(True, True, (seed, step)), grad)
                size = self._finish(g, at.numpy(), marks, l1, l2)
            if 0.0 < clip < size:
                g *= number(clip / (size + 1e-6))  # as torch.nn.utils.clip_grad_norm_
            apply(rule.name, rule.convention, here, g, own, step, float(rate), h)
            if not np.isfinite(here).all():
                done, code = k + 1, NOT_FINITE
                break
        params[...] = here
        return done, code, out[:done]

    def _finish(self, g: Array, p: Array, marks: Array, l1: Any, l2: Any) -> float:
        """Add the penalties' gradient; the norm of the whole, summed in float64."""
        if l1 != 0.0 or l2 != 0.0:
            g += marks * (l2 * p + l1 * np.sign(p))
        return float(np.sqrt(np.square(g, dtype=np.float64).sum()))


def look_ahead_needed(rule: Rule) -> bool:
    """Whether the rule wants its gradient elsewhere than at the parameters."""
    return RULES[rule.name].point(rule.convention) is not None


def aligned(array: Array) -> Any:
    """A tensor of the array: its own memory where that begins at a multiple of 64 bytes, else a copy.

    Matrix products may round otherwise where memory begins elsewhere, and a replay must have the same bits.
    """
    tensor = load_torch().from_numpy(array if array.flags.writeable else array.copy())
    return tensor if array.ctypes.data % 64 == 0 and array.flags.writeable else tensor.clone()
