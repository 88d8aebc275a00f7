"""What the chapter draws of vanishing and exploding gradients, beside what a run measured."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.experiment import Drawn, Overlay
from engine.experiments.networks._gradient_flow.settings import TITLES, GradientFlowSpec, network

DEPTHS = np.arange(1, 21)  # layers the chapter's curves go back
VANISHING, EXPLODING, STABLE = 0.25, 1.5, 0.1


def factors(view: Any) -> dict[str, float]:
    """By how much a layer multiplies each network's gradient: the geometric mean over all layers and seeds of the run,
    0 where nothing arrives; those of which nothing is known are left out."""
    every = view.branch.history.values["factor"]
    found = {}
    for c, name in enumerate(view.series):
        known = every[np.isfinite(every[:, c]), c]
        if known.size:
            with np.errstate(all="ignore"):
                found[name] = float(np.exp(np.log(known).mean()))
    return found


def drawn(spec: GradientFlowSpec, view: Any) -> tuple[Drawn, ...]:
    """The chapter's three curves. They give no scale, so they set out from the gradient at the last hidden layer (of
    the first network; the sigmoids' of the first with sigmoids) and go back as many layers as there are, at most 20."""
    values = view.branch.history.values
    every = np.where(values["layer"] == spec.depth, values["gradient_norm"], 0.0)
    known = [one[np.isfinite(one) & (one > 0)] for one in every.T]
    begins = {name: float(np.median(one)) for name, one in zip(view.series, known, strict=True) if one.size}
    back = DEPTHS[: spec.depth - 1]
    if not begins or not back.size:
        return ()
    first = next(iter(begins.values()))
    bent = next((size for name, size in begins.items() if network(spec, name).activation == "sigmoid"), first)
    x = (spec.depth - back).astype(float)
    curves = (
        ("chapter: sigmoid, 0.25 a layer", bent * VANISHING**back),
        ("chapter: poor weights, 1.5 a layer", first * EXPLODING**back),
        ("chapter: with techniques, 0.1", np.full(back.size, first * STABLE)),
    )
    overlays = tuple(Overlay("gradient", label, x, y, "chapter") for label, y in curves)
    claim = (
        "Over 20 layers the gradient is 0.25^d with sigmoids, 1.5^d with poor weights, and a constant 0.1 with "
        "techniques against both."
    )
    return (Drawn("10.1.4", "Vanishing and exploding gradients", claim, overlays, _verdict(spec, view)),)


def _verdict(spec: GradientFlowSpec, view: Any) -> str:
    found = factors(view)
    told = "; ".join(f"{TITLES[name]} {value:.3g}" for name, value in found.items())
    words = f"Measured, a layer multiplies the gradient by: {told}. " if told else ""
    bent = [name for name in found if network(spec, name).activation == "sigmoid"]
    apart = [name for name in bent if abs(found[name] / VANISHING - 1) > 0.1]
    if apart:
        words += (
            "A quarter is a sigmoid's steepest slope, at 0 alone; what a layer does is the mean slope times what its "
            "weights multiply by, as the table has it. "
        )
    return words + (
        "The drawing is three formulas and no network: 0.25^d takes every weight matrix for 1, 1.5 belongs to no "
        "weights in particular, and no technique ends at 0.1."
    )
