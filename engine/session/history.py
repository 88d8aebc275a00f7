"""What a run has measured, in columns that a picture can read while the run goes on.

Rows are kept one for each recorded step while they fit the budget; then every second row goes, again and again, and
an envelope (the lowest and highest value of each block of steps) keeps what a picture needs. What is thinned away
comes back exactly by replay. Buffers only grow at their end or are replaced whole, so that a view handed to another
thread never changes under it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from engine.experiment import Array, Columns
from engine.session.trace import Trace

BUDGET = 64 * 2**20  # bytes of rows one history may keep
BLOCKS = 1024  # the most blocks an envelope has: about as many as a plot has pixels
FEW = 4096  # rows up to which a path is drawn from every row
MANY = 1024  # rows at once from which on a compiled loop pays


@dataclass(frozen=True)
class HistoryView:
    """A frozen look at a history: `steps` [rows], `values[name]` [rows, series], and, once there are more steps than
    an envelope has blocks, `low[name]`, `high[name]` and the value at its first step, `first[name]` [blocks, series],
    with `block_steps` [blocks]. `traces`:
    for each contestant the steps [n] and points [n, 2] of its thinned path, once there are many rows."""

    steps: Array
    values: Mapping[str, Array]
    block_steps: Array | None = None
    low: Mapping[str, Array] | None = None
    high: Mapping[str, Array] | None = None
    first: Mapping[str, Array] | None = None
    traces: tuple[tuple[Array, Array], ...] = ()
    path: tuple[str, str] | None = None

    def way(self, series: int, until: int) -> tuple[Array, Array]:
        """x, y of a contestant's path up to a step: every row while they are few, else thinned as Trace says."""
        assert self.path is not None
        if not self.traces:
            n = int(np.searchsorted(self.steps, until, side="right"))
            return self.values[self.path[0]][:n, series], self.values[self.path[1]][:n, series]
        steps, points = self.traces[series]
        n = int(np.searchsorted(steps, until, side="right"))
        return points[:n, 0], points[:n, 1]

    def at(self, step: int) -> int | None:
        """The row of a step, or None where that step was not kept."""
        i = int(np.searchsorted(self.steps, step))
        return i if i < len(self.steps) and int(self.steps[i]) == step else None

    def curve(self, column: str, series: int) -> tuple[Array, Array, Array | None, Array | None]:
        """x, y, low, high of one line: every row while they are few, else one point a block with its envelope."""
        if self.low is None or self.high is None or self.first is None or self.block_steps is None:
            return self.steps, self.values[column][:, series], None, None
        first, low, high = (part[column][:, series] for part in (self.first, self.low, self.high))
        return self.block_steps, first, low, high


