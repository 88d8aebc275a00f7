"""The race: fair by measurement, tuned on equal budgets, its own past bit for bit, the chapter's mistake as it is."""

from __future__ import annotations

import copy
import json
import math
from functools import lru_cache
from typing import Any

import numpy as np
import pytest
import torch

from engine.experiments import load
from engine.experiments.landscapes._race import crowd, fairness, running, tuning
from engine.experiments.landscapes._race.problem import batch_rows, race_seeds, rule_of, tuning_seeds
from engine.experiments.landscapes._race.settings import tried
from engine.experiments.landscapes._race.state import Clock, spread
from engine.networks.initializations import initialize
from engine.optimizers import RULES
from engine.session.presets import predictions, preset_spec, presets
from engine.session.results import line as history_line
from engine.session.results import measured, rows, summary, write_run
from engine.session.session import Session
from engine.session.snapshots import digest
from engine.spec import SpecError, build

ID = "landscapes.race"
QUICK: dict[str, Any] = {
    "data": "moons", "samples": 60, "test_samples": 40, "hidden": (6,), "batch_size": 8, "steps": 60, "seeds": 3,
    "tuning_steps": 25, "tuning_rates": 4, "tuning_seeds": 2,
}  # fmt: skip
EQUAL: dict[str, Any] = {"rates": "equal", "learning_rate": 0.05}


def session(**settings: Any) -> Session:
    """A run that has not begun."""
    experiment = load(ID)
    return Session(experiment, build(experiment.Spec, {**QUICK, **settings}))


def run(**settings: Any) -> Session:
    """A finished run."""
    found = session(**settings)
    found.advance(10**6)
    return found


@lru_cache(maxsize=16)
def preset(name: str) -> Session:
    """A preset's finished run."""
    experiment = load(ID)
    found = Session(experiment, preset_spec(experiment, name))
    found.advance(10**6)
    return found


def column(found: Session, name: str) -> Any:
    return found.view().branch.history.values[name]


# -- fair ------------------------------------------------------------------------------------------------------------


def test_all_begin_alike_and_see_the_same_batches() -> None:
    start = session(**EQUAL).state.params
    assert (start == start[0]).all() and not (start[:, 0] == start[:, 1]).all()
    many, one = run(**EQUAL), run(**EQUAL, optimizers=("adam",))
    np.testing.assert_array_equal(many.state.params[3], one.state.params[0])
    first = many.state.first
    assert (first == first[0]).all() and len(set(first[0].tolist())) == 3
    # one rule under two names that differ in what is 0 is one and the same run
    same = run(**EQUAL, optimizers=("sgd", "momentum", "nesterov"), **{"momentum.momentum": 0.0})
    np.testing.assert_array_equal(same.state.params[0], same.state.params[1])


def test_every_batch_is_drawn_from_its_seed_alone() -> None:
    found = run(**EQUAL, optimizers=("sgd",), seeds=2)
    spec: Any = found.spec
    part = found.state.model.parts[0]
    for j, seed in enumerate(race_seeds(spec)):
        w = torch.tensor(initialize(found.state.model.description, spec.initialization, seed), requires_grad=True)
        for update in range(1, 61):
            picked = batch_rows(60, 8, seed, update)
            x, y = torch.tensor(part.x[picked]), torch.tensor(part.y[picked])
            hidden = torch.relu(x @ w[:12].reshape(6, 2).T + w[12:18])
            loss = torch.nn.functional.binary_cross_entropy_with_logits(hidden @ w[18:24, None] + w[24], y)
            (gradient,) = torch.autograd.grad(loss, w)
            w = (w - 0.05 * gradient).detach().requires_grad_()
        np.testing.assert_allclose(found.state.params[0, j], w.detach().numpy(), rtol=1e-10, atol=1e-12)


def test_the_audits_find_what_is_not_fair(monkeypatch: pytest.MonkeyPatch) -> None:
    found = session(**EQUAL)
    found.state.params[1, 0, 0] += 1e-15
    with pytest.raises(fairness.Unfair, match="same weights"):
        running.begin(found.state, found.spec)

    real = crowd.train_crowd

    def other_order(*given: Any) -> Any:
        changed = list(given)
        if given[5][0].name == "adam":
            changed[10] = given[10] + 7
        return real(*changed)

    monkeypatch.setattr(crowd, "train_crowd", other_order)
    found = session(**EQUAL)
    with pytest.raises(fairness.Unfair, match="batch"):
        found.advance(20)
    assert found.branch.finish == "failed" and "Unfair" in found.branch.reason


