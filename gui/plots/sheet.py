"""The paths of a map on a transparent sheet that is kept from one painting to the next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QPainter, QPixmap

from gui.plots.geometry import Floats, Frame
from gui.plots.trails import Trail, draw_trail
from gui.tokens import Theme

EMPTY: Floats = np.empty(0)
TAIL = 64  # points a dashed path may grow until it is kept: the pattern begins anew there


class Sheet:
    """Draws trails on a screen. Where paths only grew since the last time, only what is new is drawn.

    The last point of each path is left out of what is kept: while a run streams it is a head that moves on.
    """

    def __init__(self) -> None:
        self._key: object = None
        self._kept: list[tuple[Floats, Floats]] = []
        self._picture = QPixmap()

    def paint(self, painter: QPainter, frame: Frame, trails: Sequence[Trail], theme: Theme, ratio: float) -> None:
        """Draw `trails`, the lowest first; `ratio`: device pixels a pixel."""
        looks = [(t.label, t.style, t.ghost, t.overlay) for t in trails]
        key = (frame, ratio, theme, looks)
        if key != self._key or not all(self._only_grown(t, *kept) for t, kept in zip(trails, self._kept, strict=True)):
            self._key = key
            self._picture = QPixmap(max(1, round(frame.width * ratio)), max(1, round(frame.height * ratio)))
            self._picture.setDevicePixelRatio(ratio)
            self._picture.fill(Qt.GlobalColor.transparent)
            self._kept = [(EMPTY, EMPTY)] * len(trails)
        inner: QPainter | None = None
        try:
            for i, trail in enumerate(trails):
                n, stop = len(self._kept[i][0]), max(len(trail.x) - 1, 0)
                if stop > n and (not n or not trail.dash(theme) or stop - n > TAIL):
                    if inner is None:
                        inner = QPainter(self._picture)
                        inner.setRenderHint(QPainter.RenderHint.Antialiasing)
                    draw_trail(inner, frame, _part(trail, max(n - 1, 0), stop), theme, whole=False)
                    self._kept[i] = trail.x[:stop], trail.y[:stop]
        finally:
            if inner is not None:
                inner.end()
        painter.drawPixmap(QPointF(0, 0), self._picture)
        for trail, (x, _) in zip(trails, self._kept, strict=True):
            draw_trail(painter, frame, _part(trail, max(len(x) - 1, 0), len(trail.x)), theme, whole=False)

    def _only_grown(self, trail: Trail, x: Floats, y: Floats) -> bool:
        n = len(x)
        return bool(np.array_equal(trail.x[:n], x, equal_nan=True) and np.array_equal(trail.y[:n], y, equal_nan=True))


def _part(trail: Trail, first: int, stop: int) -> Trail:
    return replace(trail, x=trail.x[first:stop], y=trail.y[first:stop])
