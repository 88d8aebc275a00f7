"""Schedules against torch.optim.lr_scheduler at every step, SciPy, closed forms and the chapter's numbers."""

from __future__ import annotations

import copy
import math
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from scipy.interpolate import PchipInterpolator  # type: ignore[import-untyped]

from engine.schedules import SCHEDULES, Plateau, chapter_rates, momenta, rates
from engine.schedules.chapter import BASE, EPOCHS

TORCH = torch.optim.lr_scheduler
TOTALS = (1, 2, 10, 97, 1000)
RELATIVE = 1e-12


def optimizer(lr: float) -> torch.optim.SGD:
    return torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=lr, momentum=0.9)


def walked(one: torch.optim.SGD, scheduler: Any, total: int, key: str = "lr") -> Any:
    """What torch has in force at each step, chained from one to the next."""
    found = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch misses the optimizer's own steps, which change no rate
        for _ in range(total):
            found.append(float(one.param_groups[0][key]))
            scheduler.step()
    return np.array(found)


def closed(scheduler: Any, total: int) -> Any:
    """What torch's closed form gives at each step."""
    found = []
    for step in range(total):
        scheduler.last_epoch = step
        found.append(float(scheduler._get_closed_form_lr()[0]))
    return np.array(found)


def agree(ours: Any, theirs: Any, peak: float, tolerance: float = RELATIVE) -> None:
    np.testing.assert_allclose(ours, theirs, rtol=tolerance, atol=tolerance * 1e-3 * peak)


# name, our parameters, the class in torch and its arguments beside the optimizer (a function of total)
Case = tuple[str, dict[str, Any], str, Callable[[int], dict[str, Any]]]
CLOSED: tuple[Case, ...] = (
    ("constant", {}, "ConstantLR", lambda n: {"factor": 1.0, "total_iters": n}),
    ("step", {}, "StepLR", lambda n: {"step_size": 30}),
    ("step", {"step_size": 7, "gamma": 0.9}, "StepLR", lambda n: {"step_size": 7, "gamma": 0.9}),
    ("multi_step", {}, "MultiStepLR", lambda n: {"milestones": [50, 75]}),
    ("multi_step", {"milestones": (90, 3, 3, 40), "gamma": 0.5}, "MultiStepLR",
     lambda n: {"milestones": [90, 3, 3, 40], "gamma": 0.5}),
    ("exponential", {}, "ExponentialLR", lambda n: {"gamma": math.exp(-0.03)}),
    ("exponential", {"gamma": 0.999}, "ExponentialLR", lambda n: {"gamma": 0.999}),
    ("cosine", {}, "CosineAnnealingLR", lambda n: {"T_max": n}),
    ("cosine", {"T_max": 30, "eta_min": 0.01}, "CosineAnnealingLR", lambda n: {"T_max": 30, "eta_min": 0.01}),
    ("cosine", {"T_max": 1}, "CosineAnnealingLR", lambda n: {"T_max": 1}),
    ("polynomial", {}, "PolynomialLR", lambda n: {"total_iters": n}),
    ("polynomial", {"power": 2.5, "total_iters": 60}, "PolynomialLR", lambda n: {"power": 2.5, "total_iters": 60}),
    ("linear", {}, "LinearLR", lambda n: {"total_iters": n}),
    ("linear", {"start_factor": 1.0, "end_factor": 0.0, "total_iters": 40}, "LinearLR",
     lambda n: {"start_factor": 1.0, "end_factor": 0.0, "total_iters": 40}),
)  # fmt: skip
STEPPED: tuple[Case, ...] = (
    ("cosine_restarts", {}, "CosineAnnealingWarmRestarts", lambda n: {"T_0": 25}),
    ("cosine_restarts", {"T_0": 7, "T_mult": 3, "eta_min": 0.002}, "CosineAnnealingWarmRestarts",
     lambda n: {"T_0": 7, "T_mult": 3, "eta_min": 0.002}),
    ("cosine_restarts", {"T_0": 1, "T_mult": 2}, "CosineAnnealingWarmRestarts", lambda n: {"T_0": 1, "T_mult": 2}),
    *(("cyclic", {"mode": mode, "gamma": 0.99, "step_size_up": up, "step_size_down": down, **low}, "CyclicLR",
       lambda n, mode=mode, up=up, down=down, low=low: {
           "mode": mode, "gamma": 0.99, "step_size_up": up, "step_size_down": down, "base_lr": None, **low})
      for mode in ("triangular", "triangular2", "exp_range")
      for up, down, low in ((20, None, {}), (5, 13, {"base_lr": 0.003}), (1, 1, {"base_lr": 0.0}))),
    *(("one_cycle", {"three_phase": three, "anneal_strategy": shape, **more}, "OneCycleLR",
       lambda n, three=three, shape=shape, more=more: {
           "total_steps": n, "three_phase": three, "anneal_strategy": shape, **more})
      for three in (False, True) for shape in ("cos", "linear")
      for more in ({}, {"pct_start": 0.43, "div_factor": 7.0, "final_div_factor": 30.0, "base_momentum": 0.5,
                        "max_momentum": 0.99})),
)  # fmt: skip


