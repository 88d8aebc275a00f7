"""The settings of the activations' experiment: who, over which range, and the stack that measures them."""

from __future__ import annotations

from engine.networks.activations import ACTIVATIONS
from engine.networks.initializations import INITIALIZATIONS
from engine.spec import Settings, Spec, choice, number

NAMES = ("sigmoid", "tanh", "relu", "leaky_relu", "prelu", "elu", "gelu", "silu", "mish", "identity")
TITLES = {name: ACTIVATIONS[name].title for name in NAMES}
PARAMETERS = {"leaky_relu": "alpha", "prelu": "a", "elu": "alpha", "silu": "beta"}  # of those that have one


class LeakySettings(Settings):
    """Leaky ReLU's own."""

    alpha: float = number(0.01, 0.0, 4.0, "Slope below 0", "The chapter draws 0.1; PyTorch's own is 0.01")


class PreluSettings(Settings):
    """PReLU's own."""

    a: float = number(0.25, -1.0, 4.0, "First slope below 0", "Where training begins; nothing is trained here")


class EluSettings(Settings):
    """ELU's own."""

    alpha: float = number(1.0, 0.0, 10.0, "alpha", "It levels out at minus this")


class SiluSettings(Settings):
    """SiLU's own."""

    beta: float = number(
        1.0,
        0.01,
        100.0,
        "beta",
        "x times sigmoid(beta x): 1 is SiLU, others Swish, very large ones nearly ReLU",
        log=True,
    )


class ActivationsSpec(Spec):
    """One field for each setting; see the fields' own help."""

    activations: tuple[str, ...] = choice(
        ("sigmoid", "tanh", "relu", "leaky_relu", "elu"), TITLES, "Activations", "Whose curves and stacks are compared",
        group="Activations",
    )  # fmt: skip
    low: float = number(-5.0, -1000.0, 1000.0, "From", "Where the curves begin", unit="x", group="Range")
    high: float = number(5.0, -1000.0, 1000.0, "To", "Where they end", unit="x", group="Range")
    depth: int = number(30, 1, 100, "Layers", "How deep the stack grows, one layer a step", group="Stack")
    width: int = number(256, 2, 512, "Width", "Units in every layer", log=True, group="Stack")
    initialization: str = choice(
        "he_normal", {name: one.title for name, one in INITIALIZATIONS.items()}, "Weights",
        "How every layer's weights are drawn; biases are 0", group="Stack",
    )  # fmt: skip
    std: float = number(
        0.1, 1e-4, 10.0, "Standard deviation", "Of every weight", log=True, group="Stack",
        shown_when={"initialization": ("normal",)},
    )  # fmt: skip
    samples: int = number(
        32, 2, 256, "Samples", "Inputs that go through, each number from N(0, 1)", log=True, group="Stack"
    )
    seeds: int = number(3, 1, 8, "Seeds", "Stacks that are measured; the curves are their means", group="Stack")
    seed: int = number(0, 0, 2**32 - 9, "First seed", "Of weights, inputs and gradient", group="Stack")
    leaky_relu: LeakySettings = LeakySettings()
    prelu: PreluSettings = PreluSettings()
    elu: EluSettings = EluSettings()
    silu: SiluSettings = SiluSettings()


def parameter(spec: ActivationsSpec, name: str) -> float | None:
    """The parameter of one activation under these settings, None where it has none."""
    return float(getattr(getattr(spec, name), PARAMETERS[name])) if name in PARAMETERS else None
