"""The default view: the plots an experiment declares, kept fluid by drawing one of them at a time."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from PySide6.QtCore import Qt, QTimer, Signal, Slot
from PySide6.QtWidgets import QVBoxLayout, QWidget

from engine.experiment import Drawn, Experiment
from engine.session.session import BranchView, SessionView
from engine.spec import Spec
from gui.plots.curves import Curves
from gui.plots.panel import Panel
from gui.pump import Probes
from gui.runs import Pinned
from gui.theme import Theme, series_style

TURN = 6  # milliseconds between two plots, so that the window can answer in between
STREAM = 0.15  # seconds: views that follow each other faster belong to a run that streams


def key_of(branch: int, series: str, run: str = "") -> str:
    """The name under which a plot keeps a line."""
    return f"{run}/{branch}/{series}"


class View(QWidget):
    """Shows a run. Signals: `edited(key, value)` when the reader changes a setting in the picture; `asked()` when
    the answers to `wanted()` are needed anew; `sought(step)` when a cursor is dragged."""

    edited = Signal(str, object)
    asked = Signal()
    sought = Signal(int)

    def __init__(self, experiment: Experiment, theme: Theme) -> None:
        super().__init__()
        self.experiment, self.theme = experiment, theme
        self.curves: dict[str, Curves] = {}
        for plot in experiment.plots:
            curves = Curves(plot.title, plot.x_label, plot.y_label, plot.log, theme)
            curves.cursorMoved.connect(self._cursor_moved)
            self.curves[plot.column] = curves
        self.panel = Panel(*self.main_plots(), theme=theme)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.panel)
        self._drawn_lines: set[str] = set()
        self._overlays = 0
        self._parts: dict[str, Callable[[], None]] = {}  # what is still to be drawn of the newest view
        self._turns = QTimer(self)
        self._turns.setInterval(TURN)
        self._turns.setTimerType(Qt.TimerType.PreciseTimer)
        self._turns.timeout.connect(self._next_part)
        self._came = 0.0
        self.streaming = False  # views come one after the other: each plot is drawn in a turn of its own
        self.live = False  # on a page, where dear parts may lag behind; a picture shows all at once
        self.chosen = ""

    def main_plots(self) -> tuple[QWidget, Sequence[QWidget]]:
        """The large plot, and up to three small ones."""
        plots = list(self.curves.values())
        return plots[0], plots[1:4]

    def plots(self) -> dict[str, QWidget]:
        """Every plot by the name an export knows it by."""
        return {curves.title: curves for curves in self.curves.values()}

    def plot(self, name: str) -> QWidget:
        """One plot by its name."""
        return self.plots()[name]

    def answers(self) -> Mapping[str, Any]:
        """The latest answers to what this view wanted, for a picture of the same run elsewhere."""
        return {}

    # -- what the page asks -------------------------------------------------------------------------------------------

    def wanted(self) -> Probes:
        """The dear pictures this view needs with the next answer."""
        return {}

    def set_spec(self, spec: Spec) -> None:
        """A new run begins with these settings."""
        self._parts.clear()
        for curves in self.curves.values():
            for key in self._drawn_lines:
                curves.remove(key)
            curves.set_events([])
            curves.set_cursor(None)
        self._drawn_lines.clear()

    def first_choice(self, names: Sequence[str]) -> str:
        """Whose inside is looked at unless the reader has chosen."""
        return names[0] if names else ""

    def choose(self, series: str) -> None:
        """The contestant whose inside is looked at."""
        self.chosen = series

    def show_run(self, view: SessionView, probes: Mapping[str, Any], pinned: Sequence[Pinned]) -> None:
        """Draw what was measured so far; ghosts of pinned runs behind it."""
        now = time.monotonic()
        self.streaming, self._came = self.live and now - self._came < STREAM, now
        lines = self._lines(view, pinned)
        events = [(float(e.step), f"{e.key} = {e.value}") for e in view.branch.events]
        gone = self._drawn_lines - {line[0] for line in lines}
        self._drawn_lines = {key for key, *_ in lines}
        for column, curves in self.curves.items():
            for key in gone:
                curves.remove(key)
            self.in_turn(column, partial(self._show_curves, column, curves, lines, float(view.step), events))
        faint = [b.name for i, b in enumerate(view.branches) if i != view.current] + [pin.name for pin in pinned]
        caption = f"Bright: {view.branch.name}.  Faint: {', '.join(faint)}." if faint else ""
        if caption != self.panel.words[1]:
            self.panel.set_words("", caption)

    def in_turn(self, name: str, part: Callable[[], None]) -> None:
        """Bring one plot up to date: at once, or while a run streams in a turn of the event loop of its own.

        Of several parts with one name only the newest is drawn.
        """
        if not self.streaming:
            self._parts.pop(name, None)
            part()
            return
        self._parts[name] = part
        if not self._turns.isActive():
            self._turns.start()

    @Slot()
    def _next_part(self) -> None:
        if self._parts:
            self._parts.pop(next(iter(self._parts)))()
        else:
            self._turns.stop()

    def _lines(self, view: SessionView, pinned: Sequence[Pinned]) -> list[tuple[str, str, str, int, BranchView, bool]]:
        """Every line to draw, faint ones first: key, label, series, its index, its branch, ghost or not."""
        lines = [
            (key_of(b, name, pin.name), f"{self.label(name)} · {pin.name}", name, s, branch, True)
            for pin in pinned
            for b, branch in enumerate(pin.view.branches)
            for s, name in enumerate(pin.view.series)
            if b == pin.view.current
        ]
        order = sorted(range(len(view.branches)), key=lambda b: b == view.current)
        for b in order:
            branch = view.branches[b]
            for s, name in enumerate(view.series):
                label = self.label(name) if b == view.current else f"{self.label(name)} · {branch.name}"
                lines.append((key_of(b, name), label, name, s, branch, b != view.current))
        return lines

    def label(self, series: str) -> str:
        """The reader's name of a contestant."""
        return series

    def _show_curves(
        self,
        column: str,
        curves: Curves,
        lines: list[tuple[str, str, str, int, BranchView, bool]],
        step: float,
        events: list[tuple[float, str]],
    ) -> None:
        for key, label, series, s, _, ghost in lines:
            curves.set_series(key, label, series_style(series, s), ghost=ghost)
        curves.set_lines({key: branch.history.curve(column, s) for key, _, _, s, branch, _ in lines})
        curves.set_cursor(step)
        curves.set_events(events)

    def show_drawn(self, drawn: Drawn | None) -> None:
        """Lay a drawn curve over the measured ones, or take it off."""
        for i in range(self._overlays):
            for curves in self.curves.values():
                curves.remove(f"overlay {i}")
        overlays = drawn.overlays if drawn else ()
        self._overlays = len(overlays)
        for i, overlay in enumerate(overlays):
            if overlay.plot in self.curves:
                self.curves[overlay.plot].set_overlay(f"overlay {i}", overlay.x, overlay.y, overlay.label)

    def rest(self) -> None:
        """The page closes: stop what is under way."""
        self._turns.stop()
        self._parts.clear()

    def apply_theme(self, theme: Theme) -> None:
        """Repaint in another theme."""
        self.theme = theme
        self.panel.apply_theme(theme)

    @Slot(float)
    def _cursor_moved(self, x: float) -> None:
        self.sought.emit(max(0, round(x)))