def _words(case: Case) -> str:
    return f"{case[0]} {case[1]}"


@pytest.mark.parametrize("total", TOTALS)
@pytest.mark.parametrize("case", CLOSED, ids=_words)
def test_torchs_closed_form_and_its_walk(case: Case, total: int) -> None:
    """The closed form to 1e-12. Step by step torch multiplies factors, and rounding adds up: 1e-9 of the peak there."""
    name, own, torchs, arguments = case
    peak = 0.1
    ours = rates(name, np.arange(total), total, peak, **own)
    assert ours.dtype == np.float64 and ours.shape == (total,)
    one = optimizer(peak)
    scheduler = getattr(TORCH, torchs)(one, **arguments(total))
    np.testing.assert_allclose(ours, walked(one, scheduler, total), rtol=0, atol=1e-9 * peak)
    assert SCHEDULES[name].torch == torchs
    if hasattr(scheduler, "_get_closed_form_lr"):
        agree(ours, closed(scheduler, total), peak)


@pytest.mark.parametrize("total", TOTALS)
@pytest.mark.parametrize("case", STEPPED, ids=_words)
def test_torch_at_every_step(case: Case, total: int) -> None:
    """Rate and momentum where torch works each out from its step alone."""
    name, own, torchs, arguments = case
    peak = 0.3
    given = arguments(total)
    if torchs == "CyclicLR":
        given |= {"max_lr": peak, "base_lr": peak / 10 if given["base_lr"] is None else given["base_lr"]}
    if torchs == "OneCycleLR":
        given |= {"max_lr": peak}
    for key in ("lr", "momentum"):
        one = optimizer(peak)
        scheduler = getattr(TORCH, torchs)(one, **given)
        theirs = walked(one, scheduler, total, key)
        if key == "lr":
            agree(rates(name, np.arange(total), total, peak, **own), theirs, peak)
        elif SCHEDULES[name].momentum is not None:
            agree(momenta(name, np.arange(total), total, peak, **own), theirs, 1.0)
        else:
            assert np.isnan(momenta(name, np.arange(total), total, peak, **own)).all()
    assert SCHEDULES[name].torch == torchs


INNER: dict[str, tuple[dict[str, Any], Callable[[Any, int], Any]]] = {
    "constant": ({}, lambda o, n: TORCH.ConstantLR(o, factor=1.0, total_iters=n)),
    "cosine": ({"eta_min": 0.001}, lambda o, n: TORCH.CosineAnnealingLR(o, T_max=n, eta_min=0.001)),
    "step": ({"step_size": 11}, lambda o, n: TORCH.StepLR(o, step_size=11)),
    "exponential": ({"gamma": 0.97}, lambda o, n: TORCH.ExponentialLR(o, gamma=0.97)),
    "polynomial": ({"power": 2.0}, lambda o, n: TORCH.PolynomialLR(o, total_iters=n, power=2.0)),
    "cosine_restarts": ({"T_0": 9}, lambda o, n: TORCH.CosineAnnealingWarmRestarts(o, T_0=9)),
}


