"""A network of fully connected layers, trained live in the plane, on digits or on the user's own data: 10.1.1, 10.6."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from engine.experiment import Array, Basis, Columns, Curve, Drawn, Ending, Picture
from engine.experiments.networks._playground import data
from engine.experiments.networks._playground.described import loss_name
from engine.experiments.networks._playground.model import State, build, rule_of
from engine.experiments.networks._playground.settings import PlaygroundSpec, schedule_parameters
from engine.optimizers import RULES
from engine.schedules import rates
from engine.spec import Spec, SpecError

NAME = "network"
COLUMNS = ("epoch", "train_loss", "test_loss", "train_accuracy", "test_accuracy", "learning_rate", "gradient_norm")
EXTRAS = ("batch_loss", "dead_share", "weight_norm")
MEASURED = ("train_loss", "test_loss", "train_accuracy", "test_accuracy", "dead_share", "weight_norm")


class Playground(Basis):
    """See SPEC `networks.playground`.

    The row of step k is measured of the parameters after k steps: the losses and accuracies over all training and all
    test samples, at a cadence (the training loss at every step where a step takes all samples anyway). Learning rate,
    gradient norm and batch loss belong to step k itself: of its batch, with dropout, the norm with penalties and
    before clipping. `epoch` is how often the training set was gone through, as a fraction.
    """

    id: ClassVar[str] = "networks.playground"
    title: ClassVar[str] = "Network playground"
    section: ClassVar[str] = "10.1.1"
    summary: ClassVar[str] = "A network trained live: every unit's answer, every weight, the boundary it draws."
    Spec: ClassVar[type[Spec]] = PlaygroundSpec
    columns: ClassVar[tuple[str, ...]] = COLUMNS
    extras: ClassVar[tuple[str, ...]] = EXTRAS
    loss: ClassVar[str] = "train_loss"
    step_columns: ClassVar[tuple[str, ...]] = ("learning_rate", "gradient_norm")
    sparse: ClassVar[tuple[str, ...]] = MEASURED
    large: ClassVar[int] = 2
    pace: ClassVar[float] = 200.0
    plots: ClassVar[tuple[Curve | Picture, ...]] = (
        Picture("network", "The network", "diagram", every=0.15),
        Picture("boundary", "What it answers", "map", "x1", "x2", every=0.15),
        Curve("train_loss", "Loss", "loss", log=True, others=("test_loss",),
              words={"train_loss": "training", "test_loss": "test"}),
        Curve("train_accuracy", "Accuracy", "share right", others=("test_accuracy",),
              words={"train_accuracy": "training", "test_accuracy": "test"}),
        Picture("weights", "Weights", "bars", every=0.3),
        Picture("fit", "The fit", "lines", "x", "y", every=0.15),
        Picture("confusion", "Confusion", "matrix", every=0.3),
        Picture("activations", "Activations", "bars", every=0.3),
        Picture("gradients", "Gradients", "bars", every=0.3),
        Curve("gradient_norm", "Gradient", "‖gradient‖", log=True),
        Curve("batch_loss", "Loss of each batch", "loss", log=True),
        Curve("dead_share", "Dead ReLU units", "share"),
        Curve("weight_norm", "Size of the weights", "‖weights‖"),
        Curve("learning_rate", "Learning rate", "learning rate"),
    )  # fmt: skip

    # -- settings ----------------------------------------------------------------------------------------------------

    def check(self, spec: Any) -> None:
        """Raise SpecError for what no single field can see; the content of a long table is seen at the start."""
        n, kind = data.check(spec)
        if kind is not None:
            loss_name(spec, kind)
        if n is not None and spec.normalization == "batch":
            batch = min(spec.batch_size, n) if spec.batch_size else n
            if (n % batch or batch) == 1 and spec.hidden:
                raise SpecError(
                    "batch_size",
                    f"{spec.batch_size} is not allowed with batch normalisation; {n} training samples in batches of "
                    f"{batch} leave 1, and one sample has no variance",
                )
        try:
            self._rates(spec, 0, 1)
        except ValueError as error:
            raise SpecError("schedule", str(error)) from None

    def series(self, spec: Any) -> tuple[str, ...]:
        """One network."""
        return (NAME,)

    def label(self, series: str) -> str:
        """Its name."""
        return "Network"

    def steps(self, spec: Any) -> int:
        """How long the run is."""
        return int(spec.steps)

    def _rates(self, spec: Any, first: int, n: int) -> Array:
        """The rates of n steps; the step after `first` uses schedule index `first`."""
        at = np.arange(first, first + n)
        total = max(int(spec.steps), first + n)
        return rates(spec.schedule, at, total, spec.learning_rate, **schedule_parameters(spec))

    # -- running -----------------------------------------------------------------------------------------------------

    def start(self, spec: Any) -> State:
        """Data split, network drawn. Raises SpecError for data that cannot be used."""
        model = build(spec)
        params, buffers = model.initial(spec)
        if not model.compiled and spec.normalization == "batch":
            self.check(spec)
        numbers = model.network.states(spec.optimizer)
        kernel = "compiled" if model.compiled else "torch"
        return State(0, params, numbers, len(RULES[spec.optimizer].states), buffers, 0, kernel, _mark(model), model)

    def measure(self, state: State, spec: Any) -> Columns:
        """One row of everything that can be measured without a step."""
        row = {name: np.full((1, 1), np.nan) for name in (*COLUMNS, *EXTRAS)}
        row["epoch"][0, 0] = state.seen / len(state.model.x)
        self._measure(state, row, 0)
        return Columns(row)

    def _measure(self, state: State, rows: dict[str, Array], at: int) -> None:
        """Fill in the columns that are measured over all samples."""
        model = state.model
        with np.errstate(all="ignore"):  # of a diverged network
            rows["train_loss"][at, 0] = model.loss(state)
            rows["test_loss"][at, 0] = model.loss(state, test=True)
            rows["train_accuracy"][at, 0] = model.accuracy(state)
            rows["test_accuracy"][at, 0] = model.accuracy(state, test=True)
            rows["dead_share"][at, 0] = model.dead_share(state)
            rows["weight_norm"][at, 0] = model.weight_norm(state.params)

    def advance(self, state: State, spec: Any, n: int) -> Columns:
        """Train n steps; fewer where the numbers overflow."""
        rows = {name: np.full((n, 1), np.nan) for name in (*COLUMNS, *EXTRAS)}
        model, endings = state.model, list[Ending]()
        n = 0 if state.ended else n
        rule, every_rate = rule_of(spec), self._rates(spec, state.step, max(n, 1))
        samples = len(model.x)
        whole = not 0 < spec.batch_size < samples
        free = whole and model.compiled and spec.dropout == 0  # a step's own loss is the training loss before it
        seen = state.seen + np.cumsum(_sizes(samples, 0 if whole else spec.batch_size, state.step, n))
        rows["epoch"][:n, 0] = seen / samples
        done = 0
        while done < n and not endings:
            due = model.due(state.step)
            take = min(n - done, due)
            every = every_rate[done : done + take]
            taken, fine, out = model.train(state, rule, every, spec.batch_size, spec.seed)
            part = slice(done, done + taken)
            rows["batch_loss"][part, 0], rows["gradient_norm"][part, 0] = out.T
            rows["learning_rate"][part, 0] = every[:taken]
            if free:
                rows["train_loss"][done : done + taken - 1, 0] = out[1:, 0]
            done += taken
            state.step += taken
            state.seen = int(seen[done - 1])
            if not fine:
                state.ended = [0]
                rate = float(every[taken - 1])
                endings.append(Ending(0, "diverged", state.step, _why(state, rate)))
            if taken == due or endings or state.step == spec.steps:
                self._measure(state, rows, done - 1)
            elif free:
                rows["train_loss"][done - 1, 0] = model.loss(state)
        return Columns({name: column[:done] for name, column in rows.items()}, tuple(endings))

    # -- looking -----------------------------------------------------------------------------------------------------

    def probe(self, state: State, spec: Any, name: str, **asked: Any) -> Any:
        """The declared pictures by name (`boundary` takes unit=(layer, unit) as the diagram shows them), `inside`."""
        from engine.experiments.networks._playground import pictures, planes

        found: dict[str, Any] = {
            "network": pictures.network, "weights": pictures.weights, "activations": pictures.activations,
            "gradients": pictures.gradients, "confusion": pictures.confusion, "inside": pictures.inside,
            "boundary": planes.boundary, "fit": planes.fit,
        }  # fmt: skip
        if name not in found:
            raise KeyError(name)
        return found[name](state, spec, **asked)

    def drawn(self, spec: Any, view: Any) -> tuple[Drawn, ...]:
        """The losses that the chapter's lab prints, over this run's."""
        from engine.experiments.networks._playground.chapter import drawn

        return drawn(spec, view)

    def difference(self, spec: Any, series: str) -> str:
        """How the conventions differ for the optimizer chosen, and for L2."""
        told = RULES[spec.optimizer].differs
        if spec.l2 > 0:
            told = f"{told} L2 here: the book adds lambda times the sum of squares, PyTorch half of it.".strip()
        return told

    def answer(self, spec: Any, view: Any, words: str) -> str:
        """`accuracy SHARE`: whether the training samples are sorted at least so well at the end (yes, no).
        `overfits`: whether the test loss ends a tenth or more above its lowest."""
        values = view.branch.history.values
        match words.split():
            case ["accuracy", share]:
                return "yes" if float(view.latest("train_accuracy")[0]) >= float(share) else "no"
            case ["overfits"]:
                losses = values["test_loss"][:, 0]
                losses = losses[np.isfinite(losses)]
                return "yes" if len(losses) and losses[-1] >= 1.1 * losses.min() else "no"
        return super().answer(spec, view, words)

    def script(self, spec: Any, events: Sequence[Any], steps: int, end: State) -> str:
        """A PyTorch script that repeats the run up to step `steps` and asserts every parameter in `end`."""
        from engine.experiments.networks._playground.script import write

        words: str = write(self, spec, events, steps, end)
        return words


def _sizes(samples: int, batch: int, before: int, n: int) -> Array:
    """How many samples each of the n steps after `before` takes."""
    if not batch:
        return np.full(n, samples)
    rounds = -(-samples // batch)
    last = (np.arange(before, before + n) % rounds) == rounds - 1
    return np.where(last, samples - (rounds - 1) * batch, batch)


def _mark(model: Any) -> str:
    """A fingerprint of the data: a run whose file has changed is another run."""
    import zlib

    parts = (model.x, model.y, model.test_x, model.test_y)
    return "-".join(f"{zlib.crc32(np.ascontiguousarray(part).tobytes()):08x}" for part in parts)


def _why(state: State, rate: float) -> str:
    """Which layer's numbers are no longer finite, at which step and rate."""
    model, last = state.model, len(state.model.description.hidden)
    when = f"overflowed at step {state.step}, rate {rate:g}"

    def name(i: int) -> str:
        return "the output layer" if i == last else f"hidden layer {i + 1}"

    for i, layer in enumerate(model.layers(state.params)):
        if not all(np.isfinite(part).all() for part in layer):
            return f"{name(i)} {when} (its weights)"
    for i, (z, a) in enumerate(model.forward(state, model.x)):
        if not (np.isfinite(z).all() and np.isfinite(a).all()):
            return f"{name(i)} {when} (its sums)"
    return f"the loss {when} (every layer is still finite)"
