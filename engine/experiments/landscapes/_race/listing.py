"""The chapter's listing of 10.2.2 with its mistake: its optimizers hold a network that is thrown away."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from engine.experiment import Drawn, Overlay
from engine.experiments._shared.trained.model import Array, Model
from engine.experiments.landscapes._race.problem import (
    TRAIN,
    batch_rows,
    description,
    first_weights,
    fresh_seeds,
    noise_data,
)
from engine.experiments.landscapes._race.settings import CHAPTER_NOISE, TITLES
from engine.networks.plan import layers


def walk(model: Model, params: Array, piled: Array, seeds: list[int], batch: int, first: int, n: int) -> Array:
    """Take n steps of the listing with the fresh networks `params` [J, P] of one contestant, the first number `first`.

    Each step works out the loss and adds its gradient to what is piled up [J, P] in the fresh network, in place: the
    optimizer clears and steps through another network, whose gradients were never set, and PyTorch passes over
    parameters without a gradient. So there is nothing here that changes `params`. Returns [J, n, 2]: the loss, and the
    norm of the pile.
    """
    part = model.parts[TRAIN]
    told = np.empty((len(params), n, 2))
    for k in range(n):
        for j, seed in enumerate(seeds):
            rows = batch_rows(len(part.x), batch, seed, first + k)
            x, y = (part.x, part.y) if len(rows) == len(part.x) else (part.x[rows], part.y[rows])
            loss, gradient = model.mlp.loss_gradient(params[j], x, y)
            piled[j] += gradient
            told[j, k] = loss, np.sqrt(np.square(piled[j], dtype=np.float64).sum())
    return told


@lru_cache(maxsize=8)  # asked for whenever the page stands still
def _heights(spec: Any) -> tuple[float, ...]:
    """The median loss of each contestant's fresh networks, in plain NumPy: the window asks and loads no kernels."""
    data, _ = noise_data(spec.samples, spec.test_samples, spec.seed)
    d, found = description(spec), []
    for s in range(len(spec.optimizers)):
        losses = []
        for params in first_weights(d, spec, fresh_seeds(spec, s)[: spec.seeds if spec.holds == "discarded" else 1]):
            out = data.x
            for i, layer in enumerate(layers(d, params.astype(float))):
                out = out @ layer.weight.T + layer.bias
                out = np.maximum(out, 0.0) if i < len(d.hidden) else out
            losses.append(float(np.mean((out - data.y) ** 2)))
        found.append(float(np.median(losses)))
    return tuple(found)


def drawn(spec: Any, view: Any) -> tuple[Drawn, ...]:
    """The listing's flat lines over this run, where the run is on its data and has its kind of network."""
    if spec.data != CHAPTER_NOISE or spec.activation != "relu":
        return ()
    heights = _heights(spec)
    x = np.array([0.0, float(spec.steps)])
    overlays = tuple(
        Overlay("train_loss", f"listing: {TITLES[name]}", x, np.full(2, height), "chapter")
        for name, height in zip(spec.optimizers, heights, strict=True)
    )
    return (
        Drawn(
            "10.2.2", "Optimizer convergence comparison",
            "The chapter's code is meant to compare how fast five optimizers converge. Run as written, it draws flat "
            "lines at different heights: its optimizers were made for a network that it then throws away.", overlays,
            _verdict(spec, view, heights),
        ),
    )  # fmt: skip


def _verdict(spec: Any, view: Any, heights: tuple[float, ...]) -> str:
    losses = view.branch.history.values["train_loss"]
    losses = losses[np.isfinite(losses).any(axis=1)]
    lines = f"The listing's lines stand at {min(heights):.4f} to {max(heights):.4f}, as its fresh networks happened to."
    if len(losses) < 2:
        return f"{lines} Run on to compare."
    if spec.holds == "discarded":
        moved = float(np.nanmax(np.abs(losses - losses[0])))
        return f"Measured over {view.step} steps: no loss moves, the largest change is {moved:g}. {lines}"
    ends = [f"{TITLES[name]} {end:.4f}" for name, end in zip(view.series, losses[-1].tolist(), strict=True)]
    return (f"Measured, with optimizers that hold the network they train: all begin at {losses[0, 0]:.4f} and fall, to "
            f"{', '.join(ends)}. {lines}")  # fmt: skip
