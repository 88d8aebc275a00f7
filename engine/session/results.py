"""A run written down: history.csv, history.npz, summary.json, experiment.json."""

from __future__ import annotations

import io
import json
import math
import platform
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from engine.atomic import write_atomic
from engine.experiment import Array, Ending, Experiment
from engine.session.branches import SessionView
from engine.session.files import saved, to_json, write_text
from engine.session.history import HistoryView
from engine.session.session import Session
from engine.turns import beside, give_way


def line(view: SessionView, index: int | None = None) -> tuple[Array, dict[str, Array]]:
    """The rows of one branch from step 0 on, those inherited from its ancestors included: steps [n], columns [n, S]."""
    parts: list[tuple[HistoryView, int, int]] = []
    at: int | None = view.current if index is None else index
    until = view.branches[at].frontier if at is not None else 0
    while at is not None:
        branch = view.branches[at]
        # A branch's first row is where it forks, recorded or not.
        skipped = int(branch.parent is not None and branch.fork % view.spec.record_every > 0)
        parts.append((branch.history, skipped, until))
        until = min(until, branch.fork - 1)  # a branch may fork below its parent's own fork
        at = branch.parent
    parts.reverse()
    kept = [(h, slice(skip, int(np.searchsorted(h.steps, last, side="right")))) for h, skip, last in parts]
    steps = np.concatenate([h.steps[rows] for h, rows in kept])
    return steps, {name: np.concatenate([h.values[name][rows] for h, rows in kept]) for name in parts[0][0].values}


def rows(experiment: Experiment, view: SessionView, index: int | None = None) -> Iterator[str]:
    """The lines of history.csv: a row for each recorded step and contestant; nothing after a contestant's ending."""
    steps, values = line(view, index)
    branch = view.branches[view.current if index is None else index]
    ends = {e.series: e.step for e in branch.endings}
    yield "step,series," + ",".join(experiment.columns) + "\r\n"
    late, sparse = set(experiment.step_columns), set(experiment.sparse)
    columns = [values[name] for name in experiment.columns]
    for i, step in enumerate(steps.tolist()):
        give_way()
        for s, name in enumerate(view.series):
            if step > ends.get(s, step):
                continue
            cells = [
                ""
                if (step == 0 and column in late) or (column in sparse and math.isnan(numbers[i, s]))
                else repr(float(numbers[i, s]))
                for column, numbers in zip(experiment.columns, columns, strict=True)
            ]
            yield f"{step},{name}," + ",".join(cells) + "\r\n"


def write_csv(experiment: Experiment, view: SessionView, path: Path, index: int | None = None) -> None:
    """history.csv, with every float in full precision."""

    def write(stream: Any) -> None:
        for row in rows(experiment, view, index):
            stream.write(row.encode())

    write_atomic(path, write)


def write_npz(view: SessionView, path: Path, index: int | None = None) -> None:
    """history.npz: `step` [n], `series` [S] and each column [n, S]."""
    steps, values = line(view, index)
    buffer = io.BytesIO()
    arrays: dict[str, Any] = {"step": steps, "series": np.array(view.series), **values}
    beside(lambda: np.savez_compressed(buffer, **arrays))
    write_atomic(path, lambda stream: stream.write(buffer.getbuffer()))


def _plain(value: float) -> float | str:
    """A number as JSON can hold it: what is not finite becomes its name."""
    return float(value) if math.isfinite(value) else repr(float(value))


def summary(experiment: Experiment, view: SessionView, finish: str | None = None) -> dict[str, Any]:
    """How the run ended, contestant by contestant."""
    steps, values = line(view)
    ends: dict[int, Ending] = {e.series: e for e in view.branch.endings}
    reason = view.branch.reason or "stopped"
    told: dict[str, Any] = {}
    for s, name in enumerate(view.series):
        end = ends.get(s)
        last = end.step if end else view.branch.frontier
        entry: dict[str, Any] = {
            "finish": end.finish if end else (finish or view.branch.finish or "stopped"),
            "step": last,
            "reason": end.reason if end else reason,
        }
        for column, numbers in view.branch.final.items():
            number = float(numbers[s])
            if column in experiment.sparse and math.isnan(number):  # the last one measured
                good = np.flatnonzero(np.isfinite(values[column][:, s]))
                number = float(values[column][good[-1], s]) if len(good) else number
            entry[column] = _plain(number)
        told[name] = entry
        if not experiment.loss:
            continue
        # The last row counts even where only every so many steps have a row.
        loss = np.append(values[experiment.loss][steps < last, s], view.branch.final[experiment.loss][s])
        good = np.flatnonzero(np.isfinite(loss))
        if len(good):
            best = good[np.argmin(loss[good])]
            when = [*steps[steps < last].tolist(), last][best]
            entry |= {f"best_{experiment.loss}": float(loss[best]), "best_step": when}
    return {
        "experiment": experiment.id,
        "title": experiment.title,
        "finish": finish or view.branch.finish or "stopped",
        "reason": reason,
        "step": view.branch.frontier,
        **experiment.facts(view.spec),
        "series": told,
        "settings": view.spec.model_dump(mode="json"),
        "events": [{"step": e.step, "key": e.key, "value": e.value} for e in view.branch.events],
        "seconds": round(view.seconds, 6),
        "versions": {"python": platform.python_version(), "numpy": np.__version__},
    }


def measured(measure: str, told: dict[str, Any], loss: str) -> str:
    """The answer to a prediction's `measure` (see engine.experiment.Prediction) out of a summary."""
    series: dict[str, dict[str, Any]] = told["series"]
    if measure.startswith("finish "):
        return str(series[measure.removeprefix("finish ")]["finish"])
    if measure == "first":
        reached = {name: entry["step"] for name, entry in series.items() if entry["finish"] == "target"}
        return min(reached, key=lambda name: reached[name]) if reached else "none"
    word, _, column = measure.partition(" ")
    if word in ("lowest", "highest"):
        column = column or loss
        finite = {name: entry[column] for name, entry in series.items() if not isinstance(entry[column], str)}
        pick = min if word == "lowest" else max
        return pick(finite, key=lambda name: finite[name]) if finite else "none"
    raise ValueError(f"measure: {measure!r} is not allowed; give lowest, highest, first or finish NAME")


def write_run(session: Session, folder: Path, finish: str | None = None) -> dict[str, Any]:
    """Write all of a run's data files into a folder; returns the summary."""
    view = session.view()
    told = summary(session.experiment, view, finish)
    for name, seconds in session.experiment.timed(session.state, session.spec).items():
        told["series"][name] |= {key: value for key, value in seconds.items() if math.isfinite(value)}
    write_text(folder / "experiment.json", to_json(saved(view)))
    write_csv(session.experiment, view, folder / "history.csv")
    write_npz(view, folder / "history.npz")
    write_text(folder / "summary.json", json.dumps(told, indent=1, allow_nan=False) + "\n")
    return told
