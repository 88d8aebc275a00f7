"""The race on its page: bands between the seeds, its own steps, the plot beside the losses."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from engine.experiments import load
from engine.session.session import Session
from engine.spec import build
from gui.form.contestants import ContestantsRow
from gui.form.form import Form
from gui.theme import DARK
from gui.views.landscapes.race import RaceView, view
from gui.views.view import key_of

QUICK: dict[str, Any] = {
    "data": "moons", "samples": 60, "test_samples": 40, "hidden": (6,), "batch_size": 8, "steps": 60, "seeds": 3,
    "tuning_steps": 20, "tuning_rates": 4, "tuning_seeds": 1,
}  # fmt: skip


@pytest.fixture
def shown(qtbot: Any) -> RaceView:
    made = view(load("landscapes.race"), DARK)
    qtbot.addWidget(made)
    assert isinstance(made, RaceView)
    return made


def show(shown: RaceView, **settings: Any) -> Session:
    found = Session(shown.experiment, build(shown.experiment.Spec, {**QUICK, **settings}))
    found.advance(10**6)
    shown.set_spec(found.spec)
    probes = {name: found.probe(probe, **asked) for name, (probe, asked) in shown.wanted().items()}
    shown.show_run(found.view(), probes, ())
    return found


@pytest.mark.parametrize("steps", [60, 3000])  # every row, and an envelope of blocks
def test_the_band_lies_between_the_seeds(shown: RaceView, steps: int) -> None:
    found = show(shown, optimizers=("sgd", "adam"), steps=steps, evaluate_every=steps // 6)
    values = found.view().branch.history.values
    for s, name in enumerate(("sgd", "adam")):
        line = shown.curves["train_loss"].series[key_of(0, name)]
        good = np.isfinite(values["train_loss"][:, s])
        np.testing.assert_array_equal(line.low, values["train_low"][good, s])
        np.testing.assert_array_equal(line.high, values["train_high"][good, s])
        np.testing.assert_allclose(line.y, values["train_loss"][good, s])
        assert line.has_band() and line.x[0] == 0
    assert shown.curves["train_loss"].fixed_x == (0, steps)


@pytest.mark.parametrize(
    ("settings", "title"),
    [({}, "Tuning"), ({"rates": "equal"}, "Loss by computing time"), ({"holds": "discarded"}, "Gradient")],
)
def test_what_stands_beside_the_losses(shown: RaceView, settings: dict[str, Any], title: str) -> None:
    for given in ({}, {"rates": "equal"}, settings, settings):
        show(shown, optimizers=("sgd",), **given)
    assert getattr(shown.panel.plots[1], "title", "") == title


def test_a_line_shows_the_rate_that_is_in_force(qtbot: Any) -> None:
    """While rates are tuned there is no shared one to show; one by hand always shows."""
    experiment = load("landscapes.race")
    form = Form(experiment.Spec, build(experiment.Spec, {"rates": "equal"}))
    qtbot.addWidget(form)
    row = form.rows["optimizers"]
    assert isinstance(row, ContestantsRow)
    for given, sgd, adam in (({}, "", ""), ({"adam.learning_rate": 0.002}, "", "0.002"),
                             ({"rates": "equal", "adam.learning_rate": 0.002}, "0.01", "0.002")):  # fmt: skip
        form.set_spec(build(experiment.Spec, given))
        assert (row.contestants["sgd"].rate.text(), row.contestants["adam"].rate.text()) == (sgd, adam)


def test_the_readers_own_arrangement_stays(shown: RaceView) -> None:
    show(shown, optimizers=("sgd",))
    shown.panel.exchange(shown.pictures["result"], shown.panel.plots[1])
    show(shown, optimizers=("sgd",), rates="equal")
    assert shown.panel.plots[1] is shown.pictures["result"]
