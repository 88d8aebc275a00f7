"""Optimizers walk a surface: chapter 10.2.1, 10.2.2, 10.2.4 and figure 10.2."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from engine.experiment import Array, Basis, Columns, Curve, Drawn, Ending, Finish, Inside, Picture
from engine.experiments.landscapes._descent.settings import DescentSpec
from engine.formula import FormulaError
from engine.optimizers import RULES
from engine.second_order import METHODS
from engine.spec import Spec, SpecError, value_of
from engine.surfaces import Surface, surface
from engine.turns import give_way

COLUMNS = ("x", "y", "loss", "grad_x", "grad_y", "learning_rate")
LOOKS = ("x_range", "y_range")
MARGIN = 0.08  # of its width: so far beyond a start outside the domain the map reaches


@dataclass
class State:
    """Positions p [S, 2], the rules' own numbers [S, 3, 2], the line-search methods' states, and who has ended."""

    step: int
    p: Array
    numbers: Array
    methods: dict[str, dict[str, Any]]
    ended: list[int] = field(default_factory=list)


class _Tilted:
    """f(p) + noise . p: with it a method that searches along a line sees one noisy function during a step."""

    def __init__(self, kernel: Any, noise: Array | None) -> None:
        self._kernel, self._noise = kernel, noise

    def value_gradient(self, p: Array) -> tuple[float, Array]:
        f, fx, fy = self._kernel.gradient(p[0], p[1])
        g = np.array([float(fx), float(fy)])
        if self._noise is None:
            return float(f), g
        return float(f) + float(self._noise @ p), g + self._noise

    def hessian(self, p: Array) -> Array:
        _, _, _, xx, xy, yy = (float(v) for v in self._kernel.hessian(p[0], p[1]))
        return np.array([[xx, xy], [xy, yy]])


class Descent(Basis):
    """Any subset of optimizers from one start on one surface; see SPEC `landscapes.descent`."""

    id: ClassVar[str] = "landscapes.descent"
    title: ClassVar[str] = "Optimizers on a surface"
    section: ClassVar[str] = "10.2"
    summary: ClassVar[str] = "Optimizers walk a surface from one start; step them forwards and backwards."
    Spec: ClassVar[type[Spec]] = DescentSpec
    columns: ClassVar[tuple[str, ...]] = COLUMNS
    extras: ClassVar[tuple[str, ...]] = ("gradient_norm",)
    loss: ClassVar[str] = "loss"
    step_columns: ClassVar[tuple[str, ...]] = ("learning_rate",)
    path: ClassVar[tuple[str, str] | None] = ("x", "y")
    plots: ClassVar[tuple[Curve | Picture, ...]] = (
        Curve("loss", "Loss", "loss", log=True),
        Curve("gradient_norm", "Gradient", "‖gradient‖", log=True),
    )

    # -- settings ----------------------------------------------------------------------------------------------------

    def surface(self, spec: Any) -> Surface:
        """The surface of the settings. Raises FormulaError for a formula that does not parse."""
        return surface(spec.surface, condition_number=spec.condition_number, formula=spec.formula)

    def check(self, spec: Any) -> None:
        """Raise SpecError for a formula that does not parse, or where nobody walks."""
        try:
            self.surface(spec)
        except FormulaError as error:
            raise SpecError("formula", str(error)) from None
        for key in LOOKS:
            if (given := getattr(spec, key)) is not None and not given[0] < given[1]:
                told = f"{given[0]:g},{given[1]:g} is not allowed"
                raise SpecError(key, f"{told}; the first number must be below the second")
        if not spec.optimizers:
            raise SpecError("optimizers", "'' is not allowed; name at least one optimizer")

    def series(self, spec: Any) -> tuple[str, ...]:
        """The optimizers, as chosen."""
        return tuple(spec.optimizers)

    def extent(self, spec: Any) -> tuple[float, float, float, float]:
        """What the map shows at first: the surface's domain, of an own formula what was asked for, and the start."""
        x0, x1, y0, y1 = self.surface(spec).domain
        x, y = self.start_point(spec)
        across, upwards = (spec.x_range, spec.y_range) if spec.surface == "custom" else (None, None)
        return (*(across or _reaching(x0, x1, x)), *(upwards or _reaching(y0, y1, y)))

    def looks(self, spec: Any) -> tuple[str, ...]:
        """How far the map reaches."""
        return LOOKS

    def steps(self, spec: Any) -> int:
        """How long the run is."""
        return int(spec.steps)

    def start_point(self, spec: Any) -> tuple[float, float]:
        """Where everybody begins."""
        return spec.start if spec.start is not None else self.surface(spec).start

    def rate(self, spec: Any, name: str) -> float:
        """The learning rate of one optimizer: its own, or the shared one."""
        own = getattr(getattr(spec, name), "learning_rate", None)
        return float(spec.learning_rate if own is None else own)

    def _kernel(self, spec: Any) -> Any:
        from engine.formula.compile import compile

        return compile(self.surface(spec).formula)

    # -- running -----------------------------------------------------------------------------------------------------

    def start(self, spec: Any) -> State:
        """Everybody at the start, with the rules' initial numbers."""
        names = self.series(spec)
        p = np.tile(np.array(self.start_point(spec), float), (len(names), 1))
        numbers = np.zeros((len(names), 3, 2))
        methods: dict[str, dict[str, Any]] = {}
        for s, name in enumerate(names):
            if name in RULES:
                numbers[s] = np.array(RULES[name].initial)[:, None]
            else:
                methods[name] = METHODS[name].start(p[s].copy())
        return State(0, p, numbers, methods)

    def measure(self, state: State, spec: Any) -> Columns:
        """Position, loss and exact gradient of everybody; the rate is that of the step just taken."""
        names = self.series(spec)
        f, gx, gy = self._kernel(spec).gradient(state.p[:, 0], state.p[:, 1])
        rates = [self.rate(spec, name) if state.step else np.nan for name in names]
        rows = np.stack([state.p[:, 0], state.p[:, 1], f, gx, gy, np.array(rates)])
        rows[:, state.ended] = np.nan
        return _columns({name: rows[c : c + 1] for c, name in enumerate(COLUMNS)}, ())

    def advance(self, state: State, spec: Any, n: int) -> Columns:
        """Walk n steps; fewer when everybody has ended."""
        from engine.randomness import normals

        names = self.series(spec)
        kernel = self._kernel(spec)
        noise = spec.noise * normals(spec.seed, "gradient noise", state.step, n) if spec.noise > 0 else np.empty((0, 2))
        target = -np.inf if spec.target is None else spec.target
        block = np.full((6, n, len(names)), np.nan)  # as the history wants it: each column [n, series]
        endings: list[Ending] = []
        taken = 0
        for s, name in enumerate(names):
            if s in state.ended:
                continue
            walker = self._walk_rule if name in RULES else self._walk_method
            done, reason = walker(state, spec, s, name, kernel, noise, target, block[:, :, s].T)
            block[5, :done, s] = self.rate(spec, name)
            taken = max(taken, done)
            if reason:
                state.ended = sorted([*state.ended, s])  # in one order, however the steps are cut into calls
                finish: Finish = "target" if reason.startswith("loss at or below") else "diverged"
                endings.append(Ending(s, finish, state.step + done, f"{reason} at step {state.step + done}"))
        state.step += taken
        values = {name: block[c, :taken] for c, name in enumerate(COLUMNS)}
        return _columns(values, tuple(sorted(endings, key=lambda e: (e.step, e.series))))

    def _walk_rule(
        self, state: State, spec: Any, s: int, name: str, kernel: Any, noise: Array, target: float, out: Array
    ) -> tuple[int, str]:
        from engine.optimizers import look_ahead_address, update_address
        from engine.walk import RUNNING, walk

        p, numbers = state.p[s], state.numbers[s]
        done, code = walk(
            kernel.gradient_address, update_address(name, spec.convention, np.float64),
            look_ahead_address(name, spec.convention, np.float64), state.step + 1, p, numbers,
            np.full(len(out), self.rate(spec, name)), self._hypers(spec, name), noise, target, out[:, :5],
        )  # fmt: skip
        return done, "" if code == RUNNING else _reason(out[done - 1], spec)

    def _hypers(self, spec: Any, name: str) -> Array:
        values = [value_of(spec, f"{name}.{hyper.name}") for hyper in RULES[name].hypers]
        return np.array([*values, *[0.0] * (8 - len(values))])

    def _walk_method(
        self, state: State, spec: Any, s: int, name: str, kernel: Any, noise: Array, target: float, out: Array
    ) -> tuple[int, str]:
        from engine.second_order import StepFailed

        method, own = METHODS[name], state.methods[name]
        hypers = {hyper.name: value_of(spec, f"{name}.{hyper.name}") for hyper in method.hypers}
        for i in range(len(out)):
            give_way()
            try:
                with np.errstate(all="ignore"):  # an overflow is told by the row
                    method.step(own, _Tilted(kernel, noise[i] if len(noise) else None), hypers)
            except StepFailed as failure:
                state.p[s] = own["p"]
                f, gx, gy = kernel.gradient(state.p[s, 0], state.p[s, 1])
                out[i, :5] = (*state.p[s], f, gx, gy)
                return i + 1, str(failure)
            state.p[s] = own["p"]
            f, gx, gy = kernel.gradient(state.p[s, 0], state.p[s, 1])
            out[i, :5] = (*state.p[s], f, gx, gy)
            if not np.isfinite(out[i, :3]).all() or f <= target:
                return i + 1, _reason(out[i], spec)
        return len(out), ""

    # -- pictures ----------------------------------------------------------------------------------------------------

    def probe(self, state: State, spec: Any, name: str, **asked: Any) -> Any:
        """`field`: loss on a grid over extent=(x0, x1, y0, y1), [n, n]. `inside`: the coming step of series=..."""
        if name == "field":
            return self.field(spec, asked["extent"], asked.get("n", 200))
        if name == "inside":
            return self.inside(state, spec, asked["series"])
        raise KeyError(name)

    def field(self, spec: Any, extent: tuple[float, float, float, float], n: int = 200) -> Array:
        """The loss on an n x n grid over the extent: [n, n], rows along y."""
        x0, x1, y0, y1 = extent
        x, y = np.meshgrid(np.linspace(x0, x1, n), np.linspace(y0, y1, n))
        values: Array = self._kernel(spec).value(x, y)
        return values

    def _noise(self, state: State, spec: Any) -> Array | None:
        from engine.randomness import normals

        if spec.noise <= 0:
            return None
        noise: Array = spec.noise * normals(spec.seed, "gradient noise", state.step, 1)[0]
        return noise

    def inside(self, state: State, spec: Any, name: str) -> Inside:
        """The step that optimizer `name` is about to take, quantity by quantity."""
        from engine import second_order
        from engine.optimizers import inside, look_ahead, numbers

        names = self.series(spec)
        if name not in names:
            raise KeyError(name)
        s = names.index(name)
        convention = spec.convention
        formulas = RULES[name].formulas[convention] if name in RULES else METHODS[name].formulas
        if s in state.ended:
            return Inside(name, tuple(formulas), (), note="This optimizer has ended; step back to look inside.")
        tilted = _Tilted(self._kernel(spec), self._noise(state, spec))
        if name in RULES:
            rule, p = RULES[name], state.p[s]
            h = tuple(self._hypers(spec, name)[: len(rule.hypers)])
            rate = self.rate(spec, name)
            own = tuple(state.numbers[s][: len(rule.states)])
            at = p.copy()
            look_ahead(name, convention, p, own, at, rate, h)
            _, g = tilted.value_gradient(at)
            found = inside(name, convention, p, g, own, state.step + 1, rate, h)
            filled = numbers(name, convention, found, rate, h)
        else:
            method = METHODS[name]
            hypers = {hyper.name: value_of(spec, f"{name}.{hyper.name}") for hyper in method.hypers}
            found = second_order.inside(method, state.methods[name], tilted, hypers)
            filled = second_order.numbers(found)
        return Inside(name, tuple(formulas), found, tuple(filled.split("\n")) if filled else ())

    # -- drawn against measured --------------------------------------------------------------------------------------

    def drawn(self, spec: Any, view: Any) -> tuple[Drawn, ...]:
        """The chapter's second-order listing laid over this run, and figure 10.2's caption as a claim."""
        from engine.experiments.landscapes._descent.chapter import drawn

        return drawn(spec, view)

    def difference(self, spec: Any, series: str) -> str:
        """How the conventions differ for one optimizer."""
        return RULES[series].differs if series in RULES else ""

    def script(self, spec: Any, events: Sequence[Any], steps: int, end: State) -> str:
        """A PyTorch script of the run up to step `steps`, which asserts the positions in `end`."""
        from engine.experiments.landscapes._descent.script import write

        words: str = write(self, spec, events, steps, end)
        return words


def _reaching(low: float, high: float, at: float) -> tuple[float, float]:
    """A range widened to reach a place beyond it, and a little farther."""
    room = MARGIN * (max(high, at) - min(low, at))
    return (at - room if at < low else low), (at + room if at > high else high)


def _columns(values: dict[str, Array], endings: tuple[Ending, ...]) -> Columns:
    with np.errstate(over="ignore", invalid="ignore"):  # of a diverging run
        norm = np.sqrt(values["grad_x"] ** 2 + values["grad_y"] ** 2)  # five times as fast as hypot
    return Columns(values | {"gradient_norm": norm}, endings)


def _reason(row: Array, spec: Any) -> str:
    """Why a walk ended with this row (x, y, loss, ...)."""
    for value, what in zip(row[:3], ("x", "y", "the loss"), strict=True):
        if np.isnan(value):
            return f"{what} is not a number (nan)"
        if np.isinf(value):
            return f"{what} overflowed ({'inf' if value > 0 else '-inf'})"
    return f"loss at or below the target {spec.target:g}"
