"""Activation functions: their curves, and what a stack of layers makes of signal and gradient. Chapter 10.1.2."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from engine.experiment import Array, Basis, Columns, Curve, Drawn, Ending, Inside, Picture
from engine.experiments.networks._activations.settings import TITLES, ActivationsSpec, parameter
from engine.experiments.networks._activations.shapes import ORDERS, SATURATED, curves, facts
from engine.experiments.networks._activations.stack import LARGEST, MEASURED, State, beginning, first, grow, size
from engine.networks.activations import activation
from engine.picture import Line, Lines
from engine.spec import Spec, SpecError

STILL = 3600.0  # seconds: these pictures change with the settings only


class Activations(Basis):
    """See the module's text. One step is one more layer of the stack."""

    id: ClassVar[str] = "networks.activations"
    title: ClassVar[str] = "Activation functions"
    section: ClassVar[str] = "10.1.2"
    summary: ClassVar[str] = (
        "Ten activations with their derivatives, and what k layers of each do to signal and gradient."
    )
    Spec: ClassVar[type[Spec]] = ActivationsSpec
    columns: ClassVar[tuple[str, ...]] = MEASURED
    extras: ClassVar[tuple[str, ...]] = ("gradient_decades",)
    step_columns: ClassVar[tuple[str, ...]] = ("saturated_share", "dead_share")
    loss: ClassVar[str] = "gradient_decades"
    large: ClassVar[int] = 2
    unit: ClassVar[str] = "layer"
    steps_key: ClassVar[str] = "depth"
    pace: ClassVar[float] = 6.0
    plots: ClassVar[tuple[Curve | Picture, ...]] = (
        Picture("value", "f(x)", "lines", "x", "f(x)", every=STILL),
        Curve("gradient_rms", "Gradient behind k layers", "root mean square", log=True, x_label="layers"),
        Picture("first", "f′(x)", "lines", "x", "f′(x)", every=STILL),
        Picture("second", "f″(x)", "lines", "x", "f″(x)", every=STILL),
        Curve("signal_std", "Signal behind k layers", "from sample to sample", log=True, x_label="layers"),
        Curve("signal_rms", "Size of the signal", "root mean square", log=True, x_label="layers"),
        Curve("saturated_share", f"Saturated, |f′| < {SATURATED:g}", "share of the layer", x_label="layers"),
        Curve("dead_share", "Dead units, f′ = 0 for every sample", "share of the layer", x_label="layers"),
        Picture("spread", "Gradient, every seed", "lines", "layers", "root mean square", log=True, every=0.3),
        Curve("gradient_decades", "Gradient's distance from 1", "distance, powers of ten", x_label="layers"),
    )

    # -- settings ----------------------------------------------------------------------------------------------------

    def check(self, spec: Any) -> None:
        """Somebody must take part, the range must have a length, and the stack must fit into memory."""
        if not spec.activations:
            raise SpecError("activations", "'' is not allowed; name at least one activation")
        if spec.low >= spec.high:
            raise SpecError("high", f"{spec.high:g} is not allowed; give more than From, {spec.low:g}")
        if size(spec) > LARGEST:
            most = LARGEST * spec.depth // size(spec)
            raise SpecError(
                "depth", f"{spec.depth} is not allowed with so many units, samples and seeds; give at most {most}"
            )

    def series(self, spec: Any) -> tuple[str, ...]:
        """The activations, as chosen."""
        return tuple(spec.activations)

    def label(self, series: str) -> str:
        """An activation's title."""
        return TITLES.get(series, series)

    def steps(self, spec: Any) -> int:
        """One for each layer."""
        return int(spec.depth)

    # -- running -----------------------------------------------------------------------------------------------------

    def start(self, spec: Any) -> State:
        """Inputs and gradient, no layer yet."""
        return first(spec)

    def measure(self, state: State, spec: Any) -> Columns:
        """Signal and gradient behind the layers there are, each the mean over the seeds."""
        told = (
            state.layers[-1].told if state.layers else np.repeat(beginning(state)[:, :, None], len(spec.activations), 2)
        )
        means = np.where(np.isin(np.arange(told.shape[2]), state.ended), np.nan, told.mean(axis=1))
        with np.errstate(all="ignore"):
            decades = np.abs(np.log10(means[MEASURED.index("gradient_rms")]))
        rows = zip((*MEASURED, "gradient_decades"), (*means, decades), strict=True)
        return Columns({name: row[None, :] for name, row in rows})

    def advance(self, state: State, spec: Any, n: int) -> Columns:
        """Grow by n layers; fewer when every signal has overflowed."""
        rows, endings = [], list[Ending]()
        for _ in range(n):
            if len(state.ended) == len(spec.activations):
                break
            grow(state, spec)
            rows.append(self.measure(state, spec))
            for c in range(len(spec.activations)):
                last = [rows[-1].values[name][0, c] for name in ("signal_rms", "signal_std", "gradient_rms")]
                if c not in state.ended and not np.isfinite(last).all():
                    what = "gradient" if np.isfinite(last[:2]).all() else "signal"
                    endings.append(
                        Ending(c, "diverged", state.step, f"the {what} overflowed behind layer {state.step}")
                    )
                    state.ended.append(c)
        if not rows:
            return Columns({name: np.empty((0, len(spec.activations))) for name in (*MEASURED, "gradient_decades")})
        values = {name: np.concatenate([row.values[name] for row in rows]) for name in rows[0].values}
        return Columns(values, tuple(endings))

    # -- looking -----------------------------------------------------------------------------------------------------

    def probe(self, state: State, spec: Any, name: str, **asked: Any) -> Any:
        """`value`, `first`, `second`: the curves. `spread`: the gradient of every seed. `inside`: one activation,
        series=..., in formulas and numbers."""
        if name in ORDERS:
            return curves(spec, name, TITLES)
        if name == "spread":
            return self.spread(state, spec)
        if name == "inside":
            return self.inside(spec, asked["series"])
        raise KeyError(name)

    def spread(self, state: State, spec: Any) -> Lines:
        """Mean gradient over the layers, within the band from the seed with the smallest to that with the largest."""
        told = [np.repeat(beginning(state)[:, :, None], len(spec.activations), 2), *(one.told for one in state.layers)]
        gradients = np.stack([one[MEASURED.index("gradient_rms")] for one in told])  # [layers, seeds, contestants]
        x = np.arange(len(gradients))
        found = []
        for c, name in enumerate(spec.activations):
            own: Array = gradients[:, :, c]
            found.append(Line(TITLES[name], x, own.mean(axis=1), own.min(axis=1), own.max(axis=1), series=name))
        return Lines(tuple(found), note="1 seed" if spec.seeds == 1 else f"Median and range of {spec.seeds} seeds")

    def inside(self, spec: Any, name: str) -> Inside:
        """Formula and derivative of one activation, and what stands out of them over the range."""
        if name not in spec.activations:
            raise KeyError(name)
        one, found, given = activation(name), facts(spec, name), parameter(spec, name)
        formulas = [one.latex, one.first_latex]
        if name == "silu" and given != 1.0:
            formulas = [r"f(x) = x \sigma(\beta x)", r"f'(x) = \sigma(\beta x) (1 + \beta x (1 - \sigma(\beta x)))"]
        if given is not None:
            symbol = {"prelu": "a", "silu": r"\beta"}.get(name, r"\alpha")
            formulas.append(f"{symbol} = {given:g}")
        place, slope = found.steepest
        formulas.append(
            rf"\max |f'| = {abs(slope):.5g}" + (rf" \ \mathrm{{at}} \ x = {place:.3g}" if found.peaked else "")
        )
        place, lowest = found.lowest
        if spec.low < place < spec.high and lowest < 0:
            formulas.append(rf"\min f = {lowest:.5g} \ \mathrm{{at}} \ x = {place:.3g}")
        for zones, what in ((found.saturated, rf"|f'| < {SATURATED:g}"), (found.dead, "f' = 0")):
            words = [_zone(*zone, spec.low, spec.high) for zone in zones]
            if words:
                formulas.append(rf"{what}: \quad " + r", \quad ".join(words))
        return Inside(name, tuple(formulas), ())

    # -- the chapter and the script ----------------------------------------------------------------------------------

    def drawn(self, spec: Any, view: Any) -> tuple[Drawn, ...]:
        """The listing's five curves over these."""
        from engine.experiments.networks._activations.chapter import drawn

        return drawn(spec)

    def script(self, spec: Any, events: Sequence[Any], steps: int, end: State) -> str:
        """A PyTorch script that builds the stacks again and asserts what was measured up to layer `steps`."""
        from engine.experiments.networks._activations.script import write

        words: str = write(self, spec, steps, end)
        return words


def _zone(a: float, b: float, low: float, high: float) -> str:
    """A stretch from a to b of the range, in LaTeX."""
    if a <= low or b >= high:
        return r"\mathrm{everywhere}" if a <= low and b >= high else f"x < {b:.3g}" if a <= low else f"x > {a:.3g}"
    return f"{a:.3g} < x < {b:.3g}"