@pytest.mark.parametrize("warmup", [1, 10, 50])
@pytest.mark.parametrize("name", INNER)
def test_a_warm_up_before_any_is_torchs_sequence(name: str, warmup: int) -> None:
    total, peak, factor = 100, 0.2, 0.25
    own, make = INNER[name]
    one = optimizer(peak)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        rising = TORCH.LinearLR(one, start_factor=factor, end_factor=1.0, total_iters=warmup)
        both = TORCH.SequentialLR(one, [rising, make(one, total - warmup)], milestones=[warmup])
    theirs = walked(one, both, total)
    ours = rates(name, np.arange(total), total, peak, warmup=warmup, warmup_factor=factor, **own)
    np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-10 * peak)
    if name == "cosine":
        itself = rates("warmup_cosine", np.arange(total), total, peak, warmup_steps=warmup, warmup_factor=factor, **own)
        np.testing.assert_array_equal(itself, ours)


@pytest.mark.parametrize("total", [20, 100, 1001])
@pytest.mark.parametrize("warmup", [0, 1, 10])
def test_what_torch_has_as_a_function_only(total: int, warmup: int) -> None:
    """LambdaLR with each formula as its paper has it."""
    begin = total - round(0.2 * total)

    def behind(t: int) -> float:
        return (t - warmup) / (total - warmup)

    formulas: dict[tuple[str, str], Callable[[int], float]] = {
        ("warmup_cosine", ""): lambda t: (1 + math.cos(math.pi * behind(t))) / 2,
        ("warmup_linear", ""): lambda t: 1 - behind(t),
        ("inverse_sqrt", ""): lambda t: math.sqrt(warmup / t) if warmup else 1 / math.sqrt(1 + t),
        ("wsd", "linear"): lambda t: min(1.0, (total - t) / (total - begin)),
        ("wsd", "sqrt"): lambda t: 1 - math.sqrt(max(t - begin, 0) / (total - begin)),
        ("wsd", "cosine"): lambda t: (1 + math.cos(math.pi * max(t - begin, 0) / (total - begin))) / 2,
    }
    for (name, decay), formula in formulas.items():
        one = optimizer(0.4)

        def factor(t: int, formula: Callable[[int], float] = formula) -> float:
            return t / warmup if t < warmup else formula(t)

        theirs = walked(one, TORCH.LambdaLR(one, factor), total)
        more: dict[str, Any] = {"decay": decay} if decay else {}
        ours = rates(name, np.arange(total), total, 0.4, warmup_steps=warmup, **more)
        np.testing.assert_allclose(ours, theirs, rtol=1e-12, atol=1e-15, err_msg=f"{name} {decay}")


# -- the chapter ---------------------------------------------------------------------------------------------------
PUBLISHED = {
    "constant": 0.1, "step": 0.01, "exponential": 0.04065697, "cosine": 0.07938926, "warmup_cosine": 0.08830222,
}  # fmt: skip


def test_the_chapters_numbers_at_epoch_30() -> None:
    found = chapter_rates([30])
    assert set(found) == set(PUBLISHED)
    for name, value in PUBLISHED.items():
        assert found[name][0] == pytest.approx(value, abs=5e-9), name


def test_the_chapters_five_are_ours_at_every_epoch() -> None:
    """Epoch e is step e of a run of 101 steps."""
    e = np.arange(1, EPOCHS + 1)
    own: dict[str, dict[str, Any]] = {
        "constant": {}, "step": {}, "exponential": {}, "cosine": {"T_max": 100},
        "warmup_cosine": {"warmup_steps": 10, "T_max": 90},
    }  # fmt: skip
    for name, theirs in chapter_rates(e).items():
        ours = rates(name, e, EPOCHS + 1, BASE, **own[name])
        np.testing.assert_allclose(ours, theirs, rtol=1e-13, atol=1e-16, err_msg=name)
    for name in ("cosine", "warmup_cosine"):
        assert rates(name, [EPOCHS], EPOCHS + 1, BASE, **own[name])[0] == 0.0 == chapter_rates([EPOCHS])[name][0]
    np.testing.assert_allclose(rates("step", [29, 30, 59, 60, 89, 90], 101, 0.1),
                               [0.1, 0.01, 0.01, 0.001, 0.001, 0.0001], rtol=1e-14)  # fmt: skip


