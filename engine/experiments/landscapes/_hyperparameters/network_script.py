"""The PyTorch script of a map of runs on a network."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

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
from engine.networks import masks
from engine.optimizers import RULES
from engine.torch_code import section, sources, written_out, written_rules
from engine.torch_code.networks import LOAD_FLAT, module_source
from engine.torch_code.training_run import numbers

_LOOP = '''\
def batch(step, size):
    """The samples of a step: every epoch takes them in an order of its own."""
    size = min(size or len(X), len(X))
    if size == len(X):
        return X, Y
    epoch, place = divmod(step - 1, -(-len(X) // size))
    rows = epoch_order(SEED, epoch, len(X))[place * size : (place + 1) * size]
    return X[rows], Y[rows]


for {columns} in CELLS:
{world}    model = Network()
    load_flat(model, INITIAL)
    {make}
    losses, broken = [], 0
    for step in range(1, {steps} + 1):
        x, y = batch(step, size)

        def closure():
            model.zero_grad()
            out = model(x)
            loss = {loss}
            loss.backward(){flat}
            if clip:
                torch.nn.utils.clip_grad_norm_({clipped}, clip)
            losses.append(loss.item())
            return loss

        optimizer.step(closure)
        if not (np.isfinite(losses[-1]) and all(torch.isfinite(w).all() for w in model.parameters())):
            broken = step
            break
    with torch.no_grad():
        out, y = model(X), Y
        found = float({loss})
    print(f"{{name}}: overflows at step {{broken}}" if broken else f"{{name}}: final loss {{found:.6g}}")
    if tolerance is None:
        continue  # rounding decides what becomes of it
    assert abs(broken - overflow) <= 1, f"{{name}}: overflow at step {{broken}}, in the app at {{overflow}} (0: none)"
    if not overflow:
        assert abs(found - end) <= tolerance, f"{{name}} ended at loss {{found}}, in the app at {{end}}"
print(f"{{sum(cell[-1] is not None for cell in CELLS)}} runs end where they end in the app.")
'''
_LOSSES = {
    "mse": "torch.nn.functional.mse_loss(out, y)",
    "bce": "torch.nn.functional.binary_cross_entropy_with_logits(out, y)",
    "cross_entropy": "torch.nn.functional.cross_entropy(out, y)",
}


def text(spec: Any, found: Measured, cells: list[int]) -> str:
    """The script of these cells."""
    made, rows, unsure = found.made, [], 0
    worlds = list(dict.fromkeys(made.world(cell) for cell in cells))
    lengths = "steps" in over(spec)
    own = written_out(spec.optimizer, spec.convention)
    for cell in cells:
        rule, rate, batch = made.rule(cell)
        hypers = {h.name: value for h, value in zip(RULES[spec.optimizer].hypers, rule.hypers, strict=True)}
        _, _, took, seen = made.train(cell)
        tolerance = _trust_network(made, cell, seen[-1][1], took)
        unsure += tolerance is None
        make = maker(spec, rate, hypers)
        if not own:
            make = make.replace("lambda p:", "lambda model:").replace("[p]", "model.parameters()", 1)
        rows.append((
            repr(words(found, cell)).replace("'", '"'), make, str(batch), repr(float(rule.clip)),
            *([str(worlds.index(made.world(cell)))] if len(worlds) > 1 else []),
            *([str(made.steps(cell))] if lengths else []), str(took), "None" if took else repr(seen[-1][1]),
            repr(tolerance),
        ))  # fmt: skip
    make, flat = "optimizer = make(model)", ""
    if own:
        make = ("p = torch.nn.utils.parameters_to_vector(model.parameters()).detach().requires_grad_()\n    "
                "torch.nn.utils.vector_to_parameters(p.data, model.parameters())  # views of one vector\n    "
                "optimizer = make(p)")  # fmt: skip
        flat = "\n            p.grad = torch.nn.utils.parameters_to_vector([w.grad for w in model.parameters()])"
    begun = [made.begin(next(cell for cell in cells if made.world(cell) == world))[0] for world in worlds]
    small = any(0 < int(row[2]) < len(state.model.x) for row in rows for state in begun)
    order = [f"GOLDEN = np.uint64({hex(int(masks.GOLDEN))})", "", "",
             sources({"epoch_order": masks.epoch_order}, "engine.networks.masks"), "", ""] if small else []  # fmt: skip
    loop = _LOOP if small else re.sub(
        r'def batch.*?\n\n\n', 'def batch(step, size):\n    """All samples, at every step."""\n    return X, Y\n\n\n',
        _LOOP, count=1, flags=re.DOTALL,
    )  # fmt: skip
    seeds = [made.seed(next(cell for cell in cells if made.world(cell) == world)) for world in worlds]
    columns = ["name", "make", "size", "clip", *(["world"] if len(worlds) > 1 else []),
               *(["steps"] if lengths else []), "overflow", "end", "tolerance"]  # fmt: skip
    told_of = [
        "What it is, optimizer, batch size (0: all samples), norm to clip at",
        *(["which of the worlds above"] if len(worlds) > 1 else []), *(["how many steps"] if lengths else []),
        "the step at which it overflowed in the app (0: it did not)",
        "its final loss there, and how far off that may be.",
    ]  # fmt: skip
    parts = [
        LOAD_FLAT,
        *_worlds(begun, seeds),
        written_rules([own]) if own else "",
        section("The runs", ", ".join(told_of))
        + ("" if lengths else f"STEPS = {spec.steps}\n") + cells_text(rows),
        "\n".join(order)
        + loop.format(make=make, flat=flat, loss=_LOSSES[made.model.description.loss], columns=", ".join(columns),
                      world="    X, Y, INITIAL, SEED, Network = WORLDS[world]\n" if len(worlds) > 1 else "",
                      steps="steps" if lengths else "STEPS", clipped="[p]" if own else "model.parameters()"),
    ]  # fmt: skip
    return program(f"A map of runs of a network on {spec.data}.", told(spec, found, cells, unsure), spec.dtype, parts)


def _worlds(begun: list[Any], seeds: list[int]) -> list[str]:
    """Data, network, first weights and seed; where they are not the same for all cells, a list of them."""
    parts: list[str] = []
    many = len(begun) > 1
    for k, (state, seed) in enumerate(zip(begun, seeds, strict=True)):
        model = state.model
        classes = model.description.loss == "cross_entropy"
        y = model.y.astype(float)
        kind = "torch.long" if classes else "torch.get_default_dtype()"
        same = k and model.description == begun[k - 1].model.description
        parts += [
            section(f"World {k}: the data" if many else "The data") + "\n".join([
                numbers("X", model.x.astype(float)), numbers("Y", y.reshape(-1) if classes else y),
                "X = torch.tensor(X, dtype=torch.get_default_dtype())", f"Y = torch.tensor(Y, dtype={kind})"]),
            "" if same else "\n".join([section("The network"), "", module_source(model.description)]),
            "\n".join([numbers("INITIAL", state.params.astype(float)), f"SEED = {seed}",
                       *(([] if k else ["WORLDS = []"]) + ["WORLDS.append((X, Y, INITIAL, SEED, Network))"] if many
                         else [])]),
        ]  # fmt: skip
    return parts


def _trust_network(made: Any, cell: int, end: float, took: int) -> float | None:
    dtype, apart = made.spec.dtype, 0.0
    for trial in range(TRIALS):
        _, _, broke, seen = made.train(cell, 20, np.random.default_rng(trial), SHAKE[dtype])
        if abs(broke - took) > (1 if took else 0):
            return None
        apart = max(apart, abs(seen[-1][1] - end)) if not took else 0.0
    if took:
        return 0.0
    if not ROOM * apart <= SURE * max(1.0, abs(end)):
        return None
    return float(f"{max(LEAST[dtype] * max(1.0, abs(end)), ROOM * apart):.1g}")
