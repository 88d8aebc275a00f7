"""What is told of time and memory: pictures made of the state and of what the clock measured."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.picture import Line, Lines, Map, Table

from . import sweep
from .cost import decades, kept
from .methods import CONTESTANTS, held
from .network import Array
from .settings import QUADRATIC, SIZE
from .work import count

HERE = "Measured on this machine"
FAR = 1e6  # parameters up to which the formulas are drawn
MOST_REACH = 5.0  # how many times the least part of the plane is shown at the most
SIDE = 121  # cells of the plane along each side
_UNITS = ((1e9, "GB"), (1e6, "MB"), (1e3, "kB"))


def title(name: str) -> str:
    """A contestant's title."""
    return CONTESTANTS[name].title


def by_time(state: Any, spec: Any) -> Lines | None:
    """The loss of every contestant against its steps times its median step's seconds."""
    if spec.study == SIZE:
        return None
    lines, told = [], []
    for s, name in enumerate(spec.optimizers):
        seconds = state.clock.median(name)
        good = np.isfinite(state.log[:, s])
        steps = np.flatnonzero(good)[1:]  # decades begin with the first step
        if not np.isfinite(seconds) or not len(steps):
            continue
        lines.append(Line(title(name), 1e3 * steps * seconds, state.log[steps, s], series=name))
        told.append(seconds)
    if not lines:
        return None
    note = f"Steps × median step, {told_seconds(min(told))} to {told_seconds(max(told))}, measured here"
    return Lines(tuple(lines), note=note)


def plane(state: Any, spec: Any) -> Map | None:
    """The chapter's quadratic, or a regression of two parameters, with everybody's way."""
    if state.work.problem.parameters != 2:
        return None
    points = state.ways.reshape(-1, 2)
    least = np.array([10.0, 2.0] if spec.problem == QUADRATIC else [1.0, 1.0])
    near = points[(np.abs(points) <= MOST_REACH * least).all(axis=1)]  # who flies off takes nobody's map along
    reach = 1.08 * np.maximum(least, np.abs(near).max(axis=0, initial=0.0))
    x, y = np.linspace(-reach[0], reach[0], SIDE), np.linspace(-reach[1], reach[1], SIDE)
    grid = np.stack(np.meshgrid(x, y), axis=-1)
    values = np.array([[state.work.problem.value(p) for p in row] for row in grid])
    values = np.log10(np.maximum(values - state.work.minimum, 1e-6))
    low, high = max(float(values.min()), -3.0), float(values.max())
    ways = []
    for name in CONTESTANTS:
        s = spec.optimizers.index(name) if name in spec.optimizers else None
        way = state.ways[:, s] if s is not None else np.empty((0, 2))
        way = way[np.isfinite(way).all(axis=1)]
        ways.append((name, way[:, 0], way[:, 1]))
    return Map(values, (-reach[0], reach[0], -reach[1], reach[1]), low=low, high=high, paths=tuple(ways),
               contours=tuple(np.linspace(low, high, 12)[1:]), value_label="log10 of loss − minimum")  # fmt: skip


def memory(state: Any, spec: Any) -> Lines:
    """Bytes kept beside the parameters, counted in the arrays, over the number of parameters; formulas dashed."""
    lines = []
    quadratic = spec.problem == QUADRATIC
    n, family = decades(spec, 2, FAR) if not quadratic else (np.geomspace(2, FAR, 61), [])
    for s, name in enumerate(spec.optimizers):
        if name == "sgd":
            continue  # nothing has no place on a scale of decades
        x, y = _counted(state, spec, s, name)
        if len(x):
            lines.append(Line(title(name), x, y, series=name, points=True))
        pairs = spec.lbfgs.history
        formula = [kept(name, sizes, pairs) for sizes in family] if not quadratic else [_straight(name, v) for v in n]
        lines.append(Line(f"{title(name)}: {CONTESTANTS[name].words}", n, np.array(formula), series=name, dashed=True))
    note = "Dots: counted. Dashed: 8 bytes times the formula. SGD keeps nothing"
    return Lines(tuple(lines), note=note)


def _straight(name: str, n: float) -> float:
    """The formula for one layer of one output without a bias, as the quadratic is one."""
    return 8.0 * CONTESTANTS[name].kept(((int(n), 1),), int(n), 10)