# -- drawn by hand -------------------------------------------------------------------------------------------------
KNOTS = (
    ((0.0, 0.1), (0.1, 1.0), (0.6, 0.5), (1.0, 0.0)),
    ((0.2, 0.3), (0.25, 0.3), (0.5, 0.9), (0.55, 0.1), (0.9, 0.1)),
    ((0.0, 1.0), (1.0, 0.25)),
    ((0.1, 0.0), (0.4, 0.001), (0.5, 1.0)),
)


@pytest.mark.parametrize("knots", KNOTS)
@pytest.mark.parametrize("total", [2, 11, 500])
def test_the_drawn_one_goes_through_its_knots(knots: Any, total: int) -> None:
    x, y = np.array(knots).T
    at = np.clip(np.arange(total) / (total - 1), x[0], x[-1])
    straight = rates("drawn", np.arange(total), total, 0.5, knots=knots)
    np.testing.assert_allclose(straight, 0.5 * np.interp(at, x, y), rtol=1e-12, atol=1e-15)
    smooth = rates("drawn", np.arange(total), total, 0.5, knots=knots, smooth=True)
    np.testing.assert_allclose(smooth, 0.5 * PchipInterpolator(x, y)(at), rtol=1e-11, atol=1e-15)


def test_one_knot_is_a_constant_and_knots_go_to_the_right() -> None:
    assert (rates("drawn", np.arange(5), 5, 2.0, knots=((0.4, 0.25),)) == 0.5).all()
    with pytest.raises(ValueError, match=r"to the right of the one before, but 0\.2 comes after 0\.2"):
        rates("drawn", [0], 5, 1.0, knots=((0.2, 1.0), (0.2, 0.5)))
    with pytest.raises(ValueError, match="at least one knot"):
        rates("drawn", [0], 5, 1.0, knots=())


# -- reduce on plateau ---------------------------------------------------------------------------------------------
def metric(kind: str) -> Any:
    n = np.arange(200)
    noise = np.random.default_rng(3).normal(size=200)
    return {
        "falling": np.exp(-n / 30.0) + 0.02 * noise, "flat": np.ones(200), "steps": np.floor(n / 17.0),
        "signs": noise, "with nan": np.where(n % 9 == 4, np.nan, 1.0 / (1 + n)),
    }[kind]  # fmt: skip


SETTINGS: tuple[dict[str, Any], ...] = (
    {}, {"patience": 3, "factor": 0.5, "cooldown": 4}, {"mode": "max", "patience": 0, "factor": 0.9},
    {"threshold": 0.05, "threshold_mode": "abs", "patience": 2}, {"min_lr": 0.004, "patience": 1, "factor": 0.3},
    {"mode": "max", "threshold_mode": "abs", "threshold": 0.3, "patience": 1, "eps": 0.01, "factor": 0.7},
    {"threshold": 1.0, "patience": 5}, {"factor": 0.0, "patience": 7},
)  # fmt: skip


@pytest.mark.parametrize("kind", ["falling", "flat", "steps", "signs", "with nan"])
@pytest.mark.parametrize("settings", SETTINGS, ids=str)
def test_plateau_is_torchs_at_every_metric(settings: dict[str, Any], kind: str) -> None:
    one = optimizer(0.1)
    scheduler = TORCH.ReduceLROnPlateau(one, **settings)
    machine = Plateau(**settings)
    state = machine.start(0.1)
    for value in metric(kind):
        scheduler.step(float(value))
        before = copy.copy(state)
        rate = machine.advance(state, float(value))
        assert rate == state.rate == one.param_groups[0]["lr"]
        assert machine.advance(before, float(value)) == rate and before == state, "the state is all there is"


# -- every one of them ---------------------------------------------------------------------------------------------
PURE = [name for name in SCHEDULES if name != "plateau"]


def test_the_names() -> None:
    assert tuple(SCHEDULES) == (
        "constant", "step", "multi_step", "exponential", "cosine", "cosine_restarts", "polynomial", "linear",
        "inverse_sqrt", "cyclic", "one_cycle", "warmup_cosine", "warmup_linear", "wsd", "plateau", "drawn",
    )  # fmt: skip


