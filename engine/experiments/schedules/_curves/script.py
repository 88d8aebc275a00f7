"""The PyTorch script of a run of schedules: it makes the schedulers, steps them and asserts the app's rates."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from engine.experiments.schedules._curves.watched import CURVATURE, PURPOSE, START
from engine.experiments.schedules._shared.script import Pieces, schedulers
from engine.experiments.schedules._shared.settings import parameters
from engine.randomness import normals
from engine.spec import changed
from engine.torch_code import WIDTH, header, plain, section, sources
from engine.torch_code.schedules import constructor

PLATEAU = "plateau"
TOLD = 25  # rates of each schedule that the script asserts

_IMPORTS = (
    (r"\bmath\.", "import math"), (r"\bzlib\.", "import zlib"), ("", ""), (r"\bnp\.", "import numpy as np"),
    ("", "import torch"), ("", ""), ("", "torch.set_default_dtype(torch.float64)"),
    ("", "torch.set_num_threads(1)  # for a few numbers more threads only cost time"),
)  # fmt: skip

_LOOP = '''\
def rates(pieces):
    """The rate in force at steps 0 to LAST; a change of the peak rate has a scheduler of its own from then on."""
    found = [0.0] * (LAST + 1)
    for first, peak, make in pieces:
        optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=peak, momentum=0.9)
        scheduler = make(optimizer)
        for step in range(LAST + 1):
            if step >= first:
                found[step] = float(optimizer.param_groups[0]["lr"])
            optimizer.step()
            if step < LAST:
                scheduler.step()
    return found


for name, pieces in SCHEDULERS.items():
    FOUND[name] = rates(pieces)
'''

_WATCHED = '''\
def bowl(p):
    """The loss that the plateau watches, at p = (x, y)."""
    x, y = p
    return (x * x + CURVATURE * y * y) / 2


def watched():
    """The rate in force at each step of gradient descent under NOISE, as long as the loss is finite."""
    p = torch.tensor(START, requires_grad=True)
    optimizer = torch.optim.SGD([p], lr=PEAK)
    scheduler = plateau(optimizer)
    group = optimizer.param_groups[0]
    found = [group["lr"]]
    for step in range(LAST):
        optimizer.zero_grad()
        bowl(p).backward()
        with torch.no_grad():  # SGD's own step, but rounded as the app rounds: a product, then a difference
            p -= group["lr"] * (p.grad + torch.from_numpy(NOISE[step]))
        loss = bowl(p).item()
        scheduler.step(loss)
        group["lr"] *= SCALED.get(step + 1, 1.0)
        found.append(group["lr"])
        if not math.isfinite(loss):
            break
    return found


FOUND["plateau"] = watched()
'''

_CHECK = """\
for name, told in APP.items():
    for step, rate in told.items():
        found = FOUND[name][step]
        assert abs(found - rate) <= TOLERANCE, f"{name} has the rate {found} at step {step}, in the app {rate}"
    print(f"{name:16} {len(told)} rates agree; at step {step} it is {found:.9g}")
"""


def write(experiment: Any, spec: Any, events: Sequence[Any], steps: int) -> str:
    """The script of a run up to step `steps` under `spec` and its live `events`.

    It asserts up to TOLD rates of each schedule, the first and the last among them, to 1e-9 of the peak rate: where
    torch multiplies its way from step to step, rounding adds up.
    """
    live = sorted((e for e in events if e.step < steps), key=lambda e: e.step)
    pieces: Pieces = [(0, spec)]
    for event in live:
        pieces.append((event.step + 1, changed(pieces[-1][1], event.key, event.value)))
    names = experiment.series(spec)
    pure = [name for name in names if name != PLATEAU]
    parts = [section("The run") + f"LAST = {steps}  # the step up to which the rates are compared\nFOUND = {{}}"]
    if pure:
        parts += [schedulers(pure, pieces), _LOOP]
    if PLATEAU in names:
        parts.append(_plateau(pieces, steps))
    parts.append(_end(experiment, pieces, steps))
    body = "\n\n".join(part.strip("\n") + "\n" for part in parts)
    imports = [line for mark, line in _IMPORTS if re.search(mark, body)]
    return header("Learning-rate schedules.", _words(spec, live, steps), imports[imports[0] == "" :]) + "\n" + body


def _words(spec: Any, live: Sequence[Any], steps: int) -> list[str]:
    told = [f"Steps 0 to {steps} of a run of {spec.total_steps}, peak rate {spec.base_lr!r}."]
    if live:
        story = "; ".join(f"{e.key} = {e.value!r} from step {e.step + 1} on" for e in live)
        told.append(f"Changed during the run: {story}.")
    return [
        *told,
        "Written by Descent Lab. The script makes every schedule with torch.optim.lr_scheduler, or with a LambdaLR "
        "where torch has none of its kind, and checks that its rates are the app's. It needs torch and NumPy and "
        "nothing else.",
    ]


def _plateau(pieces: Pieces, steps: int) -> str:
    spec = pieces[0][1]
    noise = float(spec.plateau.noise)
    scaled = {
        first: spec.base_lr / before.base_lr
        for (_, before), (first, spec) in pairwise(pieces)
        if spec.base_lr != before.base_lr
    }
    lines = constructor(PLATEAU, parameters(spec, PLATEAU), spec.total_steps, spec.base_lr)
    make = "\n".join(["def plateau(optimizer):", *(f"    {line}" for line in [*lines, "return scheduler"]), ""])
    told = [f"PEAK, CURVATURE, START = {spec.base_lr!r}, {CURVATURE!r}, {list(START)!r}"]
    if noise:
        told.append(f'NOISE = {noise!r} * normals({spec.seed}, "{PURPOSE}", 0, LAST)')
    else:
        told.append("NOISE = np.zeros((LAST, 2))")
    told.append(f"SCALED = {plain(scaled)}  # by what a change of the peak rate multiplies the rate, at which step")
    parts = [section("The plateau, and the run whose loss it watches")]
    parts += [sources({"normals": normals}, "engine.randomness")] if noise else []
    return "\n\n".join([*parts, make, "\n".join(told) + "\n", _WATCHED])


def _end(experiment: Any, pieces: Pieces, steps: int) -> str:
    """The app's own rates, found by running it again."""
    state = experiment.start(pieces[0][1])
    rows = [experiment.measure(state, pieces[0][1]).values["learning_rate"]]
    ends = [first - 1 for first, _ in pieces[1:]] + [steps]
    for (_, spec), end in zip(pieces, ends, strict=True):
        while state.step < end:
            moved = experiment.advance(state, spec, min(end - state.step, 2**16))
            rows.append(moved.values["learning_rate"])
            if not moved.rows:
                break
    found = np.concatenate(rows)
    table = []
    for s, name in enumerate(experiment.series(pieces[0][1])):
        good = np.flatnonzero(np.isfinite(found[:, s]))
        picked = good[np.unique(np.linspace(0, len(good) - 1, TOLD).round().astype(int))]
        told = ", ".join(f"{step}: {float(found[step, s])!r}" for step in picked.tolist())
        inner = textwrap.wrap(told, WIDTH, initial_indent=" " * 8, subsequent_indent=" " * 8)
        table += [f'    "{name}": {{', *inner, "    },"]
    peak = max(spec.base_lr for _, spec in pieces)
    lines = [f"TOLERANCE = {1e-9 * peak!r}", "APP = {  # step: the rate in the app", *table, "}", _CHECK]
    return section("The end") + "\n".join(lines)
