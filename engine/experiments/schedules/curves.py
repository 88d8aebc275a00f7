"""The learning rate over a run under any schedule: chapter 10.2.3."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from engine.experiment import Array, Basis, Columns, Curve, Drawn, Ending, Inside, Picture
from engine.experiments.schedules._curves import watched
from engine.experiments.schedules._curves.settings import CurvesSpec
from engine.experiments.schedules._shared.ahead import PLATEAU, ahead
from engine.experiments.schedules._shared.settings import check_schedules, parameters
from engine.quantity import Quantity
from engine.schedules import SCHEDULES, momenta, rates
from engine.spec import Spec

COLUMNS = ("learning_rate", "momentum", "loss")


@dataclass
class State:
    """The step, the run that the plateau watches (None where it takes no part), and who has ended."""

    step: int
    watched: watched.Watched | None
    ended: list[int] = field(default_factory=list)


class Curves(Basis):
    """Any of the schedules, step by step; see SPEC `schedules.curves`.

    The row of step k holds the rate in force at step k. All but the plateau are functions of the step. A live change
    of the peak rate at step k holds from row k + 1 on.
    """

    id: ClassVar[str] = "schedules.curves"
    title: ClassVar[str] = "Learning-rate schedules"
    section: ClassVar[str] = "10.2.3"
    summary: ClassVar[str] = "The learning rate over a run under sixteen schedules, one of them drawn by hand."
    Spec: ClassVar[type[Spec]] = CurvesSpec
    columns: ClassVar[tuple[str, ...]] = ("learning_rate",)
    extras: ClassVar[tuple[str, ...]] = ("momentum", "loss")
    loss: ClassVar[str] = ""
    steps_key: ClassVar[str] = "total_steps"
    pace: ClassVar[float] = 60.0
    plots: ClassVar[tuple[Curve | Picture, ...]] = (
        Curve("learning_rate", "Learning rate", "learning rate"),
        Curve("momentum", "Momentum that goes with it", "momentum"),
        Curve("loss", "Loss that the plateau watches", "loss", log=True),
    )

    # -- settings ----------------------------------------------------------------------------------------------------

    def check(self, spec: Any) -> None:
        """Raise SpecError where no schedule takes part, or for what one of those that do cannot make sense of."""
        check_schedules(spec)

    def series(self, spec: Any) -> tuple[str, ...]:
        """The schedules, as chosen."""
        return tuple(spec.schedules)

    def steps(self, spec: Any) -> int:
        """From step 0 to step total_steps - 1."""
        return int(spec.total_steps) - 1

    def label(self, series: str) -> str:
        """A schedule's title."""
        return SCHEDULES[series].title

    # -- running -----------------------------------------------------------------------------------------------------

    def start(self, spec: Any) -> State:
        """Step 0."""
        return State(0, watched.start(spec) if PLATEAU in spec.schedules else None)

    def _rows(self, spec: Any, at: Array) -> dict[str, Array]:
        """Rate and momentum of all that are functions of the step, at steps [n]: each column [n, series]."""
        names = self.series(spec)
        found = {column: np.full((len(at), len(names)), np.nan) for column in COLUMNS}
        for s, name in enumerate(names):
            if name != PLATEAU:
                given = (name, at, spec.total_steps, spec.base_lr)
                found["learning_rate"][:, s] = rates(*given, **parameters(spec, name))
                found["momentum"][:, s] = momenta(*given, **parameters(spec, name))
        return found

    def measure(self, state: State, spec: Any) -> Columns:
        """The rates in force at this step."""
        found = self._rows(spec, np.array([state.step]))
        if state.watched is not None and not state.ended:
            s = self.series(spec).index(PLATEAU)
            found["learning_rate"][0, s], found["loss"][0, s] = state.watched.machine.rate, state.watched.loss
        return Columns(found)

    def advance(self, state: State, spec: Any, n: int) -> Columns:
        """The rates at the next n steps; fewer where only the plateau runs and its loss is lost."""
        if len(state.ended) == len(self.series(spec)):
            n = 0
        found = self._rows(spec, np.arange(state.step + 1, state.step + n + 1))
        endings: tuple[Ending, ...] = ()
        if n and state.watched is not None and not state.ended:
            s = self.series(spec).index(PLATEAU)
            rows, taken, reason = watched.run(state.watched, spec, state.step, n)
            found["learning_rate"][:, s], found["loss"][:, s] = rows.T
            if reason:
                last = state.step + taken
                endings = (Ending(s, "diverged", last, f"{reason} at step {last}"),)
                state.ended = [s]
                n = taken if len(self.series(spec)) == 1 else n
        state.step += n
        return Columns({name: rows[:n] for name, rows in found.items()}, endings)

    # -- looking -----------------------------------------------------------------------------------------------------

    def probe(self, state: State, spec: Any, name: str, **asked: Any) -> Any:
        """`ahead`: the rates of the whole run, as Lines. `inside`: the rate of series=... at this step, in numbers."""
        if name == "ahead":
            return ahead(spec)
        if name == "inside":
            return self.inside(state, spec, asked["series"])
        raise KeyError(name)

    def inside(self, state: State, spec: Any, name: str) -> Inside:
        """The formula of a schedule, with what it comes to at this step."""
        names = self.series(spec)
        if name not in names:
            raise KeyError(name)
        row = {
            column: float(values[0, names.index(name)]) for column, values in self.measure(state, spec).values.items()
        }
        if name == PLATEAU and state.ended:
            return Inside(name, SCHEDULES[name].formula, (), note="Its run has ended; step back to look inside.")
        told = [
            Quantity("step", "t", (int(state.step),), "correction"),
            Quantity("learning rate", r"\eta_t", (row["learning_rate"],), "step"),
        ]
        if np.isfinite(row["momentum"]):
            told.append(Quantity("momentum", r"\mu_t", (row["momentum"],), "momentum"))
        if name == PLATEAU and state.watched is not None:
            machine = state.watched.machine
            told += [
                Quantity("loss", "L_t", (row["loss"],), "gradient"),
                Quantity("best loss", "L^{best}", (machine.best,), "scale"),
                Quantity("bad in a row", "b_t", (int(machine.bad),), "scale"),
                Quantity("rest of the cooldown", "c_t", (int(machine.cooldown),), "scale"),
            ]
        return Inside(name, SCHEDULES[name].formula, tuple(told), note=f"Source: {SCHEDULES[name].source}.")

    def drawn(self, spec: Any, view: Any) -> tuple[Drawn, ...]:
        """The chapter's five curves over this run's."""
        from engine.experiments.schedules._curves.chapter import drawn

        return drawn(spec, view)

    def answer(self, spec: Any, view: Any, words: str) -> str:
        """`highest STEP` (of those that fall), `end NAME` (what is left of the peak rate), `cuts` (of the plateau)."""
        history = view.branch.history
        rate = history.values["learning_rate"]
        match words.split():
            case ["highest", step]:
                row = rate[history.at(int(step))]
                falling = {name: row[s] for s, name in enumerate(view.series) if name != "constant"}
                return str(max(falling, key=lambda name: falling[name]))
            case ["end", name]:
                left = float(rate[-1, view.series.index(name)]) / spec.base_lr
                return "most" if left >= 0.5 else "some" if left >= 0.01 else "nothing"
            case ["cuts"]:
                return str(int((np.diff(rate[:, view.series.index(PLATEAU)]) < 0).sum()))
        return super().answer(spec, view, words)

    def script(self, spec: Any, events: Sequence[Any], steps: int, end: State) -> str:
        """A PyTorch script that makes the schedulers and asserts their rates up to step `steps`."""
        from engine.experiments.schedules._curves.script import write

        words: str = write(self, spec, events, steps)
        return words
