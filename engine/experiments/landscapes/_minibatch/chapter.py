"""The listing of 10.2.1 as it is written, and its losses laid over a run."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.experiment import Drawn, Overlay
from engine.turns import give_way

Array = NDArray[Any]
RATE, SIZE, EPOCHS = 0.01, 32, 100
TRUE_SIZE = 0.0093957933  # its last epoch's loss where the last batch is divided by its own size
FULL_LOSS = 0.0093753224  # of all samples, after its last update


@lru_cache(maxsize=1)  # asked for whenever the page stands still
def listing() -> tuple[Array, Array]:
    """The listing's losses [100], one an epoch, and its weights [10] at the end."""
    from engine.data.chapter import chapter_regression_parts

    data, _, stream = chapter_regression_parts()
    x, y = data.x, data.y
    w, losses = np.zeros((x.shape[1], 1)), np.empty(EPOCHS)
    for epoch in range(EPOCHS):
        give_way()
        order, told = stream.permutation(len(x)), []
        for begin in range(0, len(x), SIZE):
            rows = order[begin : begin + SIZE]
            rest = x[rows] @ w - y[rows]
            told.append((rest**2).mean())
            w = w - RATE * 2.0 * x[rows].T @ rest / SIZE  # also where only 8 samples are left
        losses[epoch] = np.mean(told)
    return losses, w[:, 0]


def drawn(spec: Any, view: Any) -> tuple[Drawn, ...]:
    """The listing's epoch losses, where the run is on its data and has batches of 32."""
    if spec.data != "chapter" or "batch_32" not in spec.batches or spec.sampling == "additive":
        return ()
    losses, _ = listing()
    overlay = Overlay("epoch_loss", "chapter's listing", np.arange(1.0, EPOCHS + 1), losses, "chapter")
    return (
        Drawn(
            "10.2.1", "Loss of mini-batch SGD",
            "Batches of 32 at rate 0.01: the loss of an epoch falls from 3.43 to 0.0094 in 100 epochs.", (overlay,),
            _verdict(spec, view, losses),
        ),
    )  # fmt: skip


def _verdict(spec: Any, view: Any, losses: Array) -> str:
    s = view.series.index("batch_32")
    history = view.branch.history
    measured = history.values["epoch_loss"][:, s]
    good = np.flatnonzero(np.isfinite(measured))
    epochs = np.rint(history.values["epoch"][good, s]).astype(int)
    found = dict(zip(epochs.tolist(), measured[good].tolist(), strict=True))
    both = [epoch for epoch in found if 1 <= epoch <= EPOCHS]
    if not both:
        return "Run on to compare: the first epoch takes 32 updates."
    last = max(both)
    apart = max(abs(found[epoch] / losses[epoch - 1] - 1.0) for epoch in both)
    if apart > 1e-9:
        return (f"Measured: another run. Epoch {last} has {found[last]:.7g}, the listing {losses[last - 1]:.7g}; the "
                "preset of the listing has its order of samples, its rate and its divisor.")  # fmt: skip
    told = f"Measured: the listing's own losses to {max(apart, 1e-16):.0e} over {len(both)} epochs"
    if last < EPOCHS:
        return f"{told}. It divides its last batch of 8 by 32, and so does this run."
    return (f"{told}, the last {found[last]:.11f}. It divides its last batch of 8 by 32; divided by 8 it would end at "
            f"{TRUE_SIZE:.10f}. Neither is the loss of all samples, {FULL_LOSS:.10f}.")  # fmt: skip
