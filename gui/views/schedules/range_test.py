"""The range test on screen: the loss over the rate with every suggestion marked on it; a click trains with one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from PySide6.QtCore import Slot

from engine.experiment import Curve, Experiment
from engine.session.branches import SessionView
from engine.spec import Spec
from gui.palette import GENERAL
from gui.plots.curves import Curves
from gui.pump import Probes
from gui.runs import Pinned
from gui.theme import SeriesStyle, Theme
from gui.views.schedules._marked import Mark, MarkedCurves
from gui.views.schedules._suggested import SuggestionBar
from gui.views.view import View

LOSS = "batch_loss"
STYLES = {
    "valley": replace(GENERAL[2], screen_dash=False), "steepest": GENERAL[1], "minimum_tenth": GENERAL[3],
}  # fmt: skip
TITLES = {"valley": "Valley", "steepest": "Steepest", "minimum_tenth": "Minimum / 10"}
RAW = SeriesStyle("#5f6d7a", "#a3adb8", (2, 1.5))  # each batch's loss lies behind the smoothed one


class RangeTestView(View):
    """The plots of `schedules.range_test`, and below them what it suggests."""

    def __init__(self, experiment: Experiment, theme: Theme) -> None:
        self._spec: Any = None
        self._report: Any = None
        super().__init__(experiment, theme)
        self.bar = SuggestionBar(STYLES, TITLES, theme)
        self.bar.picked.connect(self._picked)
        self.bar.asked.connect(self._train)
        layout = self.layout()
        assert layout is not None
        layout.setSpacing(0)
        layout.addWidget(self.bar)

    def _add_curves(self, plot: Curve) -> None:
        if plot.column != LOSS or LOSS in self.curves:
            super()._add_curves(plot)
            return
        self.loss = MarkedCurves(plot.title, plot.x_label, plot.y_label, plot.log, self.theme, log_x=plot.log_x)
        self.loss.cursorMoved.connect(self._cursor_moved)
        self.loss.markPicked.connect(self._mark_picked)
        self.curves[LOSS], self._declared[LOSS] = self.loss, plot

    # -- what the page asks ------------------------------------------------------------------------------------------

    def wanted(self) -> Probes:
        """What is seen and due, and always what the test says."""
        return {**super().wanted(), "report": ("report", {})}

    def answers(self) -> Mapping[str, Any]:
        """What the test says, for a picture of the same run elsewhere."""
        return {**super().answers(), **({"report": self._report} if self._report is not None else {})}

    def set_spec(self, spec: Spec) -> None:
        """A new test: all its rates are on the axis from the start, by decades where it grows by a factor."""
        super().set_spec(spec)
        self._spec, self._report = spec, None
        log = self._spec.growth == "exponential"
        for name, declared in self._declared.items():
            if declared.x:
                curves = self.curves[name]
                if curves.log_x != log:
                    curves.log_x = curves.canvas.bottom.log = log
                    curves.canvas.bottom.update()
                curves.set_x_range(self._spec.min_lr, self._spec.max_lr)
        self.loss.set_marks(())
        self.bar.show_report(None)

    def show_run(self, view: SessionView, probes: Mapping[str, Any], pinned: Sequence[Pinned]) -> None:
        """The curves, and what they say."""
        if "report" in probes:
            self._report = probes["report"]
            self.bar.show_report(self._report)
            self._show_marks()
        super().show_run(view, probes, pinned)

    def line_style(self, series: str, index: int) -> SeriesStyle:
        """One colour for what was measured, whoever trains: the suggestions have those of other optimizers."""
        return GENERAL[0]

    # -- drawing -----------------------------------------------------------------------------------------------------

    def _look(
        self, declared: Curve, column: str, c: int, label: str, series: str, s: int, alone: bool
    ) -> tuple[str, SeriesStyle]:
        words, style = super()._look(declared, column, c, label, series, s, alone)
        if declared.column == LOSS:
            return words, self.line_style(series, s) if c else RAW
        return words, STYLES.get(column, self.line_style(series, s)) if declared.others else style

    def _show_curves(self, name: str, curves: Curves, lines: Any, view: SessionView, events: Any) -> None:
        super()._show_curves(name, curves, lines, view, events)
        if self._declared[name].x and not np.isfinite(view.row["tested_rate"]).any():
            curves.set_cursor(None)  # the test has not begun

    def _show_marks(self) -> None:
        if self._report is None:
            return
        marks = [
            Mark(s.key, s.rate, f"{TITLES[s.key]} {s.rate:.3g}", STYLES[s.key], s.loss, s.key == self.bar.chosen)
            for s in self._report.suggestions if np.isfinite(s.rate)
        ]  # fmt: skip
        limit = self._report.limit
        if np.isfinite(limit):
            marks.append(Mark("limit", limit, f"2/λmax {limit:.3g} (theory)"))
        self.loss.set_marks(marks)

    def apply_theme(self, theme: Theme) -> None:
        """Repaint in another theme."""
        super().apply_theme(theme)
        self.bar.apply_theme(theme)

    # -- hands -------------------------------------------------------------------------------------------------------

    @Slot(str)
    def _mark_picked(self, key: str) -> None:
        self.bar.pick(key)

    @Slot(str)
    def _picked(self, key: str) -> None:
        self._show_marks()

    @Slot(bool)
    def _train(self, three_phase: bool) -> None:
        """Open training by one-cycle up to the rate chosen."""
        rate = self.bar.picked_rate
        if self._spec is not None and rate is not None:
            self.handed.emit(*self.experiment.training(self._spec, rate, three_phase))  # type: ignore[attr-defined]


def view(experiment: Experiment, theme: Theme) -> View:
    """The view of this experiment."""
    return RangeTestView(experiment, theme)
