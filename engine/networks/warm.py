"""Builds the compiled network's kernels once, so that none has to be built while somebody waits."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

import numpy as np

from engine.networks.description import Description
from engine.networks.initializations import initialize

PRECISIONS = ("float64", "float32")


def warm(progress: Callable[[int, int, str], None] | None = None) -> None:
    """Build, for both precisions, what answers, gives gradients and trains, alone and sixteen at a time.

    `progress(done, total, what)` is called after each. Rules of the optimizers are built by engine.optimizers.warm
    (float64) and here for plain SGD.
    """
    # Numba comes with these; this module itself is light.
    one: Any = importlib.import_module("engine.networks.mlp")
    many: Any = importlib.import_module("engine.networks.mlp_lanes")
    slices: Any = importlib.import_module("engine.networks.slices")
    d = Description(1, (2,), 1, ("tanh",))
    x = np.zeros((2, 1))
    done = 0
    for dtype in PRECISIONS:
        mlp, params = one.Mlp(d, dtype), initialize(d, "torch", 0, dtype)
        states = mlp.states("sgd")
        work: tuple[tuple[str, Callable[[], Any]], ...] = (
            ("gradients", lambda m=mlp, p=params: m.loss_gradient(p, x, x)),  # type: ignore[misc]
            ("answers", lambda m=mlp, p=params: m.predict(p, x)),  # type: ignore[misc]
            ("training", lambda m=mlp, p=params, s=states: m.train(p, s, x, x, one.Rule(), 1, [0.1])),  # type: ignore[misc]
            ("slices", lambda p=params: slices.losses(d, p[None].copy(), x, x)),  # type: ignore[misc]
            (
                "planes",
                lambda p=params: slices.plane(d, np.stack([p, p, p]), np.zeros((1, 2)), x, x),  # type: ignore[misc]
            ),
            (
                "training of many",
                lambda m=mlp, p=params, s=states: many.train_lanes(  # type: ignore[misc]
                    m, p[None].copy(), s[None].copy(), x, x, one.Rule(), 1, [0.1]
                ),
            ),
        )
        for what, run in work:
            run()
            done += 1
            if progress is not None:
                progress(done, len(PRECISIONS) * len(work), f"network {what} ({dtype})")
