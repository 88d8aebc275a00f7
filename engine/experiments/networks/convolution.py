"""A convolution position by position, and a small convolutional network trained live on digits. Chapter 10.4.1."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from engine.experiment import Array, Basis, Columns, Curve, Ending, Picture
from engine.experiments.networks._convolution import data, window
from engine.experiments.networks._convolution.kernels import kernel
from engine.experiments.networks._convolution.network import described
from engine.experiments.networks._convolution.settings import BY_HAND, DIGITS, LEVELS, LOOKS, SIDE, ConvolutionSpec
from engine.experiments.networks._convolution.training import Trained, batch_sizes, begin, due, train, why
from engine.experiments.networks._convolution.window import Sweep
from engine.spec import Spec, SpecError

OF_WINDOW = ("row", "column", "value")
OF_TRAINING = ("epoch", "train_loss", "test_loss", "train_accuracy", "test_accuracy", "learning_rate", "gradient_norm")
MEASURED = ("train_loss", "train_accuracy", "test_loss", "test_accuracy")
COLUMNS, EXTRAS = (*OF_WINDOW, *OF_TRAINING), ("batch_loss",)


@dataclass
class ByHand:
    """How many positions are behind the window; the `sweep` follows from the settings."""

    step: int
    sweep: Sweep = field(metadata={"scratch": True})

    def __deepcopy__(self, memo: dict[int, Any]) -> ByHand:
        """A snapshot shares what never changes."""
        return ByHand(self.step, self.sweep)


class Convolution(Basis):
    """See the module's text. By hand one step is one position of the output, row by row; a row of the history has its
    place, counted from 0, and its value. In training it is one batch.

    In training the row of step k is measured of the parameters after k steps: losses and accuracies at a cadence, over
    all test digits and over the first 450 training digits. Learning rate, gradient norm and batch loss belong to step
    k itself. Which picture is looked at is no part of that run.
    """

    id: ClassVar[str] = "networks.convolution"
    title: ClassVar[str] = "Convolution"
    section: ClassVar[str] = "10.4.1"
    summary: ClassVar[str] = "A window slides over a picture, number by number; and a network learns such windows."
    Spec: ClassVar[type[Spec]] = ConvolutionSpec
    columns: ClassVar[tuple[str, ...]] = COLUMNS
    extras: ClassVar[tuple[str, ...]] = EXTRAS
    loss: ClassVar[str] = "train_loss"
    step_columns: ClassVar[tuple[str, ...]] = (*OF_WINDOW, "learning_rate", "gradient_norm", "batch_loss")
    sparse: ClassVar[tuple[str, ...]] = (*COLUMNS, *EXTRAS)
    large: ClassVar[int] = 2
    steps_key: ClassVar[str] = ""
    pace: ClassVar[float] = 6.0
    plots: ClassVar[tuple[Curve | Picture, ...]] = (
        Picture("input", "Picture and window", "grid", every=0.05),
        Picture("output", "Output", "grid", every=0.05),
        Picture("products", "Under the window", "grid", every=0.05),
        Picture("gallery", "Under every kernel", "images", every=3600.0),
        Picture("sketch", "Draw a digit", "sketch", every=0.1, empty="Comes with the first step"),
        Picture("maps", "Feature maps, layer by layer", "stack", every=0.12, empty="Nothing is trained in this study"),
        Picture("filters", "Filters", "stack", every=0.2, empty="Nothing is trained in this study"),
        Curve("test_accuracy", "Accuracy", "share right", others=("train_accuracy",),
              words={"train_accuracy": "training", "test_accuracy": "test"}),
        Curve("test_loss", "Loss", "cross-entropy", log=True, others=("train_loss",),
              words={"train_loss": "training", "test_loss": "test"}),
        Picture("confusion", "Confusion", "matrix", every=0.4, empty="Nothing is trained in this study"),
        Picture("wrong", "Test digits taken for another", "images", every=0.4,
                empty="Nothing is trained in this study"),
        Curve("batch_loss", "Loss of each batch", "cross-entropy", log=True),
        Curve("gradient_norm", "Gradient", "‖gradient‖", log=True),
        Curve("value", "Output, position by position", "value", x_label="position"),
    )  # fmt: skip

    # -- settings ----------------------------------------------------------------------------------------------------

    def check(self, spec: Any) -> None:
        """The picture must be there, the window must fit, and the layers must be a network of ten outputs."""
        if spec.samples + spec.test_samples > DIGITS:
            raise SpecError("samples", f"{spec.samples} is not allowed; there are {DIGITS:,} digits, and with test "
                            f"digits that makes {spec.samples + spec.test_samples:,}")  # fmt: skip
        if spec.picture == "digit" and spec.digit >= spec.test_samples:
            raise SpecError("digit", f"{spec.digit} is not allowed; there are {spec.test_samples} test digits, from 0 "
                            f"to {spec.test_samples - 1}")  # fmt: skip
        if len(spec.drawing) not in (0, SIDE * SIDE):
            raise SpecError("drawing", f"{len(spec.drawing)} numbers are not allowed; give {SIDE * SIDE}, or none")
        if spec.study == BY_HAND:
            _fits(spec)
            return
        described(spec.layers)
        batch = min(spec.batch_size, spec.samples)
        if "batchnorm" in spec.layers.lower() and (spec.samples % batch or batch) == 1:
            self._single(spec, batch)

    def _single(self, spec: Any, batch: int) -> None:
        """A batch of one picture has no variance where its maps have one place."""
        d = described(spec.layers)
        for layer, after in zip(d.layers, d.shapes[1:], strict=True):
            if getattr(layer, "normalization", "none") == "batch" and after[1:] == (1, 1):
                raise SpecError("batch_size", f"{spec.batch_size} is not allowed; {spec.samples} digits in batches "
                                f"of {batch} leave 1, and batch normalisation finds no variance in it")  # fmt: skip

    def series(self, spec: Any) -> tuple[str, ...]:
        """The output, or the network."""
        return ("output",) if spec.study == BY_HAND else ("network",)

    def label(self, series: str) -> str:
        """Its name."""
        return series.capitalize()

    def looks(self, spec: Any) -> tuple[str, ...]:
        """In training the picture is only looked at; by hand it is what the run is about."""
        return () if spec.study == BY_HAND else LOOKS

    def steps(self, spec: Any) -> int:
        """The positions of the window, or the steps as set."""
        if spec.study == BY_HAND:
            rows, columns = _counts(spec)
            return rows * columns
        return int(spec.steps)

    # -- running -----------------------------------------------------------------------------------------------------

    def start(self, spec: Any) -> ByHand | Trained:
        """Before the first position, or the first step."""
        return ByHand(0, sweep(spec)) if spec.study == BY_HAND else begin(spec)

    def measure(self, state: ByHand | Trained, spec: Any) -> Columns:
        """One row of what can be told without a step."""
        rows = _blank(1)
        if isinstance(state, ByHand):
            if state.step:
                self._place(state, rows, 0, state.step - 1)
        else:
            rows["epoch"][0, 0] = state.seen / spec.samples
            _measure(state, rows, 0)
        return Columns(rows)

    def advance(self, state: ByHand | Trained, spec: Any, n: int) -> Columns:
        """The next n positions or steps; fewer at the end, or where the numbers overflow."""
        if isinstance(state, Trained):
            return self._train(state, spec, n)
        n = min(n, state.sweep.positions - state.step)
        rows = _blank(n)
        for k in range(n):
            self._place(state, rows, k, state.step + k)
        state.step += n
        return Columns(rows)

    def _place(self, state: ByHand, rows: dict[str, Array], at: int, position: int) -> None:
        row, column = state.sweep.place(position)
        rows["row"][at, 0], rows["column"][at, 0] = row, column
        rows["value"][at, 0] = state.sweep.out[row, column]

    def _train(self, state: Trained, spec: Any, n: int) -> Columns:
        n = 0 if state.ended else n
        rows, endings = _blank(n), list[Ending]()
        seen = state.seen + np.cumsum(batch_sizes(spec, state.step, n))
        rows["epoch"][:, 0] = seen / spec.samples
        done = 0
        while done < n and not endings:
            wanted = due(state.step)
            taken, fine, out = train(state, spec, min(n - done, wanted))
            part = slice(done, done + taken)
            rows["batch_loss"][part, 0], rows["gradient_norm"][part, 0] = out.T
            rows["learning_rate"][part, 0] = spec.learning_rate
            done += taken
            state.step += taken
            state.seen = int(seen[done - 1])
            if not fine:
                state.ended = [0]
                endings.append(Ending(0, "diverged", state.step, why(state, spec.learning_rate)))
            if taken == wanted or endings or state.step == spec.steps:
                _measure(state, rows, done - 1)
        return Columns({name: column[:done] for name, column in rows.items()}, tuple(endings))

    # -- looking -----------------------------------------------------------------------------------------------------

    def probe(self, state: ByHand | Trained, spec: Any, name: str, **asked: Any) -> Any:
        """The declared pictures by name, and `inside`; None where a study has none. `drawing` (64 numbers) goes before
        the picture of the settings."""
        from engine.experiments.networks._convolution import by_hand, pictures

        if name == "sketch":
            return pictures.sketch(state if isinstance(state, Trained) else None, spec, **asked)
        hand: dict[str, Any] = {
            "input": by_hand.picture, "output": by_hand.output, "products": by_hand.products,
            "gallery": by_hand.gallery, "inside": by_hand.inside,
        }  # fmt: skip
        trained: dict[str, Any] = {
            "maps": pictures.maps, "filters": pictures.filters, "confusion": pictures.confusion,
            "wrong": pictures.wrong, "inside": pictures.inside,
        }  # fmt: skip
        if name not in hand and name not in trained:
            raise KeyError(name)
        found = hand if isinstance(state, ByHand) else trained
        return found[name](state, spec, **asked) if name in found else None

    # -- questions and the script ------------------------------------------------------------------------------------

    def answer(self, spec: Any, view: Any, words: str) -> str:
        """`positions`: how many there are. `columns`: in how many columns of the output a value is not 0. `brighter`:
        whether a value is larger than any of a picture. `accuracy SHARE`: whether so large a share of the test digits
        is right at the end."""
        values = view.branch.history.values
        known = values["value"][:, 0]
        good = np.isfinite(known)
        match words.split():
            case ["positions"]:
                return str(int(good.sum()))
            case ["columns"]:
                return str(len(np.unique(values["column"][good & (known != 0), 0])))
            case ["brighter"]:
                return "above 16" if known[good].max(initial=0.0) > LEVELS else "up to 16"
            case ["accuracy", share]:
                return "yes" if float(view.latest("test_accuracy")[0]) >= float(share) else "no"
        return super().answer(spec, view, words)

    def script(self, spec: Any, events: Sequence[Any], steps: int, end: ByHand | Trained) -> str:
        """A PyTorch script that computes every position with torch's own layers, or trains the network again."""
        from engine.experiments.networks._convolution import script

        words: str = script.write(self, spec, events, steps, end)
        return words


