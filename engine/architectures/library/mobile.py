"""EfficientNet-B0: Tan and Le 2019, table 1."""

from __future__ import annotations

from engine.architectures.blocks import conv_norm, mobile
from engine.architectures.graph import Block, Network, Part
from engine.architectures.layers import Dropout, Flatten, Linear, PoolTo
from engine.architectures.library.plain import CLASSES, PHOTO

STAGES = (  # expansion, window, stride, channels, blocks
    (1, 3, 1, 16, 1), (6, 3, 2, 24, 2), (6, 5, 2, 40, 2), (6, 3, 2, 80, 3), (6, 5, 1, 112, 3), (6, 5, 2, 192, 4),
    (6, 3, 1, 320, 1),
)  # fmt: skip


def efficientnet_b0() -> Network:
    """Sixteen inverted bottlenecks with gates."""
    parts: list[Part] = [*conv_norm(32, 3, 2, bend="silu")]
    channels = 32
    for i, (expand, kernel, stride, out, times) in enumerate(STAGES, start=2):
        first = mobile(channels, out, kernel, stride, expand)
        parts.append(Block(f"stage {i}", (first, *[mobile(out, out, kernel, 1, expand)] * (times - 1))))
        channels = out
    head = (*conv_norm(1280, 1, bend="silu"), PoolTo(1), Flatten(), Dropout(0.2), Linear(CLASSES))
    return Network("EfficientNet-B0", PHOTO, (*parts, *head), "Tan and Le 2019")
