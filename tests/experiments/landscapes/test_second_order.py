"""First against second order, held to autograd, SciPy, scikit-learn, torch.optim, the chapter and its own past."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from scipy.optimize import minimize
from sklearn.linear_model import LogisticRegression

from engine.experiments import load
from engine.experiments.landscapes._second_order import sweep
from engine.experiments.landscapes._second_order.cost import kept, products
from engine.experiments.landscapes._second_order.curvature import (
    factors,
    fisher,
    fisher_form,
    hessian,
    hessian_vectors,
)
from engine.experiments.landscapes._second_order.kfac import preconditioned
from engine.experiments.landscapes._second_order.methods import CONTESTANTS, held
from engine.experiments.landscapes._second_order.network import probabilities, with_ones
from engine.experiments.landscapes._second_order.objective import Classifier, Quadratic, Watched
from engine.experiments.landscapes._second_order.settings import hypers_of
from engine.experiments.landscapes._second_order.work import count, work_of
from engine.second_order import METHODS as HOUSE
from engine.session import commands
from engine.session.presets import predictions, preset_spec, presets
from engine.session.results import measured, rows, summary
from engine.session.session import Session
from engine.session.snapshots import digest
from engine.spec import SpecError, build

ID = "landscapes.second_order"
EVERY = tuple(CONTESTANTS)
SHAPES = [(4, 1), (4, 3), (3, 5, 1), (3, 5, 4, 3)]
QUICK: dict[str, Any] = {"inputs": 6, "samples": 60, "steps": 25}
GROWING: dict[str, Any] = {"study": "size", "samples": 40, "lowest": 4, "highest": 12, "count": 2, "tolerance": 0.05}


def begun(**settings: Any) -> Session:
    """A run at its start."""
    experiment = load(ID)
    return Session(experiment, build(experiment.Spec, settings))


def run(until: int = 10**6, /, **settings: Any) -> Session:
    """A run up to some step, or to its end."""
    session = begun(**settings)
    session.advance(until)
    return session


def random_net(sizes: tuple[int, ...], samples: int = 11, l2: float = 0.01) -> tuple[Classifier, Any]:
    """A network with random samples and random parameters."""
    draw = np.random.default_rng(len(sizes) * sizes[-1])
    x = with_ones(draw.normal(size=(samples, sizes[0])))
    outputs = sizes[-1]
    y = np.eye(outputs)[draw.integers(0, outputs, samples)] if outputs > 1 else draw.integers(0, 2, (samples, 1)) * 1.0
    net = Classifier(sizes, x, y, l2)
    return net, draw.normal(size=net.parameters)


def torch_logits(net: Classifier, p: torch.Tensor) -> torch.Tensor:
    """The network once more, in torch."""
    a, first, z = torch.tensor(net.x), 0, torch.empty(0)
    for inputs, outputs in net.shapes:
        z = a @ p[first : first + inputs * outputs].reshape(inputs, outputs)
        first += inputs * outputs
        a = torch.cat([torch.tanh(z), torch.ones(len(z), 1, dtype=torch.float64)], 1)
    return z


def torch_loss(net: Classifier, p: torch.Tensor) -> torch.Tensor:
    """Its loss."""
    z, y = torch_logits(net, p), torch.tensor(net.y)
    entropy = torch.nn.functional.binary_cross_entropy_with_logits if net.sizes[-1] == 1 else (
        torch.nn.functional.cross_entropy)  # fmt: skip
    return entropy(z, y) + 0.5 * net.l2 * (p @ p)


# -- derivatives -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sizes", SHAPES)
def test_gradient_and_hessian_are_autograds(sizes: tuple[int, ...]) -> None:
    net, p = random_net(sizes)
    point = torch.tensor(p, requires_grad=True)
    loss = torch_loss(net, point)
    loss.backward()
    value, gradient = net.value_gradient(p)
    assert value == pytest.approx(loss.item(), abs=1e-12) and net.value(p) == value
    np.testing.assert_allclose(gradient, point.grad.numpy(), atol=1e-12)
    matrix = torch.autograd.functional.hessian(lambda q: torch_loss(net, q), torch.tensor(p)).numpy()
    np.testing.assert_allclose(hessian(net, p), matrix, atol=1e-12)
    vectors = np.random.default_rng(1).normal(size=(3, net.parameters))
    np.testing.assert_allclose(hessian_vectors(net, p, vectors), vectors @ matrix, atol=1e-12)


@pytest.mark.parametrize("sizes", SHAPES)
def test_the_fisher_matrix_is_the_expectation_over_the_models_predictions(sizes: tuple[int, ...]) -> None:
    net, p = random_net(sizes)
    jacobian = torch.autograd.functional.jacobian(lambda q: torch_logits(net, q), torch.tensor(p)).numpy()
    shares = probabilities(net.forward(p)[1])
    middle = np.array([np.diag(q) - np.outer(q, q) if len(q) > 1 else [[q[0] * (1 - q[0])]] for q in shares])
    matrix = np.einsum("nka,nkj,njb->ab", jacobian, middle, jacobian) / len(net.x)
    np.testing.assert_allclose(fisher(net, p), matrix, atol=1e-12)
    vectors = np.random.default_rng(2).normal(size=(2, net.parameters))
    np.testing.assert_allclose(fisher_form(net, p, vectors), vectors @ matrix @ vectors.T, atol=1e-11)
    empirical = sum(
        np.outer(g, g)
        for g in (Classifier(sizes, net.x[i : i + 1], net.y[i : i + 1], 0.0).value_gradient(p)[1] for i in range(11))
    )
    assert np.abs(empirical / 11 - matrix).max() > 1e-3, "labels in the data would give another matrix"


@pytest.mark.parametrize("sizes", [(4, 1), (4, 3)])
def test_of_logistic_regression_the_fisher_matrix_is_the_hessian(sizes: tuple[int, ...]) -> None:
    net, p = random_net(sizes)
    np.testing.assert_allclose(fisher(net, p) + net.l2 * np.eye(net.parameters), hessian(net, p), atol=1e-13)


@pytest.mark.parametrize("sizes", [(4, 1), (4, 3)])
def test_of_one_layer_and_one_sample_the_kronecker_product_is_exact(sizes: tuple[int, ...]) -> None:
    net, p = random_net(sizes, samples=1)
    ((a, g),) = factors(net, p)
    np.testing.assert_allclose(np.kron(a, g), fisher(net, p), atol=1e-13)


def test_the_factors_are_the_means_that_the_paper_defines() -> None:
    net, p = random_net((3, 5, 4, 3))
    inputs, logits = net.forward(p)
    for k, (a, g) in enumerate(factors(net, p)):
        assert a.shape == (net.sizes[k] + 1,) * 2 and g.shape == (net.sizes[k + 1],) * 2
        np.testing.assert_allclose(a, np.mean([np.outer(v, v) for v in inputs[k]], axis=0), atol=1e-13)
    shares = probabilities(logits)  # of the last layer g is known by hand
    by_hand = np.mean([np.diag(q) - np.outer(q, q) for q in shares], axis=0)
    np.testing.assert_allclose(factors(net, p)[-1][1], by_hand, atol=1e-13)


def test_the_damped_factors_are_inverted_as_the_kronecker_product_is() -> None:
    net, p = random_net((3, 5, 3))
    gradient, first, gamma = net.value_gradient(p)[1], 0, 0.3
    found = preconditioned(factors(net, p), gradient, gamma)
    for a, g in factors(net, p):
        size = len(a) * len(g)
        ratio = np.sqrt(np.trace(a) / len(a) / (np.trace(g) / len(g)))
        whole = np.kron(a + ratio * gamma * np.eye(len(a)), g + gamma / ratio * np.eye(len(g)))
        expected = np.linalg.solve(whole, gradient[first : first + size])
        np.testing.assert_allclose(found[first : first + size], expected, atol=1e-11)
        first += size


# -- methods ---------------------------------------------------------------------------------------------------------


def walked(name: str, problem: Any, start: Any, steps: int, **given: Any) -> tuple[dict[str, Any], list[Any]]:
    """A method's state after some steps, and its positions on the way."""
    state = CONTESTANTS[name].start(start)
    hypers = hypers_of(load(ID).Spec(), name) | given
    places = []
    for _ in range(steps):
        CONTESTANTS[name].step(state, Watched(problem, state.get("memo")), hypers)
        places.append(state["p"].copy())
    return state, places


