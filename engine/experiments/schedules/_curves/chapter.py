"""What the chapter draws of schedules, beside the rates of a run."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.experiment import Drawn, Overlay
from engine.schedules import SCHEDULES, chapter_rates
from engine.schedules.chapter import EPOCHS


def drawn(spec: Any, view: Any) -> tuple[Drawn, ...]:
    """The listing's five curves over this run's; `view` is the SessionView."""
    epochs = np.arange(1, EPOCHS + 1)
    theirs = chapter_rates(epochs)
    overlays = tuple(
        Overlay("learning_rate", f"chapter: {SCHEDULES[name].title.lower()}", epochs, values, "chapter")
        for name, values in theirs.items()
    )
    return (
        Drawn(
            "10.2.3", "Five schedules",
            "Five schedules from rate 0.1 over 100 epochs, on a logarithmic axis. The listing's epoch e, from 1, is "
            "PyTorch's step e. Both cosines are exactly 0 at epoch 100, for which such an axis has no place.",
            overlays, _verdict(view, epochs, theirs),
        ),
    )  # fmt: skip


def _verdict(view: Any, epochs: Any, theirs: dict[str, Any]) -> str:
    branch = view.branch
    steps, rates = branch.history.steps, branch.history.values["learning_rate"]
    found = []
    for name, values in theirs.items():
        if name not in view.series or branch.parent is not None:
            continue
        both, ours, drawn = np.intersect1d(steps, epochs, return_indices=True)
        if len(both):
            apart = float(np.nanmax(np.abs(rates[ours, view.series.index(name)] - values[drawn])))
            found.append(f"{SCHEDULES[name].title} at most {apart:.2g} apart over {len(both)} epochs")
    return "; ".join(found) + "." if found else "Run the preset of the chapter to compare."
