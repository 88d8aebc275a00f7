"""A prediction is checked against the run it was made for, and against no other."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from engine.experiments import load
from engine.session.branches import SessionView
from engine.session.presets import predictions, preset_spec
from engine.session.session import Session
from engine.spec import build, flat
from gui.questions import Questions

SMALL: dict[str, Any] = {"samples": 8, "seeds": 1, "widths": (2, 4)}  # two sizes of least squares


def finished(id: str, settings: Mapping[str, Any], live: Mapping[str, Any] | None = None) -> SessionView:
    experiment = load(id)
    session = Session(experiment, build(experiment.Spec, settings))
    session.advance(1)
    for key, value in (live or {}).items():
        session.set_live(key, value)
    session.advance(10**6)
    assert session.finish is not None
    return session.view()


def preset(id: str, name: str) -> dict[str, Any]:
    return flat(preset_spec(load(id), name))


def checked(id: str, view: SessionView) -> Any:
    questions = Questions(predictions(id))
    assert questions.current is not None
    questions.answer(questions.current.choices[0])
    return questions.check(load(id), view)


def test_the_run_that_was_asked_for_answers() -> None:
    found = checked("landscapes.descent", finished("landscapes.descent", preset("landscapes.descent", "valley")))
    assert found is not None and found[:2] == (False, "Newton")


@pytest.mark.parametrize(
    ("changed", "live"), [({"steps": 3}, {}), ({"optimizers": ("adam",)}, {}), ({}, {"learning_rate": 0.002})]
)
def test_a_run_with_other_settings_does_not(changed: dict[str, Any], live: dict[str, Any]) -> None:
    settings = preset("landscapes.descent", "valley") | changed
    assert checked("landscapes.descent", finished("landscapes.descent", settings, live)) is None


@pytest.mark.parametrize("changed", [{"fits": ("ridge",)}, {"signal": 0.0, "noise": 0.0}])
def test_nor_one_in_which_what_was_asked_is_not_there(changed: dict[str, Any]) -> None:
    """Its contestant is not in the run; its errors are not."""
    view = finished("dynamics.double_descent", SMALL | changed)
    assert checked("dynamics.double_descent", view) is None
