"""The settings of double descent."""

from __future__ import annotations

from engine.spec import Spec, choice, number, numbers

FAMILIES = {
    "isotropic": "Isotropic columns",
    "random_features": "Random ReLU features",
    "width": "Network width",
    "epochs": "Training time",
}
GROWS = {  # as an axis says it
    "isotropic": "columns p",
    "random_features": "random features p",
    "width": "hidden units",
    "epochs": "epochs",
}
FITS = {
    "ridgeless": "No penalty",
    "ridge": "Ridge, as set",
    "ridge_0.01": "Ridge 0.01",
    "ridge_0.1": "Ridge 0.1",
    "ridge_1": "Ridge 1",
    "ridge_10": "Ridge 10",
    "best": "Best ridge",
}
LINEAR, TRAINED = ("isotropic", "random_features"), ("width", "epochs")
MOST_UNITS = 256
_ISOTROPIC, _REAL = {"family": ("isotropic",)}, {"family": ("random_features", *TRAINED)}
_MADE = {**_REAL, "data": ("made",)}


class DoubleDescentSpec(Spec):
    """One field for each setting; see the fields' own help."""

    family: str = choice("isotropic", FAMILIES, "What grows", "And is fitted at every size", group="Model")
    fits: tuple[str, ...] = choice(
        ("ridgeless", "ridge", "best"), FITS, "Penalties",
        "What is added to the squared errors: a penalty times the squared weights. Best is known for isotropic columns "
        "only: σ² p / r²", group="Model",
    )  # fmt: skip
    penalty: float = number(1.0, 1e-6, 1e6, "Ridge", "The penalty of 'Ridge, as set'", log=True, group="Model")

    samples: int = number(100, 4, 1000, "Samples n", "To fit", log=True, group="Data")
    seeds: int = number(20, 1, 200, "Repetitions", "With data of their own; curves are means", log=True, group="Data")
    seed: int = number(0, 0, 2**32 - 1, "Seed", "Of the first repetition; the next ones follow", group="Data")
    noise: float = number(
        0.25, 0.0, 10.0, "Noise variance σ²", "Of the targets fitted; errors are against targets without it",
        group="Data",
    )  # fmt: skip
    signal: float = number(
        1.0, 0.0, 10.0, "Signal r²", "Squared norm of the true weights", group="Data", shown_when=_ISOTROPIC,
    )  # fmt: skip
    spread: str = choice(
        "seen", {"seen": "In the p columns", "unseen": "Also beyond them"},
        "Signal lies", "As Hastie et al. 2022 have it, or as Belkin et al. 2020: column j counts "
        "with 1/j, and what is not among the first p is noise to the fit", group="Data", shown_when=_ISOTROPIC,
    )  # fmt: skip
    data: str = choice(
        "made", {"made": "A bent function", "digits": "Digits: odd or even"}, "Task",
        "Digits: targets 1 and -1 for 8 x 8 pictures", group="Data", shown_when=_REAL,
    )  # fmt: skip
    inputs: int = number(10, 1, 100, "Inputs d", "Of the function", log=True, group="Data", shown_when=_MADE)

    scale: float = number(
        1.0, 0.01, 1.0, "Scale of half the inputs", "Below 1 every second input is small: what hangs on it is learnt "
        "late", log=True, group="Data", shown_when=_MADE,
    )  # fmt: skip

    lowest: int = number(
        10, 1, 10_000, "Fewest columns", "Of the first fit", log=True, group="Size", shown_when={"family": LINEAR},
    )  # fmt: skip
    highest: int = number(
        400, 2, 10_000, "Most columns", "Of the last fit", log=True, group="Size", shown_when={"family": LINEAR},
    )  # fmt: skip
    count: int = number(
        47, 2, 200, "Sizes", "Evenly over decades, beside n itself", group="Size", shown_when={"family": LINEAR},
    )  # fmt: skip
    widths: tuple[int, ...] = numbers(
        (), 1, 10_000, 100, "Sizes of your own", "In place of those above; empty: those above", group="Size",
        shown_when={"family": LINEAR}, hint="those above",
    )  # fmt: skip
    units: tuple[int, ...] = numbers(
        (1, 2, 4, 6, 8, 10, 12, 16, 24, 32, 48, 64), 1, MOST_UNITS, 40, "Hidden units", "Of one network after another",
        group="Size", shown_when={"family": ("width",)},
    )  # fmt: skip
    hidden: int = number(
        32, 1, MOST_UNITS, "Hidden units", "Of the network", log=True, group="Size", shown_when={"family": ("epochs",)},
    )  # fmt: skip

    epochs: int = number(
        2000, 1, 200_000, "Epochs", "Of every network, all samples at once", log=True, group="Training",
        shown_when={"family": TRAINED},
    )  # fmt: skip
    every: int = number(
        10, 1, 10_000, "Epochs a step", "Between two measurements", log=True, group="Training",
        shown_when={"family": ("epochs",)},
    )  # fmt: skip
    optimizer: str = choice(
        "adam", {"adam": "Adam", "momentum": "Momentum", "sgd": "Gradient descent"}, "Optimizer", "Of every network",
        group="Training", shown_when={"family": TRAINED},
    )  # fmt: skip
    learning_rate: float = number(
        0.01, 1e-6, 10.0, "Learning rate", "Of every network", live=True, log=True, group="Training",
        shown_when={"family": TRAINED},
    )  # fmt: skip


def penalties(spec: DoubleDescentSpec, p: int) -> dict[str, float]:
    """The penalty of each contestant at p columns (only isotropic data make the best one depend on p)."""
    found = {}
    for name in spec.fits:
        if name == "best":
            found[name] = spec.noise * p / spec.signal if spec.signal > 0.0 else 1e12
        elif name == "ridge":
            found[name] = spec.penalty
        else:
            found[name] = 0.0 if name == "ridgeless" else float(name.removeprefix("ridge_"))
    return found
