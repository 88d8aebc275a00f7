"""The map the optimizers walk on, the same surface in three dimensions, and the inside of the coming step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
from PySide6.QtCore import QTimer, Slot
from PySide6.QtWidgets import QWidget

from engine.experiment import Drawn, Experiment, Inside
from engine.session.branches import SessionView
from engine.spec import Spec, declarations
from gui.plots.field import Field
from gui.plots.surface3d import Surface3D
from gui.pump import Probes
from gui.runs import Pinned
from gui.theme import SeriesStyle, Theme, series_style
from gui.views.view import View

GRID = 160  # points a side of the map
ROUGH = 40  # points a side of the surface in three dimensions
SHORTEST, LONGEST = 0.004, 0.125  # of the map's side: shorter arrows are left out, longer ones shortened
LAG = 1000  # milliseconds between two pictures of it while a run streams


class DescentView(View):
    """Map, surface, loss and gradient of `landscapes.descent`."""

    def __init__(self, experiment: Experiment, theme: Theme) -> None:
        self.map = Field(theme=theme)
        self.relief = Surface3D("Surface", theme=theme)
        super().__init__(experiment, theme)
        self.map.startPicked.connect(self._start_picked)
        self.map.viewChanged.connect(self._view_changed)
        self._spec: Any = None
        self._extent = (0.0, 1.0, 0.0, 1.0)
        self._home = self._extent
        self._needs_field = True
        self._field: Any = None
        self._paths: set[str] = set()
        self._later: dict[str, tuple[str, SeriesStyle, Any, Any]] = {}
        self._lag = QTimer(self)
        self._lag.setSingleShot(True)
        self._lag.setInterval(LAG)
        self._lag.timeout.connect(self._show_relief)
        self._names: dict[str, str] = {}
        declared = next(d for d in declarations(experiment.Spec) if d.key == "optimizers")
        self._names.update(declared.labels or {})

    def main_plots(self) -> tuple[Sequence[QWidget], Sequence[QWidget]]:
        """The map is large; loss, gradient and the surface are small."""
        return [self.map], [*self.curves.values(), self.relief]

    def plots(self) -> dict[str, QWidget]:
        """Map and surface, then the curves."""
        return {"Map": self.map, **super().plots(), "Surface": self.relief}

    def answers(self) -> Mapping[str, Any]:
        """The map of the whole domain."""
        return {"field": self._field} if self._field is not None else {}

    def label(self, series: str) -> str:
        """An optimizer's title."""
        return self._names.get(series, series)

    def first_choice(self, names: Sequence[str]) -> str:
        """Adam where it walks: there is most to see inside."""
        return "adam" if "adam" in names else super().first_choice(names)

    def set_spec(self, spec: Spec) -> None:
        """A new surface, start or set of optimizers."""
        super().set_spec(spec)
        old, self._spec = self._spec, spec
        surface = self.experiment.surface(spec)  # type: ignore[attr-defined]
        same = old is not None and (old.surface, old.formula, old.condition_number) == (
            self._spec.surface, self._spec.formula, self._spec.condition_number,
        )  # fmt: skip
        start = self.experiment.start_point(spec)  # type: ignore[attr-defined]
        if not same:
            x0, x1, y0, y1 = surface.domain
            self._extent = self._home = (x0, x1, y0, y1)
            self._needs_field = True
            self.map.set_home(x0, x1, y0, y1)
            x, y = [m[0] for m in surface.minima], [m[1] for m in surface.minima]
            self.map.set_points("minima", x, y, "plus", "minimum")
        self._drop(self._paths)
        self.map.set_arrows([])
        self.map.set_start(*start)

    def wanted(self) -> Probes:
        """The map once after each change of surface or view; the inside of the chosen optimizer's step always."""
        probes: dict[str, tuple[str, dict[str, Any]]] = {}
        if self._needs_field:
            probes["field"] = ("field", {"extent": self._extent, "n": GRID})
        if self.chosen in getattr(self._spec, "optimizers", ()):
            probes["inside"] = ("inside", {"series": self.chosen})
        return probes

    def show_run(self, view: SessionView, probes: Mapping[str, Any], pinned: Sequence[Pinned]) -> None:
        """Paths up to the step in hand, as far as they were measured."""
        super().show_run(view, probes, pinned)
        if "field" in probes:
            self._needs_field = False
            self._show_field(probes["field"])
        lines = self._lines(view, pinned)
        keys = {line[0] for line in lines}
        self._drop(self._paths - keys)
        self._paths = keys
        self.in_turn("map", partial(self._show_paths, view, lines, probes.get("inside")))

    def _show_paths(self, view: SessionView, lines: Sequence[Any], inside: Inside | None) -> None:
        for key, label, series, s, branch, ghost in lines:
            until = branch.frontier if ghost else view.step
            x, y = branch.history.way(s, until)
            if not ghost and view.branches[view.current] is branch and until == view.step:
                x, y = np.append(x, view.row["x"][s]), np.append(y, view.row["y"][s])
            style = series_style(series, s)
            self.map.set_path(key, label, style, x, y, ghost, name=self.label(series))
            if ghost:
                self.relief.remove(key)
            else:
                self._later[key] = (label, style, x, y)
        if not self._lag.isActive():
            self._show_relief()
            if self.live:
                self._lag.start()
        self._show_arrows(inside, view)

    @Slot()
    def _show_relief(self) -> None:
        waiting, self._later = self._later, {}
        self.relief.set_patient(self.streaming)
        for key, path in waiting.items():
            self.relief.set_path(key, *path)

    def rest(self) -> None:
        """Nothing is drawn later."""
        super().rest()
        self.relief.set_patient(False)
        self._lag.stop()

    def _drop(self, keys: set[str]) -> None:
        for key in keys:
            self.map.remove(key)
            self.relief.remove(key)
            self._later.pop(key, None)
        self._paths = self._paths - keys

    def _show_field(self, z: Any) -> None:
        self.map.set_field(z, self._extent)
        if self._extent == self._home:
            self._field = z
            every = max(1, GRID // ROUGH)
            self.relief.set_field(z[::every, ::every], self._extent)

    def _show_arrows(self, inside: Inside | None, view: SessionView) -> None:
        if inside is None or inside.series not in view.series:
            return
        s = view.series.index(inside.series)
        x, y = float(view.row["x"][s]), float(view.row["y"][s])
        if not np.isfinite([x, y]).all():
            self.map.set_arrows([])
            return
        x0, x1, y0, y1 = self._extent
        arrows = []
        for q in inside.quantities:
            if q.kind in ("gradient", "momentum", "step") and len(q.value) == 2 and np.isfinite(q.value).all():
                dx, dy = q.value
                reach = float(np.hypot(dx / (x1 - x0), dy / (y1 - y0)))
                if reach < SHORTEST:
                    continue
                # what is longer than an eighth of the map is drawn that long, in its direction
                short = min(1.0, LONGEST / reach) if q.kind != "step" else 1.0
                arrows.append((x, y, dx * short, dy * short, q.name.replace("_", " "), q.kind))
        self.map.set_arrows(arrows)

    def show_drawn(self, drawn: Drawn | None) -> None:
        """The chapter's own paths over the measured ones."""
        for i in range(self._overlays):
            self.map.remove(f"overlay {i}")
        super().show_drawn(drawn)
        for i, overlay in enumerate(drawn.overlays if drawn else ()):
            if overlay.plot == "map":
                self.map.set_overlay(f"overlay {i}", overlay.x, overlay.y, overlay.label)

    @Slot(float, float)
    def _start_picked(self, x: float, y: float) -> None:
        self.edited.emit("start", (float(x), float(y)))

    @Slot(float, float, float, float)
    def _view_changed(self, x0: float, x1: float, y0: float, y1: float) -> None:
        self._extent = (x0, x1, y0, y1)
        self._needs_field = True
        self.asked.emit()


def view(experiment: Experiment, theme: Theme) -> View:
    """The view of this experiment."""
    return DescentView(experiment, theme)
