"""Double descent, held to the closed forms, to scikit-learn and torch, and to its own past."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import Ridge

from engine.experiments import load
from engine.experiments.dynamics._double_descent import chapter, data, sweep, theory
from engine.experiments.dynamics._double_descent.sweep import rounds, sizes
from engine.session.commands import script
from engine.session.presets import figures, predictions, preset_spec, presets
from engine.session.results import rows
from engine.session.session import Session
from engine.session.snapshots import digest
from engine.spec import SpecError, build
from tests.alone import Alone

ID = "dynamics.double_descent"
QUICK: dict[str, dict[str, Any]] = {
    "isotropic": {"samples": 30, "seeds": 3, "lowest": 5, "highest": 90, "count": 9},
    "unseen": {"spread": "unseen", "fits": ("ridgeless", "ridge"), "samples": 30, "seeds": 3, "highest": 90,
               "count": 9},
    "shares": {"samples": 50, "fits": ("ridgeless", "ridge"), "seeds": 6, "widths": (10, 49, 52, 60)},
    "features": {"family": "random_features", "fits": ("ridgeless", "ridge"), "samples": 40, "seeds": 2, "count": 8},
    "digits": {"family": "random_features", "data": "digits", "fits": ("ridge_1",), "samples": 40, "seeds": 2,
               "count": 6},
    "width": {"family": "width", "fits": ("ridgeless", "ridge_1"), "samples": 30, "inputs": 4, "seeds": 2,
              "units": (2, 8, 100), "epochs": 900},
    "epochs": {"family": "epochs", "fits": ("ridgeless", "ridge_1"), "samples": 30, "inputs": 4, "seeds": 2,
               "hidden": 12, "epochs": 95, "every": 10, "optimizer": "momentum"},
}  # fmt: skip


@pytest.fixture
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """Steps as short as those of ten times the samples."""
    monkeypatch.setattr(sweep, "PIECE", sweep.PIECE / 1000)


def run(**settings: Any) -> Session:
    """A finished run."""
    experiment = load(ID)
    spec = build(experiment.Spec, settings)
    session = Session(experiment, spec)
    session.advance(10**6)
    return session


def measured(session: Session, column: str = "test_error") -> tuple[Any, Any]:
    """The sizes and one column [sizes, fits] where measured."""
    values = session.view().branch.history.values
    good = np.isfinite(values["test_error"][:, 0])
    return values["size"][good, 0], values[column][good]


# -- oracles -----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def isotropic() -> Session:
    """The run of SPEC's oracle: n = 100, sigma^2 = .25, r^2 = 1, many repetitions."""
    widths = (10, 30, 50, 70, 80, 90, 96, 98, 100, 102, 104, 110, 120, 140, 180, 250, 400)
    return run(samples=100, noise=0.25, signal=1.0, seeds=150, widths=widths, fits=("ridgeless", "ridge_10", "best"))


def test_means_meet_the_closed_form_on_both_sides(isotropic: Session) -> None:
    p, found = measured(isotropic)
    n, noise = 100, 0.25
    for i in np.flatnonzero(np.abs(p - n) >= 10):
        below = noise * p[i] / (n - p[i] - 1)
        exact = below if p[i] < n else (1 - n / p[i]) + noise * n / (p[i] - n - 1)
        # errors of 150 repetitions spread by about their own size at |p - n| = 10, and less farther off
        spread = _errors(int(p[i])).std() / np.sqrt(150)
        assert abs(found[i, 0] - exact) <= 4.5 * spread, (p[i], found[i, 0], exact, spread)


def _errors(p: int) -> Any:
    """The excess risk of 400 repetitions by plain pinv, with other numbers than the app's."""
    draw = np.random.default_rng(p)
    x = draw.normal(size=(400, 100, p))
    true = draw.normal(size=(400, p, 1))
    true /= np.linalg.norm(true, axis=1, keepdims=True)
    y = x @ true + 0.5 * draw.normal(size=(400, 100, 1))
    gram = np.linalg.inv(x.mT @ x) @ x.mT if p < 100 else x.mT @ np.linalg.inv(x @ x.mT)
    return ((gram @ y - true) ** 2).sum(axis=(1, 2))


def test_the_theory_column_is_the_closed_form(isotropic: Session) -> None:
    p, told = measured(isotropic, "theory")
    for i, width in enumerate(p.tolist()):
        if width < 99:
            assert told[i, 0] == pytest.approx(0.25 * width / (100 - width - 1), rel=1e-12)
        elif width > 101:
            assert told[i, 0] == pytest.approx((1 - 100 / width) + 25 / (width - 101), rel=1e-12)
        else:
            assert np.isnan(told[i, 0])


