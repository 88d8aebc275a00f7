"""The PyTorch script of a basin map: some of its starts walked all at once with torch.optim, in float64.

Two libraries never round alike, and near a border the last bit decides. So the starts are walked here again with their
numbers shaken in their last bits; those that then end elsewhere (and, of a float32 map, those that end elsewhere in
float64) are left out of what the script asserts, and it says how many.
"""

from __future__ import annotations

import textwrap
from typing import Any

import numpy as np

from engine.experiment import Array
from engine.formula.derive import derive
from engine.optimizers import RULES
from engine.torch_code import (
    WIDTH,
    array,
    constructor,
    header,
    plain,
    section,
    settings,
    where_autograd_fails,
    wrapped,
    written_out,
    written_rules,
)

SIDE = 24  # starts a side at the most
TRIALS = 3
SHAKEN = 1e-12  # of the plane's span; far above what rounding adds up to in a walk that forgets it
PIECES = 20  # a walk is shaken so often
UNSURE = -3

_WALK = '''\
p = torch.tensor(np.array(np.meshgrid(X, Y)).reshape(2, -1), requires_grad=True)
{optimizer}
for step in range(STEPS):

    def closure():
        optimizer.zero_grad()
        surface(*p).sum().backward(){whole}

    optimizer.step(closure)

with torch.no_grad():
    apart = torch.full(p.shape[1:], WITHIN**2)
    label = torch.full(p.shape[1:], -1)
    for k, place in enumerate(MINIMA):
        distance = ((p - torch.tensor(place)[:, None]) ** 2).sum(0)
        label[distance <= apart] = k
        apart = torch.minimum(apart, torch.where(distance.isnan(), torch.inf, distance))
    label[~((p - torch.tensor(MIDDLE)[:, None]).abs() <= FAR).all(0)] = -2
label = label.numpy().reshape(len(Y), len(X))
for k in np.unique(label):
    name = {{-1: "not arrived", -2: "diverged"}}.get(int(k)) or f"minimum {{MINIMA[k]}}"
    print(f"{{name}}: {{(label == k).sum()}} of {{label.size}} starts")
sure = APP != -3
wrong = np.argwhere(sure & (label != APP))
for row, column in wrong:
    raise AssertionError(f"{{X[column], Y[row]}} ended at {{label[row, column]}}, in the app at {{APP[row, column]}}")
print(f"{{sure.sum()}} starts end where they end in the app; {{(~sure).sum()}} are too near a border to tell.")
'''  # fmt: skip
_WHOLE = "\n        p.grad = torch.where(p.grad.isnan(), 0.0, p.grad)  # 0 times infinity is 0 in the app"


