"""The pictures of gradient flow, from the seeds measured so far."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from engine.experiment import Array
from engine.experiments.networks._gradient_flow.measure import LAYERED, Seed, outputs
from engine.experiments.networks._gradient_flow.network import first_weights, forward, task
from engine.experiments.networks._gradient_flow.settings import TITLES, GradientFlowSpec, network
from engine.experiments.networks._gradient_flow.updates import affordable, loss_paths
from engine.picture import Bars, Line, Lines, Table, histogram

PICTURED = {
    "gradient": "gradient_norm",
    "variance": "activation_variance",
    "size": "activation_rms",
    "slope": "slope_rms",
    "update": "update_norm",
}
KEPT = (0.9, 1.1)  # a layer that multiplies by something in between keeps the gradient
Marks = tuple[tuple[float, str], ...]


def stacked(seeds: Sequence[Seed], name: str) -> Array:
    """One measure of all seeds: [seeds, depth, contestants]; what overflowed is nan."""
    found = np.stack([one.layered[LAYERED.index(name)] for one in seeds])
    return np.where(np.isfinite(found), found, np.nan)


def factors(seeds: Sequence[Seed]) -> Array:
    """By how much one layer multiplies the gradient on its way back, from the last hidden layer to the first:
    [seeds, contestants], the geometric mean over layers. nan for a single layer, 0 where nothing arrives."""
    gradient = stacked(seeds, "gradient_norm")
    if gradient.shape[1] < 2:
        return np.full((len(gradient), gradient.shape[2]), np.nan)
    with np.errstate(all="ignore"):
        mean: Array = np.exp((np.log(gradient[:, 0]) - np.log(gradient[:, -1])) / (gradient.shape[1] - 1))
    return mean


def typical(values: Array) -> Array:
    """Geometric mean over the first axis, of what is known."""
    with np.errstate(all="ignore"):
        known = np.isfinite(values)
        total = np.where(known, np.log(values), 0.0).sum(axis=0)
        found: Array = np.where(known.any(axis=0), np.exp(total / np.maximum(known.sum(axis=0), 1)), np.nan)
    return found


def per_layer(spec: GradientFlowSpec, seeds: Sequence[Seed], picture: str, marks: Marks) -> Lines:
    """One measure over the layers: median of the seeds, within the band from the lowest to the highest."""
    values = stacked(seeds, PICTURED[picture])
    lines = [_line(TITLES[name], values[:, :, c], name) for c, name in enumerate(spec.networks)]
    note = _note(len(seeds))
    if picture == "update":
        raw = stacked(seeds, "weight_gradient_norm")
        for c, name in enumerate(spec.networks):
            if network(spec, name).clipping != "none":
                lines.append(_line(f"{TITLES[name]}: not clipped", raw[:, :, c], name, dashed=True))
    return Lines(tuple(lines), marks, note)


def _line(name: str, values: Array, series: str, dashed: bool = False) -> Line:
    """values: [seeds, depth]."""
    x = np.arange(1.0, values.shape[1] + 1.0)
    known = np.isfinite(values)
    there = known.any(axis=0)
    low = np.where(there, np.where(known, values, np.inf).min(axis=0), np.nan)
    high = np.where(there, np.where(known, values, -np.inf).max(axis=0), np.nan)
    middle = np.full(values.shape[1], np.nan)
    with np.errstate(all="ignore"):  # the sum of two of the largest numbers may overflow
        middle[there] = np.nanmedian(values[:, there], axis=0)
    if dashed:
        return Line(name, x, middle, series=series, dashed=True)
    return Line(name, x, middle, low, high, series=series)


def _note(seeds: int) -> str:
    return "1 seed" if seeds == 1 else f"Median and range of {seeds} seeds"


def table(spec: GradientFlowSpec, seeds: Sequence[Seed]) -> Table:
    """What one layer multiplies the gradient by, beside what its weights and its slopes alone would make of it."""
    every = factors(seeds)
    mean, gain, slope = typical(every), stacked(seeds, "weight_gain"), stacked(seeds, "slope_rms")
    rows, good = [], []
    for c, name in enumerate(spec.networks):
        kind = network(spec, name)
        bare = kind.normalization == "none" and not kind.residual and spec.depth > 1
        weights, slopes = (float(typical(part[:, 1:, c].ravel())) if bare else np.nan for part in (gain, slope))
        known = every[np.isfinite(every[:, c]), c]
        told = f"{_short(known.min())} to {_short(known.max())}" if known.size else ""
        title = TITLES[name].removeprefix("Plain ").replace("Your network", "Yours")
        rows.append((title, _short(mean[c]), _short(weights * slopes), _short(weights), _short(slopes), told))
        if KEPT[0] <= mean[c] <= KEPT[1]:
            good.append(c)
    rows += [("Drawn", "0.25", "0.25", "1", "0.25", "as sigmoid"), ("Drawn", "1.5", "", "", "", "as poor weights")]
    head = ("Network", "measured", "product", "weights", "slope", "seeds")
    note = "Ticked: kept within a tenth"
    return Table(head, tuple(rows), tuple(good), note)


def _short(value: float) -> str:
    return f"{value:.3g}" if np.isfinite(value) else ""


def training(spec: GradientFlowSpec) -> Lines:
    """The loss over the first updates."""
    made = affordable(spec)
    x = np.arange(made + 1.0)
    lines, lost = [], []
    for name, path in loss_paths(spec).items():
        lines.append(Line(TITLES[name], x, path, series=name))
        gone = np.flatnonzero(~np.isfinite(path))
        if gone.size:
            lost.append(f"{TITLES[name]}: not finite after {gone[0]}.")
    few = [f"{made} of {spec.updates} updates: a large network."] if made < spec.updates else []
    return Lines(tuple(lines), note=" ".join([*lost, *few]))


def histograms(spec: GradientFlowSpec, seed: int, name: str) -> Bars:
    """What the first, the middle and the last hidden layer of one network put out."""
    kind = network(spec, name)
    weight = first_weights(spec.depth, spec.width, kind.initialization, kind.std, seed)
    out = outputs(*forward(kind, weight, task(spec.loss, spec.samples, spec.width, seed).x))
    chosen = sorted({1, (spec.depth + 1) // 2, spec.depth})
    groups = tuple(histogram(f"Layer {k}", out[k - 1]) for k in chosen)
    return Bars(groups, note=TITLES[name])
