"""The settings of networks.normalization."""

from __future__ import annotations

from engine.spec import Spec, SpecError, choice, number, numbers

NORMS = {
    "batch": "Batch norm",
    "layer": "Layer norm",
    "instance": "Instance norm",
    "group": "Group norm",
    "none": "None",
}
STUDIES = {"tensor": "On a tensor", "train": "Training", "sweep": "Loss against batch size"}
OPTIMIZERS = {"momentum": "Momentum", "sgd": "Gradient descent", "adam": "Adam"}
DIGITS = 1797
LARGEST = 1.5e9  # products of one update of all networks
_TENSOR, _TRAIN, _SWEEP = {"study": ("tensor",)}, {"study": ("train",)}, {"study": ("sweep",)}
_NETWORK = {"study": ("train", "sweep")}


class NormalizationSpec(Spec):
    """One field for each setting; see the fields' own help."""

    study: str = choice("tensor", STUDIES, "Study", "What each does to a tensor; or networks trained with each")
    norms: tuple[str, ...] = choice(
        ("batch", "layer", "instance", "group"), NORMS, "Normalisations", "Side by side", group="Normalisations"
    )
    group_size: int = number(1, 1, 12, "Channels of a group", "For group norm; it must divide the channels",
                             group="Normalisations", shown_when=_TENSOR)  # fmt: skip
    groups: int = number(2, 1, 32, "Groups", "For group norm; it must divide the maps of every layer",
                         group="Normalisations", shown_when=_NETWORK)  # fmt: skip
    eps: float = number(1e-5, 1e-8, 1.0, "Epsilon", "Keeps the division finite", log=True, group="Normalisations",
                        shown_when=_TENSOR)  # fmt: skip
    convention: str = choice(
        "pytorch", {"pytorch": "PyTorch", "book": "Book"}, "Convention",
        "PyTorch divides by the root of variance + epsilon, the chapter's listing by deviation + epsilon",
        group="Normalisations", shown_when=_TENSOR,
    )  # fmt: skip
    variance: str = choice(
        "biased", {"biased": "Divided by n", "unbiased": "Divided by n − 1"}, "Variance",
        "All layers normalise with n; batch norm's running variance is the one with n − 1", group="Normalisations",
        shown_when=_TENSOR,
    )  # fmt: skip

    batch: int = number(4, 1, 8, "Samples N", "Of the tensor", group="Tensor", shown_when=_TENSOR)
    channels: int = number(3, 1, 12, "Channels C", "N(10, 5²), N(0, 1), N(-5, 3²), and again", group="Tensor",
                           shown_when=_TENSOR)  # fmt: skip
    side: int = number(4, 1, 6, "Side H = W", "Of a feature map", group="Tensor", shown_when=_TENSOR)
    tensor_seed: int = number(42, 0, 2**32 - 1, "Seed", "NumPy's legacy generator, as in the chapter", group="Tensor",
                              shown_when=_TENSOR)  # fmt: skip

    maps: int = number(8, 2, 32, "Maps", "Of the first convolution; the other two have twice as many", log=True,
                       group="Network", shown_when=_NETWORK)  # fmt: skip
    samples: int = number(400, 16, 1500, "Training samples", "Handwritten digits", log=True, group="Data",
                          shown_when=_NETWORK)  # fmt: skip
    test_samples: int = number(400, 0, 1500, "Test samples", "Handwritten digits that are held back", group="Data",
                               shown_when=_NETWORK)  # fmt: skip
    batch_size: int = number(8, 2, 256, "Batch size", "Samples of one update", log=True, group="Training",
                             shown_when=_TRAIN)  # fmt: skip
    sizes: tuple[int, ...] = numbers(
        (2, 4, 8, 16, 32, 64, 128, 256), 2, 256, 12, "Batch sizes", "One after another, the largest first",
        group="Training", shown_when=_SWEEP,
    )  # fmt: skip
    epochs: int = number(4, 1, 50, "Epochs", "How often every sample is seen, whatever the batch size", log=True,
                         group="Training", shown_when=_NETWORK)  # fmt: skip
    optimizer: str = choice("adam", OPTIMIZERS, "Optimizer", "With PyTorch's formulas and usual constants, "
                            "momentum 0.9", group="Training", shown_when=_NETWORK)  # fmt: skip
    learning_rate: float = number(0.003, 1e-6, 10.0, "Learning rate", "Of every network", live=True, log=True,
                                  group="Training", shown_when=_NETWORK)  # fmt: skip
    scaling: str = choice(
        "fixed", {"fixed": "The same", "linear": "In proportion"}, "Rate by batch size",
        "In proportion: multiplied by batch size / 32, as Wu and He (2018) do", group="Training", shown_when=_NETWORK,
    )  # fmt: skip
    seeds: int = number(3, 1, 10, "Seeds", "Networks of each kind; each seed has first weights and batches of its own",
                        group="Run", shown_when=_NETWORK)  # fmt: skip
    seed: int = number(0, 0, 2**32 - 11, "First seed", "Of the choice of digits, first weights and batches",
                       group="Run", shown_when=_NETWORK)  # fmt: skip


def batch_sizes(spec: NormalizationSpec) -> tuple[int, ...]:
    """The batch sizes in the order in which they are trained."""
    found = (spec.batch_size,) if spec.study == "train" else tuple(sorted(set(spec.sizes), reverse=True))
    return tuple(dict.fromkeys(min(size, spec.samples) for size in found))


def updates(spec: NormalizationSpec, size: int) -> int:
    """Updates of every network at a batch size."""
    return spec.epochs * -(-spec.samples // size)


def rate(spec: NormalizationSpec, size: int) -> float:
    """The learning rate at a batch size."""
    return spec.learning_rate * (size / 32.0 if spec.scaling == "linear" else 1.0)


def check(spec: NormalizationSpec) -> None:
    """Raise SpecError for what does not belong together, or would take long."""
    if not spec.norms:
        raise SpecError("norms", "'' is not allowed; name at least one normalisation")
    if spec.study == "tensor":
        if "group" in spec.norms and spec.channels % spec.group_size:
            raise SpecError("group_size", f"{spec.group_size} is not allowed; it must divide {spec.channels} channels")
        return
    if spec.study == "sweep" and not spec.sizes:
        raise SpecError("sizes", "'' is not allowed; give at least one batch size")
    if "group" in spec.norms and spec.maps % spec.groups:
        raise SpecError("groups", f"{spec.groups} is not allowed; it must divide {spec.maps} maps")
    if spec.samples + spec.test_samples > DIGITS:
        raise SpecError("samples", f"{spec.samples} is not allowed; there are {DIGITS:,} digits, and with test samples "
                        f"that makes {spec.samples + spec.test_samples:,}")  # fmt: skip
    cost = 3.0 * len(spec.norms) * spec.seeds * max(batch_sizes(spec)) * (16 * 9 * spec.maps + 72.0 * 3 * spec.maps**2)
    if cost > LARGEST:
        most = int(spec.maps * (LARGEST / cost) ** 0.5)
        raise SpecError("maps", f"{spec.maps} is not allowed with such batches and so many seeds; give at most {most}")
