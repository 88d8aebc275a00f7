"""The PyTorch script of a descent run.

Every optimizer walks with autograd and torch.optim (or its rule written out in torch) where that ends within 1e-10 of
the app. Two libraries never round alike, though, so some walks need the app's own arithmetic: those with a line search,
which branches on comparisons, and those in which a difference in the last bit grows. `rehearsal` finds out which.
"""

from __future__ import annotations

import math
import re
import textwrap
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from engine.experiments.landscapes._descent.exact import exact_walks
from engine.experiments.landscapes._descent.rehearsal import Rehearsal, rehearse
from engine.optimizers import RULES
from engine.randomness import normals
from engine.second_order import METHODS
from engine.spec import changed, value_of
from engine.torch_code import (
    CHECK,
    NEARLY_ZERO,
    WIDTH,
    changes,
    constructor,
    header,
    listed,
    plain,
    section,
    settings,
    sources,
    wrapped,
    written_out,
    written_rules,
)

_Pieces = list[tuple[int, Any]]  # (step, settings in force from the step after it), beginning at step 0

_IMPORTS = (
    (r"\bmath[.,]", "import math"), (r"\bzlib\.", "import zlib"), ("@dataclass", "from dataclasses import dataclass"),
    ("", ""), (r"\bnp\.", "import numpy as np"), (r"\btorch\.", "import torch"), (r"\btorch\.", ""),
    (r"\btorch\.", "torch.set_default_dtype(torch.float64)"),
    (r"\btorch\.", "torch.set_num_threads(1)  # for two numbers more threads only cost time"),
)  # fmt: skip

_LOOP = '''

def walk(optimizer, p, steps, changes):
    """Take `steps` steps, fewer where p or its height overflows. Returns how many, and whether all is finite."""
    for step in range(steps):
        optimizer.param_groups[0].update(changes.get(step, {}))

        def closure():
            optimizer.zero_grad()
            height = surface(p)
            height.backward()
            p.grad += torch.from_numpy(NOISE[step])
            return height

        optimizer.step(closure)
        if not torch.isfinite(torch.stack([*p, surface(p)])).all():
            return step + 1, False
    return steps, True


for name, make in OPTIMIZERS.items():
    p = torch.tensor(START, requires_grad=True)
    taken, finite = walk(make(p), p, MOST, CHANGES.get(name, {}))
    FOUND[name] = p.tolist(), taken, finite
    print(f"{name:10} step {taken:6}  x {p[0].item():.12g}  y {p[1].item():.12g}  f {surface(p).item():.6g}")
'''


def write(experiment: Any, spec: Any, events: Sequence[Any], steps: int, end: Any) -> str:
    """The script of a run of `steps` steps under `spec` and its live `events`, which asserts the places in `end`.

    `events` have .step, .key, .value and are in force from the step after .step; `end.p` is [series, 2]. A contestant
    that ended before is walked to its ending; one that overflowed must do so at the very same step.
    """
    live = sorted((e for e in events if e.step < steps), key=lambda e: e.step)
    pieces: _Pieces = [(0, spec)]
    for event in live:
        pieces.append((event.step, changed(pieces[-1][1], event.key, event.value)))
    told = rehearse(experiment, pieces, steps)
    names = experiment.series(spec)
    with_torch = [name for name in names if name not in told.exact]
    noisy = any(piece.noise > 0 for _, piece in pieces)
    earlier = {name: ending.step for name, ending in told.endings.items() if ending.step < steps}
    most = "EARLIER.get(name, STEPS)" if earlier else "STEPS"
    parts = [_run(experiment, pieces, steps, earlier, noisy)]
    if with_torch:
        optimizers = _optimizers(experiment, pieces, with_torch)
        parts += [_surface(experiment, spec), optimizers, _loop(noisy, "CHANGES = " in optimizers, most)]
    parts += [exact_walks(experiment, pieces, told.exact, noisy, most), _end(names, told, steps, end)]
    body = "\n\n".join(part.strip("\n") + "\n" for part in parts if part)
    imports = [line for mark, line in _IMPORTS if re.search(mark, body)]
    imports = imports[1:] if imports[0] == "" else imports
    return header(*_words(experiment, spec, live, steps, noisy), imports) + "\n" + body