def sweep(spec: Any) -> Sweep:
    """The window of the settings on their picture."""
    picture = data.shown(spec).values
    match spec.operation:
        case "convolution":
            weights = kernel(spec.kernel, spec.own)
            return window.convolution(
                picture, weights, spec.stride, spec.padding, spec.dilation, spec.bias, spec.turned == "yes"
            )
        case "max":
            return window.pooling(picture, "max", spec.window, spec.stride, spec.padding, spec.dilation)
        case "average":
            return window.pooling(picture, "mean", spec.window, spec.stride, spec.padding)
    return window.over_all(picture, "max" if spec.operation == "global_max" else "mean")


def _counts(spec: Any) -> tuple[int, int]:
    """Rows and columns of the output; 0 where the window does not fit."""
    if spec.operation.startswith("global"):
        return 1, 1
    size = kernel(spec.kernel, spec.own).shape if spec.operation == "convolution" else (spec.window,) * 2
    dilation = 1 if spec.operation == "average" else spec.dilation
    rows, columns = (window.count(SIDE, k, spec.stride, spec.padding, dilation) for k in size)
    return rows, columns


def _fits(spec: Any) -> None:
    """Raise SpecError where the window is larger than the picture, or the padding is more than PyTorch allows."""
    if spec.operation in ("max", "average") and spec.padding > spec.window // 2:
        raise SpecError("padding", f"{spec.padding} is not allowed; pooling {spec.window} x {spec.window} takes up to "
                        f"half a window, {spec.window // 2}")  # fmt: skip
    if min(_counts(spec)) == 0:
        size = max(kernel(spec.kernel, spec.own).shape) if spec.operation == "convolution" else spec.window
        reach = spec.dilation * (size - 1) + 1
        raise SpecError("dilation", f"{spec.dilation} is not allowed here; the window would reach over {reach} cells, "
                        f"and the picture with its padding has {SIDE + 2 * spec.padding}")  # fmt: skip


def _blank(n: int) -> dict[str, Array]:
    return {name: np.full((n, 1), np.nan) for name in (*COLUMNS, *EXTRAS)}


def _measure(state: Trained, rows: dict[str, Array], at: int) -> None:
    for name, value in zip(MEASURED, state.model.measured(state), strict=True):
        rows[name][at, 0] = value
