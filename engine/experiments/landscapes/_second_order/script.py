"""The PyTorch script of first against second order: derivatives by autograd, the methods' own steps, the app's ends."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from engine.optimizers import RULES
from engine.randomness import generator
from engine.spec import changed
from engine.torch_code import array, header, plain, section, sources
from engine.torch_code.training_run import UNPACKED, numbers

from . import sweep
from .cost import ladder
from .methods import CONTESTANTS
from .rehearsal import Followed, rehearse, trial
from .samples import made
from .script_parts import CLASSIFIER, QUADRATIC_CLASS, RACE_LOOP, STARTS, SWEEP_LOOP, TORCH_RULES
from .settings import MADE, NETWORK, QUADRATIC, SIZE, hypers_of
from .work import shape_of, work_of

_OURS = ("newton", "bfgs", "lbfgs", "natural", "kfac")


def write(experiment: Any, spec: Any, events: Sequence[Any], steps: int, end: Any) -> str:
    """The script of a run up to step `steps`: of a race everybody's parameters, of a sweep their losses, held to the
    app's."""
    live = sorted((e for e in events if e.step < steps), key=lambda e: e.step)
    pieces = [(0, spec)]
    for event in live:
        pieces.append((event.step, changed(pieces[-1][1], event.key, event.value)))
    if spec.study == SIZE:
        run, told = _sweep(spec, pieces, end), _sweep_words(spec, end)
    else:
        followed = rehearse(experiment, pieces, steps)
        run, told = _race(spec, pieces, followed), _race_words(spec, steps, followed)
    if live:
        told.append("Changed on the way: " + "; ".join(f"{e.key} = {e.value!r} from step {e.step + 1} on" for e in live)
                    + ".")  # fmt: skip
    parts = [_problem(spec), _methods(spec), run]
    body = "\n\n\n".join(part.strip("\n") for part in parts if part) + "\n"
    body = "\n\n".join([UNPACKED, body]) if "unpacked(" in body else body
    imports = [f"import {name}" for name in ("base64", "math", "zlib") if re.search(rf"\b{name}\.", body)]
    imports += ["from dataclasses import dataclass"] if "@dataclass" in body else []
    imports += ["from itertools import pairwise"] if "pairwise(" in body else []
    imports += [*([""] if imports else []), "import numpy as np", "import torch", "",
                "torch.set_default_dtype(torch.float64)",
                "torch.set_num_threads(1)  # small tensors: more threads only cost time"]  # fmt: skip
    told.append("Written by Descent Lab. It needs torch and NumPy and nothing else.")
    return header("First against second order.", told, imports) + "\n\n" + body


def _names(spec: Any) -> str:
    return ", ".join(CONTESTANTS[name].title for name in spec.optimizers)


def _race_words(spec: Any, steps: int, followed: dict[str, Followed]) -> list[str]:
    told = [
        f"{_names(spec)} from one start, up to step {steps}. Gradient, Hessian and Fisher matrix come from autograd; "
        "SGD and Adam are those of torch.optim, the other steps are the app's own, as they are. Everybody's parameters "
        "are held to the app's to 1e-8."
    ]
    early = [f"{CONTESTANTS[name].title} {one.step}" for name, one in followed.items() if one.step < steps]
    if early:
        told.append("Compared at an earlier step, because the contestant ended there or because rounding, which "
                    f"autograd does in another order, decides what comes after it: {', '.join(early)}.")  # fmt: skip
    return told


def _sweep_words(spec: Any, end: Any) -> list[str]:
    done = _complete(end)
    return [f"{_names(spec)} at {done} sizes. At each, everybody takes as many steps as in the app, or as many as "
            "rounding, which autograd does in another order, has no say in, and is to stand at the same loss. "
            "Derivatives come from autograd; SGD and Adam are those of torch.optim, the other steps are the app's own, "
            "as they are. The seconds are this script's own and not those of the app."]  # fmt: skip


