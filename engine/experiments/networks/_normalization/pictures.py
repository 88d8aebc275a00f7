"""What is looked at in networks.normalization."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.drawings import Cube, Cubes
from engine.experiment import Array
from engine.experiments.networks._normalization.settings import NORMS, NormalizationSpec, batch_sizes
from engine.experiments.networks._normalization.tensor import OVER, Normalised, normalised, torchs
from engine.picture import Bars, Line, Lines, Matrix, Table, histogram

BINS = 20  # as in the chapter's listing
MOST = 6  # channels whose histograms are shown
Told = tuple[tuple[int, Array], ...]  # (update, what Team.measured found, [4, contestants, seeds]) of one batch size


def spread(values: Array) -> tuple[Array, Array, Array]:
    """Median, lowest and highest over the last axis; lost seeds are infinite."""
    with np.errstate(all="ignore"):
        return np.median(values, axis=-1), values.min(axis=-1), values.max(axis=-1)


# -- the tensor ------------------------------------------------------------------------------------------------------


def cubes(every: tuple[Normalised, ...], step: int) -> Cubes:
    """Which numbers share a mean, of every contestant."""
    found = []
    for one in every:
        done, size = min(step, one.count), one.before.size // max(1, one.count)
        told = tuple(
            (("numbers", f"{size}"), ("mean", f"{one.mean[g]:.4g}"), ("variance", f"{one.variance[g]:.4g}"))
            for g in range(one.count)
        )
        n, c = one.groups.shape[:2]
        found.append(Cube(NORMS[one.norm], one.groups.reshape(n, c, -1), done, f"over {OVER[one.norm]}", told))
    note = "One colour: one mean and one variance. Bright: the group normalised last; filled: those before"
    return Cubes(tuple(found), note=note)


def bars(values: Array, note: str) -> Bars:
    """A histogram for each channel of [N, C, H, W]."""
    shown = min(values.shape[1], MOST)
    groups = [
        histogram(f"Channel {c}", values[:, c], BINS, note=f"{_tidy(values[:, c].mean())} ± {values[:, c].std():.3g}")
        for c in range(shown)
    ]
    more = f"; {values.shape[1] - shown} more channels" if shown < values.shape[1] else ""
    return Bars(tuple(groups), note=note + more)


def after(every: tuple[Normalised, ...], step: int, series: str) -> Bars:
    """The contestant's tensor as it is now."""
    one = chosen(every, series)
    done = min(step, one.count)
    return bars(one.at(step), f"{NORMS[one.norm]}: {done} of {one.count} groups normalised")


def chosen(every: tuple[Normalised, ...], series: str) -> Normalised:
    """The contestant looked at, or the first."""
    return next((one for one in every if one.norm == series), every[0])


def means(every: tuple[Normalised, ...], step: int, series: str) -> Matrix:
    """The mean of each map of each sample as it is now: what a normalisation leaves of it, and what not."""
    one = chosen(every, series)
    values = one.at(step).mean(axis=(2, 3))
    values = np.where(np.abs(values) < 1e-12, 0.0, values)
    rows, columns = (tuple(str(k) for k in range(size)) for size in values.shape)
    return Matrix(values, rows, columns, "sample", "channel", "signed", note=NORMS[one.norm])


def table(every: tuple[Normalised, ...], step: int) -> Table:
    """What each averages over, and the group normalised last."""
    rows = []
    for one in every:
        size = one.before.size // max(1, one.count)
        g = min(step, one.count) - 1
        told = (one.mean[g], one.variance[g], one.mean_after[g], one.variance_after[g]) if g >= 0 else ()
        last = tuple(_tidy(value) for value in told) or ("…",) * 4
        rows.append((NORMS[one.norm], OVER[one.norm], str(one.count), str(size if one.count else 0), *last))
    head = ("", "average over", "groups", "numbers", "mean", "variance", "after", "after")
    return Table(head, tuple(rows), note="The group normalised last: before and after")


def _tidy(value: float) -> str:
    return "0" if abs(value) < 1e-12 else f"{value:.4g}"


def against_torch(spec: NormalizationSpec, every: tuple[Normalised, ...]) -> Table:
    """The largest difference from what torch's own layer makes of the same tensor. Loads torch."""
    names = {"batch": "BatchNorm2d", "layer": "LayerNorm", "instance": "InstanceNorm2d", "group": "GroupNorm",
             "none": "Identity"}  # fmt: skip
    rows, good = list[tuple[str, ...]](), list[int]()
    for k, one in enumerate(every):
        try:
            theirs = torchs(one.before, one.norm, spec.group_size, spec.eps)
        except ValueError:  # a single number has no variance, and torch says so
            rows.append((NORMS[one.norm], "refused", "", "", names[one.norm]))
            continue
        ways = [normalised(one.before, one.norm, spec.group_size, spec.eps, book) for book in (False, True)]
        apart = [float(np.abs(values - theirs).max()) for values in (one.after, *(way.after for way in ways))]
        rows.append((NORMS[one.norm], *(f"{value:.1e}" if value else "0" for value in apart), names[one.norm]))
        if apart[0] < 1e-12:
            good.append(k)
    head = ("", "as set", "√(var + ε)", "std + ε", "torch.nn")
    return Table(head, tuple(rows), tuple(good), "Largest difference; marked: equal but for rounding")


# -- training --------------------------------------------------------------------------------------------------------


def ends(past: tuple[tuple[int, Told], ...], part: int) -> tuple[Array, Array]:
    """The batch sizes trained to the end, rising, [D], and what was measured there, [D, contestants, seeds]."""
    done = sorted(((size, told[-1][1][part]) for size, told in past), key=lambda one: one[0])
    if not done:
        return np.empty(0), np.empty((0, 0, 0))
    return np.array([float(size) for size, _ in done]), np.stack([values for _, values in done])


def over_size(spec: NormalizationSpec, past: tuple[tuple[int, Told], ...], part: int) -> Lines | None:
    """Training loss (part 0) or test accuracy (3) at the end over batch size."""
    size, values = ends(past, part)
    if not size.size:
        return None
    lines = []
    for c, name in enumerate(spec.norms):
        own = values[:, c]
        middle, low, high = spread(own)
        good = np.isfinite(middle)
        band: dict[str, Any] = {"low": low[good], "high": high[good]} if spec.seeds > 1 else {}
        lines.append(Line(NORMS[name], size[good], middle[good], series=name, points=len(size) == 1, **band))
    done = f"{len(size)} of {len(batch_sizes(spec))} batch sizes, {spec.epochs} epochs each; "
    seeds = "one seed" if spec.seeds == 1 else f"median and range of {spec.seeds} seeds"
    return Lines(tuple(lines), note=done + seeds)


def standing(spec: NormalizationSpec, size: int, told: Told) -> Table:
    """Losses and accuracies now."""
    now = told[-1][1]
    rows = []
    for c, name in enumerate(spec.norms):
        middle = [float(spread(now[part, c])[0]) for part in range(4)]
        if np.isfinite(middle[0]):
            share = f"{100 * middle[3]:.1f} %" if np.isfinite(middle[3]) else "–"
            rows.append((NORMS[name], f"{middle[0]:.3g}", f"{100 * middle[1]:.1f} %", share))
        else:
            rows.append((NORMS[name], "lost", "–", "–"))
    losses = spread(now[0])[0]
    best = tuple(c for c in range(len(rows)) if told[-1][0] and losses[c] == losses.min() < np.inf)
    return Table(("", "loss", "right", "test"), tuple(rows), best, f"Batch size {size}; running statistics")
