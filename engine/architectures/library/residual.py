"""Residual networks: He et al. 2016; Xie et al. 2017."""

from __future__ import annotations

from engine.architectures.blocks import bottleneck, conv_norm, residual
from engine.architectures.graph import Block, Network, Part
from engine.architectures.layers import Flatten, Linear, Pool, PoolTo
from engine.architectures.library.plain import CLASSES, PHOTO

STEM: tuple[Part, ...] = (*conv_norm(64, 7, 2), Pool("max", 3, 2, 1))
HEAD: tuple[Part, ...] = (PoolTo(1), Flatten(), Linear(CLASSES))


def resnet18() -> Network:
    """Eight blocks of two convolutions."""
    stages, channels = list[Part](), 64
    for i, out in enumerate((64, 128, 256, 512), start=1):
        stages.append(Block(f"stage {i}", (residual(channels, out, 1 if i == 1 else 2), residual(out, out))))
        channels = out
    return Network("ResNet-18", PHOTO, (*STEM, *stages, *HEAD), "He et al. 2016")


def _bottlenecks(share: int, groups: int) -> tuple[Part, ...]:
    """Four stages of 3, 4, 6 and 3 bottlenecks; the inner width is 1/`share` of what goes out."""
    stages, channels = list[Part](), 64
    for i, (out, times) in enumerate(((256, 3), (512, 4), (1024, 6), (2048, 3)), start=1):
        first = bottleneck(channels, out // share, out, 1 if i == 1 else 2, groups)
        stages.append(Block(f"stage {i}", (first, *[bottleneck(out, out // share, out, 1, groups)] * (times - 1))))
        channels = out
    return tuple(stages)


def resnet50() -> Network:
    """Sixteen bottlenecks."""
    return Network("ResNet-50", PHOTO, (*STEM, *_bottlenecks(4, 1), *HEAD), "He et al. 2016")


def resnext50_32x4d() -> Network:
    """The same with 32 groups, the first of them 4 channels wide each."""
    return Network("ResNeXt-50 32×4d", PHOTO, (*STEM, *_bottlenecks(2, 32), *HEAD), "Xie et al. 2017")
