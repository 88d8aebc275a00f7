"""The settings of gradient flow: a plain network, the cures, and who is measured side by side."""

from __future__ import annotations

from dataclasses import dataclass, replace

from engine.networks.activations import ACTIVATIONS
from engine.networks.initializations import INITIALIZATIONS
from engine.spec import Settings, Spec, choice, flag, number

NAMES = ("sigmoid", "tanh", "relu", "leaky_relu", "elu", "gelu", "silu", "mish", "identity")
CHOSEN = {name: ACTIVATIONS[name].title for name in NAMES}
WEIGHTS = {name: one.title for name, one in INITIALIZATIONS.items()}
NORMALIZATIONS = {"none": "None", "batch": "Batch norm", "layer": "Layer norm"}
CLIPPINGS = {"none": "None", "norm": "By norm", "value": "By value"}
TITLES = {
    "network": "Your network",
    "plain": "Plain",
    "initialization": "Plain + weights",
    "activation": "Plain + activation",
    "normalization": "Plain + normalisation",
    "residual": "Plain + residual",
    "clipping": "Plain + clipping",
}
NORMAL = {"initialization": ("normal",)}


class PlainSettings(Settings):
    """The network without a cure, that all others are compared with."""

    activation: str = choice("sigmoid", CHOSEN, "Activation", "Of the plain network and of those with one cure")
    initialization: str = choice("xavier_normal", WEIGHTS, "Weights", "Of the plain network and of those with one cure")
    std: float = number(
        1.0, 1e-4, 100.0, "Standard deviation", "Of every weight", log=True, shown_when={"initialization": ("normal",)}
    )


class GradientFlowSpec(Spec):
    """One field for each setting; see the fields' own help."""

    networks: tuple[str, ...] = choice(
        ("network", "plain"), TITLES, "Networks",
        "Yours has every setting below. Plain has an activation and weights of its own and no cure; each of the others "
        "is the plain one with a single cure of yours", group="Networks",
    )  # fmt: skip
    depth: int = number(20, 1, 100, "Hidden layers", "How deep every network is", group="Shape")
    width: int = number(64, 4, 512, "Width", "Inputs, and units in every hidden layer", log=True, group="Shape")
    activation: str = choice("relu", CHOSEN, "Activation", "Of every hidden layer", group="Your network")
    initialization: str = choice(
        "he_normal", WEIGHTS, "Weights", "How every layer's weights are drawn; there are no biases",
        group="Your network",
    )  # fmt: skip
    std: float = number(
        1.0, 1e-4, 100.0, "Standard deviation", "Of every weight", log=True, group="Your network", shown_when=NORMAL
    )
    normalization: str = choice(
        "none", NORMALIZATIONS, "Normalisation",
        "Before every activation, without gain and shift; the network with normalisation alone takes batch norm where "
        "you have none", group="Your network",
    )  # fmt: skip
    residual: bool = flag(False, "Residual", "Every layer adds to what comes in", group="Your network")
    branch: float = number(
        1.0, 0.01, 1.0, "Scale of a branch", "What a residual layer adds is multiplied by this", log=True,
        group="Your network",
    )  # fmt: skip
    clipping: str = choice(
        "none", CLIPPINGS, "Clipping",
        "Of the gradient before an update: the norm of all of it, or every number by itself; the network with clipping "
        "alone takes the norm where you have none", group="Your network",
    )  # fmt: skip
    clip_at: float = number(
        1.0, 1e-6, 1e6, "Clip at", "The largest norm, or the largest number", log=True, group="Your network"
    )
    loss: str = choice(
        "cross_entropy", {"cross_entropy": "Cross-entropy", "mse": "Squared error"}, "Loss",
        "Ten classes drawn at random, or ten random numbers", group="Measurement",
    )  # fmt: skip
    samples: int = number(64, 2, 256, "Samples", "In the batch, each number from N(0, 1)", log=True,
                          group="Measurement")  # fmt: skip
    seeds: int = number(10, 2, 50, "Seeds", "Networks that are measured of each kind", group="Measurement")
    seed: int = number(0, 0, 2**32 - 51, "First seed", "Of weights, inputs and targets", group="Measurement")
    learning_rate: float = number(
        0.01, 1e-6, 10.0, "Learning rate", "Of gradient descent on the one batch", log=True, group="First updates"
    )
    updates: int = number(30, 1, 100, "Updates", "Of the first network of each kind", group="First updates")
    plain: PlainSettings = PlainSettings()


@dataclass(frozen=True)
class Network:
    """One kind of network: what is measured is this, `depth` layers deep."""

    depth: int
    width: int
    activation: str
    initialization: str
    std: float
    normalization: str = "none"
    residual: bool = False
    branch: float = 1.0
    clipping: str = "none"
    clip_at: float = 1.0
    loss: str = "cross_entropy"


def network(spec: GradientFlowSpec, name: str) -> Network:
    """The contestant of this name under these settings."""
    plain = Network(
        spec.depth, spec.width, spec.plain.activation, spec.plain.initialization, spec.plain.std, branch=spec.branch,
        clip_at=spec.clip_at, loss=spec.loss,
    )  # fmt: skip
    match name:
        case "network":
            return replace(
                plain, activation=spec.activation, initialization=spec.initialization, std=spec.std,
                normalization=spec.normalization, residual=spec.residual, clipping=spec.clipping,
            )  # fmt: skip
        case "plain":
            return plain
        case "initialization":
            return replace(plain, initialization=spec.initialization, std=spec.std)
        case "activation":
            return replace(plain, activation=spec.activation)
        case "normalization":
            return replace(plain, normalization=spec.normalization if spec.normalization != "none" else "batch")
        case "residual":
            return replace(plain, residual=True)
        case "clipping":
            return replace(plain, clipping=spec.clipping if spec.clipping != "none" else "norm")
    raise KeyError(name)