def _words(experiment: Any, spec: Any, live: Sequence[Any], steps: int, noisy: bool) -> tuple[str, list[str]]:
    surface = experiment.surface(spec)
    convention = {"book": "the book's", "pytorch": "PyTorch's"}[spec.convention]
    words = [f"{steps} step{'s' * (steps != 1)} from {_start(experiment, spec)} in {convention} convention"]
    words += [f"gradient noise {spec.noise!r}, seed {spec.seed}"] if noisy else []
    words += [f"an optimizer stops at a loss of {spec.target!r} or less"] if spec.target is not None else []
    formula = textwrap.fill(surface.text, WIDTH, initial_indent="    f(x, y) = ", subsequent_indent=" " * 14)
    told = [formula, "; ".join(words) + "."]
    if live:
        story = "; ".join(f"{e.key} = {e.value!r} from step {e.step + 1} on" for e in live)
        told.append(f"Changed during the run: {story}.")
    told.append(
        "Written by Descent Lab. The script repeats a run and checks that every optimizer ends where it ended in the "
        "app, to 1e-10. It needs torch and NumPy and nothing else."
    )
    return f"Optimizers on a surface: {surface.title}.", told


def _start(experiment: Any, spec: Any) -> str:
    x, y = experiment.start_point(spec)
    return f"({float(x)!r}, {float(y)!r})"


def _run(experiment: Any, pieces: _Pieces, steps: int, earlier: dict[str, int], noisy: bool) -> str:
    spec = pieces[0][1]
    lines = [section("The run") + f"START = {_start(experiment, spec)}", f"STEPS = {steps}"]
    if earlier:
        lines += ["# These stop before the last step.", f"EARLIER = {plain(earlier)}"]
    lines.append("FOUND = {}  # optimizer: its place, the steps it took, whether all is finite")
    if noisy:
        lines += ["", "", sources({"normals": normals}, "engine.randomness"), ""]
        lines += ["# The deviation of each step's gradient noise; every optimizer gets the same draw.",
                  f"deviation = np.full(STEPS, {float(spec.noise)!r})"]  # fmt: skip
        for (_, before), (step, after) in pairwise(pieces):
            if after.noise != before.noise:
                lines.append(f"deviation[{step}:] = {float(after.noise)!r}")
        lines.append(f'NOISE = deviation[:, None] * normals({spec.seed}, "gradient noise", 0, STEPS)')
    return "\n".join(lines)


def _surface(experiment: Any, spec: Any) -> str:
    expression = experiment.surface(spec).formula.python("torch.")
    return "\n".join(
        [section("The surface"), "", "def surface(p):", '    """The height at p = (x, y)."""', "    x, y = p",
         wrapped("    return ", expression)]
    )  # fmt: skip


def _settings(experiment: Any, spec: Any, name: str) -> dict[str, Any]:
    hypers = (RULES[name] if name in RULES else METHODS[name]).hypers
    values = {hyper.name: value_of(spec, f"{name}.{hyper.name}") for hyper in hypers}
    return settings(name, spec.convention, experiment.rate(spec, name), values)


def _optimizers(experiment: Any, pieces: _Pieces, names: Sequence[str]) -> str:
    convention = pieces[0][1].convention
    classes = [found for name in names if (found := written_out(name, convention))]
    lines = [section("The optimizers", "What torch.optim does not have is written out." if classes else "")]
    if classes:
        lines += ["", written_rules(classes), ""]
    own = {name: [(step, _settings(experiment, spec, name)) for step, spec in pieces] for name in names}
    if any(group.get("momentum") == NEARLY_ZERO for groups in own.values() for _, group in groups):
        lines.append("# At momentum 0 torch.optim.SGD forgets its velocity; 1e-300 of it is lost in rounding just so.")
    made = [f'    "{name}": lambda p: {constructor(name, convention, own[name][0][1])},' for name in names]
    lines += ["OPTIMIZERS = {", *made, "}"]
    live = {name: changes(groups) for name, groups in own.items()}
    return "\n".join([*lines, *listed("CHANGES", live, "Before which step (counted from 0), and to what.")])


def _loop(noisy: bool, live: bool, most: str) -> str:
    left_out = [word for word, there in (("NOISE", noisy), ("param_groups", live)) if not there]
    lines = _LOOP.replace("MOST", most).split("\n")
    loop = "\n".join(line for line in lines if not any(word in line for word in left_out))
    if not live:
        loop = (
            loop.replace(", CHANGES.get(name, {})", "")
            .replace("steps, changes)", "steps)")
            .replace("steps):\n\n", "steps):\n")
        )
    return section("The walk") + loop


def _end(names: Sequence[str], told: Rehearsal, steps: int, end: Any) -> str:
    lines = []
    for s, name in enumerate(names):
        ending = told.endings.get(name)
        x, y = (float(value) for value in end.p[s])
        diverged = ending is not None and ending.finish == "diverged"
        place = "None" if diverged or not (math.isfinite(x) and math.isfinite(y)) else f"({x!r}, {y!r})"
        lines.append(f'    "{name}": ({ending.step if ending else steps}, {place}),')
    comment = "Steps taken and where the app stood then; None: no longer finite, or no step possible."
    return "\n".join([section("The end", comment) + "APP = {", *lines, "}", CHECK])
