"""Layers, joins and receptive fields against torch: shapes, parameters, products, and which inputs a number sees."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from engine.architectures.graph import Fork, Network, Part
from engine.architectures.layers import (
    ACTIVATIONS,
    Activation,
    Attention,
    Conv,
    Dropout,
    Flatten,
    Layer,
    Linear,
    MeanToken,
    Norm,
    Pool,
    PoolTo,
    ShapeError,
    Tokens,
    written,
)
from engine.architectures.library import LIBRARY
from engine.architectures.measuring import ArchitectureError, joined, measure
from engine.architectures.notation import read_network
from engine.architectures.torch_module import module_code


def build(network: Network) -> Any:
    """The exported module."""
    space: dict[str, Any] = {"torch": torch, "nn": nn}
    exec(module_code(measure(network)), space)
    return space["build"]()


small = st.integers(1, 7)


@settings(max_examples=60)
@given(small, st.integers(1, 12), st.integers(1, 12), small, st.integers(1, 4), st.integers(0, 3), st.integers(1, 3),
       st.booleans())  # fmt: skip
def test_convolution_is_torchs(c: int, h: int, w: int, k: int, s: int, p: int, d: int, bias: bool) -> None:
    layer = Conv(2 * c, k, s, p, groups=c if h % 2 else 1, bias=bias, dilation=d)
    wide = d * (k - 1) + 1
    if min(h, w) + 2 * p < wide:
        with pytest.raises(ShapeError, match=f"a {wide}×{wide} window does not fit into {h}×{w}"):
            layer.shape((c, h, w))
        return
    module = eval(layer.code(str(c), (c, h, w)), {"nn": nn})
    assert layer.shape((c, h, w)) == tuple(module(torch.zeros(1, c, h, w)).shape[1:])
    assert layer.parameters((c, h, w)) == sum(one.numel() for one in module.parameters())
    places = math.prod(layer.shape((c, h, w))[1:])
    assert layer.multiply_adds((c, h, w)) == places * module.weight.numel()  # each weight once at every place


@settings(max_examples=60)
@given(st.integers(1, 14), st.integers(1, 14), small, st.integers(1, 4), st.booleans(), st.sampled_from(["max", "avg"]))
def test_pooling_is_torchs(h: int, w: int, k: int, s: int, ceil: bool, how: Any) -> None:
    layer = Pool(how, k, s, k // 2, ceil)
    if min(h, w) + 2 * (k // 2) < k:
        return
    module = eval(layer.code("3", (3, h, w)), {"nn": nn})
    assert layer.shape((3, h, w)) == tuple(module(torch.zeros(1, 3, h, w)).shape[1:])


CASES: list[tuple[Layer, tuple[int, ...]]] = [
    (PoolTo(1), (3, 5, 7)), (PoolTo(3), (3, 8, 8)), (Linear(4), (6,)), (Linear(4, False), (5, 6)), (Norm(), (3, 4, 4)),
    (Norm(), (7,)), (Norm("layer"), (7,)), (Norm("layer"), (5, 6)), (Dropout(0.3), (3, 4, 4)), (Flatten(), (3, 4, 5)),
    (Flatten(), (5, 6)), (Tokens(), (3, 4, 5)), (MeanToken(), (5, 6)), (Attention(2), (5, 6)),
    *((Activation(name), (4,)) for name in ACTIVATIONS),
]  # fmt: skip


@pytest.mark.parametrize(("layer", "shape"), CASES)
def test_other_layers_are_torchs(layer: Layer, shape: tuple[int, ...]) -> None:
    module = build(Network("one", shape, (layer,))).eval()
    assert layer.shape(shape) == tuple(module(torch.zeros(2, *shape)).shape[1:])
    assert layer.parameters(shape) == sum(one.numel() for one in module.parameters())
    assert layer.words


@pytest.mark.parametrize(
    ("layer", "shape", "reason"),
    [
        (Conv(4), (8,), "needs a picture"), (Pool(), (8, 8), "needs a picture"), (PoolTo(), (8,), "needs a picture"),
        (Linear(3), (3, 4, 4), "flatten it first"), (Norm(), (4, 8), "batch norm needs"),
        (Norm("layer"), (3, 4, 4), "layer norm needs"), (Attention(3), (4, 8), "3 heads do not divide the width 8"),
        (Attention(3), (8,), "needs tokens"), (MeanToken(), (3, 4, 4), "needs tokens"), (Tokens(), (4,), "a picture"),
        (Conv(4, groups=2), (3, 8, 8), "2 groups do not divide the 3 channels that come in"),
        (Conv(3, groups=2), (4, 8, 8), "2 groups do not divide the 3 channels that go out"),
    ],
)  # fmt: skip
def test_a_layer_says_why_it_cannot(layer: Layer, shape: tuple[int, ...], reason: str) -> None:
    with pytest.raises(ShapeError, match=reason):
        layer.shape(shape)
    with pytest.raises(ArchitectureError, match=rf"layer 2 \({layer.words}"):
        measure(Network("", shape, (Dropout(0.1), layer)))


def test_joins() -> None:
    assert joined("add", [(3, 4, 4), (3, 4, 4)]) == (3, 4, 4)
    assert joined("concat", [(3, 4, 4), (5, 4, 4), (1, 4, 4)]) == (9, 4, 4)
    assert joined("concat", [(7, 3), (7, 5)]) == (7, 8)
    assert joined("multiply", [(3, 4, 4), (3, 1, 1)]) == (3, 4, 4)
    for join, shapes in (("add", [(3, 4, 4), (4, 4, 4)]), ("concat", [(3, 4, 4), (3, 2, 2)]),
                         ("concat", [(3, 4, 4), (48,)]), ("multiply", [(3, 4, 4), (2, 1, 1)])):  # fmt: skip
        with pytest.raises(ShapeError) as told:
            joined(join, shapes)  # type: ignore[arg-type]
        assert all(written(shape) in str(told.value) for shape in shapes)


# -- what a number sees ----------------------------------------------------------------------------------------------

SEEING = {
    "conv 3x3 2": 3, "conv 3x3 2 dilation 2": 5, "conv 2x2 2 dilation 3 stride 2; conv 3x3 2 dilation 2": 12,
    "conv 5x5 2; conv 3x3 2": 7, "conv 3x3 2 stride 2; conv 3x3 2": 7,
    "conv 3x3 2; avgpool 2; conv 3x3 2": 8, "conv 7x7 4 stride 2; avgpool 3x3 stride 2 padding 1; conv 3x3 4": 19,
    "residual 1": 5, "conv 3x3 4; residual 4; residual 4 stride 2; conv 3x3 2": 17, "denseblock 2 4": 5,
    "preactivation 4 stride 2": 7, "depthwise 5x5; conv 1x1 3": 5, "inception 2 2 2 2 2 2": 5,
    "bottleneck 8; bottleneck 8": 5, "mbconv 4": 3,
}  # fmt: skip


@pytest.mark.parametrize("text", SEEING)
def test_the_receptive_field_is_what_autograd_finds(text: str) -> None:
    """All weights positive and no ReLU in the way: a gradient arrives exactly where something is seen."""
    side = 41
    network = read_network(text, (1, side, side))
    found = measure(network)
    field = found.rows[-1].field.size
    assert field == SEEING[text]
    torch.manual_seed(0)
    module = build(network).eval()
    for one in module.parameters():
        nn.init.constant_(one, 0.1)
    if "mbconv" in text:  # its gate looks at the whole picture, which is not counted
        module = nn.Sequential(*[part if type(part).__name__ != "Multiply" else nn.Identity() for part in module[0]])
    picture = torch.rand(1, 1, side, side, requires_grad=True)
    out = module(picture)
    middle = out.shape[-1] // 2
    out[0, :, middle, middle].sum().backward()
    assert picture.grad is not None
    seen = picture.grad[0, 0].abs().sum(0).nonzero().flatten()
    assert int(seen.max() - seen.min()) + 1 == field


@pytest.mark.parametrize(("model", "field"), [("alexnet", 195), ("vgg16", 212)])
def test_receptive_fields_of_the_literature(model: str, field: int) -> None:
    """Araujo, Norris and Sim 2019, table of AlexNet and VGG-16: behind the last pooling of a window."""
    rows = measure(LIBRARY[model]()).rows
    assert [row.field.size for row in rows if row.words.startswith("max pool")][-1] == field


def test_attention_and_vectors_see_all() -> None:
    assert measure(LIBRARY["transformer_encoder"]()).rows[0].field.size == 128
    assert [row.field.size for row in measure(LIBRARY["mlp"]()).rows] == [10, 10, 10, 10, 10, 10, 10]


# -- modules ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("model", LIBRARY)
def test_the_exported_module_has_the_same_parameters(model: str) -> None:
    network = LIBRARY[model]()
    found = measure(network)
    with torch.device("meta"):
        module = build(network).eval()
        out = module(torch.zeros(1, *network.input))
    assert sum(one.numel() for one in module.parameters()) == found.parameters
    assert tuple(out.shape[1:]) == found.out


@pytest.mark.parametrize(
    ("text", "shape"),
    [
        ("conv 3x3 8; relu; pool 2; flatten; dense 10", (1, 8, 8)),
        ("conv 3x3 8; 2 * (residual 8); residual 16 stride 2; preactivation 16; mean; flatten; dense 3", (3, 16, 16)),
        ("bottleneck 16; resnext 32 groups 4; squeeze 4; mbconv 5x5 24 stride 2; mbconv 24; mean 2", (3, 16, 16)),
        ("denseblock 3 4; transition; denseblock 2 4; 2 * (inception 4 4 8 2 4 4)", (3, 16, 16)),
        ("patches 4 16; 2 * (encoder 4 prenorm); encoder 2 hidden 8; layernorm; mean; dense 5", (3, 16, 16)),
        ("dense 8; batchnorm; gelu; dropout 0.2; dense 2 nobias; softmax", (5,)),
    ],
)
def test_own_networks_become_modules_that_run(text: str, shape: tuple[int, ...]) -> None:
    network = read_network(text, shape)
    found = measure(network)
    module = build(network).eval()
    assert sum(one.numel() for one in module.parameters()) == found.parameters
    assert tuple(module(torch.rand(2, *shape)).shape[1:]) == found.out


def test_equal_blocks_keep_weights_of_their_own() -> None:
    """A function in the exported code makes new layers at every call."""
    module = build(read_network("3 * (residual 4)", (4, 8, 8)))
    assert len({id(one) for one in module.parameters()}) == 3 * 6


def test_torchvisions_transformer_layer() -> None:
    theirs = nn.TransformerEncoderLayer(512, 8, 2048)
    assert sum(one.numel() for one in theirs.parameters()) == measure(LIBRARY["transformer_encoder"]()).parameters


def test_a_fork_without_layers_is_possible() -> None:
    part: Part = Fork("concat", ((), ()))
    assert measure(Network("", (3, 4, 4), (part,))).out == (6, 4, 4)
    with pytest.raises(ArchitectureError, match="at least one layer"):
        measure(Network("", (3, 4, 4), ()))
