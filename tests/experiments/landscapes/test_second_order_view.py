"""The page of first against second order: what the study is about stands large."""

from __future__ import annotations

from typing import Any

import pytest
from pytestqt.qtbot import QtBot

from engine.experiments import load
from engine.session.session import Session
from engine.spec import build
from gui.theme import DARK
from gui.views import view_for
from gui.views.view import View

ID = "landscapes.second_order"
GROWING = {"study": "size", "samples": 30, "lowest": 4, "highest": 9, "count": 2, "tolerance": 0.05}
RUNS: dict[str, tuple[dict[str, Any], tuple[str, str]]] = {
    "race": ({"samples": 40, "inputs": 5, "steps": 20}, ("excess", "by_time")),
    "quadratic": ({"problem": "quadratic", "steps": 20}, ("plane", "excess")),
    "growing": (GROWING, ("to_target", "per_step")),
}


def named(view: View, name: str) -> Any:
    """A plot by its column or picture."""
    return view.pictures.get(name) or view.curves[name]


@pytest.mark.parametrize("name", RUNS)
def test_each_study_has_its_plots_large(qtbot: QtBot, name: str) -> None:
    settings, large = RUNS[name]
    experiment = load(ID)
    session = Session(experiment, build(experiment.Spec, settings))
    view = view_for(experiment, DARK)
    qtbot.addWidget(view)
    view.set_spec(session.spec)
    assert view.panel.plots[:2] == [named(view, one) for one in large]
    session.advance(10**6)
    answers = {key: session.probe(probe, **asked) for key, (probe, asked) in view.wanted().items()}
    view.show_run(session.view(), answers, ())
    for one in large:
        plot = named(view, one)
        assert getattr(plot, "picture", None) is not None or plot.series


def test_what_the_reader_arranged_stays_within_a_study(qtbot: QtBot) -> None:
    experiment = load(ID)
    view = view_for(experiment, DARK)
    qtbot.addWidget(view)
    spec = build(experiment.Spec, RUNS["race"][0])
    view.set_spec(spec)
    view.panel.exchange(view.curves["excess"], view.curves["accuracy"])
    view.set_spec(spec.model_copy(update={"samples": 50}))
    assert view.panel.plots[0] is view.curves["accuracy"]
    view.set_spec(build(experiment.Spec, GROWING))
    assert view.panel.plots[0] is view.pictures["to_target"]
    view.set_spec(spec)
    assert view.panel.plots[0] is view.curves["excess"]


def test_paths_are_named_as_contestants_are(qtbot: QtBot) -> None:
    experiment = load(ID)
    view = view_for(experiment, DARK)
    qtbot.addWidget(view)
    session = Session(experiment, build(experiment.Spec, {"problem": "quadratic", "optimizers": ("lbfgs", "natural")}))
    session.advance(3)
    view.set_spec(session.spec)
    view.show_run(session.view(), {"plane": session.probe("plane")}, ())
    assert [entry.label for entry in named(view, "plane").entries()] == ["L-BFGS", "Natural gradient"]