def test_only_the_first_batch_equal_is_not_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    real = crowd.train_crowd

    def later(*given: Any) -> Any:
        changed = list(given)
        if given[5][0].name == "sgd" and given[6] > 8:  # another order from the second epoch on
            changed[10] = given[10] + 7
        return real(*changed)

    monkeypatch.setattr(crowd, "train_crowd", later)
    found = session(**EQUAL)
    found.advance(10)
    with pytest.raises(fairness.Unfair, match="a batch is not the one"):
        found.advance(20)


def test_the_badge_tells_what_was_checked() -> None:
    found = run()
    table = found.probe("fair")
    told = dict(table.rows)
    assert told["First weights"] == "3 × 25, to the bit" and told["Tuning"] == "8 × 25 steps each"
    assert told["Batches"] == "24 checked" and told["Samples seen"] == "452 each"  # 7 x 60 + 4 batches of 8
    assert len(table.good) == len(table.rows)
    thrown = run(holds="discarded").probe("fair")
    assert "thrown away" in dict(thrown.rows)["Network held"] and len(thrown.good) < len(thrown.rows)


# -- tuning ----------------------------------------------------------------------------------------------------------


def test_tuning_tries_the_same_rates_on_networks_that_do_not_race() -> None:
    found = session()
    found.advance(25)
    spec: Any = found.spec
    model = found.state.model
    assert not set(tuning_seeds(spec)) & set(race_seeds(spec))
    np.testing.assert_allclose(tried(spec), np.geomspace(1e-4, 10.0, 4))
    part = model.parts[0]
    for s, name in enumerate(spec.optimizers):
        for g, rate in enumerate(tried(spec)):
            ends = []
            for seed in tuning_seeds(spec):
                params = initialize(model.description, spec.initialization, seed)
                numbers = model.mlp.states(name)
                model.mlp.train(params, numbers, part.x, part.y, rule_of(spec, name), 1, np.full(25, rate), 8, seed)
                ends.append(model.mlp.loss(params, part.x, part.y))
            assert found.state.scores[s, g] == pytest.approx(np.median(ends), rel=1e-9)
        assert found.state.rates[s] == tried(spec)[found.state.scores[s].argmin()]
    found.advance(1)
    np.testing.assert_array_equal(column(found, "learning_rate")[26], found.state.rates)


def test_a_rate_that_loses_a_network_is_not_chosen() -> None:
    found = session(data="regression_gauss", optimizers=("sgd",), lowest_rate=0.01, highest_rate=1e4)
    found.advance(25)
    assert np.isinf(found.state.scores[0, -1]) and found.state.rates[0] == pytest.approx(0.01)
    assert "lost" in found.probe("tuned").note and "edge" in found.probe("tuned").note
    assert tuning.choose(np.full((1, 4), np.inf), found.spec)[0] == pytest.approx(0.01), "the lowest where all are lost"


