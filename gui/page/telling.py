"""What the transport tells of a run."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from engine.experiment import Curve, Experiment
from engine.session.branches import SessionView
from engine.spec import told

BRIEF = 8  # letters of an axis' name that leave room for a number behind it
ROUNDING = 1e-14  # of what it was at the start: less is the rounding of float64


def state_of(view: SessionView, label: Callable[[str], str]) -> dict[str, Any]:
    """Where a run stands, as Transport.set_state takes it. `label`: the reader's name of a contestant."""
    branch = view.branch
    finish, reason = view.finish or "", branch.reason if view.finish else ""
    lost = [e for e in branch.endings if e.finish == "diverged" and e.step <= view.step]
    if lost and finish != "failed":  # one contestant's end is told although the others run on
        finish, reason = "diverged", f"{label(view.series[lost[-1].series])}: {lost[-1].reason}"
    return {
        "step": view.step, "frontier": branch.frontier, "total": view.steps, "finish": finish, "reason": reason,
        "events": [(e.step, " = ".join(told(view.spec, e.key, e.value))) for e in branch.events],
        "branches": [b.name for b in view.branches], "branch": view.current,
        "fork": branch.fork if branch.parent is not None else None,
    }  # fmt: skip


def best(view: SessionView, experiment: Experiment, label: Callable[[str], str]) -> str:
    """The lowest loss up to the step in hand's, and whose it is; nothing where there is none.

    It is named as on the axis it is drawn against. Who is done keeps the last value; who diverged is out. In a sweep
    the losses are those at this place of it, and the place is told.
    """
    import numpy as np

    loss = experiment.loss
    if not loss:
        return ""
    values = np.array(view.latest(loss))
    values[[e.series for e in view.branch.endings if e.finish == "diverged" and e.step <= view.step]] = np.nan
    if not np.isfinite(values).any():
        return ""
    first = int(np.nanargmin(np.where(np.isfinite(values), values, np.nan)))
    curve = next((p for p in experiment.plots if isinstance(p, Curve) and loss in p.columns), None)
    start = view.branch.history.values[loss][:1, first]
    gone = values[first] != 0 and bool(np.any(np.abs(values[first]) < ROUNDING * start))
    value = "0 (rounding)" if gone else f"{values[first]:.4g}"
    name = curve.y_label if curve else loss.replace("_", " ")
    if len(view.series) == 1:
        words = f"{name} {value}"
    elif len(name) <= BRIEF:
        words = f"lowest {name} {value}  {label(view.series[first])}"
    else:  # where there is little room, the number is what must be seen
        words = f"lowest {value}  {label(view.series[first])}, {name}"
    if curve is not None and curve.x and curve.log_x:  # a sweep: no contestant is done with it before its end
        place = view.latest(curve.x)[first]
        words += f" at {curve.x_label} {place:.4g}" if np.isfinite(place) else ""
    return words
