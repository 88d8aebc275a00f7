"""Weight decay on a polynomial fit, held to scikit-learn, to the chapter's numbers and to its own past."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import ElasticNet, Lasso, Ridge

from engine.experiments import load
from engine.least_squares import centred, elastic_net, polynomial, ridge
from engine.session.commands import script
from engine.session.presets import predictions, preset_spec, presets
from engine.session.results import measured, rows, summary
from engine.session.session import Session
from engine.session.snapshots import digest
from engine.spec import SpecError, build
from tests.alone import Alone

ID = "regularization.weight_decay"
QUICK = {"adam_steps": 200, "count": 9}
EVERY = ("ridge", "lasso", "elastic_net", "adam_l2", "adamw")
ENDS = {
    0.0: (-0.1245323863, 0.4471346604), 0.001: (-0.1244601096, 0.4466884501), 0.01: (-0.1238120438, 0.4427236242),
    0.1: (-0.1176114135, 0.4076013492), 1.0: (-0.0844222557, 0.2677728996),
}  # fmt: skip


def run(**settings: Any) -> Session:
    """A finished run."""
    experiment = load(ID)
    session = Session(experiment, build(experiment.Spec, settings))
    session.advance(10**6)
    return session


@pytest.mark.parametrize("alpha", ENDS)
def test_the_chapters_end_points(alpha: float) -> None:
    experiment: Any = load(ID)
    x, y = experiment.points(preset_spec(experiment, "chapter"))
    columns, targets, mean, level = centred(polynomial(x, 10, "powers"), y)
    ends = (polynomial(np.array([-3.0, 3.0]), 10, "powers") - mean) @ ridge(columns, targets, alpha) + level
    np.testing.assert_allclose(ends, ENDS[alpha], atol=2e-10)


@pytest.mark.parametrize("alpha", [0.001, 0.1, 3.0])
def test_ridge_is_scikit_learns(alpha: float) -> None:
    experiment: Any = load(ID)
    x, y = experiment.points(preset_spec(experiment, "chapter"))
    columns = polynomial(x, 7, "legendre")
    inputs, targets, _, _ = centred(columns, y)
    np.testing.assert_allclose(ridge(inputs, targets, alpha), Ridge(alpha=alpha).fit(columns, y).coef_, rtol=1e-9)


def test_without_a_penalty_the_solution_of_smallest_norm() -> None:
    draw = np.random.default_rng(1)
    x, y = draw.normal(size=(5, 12)), draw.normal(size=5)
    np.testing.assert_allclose(ridge(x, y, 0.0), np.linalg.pinv(x) @ y, rtol=1e-9)


@pytest.mark.parametrize(("l1", "l2"), [(0.01, 0.0), (1.0, 0.0), (30.0, 0.0), (0.5, 0.5), (2.0, 0.01)])
def test_elastic_net_is_scikit_learns(l1: float, l2: float) -> None:
    draw = np.random.default_rng(2)
    x = draw.normal(size=(40, 9))
    y = x[:, 0] - 2 * x[:, 1] + draw.normal(size=40)
    inputs, targets, _, _ = centred(x, y)
    # theirs: ||.||^2 / 2n + a r |w| + a (1 - r)/2 ||w||^2
    a = l1 / 80 + l2 / 40
    peer = (Lasso(a, tol=1e-14, max_iter=10**6) if l2 == 0 else
            ElasticNet(alpha=a, l1_ratio=l1 / 80 / a, tol=1e-14, max_iter=10**6)).fit(x, y)  # fmt: skip
    found = elastic_net(inputs, targets, l1, l2)
    np.testing.assert_allclose(found, peer.coef_, atol=1e-10)
    np.testing.assert_array_equal(found == 0, peer.coef_ == 0)


@pytest.mark.parametrize("convention", ["book", "pytorch"])
def test_adam_with_l2_ends_at_ridge_and_adamw_does_not(convention: str) -> None:
    session = run(data="sine", degree=6, fits=("ridge", "adam_l2", "adamw"), lowest=0.1, highest=10, count=3,
                  convention=convention, adam_steps=4000)  # fmt: skip
    weights = session.state.weights
    np.testing.assert_allclose(weights[:, 1], weights[:, 0], atol=2e-4)
    assert np.abs(weights[-1, 2] - weights[-1, 0]).max() > 0.01
    assert np.abs(weights[-1, 2]).max() <= 1.05 / 10  # decoupled decay bounds every weight by 1/alpha


def test_the_pytorch_convention_halves_the_squares() -> None:
    book = run(fits=("ridge",), lowest=1, highest=2, count=2, convention="book").state.weights
    half = run(fits=("ridge",), lowest=2, highest=4, count=2, convention="pytorch").state.weights
    np.testing.assert_array_equal(book, half)


def test_back_is_exact() -> None:
    session = run(fits=EVERY, **QUICK)
    for step in (5, 2, 7, 0):
        session.seek(step)
        fresh = Session(session.experiment, session.spec)
        fresh.advance(step)
        assert digest(session.state) == digest(fresh.state)
        assert {k: v.tolist() for k, v in session.row.items()} == {k: v.tolist() for k, v in fresh.row.items()}


def test_history_has_a_row_for_every_strength_and_fit() -> None:
    session = run(fits=("ridge", "lasso"), **QUICK)
    lines = list(rows(session.experiment, session.view()))
    assert lines[0] == "step,series,alpha,train_mse,true_mse,weight_norm,largest_weight,zero_weights\r\n"
    assert len(lines) == 1 + 2 * 9
    assert lines[1].startswith("0,ridge,0.001,")


def test_a_decay_beyond_two_over_the_rate_is_told_and_the_others_go_on() -> None:
    session = run(fits=("ridge", "adamw"), lowest=1, highest=1000, count=4, adam_steps=2000)
    (ending,) = session.branch.endings
    assert ending.finish == "diverged" and "rate times α" in ending.reason and ending.series == 1
    assert session.finish == "done" and np.isfinite(session.state.weights[-1, 0]).all()


@pytest.mark.parametrize(
    ("settings", "key"),
    [({"fits": ()}, "fits"), ({"lowest": 1.0, "highest": 1.0}, "highest"), ({"degree": 21}, "degree")],
)
def test_wrong_settings_are_told_in_one_line(settings: dict[str, Any], key: str) -> None:
    experiment = load(ID)
    with pytest.raises(SpecError, match=key) as told:
        experiment.check(build(experiment.Spec, settings))
    assert "\n" not in str(told.value)


@pytest.mark.parametrize("points", [2, 3])
def test_hardly_any_points(points: int) -> None:
    session = run(data="sine", points=points, degree=20, fits=EVERY, **QUICK)
    assert session.finish == "done"
    assert np.isfinite(session.state.weights[:, :3]).all()


def test_the_chapters_figure_is_laid_over() -> None:
    experiment = load(ID)
    session = Session(experiment, preset_spec(experiment, "chapter"))
    session.advance(100)
    (drawn,) = experiment.drawn(session.spec, session.view())
    assert len(drawn.overlays) == 5 and "agree with the chapter's listing to" in drawn.verdict
    assert experiment.drawn(experiment.Spec(), session.view()) == ()


def test_pictures() -> None:
    session = run(fits=("ridge", "lasso"), **QUICK)
    fit = session.probe("fit")
    assert [line.name for line in fit.lines][:2] == ["data", "true sine"] and len(fit.lines) == 4
    paths = session.probe("paths", series="lasso")
    assert len(paths.lines) == 10 and paths.lines[0].y.shape == (9,)
    with pytest.raises(KeyError):
        session.probe("nothing")


def test_every_strength_is_solved_for_itself() -> None:
    many, few = run(fits=EVERY, **QUICK), run(fits=EVERY, **QUICK | {"count": 2})
    np.testing.assert_array_equal(many.state.weights[[0, -1]], few.state.weights)


def test_every_question_has_its_answer() -> None:
    experiment = load(ID)
    for question in predictions(ID):
        spec: Any = preset_spec(experiment, question.preset)
        if question.measure == "highest true_mse":  # at the last strength; Adam's thousands of steps at each take long
            spec = spec.model_copy(update={"count": 2})
        session = Session(experiment, spec)
        session.advance(10**6)
        view = session.view()
        own = question.measure.startswith("own ")
        found = (experiment.answer(session.spec, view, question.measure[4:]) if own else
                 measured(question.measure, summary(experiment, view), experiment.loss))  # fmt: skip
        assert question.answers[found] in question.choices
        expected = {"own best ridge": "between", "highest true_mse": "adamw"}
        assert found == expected[question.measure], "the explanation says so"


@pytest.mark.parametrize("preset", [p.name for p in presets(ID)])
def test_presets_run_and_their_scripts_agree(preset: str, alone: Alone) -> None:
    experiment = load(ID)
    session = Session(experiment, preset_spec(experiment, preset).model_copy(update={"adam_steps": 300}))
    session.advance(6)
    assert "The fits are the app's." in alone.says(script(session))


def test_a_script_of_thousands_of_adams_steps_agrees(alone: Alone) -> None:
    experiment = load(ID)
    spec: Any = preset_spec(experiment, "decoupled")
    session = Session(experiment, spec)
    assert spec.adam_steps == 3000 and "The fits are the app's." in alone.says(script(session))
