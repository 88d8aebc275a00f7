"""The PyTorch script of a map of runs on a surface."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.experiment import Array
from engine.experiments.landscapes._hyperparameters.map import Measured
from engine.experiments.landscapes._hyperparameters.script import (
    LEAST,
    ROOM,
    SHAKE,
    SURE,
    TRIALS,
    cells_text,
    maker,
    program,
    told,
    words,
)
from engine.experiments.landscapes._hyperparameters.settings import over
from engine.formula.derive import derive
from engine.torch_code import section, wrapped, written_out, written_rules
from engine.torch_code.training_run import numbers

_LOOP = """\
for {columns} in CELLS:
    p = torch.tensor({start}, requires_grad=True)
    optimizer = make(p)
    broken = 0
    for step in range(1, {steps} + 1):

        def closure():
            optimizer.zero_grad()
            surface(p[0], p[1], k).backward(){whole}{noise}

        optimizer.step(closure)
        with torch.no_grad():
            if not (torch.isfinite(p).all() and torch.isfinite(surface(p[0], p[1], k))):
                broken = step
                break
    found = p.detach().numpy()
    print(f"{{name}}: overflows at step {{broken}}" if broken else f"{{name}}: ends at {{found}}")
    if tolerance is None:
        continue  # rounding decides what becomes of it
    assert abs(broken - overflow) <= 1, f"{{name}}: overflow at step {{broken}}, in the app at {{overflow}} (0: none)"
    if not overflow:
        apart = np.abs(found - end).max()
        assert apart <= tolerance, f"{{name}} ended at {{found}}, in the app at {{end}}"
print(f"{{sum(cell[-1] is not None for cell in CELLS)}} runs end where they end in the app.")
"""


def text(spec: Any, found: Measured, cells: list[int]) -> str:
    """The script of these cells."""
    made, rows, unsure = found.made, [], 0
    others = {"start": bool({"start_x", "start_y"} & set(over(spec))), "steps": "steps" in over(spec),
              "seed": "seed" in over(spec)}  # fmt: skip
    for cell in cells:
        own = made.values(cell)
        end, took = _end(made, cell)
        tolerance = _trust_surface(made, cell, end, took)
        unsure += tolerance is None
        sigma = own.get("gradient_noise", spec.gradient_noise)
        more = {"start": repr(list(made.begin(own))), "steps": str(made.steps(own)), "seed": str(made.seed(own))}
        rows.append((
            repr(words(found, cell)).replace("'", '"'), maker(spec, made.rate(own), made.hypers(own)),
            repr(own.get("condition_number", spec.condition_number)), repr(float(sigma)),
            *(more[name] for name in others if others[name]), str(took),
            "None" if took else repr(end.tolist()), repr(tolerance),
        ))  # fmt: skip
    noisy = any(row[3] != "0.0" for row in rows)
    from engine.randomness import normals

    longest = max(made.steps(made.values(cell)) for cell in cells)
    seeds = sorted({made.seed(made.values(cell)) for cell in cells}) if noisy else []
    drawn = [part for seed in seeds
             for part in (numbers("DRAWN", normals(seed, "gradient noise", 0, longest)),
                          f"NOISE[{seed}] = torch.tensor(DRAWN)")]  # fmt: skip
    singular = any(i.operation == "slope" for i in derive(made.surface.formula.tree, 1).instructions)
    whole = "\n            p.grad = torch.where(p.grad.isnan(), 0.0, p.grad)  # 0 times infinity is 0 in the app"
    added = f"\n            p.grad += sigma * NOISE[{'seed' if others['seed'] else spec.seed}][step - 1]"
    height = "(x**2 + k * y**2) / 2" if made.surface.name == "bowl" else made.surface.formula.python("torch.")
    rule = written_out(spec.optimizer, spec.convention)
    told_of = {"start": "where it begins", "steps": "how many steps", "seed": "the seed of its noise"}
    fixed = ["" if others["start"] else f"START = {[float(v) for v in made.start]!r}\n",
             "" if others["steps"] else f"STEPS = {spec.steps}\n"]  # fmt: skip
    parts = [
        section("The surface") + f"\n\ndef surface(x, y, k):\n    \"\"\"The height at x, y{_k(made)}.\"\"\"\n"
        + wrapped("    return ", height) + "\n",
        written_rules([rule]) if rule else "",
        section("The runs", ", ".join([
            "What it is, optimizer, k, deviation of the noise", *(told_of[name] for name in others if others[name]),
            "the step at which it overflowed in the app (0: it did not), where it ended there, and how far off it may "
            "be."]))
        + "".join(fixed) + cells_text(rows),
        "\n".join(["NOISE = {}", *drawn]) if noisy else "",
        _LOOP.format(
            columns=", ".join(["name", "make", "k", "sigma", *(name for name in others if others[name]), "overflow",
                               "end", "tolerance"]),
            start="start" if others["start"] else "START", steps="steps" if others["steps"] else "STEPS",
            whole=whole if singular else "", noise=added if noisy else "",
        ),
    ]  # fmt: skip
    return program(f"A map of runs on a surface: {made.surface.title}.", told(spec, found, cells, unsure), "float64",
                    parts)  # fmt: skip


def _k(made: Any) -> str:
    return " of the bowl with condition number k" if made.surface.name == "bowl" else " (k is for other surfaces)"


def _end(made: Any, cell: int, *shaken: Any) -> tuple[Array, int]:
    """Where a run ends, and the step at which it overflowed."""
    rows, took = made.walk(cell, *shaken)
    return rows[(took or len(rows)) - 1, :2], took


def _trust_surface(made: Any, cell: int, end: Array, took: int) -> float | None:
    apart = 0.0
    for trial in range(TRIALS):
        other, broke = _end(made, cell, np.random.default_rng(trial), SHAKE["float64"])
        if abs(broke - took) > (1 if took else 0):
            return None
        with np.errstate(all="ignore"):
            apart = max(apart, float(np.abs(other - end).max())) if not took else 0.0
    if took:
        return 0.0
    size = float(np.abs(end).max())
    if not ROOM * apart <= SURE * max(size, 1e-12):
        return None
    return float(f"{max(LEAST['float64'] * size, ROOM * apart, 1e-300):.1g}")
