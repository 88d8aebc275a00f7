"""The settings of the playground: data, network, training; one group for each optimizer and each schedule."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import Field, create_model

from engine.data import DATA
from engine.networks.activations import ACTIVATIONS
from engine.networks.initializations import INITIALIZATIONS
from engine.optimizers import RULES
from engine.schedules import SCHEDULES, Parameter
from engine.spec import Settings, Spec, choice, file, flag, number, numbers, sequence, text

MOST_LAYERS, MOST_UNITS = 8, 256
MOST_SAMPLES = 20_000
OWN_DATA = ("circle", "xor", "gauss", "spiral", "moons", "rings", "chapter_xor", "regression_plane",
            "regression_gauss", "function", "digits", "csv")  # fmt: skip
DRAWN = tuple(name for name in OWN_DATA if name not in ("chapter_xor", "digits", "csv"))
BENT = tuple(name for name, one in ACTIVATIONS.items() if one.slope == one.slope)  # that have a parameter
NORMALS = {"none": "None", "batch": "Batch", "layer": "Layer"}
FOLLOWED = {name: one.title for name, one in SCHEDULES.items() if name not in ("plateau", "drawn")}
LONGEST = 1_000_000_000
_WORDS = {name: one.title for name, one in ACTIVATIONS.items()}


def _rule(name: str) -> Settings:
    """One optimizer's hyper-parameters, shown while it is chosen."""
    shown = {"optimizer": (name,)}
    fields: dict[str, Any] = {
        h.name: (float, number(h.default, h.low, h.high, h.title, h.help.removesuffix("."), live=True, log=h.log,
                               group=RULES[name].title, shown_when=shown))
        for h in RULES[name].hypers
    }  # fmt: skip
    return create_model(f"{name.capitalize()}Settings", __base__=Settings, **fields)()


def _schedule(name: str) -> Settings:
    """One schedule's parameters, shown while it is chosen. The momentum that some move stays as it is set, which the
    group's name says."""
    shown = {"schedule": (name,)}
    one = SCHEDULES[name]
    group = one.title if one.momentum is None else f"{one.title}, rate only"
    fields: dict[str, Any] = {
        p.name: _parameter(p, group, shown) for p in one.parameters if not p.name.endswith("momentum")
    }
    return create_model(f"{name.title().replace('_', '')}Settings", __base__=Settings, **fields)()


def _parameter(p: Parameter, group: str, shown: Mapping[str, tuple[Any, ...]]) -> tuple[Any, Any]:
    """Annotation and field of one parameter of a schedule; None stands for what the schedule works out."""
    words = p.help.removesuffix(".")
    match p.kind:
        case "choice":
            return str, choice(p.default, p.choices, p.title, words, group=group, shown_when=shown)
        case "flag":
            return bool, _flag(bool(p.default), p.title, words, group, shown)
        case "milestones":
            low, high = int(p.low), int(p.high)
            return tuple[int, ...], numbers(p.default, low, high, 32, p.title, words, group=group, shown_when=shown)
    kind: Any = int if p.integer else float
    inherits = p.inherits or ("the run's length" if p.default == "total" else "")
    default = None if inherits else p.default
    return (kind | None if inherits else kind), number(
        default, p.low, p.high, p.title, words, log=p.log, group=group, inherits=inherits, shown_when=shown
    )


def _flag(default: bool, title: str, help: str, group: str, shown: Mapping[str, tuple[Any, ...]]) -> Any:
    """A switch that means something under other fields' values only."""
    lab: dict[str, Any] = {"group": group, "shown_when": dict(shown)}
    return Field(default=default, title=title, description=help, json_schema_extra={"lab": lab})


