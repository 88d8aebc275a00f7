"""The search for each contestant's rate: the same rates, steps and networks for everybody."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.experiments._shared.trained.model import Array
from engine.experiments.landscapes._race.problem import TRAIN, first_weights, rule_of, tuning_seeds
from engine.experiments.landscapes._race.settings import tried
from engine.experiments.landscapes._race.state import State, Trial


def begin(model: Any, spec: Any) -> Trial:
    """One network for each contestant, rate and tuning seed."""
    names, rates = spec.optimizers, tried(spec)
    weights = first_weights(model.description, spec, tuning_seeds(spec))
    params = np.tile(weights, (len(names) * len(rates), 1))
    each = len(rates) * len(weights)
    numbers = np.concatenate([np.repeat(model.mlp.states(name)[None], each, axis=0) for name in names])
    return Trial(params, numbers, np.zeros(len(params), np.int64))


def walk(state: State, spec: Any, n: int) -> None:
    """Every network of the trial takes n steps, in place."""
    from engine.experiments.landscapes._race.crowd import train_crowd

    trial, part = state.trial, state.model.parts[TRAIN]
    assert trial is not None
    names, rates, seeds = spec.optimizers, tried(spec), tuning_seeds(spec)
    train_crowd(
        state.model.mlp, trial.params, trial.numbers, part.x, part.y, [rule_of(spec, name) for name in names],
        state.step + 1, n, np.tile(np.repeat(rates, len(seeds)), len(names)), spec.batch_size,
        np.tile(seeds, len(names) * len(rates)), trial.ended,
    )  # fmt: skip


def scores(state: State, spec: Any) -> Array:
    """The training loss of every contestant at every rate, [S, G]: the median over the tuning seeds, inf where it was
    lost."""
    trial = state.trial
    if trial is None:
        return state.scores
    found = losses(state.model, trial.params, TRAIN)
    found[(trial.ended > 0) | ~np.isfinite(found)] = np.inf
    ordered = np.sort(found.reshape(len(spec.optimizers), spec.tuning_rates, -1), axis=2)
    middle = ordered.shape[2] // 2
    return np.asarray(ordered[..., middle] if ordered.shape[2] % 2 else ordered[..., middle - 1 : middle + 1].mean(2))


def choose(found: Array, spec: Any) -> Array:
    """Each contestant's best rate, [S]: of several equal ones the lowest, so too where all were lost."""
    return np.asarray(tried(spec)[found.argmin(axis=1)])


def losses(model: Any, params: Array, part: int) -> Array:
    """The loss of each of many networks over all samples of a part, [K]; nan where it has none."""
    from engine.networks import slices

    x, y = model.parts[part].x, model.parts[part].y
    if not len(x) or not len(params):
        return np.full(len(params), np.nan)
    with np.errstate(all="ignore"):  # of weights that are about to overflow
        found: Array = slices.losses(model.description, np.ascontiguousarray(params), x, y)
    return found