def write(experiment: Any, spec: Any, end: Any) -> str:
    """A script that walks every so many of the coarsest starts and asserts where those in `end` are."""
    rows, columns = chosen(experiment, spec)
    cells = (rows[:, None] * spec.resolution + columns[None, :]).ravel()
    found = experiment.found(end, spec)
    label = settled(experiment, spec, cells, found.label.ravel()[cells], found.minima)
    x, y = experiment.starts(spec, cells)
    surface, rule = experiment.surface(spec), spec.optimizer
    walk = experiment.walk(spec, "float64")
    values = settings(rule, spec.convention, spec.learning_rate, experiment.hypers(spec))
    own = written_out(rule, spec.convention)
    from engine.basins import FAR

    labels = label.reshape(len(rows), len(columns)).tolist()
    optimizer = wrapped("optimizer = ", constructor(rule, spec.convention, values))
    singular = any(i.operation == "slope" for i in derive(surface.formula.tree, 1).instructions)
    told = [
        textwrap.fill(surface.text, WIDTH, initial_indent="    f(x, y) = ", subsequent_indent=" " * 14),
        f"{len(cells)} starts of the map walk {spec.steps} steps each, all at once: the rule works on each number by "
        f"itself. Settings: {plain(values)}.",
        f"{int((label == UNSURE).sum())} starts are so near a border that the last bit decides, or float32 and "
        "float64 differ; they are not asserted (-3 below).",
        "Written by Descent Lab. It needs torch and NumPy and nothing else.",
    ]
    lines = [
        header(f"Basins of attraction: {surface.title}, {RULES[rule].title}.", told,
               ["import numpy as np", "import torch", "", "torch.set_default_dtype(torch.float64)",
                "torch.set_num_threads(1)"]),
        section("The map"),
        f"X = {array(x[: len(columns)].astype(float))}",
        f"Y = {array(y[:: len(columns)].astype(float))}",
        f"STEPS, WITHIN = {spec.steps}, {float(spec.within)!r}",
        f"MIDDLE, FAR = {walk.middle!r}, {FAR * walk.span!r}  # who is farther from the middle has left",
        "MINIMA = [",
        *(f"    ({float(u)!r}, {float(v)!r})," for u, v in found.minima),
        "]",
        "# Where the app's walks ended: the minimum's number, -1 at none, -2 diverged; a row for each of Y.",
        "APP = np.array([",
        *(line for row in labels for line in textwrap.wrap(f"{row},", WIDTH - 4, initial_indent="    ",
                                                           subsequent_indent="     ")),
        "])",
        "",
        section("The surface"),
        "",
        "def surface(x, y):",
        '    """The height at x, y [n]."""',
        wrapped("    return ", surface.formula.python("torch.")),
        "",
        "",
        *([written_rules([own]), ""] if own else []),
        section("The walk"),
        _WALK.format(optimizer=optimizer, whole=_WHOLE if singular else ""),
    ]  # fmt: skip
    return "\n".join(lines)


def chosen(experiment: Any, spec: Any) -> tuple[Array, Array]:
    """Rows and columns of the coarsest starts that the script walks."""
    from engine.basins import strides

    stride = strides(spec.resolution)[0]
    at = np.arange(stride // 2, spec.resolution, stride)
    at = at[:: -(-len(at) // SIDE)]
    return at, at


def settled(experiment: Any, spec: Any, cells: Array, label: Array, minima: Any) -> Array:
    """The labels of these cells, UNSURE where rounding could change them."""
    x, y = (axis.astype(float) for axis in experiment.starts(spec, cells))
    walk = experiment.walk(spec, "float64")
    kept = label.copy()
    program = derive(experiment.surface(spec).formula.tree, 1)
    kept[where_autograd_fails(program, x, y)] = UNSURE
    for trial in range(TRIALS + 1):
        ended = _shaken(walk, x, y, minima, np.random.default_rng(trial), SHAKEN * walk.span if trial else 0.0)
        kept[ended != label] = UNSURE
    return kept


def _shaken(walk: Any, x: Array, y: Array, minima: Any, random: np.random.Generator, size: float) -> Array:
    """Labels of the walks with every number changed a little now and then."""
    from engine.basins import DIVERGED, FAR
    from engine.experiments.landscapes.basins import sorted_out
    from engine.lanes import Lanes
    from engine.optimizers import look_ahead_address, update_address

    p = np.stack([x, y])
    states = np.zeros((3, *p.shape)) + np.array(RULES[walk.rule].initial)[:, None, None]
    h = np.array([*walk.hypers, *[0.0] * 8])[:8]
    update = update_address(walk.rule, walk.convention, np.float64)
    ahead = look_ahead_address(walk.rule, walk.convention, np.float64)
    done = 0
    with Lanes(1) as pool, np.errstate(all="ignore"):
        for part in np.array_split(np.arange(walk.steps), min(PIECES, walk.steps)):
            p += size * random.uniform(-1, 1, p.shape)
            states *= 1 + size / walk.span * random.uniform(-1, 1, states.shape)
            pool.descend(walk.kernel.gradient_address, update, ahead, p[0], p[1], states, done + 1, len(part),
                         walk.rate, h)  # fmt: skip
            done += len(part)
        label = sorted_out(p[0], p[1], minima, walk.within)
        stays = (np.abs(p - np.array(walk.middle)[:, None]) <= FAR * walk.span).all(axis=0)
    label[~stays] = DIVERGED
    return label
