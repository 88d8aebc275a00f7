"""Feature maps normalised in every way: which numbers share a mean, and what becomes of them.

Ioffe and Szegedy 2015 (batch); Ba, Kiros and Hinton 2016 (layer); Ulyanov et al. 2016 (instance); Wu and He 2018
(group).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from engine.experiment import Array
from engine.experiments.networks._normalization.settings import NormalizationSpec

RECIPE = ((10.0, 5.0), (0.0, 1.0), (-5.0, 3.0))  # mean and deviation of the channels, in turn
OVER = {"batch": "N, H, W", "layer": "C, H, W", "instance": "H, W", "group": "group of C, H, W", "none": "nothing"}


def feature_maps(spec: NormalizationSpec) -> Array:
    """The tensor [N, C, H, W]: channel after channel from NumPy's legacy generator, as in the chapter's listing."""
    random = np.random.RandomState(spec.tensor_seed)
    found = np.empty((spec.batch, spec.channels, spec.side, spec.side))
    for c in range(spec.channels):
        found[:, c] = random.normal(*RECIPE[c % len(RECIPE)], (spec.batch, spec.side, spec.side))
    return found


def grouping(norm: str, shape: tuple[int, ...], group_size: int) -> Array:
    """Which numbers share a mean: [N, C, H, W] of group numbers from 0, in the order of their turn; -1: none."""
    samples, channels = np.arange(shape[0])[:, None], np.arange(shape[1])[None, :]
    match norm:
        case "batch":
            found = channels + 0 * samples
        case "layer":
            found = samples + 0 * channels
        case "instance":
            found = samples * shape[1] + channels
        case "group":
            found = samples * (shape[1] // group_size) + channels // group_size
        case _:
            found = np.full(shape[:2], -1)
    return np.broadcast_to(found[:, :, None, None], shape)


@dataclass(frozen=True, eq=False)
class Normalised:
    """One way on one tensor. groups [N, C, H, W]; mean, variance, and what both are afterwards, [groups]; after
    [N, C, H, W]. Follows from the settings: copies share it."""

    norm: str
    before: Array
    groups: Array
    mean: Array
    variance: Array
    mean_after: Array
    variance_after: Array
    after: Array

    def __deepcopy__(self, memo: dict[int, Any]) -> Normalised:
        return self

    @property
    def count(self) -> int:
        """How many groups there are."""
        return len(self.mean)

    def at(self, step: int) -> Array:
        """The tensor once the first `step` groups are normalised."""
        return np.where((self.groups >= 0) & (self.groups < step), self.after, self.before)


def normalised(
    x: Array, norm: str, group_size: int = 1, eps: float = 1e-5, book: bool = False, unbiased: bool = False
) -> Normalised:
    """Every group of x [N, C, H, W] brought to mean 0 and variance 1. `book`: divided by deviation + eps."""
    groups = grouping(norm, x.shape, group_size)
    after = x.copy()
    told = []
    for g in range(int(groups.max()) + 1):
        picked = groups == g
        values = x[picked]
        mean, ddof = values.mean(), int(unbiased and values.size > 1)
        variance = values.var(ddof=ddof)
        after[picked] = (values - mean) / (np.sqrt(variance) + eps if book else np.sqrt(variance + eps))
        told.append((mean, variance, after[picked].mean(), after[picked].var(ddof=ddof)))
    mean_before, spread, mean_after, spread_after = np.array(told).T if told else np.empty((4, 0))
    return Normalised(norm, x, groups, mean_before, spread, mean_after, spread_after, after)


def every(spec: NormalizationSpec) -> tuple[Normalised, ...]:
    """All contestants, as set."""
    x = feature_maps(spec)
    return tuple(
        normalised(x, norm, spec.group_size, spec.eps, spec.convention == "book", spec.variance == "unbiased")
        for norm in spec.norms
    )


def torchs(x: Array, norm: str, group_size: int, eps: float) -> Array:
    """What torch's layer makes of x, in training mode, with gains 1 and shifts 0. Loads torch."""
    from engine.torch_setup import torch as load_torch

    torch = load_torch()
    channels = x.shape[1]
    layers = {
        "batch": lambda: torch.nn.BatchNorm2d(channels, eps=eps),
        "layer": lambda: torch.nn.LayerNorm(x.shape[1:], eps=eps),
        "instance": lambda: torch.nn.InstanceNorm2d(channels, eps=eps),
        "group": lambda: torch.nn.GroupNorm(channels // group_size, channels, eps=eps),
        "none": torch.nn.Identity,
    }
    with torch.no_grad():
        return np.asarray(layers[norm]().double()(torch.from_numpy(x.copy())).numpy())
