"""Schedules that only fall (or stay): constant, step, multi-step, exponential, polynomial, linear, inverse root."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .schedule import Floats, Steps


def constant(step: Steps, total: int, peak: float, /) -> Floats:
    """The peak, always."""
    return np.full(np.shape(step), float(peak))


def step(step: Steps, total: int, peak: float, /, *, step_size: int, gamma: float) -> Floats:
    """peak * gamma^floor(t / step_size): torch's StepLR."""
    return peak * _power(gamma, np.asarray(step) // step_size)


def multi_step(step: Steps, total: int, peak: float, /, *, milestones: Sequence[int], gamma: float) -> Floats:
    """peak * gamma^(milestones passed): torch's MultiStepLR; a milestone that stands twice counts twice."""
    return peak * _power(gamma, np.searchsorted(np.sort(np.asarray(milestones, np.int64)), step, side="right"))


def exponential(step: Steps, total: int, peak: float, /, *, gamma: float) -> Floats:
    """peak * gamma^t: torch's ExponentialLR."""
    return peak * _power(gamma, step)


def _power(base: float, exponent: Steps) -> Floats:
    return np.power(float(base), np.asarray(exponent, np.float64))  # 0^0 is 1, as in Python


def polynomial(step: Steps, total: int, peak: float, /, *, total_iters: int, power: float) -> Floats:
    """peak * (1 - t / total_iters)^power, then 0: torch's PolynomialLR (the "poly" policy, Chen et al. 2018)."""
    left: Floats = 1.0 - np.minimum(step, total_iters) / total_iters
    return peak * np.power(left, float(power))


def linear(
    step: Steps, total: int, peak: float, /, *, start_factor: float, end_factor: float, total_iters: int
) -> Floats:
    """peak times a factor that goes evenly from start_factor to end_factor, then stays: torch's LinearLR."""
    share = np.minimum(step, total_iters)
    rates: Floats = peak * (start_factor + (end_factor - start_factor) * share / total_iters)
    return rates


def inverse_sqrt(
    step: Steps, total: int, peak: float, /, *, warmup_steps: int, timescale: float | None = None
) -> Floats:
    """Up evenly in W = warmup_steps, then peak / sqrt(1 + (t - W) / timescale); the timescale is W, or 1 without.

    With timescale W that is peak * min(t / W, sqrt(W / t)): Vaswani et al. 2017, eq. 3.
    """
    t = np.asarray(step, np.float64)
    scale = float(timescale if timescale is not None else max(warmup_steps, 1))
    after: Floats = peak / np.sqrt(1.0 + np.maximum(t - warmup_steps, 0.0) / scale)
    if warmup_steps == 0:
        return after
    return np.where(t < warmup_steps, peak * t / warmup_steps, after)
