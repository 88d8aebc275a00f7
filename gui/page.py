"""One experiment on screen: controls, plots, lesson, transport. Knows no experiment by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QHBoxLayout, QLabel, QScrollArea, QSplitter, QVBoxLayout, QWidget

from engine.experiment import Experiment
from engine.session.branches import SessionView
from engine.session.files import Saved, saved
from engine.session.presets import predictions, preset_spec, presets
from engine.spec import Spec, SpecError, build, declarations, flat
from gui.errors import Notice
from gui.form import Form
from gui.lesson import Lesson
from gui.pump import Pump
from gui.questions import Questions
from gui.run import Run
from gui.runs import Pinned
from gui.theme import Theme, dress
from gui.transport import Transport
from gui.undo import Undo
from gui.views import view_for

MOST_PINS = 6


class Page(QWidget):
    """See the module's text. Signals: `failed(line, details)` for what no field can show; `codeReady(text)`;
    `stateChanged()` when undo, pins or the run in hand changed; `handed(id, settings)` when another experiment is to
    be opened with these settings."""

    failed = Signal(str, str)
    codeReady = Signal(str)
    stateChanged = Signal()
    handed = Signal(str, object)

    def __init__(self, experiment: Experiment, pump: Pump, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)  # a click beside the fields gives the keys to the transport
        self.experiment, self.theme = experiment, theme
        self.presets = presets(experiment.id)
        self.spec: Spec = preset_spec(experiment, self.presets[0].name) if self.presets else experiment.Spec()
        self.undo = Undo()
        self.pinned: list[Pinned] = []
        self.run = Run(pump, experiment.id, self)
        self.view = view_for(experiment, theme)
        self.view.live = True
        self.form = Form(experiment.Spec, self.spec)
        self.lesson = Lesson(theme=theme)
        self.lesson.inside.places = self.view.places
        self.transport = Transport(theme=theme)
        self.notice = Notice(self)
        self.questions = Questions(predictions(experiment.id))
        self._live_keys = {d.key for d in declarations(experiment.Spec) if d.live}
        self._drawn = False
        self._scale = 0.0
        self._lay_out()
        self._connect()
        self.apply_theme(theme)

    # -- building ----------------------------------------------------------------------------------------------------

    def _lay_out(self) -> None:
        self.left = QWidget()
        self.left.setProperty("role", "panel")
        self.left.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.left_layout = QVBoxLayout(self.left)
        self.left_layout.setContentsMargins(0, 0, 0, 0)
        self.left_layout.setSpacing(0)
        scroll = QScrollArea()
        scroll.setWidget(self.form)
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QScrollArea.Shape.NoFrame)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        heading = QLabel("EXPERIMENTS")
        heading.setProperty("role", "section")
        heading.setContentsMargins(12, 12, 12, 4)
        self.left_layout.addWidget(heading)
        self.left_layout.addWidget(scroll, 1)
        self.columns = QSplitter(Qt.Orientation.Horizontal)
        self.columns.setObjectName("columns")
        self.columns.setHandleWidth(1)
        for widget, stretch in ((self.left, 0), (self.view, 1), (self.lesson, 0)):
            self.columns.addWidget(widget)
            self.columns.setStretchFactor(self.columns.indexOf(widget), stretch)
        self.columns.setCollapsible(1, False)
        body = QHBoxLayout()
        body.addWidget(self.columns)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(body, 1)
        layout.addWidget(self.notice)
        layout.addWidget(self.transport)

    def _connect(self) -> None:
        self.form.edited.connect(self._edited)
        self.view.edited.connect(self.edit)
        self.view.together.connect(self._edit_together)
        self.view.asked.connect(self._look)
        self.view.sought.connect(self.run.seek)
        self.view.handed.connect(self.handed)
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
        lesson.load(self.experiment.id, self.experiment.section)
        lesson.set_presets(list(self.presets))
        lesson.set_prediction(self.questions.current)

    # -- settings ----------------------------------------------------------------------------------------------------

    def begin(self) -> None:
        """Start the first run; called when the page is first seen."""
        if not self.run.run:
            self._restart(self.spec)

    def _restart(self, spec: Spec) -> None:
        self.spec = spec
        self.form.set_spec(spec)
        self.view.set_spec(spec)
        names = self.experiment.series(spec)
        self._set_chosen(self.view.chosen if self.view.chosen in names else self.view.first_choice(names))
        self.run.wanted = self.view.wanted()
        self.run.open(spec)
        self.play_when_ready = self.experiment.eager
        self._show_convention()

    def _set_chosen(self, name: str) -> None:
        self.view.choose(name)
        names = self.experiment.series(self.spec)
        self.lesson.set_whole("inside" not in self.view.wanted())
        self.lesson.set_series([(one, self.view.label(one)) for one in names], name)

    @Slot(str, object, object)
    def _edited(self, key: str, value: Any, spec: Spec) -> None:
        try:
            self.experiment.check(spec)
        except SpecError as error:
            self.form.show_error(error.key, str(error).removeprefix(f"{error.key}: "))
            return
        self.form.clear_errors()
        self._remember(key)
        if self.run.view is not None and key in self.experiment.looks(spec):
            self.form.set_spec(spec)
            self.run.live(key, value)
        elif key in self._live_keys and self._started():
            self.run.live(key, value)
        else:
            self._restart(spec)

    def edit(self, key: str, value: Any) -> None:
        """Change one setting from outside the form."""
        try:
            base = self.run.view.live if self.run.view is not None else self.spec
            self._edited(key, value, build(type(self.spec), flat(base) | {key: value}))
        except SpecError as error:
            self.notice.show_message(str(error), bad=True)

    @Slot(object)
    def _edit_together(self, values: Mapping[str, Any]) -> None:
        """Change several settings at once from outside the form."""
        try:
            base = self.run.view.live if self.run.view is not None else self.spec
            spec = build(type(self.spec), flat(base) | dict(values))
            self.experiment.check(spec)
        except SpecError as error:
            self.notice.show_message(str(error), bad=True)
            return
        self._remember(", ".join(values))
        if self.run.view is not None and set(values) <= set(self.experiment.looks(spec)):
            self.form.set_spec(spec)
            for key, value in values.items():
                self.run.live(key, value)
        else:
            self._restart(spec)

    def _started(self) -> bool:
        view = self.run.view
        return view is not None and (view.step > 0 or view.branch.frontier > 0 or len(view.branches) > 1)

    def use_settings(self, settings: Mapping[str, Any]) -> None:
        """Begin anew with these settings, handed over by another experiment; all else at its default."""
        try:
            spec = build(self.experiment.Spec, settings)
            self.experiment.check(spec)
        except SpecError as error:
            self.notice.show_message(str(error), bad=True)
            return
        self._remember("handed over")
        self._restart(spec)
        self.play_when_ready = True

    def use_preset(self, name: str) -> None:
        """Begin anew with a preset's settings."""
        try:
            spec = preset_spec(self.experiment, name)
        except SpecError as error:
            self.notice.show_message(str(error), bad=True)
            return
        self._remember(f"preset {name}")
        self._restart(spec)
        self.play_when_ready = True

    play_when_ready = False

    # -- undo and files ----------------------------------------------------------------------------------------------

    def document(self) -> Saved | None:
        """What an experiment file keeps of the run in hand."""
        return saved(self.run.view) if self.run.view is not None else None

    def _remember(self, what: str) -> None:
        document = self.document()
        if document is not None:
            self.undo.remember(document, what)
            self.stateChanged.emit()

    def go_back(self) -> None:
        """Undo the last change of a control."""
        self._travel(self.undo.undo)

    def go_forth(self) -> None:
        """Redo."""
        self._travel(self.undo.redo)

    def _travel(self, move: Any) -> None:
        here = self.document()
        there = move(here) if here is not None else None
        if there is not None:
            self._take_up(there)
        self.stateChanged.emit()

    def open_document(self, document: Saved) -> None:
        """Take up an experiment file; the run in hand can be had back by undo."""
        self._remember("open")
        self._take_up(document)

    def _take_up(self, document: Saved) -> None:
        self.spec = document.spec
        self.form.set_spec(document.spec)
        self.view.set_spec(document.spec)
        names = self.experiment.series(document.spec)
        self._set_chosen(self.view.chosen if self.view.chosen in names else self.view.first_choice(names))
        self.run.wanted = self.view.wanted()
        self.run.take_up(document)
        self._show_convention()

    # -- running -----------------------------------------------------------------------------------------------------

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
            self.run.step(10**9)

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
        if view is None:
            return
        branch = view.branch
        finish, reason = view.finish or "", branch.reason if view.finish else ""
        lost = [e for e in branch.endings if e.finish == "diverged" and e.step <= view.step]
        if lost and finish != "failed":  # one contestant's end is told although the others run on
            finish, reason = "diverged", f"{self.view.label(view.series[lost[-1].series])}: {lost[-1].reason}"
        self.transport.set_state(
            running=self.run.running, step=view.step, frontier=branch.frontier, total=view.steps,
            finish=finish, reason=reason,
            events=[(e.step, f"{e.key} = {e.value}") for e in branch.events],
            branches=[b.name for b in view.branches], branch=view.current,
            fork=branch.fork if branch.parent is not None else None,
        )  # fmt: skip
        self.transport.set_readout(self._best(view))

    def _best(self, view: SessionView) -> str:
        import numpy as np

        if not self.experiment.loss:
            return ""
        loss = view.latest(self.experiment.loss)
        if not np.isfinite(loss).any():
            return ""
        best = int(np.nanargmin(np.where(np.isfinite(loss), loss, np.nan)))
        if len(view.series) == 1:
            return f"{self.experiment.loss.replace('_', ' ')} {loss[best]:.4g}"
        return f"best {loss[best]:.4g}  {self.view.label(view.series[best])}"

    @Slot(str, str)
    def _refused(self, line: str, details: str) -> None:
        if details:
            self.failed.emit(line, details)
        else:
            self.notice.show_message(line, bad=True)

    # -- pins, questions, drawn against measured ---------------------------------------------------------------------

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

    def _show_convention(self) -> None:
        convention = getattr(self.spec, "convention", None)
        if convention is not None:
            sentence = self.experiment.difference(self.spec, self.view.chosen)
            self.lesson.set_convention(convention, sentence)

    # -- looks -------------------------------------------------------------------------------------------------------

    def apply_theme(self, theme: Theme) -> None:
        """Repaint in another theme."""
        dress(self, theme)
        if theme.scale != self._scale:  # wider type needs wider columns
            self._scale = theme.scale
            sides = round(264 * theme.scale), round(300 * theme.scale)
            self.columns.setSizes([sides[0], max(300, self.width() - sum(sides)), sides[1]])
        self.theme = theme
        for part in (self.form, self.view, self.lesson, self.transport, self.notice):
            part.apply_theme(theme)

    def set_visible(self, visible: bool) -> None:
        """A page that is not looked at runs on with a smaller budget and draws nothing."""
        self.run.visible = visible

    def close_run(self) -> None:
        """Stop everything this page has under way."""
        self.run.close()
        self.view.rest()
