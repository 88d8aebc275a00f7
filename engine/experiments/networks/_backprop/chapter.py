"""The numbers of the chapter's listing, beside those of a run."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.experiment import Drawn
from engine.experiments.networks._backprop.settings import BackpropSpec

LISTING = {  # what it returns when it is run
    "prediction": 0.77875776, "loss": 0.00310139, "output_delta": 0.01356950,
    "hidden_delta_1": 0.00534141, "hidden_delta_2": 0.00257202,
}  # fmt: skip
FREE = {"record_every", "cycles", "seed", "scale", "x4", "target_2"}  # what may differ: the listing does not have it


def drawn(spec: BackpropSpec, view: Any) -> tuple[Drawn, ...]:
    """One claim without a curve, where the settings are the listing's."""
    listed = BackpropSpec()
    if any(getattr(spec, key) != getattr(listed, key) for key in BackpropSpec.model_fields if key not in FREE):
        return ()
    values = view.branch.history.values
    found = {name: values[name][:, 0] for name in (*LISTING, "gradient_norm")}
    known = {name: rows[np.isfinite(rows)] for name, rows in found.items()}
    if not len(known["hidden_delta_1"]):
        verdict = "Step through the first cycle to compare."
    else:
        apart = max(abs(float(known[name][0]) - number) for name, number in LISTING.items())
        verdict = f"Measured in the first cycle: all five agree, within {apart:.0e}; the listing's have eight decimals."
        if apart > 1e-8:
            verdict = f"Measured in the first cycle: up to {apart:.2g} apart."
        if len(known["loss"]) > 1:
            verdict += (
                f" After one update the prediction is {known['prediction'][1]:.8f} and the loss {known['loss'][1]:.8f}."
            )
    claim = (
        "The listing returns prediction 0.77875776, loss 0.00310139, output delta 0.01356950, hidden deltas 0.00534141 "
        "and 0.00257202."
    )
    return (Drawn("10.1.3", "The listing's numbers", claim, (), verdict),)
