"""The ways of all batch sizes over a plane through the minimum, above their losses and the noise in their gradients."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
from PySide6.QtCore import Slot
from PySide6.QtWidgets import QWidget

from engine.experiment import Drawn, Experiment
from engine.session.branches import SessionView
from engine.spec import Spec
from gui.plots.field import Field
from gui.pump import Probes
from gui.runs import Pinned
from gui.theme import Theme
from gui.views.view import View

GRID = 160  # points a side of the map
TITLE = "Paths"


class MinibatchView(View):
    """Map, losses, gradient cloud and variance of `landscapes.minibatch`."""

    def __init__(self, experiment: Experiment, theme: Theme) -> None:
        self.map = Field(TITLE, "first direction", "second direction", theme, value_label="loss − minimum")
        super().__init__(experiment, theme)
        self.map.viewChanged.connect(self._view_changed)
        self._extent = (0.0, 1.0, 0.0, 1.0)
        self._home = self._extent
        self._needs_field = True
        self._field: Any = None
        self._ways: set[str] = set()
        self._given_up: QWidget | None = None  # whose place the chapter's plot has taken

    def main_plots(self) -> tuple[Sequence[QWidget], Sequence[QWidget]]:
        """The map beside the loss by step; all others are small."""
        large, small = super().main_plots()
        return [self.map, *large], small

    def plots(self) -> dict[str, QWidget]:
        """The map, then what is declared."""
        return {TITLE: self.map, **super().plots()}

    def answers(self) -> Mapping[str, Any]:
        """The map of the whole plane too."""
        return {**super().answers(), **({"field": self._field} if self._field is not None else {})}

    def set_spec(self, spec: Spec) -> None:
        """Another regression, or another plane through it."""
        super().set_spec(spec)
        extent = self.experiment.extent(spec)
        if extent != self._home:
            self.map.set_home(*extent)
        self._extent = self._home = extent
        self._needs_field = True
        self.map.set_points("minimum", [0.0], [0.0], "plus", "minimum")
        self._drop(self._ways)

    def wanted(self) -> Probes:
        """The map once after each change of plane or view, and the pictures that are due."""
        probes = dict(super().wanted())
        if self._needs_field:
            probes["field"] = ("field", {"extent": self._extent, "n": GRID})
        return probes

    def show_run(self, view: SessionView, probes: Mapping[str, Any], pinned: Sequence[Pinned]) -> None:
        """The ways up to the step in hand."""
        super().show_run(view, probes, pinned)
        if "field" in probes:
            self._needs_field = False
            self.map.set_field(probes["field"], self._extent)
            if self._extent == self._home:
                self._field = probes["field"]
        lines = self._lines(view, pinned)
        keys = {line[0] for line in lines}
        self._drop(self._ways - keys)
        self._ways = keys
        self.in_turn("map", partial(self._show_ways, view, lines))

    def _show_ways(self, view: SessionView, lines: Sequence[Any]) -> None:
        for key, label, series, s, branch, ghost in lines:
            until = branch.frontier if ghost else view.step
            x, y = branch.history.way(s, until)
            if not ghost and view.branches[view.current] is branch and until == view.step:
                x, y = np.append(x, view.row["along"][s]), np.append(y, view.row["across"][s])
            self.map.set_path(key, label, self.line_style(series, s), x, y, ghost, name=self.label(series))

    def _drop(self, keys: set[str]) -> None:
        for key in keys:
            self.map.remove(key)
        self._ways = self._ways - keys

    def show_drawn(self, drawn: Drawn | None) -> None:
        """The chapter's losses over the measured ones, large while they are laid over."""
        super().show_drawn(drawn)
        own = self.curves["epoch_loss"]
        if drawn is not None and not self.panel.shows(own):
            self._given_up = self.panel.plots[1]
            self.panel.exchange(own, self._given_up)
        elif drawn is None and self._given_up is not None:
            given_up, self._given_up = self._given_up, None
            if self.panel.shows(own) and not self.panel.shows(given_up):
                self.panel.exchange(own, given_up)

    @Slot(float, float, float, float)
    def _view_changed(self, x0: float, x1: float, y0: float, y1: float) -> None:
        self._extent = (x0, x1, y0, y1)
        self._needs_field = True
        self.asked.emit()


def view(experiment: Experiment, theme: Theme) -> View:
    """The view of this experiment."""
    return MinibatchView(experiment, theme)
