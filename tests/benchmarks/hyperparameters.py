"""A map of 24 x 24 trainings of 200 steps beside the same trainings one after another in torch.

    python tests/benchmarks/hyperparameters.py

Goal: at least 50 times faster. The map is the whole of `landscapes.hyperparameters`: data, all 576 runs, both losses
of each, in the threads it uses. Torch is a Module with torch.optim on the same data and batch size, one thread, its
optimizer made as the exported script makes it; TORCH of the runs are timed, spread over the map, and scaled to all of
them. Wall time, medians (best) of RUNS, taken in turns. Every run that torch is timed at is also held to the map's.

How many times depends on the size of the network. Of a small one torch spends nearly all its time on the way to the
arithmetic, a few hundred microseconds a step whatever the size, and that is what the map saves. The digits (64-32-10,
23 times the weights of 2-8-8-1) have 46 times the arithmetic in a step, which both must do: there the compiled network
works at some 45 billion operations a second and core, near to what a core can, and what is left to be saved is less.
At the highest rates it is slower still, five times a run of the others: softmax and tanh saturate, their numbers lie
below the smallest normal one (1.2e-38), and processors take long over these. Flushing them to zero would make another
run than the playground's. CPU time is printed beside: it tells more than wall time where others use the cores.
"""

from __future__ import annotations

import os
import statistics
import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

for _library in ("OMP", "OPENBLAS", "MKL"):  # before NumPy loads: BLAS would keep threads of its own
    os.environ[f"{_library}_NUM_THREADS"] = "1"

import numpy as np  # noqa: E402

from engine.experiments import load  # noqa: E402
from engine.session.session import Session  # noqa: E402
from engine.spec import build  # noqa: E402

RUNS, TORCH, GOAL = 5, 4, 50
CASES: tuple[dict[str, Any], ...] = (
    {},
    {"optimizer": "adam", "y_field": "beta2"},
    {"hidden": (16, 16), "data": "spiral", "batch_size": 32},
    {"data": "digits", "hidden": (32,), "batch_size": 32},
)


def ours(settings: dict[str, Any]) -> tuple[float, Any]:
    """Seconds of the whole map, and its session."""
    experiment = load("landscapes.hyperparameters")
    began = time.perf_counter()
    session = Session(experiment, build(experiment.Spec, settings))
    session.advance(10**6)
    return time.perf_counter() - began, session


def in_torch(session: Any, cells: list[int]) -> tuple[float, list[float]]:
    """Seconds of these runs one after another, and their final losses."""
    import torch

    from engine.networks import masks

    torch.set_num_threads(1)
    made, spec = session.state.made, session.spec
    model = made.model
    x = torch.tensor(model.x)
    classes = model.description.loss == "cross_entropy"
    y = torch.tensor(model.y.reshape(-1).astype(np.int64) if classes else model.y)
    loss_of: Any = torch.nn.CrossEntropyLoss() if classes else torch.nn.BCEWithLogitsLoss()
    orders = [masks.epoch_order(spec.seed, epoch, len(x)) for epoch in range(spec.steps)]  # not timed: ours are drawn
    rounds = -(-len(x) // spec.batch_size)
    taken, ends = 0.0, []
    for cell in cells:
        rule, rate, _ = made.rule(cell)
        began = time.perf_counter()
        parts: list[torch.nn.Module] = []
        for a, b in zip(model.description.sizes, model.description.sizes[1:], strict=False):
            parts += [torch.nn.Linear(a, b), torch.nn.Tanh()]
        network = torch.nn.Sequential(*parts[:-1])
        torch.nn.utils.vector_to_parameters(torch.tensor(made.base.params), network.parameters())
        if spec.optimizer == "adam":
            beta1, beta2, eps, decay = rule.hypers
            optimizer: Any = torch.optim.Adam(network.parameters(), rate, (beta1, beta2), eps, decay)
        else:
            optimizer = torch.optim.SGD(network.parameters(), rate, rule.hypers[0], weight_decay=rule.hypers[1])
        for step in range(spec.steps):
            epoch, place = divmod(step, rounds)
            rows = orders[epoch][place * spec.batch_size : (place + 1) * spec.batch_size]
            optimizer.zero_grad()
            loss_of(network(x[rows]), y[rows]).backward()
            optimizer.step()
        with torch.no_grad():
            ends.append(float(loss_of(network(x), y)))
        taken += time.perf_counter() - began
    return taken, ends


def arithmetic(session: Any) -> float:
    """Additions and multiplications of the map in billions: two for a weight and sample, forward, and twice that
    back."""
    made, steps = session.state.made, session.state.made.steps(0)
    return 6e-9 * session.spec.batch_size * len(made.base.params) * steps * 576


def main() -> None:
    """Print a line for each case."""
    print(f"24 x 24 runs of 200 steps, seconds, median (best) of {RUNS}; goal: {GOAL} times")
    for own in CASES:
        settings = {"on": "network", "steps": 200, "activation": "tanh", **own}
        _, session = ours(settings)  # one to warm up
        cells = [24 * row + column for row, column in ((4, 4), (9, 12), (15, 8), (20, 3))][:TORCH]
        in_torch(session, cells[:1])
        mine, theirs, cpu = [], [], []
        for _ in range(RUNS):
            used = time.process_time()
            mine.append(ours(settings)[0])
            cpu.append(time.process_time() - used)
            taken, ends = in_torch(session, cells)
            theirs.append(taken / len(cells) * 576)
        found = session.experiment.found(session.state)
        apart = np.abs(np.array(ends) / found.runs.loss[found.place[cells]] - 1).max()
        a, b = statistics.median(mine), statistics.median(theirs)
        print(f"{own or 'moons, 2-8-8-1, momentum, batch 16'}\n  the map {a:6.3f} ({min(mine):.3f})   torch {b:6.1f} "
              f"({min(theirs):.1f})   {b / a:5.0f} times   losses agree to {apart:.0e}\n"
              f"  CPU {min(cpu):.3f} s, {arithmetic(session) / min(cpu):.0f} billion operations a second")  # fmt: skip


if __name__ == "__main__":
    main()