def _complete(end: Any) -> int:
    return int(end.step // sweep.SHARES)


# -- the problem -----------------------------------------------------------------------------------------------------


def _problem(spec: Any) -> str:
    if spec.problem == QUADRATIC:
        return section("The problem") + "\n" + QUADRATIC_CLASS
    lines = [section("The problem") + f"L2, CLASSES = {spec.l2!r}, {shape_of(spec)[-1]}"]
    if spec.data == MADE:
        lines += ["", "", sources({"made": made}, "engine."), ""]
        lines.append(_DRAWN)
    else:
        work = work_of(spec, sweep_first(spec))
        lines += [numbers("X", work.problem.x[:, :-1]), numbers("Y", work.problem.y), "", "", _FIXED]  # type: ignore[union-attr]
    lines += ["", _starts(spec), "", CLASSIFIER]
    return "\n".join(lines)


def sweep_first(spec: Any) -> tuple[int, ...] | None:
    """The first size of a sweep; None in a race."""
    return ladder(spec)[0] if spec.study == SIZE else None


_DRAWN = '''\
def samples(spec):
    """x [N, inputs] and y [N, outputs], 0 or 1, of (samples, inputs, classes, condition, seed)."""
    x, label = made(*spec)
    return x, label[:, None].astype(float) if CLASSES == 1 else np.eye(CLASSES)[label]
'''

_FIXED = '''\
def samples(spec):
    """The samples above."""
    return X, Y
'''


def _starts(spec: Any) -> str:
    from .network import first_weights

    return sources({"generator": generator, "first_weights": first_weights}, "engine.") if spec.data != MADE else (
        sources({"first_weights": first_weights}, "engine.")
    )  # fmt: skip


# -- the methods -----------------------------------------------------------------------------------------------------


def _methods(spec: Any) -> str:
    ours = [name for name in spec.optimizers if name in _OURS]
    text = section("The methods")
    code = sources({f"{name}_step": CONTESTANTS[name].step for name in ours}, "engine.") if ours else ""
    constants = _constants(code)
    parts = [text + "\n".join(constants), *([code.strip("\n")] if code else []), TORCH_RULES.strip("\n")]
    return "\n\n\n".join(part.strip("\n") for part in parts if part)


def _constants(code: str) -> list[str]:
    """The numbers that the sources use by name, and the name that annotations of dataclasses need."""
    from . import damping

    names = ("GOOD", "BAD", "FACTOR", "TRIES", "LEAST")
    found = [f"{name} = {getattr(damping, name)!r}" for name in names if re.search(rf"\b{name}\b", code)]
    return found + (["Vector = np.ndarray"] if re.search(r"\bVector\b", code) else [])


def _settings(spec: Any, name: str) -> dict[str, Any]:
    own = hypers_of(spec, name)
    if name not in RULES:
        return own
    values = {"lr": own.pop("learning_rate")}
    if "beta1" in own:
        values["betas"] = own.pop("beta1"), own.pop("beta2")
    return values | own


def _moved(pieces: Sequence[tuple[int, Any]], name: str) -> dict[int, dict[str, Any]]:
    """Which of a contestant's settings are new from the step after which one on."""
    moved: dict[int, dict[str, Any]] = {}
    for (_, before), (step, after) in pairwise(pieces):
        old, new = _settings(before, name), _settings(after, name)
        different = {key: value for key, value in new.items() if value != old[key]}
        if different:
            moved[step] = moved.get(step, {}) | different
    return moved


def _tables(spec: Any, pieces: Sequence[tuple[int, Any]]) -> list[str]:
    lines = ["# Everybody's settings, and what changes in them from the step after the one named on.", "SETTINGS = {"]
    lines += [f'    "{name}": {plain(_settings(spec, name))},' for name in spec.optimizers]
    lines += ["}", "CHANGES = {"]
    lines += [f'    "{name}": {plain(moved)},' for name in spec.optimizers if (moved := _moved(pieces, name))]
    made = [f'    "{name}": {STARTS[name]},' for name in spec.optimizers if name in _OURS]
    steps = [f'    "{name}": {name}_step,' for name in spec.optimizers if name in _OURS]
    return [*lines, "}", "# What a method of ours keeps, at first, and its step.", "KEPT = {", *made, "}",
            "STEPS_OF = {", *steps, "}"]  # fmt: skip


# -- the runs --------------------------------------------------------------------------------------------------------


def _spec_tuple(spec: Any, inputs: int) -> str:
    return repr((spec.samples, inputs, spec.classes, spec.condition, spec.seed))


def _race(spec: Any, pieces: Sequence[tuple[int, Any]], followed: dict[str, Followed]) -> str:
    lines = [section("The race"), *_tables(spec, pieces)]
    if spec.problem == QUADRATIC:
        lines += ["WHOLE = Objective()", f"START = {array(work_of(spec).start)}", "SEED, BATCH = 0, 0"]
    else:
        sizes = shape_of(spec)
        lines += [f"SIZES = {sizes!r}", f"WHOLE = Objective(*samples({_spec_tuple(spec, sizes[0])}), SIZES)",
                  f'START = first_weights(SIZES, generator({spec.seed}, "first weights"))',
                  f"SEED, BATCH = {spec.seed}, {spec.batch_size}"]  # fmt: skip
    lines.append("APP = {}  # contestant: steps, and the parameters after them (None: no numbers any more)")
    for name, one in followed.items():
        if one.lost:
            lines.append(f'APP["{name}"] = {one.step}, None')
        else:
            lines += [numbers("end", one.p), f'APP["{name}"] = {one.step}, end']
    loop = RACE_LOOP
    if not spec.batch_size or spec.problem == QUADRATIC:
        loop = loop.replace("        objective = WHOLE.on(rows_of(step)) if BATCH else WHOLE\n",
                            "        objective = WHOLE\n")  # fmt: skip
        a, b = loop.index("def rows_of"), loop.index("def run(")
        loop = loop[:a] + loop[b:]
        lines = [line for line in lines if not line.startswith("SEED, BATCH")]
    return "\n".join(lines) + "\n\n\n" + loop


def _at_size(pieces: Sequence[tuple[int, Any]], i: int, share: int) -> list[tuple[int, Any]]:
    """The settings in force at one size, by the contestant's own steps there; it takes `share` of them in a share."""
    first, last = i * sweep.SHARES, (i + 1) * sweep.SHARES
    found = [(0, pieces[0][1])]
    found += [(max(0, step - first) * share, spec) for step, spec in pieces[1:] if step < last]
    return found


def _sweep(spec: Any, pieces: Sequence[tuple[int, Any]], end: Any) -> str:
    words = (
        "Sizes, how their samples are made, and for each contestant: steps, loss, whether its gradient was then at "
        f"most {spec.tolerance!r} of its first, and what changes in its settings before which of its steps."
    )
    lines = [*_tables(spec, pieces[:1]), "", section("The sizes", words) + "APP = ["]
    for i, sizes in enumerate(ladder(spec)[: _complete(end)]):
        told = []
        for s, name in enumerate(spec.optimizers):
            row = end.table[i, s]
            if row[sweep.THERE] in (sweep.REACHED, sweep.GIVEN_UP):
                own = _at_size(pieces, i, sweep.steps_of_share(name, sizes, spec))
                steps, loss = int(row[sweep.TAKEN]), float(row[sweep.LOSS])
                there = bool(row[sweep.THERE] == sweep.REACHED)
                if spec.problem == NETWORK:
                    followed, loss = trial(work_of(spec, sizes), own, name, steps, loss)
                    there, steps = there and followed == steps, followed
                told.append(f'        "{name}": ({steps}, {loss!r}, {there}, {plain(_moved(own, name))}),')
        lines += [f"    ({sizes!r}, {_spec_tuple(spec, sizes[0])}, {{", *told, "    }),"]
    loop = SWEEP_LOOP.replace("TOLERANCE", repr(spec.tolerance)).replace("SEED", str(spec.seed))
    return "\n".join([*lines, "]"]) + "\n\n\n" + loop