def test_the_peak_is_at_n_and_ridge_flattens_it(isotropic: Session) -> None:
    p, found = measured(isotropic)
    assert p[np.argmax(found[:, 0])] == 100
    assert found[:, 0].max() > 20 and found[:, 1].max() < 1.0
    assert (np.diff(found[:, 2]) > 0).all(), "with the best penalty the error only rises"
    assert (found[:, 2] <= found[:, 0] * 1.02).all()


def test_ridge_follows_its_own_theory(isotropic: Session) -> None:
    _, found = measured(isotropic)
    _, told = measured(isotropic, "theory")
    np.testing.assert_allclose(found[:, 1:], told[:, 1:], rtol=0.09)  # a limit, at n = 100, in 150 repetitions


def test_beyond_n_the_training_error_is_zero(isotropic: Session) -> None:
    p, train = measured(isotropic, "train_error")
    assert (train[p >= 100, 0] < 1e-20).all() and (train[p < 100, 0] > 1e-3).all()
    assert (train[:, 1] > 1e-3).all()


@pytest.mark.parametrize("p", [50, 150])
def test_ridge_theory_without_a_penalty_is_the_ridgeless_limit(p: int) -> None:
    limit = theory.ridgeless(100_000, 1000 * p, 0.25, 1.0)
    assert theory.ridge(100_000, 1000 * p, 0.25, 1.0, 1e-4) == pytest.approx(limit, rel=1e-3)
    best = 0.25 * p
    here = theory.ridge(100, p, 0.25, 1.0, best)
    assert here < min(theory.ridge(100, p, 0.25, 1.0, best * factor) for factor in (0.8, 1.25))


def test_an_unseen_signal_is_noise_to_the_fit() -> None:
    session = run(spread="unseen", fits=("ridgeless",), seeds=120, noise=0.1, widths=(2, 10, 20, 50, 85, 120, 200, 400))
    p, found = measured(session)
    _, told = measured(session, "theory")
    np.testing.assert_allclose(found[:, 0], told[:, 0], rtol=0.12)
    assert 2 < p[np.argmin(found[:, 0])] < 85, "a valley between too few and too many columns"


@pytest.mark.parametrize("source", ["made", "digits"])
def test_random_features_are_fitted_as_scikit_learn_does(source: str) -> None:
    session = run(family="random_features", data=source, fits=("ridge_1",), samples=50, seeds=1, widths=(20, 50, 130))
    spec: Any = session.spec
    if source == "digits":
        from sklearn.datasets import load_digits

        pictures, labels = load_digits(return_X_y=True)
        x, f, tests, wanted = data.pictures(0, 50, pictures / 16, labels)
    else:
        x, f, tests, wanted = data.made(0, 50, spec.inputs, 1.0)
    y = f + data.noise(0, 50, spec.noise)
    _, found = measured(session)
    for i, p in enumerate((20, 50, 130)):
        model = Ridge(1.0, fit_intercept=False).fit(data.features(0, p, x), y)
        expected = ((model.predict(data.features(0, p, tests)) - wanted) ** 2).mean()
        assert found[i, 0] == pytest.approx(expected, rel=1e-8)


def test_more_features_than_samples_end_below_the_first_valley(finished: Callable[[str], Session]) -> None:
    session = finished("features")
    p, found = measured(session)
    assert p[np.argmax(found[:, 0])] == 100
    assert found[-1, 0] < 0.7 * found[p < 100, 0].min()


def test_trained_networks_peak_near_as_many_parameters_as_samples() -> None:
    session = run(family="width", fits=("ridgeless", "ridge_1"), samples=60, inputs=5, seeds=4, epochs=2000,
                  units=(1, 2, 4, 8, 12, 40, 80))  # fmt: skip
    units, found = measured(session)
    top = units[np.argmax(found[:, 0])]
    assert 60 / 3 <= top * 7 + 1 <= 3 * 60
    assert found[-1, 0] < 0.75 * found[:, 0].max()
    assert found[2:, 1].max() < 0.6 * found[:, 0].max(), "a penalty flattens it"


