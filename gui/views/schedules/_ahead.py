"""What lies ahead of a run under schedules, asked for once after each change and drawn faintly; and stairs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from engine.experiment import Curve, Experiment
from engine.picture import Lines
from engine.session.branches import BranchView, SessionView
from engine.spec import Spec
from gui.pump import Probes
from gui.runs import Pinned
from gui.theme import Theme
from gui.views.schedules._hand import HandView
from gui.views.schedules._knots import AHEAD

HELD = ("learning_rate", "momentum")  # columns that hold between two steps


def stairs(x: Any, y: Any, low: Any = None, high: Any = None) -> tuple[Any, Any, Any, Any]:
    """A line [n], its band [n] or None, with a corner before every change of a value that was held: it holds until the
    step at which it changes. Values that change with every step stay as they are."""
    held = np.zeros(len(y), bool)
    held[2:] = (y[1:-1] == y[:-2]) & (y[2:] != y[1:-1]) & np.isfinite(y[2:])
    at = np.flatnonzero(held)
    return (
        np.insert(np.asarray(x, float), at, np.asarray(x, float)[at]),
        *(None if part is None else np.insert(part, at, np.asarray(part)[at - 1]) for part in (y, low, high)),
    )  # type: ignore[return-value]


class AheadView(HandView):
    """Draws the rates that are known before the run gets there."""

    def __init__(self, experiment: Experiment, theme: Theme) -> None:
        self._needs_ahead = True
        self._ahead: Lines | None = None
        super().__init__(experiment, theme)

    def wanted(self) -> Probes:
        """What lies ahead, once after each change of the settings."""
        return {**super().wanted(), **({"ahead": ("ahead", {})} if self._needs_ahead else {})}

    def answers(self) -> Mapping[str, Any]:
        """What lies ahead, for a picture of the same run elsewhere."""
        return {**super().answers(), **({"ahead": self._ahead} if self._ahead is not None else {})}

    def set_spec(self, spec: Spec) -> None:
        """New settings: other lines ahead, other knots."""
        super().set_spec(spec)
        self._needs_ahead = True
        for key in [key for key in self.rate.series if key.startswith(AHEAD)]:
            if key.removeprefix(AHEAD) not in self._spec.schedules:
                self.rate.remove(key)

    def show_run(self, view: SessionView, probes: Mapping[str, Any], pinned: Sequence[Pinned]) -> None:
        """The measured rates over those ahead; a live change moves lines and knots."""
        if view.live != self._spec and self._spec is not None:
            self._spec, self._needs_ahead = view.live, True
            self.show_knots()
        if "ahead" in probes:
            self._needs_ahead, self._ahead = False, probes["ahead"]
            self._show_ahead(probes["ahead"])
        super().show_run(view, probes, pinned)

    def _show_ahead(self, ahead: Lines) -> None:
        data = {}
        for line in ahead.lines:
            data[self.declare_ahead(line.name)] = stairs(line.x, line.y, line.low, line.high)
        self.rate.set_lines(data)

    def _line(self, declared: Curve, branch: BranchView, column: str, s: int) -> tuple[Any, Any, Any, Any]:
        """A rate holds until it is changed."""
        line = super()._line(declared, branch, column, s)
        return stairs(*line) if column in HELD else line
