"""The settings of networks.depth."""

from __future__ import annotations

from engine.data import DATA
from engine.spec import Spec, SpecError, choice, number, numbers

NETWORKS = {"plain": "Plain", "residual": "Residual", "preactivation": "Pre-activation"}
STUDIES = {"train": "Training at one depth", "sweep": "Loss against depth"}
NORMALIZATIONS = {"batch": "Batch norm", "layer": "Layer norm", "none": "None"}
OPTIMIZERS = {"momentum": "Momentum", "sgd": "Gradient descent", "adam": "Adam"}
SETS = ("spiral", "moons", "circle", "rings", "digits")
DIGITS = 1797
DEEPEST = 66
LARGEST = 6e8  # products of one update of all networks at one depth
_TRAIN, _SWEEP = {"study": ("train",)}, {"study": ("sweep",)}
_DRAWN = {"data": SETS[:-1]}


class DepthSpec(Spec):
    """One field for each setting; see the fields' own help."""

    study: str = choice("train", STUDIES, "Study", "One depth, watched while it trains; or one depth after another")
    networks: tuple[str, ...] = choice(
        ("plain", "residual", "preactivation"), NETWORKS, "Networks",
        "All have equally many parameters, the same first weights and the same batches", group="Networks",
    )  # fmt: skip
    depth: int = number(
        50, 3, DEEPEST, "Depth", "Layers with weights: the first, those in blocks of two, and the last",
        group="Networks", shown_when=_TRAIN,
    )  # fmt: skip
    depths: tuple[int, ...] = numbers(
        (4, 8, 14, 20, 26, 32, 40, 50), 3, DEEPEST, 20, "Depths", "One after another, the shallowest first",
        group="Networks", shown_when=_SWEEP,
    )  # fmt: skip
    width: int = number(16, 2, 64, "Width", "Units of every layer but the last", log=True, group="Networks")
    normalization: str = choice(
        "batch", NORMALIZATIONS, "Normalisation", "Of every layer but the last, with a gain and a shift for each unit",
        group="Networks",
    )  # fmt: skip
    activation: str = choice("relu", {"relu": "ReLU", "tanh": "tanh"}, "Activation", "Of every layer but the last",
                             group="Networks")  # fmt: skip
    branch: float = number(
        1.0, 0.01, 1.0, "Scale of a branch", "What a block adds is multiplied by this; a plain network has none",
        log=True, group="Networks",
    )  # fmt: skip

    data: str = choice("spiral", {name: DATA[name].title for name in SETS}, "Data", "What is learnt", group="Data")
    samples: int = number(200, 8, 1500, "Training samples", "How many the networks learn from", log=True, group="Data")
    test_samples: int = number(200, 0, 1500, "Test samples", "How many are held back", group="Data")
    noise: float = number(0.0, 0.0, 2.0, "Noise", "Standard deviation of both coordinates", group="Data",
                          shown_when=_DRAWN)  # fmt: skip

    optimizer: str = choice("momentum", OPTIMIZERS, "Optimizer", "With PyTorch's formulas and usual constants, "
                            "momentum 0.9", group="Training")  # fmt: skip
    learning_rate: float = number(0.05, 1e-6, 10.0, "Learning rate", "Of every network", live=True, log=True,
                                  group="Training")  # fmt: skip
    batch_size: int = number(50, 2, 1500, "Batch size", "Samples of one update", live=True, log=True, group="Training")
    steps: int = number(300, 1, 10_000, "Updates", "Of every network, at every depth", log=True, group="Training")
    evaluate_every: int = number(10, 1, 1000, "Measure every", "Updates between two measurements over all samples",
                                 log=True, group="Training")  # fmt: skip
    seeds: int = number(3, 1, 10, "Seeds", "Networks of each kind; each seed has first weights and batches of its own",
                        group="Run")  # fmt: skip
    seed: int = number(0, 0, 2**32 - 11, "First seed", "Of data, first weights and batches", group="Run")


def depths(spec: DepthSpec) -> tuple[int, ...]:
    """The depths in the order in which they are trained."""
    return (spec.depth,) if spec.study == "train" else tuple(sorted(set(spec.depths)))


def work(spec: DepthSpec, depth: int) -> float:
    """Products of one update of all networks at this depth."""
    return 3.0 * spec.seeds * len(spec.networks) * depth * spec.width**2 * min(spec.batch_size, spec.samples)


def check(spec: DepthSpec) -> None:
    """Raise SpecError for what does not belong together, or would take long."""
    if not spec.networks:
        raise SpecError("networks", "'' is not allowed; name at least one network")
    if not depths(spec):
        raise SpecError("depths", "'' is not allowed; give at least one depth")
    if spec.data == "digits" and spec.samples + spec.test_samples > DIGITS:
        raise SpecError("samples", f"{spec.samples} is not allowed; there are {DIGITS:,} digits, and with test samples "
                        f"that makes {spec.samples + spec.test_samples:,}")  # fmt: skip
    cost = work(spec, depths(spec)[-1])
    if cost > LARGEST:
        raise SpecError(
            "width", f"{spec.width} is not allowed with so many layers, seeds and samples of a batch; give at most "
            f"{int(spec.width * (LARGEST / cost) ** 0.5)}",
        )  # fmt: skip
