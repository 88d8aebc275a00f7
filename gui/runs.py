"""Pinned runs: ghosts behind later ones, their results, and what differs between two of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.experiment import Experiment
from engine.session.branches import SessionView
from engine.session.results import line
from engine.spec import differences


@dataclass(frozen=True)
class Pinned:
    """A run that was pinned: its name, what it measured, and how fast."""

    name: str
    view: SessionView


@dataclass(frozen=True)
class Result:
    """One contestant of one run, as the results table shows it. Losses are nan where none was finite."""

    run: str
    series: str
    final: float
    best: float
    best_step: int
    to_target: int | None
    finish: str
    seconds: float


def results(experiment: Experiment, pinned: Pinned, target: float) -> list[Result]:
    """The results of every contestant of a run; `to_target` is the first step with a loss at or below the target."""
    steps, values = line(pinned.view)
    ends = {e.series: e for e in pinned.view.branch.endings}
    found: list[Result] = []
    for s, name in enumerate(pinned.view.series):
        loss = values[experiment.loss][:, s] if experiment.loss else np.full(len(steps), np.nan)
        end = ends.get(s)
        last = int(np.searchsorted(steps, end.step, side="right")) - 1 if end else len(steps) - 1
        good = np.flatnonzero(np.isfinite(loss[: last + 1]))
        reached = np.flatnonzero(loss <= target)
        best = int(good[np.argmin(loss[good])]) if len(good) else -1
        found.append(
            Result(
                run=pinned.name,
                series=name,
                final=_last(loss, pinned.view.branch.final[experiment.loss][s]) if experiment.loss else float("nan"),
                best=float(loss[best]) if best >= 0 else float("nan"),
                best_step=int(steps[best]) if best >= 0 else 0,
                to_target=int(steps[reached[0]]) if len(reached) else None,
                finish=end.finish if end else (pinned.view.branch.finish or "not finished"),
                seconds=pinned.view.seconds,
            )
        )
    return found


def _last(loss: NDArray[np.float64], final: float) -> float:
    """The loss at the end: what was measured there, or of a loss measured now and then the last one before."""
    good = loss[np.isfinite(loss)]
    return float(good[-1]) if np.isnan(final) and len(good) else float(final)


def what_differs(one: Pinned, other: Pinned) -> list[tuple[str, Any, Any]]:
    """The settings in which two pinned runs differ, live changes included."""
    found = [(key, *pair) for key, pair in differences(one.view.spec, other.view.spec).items()]
    for event in one.view.branch.events:
        if event not in other.view.branch.events:
            found.append((f"{event.key} from step {event.step + 1}", event.value, "—"))
    for event in other.view.branch.events:
        if event not in one.view.branch.events:
            found.append((f"{event.key} from step {event.step + 1}", "—", event.value))
    return found
