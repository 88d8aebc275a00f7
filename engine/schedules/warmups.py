"""Warm-up before any schedule, and warm-up, stable, decay."""

from __future__ import annotations

from functools import partial

import numpy as np

from .cosines import cosine
from .decays import linear
from .schedule import Floats, Function, Steps


def after_warmup(total: int, warmup_steps: int) -> int:
    """The length of the run that is left for the schedule behind a warm-up; at least 1."""
    return max(1, total - warmup_steps)


def warmed(
    function: Function, step: Steps, total: int, peak: float, /, *, warmup_steps: int, warmup_factor: float = 0.0
) -> Floats:
    """Any schedule behind a warm-up of W steps; `function(step, total, peak)` has its parameters already.

    Before step W the rate rises evenly to where the schedule begins, from warmup_factor times that (Goyal et al. 2017,
    sec. 2.2: gradual warm-up); from step W on the schedule runs as if that were step 0 of a run W steps shorter.
    """
    t, left = np.asarray(step, np.int64), after_warmup(total, warmup_steps)
    after = function(np.maximum(t - warmup_steps, 0), left, peak)
    if warmup_steps == 0:
        return after
    begin = function(np.zeros(1, np.int64), left, peak)[0]
    rising = begin * (warmup_factor + (1.0 - warmup_factor) * t / warmup_steps)
    return np.where(t < warmup_steps, rising, after)


def warmup_cosine(
    step: Steps, total: int, peak: float, /, *, warmup_steps: int, warmup_factor: float, T_max: int | None,
    eta_min: float,
) -> Floats:  # fmt: skip
    """Up evenly in warmup_steps, then half a cosine over the T_max steps that are left."""
    left = after_warmup(total, warmup_steps) if T_max is None else T_max
    after = partial(cosine, T_max=left, eta_min=eta_min)
    return warmed(after, step, total, peak, warmup_steps=warmup_steps, warmup_factor=warmup_factor)


def warmup_linear(
    step: Steps, total: int, peak: float, /, *, warmup_steps: int, warmup_factor: float, total_iters: int | None,
    end_factor: float,
) -> Floats:  # fmt: skip
    """Up evenly in warmup_steps, then evenly down to end_factor times the peak over the total_iters that are left."""
    left = after_warmup(total, warmup_steps) if total_iters is None else total_iters
    after = partial(linear, start_factor=1.0, end_factor=end_factor, total_iters=left)
    return warmed(after, step, total, peak, warmup_steps=warmup_steps, warmup_factor=warmup_factor)


def wsd(
    step: Steps, total: int, peak: float, /, *, warmup_steps: int, decay_share: float, decay: str, eta_min: float
) -> Floats:
    """Warm-up, stable, decay: up in warmup_steps, the peak, then in the last share of the run down to eta_min.

    Hu et al. 2024 (MiniCPM), sec. 4; `sqrt` is 1 - sqrt(share), Hägele et al. 2024. The decay ends at step
    `total`, where a run of `total` steps has just ended.
    """
    t = np.asarray(step, np.float64)
    begin = wsd_begin(total, decay_share)
    share = np.clip((t - begin) / max(total - begin, 1), 0.0, 1.0)
    fall = {"linear": share, "cosine": (1.0 - np.cos(np.pi * share)) / 2.0, "sqrt": np.sqrt(share)}[decay]
    rates: Floats = peak + (eta_min - peak) * fall
    if warmup_steps == 0:
        return rates
    return np.where(t < warmup_steps, np.minimum(rates, peak * t / warmup_steps), rates)


def wsd_begin(total: int, decay_share: float) -> int:
    """The last step at the peak."""
    return total - round(decay_share * total)
