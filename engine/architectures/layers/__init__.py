"""The layers that networks are put together from: what each makes of a shape, and what it costs.

A shape is that of one sample: (channels, height, width) of a picture, (tokens, width) of a sentence, (features,) of a
vector. Parameters are those that are learnt. Multiply-adds are those of matrix products for one sample (convolution,
linear, attention), without biases, norms, activations and pooling, as published figures count them. A layer sees a
`window` (size, stride) of what comes in; receptive fields follow from it (Araujo, Norris and Sim 2019, Distill).
"""

from __future__ import annotations

from engine.architectures.layers.layer import Kind, Layer, Shape, ShapeError, written
from engine.architectures.layers.pictures import Conv, How, Pool, PoolTo, Tokens
from engine.architectures.layers.sentences import Attention, MeanToken
from engine.architectures.layers.vectors import ACTIVATIONS, Activation, Dropout, Flatten, Linear, Norm

__all__ = [
    "ACTIVATIONS", "Activation", "Attention", "Conv", "Dropout", "Flatten", "How", "Kind", "Layer", "Linear",
    "MeanToken", "Norm", "Pool", "PoolTo", "Shape", "ShapeError", "Tokens", "written",
]  # fmt: skip
