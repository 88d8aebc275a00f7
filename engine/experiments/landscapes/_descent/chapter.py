"""What the chapter draws of optimizers on a surface, beside what a run measured."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.experiment import Drawn, Overlay
from engine.experiments.landscapes._descent.settings import NAMES

LISTING_STEPS = {"sgd": 20, "newton": 5}  # the listing's loops
LISTING_START = (10.0, 2.0)
ADAPTIVE = ("adam", "rmsprop")


def listing_paths() -> dict[str, np.ndarray[Any, Any]]:
    """The paths of the listing in 10.2.4, by its own formulas: gradient (.02x, 10y), Hessian diag(.02, 10), rate .1.

    name -> [steps + 1, 2]
    """
    curvature = np.array([0.02, 10.0])
    paths = {}
    for name, factor in (("sgd", 1 - 0.1 * curvature), ("newton", np.zeros(2))):
        steps = np.arange(LISTING_STEPS[name] + 1)[:, None]
        paths[name] = np.array(LISTING_START) * factor**steps
    return paths


def drawn(spec: Any, view: Any) -> tuple[Drawn, ...]:
    """The figures of the chapter that belong to this run; `view` is the SessionView of it."""
    if spec.surface == "chapter_quadratic":
        return (_listing(spec, view), _caption(view))
    return (_caption(view),)


def _listing(spec: Any, view: Any) -> Drawn:
    paths = listing_paths()
    overlays = tuple(
        Overlay("map", f"chapter: {NAMES[name]}", path[:, 0], path[:, 1], "chapter") for name, path in paths.items()
    )
    losses = {name: 0.01 * path[:, 0] ** 2 + 5 * path[:, 1] ** 2 for name, path in paths.items()}
    overlays += tuple(
        Overlay("loss", f"chapter: {NAMES[name]}", np.arange(len(loss)), loss, "chapter")
        for name, loss in losses.items()
    )
    history = view.branch.history
    found = []
    for name, path in paths.items():
        if name not in view.series or view.branch.parent is not None:
            continue
        s = view.series.index(name)
        n = min(len(path), len(history.steps))
        if n < 2 or int(history.steps[n - 1]) != n - 1:
            continue
        measured = np.stack([history.values["x"][:n, s], history.values["y"][:n, s]], axis=1)
        apart = float(np.nanmax(np.abs(measured - path[:n])))
        found.append(f"{NAMES[name]}: at most {apart:.2g} apart over {n - 1} steps")
    verdict = "; ".join(found) if found else "Run SGD and Newton from (10, 2) at rate 0.1 to compare."
    return Drawn(
        "10.2.4", "First against second order",
        "SGD zig-zags towards the minimum and Newton's method is there at once. At the listing's rate, rate times "
        "curvature is exactly 1 along y: SGD lands on y = 0 in one step and never zig-zags. Try rate 0.19.",
        overlays, verdict,
    )  # fmt: skip


def _caption(view: Any) -> Drawn:
    history, series = view.branch.history, view.series
    loss = history.values["loss"]
    last = {}
    for s, name in enumerate(series):
        column = loss[:, s]
        good = np.flatnonzero(np.isfinite(column))
        ended = [e for e in view.branch.endings if e.series == s and e.finish == "diverged"]
        last[name] = float("inf") if ended or not len(good) else float(column[good[-1]])
    adaptive = {name: value for name, value in last.items() if name in ADAPTIVE}
    if "sgd" not in last or not adaptive or len(history.steps) < 2:
        verdict = "Run SGD beside Adam or RMSprop to test it."
    else:
        better = [name for name, value in adaptive.items() if value < last["sgd"]]
        told = ", ".join(f"{NAMES[name]} {value:.3g}" for name, value in {"sgd": last["sgd"], **adaptive}.items())
        word = {0: "Not in this run", len(adaptive): "So in this run"}.get(len(better), "In part in this run")
        verdict = f"{word}: loss after {int(history.steps[-1])} steps: {told}."
    return Drawn(
        "10.2", "Figure 10.2, a claim to test",
        "Adam and RMSprop “often converge faster and more reliably than vanilla SGD”. The figure itself is only a "
        "caption here, so nothing is drawn: run it, at rates that suit each, and at rates that do not.",
        (), verdict,
    )  # fmt: skip
