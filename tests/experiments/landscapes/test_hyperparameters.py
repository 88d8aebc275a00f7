"""landscapes.hyperparameters: held to theory, to the very runs it opens, and to its own past."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from engine.experiments import load
from engine.experiments.landscapes._hyperparameters.axes import axes
from engine.experiments.landscapes._hyperparameters.network_runs import runs_of
from engine.experiments.landscapes._hyperparameters.refinement import batches, sources
from engine.experiments.landscapes._hyperparameters.runs import shrinking
from engine.picture import HATCHED
from engine.session.presets import predictions, preset_spec, presets
from engine.session.results import rows
from engine.session.session import Session
from engine.session.snapshots import digest
from engine.spec import SpecError, build, changed
from engine.turns import giving_way

ID = "landscapes.hyperparameters"


def run(**settings: Any) -> Any:
    """A finished map."""
    experiment = load(ID)
    session = Session(experiment, build(experiment.Spec, settings))
    session.advance(10**6)
    assert session.finish == "done"
    return session


def grids(session: Any) -> dict[str, Any]:
    """What was measured, by cell [rows, columns], and the values along both axes."""
    found = session.experiment.found(session.state)
    side = found.side
    grid = {name: getattr(found.runs, name)[found.place].reshape(side, side) for name in ("rate", "loss", "diverged")}
    return grid | {"x": found.across.values, "y": found.up.values}


# -- theory ------------------------------------------------------------------------------------------------------------

LIMITS = {
    "sgd": lambda b: 2.0 + 0 * b,
    "momentum": lambda b: 2 + 2 * b,
    "nesterov": lambda b: (2 + 2 * b) / (1 + 2 * b),
}
CASES: tuple[tuple[str, dict[str, Any], float], ...] = (
    ("sgd", {}, 100.0),
    ("momentum", {}, 100.0),
    ("momentum", {"convention": "book", "condition_number": 7.0}, 7.0),
    ("momentum", {"surface": "chapter_quadratic"}, 10.0),
    ("momentum", {"momentum.weight_decay": 5.0}, 105.0),
    ("nesterov", {}, 100.0),
    ("nesterov", {"convention": "book", "nesterov.weight_decay": 2.0}, 104.0),
    ("nesterov", {"surface": "custom", "formula": "x^2 + 3*x*y + 8*(y-1)^2"}, 9 + 58**0.5),
)  # fmt: skip


@pytest.mark.parametrize(("rule", "settings", "steepest"), CASES)
def test_the_measured_edge_lies_where_theory_has_it(rule: str, settings: dict[str, Any], steepest: float) -> None:
    session = run(optimizer=rule, resolution=32, **settings)
    grid, wrong = grids(session), 0
    edge = LIMITS[rule](grid["y"]) / steepest
    for row, at in enumerate(edge):
        stable = ~grid["diverged"][row]
        last = int(np.flatnonzero(stable)[-1])
        assert stable[: last + 1].all(), "one edge in each row"
        wrong += not grid["x"][last] <= at <= grid["x"][last + 1]
        assert grid["x"][max(last - 1, 0)] <= at <= grid["x"][last + 2], "within a cell of it"
    assert wrong <= 1
    assert session.row["agreement"][0] > 0.995


def companion(rule: str, rate: Any, beta: Any, steep: float) -> Any:
    """The spectral radius of the matrix that takes (distance now, distance before) a step on, [rows, columns]."""
    turn = 1 - rate * steep
    trace = {"sgd": turn + 0 * beta, "momentum": beta + turn, "nesterov": (1 + beta) * turn}[rule]
    det = {"sgd": 0 * turn * beta, "momentum": beta + 0 * turn, "nesterov": beta * turn}[rule]
    found = np.zeros((*trace.shape, 2, 2))
    found[..., 0, 0], found[..., 0, 1], found[..., 1, 0] = trace, -det, 1.0
    return np.abs(np.linalg.eigvals(found)).max(axis=-1)


@pytest.mark.parametrize("rule", ["sgd", "momentum", "nesterov"])
def test_the_measured_factor_is_the_largest_root(rule: str) -> None:
    session = run(optimizer=rule, resolution=24, condition_number=20, steps=600)
    grid = grids(session)
    rate, beta = np.meshgrid(grid["x"], grid["y"])
    told = np.maximum(companion(rule, rate, beta, 1.0), companion(rule, rate, beta, 20.0))
    apart = np.abs(grid["rate"] - told)
    settled = told < 10 ** (-2 / 600)  # what is slower has not forgotten its beginning yet
    assert settled.sum() > 200
    assert np.quantile(apart[settled], 0.9) < 0.002 and apart[settled].max() < 0.02
    shown = session.experiment.found(session.state).theory.factor({"learning_rate": rate, "momentum": beta})
    np.testing.assert_allclose(shown, told, atol=1e-7)


def test_in_the_complex_region_each_step_leaves_the_root_of_beta() -> None:
    grid = grids(run(resolution=40, steps=600, y_range=(0.3, 0.9)))
    rate, beta = np.meshgrid(grid["x"], grid["y"])
    swings = np.full(rate.shape, True)
    for steep in (1.0, 100.0):  # with room to the border, where both roots are one and the power has a factor k
        swings &= ((1 - np.sqrt(rate * steep)) ** 2 < beta - 0.03) & ((1 + np.sqrt(rate * steep)) ** 2 > beta + 0.03)
        swings &= rate * steep < 0.97 * (2 + 2 * beta)
    assert swings.sum() > 60
    step = np.diff(np.sqrt(grid["y"])).max()  # from one row of the map to the next
    apart = np.abs(grid["rate"] - np.sqrt(beta))[swings]
    assert apart.max() < step and np.median(apart) < 0.1 * step


def test_the_fastest_run_is_where_polyak_has_it() -> None:
    session = run(resolution=48, colour="rate", steps=400)
    picture = session.probe("map")
    assert picture.names == ("best run", "theory: fastest")
    x, y = picture.marks[1]
    assert 10**x == pytest.approx(4 / 11**2, rel=1e-12) and y == pytest.approx((9 / 11) ** 2, rel=1e-12)
    cell = (picture.extent[1] - picture.extent[0]) / 48, (picture.extent[3] - picture.extent[2]) / 48
    assert (np.abs(picture.marks[0] - picture.marks[1]) <= 1.5 * np.array(cell)).all()
    assert session.row["fastest"][0] == pytest.approx(9 / 11, abs=0.02)


def test_the_line_of_theory_is_on_the_formula() -> None:
    picture = run(resolution=8, steps=20).probe("map")
    name, x, y = picture.paths[0]
    good = np.isfinite(x)
    assert name == "theory: edge of stability" and good.sum() > 200
    np.testing.assert_allclose(10 ** x[good] * 100, 2 + 2 * y[good], rtol=1e-12)
    name, x, y = picture.paths[1]
    good = np.isfinite(y) & (10**x < 0.02)
    np.testing.assert_allclose(y[good], (1 - np.sqrt(10 ** x[good])) ** 2, rtol=1e-9)
    over = run(optimizer="sgd", x_field="condition_number", y_field="weight_decay", resolution=8, steps=20,
               learning_rate=0.01, y_range=(0.01, 10.0), x_range=(100.0, 1000.0)).probe("map")  # fmt: skip
    _, x, y = over.paths[0]
    good = np.isfinite(x)
    np.testing.assert_allclose(10 ** x[good] + 10 ** y[good], 200.0, rtol=1e-9)


@pytest.mark.parametrize(
    "settings",
    [
        {"surface": "rosenbrock"}, {"surface": "saddle"}, {"optimizer": "adam"}, {"gradient_noise": 0.1},
        {"surface": "custom", "formula": "x^2 + y^4"}, {"y_field": "gradient_noise"}, {"on": "network"},
    ],
)  # fmt: skip
def test_where_theory_has_nothing_to_say_there_is_none(settings: dict[str, Any]) -> None:
    session = run(resolution=4, steps=20, **settings)
    assert session.probe("map").paths == () and np.isnan(session.row["agreement"][0])


def test_the_factor_of_a_known_sequence() -> None:
    k = np.arange(200)
    sizes = np.stack([0.9**k, 1.05**k, np.abs(0.8**k * np.cos(1.3 * k)), np.full(200, 2.0), 0.5**k])
    until = np.array([200, 200, 200, 200, 50])
    np.testing.assert_allclose(shrinking(sizes, until), [0.9, 1.05, 0.8, 1.0, 0.5], rtol=2e-3)
    np.testing.assert_allclose(shrinking(sizes, until)[[0, 1, 3, 4]], [0.9, 1.05, 1.0, 0.5], rtol=1e-12)
    assert np.isnan(shrinking(np.zeros((1, 5)), np.array([5])))


# -- the very runs -----------------------------------------------------------------------------------------------------


def opened(session: Any, row: int, column: int) -> Any:
    """The run that a click on a cell opens, at its end."""
    id, settings = session.probe("open", cell=(row, column))
    experiment: Any = load(id)
    made = Session(experiment, build(experiment.Spec, settings))
    made.advance(10**9)
    return made


SURFACE_CASES: tuple[dict[str, Any], ...] = (
    {},
    {"optimizer": "nesterov", "convention": "book", "surface": "chapter_quadratic", "start": (3.0, -1.0)},
    {"optimizer": "adam", "surface": "himmelblau", "y_field": "beta2", "adam.beta1": 0.7},
    {"optimizer": "sgd", "y_field": "condition_number", "gradient_noise": 0.3, "seed": 5},
    {"optimizer": "rmsprop", "convention": "book", "x_field": "eps", "y_field": "gradient_noise", "learning_rate": 0.1},
    {"surface": "custom", "formula": "abs(x)+y^2", "optimizer": "adamw", "x_field": "weight_decay"},
    {"optimizer": "sgd", "x_field": "steps", "y_field": "seed", "gradient_noise": 0.2, "seed": 3},
    {"surface": "himmelblau", "x_field": "start_x", "y_field": "start_y", "learning_rate": 0.012},
    {"optimizer": "nadam", "x_field": "momentum_decay", "y_field": "start_y", "learning_rate": 0.1},
    {"optimizer": "adagrad", "y_field": "lr_decay", "x_scale": "linear", "x_range": (0.1, 2.0)},
)  # fmt: skip


@pytest.mark.parametrize("settings", SURFACE_CASES)
def test_a_cell_on_a_surface_is_a_descent_to_the_bit(settings: dict[str, Any]) -> None:
    session = run(resolution=7, steps=90, **settings)
    found = session.experiment.found(session.state)
    for at in np.ndindex(7, 7):
        walk = opened(session, *at)
        assert walk.experiment.id == "landscapes.descent"
        k = found.place[at[0] * 7 + at[1]]
        assert walk.row["loss"][0].tobytes() == found.runs.loss[k].tobytes(), at
        assert found.runs.took[k] == (walk.step if walk.finish == "diverged" else 0)


NETWORK_CASES: tuple[dict[str, Any], ...] = (
    {},
    {"optimizer": "adam", "convention": "book", "dtype": "float64", "y_field": "beta2", "clip": 0.5, "seed": 3},
    {"optimizer": "sgd", "y_field": "batch_size", "data": "regression_gauss", "activation": "relu"},
    {"optimizer": "nesterov", "convention": "book", "x_field": "clip", "batch_size": 0, "data": "rings", "hidden": ()},
    {"optimizer": "adamw", "x_field": "weight_decay", "y_field": "eps", "data": "digits", "hidden": (40,)},
    {"y_field": "seed", "seed": 7}, {"x_field": "noise", "y_field": "samples", "learning_rate": 0.1},
    {"x_field": "units", "y_field": "steps", "learning_rate": 0.1, "hidden": (3, 3)},
    {"data": "digits", "y_field": "seed", "x_field": "steps", "x_range": (1.0, 30.0)},
)  # fmt: skip


@pytest.mark.parametrize("settings", NETWORK_CASES)
def test_a_cell_on_a_network_is_a_run_of_the_playground_to_the_bit(settings: dict[str, Any]) -> None:
    session = run(on="network", resolution=4, steps=70, **settings)
    found = session.experiment.found(session.state)
    for at in np.ndindex(4, 4):
        made = opened(session, *at)
        assert made.experiment.id == "networks.playground"
        k = found.place[at[0] * 4 + at[1]]
        for name, column in (("loss", "train_loss"), ("test_loss", "test_loss"), ("test_accuracy", "test_accuracy")):
            mine = np.float64(getattr(found.runs, name)[k])
            assert np.array_equal(mine, made.row[column][0], equal_nan=True), (at, name)
        assert found.runs.took[k] == (made.step if made.finish == "diverged" else 0)


def test_a_network_that_overflows_is_told_with_its_step() -> None:
    session = run(on="network", resolution=6, steps=60, data="regression_gauss", activation="relu", optimizer="sgd",
                  x_range=(0.1, 1000.0))  # fmt: skip
    picture = session.probe("map")
    readings = dict(picture.readings)
    lost = np.isfinite(readings["overflowed at step"])
    assert lost.any() and (picture.values[lost] == 1).all() and picture.hues[1] == HATCHED
    row, column = np.argwhere(lost)[0]
    made = opened(session, int(row), int(column))
    assert made.finish == "diverged" and made.step == readings["overflowed at step"][row, column]


# -- coarse to fine, back and forth ------------------------------------------------------------------------------------


@pytest.mark.parametrize("side", [2, 5, 12, 24, 31, 96])
def test_every_cell_runs_once_and_a_coarse_run_speaks_for_those_around(side: int) -> None:
    order = batches(side, 50.0)
    cells = np.concatenate(order)
    assert sorted(cells.tolist()) == list(range(side * side))
    ran = np.zeros(side * side, bool)
    for batch in order:
        ran[batch] = True
        said = sources(side, ran)
        assert ran[said[said >= 0]].all()
        assert (said.ravel()[ran] == np.flatnonzero(ran)).all()
    assert (said == np.arange(side * side).reshape(side, side)).all()


def test_coarse_to_fine() -> None:
    experiment: Any = load(ID)
    session = Session(experiment, build(experiment.Spec, {}))
    coarse = session.probe("map")
    assert session.row["runs"][0] == 36 and (coarse.values != 2).all()
    session.advance(10**6)
    fine = session.probe("map")
    assert session.row["runs"][0] == 48**2
    assert (coarse.values == fine.values).mean() > 0.9
    costly = Session(experiment, build(experiment.Spec, {"on": "network", "steps": 2000}))
    assert costly.row["runs"][0] < 36 and (costly.probe("map").values == 2).any()


def test_how_steps_are_cut_changes_nothing_and_back_is_exact() -> None:
    for settings in ({"resolution": 40}, {"on": "network", "resolution": 10, "steps": 400}):
        whole = run(**settings)
        single = Session(whole.experiment, whole.spec)
        while single.advance(1):
            pass
        assert digest(single.state) == digest(whole.state) and whole.steps >= 3
        for step in (2, 0, 3, 1):
            whole.seek(step)
            fresh = Session(whole.experiment, whole.spec)
            fresh.advance(step)
            assert digest(whole.state) == digest(fresh.state)
            assert whole.probe("map").strength.tobytes() == fresh.probe("map").strength.tobytes()
        whole.fork()
        whole.advance(10**6)
        assert digest(whole.state) == digest(single.state)


def test_the_colour_may_change_while_it_runs() -> None:
    session = run(resolution=20)
    before = session.probe("map")
    assert not session.set_live("colour", "rate")
    after = session.probe("map")
    assert session.finish == "done" and after.value_label == "factor per step"
    assert (after.strength != before.strength).any() and (after.values == before.values).all()
    session.seek(1)
    assert session.live.colour == "loss" and session.set_live("colour", "rate")  # a branch, and the same runs
    session.advance(10**6)
    assert session.probe("map").strength.tobytes() == after.strength.tobytes()


# -- settings ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "key", "words"),
    [
        ({"x_field": "momentum"}, "y_field", "another one"),
        ({"x_range": (0.1, 0.1)}, "x_range", "below the second"),
        ({"x_range": (0.0, 1.0)}, "x_range", "above 0"),
        ({"y_scale": "log"}, "y_scale", "above 0"),
        ({"y_range": (0.5, 1.0), "y_scale": "near_one"}, "y_range", "below 1"),
        ({"y_range": (0.5, 1.7)}, "y_range", "from 0 to 1"),
        ({"x_range": (1.0, 1.0 + 1e-15), "x_scale": "linear"}, "x_range", "told apart"),
        ({"surface": "custom", "formula": "x +"}, "formula", "formula"),
        ({"optimizer": "newton"}, "optimizer", "one of"),
        ({"resolution": 97}, "resolution", "from 2 to 96"),
        ({"on": "network", "x_field": "batch_size", "x_range": (1.0, 9000.0)}, "x_range", "from 1 to 5000"),
        ({"on": "network", "y_field": "units", "y_range": (1.0, 500.0)}, "y_range", "from 1 to 64"),
        ({"x_field": "steps", "x_range": (1.0, 1e5)}, "x_range", "from 1 to 2000"),
        ({"y_field": "seed", "y_range": (-9.0, 9.0)}, "y_range", "from 0 to"),
        ({"y_field": "noise", "y_range": (-1.0, 9.0)}, "y_range", "from 0 to 10"),
        ({"x_range": (-1.0, 1.0), "x_scale": "linear"}, "x_range", "from 1e-12"),
        ({"surface": "custom", "formula": "x +", "x_field": "start_x"}, "formula", "formula"),
    ],
)
def test_wrong_settings_are_told_in_one_line(settings: dict[str, Any], key: str, words: str) -> None:
    experiment = load(ID)
    with pytest.raises(SpecError, match=words) as told:
        experiment.check(build(experiment.Spec, settings))
    assert "\n" not in str(told.value) and told.value.key == key


def test_every_pair_of_fields_makes_a_map() -> None:
    experiment: Any = load(ID)
    fields = [name for name in experiment.Spec.model_fields["x_field"].json_schema_extra["lab"]["choices"]]
    for on in ("surface", "network"):
        for k, field in enumerate(fields):
            other = fields[(k + 1) % len(fields)]
            session = run(on=on, x_field=field, y_field=other, optimizer="adam", resolution=3, steps=5)
            assert session.row["runs"][0] == 9 and session.probe("map").values.shape == (3, 3)
            across, up = axes(session.spec, 1.0)
            assert (across.field, up.field) == (field, other)


@pytest.mark.parametrize(
    ("scale", "span"), [("linear", (0.0, 1.0)), ("log", (1e-6, 1.0)), ("near_one", (0.9, 0.999999))]
)
def test_values_are_short_and_stand_where_they_belong(scale: str, span: tuple[float, float]) -> None:
    experiment: Any = load(ID)
    spec = build(experiment.Spec, {"y_scale": scale, "y_range": span, "resolution": 30, "optimizer": "adam"})
    _, up = axes(spec, 1.0)
    places, middle = up.place(up.values), up.middle(np.arange(30))
    assert np.abs(places - middle).max() < 0.03 * (middle[1] - middle[0])
    assert up.extent[0] < places.min() and places.max() < up.extent[1]
    parts = 1 - up.values if scale == "near_one" else up.values
    assert max(len(f"{v:.10g}".replace("e-0", "").replace(".", "").strip("0")) for v in parts) <= 5


def test_a_field_that_the_optimizer_does_not_have_says_so() -> None:
    session = run(optimizer="sgd", resolution=6, steps=30)
    grid = grids(session)
    assert (grid["loss"] == grid["loss"][0]).all()
    assert "every row is the same" in session.probe("map").note
    told = run(resolution=4, steps=10, colour="test_loss").probe("map")
    assert told.value_label == "final loss" and "No test loss here" in told.note


def test_pictures_agree_with_each_other() -> None:
    session = run(resolution=24, steps=150)
    picture, table = session.probe("map"), session.probe("table")
    loss = dict(picture.readings)["final loss"]
    x, y = picture.settings[0][1], picture.settings[1][1]
    row, column = np.unravel_index(np.nanargmin(np.where(picture.values == 0, loss, np.nan)), loss.shape)
    assert (session.row["best_x"][0], session.row["best_y"][0]) == (x[column], y[row])
    assert table.rows[0][2] == f"{loss[row, column]:.3g}" and table.good == (0,)
    lines, cut = session.probe("runs"), session.probe("cut", cell=(3, 20))
    assert lines.lines[0].y[-1] == loss[row, column] == session.row["best_loss"][0]
    assert cut.lines[0].x.tolist() == x[: len(cut.lines[0].x)].tolist() and cut.lines[0].y[5] == loss[3, 5]
    assert opened(session, 3, 20).spec.learning_rate == x[20]
    with pytest.raises(KeyError):
        session.probe("nothing")


def test_the_seed_is_an_axis_of_its_own() -> None:
    """From row to row only luck differs: other data, first weights and batches; each row is the map of that seed."""
    told = run(on="network", resolution=5, steps=40, y_field="seed", seed=3)
    seeds = told.probe("map").settings[1]
    assert seeds[0] == "seed" and seeds[1].tolist() == [3, 4, 5, 6, 7]
    loss = grids(told)["loss"]
    assert all(len(np.unique(column)) == 5 for column in loss.T)
    for row, seed in enumerate((3, 4)):
        other = run(on="network", resolution=5, steps=40, y_field="momentum", y_range=(0.2, 0.8), seed=seed)
        k = int(np.argmin(np.abs(grids(other)["y"] - 0.5)))
        again = run(on="network", resolution=5, steps=40, y_field="seed", seed=3, **{"momentum.momentum": 0.5})
        assert (grids(again)["loss"][row] == grids(other)["loss"][k]).all()
    given = run(on="network", resolution=6, steps=2, y_field="seed", y_range=(0.0, 6.0))
    assert grids(given)["y"].tolist() == [0, 1, 2, 3, 4, 5]
    highest = run(on="network", resolution=3, steps=2, y_field="seed", seed=2**32 - 1)
    assert grids(highest)["y"].tolist() == [2**32 - 3, 2**32 - 2, 2**32 - 1]


def test_a_run_is_as_long_as_its_cell_says() -> None:
    session = run(x_field="steps", x_range=(1.0, 60.0), x_scale="linear", resolution=6, learning_rate=0.01)
    steps = session.probe("map").settings[0][1]
    for column, n in enumerate(steps.tolist()):
        line = session.probe("runs", cell=(2, column)).lines[0]
        assert line.x[-1] == n and line.y[-1] == grids(session)["loss"][2, column]


def test_theory_still_holds_where_starts_differ() -> None:
    session = run(y_field="start_y", y_range=(-2.0, 2.0), resolution=12, **{"momentum.momentum": 0.5})
    assert session.row["agreement"][0] == 1
    (name, x, _), *_ = session.probe("map").paths
    assert name == "theory: edge of stability"
    np.testing.assert_allclose(10 ** x[np.isfinite(x)] * 100, 3.0, rtol=1e-12)


def test_what_changes_nothing_says_so() -> None:
    for settings, words in (
        ({"y_field": "seed"}, "every row"), ({"x_field": "units", "y_field": "momentum"}, "every column"),
        ({"on": "network", "y_field": "start_x"}, "every row"), ({"y_field": "lr_decay"}, "every row"),
        ({"on": "network", "data": "digits", "y_field": "noise", "hidden": (4,)}, "every row"),
    ):  # fmt: skip
        session = run(resolution=3, steps=5, learning_rate=0.01, **settings)
        loss = grids(session)["loss"]
        assert words in session.probe("map").note, settings
        assert np.array_equal(loss, np.broadcast_to(loss[0] if words == "every row" else loss[:, :1], (3, 3)))


def test_history_leaves_what_was_not_measured_empty() -> None:
    session = run(resolution=10, x_range=(1.0, 10.0))
    lines = list(rows(session.experiment, session.view()))
    assert lines[0] == "step,series,runs,diverged,best_loss,best_x,best_y,fastest,agreement\r\n"
    assert lines[-1].endswith(",momentum,100.0,1.0,,,,,1.0\r\n")


# -- presets -----------------------------------------------------------------------------------------------------------


def test_the_presets_show_what_they_say(finished: Callable[[str], Session]) -> None:
    told: dict[str, Any] = {}
    for preset in presets(ID):
        session = finished(preset.name)
        told[preset.name] = {name: float(values[0]) for name, values in session.row.items()}
        if preset.name in ("noise_floor", "no_momentum", "batches", "luck", "longer"):
            told[preset.name]["grid"] = grids(session)
    assert told["heavy_ball"]["fastest"] == pytest.approx(0.82, abs=0.01) and told["heavy_ball"]["agreement"] == 1
    assert told["nesterov"]["edge_top"] == pytest.approx(2 / 3 * told["nesterov"]["edge_bottom"], rel=0.15)
    assert told["conditioning"]["agreement"] == 1
    assert told["network"]["runs"] == 576 and 0.05 < told["network"]["diverged"] < 0.1
    lost = told["batches"]["grid"]["diverged"].mean(axis=1)
    lowest = np.fmin.reduce(told["batches"]["grid"]["loss"], axis=1)
    assert lost[:4].mean() > 1.3 * lost[8:].mean() and lowest[:4].min() > 1.2 * lowest[8:].max()
    assert told["adam"]["diverged"] < 0.05
    grid = told["noise_floor"]["grid"]
    column = int(np.argmin(np.abs(grid["x"] - 0.05)))
    slope = np.polyfit(np.log10(grid["y"]), np.log10(grid["loss"][:, column]), 1)[0]
    assert slope == pytest.approx(2, abs=0.01)
    grid = told["luck"]["grid"]
    column, loss = int(np.argmin(np.abs(grid["x"] - 0.2))), np.where(grid["diverged"], np.nan, grid["loss"])
    assert loss[:, column].max() > 100 * loss[:, column].min()
    lucky = grid["x"][np.nanargmin(loss, axis=1)]
    assert lucky.max() > 10 * lucky.min()
    grid = told["longer"]["grid"]
    lucky = grid["x"][np.where(grid["diverged"], np.inf, grid["loss"]).argmin(axis=1)]
    assert (
        lucky[0] == pytest.approx(0.013, abs=5e-4) and 0.95 * 0.0198 < lucky[-1] < 0.02 and (np.diff(lucky) >= 0).all()
    )
    assert told["rosenbrock"]["best_y"] > 0.9
    assert told["too_short"]["best_y"] > 0.9 and told["heavy_ball"]["best_y"] < 0.7
    assert (told["no_momentum"]["grid"]["loss"] == told["no_momentum"]["grid"]["loss"][0]).all()
    assert told["drowned"]["fastest"] > 0.98
    assert told["all_lost"]["diverged"] == 1 and np.isnan(told["all_lost"]["best_loss"])


def test_every_question_has_its_answer(finished: Callable[[str], Session]) -> None:
    experiment = load(ID)
    expected = {"heavy_ball": "1", "nesterov": "less", "network": "1"}
    assert {question.preset for question in predictions(ID)} == set(expected)
    for question in predictions(ID):
        session = finished(question.preset)
        found = experiment.answer(session.spec, session.view(), question.measure.removeprefix("own "))
        assert found == expected[question.preset] and question.answers[found] in question.choices
    other = changed(preset_spec(experiment, "nesterov"), "optimizer", "momentum")
    session = Session(experiment, other)
    session.advance(10**6)
    assert experiment.answer(other, session.view(), "edge") == "more"


def test_the_threads_of_a_map_on_a_network_give_way() -> None:
    found = runs_of(build(load("landscapes.hyperparameters").Spec, {"on": "network"}))
    asked: set[str] = set()
    with giving_way(lambda: asked.add(threading.current_thread().name)):
        found.run(np.arange(6))
    assert any(name.startswith("runs") for name in asked)
