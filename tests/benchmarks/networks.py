"""Microseconds for a training step of small networks: the compiled network beside torch, scikit-learn and ConvNetJS.

    python tests/benchmarks/networks.py

float32, SGD, one thread each, processor time of that thread; median (best) of 7 runs taken in turns. Goals: one network
at least 300, 100 and 4 times torch Module with torch.optim; sixteen at once at least 2 times better still per network
on the two small ones. ConvNetJS is run by node where `require("convnetjs")` finds it (npm install convnetjs, or
NODE_PATH).
"""

from __future__ import annotations

import itertools
import json
import os
import shutil
import statistics
import subprocess
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

# Before NumPy loads: BLAS would keep threads of its own.
for _library in ("OMP", "OPENBLAS", "MKL"):
    os.environ[f"{_library}_NUM_THREADS"] = "1"

import numpy as np  # noqa: E402

from engine.networks.description import Description  # noqa: E402
from engine.networks.initializations import initialize  # noqa: E402
from engine.networks.mlp import Mlp, Rule  # noqa: E402
from engine.networks.mlp_lanes import train_lanes  # noqa: E402

RUNS, RATE = 7, 0.01
# title, sizes, samples, batch, steps of ours a run, steps of the others a run, goal
CASES: tuple[tuple[str, tuple[int, ...], int, int, int, int, int], ...] = (
    ("2-4-2-1, batch 10", (2, 4, 2, 1), 200, 10, 40000, 200, 300),
    ("2-8-8-8-1, batch 10", (2, 8, 8, 8, 1), 200, 10, 20000, 200, 100),
    ("64-128-64-10, batch 64", (64, 128, 64, 10), 1797, 64, 400, 200, 4),
)
NODE = """
const cn = require("convnetjs"), c = JSON.parse(process.argv[1]);
const defs = [{type: "input", out_sx: 1, out_sy: 1, out_depth: c.sizes[0]}];
for (const n of c.sizes.slice(1, -1)) defs.push({type: "fc", num_neurons: n, activation: "tanh"});
defs.push({type: "softmax", num_classes: Math.max(2, c.sizes[c.sizes.length - 1])});
const net = new cn.Net(); net.makeLayers(defs);
const options = {method: "sgd", learning_rate: 0.01, momentum: 0, batch_size: c.batch};
const trainer = new cn.SGDTrainer(net, options), data = [];
for (let i = 0; i < c.samples; i++) data.push(new cn.Vol(Array.from({length: c.sizes[0]}, Math.random)));
const classes = Math.max(2, c.sizes[c.sizes.length - 1]), took = [];
let at = 0;
for (let run = 0; run <= c.runs; run++) {
  const began = process.cpuUsage();
  for (let k = 0; k < c.steps * c.batch; k++) { trainer.train(data[at], at % classes); at = (at + 1) % c.samples; }
  if (run > 0) { const t = process.cpuUsage(began); took.push((t.user + t.system) / c.steps); };
}
console.log(JSON.stringify(took));
"""


def data(sizes: tuple[int, ...], samples: int) -> tuple[Any, Any]:
    """Noise: [n, inputs] and classes [n]."""
    random = np.random.default_rng(0)
    return random.normal(size=(samples, sizes[0])).astype(np.float32), random.integers(0, max(2, sizes[-1]), samples)


def ours(sizes: tuple[int, ...], samples: int, batch: int, steps: int, lanes: int) -> Callable[[], Any]:
    """`steps` steps; `lanes` 0: one network."""
    loss = "bce" if sizes[-1] == 1 else "cross_entropy"
    mlp = Mlp(Description(sizes[0], sizes[1:-1], sizes[-1], ("tanh",) * (len(sizes) - 2), loss=loss), np.float32)  # type: ignore[arg-type]
    x, y = mlp.data(*data(sizes, samples))
    rates, rule = np.full(steps, RATE), Rule.of("sgd")
    params = np.stack([initialize(mlp.description, "torch", seed, np.float32) for seed in range(max(1, lanes))])
    states = np.stack([mlp.states("sgd")] * max(1, lanes))
    if lanes:
        return lambda: train_lanes(mlp, params, states, x, y, rule, 1, rates, batch, range(lanes))
    return lambda: mlp.train(params[0], states[0], x, y, rule, 1, rates, batch)


