"""Cosine annealing, once and with warm restarts: Loshchilov and Hutter 2017, SGDR, eq. 5."""

from __future__ import annotations

import numpy as np

from .schedule import Floats, Steps


def _cosine(top: float, bottom: float, share: Floats) -> Floats:
    """From top (share 0) to bottom (share 1) along half a cosine; exactly bottom at share 1."""
    rates: Floats = bottom + (top - bottom) * (1.0 + np.cos(np.pi * share)) / 2.0
    return rates


def cosine(step: Steps, total: int, peak: float, /, *, T_max: int, eta_min: float) -> Floats:
    """Half a cosine from the peak to eta_min in T_max steps; a longer run rises again, as torch's CosineAnnealingLR."""
    rates: Floats = eta_min + (peak - eta_min) * (1.0 + np.cos(np.pi * np.asarray(step) / T_max)) / 2.0
    return rates


def cosine_restarts(step: Steps, total: int, peak: float, /, *, T_0: int, T_mult: int, eta_min: float) -> Floats:
    """Half a cosine in T_0 steps, then again, each time T_mult times as long: torch's CosineAnnealingWarmRestarts."""
    t = np.asarray(step, np.int64)
    if T_mult == 1:
        return _cosine(peak, eta_min, (t % T_0) / T_0)
    last = int(t.max()) if t.size else 0
    begins, lengths = [0], [T_0]
    while begins[-1] + lengths[-1] <= last:
        begins.append(begins[-1] + lengths[-1])
        lengths.append(lengths[-1] * T_mult)
    period = np.searchsorted(begins, t, side="right") - 1
    return _cosine(peak, eta_min, (t - np.array(begins)[period]) / np.array(lengths, np.float64)[period])
