"""Backpropagation by hand: one sample through a small network, phase by phase, with every number. Chapter 10.1.3."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from engine.experiment import Basis, Columns, Curve, Drawn, Ending, Inside, Picture
from engine.experiments.networks._backprop.passes import State, cycle_of, finite, first, phase_of, phases, take
from engine.experiments.networks._backprop.settings import MOST_UNITS, BackpropSpec
from engine.spec import Spec, SpecError

HIDDEN = tuple(f"hidden_delta_{j + 1}" for j in range(MOST_UNITS))


class Backprop(Basis):
    """See the module's text. One step is one phase; a row has what that phase has found.

    `hidden_delta_1` and so on are those of the last hidden layer, `gradient_norm` is that of all weights and biases.
    """

    id: ClassVar[str] = "networks.backprop"
    title: ClassVar[str] = "Backpropagation by hand"
    section: ClassVar[str] = "10.1.3"
    summary: ClassVar[str] = "One sample through a small network, phase by phase, every number on its edge or node."
    Spec: ClassVar[type[Spec]] = BackpropSpec
    columns: ClassVar[tuple[str, ...]] = (
        "cycle", "phase", "prediction", "prediction_2", "loss", "output_delta", "output_delta_2", *HIDDEN,
        "gradient_norm",
    )  # fmt: skip
    sparse: ClassVar[tuple[str, ...]] = columns[2:]
    loss: ClassVar[str] = "loss"
    unit: ClassVar[str] = "phase"
    steps_key: ClassVar[str] = ""
    pace: ClassVar[float] = 2.0
    preparing: ClassVar[str] = "loading PyTorch"
    plots: ClassVar[tuple[Curve | Picture, ...]] = (
        Picture("network", "The network", "diagram", every=0.05),
        Curve("loss", "Loss", "loss", log=True, x_label="cycle", x="cycle", points=True),
        Picture("derivatives", "Every derivative, three ways", "table", every=0.2),
    )

    # -- settings ----------------------------------------------------------------------------------------------------

    def check(self, spec: Any) -> None:
        """There must be a hidden layer."""
        if not spec.hidden:
            raise SpecError("hidden", "'' is not allowed; give 1 to 3 layers, as 2 or 4,3")

    def series(self, spec: Any) -> tuple[str, ...]:
        """One network."""
        return ("network",)

    def label(self, series: str) -> str:
        """Its name."""
        return "Network"

    def steps(self, spec: Any) -> int:
        """The phases of all cycles."""
        return int(spec.cycles) * len(phases(spec))

    # -- running -----------------------------------------------------------------------------------------------------

    def start(self, spec: Any) -> State:
        """Before the first phase. PyTorch is loaded here, with a word on screen: the table compares with it."""
        from engine.torch_setup import torch

        torch()
        return first(spec)

    def measure(self, state: State, spec: Any) -> Columns:
        """What the phase just done has found."""
        cycle, number = cycle_of(spec, state.step)
        row = dict.fromkeys(self.columns, np.nan) | {"cycle": float(cycle), "phase": float(number)}
        if number:
            phase = phase_of(spec, state.step)
            last = len(spec.hidden)
            if phase.kind == "forward" and phase.layer == last:
                row |= zip(("prediction", "prediction_2"), _numbers(state.a[last]), strict=False)
            elif phase.kind == "error":
                row["loss"] = state.loss
            elif phase.kind == "backward" and phase.layer == last:
                row |= zip(("output_delta", "output_delta_2"), _numbers(state.deltas[last]), strict=False)
            elif phase.kind == "backward" and phase.layer == last - 1:
                row |= zip(HIDDEN, _numbers(state.deltas[last - 1]), strict=False)
            elif phase.kind == "update":
                every = [part for part in (*state.gradients, *state.deltas) if part is not None]
                with np.errstate(all="ignore"):
                    row["gradient_norm"] = float(np.sqrt(sum(float((part**2).sum()) for part in every)))
        return Columns({name: np.array([[value]]) for name, value in row.items()})

    def advance(self, state: State, spec: Any, n: int) -> Columns:
        """Do n phases; fewer where a number overflows."""
        rows, endings = [], list[Ending]()
        for _ in range(0 if state.ended else n):
            take(state, spec)
            rows.append(self.measure(state, spec).values)
            if not finite(state):
                cycle, _ = cycle_of(spec, state.step)
                endings.append(Ending(0, "diverged", state.step, f"a number overflowed in cycle {cycle}"))
                state.ended = [0]
                break
        if not rows:
            return Columns({name: np.empty((0, 1)) for name in self.columns})
        return Columns({name: np.concatenate([row[name] for row in rows]) for name in self.columns}, tuple(endings))

    # -- looking -----------------------------------------------------------------------------------------------------

    def probe(self, state: State, spec: Any, name: str, **asked: Any) -> Any:
        """`network`: the diagram. `derivatives`: every one in three ways. `inside`: the coming phase, in equations."""
        from engine.experiments.networks._backprop import pictures

        if name == "network":
            return pictures.diagram(state, spec)
        if name == "derivatives":
            return pictures.derivatives(state, spec)
        if name == "inside":
            from engine.experiments.networks._backprop.inside import inside

            over = Inside("network", (), (), note="A number has overflowed; step back to look inside.")
            return over if state.ended else inside(state, spec)
        raise KeyError(name)

    def drawn(self, spec: Any, view: Any) -> tuple[Drawn, ...]:
        """The numbers that the listing returns, beside this run's."""
        from engine.experiments.networks._backprop.chapter import drawn

        return drawn(spec, view)

    def answer(self, spec: Any, view: Any, words: str) -> str:
        """`first move`: by how much the first update moves the prediction. `loss`: whether it fell, rose or stayed."""
        values = view.branch.history.values
        if words == "first move":
            known = values["prediction"][:, 0]
            found = known[np.isfinite(known)]
            return (
                "little" if abs(found[1] - found[0]) < 0.001 else "some" if abs(found[1] - found[0]) < 0.02 else "much"
            )
        if words == "loss":
            losses = values["loss"][:, 0]
            losses = losses[np.isfinite(losses)]
            return "stayed" if losses[-1] == losses[0] else "fell" if losses[-1] < losses[0] else "rose"
        return super().answer(spec, view, words)

    def script(self, spec: Any, events: Sequence[Any], steps: int, end: State) -> str:
        """A PyTorch script that repeats every cycle with autograd and asserts its numbers."""
        from engine.experiments.networks._backprop.script import write

        words: str = write(self, spec, events, steps, end)
        return words


def _numbers(part: Any) -> list[float]:
    return [] if part is None else [float(value) for value in part]
