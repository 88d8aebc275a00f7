"""A network as the text of a torch.nn.Module, with its parameters in the order of the app's flat buffer."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from itertools import pairwise

from engine.networks import plan
from engine.networks.activations import activation
from engine.networks.conv_description import (
    Conv,
    ConvDescription,
    Flatten,
    GlobalPool,
    Linear,
    MapLayer,
    Pool,
    Shape,
)
from engine.networks.description import Description

from .text import WIDTH

_MODULES = {
    "sigmoid": "Sigmoid()", "tanh": "Tanh()", "relu": "ReLU()", "leaky_relu": "LeakyReLU({})", "elu": "ELU({})",
    "prelu": "PReLU(init={})", "gelu": "GELU()", "silu": "SiLU()", "mish": "Mish()",
}  # fmt: skip

LOAD_FLAT = '''\
def load_flat(model, flat, statistics=()):
    """Put the app's flat parameters and running statistics into the model, which lists its own in the same order."""
    flat = torch.as_tensor(flat, dtype=torch.get_default_dtype())
    torch.nn.utils.vector_to_parameters(flat.clone(), model.parameters())
    kept = [buffer for buffer in model.buffers() if buffer.is_floating_point()]
    for buffer, values in zip(kept, torch.as_tensor(statistics).split([len(buffer) for buffer in kept])):
        buffer.copy_(values)
'''
"""The function that fills a model; `statistics` are the running means and variances of batch normalisation."""


@dataclass
class _Block:
    """One layer: the modules it is made of (name, constructor), in order, and what comes after them."""

    modules: list[tuple[str, str]] = field(default_factory=list)
    dropout: float = 0.0
    residual: bool = False


def dropped_layers(description: Description | ConvDescription) -> list[tuple[int, float]]:
    """(layer counted from 0, rate) of every layer whose output is thinned; `forward` takes their masks in order."""
    return [(i, block.dropout) for i, block in enumerate(_blocks(description)) if block.dropout > 0]


def module_source(description: Description | ConvDescription, class_name: str = "Network") -> str:
    """The source of a class `class_name`: a Sequential where that can say it, else a Module with its own forward.

    Where there is dropout, `forward(x, masks)` takes one mask for each layer that has it, and none outside training.
    """
    blocks = _blocks(description)
    told = f'    """{_told(description)}"""'
    if not any(block.dropout or block.residual for block in blocks):
        made = [f"            {module}," for block in blocks for _, module in block.modules]
        head = [
            f"class {class_name}(torch.nn.Sequential):",
            told,
            "",
            "    def __init__(self):",
            "        super().__init__(",
        ]
        return "\n".join([*head, *made, "        )", ""])
    lines = [f"class {class_name}(torch.nn.Module):", told, "", "    def __init__(self):", "        super().__init__()"]
    lines += [f"        self.{attribute} = {module}" for block in blocks for attribute, module in block.modules]
    masked = any(block.dropout for block in blocks)
    lines += ["", f"    def forward(self, x{', masks=()' if masked else ''}):"]
    used = 0
    for block in blocks:
        value = "x"
        for attribute, _ in block.modules:
            value = f"self.{attribute}({value})"
        name = "h" if block.residual and block.dropout else "x"
        if block.dropout:
            lines += [f"        {name} = {value}", f"        {name} = {name} * masks[{used}] if masks else {name}"]
            value, used = name, used + 1
        if block.residual or not block.dropout:
            lines.append(f"        x = {'x + ' if block.residual else ''}{value}")
    return "\n".join([*lines, "        return x", ""])


def _told(d: Description | ConvDescription) -> str:
    shapes = [(size,) for size in d.sizes] if isinstance(d, Description) else d.shapes
    told = ["x".join(map(str, shape)) for shape in shapes]
    words = "-".join(told)
    return (words if len(words) <= WIDTH - 30 else f"{told[0]} to {told[-1]} in {len(told) - 1} layers") + "."


def _call(module: str, *arguments: object, **named: object) -> str:
    told = [*map(str, arguments), *(f"{key}={value!r}" for key, value in named.items())]
    return f"torch.nn.{module}({', '.join(told)})"


def _activation(name: str, slope: float) -> str:
    value = activation(name).slope if math.isnan(slope) else slope
    return "torch.nn." + _MODULES[name].format(repr(float(value)))


def _blocks(d: Description | ConvDescription) -> list[_Block]:
    return _dense(d) if isinstance(d, Description) else _maps(d)


def _dense(d: Description) -> list[_Block]:
    found = []
    names = (*d.activations, d.output)
    for i, (before, after) in enumerate(pairwise(d.sizes)):
        hidden = i < len(d.hidden)
        block = _Block([(f"linear{i + 1}", _call("Linear", before, after, **({} if d.bias else {"bias": False})))])
        if hidden and d.normalization != "none":
            kind = {"batch": "BatchNorm1d", "layer": "LayerNorm"}[d.normalization]
            block.modules.append((f"norm{i + 1}", _call(kind, after)))
        if names[i] != "identity":
            block.modules.append((f"activation{i + 1}", _activation(names[i], plan.slope(d, i))))
        block.dropout = d.dropout[i] if hidden and d.dropout else 0.0
        block.residual = d.residual and hidden and before == after
        found.append(block)
    return found


def _maps(d: ConvDescription) -> list[_Block]:
    return [_map(i, layer, shape) for i, (layer, shape) in enumerate(zip(d.layers, d.shapes, strict=False), 1)]


def _map(i: int, layer: MapLayer, before: Shape) -> _Block:
    match layer:
        case Flatten():
            return _Block([(f"flatten{i}", "torch.nn.Flatten()")])
        case GlobalPool():
            kind = "Max" if layer.kind == "max" else "Avg"
            pool = (f"pool{i}", f"torch.nn.Adaptive{kind}Pool2d(1)")
            return _Block([pool, (f"flatten{i}", "torch.nn.Flatten()")])
        case Pool():
            kind = "Max" if layer.kind == "max" else "Avg"
            return _Block([(f"pool{i}", _call(f"{kind}Pool2d", layer.kernel, **_unusual(layer, stride=0, padding=0)))])
        case Linear():
            named = _unusual(layer, bias=True)
            block = _Block([(f"linear{i}", _call("Linear", before[0], layer.outputs, **named))], layer.dropout)
        case Conv():
            named = _unusual(layer, stride=1, padding=0, dilation=1, bias=True)
            made = _call("Conv2d", before[0], layer.channels, layer.kernel, **named)
            block = _Block([(f"conv{i}", made)], layer.dropout, layer.residual)
            if layer.normalization == "batch":
                block.modules.append((f"norm{i}", _call("BatchNorm2d", layer.channels)))
            elif layer.normalization != "none":
                groups = {"layer": 1, "instance": layer.channels}.get(layer.normalization, layer.groups)
                block.modules.append((f"norm{i}", _call("GroupNorm", groups, layer.channels)))
    if layer.activation != "identity":
        block.modules.append((f"activation{i}", _activation(layer.activation, layer.slope)))
    return block


def _unusual(layer: MapLayer, **usual: object) -> dict[str, object]:
    """The settings of a layer that are not torch's own."""
    return {name: getattr(layer, name) for name, value in usual.items() if getattr(layer, name) != value}
