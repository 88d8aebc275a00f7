"""Weight decay: L2, L1 and both on a polynomial fit, and decay inside Adam against decay beside it. Chapter 10.3.2."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from engine.experiment import Array, Basis, Columns, Curve, Drawn, Ending, Overlay, Picture
from engine.experiments.regularization._weight_decay.settings import CHAPTER_ALPHAS, FITS, WeightDecaySpec
from engine.least_squares import centred, elastic_net, polynomial, ridge
from engine.picture import Line, Lines
from engine.randomness import generator
from engine.spec import Spec, SpecError
from engine.turns import give_way

GRID = np.linspace(-3.0, 3.0, 241)  # where the fits are drawn, and held to the sine
CHAPTER_ENDS = (  # the chapter's listing at -3 and 3, for each of its alphas
    (-0.1245323863, 0.4471346604), (-0.1244601096, 0.4466884501), (-0.1238120438, 0.4427236242),
    (-0.1176114135, 0.4076013492), (-0.0844222557, 0.2677728996),
)  # fmt: skip


@dataclass
class State:
    """The weights of every fit at every strength so far: [strengths, fits, p]; `ended`: the fits that overflowed."""

    step: int
    weights: Array
    ended: list[int] = field(default_factory=list)


class WeightDecay(Basis):
    """See the module's text. One step is one strength."""

    id: ClassVar[str] = "regularization.weight_decay"
    title: ClassVar[str] = "Weight decay"
    section: ClassVar[str] = "10.3.2"
    summary: ClassVar[str] = "L1 and L2 on a polynomial fit, and decay inside Adam against decay beside it."
    Spec: ClassVar[type[Spec]] = WeightDecaySpec
    columns: ClassVar[tuple[str, ...]] = (
        "alpha", "train_mse", "true_mse", "weight_norm", "largest_weight", "zero_weights",
    )  # fmt: skip
    loss: ClassVar[str] = "true_mse"
    unit: ClassVar[str] = "strength"
    steps_key: ClassVar[str] = ""
    pace: ClassVar[float] = 10.0
    plots: ClassVar[tuple[Curve | Picture, ...]] = (
        Picture("fit", "The fit at this strength", "lines", "x", "y", every=0.05),
        Curve("true_mse", "Error against truth", "mean squared error", log=True, x_label="α", x="alpha",
              log_x=True),
        Curve("weight_norm", "Size of the weights", "‖weights‖", log=True, x_label="α", x="alpha", log_x=True),
        Picture("paths", "Every weight", "lines", "α", "weight", every=0.2, log_x=True),
        Curve("train_mse", "Training error", "mean squared error", log=True, x_label="α", x="alpha", log_x=True),
        Curve("largest_weight", "Largest weight", "|weight|", log=True, x_label="α", x="alpha", log_x=True),
        Curve("zero_weights", "Weights at exactly zero", "count", x_label="α", x="alpha", log_x=True),
    )  # fmt: skip

    # -- settings ----------------------------------------------------------------------------------------------------

    def check(self, spec: Any) -> None:
        """Somebody must fit, and the strengths must rise."""
        if not spec.fits:
            raise SpecError("fits", "'' is not allowed; name at least one penalty")
        if spec.alphas == "log" and spec.lowest >= spec.highest:
            raise SpecError("highest", f"{spec.highest:g} is not allowed; give more than From, {spec.lowest:g}")

    def series(self, spec: Any) -> tuple[str, ...]:
        """The fits, as chosen."""
        return tuple(spec.fits)

    def label(self, series: str) -> str:
        """A fit's title."""
        return FITS.get(series, series)

    def strengths(self, spec: Any) -> Array:
        """The alphas tried, rising."""
        if spec.alphas == "chapter":
            return np.array(CHAPTER_ALPHAS)
        return np.geomspace(spec.lowest, spec.highest, spec.count)

    def steps(self, spec: Any) -> int:
        """One less than there are strengths: step 0 has the first."""
        return len(self.strengths(spec)) - 1

    def points(self, spec: Any) -> tuple[Array, Array]:
        """The data: x [n] rising, y [n]."""
        if spec.data == "chapter":
            from engine.data.chapter import chapter_polynomial

            found = chapter_polynomial()
            return found.x[:, 0], found.y[:, 0]
        draw = generator(spec.seed, "points of a sine")
        x = np.sort(6.0 * draw.random(spec.points) - 3.0)
        return x, np.sin(x) + spec.noise * draw.standard_normal(spec.points)

    # -- running -----------------------------------------------------------------------------------------------------

    def start(self, spec: Any) -> State:
        """Every fit at the first strength."""
        state = State(-1, np.empty((0, len(spec.fits), self._columns(spec, GRID).shape[1])))
        self._solve(state, spec)
        return state

    def _columns(self, spec: Any, x: Array) -> Array:
        return polynomial(x, spec.degree, spec.basis)

    def _solve(self, state: State, spec: Any) -> None:
        """Fit all at the next strength."""
        x, y = self.points(spec)
        inputs, targets, _, _ = centred(self._columns(spec, x), y)
        alpha = float(self.strengths(spec)[state.step + 1])
        squares = alpha if spec.convention == "book" else 0.5 * alpha
        row = np.empty((1, *state.weights.shape[1:]))
        for s, name in enumerate(spec.fits):
            if s in state.ended:
                row[0, s] = np.nan
            elif name == "ridge":
                row[0, s] = ridge(inputs, targets, squares)
            elif name in ("lasso", "elastic_net"):
                share = 1.0 if name == "lasso" else 0.5
                row[0, s] = elastic_net(inputs, targets, share * alpha, (1.0 - share) * squares)
            else:
                row[0, s] = self._trained(inputs, targets, spec, "adam" if name == "adam_l2" else "adamw", alpha)
        state.weights = np.concatenate([state.weights, row])
        state.step += 1

    def _trained(self, x: Array, y: Array, spec: Any, rule: str, alpha: float) -> Array:
        """Adam from zero on ||y - x w||^2, with the weight decay its rule knows."""
        from engine.optimizers import RULES, apply, new_states

        w = np.zeros(x.shape[1])
        states = new_states(rule, w.shape)
        hypers = [alpha if h.name == "weight_decay" else h.default for h in RULES[rule].hypers]
        gram, right = x.T @ x, x.T @ y
        for t in range(spec.adam_steps):
            give_way()
            with np.errstate(all="ignore"):  # an overflow is told by the row
                gradient = 2.0 * (gram @ w - right)
            apply(rule, spec.convention, w, gradient, states, t + 1, spec.adam_rate * (1 - t / spec.adam_steps), hypers)
        return w

    def measure(self, state: State, spec: Any) -> Columns:
        """The errors and weights at the last strength."""
        x, y = self.points(spec)
        alpha = float(self.strengths(spec)[state.step])
        columns = self._columns(spec, x)
        train, true = self._predict(state, spec, columns), self._predict(state, spec, self._columns(spec, GRID))
        w = state.weights[-1]
        with np.errstate(all="ignore"):
            values = [
                np.full(len(w), alpha), ((train - y) ** 2).mean(axis=1), ((true - np.sin(GRID)) ** 2).mean(axis=1),
                np.sqrt((w**2).sum(axis=1)), np.abs(w).max(axis=1), (w == 0.0).sum(axis=1).astype(float),
            ]  # fmt: skip
        if spec.basis == "powers":
            values[5] = values[5] - 1.0  # the constant column's weight is always 0: the intercept stands for it
        return Columns({name: row[None, :] for name, row in zip(self.columns, values, strict=True)})

    def _predict(self, state: State, spec: Any, columns: Array) -> Array:
        """What every fit says at the rows of `columns`: [fits, rows]."""
        x, y = self.points(spec)
        _, _, mean_x, mean_y = centred(self._columns(spec, x), y)
        with np.errstate(all="ignore"):
            told: Array = state.weights[-1] @ (columns - mean_x).T + mean_y
        return told

    def advance(self, state: State, spec: Any, n: int) -> Columns:
        """Solve at the next n strengths."""
        rows, endings = [], list[Ending]()
        for _ in range(n):
            give_way()
            self._solve(state, spec)
            rows.append(self.measure(state, spec))
            endings += self._lost(state, spec)
            if len(state.ended) == len(spec.fits):
                break
        values = {name: np.concatenate([row.values[name] for row in rows]) for name in self.columns}
        return Columns(values, tuple(endings))

    def _lost(self, state: State, spec: Any) -> list[Ending]:
        """Whose weights overflowed at the last strength, and why."""
        found = []
        for s, name in enumerate(spec.fits):
            if s not in state.ended and not np.isfinite(state.weights[-1, s]).all():
                alpha = float(self.strengths(spec)[state.step])
                reason = f"the weights overflowed at α {alpha:.4g}"
                if name == "adamw":
                    reason += f": rate times α is {spec.adam_rate * alpha:.3g} at first, and above 2 nothing holds"
                found.append(Ending(s, "diverged", state.step, reason))
                state.ended.append(s)
        return found

    # -- pictures ----------------------------------------------------------------------------------------------------

    def probe(self, state: State, spec: Any, name: str, **asked: Any) -> Any:
        """`fit`: data, the true sine and every fit. `paths`: the weights of the fit `series` over the strengths."""
        if name == "fit":
            x, y = self.points(spec)
            told = self._predict(state, spec, self._columns(spec, GRID))
            fits = [Line(FITS[one], GRID, told[s], series=one) for s, one in enumerate(spec.fits)]
            alpha = self.strengths(spec)[state.step]
            return Lines(
                (Line("data", x, y, points=True, series="data"), Line("true sine", GRID, np.sin(GRID), dashed=True),
                 *fits), note=f"α = {alpha:.4g}",
            )  # fmt: skip
        if name == "paths":
            one = asked.get("series") or spec.fits[0]
            s = spec.fits.index(one) if one in spec.fits else 0
            alphas = self.strengths(spec)[: state.step + 1]
            weights = state.weights[:, s, int(spec.basis == "powers") :]
            own = spec.fits[s]  # all in its colour: there are more weights than colours
            lines = tuple(Line(f"w{j + 1}", alphas, weights[:, j], series=own) for j in range(weights.shape[1]))
            return Lines(lines, note=f"Of: {FITS[own]}", legend=False)
        raise KeyError(name)

    # -- drawn against measured --------------------------------------------------------------------------------------

    def drawn(self, spec: Any, view: Any) -> tuple[Drawn, ...]:
        """The chapter's five ridge curves laid over the fit, once the run has its alphas."""
        as_listed = (spec.data, spec.degree, spec.basis, spec.alphas, spec.convention)
        if as_listed != ("chapter", 10, "powers", "chapter", "book") or "ridge" not in spec.fits:
            return ()
        x, y = self.points(spec)
        inputs, targets, mean_x, mean_y = centred(self._columns(spec, x), y)
        columns = self._columns(spec, GRID) - mean_x
        overlays, apart = [], 0.0
        for alpha, ends in zip(CHAPTER_ALPHAS, CHAPTER_ENDS, strict=True):
            curve = columns @ ridge(inputs, targets, alpha) + mean_y
            apart = max(apart, abs(curve[0] - ends[0]), abs(curve[-1] - ends[1]))
            overlays.append(Overlay("fit", f"chapter, α {alpha:g}", GRID, curve, "chapter"))
        return (
            Drawn(
                "10.3.2", "Ridge at five strengths", "Stronger penalties give smoother curves.", tuple(overlays),
                f"Measured: at x = -3 and 3 the fits agree with the chapter's listing to {apart:.0e}. The first four "
                "curves lie on one another: with 100 points, degree 10 hardly overfits.",
            ),
        )  # fmt: skip

    def difference(self, spec: Any, series: str) -> str:
        """Where one half stands."""
        if series in ("ridge", "elastic_net", "adam_l2"):
            return "Book: α times the sum of squares. PyTorch: one half of that, so that the gradient is α w."
        return ""

    def answer(self, spec: Any, view: Any, words: str) -> str:
        """`best FIT`: whether the smallest true error lies at the weakest, in between, or at the strongest alpha."""
        s = view.series.index(words.removeprefix("best "))
        errors = view.branch.history.values["true_mse"][:, s]
        best = int(np.nanargmin(errors))
        return "weakest" if best == 0 else "strongest" if best == len(errors) - 1 else "between"

    def script(self, spec: Any, events: Sequence[Any], steps: int, end: State) -> str:
        """A PyTorch script that fits again at every strength up to here and asserts the weights."""
        from engine.experiments.regularization._weight_decay.script import write

        words: str = write(self, spec, steps, end)
        return words
