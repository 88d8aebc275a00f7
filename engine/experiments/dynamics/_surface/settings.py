"""The settings of the loss surface: data, networks, training, and how the surface is cut."""

from __future__ import annotations

from typing import Any

from engine.data import DATA
from engine.networks.activations import ACTIVATIONS
from engine.networks.initializations import INITIALIZATIONS
from engine.networks.planes import SCALINGS
from engine.optimizers import RULES
from engine.spec import Settings, Spec, choice, flag, number

CONTESTANTS = {"plain": "Plain", "residual": "Residual", "small_batch": "Small batch", "large_batch": "Large batch"}
SETS = ("moons", "circle", "xor", "spiral", "gauss", "digits")
MOST_WIDTH, MOST_DEPTH, MOST_SAMPLES = 64, 12, 5000
SLICES = {"random": "Random directions", "pca": "Plane of the path", "line": "Plane of two solutions"}
LINES = {"seeds": "A second seed", "start": "The start"}
_GENERATED = {"data": SETS[:-1]}


def _own(size: int | None) -> type[Settings]:
    """What a contestant may have to itself."""

    class Own(Settings):
        learning_rate: float | None = number(
            None, 1e-9, 1e4, "Learning rate", "This one's own", live=True, log=True, inherits="shared"
        )
        batch_size: int | None = number(
            size, 0, 100_000, "Batch size", "This one's own; 0: all samples", live=True, log=True,
            inherits="shared",
        )  # fmt: skip

    return Own


Plain, SmallBatch, LargeBatch = (_own(size) for size in (None, 4, 0))


class SurfaceSpec(Spec):
    """See the module's text."""

    data: str = choice("moons", {name: DATA[name].title for name in SETS}, "Data", "What is to be learnt", group="Data")
    samples: int = number(
        300, 4, MOST_SAMPLES, "Samples", "How many there are, test samples included", log=True, group="Data",
        shown_when=_GENERATED,
    )  # fmt: skip
    noise: float = number(
        0.2, 0.0, 10.0, "Noise", "Standard deviation of both coordinates", group="Data", shown_when=_GENERATED
    )
    test_share: float = number(0.3, 0.0, 0.9, "Test share", "Of the samples, kept from training", group="Data")
    contestants: tuple[str, ...] = choice(
        ("plain",), CONTESTANTS, "Networks", "Who trains; small and large batch are the plain network", group="Networks"
    )
    width: int = number(16, 1, MOST_WIDTH, "Width", "Units of each hidden layer", group="Networks")
    depth: int = number(2, 0, MOST_DEPTH, "Depth", "Hidden layers; 0: a linear model", group="Networks")
    activation: str = choice(
        "relu", {name: one.title for name, one in ACTIVATIONS.items()}, "Activation", "Of every hidden layer",
        group="Networks",
    )  # fmt: skip
    initialization: str = choice(
        "he_normal", {name: one.title for name, one in INITIALIZATIONS.items()}, "Initialisation", "Of the weights",
        group="Networks",
    )  # fmt: skip
    optimizer: str = choice(
        "momentum", {name: rule.title for name, rule in RULES.items()}, "Optimizer",
        "The rule of each step, with its usual settings", group="Training",
    )  # fmt: skip
    learning_rate: float = number(
        0.05, 1e-9, 1e4, "Learning rate", "Of all that have none of their own", live=True, log=True, group="Training"
    )
    batch_size: int = number(
        32, 0, 100_000, "Batch size", "Samples a step takes; 0, or more than there are: all", live=True, log=True,
        group="Training",
    )  # fmt: skip
    l2: float = number(
        0.0, 0.0, 10.0, "L2", "Times the sum of the weights' squares (PyTorch: half of it); not in the surface drawn",
        live=True, group="Training",
    )  # fmt: skip
    convention: str = choice(
        "pytorch", {"book": "Book", "pytorch": "PyTorch"}, "Convention", "Whose formulas are in force",
        group="Training",
    )  # fmt: skip
    slice: str = choice("random", SLICES, "Slice", "The plane that the loss is drawn over", live=True, group="Surface")
    scaling: str = choice(
        "filter", SCALINGS, "Normalise", "Random directions: brought to the size of the weights", live=True,
        group="Surface", shown_when={"slice": ("random",)},
    )  # fmt: skip
    rescale: float = number(
        1.0, 0.01, 100.0, "Rescale", "First layer times this, second divided by it: a ReLU network answers the same",
        live=True, log=True, group="Surface", shown_when={"slice": ("random",)},
    )  # fmt: skip
    direction_seed: int = number(
        0, 0, 2**32 - 1, "Directions", "Seed of the random directions", live=True, group="Surface",
        shown_when={"slice": ("random",)},
    )  # fmt: skip
    reach: float = number(
        1.0, 0.01, 100.0, "Reach", "How far the plane is drawn; random directions: 1 is the size of the weights",
        live=True, log=True, group="Surface",
    )  # fmt: skip
    log_loss: bool = flag(True, "Logarithm", "Draw the logarithm of the loss", live=True, group="Surface")
    line: str = choice(
        "seeds", LINES, "Line to", "The other end of the line; a second seed is trained at the same time",
        group="Surface",
    )  # fmt: skip
    second_seed: int = number(
        1, 0, 2**32 - 1, "Second seed", "Of the other solution's first weights and batches", group="Surface",
        shown_when={"line": ("seeds",)},
    )  # fmt: skip
    steps: int = number(1000, 1, 10_000_000, "Steps", "How long the run is", live=True, log=True, group="Run")
    seed: int = number(0, 0, 2**32 - 1, "Seed", "Of data, split, first weights and batches", group="Run")
    plain: Plain = Plain()  # type: ignore[valid-type]
    residual: Plain = Plain()  # type: ignore[valid-type]
    small_batch: SmallBatch = SmallBatch()  # type: ignore[valid-type]
    large_batch: LargeBatch = LargeBatch()  # type: ignore[valid-type]


def rate(spec: Any, name: str) -> float:
    """The learning rate of one contestant."""
    own = getattr(spec, name).learning_rate
    return float(spec.learning_rate if own is None else own)


def batch(spec: Any, name: str) -> int:
    """The batch size of one contestant, 0 for all."""
    own = getattr(spec, name).batch_size
    return int(spec.batch_size if own is None else own)
