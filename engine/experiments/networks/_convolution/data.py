"""The digits, split, and the picture that is looked at."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from engine.data import DataError, load
from engine.experiment import Array
from engine.experiments.networks._convolution.settings import DIGITS, LEVELS, SIDE
from engine.randomness import generator
from engine.spec import SpecError


@dataclass(frozen=True, eq=False)
class Digits:
    """Pictures [n, 1, 8, 8] from 0 to 1 and classes [n], to train on and held back."""

    x: Array
    y: Array
    test_x: Array
    test_y: Array


@dataclass(frozen=True)
class Shown:
    """The picture looked at: values [8, 8] from 0 to 16; its digit where it has one, and what it is in words."""

    values: Array
    truth: str
    told: str
    drawn: bool = False


@lru_cache(maxsize=4)
def digits(seed: int, samples: int, test_samples: int) -> Digits:
    """The split of a seed; with fewer digits to train on those held back stay the same. Raises SpecError."""
    try:
        whole = load("digits")
    except DataError as error:
        raise SpecError("picture", str(error)) from None
    order = generator(seed, "split").permutation(DIGITS)
    train, test = order[:samples], order[DIGITS - test_samples :]
    x, y = np.asarray(whole.x, float).reshape(-1, 1, SIDE, SIDE), np.asarray(whole.y, float).ravel()
    found = Digits(x[train].copy(), y[train], x[test].copy(), y[test])
    for part in (found.x, found.y, found.test_x, found.test_y):
        part.setflags(write=False)
    return found


def digits_of(spec: Any) -> Digits:
    """The split of the settings."""
    return digits(spec.seed, spec.samples, spec.test_samples)


def shape(name: str) -> Array:
    """A simple picture [8, 8] from 0 to 16."""
    found = np.zeros((SIDE, SIDE))
    match name:
        case "dot":
            found[3, 3] = LEVELS
        case "edge":
            found[:, SIDE // 2 :] = LEVELS
        case "frame":
            found[1:-1, 1:-1] = LEVELS
            found[2:-2, 2:-2] = 0
        case "board":
            found[np.indices(found.shape).sum(axis=0) % 2 == 0] = LEVELS
    return found


def shown(spec: Any, **asked: Any) -> Shown:
    """The picture of the settings. `drawing`: one in hand, which goes before them."""
    drawing = asked.get("drawing")
    if drawing or spec.picture == "drawn":
        cells = drawing or spec.drawing or (0,) * SIDE**2
        told = "Drawn by hand" if any(cells) else "Nothing drawn yet: draw a digit"
        return Shown(np.array(cells, float).reshape(SIDE, SIDE), "", told, True)
    if spec.picture == "digit":
        found = digits_of(spec)
        truth = str(int(found.test_y[spec.digit]))
        return Shown(found.test_x[spec.digit, 0] * LEVELS, truth, f"Test digit {spec.digit}, a {truth}")
    return Shown(shape(spec.picture), "", {"edge": "An edge", "dot": "A dot", "frame": "A frame"}.get(
        spec.picture, "A chessboard"))  # fmt: skip
