"""What becomes of changed settings: a live change, a new run, an experiment file taken up; and the way back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from PySide6.QtCore import Slot

from engine.session.files import Saved, saved
from engine.session.presets import preset_spec
from engine.spec import Spec, SpecError, build, flat
from gui.page.parts import PageParts


class PageEdits(PageParts):
    """The settings of a page."""

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

    def _show_convention(self) -> None:
        convention = getattr(self.spec, "convention", None)
        if convention is not None:
            sentence = self.experiment.difference(self.spec, self.view.chosen)
            self.lesson.set_convention(convention, sentence)

    # -- changes -------------------------------------------------------------------------------------------------------

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

    def _in_force(self) -> Spec:
        """The settings that the next change is made to: those of the newest run, live changes included."""
        view = self.run.view
        return self.spec if view is None or self.run.opening else view.live

    def edit(self, key: str, value: Any) -> None:
        """Change one setting from outside the form."""
        try:
            self._edited(key, value, build(type(self.spec), flat(self._in_force()) | {key: value}))
        except SpecError as error:
            self.notice.show_message(str(error), bad=True)

    @Slot(object)
    def _edit_together(self, values: Mapping[str, Any]) -> None:
        """Change several settings at once from outside the form."""
        try:
            spec = build(type(self.spec), flat(self._in_force()) | dict(values))
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
        self.view.forget_ranges()
        self.play_when_ready = True

    # -- undo and files ------------------------------------------------------------------------------------------------

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
        self.view.forget_ranges()
        names = self.experiment.series(document.spec)
        self._set_chosen(self.view.chosen if self.view.chosen in names else self.view.first_choice(names))
        self.run.wanted = self.view.wanted()
        self.run.take_up(document)
        self._show_convention()
