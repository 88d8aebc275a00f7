"""What a small network answers over the plane, with its samples on it."""

from __future__ import annotations

import numpy as np

from engine.data import DATA
from engine.experiments._shared.trained.model import Array, Model
from engine.picture import Dots, Map

SIDE = 96  # cells of the map along each side
MOST_DOTS, MOST_TESTED = 400, 120  # samples drawn


def boundary(model: Model, params: Array, note: str) -> Map | None:
    """The answer of these parameters over the data's plane; None where the data have more than two inputs."""
    name = model.data[0].name
    if model.description.inputs != 2:
        return None
    (x0, x1), (y0, y1) = DATA[name].domain
    xs, ys = np.linspace(x0, x1, SIDE), np.linspace(y0, y1, SIDE)
    grid = np.stack([part.ravel() for part in np.meshgrid(xs, ys)], axis=1)
    with np.errstate(all="ignore"):
        answer = np.asarray(model.mlp.predict(params, grid), float)
    answer = np.nan_to_num(answer, nan=0.0, posinf=1e6, neginf=-1e6)
    told = [("trained on", model.parts[0], MOST_DOTS, False), ("test", model.parts[-1], MOST_TESTED, True)]
    dots = tuple(
        Dots(words, part.x[:most, 0], part.x[:most, 1], part.y.reshape(-1)[:most].astype(float), hollow)
        for words, part, most, hollow in told[: 1 if model.data[0].kind == "regression" else 2]
    )
    extent = (x0, x1, y0, y1)
    if model.data[0].kind == "classes":
        values = answer.T.reshape(-1, SIDE, SIDE)
        return Map(values, extent, "classes", dots=dots, classes=model.data[0].classes, note=note)
    values = answer.reshape(SIDE, SIDE)
    if model.data[0].kind == "binary":
        words = "share of the second class"
        return Map(values, extent, "signed", 0.0, 1.0, 0.5, (0.5,), dots, value_label=words, note=note)
    return Map(values, extent, "signed", -1.5, 1.5, 0.0, (0.0,), dots, value_label="answer", note=note)
