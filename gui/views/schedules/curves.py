"""The schedules' rates as far as the run went, faintly what lies ahead, and the knots of the one drawn by hand."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from engine.experiment import Curve, Experiment
from engine.schedules import SCHEDULES
from engine.session.branches import SessionView
from engine.spec import Spec
from gui.plots.curves import Curves
from gui.pump import Probes
from gui.theme import SeriesStyle, Theme, series_style
from gui.views.schedules._ahead import AheadView
from gui.views.schedules._hand import RATE

EMPTY = {
    "momentum": "Cyclic and one-cycle move the momentum too",
    "loss": "Only reduce on plateau watches a loss",
}


class CurvesView(AheadView):
    """Rate, momentum and watched loss of `schedules.curves`."""

    def _add_curves(self, plot: Curve) -> None:
        super()._add_curves(plot)
        if plot.column != RATE:
            self.curves[plot.column].empty = EMPTY[plot.column]

    def line_style(self, series: str, index: int) -> SeriesStyle:
        """Each schedule keeps its colour, whoever else takes part."""
        return series_style("", list(SCHEDULES).index(series))

    # -- what the page asks --------------------------------------------------------------------------------------------

    def wanted(self) -> Probes:
        """The chosen schedule's formula in numbers always."""
        probes: dict[str, tuple[str, Mapping[str, Any]]] = dict(super().wanted())
        if self.chosen in getattr(self._spec, "schedules", ()):
            probes["inside"] = ("inside", {"series": self.chosen})
        return probes

    def set_spec(self, spec: Spec) -> None:
        """New settings: another length."""
        super().set_spec(spec)
        for curves in self.curves.values():
            curves.set_x_range(0, max(self._spec.total_steps - 1, 1))

    # -- drawing -------------------------------------------------------------------------------------------------------

    def _show_curves(self, name: str, curves: Curves, lines: Any, view: SessionView, events: Any) -> None:
        if name != RATE:  # only those that have a momentum, or a loss to watch
            lines = [line for line in lines if np.isfinite(line[4].history.values[name][:1, line[3]]).any()]
        super()._show_curves(name, curves, lines, view, events)


def view(experiment: Experiment, theme: Theme) -> CurvesView:
    """The view of this experiment."""
    return CurvesView(experiment, theme)
