"""The schedules' rates as far as the run went, faintly what lies ahead, and the knots of the one drawn by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from PySide6.QtCore import Slot

from engine.experiment import Curve, Experiment
from engine.picture import Lines
from engine.schedules import SCHEDULES, rates
from engine.session.branches import SessionView
from engine.spec import Spec
from gui.plots.curves import Curves
from gui.pump import Probes
from gui.runs import Pinned
from gui.theme import SeriesStyle, Theme, series_style
from gui.views.schedules._knots import AHEAD, KnotCurves, Knots
from gui.views.view import View

RATE = "learning_rate"
DRAWN = "drawn"
EMPTY = {
    "momentum": "Cyclic and one-cycle move the momentum too",
    "loss": "Only reduce on plateau watches a loss",
}
FINE = 512  # points of a hand-drawn line while it is dragged


class CurvesView(View):
    """Rate, momentum and watched loss of `schedules.curves`."""

    def __init__(self, experiment: Experiment, theme: Theme) -> None:
        self._spec: Any = None
        self._needs_ahead = True
        self._ahead: Lines | None = None
        super().__init__(experiment, theme)

    def _add_curves(self, plot: Curve) -> None:
        super()._add_curves(plot)
        if plot.column != RATE:
            self.curves[plot.column].empty = EMPTY[plot.column]
            return
        self.curves[RATE].deleteLater()
        self.rate = KnotCurves(plot.title, plot.x_label, plot.y_label, plot.log, self.theme)
        self.rate.cursorMoved.connect(self._cursor_moved)
        self.rate.knotsMoved.connect(self._knots_moved)
        self.rate.knotsPicked.connect(self._knots_picked)
        self.curves[RATE] = self.rate

    def line_style(self, series: str, index: int) -> SeriesStyle:
        """Each schedule keeps its colour, whoever else takes part."""
        return series_style("", list(SCHEDULES).index(series))

    # -- what the page asks --------------------------------------------------------------------------------------------

    def wanted(self) -> Probes:
        """What lies ahead, once after each change of the settings; the chosen schedule's formula in numbers always."""
        probes: dict[str, tuple[str, Mapping[str, Any]]] = dict(super().wanted())
        if self._needs_ahead:
            probes["ahead"] = ("ahead", {})
        if self.chosen in getattr(self._spec, "schedules", ()):
            probes["inside"] = ("inside", {"series": self.chosen})
        return probes

    def answers(self) -> Mapping[str, Any]:
        """What lies ahead, for a picture of the same run elsewhere."""
        return {**super().answers(), **({"ahead": self._ahead} if self._ahead is not None else {})}

    def set_spec(self, spec: Spec) -> None:
        """New settings: other lines ahead, other knots."""
        super().set_spec(spec)
        self._spec = spec
        self._needs_ahead = True
        for curves in self.curves.values():
            curves.set_x_range(0, max(self._spec.total_steps - 1, 1))
        for key in [key for key in self.rate.series if key.startswith(AHEAD)]:
            if key.removeprefix(AHEAD) not in self._spec.schedules:
                self.rate.remove(key)
        self._show_knots()

    def show_run(self, view: SessionView, probes: Mapping[str, Any], pinned: Sequence[Pinned]) -> None:
        """The measured rates over those ahead."""
        if view.live != self._spec and self._spec is not None:  # a live change of the peak rate
            self._spec, self._needs_ahead = view.live, True
            self._show_knots()
        if "ahead" in probes:
            self._needs_ahead, self._ahead = False, probes["ahead"]
            self._show_ahead(probes["ahead"])
        super().show_run(view, probes, pinned)

    # -- drawing -------------------------------------------------------------------------------------------------------

    def _show_ahead(self, ahead: Lines) -> None:
        data = {}
        for line in ahead.lines:
            key = AHEAD + line.name
            self.rate.set_series(key, f"{self.label(line.name)} · ahead", self.line_style(line.name, 0), ghost=True)
            data[key] = (line.x, line.y, line.low, line.high)
        self.rate.set_lines(data)

    def _show_curves(self, name: str, curves: Curves, lines: Any, view: SessionView, events: Any) -> None:
        if name != RATE:  # only those that have a momentum, or a loss to watch
            lines = [line for line in lines if np.isfinite(line[4].history.values[name][:1, line[3]]).any()]
        super()._show_curves(name, curves, lines, view, events)

    def _show_knots(self) -> None:
        spec = self._spec
        if DRAWN not in spec.schedules:
            self.rate.set_knots((), 1.0, 1.0, None)
            return
        width = max(spec.total_steps - 1, 1)
        self.rate.set_knots(spec.drawn.knots, width, spec.base_lr, self.line_style(DRAWN, 0), self._share)

    def _share(self, x: float) -> float:
        """The height of the hand-drawn line at a share of the run."""
        at = np.array([round(x * FINE)])
        drawn = self._spec.drawn
        return float(rates(DRAWN, at, FINE + 1, 1.0, knots=drawn.knots, smooth=drawn.smooth)[0])

    # -- hands ---------------------------------------------------------------------------------------------------------

    @Slot(object)
    def _knots_moved(self, knots: Knots) -> None:
        spec, key = self._spec, AHEAD + DRAWN
        if key not in self.rate.series:
            return
        line = rates(DRAWN, np.arange(FINE + 1), FINE + 1, spec.base_lr, knots=knots, smooth=spec.drawn.smooth)
        self.rate.set_data(key, np.linspace(0, max(spec.total_steps - 1, 1), FINE + 1), line)

    @Slot(object)
    def _knots_picked(self, knots: Knots) -> None:
        self.edited.emit("drawn.knots", knots)


def view(experiment: Experiment, theme: Theme) -> View:
    """The view of this experiment."""
    return CurvesView(experiment, theme)
