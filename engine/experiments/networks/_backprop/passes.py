"""Backpropagation phase by phase, as the chapter's listing does it, for one sample and any small network.

Layer l has weights W[l] [in, out] and biases b[l] [out]; z = a W + b, a' = f(z). Going back, delta = dL/dz:
Rumelhart, Hinton and Williams 1986, and the chapter's section 10.1.3.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from engine.experiment import Array
from engine.experiments.networks._backprop.settings import BackpropSpec, first_weights, sample, targets
from engine.networks.activations import Activation, activation

Kind = Literal["forward", "error", "backward", "update"]


@dataclass(frozen=True)
class Phase:
    """One of a cycle's phases; `layer` counts those with weights from 0 (forward and backward only)."""

    kind: Kind
    layer: int = -1


def phases(spec: BackpropSpec) -> tuple[Phase, ...]:
    """A cycle: forward layer by layer, the error, backward layer by layer, the update."""
    layers = range(len(spec.hidden) + 1)
    forward = (Phase("forward", i) for i in layers)
    backward = (Phase("backward", i) for i in reversed(layers))
    return (*forward, Phase("error"), *backward, Phase("update"))


@dataclass
class State:
    """Weights and biases now, and those that this cycle's passes `used`; what the cycle has found so far, a list with
    an entry for each layer (None: not yet). `error` is dL/dprediction. `ended`: [0] once a number has overflowed."""

    step: int
    weights: list[Array]
    biases: list[Array]
    used: tuple[list[Array], list[Array]]
    z: list[Array | None]
    a: list[Array | None]
    deltas: list[Array | None]
    gradients: list[Array | None]
    error: Array | None = None
    loss: float = np.nan
    ended: list[int] = field(default_factory=list)

    @property
    def layers(self) -> int:
        """How many layers have weights."""
        return len(self.weights)


def first(spec: BackpropSpec) -> State:
    """Before the first phase."""
    weights = first_weights(spec)
    biases = [np.zeros(w.shape[1]) for w in weights]
    z, a, deltas, gradients = (list[Array | None]([None] * len(weights)) for _ in range(4))
    return State(0, weights, biases, (list(weights), list(biases)), z, a, deltas, gradients)


def cycle_of(spec: BackpropSpec, step: int) -> tuple[int, int]:
    """The cycle (from 1) that step belongs to, and which phase of it that step was (from 1; 0: none yet)."""
    many = len(phases(spec))
    return (1, 0) if step == 0 else ((step - 1) // many + 1, (step - 1) % many + 1)


def phase_of(spec: BackpropSpec, step: int) -> Phase:
    """What step number `step` (from 1) does."""
    every = phases(spec)
    return every[(step - 1) % len(every)]


def bend(spec: BackpropSpec, layer: int) -> Activation:
    """The activation of a layer."""
    return activation(spec.activation if layer < len(spec.hidden) else spec.output_activation)


def forward(spec: BackpropSpec, weights: Sequence[Array], biases: Sequence[Array]) -> Array:
    """The prediction [outputs] of these weights."""
    a = sample(spec)
    for i, (w, b) in enumerate(zip(weights, biases, strict=True)):
        a = bend(spec, i).value(a @ w + b)
    return a


def loss(spec: BackpropSpec, prediction: Array) -> float:
    """Half the sum, or the mean, of the squared errors."""
    squares = (prediction - targets(spec)) ** 2
    return float(0.5 * squares.sum() if spec.loss == "half_squared" else squares.mean())


def slope_of_loss(spec: BackpropSpec, prediction: Array) -> Array:
    """dL/dprediction [outputs]."""
    apart: Array = prediction - targets(spec)
    return apart if spec.loss == "half_squared" else 2.0 * apart / len(apart)


def below(state: State, spec: BackpropSpec, layer: int) -> Array:
    """What layer number `layer` takes in: the sample, or what the layer before it gave."""
    found = state.a[layer - 1] if layer else sample(spec)
    assert found is not None, "a pass takes the layers in order"
    return found


def known(part: Array | None) -> Array:
    """What an earlier phase has found."""
    assert part is not None, "the phases come in order"
    return part


def take(state: State, spec: BackpropSpec) -> None:
    """Do the next phase, in place. Arrays are replaced, never changed."""
    state.step += 1
    phase = phase_of(spec, state.step)
    i = phase.layer
    with np.errstate(all="ignore"):  # an overflow is told by the row
        if phase.kind == "forward":
            if i == 0:  # a new cycle
                state.used = list(state.weights), list(state.biases)
                state.error, state.loss = None, np.nan
                for part in (state.z, state.a, state.deltas, state.gradients):
                    part[:] = [None] * state.layers
            state.z[i] = below(state, spec, i) @ state.weights[i] + state.biases[i]
            state.a[i] = bend(spec, i).value(known(state.z[i]))
        elif phase.kind == "error":
            state.loss = loss(spec, known(state.a[-1]))
            state.error = slope_of_loss(spec, known(state.a[-1]))
        elif phase.kind == "backward":
            above = known(state.error) if i == state.layers - 1 else state.weights[i + 1] @ known(state.deltas[i + 1])
            state.deltas[i] = above * bend(spec, i).first(known(state.z[i]))
            state.gradients[i] = np.outer(below(state, spec, i), known(state.deltas[i]))
        else:
            rate = spec.learning_rate
            state.weights = [w - rate * known(g) for w, g in zip(state.weights, state.gradients, strict=True)]
            state.biases = [b - rate * known(d) for b, d in zip(state.biases, state.deltas, strict=True)]


def finite(state: State) -> bool:
    """Whether every number found so far is one."""
    parts = [*state.weights, *state.biases, *state.z, *state.a, *state.deltas, *state.gradients, state.error]
    return all(np.isfinite(part).all() for part in parts if part is not None) and not np.isinf(state.loss)
