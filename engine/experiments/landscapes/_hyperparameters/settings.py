"""The settings of a map of runs: what is run, with which optimizer, and which two settings the map goes over."""

from __future__ import annotations

from typing import Any

from pydantic import Field, create_model

from engine.data import DATA
from engine.networks.activations import ACTIVATIONS
from engine.networks.initializations import INITIALIZATIONS
from engine.optimizers import RULES
from engine.spec import Settings, Spec, choice, number, numbers, point, text
from engine.surfaces import SURFACES

FIELDS = {
    "learning_rate": "Learning rate", "momentum": "Momentum, or beta 1", "beta2": "Beta 2, alpha or rho",
    "weight_decay": "Weight decay", "eps": "Epsilon", "lr_decay": "Rate decay of AdaGrad",
    "momentum_decay": "Momentum decay of NAdam", "steps": "Steps", "seed": "Seed",
    "condition_number": "Condition number of the bowl", "start_x": "Start x of a surface",
    "start_y": "Start y of a surface", "gradient_noise": "Gradient noise of a surface",
    "batch_size": "Batch size of a network", "clip": "Gradient clipping of a network",
    "units": "Units of every hidden layer", "samples": "Samples of a network's data",
    "noise": "Noise of a network's data",
}  # fmt: skip
HYPERS = {  # which hyper-parameter of a rule a field of the map stands for
    "momentum": ("momentum", "beta1"), "beta2": ("beta2", "alpha", "rho"), "weight_decay": ("weight_decay",),
    "eps": ("eps",), "lr_decay": ("lr_decay",), "momentum_decay": ("momentum_decay",),
}  # fmt: skip
WHOLE = ("steps", "seed", "batch_size", "units", "samples")  # fields of whole numbers
NETWORK_DATA = ("circle", "xor", "gauss", "spiral", "moons", "rings", "chapter_xor", "regression_plane",
                "regression_gauss", "digits")  # fmt: skip
DRAWN = tuple(name for name in NETWORK_DATA if name not in ("chapter_xor", "digits"))
SCALES = {"usual": "Usual", "linear": "Linear", "log": "Logarithmic", "near_one": "Logarithm of 1 − value"}
COLOURS = {
    "loss": "Final loss", "rate": "Convergence rate", "test_loss": "Test loss (networks)",
    "test_accuracy": "Test accuracy (networks)",
}  # fmt: skip
MOST_STEPS, MOST_CELLS, MOST_LAYERS, MOST_UNITS = 2000, 96, 3, 64
_SURFACE: dict[str, Any] = {"on": ("surface",)}
_NETWORK: dict[str, Any] = {"on": ("network",)}


def _unless(field: str) -> dict[str, tuple[str, ...]]:
    """Shown only while the map does not go over this field."""
    others = tuple(name for name in FIELDS if name != field)
    return {"x_field": others, "y_field": others}


def _rule_settings(name: str) -> Settings:
    """One rule's hyper-parameters, shown while it is chosen and the map does not go over them."""
    fields: dict[str, Any] = {}
    for h in RULES[name].hypers:
        over = next((field for field, names in HYPERS.items() if h.name in names), "")
        shown = {"optimizer": (name,), **(_unless(over) if over else {})}
        fields[h.name] = (float, number(h.default, h.low, h.high, h.title, h.help.removesuffix("."), log=h.log,
                                        group="Optimizer", shown_when=shown))  # fmt: skip
    return create_model(f"{name.capitalize()}Settings", __base__=Settings, **fields)()


