"""A schedule drawn by hand: knots, joined by straight lines or smoothly."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from .schedule import Floats, Steps

Knots = Sequence[tuple[float, float]]


def check_knots(knots: Knots) -> None:
    """Raise ValueError in one line unless there is a knot and each lies to the right of the one before."""
    if not knots:
        raise ValueError("at least one knot is needed")
    for (before, _), (x, _) in pairwise(knots):
        if not x > before:
            raise ValueError(f"each knot must lie to the right of the one before, but {x:g} comes after {before:g}")


def drawn(step: Steps, total: int, peak: float, /, *, knots: Knots, smooth: bool) -> Floats:
    """Through the knots (x, y): x a share of the run, from step 0 to step total - 1, y a share of the peak.

    Before the first and after the last knot the rate stays. `smooth` joins the knots by cubics that never overshoot
    them. Raises ValueError for knots that do not go to the right.
    """
    check_knots(knots)
    x, y = np.array([k[0] for k in knots]), np.array([k[1] for k in knots])
    at = np.clip(np.asarray(step, np.float64) / max(total - 1, 1), x[0], x[-1])
    if len(x) == 1:
        return np.full(at.shape, peak * float(y[0]))
    piece = np.clip(np.searchsorted(x, at, side="right") - 1, 0, len(x) - 2)
    width = np.diff(x)
    u = (at - x[piece]) / width[piece]
    low, high = y[piece], y[piece + 1]
    if not smooth:
        straight: Floats = peak * (low * (1.0 - u) + high * u)
        return straight
    slopes = _slopes(width, np.diff(y) / width)
    left, right = slopes[piece] * width[piece], slopes[piece + 1] * width[piece]
    # cubic Hermite
    v = 1.0 - u
    found: Floats = (
        low * v * v * (1.0 + 2.0 * u) + left * u * v * v + high * u * u * (3.0 - 2.0 * u) - right * u * u * v
    )
    held: Floats = np.clip(found, np.minimum(low, high), np.maximum(low, high))  # rounding alone could leave them
    return peak * held


def _slopes(width: Floats, secant: Floats) -> Floats:
    """Slopes at the knots that keep each piece monotone: [n] of widths and secants [n - 1].

    Inside, the weighted harmonic mean of both secants, 0 at a turn (Fritsch and Butland 1984, "A method for
    constructing local monotone piecewise cubic interpolants"); at the ends the three-point formula, held back so that
    the piece stays monotone (Moler 2004, Numerical Computing with MATLAB, sec. 3.6).
    """
    if len(secant) == 1:
        return np.array([secant[0], secant[0]])
    slopes = np.zeros(len(secant) + 1)
    before, after = secant[:-1], secant[1:]
    same = before * after > 0
    w1, w2 = 2.0 * width[1:] + width[:-1], width[1:] + 2.0 * width[:-1]
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        mean = (w1 + w2) / (w1 / before + w2 / after)
    slopes[1:-1] = np.where(same, mean, 0.0)
    slopes[0] = _end(width[0], width[1], secant[0], secant[1])
    slopes[-1] = _end(width[-1], width[-2], secant[-1], secant[-2])
    return slopes


def _end(near: float, far: float, slope: float, next_slope: float) -> float:
    found = ((2.0 * near + far) * slope - near * next_slope) / (near + far)
    if np.sign(found) != np.sign(slope):
        return 0.0
    if np.sign(slope) != np.sign(next_slope) and abs(found) > 3.0 * abs(slope):
        return 3.0 * slope
    return float(found)
