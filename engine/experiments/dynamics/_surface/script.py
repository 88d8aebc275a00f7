"""The PyTorch script of a loss surface: networks trained again, three points of each surface computed again."""

from __future__ import annotations

import copy
import re
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.experiments.dynamics._surface.cuts import Cut, cut_of
from engine.experiments.dynamics._surface.model import State
from engine.experiments.dynamics._surface.settings import CONTESTANTS, SLICES, batch, rate
from engine.networks.slices import plane
from engine.optimizers import RULES
from engine.spec import changed
from engine.torch_code import header, section
from engine.torch_code.networks import LOAD_FLAT
from engine.torch_code.training import training_script
from engine.torch_code.training_run import UNPACKED, TrainingRun, numbers

Array = NDArray[Any]
LEAST, ROOM = 1e-8, 30.0  # the least tolerance, and how much further than a shaken run the script may end
SHAKES = 50  # how often a run is shaken
PLACES = np.array([[0.0, 0.0], [0.35, 0.75], [0.9, 0.2]])  # of the extent drawn, but for the first: the centre
_LOSSES = {"bce": "binary_cross_entropy_with_logits", "cross_entropy": "cross_entropy"}

_POINTS = """\
for a, b, expected in {points}:
    load_flat(model, CENTRE + a * DIRECTIONS[0] + b * DIRECTIONS[1])
    with torch.no_grad():
        value = torch.nn.functional.{loss}(model(X), Y).item()
    print(f"loss {{value:.10g}} at ({{a:.4g}}, {{b:.4g}}), in the app {{expected:.10g}}")
    assert abs(value - expected) <= 1e-8 * max(1, abs(expected)), "the surface is not the app's"
"""

_FILTERS = """\
lengths = []
for flat in [CENTRE, *DIRECTIONS]:
    load_flat(model, flat)
    lengths.append(torch.cat([w.detach().norm(dim=1) for w in model.parameters() if w.ndim == 2]))
assert all(torch.allclose(own, lengths[0]) for own in lengths[1:]), "a filter's direction has another norm"
"""


def write(experiment: Any, spec: Any, events: Sequence[Any], steps: int, end: State) -> str:
    """The script of `steps` steps under `spec` and its live `events`, which asserts what `end` holds."""
    live = sorted((e for e in events if e.step < steps), key=lambda e: e.step)
    pieces = [(0, spec)]
    for event in live:
        pieces.append((event.step, changed(pieces[-1][1], event.key, event.value)))
    start = experiment.start(spec)
    shaken = _walk(experiment, copy.deepcopy(start), pieces, steps, np.random.default_rng(0))
    names, last = end.model.names, pieces[-1][1]
    both = len(names) * (2 if end.model.twins and last.slice == "line" else 1)
    parts = []
    for s in range(both):
        run = _run(experiment, pieces, steps, start, end, shaken, s)
        own = _Sections(training_script("", (), run))
        title = CONTESTANTS[names[s % len(names)]] + (f", seed {spec.second_seed}" if s >= len(names) else "")
        parts.append((title, own, _points(last, end, s) if s < len(names) else ""))
    body = "\n".join(f"{section(title)}\n{own.rest}\n{points}" for title, own, points in parts)
    chance = max((own.chance for _, own, _ in parts), key=len)
    body = "\n".join([chance, parts[0][1].data, LOAD_FLAT, body])
    if "unpacked(" in body:
        body = f"{UNPACKED}\n{body}"
    imports = [f"import {name}" for name in ("base64", "zlib") if f"{name}." in body]
    imports += [""] * bool(imports) + [
        "import numpy as np",
        "import torch",
        "",
        "torch.set_default_dtype(torch.float64)",
    ]
    imports += ["torch.set_num_threads(1)  # small tensors: more threads only cost time"]
    body = re.sub(r"\n{4,}", "\n\n\n", body).strip("\n")
    return header("The loss surface around trained networks.", _words(spec, live, steps), imports) + f"\n{body}\n"


class _Sections:
    """One network's script taken apart: `chance`: functions that draw; `data`; `rest`: the run, but for these."""

    def __init__(self, script: str) -> None:
        script = script.replace(UNPACKED, "").replace(LOAD_FLAT, "")
        found = re.split(r"(?m)^(?=# -- )", script)
        self.chance = "".join(part for part in found if part.startswith("# -- Chance "))
        self.data = "".join(part for part in found if part.startswith("# -- The data "))
        kept = [part for part in found[1:] if not part.startswith(("# -- Chance ", "# -- The data "))]
        self.rest = re.sub(r"\n{3,}", "\n\n", "".join(kept))


