"""Many networks with several rules trained one after the other in one call, without the GIL.

Each comes out as `Mlp.train` leaves it, to the bit: it is the same loop. What is saved is the way in and out of
Python for every network, which in a window under load costs more than the training. Importing this loads Numba.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from engine.compile_cache import use_cache

use_cache()

from numba import njit  # noqa: E402

from engine.experiments._shared.trained.model import Array  # noqa: E402
from engine.networks import plan  # noqa: E402
from engine.networks.mlp import Mlp, Rule  # noqa: E402
from engine.networks.step_kernels import RUNNING, train  # noqa: E402
from engine.optimizers import look_ahead_address, update_address  # noqa: E402

_MOST_HYPERS = 5


@njit(nogil=True, cache=True, error_model="numpy")
def _each(  # type: ignore[no-untyped-def]
    addresses, params, states, layers, reals, parts, x, y, first, rates, hypers, batch, seeds, penalty, out, over
):
    """All networks that are not over, each through all of out.shape[1] steps; see `train` of step_kernels."""
    for one in range(len(params)):
        if over[one] == 0:
            every = np.full(out.shape[1], rates[one])
            done, code = train(
                addresses[0, one], addresses[1, one], params[one], states[one], layers, reals, parts, x, y, first,
                every, hypers[one], batch, seeds[one], penalty, out[one],
            )  # fmt: skip
            if code != RUNNING:
                over[one] = first + done - 1


def train_crowd(
    mlp: Mlp, params: Array, numbers: Array, x: Array, y: Array, rules: Sequence[Rule], first: int, steps: int,
    rates: Array, batch_size: int, seeds: Array, over: Array,
) -> Array:  # fmt: skip
    """Take `steps` steps with every network, in place; the first has number `first` (from 1).

    params [L, P]; numbers [L, 3, P]; rules: as many as divide L, each for as many networks in a row; rates [L]; seeds
    [L] of the order of batches. over [L]: 0, or the step at which a network's numbers were no longer finite, from where
    on it is left alone; changed in place. Returns [L, steps, 2], each step's loss and gradient norm; inf where it was
    not taken.
    """
    x, y = mlp.fitting(x, y)
    each = len(params) // len(rules)
    addresses = np.array([[function(rule.name, rule.convention, mlp.dtype) for rule in rules]
                          for function in (update_address, look_ahead_address)], np.int64)  # fmt: skip
    hypers = np.zeros((len(rules), _MOST_HYPERS))
    for row, rule in zip(hypers, rules, strict=True):
        row[: len(rule.values())] = rule.values()
    batch = len(x) if batch_size <= 0 else min(batch_size, len(x))
    tables: Any = plan.plan(mlp.description, plan.columns(mlp.description, batch))
    out = np.full((len(params), steps, 2), np.inf)
    _each(
        np.repeat(addresses, each, axis=1), params, numbers, tables.layers, tables.reals, tables.parts, x, y, first,
        np.asarray(rates, np.float64), np.repeat(hypers, each, axis=0), batch, np.asarray(seeds, np.int64),
        rules[0].penalty(), out, over,
    )  # fmt: skip
    return out
