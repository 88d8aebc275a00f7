"""What is known in closed form: the error of least squares on isotropic Gaussian columns."""

from __future__ import annotations

import math


def ridgeless(n: int, p: int, noise: float, signal: float, unseen: float = 0.0) -> float:
    """Expected excess risk of min-norm least squares on p standard normal columns, n samples; nan at |p - n| <= 1.

    `signal`: r^2 of all true weights, `unseen`: the part of it outside the p columns, which to the fit is noise.
    Hastie, Montanari, Rosset and Tibshirani 2022 (Annals of Statistics 50), theorem 1, exact for Gaussian columns
    (Belkin, Hsu and Xu 2020, theorem 1): sigma^2 p / (n - p - 1) below, r^2 (1 - n/p) + sigma^2 n / (p - n - 1) above.
    """
    if abs(p - n) <= 1:
        return math.nan
    level = noise + unseen
    if p < n:
        return unseen + level * p / (n - p - 1)
    return unseen + (signal - unseen) * (1.0 - n / p) + level * n / (p - n - 1)


def ridge(n: int, p: int, noise: float, signal: float, penalty: float) -> float:
    """The limit of the excess risk for ||y - X w||^2 + penalty ||w||^2 as n and p grow with p/n fixed.

    sigma^2 g m + (l^2 r^2 - sigma^2 g l) m', with g = p/n, l = penalty/n and m the Stieltjes transform of the
    Marchenko-Pastur law at -l (Dobriban and Wager 2018; Hastie et al. 2022, corollary 5).
    """
    if penalty <= 0.0:
        return ridgeless(n, p, noise, signal)
    g, level = p / n, penalty / n
    b = 1.0 - g + level
    root = math.sqrt(b * b + 4.0 * g * level)
    m = 2.0 / (root + b) if b > 0.0 else (root - b) / (2.0 * g * level)
    slope = (b / root + 2.0 * g / root - 1.0) / (2.0 * g * level) - m / level  # dm/dl = -m'
    return noise * g * m + (noise * g * level - level * level * signal) * slope
