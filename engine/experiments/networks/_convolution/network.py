"""The network from its line of text, and what its layers are called."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import lru_cache
from typing import Any

from engine.architectures import layers as parts
from engine.architectures.measuring import ArchitectureError, measure
from engine.architectures.notation import read_network
from engine.experiments.networks._convolution.settings import BENT, CLASSES, SIDE
from engine.networks.activations import ACTIVATIONS
from engine.networks.conv_description import (
    Conv,
    ConvDescription,
    Flatten,
    GlobalPool,
    Linear,
    MapLayer,
    Pool,
    Shape,
)
from engine.spec import SpecError, shorten

INPUT = (1, SIDE, SIDE)
MOST_LAYERS, MOST_PARAMETERS, MOST_PRODUCTS = 16, 200_000, 2_000_000  # of the network; of one picture's forward pass
STAGE = {"weights": 0, "norm": 1, "bend": 2, "dropout": 3}  # what may follow a layer with weights, in this order


@lru_cache(maxsize=16)
def described(text: str) -> ConvDescription:
    """The network of a text. Raises SpecError of `layers` for one that cannot be trained here."""
    try:
        network = read_network(text, INPUT)
        broken = measure(network, broken=True).broken
    except ArchitectureError as error:
        raise SpecError("layers", str(error)) from None
    if broken:
        raise SpecError("layers", broken)
    found: list[MapLayer] = []
    stage = math.inf
    for part in network.parts:
        stage = _add(found, part, stage)
    if not found or not isinstance(found[-1], Linear) or found[-1].outputs != CLASSES:
        raise SpecError("layers", f"the last layer must be 'dense {CLASSES}': one output for each digit")
    if len(found) > MOST_LAYERS:
        raise SpecError("layers", f"{len(found)} layers are not allowed; give at most {MOST_LAYERS}")
    try:
        made = ConvDescription(INPUT, tuple(found))
    except ValueError as error:
        raise SpecError("layers", str(error)) from None
    weights, products = cost(made)
    if weights > MOST_PARAMETERS or products > MOST_PRODUCTS:
        raise SpecError(
            "layers", f"{weights:,} weights and {products:,} products for each picture are not allowed; at most "
            f"{MOST_PARAMETERS:,} and {MOST_PRODUCTS:,}, or a step takes too long",
        )  # fmt: skip
    return made


def _add(found: list[MapLayer], part: Any, stage: float) -> float:
    """Take one part of the text in. `stage`: what the last layer has already, infinite where it takes nothing."""
    match part:
        case parts.Conv(groups=1):
            found.append(Conv(part.channels, part.kernel, part.stride, part.padding, part.dilation, "identity",
                              bias=part.bias))  # fmt: skip
            return STAGE["weights"]
        case parts.Linear():
            found.append(Linear(part.features, bias=part.bias))
            return STAGE["weights"]
        case parts.Pool(ceil=False):
            found.append(Pool("max" if part.how == "max" else "average", part.size, part.stride, part.padding))
            return math.inf
        case parts.PoolTo(size=1):
            found.append(GlobalPool())
            return math.inf
        case parts.Flatten():
            found.append(Flatten())
            return math.inf
        case parts.Norm(how="batch") if stage < STAGE["norm"] and isinstance(found[-1], Conv):
            found[-1] = replace(found[-1], normalization="batch")
            return STAGE["norm"]
        case parts.Activation(name=name) if name in BENT and stage < STAGE["bend"]:
            found[-1] = replace(_weighted(found), activation=name)
            return STAGE["bend"]
        case parts.Dropout(share=share) if stage < STAGE["dropout"]:
            found[-1] = replace(_weighted(found), dropout=share)
            return STAGE["dropout"]
    told = shorten(str(getattr(part, "words", "") or getattr(part, "title", "") or type(part).__name__))
    raise SpecError(
        "layers", f"'{told}' is not trained here, or not at this place; after a conv or dense layer may follow "
        "batchnorm (conv only), then an activation, then dropout",
    )  # fmt: skip


def _weighted(found: list[MapLayer]) -> Conv | Linear:
    """The last layer, which has weights."""
    last = found[-1]
    assert isinstance(last, (Conv, Linear))
    return last


def cost(d: ConvDescription) -> tuple[int, int]:
    """Weights, and products of weights and inputs for one picture."""
    weights = products = 0
    for layer, before, after in zip(d.layers, d.shapes, d.shapes[1:], strict=False):
        own = 0
        if isinstance(layer, Conv):
            own = layer.channels * before[0] * layer.kernel**2
        elif isinstance(layer, Linear):
            own = layer.outputs * before[0]
        weights += own
        products += own * (math.prod(after[1:]) if isinstance(layer, Conv) else 1)
    return weights, products


def name_of(layer: MapLayer, after: Shape) -> str:
    """A layer in a few words, with what comes out of it."""
    match layer:
        case Conv():
            apart = f" dilation {layer.dilation}" if layer.dilation > 1 else ""
            words = f"Conv {layer.kernel}×{layer.kernel}{apart}{_bent(layer.activation)}"
        case Pool():
            words = f"{layer.kind.capitalize()} pool {layer.kernel}"
        case GlobalPool():
            words = f"Global {layer.kind} pool"
        case Linear():
            words = f"Dense{_bent(layer.activation)}"
        case _:
            words = "Flatten"
    if len(after) == 3:
        return f"{words}: {after[0]} map{'s' * (after[0] > 1)} of {after[1]}×{after[2]}"
    return f"{words}: {after[0]} numbers"


def _bent(name: str) -> str:
    return "" if name == "identity" else f", {ACTIVATIONS[name].title}"
