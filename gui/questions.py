"""Predict, then run: a question, the reader's answer, and the measured one."""

from __future__ import annotations

from collections.abc import Sequence

from engine.experiment import Experiment, Prediction
from engine.session.branches import SessionView
from engine.session.presets import preset_spec
from engine.session.results import measured, summary
from engine.spec import differences


class Questions:
    """The questions of one experiment, one after another. An answer is checked against the finished run."""

    def __init__(self, predictions: Sequence[Prediction]) -> None:
        self._all = tuple(predictions)
        self._index = 0
        self._choice = ""
        self.answered: dict[str, tuple[str, str]] = {}

    @property
    def current(self) -> Prediction | None:
        """The question now asked."""
        return self._all[self._index] if self._index < len(self._all) else None

    def answer(self, choice: str) -> None:
        """The reader has chosen; the run will tell."""
        self._choice = choice

    def next(self) -> Prediction | None:
        """Go to the next question, round and round."""
        self._index = (self._index + 1) % len(self._all) if self._all else 0
        self._choice = ""
        return self.current

    def check(self, experiment: Experiment, view: SessionView) -> tuple[bool, str, str] | None:
        """(right, the measured answer, why) once the asked run is at its end; None before, and for any other run."""
        question = self.current
        if question is None or not self._choice or view.finish is None or not _asked(experiment, question, view):
            return None
        if question.measure.startswith("own "):
            found = experiment.answer(view.spec, view, question.measure.removeprefix("own "))
        else:
            found = measured(question.measure, summary(experiment, view), experiment.loss)
        answer = question.answers.get(found, found)
        choice, self._choice = self._choice, ""
        self.answered[question.question] = (choice, answer)
        return choice == answer, answer, question.explain


def _asked(experiment: Experiment, question: Prediction, view: SessionView) -> bool:
    """Whether a run has the settings the question is about. Another one answers another question, or none at all."""
    looks = {*experiment.looks(view.spec)}
    changed = {*differences(view.spec, preset_spec(experiment, question.preset))}
    return changed <= looks and {event.key for event in view.branch.events} <= looks
