"""The activations' curves, each in its own colour whoever else takes part, and the inside of the chosen one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from PySide6.QtWidgets import QWidget

from engine.experiment import Experiment, Picture
from engine.picture import Lines
from engine.session.branches import SessionView
from engine.spec import Spec, declarations
from gui.plots.lines import OWN, LinesPlot
from gui.pump import Probes
from gui.runs import Pinned
from gui.theme import SeriesStyle, Theme, series_style
from gui.views.view import View


class ColouredLines(LinesPlot):
    """Lines whose colours belong to names: `order` says which place in the palette each has."""

    order: tuple[str, ...] = ()

    def show_picture(self, picture: Lines | None) -> None:
        """Draw this one, in the colours of its series; a line of no series in that of words."""
        with self.at_once():
            super().show_picture(picture)
            names = {f"{OWN}{line.name}": line.series for line in picture.lines} if picture is not None else {}
            for key, name in names.items():
                style = series_style("", self.order.index(name)) if name in self.order else None
                self.series[key] = replace(self.series[key], style=style)
            self.update_header()

    def _blank(self, theme: Theme) -> ColouredLines:
        twin = super()._blank(theme)
        twin.order = self.order
        return twin


class ActivationsView(View):
    """See the module's text."""

    def __init__(self, experiment: Experiment, theme: Theme) -> None:
        self._spec: Any = None
        self._needs_inside = True
        declared = next(d for d in declarations(experiment.Spec) if d.kind == "choices")
        self.order = declared.choices
        super().__init__(experiment, theme)

    def main_plots(self) -> tuple[Sequence[QWidget], Sequence[QWidget]]:
        """As declared, with lines in the colours of their activations."""
        for plot in self.experiment.plots:
            if isinstance(plot, Picture):
                self.pictures[plot.name].deleteLater()
                own = ColouredLines(plot.title, plot.x_label, plot.y_label, plot.log, self.theme)
                own.order = self.order
                self.pictures[plot.name] = own
        return super().main_plots()

    def line_style(self, series: str, index: int) -> SeriesStyle:
        """Each activation keeps its colour."""
        return series_style("", self.order.index(series))

    def set_spec(self, spec: Spec) -> None:
        """New settings."""
        super().set_spec(spec)
        self._spec, self._needs_inside = spec, True
        for curves in self.curves.values():
            curves.set_x_range(0, self._spec.depth)

    def wanted(self) -> Probes:
        """The curves, and the inside of the activation looked at."""
        probes: dict[str, tuple[str, Mapping[str, Any]]] = dict(super().wanted())
        if self._needs_inside and self.chosen in getattr(self._spec, "activations", ()):
            probes["inside"] = ("inside", {"series": self.chosen})
        return probes

    def choose(self, series: str) -> None:
        """Another activation is looked at."""
        super().choose(series)
        self._needs_inside = True

    def show_run(self, view: SessionView, probes: Mapping[str, Any], pinned: Sequence[Pinned]) -> None:
        """What was measured so far; the inside needs asking for once."""
        if "inside" in probes and probes["inside"].series == self.chosen:
            self._needs_inside = False
        super().show_run(view, probes, pinned)


def view(experiment: Experiment, theme: Theme) -> View:
    """The view of this experiment."""
    return ActivationsView(experiment, theme)
