"""Networks without a fork: one layer behind the other."""

from __future__ import annotations

from engine.architectures.blocks import RELU
from engine.architectures.graph import Block, Network, Part
from engine.architectures.layers import Activation, Conv, Dropout, Flatten, Linear, Pool, PoolTo

PHOTO = (3, 224, 224)
CLASSES = 1000


def chapter_cnn() -> Network:
    """The CNN of chapter 10.4.1, with the strides and the padding that its shapes imply."""
    parts = (
        Conv(64, 3, 2, 1), RELU, Conv(128, 3, 2, 1), RELU, Pool("max", 2, 2),
        Flatten(), Linear(512), RELU, Linear(10),
    )  # fmt: skip
    return Network("The chapter's CNN", (3, 64, 64), parts, "Chapter 10.4.1")


def mlp() -> Network:
    """The chapter's example of an MLP: 10-128-64-32-2 with ReLU between."""
    units = (128, 64, 32)
    return Network("MLP", (10,), (*(part for n in units for part in (Linear(n), RELU)), Linear(2)), "Chapter 10.1.1")


def lenet5() -> Network:
    """LeCun et al. 1998, with a fully connected C3 and pooling without parameters."""
    tanh, pool = Activation("tanh"), Pool("avg", 2, 2)
    parts = (
        Conv(6, 5), tanh, pool, Conv(16, 5), tanh, pool,
        Flatten(), Linear(120), tanh, Linear(84), tanh, Linear(10),
    )  # fmt: skip
    return Network("LeNet-5", (1, 32, 32), parts, "LeCun et al. 1998")


def alexnet() -> Network:
    """Krizhevsky 2014 (One weird trick), which has 64 first filters and no local response norm."""
    pool = Pool("max", 3, 2)
    parts = (
        Conv(64, 11, 4, 2), RELU, pool, Conv(192, 5, 1, 2), RELU, pool,
        Conv(384, 3, 1, 1), RELU, Conv(256, 3, 1, 1), RELU, Conv(256, 3, 1, 1), RELU, pool,
        PoolTo(6), Flatten(), Dropout(0.5), Linear(4096), RELU, Dropout(0.5), Linear(4096), RELU, Linear(CLASSES),
    )  # fmt: skip
    return Network("AlexNet", PHOTO, parts, "Krizhevsky 2014")


def vgg16() -> Network:
    """Simonyan and Zisserman 2015, configuration D."""
    stages: list[Part] = []
    for i, (channels, times) in enumerate(((64, 2), (128, 2), (256, 3), (512, 3), (512, 3)), start=1):
        convs = (Conv(channels, 3, 1, 1), RELU) * times
        stages.append(Block(f"stage {i}", (*convs, Pool("max", 2, 2))))
    head = (Linear(4096), RELU, Dropout(0.5), Linear(4096), RELU, Dropout(0.5), Linear(CLASSES))
    return Network("VGG-16", PHOTO, (*stages, PoolTo(7), Flatten(), *head), "Simonyan and Zisserman 2015")
