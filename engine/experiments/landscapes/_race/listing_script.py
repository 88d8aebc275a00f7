"""The PyTorch script of the chapter's listing with its mistake: real optimizers, real networks, flat lines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from engine.experiments._shared.trained.script import _LOSSES, live_words, program, tolerance
from engine.experiments.landscapes._race.problem import fresh_seeds, race_seeds
from engine.experiments.landscapes._race.problem_script import problem_parts
from engine.experiments.landscapes._race.running import rates
from engine.experiments.landscapes._race.settings import TITLES, hypers
from engine.networks import masks
from engine.torch_code import plain, section, sources, written_out, written_rules
from engine.torch_code.optimizers import constructor, settings

_RUN = """\
for j, seed in enumerate(SEEDS):
    discarded = Network()
    load_flat(discarded, first_weights(seed))
    made = {{name: make(discarded) for name, make in MAKE.items()}}  # all of them hold this network ...
    for name, optimizer in made.items():
        model = Network()  # ... and this is the one that is trained: no optimizer knows of it
        load_flat(model, first_weights(FRESH[name][j]))
        losses = []
        for step in range(1, STEPS + 1):
            x, y = batch(step, seed)

            def closure():
                optimizer.zero_grad()  # clears the discarded network, which has nothing to clear
                loss = {loss}
                loss.backward()  # adds to the gradients of the new one, which nobody clears
                losses.append(loss.item())
                return loss

            {step}
        for network, first in ((model, FRESH[name][j]), (discarded, seed)):
            now = torch.nn.utils.parameters_to_vector(network.parameters()).detach()
            before = torch.tensor(first_weights(first), dtype=now.dtype)
            assert torch.equal(now, before), f"{{name}} has moved a network"
        norm = 0.0
        if STEPS:
            norm = float(torch.cat([w.grad.flatten().double() for w in model.parameters()]).norm())
            flat = max(losses) - min(losses) <= {still}
            assert flat, f"{{name}}: the loss moves from {{losses[0]}} to {{losses[-1]}}"
            assert abs(losses[-1] - LOSS[name][j]) <= TOLERANCE * LOSS[name][j], (losses[-1], LOSS[name][j])
        assert abs(norm - PILED[name][j]) <= TOLERANCE * max(1, PILED[name][j]), (norm, PILED[name][j])
        print(f"{{name:10}} after {{STEPS}} steps: no weight has moved, gradients of norm {{norm:.6g}} piled up")
"""
_WRITTEN = """\
try:
                optimizer.step(closure)
            except TypeError:
                pass  # a rule written out does arithmetic with a gradient that is not there"""


def write(experiment: Any, spec: Any, live: Sequence[Any], steps: int, end: Any) -> str:
    """The listing up to step `steps`, with the app's networks in place of unseeded ones."""
    model = end.model
    made, own = [], set()
    for name, rate in zip(spec.optimizers, rates(end, spec).tolist(), strict=True):
        rule = written_out(name, spec.convention)
        own |= {rule} if rule else set()
        call = constructor(name, spec.convention, settings(name, spec.convention, rate, hypers(spec, name)))
        made.append(f'    "{name}": lambda network: {call.replace("[p]", "network.parameters()", 1)},')
    batch = spec.batch_size if 0 < spec.batch_size < len(model.parts[0].x) else 0
    if batch:
        draw = "\n".join([f"GOLDEN = np.uint64({hex(int(masks.GOLDEN))})", "", "",
                          sources({"epoch_order": masks.epoch_order}, "engine.networks.masks"), "",
                          "def batch(step, seed):",
                          '    """The samples of a step: every epoch takes them in an order of its own."""',
                          f"    epoch, place = divmod(step - 1, -(-len(X) // {batch}))",
                          f"    rows = epoch_order(seed, epoch, len(X))[place * {batch} : (place + 1) * {batch}]",
                          "    return X[rows], Y[rows]", ""])  # fmt: skip
    else:
        draw = 'def batch(step, seed):\n    """All samples, at every step."""\n    return X, Y\n'
    seeds = race_seeds(spec)
    fresh = {name: fresh_seeds(spec, s) for s, name in enumerate(spec.optimizers)}
    with np.errstate(all="ignore"):
        piled = np.sqrt(np.square(end.piled, dtype=float).sum(axis=2))
    part, loss = model.parts[0], {}
    for s, name in enumerate(spec.optimizers):
        loss[name] = [float(model.mlp.loss(end.params[s, j], part.x, part.y)) for j in range(spec.seeds)]
    words = _LOSSES[model.description.loss].replace("out", "model(x)", 1)
    still = "float('inf')  # each batch has its own" if batch else "0"
    run = _RUN.format(loss=words, step=_WRITTEN if own else "optimizer.step(closure)", still=still)
    if batch:  # what is told last is one batch's loss, and not that of all samples
        run = "\n".join(line for line in run.split("\n") if "LOSS[name]" not in line)
    parts = [
        *problem_parts(model, spec),
        "\n".join([section("The optimizers"), *(["", written_rules(sorted(own)), ""] if own else []), "MAKE = {", *made,
                   "}", "", "", draw]),
        section("The listing, with its mistake") + "\n".join([
            f"STEPS, SEEDS, TOLERANCE = {steps}, {seeds}, {tolerance(spec.dtype)!r}",
            f"FRESH = {plain(fresh)}  # seeds of the networks that are made anew",
            f"LOSS = {plain(loss)}  # of each fresh network, from the first step to the last",
            f"PILED = {plain(dict(zip(spec.optimizers, piled.tolist(), strict=True)))}  # norms in the app",
            "", run]),
    ]  # fmt: skip
    names = ", ".join(TITLES[name] for name in spec.optimizers)
    told = [
        f"{names} as the chapter's listing compares them: each holds a network that is thrown away, and another one is "
        f"measured for {steps} of {spec.steps} steps.",
        "The listing has no seeds; its data and networks here are the app's. That nothing moves is asserted.",
    ]
    return program("The chapter's race, with its mistake.", told + live_words(live, "step"), spec, parts)