@pytest.mark.parametrize("name", ["newton", "natural"])
def test_newton_solves_a_quadratic_in_one_step(name: str) -> None:
    state, _ = walked(name, Quadratic(), Quadratic.start, 1, damping=0.0)
    np.testing.assert_array_equal(state["p"], [0.0, 0.0])


def test_kfac_is_exact_on_the_quadratic() -> None:
    state, _ = walked("kfac", Quadratic(), Quadratic.start, 1, damping=1e-20)
    np.testing.assert_allclose(state["p"], [0.0, 0.0], atol=1e-6)


@pytest.mark.parametrize(
    ("name", "rule"),
    [("sgd", lambda p: torch.optim.SGD([p], lr=0.3)), ("adam", lambda p: torch.optim.Adam([p], lr=0.1))],
)
def test_first_order_rules_are_torch_optims(name: str, rule: Any) -> None:
    net, start = random_net((3, 5, 3))
    p = torch.tensor(start, requires_grad=True)
    optimizer = rule(p)
    for _ in range(30):
        optimizer.zero_grad()
        torch_loss(net, p).backward()
        optimizer.step()
    state, _ = walked(name, net, start, 30, learning_rate={"sgd": 0.3, "adam": 0.1}[name])
    np.testing.assert_allclose(state["p"], p.detach().numpy(), atol=1e-11)


