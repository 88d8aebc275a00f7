"""What the transport tells of a run."""

from __future__ import annotations

import numpy as np
import pytest

from engine.experiment import Experiment
from engine.experiments import everything, load
from engine.session.session import Session
from engine.spec import build, declarations, told
from gui.page.telling import best, state_of


def test_who_is_done_keeps_the_lowest_loss() -> None:
    experiment = load("landscapes.second_order")
    session = Session(experiment, build(experiment.Spec, {"optimizers": ("sgd", "newton"), "steps": 60}))
    session.advance(60)
    view = session.view()
    assert np.isnan(view.row["excess"][1]), "Newton has long been there, and has no row of its own any more"
    assert np.isfinite(view.latest("excess")).all()
    assert best(view, experiment, str.upper) == "lowest 0 (rounding)  NEWTON, loss − known minimum"


def test_who_diverged_is_out() -> None:
    experiment = load("landscapes.descent")
    settings = {"surface": "rosenbrock", "optimizers": ("sgd", "adam"), "sgd.learning_rate": 1.0, "steps": 20}
    session = Session(experiment, build(experiment.Spec, settings))
    session.advance(20)
    view = session.view()
    told = state_of(view, str.upper)
    assert told["finish"] == "diverged" and told["reason"].startswith("SGD: ")
    assert best(view, experiment, str.upper).endswith("  ADAM")
    session.seek(0)
    assert best(session.view(), experiment, str.upper).startswith("lowest loss ")
    assert best(view, load("landscapes.basins"), str.upper) == ""


def test_a_sweep_tells_the_place_it_speaks_of() -> None:
    experiment = load("regularization.weight_decay")
    session = Session(experiment, build(experiment.Spec, {"fits": ("ridge", "lasso"), "count": 5, "lowest": 0.1}))
    session.advance(4)
    words = best(session.view(), experiment, str.upper)
    assert words.startswith("lowest 0.") and words.endswith(", mean squared error at α 1000")


def test_a_live_change_is_told_as_the_form_names_it() -> None:
    experiment = load("landscapes.descent")
    session = Session(experiment, build(experiment.Spec, {"optimizers": ("sgd", "adam"), "steps": 20}))
    session.advance(5)
    session.set_live("learning_rate", 0.002)
    session.set_live("adam.beta1", 0.5)
    words = dict.fromkeys(event for _, event in state_of(session.view(), str.upper)["events"])
    assert "Learning rate = 0.002" in words
    assert any(one.startswith("Adam: ") and one.endswith(" = 0.5") for one in words)
    assert not any("_" in one for one in words)


@pytest.mark.parametrize("experiment", everything(), ids=lambda e: e.id)
def test_every_live_change_can_be_told(experiment: Experiment) -> None:
    spec = experiment.Spec()
    for declared in declarations(spec):
        title, words = told(spec, declared.key, declared.default)
        assert title and "_" not in title and isinstance(words, str)
