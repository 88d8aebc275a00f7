"""The futures of a session: live events in order, branches, and the frozen looks at them for pictures."""

from __future__ import annotations

import bisect
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from engine.experiment import Array, Ending, Finish
from engine.session.history import History, HistoryView
from engine.session.snapshots import Snapshots
from engine.spec import Spec, SpecError, changed, echo, value_of

FAR = 2**14  # rows looked back for the last number of a sparse column


@dataclass(frozen=True)
class Event:
    """A live change: from the step after `step` on, `key` has `value`."""

    step: int
    key: str
    value: Any


@dataclass(frozen=True)
class Timeline:
    """Live events in order of their steps; `specs[i]` are the settings once the first i of them have happened."""

    events: tuple[Event, ...]
    specs: tuple[Spec, ...]

    def at(self, step: int) -> Spec:
        """The settings in force for the step after `step`."""
        return self.specs[bisect.bisect_right(self.events, step, key=lambda e: e.step)]

    def changed_to(self, events: Sequence[Event], live: Collection[str], check: Callable[[Spec], None]) -> Timeline:
        """Other events of the fields `live` from the same first settings, each value as declared. Raises SpecError.

        What is already in this timeline is not checked again: a slider in hand makes hundreds of events.
        """
        kept: dict[tuple[int, str], Event] = {}
        for event in events:
            if event.key not in live:
                raise SpecError(
                    echo(event.key, quotes=False),
                    f"cannot change during a run; live fields: {', '.join(live) or 'none'}",
                )
            if event.step < 0:
                raise SpecError(event.key, f"step {event.step} of a live change is not allowed; give 0 or more")
            kept[event.step, event.key] = event
        told: list[Event] = []
        specs = [self.specs[0]]
        for event in sorted(kept.values(), key=lambda e: e.step):
            i = len(told)
            if i < len(self.events) and self.events[i] == event and self.specs[i] is specs[i]:
                specs.append(self.specs[i + 1])
                told.append(event)
                continue
            specs.append(changed(specs[i], event.key, event.value))
            check(specs[-1])
            told.append(Event(event.step, event.key, value_of(specs[-1], event.key)))
        return Timeline(tuple(told), tuple(specs))


@dataclass
class Branch:
    """One future: where it forks from its parent, its live events (inherited ones included) and what it measured.

    `final[name]` [series] is each contestant's last row: at its ending, or at the frontier.
    """

    name: str
    parent: int | None
    fork: int
    timeline: Timeline
    history: History
    final: dict[str, Array]
    snapshots: Snapshots = field(default_factory=Snapshots)
    endings: tuple[Ending, ...] = ()
    frontier: int = 0
    finish: Finish | None = None
    reason: str = ""

    @property
    def events(self) -> tuple[Event, ...]:
        """Its live events, inherited ones included."""
        return self.timeline.events

    def view(self) -> BranchView:
        """A frozen look at it."""
        return BranchView(
            self.name, self.parent, self.fork, self.frontier, self.events, self.history.view(), self.endings,
            self.finish, self.reason, self.final,
        )  # fmt: skip


@dataclass(frozen=True)
class BranchView:
    """A frozen look at a branch; `final[name]` [series] is each contestant's last row, whatever the history kept."""

    name: str
    parent: int | None
    fork: int
    frontier: int
    events: tuple[Event, ...]
    history: HistoryView
    endings: tuple[Ending, ...]
    finish: Finish | None
    reason: str
    final: Mapping[str, Array] = field(default_factory=dict)


@dataclass(frozen=True)
class SessionView:
    """A frozen look at a session: `step` is where it stands, `row[name]` [series] what was measured there,
    `rate` the steps a second measured."""

    experiment: str
    spec: Spec
    live: Spec
    series: tuple[str, ...]
    step: int
    steps: int
    current: int
    branches: tuple[BranchView, ...]
    row: dict[str, Array]
    seconds: float
    rate: float

    @property
    def branch(self) -> BranchView:
        """The branch in hand."""
        return self.branches[self.current]

    def latest(self, column: str) -> Array:
        """The last number measured of each contestant at or before `step`, [series]; nan where there is none."""
        row = self.row.get(column, np.full(len(self.series), np.nan))
        known = np.isfinite(row)
        if known.all():
            return row
        history = self.branch.history
        until = int(np.searchsorted(history.steps, self.step, side="right"))
        rows = history.values[column][max(0, until - FAR) : until]
        good = np.isfinite(rows)
        if not good.any():
            return row
        last = len(rows) - 1 - good[::-1].argmax(axis=0)
        earlier = np.where(good.any(axis=0), rows[last, np.arange(len(row))], np.nan)
        latest: Array = np.where(known, row, earlier)
        return latest

    @property
    def finish(self) -> Finish | None:
        """Why the run in hand ended, or None while it can go on; told only at its last step."""
        branch = self.branch
        return branch.finish if self.step >= branch.frontier else None
