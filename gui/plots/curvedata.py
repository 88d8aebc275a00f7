"""What a plot of curves holds: lines by their keys, overlays, events; and what is told of them in words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike

from gui.palette import SeriesStyle
from gui.plots.header import Entry
from gui.plots.plot import Plot
from gui.plots.readout import Row
from gui.plots.series import EMPTY, Series
from gui.plots.ticks import number


class CurveData(Plot):
    """The lines of a plot, their legend and their values. Subclasses give the axes and paint."""

    log_y: bool
    log_x: bool
    series: dict[str, Series]
    events: list[tuple[float, str]]
    _put_off: set[str] | None = None  # what is to follow at the end of several changes

    @contextmanager
    def at_once(self) -> Iterator[None]:
        """Several changes in one: legend, range and painting follow once, at the end."""
        if self._put_off is not None:  # within another
            yield
            return
        self._put_off = set()
        try:
            yield
        finally:
            due, self._put_off = self._put_off, None
            if "legend" in due:
                self.update_header()
            if "data" in due:
                self.data_changed()

    def update_header(self) -> None:
        """Bring the legend up to date with the series."""
        if self._put_off is None:
            super().update_header()
        else:
            self._put_off.add("legend")

    def set_series(
        self,
        key: str,
        label: str,
        style: SeriesStyle,
        *,
        ghost: bool = False,
        width: float = 2.0,
        points: bool = False,
        name: str = "",
    ) -> None:
        """Declare a line, or change how it is called and looks. `points` marks every datum; width 0: and no line.
        `name`: what all plots of a page call it, if not by its label."""
        held = self.series.get(key) or Series(label, style)
        look = {"label": label, "style": style, "ghost": ghost, "width": width, "points": points, "name": name}
        if key in self.series and all(getattr(held, part) == value for part, value in look.items()):
            return
        self.series[key] = replace(held, **look)  # type: ignore[arg-type]
        self.update_header()
        self.data_changed()

    def set_data(
        self, key: str, x: ArrayLike, y: ArrayLike, low: ArrayLike | None = None, high: ArrayLike | None = None
    ) -> None:
        """The points of a declared line: `x`, `y` [n], and the envelope `low`, `high` [n] drawn as a band.

        Raises KeyError for a key that was not declared and ValueError for lengths that differ.
        """
        self._put(key, x, y, low, high)
        self.data_changed()

    def _put(self, key: str, x: ArrayLike, y: ArrayLike, low: ArrayLike | None, high: ArrayLike | None) -> None:
        arrays = [np.asarray(part, float).ravel() if part is not None else EMPTY for part in (x, y, low, high)]
        if any(part.size not in (0, arrays[0].size) for part in arrays) or arrays[1].size != arrays[0].size:
            raise ValueError(f"{key}: lengths differ: {', '.join(str(part.size) for part in arrays)}")
        self.series[key] = replace(self.series[key], x=arrays[0], y=arrays[1], low=arrays[2], high=arrays[3])

    def set_overlay(
        self, key: str, x: ArrayLike, y: ArrayLike, label: str, style: SeriesStyle | None = None, *,
        points: bool = False,
    ) -> None:  # fmt: skip
        """Lay a drawn curve or a theory over the measured ones: dashed and named; single values as `points`."""
        order = sum(s.overlay for k, s in self.series.items() if k != key)
        held = self.series.get(key)
        order = held.order if held is not None and held.overlay else order
        width = 0.0 if points else 1.5
        x, y = np.asarray(x, float), np.asarray(y, float)
        self.series[key] = Series(label, style, width=width, order=order, points=points, x=x, y=y)
        self.update_header()
        self.data_changed()

    def put_in_order(self, keys: Iterable[str]) -> None:
        """Have these lines in this order, in the legend too, and before all others. Raises KeyError."""
        ordered = {key: self.series[key] for key in keys}
        ordered |= {key: series for key, series in self.series.items() if key not in ordered}
        if list(ordered) != list(self.series):
            self.series = ordered
            self.update_header()
            self.data_changed()

    def remove(self, key: str) -> None:
        """Take a line or an overlay away; an unknown key is no error."""
        if self.series.pop(key, None) is not None:
            self.update_header()
            self.data_changed()

    def set_events(self, events: list[tuple[float, str]]) -> None:
        """Marks on the abscissa (x, words): live changes, branches, divergence."""
        if events != self.events:
            self.events = list(events)
            self.data_changed()

    # -- what is seen --------------------------------------------------------------------------------------------------

    def shown(self) -> list[Series]:
        """The series that are not hidden; overlays and ghosts first, so that live lines lie on top."""
        visible = [s for s in self.series.values() if not self.hiding.hides(s.name or s.label)]
        return sorted(visible, key=lambda s: 0 if s.ghost else 2 if s.overlay else 1)

    def entries(self) -> list[Entry]:
        """The legend's entries."""
        return [
            Entry(key, s.label, s.colour(self.theme), s.dash(self.theme), _symbol(s), s.thickness(), s.name)
            for key, s in self.series.items()
            if not s.ghost  # a caption names the ghosts: their chips would crowd out the rest
        ]

    def named(self) -> dict[str, str]:
        """The name of every line, ghosts too."""
        return {key: s.name or s.label for key, s in self.series.items()}

    def readout(self, x: float) -> tuple[str, list[Row]]:
        """Head line and rows of the readout at x: every visible series with its value at its nearest point."""
        rows, at = [], x
        for series in self.shown():
            index = series.nearest(x, self.log_x)
            if index is not None:
                at = float(series.x[index]) if not series.overlay else at
                rows.append(Row(series.label, number(float(series.y[index])), series.colour(self.theme)))
        return f"{self.x_label} {number(at, 6)}".strip(), rows


def _symbol(series: Series) -> str:
    """The mark that stands for a series of points in the legend, or none for a line."""
    if not series.points or series.width:
        return ""
    return series.style.symbol if series.style is not None else "circle"
