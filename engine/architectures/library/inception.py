"""GoogLeNet: Szegedy et al. 2015."""

from __future__ import annotations

from engine.architectures.blocks import conv_norm, inception
from engine.architectures.graph import Block, Network
from engine.architectures.layers import Dropout, Flatten, Linear, Pool, PoolTo
from engine.architectures.library.plain import CLASSES, PHOTO


def googlenet() -> Network:
    """As torchvision has it: with batch norm, 3×3 in place of the 5×5 windows, without the auxiliary heads."""
    three, two = Pool("max", 3, 2, ceil=True), Pool("max", 2, 2, ceil=True)
    stem = (*conv_norm(64, 7, 2), three, *conv_norm(64, 1), *conv_norm(192, 3), three)
    stage_3 = (inception(64, 96, 128, 16, 32, 32, 3), inception(128, 128, 192, 32, 96, 64, 3))
    stage_4 = (
        inception(192, 96, 208, 16, 48, 64, 3), inception(160, 112, 224, 24, 64, 64, 3),
        inception(128, 128, 256, 24, 64, 64, 3), inception(112, 144, 288, 32, 64, 64, 3),
        inception(256, 160, 320, 32, 128, 128, 3),
    )  # fmt: skip
    stage_5 = (inception(256, 160, 320, 32, 128, 128, 3), inception(384, 192, 384, 48, 128, 128, 3))
    parts = (
        *stem, Block("stage 3", stage_3), three, Block("stage 4", stage_4), two, Block("stage 5", stage_5),
        PoolTo(1), Flatten(), Dropout(0.2), Linear(CLASSES),
    )  # fmt: skip
    return Network("GoogLeNet", PHOTO, parts, "Szegedy et al. 2015")
