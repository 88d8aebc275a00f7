"""What is looked at while the window slides: the picture, the output, the products, and the coming position in
formulas. The window stands at the position that comes; after the last one it stays there."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.experiment import Array, Inside
from engine.experiments.networks._convolution import data
from engine.experiments.networks._convolution.kernels import KERNELS, OWN, TITLES, kernel
from engine.experiments.networks._convolution.settings import LEVELS, OPERATIONS
from engine.experiments.networks._convolution.window import Sweep, convolution
from engine.feature_maps import Grid
from engine.picture import Images
from engine.quantity import Quantity

IN_A_LINE = 3  # products on one line: the column is narrow
MOST = 14  # lines of numbers
Y = "y_{{{},{}}}"


def _at(state: Any) -> int:
    """The position where the window stands."""
    return int(min(state.step, state.sweep.positions - 1))


def words(value: float, digits: int = 3) -> str:
    """A number in few characters."""
    value = float(value)
    if abs(value) < 1e-9:
        return "0"
    if not np.isfinite(value):
        return "−∞" if value < 0 else "∞"
    told = f"{value:.{digits}g}" if abs(value) < 1000 else f"{value:.0f}"
    return told.replace("-", "−")


def _weight(value: float) -> str:
    """A weight as it stands in the corner of a cell: 1/9 is read more easily than 0.111."""
    for below in (9, 16, 3):
        above = value * below
        if value and abs(value) < 1 and abs(above - round(above)) < 1e-9 and value * 4 != round(value * 4):
            return f"{round(above)}/{below}".replace("-", "−")
    return words(value)


def picture(state: Any, spec: Any, **asked: Any) -> Grid:
    """The padded picture and the window on it."""
    sweep: Sweep = state.sweep
    at = _at(state)
    corners = tuple(f"×{_weight(w)}" for w in sweep.weights.ravel()) if sweep.weights is not None else ()
    row, column = sweep.place(at)
    rows, columns = sweep.out.shape
    note = f"{data.shown(spec).told}. Window: row {row}, column {column} of {rows} × {columns}"
    return Grid(sweep.padded, sweep.padding, sweep.cells(at), corners, top=LEVELS, note=note)


def output(state: Any, spec: Any, **asked: Any) -> Grid:
    """The output as far as the window has come; the cell that comes is framed."""
    sweep: Sweep = state.sweep
    known = np.arange(sweep.positions).reshape(sweep.out.shape) < state.step
    shown = np.where(known, sweep.out, np.nan)
    finite = sweep.out[np.isfinite(sweep.out)]
    largest = float(np.abs(finite).max(initial=0.0))
    scale: Any = "signed" if sweep.weights is not None and (finite < 0).any() else "grey"
    name = TITLES[spec.kernel] if spec.operation == "convolution" else OPERATIONS[spec.operation]
    rows, columns = sweep.out.shape
    left = sweep.positions - state.step
    note = f"{name}: {rows} × {columns}" + (f", {left} to come" if left else ", complete")
    return Grid(shown, lit=sweep.place(_at(state)), scale=scale, top=largest or 1.0, note=note)


def products(state: Any, spec: Any, **asked: Any) -> Grid:
    """What is under the window, each with its weight, and what becomes of it."""
    sweep: Sweep = state.sweep
    row, column = sweep.place(_at(state))
    seen, value = sweep.seen[row, column], float(sweep.out[row, column])
    if sweep.weights is None:
        taken = (seen == seen.max()) if sweep.how == "max" else np.zeros(seen.shape, bool)
        lit = tuple((int(m), int(n)) for m, n in np.argwhere(taken)[:1])
        told = tuple(tuple(words(v) for v in line) for line in seen)
        how = "largest" if sweep.how == "max" else "mean"
        return Grid(seen, window=lit, words=told, top=LEVELS, note=f"The {how} is {words(value, 4)}")
    found = sweep.weights * seen
    told = tuple(
        tuple(f"{words(v)}·{_weight(w)}" for v, w in zip(line, own, strict=True))
        for line, own in zip(seen, sweep.weights, strict=True)
    )
    bias = f" + bias {words(sweep.bias)}" if sweep.bias else ""
    top = LEVELS * float(np.abs(sweep.weights).max(initial=0.0))
    return Grid(found, words=told, scale="signed", top=top or 1.0, note=f"Their sum{bias} is {words(value, 4)}")


def gallery(state: Any, spec: Any, **asked: Any) -> Images:
    """The whole output under every kernel with the same stride, padding and dilation, each on a scale of its own."""
    names = [*KERNELS, OWN]
    shown, maps = data.shown(spec).values, list[Array]()
    turned = spec.turned == "yes"
    for name in names:
        weights = kernel(name, spec.own) if name != OWN or spec.kernel == OWN else None
        if weights is None:
            continue
        dilation = spec.dilation if spec.operation == "convolution" else 1
        same = weights.shape[0] // 2  # so that all have one size here, whatever the padding set
        try:
            found = convolution(shown, weights, 1, same * dilation, dilation, spec.bias, turned).out
        except ValueError:
            found = np.zeros(shown.shape)
        maps.append(_scaled(found, shown.shape))
    kept = names[: len(maps)]
    marked = (kept.index(spec.kernel),) if spec.operation == "convolution" and spec.kernel in kept else ()
    note = "Blue below 0, orange above; click one"
    return Images(np.array(maps), tuple(TITLES[name] for name in kept), "signed", marked, note)


def _scaled(values: Array, shape: tuple[int, ...]) -> Array:
    """Brought to -1 to 1, in a frame of this shape."""
    framed = np.zeros(shape)
    rows, columns = (min(a, b) for a, b in zip(values.shape, shape, strict=True))
    framed[:rows, :columns] = values[:rows, :columns]
    return framed / (float(np.abs(framed).max()) or 1.0)


# -- the coming position in formulas -----------------------------------------------------------------------------------

FORMULAS = {
    "sum": (r"y_{i,j} = b + \sum_{m,n} w_{m,n} \, x_{r,c}",
            r"r = s i + d m - p \qquad c = s j + d n - p"),
    "max": (r"y_{i,j} = \max_{m,n} \, x_{s i + d m - p, \; s j + d n - p}",),
    "mean": (r"y_{i,j} = \frac{1}{k^2} \sum_{m,n} x_{s i + m - p, \; s j + n - p}",),
}  # fmt: skip


def inside(state: Any, spec: Any, **asked: Any) -> Inside:
    """The sum, the largest or the mean at the position that comes, with its numbers."""
    sweep: Sweep = state.sweep
    at = _at(state)
    row, column = sweep.place(at)
    seen, value = sweep.seen[row, column], float(sweep.out[row, column])
    name = Y.format(row, column)
    quantities = [Quantity("output", name, (value,), "step")]
    if sweep.how == "sum" and sweep.weights is not None:
        parts = sweep.weights * seen
        quantities += [
            Quantity("sum of what adds", "s_{+}", (float(parts[parts > 0].sum()),), "scale"),
            Quantity("sum of what takes away", "s_{-}", (float(parts[parts < 0].sum()),), "gradient"),
        ]
        terms = [f"{_tex(w)} \\cdot {_tex(x)}" for w, x in zip(sweep.weights.ravel(), seen.ravel(), strict=True)]
        terms += [_tex(sweep.bias)] if sweep.bias else []
        lines = _lines(name, terms)
    elif sweep.how == "max":
        terms = [_tex(x) for x in seen.ravel()]
        lines = [rf"{name} = \max(" + ", ".join(terms[:8]) + (r", \ldots)" if len(terms) > 8 else ")")]
    else:
        terms = [_tex(x) for x in seen.ravel()]
        lines = _lines(name, [f"({terms[0]}", *terms[1:]], 4)
        lines[-1] += rf") / {seen.size}"
    if len(lines) > MOST:
        lines = [*lines[:MOST], r"\quad + \ldots"]
    lines.append(rf"\quad = {_tex(value, 5, bare=True)}")
    done = state.step >= sweep.positions
    note = "The last position: the output is complete." if done else f"Position {at + 1} of {sweep.positions} comes."
    if sweep.weights is not None and sweep.padding:
        outside = sum(_beyond(sweep, cell) for cell in sweep.cells(at))
        note += f" {outside} of the {seen.size} cells are padding." if outside else ""
    return Inside("output", FORMULAS[sweep.how], tuple(quantities), tuple(lines), note)


def _beyond(sweep: Sweep, cell: tuple[int, int]) -> bool:
    sizes = sweep.padded.shape
    return any(not sweep.padding <= c < size - sweep.padding for c, size in zip(cell, sizes, strict=True))


def _lines(name: str, terms: list[str], each: int = IN_A_LINE) -> list[str]:
    cut = [" + ".join(terms[i : i + each]) for i in range(0, len(terms), each)]
    return [f"{name} = {cut[0]}", *(rf"\quad + {line}" for line in cut[1:])]


def _tex(value: float, digits: int = 3, bare: bool = False) -> str:
    value = float(value)
    if not np.isfinite(value):
        return r"-\infty"
    told = "0" if abs(value) < 1e-12 else f"{value:.{digits}g}"
    return f"({told})" if told.startswith("-") and not bare else told
