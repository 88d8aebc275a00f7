"""The surface in space, drawn by hand, with paths lying upon it. It needs no OpenGL."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

import numpy as np
from numpy.typing import ArrayLike
from PySide6.QtCore import QSize, Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from gui.palette import SeriesStyle
from gui.plots.geometry import Floats
from gui.plots.header import Entry, Header
from gui.plots.hiding import Switched
from gui.plots.relief import relief
from gui.plots.scene3d import Space
from gui.plots.space import Mesh
from gui.plots.trails import Trail
from gui.tokens import DARK, Theme

FOOT = 0.05  # a coarse net shows a deep narrow valley as teeth: its logarithm begins higher than the map's


class Surface3D(Switched, QWidget):
    """A surface with paths in space, with the same calls as Field where they mean the same.

    `viewTurned(azimuth, elevation)` in degrees; `seriesToggled(key, shown)` follows the legend.
    """

    viewTurned = Signal(float, float)
    seriesToggled = Signal(str, bool)

    def __init__(
        self,
        title: str = "",
        x_label: str = "x",
        y_label: str = "y",
        theme: Theme = DARK,
        parent: QWidget | None = None,
        *,
        value_label: str = "f",
    ) -> None:
        super().__init__(parent)
        self.title, self.theme, self.for_picture = title, theme, False
        self.trails: dict[str, Trail] = {}
        self.header = Header(title, theme, self)
        self.header.set_inset(16)
        self.space = Space(theme, (x_label, y_label, value_label), self)
        self.space.setAccessibleName(f"{title} in space".strip())
        self.setAccessibleName(title)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.header)
        column.addWidget(self.space, 1)
        self.setMinimumSize(160, 100)
        self.begin_hiding()
        self.space.turned.connect(self.viewTurned)

    def set_field(self, z: ArrayLike, extent: Sequence[float], log: bool = True) -> None:
        """The field, as Field.set_field takes it. Height is the logarithm above the lowest value if `log`."""
        x0, x1, y0, y1 = (float(v) for v in extent)
        self.space.field = relief(np.asarray(z, float), (x0, x1, y0, y1), log, FOOT)
        self.space.mesh = Mesh.of(self.space.field)
        self.space.update()

    def set_path(
        self,
        key: str,
        label: str,
        style: SeriesStyle,
        x: ArrayLike,
        y: ArrayLike,
        ghost: bool = False,
        cursor_index: int | None = None,
        name: str = "",
    ) -> None:
        """A path over the surface, as Field.set_path takes it."""
        known = self.trails.get(key)
        self.trails[key] = Trail(label, style, _floats(x), _floats(y), ghost, cursor_index, name=name)
        if known is None or (known.label, known.style, known.ghost, known.name) != (label, style, ghost, name):
            self._changed()
        else:
            self._repaint()

    def set_patient(self, on: bool) -> None:
        """Let a new picture of another surface or other paths be made bit by bit, and show it when it is done."""
        self.space.patient = on

    def set_overlay(self, key: str, x: ArrayLike, y: ArrayLike, label: str, style: SeriesStyle | None = None) -> None:
        """Lay somebody's drawn path over the measured ones: dashed and named."""
        self.trails[key] = Trail(label, style, _floats(x), _floats(y), overlay=True)
        self._changed()

    def set_start(self, x: float | None, y: float | None = None) -> None:
        """Where the ring lies; None takes it away."""
        self.space.start = None if x is None or y is None else (float(x), float(y))
        self.space.update()

    def hiding_changed(self) -> None:
        """Other paths than before are hidden: paint anew."""
        self._repaint()

    def remove(self, key: str) -> None:
        """Take a path away; an unknown key is no error."""
        if self.trails.pop(key, None) is not None:
            self._changed()

    def clear(self) -> None:
        """Take all paths away; surface, view and start stay."""
        self.trails = {}
        self._changed()

    def apply_theme(self, theme: Theme) -> None:
        """Take over colours and scale."""
        self.theme = self.space.theme = theme
        self.header.apply_theme(theme)
        self._changed()

    def clone(self, theme: Theme) -> Self:
        """An off-screen twin in another theme with the same data, view and size. This plot does not change."""
        twin = type(self)(self.title, *self.space.labels[:2], theme, value_label=self.space.labels[2])
        twin.for_picture = twin.space.for_picture = True
        twin.share(self.hiding.copy())
        twin.trails = dict(self.trails)
        for name in ("azimuth", "elevation", "zoom", "field", "mesh", "start"):
            setattr(twin.space, name, getattr(self.space, name))
        twin._changed()
        twin.resize(self.size().expandedTo(QSize(160, 100)))
        return twin

    def _changed(self) -> None:
        self.show_entries()
        self._repaint()

    def entries(self) -> list[Entry]:
        """The legend's entries: one a path."""
        return [
            Entry(key, t.label, t.colour(self.theme), t.dash(self.theme), width=t.thickness(), name=t.name)
            for key, t in self.trails.items()
        ]

    def _repaint(self) -> None:
        self.space.set_trails([t for t in self.trails.values() if not self.hiding.hides(t.name or t.label)])


def _floats(values: ArrayLike) -> Floats:
    return np.asarray(values, float)
