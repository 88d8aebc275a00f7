"""The learning-rate range test: one batch at each of ever higher rates, and what rate to train with: chapter 10.2.3."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from engine.experiment import Basis, Columns, Curve, Ending, Picture
from engine.experiments._shared.trained.settings import check_samples
from engine.experiments.schedules._range_test.settings import TRAINING, RangeTestSpec, training
from engine.experiments.schedules._range_test.suggestions import fell
from engine.optimizers import RULES
from engine.spec import Spec, SpecError

COLUMNS = ("learning_rate", "batch_loss", "smoothed_loss", "train_loss", "steepest", "minimum_tenth", "valley",
           "stability_limit")  # fmt: skip
EXTRAS = ("tested_rate", "slope")
SUGGESTED = {"valley": "valley", "steepest": "steepest", "minimum_tenth": "minimum / 10"}


class RangeTest(Basis):
    """See SPEC `schedules.range_test` (Smith 2017, Cyclical learning rates, section 3.3; Smith and Topin 2019).

    The row of step k holds the rate of step k and the loss of its batch before the update, as it was and smoothed (an
    average that forgets, corrected for its beginning), and every so many steps the loss over all samples and what the
    test suggests so far. Steps before the test are trained at a constant rate. When the test is over, by its last
    rate or because the loss has grown too much, the network is what it was before the test.
    """

    id: ClassVar[str] = "schedules.range_test"
    title: ClassVar[str] = "Learning-rate range test"
    section: ClassVar[str] = "10.2.3"
    summary: ClassVar[str] = "One batch at each of ever higher rates: where the loss falls says what rate to take."
    Spec: ClassVar[type[Spec]] = RangeTestSpec
    columns: ClassVar[tuple[str, ...]] = COLUMNS
    extras: ClassVar[tuple[str, ...]] = EXTRAS
    step_columns: ClassVar[tuple[str, ...]] = ("learning_rate", "batch_loss", "smoothed_loss")
    sparse: ClassVar[tuple[str, ...]] = ("train_loss", "steepest", "minimum_tenth", "valley", "stability_limit")
    loss: ClassVar[str] = "smoothed_loss"
    pace: ClassVar[float] = 60.0
    plots: ClassVar[tuple[Curve | Picture, ...]] = (
        Curve("batch_loss", "Loss against learning rate", "loss", log=True, x_label="learning rate", x="tested_rate",
              log_x=True, others=("smoothed_loss",),
              words={"batch_loss": "each batch, raw", "smoothed_loss": "smoothed"}),
        Curve("valley", "Suggested so far", "rate", log=True, x_label="learning rate", x="tested_rate", log_x=True,
              others=("steepest", "minimum_tenth"), words=SUGGESTED),
        Curve("train_loss", "Loss of all samples", "loss", log=True, x_label="learning rate", x="tested_rate",
              log_x=True),
        Picture("back", "Put back", "table", every=0.5, empty="Told when the test is over"),
        Curve("slope", "Slope of the smoothed loss", "change", x_label="learning rate", x="tested_rate", log_x=True),
        Curve("batch_loss", "Loss of each batch", "loss", log=True),
        Curve("learning_rate", "Learning rate", "learning rate", log=True),
        Picture("suggestions", "Suggestions", "table", every=0.3),
    )  # fmt: skip

    # -- settings ----------------------------------------------------------------------------------------------------

    def check(self, spec: Any) -> None:
        """Raise SpecError where the rates do not rise, or there are not enough samples."""
        if not spec.max_lr > spec.min_lr:
            raise SpecError(
                "max_lr", f"{spec.max_lr:g} is not allowed; give more than {spec.min_lr:g}, the lowest rate"
            )
        if 0.0 < spec.stop_factor <= 1.0:
            raise SpecError("stop_factor", f"{spec.stop_factor:g} is not allowed; give more than 1, or 0 for never")
        check_samples(spec, ())

    def series(self, spec: Any) -> tuple[str, ...]:
        """One network, by its optimizer's name."""
        return (str(spec.optimizer),)

    def steps(self, spec: Any) -> int:
        """Those before the test, and the test."""
        return int(spec.warm_steps + spec.steps)

    def label(self, series: str) -> str:
        """The optimizer's title."""
        return RULES[series].title

    def difference(self, spec: Any, series: str) -> str:
        """How the conventions differ for the optimizer."""
        return RULES[spec.optimizer].differs

    def training(self, spec: Any, rate: float, three_phase: bool = False) -> tuple[str, dict[str, Any]]:
        """The experiment and the settings that train this network by one-cycle up to a rate, in two phases or three."""
        return TRAINING, training(spec, rate, three_phase)

    # -- running -----------------------------------------------------------------------------------------------------

    def start(self, spec: Any) -> Any:
        """Data and network of the settings, before anything."""
        from engine.experiments._shared.trained.model import build
        from engine.experiments.schedules._range_test.run import start

        return start(spec, build(spec, (spec.samples,)))

    def measure(self, state: Any, spec: Any) -> Columns:
        """The row of the step in hand."""
        return Columns({name: np.array([[value]]) for name, value in zip(COLUMNS + EXTRAS, state.row, strict=True)})

    def advance(self, state: Any, spec: Any, n: int) -> Columns:
        """Take n steps; fewer where the test ends before."""
        from engine.experiments.schedules._range_test.run import advance

        ended = state.ended
        rows = advance(state, spec, n)
        endings = (Ending(0, state.ended[0], state.ended[2], state.ended[1]),) if state.ended is not ended else ()
        return Columns({name: row[:, None] for name, row in zip(COLUMNS + EXTRAS, rows, strict=True)}, endings)

    # -- looking -----------------------------------------------------------------------------------------------------

    def probe(self, state: Any, spec: Any, name: str, **asked: Any) -> Any:
        """`report`: what the test says so far, as a Report; `suggestions` and `back`: Tables."""
        from engine.experiments.schedules._range_test import report

        found = {"report": report.report, "suggestions": report.suggestions_table, "back": report.back_table}
        if name not in found:
            raise KeyError(name)
        return found[name](state, spec)

    def answer(self, spec: Any, view: Any, words: str) -> str:
        """`highest`: which suggestion is highest. `limit`: whether the test's last rate is `near` the stability limit,
        within a third of it, or `above` or `below`. `fell`: whether the smoothed loss fell enough to read anything off
        it, `yes` or `no`."""
        final = {name: float(view.branch.final[name][0]) for name in (*SUGGESTED, "learning_rate", "stability_limit")}
        if words == "highest":
            return max(SUGGESTED, key=lambda name: final[name] if math.isfinite(final[name]) else -math.inf)
        if words == "limit":
            ratio = final["learning_rate"] / final["stability_limit"]
            return "below" if ratio < 0.75 else "near" if ratio <= 4.0 / 3.0 else "above"
        if words == "fell":
            losses = view.branch.history.values["smoothed_loss"][:, 0]
            return "yes" if fell(losses[np.isfinite(losses)], spec.steps) else "no"
        return super().answer(spec, view, words)

    def script(self, spec: Any, events: Sequence[Any], steps: int, end: Any) -> str:
        """A PyTorch script that repeats the test, asserts its losses and suggestions, and puts the weights back."""
        from engine.experiments.schedules._range_test.script import write

        words: str = write(self, spec, events, steps, end)
        return words