def torchs(sizes: tuple[int, ...], samples: int, batch: int, steps: int) -> Callable[[], Any]:
    """A Module and torch.optim.SGD, batches cut from shuffled tensors."""
    import torch

    torch.set_num_threads(1)
    parts: list[torch.nn.Module] = []
    for fan_in, fan_out in itertools.pairwise(sizes):
        parts += [torch.nn.Linear(fan_in, fan_out), torch.nn.Tanh()]
    network = torch.nn.Sequential(*parts[:-1])
    optimizer = torch.optim.SGD(network.parameters(), lr=RATE)
    inputs, classes = data(sizes, samples)
    x, y = torch.tensor(inputs), torch.tensor(classes)
    loss_of: Any = torch.nn.CrossEntropyLoss()
    if sizes[-1] == 1:
        loss_of, y = torch.nn.BCEWithLogitsLoss(), y[:, None].float()

    def run() -> None:
        for step in range(steps):
            if step * batch % samples < batch:
                order = torch.randperm(samples)
            rows = order[step * batch % samples :][:batch]
            optimizer.zero_grad()
            loss_of(network(x[rows]), y[rows]).backward()
            optimizer.step()

    return run


def scikit(sizes: tuple[int, ...], samples: int, batch: int, steps: int) -> Callable[[], Any]:
    """MLPClassifier: as many steps as whole epochs of `fit` make (with its warm start), a little over `steps`."""
    from sklearn.neural_network import MLPClassifier  # type: ignore[import-untyped]

    x, y = data(sizes, samples)
    epochs = -(-steps // -(-samples // batch))
    network = MLPClassifier(
        sizes[1:-1], activation="tanh", solver="sgd", alpha=0.0, batch_size=batch, learning_rate_init=RATE,
        momentum=0.0, max_iter=epochs, tol=0.0, n_iter_no_change=10**9, warm_start=True,
    )  # fmt: skip

    def run() -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            network.fit(x, y)

    return run


def convnet(sizes: tuple[int, ...], samples: int, batch: int, steps: int) -> list[float] | str:
    """Microseconds for a step in each run, or why there are none."""
    node = shutil.which("node")
    if node is None:
        return "node is not installed"
    case = json.dumps({"sizes": sizes, "samples": samples, "batch": batch, "steps": steps, "runs": RUNS})
    done = subprocess.run([node, "-e", NODE, case], capture_output=True, text=True, timeout=600)
    if done.returncode != 0:
        return "convnetjs is not installed" if "convnetjs" in done.stderr else done.stderr.strip().splitlines()[-1]
    return [float(one) for one in json.loads(done.stdout)]


def measure(runs: dict[str, tuple[Callable[[], Any], int]]) -> dict[str, list[float]]:
    """Microseconds for each step (of each network), after one run to warm up; taken in turns."""
    taken: dict[str, list[float]] = {name: [] for name in runs}
    for run, _ in runs.values():
        run()
    for _ in range(RUNS):
        for name, (run, steps) in runs.items():
            began = time.thread_time()
            run()
            taken[name].append(1e6 * (time.thread_time() - began) / steps)
    return taken


def main() -> None:
    """Print a table for each network."""
    print(f"float32, us for a step, median (best) of {RUNS}")
    for title, sizes, samples, batch, steps, others, goal in CASES:
        rounds = -(-samples // batch)
        runs = {
            "one network": (ours(sizes, samples, batch, steps, 0), steps),
            "16, for each": (ours(sizes, samples, batch, steps // 10, 16), steps // 10 * 16),
            "64, for each": (ours(sizes, samples, batch, steps // 40, 64), steps // 40 * 64),
            "torch Module + optim": (torchs(sizes, samples, batch, others), others),
            "scikit-learn": (scikit(sizes, samples, batch, others), -(-others // rounds) * rounds),
        }
        taken = measure(runs)
        javascript = convnet(sizes, samples, batch, others // 4)
        if not isinstance(javascript, str):
            taken["ConvNetJS"] = javascript
        middle = {name: statistics.median(times) for name, times in taken.items()}
        single, theirs = middle["one network"], middle["torch Module + optim"]
        print(f"\n{title}: goal {goal} times torch; reached {theirs / single:.0f}")
        if goal > 4:
            print(f"  sixteen at once: goal 2 times one for each; reached {single / middle['16, for each']:.1f}")
        for name, times in taken.items():
            print(f"  {name:22}{middle[name]:10.2f} ({min(times):.2f})  torch / this {theirs / middle[name]:8.1f}")
        if isinstance(javascript, str):
            print(f"  ConvNetJS             skipped: {javascript}")


if __name__ == "__main__":
    main()
