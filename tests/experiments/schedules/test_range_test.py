"""The range test: its rates and losses, its suggestions, the curvature by torch, and that nothing is changed by it."""

from __future__ import annotations

import copy
import math
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from engine.experiments import load
from engine.experiments._shared.trained.model import first_weights, rule_of
from engine.experiments.schedules._range_test.curvature import Hessian, Lanczos, hessian_parts, largest
from engine.experiments.schedules._range_test.kept import compare, keep, moved, next_order
from engine.experiments.schedules._range_test.run import SHARE
from engine.experiments.schedules._range_test.settings import rates_of
from engine.experiments.schedules._range_test.suggestions import LAST, fell, steepest, suggest, valley
from engine.networks.activations import ACTIVATIONS
from engine.networks.chance import order
from engine.networks.description import Description
from engine.networks.plan import layers, parameter_count
from engine.randomness import generator
from engine.session.commands import script
from engine.session.presets import predictions, preset_spec, presets
from engine.session.results import rows, summary
from engine.session.session import Session
from engine.session.snapshots import digest
from engine.spec import SpecError, build
from tests.alone import Alone

ID = "schedules.range_test"
QUICK: dict[str, Any] = {"steps": 80, "data": "moons", "samples": 60, "hidden": (6,), "batch_size": 8}
SUGGESTED = ("steepest", "minimum_tenth", "valley")


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
    return found.view().branch.history.values[name][:, 0]


# -- the test itself -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("growth", "step"), [("exponential", 10 ** (4 / 79)), ("linear", (1.0 - 1e-4) / 79)])
def test_rates_grow_by_a_factor_or_an_amount(growth: str, step: float) -> None:
    found = run(growth=growth, min_lr=1e-4, max_lr=1.0, stop_factor=0.0)
    rates = column(found, "learning_rate")[1:]
    assert rates[0] == 1e-4 and rates[-1] == pytest.approx(1.0)
    between = rates[1:] / rates[:-1] if growth == "exponential" else np.diff(rates)
    np.testing.assert_allclose(between, step, rtol=1e-9)


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_each_rate_gets_one_batch_and_the_losses_are_those(optimizer: str) -> None:
    found = run(optimizer=optimizer, max_lr=0.5, warm_steps=5, smoothing=0.8)
    spec: Any = found.spec
    model = found.state.model
    x, y = model.parts[0].x, model.parts[0].y
    params, numbers = first_weights(model, spec), model.mlp.states(optimizer)
    rates = [*[spec.warm_rate] * 5, *rates_of(spec)]
    for k in range(found.step):
        picked = order(0, k // 8, 60)[k % 8 * 8 : k % 8 * 8 + 8]
        assert column(found, "batch_loss")[k + 1] == pytest.approx(model.mlp.loss(params, x[picked], y[picked]))
        model.mlp.train(params, numbers, x, y, rule_of(spec), k + 1, rates[k : k + 1], 8, 0)
    raw = column(found, "batch_loss")[6:]
    share = 0.8 ** np.arange(len(raw))
    smooth = [(share[: k + 1][::-1] @ raw[: k + 1]) / share[: k + 1].sum() for k in range(len(raw))]
    np.testing.assert_allclose(column(found, "smoothed_loss")[6:], smooth, rtol=1e-12)
    assert np.isnan(column(found, "smoothed_loss")[:6]).all()
    assert column(found, "train_loss")[-1] == model.mlp.loss(params, x, y), "of the weights it ended with"


def test_it_stops_when_the_loss_has_grown_and_says_so() -> None:
    found = run(max_lr=1000.0)
    losses = column(found, "smoothed_loss")[1:]
    beyond = losses > 4.0 * np.minimum.accumulate(losses)
    assert beyond[-1] and not beyond[:-1].any() and found.step < 80
    (ending,) = found.branch.endings
    assert (ending.finish, ending.step) == ("stopped", found.step) and "more than 4 times its lowest" in ending.reason
    assert found.finish == "stopped"


def test_told_never_to_stop_it_goes_on_to_the_end_or_until_nothing_is_finite() -> None:
    assert run(max_lr=5.0, stop_factor=0.0).finish == "done"
    found = run(max_lr=1e6, stop_factor=0.0, data="regression_gauss", activation="identity")
    assert found.finish == "diverged" and found.step < 80
    assert "at a rate of" in found.branch.reason
    assert found.state.back is not None and found.state.back.whole and np.isfinite(found.state.params).all()


def test_lost_before_the_test_begins() -> None:
    found = run(warm_steps=50, warm_rate=1e6, data="regression_gauss", activation="identity")
    assert found.finish == "diverged" and "before the test began" in found.branch.reason
    assert found.probe("back") is None and np.isnan(column(found, "valley")).all()


# -- nothing is changed ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("settings", [
    {"optimizer": "momentum"}, {"optimizer": "adam", "warm_steps": 13}, {"optimizer": "sgd", "batch_size": 0},
    {"optimizer": "amsgrad", "warm_steps": 30, "dtype": "float32"}, {"max_lr": 1e6, "optimizer": "momentum"},
])  # fmt: skip
def test_everything_is_the_same_to_the_last_bit_afterwards(settings: dict[str, Any]) -> None:
    found = run(**settings)
    spec: Any = found.spec
    before = session(**settings)
    before.advance(spec.warm_steps)
    assert found.step > before.step
    for name in ("params", "numbers"):
        assert getattr(found.state, name).tobytes() == getattr(before.state, name).tobytes()
    assert found.state.taken == before.state.taken == spec.warm_steps
    back = found.state.back
    assert back.whole and back.before == back.after and back.bytes == sum(item.bytes for item in back.items)
    kept = before.state.params.nbytes * (1 + before.state.rows) + 8
    assert back.bytes >= kept and all(item.moved != "moved by 0" for item in back.items)
    # and it trains on as one that was never tested
    for state in (found.state, before.state):
        part = state.model.parts[0]
        state.model.mlp.train(state.params, state.numbers, part.x, part.y, rule_of(spec), state.taken + 1, [0.01] * 20,
                              spec.batch_size, spec.seed)  # fmt: skip
    assert found.state.params.tobytes() == before.state.params.tobytes()