@pytest.mark.parametrize("name", ["newton", "bfgs", "lbfgs", "natural", "kfac"])
def test_everybody_reaches_scipys_minimum(name: str) -> None:
    net, start = random_net((4, 3), samples=40)
    peer = minimize(net.value_gradient, start, jac=True, method="BFGS", options={"gtol": 1e-10})
    state, _ = walked(name, net, start, 60)
    np.testing.assert_allclose(state["p"], peer.x, atol=2e-6)
    assert net.value(state["p"]) <= peer.fun + 1e-12


def test_the_known_minimum_is_scikit_learns() -> None:
    spec = load(ID).Spec(samples=80, inputs=5, l2=0.01)
    work = work_of(spec)
    problem: Any = work.problem
    peer = LogisticRegression(C=1 / (80 * 0.01), fit_intercept=False, tol=1e-12, max_iter=10_000)
    peer.fit(problem.x, problem.y[:, 0])
    assert work.known and work.minimum == pytest.approx(problem.value(peer.coef_[0]), abs=1e-13)


def test_bfgs_is_the_houses_at_less_work() -> None:
    net, start = random_net((3, 5, 1))
    own, places = walked("bfgs", net, start, 15)
    state = HOUSE["bfgs"].start(start)
    hypers = {hyper.name: hyper.default for hyper in HOUSE["bfgs"].hypers}
    for place in places:
        HOUSE["bfgs"].step(state, net, hypers)
        np.testing.assert_allclose(place, state["p"], atol=1e-8)
    np.testing.assert_array_equal(own["inverse"], own["inverse"].T)


def test_a_line_search_pays_for_one_gradient_a_step_where_its_first_trial_will_do() -> None:
    session = run(60, optimizers=("bfgs", "lbfgs"), **QUICK | {"steps": 40})
    evaluations = session.view().branch.history.values["evaluations"]
    assert np.nanmedian(evaluations[5:]) == 1.0 and np.isnan(evaluations[0]).all()


def test_adapting_damping_never_raises_the_loss_and_a_fixed_one_may() -> None:
    net, start = random_net((3, 6, 1), samples=40)
    tamed = [net.value(p) for p in walked("newton", net, start, 30)[1]]
    assert (np.diff(tamed) <= 0).all()
    wild = [net.value(p) for p in walked("newton", net, start, 30, adapt=False, damping=0.0)[1]]
    assert (np.diff(wild) > 0).any()


@pytest.mark.parametrize("name", EVERY)
@pytest.mark.parametrize("sizes", [(5, 1), (5, 4, 3)])
def test_memory_counted_is_what_the_formula_says(name: str, sizes: tuple[int, ...]) -> None:
    net, start = random_net(sizes, samples=30)
    state, _ = walked(name, net, start, 14)  # L-BFGS has its ten pairs by now
    assert held(state) == kept(name, sizes, 10)


def test_a_million_parameters() -> None:
    sizes = (999_999, 1)
    assert kept("adam", sizes, 10) == 16e6 and kept("newton", sizes, 10) == 8e12
    assert products("newton", sizes, 300) > 1e8 * products("adam", sizes, 300)


