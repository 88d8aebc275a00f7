"""Training under schedules: the schedules exactly, the same start and batches for all, its own past bit for bit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from engine.experiments import load
from engine.experiments._shared.trained.model import build as model_of
from engine.experiments._shared.trained.model import rule_of
from engine.experiments.schedules._shared.settings import NAMES, parameters
from engine.schedules import Plateau, momenta, rates
from engine.session.commands import script
from engine.session.presets import predictions, presets
from engine.session.results import measured, rows, summary
from engine.session.session import Session
from engine.session.snapshots import digest
from engine.spec import SpecError, build
from tests.alone import Alone

ID = "schedules.training"
QUICK: dict[str, Any] = {
    "total_steps": 120, "warmup_steps": 12, "samples": 60, "test_samples": 40, "hidden": (6,), "batch_size": 8,
    "evaluate_every": 10, "step.step_size": 40, "cosine_restarts.T_0": 50, "plateau.patience": 1,
}  # fmt: skip
SOME = ("constant", "cosine", "one_cycle", "plateau")


def session(**settings: Any) -> Session:
    """A run that has not begun."""
    experiment = load(ID)
    spec = build(experiment.Spec, {**QUICK, **settings})
    return Session(experiment, spec)


def run(**settings: Any) -> Session:
    """A finished run."""
    found = session(**settings)
    found.advance(10**6)
    return found


def column(found: Session, name: str) -> Any:
    return found.view().branch.history.values[name]


def test_each_follows_its_schedule_as_schedules_curves_draws_it() -> None:
    ours = run(schedules=tuple(NAMES), data="moons")
    curves = load("schedules.curves")
    names = ("schedules", "base_lr", "total_steps", "warmup_steps", "step", "multi_step", "exponential",
             "cosine_restarts", "cyclic")  # fmt: skip
    given = {name: getattr(ours.spec, name) for name in names}
    drawn = Session(curves, curves.Spec(**{k: v.model_dump() if hasattr(v, "model_dump") else v
                                           for k, v in given.items()}))  # fmt: skip
    drawn.advance(10**6)
    theirs = drawn.view().branch.history.values["learning_rate"]
    for s, name in enumerate(ours.series):
        if name != "plateau":
            np.testing.assert_array_equal(column(ours, "learning_rate")[1:, s], theirs[:, s], err_msg=name)


def test_the_rates_ahead_are_those_that_come() -> None:
    found = run(schedules=("step", "cosine", "one_cycle", "plateau"), data="moons")
    lines = found.probe("ahead").lines
    assert [line.series for line in lines] == ["step", "cosine", "one_cycle"]  # the plateau's nobody knows
    for s, line in enumerate(lines):
        np.testing.assert_array_equal(column(found, "learning_rate")[line.x, s], line.y)


@pytest.mark.parametrize(("optimizer", "moved"), [("momentum", True), ("adam", True), ("sgd", False)])
def test_one_cycle_moves_the_momentum_where_there_is_one(optimizer: str, moved: bool) -> None:
    found = run(schedules=("constant", "one_cycle"), optimizer=optimizer, base_lr=0.01)
    told = column(found, "momentum")[1:]
    expected = momenta("one_cycle", np.arange(120), 120, 0.01, **parameters(found.spec, "one_cycle"))
    if moved:
        np.testing.assert_array_equal(told[:, 1], expected)
        assert (told[:, 0] == 0.9).all()
    else:
        assert np.isnan(told).all()


def test_the_momentum_told_is_the_one_used() -> None:
    found = run(schedules=("one_cycle",), optimizer="adam", base_lr=0.01)
    model = found.state.model
    params, numbers = Session(found.experiment, found.spec).state.params[0], model.mlp.states("adam")
    for k in range(120):
        rule = rule_of(found.spec, beta1=float(column(found, "momentum")[k + 1, 0]))
        part = model.parts[0]
        rate = rates("one_cycle", np.array([k]), 120, 0.01)
        model.mlp.train(params, numbers, part.x, part.y, rule, k + 1, rate, 8, 0)
    np.testing.assert_array_equal(params, found.state.params[0])


def test_all_begin_with_the_same_weights_and_see_the_same_batches() -> None:
    many, one = run(schedules=SOME), run(schedules=("cosine",))
    start = session(schedules=SOME).state.params
    assert (start == start[0]).all()
    np.testing.assert_array_equal(many.state.params[1], one.state.params[0])
    first = column(many, "batch_loss")[1]
    assert (first == first[0]).all()
    # at one and the same rate all are one and the same run
    same = run(schedules=("constant", "step", "multi_step"), **{"step.gamma": 1.0, "multi_step.gamma": 1.0})
    np.testing.assert_array_equal(same.state.params[0], same.state.params[1])
    np.testing.assert_array_equal(same.state.params[0], same.state.params[2])


@pytest.mark.parametrize(
    ("metric", "mode", "data"), [("test_loss", "min", "moons"), ("train_loss", "min", "regression_gauss"),
                                 ("test_accuracy", "max", "moons")],
)  # fmt: skip
def test_the_plateau_follows_what_was_measured(metric: str, mode: str, data: str) -> None:
    found = run(schedules=("plateau",), data=data,
                **{"plateau.metric": metric, "plateau.mode": mode, "plateau.factor": 0.5,
                   "plateau.patience": 0})  # fmt: skip
    machine = Plateau(mode=mode, factor=0.5, patience=0)
    state = machine.start(0.1)
    told, rate = column(found, metric)[:, 0], column(found, "learning_rate")[:, 0]
    for step in range(1, 121):
        assert rate[step] == state.rate
        if step % 10 == 0:
            machine.advance(state, float(told[step]))
    assert rate[-1] < 0.1, "it was cut at least once"


def test_measured_at_the_cadence_and_at_the_end() -> None:
    found = run(schedules=("cosine",), total_steps=25)
    good = np.flatnonzero(np.isfinite(column(found, "train_loss")[:, 0]))
    assert good.tolist() == [0, 10, 20, 25]
    part, model = found.state.model.parts[1], found.state.model
    assert column(found, "test_loss")[25, 0] == model.mlp.loss(found.state.params[0], part.x, part.y)


def test_back_and_cuts_are_exact() -> None:
    found = run(schedules=SOME, optimizer="adam", base_lr=0.02)
    for step in (100, 37, 5, 120, 0):
        found.seek(step)
        fresh = session(schedules=SOME, optimizer="adam", base_lr=0.02)
        while fresh.step < step:
            fresh.advance(min(7, step - fresh.step))
        assert digest(found.state) == digest(fresh.state)
        for name, row in found.row.items():
            np.testing.assert_array_equal(row, fresh.row[name])


@pytest.mark.parametrize(
    ("key", "value"), [("base_lr", 0.02), ("batch_size", 3), ("momentum.momentum", 0.5), ("batch_size", 0)]
)
def test_a_live_change_branches_and_reproduces(key: str, value: Any) -> None:
    found = run(schedules=SOME)
    before = found.state.params.copy()
    found.seek(51)
    assert found.set_live(key, value)
    found.advance(10**6)
    assert not np.array_equal(found.state.params, before)
    again = session(schedules=SOME)
    again.set_events(found.branch.events)
    again.advance(10**6)
    assert digest(again.state) == digest(found.state)
    rate = column(again, "learning_rate")
    if key == "base_lr":
        np.testing.assert_array_equal(rate[52:, 0], 0.02)
        np.testing.assert_array_equal(rate[52:, 1], rates("cosine", np.arange(51, 120), 120, 0.02))
        assert rate[52, 3] == pytest.approx(0.2 * rate[51, 3])
    found.switch(0)
    found.seek(120)
    np.testing.assert_array_equal(found.state.params, before)


def test_one_that_is_lost_is_told_and_the_others_go_on() -> None:
    found = run(schedules=("constant", "one_cycle"), base_lr=30.0, **{"one_cycle.div_factor": 1e6,
                "one_cycle.pct_start": 1.0, "one_cycle.anneal_strategy": "linear"})  # fmt: skip
    first = found.branch.endings[0]
    assert (first.series, first.finish) == (0, "diverged") and "at a rate of 30" in first.reason
    rate = column(found, "learning_rate")
    assert np.isnan(rate[first.step + 1 :, 0]).all() and np.isfinite(rate[1 : first.step + 1, 0]).all()
    assert np.isfinite(rate[first.step + 1, 1])
    found.seek(first.step - 1)
    found.advance(1)
    assert found.state.ended == {0: first.step}


def test_all_lost_ends_the_run() -> None:
    found = run(schedules=("constant", "cosine"), base_lr=1e6, optimizer="sgd")
    assert found.finish == "diverged"
    assert found.step == max(ending.step for ending in found.branch.endings) < 120


def test_history_has_a_row_for_every_step_and_schedule() -> None:
    lines = list(rows(load(ID), run(schedules=("constant", "cosine"), optimizer="sgd").view()))
    assert lines[0] == "step,series,learning_rate,momentum,batch_loss,train_loss,test_loss,test_accuracy\r\n"
    assert len(lines) == 1 + 2 * 121
    assert lines[1].startswith("0,constant,,,,1.")
    assert lines[3].startswith("1,constant,0.1,,") and lines[3].endswith(",,,\r\n")


@pytest.mark.parametrize(
    ("settings", "key"),
    [({"schedules": ()}, "schedules"), ({"schedules": ("one_cycle",), "one_cycle.total_steps": 5}, "one_cycle"),
     ({"data": "digits", "samples": 1700, "test_samples": 98}, "samples"), ({"hidden": (300,)}, "hidden"),
     ({"schedules": ("plateau",), "plateau.metric": "test_accuracy"}, "plateau.metric"),
     ({"schedules": ("plateau",), "test_samples": 0}, "plateau.metric"),
     ({"schedules": ("plateau",), "plateau.mode": "max"}, "plateau.mode"),
     ({"schedules": ("drawn",), "drawn.knots": ((0.5, 1.0), (0.2, 0.0))}, "drawn.knots"), ({"base_lr": 0.0}, "base_lr"),
     ({"samples": 0}, "samples")],
)  # fmt: skip
def test_wrong_settings_are_told_in_one_line(settings: dict[str, Any], key: str) -> None:
    experiment = load(ID)
    with pytest.raises(SpecError, match=key) as told:
        experiment.check(build(experiment.Spec, settings))
    assert "\n" not in str(told.value)


@pytest.mark.parametrize(
    "settings",
    [{"samples": 1}, {"test_samples": 0}, {"batch_size": 5000}, {"hidden": ()}, {"total_steps": 1},
     {"dtype": "float32"}, {"noise": 10.0}, {"evaluate_every": 1000}, {"data": "digits", "samples": 5},
     {"data": "rings"}, {"optimizer": "nesterov", "convention": "book"}],
)  # fmt: skip
def test_odd_runs_end_as_they_should(settings: dict[str, Any]) -> None:
    found = run(**{"schedules": ("constant", "one_cycle", "cyclic"), "base_lr": 0.01, **settings})
    assert found.finish == "done" and np.isfinite(found.state.params).all()


def test_the_answers_over_the_plane() -> None:
    for data, shape in (("moons", (96, 96)), ("rings", (3, 96, 96)), ("regression_gauss", (96, 96))):
        found = run(schedules=("constant", "cosine"), data=data)
        shown = found.probe("boundary", series="cosine")
        assert shown.values.shape == shape and shown.note == "Cosine"
        x0, _, y0, _ = shown.extent
        corner = found.state.model.mlp.predict(found.state.params[1], np.array([[x0, y0]]))
        np.testing.assert_allclose(shown.values[..., 0, 0], corner[0] if data == "rings" else corner[0, 0])
    assert run(schedules=("constant",), data="digits").probe("boundary") is None
    with pytest.raises(KeyError):
        found.probe("nothing")


def test_digits_held_back_stay_when_there_are_fewer_to_train_on() -> None:
    experiment = load(ID)
    many, few = (build(experiment.Spec, {"data": "digits", "samples": n, "test_samples": 100}) for n in (1000, 10))
    big, small = model_of(many, (1000, 100)), model_of(few, (10, 100))
    np.testing.assert_array_equal(big.parts[1].x, small.parts[1].x)
    np.testing.assert_array_equal(big.parts[0].x[:10], small.parts[0].x)
    together = np.concatenate([big.parts[0].x, big.parts[1].x])
    assert len(np.unique(together, axis=0)) == len(together)


def test_every_question_has_its_answer(finished: Callable[[str], Session]) -> None:
    experiment = load(ID)
    for question in predictions(ID):
        found = finished(question.preset)
        view = found.view()
        own = question.measure.startswith("own ")
        answer = (experiment.answer(found.spec, view, question.measure[4:]) if own else
                  measured(question.measure, summary(experiment, view), experiment.loss))  # fmt: skip
        assert question.answers[answer] in question.choices
        assert answer == "one_cycle", "the explanation says so"


def test_what_the_presets_say(finished: Callable[[str], Session]) -> None:
    experiment = load(ID)
    told = {}
    for preset in presets(ID):
        found = finished(preset.name)
        told[preset.name] = summary(experiment, found.view())["series"]
    assert told["floor"]["constant"]["train_loss"] > 1.4 * told["floor"]["cosine"]["train_loss"]
    assert told["spiral"]["constant"]["test_loss"] > 3 * told["spiral"]["one_cycle"]["test_loss"]
    assert {name for name, one in told["edge"].items() if one["finish"] == "done"} == {"one_cycle"}
    digits = told["digits"]
    assert min(digits, key=lambda n: digits[n]["train_loss"]) == max(digits, key=lambda n: digits[n]["test_loss"])
    assert all(one["test_accuracy"] >= 0.97 for one in digits.values())
    for bad, name in (("too_soon", "exponential"), ("too_soon", "step"), ("impatient", "plateau"),
                      ("cut_short", "one_cycle")):  # fmt: skip
        assert told[bad][name]["train_loss"] > 1.08 * told[bad]["cosine"]["train_loss"]
    assert all(0.045 < one["train_loss"] < 0.06 for one in told["by_hand"].values())
    assert all(one["train_loss"] == pytest.approx(np.log(10), abs=0.03) for one in told["dead"].values())


def test_one_cycle_needs_its_momentum_at_the_edge() -> None:
    experiment = load(ID)
    held = build(experiment.Spec, {"schedules": ("one_cycle",), "base_lr": 0.25, "one_cycle.base_momentum": 0.9,
                                   "one_cycle.max_momentum": 0.9})  # fmt: skip
    found = Session(experiment, held)
    found.advance(10**6)
    assert found.finish == "diverged"


SCRIPTS: dict[str, tuple[dict[str, Any], tuple[tuple[str, Any], ...]]] = {
    "every schedule": ({"schedules": tuple(NAMES)}, ()),
    "live": ({"schedules": SOME, "optimizer": "adam", "base_lr": 0.01, "data": "moons"},
             (("base_lr", 0.02), ("batch_size", 5), ("adam.beta2", 0.9))),
    "book": ({"schedules": ("one_cycle", "constant"), "optimizer": "nesterov", "convention": "book"}, ()),
    "lost": ({"schedules": ("constant", "cosine"), "base_lr": 1e3, "batch_size": 0, "optimizer": "sgd"}, ()),
}  # fmt: skip


@pytest.mark.parametrize("case", SCRIPTS)
def test_scripts_train_to_the_same_weights(case: str, alone: Alone) -> None:
    settings, live = SCRIPTS[case]
    found = session(**settings)
    found.advance(50)
    for key, value in live:
        found.set_live(key, value)
    found.advance(10**6)
    printed = alone.says(script(found))
    assert printed.count("\n") == len(found.series)
