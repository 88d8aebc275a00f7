"""landscapes.basins: held to single descents, to torch by its scripts, and to its own past."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from engine.experiments import load
from engine.picture import HATCHED, PLAIN
from engine.session.commands import script
from engine.session.presets import predictions, presets
from engine.session.results import rows
from engine.session.session import Session
from engine.session.snapshots import digest
from engine.spec import SpecError, build
from tests.alone import Alone

ID = "landscapes.basins"
SMALL = {"resolution": 22, "steps": 120}


def run(**settings: Any) -> Any:
    """A finished map."""
    experiment = load(ID)
    session = Session(experiment, build(experiment.Spec, settings))
    session.advance(10**6)
    assert session.finish == "done"
    return session


def descended(session: Any, x: float, y: float) -> Any:
    """The descent that a click at (x, y) opens, at its end."""
    experiment: Any = load("landscapes.descent")
    values = session.experiment.descent(session.spec, *session.experiment.start_at(session.spec, x, y))
    walk = Session(experiment, build(experiment.Spec, values))
    walk.advance(10**6)
    return walk


def cells(session: Any) -> Any:
    """The middle of every cell: x, y [n, n]."""
    x0, x1, y0, y1 = session.experiment.extent(session.spec)
    middle = (np.arange(session.spec.resolution) + 0.5) / session.spec.resolution
    return np.meshgrid(x0 + (x1 - x0) * middle, y0 + (y1 - y0) * middle)


@pytest.mark.parametrize(
    "settings",
    [
        {"learning_rate": 0.02},  # half diverge, borders are frayed
        {"optimizer": "nesterov", "convention": "book", "learning_rate": 0.004, "nesterov.momentum": 0.8},
        {"surface": "custom", "formula": "abs(x)+y^2", "optimizer": "rmsprop", "learning_rate": 0.02},
    ],
    ids=["frayed", "book", "own"],
)
def test_in_float64_every_pixel_ends_where_its_descent_ends_to_the_bit(settings: dict[str, Any]) -> None:
    session = run(**SMALL, dtype="float64", **settings)
    found = session.experiment.found(session.state, session.spec)
    x, y = cells(session)
    for at in np.ndindex(x.shape):
        walk = descended(session, x[at], y[at])
        if walk.finish == "diverged":
            assert found.label[at] == -2
            continue
        assert (found.x[at], found.y[at]) == tuple(walk.state.p[0]), at
        if found.label[at] >= 0:
            place = found.minima[found.label[at]]
            assert np.hypot(*(walk.state.p[0] - place)) <= session.spec.within


def test_in_float32_a_pixel_ends_at_its_minimum_but_for_those_counted() -> None:
    session = run(resolution=40, learning_rate=0.005, steps=300)
    found = session.experiment.found(session.state, session.spec)
    x, y = cells(session)
    wrong = 0
    for at in np.ndindex(x.shape):
        if (at[0] + at[1]) % 5 == 0:
            walk = descended(session, x[at], y[at])
            place = found.minima[found.label[at]]
            wrong += bool(np.hypot(*(walk.state.p[0] - place)) > session.spec.within)
    assert wrong == 0 and session.row["unsure"][0] == 0
    frayed = run(learning_rate=0.02)
    assert 0 < frayed.row["unsure"][0] < 0.1
    assert "Checked in float64" in frayed.probe("basins").note


def test_a_click_hands_over_every_setting_of_the_rule() -> None:
    experiment: Any = load(ID)
    spec = build(experiment.Spec, {"optimizer": "adam", "adam.beta1": 0.7, "convention": "book", "surface": "bowl",
                                   "condition_number": 7.0, "steps": 33})  # fmt: skip
    other = load("landscapes.descent")
    told: Any = build(other.Spec, experiment.descent(spec, *experiment.start_at(spec, 0.5, -0.2)))
    assert told.optimizers == ("adam",) and told.adam.beta1 == 0.7 and told.convention == "book"
    assert (told.condition_number, told.steps) == (7.0, 33)
    assert abs(told.start[0] - 0.5) < 0.0076 and abs(told.start[1] + 0.2) < 0.0076


def test_coarse_to_fine() -> None:
    experiment: Any = load(ID)
    session = Session(experiment, build(experiment.Spec, {"learning_rate": 0.005}))
    coarse, first = session.probe("basins"), session.row
    assert coarse.values.shape == (200, 200) and first["starts"][0] == 67**2
    session.advance(10**6)
    fine, last = session.probe("basins"), session.row
    assert last["starts"][0] == 40_000
    assert (coarse.values[1::3, 1::3] == fine.values[1::3, 1::3]).all()
    assert (coarse.values == fine.values).mean() > 0.9
    for name in ("converged", "minimum_1", "minimum_4"):
        assert abs(first[name] - last[name]) < 0.02
    total = sum(last[f"minimum_{k}"][0] for k in (1, 2, 3, 4)) + last["diverged"][0] + last["pending"][0]
    assert abs(total - 1) < 1e-12


def test_how_steps_are_cut_changes_nothing_and_back_is_exact() -> None:
    whole = run(resolution=160, learning_rate=0.012)
    experiment = load(ID)
    single = Session(experiment, whole.spec)
    while single.advance(1):
        pass
    assert digest(single.state) == digest(whole.state)
    for step in (2, 0, 3, 1):
        whole.seek(step)
        fresh = Session(experiment, whole.spec)
        fresh.advance(step)
        assert digest(whole.state) == digest(fresh.state)
        assert whole.probe("basins").values.tobytes() == fresh.probe("basins").values.tobytes()
    whole.fork()
    whole.advance(10**6)
    assert digest(whole.state) == digest(single.state)


def test_many_steps_are_cut_into_many_tiles() -> None:
    experiment: Any = load(ID)
    assert experiment.steps(build(experiment.Spec, {"steps": 10_000, "resolution": 400})) > 20


def test_history_leaves_what_was_not_measured_empty() -> None:
    session = run(resolution=80, steps=40)
    lines = list(rows(session.experiment, session.view()))
    assert lines[0].startswith("step,series,starts,converged,pending,diverged,minima,mean_steps,unsure,minimum_1,")
    assert lines[1].startswith("0,momentum,729.0,") and lines[1].endswith(",,,,\r\n")
    assert lines[-1].split(",")[2] == "6400.0"


def test_the_saddle_has_no_minimum_and_everybody_leaves() -> None:
    session = run(surface="saddle", optimizer="sgd", learning_rate=0.05, resolution=40)
    assert session.row["diverged"] == 1 and session.row["minima"] == 0 and np.isnan(session.row["mean_steps"][0])
    picture = session.probe("basins")
    assert picture.hues == (HATCHED, PLAIN) and picture.classes == ("diverged", "not arrived")
    ridge, edge = picture.told[20, 20], picture.told[0, 20]
    assert ridge > edge  # who begins near the ridge stays longer


def test_minima_of_a_formula_with_creases_are_found_on_the_way() -> None:
    session = run(surface="custom", formula="abs(x)+abs(y-1)", optimizer="adam", learning_rate=0.03, resolution=40)
    assert session.row["converged"] > 0.99
    np.testing.assert_allclose(session.state.more, [(0.0, 1.0)], atol=1e-6)
    assert session.probe("table").rows[0][0] == "(0, 1)"


def test_pictures_agree_with_each_other() -> None:
    session = run(resolution=70, surface="rastrigin", optimizer="sgd", learning_rate=0.002)
    picture, lines, table = (session.probe(name) for name in ("basins", "arrivals", "table"))
    assert len(picture.classes) == 123 and len(picture.named) == 8 and len(lines.lines) == 7
    assert "121 minima" in picture.note
    assert lines.lines[-1].y[-1] == session.row["converged"][0] and (np.diff(lines.lines[-1].y) >= 0).all()
    assert lines.lines[0].y[-1] == session.row["minimum_1"][0] and lines.lines[0].place == picture.hues[0]
    assert table.rows[-3][0] == "109 others" and table.good == (0,)
    with pytest.raises(KeyError):
        session.probe("nothing")


def test_zooming_in_walks_the_part() -> None:
    session = run(**SMALL, centre=(2.0, -3.0), zoom=10.0)
    assert session.experiment.extent(session.spec) == (1.5, 2.5, -3.5, -2.5)
    walk = descended(session, 1.5, -2.5)
    assert walk.spec.start == (np.float32(1.5 + 0.5 / 22), np.float32(-2.5 - 0.5 / 22))


@pytest.mark.parametrize(
    ("settings", "key"),
    [
        ({"surface": "custom", "formula": "x +"}, "formula"),
        ({"zoom": 10_000, "centre": (1000.0, 1000.0)}, "zoom"),
        ({"optimizer": "newton"}, "optimizer"),
        ({"steps": 10_001}, "steps"),
    ],
)
def test_wrong_settings_are_told_in_one_line(settings: dict[str, Any], key: str) -> None:
    experiment = load(ID)
    with pytest.raises(SpecError, match=key) as told:
        experiment.check(build(experiment.Spec, settings))
    assert "\n" not in str(told.value)


def test_every_question_has_its_answer(finished: Callable[[str], Session]) -> None:
    experiment = load(ID)
    expected = {"own lowest": "few", "own reached": "2"}
    assert len(predictions(ID)) == len(expected)
    for question in predictions(ID):
        session = finished(question.preset)
        found = experiment.answer(session.spec, session.view(), question.measure.removeprefix("own "))
        assert found == expected[question.measure] and question.answers[found] in question.choices


def test_the_presets_show_what_they_say(finished: Callable[[str], Session]) -> None:
    told = {}
    for preset in presets(ID):
        session = finished(preset.name)
        told[preset.name] = {name: float(values[0]) for name, values in session.row.items()}
    assert told["four_basins"]["converged"] == told["gradient_flow"]["converged"] == told["dimples"]["converged"] == 1
    assert 0.009 < told["dimples"]["minimum_1"] < 0.011
    assert 0.14 < told["sharp_and_wide"]["minimum_1"] < 0.16 and told["sharp_lost"]["minimum_1"] == 0
    assert told["your_formula"]["minima"] > 20
    assert 0.4 < told["frayed"]["diverged"] < 0.6 and told["frayed"]["unsure"] > 0.01
    assert min(told["magnified"]["diverged"], told["magnified"]["converged"]) > 0.1
    assert told["two_of_four"]["minima"] == 2
    assert told["no_bottom"]["diverged"] == 1
    assert 0.1 < told["plateau_corners"]["pending"] < 0.3


@pytest.mark.parametrize(
    "settings",
    [
        {"learning_rate": 0.02, "dtype": "float64"},
        {"learning_rate": 0.02},
        {"optimizer": "nesterov", "convention": "book", "learning_rate": 0.004},
        {"optimizer": "amsgrad", "learning_rate": 0.1, "amsgrad.weight_decay": 0.01, "convention": "book"},
        {"surface": "custom", "formula": "sqrt(x^2)+y^2", "optimizer": "lion", "learning_rate": 0.02},
    ],
    ids=["float64", "float32", "nesterov", "amsgrad", "singular"],
)
def test_the_script_walks_again_with_torch_and_agrees(settings: dict[str, Any], alone: Alone) -> None:
    session = run(resolution=100, steps=150, **settings)
    printed = alone.says(script(session))
    sure = int(next(line for line in printed.splitlines() if "end where" in line).split()[0])
    assert sure > 100


def test_the_script_fails_where_the_map_is_another_one(alone: Alone) -> None:
    text = script(run(resolution=30, steps=100, learning_rate=0.005))
    broken = text.replace("X = np.array([", "X = 0.3 + np.array([")
    assert "in the app" in alone.fails(broken)