def _words(spec: Any, live: Sequence[Any], steps: int) -> list[str]:
    told = [
        f"{spec.depth} hidden layers of {spec.width} on {spec.data}; {RULES[spec.optimizer].title}, {steps} steps, "
        f"seed {spec.seed}, float64.",
    ]
    if live:
        told.append("Changed during the run: " + "; ".join(f"{e.key} = {e.value!r} from step {e.step + 1} on"
                                                           for e in live) + ".")  # fmt: skip
    told.append(
        "Written by Descent Lab. Each network is trained again and must end where it ended in the app; then the loss "
        "is computed at three points of the plane drawn. It needs torch and NumPy and nothing else."
    )
    return told


def _run(
    experiment: Any, pieces: Sequence[tuple[int, Any]], steps: int, start: State, end: State, shaken: State, s: int
) -> TrainingRun:
    """What the script repeats of solution s."""
    spec, model = pieces[0][1], end.model
    c = s % len(model.names)
    name, own, other = model.names[c], end.solutions[s], shaken.solutions[s]
    taken, diverged, final = own.ended or steps, bool(own.ended), own.params
    if s != c and end.solutions[c].ended and not own.ended:  # it stands still with the one it belongs to
        taken = end.solutions[c].ended
    if diverged and other.ended != own.ended:  # rounding decides when: the step before is asserted
        taken, diverged = own.ended - 1, False
        final = _walk(experiment, copy.deepcopy(start), pieces, taken, None).solutions[s].params
        other = _walk(experiment, copy.deepcopy(start), pieces, taken, np.random.default_rng(0)).solutions[s]
    tolerance = LEAST
    if not diverged and np.isfinite(other.params).all():
        apart = np.abs(final - other.params) / np.maximum(1.0, np.abs(final))
        tolerance = float(f"{max(LEAST, ROOM * float(apart.max())):.1g}")
    rates, changes = np.empty(taken), []
    bounds = [*(min(step, taken) for step, _ in pieces), taken]
    for i, (step, piece) in enumerate(pieces):
        rates[bounds[i] : bounds[i + 1]] = rate(piece, name)
        if i > 0 and step < taken:
            before = pieces[i - 1][1]
            new = {"batch_size": float(batch(piece, name)), "l2": float(piece.l2)}
            old = {"batch_size": float(batch(before, name)), "l2": float(before.l2)}
            if new != old:
                changes.append((step, {key: value for key, value in new.items() if value != old[key]}))
    hypers = {h.name: h.default for h in RULES[spec.optimizer].hypers}
    return TrainingRun(
        model.descriptions[c], start.solutions[s].params, model.x, model.y, spec.optimizer, spec.convention, rates,
        hypers, taken, final, 0.0, spec.l2, False, 0.0, batch(spec, name),
        spec.seed if s == c else spec.second_seed, tolerance, live=changes, diverged=diverged,
    )  # fmt: skip


def _walk(
    experiment: Any, state: State, pieces: Sequence[tuple[int, Any]], steps: int, random: np.random.Generator | None
) -> State:
    """Train under the settings of each piece; `random` shakes numbers by as much as the steps since may have."""
    block = max(1, steps // SHAKES)
    bounds = [*(min(step, steps) for step, _ in pieces[1:]), steps]
    for (_, piece), until in zip(pieces, bounds, strict=True):
        while state.step < until:
            n = min(block, until - state.step)
            if not experiment.advance(state, piece, n).rows:
                return state
            size = 2.0 * float(np.finfo(float).eps) * n**0.5
            for own in state.solutions if random is not None else ():
                for values in (own.params, own.numbers[: own.rows]):
                    values *= 1 + size * random.uniform(-1, 1, values.shape)  # type: ignore[union-attr]
    return state


def _points(spec: Any, end: State, s: int) -> str:
    """Three points of the plane in force, computed by torch."""
    if end.solutions[s].ended:
        return ""
    cut: Cut = cut_of(end, spec, s)
    x0, x1, y0, y1 = cut.extent
    where = PLACES * [x1 - x0, y1 - y0] + [x0, y0]
    where[0] = 0.0
    with np.errstate(all="ignore"):
        values = plane(end.model.descriptions[s], cut.params, where, end.model.x, end.model.y)
    told = [(float(a), float(b), float(v)) for (a, b), v in zip(where, values, strict=True) if np.isfinite(v)]
    lines = [
        section("Three points of the surface", f"{SLICES[spec.slice]}: a centre and two directions."),
        numbers("CENTRE", cut.params[0]),
        numbers("DIRECTIONS", cut.params[1:]),
        "model.eval()",
        _POINTS.format(points=told, loss=_LOSSES[end.model.descriptions[s].loss]),
    ]
    if spec.slice == "random" and spec.scaling == "filter":
        lines.append(_FILTERS)
    return "\n".join(lines)
