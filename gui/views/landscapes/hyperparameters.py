"""The map of runs on screen: point at a cell to see its run beside others, click it to open that very run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from PySide6.QtCore import QTimer, Slot
from PySide6.QtWidgets import QWidget

from engine.experiment import Experiment
from engine.picture import Heat
from engine.session.branches import SessionView
from engine.spec import Spec
from gui.plots.lines import LinesPlot
from gui.pump import Probes
from gui.runs import Pinned
from gui.theme import Theme
from gui.views.landscapes._heatmap import HeatMap
from gui.views.view import View

REST = 60  # milliseconds the mouse stays on a cell before its run is asked for
POINTED = ("runs", "cut")  # what is asked for anew when the mouse is on another cell


class HyperparametersView(View):
    """The declared plots; the map answers the hand."""

    def __init__(self, experiment: Experiment, theme: Theme) -> None:
        self._only: tuple[str, ...] = ()
        self._open: tuple[int, int] | None = None
        super().__init__(experiment, theme)
        self._rest = QTimer(self)
        self._rest.setSingleShot(True)
        self._rest.setInterval(REST)
        self._rest.timeout.connect(self._ask_pointed)

    def main_plots(self) -> tuple[Sequence[QWidget], Sequence[QWidget]]:
        """The declared plots, with a map of its own kind."""
        plain = self.pictures["map"]
        self.map = HeatMap(plain.title, "x", "y", self.theme)  # type: ignore[attr-defined]
        self.pictures["map"] = self.map
        plain.deleteLater()
        self.map.pointed.connect(self._pointed)
        self.map.opened.connect(self._opened)
        return super().main_plots()

    # -- what the page asks ------------------------------------------------------------------------------------------

    def asks(self, name: str) -> Mapping[str, Any]:
        """The cell looked at, where a picture is of one."""
        return {"cell": self.map.at} if name in POINTED else super().asks(name)

    def wanted(self) -> Probes:
        """What is seen and due; while the mouse moves over a map that stands still, only what follows it."""
        found: dict[str, tuple[str, Mapping[str, Any]]] = dict(super().wanted())
        if self._only:
            found = {name: probe for name, probe in found.items() if name in self._only}
        if self._open is not None:
            found["open"] = ("open", {"cell": self._open})
        return found

    def set_spec(self, spec: Spec) -> None:
        """A new map: the best run is looked at until a cell is."""
        super().set_spec(spec)
        self.map.at = self._open = None

    def show_run(self, view: SessionView, probes: Mapping[str, Any], pinned: Sequence[Pinned]) -> None:
        """The map at once: it follows a slider. The rest in turn."""
        if "map" in probes:
            self._show_picture(self.map, probes["map"])
            self._name_axes(probes["map"])
        super().show_run(view, {name: one for name, one in probes.items() if name != "map"}, pinned)
        if "open" in probes and self._open is not None:
            self._open = None
            self.handed.emit(*probes["open"])

    def _name_axes(self, heat: Heat) -> None:
        """The cut along a row stands over the map's own abscissa, at the height of what the colour tells."""
        cut = self.pictures["cut"]
        assert isinstance(cut, LinesPlot)
        name, log = heat.axes[0]
        words = heat.value_label
        if (cut.x_label, cut.log_x, cut.y_label) == (name, log, words):
            return
        cut.x_label, cut.log_x, cut.y_label = name, log, words
        cut.canvas.bottom.name, cut.canvas.bottom.log, cut.canvas.left_axis.name = name, log, words
        cut.set_log("loss" in words)
        cut.canvas.apply_theme(self.theme)
        cut.reset_view()

    # -- hands -------------------------------------------------------------------------------------------------------

    @Slot(int, int)
    def _pointed(self, row: int, column: int) -> None:
        if not self._rest.isActive():
            self._rest.start()

    @Slot()
    def _ask_pointed(self) -> None:
        self._only = () if self.running else POINTED
        self.asked.emit()
        self._only = ()

    @Slot(int, int)
    def _opened(self, row: int, column: int) -> None:
        """Ask for the settings of this cell's run; they are handed over as soon as they come."""
        self._open, self._only = (row, column), ("open",)
        self.asked.emit()
        self._only = ()

    def rest(self) -> None:
        """Nothing is asked for later."""
        super().rest()
        self._rest.stop()


def view(experiment: Experiment, theme: Theme) -> View:
    """The view of this experiment."""
    return HyperparametersView(experiment, theme)
