"""Knots that are moved by keys too, while the plot has the keyboard."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from PySide6.QtCore import QEvent, QObject, Qt, QTimer, Slot
from PySide6.QtGui import QKeyEvent

from gui.views.schedules._knots import APART, KnotCurves, Knots

STEP_X, STEP_Y, DECADES = 0.01, 0.02, 0.05  # by which a key moves a knot; on a logarithmic axis so many decades up
LEAST = 1e-6  # of the peak
QUIET = 500  # milliseconds after the last key: then the knot has its place
MOVES = {
    Qt.Key.Key_Left: (-1, 0), Qt.Key.Key_Right: (1, 0), Qt.Key.Key_Down: (0, -1), Qt.Key.Key_Up: (0, 1),
}  # fmt: skip


class KeyedKnots(KnotCurves):
    """As its parent; Page Down and Page Up choose a knot, Escape lets it go. While one is chosen the arrows move it
    (with Shift five times as far) and Delete takes it away; Insert adds one. `knotsPicked` comes when the keys are
    quiet, so that a run is not begun anew with every key."""

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        self._quiet = QTimer(self)
        self._quiet.setSingleShot(True)
        self._quiet.setInterval(QUIET)
        self._quiet.timeout.connect(self._placed)
        self.canvas.installEventFilter(self)

    def set_knots(
        self, knots: Sequence[tuple[float, float]], width: float, height: float, style: Any,
        line: Callable[[float], float] | None = None, first: float = 0.0,
    ) -> None:  # fmt: skip
        """As the parent; what the keys had begun is over."""
        self._quiet.stop()
        super().set_knots(knots, width, height, style, line, first)

    def key(self, event: QKeyEvent) -> bool:
        """Page Down and Page Up choose a knot, Insert adds one; arrows move the chosen one, Delete takes it away."""
        key, i, n = Qt.Key(event.key()), self.in_hand(), len(self.knots)
        if not n:
            return super().key(event)
        if key in (Qt.Key.Key_PageDown, Qt.Key.Key_PageUp):
            down = key == Qt.Key.Key_PageDown
            self.chosen = (0 if down else n - 1) if i is None else (i + (1 if down else -1)) % n
        elif key == Qt.Key.Key_Insert:
            self._insert(i)
        elif i is None:
            return super().key(event)
        elif key == Qt.Key.Key_Escape:
            self.chosen = None
        elif key in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace):
            if n > 1:
                self.chosen = max(0, i - 1)
                self.remove_knot(i)
        elif key in MOVES:
            times = 5 if event.modifiers() & Qt.KeyboardModifier.ShiftModifier else 1
            across, up = (times * part for part in MOVES[key])
            x, y = self.knots[i]
            self.move_knot(i, x + STEP_X * across, self._higher(y, up))
            self._quiet.start()
        else:
            return super().key(event)
        self.tell()
        return True

    def _higher(self, y: float, up: int) -> float:
        """A height so many keys further up, between 0 and 1; on a logarithmic axis 0 is next to LEAST."""
        if not (self.log_y and up):
            return min(max(y + STEP_Y * up, 0.0), 1.0)
        found = max(y, LEAST) * 10.0 ** (DECADES * up)
        return min(found, 1.0) if found > LEAST else 0.0

    def _insert(self, i: int | None) -> None:
        """Add a knot on the line: half way to the next one (at the end: to the one before), or where most room is."""
        edges = [x for x, _ in self.knots]
        if i is None or len(edges) == 1:
            edges = [0.0, *edges, 1.0]
            i = int(np.argmax(np.diff(edges)))
        i = min(i, len(edges) - 2)
        x = 0.5 * (edges[i] + edges[i + 1])
        if self._line is not None and edges[i + 1] - edges[i] >= 2 * APART:
            self.chosen = sum(other < x for other, _ in self.knots)
            self.add_knot(x, self._line(x))

    def picked(self, knots: Knots) -> None:
        """Whatever the keys have moved is among these."""
        self._quiet.stop()
        super().picked(knots)

    @Slot()
    def _placed(self) -> None:
        self.picked(self.knots)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """The keyboard comes or goes: what is chosen shows."""
        if event.type() in (QEvent.Type.FocusIn, QEvent.Type.FocusOut):
            self.tell()
        return bool(super().eventFilter(watched, event))

    def knot_words(self) -> str:
        """What the keys do, and the chosen knot."""
        if not self.knots:
            return ""
        i = self.in_hand()
        if i is None:
            return "Page Down chooses a knot, Insert adds one"
        x, y = self.knots[i]
        there = f"step {round(self._first + x * self._size[0])}, rate {y * self._size[1]:.3g}"
        return f"Knot {i + 1} of {len(self.knots)}: {there}. Arrows move it, Insert adds, Delete removes"