# -- runs ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "settings",
    [QUICK, {"problem": "network", "data": "moons", "hidden": (3, 2), "samples": 40, "steps": 20},
     {"problem": "quadratic", "steps": 20, "sgd.learning_rate": 0.19}, {**QUICK, "batch_size": 9}, GROWING],
    ids=["logistic", "network", "quadratic", "batches", "growing"],
)  # fmt: skip
def test_back_is_exact_and_cuts_change_nothing(settings: dict[str, Any]) -> None:
    session = run(**settings)
    last = session.branch.frontier
    for step in (last // 2, 3, last, 1, 0):
        session.seek(step)
        fresh = begun(**settings)
        while fresh.step < step and fresh.advance(min(7, step - fresh.step)):
            pass
        assert digest(session.state) == digest(fresh.state)
        for name, row in session.row.items():
            np.testing.assert_array_equal(row, fresh.row[name])


def test_contestants_do_not_see_each_other() -> None:
    together = run(optimizers=EVERY, **QUICK).view().branch.history.values["loss"]
    for s, name in enumerate(EVERY):
        alone = run(optimizers=(name,), **QUICK).view().branch.history.values["loss"][:, 0]
        np.testing.assert_array_equal(alone, together[: len(alone), s])


def test_seconds_are_measured_and_no_part_of_the_run() -> None:
    one, other = run(**QUICK), run(**QUICK)
    assert digest(one.state) == digest(other.state)
    told = [one.state.clock.median(name) for name in EVERY]
    assert all(0.0 < seconds < 10.0 for seconds in told)
    assert np.isnan(begun(**QUICK).state.clock.median("sgd"))
    one.back(5)
    assert one.state.clock is not other.state.clock and one.state.clock.median("adam") > 0.0


def test_natural_gradient_is_newton_on_logistic_regression() -> None:
    values = run(optimizers=("newton", "natural"), **QUICK).view().branch.history.values["loss"]
    np.testing.assert_allclose(values[:, 0], values[:, 1], atol=1e-12)


def test_newton_doubles_the_right_digits() -> None:
    excess = run(optimizers=("newton",), inputs=8, tolerance=1e-9, **{"newton.damping": 0}).view().branch.history.values
    digits = -np.log10(np.maximum(excess["excess"][1:, 0], 1e-17))
    near = digits[(digits > 2) & (digits < 12)]
    assert len(near) >= 2 and (near[1:] > 1.7 * near[:-1]).all()


def test_the_chapters_listing() -> None:
    session = Session(load(ID), preset_spec(load(ID), "chapter"))
    session.advance(100)
    losses = session.view().branch.history.values["loss"]
    assert losses[20, 0] == pytest.approx(0.01 * (10 * 0.998**20) ** 2, rel=1e-13)
    ways = session.state.ways
    assert ways[1, 0].tolist() == [10 * (1 - 0.1 * 0.02), 0.0] and ways[1, 1].tolist() == [0.0, 0.0]
    (drawn,) = load(ID).drawn(session.spec, session.view())
    assert len(drawn.overlays) == 2 and "sgd: losses at most" in drawn.verdict
    assert load(ID).drawn(load(ID).Spec(), session.view()) == ()


def test_the_zig_zag_at_another_rate() -> None:
    session = Session(load(ID), preset_spec(load(ID), "zigzag"))
    session.advance(20)
    y = session.state.ways[:, 0, 1]
    np.testing.assert_allclose(y, 2.0 * (1 - 0.19 * 10) ** np.arange(21), rtol=1e-10)
    assert (y[1:] * y[:-1] < 0).all()


def test_an_overflow_is_told_and_the_others_run_on() -> None:
    session = Session(load(ID), preset_spec(load(ID), "too_fast"))
    session.advance(2000)
    found = {session.series[e.series]: e for e in session.branch.endings}
    assert found["sgd"].finish == "diverged" and "overflowed" in found["sgd"].reason
    assert found["newton"].finish == "target" and found["adam"].finish == "target"


def test_a_singular_matrix_is_told() -> None:
    session = run(optimizers=("newton", "sgd"), l2=0.0, inputs=3, samples=4, steps=400, tolerance=0.0,
                  **{"newton.adapt": False, "newton.damping": 0.0})  # fmt: skip
    ending = next(e for e in session.branch.endings if e.series == 0)
    assert ending.finish == "diverged" and f"at step {ending.step}" in ending.reason


def test_a_live_change_of_damping_counts_from_there() -> None:
    session = begun(problem="network", data="moons", samples=40, hidden=(4,), steps=12, optimizers=("newton",))
    session.advance(5)
    before = session.state.methods["newton"]["damping"]
    session.set_live("newton.damping", 7.5)
    session.advance(1)
    assert before < 1.0 and session.state.methods["newton"]["damping"] > 1.0


def test_history_of_a_race_and_of_a_sweep() -> None:
    session = run(3, optimizers=("sgd", "newton"), **QUICK)
    lines = list(rows(session.experiment, session.view()))
    columns = "parameters,loss,excess,gradient_norm,accuracy,evaluations,bytes,steps_to_target"
    assert lines[0] == f"step,series,{columns}\r\n" and len(lines) == 1 + 2 * 4
    session = run(**GROWING)
    values = session.view().branch.history.values
    full = np.isfinite(values["steps_to_target"]).all(axis=1)
    assert full.sum() == 2 and values["parameters"][full, 0].tolist() == [4.0, 12.0]
    assert session.step == session.steps == 2 * sweep.SHARES


# -- the sweep -------------------------------------------------------------------------------------------------------


def test_a_sweep_takes_the_steps_that_races_take() -> None:
    session = run(**GROWING)
    for i, n in enumerate((4, 12)):
        race = run(inputs=n - 1, samples=40, tolerance=0.05, steps=2000)
        steps = {race.series[e.series]: e.step for e in race.branch.endings if e.finish == "target"}
        for s, name in enumerate(session.series):
            assert session.state.table[i, s, sweep.TAKEN] == steps[name]
            assert session.state.table[i, s, sweep.THERE] == sweep.REACHED


def test_networks_grow_by_hidden_units() -> None:
    spec = load(ID).Spec(**GROWING | {"problem": "network", "data": "moons", "lowest": 9, "highest": 41})
    assert [count(sizes) for sizes in sweep.ladder(spec)] == [9, 41]


@pytest.mark.parametrize(
    ("one", "other", "at"),
    [
        ([4.0, 4.0, 4.0], [1.0, 8.0, 64.0], 10 ** (2 / 3)),  # other passes 4 at two thirds of the first decade
        ([1.0, 1.0, 1.0], [2.0, 3.0, 4.0], None),  # ahead from the first
        ([4.0, 4.0, 4.0], [1.0, 2.0, 3.0], None),  # never ahead
        ([4.0, 1.0, 4.0], [1.0, 2.0, 8.0], 10 ** (np.log(4) / np.log(8))),
        ([np.nan, 1.0, 1.0], [1.0, 1.0, 10.0], 10.0),
    ],
)
def test_where_one_overtakes_another(one: list[float], other: list[float], at: float | None) -> None:
    found = sweep.crossing(np.array([1.0, 10.0, 100.0]), np.array(one), np.array(other))
    assert found is None if at is None else found == pytest.approx(at)


def test_the_crossing_is_marked_where_times_say_so() -> None:
    session = run(**GROWING)
    clock, table = session.state.clock, session.state.table
    clock._seconds.clear()  # times of our own in place of measured ones
    for i, name in ((i, name) for i in range(2) for name in EVERY):
        s = EVERY.index(name)
        wanted = {"newton": (1.0, 100.0), "adam": (10.0, 10.0)}.get(name, (1e3, 1e3))[i]
        clock.add((i, name), wanted / table[i, s, sweep.TAKEN])
    picture = session.probe("to_target")
    ((at, words),) = picture.marks
    assert at == pytest.approx(np.sqrt(4 * 12)) and words == "Adam before Newton"
    assert "Adam from n ≈ 7" in picture.note
    assert session.probe("table").good == (EVERY.index("adam"),)


# -- settings, pictures, resources -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"optimizers": ()}, "optimizers: '' is not allowed"),
        ({"study": "size", "problem": "quadratic"}, "problem: quadratic is not allowed where the size grows"),
        ({"study": "size", "data": "digits"}, "data: digits is not allowed"),
        ({"study": "size", "lowest": 50, "highest": 50}, "highest: 50 is not allowed"),
        ({"study": "size", "batch_size": 8}, "batch_size: 8 is not allowed"),
        ({"batch_size": 301}, "batch_size: 301 is not allowed; there are 300 samples"),
        ({"data": "digits", "samples": 1800}, "samples: 1800 is not allowed; there are 1,797 digits"),
        ({"problem": "network", "hidden": ()}, "hidden: '' is not allowed"),
        ({"inputs": 2000, "classes": 3, "samples": 50}, "Newton keeps a matrix of 6,003 x 6,003"),
        ({"inputs": 1900, "samples": 2000, "optimizers": ("natural",), "classes": 2,
          "problem": "network", "hidden": (1,)}, ""),
        ({"problem": "network", "hidden": (128,), "inputs": 12, "samples": 2000}, "one step of Newton"),
    ],
)  # fmt: skip
def test_wrong_settings_are_told_in_one_line(settings: dict[str, Any], words: str) -> None:
    experiment = load(ID)
    spec = build(experiment.Spec, settings)
    if not words:
        experiment.check(spec)
        return
    with pytest.raises(SpecError) as told:
        experiment.check(spec)
    assert words in str(told.value) and "\n" not in str(told.value)