class _Envelope:
    """First, lowest and highest values of blocks of steps; the blocks double when they are too many."""

    def __init__(self, columns: tuple[str, ...], series: int) -> None:
        self.block = 1
        self.filled = 0  # rows in the last, unfinished block; 0 when it is full
        self.starts = np.empty(0, np.int64)
        self.low = {name: np.empty((0, series)) for name in columns}
        self.high = {name: np.empty((0, series)) for name in columns}
        self.first = {name: np.empty((0, series)) for name in columns}

    def append(self, steps: Array, values: Mapping[str, Array]) -> None:
        n = len(steps)
        room = (self.block - self.filled) % self.block if len(self.starts) else 0
        head = min(room, n)
        cuts = np.concatenate([[0] if head else [], np.arange(head, n, self.block)]).astype(np.int64)
        fresh = cuts[1:] if head else cuts
        for name, rows in values.items():
            low, high = _extremes(rows, cuts)
            if head:
                last = slice(-1, None)
                old_low, old_high = self.low[name], self.high[name]
                low[0] = np.fmin(old_low[last][0], low[0])
                high[0] = np.fmax(old_high[last][0], high[0])
                self.low[name] = np.concatenate([old_low[:-1], low])
                self.high[name] = np.concatenate([old_high[:-1], high])
            else:
                self.low[name] = np.concatenate([self.low[name], low])
                self.high[name] = np.concatenate([self.high[name], high])
            if len(fresh):
                self.first[name] = np.concatenate([self.first[name], rows[fresh]])
        self.starts = np.concatenate([self.starts, steps[fresh]])
        self.filled = (self.filled + n) % self.block
        while len(self.starts) > BLOCKS:
            self._double()

    def _double(self) -> None:
        odd = len(self.starts) % 2
        last_full = self.filled == 0
        for store, join in ((self.low, np.fmin), (self.high, np.fmax)):
            for name, rows in store.items():
                pairs = join(rows[: len(rows) - odd : 2], rows[1::2])
                store[name] = np.concatenate([pairs, rows[-1:]]) if odd else pairs
        self.first = {name: np.ascontiguousarray(rows[::2]) for name, rows in self.first.items()}
        self.starts = self.starts[::2]
        missing = self.filled if not last_full else self.block
        self.block *= 2
        self.filled = (missing if odd else self.block // 2 + missing) % self.block


def _extremes(rows: Array, cuts: Array) -> tuple[Array, Array]:
    """Lowest and highest value of each block of rows [n, series], nan aside; the blocks begin at `cuts`."""
    if len(rows) < MANY:
        return np.fmin.reduceat(rows, cuts, axis=0), np.fmax.reduceat(rows, cuts, axis=0)
    from engine.thin import extremes

    low, high = np.empty((len(cuts), rows.shape[1])), np.empty((len(cuts), rows.shape[1]))
    extremes(np.ascontiguousarray(rows, float), cuts, low, high)
    return low, high


class History:
    """Recorded rows of one branch, the first of them at `first` (step 0, or the step where the branch forks)."""

    def __init__(
        self, columns: tuple[str, ...], series: int, *, every: int = 1, budget: int | None = BUDGET,
        path: tuple[str, str] | None = None, extent: tuple[float, float, float, float] = (0.0, 1.0, 0.0, 1.0),
    ) -> None:  # fmt: skip
        self.columns, self.series = columns, series
        self.recorded = every  # the cadence asked for: what the envelope sees
        self.every = every  # the cadence of the rows kept: doubles with each thinning
        self.most = None if budget is None else max(2 * BLOCKS, budget // (8 * max(1, series) * len(columns)))
        self.rows = 0
        self._steps = np.empty(256, np.int64)
        self._values = {name: np.empty((256, series)) for name in columns}
        self._envelope = _Envelope(columns, series)
        self._last = -1
        self.thinned = False
        self._path, self._extent = path, extent
        self._traces: list[Trace] = []

    @property
    def last(self) -> int:
        """The last step appended (recorded or not); -1 when empty."""
        return self._last

    def append(self, first: int, columns: Columns) -> None:
        """Add the rows of steps first, first + 1, ...; only recorded ones are kept."""
        steps = np.arange(first, first + columns.rows, dtype=np.int64)
        self._last = int(steps[-1])
        values = {name: columns.values[name] for name in self.columns}
        steps, values = self._every(self.recorded, steps, values)
        if not len(steps):
            return
        self._envelope.append(steps, values)
        if self._path is not None and self.rows + len(steps) > FEW:
            self._follow(steps, values)
        if self.every > self.recorded:
            steps, values = self._every(self.every, steps, values)
        self._reserve(self.rows + len(steps))
        self._steps[self.rows : self.rows + len(steps)] = steps
        for name in self.columns:
            self._values[name][self.rows : self.rows + len(steps)] = values[name]
        self.rows += len(steps)
        if self.most is not None:
            while self.rows > self.most:
                self._thin()

    def _follow(self, steps: Array, values: Mapping[str, Array]) -> None:
        """Keep the contestants' paths for pictures, from the moment on when there are many rows."""
        assert self._path is not None
        parts = [(steps, values)]
        if not self._traces:
            self._traces = [Trace(self._extent) for _ in range(self.series)]
            parts.insert(0, (self._steps[: self.rows], {n: self._values[n][: self.rows] for n in self._path}))
        x, y = self._path
        for some, columns in parts:
            for s, trace in enumerate(self._traces):
                trace.append(some, np.ascontiguousarray(columns[x][:, s]), np.ascontiguousarray(columns[y][:, s]))

    def _every(self, every: int, steps: Array, values: dict[str, Array]) -> tuple[Array, dict[str, Array]]:
        """Only the rows of every so many steps; the very first row of all stays."""
        if every == 1:
            return steps, values
        if self.rows == 0:
            keep = steps % every == 0
            keep[:1] = True
            return steps[keep], {name: rows[keep] for name, rows in values.items()}
        # the steps are evenly spaced: a slice does, and copies nothing
        first = int(-(steps[0] // -every) * every - steps[0]) if len(steps) else 0
        apart = int(steps[1] - steps[0]) if len(steps) > 1 else max(first, 1)
        part = slice(first // apart, None, max(1, every // apart))
        return steps[part], {name: rows[part] for name, rows in values.items()}

    def _reserve(self, rows: int) -> None:
        if rows <= len(self._steps):
            return
        size = max(rows, 2 * len(self._steps))
        grown = np.empty(size, np.int64)
        grown[: self.rows] = self._steps[: self.rows]
        self._steps = grown
        for name, old in self._values.items():
            buffer = np.empty((size, self.series))
            buffer[: self.rows] = old[: self.rows]
            self._values[name] = buffer

    def _thin(self) -> None:
        self.every *= 2
        self.thinned = True
        first = 1 if self.rows > 1 and self._steps[1] % self.every == 0 else 2  # the very first row stays
        part = slice(first, self.rows, 2)
        rows = 1 + len(range(*part.indices(self.rows)))
        size = max(rows, self.most or 0)  # once, for all that comes until the next thinning
        steps = np.empty(size, np.int64)
        steps[0], steps[1:rows] = self._steps[0], self._steps[part]
        self._steps = steps
        for name, old in list(self._values.items()):  # one after the other: both would be twice the budget
            buffer = np.empty((size, self.series))
            buffer[0], buffer[1:rows] = old[0], old[part]
            self._values[name] = buffer
            del old
        self.rows = rows

    def view(self) -> HistoryView:
        """A frozen look at all rows so far (no copy of the rows)."""
        values = {name: rows[: self.rows] for name, rows in self._values.items()}
        traces = tuple((trace.steps, trace.points) for trace in self._traces)
        envelope = self._envelope
        view = HistoryView(self._steps[: self.rows], values, traces=traces, path=self._path)
        if envelope.block == 1:
            return view
        # these arrays are replaced, never written, by later appends
        low, high, first = dict(envelope.low), dict(envelope.high), dict(envelope.first)
        return replace(view, block_steps=envelope.starts, low=low, high=high, first=first)
