"""The way a contestant went through a plane, for a picture of it: millions of steps as a few thousand points.

Steps inside one cell of a fine grid (a pixel, about) are one point, and a way from one cell to another that was gone
before is not kept again: nothing that a picture of this fineness shows is lost. Where it would still be too many, the
cells double.
"""

from __future__ import annotations

import numpy as np

from engine.experiment import Array

FINENESS = 1024  # cells along each side of the experiment's extent
MOST = 4096  # ways kept
TABLE = 32768  # places for their hashes; at most a third is in use


class Trace:
    """One contestant's way. `extent`: (x0, x1, y0, y1), what the picture shows at first.

    `steps` [n] and `points` [n, 2] are what is kept; a point of nan breaks the line. They are replaced, never written.
    """

    def __init__(self, extent: tuple[float, float, float, float]) -> None:
        x0, x1, y0, y1 = extent
        self._origin = np.array([x0, y0])
        self._cell = np.array([x1 - x0, y1 - y0]) / FINENESS
        self._before, self._before_step = np.full(2, np.nan), 0
        self._forget()

    def _forget(self) -> None:
        from engine.thin import NOWHERE

        self._last = np.array([NOWHERE, NOWHERE, 0])
        self._table = np.zeros(TABLE, np.uint64)
        self._ways = 0
        self.steps = np.empty(0, np.int64)
        self.points = np.empty((0, 2))

    def append(self, steps: Array, x: Array, y: Array) -> None:
        """Go on: steps [n], x, y [n], contiguous."""
        begin = 0
        while begin < len(steps):  # cells double at the same point, however the steps are cut into calls
            part = slice(begin, begin + MOST)
            begin += self._append(steps[part], x[part], y[part])

    def _append(self, steps: Array, x: Array, y: Array) -> int:
        from engine.thin import BEFORE, BREAK, ways

        kept = np.empty(3 * len(steps), np.int64)
        room = MOST + 1 - self._ways
        done, count, added = ways(x, y, self._origin, self._cell, self._last, self._table, kept, room)
        kept = kept[:count]
        self._ways += added
        if count:
            points = np.stack([x[kept], y[kept]], axis=1)
            points[kept == BREAK] = np.nan
            points[kept == BEFORE] = self._before
            # a break and the point after it belong to the step before the way that begins there
            at = np.where(kept == BREAK, np.append(kept, 0)[1:], kept)
            own = np.where(at == BEFORE, self._before_step, steps[np.maximum(at, 0)])
            self.steps = np.concatenate([self.steps, own])
            self.points = np.concatenate([self.points, points])
        self._before, self._before_step = np.array([x[done - 1], y[done - 1]]), int(steps[done - 1])
        if self._ways > MOST:
            self._coarsen()
        return int(done)

    def _coarsen(self) -> None:
        """Double the cells and go through what is kept again."""
        steps, points, before = self.steps, self.points, (self._before, self._before_step)
        self._cell = 2 * self._cell
        self._forget()
        self.append(steps, np.ascontiguousarray(points[:, 0]), np.ascontiguousarray(points[:, 1]))
        self._before, self._before_step = before
