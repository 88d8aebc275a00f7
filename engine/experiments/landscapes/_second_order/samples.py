"""Samples for logistic regression: Gaussian inputs of a given condition number, classes drawn from a true model."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.randomness import generator

Array = NDArray[Any]


def made(samples: int, inputs: int, classes: int, condition: float, seed: int) -> tuple[Array, Array]:
    """x [samples, inputs] and the classes [samples], as whole numbers.

    The covariance has eigenvalues from 1 down to 1 / condition, evenly in decades, along random directions, so that no
    axis is one of them. Every direction matters alike to the classes: logits are twice a standard normal number.
    """
    draw = generator(seed, "inputs of a classification")
    turn, _ = np.linalg.qr(draw.standard_normal((inputs, inputs)))
    truth = draw.standard_normal((inputs, 1 if classes == 2 else classes))
    z = draw.standard_normal((samples, inputs))
    scales = condition ** (-0.5 * np.linspace(0.0, 1.0, inputs)) if inputs > 1 else np.ones(1)
    logits = 2.0 * z @ (truth / np.sqrt((truth**2).sum(axis=0)))
    dice = draw.random(logits.shape)
    if classes == 2:
        label = (dice[:, 0] < 1.0 / (1.0 + np.exp(-logits[:, 0]))).astype(np.int64)
    else:
        label = (logits - np.log(-np.log(dice))).argmax(axis=1)  # Gumbel's trick draws from the softmax
    return (z * scales) @ turn.T, label
