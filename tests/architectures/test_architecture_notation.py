"""The text of the reader's own network: what it means, and that nothing but one line ever comes of a wrong one."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.architectures.graph import leaves
from engine.architectures.layers import ACTIVATIONS, Layer
from engine.architectures.measuring import ArchitectureError, measure
from engine.architectures.notation import EXAMPLES, KNOWN, PALETTE, read_network, read_shape
from engine.architectures.sketch import innermost, pieces, short


@pytest.mark.parametrize(
    ("text", "shape", "out", "parameters"),
    [
        ("conv 3x3 16 stride 2; relu; pool 2; residual 32; mean; flatten; dense 10", (3, 32, 32), (10,), 15_306),
        ("conv 3x3 8 padding 0; avgpool 2", (1, 10, 10), (8, 4, 4), 80),
        ("conv 3x3 8 dilation 3", (1, 10, 10), (8, 10, 10), 80),
        ("conv 3x3 8 dilation 2 padding 0 stride 2", (1, 10, 10), (8, 3, 3), 80),
        ("conv 1x1 8 nobias", (3, 4, 4), (8, 4, 4), 24),
        ("pool 3x3 stride 2 padding 1", (3, 8, 8), (3, 4, 4), 0),
        ("depthwise 5x5 stride 2 nobias", (4, 8, 8), (4, 4, 4), 100),
        ("2 * (dense 4; relu; 2 * (dense 4))", (4,), (4,), 120),
        ("CONV 3X3 2;;  ReLU ;", (1, 4, 4), (2, 4, 4), 20),
        ("linear 3; bn; fc 2", (4,), (2,), 15 + 6 + 8),
        ("batchnorm; mean 2; flatten", (3, 4, 4), (12,), 6),
        ("encoder 8 hidden 2048", (128, 512), (128, 512), 3_152_384),
    ],
)
def test_what_a_text_means(text: str, shape: tuple[int, ...], out: tuple[int, ...], parameters: int) -> None:
    found = measure(read_network(text, shape))
    assert (found.out, found.parameters) == (out, parameters)


def test_a_residual_block_of_the_notation_counts_as_written() -> None:
    """conv 448; residual 32 of 16: 3x3 twice, two norms, and a projection with its norm; dense 330."""
    block = 9 * 16 * 32 + 9 * 32 * 32 + 2 * 64 + 16 * 32 + 64
    assert 448 + block + 330 == 15_306


@pytest.mark.parametrize("name", KNOWN)
def test_every_name_has_an_example_that_works(name: str) -> None:
    shape = (16, 64) if name in ("attention", "encoder", "layernorm") else (64,) if name == "dense" else (64, 16, 16)
    text = EXAMPLES.get(name, name)
    assert text.split()[0] == name and (name in EXAMPLES or name in ACTIVATIONS)
    assert measure(read_network(text, shape)).rows


def test_the_palette_offers_known_names() -> None:
    assert set(PALETTE) <= set(EXAMPLES)


@pytest.mark.parametrize(("words", "shape"), [("3x32x32", (3, 32, 32)), ("784", (784,)), (" 128 X 64", (128, 64)),
                                             ("3×8,8", (3, 8, 8))])  # fmt: skip
def test_shapes(words: str, shape: tuple[int, ...]) -> None:
    assert read_shape(words) == shape


@pytest.mark.parametrize("words", ["", "x", "3x", "1x2x3x4", "-1", "1e3", "99999", "0"])
def test_no_shapes(words: str) -> None:
    with pytest.raises(ArchitectureError):
        read_shape(words)


part = st.one_of(
    st.sampled_from(
        [*KNOWN, "(", ")", "3 * (", ";", "stride", "2", "3x3", "0", "1.5", "-1", "nobias", "identity", "x"]
    ),
    st.text(max_size=4),
)


@settings(max_examples=200)
@given(st.lists(part, max_size=14), st.sampled_from([(3, 8, 8), (4, 16), (9,)]))
def test_whatever_is_written_one_line_comes_of_it(parts: list[str], shape: tuple[int, ...]) -> None:
    try:
        found = measure(read_network(" ".join(parts), shape), broken=True)
    except ArchitectureError as error:
        assert str(error) and "\n" not in str(error) and len(str(error)) < 400
        return
    assert found.rows or found.broken
    if found.broken:
        assert found.broken.startswith(f"layer {len(found.rows) + 1} (")
    drawn = pieces(found)
    for row in range(len(found.rows)):
        assert innermost(drawn, row)


def test_rows_and_layers_go_hand_in_hand() -> None:
    """The order of the forward pass is that of the leaves of the tree."""
    found = measure(read_network("denseblock 2 4; transition; mbconv 8; inception 4 4 4 4 4 4; mean", (3, 8, 8)))
    every = [leaf for part in found.network.parts for leaf in leaves(part)]
    assert [leaf.words if isinstance(leaf, Layer) else leaf for leaf in every] == [row.words for row in found.rows]


def test_equal_neighbours_become_cards() -> None:
    drawn = pieces(
        measure(read_network("conv 3x3 8; 4 * (residual 8); residual 16 stride 2; 2 * (residual 16)", (3, 8, 8)))
    )
    assert [(piece.kind, piece.times) for piece in drawn] == [("conv", 1), ("cards", 4), ("block", 1), ("cards", 2)]
    keys = [piece.key for piece in drawn]
    assert len(set(keys)) == len(keys)
    (cards,) = (piece for piece in drawn if piece.times == 4)
    assert len(cards.ways[0]) == 4 and cards.last - cards.first == 4 * 7


@pytest.mark.parametrize(("number", "words"), [(0, "0"), (999, "999"), (1000, "1 k"), (9408, "9.41 k"),
                                              (25_557_032, "25.6 M"), (1e6, "1 M"), (4.09e9, "4.09 G")])  # fmt: skip
def test_short_numbers(number: float, words: str) -> None:
    assert short(number) == words
