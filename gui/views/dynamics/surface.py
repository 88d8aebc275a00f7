"""The loss surface on screen: the map, the same in space, and beside them what belongs to the plane chosen."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
from PySide6.QtCore import QTimer, Slot
from PySide6.QtWidgets import QWidget

from engine.experiment import Experiment
from engine.picture import Map
from engine.session.branches import SessionView
from engine.spec import Spec
from gui.plots.surface3d import Surface3D
from gui.pump import Probes
from gui.runs import Pinned
from gui.theme import Theme, series_style
from gui.views.view import View

COARSE, FINE = 21, 51  # points along each side: at once, and at leisure
REST = 200  # milliseconds without anything new, after which everything is asked for finely
BESIDE = {"pca": ("replay", "off_plane")}  # what stands beside the surface; else the line and the loss


class SurfaceView(View):
    """The declared plots and the surface in space.

    While a run goes on, or steps follow each other, pictures come at their own pace and the map is coarse. Once nothing
    has come for a moment everything is asked for again, the map finely.
    """

    def __init__(self, experiment: Experiment, theme: Theme) -> None:
        self.relief = Surface3D("Surface", "", "", theme, value_label="loss")
        self._fine = False
        self._slice = ""
        self._at: object = None  # the state shown
        self._rested: object = None  # the state that everything was asked for of
        super().__init__(experiment, theme)
        self._leisure = QTimer(self)
        self._leisure.setSingleShot(True)
        self._leisure.setInterval(REST)
        self._leisure.timeout.connect(self._ask_finely)

    def main_plots(self) -> tuple[Sequence[QWidget], Sequence[QWidget]]:
        """The map is large; the surface is the first of the small ones."""
        large, small = super().main_plots()
        return large, [self.relief, *small]

    def plots(self) -> dict[str, QWidget]:
        """The declared plots and the surface."""
        return {**super().plots(), "Surface": self.relief}

    def asks(self, name: str) -> Mapping[str, Any]:
        """The map also in how many points."""
        asked = dict(super().asks(name))
        if name == "slice":
            asked["n"] = FINE if self._fine or not self.live else COARSE
        return asked

    def _seen(self) -> list[str]:
        """Pictures that are wanted; the surface in space is made of the map's numbers, wherever the map is."""
        return [
            name for name, widget in self.pictures.items()
            if not self.live or self.panel.shows(widget) or (name == "slice" and self.panel.shows(self.relief))
        ]  # fmt: skip

    def wanted(self) -> Probes:
        """The pictures seen that are due; all of them, and finely, where nothing moves."""
        seen, now = self._seen(), time.monotonic()
        if self.live and not self._fine:
            key = (self._at, self.chosen, tuple(seen))
            if not self.running and key != self._rested:
                self._leisure.start()
            seen = [name for name in seen if now >= self._due.get(name, 0.0)]
        return {name: (name, self.asks(name)) for name in seen}

    @Slot()
    def _ask_finely(self) -> None:
        if self.running or not self.live:
            return
        self._rested = (self._at, self.chosen, tuple(self._seen()))
        self._fine = True
        self.asked.emit()
        self._fine = False

    def set_spec(self, spec: Spec) -> None:
        """A new run."""
        super().set_spec(spec)
        self._at = self._rested = None
        self._arrange(spec)

    def _arrange(self, spec: Any) -> None:
        """Beside the plane of a path stands how true it is; the reader's own order stays until the plane changes."""
        if spec.slice == self._slice:
            return
        self._slice = spec.slice
        everything = {**self.curves, **self.pictures}
        self.panel.blockSignals(True)
        for place, name in enumerate(BESIDE.get(spec.slice, ("line", "train_loss")), 2):
            there = self.panel.plots[place]
            if there is not everything[name] and self.panel.plots.index(everything[name]) > 0:
                self.panel.exchange(there, everything[name])
        self.panel.blockSignals(False)

    def show_run(self, view: SessionView, probes: Mapping[str, Any], pinned: Sequence[Pinned]) -> None:
        """The plots, then the surface."""
        self._at = view.step, view.current, view.live
        super().show_run(view, probes, pinned)
        self._arrange(view.live)
        found = probes.get("slice")
        if isinstance(found, Map):
            self.in_turn("surface", partial(self._show_relief, found))

    def _show_relief(self, found: Map) -> None:
        values = np.asarray(found.values, float)
        if not np.isfinite(values).any():
            return
        self.relief.space.labels = ("", "", found.value_label.replace("log10", "log"))
        self.relief.set_patient(self.live)
        self.relief.set_field(values, found.extent, log=False)
        names = {f"path {name}" for name, _, _ in found.paths}
        for key in set(self.relief.trails) - names:
            self.relief.remove(key)
        for i, (name, x, y) in enumerate(found.paths):
            self.relief.set_path(f"path {name}", name, series_style(name, i), x, y)

    def rest(self) -> None:
        """Nothing is drawn later."""
        super().rest()
        self._leisure.stop()
        self.relief.set_patient(False)


def view(experiment: Experiment, theme: Theme) -> View:
    """The view of this experiment."""
    return SurfaceView(experiment, theme)
