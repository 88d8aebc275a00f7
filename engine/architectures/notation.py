"""The user's own network as a line of text: `conv 3x3 16; relu; pool 2; residual 32 stride 2; flatten; dense 10`.

Parts are separated by semicolons, `3 * (...)` repeats what is in brackets. Numbers stand behind the name: the first
is the size of the window where it is written `3x3` (or `3` for pooling), else the channels; options are a word and a
number (`stride 2`), or a word alone. Blocks know what comes into them. Nothing is ever evaluated.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable
from dataclasses import dataclass, field

from engine.architectures import blocks
from engine.architectures.graph import Block, Network, Part
from engine.architectures.layers import (
    ACTIVATIONS,
    Activation,
    Attention,
    Conv,
    Dropout,
    Flatten,
    How,
    Linear,
    MeanToken,
    Norm,
    Pool,
    PoolTo,
    Shape,
    Tokens,
    written,
)
from engine.architectures.measuring import MOST_LAYERS, ArchitectureError, measure

MOST_CHANNELS, MOST_WINDOW, MOST_TIMES, DEEPEST = 65536, 64, 100, 4


class NotationError(ArchitectureError):
    """A text that is no network; one line names the part and the reason."""


@dataclass
class Words:
    """One part taken apart: its name, window, numbers and options, and the shape that comes in."""

    text: str
    name: str
    inside: Shape
    window: int | None = None
    numbers: list[int | float] = field(default_factory=list)
    options: dict[str, int] = field(default_factory=dict)
    marks: set[str] = field(default_factory=set)

    def fail(self, reason: str) -> NotationError:
        """An error that names this part."""
        return NotationError(f"'{self.text}': {reason}")

    def count(self, place: int, what: str, default: int | None = None, most: int = MOST_CHANNELS) -> int:
        """The whole number at this place."""
        if place >= len(self.numbers):
            if default is None:
                raise self.fail(f"{what} missing; write for instance '{EXAMPLES[self.name]}'")
            return default
        return self._whole(self.numbers[place], what, most)

    def option(self, name: str, default: int, most: int = MOST_CHANNELS, least: int = 1) -> int:
        """The number behind a word."""
        return self._whole(self.options.get(name, default), name, most, least)

    def _whole(self, value: float, what: str, most: int, least: int = 1) -> int:
        if value != int(value) or not least <= value <= most:
            raise self.fail(f"{what} {value:g} is not allowed; give a whole number from {least} to {most}")
        return int(value)

    @property
    def channels(self) -> int:
        """Those that come in."""
        if len(self.inside) != 3:
            raise self.fail(f"needs a picture (channels×height×width), but {written(self.inside)} comes in")
        return self.inside[0]

    @property
    def stride(self) -> int:
        """Its stride, 1 unless said."""
        return self.option("stride", 1, MOST_WINDOW)


def _conv(w: Words) -> Part:
    kernel, dilation = w.window or 3, w.option("dilation", 1, MOST_WINDOW)
    half = (dilation * (kernel - 1) + 1) // 2
    return Conv(
        w.count(0, "channels"), kernel, w.stride, w.option("padding", half, max(half, MOST_WINDOW), 0),
        w.option("groups", 1), "nobias" not in w.marks, dilation,
    )  # fmt: skip


def _depthwise(w: Words) -> Part:
    kernel = w.window or 3
    return Conv(w.channels, kernel, w.stride, kernel // 2, w.channels, bias="nobias" not in w.marks)


def _pool(w: Words) -> Part:
    size = w.window or w.count(0, "size", 2, MOST_WINDOW)
    how: How = "avg" if w.name == "avgpool" else "max"
    return Pool(how, size, w.option("stride", size, MOST_WINDOW), w.option("padding", 0, size // 2, 0))


def _residual(w: Words) -> Part:
    return blocks.residual(w.channels, w.count(0, "channels"), w.stride, project="identity" not in w.marks)


def _preactivation(w: Words) -> Part:
    return blocks.preactivation(w.channels, w.count(0, "channels"), w.stride)


def _bottleneck(w: Words) -> Part:
    out = w.count(0, "channels")
    groups = w.option("groups", 32 if w.name == "resnext" else 1)
    width = w.option("width", max(1, out // (2 if groups > 1 else 4)))
    return blocks.bottleneck(w.channels, width, out, w.stride, groups)


def _dense_block(w: Words) -> Part:
    times, growth = w.count(0, "layers", most=MOST_TIMES), w.count(1, "growth", 32)
    return Block("dense block", (blocks.dense_layer(growth),) * times)


def _inception(w: Words) -> Part:
    sizes = [w.count(i, "channels") for i in range(6)]
    return blocks.inception(*sizes)


def _mobile(w: Words) -> Part:
    return blocks.mobile(w.channels, w.count(0, "channels"), w.window or 3, w.stride, w.option("expand", 6, 16))


def _encoder(w: Words) -> Part:
    if len(w.inside) != 2:
        raise w.fail(f"needs tokens (tokens×width), but {written(w.inside)} comes in; 'patches 8 64' makes some")
    width = w.inside[1]
    return blocks.encoder(
        width, w.count(0, "heads", 4, 1024), w.option("hidden", 4 * width, 4 * MOST_CHANNELS), 0.0, "prenorm" in w.marks
    )


def _patches(w: Words) -> Part:
    size = w.count(0, "size", most=MOST_WINDOW)
    return Block("patches", (Conv(w.count(1, "width"), size, size), Tokens()))


def _dropout(w: Words) -> Part:
    share = float(w.numbers[0]) if w.numbers else 0.5
    if not 0 <= share < 1:
        raise w.fail(f"share {share:g} is not allowed; give a number from 0 to below 1")
    return Dropout(share)


@dataclass(frozen=True)
class _Known:
    """How a name is read: its maker, how many numbers may follow, its options and its words alone."""

    make: Callable[[Words], Part]
    most: int = 0
    options: tuple[str, ...] = ()
    marks: tuple[str, ...] = ()
    window: bool = False


KNOWN: dict[str, _Known] = {
    "conv": _Known(_conv, 1, ("stride", "padding", "dilation", "groups"), ("nobias",), True),
    "depthwise": _Known(_depthwise, 0, ("stride",), ("nobias",), True),
    "pool": _Known(_pool, 1, ("stride", "padding"), (), True),
    "avgpool": _Known(_pool, 1, ("stride", "padding"), (), True),
    "mean": _Known(lambda w: MeanToken() if len(w.inside) == 2 else PoolTo(w.count(0, "size", 1, 1024)), 1),
    "flatten": _Known(lambda w: Flatten()),
    "dense": _Known(lambda w: Linear(w.count(0, "units"), "nobias" not in w.marks), 1, (), ("nobias",)),
    "batchnorm": _Known(lambda w: Norm("batch")),
    "layernorm": _Known(lambda w: Norm("layer")),
    "dropout": _Known(_dropout, 1),
    **{name: _Known(lambda w: Activation(w.name)) for name in ACTIVATIONS},
    "residual": _Known(_residual, 1, ("stride",), ("identity",)),
    "preactivation": _Known(_preactivation, 1, ("stride",)),
    "bottleneck": _Known(_bottleneck, 1, ("stride", "width", "groups")),
    "resnext": _Known(_bottleneck, 1, ("stride", "width", "groups")),
    "denseblock": _Known(_dense_block, 2),
    "transition": _Known(lambda w: blocks.transition(w.count(0, "channels", max(1, w.channels // 2))), 1),
    "inception": _Known(_inception, 6),
    "mbconv": _Known(_mobile, 1, ("stride", "expand"), (), True),
    "squeeze": _Known(lambda w: blocks.squeeze_excite(w.channels, w.count(0, "channels", max(1, w.channels // 4))), 1),
    "patches": _Known(_patches, 2),
    "attention": _Known(lambda w: Attention(w.count(0, "heads", 4, 1024)), 1),
    "encoder": _Known(_encoder, 1, ("hidden",), ("prenorm",)),
}
EXAMPLES: dict[str, str] = {
    "conv": "conv 3x3 32", "depthwise": "depthwise 3x3", "pool": "pool 2", "avgpool": "avgpool 2", "mean": "mean",
    "flatten": "flatten", "dense": "dense 10", "batchnorm": "batchnorm", "layernorm": "layernorm",
    "dropout": "dropout 0.5", "relu": "relu", "residual": "residual 64", "preactivation": "preactivation 64",
    "bottleneck": "bottleneck 256", "resnext": "resnext 256", "denseblock": "denseblock 4 32",
    "transition": "transition 64", "inception": "inception 64 96 128 16 32 32", "mbconv": "mbconv 3x3 32",
    "squeeze": "squeeze 8", "patches": "patches 8 64", "attention": "attention 4", "encoder": "encoder 4",
}  # fmt: skip
PALETTE: tuple[str, ...] = (
    "conv", "depthwise", "batchnorm", "relu", "pool", "mean", "residual", "preactivation", "bottleneck", "resnext",
    "denseblock", "transition", "inception", "mbconv", "patches", "encoder", "flatten", "dense", "dropout",
)  # fmt: skip
SHORT = {"maxpool": "pool", "linear": "dense", "fc": "dense", "bn": "batchnorm", "ln": "layernorm"}


def read_shape(text: str) -> Shape:
    """A shape from words as `3x32x32`: one number a vector, two tokens and width, three a picture.

    Raises NotationError.
    """
    parts = re.split(r"\s*[x×,]\s*", text.strip().lower())
    if not 1 <= len(parts) <= 3 or not all(re.fullmatch(r"[0-9]{1,5}", part) for part in parts):
        raise NotationError(f"'{text}' is no shape; write for instance 3x32x32 (picture), 128x64 (tokens) or 784")
    shape = tuple(int(part) for part in parts)
    if not all(1 <= n <= 16384 for n in shape):
        raise NotationError(f"'{text}': every number of a shape must lie from 1 to 16384")
    return shape


def read_network(text: str, shape: Shape, title: str = "Own network") -> Network:
    """The network that the text describes, up to the first part whose shapes cannot be. Raises NotationError."""
    parts = _Reader(text).read(shape)
    return Network(title, shape, tuple(parts), "")


class _Reader:
    """Reads parts one after the other and knows the shape that has been reached."""

    def __init__(self, text: str) -> None:
        self._tokens = re.findall(r"\s*\d+\s*\*\s*\(|\)|;|[^;()]+|\(", text.replace("\n", ";"))
        self._at = 0
        self._layers = 0
        self._broken = False

    def read(self, shape: Shape) -> list[Part]:
        parts, _ = self._sequence(shape, 0)
        if not parts:
            raise NotationError("no layer is given; write for instance 'conv 3x3 16; relu; flatten; dense 10'")
        return parts

    def _sequence(self, shape: Shape, depth: int) -> tuple[list[Part], Shape]:
        parts: list[Part] = []
        while self._at < len(self._tokens) and not self._broken:
            token = self._tokens[self._at].strip()
            self._at += 1
            if token == ")":
                if not depth:
                    raise NotationError("a ) without its (")
                return parts, shape
            if token.endswith("("):
                found, shape = self._repeated(token, shape, depth)
                parts += found
            elif token and token != ";":
                part = read_part(token, shape)
                parts.append(part)
                shape = self._behind([part], shape)
        if depth and not self._broken:
            raise NotationError("a ( without its )")
        return parts, shape

    def _repeated(self, token: str, shape: Shape, depth: int) -> tuple[list[Part], Shape]:
        count = token.partition("*")[0].strip(" (")
        if not count or not 1 <= int(count[:9]) <= MOST_TIMES:
            raise NotationError(f"'{token}': write a number from 1 to {MOST_TIMES} and * before the bracket")
        if depth == DEEPEST:
            raise NotationError(f"brackets are nested deeper than {DEEPEST}")
        start, parts = self._at, list[Part]()
        for _ in range(int(count)):
            if self._broken:
                break
            self._at = start
            found, shape = self._sequence(shape, depth + 1)
            if not found:
                raise NotationError(f"'{token})': nothing is in the brackets")
            parts += found
        return parts, shape

    def _behind(self, parts: list[Part], shape: Shape) -> Shape:
        """The shape behind these."""
        measured = measure(Network("", shape, tuple(parts)), broken=True)
        self._layers += len(measured.rows)
        self._broken = bool(measured.broken)
        if self._layers > MOST_LAYERS:
            raise NotationError(f"more than {MOST_LAYERS} layers")
        return shape if measured.broken else measured.out


def read_part(text: str, inside: Shape) -> Part:
    """One layer or block. Raises NotationError."""
    name, *rest = text.lower().split()
    name = SHORT.get(name, name)
    if name not in KNOWN:
        close = difflib.get_close_matches(name[:40], KNOWN, 1, 0.5)
        hint = f"did you mean {close[0]}?" if close else "known: " + ", ".join(n for n in KNOWN if n not in ACTIVATIONS)
        raise NotationError(f"'{name[:40]}' is no layer; {hint}")
    known = KNOWN[name]
    words = Words(" ".join(text.split())[:60], name, inside)
    while rest:
        word = rest.pop(0)
        window = re.fullmatch(r"(\d{1,4})[x×](\d{1,4})", word)
        if window and known.window:
            if window[1] != window[2] or not 1 <= int(window[1]) <= MOST_WINDOW:
                most = f"{MOST_WINDOW}x{MOST_WINDOW}"
                raise words.fail(f"window {word} is not allowed; give a square one from 1x1 to {most}")
            words.window = int(window[1])
        elif word in known.options:
            if not rest or not re.fullmatch(r"\d{1,9}", rest[0]):
                raise words.fail(f"a whole number must stand behind {word}")
            words.options[word] = int(rest.pop(0))
        elif word in known.marks:
            words.marks.add(word)
        elif re.fullmatch(r"\d{1,9}(\.\d{1,9})?", word):
            if len(words.numbers) == known.most:
                raise words.fail(f"{word} is one number too many; write for instance '{EXAMPLES.get(name, name)}'")
            words.numbers.append(float(word) if "." in word else int(word))
        else:
            allowed = ", ".join([*known.options, *known.marks]) or "no words"
            raise words.fail(f"'{word[:30]}' is not known here; {name} takes {allowed}")
    return known.make(words)
