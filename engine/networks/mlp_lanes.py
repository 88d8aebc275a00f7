"""Many networks of one description trained at once, sixteen to a vector: seeds, rates, contestants.

A network comes out as `Mlp.train` would leave it, but for the last bits (sums run in another order), and to the bit
the same whatever else is trained beside it, wherever a run is cut.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from engine.networks import plan
from engine.networks.lane_kernels import train_lanes as _train
from engine.networks.mlp import NOT_FINITE, Mlp, Rule
from engine.networks.plan import WIDTH
from engine.optimizers import look_ahead_address, update_address

Array = NDArray[Any]
_MOST_HYPERS = 5


def train_lanes(
    mlp: Mlp,
    params: Array,
    states: Array,
    x: ArrayLike,
    y: ArrayLike,
    rules: Rule | Sequence[Rule],
    first_step: int,
    rates: ArrayLike,
    batch_size: int = 0,
    seeds: int | Sequence[int] = 0,
    ended: NDArray[np.int64] | None = None,
) -> tuple[NDArray[np.int64], Array]:
    """Take the same number of steps with every network, in place; the first has number `first_step` (from 1).

    params: [lanes, P]; states: [lanes, 3, P]; rules: one, or one a lane; rates: [steps] or [steps, lanes]; seeds: one
    (all see the same batches) or one a lane. Returns (ended, recorded): `ended` [lanes] is 0, or the number of the step
    at which the network's loss or parameters were first not finite, from where on it is left alone and its rows are
    nan; hand it in again at the next call. recorded: [steps, lanes, 2] loss and gradient norm as `Mlp.train` records.
    """
    x, y = mlp.fitting(x, y)
    lanes = len(params)
    if params.shape != (lanes, mlp.parameters) or params.dtype != mlp.dtype:
        raise ValueError(
            f"parameters of {params.dtype} {params.shape} do not fit: {mlp.dtype} [lanes, {mlp.parameters}]"
        )
    if states.shape != (lanes, 3, mlp.parameters) or states.dtype != mlp.dtype:
        raise ValueError(
            f"states of {states.dtype} {states.shape} do not fit: {mlp.dtype} [{lanes}, 3, {mlp.parameters}]"
        )
    each = [rules] * lanes if isinstance(rules, Rule) else list(rules)
    if len(each) != lanes:
        raise ValueError(f"{len(each)} rules for {lanes} networks: give one, or one each")
    given = np.asarray(rates, np.float64)
    every = np.broadcast_to(given[:, None] if given.ndim == 1 else given, (len(given), lanes))
    seed = np.broadcast_to(np.asarray(seeds, np.int64), lanes)
    over = np.zeros(lanes, np.int64) if ended is None else ended.copy()
    out = np.full((len(every), lanes, 2), np.nan)
    if max(mlp.description.sizes) > plan.NARROW:
        # the kernel for one network works in larger blocks and is faster here; it is chosen by the description alone
        for lane in range(lanes):
            if over[lane] == 0:
                lane_rates = np.ascontiguousarray(every[:, lane])
                done, code, _ = mlp.train(
                    params[lane], states[lane], x, y, each[lane], first_step, lane_rates, batch_size,
                    int(seed[lane]), rows := np.empty((len(every), 2)),
                )  # fmt: skip
                out[:done, lane] = rows[:done]
                over[lane] = first_step + done - 1 if code == NOT_FINITE else 0
        return over, out
    hypers = np.zeros((lanes, _MOST_HYPERS))
    for row, rule in zip(hypers, each, strict=True):
        row[: len(rule.values())] = rule.values()
    penalty = np.array([rule.penalty() for rule in each]).reshape(lanes, 4)
    addresses = np.array(
        [
            [function(rule.name, rule.convention, mlp.dtype) for rule in each]
            for function in (update_address, look_ahead_address)
        ],
        np.int64,
    )
    batch = len(x) if batch_size <= 0 else min(batch_size, len(x))
    tables = plan.plan(mlp.description, plan.columns(mlp.description, batch, True), lanes=True)
    padded = -(-mlp.parameters // WIDTH) * WIDTH
    for begin in range(0, lanes, WIDTH):
        # a last group that is not full is filled up with copies of its last network
        chosen = np.minimum(np.arange(begin, begin + WIDTH), lanes - 1)
        real = min(WIDTH, lanes - begin)
        block = np.zeros((WIDTH, padded), mlp.dtype)
        block[:, : mlp.parameters] = params[chosen]
        kept, stopped = np.ascontiguousarray(states[chosen]), over[chosen]
        rows = np.empty((len(every), WIDTH, 2))
        _train(
            addresses[0, chosen], addresses[1, chosen], block, kept, tables.layers, tables.reals, tables.parts, x, y,
            first_step, np.ascontiguousarray(every[:, chosen]), hypers[chosen], batch, seed[chosen], penalty[chosen],
            rows, stopped,
        )  # fmt: skip
        part = slice(begin, begin + real)
        params[part], states[part] = block[:real, : mlp.parameters], kept[:real]
        over[part], out[:, part] = stopped[:real], rows[:, :real]
    return over, out
