"""What a network of fully connected layers is, before anything trains it.

The compiled MLP and the torch networks are built from the same description and keep their parameters in the same flat
buffer: layer by layer, weight [out, in] row by row, then bias [out] (then what a normalisation learns: gamma [out],
beta [out]; PReLU: one slope). So every optimizer rule, snapshot and export serves both.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Loss = Literal["mse", "bce", "cross_entropy"]
Normalization = Literal["none", "batch", "layer"]


@dataclass(frozen=True)
class Description:
    """A fully connected network.

    `activations` has one name for each hidden layer (see engine.networks.activations), `slopes` its parameter where it
    has one (leaky ReLU's slope, ELU's alpha, PReLU's first slope), nan for the usual one. `output` is the activation
    after the last layer: `identity`, or for `mse` any other. The losses are torch's: `mse` the mean over all elements,
    `bce` and `cross_entropy` from the last layer's logits, averaged over the batch. `half_mse` puts the chapter's one
    half before a squared error. `dropout` is the probability of dropping, for each hidden layer; inverted scaling.
    `residual`: each hidden layer whose width equals the width before it adds its input to its output.
    """

    inputs: int
    hidden: tuple[int, ...]
    outputs: int
    activations: tuple[str, ...]
    loss: Loss = "mse"
    output: str = "identity"
    slopes: tuple[float, ...] = field(default=())
    half_mse: bool = False
    dropout: tuple[float, ...] = field(default=())
    normalization: Normalization = "none"
    residual: bool = False
    bias: bool = True

    def __post_init__(self) -> None:
        """Raise ValueError for parts that do not belong together."""
        if len(self.activations) != len(self.hidden):
            raise ValueError(f"{len(self.activations)} activations for {len(self.hidden)} hidden layers; give one each")
        if self.dropout and len(self.dropout) != len(self.hidden):
            raise ValueError(f"{len(self.dropout)} dropout rates for {len(self.hidden)} hidden layers; give one each")
        if self.loss != "mse" and self.output != "identity":
            raise ValueError(f"{self.loss} is computed from logits: the output must be identity, not {self.output}")
        if self.loss == "bce" and self.outputs != 1:
            raise ValueError(f"bce wants 1 output, not {self.outputs}")

    @property
    def sizes(self) -> tuple[int, ...]:
        """Width of every layer, the input first."""
        return (self.inputs, *self.hidden, self.outputs)
