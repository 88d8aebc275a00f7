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
from gui.plots.ticks import number
from gui.pump import Probes
from gui.runs import Pinned
from gui.theme import SeriesStyle, Theme, series_style
from gui.views.view import View

GRID = 160  # points a side of the map
ROUGH = 40  # points a side of the surface in three dimensions
SHORTEST, LONGEST = 0.03, 0.125  # of the map's side: arrows are drawn this long, times a number that they tell
FURTHEST = 1000  # times as long, at the most
APART = 0.2  # share of its length that an arrow of RESTING must end away from every other one to be drawn beside it
LOOKED = {"gradient": "gradient", "momentum": "momentum", "step": "step"}  # kind -> colour, at any time
RESTING = {"m_hat": "m\u0302", "root": "root"}  # name -> label; drawn while nothing runs: it would be a thicket
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
        x0, x1, y0, y1 = self._extent
        if not same or not (x0 <= start[0] <= x1 and y0 <= start[1] <= y1):  # one clicked on the map leaves it alone
            self._go_home(self.experiment.extent(spec))
        if not same:
            x, y = [m[0] for m in surface.minima], [m[1] for m in surface.minima]
            self.map.set_points("minima", x, y, "plus", "minimum")
        self._drop(self._paths)
        self.map.set_arrows([])
        self.map.set_start(*start)

    def _go_home(self, home: tuple[float, float, float, float]) -> None:
        """Show this range, and go back to it on reset."""
        self._extent = self._home = home
        self._needs_field = True
        self.map.set_home(*home)

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
        own: Any = view.spec
        if self._spec is not None and (own.x_range, own.y_range) != (self._spec.x_range, self._spec.y_range):
            self._spec = view.spec  # another range was asked for while the run stays
            self._go_home(self.experiment.extent(view.spec))
            self.asked.emit()
            return
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
        self.relief.set_patient(self.live)
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
        self.map.set_arrows([(x, y, *arrow) for arrow in arrows_of(inside, self._extent, resting=not self.running)])

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


def arrows_of(
    inside: Inside, extent: tuple[float, float, float, float], resting: bool
) -> list[tuple[float, float, str, str]]:
    """The quantities of a step as arrows on a map of this extent: (dx, dy, label, colour). Those that are too short or
    too long to be seen are drawn a round number of times as long, which the label tells. `resting`: also the
    bias-corrected momentum, where it is another, and the root that each coordinate is divided by.
    """
    x0, x1, y0, y1 = extent
    found, tips = [], list[Any]()
    known = {q.name: np.asarray(q.value, float) for q in inside.quantities}
    for q in inside.quantities:
        if q.kind not in LOOKED and not (resting and q.name in RESTING):
            continue
        value = known[q.name]
        if len(value) != 2 or not np.isfinite(value).all() or not value.any():
            continue
        dx, dy = value.tolist()
        whole = known["m_hat"] if q.name == "m" and "m_hat" in known else value  # both as many times as long
        reach = float(np.hypot(whole[0] / (x1 - x0), whole[1] / (y1 - y0)))
        if not LONGEST / FURTHEST <= reach < 1e200:
            continue  # it has all but arrived
        times = 1.0 if SHORTEST <= reach <= (LONGEST if q.kind != "step" else np.inf) else round_below(LONGEST / reach)
        tip = np.array([dx, dy]) * times / (x1 - x0, y1 - y0)
        room = APART * float(np.hypot(*tip))
        if q.name in RESTING and any(np.hypot(*(tip - other)) <= room for other in tips):
            continue
        tips.append(tip)
        label = RESTING.get(q.name, q.name.replace("_", " "))
        found.append((dx * times, dy * times, label if times == 1.0 else f"{label} × {number(times, 1)}",
                      LOOKED.get(q.kind, "text")))  # fmt: skip
    return found


def round_below(value: float) -> float:
    """The largest of 1, 2, 5, 10, 20, ... (or 0.5, 0.2, ...) that is no more."""
    power = 10.0 ** np.floor(np.log10(value))
    return float(f"{max(k for k in (1, 2, 5) if k * power <= value * (1 + 1e-12)) * power:.6g}")


def view(experiment: Experiment, theme: Theme) -> View:
    """The view of this experiment."""
    return DescentView(experiment, theme)
