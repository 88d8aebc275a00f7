"""Early stopping: what is restored, bit for bit; the rule itself; the chapter's simulated numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from engine.experiments import load
from engine.experiments.regularization._early_stopping.chapter import simulated, stopped
from engine.experiments.regularization._early_stopping.patience import Patience, Watch
from engine.session.commands import script
from engine.session.presets import predictions, presets
from engine.session.results import measured, rows, summary
from engine.session.session import Session
from engine.session.snapshots import digest
from engine.spec import SpecError, build
from tests.alone import Alone

ID = "regularization.early_stopping"
QUICK: dict[str, Any] = {"epochs": 60, "hidden": (20,), "test_samples": 100, "validation_samples": 50,
                         "patient.patience": 20, "learning_rate": 0.05}  # fmt: skip


def session(**settings: Any) -> Session:
    """A run that has not begun."""
    experiment = load(ID)
    return Session(experiment, build(experiment.Spec, {**QUICK, **settings}))


def run(**settings: Any) -> Session:
    """A finished run."""
    found = session(**settings)
    found.advance(10**6)
    return found


def column(found: Session, name: str) -> Any:
    return found.view().branch.history.values[name]


@pytest.mark.parametrize("settings", [{}, {"optimizer": "adam", "learning_rate": 0.01}, {"evaluate_every": 4},
                                      {"counting": "beyond"}, {"dtype": "float32", "batch_size": 7}])  # fmt: skip
def test_the_weights_restored_are_those_of_the_best_epoch_bit_for_bit(settings: dict[str, Any]) -> None:
    found = run(**settings)
    assert found.state.step == 60
    for s, name in enumerate(found.series):
        best = 60 if name == "none" else found.state.watches[s].best_at
        fresh = session(**settings)
        fresh.advance(best)
        assert found.state.kept[s].tobytes() == fresh.state.params.tobytes(), name
        losses = column(found, "validation_loss")[:, 0]
        last = next((e.step for e in found.branch.endings if e.series == s), 60)
        if name != "none":
            assert best == np.nanargmin(losses[: last + 1])
        test = found.state.model.parts[2]
        assert found.state.handed[s, 0] == found.state.model.mlp.loss(found.state.kept[s], test.x, test.y)
    assert any(ending.finish == "stopped" for ending in found.branch.endings)


def test_all_watch_one_run_and_adding_one_changes_no_other() -> None:
    many, one = run(), run(stoppers=("usual",))
    s = many.series.index("usual")
    assert many.branch.endings[[e.series for e in many.branch.endings].index(s)].step == one.branch.endings[0].step
    np.testing.assert_array_equal(many.state.kept[s], one.state.kept[0])
    losses = column(many, "validation_loss")
    for t in range(losses.shape[1]):
        good = np.isfinite(losses[:, t])
        np.testing.assert_array_equal(losses[good, t], losses[good, 0])
    assert one.finish == "stopped" and "patience 10 used up" in one.branch.reason
    assert one.step == one.branch.endings[0].step


LOSSES = [5.0, 4.0, 4.2, 4.1, 3.9, 3.95, 3.89, 4.0, 4.0, 4.0, 4.0]


@pytest.mark.parametrize(
    ("patience", "gain", "counting", "best", "stop"),
    [(2, 0.0, "reached", 1, 3), (2, 0.0, "beyond", 6, 9), (3, 0.0, "reached", 6, 9), (3, 0.0, "beyond", 6, 10),
     (3, 0.05, "reached", 4, 7), (2, 0.5, "beyond", 1, 4), (9, 0.0, "reached", 6, -1), (1, 0.0, "reached", 1, 2)],
)  # fmt: skip
def test_the_rule(patience: int, gain: float, counting: str, best: int, stop: int) -> None:
    watch, rule = Watch(), Patience(patience, gain, counting)
    for at, loss in enumerate(LOSSES):
        rule.advance(watch, loss, at)
        if watch.stopped >= 0:
            break
    assert (watch.best_at, watch.stopped) == (best, stop)


def test_a_loss_that_is_no_number_is_bad() -> None:
    watch, rule = Watch(), Patience(2)
    assert not rule.advance(watch, float("nan"), 0)
    assert rule.advance(watch, 1.0, 1) and watch.bad == 0


def test_the_chapters_simulated_numbers() -> None:
    epochs, train, validation = simulated()
    np.testing.assert_allclose(train[0], 1 / 1.1 + 0.1 + 0.02 * 0.49671415, atol=1e-9)
    watch = stopped()
    assert (watch.best_at, watch.stopped, watch.bad) == (59, 70, 11)
    assert watch.best == pytest.approx(0.22502176, abs=5e-9)
    assert validation.min() == pytest.approx(0.19622125, abs=5e-9)
    assert epochs[validation.argmin()] == 90


def test_the_chapters_figure_is_laid_over_and_called_simulated(finished: Callable[[str], Session]) -> None:
    experiment = load(ID)
    found = finished("chapter")
    (drawn,) = experiment.drawn(found.spec, found.view())
    assert "nothing was trained" in drawn.claim
    for words in ("0.22502 at epoch 59", "stop at epoch 70", "58 and 69", "0.19622 at epoch 90", "usual best at"):
        assert words in drawn.verdict
    assert len(drawn.overlays) == 4 and all(overlay.label.startswith("chapter") for overlay in drawn.overlays)
    before = Session(experiment, found.spec)
    assert "nobody has stopped yet" in experiment.drawn(before.spec, before.view())[0].verdict


def test_back_and_cuts_are_exact() -> None:
    found = run()
    for step in (55, 30, 3, 60, 0):
        found.seek(step)
        fresh = session()
        while fresh.step < step:
            fresh.advance(min(4, step - fresh.step))
        assert digest(found.state) == digest(fresh.state)
        for name, row in found.row.items():
            np.testing.assert_array_equal(row, fresh.row[name])


@pytest.mark.parametrize(("key", "value"), [("learning_rate", 0.01), ("momentum.momentum", 0.5)])
def test_a_live_change_branches_and_reproduces(key: str, value: Any) -> None:
    found = run()
    before = digest(found.state)
    found.seek(20)
    assert found.set_live(key, value)
    found.advance(10**6)
    assert digest(found.state) != before
    again = session()
    again.set_events(found.branch.events)
    again.advance(10**6)
    assert digest(again.state) == digest(found.state)
    found.switch(0)
    found.seek(60)
    assert digest(found.state) == before


def test_a_lost_network_keeps_its_best_weights() -> None:
    found = run(data="regression_gauss", optimizer="sgd", learning_rate=50.0)
    assert found.finish == "diverged"
    told = {found.series[e.series]: e for e in found.branch.endings}
    assert "in epoch" in told["none"].reason and told["patient"].finish == "diverged"
    assert "the weights of epoch 0 are kept" in told["patient"].reason
    s = found.series.index("patient")
    assert found.state.kept[s].tobytes() == session(data="regression_gauss").state.params.tobytes()


def test_history_is_empty_between_evaluations() -> None:
    lines = list(rows(load(ID), run(stoppers=("none", "usual"), evaluate_every=2, epochs=3).view()))
    assert lines[0] == ("step,series,train_loss,validation_loss,test_loss,test_accuracy,best_epoch,best_loss,"
                        "bad_in_a_row,kept_test_loss,kept_test_accuracy\r\n")  # fmt: skip
    assert len(lines) == 1 + 2 * 4
    assert lines[3] == "1,none,,,,,,,,,\r\n" and ",,,,,,,," not in lines[5] and ",,,,,,,," not in lines[7]


@pytest.mark.parametrize(
    ("settings", "key"),
    [({"stoppers": ()}, "stoppers"), ({"validation_samples": 0}, "validation_samples"),
     ({"data": "digits", "samples": 1000}, "samples"), ({"usual.patience": 0}, "usual.patience"),
     ({"min_delta": -1.0}, "min_delta"), ({"epochs": 0}, "epochs")],
)  # fmt: skip
def test_wrong_settings_are_told_in_one_line(settings: dict[str, Any], key: str) -> None:
    experiment = load(ID)
    with pytest.raises(SpecError, match=key) as told:
        experiment.check(build(experiment.Spec, settings))
    assert "\n" not in str(told.value)


@pytest.mark.parametrize(
    "settings",
    [{"samples": 1}, {"test_samples": 0}, {"batch_size": 0}, {"hidden": ()}, {"epochs": 1}, {"data": "rings"},
     {"data": "digits", "samples": 3}, {"evaluate_every": 1000}, {"validation_samples": 1}],
)  # fmt: skip
def test_odd_runs_end_as_they_should(settings: dict[str, Any]) -> None:
    found = run(**settings)
    assert found.finish == "done" and np.isfinite(found.state.kept).all()
    assert len(found.probe("outcome").rows) == 4


def test_pictures() -> None:
    found = run(data="moons")
    kept, last = found.probe("kept", series="hasty"), found.probe("last")
    assert kept.values.shape == last.values.shape == (96, 96) and not np.array_equal(kept.values, last.values)
    best = found.state.watches[found.series.index("hasty")].best_at
    assert kept.note == f"Hasty: epoch {best}"
    table = found.probe("outcome")
    losses = [float(row[-1]) for row in table.rows]
    assert losses[table.good[0]] == min(losses)
    with pytest.raises(KeyError):
        found.probe("nothing")


def test_every_question_has_its_answer(finished: Callable[[str], Session]) -> None:
    experiment = load(ID)
    expected = {"moons": "usual", "too_hasty": "patient"}
    for question in predictions(ID):
        found = finished(question.preset)
        view = found.view()
        own = question.measure.startswith("own ")
        answer = (experiment.answer(found.spec, view, question.measure[4:]) if own else
                  measured(question.measure, summary(experiment, view), experiment.loss))  # fmt: skip
        assert question.answers[answer] in question.choices
        assert answer == expected[question.preset], "the explanation says so"


def test_what_the_presets_say(finished: Callable[[str], Session]) -> None:
    experiment = load(ID)
    told = {}
    for preset in presets(ID):
        found = finished(preset.name)
        told[preset.name] = summary(experiment, found.view())["series"]
    moons = told["moons"]
    assert moons["none"]["train_loss"] < 0.5 * moons["hasty"]["train_loss"], "it goes on falling"
    assert moons["none"]["kept_test_loss"] > 1.25 * moons["usual"]["kept_test_loss"]
    digits = told["digits"]
    assert digits["none"]["kept_test_loss"] > 1.2 * digits["usual"]["kept_test_loss"]
    assert digits["none"]["kept_test_accuracy"] > digits["usual"]["kept_test_accuracy"]
    assert len({one["best_epoch"] for name, one in digits.items() if name != "none"}) == 1
    few = told["few_to_look_at"]
    assert {one["best_epoch"] for name, one in few.items() if name != "none"} == {2.0}
    assert few["patient"]["kept_test_loss"] > 0.98 * few["none"]["kept_test_loss"]
    much = told["asks_too_much"]
    assert all(much[name]["step"] < 60 for name in ("hasty", "usual", "patient"))


SCRIPTS: dict[str, tuple[dict[str, Any], tuple[tuple[str, Any], ...]]] = {
    "live": ({}, (("learning_rate", 0.02), ("momentum.momentum", 0.8))),
    "digits, all stop": ({"data": "digits", "stoppers": ("hasty", "usual"), "optimizer": "adam", "evaluate_every": 2,
                          "hasty.patience": 1, "usual.patience": 2, "counting": "beyond", "min_delta": 0.05}, ()),
    "lost": ({"data": "regression_gauss", "optimizer": "sgd", "learning_rate": 50.0}, ()),
}  # fmt: skip


@pytest.mark.parametrize("case", SCRIPTS)
def test_scripts_restore_the_same_weights(case: str, alone: Alone) -> None:
    settings, live = SCRIPTS[case]
    found = session(**settings)
    found.advance(25)
    for key, value in live:
        found.set_live(key, value)
    found.advance(10**6)
    assert alone.says(script(found)).count("from the app's") == len(found.series)
