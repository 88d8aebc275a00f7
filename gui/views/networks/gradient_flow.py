"""Gradient flow: its axes span everything, since how far a gradient falls or rises is what is looked at; a long
measurement is told beforehand, and the dear picture of the first updates comes last."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QWidget

from engine.experiment import Experiment, Picture
from engine.session.branches import SessionView
from engine.spec import Spec
from gui.plots.geometry import Frame
from gui.plots.lines import LinesPlot
from gui.plots.series import EMPTY, Series, paint_series
from gui.pump import Probes
from gui.runs import Pinned
from gui.theme import Theme
from gui.views.view import View

COST = "cost"
TRAINING = "training"  # where a loss that overflows leaves the picture, as everywhere


class WholeLines(LinesPlot):
    """Lines of which none is cut, however many decades lie between them, and none is hidden by another's band."""

    def _readable(self, visible: list[Series], low: float, high: float) -> tuple[float, float]:
        return low, high

    def _paint_lines(self, painter: QPainter, frame: Frame, left: float) -> None:
        """All bands, the widest first, and then all lines."""
        shown = self.shown()
        bands = sorted((s for s in shown if s.low.size), key=self._height, reverse=True)
        for series in [replace(s, y=np.full_like(s.y, np.nan)) for s in bands] + [
            replace(s, low=EMPTY, high=EMPTY) for s in shown
        ]:
            paint_series(painter, frame, series, self.theme, log=self.log_y, whole=self.for_picture, left=left)

    def _height(self, series: Series) -> float:
        """How high its band is on average, on this axis."""
        _, low, high = series.shown(self.log_y)
        known = (high - low)[np.isfinite(high - low)]
        return float(known.mean()) if known.size else 0.0


class GradientFlowView(View):
    """See the module's text."""

    def __init__(self, experiment: Experiment, theme: Theme) -> None:
        self._over = self._trained = False  # whether all seeds are measured, and the first updates are shown
        self._costed = False  # whether it was told how long all seeds will take
        super().__init__(experiment, theme)

    def main_plots(self) -> tuple[Sequence[QWidget], Sequence[QWidget]]:
        """As declared, with whole axes."""
        for plot in self.experiment.plots:
            if isinstance(plot, Picture) and plot.kind == "lines" and plot.name != TRAINING:
                self.pictures[plot.name].deleteLater()
                self.pictures[plot.name] = WholeLines(plot.title, plot.x_label, plot.y_label, plot.log, self.theme)
        return super().main_plots()

    def set_spec(self, spec: Spec) -> None:
        """New settings."""
        super().set_spec(spec)
        self._over = self._trained = self._costed = False

    def wanted(self) -> Probes:
        """As declared; on a page the cost once at first, and once all else is there the first updates: a slider in hand
        does not wait for them."""
        wanted = dict(super().wanted())
        if self.live and (self._trained or not self._over):
            wanted.pop(TRAINING, None)
        if self.live and not self._costed:
            wanted[COST] = (COST, {})
        return wanted

    def show_run(self, view: SessionView, probes: Mapping[str, Any], pinned: Sequence[Pinned]) -> None:
        """What was measured so far."""
        self._trained = self._trained or TRAINING in probes
        if COST in probes:
            self._costed = True
            self.told.emit(probes[COST])
        super().show_run(view, probes, pinned)
        if view.finish is not None and not self._over:
            self._over = True
            if self.live:
                self.asked.emit()


def view(experiment: Experiment, theme: Theme) -> View:
    """The view of this experiment."""
    return GradientFlowView(experiment, theme)