class _Base(Spec):
    on: str = choice(
        "surface", {"surface": "A surface", "network": "A network"}, "Runs on", "What every run of the map lowers",
        group="Runs",
    )  # fmt: skip
    surface: str = choice(
        "bowl", {**{name: s.title for name, s in SURFACES.items()}, "custom": "Your own formula"}, "Surface",
        "The function whose minimum is sought", group="Runs", shown_when=_SURFACE,
    )  # fmt: skip
    condition_number: float = number(
        100.0, 1.0, 1e8, "Condition number", "Largest curvature over smallest, of the bowl", log=True, group="Runs",
        shown_when={**_SURFACE, "surface": ("bowl",), **_unless("condition_number")},
    )  # fmt: skip
    formula: str = text(
        "x^2 + 3*x*y + 8*y^2", "f(x, y) =",
        "Your own surface: + - * / ^, numbers, x, y, pi, e, sin cos tan exp log sqrt abs tanh max min ...",
        group="Runs", shown_when={**_SURFACE, "surface": ("custom",)},
    )  # fmt: skip
    start: tuple[float, float] | None = Field(
        default=None, title="Start", description="Where every run begins",
        json_schema_extra={"lab": {"group": "Runs", "low": -1e6, "high": 1e6, "point": True,
                                   "inherits": "surface's own", "shown_when": _SURFACE}},
    )  # fmt: skip
    gradient_noise: float = number(
        0.0, 0.0, 1e6, "Gradient noise", "Standard deviation added to each coordinate of the gradient, the same draw "
        "for every run", group="Runs", shown_when={**_SURFACE, **_unless("gradient_noise")},
    )  # fmt: skip
    data: str = choice(
        "moons", {name: DATA[name].title for name in NETWORK_DATA}, "Data", "What is learnt", group="Runs",
        shown_when=_NETWORK,
    )  # fmt: skip
    samples: int = number(
        300, 10, 5000, "Samples", "How many there are, test samples included", log=True, group="Runs",
        shown_when={**_NETWORK, "data": DRAWN},
    )  # fmt: skip
    noise: float = number(
        0.2, 0.0, 10.0, "Noise", "Standard deviation: of both coordinates where there are classes, else of the target",
        group="Runs", shown_when={**_NETWORK, "data": DRAWN, **_unless("noise")},
    )  # fmt: skip
    hidden: tuple[int, ...] = numbers(
        (8, 8), 1, MOST_UNITS, MOST_LAYERS, "Hidden layers", "Units of each; none: a linear model", group="Runs",
        shown_when=_NETWORK,
    )  # fmt: skip
    activation: str = choice(
        "tanh", {name: one.title for name, one in ACTIVATIONS.items()}, "Activation", "Of every hidden layer",
        group="Runs", shown_when=_NETWORK,
    )  # fmt: skip
    initialization: str = choice(
        "xavier_uniform", {name: one.title for name, one in INITIALIZATIONS.items() if name != "normal"},
        "Initialisation", "Of the first weights, which all runs share", group="Runs", shown_when=_NETWORK,
    )  # fmt: skip
    batch_size: int = number(
        16, 0, 5000, "Batch size", "Samples a step takes; 0, or more than there are: all", log=True, group="Runs",
        shown_when={**_NETWORK, **_unless("batch_size")},
    )  # fmt: skip
    clip: float = number(
        0.0, 0.0, 1e6, "Clip gradient", "To this norm where it is longer; 0: off", group="Runs",
        shown_when={**_NETWORK, **_unless("clip")},
    )  # fmt: skip
    steps: int = number(
        300, 1, MOST_STEPS, "Steps", "How many steps every run takes", log=True, group="Runs",
        shown_when=_unless("steps"),
    )  # fmt: skip
    seed: int = number(
        0, 0, 2**32 - 1, "Seed", "Of the noise, the data, the first weights and the batches; all runs share it",
        group="Runs", shown_when=_unless("seed"),
    )  # fmt: skip
    dtype: str = choice(
        "float32", {"float32": "float32", "float64": "float64"}, "Precision", "Of a network; a surface has float64",
        group="Runs", shown_when=_NETWORK,
    )  # fmt: skip
    optimizer: str = choice(
        "momentum", {name: rule.title for name, rule in RULES.items()}, "Optimizer", "The rule of every run",
        group="Optimizer",
    )  # fmt: skip
    convention: str = choice(
        "pytorch", {"book": "Book", "pytorch": "PyTorch"}, "Convention", "Whose formulas are in force",
        group="Optimizer",
    )  # fmt: skip
    learning_rate: float = number(
        0.01, 1e-12, 1e6, "Learning rate", "Of every run", log=True, group="Optimizer",
        shown_when=_unless("learning_rate"),
    )  # fmt: skip
    x_field: str = choice("learning_rate", FIELDS, "Across", "What changes from left to right", group="Map")
    x_range: tuple[float, float] | None = point(
        None, -1e8, 1e8, "From, to", "Lowest and highest value across", group="Map", inherits="usual"
    )
    x_scale: str = choice("usual", SCALES, "Scale", "How the values are spread across", group="Map")
    y_field: str = choice("momentum", FIELDS, "Upwards", "What changes from bottom to top", group="Map")
    y_range: tuple[float, float] | None = point(
        None, -1e8, 1e8, "From, to", "Lowest and highest value upwards", group="Map", inherits="usual"
    )
    y_scale: str = choice("usual", SCALES, "Scale", "How the values are spread upwards", group="Map")
    resolution: int | None = number(
        None, 2, MOST_CELLS, "Cells a side", "The map is so many runs wide and high", group="Map", inherits="usual"
    )
    colour: str = choice("loss", COLOURS, "Colour", "What the colour of a cell tells", group="Map", live=True)


_groups: dict[str, Any] = {name: (type(own), own) for name in RULES for own in [_rule_settings(name)]}
HyperparametersSpec = create_model("HyperparametersSpec", __base__=_Base, **_groups)


def side(spec: Any) -> int:
    """How many cells the map is wide and high."""
    return int(spec.resolution or (24 if spec.on == "network" else 48))


def hyper_of(field: str, rule: str) -> str:
    """The rule's hyper-parameter that a field of the map stands for; empty where it has none."""
    return next((h.name for h in RULES[rule].hypers if h.name in HYPERS.get(field, ())), "")


def over(spec: Any) -> tuple[str, str]:
    """The two fields that the map goes over."""
    return spec.x_field, spec.y_field


def counts(field: str, spec: Any) -> bool:
    """Whether a field of the map changes anything under these settings."""
    network = spec.on == "network"
    if field in HYPERS:
        return bool(hyper_of(field, spec.optimizer))
    if field in ("learning_rate", "steps"):
        return True
    if field == "seed":
        return bool(network or spec.gradient_noise > 0 or "gradient_noise" in over(spec))
    if field == "condition_number":
        return bool(not network and spec.surface == "bowl")
    if field in ("gradient_noise", "start_x", "start_y"):
        return not network
    if field in ("samples", "noise"):
        return bool(network and spec.data in DRAWN)
    return bool(network and (spec.hidden or field != "units"))
