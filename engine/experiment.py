"""What an experiment is.

An experiment is an explicit state plus `advance(n)`: a state can be copied, so stepping back and branching are a
snapshot and an exact replay, and a compiled loop can run n steps in one call. A sweep or a map fits too: there one
step is one tile or one width. Everything random is in the state or is drawn from (seed, purpose, step).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from engine.picture import Kind
from engine.quantity import Quantity
from engine.spec import Spec

Array = NDArray[Any]
Finish = Literal["done", "stopped", "target", "diverged", "failed"]


@dataclass(frozen=True)
class Ending:
    """How one contestant ended: its index among the series, the step after which it stands still, and why."""

    series: int
    finish: Finish
    step: int
    reason: str


@dataclass(frozen=True)
class Columns:
    """What n steps measured.

    `values[name]` has shape [n, series]; row i belongs to the i-th step of the call. A contestant that has ended
    has nan in the rows after its ending. `endings` are those of this call only.
    """

    values: Mapping[str, Array]
    endings: tuple[Ending, ...] = ()

    @property
    def rows(self) -> int:
        """How many steps are in here."""
        return len(next(iter(self.values.values())))


@dataclass(frozen=True)
class Curve:
    """A declared line plot: `column` against the step, one line for each contestant.

    `others` are further columns on the same axes, each with its own dash; `words` says what each column is called
    there. `x` is a column to stand on the abscissa in place of the step; `points` marks every row. `band`: two columns
    between which a band is shaded around `column`. `empty`: what it says where nothing was measured.
    """

    column: str
    title: str
    y_label: str
    log: bool = False
    x_label: str = "step"
    others: tuple[str, ...] = ()
    words: Mapping[str, str] = field(default_factory=dict)
    x: str = ""
    log_x: bool = False
    points: bool = False
    band: tuple[str, str] | None = None
    empty: str = ""

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column drawn here."""
        return (self.column, *self.others)


@dataclass(frozen=True)
class Picture:
    """A declared plot of what the probe `name` answers: one of the kinds in engine.picture.

    While a run goes on it is asked for again every `every` seconds at the most, and only where it can be seen.
    `empty`: what a plot of curves or a map says where the answer is None.
    """

    name: str
    title: str
    kind: Kind
    x_label: str = ""
    y_label: str = ""
    log: bool = False
    every: float = 0.1
    log_x: bool = False
    empty: str = ""


@dataclass(frozen=True)
class Overlay:
    """A curve that somebody draws (a theory, or the chapter's figure) to lie over the measured one.

    `plot` is the column of a declared curve, the name of a picture of lines, or `map` for a path in the plane. `kind`
    says what it is; `points`: single values, nothing between them.
    """

    plot: str
    label: str
    x: Array
    y: Array
    kind: Literal["theory", "chapter"]
    points: bool = False


@dataclass(frozen=True)
class Drawn:
    """A chapter figure that can be laid over the measurement: `section`, `title`, what it claims, the curves, and a
    sentence comparing both, made from the numbers measured."""

    section: str
    title: str
    claim: str
    overlays: tuple[Overlay, ...]
    verdict: str


@dataclass(frozen=True)
class Inside:
    """The inside of one step of one contestant: its equations, the quantities in order, the numbers filled in."""

    series: str
    formulas: tuple[str, ...]
    quantities: tuple[Quantity, ...]
    numbers: tuple[str, ...] = ()
    note: str = ""


@dataclass(frozen=True)
class Estimate:
    """What a run will cost: seconds, bytes of memory."""

    seconds: float
    bytes: int


class State(Protocol):
    """Everything that changes while an experiment runs: arrays, counters, generators. Copied with copy.deepcopy."""

    step: int


@dataclass(frozen=True)
class Prediction:
    """A question to answer before running.

    `choices` are the answers offered; the run of `preset` is then measured: `measure` is `lowest` or `highest` (who
    ends with that loss), either with a COLUMN behind it, `first` (who reaches the target first), `finish NAME` (how a
    contestant ends), or `own WORDS`, which the experiment's method `answer` knows. `answers` maps what was measured to
    a choice. `explain` is shown afterwards.
    """

    question: str
    choices: tuple[str, ...]
    preset: str
    measure: str
    explain: str
    answers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Preset:
    """Settings that show something: `good` ones and bad ones, with the reason in `why`."""

    name: str
    title: str
    good: bool
    why: str
    settings: Mapping[str, Any] = field(default_factory=dict)


