"""Newton, BFGS, L-BFGS, natural gradient and K-FAC against SGD and Adam, by step, time and memory: 10.2.4."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from engine.experiment import Array, Basis, Columns, Curve, Drawn, Ending, Picture
from engine.experiments.landscapes._second_order import pictures, sweep
from engine.experiments.landscapes._second_order.clock import Clock
from engine.experiments.landscapes._second_order.cost import DENSEST, MOST, ladder, largest, products
from engine.experiments.landscapes._second_order.methods import CONTESTANTS, held
from engine.experiments.landscapes._second_order.objective import Classifier, Watched
from engine.experiments.landscapes._second_order.settings import (
    DIGITS,
    LOGISTIC,
    MADE,
    QUADRATIC,
    SIZE,
    SecondOrderSpec,
)
from engine.experiments.landscapes._second_order.work import Work, count, work_of
from engine.randomness import generator
from engine.spec import Spec, SpecError

COLUMNS = ("parameters", "loss", "excess", "gradient_norm", "accuracy", "evaluations", "bytes", "steps_to_target")
PARAMETERS, LOSS, EXCESS, GRADIENT, ACCURACY, EVALUATIONS, BYTES, STEPS = range(len(COLUMNS))
DIGITS_THERE = 1797
_SIZES = {"x_label": "parameters", "x": "parameters", "log_x": True}


@dataclass
class State:
    """Everything that changes: each method's own state; the length of the first gradient [S]; the row of every column
    [columns, S]; of a race the losses so far [steps + 1, S] and, of two parameters, the ways [steps + 1, S, 2]; of a
    sweep the table of all sizes; who ended at which step, and who of them had arrived. Copies share the clock."""

    step: int
    methods: dict[str, dict[str, Any]]
    first: Array
    row: Array
    log: Array
    ways: Array
    table: Array
    work: Work = field(metadata={"scratch": True})
    clock: Clock = field(metadata={"scratch": True})
    ended: dict[int, int] = field(default_factory=dict)
    reached: list[int] = field(default_factory=list)


class SecondOrder(Basis):
    """See SPEC `landscapes.second_order`. A race's step is one step of each; a sweep's a share of those at one size."""

    id: ClassVar[str] = "landscapes.second_order"
    title: ClassVar[str] = "First against second order"
    section: ClassVar[str] = "10.2.4"
    summary: ClassVar[str] = "Newton and its relatives against SGD and Adam: by step, by time, by memory."
    Spec: ClassVar[type[Spec]] = SecondOrderSpec
    columns: ClassVar[tuple[str, ...]] = COLUMNS
    loss: ClassVar[str] = "excess"
    step_columns: ClassVar[tuple[str, ...]] = ("evaluations",)
    sparse: ClassVar[tuple[str, ...]] = (
        "loss", "excess", "gradient_norm", "accuracy", "evaluations", "bytes", "steps_to_target",
    )  # fmt: skip
    pace: ClassVar[float] = 60.0
    large: ClassVar[int] = 2
    plots: ClassVar[tuple[Curve | Picture, ...]] = (
        Curve("excess", "Loss by step", "loss − known minimum", log=True),
        Picture("by_time", "Loss by time", "lines", "milliseconds", "loss − known minimum", log=True, log_x=True,
                every=0.2),
        Picture("memory", "Memory kept", "lines", "parameters", "bytes", log=True, log_x=True, every=0.5),
        Curve("gradient_norm", "Gradient", "‖gradient‖", log=True),
        Picture("table", "What it costs", "table", every=0.5),
        Picture("to_target", "Time until there", "lines", "parameters", "milliseconds", log=True, log_x=True,
                every=0.3),
        Picture("per_step", "Time of a step", "lines", "parameters", "milliseconds", log=True, log_x=True, every=0.5),
        Curve("steps_to_target", "Steps until there", "steps", log=True, points=True, **_SIZES),  # type: ignore[arg-type]
        Picture("plane", "Paths", "map", "first parameter", "second parameter", every=0.1,
                empty="Of two parameters only"),
        Curve("accuracy", "Accuracy", "share right"),
        Curve("evaluations", "Evaluations a step", "loss or gradient"),
    )  # fmt: skip

    # -- settings ----------------------------------------------------------------------------------------------------

    def check(self, spec: Any) -> None:
        """Raise SpecError for what does not belong together, and for a step that would take long."""
        if not spec.optimizers:
            raise SpecError("optimizers", "'' is not allowed; name at least one contestant")
        if spec.study == SIZE:
            self._check_sweep(spec)
        if spec.problem == QUADRATIC:
            return
        if spec.data == DIGITS and spec.samples > DIGITS_THERE:
            raise SpecError("samples", f"{spec.samples} is not allowed; there are {DIGITS_THERE:,} digits")
        if spec.batch_size > spec.samples:
            raise SpecError("batch_size", f"{spec.batch_size} is not allowed; there are {spec.samples} samples")
        if spec.problem != LOGISTIC and not spec.hidden:
            raise SpecError("hidden", "'' is not allowed; give one or two layers")
        sizes = largest(spec)
        n = count(sizes)
        for name in spec.optimizers:
            title = CONTESTANTS[name].title
            if CONTESTANTS[name].dense and n > DENSEST:
                raise SpecError("optimizers", f"{title} keeps a matrix of {n:,} x {n:,} numbers here; {DENSEST:,} "
                                "parameters are allowed with it")  # fmt: skip
            work = products(name, sizes, spec.samples)
            if work > MOST:
                raise SpecError("samples", f"{spec.samples} is not allowed: one step of {title} at {n:,} parameters "
                                f"takes some {work:.0e} multiplications; {MOST:.0e} are allowed")  # fmt: skip

    def _check_sweep(self, spec: Any) -> None:
        if spec.problem == QUADRATIC:
            raise SpecError("problem", "quadratic is not allowed where the size grows; it has two parameters")
        if spec.problem == LOGISTIC and spec.data != MADE:
            raise SpecError("data", f"{spec.data} is not allowed where logistic regression grows; give {MADE}, whose "
                            "inputs can be any number")  # fmt: skip
        if spec.lowest >= spec.highest:
            raise SpecError("highest", f"{spec.highest} is not allowed; give more than {spec.lowest}, the fewest")
        if spec.batch_size:
            raise SpecError("batch_size", f"{spec.batch_size} is not allowed where the size grows; give 0, all samples")

    def series(self, spec: Any) -> tuple[str, ...]:
        """The contestants, as chosen."""
        return tuple(spec.optimizers)

    def steps(self, spec: Any) -> int:
        """As long as the race is set, or as many shares as the sizes have."""
        return sweep.rounds(spec) if spec.study == SIZE else int(spec.steps)

    def label(self, series: str) -> str:
        """A contestant's title."""
        return CONTESTANTS[series].title if series in CONTESTANTS else series

    # -- running -----------------------------------------------------------------------------------------------------

    def start(self, spec: Any) -> State:
        """Everybody at the first parameters."""
        work = work_of(spec, ladder(spec)[0] if spec.study == SIZE else None)
        methods, first = sweep.begin(spec, work)
        count = len(methods)
        state = State(
            0, methods, first, np.full((len(COLUMNS), count), np.nan), np.empty((0, count)), np.empty((0, count, 2)),
            np.empty((0, count, len(sweep.TABLE))), work, Clock(),
        )  # fmt: skip
        state.row[PARAMETERS] = work.problem.parameters
        if spec.study != SIZE:
            for s, name in enumerate(spec.optimizers):
                self._measured(state, s, name)
            self._remember(state, state.row[None])
        return state

    def _measured(self, state: State, s: int, name: str) -> None:
        """Loss, gradient, accuracy and memory of one contestant, over all samples."""
        own, problem, row = state.methods[name], state.work.problem, state.row[:, s]
        with np.errstate(all="ignore"):
            row[LOSS], gradient = problem.value_gradient(own["p"])
            row[EXCESS] = max(row[LOSS] - state.work.minimum, 0.0) if row[LOSS] < np.inf else row[LOSS]
            row[GRADIENT] = np.linalg.norm(gradient)
            row[ACCURACY] = problem.accuracy(own["p"]) if isinstance(problem, Classifier) else np.nan
        row[BYTES] = held(own)

    def measure(self, state: State, spec: Any) -> Columns:
        """The row of the step in hand."""
        return Columns({name: row[None].copy() for name, row in zip(COLUMNS, state.row, strict=True)})

    def advance(self, state: State, spec: Any, n: int) -> Columns:
        """n steps; fewer where all have ended."""
        rows, endings = list[Array](), list[Ending]()
        for _ in range(n):
            if len(state.ended) == len(spec.optimizers):
                break
            if spec.study == SIZE:
                self._sweep(state, spec)
            else:
                endings += self._race(state, spec)
            rows.append(state.row.copy())
        block = np.array(rows).reshape(-1, len(COLUMNS), len(spec.optimizers))
        if spec.study != SIZE:
            self._remember(state, block)
        return Columns({name: block[:, c] for c, name in enumerate(COLUMNS)}, tuple(endings))

    def _remember(self, state: State, block: Array) -> None:
        """Losses and, of two parameters, the ways; what a picture by time needs of the past."""
        state.log = np.concatenate([state.log, block[:, EXCESS]])
        if state.work.problem.parameters == 2 and len(state.ways) == 0:
            state.ways = np.array([[own["p"] for own in state.methods.values()]])

    def _race(self, state: State, spec: Any) -> list[Ending]:
        """One step of everybody who still runs."""
        state.step += 1
        rows = None
        if spec.batch_size and spec.problem != QUADRATIC:
            draw = generator(spec.seed, "batch", state.step)
            rows = np.sort(draw.choice(spec.samples, spec.batch_size, replace=False))
        problem, endings = state.work.on(rows), []
        state.row[1:] = np.nan
        for s, name in enumerate(spec.optimizers):
            if s in state.ended:
                continue
            own = state.methods[name]
            if rows is not None and "memo" in own:
                own["memo"] = {}  # the next samples have another gradient
            watched = Watched(problem, own.get("memo"))
            failed = sweep.timed_step(name, own, watched, spec, state.clock, name)
            self._measured(state, s, name)
            state.row[EVALUATIONS, s] = watched.evaluations
            ending = self._ending(state, spec, s, failed)
            endings += [ending] if ending else []
        if len(state.ways):
            last = np.array([own["p"] if state.ended.get(s, state.step) >= state.step else np.full(2, np.nan)
                             for s, own in enumerate(state.methods.values())])  # fmt: skip
            state.ways = np.concatenate([state.ways, last[None]])
        return endings

    def _ending(self, state: State, spec: Any, s: int, failed: str) -> Ending | None:
        """Whether this step was somebody's last."""
        loss, norm, k = float(state.row[LOSS, s]), float(state.row[GRADIENT, s]), state.step
        if failed or not np.isfinite(loss) or not np.isfinite(norm):
            what = failed or ("the loss is not a number (nan)" if np.isnan(loss) else "the loss overflowed (inf)")
            state.ended[s] = k
            return Ending(s, "diverged", k, f"{what} at step {k}")
        if norm <= spec.tolerance * state.first[s]:
            state.ended[s] = k
            state.reached = sorted([*state.reached, s])
            state.row[STEPS, s] = k
            return Ending(s, "target", k, f"gradient at or below {spec.tolerance:g} of its first at step {k}")
        return None

    def _sweep(self, state: State, spec: Any) -> None:
        """The next share of a size; its row is full once all of them are taken."""
        sweep.share(state, spec)
        table = state.table[-1]
        state.row[:] = np.nan
        state.row[PARAMETERS] = table[:, sweep.PARAMETERS]
        if state.step % sweep.SHARES == 0:
            for s, name in enumerate(spec.optimizers):
                self._measured(state, s, name)
            state.row[1:, table[:, sweep.THERE] == sweep.LOST] = np.nan
            state.row[EVALUATIONS] = table[:, sweep.EVALUATIONS]
            there = table[:, sweep.THERE] == sweep.REACHED
            state.row[STEPS] = np.where(there, table[:, sweep.TAKEN], np.nan)

    # -- looking -----------------------------------------------------------------------------------------------------

    def probe(self, state: State, spec: Any, name: str, **asked: Any) -> Any:
        """The pictures declared above; see engine.experiments.landscapes._second_order.pictures."""
        made = {
            "by_time": pictures.by_time, "memory": pictures.memory, "table": pictures.table, "plane": pictures.plane,
            "to_target": pictures.to_target, "per_step": pictures.per_step,
        }  # fmt: skip
        return made[name](state, spec)

    def timed(self, state: State, spec: Any) -> Mapping[str, Mapping[str, float]]:
        """Seconds of the median step; of a sweep at the last size that was begun."""
        size = len(state.table) - 1
        keys = {name: (size, name) if spec.study == SIZE else name for name in spec.optimizers}
        return {name: {"seconds_per_step": state.clock.median(key)} for name, key in keys.items()}

    def drawn(self, spec: Any, view: Any) -> tuple[Drawn, ...]:
        """The chapter's second-order listing laid over this run."""
        from engine.experiments.landscapes._second_order.chapter import drawn

        return drawn(spec, view)

    def answer(self, spec: Any, view: Any, words: str) -> str:
        """`along_y`: what SGD's y does on the quadratic, from its losses and those along x alone; `newton_steps`: how
        many times more steps Newton needs at the largest size than at the smallest."""
        values = view.branch.history.values
        if words == "along_y":
            gradient = values["gradient_norm"][:, view.series.index("sgd")]
            if len(gradient) > 1 and gradient[1] <= 0.2:  # what x = 10 alone has
                return "once"
            return "zigzag" if spec.sgd.learning_rate > 0.1 else "creeps"
        if words == "newton_steps":
            steps = values["steps_to_target"][:, view.series.index("newton")]
            good = steps[np.isfinite(steps)]
            times = good[-1] / good[0] if len(good) else np.inf
            return "few" if times < 3 else "hundred" if times < 1000 else "more"
        return super().answer(spec, view, words)

    def script(self, spec: Any, events: Sequence[Any], steps: int, end: State) -> str:
        """A PyTorch script with derivatives by autograd, which asserts the losses and parameters in `end`."""
        from engine.experiments.landscapes._second_order.script import write

        words: str = write(self, spec, events, steps, end)
        return words
