"""What the chapter draws of double descent, beside what a run measured."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.experiment import Array, Drawn, Overlay

CAPACITY = np.linspace(1.0, 100.0, 1000)
THRESHOLD = 40.0


def classical(c: Array) -> Array:
    """The chapter's U-shaped curve over its capacity c."""
    return 1.0 / (c + 0.1) + 0.02 * c


def modern(c: Array) -> Array:
    """The chapter's curve with a peak at its threshold."""
    return 1.0 / (c + 0.1) + 0.01 * np.exp(-0.05 * c) + 5.0 * np.exp(-0.2 * (c - THRESHOLD) ** 2)


def training(c: Array) -> Array:
    """What the chapter calls the training error: below zero beyond its threshold."""
    return 2.0 / (1.0 + np.exp(0.1 * (c - THRESHOLD))) - 1.0


def drawn(spec: Any, view: Any, threshold: float) -> tuple[Drawn, ...]:
    """The chapter's three curves with its threshold at this run's (`threshold`; nan: none, and nothing is drawn)."""
    if not np.isfinite(threshold):
        return ()
    size = CAPACITY * (threshold / THRESHOLD)
    overlays = (
        Overlay("test_error", "chapter: classical", size, classical(CAPACITY), "chapter"),
        Overlay("test_error", "chapter: modern", size, modern(CAPACITY), "chapter"),
        Overlay("train_error", "chapter: training error", size, training(CAPACITY), "chapter"),
    )
    claim = "The test error falls, peaks at the interpolation threshold and falls again; the training error falls."
    return (Drawn("10.5.3", "Double descent", claim, overlays, _verdict(view, threshold)),)


def _verdict(view: Any, threshold: float) -> str:
    told = (
        f"The drawn axis is a made-up capacity from 1 to 100 with its threshold at 40, laid here at {threshold:.4g}; "
        "its heights have no unit either. The drawn 'training error' is negative beyond the threshold, down to "
        f"{training(CAPACITY)[-1]:.3f}: no mean squared error can be."
    )
    values = view.branch.history.values
    size, test, train = (values[name][:, 0] for name in ("size", "test_error", "train_error"))
    good = np.isfinite(test)
    if not good.any():
        return told
    size, test, train = size[good], test[good], train[good]
    top = int(np.argmax(test))
    return (
        f"Measured ({view.series[0].replace('_', ' ')}): the largest test error is {test[top]:.4g} at size "
        f"{size[top]:g}, where the drawing has {modern(CAPACITY).max():.4g} at {threshold:.4g}; the training error is "
        f"{train[-1]:.2g} at size {size[-1]:g}. {told}"
    )
