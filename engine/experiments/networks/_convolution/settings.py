"""The settings of networks.convolution: one study by hand, one that trains; the picture is common to both."""

from __future__ import annotations

from typing import Any

from pydantic import Field, create_model

from engine.experiments.networks._convolution.kernels import TITLES
from engine.networks.activations import ACTIVATIONS
from engine.networks.initializations import INITIALIZATIONS
from engine.optimizers import RULES
from engine.spec import Settings, Spec, choice, number, text

BY_HAND, TRAINING = "by_hand", "training"
STUDIES = {BY_HAND: "A convolution by hand", TRAINING: "A network trained on digits"}
SHAPES = {"dot": "A dot", "edge": "An edge", "frame": "A frame", "board": "A chessboard"}
PICTURES = {"digit": "A test digit", "drawn": "Drawn by hand", **SHAPES}
OPERATIONS = {
    "convolution": "Convolution", "max": "Max pooling", "average": "Average pooling",
    "global_max": "Global max pooling", "global_average": "Global average pooling",
}  # fmt: skip
SIDE, LEVELS, DIGITS, CLASSES = 8, 16, 1797, 10
LOOKS = ("picture", "digit", "drawing")  # in training these change what is looked at, and nothing of the run
LAYERS = "conv 3x3 8; relu; conv 3x3 16; relu; pool 2; flatten; dense 10"
_HAND, _TRAIN = {"study": (BY_HAND,)}, {"study": (TRAINING,)}
_CONVOLVED = {**_HAND, "operation": ("convolution",)}
_WEIGHTS = {name: one.title for name, one in INITIALIZATIONS.items() if name != "normal"}


def _drawing() -> Any:
    """64 whole numbers, row by row, or none. They are drawn in the window and not typed: the form has no row for
    them."""
    lab = {"lab": {"low": 0, "high": LEVELS, "most": SIDE * SIDE, "list": "numbers", "hidden": True}}
    return Field(default=(), title="Drawing", description="Grey values 0 to 16 of 8 x 8 cells, row by row",
                 json_schema_extra=lab)  # type: ignore[arg-type]  # fmt: skip


def _rule(name: str) -> Settings:
    """One optimizer's hyper-parameters, shown while it is chosen in the study that trains."""
    shown = {**_TRAIN, "optimizer": (name,)}
    fields: dict[str, Any] = {
        h.name: (float, number(h.default, h.low, h.high, h.title, h.help.removesuffix("."), live=True, log=h.log,
                               group=RULES[name].title, shown_when=shown))
        for h in RULES[name].hypers
    }  # fmt: skip
    return create_model(f"{name.capitalize()}Settings", __base__=Settings, **fields)()


class _Base(Spec):
    study: str = choice(BY_HAND, STUDIES, "Study", "One position after the other, or a small network that learns")

    picture: str = choice("digit", PICTURES, "Picture", "What is convolved; what the network is shown", group="Picture")
    digit: int = number(0, 0, 1499, "Digit", "Its number in the test set, from 0", group="Picture",
                        shown_when={"picture": ("digit",)})  # fmt: skip
    drawing: tuple[int, ...] = _drawing()

    operation: str = choice("convolution", OPERATIONS, "Operation", "What the window does", group="Window",
                            shown_when=_HAND)  # fmt: skip
    kernel: str = choice(
        "sobel_x", TITLES, "Kernel", "The weights of the window", group="Window", shown_when=_CONVOLVED
    )
    own: str = text("1 0 -1; 1 0 -1; 1 0 -1", "Own numbers", "Rows between semicolons, up to 5 x 5; 1/9 is a number",
                    longest=300, group="Window", shown_when={**_CONVOLVED, "kernel": ("own",)})  # fmt: skip
    turned: str = choice(
        "no", {"no": "As it is (PyTorch)", "yes": "Turned by 180°"}, "Kernel is used",
        "Libraries leave it as it is: a cross-correlation. The convolution of mathematics turns it", group="Window",
        shown_when=_CONVOLVED,
    )  # fmt: skip
    bias: float = number(0.0, -100.0, 100.0, "Bias", "Added at every position", group="Window", shown_when=_CONVOLVED)
    window: int = number(2, 1, 8, "Window", "Cells of a side that are pooled", group="Window",
                         shown_when={**_HAND, "operation": ("max", "average")})  # fmt: skip
    stride: int = number(1, 1, 4, "Stride", "Cells from one position to the next", group="Window",
                         shown_when={**_HAND, "operation": ("convolution", "max", "average")})  # fmt: skip
    padding: int = number(0, 0, 4, "Padding", "Cells added at every edge; a maximum never takes one",
                          group="Window",
                          shown_when={**_HAND, "operation": ("convolution", "max", "average")})  # fmt: skip
    dilation: int = number(1, 1, 4, "Dilation", "Cells from one weight to the next", group="Window",
                           shown_when={**_HAND, "operation": ("convolution", "max")})  # fmt: skip

    layers: str = text(
        LAYERS, "Layers", "conv 3x3 8 (with stride, padding, dilation), batchnorm, relu and others, pool 2, avgpool 2, "
        "mean, dropout 0.5, flatten, dense 10; semicolons between", longest=500, group="Network", shown_when=_TRAIN,
    )  # fmt: skip
    initialization: str = choice("he_normal", _WEIGHTS, "Initialisation", "Of the first weights; biases begin at 0",
                                 group="Network", shown_when=_TRAIN)  # fmt: skip
    optimizer: str = choice("adam", {name: rule.title for name, rule in RULES.items()}, "Optimizer",
                            "The rule of each step, in PyTorch's formulas", group="Training",
                            shown_when=_TRAIN)  # fmt: skip
    learning_rate: float = number(0.005, 1e-12, 1e6, "Learning rate", "Of the optimizer", live=True, log=True,
                                  group="Training", shown_when=_TRAIN)  # fmt: skip
    batch_size: int = number(32, 1, 512, "Batch size", "Digits a step takes", live=True, log=True, group="Training",
                             shown_when=_TRAIN)  # fmt: skip
    samples: int = number(1347, 10, 1787, "Training digits", "How many it learns from", log=True, group="Training",
                          shown_when=_TRAIN)  # fmt: skip
    test_samples: int = number(450, 10, 1500, "Test digits", "How many are held back", log=True, group="Training",
                               shown_when=_TRAIN)  # fmt: skip
    steps: int = number(600, 1, 100_000, "Steps", "How long the run is", log=True, group="Run", shown_when=_TRAIN)
    seed: int = number(0, 0, 2**32 - 1, "Seed", "Of the choice of digits, the first weights and the batches",
                       group="Run")  # fmt: skip


_groups: dict[str, Any] = {name: (type(own), own) for name in RULES for own in [_rule(name)]}
ConvolutionSpec = create_model("ConvolutionSpec", __base__=_Base, **_groups)
BENT = tuple(name for name in ACTIVATIONS if name not in ("identity",))