def test_pictures() -> None:
    session = run(**QUICK)
    by_time = session.probe("by_time")
    assert len(by_time.lines) == len(EVERY) and "measured here" in by_time.note
    newton = next(line for line in by_time.lines if line.series == "newton")
    loss = session.view().branch.history.values["excess"][1:, EVERY.index("newton")]
    np.testing.assert_array_equal(newton.y, loss[np.isfinite(loss)])
    np.testing.assert_allclose(np.diff(newton.x), newton.x[0])
    assert session.probe("to_target") is None and session.probe("plane") is None
    dots = [line for line in session.probe("memory").lines if line.points]
    assert {line.series for line in dots} == set(EVERY) - {"sgd"} and (dots[0].x == 7).all()
    assert len(session.probe("per_step").lines) == len(EVERY)
    with pytest.raises(KeyError):
        session.probe("nothing")


def test_the_plane_of_two_parameters() -> None:
    session = run(10, problem="quadratic", optimizers=("sgd", "newton"))
    picture = session.probe("plane")
    ways = {name: (x, y) for name, x, y in picture.paths}
    assert list(ways) == list(EVERY) and len(ways["adam"][0]) == 0
    assert ways["sgd"][0][0] == 10.0 and len(ways["newton"][0]) < len(ways["sgd"][0]) == 11
    middle = picture.values.shape[0] // 2
    assert picture.values[middle, middle] == picture.values.min()
    assert run(5, inputs=1, samples=30).probe("plane").values.shape == picture.values.shape