def test_a_single_bit_that_differs_is_told() -> None:
    params, numbers, samples = np.linspace(0, 1, 7), np.ones((1, 7)), next_order(0, 3, 20, 4)
    kept = keep(params, numbers, 3, samples)
    done = moved(kept, params + 1, numbers, 10)
    assert compare(kept, params, numbers, 3, samples, done).whole
    flipped = params.copy()
    flipped.view(np.uint8)[11] ^= 1
    for wrong in (compare(kept, flipped, numbers, 3, samples, done), compare(kept, params, numbers, 4, samples, done),
                  compare(kept, params, numbers, 3, samples[::-1], done)):  # fmt: skip
        assert not wrong.whole and wrong.before != wrong.after and sum(item.differ for item in wrong.items) > 0
    kept.params[0] = 5.0  # what was kept is itself held to what was there
    assert not compare(kept, kept.params, numbers, 3, samples, done).whole


def test_the_order_kept_is_the_one_that_comes() -> None:
    np.testing.assert_array_equal(next_order(3, 10, 20, 4), order(3, 2, 20))
    np.testing.assert_array_equal(next_order(3, 12, 20, 4), order(3, 2, 20)[8:])
    assert next_order(3, 10, 20, 0).size == next_order(3, 10, 20, 50).size == 0


def test_back_and_cuts_are_exact() -> None:
    settings: dict[str, Any] = {"optimizer": "adam", "warm_steps": 20, "max_lr": 1000.0}
    found = run(**settings)
    end = found.step
    for step in (end, end - 1, 37, 20, 3, 0):
        found.seek(step)
        fresh = session(**settings)
        while fresh.step < step:
            fresh.advance(min(7, step - fresh.step))
        assert digest(found.state) == digest(fresh.state)
        for name, row in found.row.items():
            np.testing.assert_array_equal(row, fresh.row[name])


@pytest.mark.parametrize(("key", "value"), [("momentum.momentum", 0.2), ("batch_size", 3), ("stop_factor", 1.01)])
def test_a_live_change_branches_and_reproduces(key: str, value: Any) -> None:
    found = run(max_lr=1000.0)
    before, end = digest(found.state), found.step
    found.seek(40)
    assert found.set_live(key, value)
    found.advance(10**6)
    assert found.state.back.whole
    again = session(max_lr=1000.0)
    again.set_events(found.branch.events)
    again.advance(10**6)
    assert digest(again.state) == digest(found.state) != before
    found.switch(0)
    found.seek(end)
    assert digest(found.state) == before


