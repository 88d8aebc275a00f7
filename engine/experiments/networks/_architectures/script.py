"""The PyTorch script of networks.architectures: the network as an nn.Module, held to what was measured."""

from __future__ import annotations

from dataclasses import replace

from engine.architectures.measuring import BYTES, Measured
from engine.architectures.torch_module import module_code
from engine.torch_code import header, section

_MEASURE = '''
def measured(network, shape):
    """Output shape, parameters and multiply-adds of every layer, in the order of the forward pass of one sample."""
    rows = []

    def note(layer, given, out):
        inside, outside = tuple(given[0].shape[1:]), tuple(out.shape[1:])
        work = 0
        if isinstance(layer, nn.Conv2d):
            work = out.numel() * layer.in_channels // layer.groups * layer.kernel_size[0] ** 2
        elif isinstance(layer, nn.Linear):
            work = given[0].numel() * layer.out_features
        elif type(layer).__name__ == "SelfAttention":  # four projections, and two products of all pairs of tokens
            tokens, width = inside
            work = 4 * tokens * width**2 + 2 * tokens**2 * width
        rows.append((outside, sum(p.numel() for p in layer.parameters()) if alone(layer) else 0, work))

    for layer in network.modules():
        if alone(layer) or type(layer).__name__ in ("Add", "Concat", "Multiply"):
            if not isinstance(layer, nn.Identity):
                layer.register_forward_hook(note)
    with torch.no_grad():
        network(torch.zeros(1, *shape))
    return rows


def alone(layer):
    """Whether this is a layer, and neither a container nor a part of one."""
    return type(layer).__name__ == "SelfAttention" or not (
        list(layer.children()) or isinstance(layer, nn.modules.linear.NonDynamicallyQuantizableLinear)
    )
'''

_CHECK = """
with torch.device("meta"):  # shapes without numbers: nothing is computed, however large the network
    network = build().eval()
    rows = measured(network, INPUT)
assert len(rows) >= len(APP), f"{len(rows)} layers, in the app {len(APP)}"
for k, (mine, app) in enumerate(zip(rows, APP), 1):
    assert mine == app, f"layer {k}: output, parameters, multiply-adds {mine}, in the app {app}"
parameters, multiply_adds = (sum(row[i] for row in rows[: len(APP)]) for i in (1, 2))
assert (parameters, multiply_adds) == END, f"{parameters} parameters, {multiply_adds} multiply-adds; in the app {END}"
whole = sum(p.numel() for p in network.parameters())
assert whole == WHOLE, f"{whole} parameters in all, in the app {WHOLE}"
print(f"{len(APP)} layers: {parameters:,} parameters, {multiply_adds:,} multiply-adds for one sample.")
print("Shapes and counts are the app's. build() returns the network, ready to be trained.")
"""


def write(found: Measured, steps: int) -> str:
    """A script that builds the network and asserts what was measured of its first `steps` layers."""
    sound = _sound(found)
    rows = sound.rows[:steps]
    end = sum(row.parameters for row in rows), sum(row.multiply_adds for row in rows)
    words = [
        "The network as an nn.Module, built from plain torch layers. It runs once without numbers (device meta), and "
        "every layer's output, parameters and multiply-adds are compared with the app's.",
        f"Memory of an output is {BYTES} bytes a number.",
    ]
    if found.broken:
        words.append(f"The network cannot be built: {found.broken}. The parts in front of it are compared.")
    code = module_code(sound)
    if found.network.source:
        words.append(f"Source: {found.network.source}.")
    table = [f"    ({row.out!r}, {row.parameters}, {row.multiply_adds})," for row in rows]
    return "\n".join([
        header(f"{found.network.title}, layer by layer.", words, ["import torch", "from torch import nn"]),
        section("The network"),
        code,
        section("What the app measured"),
        f"INPUT, END, WHOLE = {found.network.input!r}, {end!r}, {sound.parameters}",
        "APP = [  # output, parameters, multiply-adds",
        *table,
        "]",
        "",
        section("The same, measured by PyTorch"),
        _MEASURE,
        _CHECK,
    ])  # fmt: skip


def _sound(found: Measured) -> Measured:
    """The network up to the part that cannot be."""
    if not found.broken:
        return found
    nodes = found.nodes[:-1]
    rows = found.rows[: nodes[-1].last if nodes else 0]
    network = replace(found.network, parts=found.network.parts[: len(nodes)])
    parameters, multiply_adds = (sum(getattr(row, name) for row in rows) for name in ("parameters", "multiply_adds"))
    return Measured(network, nodes, rows, parameters, multiply_adds)