def _counted(state: Any, spec: Any, s: int, name: str) -> tuple[Array, Array]:
    """Parameters, and bytes counted, of what has been run so far."""
    if spec.study == SIZE:
        n, told = state.table[:, s, sweep.PARAMETERS], state.table[:, s, sweep.BYTES]
    else:
        n, told = np.array([float(state.work.problem.parameters)]), np.array([float(held(state.methods[name]))])
    return n[told > 0], told[told > 0]


def per_step(state: Any, spec: Any) -> Lines | None:
    """Seconds of the median step over the number of parameters."""
    if spec.study == SIZE:
        n, told = state.table[:, 0, sweep.PARAMETERS], sweep.seconds(state, spec)
    else:
        n = np.array([float(state.work.problem.parameters)])
        told = np.array([[state.clock.median(name) for name in spec.optimizers]])
    return _over_sizes(spec, n, told, "Median step, measured on this machine")


def to_target(state: Any, spec: Any) -> Lines | None:
    """Seconds until the gradient is small over the number of parameters, and from where on Adam is the quicker one."""
    if spec.study != SIZE or not len(state.table):
        return None
    n, told = state.table[:, 0, sweep.PARAMETERS], sweep.to_target(state, spec)
    found = _over_sizes(spec, n, told, "")
    marks, words = crossings(spec, n, told)
    missed = [title(name) for s, name in enumerate(spec.optimizers)
              if (state.table[:, s, sweep.THERE] >= sweep.GIVEN_UP).any()]  # fmt: skip
    note = ". ".join([*words, *([f"Not there everywhere: {', '.join(missed)}"] if missed else []), HERE])
    return Lines(found.lines, marks, note) if found is not None else None


def crossings(spec: Any, n: Array, told: Array) -> tuple[tuple[tuple[float, str], ...], list[str]]:
    """Marks and words: from which size on a first-order or limited-memory method is quicker than Newton."""
    marks: list[tuple[float, str]] = []
    words: list[str] = []
    names = list(spec.optimizers)
    if "newton" not in names:
        return (), []
    newton = told[:, names.index("newton")]
    for name in ("adam", "kfac", "lbfgs"):
        if name in names:
            at = sweep.crossing(n, told[:, names.index(name)], newton)
            if at is not None:
                marks += [(at, "Adam before Newton")] if name == "adam" else []
                words.append(f"{title(name)} from n ≈ {at:.0f}")
    return tuple(marks), [f"There before Newton: {', '.join(words)}"] if words else []


def _over_sizes(spec: Any, n: Array, told: Array, note: str) -> Lines | None:
    lines = []
    for s, name in enumerate(spec.optimizers):
        good = np.isfinite(told[:, s])
        if good.any():
            lines.append(Line(title(name), n[good], 1e3 * told[good, s], series=name, points=len(n) == 1))
    return Lines(tuple(lines), note=note) if lines else None


def table(state: Any, spec: Any) -> Table:
    """Every contestant: its steps, seconds of one and of all, bytes and the formula behind them."""
    rows, times, good = [], [], []
    for s, name in enumerate(spec.optimizers):
        if spec.study == SIZE:
            last = state.table[-1, s] if len(state.table) else np.zeros(len(sweep.TABLE))
            seconds, steps, there, size = (state.clock.median((len(state.table) - 1, name)), int(last[sweep.TAKEN]),
                                           last[sweep.THERE] == sweep.REACHED, float(last[sweep.BYTES]))  # fmt: skip
        else:
            seconds, size = state.clock.median(name), float(held(state.methods[name]))
            there, steps = s in state.reached, state.ended.get(s, state.step)
        total = steps * seconds if there else np.nan
        times.append(total)
        rows.append((title(name), f"{steps}" if there else f"> {steps}", told_seconds(total), told_bytes(size),
                     told_seconds(seconds), CONTESTANTS[name].words))  # fmt: skip
    if np.isfinite(times).any():
        good = [int(np.nanargmin(times))]
    n = count(state.work.sizes) if spec.problem != QUADRATIC else 2
    return Table(("method", "steps", "until there", "memory", "a step", "numbers kept"), tuple(rows), tuple(good),
                 f"{n:,} parameters. Marked: the quickest. {HERE}")  # fmt: skip


def told_seconds(value: float) -> str:
    """Seconds in words."""
    if not np.isfinite(value):
        return "–"
    return f"{value:.3g} s" if value >= 1 else f"{1e3 * value:.3g} ms" if value >= 1e-3 else f"{1e6 * value:.3g} µs"


def told_bytes(value: float) -> str:
    """Bytes in words."""
    return next((f"{value / unit:.3g} {word}" for unit, word in _UNITS if value >= unit), f"{value:.0f} B")
