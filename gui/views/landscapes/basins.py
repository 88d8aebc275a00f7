"""The basin map on screen: a click sends that start to the optimizers on a surface."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from PySide6.QtCore import Slot

from engine.experiment import Experiment
from engine.session.branches import SessionView
from engine.spec import Spec
from gui.plots.basinmap import BasinMap
from gui.runs import Pinned
from gui.theme import Theme
from gui.views.view import View


class BasinsView(View):
    """The declared plots; lines keep the colours their minima have on the map."""

    def __init__(self, experiment: Experiment, theme: Theme) -> None:
        self._spec: Any = None
        super().__init__(experiment, theme)
        plane = self.pictures["basins"]
        assert isinstance(plane, BasinMap)
        self.plane = plane
        plane.picked.connect(self._picked)

    def set_spec(self, spec: Spec) -> None:
        """A new map."""
        super().set_spec(spec)
        self._spec = spec

    def show_run(self, view: SessionView, probes: Mapping[str, Any], pinned: Sequence[Pinned]) -> None:
        """The map at once: it follows a slider. The rest in turn."""
        if "basins" in probes:
            self._show_picture(self.plane, probes["basins"])
        super().show_run(view, {name: one for name, one in probes.items() if name != "basins"}, pinned)

    def _show_picture(self, widget: Any, answer: Any) -> None:
        widget.show_picture(answer)

    @Slot(float, float)
    def _picked(self, x: float, y: float) -> None:
        """Walk from the start whose cell was clicked."""
        if self._spec is None or self.plane.picture is None:
            return
        x0, x1, y0, y1 = self.plane.picture.extent
        if x0 <= x <= x1 and y0 <= y <= y1:
            start = self.experiment.start_at(self._spec, x, y)  # type: ignore[attr-defined]
            self.handed.emit("landscapes.descent", self.experiment.descent(self._spec, *start))  # type: ignore[attr-defined]


def view(experiment: Experiment, theme: Theme) -> View:
    """The view of this experiment."""
    return BasinsView(experiment, theme)