def test_every_question_has_its_answer() -> None:
    experiment = load(ID)
    expected = {"own along_y": "once", "first": "newton", "own newton_steps": "few", "highest": "newton"}
    for question in predictions(ID):
        spec = preset_spec(experiment, question.preset)
        if spec.study == "size":
            spec = spec.model_copy(update={"highest": 120, "optimizers": ("newton",)})
        session = Session(experiment, spec)
        session.advance(10**6)
        view = session.view()
        own = question.measure.startswith("own ")
        found = (experiment.answer(session.spec, view, question.measure[4:]) if own else
                 measured(question.measure, summary(experiment, view), experiment.loss))  # fmt: skip
        assert question.answers[found] in question.choices
        assert found == expected[question.measure], "the explanation says so"


@pytest.mark.parametrize("preset", [p.name for p in presets(ID)])
def test_presets_begin(preset: str) -> None:
    experiment = load(ID)
    session = Session(experiment, preset_spec(experiment, preset))
    session.advance(2)
    assert session.step == 2


def test_what_the_bad_presets_say() -> None:
    experiment = load(ID)
    for preset, worst in (("undamped", "newton"), ("batches", "newton")):
        session = Session(experiment, preset_spec(experiment, preset))
        session.advance(10**6)
        final = dict(zip(session.series, session.branch.final["loss"], strict=True))
        first = session.view().branch.history.values["loss"][0]
        assert final[worst] > 10 * first[0] and final["adam"] < first[0] and final["sgd"] < first[0]


def test_steps_on_the_command_line_are_those_of_a_race(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Where the size grows they would change nothing, and that is said instead of nothing being changed."""
    given = ["run", ID, "--set", "study=size", "--steps", "5", "--out", str(tmp_path / "run")]
    assert commands.main(given) == 2
    told = capsys.readouterr().err
    assert told.count("\n") == 1 and not (tmp_path / "run").exists()
    assert "--steps: '5' is not allowed where study is size" in told and "where study is race" in told
    given = ["run", ID, "--set", "samples=40", "--steps", "3", "--out", str(tmp_path / "run")]
    assert commands.main(given) == 0
    told = json.loads((tmp_path / "run" / "summary.json").read_text())
    assert told["step"] == 3 and told["series"]["newton"]["seconds_per_step"] > 0
