"""What the transport tells of a run."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from engine.session.branches import SessionView


def state_of(view: SessionView, label: Callable[[str], str]) -> dict[str, Any]:
    """Where a run stands, as Transport.set_state takes it. `label`: the reader's name of a contestant."""
    branch = view.branch
    finish, reason = view.finish or "", branch.reason if view.finish else ""
    lost = [e for e in branch.endings if e.finish == "diverged" and e.step <= view.step]
    if lost and finish != "failed":  # one contestant's end is told although the others run on
        finish, reason = "diverged", f"{label(view.series[lost[-1].series])}: {lost[-1].reason}"
    return {
        "step": view.step, "frontier": branch.frontier, "total": view.steps, "finish": finish, "reason": reason,
        "events": [(e.step, f"{e.key} = {e.value}") for e in branch.events],
        "branches": [b.name for b in view.branches], "branch": view.current,
        "fork": branch.fork if branch.parent is not None else None,
    }  # fmt: skip


def best(view: SessionView, loss: str, label: Callable[[str], str]) -> str:
    """The lowest value of the column `loss` up to the step in hand's, and whose it is; nothing where there is none.

    Who is done keeps the last value; who diverged is out.
    """
    import numpy as np

    if not loss:
        return ""
    values = np.array(view.latest(loss))
    values[[e.series for e in view.branch.endings if e.finish == "diverged" and e.step <= view.step]] = np.nan
    if not np.isfinite(values).any():
        return ""
    first = int(np.nanargmin(np.where(np.isfinite(values), values, np.nan)))
    words = f"{loss.replace('_', ' ')} {values[first]:.4g}"
    return words if len(view.series) == 1 else f"lowest {words}  {label(view.series[first])}"
