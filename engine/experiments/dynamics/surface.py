"""The loss surface around a trained network's weights: 10.5.1, figure 10.5."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from engine.experiment import Array, Basis, Columns, Curve, Drawn, Ending, Picture
from engine.experiments.dynamics._surface.model import State, build, first, remember, train
from engine.experiments.dynamics._surface.settings import CONTESTANTS, SurfaceSpec, batch, rate
from engine.networks.planes import HOMOGENEOUS
from engine.optimizers import RULES
from engine.spec import Spec, SpecError

COLUMNS = ("train_loss", "test_loss", "train_accuracy", "test_accuracy", "learning_rate", "gradient_norm")
EXTRAS = ("barrier", "explained", "travelled")
MEASURED = ("train_loss", "test_loss", "train_accuracy", "test_accuracy", *EXTRAS)
RARELY = 16  # points of the path between two measurements of barrier and principal components


class LossSurface(Basis):
    """See SPEC `dynamics.surface`.

    The row of step k is measured of the parameters after k steps, over all training and all test samples, at a cadence.
    `gradient_norm` belongs to the batch of step k, with the penalty. `barrier`: how far the loss rises on the straight
    line to the other solution (or to the start) above the straight line between the losses of its ends. `explained`:
    the share of the path's variance in its first two principal components. `travelled`: distance from the start.
    """

    id: ClassVar[str] = "dynamics.surface"
    title: ClassVar[str] = "Loss surface"
    section: ClassVar[str] = "10.5.1"
    summary: ClassVar[str] = "The loss around a network's weights while it trains: lines, slices, its path's plane."
    Spec: ClassVar[type[Spec]] = SurfaceSpec
    columns: ClassVar[tuple[str, ...]] = COLUMNS
    extras: ClassVar[tuple[str, ...]] = EXTRAS
    loss: ClassVar[str] = "train_loss"
    step_columns: ClassVar[tuple[str, ...]] = ("learning_rate", "gradient_norm")
    sparse: ClassVar[tuple[str, ...]] = MEASURED
    pace: ClassVar[float] = 200.0
    preparing: ClassVar[str] = "loading the networks"
    plots: ClassVar[tuple[Curve | Picture, ...]] = (
        Picture("slice", "Loss around the weights", "map", "first direction", "second direction", every=0.7),
        Picture("line", "On the straight line", "lines", "place on the line", "loss", log=True, every=0.5),
        Curve("train_loss", "Loss", "loss", log=True, others=("test_loss",),
              words={"train_loss": "training", "test_loss": "test"}),
        Picture("replay", "On the plane, and truly", "lines", "step", "training loss", log=True, every=1.0),
        Picture("off_plane", "Distance from the plane", "lines", "step", "distance", every=1.0),
        Picture("variance", "Variance of the path", "lines", "component", "share", log=True, every=1.0),
        Curve("barrier", "Barrier on the line", "loss above the ends"),
        Curve("explained", "Held by two components", "share of the variance"),
        Picture("numbers", "Measured", "table", every=1.0),
        Curve("train_accuracy", "Accuracy", "share right", others=("test_accuracy",),
              words={"train_accuracy": "training", "test_accuracy": "test"}),
        Curve("travelled", "Distance from the start", "‖weights - start‖"),
        Curve("gradient_norm", "Gradient", "‖gradient‖", log=True),
    )  # fmt: skip

    # -- settings ----------------------------------------------------------------------------------------------------

    def check(self, spec: Any) -> None:
        """Somebody must train, and what is rescaled must be a ReLU network."""
        if not spec.contestants:
            raise SpecError("contestants", "'' is not allowed; name at least one network")
        if spec.rescale != 1.0:
            if spec.activation not in HOMOGENEOUS or spec.depth == 0:
                raise SpecError("rescale", f"{spec.rescale:g} is not allowed here; give 1, or ReLU and a hidden layer")
            if "residual" in spec.contestants:
                raise SpecError("rescale", f"{spec.rescale:g} is not allowed with Residual; give 1: its answers change")

    def series(self, spec: Any) -> tuple[str, ...]:
        """The networks, as chosen."""
        return tuple(spec.contestants)

    def label(self, series: str) -> str:
        """A network's title."""
        return CONTESTANTS.get(series, series)

    def steps(self, spec: Any) -> int:
        """How long the run is."""
        return int(spec.steps)

    def difference(self, spec: Any, series: str) -> str:
        """How the conventions differ for the optimizer chosen, and for L2."""
        told = RULES[spec.optimizer].differs
        if spec.l2 > 0:
            told = f"{told} L2 here: the book adds lambda times the sum of squares, PyTorch half of it.".strip()
        return told

    # -- running -----------------------------------------------------------------------------------------------------

    def start(self, spec: Any) -> State:
        """Data split, networks drawn. Raises SpecError for data that cannot be used."""
        return first(spec, build(spec))

    def measure(self, state: State, spec: Any) -> Columns:
        """One row of everything that can be measured without a step."""
        row = {name: np.full((1, len(spec.contestants)), np.nan) for name in (*COLUMNS, *EXTRAS)}
        self._measure(state, row, 0)
        self._measure_path(state, row, 0)
        return Columns(row)

    def _measure(self, state: State, rows: dict[str, Array], at: int) -> None:
        """Fill in what is measured over all samples."""
        for s, own in enumerate(state.solutions[: len(state.model.names)]):
            if not own.ended:
                for part, test in (("train", False), ("test", True)):
                    rows[f"{part}_loss"][at, s] = state.model.losses(s, own.params[None], test)[0]
                    rows[f"{part}_accuracy"][at, s] = state.model.accuracy(s, own.params, test)
                rows["travelled"][at, s] = np.sqrt(np.square(own.params - own.path[0]).sum())

    def _measure_path(self, state: State, rows: dict[str, Array], at: int) -> None:
        """Fill in barrier and principal components."""
        from engine.experiments.dynamics._surface.lines import barrier, explained

        for s, own in enumerate(state.solutions[: len(state.model.names)]):
            if not own.ended:
                rows["barrier"][at, s] = barrier(state, s)
                rows["explained"][at, s] = explained(state, s)

    def advance(self, state: State, spec: Any, n: int) -> Columns:
        """Train n steps; fewer when everybody has ended."""
        from engine.networks.mlp import Rule

        names, model = spec.contestants, state.model
        rows = {name: np.full((n, len(names)), np.nan) for name in (*COLUMNS, *EXTRAS)}
        rule = Rule.of(spec.optimizer, convention=spec.convention, l2=spec.l2)
        endings: list[Ending] = []
        done = 0
        while done < n and not all(own.ended for own in state.solutions[: len(names)]):
            take = min(n - done, model.every - state.step % model.every, state.spacing - state.step % state.spacing)
            took = [0] * len(names)
            for s, own in enumerate(state.solutions):
                c = s % len(names)
                if own.ended or (s != c and took[c] == 0):
                    continue
                # a twin goes as far as the one it belongs to
                rates = np.full(take if s == c else took[c], rate(spec, names[c]))
                with np.errstate(all="ignore"):  # an overflow is told as an ending
                    seed = spec.seed if s == c else spec.second_seed
                    taken, out = train(state, s, rule, rates, batch(spec, names[c]), seed)
                if s == c:
                    took[s], part = taken, slice(done, done + taken)
                    rows["gradient_norm"][part, s], rows["learning_rate"][part, s] = out[:, 1], rates[:taken]
                    if own.ended:
                        reason = f"the loss or the weights overflowed at step {own.ended}, rate {rates[0]:g}"
                        endings.append(Ending(s, "diverged", own.ended, reason))
            longest = max(took)
            state.step += longest
            done += longest
            path_due = state.step % (state.spacing * RARELY) == 0
            remember(state)
            last = state.step == spec.steps
            if last or state.step % model.every == 0:
                self._measure(state, rows, done - 1)
            if last or path_due:
                self._measure_path(state, rows, done - 1)
        return Columns({name: column[:done] for name, column in rows.items()}, _in_order(endings))

    # -- looking -----------------------------------------------------------------------------------------------------

    def probe(self, state: State, spec: Any, name: str, **asked: Any) -> Any:
        """The declared pictures by name; each takes `series`, and `slice` also `n`, the points along each side."""
        from engine.experiments.dynamics._surface import cuts, lines

        found: dict[str, Any] = {
            "slice": cuts.surface, "line": lines.line, "replay": lines.replay, "off_plane": lines.off_plane,
            "variance": lines.variance, "numbers": lines.table,
        }  # fmt: skip
        if name not in found:
            raise KeyError(name)
        series = asked.pop("series", "")
        s = spec.contestants.index(series) if series in spec.contestants else 0
        return found[name](state, spec, s, **asked)

    def drawn(self, spec: Any, view: Any) -> tuple[Drawn, ...]:
        """Figure 10.5 is known by its caption alone: what this run says to it, in words."""
        barriers, shares = view.latest("barrier"), view.latest("explained")
        if view.step == 0 or not np.isfinite(barriers).any():
            return ()
        s = int(np.nanargmax(barriers))
        where = "a second seed's weights" if spec.line == "seeds" else "its first weights"
        name, hill = self.label(view.series[s]), float(barriers[s])
        told = f"Measured: on the straight line from {name}'s weights to {where} the training loss "
        told += f"rises {hill:.3g} above the chord of its ends." if hill > 1e-9 else "never rises above the chord."
        if np.isfinite(shares[s]):
            told += f" Two components hold {shares[s]:.1%} of its path."
        told += " Low and flat regions can be seen on such planes; that a point is a minimum and no saddle cannot, as "
        told += "two directions are drawn and the others are not."
        claim = "The landscape has minima, saddle points and flat regions (the caption; the picture is not available)."
        return (Drawn("10.5.1", "Figure 10.5", claim, (), told),)

    def answer(self, spec: Any, view: Any, words: str) -> str:
        """`barrier SERIES`: `hill` where the line rises by .1 or more at the end of the run, else `level`.
        `explained SERIES`: `little` (below half), `some`, or `walk` (a random walk's 76 percent, or more)."""
        what, _, series = words.partition(" ")
        if what not in ("barrier", "explained") or series not in view.series:
            return super().answer(spec, view, words)
        value = float(view.latest(what)[view.series.index(series)])
        if what == "barrier":
            return "hill" if value >= 0.1 else "level"
        return "walk" if value >= 0.76 else "some" if value >= 0.5 else "little"

    def script(self, spec: Any, events: Sequence[Any], steps: int, end: State) -> str:
        """A PyTorch script that trains again, asserts every parameter, and three points of the surface in force."""
        from engine.experiments.dynamics._surface.script import write

        words: str = write(self, spec, events, steps, end)
        return words


def _in_order(endings: list[Ending]) -> tuple[Ending, ...]:
    return tuple(sorted(endings, key=lambda e: (e.step, e.series)))