@pytest.mark.parametrize("total", [1, 2, 3, 101])
@pytest.mark.parametrize("name", PURE)
def test_the_rate_depends_on_the_step_alone(name: str, total: int) -> None:
    """Bit for bit the same whether asked for one by one, in parts, backwards or many times over."""
    for warmup in (0, 5):
        whole = rates(name, np.arange(total), total, 0.07, warmup=warmup)
        assert np.isfinite(whole).all() and (whole >= 0).all() and whole.max() <= 0.07 * (1 + 1e-15)
        single = [rates(name, np.array([t]), total, 0.07, warmup=warmup)[0] for t in range(total)]
        assert np.array(single).tobytes() == whole.tobytes()
        assert rates(name, np.arange(total)[::-1], total, 0.07, warmup=warmup)[::-1].tobytes() == whole.tobytes()
        assert rates(name, np.arange(total)[::3], total, 0.07, warmup=warmup).tobytes() == whole[::3].tobytes()
    assert rates(name, np.array([], int), total, 1.0).shape == (0,)


@pytest.mark.parametrize("name", PURE)
def test_far_beyond_the_run_it_is_still_a_rate(name: str) -> None:
    found = rates(name, np.array([100, 5000, 10**7]), 100, 1.0)
    assert np.isfinite(found).all() and (found >= 0).all() and (found <= 1).all()


def test_the_cycle_that_is_over_stays_where_it_ended() -> None:
    found = rates("one_cycle", np.arange(50), 50, 1.0, total_steps=20)
    assert (found[19:] == found[19]).all() and found[19] == pytest.approx(1 / 25 / 1e4)


@pytest.mark.parametrize("pct_start", [0.0, 0.01, 1.0])
@pytest.mark.parametrize("three", [False, True])
def test_a_phase_without_length_is_over(pct_start: float, three: bool) -> None:
    """Where torch would divide by zero."""
    found = rates("one_cycle", np.arange(100), 100, 1.0, pct_start=pct_start, three_phase=three)
    assert np.isfinite(found).all() and found.max() <= 1.0
    assert np.isfinite(momenta("one_cycle", np.arange(100), 100, 1.0, pct_start=pct_start, three_phase=three)).all()


@pytest.mark.parametrize(
    ("name", "parameters", "words"),
    [
        ("cosin", {}, "no such schedule: 'cosin'; known: constant, step"),
        ("plateau", {}, "follows a metric"),
        ("step", {"gama": 0.1}, "step has no parameter 'gama'; it has: step_size, gamma"),
        ("step", {"step_size": 0}, "step.step_size = 0 is not allowed: give a whole number from 1"),
        ("step", {"step_size": 1.5}, "step.step_size = 1.5 is not allowed"),
        ("step", {"gamma": math.nan}, "step.gamma = nan is not allowed: give a number from 0 to 1"),
        ("step", {"gamma": "0.1"}, "step.gamma = '0.1' is not allowed"),
        ("multi_step", {"milestones": (3, 0)}, "give whole numbers from 1"),
        ("multi_step", {"milestones": 5}, "multi_step.milestones = 5 is not allowed"),
        ("cyclic", {"mode": "saw"}, "give one of triangular, triangular2, exp_range"),
        ("one_cycle", {"three_phase": 1}, "give true or false"),
        ("drawn", {"knots": ((0.0, 2.0),)}, "give points"),
    ],
)
def test_what_is_wrong_is_told_in_one_line(name: str, parameters: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError) as told:
        rates(name, np.arange(3), 10, 0.1, **parameters)
    assert words in str(told.value) and "\n" not in str(told.value)


@pytest.mark.parametrize(("steps", "total", "warmup"), [([-1], 5, 0), ([0.5], 5, 0), ([0], 0, 0), ([0], 5, -1)])
def test_steps_are_whole_and_not_negative(steps: Any, total: int, warmup: int) -> None:
    with pytest.raises(ValueError, match="whole numbers"):
        rates("cosine", steps, total, 0.1, warmup=warmup)


def test_every_one_tells_what_it_is() -> None:
    for name, schedule in SCHEDULES.items():
        assert schedule.name == name and schedule.title and schedule.source and schedule.formula
        for parameter in schedule.parameters:
            assert parameter.title and parameter.help.endswith(".")
            if parameter.default not in ("total", None):
                assert parameter.checked(parameter.default, name) == parameter.default
        assert schedule.torch is None or hasattr(TORCH, schedule.torch)