@pytest.mark.parametrize("name", ["training_time", "two_scales"])
def test_over_training_time_the_error_falls_twice(name: str) -> None:
    experiment = load(ID)
    spec = preset_spec(experiment, name).model_copy(
        update={"seeds": 2, "epochs": 4000 if name == "training_time" else 9000}
    )
    session = Session(experiment, spec)
    session.advance(10**4)
    _, found = measured(session)
    error = found[:, -2 if name == "training_time" else 0]
    valley = int(np.argmin(error[: len(error) // 10]))
    top = valley + int(np.argmax(error[valley:]))
    assert error[top] > 1.1 * error[valley] and error[-1] < 0.85 * error[top]


# -- the run -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("family", QUICK)
@pytest.mark.usefixtures("small_pieces")
def test_back_is_exact(family: str) -> None:
    session = run(**QUICK[family])
    assert session.finish == "done" and session.step == session.experiment.steps(session.spec)
    last = session.step
    for step in (last - 1, 1, last // 2, 0, last):
        session.seek(step)
        fresh = Session(session.experiment, session.spec)
        for _ in range(step):  # cut otherwise than a seek is
            fresh.advance(1)
        assert digest(session.state) == digest(fresh.state)
        for column, row in session.row.items():
            np.testing.assert_array_equal(row, fresh.row[column])


def test_a_live_rate_branches_and_comes_back() -> None:
    session = run(**QUICK["epochs"])
    whole = digest(session.state)
    session.seek(4)
    assert session.set_live("learning_rate", 0.002)
    session.advance(100)
    assert digest(session.state) != whole
    session.switch(0)
    session.advance(100)
    assert digest(session.state) == whole


@pytest.mark.usefixtures("small_pieces")
def test_a_width_that_takes_long_is_cut_into_shares() -> None:
    session = run(**QUICK["shares"])
    cuts, together = rounds(session.spec)  # type: ignore[arg-type]
    assert cuts == 2 and together == 8 and session.step == 2 * 4 - 1
    values = session.view().branch.history.values
    assert np.isnan(values["test_error"][0::2]).all() and np.isfinite(values["test_error"][1::2]).all()
    assert values["size"][:, 0].tolist() == [10, 10, 49, 49, 52, 52, 60, 60]


def test_more_columns_and_repetitions_leave_the_others_as_they_are() -> None:
    few = run(samples=30, seeds=2, widths=(10, 30, 40), fits=("ridgeless",))
    more = run(samples=30, seeds=2, widths=(10, 30, 40, 80), fits=("ridgeless", "best"))
    np.testing.assert_allclose(measured(few)[1][:, 0], measured(more)[1][:3, 0], rtol=1e-9)


@pytest.mark.usefixtures("small_pieces")
def test_history_tells_widths_and_leaves_empty_what_was_not_measured() -> None:
    session = run(**QUICK["shares"])
    lines = list(rows(session.experiment, session.view()))
    assert lines[0] == "step,series,width,epochs,test_error,low,high,train_error,theory,weight_norm\r\n"
    assert lines[1].startswith("0,ridgeless,10.0,0.0,,,,,") and ",," not in lines[3]


def test_the_best_sizes_hold_n_itself() -> None:
    assert 100 in sizes(build(load(ID).Spec, {}))  # type: ignore[arg-type]


def test_a_rate_too_high_is_told_even_of_the_first_network() -> None:
    experiment = load(ID)
    session = Session(experiment, preset_spec(experiment, "too_fast"))
    session.advance(100)
    assert session.finish == "diverged" and "2 hidden units, repetition 1" in session.branch.reason
    assert {e.series for e in session.branch.endings} == {0, 1}


def test_one_that_overflows_leaves_the_others_alone() -> None:
    settings = {**QUICK["width"], "optimizer": "sgd", "units": (2, 8), "epochs": 300, "learning_rate": 0.05}
    both = run(**{**settings, "fits": ("ridge_1", "ridge"), "penalty": 1e5})
    alone = run(**{**settings, "fits": ("ridge_1",)})
    (ending,) = both.branch.endings
    assert ending.series == 1 and both.finish == "done"
    np.testing.assert_array_equal(measured(both)[1][:, 0], measured(alone)[1][:, 0])


@pytest.mark.parametrize("settings", [
    {"samples": 4, "seeds": 1, "widths": (1, 3, 4, 5, 9)},
    {"noise": 0.0, "signal": 0.0, "samples": 10, "seeds": 1, "widths": (3, 10, 20)},
    {"noise": 0.0, "samples": 10, "seeds": 2, "widths": (3, 9, 10, 11, 20)},
    {"family": "random_features", "fits": ("ridgeless",), "inputs": 1, "samples": 20, "widths": (1, 20, 400)},
    {"family": "width", "fits": ("ridgeless",), "samples": 4, "units": (1,), "epochs": 1, "seeds": 1},
    {"family": "epochs", "fits": ("ridge",), "samples": 4, "epochs": 1, "every": 7, "seeds": 1},
])  # fmt: skip
def test_corners_run(settings: dict[str, Any]) -> None:
    session = run(**settings)
    assert session.finish == "done"
    assert np.isfinite(measured(session)[1]).all()


@pytest.mark.parametrize(
    ("settings", "key"),
    [
        ({"fits": ()}, "fits"), ({"lowest": 50, "highest": 50}, "highest"), ({"samples": 3}, "samples"),
        ({"family": "width"}, "fits"), ({"spread": "unseen"}, "fits"), ({"widths": (0,)}, "widths"),
        ({"samples": 1000, "highest": 10_000}, "seeds"),
        ({"family": "width", "fits": ("ridge",), "units": ()}, "units"),
        ({"family": "epochs", "fits": ("ridge",), "data": "digits", "hidden": 256}, "seeds"),
        ({"family": "epochs", "fits": ("ridge",), "every": 10_000, "samples": 1000}, "every"),
        ({"family": "epochs", "fits": ("ridge",), "every": 1, "epochs": 200_000}, "steps"),
    ],
)  # fmt: skip
def test_wrong_settings_are_told_in_one_line(settings: dict[str, Any], key: str) -> None:
    experiment = load(ID)
    with pytest.raises(SpecError, match=key) as told:
        experiment.check(build(experiment.Spec, settings))
    assert "\n" not in str(told.value)


# -- shown -------------------------------------------------------------------------------------------------------------


def test_the_spread_is_that_of_the_repetitions() -> None:
    session = run(**QUICK["isotropic"])
    picture = session.probe("spread")
    p, low = measured(session, "low")
    assert [line.series for line in picture.lines] == ["ridgeless", "ridge", "best"]
    np.testing.assert_array_equal(picture.lines[1].low, low[:, 1])
    np.testing.assert_array_equal(picture.lines[0].x, p)
    assert (picture.lines[0].low <= picture.lines[0].high).all() and picture.marks == ((30.0, "p = n"),)
    with pytest.raises(KeyError):
        session.probe("nothing")


def test_the_chapters_drawing_lies_at_p_equal_n(finished: Callable[[str], Session]) -> None:
    assert figures(ID) == ("chapter",)
    session = finished("chapter")
    (drawn,) = session.experiment.drawn(session.spec, session.view())
    classical, modern, training = drawn.overlays
    assert classical.y.min() == pytest.approx(0.28084, abs=1e-5)
    assert chapter.CAPACITY[np.argmin(classical.y)] == pytest.approx(6.946, abs=1e-3)
    assert modern.y.max() == pytest.approx(5.02423, abs=2e-3)
    assert modern.x[np.argmax(modern.y)] == pytest.approx(100.0, rel=2e-3)
    assert training.y[-1] == pytest.approx(-0.99505, abs=1e-5) and (training.y[training.x > 100.3] < 0).all()
    assert "at size 100" in drawn.verdict and "negative" in drawn.verdict and "made-up" in drawn.verdict


def test_over_training_time_the_chapter_draws_nothing() -> None:
    session = run(**QUICK["epochs"])
    assert session.experiment.drawn(session.spec, session.view()) == ()


def test_every_question_has_its_answer(finished: Callable[[str], Session]) -> None:
    expected = {"own peak ridgeless": "at", "own lowest ridgeless": "beyond", "own rises best": "always"}
    for question in predictions(ID):
        session = finished(question.preset)
        found = session.experiment.answer(session.spec, session.view(), question.measure.removeprefix("own "))
        assert question.answers[found] in question.choices
        assert found == expected[question.measure], "the explanation says so"


@pytest.mark.parametrize("preset", [preset.name for preset in presets(ID)])
def test_every_presets_script_agrees(preset: str, alone: Alone) -> None:
    experiment: Any = load(ID)
    short = {"seeds": 2, "epochs": 240, "every": 40}
    session = Session(experiment, preset_spec(experiment, preset).model_copy(update=short))
    trained = session.spec.family in ("width", "epochs")  # type: ignore[attr-defined]
    session.advance(3 if trained else 28)
    agrees(alone.says(script(session)))


def test_the_script_of_a_changed_run_agrees(alone: Alone) -> None:
    changed = run(**QUICK["epochs"])
    changed.seek(4)
    changed.set_live("learning_rate", 0.003)
    changed.advance(3)
    agrees(alone.says(script(changed)))


def agrees(printed: str) -> None:
    """The script of a run found all of its errors."""
    assert printed.count("The test errors are the app's.") == 1
    assert "rounding alone moves it" not in printed


def test_the_script_notices_other_numbers(alone: Alone) -> None:
    session = run(samples=20, seeds=1, widths=(5, 30), fits=("ridgeless",))
    other = script(session).replace("NOISE = 0.25", "NOISE = 0.26")
    assert "in the app" in alone.fails(other)


@pytest.mark.parametrize(("epochs", "every"), [(1, 1), (1, 7), (2, 1), (20, 7), (21, 7), (8, 7), (7, 7)])
def test_training_time_is_cut_at_every_so_many_epochs(epochs: int, every: int) -> None:
    session = run(family="epochs", fits=("ridge",), samples=4, epochs=epochs, every=every, seeds=1, hidden=1)
    size, _ = measured(session)
    assert size.tolist() == sorted({1.0, *map(float, range(every, epochs, every)), float(epochs)})