# -- suggestions -----------------------------------------------------------------------------------------------------


def longest_falling(losses: list[float]) -> tuple[int, int]:
    """(earliest place at which a longest chain of falling losses ends, its length), pair by pair."""
    lengths = [1] * len(losses)
    for i in range(len(losses)):
        lengths[i] = 1 + max((lengths[j] for j in range(i) if losses[j] > losses[i]), default=0)
    return lengths.index(max(lengths)), max(lengths)


@pytest.mark.parametrize("seed", range(6))
def test_the_valley_is_the_middle_of_the_longest_falling_chain(seed: int) -> None:
    random = np.random.default_rng(seed)
    n = int(random.integers(3, 120))
    losses = np.round(random.normal(size=n).cumsum() * 0.3 + np.linspace(0, random.normal() * 9, n), 1)  # with ties
    end, length = longest_falling(losses.tolist())
    begin = end - length
    assert valley(losses) == (max(begin, 0), max(begin + int(length / 3) + int(length / 3 / 2), 0), end)


def test_suggestions_of_a_curve_drawn_by_hand() -> None:
    rates = np.geomspace(1e-4, 1.0, 41)
    losses = np.concatenate([np.full(9, 2.0), np.linspace(2.0, 1.0, 20), [0.4, 0.5, 0.7, 1, 1.5, 2, 3, 4, 5, 6, 7, 8]])
    found = suggest(rates, losses, 41)
    assert (found.steepest, found.lowest) == (28, 29)
    assert found.steepest_rate == rates[28] and found.minimum_tenth == pytest.approx(rates[29] / 10)
    # 21 falls in a row from place 8 to 29: they begin 21 before their end, and the middle is 7 + 3 behind that
    assert found.fall == (8, 18, 29) and found.valley_rate == rates[18]
    assert fell(losses, 41) and not fell(np.full(41, 2.0), 41)
    assert steepest(np.array([3.0, 2.5, 1.0, 0.9])) == 1
    # the first tenth of what was planned and the last five do not count
    assert np.isnan(suggest(rates[: 4 + LAST + 2], losses[: 4 + LAST + 2], 41).rates).all()


def test_what_is_told_has_its_numbers() -> None:
    found = run(max_lr=1000.0)
    report = found.probe("report")
    final = {name: float(found.view().branch.final[name][0]) for name in (*SUGGESTED, "stability_limit")}
    assert {s.key: s.rate for s in report.suggestions} == {name: final[name] for name in SUGGESTED}
    assert report.limit == final["stability_limit"] and f"{report.limit:.3g}" in report.limit_words
    for one in report.suggestions:
        place = suggest(rates_of(found.spec), found.state.smoothed, 80)
        number = {"valley": rates_of(found.spec)[place.fall[0]], "minimum_tenth": 10 * one.rate,
                  "steepest": one.rate}[one.key]  # fmt: skip
        assert f"{number:.3g}" in one.why and one.why.endswith(".")
    table = found.probe("suggestions")
    assert len(table.rows) == 4 and table.rows[3][0].startswith("2/λmax")
    assert "identical" in report.back_words and f"{report.back.bytes:,} bytes" in report.back_words


@pytest.mark.parametrize(
    ("settings", "words"),
    [({"max_lr": 1e-3}, "hardly fell"), ({"max_lr": 0.1, "steps": 300}, "the highest rate is too low"),
     ({"steps": 6}, "No suggestion"), ({"max_lr": 1000.0, "steps": 200}, "")],
)  # fmt: skip
def test_what_speaks_against_a_test_is_told(settings: dict[str, Any], words: str) -> None:
    caveat = run(**settings).probe("report").caveat
    assert (words in caveat) if words else caveat == ""


# -- curvature -------------------------------------------------------------------------------------------------------

TORCH = {
    "identity": lambda z, a: z, "sigmoid": lambda z, a: torch.sigmoid(z), "tanh": lambda z, a: torch.tanh(z),
    "relu": lambda z, a: torch.relu(z), "leaky_relu": lambda z, a: torch.nn.functional.leaky_relu(z, 0.01),
    "prelu": lambda z, a: torch.nn.functional.prelu(z, a), "elu": lambda z, a: torch.nn.functional.elu(z),
    "gelu": lambda z, a: torch.nn.functional.gelu(z), "silu": lambda z, a: torch.nn.functional.silu(z),
    "mish": lambda z, a: torch.nn.functional.mish(z),
}  # fmt: skip