class _Base(Spec):
    data: str = choice(
        "circle", {name: DATA[name].title for name in OWN_DATA}, "Data", "What is to be learnt", group="Data"
    )
    csv: str = file("File", "A table of your own: a row for each sample", group="Data", shown_when={"data": ("csv",)})
    csv_target: str = text(
        "", "To predict", "The name of a column; empty: guessed, and told in the lesson", group="Data",
        shown_when={"data": ("csv",)},
    )  # fmt: skip
    csv_inputs: str = text(
        "", "From", "Names of columns with commas between; empty: all that can be used", longest=4000, group="Data",
        shown_when={"data": ("csv",)},
    )  # fmt: skip
    standardise: bool = _flag(
        True, "Standardise", "Inputs, and a regression's target, to mean 0 and deviation 1 over the training set",
        "Data", {"data": ("csv",)},
    )  # fmt: skip
    formula: str = text(
        "sin(3*x)", "f(x) =", "A formula in x: + - * / ^, numbers, pi, e, sin cos tan exp log sqrt abs tanh max min",
        group="Data", shown_when={"data": ("function",)},
    )  # fmt: skip
    samples: int = number(
        300, 1, MOST_SAMPLES, "Samples", "How many there are, test samples included", log=True, group="Data",
        shown_when={"data": DRAWN},
    )  # fmt: skip
    noise: float = number(
        0.1, 0.0, 10.0, "Noise", "Standard deviation: of both coordinates where there are classes, else of the target",
        group="Data", shown_when={"data": DRAWN},
    )  # fmt: skip
    test_share: float = number(0.3, 0.0, 0.9, "Test share", "Of the samples, kept from training", group="Data")
    hidden: tuple[int, ...] = numbers(
        (8, 8, 8), 1, MOST_UNITS, MOST_LAYERS, "Hidden layers", "Units of each; none: a linear model. The buttons in "
        "the picture do the same", group="Network",
    )  # fmt: skip
    activation: str = choice("tanh", _WORDS, "Activation", "Of every hidden layer", group="Network")
    activations: tuple[str, ...] = sequence(
        (), _WORDS, MOST_LAYERS, "Layer by layer", "Activations of the first, second, ... hidden layer in place of the "
        "one above; layers without an entry keep it", group="Network", hint="the one above for all",
    )  # fmt: skip
    slope: float | None = number(
        None, -10.0, 10.0, "Slope", "Leaky ReLU: slope below 0; ELU: where it levels out; PReLU: first slope",
        group="Network", inherits="usual", shown_when={"activation": BENT},
    )  # fmt: skip
    initialization: str = choice(
        "xavier_uniform", {name: one.title for name, one in INITIALIZATIONS.items()}, "Initialisation",
        "Of the weights; biases begin at 0 (PyTorch's own: as the weights)", group="Network",
    )  # fmt: skip
    std: float = number(
        1.0, 0.0, 100.0, "Deviation", "Standard deviation of normal first weights", group="Network",
        shown_when={"initialization": ("normal",)},
    )  # fmt: skip
    weights: str = choice(
        "drawn", {"drawn": "Drawn from the seed", "chapter": "The chapter's"}, "First weights",
        "The chapter's: 0.1 times normals of RandomState(42), layer after layer, as in its lab", group="Network",
    )  # fmt: skip
    normalization: str = choice("none", NORMALS, "Normalisation", "Before each activation", group="Network")
    residual: bool = flag(
        False, "Residual", "Hidden layers as wide as the one before add their input to their output", group="Network"
    )
    dropout: float = number(
        0.0, 0.0, 0.95, "Dropout", "Share of hidden units dropped at each step; what is left is scaled up",
        group="Network",
    )  # fmt: skip
    loss: str = choice(
        "auto", {"auto": "What suits the data", "mse": "Squared error", "bce": "Binary cross-entropy",
                 "cross_entropy": "Cross-entropy"}, "Loss", "What training lowers", group="Training",
    )  # fmt: skip
    optimizer: str = choice(
        "adam", {name: rule.title for name, rule in RULES.items()}, "Optimizer", "The rule of each step",
        group="Training",
    )  # fmt: skip
    learning_rate: float = number(
        0.01, 1e-12, 1e6, "Learning rate", "Of the optimizer; with a schedule the highest", live=True, log=True,
        group="Training",
    )  # fmt: skip
    schedule: str = choice(
        "constant", FOLLOWED, "Schedule", "How the rate goes on. The rate only: where a schedule would move the "
        "momentum too, as in Training under schedules, that stays as it is set", group="Training",
    )  # fmt: skip
    batch_size: int = number(
        16, 0, 100_000, "Batch size", "Samples a step takes; 0, or more than there are: all", live=True, log=True,
        group="Training",
    )  # fmt: skip
    l1: float = number(0.0, 0.0, 10.0, "L1", "Times the sum of the weights' sizes", live=True, group="Training")
    l2: float = number(
        0.0, 0.0, 10.0, "L2", "Times the sum of the weights' squares (PyTorch: half of it)", live=True, group="Training"
    )
    clip: float = number(
        0.0, 0.0, 1e6, "Clip gradient", "To this norm where it is longer; 0: off", live=True, group="Training"
    )
    convention: str = choice(
        "pytorch", {"book": "Book", "pytorch": "PyTorch"}, "Convention", "Whose formulas are in force",
        group="Training",
    )  # fmt: skip
    steps: int = number(3000, 1, LONGEST, "Steps", "How long the run is", live=True, log=True, group="Run")
    seed: int = number(
        0, 0, 2**32 - 1, "Seed", "Of the data, the split, the first weights, the batches and dropout", group="Run"
    )
    dtype: str = choice(
        "float32", {"float32": "float32", "float64": "float64"}, "Precision", "Of everything that trains", group="Run"
    )
    evaluate_every: int = number(
        0, 0, 1_000_000, "Measure every", "Steps between two measurements over all samples; 0: by the network's size",
        group="Run",
    )  # fmt: skip


_groups: dict[str, Any] = {name: (type(own), own) for name in RULES for own in [_rule(name)]}
_groups |= {name: (type(own), own) for name in FOLLOWED for own in [_schedule(name)]
            if SCHEDULES[name].parameters}  # fmt: skip
PlaygroundSpec = create_model("PlaygroundSpec", __base__=_Base, **_groups)


def hypers(spec: Any) -> dict[str, float]:
    """The chosen optimizer's hyper-parameters by name."""
    own = getattr(spec, spec.optimizer)
    return {h.name: float(getattr(own, h.name)) for h in RULES[spec.optimizer].hypers}


def schedule_parameters(spec: Any) -> dict[str, Any]:
    """The chosen schedule's own parameters; what it works out itself is left out."""
    own = getattr(spec, spec.schedule, None)
    given = own.model_dump() if own is not None else {}
    return {name: value for name, value in given.items() if value is not None}


def activations(spec: Any) -> tuple[str, ...]:
    """One activation for each hidden layer."""
    own = spec.activations[: len(spec.hidden)]
    return (*own, *(spec.activation,) * (len(spec.hidden) - len(own)))
