"""Second-order methods against closed forms, SciPy's minima and the conditions they promise."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from scipy.optimize import minimize

from engine.second_order import METHODS, StepFailed, inside, numbers
from engine.second_order.line_search import search

SEARCHING = ["bfgs", "lbfgs", "cg"]


class Surface:
    """A torch function as an objective; derivatives by autograd."""

    def __init__(self, function: Callable[[torch.Tensor], torch.Tensor]) -> None:
        self.function, self.calls = function, 0

    def value_gradient(self, p: np.ndarray) -> tuple[float, np.ndarray]:
        self.calls += 1
        point = torch.tensor(p, requires_grad=True)
        value = self.function(point)
        value.backward()
        return value.item(), point.grad.numpy()

    def hessian(self, p: np.ndarray) -> np.ndarray:
        return torch.autograd.functional.hessian(self.function, torch.tensor(p)).numpy()


def rosenbrock(p: torch.Tensor) -> torch.Tensor:
    return (100 * (p[1:] - p[:-1] ** 2) ** 2 + (1 - p[:-1]) ** 2).sum()


def beale(p: torch.Tensor) -> torch.Tensor:
    x, y = p
    return (1.5 - x + x * y) ** 2 + (2.25 - x + x * y**2) ** 2 + (2.625 - x + x * y**3) ** 2


def himmelblau(p: torch.Tensor) -> torch.Tensor:
    return (p[0] ** 2 + p[1] - 11) ** 2 + (p[0] + p[1] ** 2 - 7) ** 2


def bowl(p: torch.Tensor) -> torch.Tensor:
    return (p[0] ** 2 + 100 * p[1] ** 2) / 2


def chosen(name: str, **given: float) -> dict[str, float]:
    return {hyper.name: hyper.default for hyper in METHODS[name].hypers} | given


def run(name: str, surface: Surface, start: list[float], steps: int, **given: float) -> dict:
    state = METHODS[name].start(np.array(start))
    for _ in range(steps):
        METHODS[name].step(state, surface, chosen(name, **given))
        if state["length"] == 0.0:
            break
    return state


@pytest.mark.parametrize(
    ("function", "start", "steps"),
    [
        (rosenbrock, [-1.2, 1.0], 100),
        (beale, [1.0, 1.0], 60),
        (himmelblau, [0.5, 1.5], 60),
        (rosenbrock, [0.0] * 10, 500),
    ],
    ids=["rosenbrock", "beale", "himmelblau", "rosenbrock-10"],
)
@pytest.mark.parametrize("name", SEARCHING)
def test_line_search_methods_reach_scipys_minimum(name: str, function, start, steps) -> None:
    surface = Surface(function)
    theirs = minimize(surface.value_gradient, start, jac=True, method="BFGS", options={"gtol": 1e-9})
    state = run(name, surface, start, steps)
    np.testing.assert_allclose(state["p"], theirs.x, atol=1e-6)
    assert np.abs(surface.value_gradient(state["p"])[1]).max() < 1e-5


def test_newton_solves_a_quadratic_in_one_step() -> None:
    state = run("newton", Surface(bowl), [1.0, 1.0], 1)
    assert np.linalg.norm(state["p"]) < 1e-6
    chapter = run("newton", Surface(lambda p: 0.01 * p[0] ** 2 + 5 * p[1] ** 2), [10.0, 2.0], 1)
    np.testing.assert_allclose(chapter["p"], 0.0, atol=1e-15)


def test_newton_damping_and_step_length_are_the_formula() -> None:
    state = run("newton", Surface(bowl), [1.0, 1.0], 1, damping=3.0, learning_rate=0.5)
    np.testing.assert_allclose(state["p"], [1 - 0.5 * 1 / 4, 1 - 0.5 * 100 / 103], rtol=1e-14)


def test_newton_converges_quadratically() -> None:
    surface, errors = Surface(rosenbrock), []
    state = METHODS["newton"].start(np.array([-1.2, 1.0]))
    for _ in range(7):
        METHODS["newton"].step(state, surface, chosen("newton"))
        errors.append(np.linalg.norm(state["p"] - 1))
    assert errors[-1] < 1e-12


def test_plain_newton_walks_to_the_saddle_and_damping_away_from_it() -> None:
    saddle = Surface(lambda p: p[0] ** 2 - p[1] ** 2)
    np.testing.assert_allclose(run("newton", saddle, [1.0, 0.5], 1)["p"], 0.0, atol=1e-15)
    away = run("newton", saddle, [1.0, 0.5], 3, damping=5.0)["p"]
    assert abs(away[1]) > 0.5 and abs(away[0]) < 1.0


def test_newton_says_where_the_hessian_is_singular() -> None:
    for function in (lambda p: p[0] ** 4 + p[1] ** 2, lambda p: (p[0] + 3 * p[1]) ** 2 + p[0] + 0.1 * p[1]):
        state = METHODS["newton"].start(np.array([0.0, 0.25]))
        before = copy.deepcopy(state)
        with pytest.raises(StepFailed, match=re.escape("Hessian is singular at (0, 0.25)")) as caught:
            METHODS["newton"].step(state, Surface(function), chosen("newton"))
        assert "\n" not in str(caught.value)
        np.testing.assert_equal(state, before)
        METHODS["newton"].step(state, Surface(function), chosen("newton", damping=1.0))
        assert state["length"] == 1.0


@pytest.mark.parametrize("name", METHODS)
def test_a_stationary_point_holds(name: str) -> None:
    for function, point in ((bowl, [0.0, 0.0]), (lambda p: 0 * p[0] * p[1] + 4, [2.0, 3.0])):
        state = run(name, Surface(function), point, 3)
        assert state["p"].tolist() == point and state["length"] == 0.0


@pytest.mark.parametrize("name", SEARCHING)
def test_stays_put_where_nothing_falls_any_more(name: str) -> None:
    surface = Surface(rosenbrock)
    state = run(name, surface, [-1.2, 1.0], 150)
    assert state["length"] == 0.0
    last = copy.deepcopy(state)
    for _ in range(5):
        METHODS[name].step(state, surface, chosen(name))
    value, gradient = surface.value_gradient(last["p"])
    assert value <= 1e-14 and np.abs(gradient).max() < 1e-5
    assert surface.value_gradient(state["p"])[0] <= value
    # Rounding leaves a gradient at 1e9 + x^2 close to 0 that no step can turn into a decrease.
    flat = Surface(lambda p: 1e9 + (p**2).sum())
    state = run(name, flat, [1e-6, 1e-6], 3)
    assert state["p"].tolist() == [1e-6, 1e-6] and state["length"] == 0.0


@pytest.mark.parametrize("name", METHODS)
def test_a_value_that_is_not_finite_ends_the_run_in_words(name: str) -> None:
    with pytest.raises(StepFailed, match=re.escape("not finite at (-1, 2)")):
        run(name, Surface(lambda p: torch.log(p[0]) + p[1]), [-1.0, 2.0], 1)


@pytest.mark.parametrize("name", SEARCHING)
def test_infinite_values_on_the_way_only_shorten_the_step(name: str) -> None:
    barrier = Surface(lambda p: p[0] - torch.log(p[0]) + p[1] ** 2)  # nan for x < 0, minimum at (1, 0)
    state = run(name, barrier, [50.0, 3.0], 40, learning_rate=1000.0)
    np.testing.assert_allclose(state["p"], [1.0, 0.0], atol=1e-5)


@pytest.mark.parametrize("name", METHODS)
def test_steps_are_deterministic_and_copies_are_snapshots(name: str) -> None:
    surface = Surface(himmelblau)
    whole = run(name, surface, [0.5, 1.5], 6)
    state = run(name, surface, [0.5, 1.5], 3)
    snapshot = copy.deepcopy(state)
    for again in (state, snapshot):
        for _ in range(3):
            METHODS[name].step(again, surface, chosen(name))
        assert again.keys() == whole.keys()
        for key in whole:
            np.testing.assert_array_equal(again[key], whole[key])


@pytest.mark.parametrize("name", ["bfgs", "cg"])
def test_on_a_quadratic_they_end_within_n_steps_of_exact_searches(name: str) -> None:
    """With (nearly) exact line searches both are linear conjugate gradient: n steps for n dimensions."""
    rng = np.random.default_rng(3)
    root = torch.tensor(rng.normal(size=(5, 5)) + 3 * np.eye(5))
    surface = Surface(lambda p: ((root @ p) ** 2).sum() / 2)
    state = run(name, surface, [1.0, -2.0, 3.0, 0.5, 1.0], 5, c2=1e-3, c1=1e-12, max_evaluations=200)
    start = surface.value_gradient(np.array([1.0, -2.0, 3.0, 0.5, 1.0]))[0]
    value = surface.value_gradient(state["p"])[0]
    assert value < 1e-4 * start


def test_bfgs_learns_the_inverse_hessian() -> None:
    surface = Surface(rosenbrock)
    state = run("bfgs", surface, [-1.2, 1.0], 40)
    np.testing.assert_allclose(state["inverse"], np.linalg.inv(surface.hessian(np.ones(2))), rtol=0.05)


def test_lbfgs_with_full_history_is_bfgs() -> None:
    """With one pair in memory the two loops and the matrix are the same operator."""
    rng = np.random.default_rng(5)
    root = torch.tensor(rng.normal(size=(3, 3)) + 2 * np.eye(3))
    surface = Surface(lambda p: ((root @ p) ** 2).sum() / 2 + (p**4).sum())
    pair = [run(name, surface, [1.0, -0.5, 0.7], 2) for name in ("bfgs", "lbfgs")]
    np.testing.assert_allclose(pair[0]["p"], pair[1]["p"], rtol=1e-12)
    assert run("lbfgs", surface, [1.0, -0.5, 0.7], 9, history=3.0)["steps"].shape == (3, 3)


@pytest.mark.parametrize("c2", [0.1, 0.9])
def test_accepted_points_meet_the_strong_wolfe_conditions(c2: float) -> None:
    met = 0
    for function, start in ((rosenbrock, [-1.2, 1.0]), (beale, [1.0, 1.0]), (himmelblau, [0.5, 1.5])):
        surface = Surface(function)
        p = np.array(start)
        for trial in (1e-4, 1e-2, 1.0, 100.0):
            value, gradient = surface.value_gradient(p)
            hypers = {"c1": 1e-4, "c2": c2, "max_evaluations": 50.0}
            point = search(surface, p, -gradient, value, gradient, trial, hypers)
            assert point is not None
            slope = -float(gradient @ gradient)
            there, gradient_there = surface.value_gradient(p - point.length * gradient)
            assert there == point.value <= value + 1e-4 * point.length * slope
            assert abs(gradient_there @ gradient) <= c2 * abs(slope)
            met += 1
    assert met == 12


def test_the_search_keeps_to_its_budget() -> None:
    surface = Surface(rosenbrock)
    for budget in (1, 2, 5):
        value, gradient = surface.value_gradient(np.array([-1.2, 1.0]))
        surface.calls = 0
        hypers = {"c1": 1e-4, "c2": 0.001, "max_evaluations": float(budget)}
        search(surface, np.array([-1.2, 1.0]), -gradient, value, gradient, 1.0, hypers)
        assert surface.calls <= budget
    # Where the function falls without end the search ends, and goes down.
    falling = Surface(lambda p: -p[0] - p[1])
    assert np.isfinite(run("bfgs", falling, [0.0, 0.0], 1)["p"]).all()
    assert run("bfgs", falling, [0.0, 0.0], 1)["p"].min() > 0


@pytest.mark.parametrize("name", METHODS)
def test_inside_tells_the_step_and_changes_nothing(name: str) -> None:
    surface = Surface(himmelblau)
    state = run(name, surface, [0.5, 1.5], 2)
    before = copy.deepcopy(state)
    quantities = inside(METHODS[name], state, surface, chosen(name))
    np.testing.assert_equal(state, before)
    value = {quantity.name: np.array(quantity.value) for quantity in quantities}
    assert list(value) == ["gradient", "eigenvalues", "direction", "length", "step"]
    METHODS[name].step(state, surface, chosen(name))
    np.testing.assert_array_equal(before["p"] + value["step"], state["p"])
    np.testing.assert_allclose(value["step"], value["length"] * value["direction"], rtol=1e-12)
    trace = np.trace(surface.hessian(before["p"]))
    assert value["eigenvalues"].sum() == pytest.approx(trace, rel=1e-12)
    for axis, line in enumerate(numbers(quantities).split("\n")):
        found = re.fullmatch(rf"\\Delta {'xy'[axis]} = (\S+) \\cdot \(?([^()]+)\)?", line)
        assert found is not None
        assert float(found[1]) * float(found[2]) == pytest.approx(value["step"][axis], rel=1e-3)


def test_inside_of_a_step_that_fails_shows_the_curvature() -> None:
    surface = Surface(lambda p: p[0] ** 4 + p[1] ** 2)
    state = METHODS["newton"].start(np.array([0.0, 0.25]))
    quantities = inside(METHODS["newton"], state, surface, chosen("newton"))
    assert [quantity.name for quantity in quantities] == ["gradient", "eigenvalues"]
    assert numbers(quantities) == ""


def test_noise_that_changes_from_step_to_step_stays_out_of_the_pairs() -> None:
    """Each step sees one noise; its pair (s, y) must be the difference of two gradients with that noise."""
    base, noise = Surface(bowl), np.zeros(2)
    noisy = SimpleNamespace(
        value_gradient=lambda p: (lambda v, g: (v + noise @ p, g + noise))(*base.value_gradient(p)),
        hessian=base.hessian,
    )
    rng, state = np.random.default_rng(1), METHODS["lbfgs"].start(np.ones(2))
    for _ in range(6):
        noise[:] = rng.normal(size=2)
        METHODS["lbfgs"].step(state, noisy, chosen("lbfgs"))
    assert len(state["steps"]) > 2
    np.testing.assert_allclose(state["changes"], state["steps"] * [1.0, 100.0], rtol=1e-9, atol=1e-12)