def torch_hessian(d: Description, params: Any, x: Any, y: Any) -> Any:
    """The matrix by automatic differentiation, in float64."""
    inputs = torch.tensor(x)

    def loss(flat: Any) -> Any:
        a, at = inputs, 0
        for i, (fan_in, fan_out) in enumerate(zip(d.sizes, d.sizes[1:], strict=False)):
            weight = flat[at : at + fan_in * fan_out].reshape(fan_out, fan_in)
            bias, at = flat[at + fan_in * fan_out : at + (fan_in + 1) * fan_out], at + (fan_in + 1) * fan_out
            a = a @ weight.T + bias
            if i < len(d.hidden):
                learns = d.activations[i] == "prelu"
                a = TORCH[d.activations[i]](a, flat[at : at + 1] if learns else None)
                at += learns
        if d.loss == "mse":
            return torch.nn.functional.mse_loss(a, torch.tensor(y))
        if d.loss == "bce":
            return torch.nn.functional.binary_cross_entropy_with_logits(a, torch.tensor(y))
        return torch.nn.functional.cross_entropy(a, torch.tensor(y[:, 0]).long())

    return torch.autograd.functional.hessian(loss, torch.tensor(params)).numpy()


CASES = [("mse", (5, 4), name) for name in ACTIVATIONS] + [
    ("bce", (4,), "tanh"), ("cross_entropy", (4, 3), "gelu"), ("cross_entropy", (), "tanh"), ("mse", (), "tanh"),
]  # fmt: skip


@pytest.mark.parametrize(("loss", "hidden", "name"), CASES)
def test_the_largest_eigenvalue_is_that_of_torch(loss: Any, hidden: tuple[int, ...], name: str) -> None:
    random = np.random.default_rng(1)
    outputs = {"mse": 2, "bce": 1, "cross_entropy": 3}[loss]
    d = Description(2, hidden, outputs, (name,) * len(hidden), loss)
    params = random.normal(size=parameter_count(d))
    for layer, kind in zip(layers(d, params), d.activations, strict=False):
        layer.slopes[...] = 0.3 if kind == "prelu" else 0.0
    x = random.normal(size=(30, 2))
    y = random.normal(size=(30, 2)) if loss == "mse" else random.integers(0, max(2, outputs), (30, 1)).astype(float)
    expected = torch_hessian(d, params, x, y)
    ours = Hessian(d, params, x, y)
    matrix = np.stack([ours.times(row) for row in np.eye(len(params))])
    scale = np.abs(expected).max()
    np.testing.assert_allclose(matrix, expected, atol=1e-12 * scale)
    found = largest(ours.times, random.normal(size=len(params)))
    true = float(np.linalg.eigvalsh(expected)[-1])
    assert abs(found.value - true) <= found.error + 1e-10 * abs(true) and found.error <= 1e-6 * abs(true)
    assert found.products <= len(params)


def test_lanczos_knows_how_wrong_it_may_be() -> None:
    values = np.concatenate([np.linspace(-3, 3, 199), [5.0]])
    start = np.random.default_rng(0).normal(size=200)
    for most in (2, 4, 8):
        found = largest(lambda v: values * v, start, most=most)
        assert found.products == most and np.abs(values - found.value).min() <= found.error
    assert largest(lambda v: values * v, start).value == pytest.approx(5.0, rel=1e-9)
    assert largest(lambda v: 0.0 * v, start).value == 0.0


def test_the_limit_is_where_descent_on_a_quadratic_turns_unstable() -> None:
    found = session(data="regression_gauss", hidden=(), optimizer="sgd", batch_size=0)
    limit = float(found.row["stability_limit"][0])
    model = found.state.model
    x, y = model.parts[0].x, model.parts[0].y
    ends = []
    for factor in (0.98, 1.02):
        params = first_weights(model, found.spec)
        model.mlp.train(params, model.mlp.states("sgd"), x, y, rule_of(found.spec), 1, [factor * limit] * 3000, 0, 0)
        ends.append(model.loss(params, 0))
    assert ends[0] < 1.0 < 1e6 < ends[1]


