"""The default view: the plots an experiment declares, kept fluid by drawing one of them at a time."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QVBoxLayout, QWidget

from engine.experiment import Curve, Drawn, Experiment, Picture
from engine.picture import Lines
from engine.session.branches import BranchView, SessionView
from engine.spec import Spec, declarations, told
from gui.plots.curverange import CurveRange
from gui.plots.curves import Curves
from gui.plots.hiding import part_of
from gui.plots.panel import Panel
from gui.plots.pictures import plot_for
from gui.pump import Probes
from gui.runs import Pinned
from gui.theme import SeriesStyle, Theme, series_style
from gui.turns import Turns

TURN = 3  # milliseconds between two plots, so that the window can answer in between
STREAM = 0.15  # seconds: views that follow each other faster belong to a run that streams
AT_ONCE = (
    0.03  # seconds a view may take in one turn of the event loop; what it did not get to is drawn in the next ones
)
GROWN, LEISURE = 4.0, 0.1  # while it does, curves are drawn when they grew by so many pixels, or after so many seconds


DASHES = ((), (4, 2.5), (1.5, 2), (8, 2.5, 1.5, 2.5))  # of several columns in one plot
YET = "Nothing measured yet"
OVER = ("Nothing to show in this run", "Nothing to show: the run ended before")  # it is done; it ended early


def key_of(branch: int, series: str, run: str = "") -> str:
    """The name under which a plot keeps a line."""
    return f"{run}/{branch}/{series}"


class View(QWidget):
    """Shows a run. Signals: `edited(key, value)` when the reader changes a setting in the picture, `together(values)`
    where one gesture changes several (by key), which begins a new run unless they are merely looks; `asked()` when
    the answers to `wanted()` are needed anew; `sought(step)` when a cursor is dragged; `handed(id, settings)` when
    another experiment is to be opened with these settings; `paced(steps)` sets the steps a second to play at;
    `told(line)` has a line for the reader, an empty one takes it back; `doubted(key, line)` says beneath a setting's
    field why it cannot be, though it is shown as far as it goes, or takes that back."""

    edited = Signal(str, object)
    together = Signal(object)
    asked = Signal()
    sought = Signal(int)
    handed = Signal(str, object)
    paced = Signal(float)
    told = Signal(str)
    doubted = Signal(str, str)

    def __init__(self, experiment: Experiment, theme: Theme) -> None:
        super().__init__()
        self.experiment, self.theme = experiment, theme
        fields = [d for d in declarations(experiment.Spec) if d.kind == "choices"]
        # a contestant keeps its colour whoever else takes part
        self.places = {name: i for declared in reversed(fields) for i, name in enumerate(declared.choices)}
        self.curves: dict[str, Curves] = {}
        self.pictures: dict[str, QWidget] = {}
        self._declared: dict[str, Curve] = {}
        self._every: dict[str, float] = {}
        for plot in experiment.plots:
            if isinstance(plot, Picture):
                self.pictures[plot.name] = plot_for(
                    plot.kind, plot.title, plot.x_label, plot.y_label, plot.log, theme, plot.log_x
                )
                if plot.empty:
                    self.pictures[plot.name].empty = plot.empty  # type: ignore[attr-defined]
                self._every[plot.name] = plot.every
            else:
                self._add_curves(plot)
        self.panel = Panel(*self.main_plots(), theme=theme, stacked=experiment.stacked)
        self.panel.arranged.connect(self.asked)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.panel)
        self._keys: dict[str, set[str]] = {}  # of each Curves: the lines drawn in it
        self._overlays = 0
        self._parts: dict[str, tuple[Callable[[], None], bool]] = {}  # what is still to be drawn of the newest view
        self._drawn_at: dict[str, float] = {}
        self._turns = Turns(TURN, self)
        self._turns.due.connect(self._next_part)
        self._came = 0.0
        self._due: dict[str, float] = {}  # when a picture is to be asked for again
        self._steps: tuple[Any, Any] = ((), ())  # abscissae and their steps, where curves stand over a column
        self.streaming = False  # views come one after the other: each plot is drawn in a turn of its own
        self.live = False  # on a page, where dear parts may lag behind; a picture shows all at once
        self.running = False  # as the page says: then pictures are asked for at their own pace
        self.chosen = ""

    def _add_curves(self, plot: Curve) -> None:
        decades: dict[str, Any] = {"log_x": True} if plot.log_x else {}
        curves = Curves(plot.title, plot.x_label, plot.y_label, plot.log, self.theme, **decades)
        curves.empty = plot.empty or curves.empty
        curves.cursorMoved.connect(self._cursor_moved)
        name = plot.column if plot.column not in self.curves else plot.title
        self.curves[name], self._declared[name] = curves, plot

    def main_plots(self) -> tuple[Sequence[QWidget], Sequence[QWidget]]:
        """The large plots, and the small ones."""
        plots = self._in_order()
        return plots[: self.experiment.large], plots[self.experiment.large :]

    def _in_order(self) -> list[QWidget]:
        """Every plot, as declared."""
        curves, pictures = iter(self.curves.values()), iter(self.pictures.values())
        return [next(pictures if isinstance(plot, Picture) else curves) for plot in self.experiment.plots]

    def plots(self) -> dict[str, QWidget]:
        """Every plot by the name an export knows it by."""
        return {plot.title: widget for plot, widget in zip(self.experiment.plots, self._in_order(), strict=True)}

    def plot(self, name: str) -> QWidget:
        """One plot by its name."""
        return self.plots()[name]

    def answers(self) -> Mapping[str, Any]:
        """The latest answers to what this view wanted, for a picture of the same run elsewhere."""
        self._draw_rest()
        found = {name: widget.picture for name, widget in self.pictures.items()}  # type: ignore[attr-defined]
        return {name: picture for name, picture in found.items() if picture is not None}

    # -- what the page asks -------------------------------------------------------------------------------------------

    def wanted(self) -> Probes:
        """The dear pictures this view needs with the next answer: those seen; of a run under way those that are due."""
        now = time.monotonic()
        return {
            name: (name, self.asks(name))
            for name, widget in self.pictures.items()
            if not self.live or (self.panel.shows(widget) and not (self.running and now < self._due.get(name, 0.0)))
        }

    def asks(self, name: str) -> Mapping[str, Any]:
        """What a picture is asked for with: the contestant looked at."""
        return {"series": self.chosen}

    def set_spec(self, spec: Spec) -> None:
        """A new run begins with these settings; what is switched off in the legends stays so."""
        self.panel.hiding.begin({name: self.label(name) for name in self.experiment.series(spec)})
        self._parts.clear()
        self._due.clear()
        for name, curves in self.curves.items():
            with curves.at_once():
                for key in self._keys.get(name, set()):  # its name stays in the legend until the run has others
                    curves.set_data(key, (), ())
                curves.set_events([])
                curves.set_cursor(None)
                if self.experiment.stacked and not self._declared[name].x:  # one time axis for all
                    curves.set_x_range(0, max(self.experiment.steps(spec), 1))
        if self.experiment.eager:
            return  # its next pictures come at once; an empty one in between would flicker
        for widget in self.pictures.values():
            widget.show_picture(None)  # type: ignore[attr-defined]

    def forget_ranges(self) -> None:
        """Something else is shown from now on, such as a preset: it need not fit the axes of what was there before."""
        for plot in self.plots().values():
            if isinstance(plot, CurveRange):
                plot.forget_range()

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
        self._say_empty(YET if view.finish is None else OVER[view.finish != "done"])
        lines = self._lines(view, pinned)
        events = [(float(e.step), " = ".join(told(view.spec, e.key, e.value))) for e in view.branch.events]
        for name, curves in self.curves.items():
            far = bool(self._declared[name].x) or curves.cursor_moves(float(view.step)) >= GROWN
            self.in_turn(name, partial(self._show_at_once, name, curves, lines, view, events), far)
        for name, widget in self.pictures.items():
            if name in probes:
                self._due[name] = now + self._every[name]
                self.in_turn(name, partial(self._show_picture, widget, probes[name]))
        faint = [b.name for i, b in enumerate(view.branches) if i != view.current] + [pin.name for pin in pinned]
        caption = f"Bright: {view.branch.name}.  Faint: {', '.join(faint)}." if faint else ""
        if caption != self.panel.words[1]:
            self.panel.set_words("", caption)

    def _say_empty(self, word: str) -> None:
        """What plots say that have nothing to show, where they have no word of their own."""
        for plot in self.plots().values():
            if getattr(plot, "empty", word) in {YET, *OVER} - {word}:
                plot.empty = word  # type: ignore[attr-defined]
                if isinstance(plot, Curves):
                    plot.data_changed()
                elif getattr(plot, "picture", word) is None:
                    plot.show_picture(None)  # type: ignore[attr-defined]

    def in_turn(self, name: str, part: Callable[[], None], hurry: bool = True) -> None:
        """Bring one plot up to date: at once, or in a turn of the event loop of its own while a run streams, and where
        others took long.

        Of several parts with one name only the newest is drawn; without hurry it may wait a little for a newer one.
        """
        late = self.live and time.monotonic() - self._came > AT_ONCE
        if not (self.streaming or late):
            self._parts.pop(name, None)
            part()
            return
        self._parts[name] = part, hurry or not self.streaming
        if not self._turns.isActive():
            self._turns.start()

    def _draw_rest(self) -> None:
        """Draw now what waits for its turn."""
        waiting, self._parts = self._parts, {}
        for part, _ in waiting.values():
            part()

    @Slot()
    def _next_part(self) -> None:
        now = time.monotonic()
        for name, (part, hurry) in self._parts.items():
            if hurry or now - self._drawn_at.get(name, 0.0) >= LEISURE:
                del self._parts[name]
                self._drawn_at[name] = now
                part()
                return
        if not self._parts:
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

    def _show_picture(self, widget: Any, answer: Any) -> None:
        if isinstance(answer, Lines):
            lines = tuple(replace(line, place=self.places.get(line.series, -1)) for line in answer.lines)
            answer = replace(answer, lines=lines)
        widget.show_picture(answer)

    def label(self, series: str) -> str:
        """The reader's name of a contestant."""
        return self.experiment.label(series)

    def line_style(self, series: str, index: int) -> SeriesStyle:
        """How a contestant's lines look."""
        return series_style(series, self.places.get(series, index))

    def _show_at_once(self, name: str, curves: Curves, *what: Any) -> None:
        with curves.at_once():
            self._show_curves(name, curves, *what)

    def _show_curves(
        self,
        name: str,
        curves: Curves,
        lines: list[tuple[str, str, str, int, BranchView, bool]],
        view: SessionView,
        events: list[tuple[float, str]],
    ) -> None:
        declared = self._declared[name]
        extra: dict[str, Any] = {"points": True} if declared.points else {}
        data = {}
        for key, label, series, s, branch, ghost in lines:
            for c, column in enumerate(declared.columns):
                own = f"{key}/{column}" if declared.others else key
                points = self._line(declared, branch, column, s)
                if c and not np.isfinite(points[1]).any():
                    continue  # a column that means nothing under these settings
                words, style = self._look(declared, column, c, label, series, s, len(view.series) == 1)
                curves.set_series(own, words, style, ghost=ghost, name=self.name_of(declared, column, series), **extra)
                data[own] = points
        for key in self._keys.get(name, set()) - set(data):
            curves.remove(key)
        self._keys[name] = set(data)
        curves.put_in_order(data)
        curves.set_lines(data)
        at = float(view.step)
        if declared.x:
            xs = view.row[declared.x]
            at = float(xs[0]) if len(xs) and np.isfinite(xs[0]) else at
            history = view.branch.history
            self._steps = (history.values[declared.x][:, 0], history.steps) if len(xs) else ((), ())
            events = []
        curves.set_cursor(at)
        curves.set_events(events)

    def name_of(self, declared: Curve, column: str, series: str) -> str:
        """What a line is called in the legends of all plots: its contestant, or one of the columns of it."""
        return part_of(self.label(series), column) if declared.others else self.label(series)

    def _look(
        self, declared: Curve, column: str, c: int, label: str, series: str, s: int, alone: bool
    ) -> tuple[str, SeriesStyle]:
        """Words and style of one line: of one contestant each column has its colour, of several each its dash."""
        style = self.line_style(series, s)
        if not declared.others:
            return label, style
        words = declared.words.get(column, column.replace("_", " "))
        if alone:
            _, dot, run = label.partition(" · ")
            return words + dot + run, series_style("", c)
        return f"{label}: {words}", replace(style, dash=DASHES[c % len(DASHES)], screen_dash=c > 0)

    def _line(self, declared: Curve, branch: BranchView, column: str, s: int) -> tuple[Any, Any, Any, Any]:
        """x, y, low, high of one line; what was not measured at a step is no gap in it."""
        history = branch.history
        x, y, low, high = history.curve(column, s)
        if declared.x:
            rows = slice(None) if low is None else np.searchsorted(history.steps, x).clip(max=len(history.steps) - 1)
            x = history.values[declared.x][rows, s]
        if column in self.experiment.sparse and low is not None and high is not None:
            y = np.where(np.isfinite(y), y, 0.5 * low + 0.5 * high)  # their sum may overflow
        if declared.band is not None and column == declared.column:
            (_, below, foot, _), (_, above, _, top) = (history.curve(edge, s) for edge in declared.band)
            low, high = below if foot is None else foot, above if top is None else top
        if column in self.experiment.sparse:
            good = np.isfinite(y)
            parts = (x, y, low, high)
            x, y, low, high = (part[good] if part is not None else None for part in parts)  # type: ignore[assignment]
        return x, y, low, high

    def show_drawn(self, drawn: Drawn | None) -> None:
        """Lay a drawn curve over the measured ones, or take it off."""
        for i in range(self._overlays):
            for plot in (*self.curves.values(), *self.pictures.values()):
                if isinstance(plot, Curves):
                    plot.remove(f"overlay {i}")
        overlays = drawn.overlays if drawn else ()
        self._overlays = len(overlays)
        for i, overlay in enumerate(overlays):
            found = self.curves.get(overlay.plot) or self.pictures.get(overlay.plot)
            if isinstance(found, Curves):
                found.set_overlay(f"overlay {i}", overlay.x, overlay.y, overlay.label, points=overlay.points)

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
        source = next((name for name, curves in self.curves.items() if curves is self.sender()), "")
        xs, steps = self._steps
        if source and self._declared[source].x and len(xs):
            far = np.abs(xs - x)
            if np.isfinite(far).any():  # else no step has a place yet
                self.sought.emit(int(steps[int(np.nanargmin(far))]))
        else:
            self.sought.emit(max(0, round(x)))
