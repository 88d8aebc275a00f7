"""Runs of a map on a network: each is the run that `networks.playground` makes, in the kernel that makes it there.

The kernel for sixteen networks at once adds up in another order, so that its ends differ in the last bits from those
of one network alone. Here every run has the kernel for one, and several threads share the runs: what a cell says is
what the playground then shows, to the bit.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from engine.experiment import Array
from engine.experiments.landscapes._hyperparameters.axes import axes
from engine.experiments.landscapes._hyperparameters.runs import Runs, finished, shrinking
from engine.experiments.landscapes._hyperparameters.settings import hyper_of
from engine.optimizers import RULES
from engine.spec import build, value_of

THREADS = 4
POINTS = 60  # of a run's curve: the loss over all training samples is measured so often


class NetworkRuns:
    """Every run of one map: the data, the network and its first weights, which all of them share."""

    theory = None

    def __init__(self, spec: Any) -> None:
        from engine.experiments.networks._playground.settings import PlaygroundSpec
        from engine.experiments.networks.playground import Playground

        self.spec = spec
        self.across, self.up = axes(spec, 0.0)
        self._playground = Playground()
        base = build(PlaygroundSpec, self.handed(0)[1])
        self._playground.check(base)
        self.base = self._playground.start(base)
        self.model = self.base.model
        self.first = self.model.loss(self.base)

    def __deepcopy__(self, memo: dict[int, Any]) -> NetworkRuns:
        return self

    def values(self, cell: int) -> dict[str, float]:
        """What the fields of the map are in a cell (a place in the flattened map)."""
        row, column = divmod(int(cell), self.across.cells)
        return {self.up.field: float(self.up.values[row]), self.across.field: float(self.across.values[column])}

    def handed(self, cell: int) -> tuple[str, dict[str, Any]]:
        """The experiment that makes this very run, and its settings."""
        spec, found = self.spec, self.values(cell)
        rule = spec.optimizer
        hypers = {h.name: float(value_of(spec, f"{rule}.{h.name}")) for h in RULES[rule].hypers}
        hypers |= {hyper_of(field, rule): value for field, value in found.items() if hyper_of(field, rule)}
        settings = {
            **{key: getattr(spec, key) for key in ("data", "samples", "noise", "hidden", "activation", "initialization",
                                                   "optimizer", "convention", "steps", "seed", "dtype")},
            "batch_size": round(found.get("batch_size", spec.batch_size)), "clip": found.get("clip", spec.clip),
            "learning_rate": found.get("learning_rate", spec.learning_rate),
            **{f"{rule}.{name}": value for name, value in hypers.items()},
        }  # fmt: skip
        return "networks.playground", settings

    def rule(self, cell: int) -> tuple[Any, float, int]:
        """What changes the weights in a cell, the learning rate and the batch size."""
        from engine.networks.mlp import Rule

        _, told = self.handed(cell)
        name = self.spec.optimizer
        hypers = {h.name: told[f"{name}.{h.name}"] for h in RULES[name].hypers}
        rule = Rule.of(name, hypers, convention=self.spec.convention, clip=told["clip"])
        return rule, told["learning_rate"], told["batch_size"]

    # -- running -----------------------------------------------------------------------------------------------------

    def train(
        self, cell: int, points: int = 1, shaken: np.random.Generator | None = None, size: float = 0.0
    ) -> tuple[Any, Array, int, list[tuple[int, float]]]:
        """One run, cut in so many pieces (which changes nothing): its last state, the loss of each step's batch, the
        step at which it overflowed or 0, and (step, loss over all training samples) after each piece.

        `shaken`: before each piece every weight is moved by about the share `size` of itself.
        """
        import copy

        rule, rate, batch = self.rule(cell)
        state, steps = copy.deepcopy(self.base), int(self.spec.steps)
        losses, seen, took = [], list[tuple[int, float]](), 0
        for until in np.unique(np.linspace(0, steps, min(steps, points) + 1).round().astype(int))[1:].tolist():
            if shaken is not None:
                state.params *= (1.0 + size * shaken.uniform(-1, 1, state.params.shape)).astype(state.params.dtype)
            rates = np.full(until - state.step, rate)
            done, fine, told = self.model.train(state, rule, rates, batch, self.spec.seed)
            state.step += done
            losses.append(told[:, 0])
            with np.errstate(all="ignore"):  # of a run that overflowed
                seen.append((state.step, self.model.loss(state)))
            if not fine:
                took = state.step
                break
        return state, np.concatenate(losses), took, seen

    def _end(self, cell: int) -> tuple[float, float, float, Array, int]:
        state, losses, took, seen = self.train(cell)
        with np.errstate(all="ignore"):
            test, accuracy = self.model.loss(state, test=True), self.model.accuracy(state, test=True)
        return seen[-1][1], test, accuracy, losses, took

    def run(self, cells: Array) -> Runs:
        """The runs of these cells [n]. The rate is that of the batches' losses."""
        with ThreadPoolExecutor(THREADS, "runs") as pool:
            ends = list(pool.map(self._end, cells.tolist()))
        sizes = np.full((len(ends), int(self.spec.steps)), np.nan)
        for row, (_, _, _, losses, _) in zip(sizes, ends, strict=True):
            row[: len(losses)] = losses
        loss, test, accuracy = (np.array([end[i] for end in ends], float) for i in range(3))
        took = np.array([end[4] for end in ends], np.int64)
        until = np.where(took > 0, took, sizes.shape[1])
        rate = shrinking(sizes, until)
        rate = np.where(np.isnan(rate) & (took == 0), 1.0, rate)
        return finished(loss, test, accuracy, rate, took, np.full(len(ends), self.first))

    def curve(self, cell: int) -> tuple[Array, Array]:
        """Some steps and the losses over all training samples after them, the first included."""
        at, losses = zip((0, self.first), *self.train(cell, POINTS)[3], strict=True)
        return np.array(at, float), np.array(losses)


def runs_of(spec: Any) -> Any:
    """The runs of a map: SurfaceRuns or NetworkRuns. Raises SpecError."""
    if spec.on == "network":
        return NetworkRuns(spec)
    from engine.experiments.landscapes._hyperparameters.surface_runs import SurfaceRuns

    return SurfaceRuns(spec)
