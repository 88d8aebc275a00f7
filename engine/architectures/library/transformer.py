"""The encoder block of a Transformer: Vaswani et al. 2017."""

from __future__ import annotations

from engine.architectures.blocks import encoder
from engine.architectures.graph import Network


def transformer_encoder() -> Network:
    """One encoder block of the base model on 128 tokens: width 512, 8 heads, 2,048 hidden units."""
    return Network("Transformer encoder block", (128, 512), (encoder(512, 8, 2048),), "Vaswani et al. 2017")