def test_many_in_one_call_are_trained_to_the_bit_as_one() -> None:
    found = session(data="regression_gauss")
    model, spec = found.state.model, found.spec
    part, names = model.parts[0], tuple(RULES)
    rules = [rule_of(build(type(spec), {"convention": "book"}), name) for name in names]
    first = np.stack([initialize(model.description, "he_normal", seed) for seed in (1, 2)] * len(names))
    numbers = np.stack([model.mlp.states(name) for name in names for _ in range(2)])
    params, over = first.copy(), np.zeros(len(first), np.int64)
    rates, seeds = np.tile([0.01, 1e9], len(names)), np.tile([5, 6], len(names))
    out = crowd.train_crowd(model.mlp, params, numbers, part.x, part.y, rules, 4, 30, rates, 8, seeds, over)
    for lane in range(len(first)):
        w, kept = first[lane].copy(), model.mlp.states(names[lane // 2])
        taken, code, told = model.mlp.train(w, kept, part.x, part.y, rules[lane // 2], 4,
                                            np.full(30, rates[lane]), 8, int(seeds[lane]))  # fmt: skip
        np.testing.assert_array_equal(params[lane], w)
        np.testing.assert_array_equal(out[lane, :taken], told)
        assert np.isinf(out[lane, taken:]).all() and over[lane] == (3 + taken if code else 0)
    assert over.any()


# -- the run ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("settings", [{}, EQUAL, {"holds": "discarded"}], ids=["tuned", "equal", "discarded"])
def test_back_and_cuts_are_exact(settings: dict[str, Any]) -> None:
    found = run(optimizers=("momentum", "adam", "lion"), **settings)
    for step in (57, 26, 25, 7, 0):
        found.seek(step)
        fresh = session(optimizers=("momentum", "adam", "lion"), **settings)
        while fresh.step < step:
            fresh.advance(min(7, step - fresh.step))
        assert digest(found.state) == digest(fresh.state)
        for name, row in found.row.items():
            np.testing.assert_array_equal(row, fresh.row[name])


@pytest.mark.parametrize(
    ("key", "value"), [("rate_factor", 3.0), ("batch_size", 5), ("adam.beta1", 0.5), ("batch_size", 0)]
)
def test_a_live_change_branches_and_reproduces(key: str, value: Any) -> None:
    found = run()
    before = found.state.params.copy()
    found.seek(51)
    assert found.set_live(key, value)
    found.advance(10**6)
    assert not np.array_equal(found.state.params, before)
    again = session()
    again.set_events(found.branch.events)
    again.advance(10**6)
    assert digest(again.state) == digest(found.state)
    if key == "rate_factor":
        rate = column(again, "learning_rate")
        np.testing.assert_allclose(rate[52:], 3 * rate[[51] * len(rate[52:])])
    found.switch(0)
    found.seek(85)
    np.testing.assert_array_equal(found.state.params, before)


def test_the_target_moves_without_moving_the_race() -> None:
    found = run(**EQUAL)
    before = digest(found.state)
    found.set_live("target", 0.25)
    assert digest(found.state) == before and found.probe("result").head[2] == "to 0.25"


@pytest.mark.parametrize("shape", [(3, 5), (4, 2), (2, 1), (5, 4)])
def test_medians_and_bands(shape: tuple[int, ...]) -> None:
    values = np.random.default_rng(0).normal(size=shape)
    for band, edges in (("all", (0, 100)), ("quartiles", (25, 75))):
        middle, low, high = spread(values, band)
        np.testing.assert_allclose(middle, np.median(values, axis=1))
        np.testing.assert_allclose([low, high], np.percentile(values, edges, axis=1))
    values[0, 0] = np.inf
    middle, _, high = spread(values, "all")
    assert np.isinf(high[0]) and math.isinf(middle[0]) == (shape[1] <= 2)


def test_the_loss_is_the_median_over_the_seeds() -> None:
    found = run(**EQUAL)
    part = found.state.model.parts[1]
    losses = [[found.state.model.mlp.loss(w, part.x, part.y) for w in seeds] for seeds in found.state.params]
    row = found.row
    for name, edge in (("test_loss", np.median), ("test_low", np.min), ("test_high", np.max)):
        np.testing.assert_allclose(row[name], edge(losses, axis=1), rtol=1e-9)
    good = np.flatnonzero(np.isfinite(column(found, "train_loss")[:, 0]))
    assert good.tolist() == [*range(0, 61, 10)]


def test_history_is_empty_while_rates_are_tuned() -> None:
    lines = list(rows(load(ID), run(optimizers=("sgd", "adam")).view()))
    assert lines[0].startswith("step,series,update,samples,learning_rate,batch_loss,gradient_norm,train_loss")
    assert len(lines) == 1 + 2 * 86
    assert lines[1] == "0,sgd,0.0,0.0,,,,,,,,,,,0.0\r\n"
    begin = lines[1 + 2 * 25].split(",")
    assert begin[:5] == ["25", "sgd", "0.0", "0.0", ""] and float(begin[7]) > 0.0


def test_steps_to_target_are_those_of_the_history() -> None:
    found = run(**EQUAL, seeds=1, target=0.5)
    losses, updates = column(found, "train_loss"), column(found, "update")
    table = found.probe("result")
    for s, row in enumerate(table.rows):
        with np.errstate(invalid="ignore"):
            reached = updates[losses[:, s] <= 0.5, s]
        assert row[2] == (f"{reached[0]:,.0f}" if len(reached) else "–")
    assert any(row[2] != "–" for row in table.rows) and table.good


def test_time_is_measured_and_is_no_part_of_the_run() -> None:
    found = run(**EQUAL)
    each = found.state.clock.each()
    assert (each > 0).all() and copy.deepcopy(found.state).clock is found.state.clock
    lines = found.probe("times").lines
    for s, line in enumerate(lines):
        np.testing.assert_allclose(line.x, 1e3 * found.state.clock.each()[s] * np.arange(0, 61, 10))
        good = np.isfinite(column(found, "train_loss")[:, s])
        for drawn, name in ((line.y, "train_loss"), (line.low, "train_low"), (line.high, "train_high")):
            np.testing.assert_array_equal(drawn, column(found, name)[good, s])
    assert session().probe("times") is None and run(**EQUAL).probe("tuned") is None
    with pytest.raises(KeyError):
        found.probe("nothing")


def test_the_time_of_a_step_is_told_in_the_summary_alone(tmp_path: Any) -> None:
    found = run(**EQUAL)
    told = write_run(found, tmp_path)
    for s, name in enumerate(found.series):
        assert told["series"][name]["seconds_per_step"] == found.state.clock.each()[s] > 0
    assert json.loads((tmp_path / "summary.json").read_text())["series"] == told["series"]
    with np.load(tmp_path / "history.npz") as kept:
        assert not [name for name in kept.files if "second" in name or "time" in name]
    begun = session(**EQUAL)  # nothing timed yet
    assert "seconds_per_step" not in write_run(begun, tmp_path / "begun")["series"]["sgd"]


# -- rates by hand ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rates", ["tuned", "equal"])
def test_one_contestant_may_have_its_rate_by_hand(rates: str) -> None:
    plain = run(rates=rates, optimizers=("sgd", "adam"))
    found = run(rates=rates, optimizers=("sgd", "adam"), rate_factor=1.0, **{"adam.learning_rate": 0.02})
    rate = column(found, "learning_rate")[-1]
    assert rate[1] == 0.02 and rate[0] == column(plain, "learning_rate")[-1, 0]
    np.testing.assert_array_equal(found.state.params[0], plain.state.params[0])  # nobody else notices
    same = run(rates="equal", optimizers=("sgd", "adam"), learning_rate=0.02)
    np.testing.assert_array_equal(found.state.params[1], same.state.params[1])  # and it is that rate's own run
    if rates == "tuned":
        np.testing.assert_array_equal(found.state.rates, plain.state.rates)  # it is tuned all the same
        picture = found.probe("tuned")
        assert picture.marks == ((0.02, "Adam, by hand"),)
        assert [one.name for one in picture.lines[2:]] == ["SGD, chosen", "Adam, lowest"]
    table, fair = found.probe("result"), found.probe("fair")
    assert [row[1].endswith("*") for row in table.rows] == [False, True] and "by hand" in table.note
    assert dict(fair.rows)["But by hand"] == "Adam 0.02" and fair.note == "By hand is no equal budget"
    assert [row[0] for k, row in enumerate(fair.rows) if k not in fair.good][-1] == "But by hand"
    assert plain.probe("tuned") is None or plain.probe("tuned").marks == ()
    assert "by hand" not in plain.probe("result").note and "But by hand" not in dict(plain.probe("fair").rows)


def test_a_rate_by_hand_comes_and_goes_while_it_runs() -> None:
    found = run(optimizers=("sgd", "adam"), rate_factor=2.0)
    tuned = column(found, "learning_rate")[-1, 1]
    found.seek(40)
    assert found.set_live("adam.learning_rate", 0.003)
    found.advance(10)
    assert not found.set_live("adam.learning_rate", None)
    found.advance(10**6)
    rate = history_line(found.view())[1]["learning_rate"][:, 1]
    np.testing.assert_array_equal(rate[26:41], tuned)
    np.testing.assert_array_equal(rate[41:51], 0.003)  # the factor is one on tuned rates
    np.testing.assert_array_equal(rate[51:], tuned)
    again = session(optimizers=("sgd", "adam"), rate_factor=2.0)
    again.set_events(found.branch.events)
    again.advance(10**6)
    assert digest(again.state) == digest(found.state)


def test_a_hiccup_does_not_count() -> None:
    clock = Clock(2)
    for seconds in (2.0, 2.0, 500.0, 2.0, 2.0):
        clock.tell(0, seconds, 10, 2)
    clock.tell(0, 99.0, 1, 1)  # too few updates to be timed
    assert clock.each()[0] == 0.1 and math.isnan(clock.each()[1])
    for seconds in (0.0, 0.0, 0.0, 16.0):  # a clock that is too coarse for one call
        clock.tell(1, seconds, 10, 1)
    assert clock.each()[1] == 0.4


def test_who_is_lost_is_told_and_the_others_go_on() -> None:
    found = run(data="regression_gauss", optimizers=("sgd", "adam"), rates="equal", learning_rate=5.0)
    (ending,) = found.branch.endings
    assert (ending.series, ending.finish) == (0, "diverged") and "at a rate of 5" in ending.reason
    assert found.finish == "done" and column(found, "lost")[ending.step, 0] == 3
    assert np.isnan(column(found, "batch_loss")[ending.step + 1 :, 0]).all()
    assert np.isfinite(column(found, "batch_loss")[1:, 1]).all()
    lost = found.state.lost[0]
    assert ending.step == lost.max()
    half = np.sort(lost)[1]  # with two of three lost the median is
    assert np.isinf(column(found, "batch_loss")[half + 1 : ending.step + 1, 0]).all()
    found.seek(ending.step - 1)
    found.advance(1)
    assert found.state.ended == {0: ending.step}


def test_all_lost_ends_the_run() -> None:
    found = run(data="regression_gauss", optimizers=("sgd", "momentum"), rates="equal", learning_rate=1e6)
    assert found.finish == "diverged"
    assert found.step == max(ending.step for ending in found.branch.endings) < 60


@pytest.mark.parametrize(
    ("settings", "key"),
    [({"optimizers": ()}, "optimizers"), ({"optimizers": ("sgd", "newton")}, "optimizers"),
     ({"lowest_rate": 1.0, "highest_rate": 1.0}, "highest_rate"), ({"tuning_rates": 1}, "tuning_rates"),
     ({"seeds": 9}, "seeds"), ({"data": "digits", "samples": 1700}, "samples"), ({"hidden": (300,)}, "hidden"),
     ({"learning_rate": 0.0}, "learning_rate"), ({"sgd.learning_rate": 0.0}, "sgd.learning_rate")],
)  # fmt: skip
def test_wrong_settings_are_told_in_one_line(settings: dict[str, Any], key: str) -> None:
    experiment = load(ID)
    with pytest.raises(SpecError, match=key) as told:
        experiment.check(build(experiment.Spec, settings))
    assert "\n" not in str(told.value)


@pytest.mark.parametrize(
    "settings",
    [{"samples": 1}, {"test_samples": 0}, {"batch_size": 5000}, {"hidden": ()}, {"steps": 1}, {"tuning_steps": 1},
     {"seeds": 1, "tuning_seeds": 1}, {"seeds": 8, "band": "quartiles"}, {"evaluate_every": 1000},
     {"data": "rings", "evaluate_every": 1}, {"convention": "book", "optimizers": ("nesterov", "adagrad")},
     {"data": "chapter_noise", "hidden": (4,)}, {"data": "chapter_noise", "hidden": (), "holds": "discarded"}],
)  # fmt: skip
def test_odd_runs_end_as_they_should(settings: dict[str, Any]) -> None:
    found = run(**{"optimizers": ("sgd", "adam"), "highest_rate": 0.1, **settings})
    assert found.finish == "done" and np.isfinite(found.state.params).all()
    assert all(found.probe(name) is not None for name in ("result", "fair"))


# -- the chapter -----------------------------------------------------------------------------------------------------


def test_the_listing_does_in_torch_what_it_does_here() -> None:
    found = preset("chapter")
    spec: Any = found.spec
    model = found.state.model
    x, y = (torch.tensor(part) for part in (model.parts[0].x, model.parts[0].y))
    make: dict[str, Any] = {
        "sgd": torch.optim.SGD, "momentum": lambda p, lr: torch.optim.SGD(p, lr=lr, momentum=0.9),
        "adam": torch.optim.Adam, "rmsprop": torch.optim.RMSprop,
        "adamw": lambda p, lr: torch.optim.AdamW(p, lr=lr, weight_decay=1e-4),
    }  # fmt: skip

    def network() -> torch.nn.Sequential:
        layers = torch.nn.Linear(20, 64), torch.nn.ReLU(), torch.nn.Linear(64, 1)
        return torch.nn.Sequential(*layers).to(torch.float64)

    thrown = network()
    optimizers = {name: make[name](thrown.parameters(), lr=0.01) for name in spec.optimizers}
    for s, (name, optimizer) in enumerate(optimizers.items()):
        fresh = network()
        first = torch.tensor(found.state.params[s, 0])
        torch.nn.utils.vector_to_parameters(first, fresh.parameters())
        for k in range(100):
            optimizer.zero_grad()
            loss = torch.nn.functional.mse_loss(fresh(x), y)
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            norm = float(torch.cat([w.grad.flatten() for w in fresh.parameters()]).norm())  # type: ignore[union-attr]
            assert column(found, "batch_loss")[k + 1, s] == pytest.approx(loss.item(), rel=1e-12)
            assert column(found, "gradient_norm")[k + 1, s] == pytest.approx(norm, rel=1e-9)
        assert name == spec.optimizers[s]


def test_the_listing_is_flat() -> None:
    found = preset("chapter")
    losses = column(found, "batch_loss")[1:]
    assert (losses == losses[0]).all(), "not one bit moves"
    assert len(set(losses[0].tolist())) == 5, "five heights"
    heights = np.isfinite(column(found, "train_loss")[:, 0])
    assert (column(found, "train_loss")[heights] == column(found, "train_loss")[0]).all()
    piled = column(found, "gradient_norm")[1:]
    np.testing.assert_allclose(piled, piled[0] * np.arange(1, 101)[:, None], rtol=1e-9)
    (told,) = found.experiment.drawn(found.spec, found.view())
    assert told.section == "10.2.2" and "the largest change is 0" in told.verdict
    for s, overlay in enumerate(told.overlays):
        assert (overlay.plot, overlay.kind) == ("train_loss", "chapter")
        np.testing.assert_allclose(overlay.y, column(found, "train_loss")[0, s], rtol=1e-12)


def test_the_listing_mended_moves_and_learns_noise() -> None:
    found = preset("mended")
    losses, tests = column(found, "train_loss"), column(found, "test_loss")
    assert (losses[0] == losses[0, 0]).all() and (losses[-1] < 0.97 * losses[0]).all()
    assert tests[-1, 2] > 1.5 * tests[0, 2]
    noise = found.state.model.parts[0]
    np.testing.assert_array_equal(noise.x, preset("chapter").state.model.parts[0].x)
    assert noise.x.shape == (1000, 20) and abs(float(noise.y.mean())) < 0.1 and 0.9 < float(noise.y.var()) < 1.1
    (told,) = found.experiment.drawn(found.spec, found.view())
    assert "all begin at" in told.verdict
    heights = column(preset("chapter"), "train_loss")[0]
    np.testing.assert_allclose([overlay.y[0] for overlay in told.overlays], heights, rtol=1e-12)
    assert load(ID).drawn(session().spec, session().view()) == ()


def test_every_question_has_its_answer() -> None:
    experiment = load(ID)
    right = {"equal": "sgd", "chapter": "no", "fair": "adam"}
    for question in predictions(ID):
        found = preset(question.preset)
        view = found.view()
        own = question.measure.startswith("own ")
        answer = (experiment.answer(found.spec, view, question.measure[4:]) if own else
                  measured(question.measure, summary(experiment, view), experiment.loss))  # fmt: skip
        assert answer == right[question.preset], "the explanation says so"
        assert question.answers[answer] in question.choices
    assert experiment.answer(preset("mended").spec, preset("mended").view(), "moved") == "yes"
    assert experiment.answer(preset("mended").spec, preset("mended").view(), "within 100") == "yes"


def test_what_the_presets_say() -> None:
    steps = {name: {row[0]: row[2] for row in preset(name).probe("result").rows} for name in ("fair", "equal")}
    assert steps["fair"] == {"SGD": "170", "Momentum": "140", "RMSprop": "200", "Adam": "120"}
    assert steps["equal"]["SGD"] == "–" == steps["equal"]["Momentum"]
    fair, high = (preset(name).branch.final["train_loss"] for name in ("fair", "too_high"))
    assert fair[1] == fair.min() and high[0] < 0.1 and (high[1:] > 2.0).all()
    hand = preset("by_hand")
    assert hand.branch.final["train_loss"].argmax() == 3 and "Adam 0.001" in dict(hand.probe("fair").rows).values()
    assert preset("fair").state.rates[3] == hand.state.rates[3] == pytest.approx(0.0316, rel=0.01)
    short = preset("short_tuning")
    np.testing.assert_allclose(short.state.rates / preset("fair").state.rates, [10**-0.5, 10**0.5, 1, 10**0.5])
    assert (short.branch.final["train_loss"][[0, 1, 3]] > 2 * fair[[0, 1, 3]]).all()
    spiral = preset("spiral").branch.final
    assert spiral["train_low"][0] > 0.5 and (spiral["train_high"][[2, 3]] <= 0.15).all()
    assert spiral["train_low"][1] < 0.15 < 0.4 < spiral["train_high"][1]
    for one in presets(ID):
        load(ID).check(preset_spec(load(ID), one.name))
