"""Schedules that rise and fall, with the momentum that goes the other way: cyclic and one-cycle."""

from __future__ import annotations

import numpy as np

from .schedule import Floats, Steps

FACTOR = 0.1
"""`base_lr` of the cyclic schedule where none is given: this share of the peak."""


def _triangle(step: Steps, up: int, down: int | None, mode: str, gamma: float) -> Floats:
    """How far up the cycle is, 0 to 1, scaled as the mode wants it (Smith 2017, sec. 3; torch's own arithmetic)."""
    t = np.asarray(step, np.float64)
    length = float(up + (up if down is None else down))
    ratio = up / length
    cycle = np.floor(1.0 + t / length)
    x = 1.0 + t / length - cycle
    height: Floats = np.where(x <= ratio, x / ratio, (x - 1.0) / (ratio - 1.0))
    if mode == "triangular2":
        return height * (1.0 / np.power(2.0, cycle - 1.0))
    return height * np.power(gamma, t) if mode == "exp_range" else height


def cyclic(
    step: Steps, total: int, peak: float, /, *, base_lr: float | None, step_size_up: int, step_size_down: int | None,
    mode: str, gamma: float, base_momentum: float = 0.8, max_momentum: float = 0.9,
) -> Floats:  # fmt: skip
    """Up from base_lr to the peak and down again, over and over: torch's CyclicLR with max_lr the peak."""
    low = FACTOR * peak if base_lr is None else base_lr
    return low + (peak - low) * _triangle(step, step_size_up, step_size_down, mode, gamma)


def cyclic_momentum(
    step: Steps, total: int, peak: float, /, *, base_lr: float | None, step_size_up: int, step_size_down: int | None,
    mode: str, gamma: float, base_momentum: float = 0.8, max_momentum: float = 0.9,
) -> Floats:  # fmt: skip
    """Momentum against the rate: max_momentum where the rate is low, base_momentum where it is high."""
    height = _triangle(step, step_size_up, step_size_down, mode, gamma)
    return max_momentum - (max_momentum - base_momentum) * height


def _phases(step: Steps, ends: list[float], marks: list[float], anneal: str) -> Floats:
    """From marks[i] to marks[i + 1] in the phase that ends at step ends[i]; the first one begins at step 0."""
    t = np.minimum(np.asarray(step, np.float64), ends[-1])
    found = np.full(t.shape, np.nan)
    begin = 0.0
    for end, start, stop in zip(ends, marks[:-1], marks[1:], strict=True):
        here = np.isnan(found) & ((t <= end) | (end == ends[-1]))
        # A phase without length is already over: torch divides by zero there.
        share = (t[here] - begin) / (end - begin) if end != begin else np.ones(int(here.sum()))
        if anneal == "cos":
            found[here] = stop + (start - stop) / 2.0 * (np.cos(np.pi * share) + 1.0)
        else:
            found[here] = (stop - start) * share + start
        begin = end
    return found


def _ends(total_steps: int, pct_start: float, three_phase: bool) -> list[float]:
    first, last = pct_start * total_steps - 1.0, total_steps - 1.0
    return [first, 2.0 * pct_start * total_steps - 2.0, last] if three_phase else [first, last]


def one_cycle(
    step: Steps, total: int, peak: float, /, *, total_steps: int, pct_start: float, anneal_strategy: str,
    div_factor: float, final_div_factor: float, three_phase: bool, base_momentum: float = 0.85,
    max_momentum: float = 0.95,
) -> Floats:  # fmt: skip
    """Up from peak / div_factor and down far below it: torch's OneCycleLR (Smith and Topin 2019).

    With three phases it comes back to where it began, then falls. After total_steps it stays where it ended.
    """
    first = peak / div_factor
    marks = [first, peak, first, first / final_div_factor] if three_phase else [first, peak, first / final_div_factor]
    return _phases(step, _ends(total_steps, pct_start, three_phase), marks, anneal_strategy)


def one_cycle_momentum(
    step: Steps, total: int, peak: float, /, *, total_steps: int, pct_start: float, anneal_strategy: str,
    div_factor: float, final_div_factor: float, three_phase: bool, base_momentum: float = 0.85,
    max_momentum: float = 0.95,
) -> Floats:  # fmt: skip
    """Down to base_momentum while the rate rises, and up again while it falls."""
    marks = [max_momentum, base_momentum, max_momentum, *([max_momentum] if three_phase else [])]
    return _phases(step, _ends(total_steps, pct_start, three_phase), marks, anneal_strategy)
