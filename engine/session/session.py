"""One experiment in progress: forwards, backwards, branches, live changes.

    ready --advance--> running --+--> done      all steps taken
      ^                          +--> target    every contestant that still ran reached the target
      |                          +--> diverged  every contestant overflowed or became nan
      +------- seek -------------+--> failed    the experiment raised an error

A session has no thread and no Qt: the command line, the window's worker and the tests drive the same object. The
state at step k depends on the settings, the live events up to k and k alone, never on how it was reached.
"""

from __future__ import annotations

import bisect
import time
from collections.abc import Sequence
from typing import Any

import numpy as np

from engine.experiment import Array, Columns, Ending, Experiment, Finish
from engine.session.branches import Branch, Event, SessionView, Timeline
from engine.session.history import BUDGET, History
from engine.spec import Spec, SpecError, changed, declarations, echo, shorten, value_of
from engine.turns import give_way

MOST_BRANCHES = 12
CHUNK = 0.03  # seconds one call into the experiment, and the keeping of its rows, aim at
MOST_ROWS = 2**16  # rows one call measures at the most, so that a long replay needs little memory


class Session:
    """See the module's text. `events` are live changes known beforehand (from a file)."""

    def __init__(
        self, experiment: Experiment, spec: Spec, events: Sequence[Event] = (), *, budget: int | None = BUDGET
    ) -> None:
        experiment.check(spec)
        self.experiment, self.spec, self.budget = experiment, spec, budget
        self.series = experiment.series(spec)
        self.branches: list[Branch] = []
        self.current = 0
        self.seconds = 0.0
        self._live = tuple(d.key for d in declarations(spec) if d.live)
        self._rate = 0.0  # steps a second, measured
        self._since = 0.0  # seconds of computing since the last snapshot
        timeline = self._timeline(events)
        self.state = experiment.start(spec)
        self._row: Columns = experiment.measure(self.state, spec)
        self.branches.append(self._new_branch("main", None, 0, timeline))

    # -- branches ---------------------------------------------------------------------------------------------------

    def _new_branch(self, name: str, parent: int | None, fork: int, timeline: Timeline) -> Branch:
        names = self.experiment.columns + self.experiment.extras
        path = self.experiment.path
        history = History(
            names, len(self.series), every=self.spec.record_every, budget=self.budget, path=path,
            extent=self.experiment.extent(self.spec) if path else (0.0, 1.0, 0.0, 1.0),
        )  # fmt: skip
        history.append(fork, self._row)
        endings: tuple[Ending, ...] = ()
        final = self.row
        if parent is not None:
            endings = tuple(e for e in self.branches[parent].endings if e.step <= fork)
            over = [e.series for e in endings]
            final = {column: row.copy() for column, row in final.items()}
            for column, row in final.items():
                row[over] = self.branches[parent].final[column][over]
        branch = Branch(name, parent, fork, timeline, history, final, endings=endings, frontier=fork)
        branch.snapshots.put(fork, (self.state, self._row))
        return branch

    @property
    def branch(self) -> Branch:
        """The branch in hand."""
        return self.branches[self.current]

    def fork(self, name: str = "") -> int:
        """Begin a new branch here and make it the current one. Raises SpecError when there are too many."""
        if len(self.branches) >= MOST_BRANCHES:
            raise SpecError("branch", f"{MOST_BRANCHES} branches are kept at the most; reset or pin this run first")
        timeline = self._timeline(self._events_from_here())
        name = name or f"branch {len(self.branches)}"
        self.branches.append(self._new_branch(name, self.current, self.step, timeline))
        self.current = len(self.branches) - 1
        self._reopen()
        return self.current

    def switch(self, index: int) -> None:
        """Go to another branch, to the same step where it has one, else to its last."""
        if not 0 <= index < len(self.branches):
            raise SpecError("branch", f"{index} is not allowed; give a whole number from 0 to {len(self.branches) - 1}")
        step = min(self.step, self.branches[index].frontier)
        self.current = index
        self._restore(step)
        self._replay(step)

    # -- settings -----------------------------------------------------------------------------------------------------

    def _timeline(self, events: Sequence[Event]) -> Timeline:
        """Live events in order, each value as declared, with the settings they make. Raises SpecError."""
        before = self.branch.timeline if self.branches else Timeline((), (self.spec,))
        return before.changed_to(events, self._live, self.experiment.check)

    def _events_from_here(self) -> list[Event]:
        """The live events up to here; at the frontier also what a file planned for later."""
        return [e for e in self.branch.events if e.step <= self.step or self.step >= self.branch.frontier]

    def spec_at(self, step: int) -> Spec:
        """The settings in force for the step after `step`."""
        return self.branch.timeline.at(step)

    @property
    def live(self) -> Spec:
        """The settings in force for the next step."""
        return self.spec_at(self.step)

    def set_live(self, key: str, value: Any) -> bool:
        """Change a live field from the next step on. Where the run already went on from here, a branch begins; not for
        what is merely looked at.

        Returns whether a branch began. Raises SpecError; then nothing has changed.
        """
        if key in self.experiment.looks(self.live):
            self._look_at(key, value)
            return False
        branched = self.step < self.branch.frontier
        timeline = self._timeline([*self._events_from_here(), Event(self.step, key, value)])
        if value_of(self.live, key) == value_of(timeline.at(self.step), key):
            return False
        if branched:
            self.fork(f"{key} {echo(value, quotes=False)} from {self.step}")
        self.branch.timeline = timeline
        self._reopen()
        return branched

    def _look_at(self, key: str, value: Any) -> None:
        """Change what is looked at, in every branch; nothing of the run is another."""
        self.experiment.check(spec := changed(self.spec, key, value))
        self.spec = spec
        for branch in self.branches:
            specs = tuple(changed(one, key, value) for one in branch.timeline.specs)
            branch.timeline = Timeline(branch.timeline.events, specs)

    def set_events(self, events: Sequence[Event]) -> None:
        """Give a branch that has not run yet all its live events (from a file). Raises SpecError."""
        self.branch.timeline = self._timeline(events)
        self._reopen()

    def _reopen(self) -> None:
        """After a change at the frontier: a longer run may go on; an ended contestant stays ended."""
        branch = self.branch
        if branch.finish == "done":
            branch.finish, branch.reason = None, ""
        self._settle()

    # -- moving ------------------------------------------------------------------------------------------------------

    @property
    def step(self) -> int:
        """How many steps the state has behind it."""
        return int(self.state.step)

    @property
    def steps(self) -> int:
        """How many steps the run has at the most, under the settings now in force."""
        return self.experiment.steps(self.live)

    @property
    def finish(self) -> Finish | None:
        """Why the run ended, or None while it can go on from here."""
        return self.branch.finish if self.step >= self.branch.frontier else None

    def advance(self, n: int, seconds: float | None = None) -> int:
        """Run at most n steps (and at most about `seconds`). Returns how many were run.

        Steps that were measured before are run again, exactly, and not recorded twice.
        """
        began = time.perf_counter()
        done = 0
        while done < n and self.finish is None:
            left = CHUNK if seconds is None else min(CHUNK, seconds - (time.perf_counter() - began))
            if done and left < CHUNK / 8:
                break
            chunk = max(1, int(self._rate * left)) if self._rate else 16
            moved = self._run(min(n - done, chunk))
            if moved == 0:
                break
            done += moved
        self._settle()
        return done

    def _run(self, n: int) -> int:
        """One call into the experiment, cut at live events and the end."""
        give_way()
        branch, step = self.branch, self.step
        spec = self.live
        n = min(n, MOST_ROWS, self.experiment.steps(spec) - step)
        later = bisect.bisect_right(branch.events, step, key=lambda e: e.step)
        if later < len(branch.events):
            n = min(n, branch.events[later].step - step)
        if step < branch.frontier:
            n = min(n, branch.frontier - step)
        if n <= 0:
            return 0
        began = time.perf_counter()
        try:
            columns = self.experiment.advance(self.state, spec, n)
        except BaseException as error:  # whatever it was, what was measured so far stays usable
            if isinstance(error, Exception) and step >= branch.frontier:
                branch.finish, branch.reason = "failed", f"{type(error).__name__}: {shorten(str(error), 200)}"
            self._restore(step)  # the state may have been left half way through a step
            raise
        took = time.perf_counter() - began
        rows = columns.rows
        self.seconds += took
        if rows == 0:
            return 0
        self._row = Columns({name: values[-1:] for name, values in columns.values.items()})
        if self.step > branch.frontier:
            branch.history.append(step + 1, columns)
            branch.frontier = self.step
            self._keep_final(columns, step)
            branch.endings += columns.endings
            self._since += took
            if self._since > branch.snapshots.spacing:
                branch.snapshots.put(self.step, (self.state, self._row))
                self._since = 0.0
        rate = rows / max(time.perf_counter() - began, 1e-7)
        self._rate = rate if not self._rate else 0.7 * self._rate + 0.3 * rate
        return rows

    def _keep_final(self, columns: Columns, first: int) -> None:
        """Take over each contestant's last row out of new rows (the first of them is step first + 1)."""
        over = {e.series for e in self.branch.endings}
        last = np.full(len(self.series), columns.rows - 1)
        for ending in columns.endings:
            last[ending.series] = ending.step - first - 1
        going = np.array([s for s in range(len(self.series)) if s not in over], dtype=np.intp)
        final = {name: row.copy() for name, row in self.branch.final.items()}  # a view may hold the old rows
        for name, row in final.items():
            row[going] = columns.values[name][last[going], going]
        self.branch.final = final

    def _settle(self) -> None:
        """Name the finish once the frontier cannot move."""
        branch = self.branch
        if branch.finish is not None or self.step < branch.frontier:
            return
        if len(branch.endings) == len(self.series) and self.series:
            kinds = {e.finish for e in branch.endings}
            last = max(branch.endings, key=lambda e: e.step)
            branch.finish = "diverged" if kinds == {"diverged"} else "target" if "target" in kinds else last.finish
            told = next(e for e in reversed(branch.endings) if e.finish == branch.finish)
            branch.reason = f"{self.series[told.series]}: {told.reason}"
        elif self.step >= self.experiment.steps(self.live):
            branch.finish, branch.reason = "done", f"all {self.step} {self.experiment.unit}s taken"

    def seek(self, step: int) -> None:
        """Go to a step that was measured already (a later one: to the frontier)."""
        step = max(0, min(step, self.branch.frontier))
        nearest = self.branch.snapshots.nearest(step)
        if step < self.step or (nearest is not None and nearest > self.step):
            self._restore(step)
        self._replay(step)

    def back(self, n: int = 1) -> None:
        """Step back, exactly."""
        self.seek(self.step - n)

    def _restore(self, step: int) -> None:
        """Take up the latest snapshot at or before a step; an ancestor's serve up to the fork."""
        index: int | None = self.current
        while index is not None:
            found = self.branches[index].snapshots.before(step)
            if found is not None:
                self.state, self._row = found[1]
                return
            index = self.branches[index].parent
        raise AssertionError("the first snapshot is at step 0 and is never dropped")

    def _replay(self, step: int) -> None:
        while self.step < step and self._run(step - self.step):
            pass

    # -- looking -----------------------------------------------------------------------------------------------------

    @property
    def rate(self) -> float:
        """Measured steps a second (0 before the first)."""
        return self._rate

    def memory(self) -> int:
        """Bytes of rows the whole run will take, at the most."""
        columns = len(self.experiment.columns) + len(self.experiment.extras)
        rows = 8 * columns * len(self.series) * (self.steps // self.spec.record_every + 1)
        return rows if self.budget is None else min(rows, self.budget)

    @property
    def row(self) -> dict[str, Array]:
        """What was measured at this step: name -> [series]."""
        return {name: values[0] for name, values in self._row.values.items()}

    def view(self) -> SessionView:
        """A frozen look at everything."""
        branches = tuple(branch.view() for branch in self.branches)
        return SessionView(
            self.experiment.id, self.spec, self.live, self.series, self.step, max(self.steps, self.branch.frontier),
            self.current, branches, self.row, self.seconds, self._rate,
        )  # fmt: skip

    def probe(self, name: str, **asked: Any) -> Any:
        """A dear picture of the state in hand."""
        return self.experiment.probe(self.state, self.live, name, **asked)
