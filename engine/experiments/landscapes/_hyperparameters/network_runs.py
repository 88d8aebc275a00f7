"""Runs of a map on a network: each is the run that `networks.playground` makes, in the kernel that makes it there.

The kernel for sixteen networks at once adds up in another order, so that its ends differ in the last bits from those
of one network alone. Here every run has the kernel for one, and several threads share the runs: what a cell says is
what the playground then shows, to the bit.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from threading import Lock
from typing import Any

import numpy as np

from engine.experiment import Array
from engine.experiments.landscapes._hyperparameters.axes import axes
from engine.experiments.landscapes._hyperparameters.runs import Runs, finished, shrinking
from engine.experiments.landscapes._hyperparameters.settings import hyper_of
from engine.optimizers import RULES
from engine.spec import build, value_of
from engine.turns import give_way

THREADS = 4
WORLDS = ("seed", "noise", "samples", "units")  # fields that make other data or other first weights
KEPT = 64  # beginnings: data, network and first weights
POINTS = 60  # of a run's curve: the loss over all training samples is measured so often


class NetworkRuns:
    """Every run of one map: the data, the network and its first weights, which all of them share unless the map goes
    over what makes them."""

    theory = None

    def __init__(self, spec: Any) -> None:
        from engine.experiments.networks._playground.settings import PlaygroundSpec
        from engine.experiments.networks.playground import Playground

        self.spec = spec
        self.across, self.up = axes(spec, 0.0)
        self._spec, self._playground = PlaygroundSpec, Playground()
        self._begun: dict[tuple[float, ...], tuple[Any, float]] = {}
        self._lock = Lock()
        middle = self.across.cells * (self.up.cells // 2) + self.across.cells // 2
        self._playground.check(build(PlaygroundSpec, self.handed(middle)[1]))
        self.base, self.first = self.begin(middle)
        self.model = self.base.model

    def __deepcopy__(self, memo: dict[int, Any]) -> NetworkRuns:
        return self

    def values(self, cell: int) -> dict[str, float]:
        """What the fields of the map are in a cell (a place in the flattened map)."""
        row, column = divmod(int(cell), self.across.cells)
        return {self.up.field: float(self.up.values[row]), self.across.field: float(self.across.values[column])}

    def world(self, cell: int) -> tuple[float, ...]:
        """What tells a cell's data and first weights from those of others: empty where all share them."""
        return tuple(value for field, value in self.values(cell).items() if field in WORLDS)

    def begin(self, cell: int) -> tuple[Any, float]:
        """The state of a cell's run before its first step, which nobody changes, and its loss."""
        key = self.world(cell)
        found = self._begun.get(key)
        if found is None:
            state = self._playground.start(build(self._spec, self.handed(cell)[1]))
            found = state, state.model.loss(state)
            with self._lock:
                self._begun[key] = found
                if len(self._begun) > KEPT:
                    del self._begun[next(iter(self._begun))]
        return found

    def steps(self, cell: int) -> int:
        """How long a cell's run is."""
        return int(self.values(cell).get("steps", self.spec.steps))

    def seed(self, cell: int) -> int:
        """The seed of a cell's run."""
        return int(self.values(cell).get("seed", self.spec.seed))

    def handed(self, cell: int) -> tuple[str, dict[str, Any]]:
        """The experiment that makes this very run, and its settings."""
        spec, found = self.spec, self.values(cell)
        rule = spec.optimizer
        hypers = {h.name: float(value_of(spec, f"{rule}.{h.name}")) for h in RULES[rule].hypers}
        hypers |= {hyper_of(field, rule): value for field, value in found.items() if hyper_of(field, rule)}
        settings = {
            **{key: getattr(spec, key) for key in ("data", "activation", "initialization", "optimizer", "convention",
                                                   "dtype")},
            "samples": int(found.get("samples", spec.samples)), "noise": found.get("noise", spec.noise),
            "hidden": (int(found["units"]),) * len(spec.hidden) if "units" in found else spec.hidden,
            "steps": self.steps(cell), "seed": self.seed(cell),
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

        give_way()
        rule, rate, batch = self.rule(cell)
        state, steps, seed = copy.deepcopy(self.begin(cell)[0]), self.steps(cell), self.seed(cell)
        model = state.model
        losses, seen, took = [], list[tuple[int, float]](), 0
        for until in np.unique(np.linspace(0, steps, min(steps, points) + 1).round().astype(int))[1:].tolist():
            if shaken is not None:
                state.params *= (1.0 + size * shaken.uniform(-1, 1, state.params.shape)).astype(state.params.dtype)
            rates = np.full(until - state.step, rate)
            done, fine, told = model.train(state, rule, rates, batch, seed)
            state.step += done
            losses.append(told[:, 0])
            with np.errstate(all="ignore"):  # of a run that overflowed
                seen.append((state.step, model.loss(state)))
            if not fine:
                took = state.step
                break
        return state, np.concatenate(losses), took, seen

    def _end(self, cell: int) -> tuple[float, float, float, Array, int, float]:
        state, losses, took, seen = self.train(cell)
        with np.errstate(all="ignore"):
            test, accuracy = state.model.loss(state, test=True), state.model.accuracy(state, test=True)
        return seen[-1][1], test, accuracy, losses, took, self.begin(cell)[1]

    def run(self, cells: Array) -> Runs:
        """The runs of these cells [n]. The rate is that of the batches' losses."""
        contexts = [copy_context() for _ in cells]
        with ThreadPoolExecutor(THREADS, "runs") as pool:
            # each thread gives way to whom the caller does
            ends = list(pool.map(lambda own, cell: own.run(self._end, cell), contexts, cells.tolist()))
        whole = np.array([self.steps(cell) for cell in cells.tolist()], np.int64)
        sizes = np.full((len(ends), int(whole.max())), np.nan)
        for row, (_, _, _, losses, _, _) in zip(sizes, ends, strict=True):
            row[: len(losses)] = losses
        loss, test, accuracy, first = (np.array([end[i] for end in ends], float) for i in (0, 1, 2, 5))
        took = np.array([end[4] for end in ends], np.int64)
        until = np.where(took > 0, took, whole)
        rate = shrinking(sizes, until)
        rate = np.where(np.isnan(rate) & (took == 0), 1.0, rate)
        return finished(loss, test, accuracy, rate, took, first)

    def curve(self, cell: int) -> tuple[Array, Array]:
        """Some steps and the losses over all training samples after them, the first included."""
        at, losses = zip((0, self.begin(cell)[1]), *self.train(cell, POINTS)[3], strict=True)
        return np.array(at, float), np.array(losses)


def runs_of(spec: Any) -> Any:
    """The runs of a map: SurfaceRuns or NetworkRuns. Raises SpecError."""
    if spec.on == "network":
        return NetworkRuns(spec)
    from engine.experiments.landscapes._hyperparameters.surface_runs import SurfaceRuns

    return SurfaceRuns(spec)
