"""The blocks that deep networks repeat, each as a function of its sizes.

`channels` is what comes in; a shortcut is the input as it is where shapes allow, else a 1×1 convolution with batch
norm, the projection of He et al. 2016 (Deep residual learning, 3.3).
"""

from __future__ import annotations

from engine.architectures.graph import Block, Fork, Part
from engine.architectures.layers import Activation, Attention, Conv, Dropout, Linear, Norm, Pool, PoolTo

RELU = Activation("relu")


def conv_norm(channels: int, kernel: int = 3, stride: int = 1, groups: int = 1, bend: str = "relu") -> tuple[Part, ...]:
    """Convolution that keeps the sides (but for its stride), batch norm, activation (empty: none)."""
    conv = Conv(channels, kernel, stride, kernel // 2, groups, bias=False)
    return (conv, Norm(), Activation(bend)) if bend else (conv, Norm())


def shortcut(channels: int, out: int, stride: int) -> tuple[Part, ...]:
    """The way around: nothing, or a projection."""
    return () if channels == out and stride == 1 else conv_norm(out, 1, stride, bend="")


def residual(channels: int, out: int, stride: int = 1, *, project: bool = True) -> Block:
    """Two 3×3 convolutions and a way around, ReLU behind the sum (He et al. 2016, figure 2)."""
    way = (*conv_norm(out, 3, stride), *conv_norm(out, 3, bend=""))
    around = shortcut(channels, out, stride) if project else ()
    return Block("residual block", (Fork("add", (way, around)), RELU))


def bottleneck(channels: int, width: int, out: int, stride: int = 1, groups: int = 1) -> Block:
    """1×1, 3×3, 1×1 and a way around; with groups the ResNeXt block (Xie et al. 2017, figure 3c).

    The stride is in the 3×3 convolution, as in torchvision.
    """
    way = (*conv_norm(width, 1), *conv_norm(width, 3, stride, groups), *conv_norm(out, 1, bend=""))
    return Block(
        "ResNeXt block" if groups > 1 else "bottleneck block",
        (Fork("add", (way, shortcut(channels, out, stride))), RELU),
    )


def preactivation(channels: int, out: int, stride: int = 1) -> Block:
    """Norm and ReLU before each convolution, nothing behind the sum (He et al. 2016, Identity mappings, figure 1b)."""
    conv = Conv(out, 3, stride, 1, bias=False), Conv(out, 3, 1, 1, bias=False)
    around: tuple[Part, ...] = () if channels == out and stride == 1 else (Conv(out, 1, stride, bias=False),)
    return Block(
        "pre-activation block", (Fork("add", ((Norm(), RELU, conv[0], Norm(), RELU, conv[1]), around)),)
    )  # fmt: skip


def dense_layer(growth: int, wide: int = 4) -> Block:
    """A bottleneck of `wide` times the growth, whose result is stood behind all that came in (Huang et al. 2017, 3)."""
    way = (
        Norm(), RELU, Conv(wide * growth, 1, bias=False),
        Norm(), RELU, Conv(growth, 3, 1, 1, bias=False),
    )  # fmt: skip
    return Block("dense layer", (Fork("concat", ((), way)),))


def transition(out: int) -> Block:
    """Between two dense blocks: fewer channels, half the sides."""
    return Block("transition", (Norm(), RELU, Conv(out, 1, bias=False), Pool("avg", 2, 2)))


def inception(one: int, three_in: int, three: int, five_in: int, five: int, pooled: int, kernel: int = 5) -> Block:
    """Four ways side by side (Szegedy et al. 2015, figure 2b), with batch norm; `kernel`: of the third way."""
    ways = (
        conv_norm(one, 1),
        (*conv_norm(three_in, 1), *conv_norm(three, 3)),
        (*conv_norm(five_in, 1), *conv_norm(five, kernel)),
        (Pool("max", 3, 1, 1, ceil=True), *conv_norm(pooled, 1)),
    )
    return Block("Inception block", (Fork("concat", ways),))


def squeeze_excite(channels: int, squeezed: int) -> Fork:
    """Each channel times a gate made from the means of all (Hu, Shen and Sun 2018, figure 2)."""
    gate = (PoolTo(1), Conv(squeezed, 1), Activation("silu"), Conv(channels, 1), Activation("sigmoid"))
    return Fork("multiply", ((), gate))


def mobile(channels: int, out: int, kernel: int, stride: int, expand: int) -> Block:
    """The inverted bottleneck of EfficientNet (Tan and Le 2019, after Sandler et al. 2018): wide, depthwise, narrow."""
    hidden = channels * expand
    way = (
        *(conv_norm(hidden, 1, bend="silu") if expand != 1 else ()),
        *conv_norm(hidden, kernel, stride, hidden, "silu"),
        squeeze_excite(hidden, max(1, channels // 4)),
        *conv_norm(out, 1, bend=""),
    )
    if channels == out and stride == 1:
        return Block("MBConv block", (Fork("add", (way, ())),))
    return Block("MBConv block", way)


def encoder(width: int, heads: int, hidden: int, dropout: float = 0.1, first: bool = False) -> Block:
    """A Transformer encoder layer (Vaswani et al. 2017, figure 1 left); `first`: layer norm before each way instead."""
    drop: tuple[Part, ...] = (Dropout(dropout),) if dropout else ()
    attend = (Attention(heads), *drop)
    feed = (Linear(hidden), RELU, *drop, Linear(width), *drop)
    norm = Norm("layer")
    if first:
        return Block("encoder block", (Fork("add", ((norm, *attend), ())), Fork("add", ((norm, *feed), ()))))
    return Block("encoder block", (Fork("add", (attend, ())), norm, Fork("add", (feed, ())), norm))