class Experiment(Protocol):
    """The protocol. `S` below is the experiment's own Spec class.

    `columns` name what is recorded beside `step,series`, in the order of history.csv; `loss` is the one that is to fall
    (empty: none); `extras` are recorded for the plots but are not in history.csv; `step_columns` belong to a step and
    not to a state, and are empty at step 0; `sparse` ones are measured at a cadence and are nan (empty in files) in
    between. `path`: the two columns that are a way through a plane, or None. `plots`: the large ones first, as many as
    `large`; then the small ones; `stacked`: the large ones stand above each other over one time axis. `unit`: what one
    step is called (`step`, `epoch`, `width`); `steps_key`: the setting that says how many there are, empty where the
    other settings do. `pace`: steps a second to begin with, 0 for the usual. `preparing`: a word on what takes long
    when the first run begins (loading PyTorch). `eager`: a page runs it to its end at once after every edit, so
    that its pictures follow a slider in hand.
    Every method is pure but for `advance`, which changes the state it is handed and nothing else. `Basis` has what
    most experiments have in common.
    """

    id: ClassVar[str]
    title: ClassVar[str]
    section: ClassVar[str]
    summary: ClassVar[str]
    Spec: ClassVar[type[Spec]]
    columns: ClassVar[tuple[str, ...]]
    extras: ClassVar[tuple[str, ...]]
    loss: ClassVar[str]
    step_columns: ClassVar[tuple[str, ...]]
    path: ClassVar[tuple[str, str] | None]
    plots: ClassVar[tuple[Curve | Picture, ...]]
    sparse: ClassVar[tuple[str, ...]]
    large: ClassVar[int]
    stacked: ClassVar[bool]
    unit: ClassVar[str]
    steps_key: ClassVar[str]
    pace: ClassVar[float]
    preparing: ClassVar[str]
    eager: ClassVar[bool]

    def series(self, spec: Any) -> tuple[str, ...]:
        """The contestants' names, in the order of the columns' second axis."""
        ...

    def extent(self, spec: Any) -> tuple[float, float, float, float]:
        """(x0, x1, y0, y1) of the plane that `path` goes through, as a picture shows it at first."""
        ...

    def steps(self, spec: Any) -> int:
        """How many steps the run has at the most."""
        ...

    def check(self, spec: Any) -> None:
        """Raise SpecError for what no single field can see (a formula that does not parse)."""
        ...

    def start(self, spec: Any) -> Any:
        """The state at step 0."""
        ...

    def measure(self, state: Any, spec: Any) -> Columns:
        """One row: what is measured of this state without a step."""
        ...

    def advance(self, state: Any, spec: Any, n: int) -> Columns:
        """Run n steps in place under the settings now in force and return their rows.

        Results do not depend on how the steps are cut into calls.
        """
        ...

    def probe(self, state: Any, spec: Any, name: str, **asked: Any) -> Any:
        """A dear picture of the state, only when looked at. Raises KeyError for a name it does not know."""
        ...

    def drawn(self, spec: Any, view: Any) -> tuple[Drawn, ...]:
        """What the chapter draws of this, laid beside what the run in `view` (a SessionView) measured."""
        ...

    def difference(self, spec: Any, series: str) -> str:
        """One sentence on how the conventions differ for this contestant; empty where they do not."""
        ...

    def label(self, series: str) -> str:
        """The reader's name of a contestant."""
        ...

    def facts(self, spec: Any) -> Mapping[str, int | float]:
        """Numbers that follow from the settings alone, told at the top of summary.json."""
        ...

    def timed(self, state: Any, spec: Any) -> Mapping[str, Mapping[str, float]]:
        """By contestant what was measured with a clock and is never the same twice, so that no history may hold it; it
        is told in summary.json. Numbers that are not finite are left out."""
        ...

    def looks(self, spec: Any) -> tuple[str, ...]:
        """Settings that change nothing of the run under these settings, only what is looked at: no new run, no event,
        no branch."""
        ...

    def answer(self, spec: Any, view: Any, words: str) -> str:
        """What the run in `view` answers to a prediction's `own WORDS`."""
        ...

    def script(self, spec: Any, events: Sequence[Any], steps: int, end: Any) -> str:
        """A PyTorch script that repeats the run and asserts its end."""
        ...


class Basis:
    """What most experiments have in common. An experiment derives from it and gives the rest of the protocol."""

    extras: ClassVar[tuple[str, ...]] = ()
    step_columns: ClassVar[tuple[str, ...]] = ()
    sparse: ClassVar[tuple[str, ...]] = ()
    path: ClassVar[tuple[str, str] | None] = None
    large: ClassVar[int] = 1
    stacked: ClassVar[bool] = False
    unit: ClassVar[str] = "step"
    steps_key: ClassVar[str] = "steps"
    pace: ClassVar[float] = 0.0
    preparing: ClassVar[str] = ""
    eager: ClassVar[bool] = False

    def extent(self, spec: Any) -> tuple[float, float, float, float]:
        """No way through a plane."""
        return (0.0, 1.0, 0.0, 1.0)

    def check(self, spec: Any) -> None:
        """Every field by itself is enough."""

    def probe(self, state: Any, spec: Any, name: str, **asked: Any) -> Any:
        """No pictures."""
        raise KeyError(name)

    def drawn(self, spec: Any, view: Any) -> tuple[Drawn, ...]:
        """The chapter draws nothing of this."""
        return ()

    def difference(self, spec: Any, series: str) -> str:
        """Both conventions are the same."""
        return ""

    def label(self, series: str) -> str:
        """The name in plain words."""
        return series.replace("_", " ")

    def facts(self, spec: Any) -> Mapping[str, int | float]:
        """None."""
        return {}

    def timed(self, state: Any, spec: Any) -> Mapping[str, Mapping[str, float]]:
        """Nothing."""
        return {}

    def looks(self, spec: Any) -> tuple[str, ...]:
        """Every setting is part of the run."""
        return ()

    def answer(self, spec: Any, view: Any, words: str) -> str:
        """No questions of its own."""
        raise ValueError(f"measure: 'own {words}' is not known to this experiment")


def finite(values: Array) -> bool:
    """Whether every number is finite."""
    return bool(np.isfinite(values).all())
