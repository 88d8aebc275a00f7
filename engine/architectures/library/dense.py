"""DenseNet: Huang et al. 2017."""

from __future__ import annotations

from engine.architectures.blocks import RELU, conv_norm, dense_layer, transition
from engine.architectures.graph import Block, Network, Part
from engine.architectures.layers import Flatten, Linear, Norm, Pool, PoolTo
from engine.architectures.library.plain import CLASSES, PHOTO

GROWTH = 32


def densenet121() -> Network:
    """Dense blocks of 6, 12, 24 and 16 layers that add 32 channels each; half the channels in between."""
    parts: list[Part] = [*conv_norm(64, 7, 2), Pool("max", 3, 2, 1)]
    channels = 64
    for i, times in enumerate((6, 12, 24, 16), start=1):
        parts.append(Block(f"dense block {i}", (dense_layer(GROWTH),) * times))
        channels += GROWTH * times
        if i < 4:
            channels //= 2
            parts.append(transition(channels))
    head = (Norm(), RELU, PoolTo(1), Flatten(), Linear(CLASSES))
    return Network("DenseNet-121", PHOTO, (*parts, *head), "Huang et al. 2017")
