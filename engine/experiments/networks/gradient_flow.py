"""Vanishing and exploding gradients, measured layer by layer in real deep networks, and what cures them.

Chapter 10.1.4; Glorot and Bengio 2010, He et al. 2015.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from engine.experiment import Array, Basis, Columns, Curve, Drawn, Ending, Picture
from engine.experiments.networks._gradient_flow.measure import LARGEST, LAYERED, WHOLE, Seed, measured, work
from engine.experiments.networks._gradient_flow.settings import TITLES, GradientFlowSpec, network
from engine.spec import Spec, SpecError

AT_ONCE = 2**28  # multiplications after which a call ends with the seed in hand
STILL = 3600.0  # seconds: this picture changes with the settings only
WATCHED = ("activation_rms", "activation_variance", "gradient_norm", "weight_gradient_norm")


@dataclass
class State:
    """The seeds measured so far, and who has `ended` because numbers overflowed."""

    step: int
    seeds: tuple[Seed, ...] = ()
    ended: list[int] = field(default_factory=list)


class GradientFlow(Basis):
    """See the module's text. One step is one layer of one seed, from the last hidden layer back to the first, as the
    gradient goes; a seed is measured as a whole when its first row is asked for."""

    id: ClassVar[str] = "networks.gradient_flow"
    title: ClassVar[str] = "Gradient flow"
    section: ClassVar[str] = "10.1.4"
    summary: ClassVar[str] = (
        "Gradients and activations at every layer of real deep networks, a plain one beside its cures."
    )
    Spec: ClassVar[type[Spec]] = GradientFlowSpec
    columns: ClassVar[tuple[str, ...]] = ("seed", "layer", *LAYERED, "factor", *WHOLE)
    loss: ClassVar[str] = ""
    sparse: ClassVar[tuple[str, ...]] = ("factor",)
    large: ClassVar[int] = 2
    unit: ClassVar[str] = "reading"
    steps_key: ClassVar[str] = ""
    pace: ClassVar[float] = 6.0
    eager: ClassVar[bool] = True
    plots: ClassVar[tuple[Curve | Picture, ...]] = (
        Picture("gradient", "Gradient at every layer", "lines", "hidden layer", "‖∂J/∂a‖", log=True, every=0.03),
        Picture("variance", "Activations at every layer", "lines", "hidden layer", "variance of a", log=True,
                every=0.03),
        Picture("table", "Factor of a layer", "table"),
        Picture("update", "Weight gradient as used", "lines", "hidden layer", "‖∂J/∂W‖", log=True, every=0.1),
        Picture("training", "Loss over updates", "lines", "update", "loss", log=True, every=STILL,
                empty="Measured last"),
        Picture("activations", "Activations of one network", "bars", every=0.3),
        Picture("size", "Size of the activations", "lines", "hidden layer", "root mean square", log=True, every=0.2),
        Picture("slope", "Slope of the activations", "lines", "hidden layer", "root mean square of f′", every=0.2),
    )  # fmt: skip

    # -- settings ----------------------------------------------------------------------------------------------------

    def check(self, spec: Any) -> None:
        """Somebody must take part, and one seed must not take long."""
        if not spec.networks:
            raise SpecError("networks", "'' is not allowed; name at least one network")
        if work(spec) > LARGEST:
            most = int((LARGEST / (work(spec) / spec.width**2)) ** 0.5)
            raise SpecError(
                "width", f"{spec.width} is not allowed with so many layers, samples and networks; give at most {most}"
            )

    def series(self, spec: Any) -> tuple[str, ...]:
        """The networks, as chosen."""
        return tuple(spec.networks)

    def label(self, series: str) -> str:
        """A network's title."""
        return TITLES.get(series, series)

    def steps(self, spec: Any) -> int:
        """One less than there are layers in all seeds: step 0 has the first row."""
        return int(spec.seeds * spec.depth) - 1

    # -- running -----------------------------------------------------------------------------------------------------

    def start(self, spec: Any) -> State:
        """The first seed."""
        return State(0, (measured(spec, spec.seed),))

    def measure(self, state: State, spec: Any) -> Columns:
        """The layer in hand of the seed in hand."""
        s, back = divmod(state.step, spec.depth)
        layer = spec.depth - 1 - back
        one = state.seeds[s]
        row: dict[str, Array] = {name: one.layered[m, layer] for m, name in enumerate(LAYERED)}
        gradient = one.layered[LAYERED.index("gradient_norm")]
        with np.errstate(all="ignore"):
            factor = gradient[layer] / gradient[layer + 1] if back else np.full(len(spec.networks), np.nan)
        row |= {"seed": np.full(len(spec.networks), float(spec.seed + s)), "factor": factor}
        row |= {"layer": np.full(len(spec.networks), layer + 1.0)}
        row |= {name: one.whole[m] for m, name in enumerate(WHOLE)}
        over = np.isin(np.arange(len(spec.networks)), state.ended)
        return Columns({name: np.where(over, np.nan, row[name])[None, :] for name in self.columns})

    def advance(self, state: State, spec: Any, n: int) -> Columns:
        """The next n layers; fewer where seeds are dear, so that no call takes long, or where everybody has ended."""
        rows, endings, new = [], list[Ending](), 0
        for _ in range(n):
            if len(state.ended) == len(spec.networks):
                break
            if (state.step + 1) // spec.depth == len(state.seeds):
                if new and new * work(spec) >= AT_ONCE:
                    break
                new += 1
                state.seeds = (*state.seeds, measured(spec, spec.seed + len(state.seeds)))
            state.step += 1
            rows.append(self.measure(state, spec))
            if (state.step + 1) % spec.depth == 0:
                endings += self._overflowed(state, spec)
        if not rows:
            return Columns({name: np.empty((0, len(spec.networks))) for name in self.columns})
        values = {name: np.concatenate([row.values[name] for row in rows]) for name in self.columns}
        return Columns(values, tuple(endings))

    def _overflowed(self, state: State, spec: Any) -> list[Ending]:
        """Who ends with the seed in hand: all of its layers are shown, and no further seed."""
        found = []
        for c in range(len(spec.networks)):
            if c in state.ended:
                continue
            for s, one in enumerate(state.seeds):
                watched = one.layered[[LAYERED.index(name) for name in WATCHED], :, c]
                lost = ~np.isfinite(watched)
                if not lost.any():
                    continue
                up, down = (np.flatnonzero(part.any(axis=0)) + 1 for part in (lost[:2], lost[2:]))
                words = f"activations overflow from layer {up[0]} on" if up.size else ""
                words = words or f"gradients overflow from layer {down[-1]} downwards"
                reason = f"{words}, with seed {spec.seed + s}"
                found.append(Ending(c, "diverged", state.step, reason))
                state.ended.append(c)
                break
        return found

    # -- looking -----------------------------------------------------------------------------------------------------

    def probe(self, state: State, spec: Any, name: str, **asked: Any) -> Any:
        """`gradient`, `variance`, `size`, `slope`, `update`: over the layers. `table`: a layer's factor. `training`:
        the loss over the first updates. `activations`: histograms of one network, series=... `cost`: a line on how long
        all seeds will take, empty where that is not long."""
        from engine.experiments.networks._gradient_flow import cost, pictures

        s, back = divmod(state.step, spec.depth)
        if name in pictures.PICTURED:
            layer = spec.depth - back
            walking = 0 < state.step < self.steps(spec)
            marks = ((float(layer), f"layer {layer}"),) if walking else ()
            return pictures.per_layer(spec, state.seeds[: s + 1], name, marks)
        if name == "table":
            return pictures.table(spec, state.seeds[: s + 1])
        if name == "training":
            return pictures.training(spec)
        if name == "activations":
            chosen = asked.get("series", "")
            return pictures.histograms(spec, spec.seed + s, chosen if chosen in spec.networks else spec.networks[0])
        if name == "cost":
            return cost.words(spec, cost.estimate(spec))
        raise KeyError(name)

    # -- the chapter, questions and the script -----------------------------------------------------------------------

    def drawn(self, spec: Any, view: Any) -> tuple[Drawn, ...]:
        """The chapter's three curves over these gradients."""
        from engine.experiments.networks._gradient_flow.chapter import drawn

        return drawn(spec, view)

    def answer(self, spec: Any, view: Any, words: str) -> str:
        """`fate NAME`: whether its gradient `vanishes`, is `kept` (a layer multiplies by .9 to 1.1) or `explodes`.
        `about NAME`: whether a layer multiplies it by about a `quarter` (below a half), by `most` of 1, or it `grows`.
        `after NAME`: whether the loss has `fallen` or `risen` after the first updates, or is `lost`."""
        from engine.experiments.networks._gradient_flow import chapter, pictures
        from engine.experiments.networks._gradient_flow.updates import affordable, loss_path

        kind, _, name = words.partition(" ")
        found = chapter.factors(view)
        if kind == "about" and name in found:
            return "quarter" if found[name] < 0.5 else "most" if found[name] < 1.0 else "grows"
        if kind == "fate" and name in found:
            low, high = pictures.KEPT
            return "vanishes" if found[name] < low else "explodes" if found[name] > high else "kept"
        if kind == "after" and name in spec.networks:
            path = loss_path(spec, network(spec, name), affordable(spec))
            return "lost" if not np.isfinite(path[-1]) else "fallen" if path[-1] < path[0] else "risen"
        return super().answer(spec, view, words)

    def script(self, spec: Any, events: Sequence[Any], steps: int, end: State) -> str:
        """A PyTorch script that measures every seed up to here again and asserts what the app found."""
        from engine.experiments.networks._gradient_flow.script import write

        words: str = write(self, spec, steps, end)
        return words
