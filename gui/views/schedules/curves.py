"""The schedules' rates as far as the run went, faintly what lies ahead, and the knots of the one drawn by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from engine.experiment import Curve, Experiment
from engine.picture import Lines
from engine.schedules import SCHEDULES
from engine.session.branches import SessionView
from engine.spec import Spec
from gui.plots.curves import Curves
from gui.pump import Probes
from gui.runs import Pinned
from gui.theme import SeriesStyle, Theme, series_style
from gui.views.schedules._hand import RATE, HandView
from gui.views.schedules._knots import AHEAD

EMPTY = {
    "momentum": "Cyclic and one-cycle move the momentum too",
    "loss": "Only reduce on plateau watches a loss",
}


class CurvesView(HandView):
    """Rate, momentum and watched loss of `schedules.curves`."""

    def __init__(self, experiment: Experiment, theme: Theme) -> None:
        self._needs_ahead = True
        self._ahead: Lines | None = None
        super().__init__(experiment, theme)

    def _add_curves(self, plot: Curve) -> None:
        super()._add_curves(plot)
        if plot.column != RATE:
            self.curves[plot.column].empty = EMPTY[plot.column]

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
        self._needs_ahead = True
        for curves in self.curves.values():
            curves.set_x_range(0, max(self._spec.total_steps - 1, 1))
        for key in [key for key in self.rate.series if key.startswith(AHEAD)]:
            if key.removeprefix(AHEAD) not in self._spec.schedules:
                self.rate.remove(key)

    def show_run(self, view: SessionView, probes: Mapping[str, Any], pinned: Sequence[Pinned]) -> None:
        """The measured rates over those ahead."""
        if view.live != self._spec and self._spec is not None:  # a live change of the peak rate
            self._spec, self._needs_ahead = view.live, True
            self.show_knots()
        if "ahead" in probes:
            self._needs_ahead, self._ahead = False, probes["ahead"]
            self._show_ahead(probes["ahead"])
        super().show_run(view, probes, pinned)

    # -- drawing -------------------------------------------------------------------------------------------------------

    def _show_ahead(self, ahead: Lines) -> None:
        data = {}
        for line in ahead.lines:
            data[self.declare_ahead(line.name)] = (line.x, line.y, line.low, line.high)
        self.rate.set_lines(data)

    def _show_curves(self, name: str, curves: Curves, lines: Any, view: SessionView, events: Any) -> None:
        if name != RATE:  # only those that have a momentum, or a loss to watch
            lines = [line for line in lines if np.isfinite(line[4].history.values[name][:1, line[3]]).any()]
        super()._show_curves(name, curves, lines, view, events)


def view(experiment: Experiment, theme: Theme) -> CurvesView:
    """The view of this experiment."""
    return CurvesView(experiment, theme)
