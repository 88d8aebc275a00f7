"""The settings of architectures: which network, or the reader's own in words."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

from engine.architectures.library import LIBRARY, TITLES
from engine.architectures.measuring import ArchitectureError, Measured, measure
from engine.architectures.notation import EXAMPLES, read_network, read_shape
from engine.spec import Spec, SpecError, choice, text

CUSTOM = "custom"
OWN_INPUT = "3x32x32"
LONGEST = 4000
OWN = (
    "conv 3x3 16; batchnorm; relu; 3 * (residual 16); residual 32 stride 2; 2 * (residual 32); "
    "residual 64 stride 2; 2 * (residual 64); mean; flatten; dense 10"
)


class ArchitecturesSpec(Spec):
    """One field for each setting; see the fields' own help."""

    model: str = choice(
        "resnet50", {**TITLES, CUSTOM: "Your own"}, "Network", "From the chapter, from the literature, or put together "
        "by you", group="Network",
    )  # fmt: skip
    layers: str = text(
        OWN, "Layers", "Layers and blocks with semicolons between; 3 * (...) repeats. The buttons above the drawing "
        "write here. Known: " + ", ".join(EXAMPLES.values()), longest=LONGEST, group="Network",
        shown_when={"model": (CUSTOM,)},
    )  # fmt: skip
    input: str = text(
        "", "Input", "Shape of one sample: 3x224x224 is a picture (channels, height, width), 128x512 "
        f"are tokens, 784 is a vector. Your own network takes {OWN_INPUT} where this is empty", longest=40,
        group="Network", hint="its own",
    )  # fmt: skip


def measured(spec: ArchitecturesSpec) -> Measured:
    """The network that is asked for, measured as far as its shapes can be. Raises SpecError."""
    return _measured(spec.model, spec.layers if spec.model == CUSTOM else "", spec.input.strip())


@lru_cache(maxsize=32)  # a session asks at every call how many layers there are
def _measured(model: str, layers: str, words: str) -> Measured:
    try:
        shape = read_shape(words) if words else None
    except ArchitectureError as error:
        raise SpecError("input", str(error)) from None
    try:
        if model == CUSTOM:
            return measure(read_network(layers, shape or read_shape(OWN_INPUT)), broken=True)
        found = LIBRARY[model]()
        return measure(found if shape is None else replace(found, input=shape), broken=True)
    except ArchitectureError as error:
        raise SpecError("layers", str(error)) from None
