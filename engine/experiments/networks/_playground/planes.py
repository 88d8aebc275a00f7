"""What the network answers over the inputs: the map with its samples, and the fit over one input."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.experiments.networks._playground.model import Model, State
from engine.experiments.networks._playground.pictures import layer_name, shown
from engine.picture import Dots, Line, Lines, Map

Array = NDArray[Any]
MOST_DOTS = 1000  # samples of each kind that are drawn
WORK = 5e7  # multiplications a map may take, about
FINE, ROUGH = 72, 20  # points a side of a map
LINE = 400  # points of a fit


def side(model: Model) -> int:
    """Points a side of the map: fewer for a large network."""
    return int(np.clip((WORK / max(model.network.parameters, 1)) ** 0.5, ROUGH, FINE))


def boundary(state: State, spec: Any, unit: tuple[int, int] | None = None, **asked: Any) -> Map:
    """The network's answer over the plane of the inputs, with the samples; or that of one unit (layer, unit) as the
    diagram shows them. One input: over x and the target. More than two: on the plane of the first two principal
    components through the mean."""
    model = state.model
    d = model.prepared.inputs
    if d == 1:
        return _over_one(state)
    n = side(model)
    note = ""
    if d == 2:
        (x0, x1), (y0, y1) = model.prepared.domain
        known = np.stack([part.ravel() for part in np.meshgrid(np.linspace(x0, x1, n), np.linspace(y0, y1, n))], axis=1)
        points, extent = model.prepared.seen(known), (x0, x1, y0, y1)
        places = [model.prepared.known(x.astype(float)) for x in (model.x, model.test_x)]
    else:
        two, mean, share = model.prepared.plane
        places = [(x.astype(float) - mean) @ two.T for x in (model.x, model.test_x)]
        reach = 1.1 * float(np.abs(np.concatenate(places)).max() or 1.0)
        extent = (-reach, reach, -reach, reach)
        axis = np.linspace(-reach, reach, n)
        a, b = (part.ravel() for part in np.meshgrid(axis, axis))
        points = mean + a[:, None] * two[0] + b[:, None] * two[1]
        note = f"Plane of most variance: {share:.0%}"
    picked = _unit(model, unit)
    if picked is not None:
        return _of_unit(state, *picked, points, n, extent, places)
    outputs = model.predict(state, points)
    if not np.isfinite(outputs).all():
        note = "The answers are no longer finite numbers"
    return _shaded(model, outputs, n, extent, places, note)


def _dots(model: Model, places: list[Array], values: list[Array]) -> tuple[Dots, ...]:
    names = ("training", "test")
    return tuple(
        Dots(name, at[:MOST_DOTS, 0], at[:MOST_DOTS, 1], value[:MOST_DOTS], hollow=name == "test")
        for name, at, value in zip(names, places, values, strict=True)
        if len(at)
    )


def _shaded(
    model: Model, outputs: Array, n: int, extent: tuple[float, float, float, float], places: list[Array], note: str
) -> Map:
    train = model.prepared.train
    if train.kind == "regression":
        values = model.prepared.answer(outputs[:, 0].astype(float))
        targets = [model.prepared.answer(part.y[:, 0]) for part in (train, model.prepared.test)]
        low, high = float(targets[0].min()), float(targets[0].max())
        centre = 0.0 if low < 0 < high else 0.5 * (low + high)
        reach = max(high - centre, centre - low) or 1.0
        return Map(
            values.reshape(n, n), extent, "signed", centre - reach, centre + reach, centre,
            dots=_dots(model, places, targets), value_label=train.target, note=note,
        )  # fmt: skip
    labels = [model.labels, model.test_labels]
    if train.kind == "binary":
        share = outputs[:, -1].astype(float)
        return Map(
            share.reshape(n, n), extent, "signed", 0.0, 1.0, 0.5, contours=(0.5,),
            dots=_dots(model, places, [part.astype(float) for part in labels]), classes=train.classes,
            value_label=f"share of {train.classes[1]}", note=note,
        )  # fmt: skip
    shares = np.clip(outputs.astype(float), 0.0, None)
    with np.errstate(all="ignore"):
        shares = shares / shares.sum(axis=1, keepdims=True)
    return Map(
        shares.T.reshape(-1, n, n), extent, "classes", dots=_dots(model, places, labels), classes=train.classes,
        value_label="share", note=note,
    )  # fmt: skip


def _unit(model: Model, unit: tuple[int, int] | None) -> tuple[int, int] | None:
    """A unit of the diagram as (weights number, unit), or None where it is an input, the only output, or gone."""
    sizes = model.description.sizes
    if unit is None or not 1 <= unit[0] < len(sizes):
        return None
    drawn = shown(sizes[unit[0]])
    if not 0 <= unit[1] < len(drawn) or (unit[0] == len(sizes) - 1 and sizes[-1] == 1):
        return None
    return unit[0] - 1, int(drawn[unit[1]])


def _of_unit(
    state: State, i: int, j: int, points: Array, n: int, extent: tuple[float, float, float, float],
    places: list[Array],
) -> Map:  # fmt: skip
    model = state.model
    d = model.description
    last = i == len(d.hidden)
    answers = model.predict(state, points) if last else model.forward(state, points)[i][1]
    values = answers[:, j].astype(float)
    shares = last or d.activations[i] == "sigmoid"
    with np.errstate(all="ignore"):
        reach = 0.5 if shares else float(np.abs(values).max()) or 1.0
    centre = 0.5 if shares else 0.0
    binary = [np.where(part > 0, centre + reach, centre - reach) for part in (model.labels, model.test_labels)]
    known = _dots(model, places, binary) if model.prepared.kind == "binary" else ()
    return Map(
        values.reshape(n, n), extent, "signed", centre - reach, centre + reach, centre, dots=known,
        value_label="answer", note=f"{layer_name(model, i).capitalize()}, unit {j + 1}; click it again to leave",
    )  # fmt: skip


def _over_one(state: State) -> Map:
    """One input: how far a point (x, y) lies above the fit, so that the line at 0 is the fit; of classes their
    shares, with the samples at the height of their class."""
    model, n = state.model, FINE
    train, test = model.prepared.train, model.prepared.test
    (x0, x1), *_ = model.prepared.domain
    at = np.linspace(x0, x1, n)
    outputs = model.predict(state, model.prepared.seen(at[:, None])).astype(float)
    x = [model.prepared.known(part.x)[:, 0] for part in (train, test)]
    if train.kind != "regression":
        heights = [part.astype(float) for part in (model.labels, model.test_labels)]
        extent = (x0, x1, -0.5, len(train.classes) - 0.5)
        places = [np.stack(pair, axis=1) for pair in zip(x, heights, strict=True)]
        return _shaded(model, np.tile(outputs, (n, 1)), n, extent, places, "One input: classes are drawn as heights")
    y = [model.prepared.answer(part.y[:, 0]) for part in (train, test)]
    low, high = float(np.min(y[0])), float(np.max(y[0]))
    margin = 0.1 * (high - low) or 1.0
    above = np.linspace(low - margin, high + margin, n)[:, None] - model.prepared.answer(outputs[:, 0])[None, :]
    reach = high - low or 1.0
    apart = [
        there - model.prepared.answer(model.predict(state, part.x)[:, 0].astype(float)) if len(there) else there
        for there, part in zip(y, (train, test), strict=True)
    ]
    places = [np.stack(pair, axis=1) for pair in zip(x, y, strict=True)]
    return Map(
        above, (x0, x1, low - margin, high + margin), "signed", -reach, reach, dots=_dots(model, places, apart),
        contours=(0.0,), value_label="above the fit", note="One input: how far a point lies above the fit",
    )  # fmt: skip


def fit(state: State, spec: Any, **asked: Any) -> Lines:
    """One input and a number to learn: samples, the formula they come from, and the network."""
    model = state.model
    train, test = model.prepared.train, model.prepared.test
    if model.prepared.inputs != 1 or train.kind != "regression":
        return Lines((), note="Drawn for a number that is learnt from one input.")
    (low, high), *_ = model.prepared.domain
    at = np.linspace(low, high, LINE)
    answer = model.prepared.answer(model.predict(state, model.prepared.seen(at[:, None]))[:, 0].astype(float))
    lines = [Line("network", at, answer), Line("training", *_of(model, train), points=True)]
    if len(test.x):
        lines.append(Line("test", *_of(model, test), points=True))
    if spec.data == "function":
        from engine.formula import parse
        from engine.formula.compile import compile

        lines.append(Line("formula", at, np.asarray(compile(parse(spec.formula)).value(at, 0.0), float), dashed=True))
    return Lines(tuple(lines))


def _of(model: Model, part: Any) -> tuple[Array, Array]:
    return model.prepared.known(part.x)[:, 0], model.prepared.answer(part.y[:, 0])
