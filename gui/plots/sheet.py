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
        grown = self._grown(trails, theme) if key == self._key else None
        if grown is None:
            self._key = key
            self._picture = QPixmap(max(1, round(frame.width * ratio)), max(1, round(frame.height * ratio)))
            self._picture.setDevicePixelRatio(ratio)
            self._picture.fill(Qt.GlobalColor.transparent)
            grown = [t if t.dash(theme) else replace(t, x=t.x[:-1], y=t.y[:-1]) for t in trails]
            self._kept = [(t.x, t.y) for t in grown]
        else:
            self._kept = [(t.x if t.dash(theme) else t.x[:-1], t.y if t.dash(theme) else t.y[:-1]) for t in trails]
        if any(len(part.x) > 1 for part in grown):
            inner = QPainter(self._picture)
            inner.setRenderHint(QPainter.RenderHint.Antialiasing)
            for part in grown:
                draw_trail(inner, frame, part, theme, whole=False)
            inner.end()
        painter.drawPixmap(QPointF(0, 0), self._picture)
        for trail in trails:
            if not trail.dash(theme):
                draw_trail(painter, frame, replace(trail, x=trail.x[-2:], y=trail.y[-2:]), theme, whole=False)

    def _grown(self, trails: Sequence[Trail], theme: Theme) -> list[Trail] | None:
        """What came to each path, or None where something else changed."""
        parts = []
        for trail, (x, y) in zip(trails, self._kept, strict=True):
            n, whole = len(x), bool(trail.dash(theme))
            if not (np.array_equal(trail.x[:n], x, equal_nan=True) and np.array_equal(trail.y[:n], y, equal_nan=True)):
                return None
            if whole and len(trail.x) > n:
                return None  # dashes are cut along the whole path
            stop = len(trail.x) if whole else max(len(trail.x) - 1, 0)
            if stop < n:
                return None
            first = max(n - 1, 0) if stop > n else stop
            parts.append(replace(trail, x=trail.x[first:stop], y=trail.y[first:stop]))
        return parts
