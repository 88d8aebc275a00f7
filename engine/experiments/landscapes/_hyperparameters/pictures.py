"""What a map of runs shows: the map, the run pointed at and others of its row, a cut along the row, the best runs."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.experiment import Array
from engine.experiments.landscapes._hyperparameters.map import Measured
from engine.experiments.landscapes._hyperparameters.theory import edge
from engine.picture import HATCHED, PLAIN, Heat, Line, Lines, Table

RUN, DIVERGED, NOT_YET = 0, 1, 2  # classes of a cell
LOWEST = 1e-20  # of the first loss: below it all is one colour
BESIDE = (-6, -3, 3, 6)  # columns, of 24, whose runs are drawn beside the one pointed at
LISTED = 5
FLOWN = 1e4  # times the first loss: beyond it a curve would press all others flat
STEEPEST = 1.2  # the largest factor that a cut shows
TOLD = {"loss": "final loss", "rate": "factor per step", "test_loss": "test loss", "test_accuracy": "test accuracy"}
SHORT = {"rate": "factor", "test_loss": "test loss", "test_accuracy": "accuracy"}
FALLING = ("loss", "rate", "test_loss")


def quantity(found: Measured, colour: str) -> Array:
    """What the colour tells, [cells]; nan where there is nothing (no test samples, no classes)."""
    return np.asarray(getattr(found.runs, colour), float)


def shown_colour(found: Measured, colour: str) -> str:
    """The colour asked for; the final loss where these runs do not have it."""
    return colour if np.isfinite(quantity(found, colour)).any() else "loss"


def best(found: Measured, colour: str) -> int:
    """The cell whose run is best, -1 where all diverged."""
    values = quantity(found, shown_colour(found, colour))
    good = np.isfinite(values) & ~found.runs.diverged
    if not good.any():
        return -1
    worst = np.where(good, values, np.inf) if colour in FALLING else np.where(good, -values, np.inf)
    return int(found.cells[int(worst.argmin())])


def strength(values: Array, colour: str, first: float) -> tuple[Array, float, float]:
    """Places on the scale, 1 for the best, and the numbers at its ends: the worst and the best."""
    good = values[np.isfinite(values)]
    if not len(good):
        return np.ones(values.shape), 0.0, 1.0
    if colour == "test_accuracy":
        low, high = float(good.min()), float(good.max())
        return _share(values, low, high), low, high
    if colour == "rate":  # what a step leaves to be done: 0.9 is to 0.99 as 0.99 to 0.999
        left = np.log10(np.maximum(1.0 - np.minimum(values, 1.0), 1e-6))
        ends = np.log10(np.maximum(1.0 - np.minimum(np.quantile(good, (0.9, 0.0)), 1.0), 1e-6))
        low, high = sorted(float(v) for v in ends)
        return _share(left, low, high), 1.0 - 10.0**low, 1.0 - 10.0**high
    if (good <= 0).any() and not (good > 0).any():
        low, high = float(good.min()), float(good.max())
        return _share(-values, -high, -low), high, low
    if good.min() < 0:  # a surface that goes below 0 has no logarithm
        low, high = float(good.min()), float(np.quantile(good, 0.95))
        return _share(-values, -high, -low), high, low
    floor = max(float(good[good > 0].min(initial=np.inf)), LOWEST * max(abs(first), 1e-300))
    logs = -np.log10(np.maximum(values, floor))
    ceiling = max(float(np.quantile(good, 0.97)), floor)
    return _share(logs, -np.log10(ceiling), -np.log10(floor)), ceiling, floor


def _share(values: Array, low: float, high: float) -> Array:
    with np.errstate(all="ignore"):
        found = (values - low) / (high - low) if high > low else np.full(values.shape, 1.0)
    return np.nan_to_num(np.clip(found, 0.0, 1.0), nan=0.0)


def heat(found: Measured, colour: str) -> Heat:
    """The map as far as it is made; a cell not yet run has the colour of the run that speaks for it."""
    side, source = found.side, found.source
    asked, colour = colour, shown_colour(found, colour)
    there = source >= 0
    runs, at = found.runs, np.maximum(source, 0)
    place = found.place[at]
    values = np.where(there, quantity(found, colour)[place], np.nan)
    lost = there & runs.diverged[place]
    classes = np.where(there, np.where(lost, DIVERGED, RUN), NOT_YET).reshape(side, side)
    share, low, high = strength(np.where(lost, np.nan, values), colour, found.first)
    own = np.asarray(source == np.arange(side * side))
    readings = [
        (words, np.where(own, quantity(found, name)[place], np.nan).reshape(side, side))
        for name, words in TOLD.items()
        if np.isfinite(quantity(found, name)).any()
    ]  # fmt: skip
    if runs.took.any():
        readings.append(("overflowed at step", np.where(own & (runs.took[place] > 0), runs.took[place], np.nan)
                         .reshape(side, side)))  # fmt: skip
    across, up, said = found.across, found.up, found.theory
    if said is not None:
        factor = said.factor({across.field: across.values[None, :], up.field: up.values[:, None]})
        readings.append(("theory: factor", np.broadcast_to(factor, (side, side))))
    marks, names = found.marks(best(found, colour))
    paths = []
    if said is not None:
        x, y = edge(said, across, up)
        if np.isfinite(x + y).any():
            paths.append(("theory: edge of stability", x, y))
        if found.rate_by_momentum and said.rule == "momentum":
            paths.append(("theory: oscillates above", *_swings(found)))
    return Heat(
        classes.astype(np.int32), (*across.extent, *up.extent), low=low, high=high, paths=tuple(paths),
        classes=("run", "diverged", "not yet"), value_label=TOLD[colour],
        note=_note(found, asked, colour), strength=share.reshape(side, side), hues=(0, HATCHED, PLAIN),
        named=tuple(k for k in (DIVERGED, NOT_YET) if (classes == k).any()), marks=marks, readings=tuple(readings),
        axes=((across.name, across.log), (up.name, up.log)), names=names,
        settings=((across.title.lower(), across.values), (up.title.lower(), up.values)),
    )  # fmt: skip


def _swings(found: Measured) -> tuple[Array, Array]:
    """The line from which on every direction swings, as coordinates."""
    rate, other = (found.across, found.up) if found.across.field == "learning_rate" else (found.up, found.across)
    assert found.theory is not None
    at = np.linspace(*rate.extent, 400)
    beta = found.theory.swings_from(rate.back(at))
    low, high = sorted((other.low, other.high))
    line = np.where((beta >= low) & (beta <= min(high, 1.0)), other.place(beta), np.nan)
    return (at, line) if rate is found.across else (line, at)


def _note(found: Measured, asked: str, colour: str) -> str:
    words = []
    if asked != colour:
        words.append(f"No {TOLD[asked]} here: the colour is the final loss.")
    idle = [(axis, way) for axis, way in ((found.across, "column"), (found.up, "row")) if axis.idle]
    words += [f"{axis.title} changes nothing here: every {way} is the same." for axis, way in idle]
    if found.theory is not None and len(found.cells):
        words.append(f"Stable or not: theory is right for {found.agreement():.1%} of {len(found.cells):,} runs.")
    return " ".join([*words, "Click a cell to open its run."])


def runs(found: Measured, cell: int) -> Lines:
    """The losses of the run pointed at, and of some others in its row."""
    side, across = found.side, found.across
    row, column = divmod(cell, side)
    others = sorted({min(max(column + round(k * side / 24), 0), side - 1) for k in BESIDE} - {column})
    lines = []
    for place, at in enumerate([column, *others] if not across.idle else [column]):
        x, y = found.made.curve(row * side + at)
        with np.errstate(invalid="ignore"):
            y = np.where(np.abs(y) <= FLOWN * max(abs(found.first), 1e-300), y, np.nan)  # it leaves through the top
        lines.append(Line(f"{across.short} {across.words(at)}", x, y, place=place))
    return Lines(tuple(lines), note=_row(found, row))


def _row(found: Measured, row: int) -> str:
    return f"At {found.up.title.lower()} {found.up.words(row)}."


def cut(found: Measured, cell: int, colour: str) -> Lines:
    """What the colour tells along the row pointed at, theory beside it where it has something to say."""
    side, across, up = found.side, found.across, found.up
    colour = shown_colour(found, colour)
    row, column = divmod(cell, side)
    own = np.flatnonzero(found.ran[row * side : (row + 1) * side])
    x = _plain(across, across.values)
    values = quantity(found, colour)[found.place[row * side + own]]
    lost = found.runs.diverged[found.place[row * side + own]]
    most = STEEPEST if colour == "rate" else FLOWN * max(abs(found.first), 1e-300)
    seen = np.isfinite(values) & ((np.abs(values) <= most) | ~lost)
    lines = [Line("measured", x[own][seen], values[seen], points=True, place=0)]
    if found.theory is not None and colour == "rate":
        fine = across.back(np.linspace(*across.extent, 300))
        factor = found.theory.factor({across.field: fine, up.field: np.full(len(fine), up.values[row])})
        lines.append(Line("theory", _plain(across, fine), np.where(factor <= STEEPEST, factor, np.nan), dashed=True))
    marks = ((float(x[column]), "here"),)
    return Lines(tuple(lines), marks, _row(found, row))


def _plain(axis: Any, values: Array) -> Array:
    return 1.0 - values if axis.scale == "near_one" else values


def table(found: Measured, colour: str) -> Table:
    """The best runs by what the colour tells."""
    colour = shown_colour(found, colour)
    values = quantity(found, colour)
    good = np.flatnonzero(np.isfinite(values) & ~found.runs.diverged)
    sign = 1.0 if colour in FALLING else -1.0
    order = good[np.argsort(sign * values[good], kind="stable")][:LISTED]
    rows = []
    for k in order.tolist():
        row, column = divmod(int(found.cells[k]), found.side)
        rows.append((found.across.words(column), found.up.words(row), f"{values[k]:.3g}"))
    head = (found.across.short, found.up.short, SHORT.get(colour, "loss"))
    note = "All have diverged" if len(values) and not rows else ""
    return Table(head, tuple(rows), (0,) if rows else (), note)
