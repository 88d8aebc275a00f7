"""What the transport tells of a run."""

from __future__ import annotations

import numpy as np

from engine.experiments import load
from engine.session.session import Session
from engine.spec import build
from gui.page.telling import best, state_of


def test_who_is_done_keeps_the_lowest_loss() -> None:
    experiment = load("landscapes.second_order")
    session = Session(experiment, build(experiment.Spec, {"optimizers": ("sgd", "newton"), "steps": 60}))
    session.advance(60)
    view = session.view()
    assert np.isnan(view.row["excess"][1]), "Newton has long been there, and has no row of its own any more"
    assert np.isfinite(view.latest("excess")).all()
    assert best(view, "excess", str.upper) == f"lowest excess {view.latest('excess')[1]:.4g}  NEWTON"


def test_who_diverged_is_out() -> None:
    experiment = load("landscapes.descent")
    settings = {"surface": "rosenbrock", "optimizers": ("sgd", "adam"), "sgd.learning_rate": 1.0, "steps": 20}
    session = Session(experiment, build(experiment.Spec, settings))
    session.advance(20)
    view = session.view()
    told = state_of(view, str.upper)
    assert told["finish"] == "diverged" and told["reason"].startswith("SGD: ")
    assert best(view, "loss", str.upper).endswith("  ADAM")
    session.seek(0)
    assert best(session.view(), "loss", str.upper).startswith("lowest loss ")
    assert best(view, "", str.upper) == ""
