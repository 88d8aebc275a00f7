"""The networks of a run, their data, and what changes while they train."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.data import DataError, load, split
from engine.experiments.dynamics._surface.settings import batch
from engine.networks.description import Description
from engine.networks.initializations import initialize
from engine.optimizers import RULES
from engine.spec import SpecError

Array = NDArray[Any]
MOST_POINTS = 128  # of a path
MEMORY = 128 * 2**20  # bytes all paths may take
CADENCES = (1, 2, 5, 10, 20, 50, 100)


@dataclass(frozen=True, eq=False)
class Model:
    """What a run never changes. Copies share it.

    `descriptions`, `networks`: one for each contestant (an Mlp; residual: a TorchNetwork). x [n, d], y [n, 1], the
    training samples and those held back. `every`: steps between measurements; `most`: points kept of a path.
    """

    names: tuple[str, ...]
    descriptions: tuple[Description, ...]
    networks: tuple[Any, ...]
    x: Array
    y: Array
    test_x: Array
    test_y: Array
    twins: bool
    every: int
    most: int

    def __deepcopy__(self, memo: dict[int, Any]) -> Model:
        """A snapshot shares what cannot change."""
        return self

    def losses(self, s: int, params: Array, test: bool = False) -> NDArray[np.float64]:
        """The loss of contestant s at each of params [K, P]; nan for a test set without samples."""
        from engine.networks.slices import losses

        x, y = (self.test_x, self.test_y) if test else (self.x, self.y)
        if not len(x):
            return np.full(len(params), math.nan)
        with np.errstate(all="ignore"):
            return losses(self.descriptions[s], params, x, y)

    def accuracy(self, s: int, params: Array, test: bool = False) -> float:
        """Share of samples whose class is right, nan where there are none."""
        x, y = (self.test_x, self.test_y) if test else (self.x, self.y)
        if not len(x):
            return math.nan
        kept = (np.zeros(0),) if self.descriptions[s].residual else ()
        with np.errstate(all="ignore"):
            return float(self.networks[s].accuracy(params, *kept, x, y))


@dataclass
class Solution:
    """One network in training: parameters [P], the rule's numbers [3, P] (of which it uses `rows`), where it was
    (`path`: read-only, one each `spacing` steps), and the step at which its numbers were no more finite (0: never)."""

    params: Array
    numbers: Array
    rows: int
    path: list[Array]
    ended: int = 0

    def __deepcopy__(self, memo: dict[int, Any]) -> Solution:
        """A snapshot; points of the path never change and are shared."""
        numbers = np.zeros(self.numbers.shape)
        numbers[: self.rows] = self.numbers[: self.rows]
        return Solution(self.params.copy(), numbers, self.rows, list(self.path), self.ended)


@dataclass
class State:
    """`solutions`: those of the contestants, then, where lines lead to a second seed, those of their twins."""

    step: int
    spacing: int
    solutions: list[Solution]
    model: Model = field(metadata={"scratch": True})

    def path(self, s: int) -> tuple[Array, Array]:
        """Steps [n] and parameters [n, P] of the path of solution s, the parameters in hand last."""
        own = self.solutions[s]
        steps = [i * self.spacing for i in range(len(own.path))]
        points = list(own.path)
        if steps[-1] != self.step and not own.ended:
            steps.append(self.step)
            points.append(own.params)
        return np.array(steps, float), np.stack(points)

    def other(self, s: int) -> Array | None:
        """The other end of the line of contestant s; None where it is lost."""
        if not self.model.twins:
            return self.solutions[s].path[0]
        twin = self.solutions[len(self.model.names) + s]
        return None if twin.ended else twin.params


def build(spec: Any) -> Model:
    """Data and networks of the settings. Raises SpecError."""
    try:
        whole = load(spec.data, n=spec.samples, noise=spec.noise, seed=spec.seed)
        train, test = split(whole, spec.test_share, spec.seed)
    except DataError as error:
        raise SpecError("samples", str(error)) from None
    from engine.networks.mlp import Mlp

    loss: Any = "cross_entropy" if whole.kind == "classes" else "bce"
    plain = Description(len(whole.inputs), (spec.width,) * spec.depth, whole.outputs, (spec.activation,) * spec.depth,
                        loss)  # fmt: skip
    descriptions = [replace(plain, residual=name == "residual") for name in spec.contestants]
    mlp = Mlp(plain)
    networks: list[Any] = [mlp] * len(descriptions)
    if "residual" in spec.contestants:
        from engine.networks.torch_network import TorchNetwork

        networks = [TorchNetwork(d) if d.residual else mlp for d in descriptions]
    parts = [np.array(part, np.float64) for part in
             (train.x, train.y.reshape(-1, 1), test.x, test.y.reshape(-1, 1))]  # fmt: skip
    twins = spec.line == "seeds"
    solutions = len(descriptions) * (2 if twins else 1)
    most = MOST_POINTS
    while most > 16 and most * solutions * 8 * mlp.parameters > MEMORY:
        most //= 2
    return Model(
        tuple(spec.contestants), tuple(descriptions), tuple(networks), parts[0], parts[1], parts[2], parts[3], twins,
        _cadence(len(whole.x), mlp.parameters, min(batch(spec, name) or len(train.x) for name in spec.contestants)),
        most,
    )  # fmt: skip


def _cadence(samples: int, parameters: int, batch_size: int) -> int:
    """Steps between two measurements over all samples, so that measuring takes no longer than training, about."""
    step = 3.0 + 3e-4 * min(batch_size, samples) * parameters  # microseconds
    measuring = 60.0 + 1e-4 * samples * parameters
    return next((every for every in CADENCES if measuring <= every * step), CADENCES[-1])


def first(spec: Any, model: Model) -> State:
    """Everybody before the first step; twins begin from the second seed's weights."""
    solutions = []
    for seed in (spec.seed, spec.second_seed)[: 2 if model.twins else 1]:
        for d, network in zip(model.descriptions, model.networks, strict=True):
            params = np.asarray(initialize(replace(d, residual=False), spec.initialization, seed))
            rows = len(RULES[spec.optimizer].states)
            solutions.append(Solution(params, network.states(spec.optimizer), rows, [_locked(params)]))
    return State(0, 1, solutions, model)


def remember(state: State) -> None:
    """Add the parameters in hand to the paths, where the step belongs to them; thin paths that grew long."""
    if state.step % state.spacing:
        return
    for own in state.solutions:
        if not own.ended:
            own.path.append(_locked(own.params))
    if state.step // state.spacing >= state.model.most:
        state.spacing *= 2
        for own in state.solutions:
            own.path = own.path[::2]


def train(state: State, s: int, rule: Any, rates: Array, batch_size: int, seed: int) -> tuple[int, Array]:
    """Steps of solution s in place: how many were taken, and [steps, 2] losses of batches and gradient norms."""
    model, own = state.model, state.solutions[s]
    c = s % len(model.names)
    kept = (np.zeros(0),) if model.descriptions[c].residual else ()
    done, code, out = model.networks[c].train(
        own.params, *kept, own.numbers, model.x, model.y, rule, state.step + 1, rates, batch_size, seed
    )
    if code:
        own.ended = state.step + done
    return int(done), out


def _locked(params: Array) -> Array:
    copy = params.copy()
    copy.setflags(write=False)
    return copy
