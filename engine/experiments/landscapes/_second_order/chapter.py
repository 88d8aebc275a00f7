"""The chapter's second-order listing beside what a run on its quadratic measured."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.experiment import Drawn, Overlay

from .objective import Quadratic
from .settings import QUADRATIC, RACE

LISTING = {"sgd": (20, 0.1), "newton": (5, 1.0)}  # steps of the listing, and its rates


def listed_losses(name: str) -> np.ndarray[Any, Any]:
    """The losses of the listing by its own formulas, the start first."""
    steps, rate = LISTING[name]
    factor = 1.0 - rate * Quadratic.curvatures if name == "sgd" else np.zeros(2)
    ways = Quadratic.start * factor ** np.arange(steps + 1)[:, None]
    return np.array([0.01 * x**2 + 5.0 * y**2 for x, y in ways])


def drawn(spec: Any, view: Any) -> tuple[Drawn, ...]:
    """The listing of 10.2.4, laid over a race on the chapter's quadratic."""
    if spec.study != RACE or spec.problem != QUADRATIC:
        return ()
    history, overlays, told = view.branch.history, [], []
    for name, (steps, _) in LISTING.items():
        losses = listed_losses(name)
        overlays.append(Overlay("excess", f"chapter: {name}", np.arange(steps + 1), losses, "chapter"))
        if name not in view.series or view.branch.parent is not None:
            continue
        rows = history.steps <= steps
        measured = history.values["loss"][rows, view.series.index(name)]
        good = np.isfinite(measured)
        if good.sum() > 1:
            apart = np.abs(measured - losses[history.steps[rows]])[good].max()
            told.append(f"{name}: losses at most {apart:.2g} apart over {int(history.steps[rows][good][-1])} steps")
    verdict = "; ".join(told) if told else "Run SGD and Newton to compare."
    return (
        Drawn(
            "10.2.4", "First against second order", "SGD zig-zags towards the minimum, Newton's method is there at "
            "once. At the listing's rate of 0.1, rate times curvature is exactly 1 along y: SGD is on y = 0 after one "
            "step and never zig-zags. At 0.19 it does.", tuple(overlays), verdict,
        ),
    )  # fmt: skip
