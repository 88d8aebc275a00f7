"""A page at work: its parts wired to each other, its run on screen, pins, questions and drawn curves."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from functools import cached_property
from typing import Any

from PySide6.QtCore import Slot
from PySide6.QtWidgets import QWidget

from engine.experiment import Experiment
from engine.session.branches import SessionView
from engine.spec import Spec, SpecError, build
from gui.page.edits import PageEdits
from gui.page.telling import best, state_of
from gui.pump import Pump
from gui.runs import Pinned
from gui.theme import Theme

MOST_PINS = 6


class Page(PageEdits):
    """One experiment on screen."""

    _line = ""  # the last one the view told

    def __init__(self, experiment: Experiment, pump: Pump, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(experiment, pump, theme, parent)
        self._connect()

    def _connect(self) -> None:
        self.form.edited.connect(self._edited)
        self.view.edited.connect(self.edit)
        self.view.together.connect(self._edit_together)
        self.view.asked.connect(self._look)
        self.view.sought.connect(self.run.seek)
        self.view.handed.connect(self.handed)
        self.view.told.connect(self._told)
        self.view.doubted.connect(self.form.show_error)
        self.run.shown.connect(self._show)
        self.run.changed.connect(self._run_changed)
        self.run.refused.connect(self._refused)
        self.run.scripted.connect(self.codeReady)
        self.run.working.connect(self.transport.set_working)
        bar = self.transport
        bar.played.connect(self.play)
        bar.paused.connect(self.run.pause)
        bar.stepped.connect(self.run.step)
        bar.backed.connect(self.run.back)
        bar.sought.connect(self.run.seek)
        bar.resetAsked.connect(self._to_start)
        bar.endAsked.connect(self._to_end)
        bar.speedChanged.connect(self._set_speed)
        self.view.paced.connect(bar.set_speed)
        bar.branchAsked.connect(self.run.fork)
        bar.branchChosen.connect(self.run.switch)
        bar.pinned.connect(self.pin)
        bar.codeAsked.connect(self.run.script)
        lesson = self.lesson
        lesson.presetChosen.connect(self.use_preset)
        lesson.predicted.connect(self._predicted)
        lesson.figureToggled.connect(self._toggle_drawn)
        lesson.conventionChosen.connect(lambda word: self.edit("convention", word))
        lesson.seriesChosen.connect(self._choose)
        lesson.nextQuestionAsked.connect(self._next_question)
        bar.set_unit(self.experiment.unit)
        if self.experiment.pace:
            bar.set_speed(self.experiment.pace)

    @cached_property
    def _offered(self) -> dict[str, Spec]:
        """The settings of every preset, as far as they are some: what is wrong is told when it is asked for."""
        found = {}
        for preset in self.presets:
            with suppress(SpecError):
                found[preset.name] = build(self.experiment.Spec, preset.settings)
        return found

    # -- running -------------------------------------------------------------------------------------------------------

    @Slot()
    def play(self) -> None:
        """Run on; from the end, begin again at step 0."""
        view = self.run.view
        if view is not None and view.finish is not None and view.step >= view.branch.frontier:
            self.run.seek(0)
        self.run.play()

    @Slot()
    def _to_start(self) -> None:
        self.run.seek(0)

    @Slot()
    def _to_end(self) -> None:
        view = self.run.view
        if view is None:
            return
        if view.step < view.branch.frontier:
            self.run.seek(view.branch.frontier)
        else:
            left = (view.steps - view.step) / view.rate if view.rate else 0.0
            if left > 10:
                self.notice.show_message(f"About {left:.0f} s for the remaining steps; Pause stops it")
            self.run.to_end()

    @Slot(float)
    def _set_speed(self, speed: float) -> None:
        self.run.speed = speed

    @Slot()
    def _look(self) -> None:
        self.run.wanted = self.view.wanted()
        self.run.look(self.view.wanted())

    @Slot()
    def _run_changed(self) -> None:
        """It began or stopped: what was asked for at leisure meanwhile is wanted of where it stands now."""
        self.view.running = self.run.running
        if not self.run.running and self.view.wanted():
            self._look()
        self._show_transport()

    @Slot(str)
    def _choose(self, series: str) -> None:
        self.view.choose(series)
        self._show_convention()
        self._look()

    @Slot(object, object)
    def _show(self, view: SessionView, probes: Mapping[str, Any]) -> None:
        self.view.show_run(view, probes, self.pinned)
        self.run.wanted = self.view.wanted()
        if "inside" in probes:
            self.lesson.set_inside(probes["inside"])
        if not self.run.running:
            self.lesson.settle()
            self.form.set_spec(view.live)
            self.lesson.mark_preset(next((name for name, spec in self._offered.items() if spec == view.live), ""))
            self._show_drawn(view)
        self._answer(view)
        self._show_transport()
        if self.play_when_ready:
            self.play_when_ready = False
            if self.experiment.eager:
                self.run.step(10**9)
            else:
                self.run.play()
        self.stateChanged.emit()

    @Slot()
    def _show_transport(self) -> None:
        view = self.run.view
        if view is not None:
            self.transport.set_state(running=self.run.running, **state_of(view, self.view.label))
            self.transport.set_readout(best(view, self.experiment, self.view.label))

    @Slot(str, str)
    def _refused(self, line: str, details: str) -> None:
        if details:
            self.failed.emit(line, details)
        else:
            self.notice.show_message(line, bad=True)

    @Slot(str)
    def _told(self, line: str) -> None:
        """A line from the view; its last one goes where it has none."""
        if line:
            self.notice.show_message(line)
        elif self._line and self.notice.label.text() == self._line:
            self.notice.clear()
        self._line = line

    # -- pins, questions, drawn against measured -----------------------------------------------------------------------

    @Slot()
    def pin(self) -> None:
        """Keep the run in hand as a ghost behind later ones."""
        view = self.run.view
        if view is None or view.branch.frontier == 0:
            self.notice.show_message("Nothing to pin yet: run a few steps first")
            return
        if len(self.pinned) >= MOST_PINS:
            self.notice.show_message(f"{MOST_PINS} runs are pinned at the most; unpin one in the results", bad=True)
            return
        taken = {pin.name for pin in self.pinned}
        name = next(n for n in (f"run {i}" for i in range(1, MOST_PINS + 2)) if n not in taken)
        self.pinned.append(Pinned(name, view))
        self.notice.show_message(f"Pinned as {name}; later runs are drawn over it. Results compares pinned runs")
        self.refresh()

    def unpin(self, name: str) -> None:
        """Forget a pinned run."""
        self.pinned = [pin for pin in self.pinned if pin.name != name]
        self.refresh()

    def refresh(self) -> None:
        """Draw again what is in hand."""
        if self.run.view is not None:
            self.view.show_run(self.run.view, {}, self.pinned)
        self.stateChanged.emit()

    @Slot(object, str)
    def _predicted(self, prediction: Any, choice: str) -> None:
        self.questions.answer(choice)
        self.use_preset(prediction.preset)

    @Slot()
    def _next_question(self) -> None:
        self.lesson.set_prediction(self.questions.next())

    def _answer(self, view: SessionView) -> None:
        verdict = self.questions.check(self.experiment, view)
        if verdict is not None:
            self.lesson.show_answer(*verdict)

    @Slot(bool)
    def _toggle_drawn(self, on: bool) -> None:
        self._drawn = on
        if self.run.view is not None:
            self._show_drawn(self.run.view)

    def _show_drawn(self, view: SessionView) -> None:
        found = self.experiment.drawn(view.spec, view)
        self.lesson.set_drawn(found[0] if found else None)
        self.view.show_drawn(found[0] if found and self._drawn else None)
