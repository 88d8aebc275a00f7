"""Plain against residual at the same depth and with equally many parameters: chapter 10.4.2; He et al. 2016."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from engine.experiment import Array, Basis, Columns, Curve, Drawn, Ending, Picture
from engine.experiments.networks._depth import pictures
from engine.experiments.networks._depth.pictures import STUCK, Told, guessing, spread, stops
from engine.experiments.networks._depth.settings import NETWORKS, DepthSpec, check, depths
from engine.experiments.networks._depth.training import Samples, Team, samples
from engine.spec import Spec

COLUMNS = (
    "depth", "update", "batch_loss", "first_gradient", "last_gradient", "train_loss", "train_low", "train_high",
    "train_accuracy", "test_loss", "test_accuracy", "final_loss", "final_low", "final_high", "lost",
)  # fmt: skip
ALWAYS = ("depth", "update", "lost")
OF_UPDATE = ("batch_loss", "first_gradient", "last_gradient")
AT = {name: i for i, name in enumerate(COLUMNS)}


@dataclass
class State:
    """The networks of the depth in hand, the `place` of that depth; `told`: what was measured of it so far; `past`:
    that of every depth, the one in hand included once it is trained to the end; `row`: the last row of every column;
    who has `ended` at which step."""

    step: int
    place: int
    teams: list[Team]
    told: Told
    past: tuple[tuple[int, Told], ...]
    row: Array
    data: Samples = field(metadata={"scratch": True})
    ended: dict[int, int] = field(default_factory=dict)

    def __deepcopy__(self, memo: dict[int, Any]) -> State:
        """A snapshot. What was told never changes and is shared."""
        teams = [copy.deepcopy(team, memo) for team in self.teams]
        return State(self.step, self.place, teams, self.told, self.past, self.row, self.data, dict(self.ended))


class Depth(Basis):
    """See the module's text. One step is one update of all networks; a sweep trains one depth after another.

    What is told of a contestant is the median over its seeds with the lowest and the highest of them; a lost seed is
    infinitely bad. A contestant ends when all of its seeds are lost. Losses over all samples are measured every so
    many updates and at the last of a depth.
    """

    id: ClassVar[str] = "networks.depth"
    title: ClassVar[str] = "Depth and residual blocks"
    section: ClassVar[str] = "10.4.2"
    summary: ClassVar[str] = "Plain and residual networks of equal depth and size, trained side by side."
    Spec: ClassVar[type[Spec]] = DepthSpec
    columns: ClassVar[tuple[str, ...]] = COLUMNS
    loss: ClassVar[str] = "train_loss"
    step_columns: ClassVar[tuple[str, ...]] = OF_UPDATE
    sparse: ClassVar[tuple[str, ...]] = tuple(name for name in COLUMNS if name not in (*ALWAYS, *OF_UPDATE))
    large: ClassVar[int] = 2
    unit: ClassVar[str] = "update"
    steps_key: ClassVar[str] = ""
    pace: ClassVar[float] = 60.0
    plots: ClassVar[tuple[Curve | Picture, ...]] = (
        Curve("train_loss", "Training loss", "cross-entropy", log=True, x_label="update",
              band=("train_low", "train_high")),
        Picture("gradient", "Gradient at every layer", "lines", "layer", "‖∂J/∂W‖", log=True, every=0.3),
        Picture("blocks", "One block of each", "blocks", every=3600.0),
        Picture("depths", "Loss over depth", "lines", "layers", "cross-entropy", log=True,
                every=0.3, empty="Comes at the end"),
        Picture("table", "Standing", "table", every=0.3),
        Picture("boundary", "What it answers", "map", "x1", "x2", every=0.4, empty="For two inputs only"),
        Picture("moved", "How far every layer has moved", "lines", "layer", "‖W − W₀‖ / ‖W₀‖", log=True, every=0.3),
        Curve("train_accuracy", "Training accuracy", "share right", x_label="update"),
        Curve("test_loss", "Test loss", "cross-entropy", log=True, x_label="update"),
        Curve("first_gradient", "Gradient over time", "‖∂J/∂W‖", log=True, x_label="update",
              others=("last_gradient",),
              words={"first_gradient": "second layer", "last_gradient": "last but one"}),
    )  # fmt: skip

    # -- settings ----------------------------------------------------------------------------------------------------

    def check(self, spec: Any) -> None:
        """Somebody must take part, on samples that exist, and an update must not take long."""
        check(spec)

    def series(self, spec: Any) -> tuple[str, ...]:
        """The networks, as chosen."""
        return tuple(spec.networks)

    def label(self, series: str) -> str:
        """A network's title."""
        return NETWORKS.get(series, series)

    def steps(self, spec: Any) -> int:
        """The updates of all depths."""
        return int(spec.steps) * len(depths(spec))

    # -- running -----------------------------------------------------------------------------------------------------

    def start(self, spec: Any) -> State:
        """The first depth."""
        state = State(0, -1, [], (), (), np.full((len(COLUMNS), len(spec.networks)), np.nan), samples(spec))
        self._begin(state, spec)
        state.row = self._row(state, spec, 0, True)
        return state

    def _begin(self, state: State, spec: Any) -> None:
        """The next depth: its networks as they are before the first update."""
        state.place += 1
        depth = depths(spec)[state.place]
        state.teams = [Team.fresh(spec, name, depth, state.data) for name in spec.networks]
        for c in state.ended:
            state.teams[c].lost[:] = 1
        state.told = ()
        self._evaluate(state, 0)

    def _evaluate(self, state: State, update: int) -> None:
        found = np.stack([team.measured(state.data) for team in state.teams], axis=1)
        found.setflags(write=False)
        state.told = (*state.told, (update, found))

    def _row(self, state: State, spec: Any, update: int, measured: bool) -> Array:
        """The columns [columns, contestants] behind an update."""
        row = np.full((len(COLUMNS), len(state.teams)), np.nan)
        row[AT["depth"]], row[AT["update"]] = depths(spec)[state.place], update
        row[AT["lost"]] = [int((team.lost > 0).sum()) for team in state.teams]
        if update:
            for name, key in zip(OF_UPDATE, ("batch_loss", "first", "last"), strict=True):
                row[AT[name]] = spread(np.stack([getattr(team, key) for team in state.teams]))[0]
        if measured:
            now = state.told[-1][1]
            for name, values in zip(("train_loss", "train_low", "train_high"), spread(now[0]), strict=True):
                row[AT[name]] = values
            row[AT["test_loss"]] = spread(now[2])[0]
            for name, part in (("train_accuracy", 1), ("test_accuracy", 3)):
                for c, own in enumerate(now[part]):
                    known = own[np.isfinite(own)]
                    row[AT[name], c] = np.median(known) if known.size else np.nan
            if update == spec.steps:
                for name, values in zip(("final_loss", "final_low", "final_high"), spread(now[0]), strict=True):
                    row[AT[name]] = values
        row[:, list(state.ended)] = np.nan
        return row

    def measure(self, state: State, spec: Any) -> Columns:
        """The row of the step in hand."""
        return Columns({name: row[None].copy() for name, row in zip(COLUMNS, state.row, strict=True)})

    def advance(self, state: State, spec: Any, n: int) -> Columns:
        """The next n updates; fewer where all are lost before."""
        rows, endings = list[Array](), list[Ending]()
        for _ in range(n):
            if len(state.ended) == len(spec.networks) or state.step == self.steps(spec):
                break
            if state.step // spec.steps > state.place:
                self._begin(state, spec)
            state.step += 1
            update = state.step - state.place * spec.steps
            for c, team in enumerate(state.teams):
                if c not in state.ended:
                    team.update(spec, state.data, update)
            new = [c for c, team in enumerate(state.teams) if team.over and c not in state.ended]
            last = update == spec.steps
            measured = last or update % spec.evaluate_every == 0
            if measured:
                self._evaluate(state, update)
            if last:
                state.past = (*state.past, (depths(spec)[state.place], state.told))
            state.row = self._row(state, spec, update, measured)
            rows.append(state.row)
            for c in new:
                state.ended[c] = state.step
                endings.append(Ending(c, "diverged", state.step, self._reason(state, spec, c)))
        table = np.stack(rows, axis=1) if rows else np.empty((len(COLUMNS), 0, len(spec.networks)))
        return Columns(dict(zip(COLUMNS, table, strict=True)), tuple(endings))

    def _reason(self, state: State, spec: Any, c: int) -> str:
        team = state.teams[c]
        seeds = "its only seed" if spec.seeds == 1 else f"the last of {spec.seeds} seeds"
        return (
            f"{seeds} overflowed at update {int(team.lost.max())} with {team.net.depth} layers, at a rate of "
            f"{spec.learning_rate:.4g}"
        )

    # -- looking -----------------------------------------------------------------------------------------------------

    def probe(self, state: State, spec: Any, name: str, **asked: Any) -> Any:
        """`gradient`, `moved`: over the layers. `depths`: loss over depth. `boundary`: what the network `series`
        answers. `table`, `blocks`."""
        match name:
            case "gradient":
                return pictures.gradient(spec, state.teams, state.data)
            case "moved":
                return pictures.moved(spec, state.teams)
            case "depths":
                return pictures.over_depth(spec, state.past, state.data)
            case "table":
                return pictures.table(spec, state.teams, state.told, state.past, state.data)
            case "boundary":
                return pictures.boundary(spec, state.teams, state.data, asked.get("series", ""))
            case "blocks":
                return pictures.blocks(spec)
        raise KeyError(name)

    # -- the chapter, questions and the script -----------------------------------------------------------------------

    def drawn(self, spec: Any, view: Any) -> tuple[Drawn, ...]:
        """The chapter draws the block, and measures nothing."""
        return ()

    def answer(self, spec: Any, view: Any, words: str) -> str:
        """`learnt NAME`: whether it ends below half of what guessing costs (yes, no). `stops NAME`: the first depth of
        a sweep at which it does not, or never. `deeper NAME`: whether its training loss at the greatest depth is higher
        or lower than at the least. `lower NAME`: whether its first gradient is larger or smaller at the second layer
        than at the last but one."""
        kind, _, name = words.partition(" ")
        if name not in view.series or kind not in ("learnt", "stops", "deeper", "lower"):
            return super().answer(spec, view, words)
        values = {key: column[:, view.series.index(name)] for key, column in view.branch.history.values.items()}
        if kind == "lower":
            first, last = (values[key][np.isfinite(values[key])][0] for key in ("first_gradient", "last_gradient"))
            return "larger" if first > last else "smaller"
        done = np.isfinite(values["depth"]) & ~np.isnan(values["final_loss"])
        depth, losses = values["depth"][done], values["final_loss"][done]
        if kind == "deeper":
            return "higher" if losses[-1] > losses[0] else "lower"
        level = STUCK * guessing(samples(spec))
        if kind == "learnt":
            return "yes" if len(losses) and losses[-1] <= level else "no"
        at = float(stops(depth, losses[:, None], level)[0])
        return f"{at:.0f}" if np.isfinite(at) else "never"

    def script(self, spec: Any, events: Sequence[Any], steps: int, end: State) -> str:
        """A PyTorch script that trains the networks again and asserts what the app measured."""
        from engine.experiments.networks._depth.script import write

        words: str = write(self, spec, events, steps, end)
        return words
