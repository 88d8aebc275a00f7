"""Double descent: the test error falls, peaks where the fit first goes through every sample, and falls again.

Chapter 10.5.3; Belkin et al. 2019, Nakkiran et al. 2020, Hastie et al. 2022.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from engine.experiment import Array, Basis, Columns, Curve, Drawn, Ending, Picture
from engine.experiments.dynamics._double_descent import theory
from engine.experiments.dynamics._double_descent.settings import (
    FITS,
    GROWS,
    LINEAR,
    TRAINED,
    DoubleDescentSpec,
    penalties,
)
from engine.experiments.dynamics._double_descent.sweep import Sweep, memory, rounds, sizes
from engine.experiments.dynamics._double_descent.training import (
    Networks,
    hidden_units,
    inputs_of,
    parameters,
    pieces,
    products,
)
from engine.picture import Line, Lines
from engine.spec import Spec, SpecError

MOST_MEMORY = 512 * 2**20  # bytes
MOST_PARAMETERS = 60_000  # of all networks of a width: they are copied for stepping back
MOST_STEPS = 3000
LOW, HIGH = 0.1, 0.9  # the band: these quantiles of the repetitions
_SIZE = "size"


@dataclass
class State:
    """`table` [fits, seeds, 3]: test error, training error, norm at the size in hand, nan where not yet fitted;
    `past` [sizes, 1 + 3 fits]: size and mean, low and high of those done; networks and optimizer states if any; who
    has `ended`, and of whom that is still to be told (a start cannot)."""

    step: int
    table: Array
    past: Array
    weights: Array
    moments: Array
    ended: list[int] = field(default_factory=list)
    untold: dict[int, str] = field(default_factory=dict)
    work: Any = field(default=None, metadata={"scratch": True})


class DoubleDescent(Basis):
    """See the module's text. One step is one size; where that takes long, a share of its fits or of its epochs."""

    id: ClassVar[str] = "dynamics.double_descent"
    title: ClassVar[str] = "Double descent"
    section: ClassVar[str] = "10.5.3"
    summary: ClassVar[str] = "Test error over width and training time: down, up to a peak, and down again."
    Spec: ClassVar[type[Spec]] = DoubleDescentSpec
    columns: ClassVar[tuple[str, ...]] = (
        "width", "epochs", "test_error", "low", "high", "train_error", "theory", "weight_norm",
    )  # fmt: skip
    extras: ClassVar[tuple[str, ...]] = ("size",)
    loss: ClassVar[str] = "test_error"
    sparse: ClassVar[tuple[str, ...]] = ("test_error", "low", "high", "train_error", "weight_norm")
    steps_key: ClassVar[str] = ""
    pace: ClassVar[float] = 10.0
    plots: ClassVar[tuple[Curve | Picture, ...]] = (
        Curve("test_error", "Test error", "mean squared error", log=True, x_label=_SIZE, others=("theory",),
              words={"test_error": "measured", "theory": "theory"}, x="size", log_x=True),
        Picture("spread", "Spread over repetitions", "lines", "size", "mean squared error", log=True, log_x=True),
        Curve("train_error", "Training error", "mean squared error", x_label="size", x="size", log_x=True),
        Curve("weight_norm", "Size of the weights", "‖weights‖", log=True, x_label="size", x="size", log_x=True),
    )  # fmt: skip

    # -- settings ----------------------------------------------------------------------------------------------------

    def check(self, spec: Any) -> None:
        """Raise SpecError for what does not belong together, and for what takes too much memory or time."""
        if not spec.fits:
            raise SpecError("fits", "'' is not allowed; name at least one penalty")
        if "best" in spec.fits and (spec.family != "isotropic" or spec.spread != "seen"):
            raise SpecError("fits", "'best' is not allowed here; it is known for isotropic columns with all of the "
                            "signal in them")  # fmt: skip
        if spec.family in LINEAR:
            if not spec.widths and spec.lowest >= spec.highest:
                raise SpecError("highest", f"{spec.highest} is not allowed; give more than {spec.lowest}, the fewest")
            if memory(spec) > MOST_MEMORY:
                raise SpecError(
                    "seeds", f"{spec.seeds} repetitions of {spec.samples} samples with up to {sizes(spec)[-1]} columns "
                    f"need {memory(spec) / 2**20:,.0f} MiB; {MOST_MEMORY // 2**20} MiB are allowed",
                )  # fmt: skip
            steps = len(sizes(spec)) * rounds(spec)[0]
        else:
            self._check_training(spec)
            steps = pieces(spec)
        if steps > MOST_STEPS:
            raise SpecError("", f"the run would have {steps:,} steps; {MOST_STEPS:,} are allowed: ask for less")

    def _check_training(self, spec: Any) -> None:
        if not hidden_units(spec):
            raise SpecError("units", "'' is not allowed; give at least one width")
        widest = hidden_units(spec)[-1]
        numbers = parameters(spec, widest) * spec.seeds * len(spec.fits)
        if numbers > MOST_PARAMETERS:
            raise SpecError("seeds", f"{spec.seeds} repetitions with {len(spec.fits)} penalties of a network of "
                            f"{parameters(spec, widest):,} parameters are {numbers:,} numbers; {MOST_PARAMETERS:,} are "
                            "allowed")  # fmt: skip
        most = max(1, int(1e9 / products(spec, widest)))
        if spec.family == "epochs" and spec.every > most:
            raise SpecError(
                "every", f"{spec.every} is not allowed here; give at most {most}, or a step would take long"
            )

    def series(self, spec: Any) -> tuple[str, ...]:
        """The penalties, as chosen."""
        return tuple(spec.fits)

    def label(self, series: str) -> str:
        """A penalty's title."""
        return FITS.get(series, series)

    def steps(self, spec: Any) -> int:
        """One less than there are pieces of work: step 0 has the first."""
        if spec.family in LINEAR:
            return len(sizes(spec)) * rounds(spec)[0] - 1
        return pieces(spec) - 1

    def grows(self, spec: Any) -> str:
        """What the sizes are, as an axis says it."""
        return GROWS[spec.family]

    def threshold(self, spec: Any) -> float:
        """The size at which as many numbers are fitted as there are samples; nan over training time."""
        if spec.family in LINEAR:
            return float(spec.samples)
        return (spec.samples - 1) / (inputs_of(spec) + 2) if spec.family == "width" else float("nan")

    # -- running -----------------------------------------------------------------------------------------------------

    def start(self, spec: Any) -> State:
        """The first size, or its first share."""
        return self.begin(spec, Sweep(spec) if spec.family in LINEAR else Networks(spec))

    def begin(self, spec: Any, work: Sweep | Networks) -> State:
        """As `start`, with the data made already."""
        fits, none = len(spec.fits), np.empty((0, 0, 0))
        table, past = np.empty((fits, spec.seeds, 3)), np.empty((0, 1 + 3 * fits))
        state = State(-1, table, past, none, none[..., None], work=work)
        self._step(state, spec)
        return state

    def _step(self, state: State, spec: Any) -> None:
        """One piece of work."""
        state.step += 1
        if spec.family in LINEAR:
            i, part = divmod(state.step, state.work.rounds)
            if part == 0:
                state.table = np.full_like(state.table, np.nan)
            state.work.fill(state.table, i, part)
        else:
            piece = state.work.plan[state.step]
            if piece.before == 0 and (spec.family == "width" or state.step == 0):
                state.weights, state.moments = state.work.fresh(piece.size)
            lost = state.work.train(piece, state.weights, state.moments, spec.learning_rate, state.ended)
            state.untold |= lost
            state.ended += sorted(lost)
            state.table = np.full_like(state.table, np.nan)
            if piece.last:
                state.work.fill(state.table, piece.size, state.weights)
                state.table[[f for f in state.ended if f not in lost]] = (
                    np.nan
                )  # the row of an ending is shown as it is
        if self._complete(state, spec):
            row = self._row(state, spec)
            told = np.concatenate([[row["size"][0]], *(row[name] for name in ("test_error", "low", "high"))])
            state.past = np.concatenate([state.past, told[None]])

    def _complete(self, state: State, spec: Any) -> bool:
        """Whether the size in hand has all of its fits."""
        if spec.family in LINEAR:
            return bool((state.step + 1) % state.work.rounds == 0)
        return bool(state.work.plan[state.step].last)

    def _row(self, state: State, spec: Any) -> dict[str, Array]:
        """Every column at this step: [fits] each."""
        fits = len(spec.fits)
        piece = state.work.plan[state.step] if spec.family in TRAINED else None
        width = state.work.sizes[piece.size if piece else state.step // state.work.rounds]
        epochs = piece.before + piece.epochs if piece else 0
        if self._complete(state, spec):
            with np.errstate(all="ignore"):  # an overflow is told by its ending
                test, train, norm = np.moveaxis(state.table, 2, 0)
                low, high = np.quantile(test, (LOW, HIGH), axis=1)
                means = [part.mean(axis=1) for part in (test, train, norm)]
        else:
            low, high, *means = [np.full(fits, np.nan)] * 5
        told = [
            np.full(fits, float(width)), np.full(fits, float(epochs)), means[0], low, high, means[1],
            self._theory(spec, width), means[2], np.full(fits, float(epochs if spec.family == "epochs" else width)),
        ]  # fmt: skip
        return dict(zip(self.columns + self.extras, told, strict=True))

    def _theory(self, spec: Any, p: int) -> Array:
        """What is known of each fit's test error at p columns: [fits], nan where nothing is."""
        if spec.family != "isotropic":
            return np.full(len(spec.fits), np.nan)
        if spec.spread == "unseen":
            size = 1.0 / np.arange(1, sizes(spec)[-1] + 1)
            unseen = spec.signal * float((size[p:] ** 2).sum() / (size**2).sum())
            one = theory.ridgeless(spec.samples, p, spec.noise, spec.signal, unseen)
            return np.array([one if name == "ridgeless" else np.nan for name in spec.fits])
        wanted = penalties(spec, p).values()
        return np.array([theory.ridge(spec.samples, p, spec.noise, spec.signal, penalty) for penalty in wanted])

    def measure(self, state: State, spec: Any) -> Columns:
        """The errors at this size, once all of its fits are there."""
        return Columns({name: row[None, :] for name, row in self._row(state, spec).items()})

    def advance(self, state: State, spec: Any, n: int) -> Columns:
        """The next n pieces of work; fewer where every contestant has ended."""
        rows, endings = list[Columns](), list[Ending]()
        for _ in range(n):
            if len(state.ended) - len(state.untold) == len(spec.fits):
                break
            self._step(state, spec)
            rows.append(self.measure(state, spec))
            endings += [Ending(f, "diverged", state.step, reason) for f, reason in state.untold.items()]
            state.untold = {}
        names = self.columns + self.extras
        if not rows:
            return Columns({name: np.empty((0, len(spec.fits))) for name in names})
        return Columns({name: np.concatenate([row.values[name] for row in rows]) for name in names}, tuple(endings))

    # -- looking -----------------------------------------------------------------------------------------------------

    def probe(self, state: State, spec: Any, name: str, **asked: Any) -> Any:
        """`spread`: mean and middle four fifths of the repetitions at every size so far."""
        if name != "spread":
            raise KeyError(name)
        fits = len(spec.fits)
        lines = []
        for f, one in enumerate(spec.fits):
            mean, low, high = (state.past[:, 1 + f + part * fits] for part in range(3))
            lines.append(Line(FITS[one], state.past[:, 0], mean, low, high, series=one))
        at = self.threshold(spec)
        words = "p = n" if spec.family in LINEAR else "n parameters"
        marks = ((at, words),) if np.isfinite(at) else ()
        note = f"Mean of {spec.seeds}; band: the middle 80 %"
        return Lines(tuple(lines), marks, note)

    def drawn(self, spec: Any, view: Any) -> tuple[Drawn, ...]:
        """The chapter's curves, its threshold laid on this run's."""
        from engine.experiments.dynamics._double_descent.chapter import drawn

        return drawn(spec, view, self.threshold(spec))

    def answer(self, spec: Any, view: Any, words: str) -> str:
        """`peak FIT`: whether its largest test error lies below, at (within 5 %) or beyond the threshold; `lowest FIT`:
        on which side of it the smallest; `rises FIT`: `always`, or `falls` where it once falls by more than a tenth."""
        kind, _, name = words.partition(" ")
        history = view.branch.history
        s = view.series.index(name)
        error = history.values["test_error"][:, s]
        good = np.isfinite(error)
        error, size = error[good], history.values["size"][good, s]
        at = self.threshold(spec)
        if kind == "rises":
            return "falls" if (error < 0.9 * np.maximum.accumulate(error)).any() else "always"
        if kind not in ("peak", "lowest"):
            return super().answer(spec, view, words)
        found = size[np.argmax(error) if kind == "peak" else np.argmin(error)] / at
        return "at" if abs(found - 1.0) <= 0.05 else "below" if found < 1.0 else "beyond"

    def script(self, spec: Any, events: Sequence[Any], steps: int, end: State) -> str:
        """A PyTorch script that fits again at the sizes up to here and asserts their test errors."""
        from engine.experiments.dynamics._double_descent.script import write

        words: str = write(self, spec, events, steps)
        return words
