"""The settings of backpropagation by hand: the network, its one sample, and how it learns."""

from __future__ import annotations

import numpy as np

from engine.experiment import Array
from engine.networks.activations import ACTIVATIONS
from engine.randomness import generator
from engine.spec import Spec, choice, number, numbers

MOST_INPUTS, MOST_UNITS, MOST_LAYERS, MOST_OUTPUTS = 4, 5, 3, 2
NAMES = {
    name: one.title for name, one in ACTIVATIONS.items() if not one.learns
}  # a slope that learns is no weight here
LOSSES = {"half_squared": "Half the squared error", "mse": "Mean squared error"}


def _inputs(least: int) -> dict[str, tuple[int, ...]]:
    return {"inputs": tuple(range(least, MOST_INPUTS + 1))}


class BackpropSpec(Spec):
    """One field for each setting; see the fields' own help."""

    inputs: int = number(3, 1, MOST_INPUTS, "Inputs", "How many numbers the sample has", group="Network")
    hidden: tuple[int, ...] = numbers(
        (2,), 1, MOST_UNITS, MOST_LAYERS, "Hidden layers", "Units of each, with commas between", group="Network"
    )
    outputs: int = number(1, 1, MOST_OUTPUTS, "Outputs", "How many numbers are predicted", group="Network")
    activation: str = choice("sigmoid", NAMES, "Hidden activation", "Of every hidden unit", group="Network")
    output_activation: str = choice("sigmoid", NAMES, "Output activation", "Of the output", group="Network")
    weights: str = choice(
        "chapter", {"chapter": "The chapter's (seed 42)", "seed": "Drawn from a seed"}, "First weights",
        "Standard normal numbers, layer after layer; the chapter's are those of RandomState(42). Biases are 0",
        group="Network",
    )  # fmt: skip
    seed: int = number(0, 0, 2**32 - 1, "Seed", "Of the weights", group="Network", shown_when={"weights": ("seed",)})
    scale: float = number(
        1.0,
        0.0,
        100.0,
        "Scale",
        "The weights are multiplied by this",
        group="Network",
        shown_when={"weights": ("seed",)},
    )
    x1: float = number(0.1, -30.0, 30.0, "x1", "The sample's first number", group="Sample")
    x2: float = number(0.2, -30.0, 30.0, "x2", "Its second", group="Sample", shown_when=_inputs(2))
    x3: float = number(0.3, -30.0, 30.0, "x3", "Its third", group="Sample", shown_when=_inputs(3))
    x4: float = number(0.4, -30.0, 30.0, "x4", "Its fourth", group="Sample", shown_when=_inputs(4))
    target: float = number(0.7, -30.0, 30.0, "Target", "What the output is to be", group="Sample")
    target_2: float = number(
        0.2, -30.0, 30.0, "Second target", "What the second output is to be", group="Sample",
        shown_when={"outputs": (2,)},
    )  # fmt: skip
    loss: str = choice(
        "half_squared",
        LOSSES,
        "Loss",
        "What is to fall; the chapter takes half the sum of the squared errors",
        group="Learning",
    )
    learning_rate: float = number(
        0.1,
        1e-6,
        1e4,
        "Learning rate",
        "What an update multiplies the gradient by",
        live=True,
        log=True,
        group="Learning",
    )
    cycles: int = number(
        50, 1, 5000, "Cycles", "Forward, error, backward, update: so many times", log=True, group="Learning"
    )


def sizes(spec: BackpropSpec) -> tuple[int, ...]:
    """Units of every layer, inputs and outputs included."""
    return (spec.inputs, *spec.hidden, spec.outputs)


def sample(spec: BackpropSpec) -> Array:
    """The inputs [inputs]."""
    return np.array([spec.x1, spec.x2, spec.x3, spec.x4][: spec.inputs])


def targets(spec: BackpropSpec) -> Array:
    """What the outputs are to be [outputs]."""
    return np.array([spec.target, spec.target_2][: spec.outputs])


def first_weights(spec: BackpropSpec) -> list[Array]:
    """The weights before the first cycle, one [in, out] a layer."""
    shapes = list(zip(sizes(spec)[:-1], sizes(spec)[1:], strict=True))
    if spec.weights == "chapter":
        drawn = np.random.RandomState(42)  # the listing's seed; layer after layer, row by row
        return [drawn.randn(*shape) for shape in shapes]
    return [spec.scale * generator(spec.seed, "first weights", i).standard_normal(s) for i, s in enumerate(shapes)]
