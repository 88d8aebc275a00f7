"""The chapter's figure of early stopping: simulated losses, and the rule that stops on them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.experiment import Drawn, Overlay
from engine.experiments.regularization._early_stopping.patience import Patience, Watch

PATIENCE = 10
EPOCHS = 100


def simulated() -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Epochs 1 to 100, and the listing's training and validation losses at them: formulas and noise, no training."""
    random = np.random.RandomState(42)
    epochs = np.arange(1, EPOCHS + 1)
    falling = 1.0 / (0.1 * epochs + 1.0) + 0.1
    train = falling + random.normal(0.0, 0.02, EPOCHS)
    validation = falling + 0.05 * np.maximum(0, epochs - 40) / 60 + random.normal(0.0, 0.03, EPOCHS)
    return epochs, train, validation


def stopped() -> Watch:
    """The listing's rule on its losses, in true epochs."""
    epochs, _, validation = simulated()
    watch, rule = Watch(), Patience(PATIENCE, 0.0, "beyond")
    for epoch, loss in zip(epochs.tolist(), validation.tolist(), strict=True):
        rule.advance(watch, loss, epoch)
        if watch.stopped >= 0:
            break
    return watch


def drawn(view: Any) -> tuple[Drawn, ...]:
    """The simulated losses, the two marks where the listing draws them and where they belong."""
    epochs, train, validation = simulated()
    watch = stopped()
    lowest = int(epochs[validation.argmin()])
    marks = [
        ("best and stop as drawn: zero-based", watch.best_at - 1, watch.stopped - 1),
        ("best and stop in true epochs", watch.best_at, watch.stopped),
    ]
    overlays = [
        Overlay("train_loss", "chapter, simulated training loss", epochs, train, "chapter"),
        Overlay("train_loss", "chapter, simulated validation loss", epochs, validation, "chapter"),
    ]
    top = float(validation.max())
    for words, best, stop in marks:
        x, y = np.array([best, best, np.nan, stop, stop]), np.array([0.0, top, np.nan, 0.0, top])
        overlays.append(Overlay("train_loss", f"chapter, {words}", x, y, "chapter"))
    return (
        Drawn(
            "10.3.2", "Early stopping, simulated",
            "With patience 10 training stops soon after the validation loss is lowest. The curves are a formula with "
            "noise; nothing was trained.", tuple(overlays),
            f"Simulated: best {watch.best:.5f} at epoch {watch.best_at}, stop at epoch {watch.stopped}, the "
            f"{watch.bad}th bad epoch in a row; the figure draws both one epoch early, at their zero-based places "
            f"{watch.best_at - 1} and {watch.stopped - 1}. Its lowest loss comes later, {validation.min():.5f} at "
            f"epoch {lowest}: stopping missed it. {_told(view)}",
        ),
    )  # fmt: skip


def _told(view: Any) -> str:
    """What the run measured, in a sentence."""
    found = []
    for ending in view.branch.endings:
        if ending.finish == "stopped":
            best = int(view.branch.final["best_epoch"][ending.series])
            found.append(f"{view.series[ending.series]} best at {best}, stopped at {ending.step}")
    return f"Measured: {'; '.join(found)}." if found else "Measured: nobody has stopped yet."
