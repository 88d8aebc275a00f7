"""A network as a PyTorch module: text that builds an nn.Module with the same layers and the same parameters.

A block that stands several times becomes a function. Where only the channels that come in differ from place to place
(a dense layer), they are its argument.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from engine.architectures.graph import Block, Fork, Join, Part, leaves
from engine.architectures.layers import Attention, Flatten, Layer, MeanToken, Shape, Tokens
from engine.architectures.measuring import Measured, Node

_JOINS: dict[Join, tuple[str, str, str]] = {
    "add": ("Add", "The sum of several ways from the same input.", "return sum(way(x) for way in self.ways)"),
    "concat": (
        "Concat", "Several ways from the same input, one behind the other by channels.",
        "return torch.cat([way(x) for way in self.ways], dim=-1 if x.dim() == 3 else 1)",
    ),
    "multiply": (
        "Multiply", "The product of several ways from the same input: a gate.",
        "first, *others = [way(x) for way in self.ways]\n        return first * torch.stack(others).prod(0)",
    ),
}  # fmt: skip
_HELPERS: dict[type[Layer], str] = {
    Tokens: '''class Tokens(nn.Module):
    """The places of a picture as a row of tokens."""

    def forward(self, x):
        return x.flatten(2).transpose(1, 2)
''',
    MeanToken: '''class MeanToken(nn.Module):
    """The mean over all tokens."""

    def forward(self, x):
        return x.mean(1)
''',
    Attention: '''class SelfAttention(nn.Module):
    """Every token asks all tokens."""

    def __init__(self, width, heads):
        super().__init__()
        self.inner = nn.MultiheadAttention(width, heads, batch_first=True)

    def forward(self, x):
        return self.inner(x, x, x, need_weights=False)[0]
''',
}


class _Unclear(Exception):
    """The channels of a block cannot be written with one number left open."""


@dataclass(frozen=True)
class _Width:
    """Channels as `c + more`, or as `more` alone."""

    more: int
    open: bool = False

    def __str__(self) -> str:
        return (f"c + {self.more}" if self.more else "c") if self.open else str(self.more)


def module_code(measured: Measured) -> str:
    """Classes, functions and `build()`, which returns the network. Needs torch, and nn from it."""
    parts = [leaf for part in measured.network.parts for leaf in leaves(part)]
    needed = [text for kind, text in _HELPERS.items() if any(isinstance(leaf, kind) for leaf in parts)]
    joins = [_join_class(*_JOINS[join]) for join in _JOINS if join in parts]
    writer = _Writer(measured.nodes)
    body = writer.items(measured.nodes, None, "        ")
    build = "def build():\n" + f'    """{measured.network.title}."""\n' + f"    return nn.Sequential(\n{body}    )\n"
    return "\n\n".join([*needed, *joins, *writer.functions.values(), build])


def _join_class(name: str, words: str, forward: str) -> str:
    return f'''class {name}(nn.Module):
    """{words}"""

    def __init__(self, *ways):
        super().__init__()
        self.ways = nn.ModuleList(ways)

    def forward(self, x):
        {forward}
'''


def _nodes(nodes: Sequence[Node]) -> Iterator[Node]:
    for node in nodes:
        yield node
        for way in node.ways:
            yield from _nodes(way)


@dataclass
class _Function:
    """A block that stands several times: its name, and whether its channels are an argument."""

    name: str
    open: bool


class _Writer:
    """Turns nodes into text and collects the functions they need."""

    def __init__(self, nodes: Sequence[Node]) -> None:
        places: dict[Block, list[Shape]] = {}
        for node in _nodes(nodes):
            if isinstance(node.part, Block):
                places.setdefault(node.part, []).append(node.inside)
        self._places = places
        self._known: dict[tuple[Block, Shape | None], _Function] = {}
        self.functions: dict[str, str] = {}

    def items(self, nodes: Sequence[Node], width: _Width | None, indent: str) -> str:
        """The arguments of a Sequential, a line each; equal calls one after the other become one line."""
        lines: list[tuple[str, int]] = []
        for node in nodes:
            text = self.expression(node, width, indent)
            width = self._behind(node, width)
            if lines and lines[-1][0] == text and text.endswith("()") and not text.startswith("nn."):
                lines[-1] = text, lines[-1][1] + 1
            else:
                lines.append((text, 1))
        return "".join(
            f"{indent}{text},\n" if n == 1 else f"{indent}*[{text} for _ in range({n})],\n" for text, n in lines
        )

    def expression(self, node: Node, width: _Width | None, indent: str) -> str:
        """One part; `width`: the channels that come in, None where they are plain numbers."""
        part = node.part
        if isinstance(part, Layer):
            if width is not None and width.open and isinstance(part, Flatten):
                raise _Unclear
            return part.code(str(width if width is not None else _wide(node.inside)), node.inside)
        if isinstance(part, Fork):
            ways = "".join(f"{indent}    {self._way(way, width, indent + '    ')},\n" for way in node.ways)
            return f"{_JOINS[part.join][0]}(\n{ways}{indent})"
        return self._block(node, part, width, indent)

    def _way(self, way: Sequence[Node], width: _Width | None, indent: str) -> str:
        if not way:
            return "nn.Identity()"
        if len(way) == 1:
            return self.expression(way[0], width, indent)
        return f"nn.Sequential(\n{self.items(way, width, indent + '    ')}{indent})"

    def _block(self, node: Node, block: Block, width: _Width | None, indent: str) -> str:
        if len(self._places[block]) == 1 or (width is not None and width.open):
            words = f"nn.Sequential(  # {block.title}\n"
            return f"{words}{self.items(node.ways[0], width, indent + '    ')}{indent})"
        shapes = {_wide(shape) for shape in self._places[block]}
        function = self._known.get((block, None)) or self._known.get((block, node.inside))
        if function is None:
            function = self._function(node, block, len(shapes) > 1)
        return f"{function.name}({_wide(node.inside) if function.open else ''})"

    def _function(self, node: Node, block: Block, opened: bool) -> _Function:
        stem = re.sub(r"\W+", "_", block.title.lower()).strip("_")
        name, n = stem, 1
        while name in self.functions or name == "build":
            n += 1
            name = f"{stem}_{n}"
        self.functions[name] = ""
        try:
            body = self.items(node.ways[0], _Width(0, True) if opened else None, "        ")
        except _Unclear:
            opened = False
            body = self.items(node.ways[0], None, "        ")
            made = self._known[block, node.inside] = _Function(name, False)
        else:
            flat = any(isinstance(leaf, Flatten) for leaf in leaves(block))
            made = self._known[block, node.inside if flat else None] = _Function(name, opened)
        head = f"def {name}({'c' if opened else ''}):\n    return nn.Sequential(\n"
        # functions that this one calls were written first
        del self.functions[name]
        self.functions[name] = f"{head}{body}    )\n"
        return made

    def _behind(self, node: Node, width: _Width | None) -> _Width | None:
        return None if width is None else _behind(node.part, width)


def _wide(shape: Shape) -> int:
    """The channels of a picture, the width of tokens, the features of a vector."""
    return shape[0] if len(shape) == 3 else shape[-1]


def _behind(part: Part, width: _Width) -> _Width:
    """The channels behind a part."""
    if isinstance(part, Layer):
        fixed = part.fixed_width()
        return width if fixed is None else _Width(fixed)
    if isinstance(part, Block):
        for inner in part.parts:
            width = _behind(inner, width)
        return width
    ends = []
    for way in part.ways:
        end = width
        for inner in way:
            end = _behind(inner, end)
        ends.append(end)
    if part.join != "concat":
        return next((end for end in ends if not end.open), ends[0])
    if sum(end.open for end in ends) > 1:
        raise _Unclear
    return _Width(sum(end.more for end in ends), any(end.open for end in ends))
