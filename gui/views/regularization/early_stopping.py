"""The losses that all watch, drawn once, with everybody's best epoch and stop on them."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.experiment import Curve, Experiment
from engine.session.branches import BranchView, SessionView
from engine.spec import Spec
from gui.plots.curves import Curves
from gui.plots.hiding import part_of
from gui.theme import SeriesStyle, Theme, series_style
from gui.views.view import View

LOSSES = "train_loss"
PLACES = {"train_loss": 7, "validation_loss": 9}  # in the palette: colours that no contestant has
BEST = "best/"


class EarlyStoppingView(View):
    """The plots of `regularization.early_stopping`. The losses belong to the run and not to a contestant."""

    def first_choice(self, names: Any) -> str:
        """Somebody who stops: there is more to see."""
        return next((name for name in ("usual", "patient", "hasty") if name in names), super().first_choice(names))

    def set_spec(self, spec: Spec) -> None:
        """A new run: its marks lie over its lines, so they are declared after them."""
        super().set_spec(spec)
        losses = self.curves[LOSSES]
        for key in [key for key in losses.series if key.startswith(BEST)]:
            losses.remove(key)

    def _show_curves(self, name: str, curves: Curves, lines: Any, view: SessionView, events: Any) -> None:
        if name != LOSSES:
            super()._show_curves(name, curves, lines, view, events)
            return
        longest: dict[str, Any] = {}  # of each run and branch: whose rows go furthest
        for line in lines:
            run = line[0].rpartition("/")[0]
            if run not in longest or _end(line) > _end(longest[run]):
                longest[run] = line
        stops = [(float(e.step), f"{self.label(view.series[e.series])} stops") for e in view.branch.endings
                 if e.finish == "stopped"]  # fmt: skip
        super()._show_curves(name, curves, list(longest.values()), view, [*events, *stops])
        self._show_best(curves, view)

    def _look(
        self, declared: Curve, column: str, c: int, label: str, series: str, s: int, alone: bool
    ) -> tuple[str, SeriesStyle]:
        if declared.column != LOSSES:
            return super()._look(declared, column, c, label, series, s, alone)
        words, _ = super()._look(declared, column, c, label, series, s, True)
        return words, series_style("", PLACES[column])

    def name_of(self, declared: Curve, column: str, series: str) -> str:
        """The losses are nobody's: they stay whoever is hidden."""
        return column if declared.column == LOSSES else super().name_of(declared, column, series)

    def _show_best(self, curves: Curves, view: SessionView) -> None:
        """A mark on the validation loss where each found its best."""
        final = view.branch.final
        epochs, losses = (final.get(column, np.empty(0)) for column in ("best_epoch", "best_loss"))
        found = {}
        for s, name in enumerate(view.series[: len(epochs)]):
            epoch, loss = self._best(view.branch, s, float(epochs[s]), float(losses[s]))
            if np.isfinite(epoch):
                key = BEST + name
                own, style = part_of(self.label(name), "best"), self.line_style(name, s)
                curves.set_series(key, f"{self.label(name)}: best", style, width=0, points=True, name=own)
                found[key] = ([epoch], [loss], None, None)
        for key in [key for key in curves.series if key.startswith(BEST) and key not in found]:
            curves.remove(key)
        curves.set_lines(found)

    def _best(self, branch: BranchView, s: int, epoch: float, loss: float) -> tuple[float, float]:
        """Best epoch and its loss; where the last row was not an evaluation, those of the last that was."""
        if np.isfinite(epoch):
            return epoch, loss
        rows = branch.history.values
        good = np.flatnonzero(np.isfinite(rows["best_epoch"][:, s]))
        return (float(rows["best_epoch"][good[-1], s]), float(rows["best_loss"][good[-1], s])) if len(good) else (
            np.nan, np.nan)  # fmt: skip


def _end(line: Any) -> float:
    """The last epoch of a contestant in its branch."""
    s, branch = line[3], line[4]
    return min((float(e.step) for e in branch.endings if e.series == s), default=np.inf)


def view(experiment: Experiment, theme: Theme) -> View:
    """The view of this experiment."""
    return EarlyStoppingView(experiment, theme)