LARGE: dict[str, Any] = {"hidden": (120, 120), "samples": 900, "activation": "tanh", "data": "rings"}  # 13.7 million


@pytest.fixture
def products(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The samples of each product with a Hessian that is made, as they are made."""
    made: list[int] = []
    times = Hessian.times

    def counted(self: Hessian, vector: Any) -> Any:
        made.append(len(self._inputs[0]))
        return times(self, vector)

    monkeypatch.setattr(Hessian, "times", counted)
    return made


def test_parts_of_a_hessian_add_up_to_it() -> None:
    model = session(data="rings").state.model
    x, y = model.parts[0].x, model.parts[0].y
    params = np.random.default_rng(0).normal(size=model.mlp.parameters)
    whole, v = Hessian(model.description, params, x, y), np.random.default_rng(1).normal(size=len(params))
    for work, count in ((10**9, 1), (20 * len(params), 3), (7 * len(params), 9), (1, 60)):
        parts = hessian_parts(model.description, params, x, y, work)
        assert len(parts) == count
        np.testing.assert_allclose(sum(part(v) for part in parts), whole.times(v), rtol=1e-11, atol=1e-13)


def test_lanczos_in_pieces_is_lanczos() -> None:
    values = np.linspace(-1, 2, 40)
    start = np.random.default_rng(0).normal(size=40)
    parts = [lambda v, k=k: np.where(np.arange(40) % 3 == k, values * v, 0.0) for k in range(3)]
    made = Lanczos(parts, start, most=9)
    assert made.after(0) is made.after(2) is None and not made.over(2)
    for pieces in (8, 3, 100, 14, 5):  # back and forth: what is known follows from their number
        found = made.after(pieces)
        assert found == largest(lambda v: values * v, start, most=min(9, pieces // 3))
    assert not made.over(26) and made.over(27) and copy.deepcopy(made) is made


def test_the_curvature_of_a_large_network_is_measured_bit_by_bit(products: list[int]) -> None:
    """Nobody waits for it: not the start, nor any step, nor any call."""
    found = session(steps=100, stop_factor=0.0, max_lr=0.01, **LARGE)
    assert products == [] and np.isnan(found.row["stability_limit"][0])
    assert "0 of at most 80 products" in found.probe("report").limit_words
    most = SHARE // found.state.model.mlp.parameters + 1  # samples in a step
    while found.finish is None and found.state.curvature is None:
        before = found.step
        assert found.advance(1, 0.02) == 1 == found.step - before
        assert sum(products) <= most * (found.step - before) and max(products) < 900
        products.clear()
    assert 2 <= found.step < 60
    experiment, state = found.experiment, copy.deepcopy(found.branch.snapshots.before(0)[1][0])
    assert experiment.advance(state, found.spec, 50).rows == 1, "a call takes one step while it is measured"
    found.advance(10**6)
    part, params = found.state.model.parts[0], found.state.kept.params
    start = generator(0, "curvature").standard_normal(len(params))
    told = largest(Hessian(found.state.model.description, params, part.x, part.y).times, start)
    assert found.row["stability_limit"][0] == pytest.approx(2.0 / told.value, rel=1e-6)
    assert "being measured" not in found.probe("report").limit_words and found.state.back.whole


def test_going_back_into_the_measuring_is_exact() -> None:
    found = run(steps=30, stop_factor=0.0, max_lr=0.01, warm_steps=3, **LARGE)
    known = [k for k in range(31) if not np.isnan(column(found, "stability_limit")[k])]
    assert known and known[0] > 4
    for step in (33, 20, 4, 9, 2):
        found.seek(step)
        fresh = session(steps=30, stop_factor=0.0, max_lr=0.01, warm_steps=3, **LARGE)
        while fresh.step < step:
            fresh.advance(min(7, step - fresh.step))
        assert digest(found.state) == digest(fresh.state)
        assert found.probe("report").limit_words == fresh.probe("report").limit_words
    found.seek(4)
    found.fork()
    found.advance(10**6)
    assert np.isfinite(found.row["stability_limit"][0])


def test_a_test_too_short_for_the_curvature_says_so() -> None:
    nothing = run(steps=2, **LARGE | {"hidden": (256, 256), "samples": 1500})
    assert nothing.finish == "done" and np.isnan(nothing.row["stability_limit"][0])
    assert "over before the curvature was known" in nothing.probe("report").limit_words
    some = run(steps=2, **LARGE)
    assert "within" in some.probe("report").limit_words and some.row["stability_limit"][0] > 0
    assert nothing.state.back.whole and some.state.back.whole


def test_a_script_does_not_wait_for_the_curvature(products: list[int]) -> None:
    found = session(steps=6, **LARGE)
    found.advance(6)
    products.clear()
    assert "rates" in script(found)
    assert sum(products) <= 2 * SHARE // found.state.model.mlp.parameters + 900


# -- settings, hand-over, files --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "key"),
    [({"min_lr": 1.0, "max_lr": 1.0}, "max_lr"), ({"stop_factor": 1.0}, "stop_factor"), ({"min_lr": 0.0}, "min_lr"),
     ({"data": "digits", "samples": 1798}, "samples"), ({"steps": 1}, "steps"), ({"smoothing": 1.0}, "smoothing")],
)  # fmt: skip
def test_wrong_settings_are_told_in_one_line(settings: dict[str, Any], key: str) -> None:
    experiment = load(ID)
    with pytest.raises(SpecError, match=key) as told:
        experiment.check(build(experiment.Spec, settings))
    assert "\n" not in str(told.value)


@pytest.mark.parametrize("three_phase", [False, True])
@pytest.mark.parametrize("settings", [
    {"optimizer": "adam", "adam.beta2": 0.99, "seed": 5}, {"data": "digits", "samples": 1700, "dtype": "float32"},
    {"data": "regression_gauss", "hidden": (3, 4), "activation": "tanh", "initialization": "xavier_normal"},
])  # fmt: skip
def test_training_takes_the_suggestion_the_network_and_the_data_over(
    settings: dict[str, Any], three_phase: bool
) -> None:
    found = session(**settings)
    id, given = found.experiment.training(found.spec, 0.0421, three_phase)  # type: ignore[attr-defined]
    training = load(id)
    theirs = Session(training, build(training.Spec, {**given, "total_steps": 40}))
    assert theirs.spec.one_cycle.three_phase is three_phase and theirs.series == ("one_cycle",)  # type: ignore[attr-defined]
    assert theirs.state.params[0].tobytes() == found.state.params.tobytes()
    np.testing.assert_array_equal(theirs.state.model.parts[0].x, found.state.model.parts[0].x)
    for run_of in (theirs, found):
        run_of.advance(40)
    rate = theirs.view().branch.history.values["learning_rate"][1:, 0]
    assert rate.max() == pytest.approx(0.0421, rel=0.01)
    assert column(theirs, "batch_loss")[1] == column(found, "batch_loss")[1], "the same first batch"


def test_history_and_summary() -> None:
    found = run(max_lr=1000.0)
    lines = list(rows(load(ID), found.view()))
    assert lines[0].startswith("step,series,learning_rate,batch_loss,smoothed_loss,train_loss,steepest,")
    assert lines[1].startswith("0,momentum,,,,") and len(lines) == 2 + found.step
    told = summary(load(ID), found.view())["series"]["momentum"]
    assert told["finish"] == "stopped" and math.isfinite(told["valley"]) and told["stability_limit"] > 0


@pytest.mark.parametrize("settings", [
    {"samples": 1}, {"batch_size": 5000}, {"hidden": ()}, {"steps": 2}, {"dtype": "float32"}, {"data": "rings"},
    {"noise": 10.0}, {"optimizer": "nesterov", "convention": "book"}, {"activation": "prelu", "hidden": (3, 3)},
    {"smoothing": 0.0}, {"warm_steps": 1, "warm_rate": 0.0}, {"data": "digits", "samples": 5},
])  # fmt: skip
def test_odd_runs_end_as_they_should(settings: dict[str, Any]) -> None:
    found = run(**settings)
    assert found.finish in ("done", "stopped") and found.state.back.whole
    for name in ("report", "suggestions", "back"):
        assert found.probe(name) is not None
    with pytest.raises(KeyError):
        found.probe("nothing")


def test_every_question_has_its_answer(finished: Callable[[str], Session]) -> None:
    experiment = load(ID)
    expected = {"digits": "steepest", "quadratic": "near", "trained": "no"}
    for question in predictions(ID):
        found = finished(question.preset)
        answer = experiment.answer(found.spec, found.view(), question.measure[4:])
        assert question.answers[answer] in question.choices
        assert answer == expected[question.preset], "the explanation says so"


def test_what_the_presets_say(finished: Callable[[str], Session]) -> None:
    told, report = {}, {}
    for preset in presets(ID):
        found = finished(preset.name)
        view = found.view()
        told[preset.name] = {name: float(values[0]) for name, values in view.branch.final.items()}
        report[preset.name] = found.probe("report")
        assert report[preset.name].back.whole

    def rounded(name: str, key: str, digits: int = 2) -> float:
        return float(f"{told[name][key]:.{digits}g}")

    assert rounded("digits", "valley") == rounded("digits", "minimum_tenth") == 0.018
    assert (rounded("digits", "steepest"), rounded("digits", "learning_rate", 3)) == (0.065, 1.18)
    assert rounded("digits", "stability_limit", 3) == 0.483
    assert (rounded("quadratic", "learning_rate"), rounded("quadratic", "stability_limit")) == (0.84, 0.69)
    assert all(0.006 <= told["adam"][name] <= 0.012 for name in SUGGESTED)
    assert (rounded("bumps", "valley"), rounded("bumps", "minimum_tenth")) == (0.026, 0.017)
    assert rounded("bumps", "steepest", 1) == 0.0003
    assert "hardly fell" in report["trained"].caveat and "hardly fell" in report["one_sample"].caveat
    assert "too low" in report["too_short"].caveat
    assert rounded("too_few", "learning_rate") == 5.5 and rounded("one_sample", "steepest") == 2.8
    assert rounded("too_smooth", "minimum_tenth") == 0.11 and rounded("never_stops", "steepest") == 1.6


def test_what_the_lesson_says_of_training_with_the_suggestions() -> None:
    experiment, training = load(ID), load("schedules.training")
    spec = preset_spec(experiment, "digits")
    reached = []
    for rate in (0.0183, 0.0652, 0.185, 0.92):
        _, given = experiment.training(spec, rate)  # type: ignore[attr-defined]
        found = Session(training, build(training.Spec, {**given, "total_steps": 300}))
        found.advance(300)
        reached.append(round(100 * float(found.view().branch.final["test_accuracy"][0])))
    assert reached[:3] == [94, 96, 96] and reached[3] < 50


# -- scripts ---------------------------------------------------------------------------------------------------------

SCRIPTS: dict[str, tuple[dict[str, Any], tuple[tuple[str, Any], ...], str]] = {
    "whole test": ({"max_lr": 100.0, "warm_steps": 7}, (), "valley"),
    "live": ({"optimizer": "adam", "max_lr": 1.0}, (("adam.beta1", 0.7), ("batch_size", 5), ("stop_factor", 3.0)), ""),
    "book": ({"optimizer": "nesterov", "convention": "book", "data": "regression_gauss", "max_lr": 1.0}, (), "valley"),
    "linear": ({"optimizer": "sgd", "batch_size": 0, "growth": "linear", "data": "rings", "max_lr": 1.0}, (), "valley"),
    "lost before": ({"warm_steps": 60, "warm_rate": 1e6, "data": "regression_gauss", "activation": "identity"}, (), ""),
}  # fmt: skip


@pytest.mark.parametrize("case", SCRIPTS)
def test_scripts_find_the_same(case: str, alone: Alone) -> None:
    settings, live, printed = SCRIPTS[case]
    found = session(**settings)
    found.advance(30)
    for key, value in live:
        found.set_live(key, value)
    found.advance(10**6)
    assert printed in alone.says(script(found))


def test_a_script_of_half_a_test_ends_there(alone: Alone) -> None:
    found = session(max_lr=1.0)
    found.advance(33)
    text = script(found)
    assert "STEPS = 33" in text and "SUGGESTED" not in text
    assert "farthest" in alone.says(text)


def test_a_script_notices_another_end(alone: Alone) -> None:
    found = run(max_lr=100.0)
    text = script(found)
    told = alone.fails(text.replace("SMOOTHING = 0.9", "SMOOTHING = 0.91"))
    assert re.search(r"AssertionError: .*(smoothed loss|the test ended|losses, in)", told)
