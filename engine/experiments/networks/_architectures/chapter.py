"""The chapter's CNN as the chapter writes it, over the computed one."""

from __future__ import annotations

import math

import numpy as np

from engine.architectures.layers import Shape, written
from engine.architectures.measuring import BYTES, Measured
from engine.experiment import Drawn, Overlay
from engine.experiments.networks._architectures.settings import ArchitecturesSpec

# the shapes written beside the layers, and the layer (step) each belongs to
SHAPES: tuple[tuple[int, str, Shape], ...] = (
    (0, "input", (3, 64, 64)), (1, "first convolution", (64, 32, 32)), (3, "second convolution", (128, 16, 16)),
    (5, "pooling", (128, 8, 8)), (6, "flatten", (8192,)), (7, "first dense layer", (512,)), (9, "output", (10,)),
)  # fmt: skip


def drawn(spec: ArchitecturesSpec, found: Measured) -> tuple[Drawn, ...]:
    """The memory that the chapter's shapes take, over that of the computed ones."""
    if spec.model != "chapter_cnn":
        return ()
    steps = np.array([step for step, _, _ in SHAPES], float)
    memory = np.array([BYTES * math.prod(shape) for _, _, shape in SHAPES], float)
    mine = [found.network.input, *(row.out for row in found.rows)]
    wrong = [
        f"{words} {written(shape)}, here {written(mine[step]) if step < len(mine) else 'none'}"
        for step, words, shape in SHAPES
        if step >= len(mine) or mine[step] != shape
    ]
    verdict = (
        "Every shape comes out as written, with stride 2 and padding 1 in both convolutions: the chapter names no "
        "stride, and without one the first output would be 64×64×64."
        if not wrong
        else f"{len(wrong)} of {len(SHAPES)} shapes differ: {wrong[0]}."
    )
    return (
        Drawn(
            "10.4.1", "The CNN's shapes", "Two 3×3 convolutions, a pooling and two dense layers take 64×64×3 to 10 "
            "classes through the shapes written beside them (here channels come first).",
            (Overlay("memory", "chapter's shapes", steps, memory, "chapter", points=True),), verdict,
        ),
    )  # fmt: skip
