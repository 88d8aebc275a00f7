"""What the chapter draws of activations, beside the curves of these settings."""

from __future__ import annotations

import numpy as np

from engine.experiment import Drawn, Overlay
from engine.experiments.networks._activations.settings import TITLES, ActivationsSpec
from engine.experiments.networks._activations.shapes import shape

X = np.linspace(-5.0, 5.0, 1000)
EVERY = 3  # of the points that are laid over: no plot can show them all
LEAK = 0.1  # the listing's slope


def drawn(spec: ActivationsSpec) -> tuple[Drawn, ...]:
    """The listing's curves of those that take part, from its own formulas, and how far theirs are from them."""
    theirs = {
        "sigmoid": 1.0 / (1.0 + np.exp(-X)),
        "tanh": (np.exp(X) - np.exp(-X)) / (np.exp(X) + np.exp(-X)),
        "relu": np.maximum(0.0, X),
        "leaky_relu": np.where(X > 0, X, LEAK * X),
        "elu": np.where(X > 0, X, np.exp(np.minimum(X, 0.0)) - 1.0),
    }
    chosen = {name: y for name, y in theirs.items() if name in spec.activations} or theirs
    overlays = [
        Overlay("value", f"chapter: {TITLES[name]}", X[::EVERY], y[::EVERY], "chapter") for name, y in chosen.items()
    ]
    same, other = list[tuple[str, float]](), list[tuple[str, float]]()
    for name, y in theirs.items():
        if name in spec.activations:
            apart = float(np.abs(shape(spec, name, "value", X) - y).max())
            (same if apart < 1e-9 else other).append((TITLES[name], apart))
    told = []
    if same:
        names = ", ".join(title for title, _ in same)
        told.append(f"{names}: on the chapter's curve, within {max(apart for _, apart in same):.0e}.")
    told += [f"{title}: up to {apart:.3g} away, as its parameter is another." for title, apart in other]
    alpha = spec.leaky_relu.alpha
    if "leaky_relu" in spec.activations and alpha > 1.0:
        formula = np.maximum(alpha * X, X)
        overlays.append(Overlay("value", f"max({alpha:g} x, x)", X[::EVERY], formula[::EVERY], "theory"))
        gap = float(np.abs(formula - shape(spec, "leaky_relu", "value", X)).max())
        told.append(
            f"The formula max(alpha x, x) is not Leaky ReLU for alpha = {alpha:g}: it takes the other branch, "
            f"up to {gap:.3g} away."
        )
    return (
        Drawn(
            "10.1.2", "Common activation functions",
            "Five functions over 1,000 points from -5 to 5, Leaky ReLU with slope 0.1, ELU with alpha 1.",
            tuple(overlays), " ".join(told) or "None of the chapter's five is chosen here.",
        ),
    )  # fmt: skip
