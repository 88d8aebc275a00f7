"""The loss surface around trained networks: held to the networks that train, to closed forms and to its own past."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from engine.experiments import load
from engine.experiments.dynamics._surface.cuts import cut_of, plane_of_path
from engine.experiments.dynamics._surface.lines import FINE, rise
from engine.networks.mlp import Mlp, Rule
from engine.picture import Map
from engine.session.commands import script
from engine.session.presets import predictions, presets
from engine.session.results import rows
from engine.session.session import Session
from engine.session.snapshots import digest
from engine.spec import SpecError, build
from gui.plots.export import export_picture
from gui.theme import DARK, LIGHT, PRINT
from gui.views import view_for
from tests.alone import Alone

ID = "dynamics.surface"
SURFACE: Any = load(ID)
QUICK = {"samples": 60, "width": 6, "steps": 40}
EVERY = ("plain", "residual", "small_batch", "large_batch")


def run(taken: int = 10**6, **settings: Any) -> Session:
    """A run after some steps."""
    session = Session(SURFACE, build(SURFACE.Spec, {**QUICK, **settings}))
    session.advance(taken)
    return session


# -- training --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("twin", [False, True])
def test_it_trains_as_the_compiled_network_does(twin: bool) -> None:
    session = run(contestants=("small_batch", "large_batch"), l2=0.01, optimizer="adam", steps=70)
    model = session.state.model
    for c, size in enumerate((4, 0)):
        own = session.state.solutions[c + 2 * twin]
        params, states = own.path[0].copy(), Mlp(model.descriptions[c]).states("adam")
        Mlp(model.descriptions[c]).train(
            params, states, model.x, model.y, Rule.of("adam", l2=0.01), 1, [0.05] * 70, size, int(twin)
        )
        np.testing.assert_array_equal(own.params, params)
    np.testing.assert_array_equal(session.state.solutions[0].path[0], session.state.solutions[1].path[0])


def test_plain_and_residual_begin_alike_and_part() -> None:
    session = run(contestants=("plain", "residual"), depth=3)
    one, other = session.state.solutions[:2]
    np.testing.assert_array_equal(one.path[0], other.path[0])
    assert np.abs(one.params - other.params).max() > 1e-3
    losses = session.view().latest("train_loss")
    assert np.isfinite(losses).all() and losses[0] != losses[1]


def test_back_is_exact_and_cuts_do_not_matter() -> None:
    session = run(contestants=EVERY, steps=45)
    for step in (31, 3, 45, 17):
        session.seek(step)
        fresh = Session(SURFACE, session.spec)
        while fresh.step < step:
            fresh.advance(min(7, step - fresh.step))
        assert digest(session.state) == digest(fresh.state)
        for name, values in session.row.items():
            np.testing.assert_array_equal(values, fresh.row[name])


def test_cuts_do_not_matter_where_one_overflows() -> None:
    settings = SCRIPTS["one overflows"]
    session, fresh = run(**settings), run(0, **settings)
    while fresh.finish is None:
        fresh.advance(1)
    assert digest(session.state) == digest(fresh.state)
    (ending,) = session.branch.endings
    assert ending.finish == "diverged" and "overflowed at step" in ending.reason and session.finish == "done"
    assert "diverged" in session.probe("slice", series="plain").note
    found = session.probe("line", series="large_batch")
    assert [line.name for line in found.lines] == ["Large batch", "Large batch, test"] and "diverged" in found.note


def test_paths_are_thinned_evenly_and_keep_their_ends() -> None:
    session = run(steps=700, batch_size=8)
    state = session.state
    steps, points = state.path(0)
    assert state.spacing == 8 and len(steps) <= state.model.most + 1
    np.testing.assert_array_equal(steps, [*range(0, 697, 8), 700])
    np.testing.assert_array_equal(points[-1], state.solutions[0].params)
    session.seek(304)
    np.testing.assert_array_equal(session.state.solutions[0].params, points[38])


def test_a_live_rate_counts_from_the_next_step_on() -> None:
    session = run(20)
    session.set_live("learning_rate", 0.2)
    session.advance(20)
    rates = session.view().branch.history.values["learning_rate"][1:, 0]
    np.testing.assert_array_equal(rates, [0.05] * 20 + [0.2] * 20)
    session.set_live("slice", "pca")
    assert isinstance(session.probe("slice"), Map)


def test_history_has_a_row_for_every_step() -> None:
    session = run(contestants=("plain", "small_batch"))
    lines = list(rows(SURFACE, session.view()))
    assert lines[0] == ("step,series,train_loss,test_loss,train_accuracy,test_accuracy,learning_rate,gradient_norm\r\n")
    assert len(lines) == 1 + 2 * 41


@pytest.mark.parametrize(
    ("settings", "key"),
    [({"contestants": ()}, "contestants"), ({"rescale": 2.0, "activation": "tanh"}, "rescale"),
     ({"rescale": 2.0, "contestants": ("residual",)}, "rescale"), ({"rescale": 2.0, "depth": 0}, "rescale"),
     ({"width": 65}, "width"), ({"slice": "up"}, "slice")],
)  # fmt: skip
def test_wrong_settings_are_told_in_one_line(settings: dict[str, Any], key: str) -> None:
    with pytest.raises(SpecError, match=key) as told:
        SURFACE.check(build(SURFACE.Spec, settings))
    assert "\n" not in str(told.value)


@pytest.mark.parametrize("settings", [{"samples": 4, "test_share": 0.0}, {"width": 1, "depth": 12}, {"depth": 0}])
@pytest.mark.parametrize("slice", ["random", "pca", "line"])
def test_every_picture_at_every_step(settings: dict[str, Any], slice: str) -> None:
    session = Session(SURFACE, build(SURFACE.Spec, {**QUICK, "slice": slice, **settings}))
    for step in (0, 1, 2, 30):
        session.advance(step - session.step)
        for name in ("slice", "line", "replay", "off_plane", "variance", "numbers"):
            answer = session.probe(name, series="plain")
            assert name != "slice" or np.isfinite(answer.values).all()
    with pytest.raises(KeyError):
        session.probe("nothing")


# -- the surface -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("series", EVERY)
def test_the_centre_of_every_plane_is_the_true_loss(series: str) -> None:
    session = run(contestants=EVERY)
    s = EVERY.index(series)
    true = session.view().latest("train_loss")[s]
    for kind in ("random", "pca", "line"):
        session.set_live("slice", kind)
        session.set_live("log_loss", kind != "random")
        found = session.probe("slice", series=series, n=41)
        x0, x1, y0, y1 = found.extent
        values = 10**found.values if kind != "random" else found.values
        if kind == "random":
            assert values[20, 20] == pytest.approx(true, rel=1e-12)
        cut = cut_of(session.state, session.live, s)
        where = np.linspace(x0, x1, 41)[7], np.linspace(y0, y1, 41)[30]
        expected = session.state.model.losses(s, cut.at(*where)[None])[0]
        assert values[30, 7] == pytest.approx(expected, rel=1e-9)
        assert session.state.model.losses(s, cut.at(0.0, 0.0)[None])[0] == pytest.approx(true, rel=1e-12)


@pytest.mark.parametrize("line", ["seeds", "start"])
def test_the_line_ends_at_both_solutions(line: str) -> None:
    session = run(line=line, steps=60)
    found = session.probe("line").lines[0]
    losses = {end: found.y[int(np.flatnonzero(found.x == end)[0])] for end in (0.0, 1.0)}
    assert losses[0.0] == session.view().latest("train_loss")[0]
    other = run(line="start", seed=0, steps=60)
    if line == "seeds":  # the twin is what a run of the other seed trains, on this run's data
        model, twin = session.state.model, session.state.solutions[1]
        mlp = Mlp(model.descriptions[0])
        params, states = twin.path[0].copy(), mlp.states("momentum")
        mlp.train(params, states, model.x, model.y, Rule.of("momentum"), 1, [0.05] * 60, 32, 1)
        assert losses[1.0] == pytest.approx(mlp.loss(params, model.x, model.y), rel=1e-12)
    else:
        assert losses[1.0] == pytest.approx(other.view().branch.history.values["train_loss"][0, 0], rel=1e-12)
    session.set_live("slice", "line")
    cut = cut_of(session.state, session.live, 0)
    np.testing.assert_allclose(cut.at(1.0, 0.0), session.state.other(0), rtol=1e-12)
    assert cut.marks[1][0] == ("seed 1" if line == "seeds" else "start")


def test_the_barrier_of_a_known_curve() -> None:
    inside = (FINE >= 0) & (FINE <= 1)
    values = np.where(inside, 1 + FINE + 8 * FINE * (1 - FINE), 99.0)
    height, where = rise(FINE, values)
    assert height == pytest.approx(2.0) and where == 0.5
    assert rise(FINE, (FINE - 0.3) ** 2)[0] == 0.0
    assert rise(FINE, np.full(len(FINE), np.inf))[0] == np.inf


def test_without_hidden_layers_there_is_no_barrier() -> None:
    session = run(depth=0, steps=30, learning_rate=0.5)
    values = session.view().branch.history.values["barrier"][:, 0]
    assert np.isfinite(values).sum() > 2 and np.nanmax(values) < 1e-12


def test_the_plane_of_the_path_is_numpys() -> None:
    session = run(slice="pca", steps=90, batch_size=8)
    points = session.state.path(0)[1]
    away = points - points.mean(axis=0)
    _, singular, right = np.linalg.svd(away, full_matrices=False)
    share = (singular[:2] ** 2).sum() / (singular**2).sum()
    centre, directions, told = plane_of_path(points)
    np.testing.assert_array_equal(centre, points[-1])
    assert told == pytest.approx(share) and f"{share:.1%}" in session.probe("slice").note
    assert session.view().latest("explained")[0] == pytest.approx(share)
    np.testing.assert_allclose(np.abs((directions * right[:2]).sum(axis=1)), 1.0, rtol=1e-9)
    off = session.probe("off_plane").lines[1]
    flat = points - points[-1]
    expected = np.linalg.norm(flat - flat @ right[:2].T @ right[:2], axis=1)
    np.testing.assert_allclose(off.y, expected, atol=1e-6 * expected.max())
    replay = session.probe("replay").lines
    np.testing.assert_allclose(replay[0].y, session.state.model.losses(0, points), rtol=1e-12)
    assert replay[0].y[-1] == pytest.approx(replay[1].y[-1]) and replay[0].y[0] != pytest.approx(replay[1].y[0])


def test_rescaling_is_seen_only_without_normalisation() -> None:
    session = run(log_loss=False)
    pictures = {}
    for scaling in ("filter", "none"):
        for factor in (1.0, 10.0):
            session.set_live("scaling", scaling)
            session.set_live("rescale", factor)
            pictures[scaling, factor] = session.probe("slice", n=11).values
    np.testing.assert_allclose(pictures["filter", 1.0], pictures["filter", 10.0], rtol=1e-9)
    assert np.abs(np.log(pictures["none", 1.0] / pictures["none", 10.0])).max() > 0.5


# -- what is told ----------------------------------------------------------------------------------------------------


def test_every_question_has_its_answer(finished: Callable[[str], Session]) -> None:
    for question, expected in zip(predictions(ID), ("hill", "some"), strict=True):
        session = finished(question.preset)
        found = SURFACE.answer(session.spec, session.view(), question.measure.removeprefix("own "))
        assert found == expected and question.answers[found] in question.choices, "the explanation says so"


def test_presets_show_what_they_say(finished: Callable[[str], Session]) -> None:
    found = {preset.name: finished(preset.name) for preset in presets(ID) if preset.name != "residual"}
    latest = {name: (s.view().latest("barrier"), s.view().latest("explained")) for name, s in found.items()}
    assert latest["two_seeds"][0][0] > 0.5 and latest["hides"][0][0] > 0.5
    assert latest["convex"][0][0] < 1e-9
    barriers = found["start_to_end"].view().branch.history.values["barrier"]
    assert np.nanmax(barriers) < 1e-9
    assert latest["path"][1][0] > 0.95 and latest["wander"][1][0] < 0.76
    small, large = (float(row[2]) for row in found["batches"].probe("numbers").rows)
    assert large > 3 * small
    true, drawn = (line.y for line in found["wander"].probe("replay").lines)
    assert np.max(np.abs(np.log(true / drawn))) > 1.0
    scaled, plain = (found[name].probe("slice", n=21).values for name in ("unnormalised", "hides"))
    assert (scaled > plain.min() + 1).mean() > (plain > plain.min() + 1).mean()


def test_the_captions_claim_is_answered_in_words() -> None:
    assert SURFACE.drawn(SURFACE.Spec(), run(0).view()) == ()
    session = run(60)
    (drawn,) = SURFACE.drawn(session.spec, session.view())
    assert drawn.overlays == () and f"{session.view().latest('barrier')[0]:.3g}" in drawn.verdict


SCRIPTS: dict[str, dict[str, Any]] = {
    "every": {"contestants": EVERY},
    "digits": {"slice": "pca", "data": "digits", "depth": 1, "optimizer": "adam"},
    "two seeds": {"slice": "line", "l2": 0.01, "convention": "book", "contestants": ("plain", "large_batch")},
    "rescaled": {"rescale": 5.0},
    "one overflows": {"contestants": ("plain", "large_batch"), "optimizer": "sgd", "activation": "identity", "l2": 5.0,
                      "plain.learning_rate": 1e4, "initialization": "normal"},
}  # fmt: skip


def text_of(name: str) -> tuple[int, str]:
    """Of a case: networks that did not overflow, and its script."""
    session = run(12, **SCRIPTS[name])
    session.set_live("learning_rate", 0.02)
    session.set_live("plain.batch_size", 9)
    session.advance(12)
    return sum(not own.ended for own in session.state.solutions[: len(session.series)]), script(session)


@pytest.mark.parametrize("name", SCRIPTS)
def test_scripts_train_again_and_see_the_same_surface(name: str, alone: Alone) -> None:
    alive, text = text_of(name)
    assert alone.says(text).count("in the app") == 3 * alive


def test_a_script_notices_another_surface(alone: Alone) -> None:
    _, text = text_of("rescaled")
    altered = text.replace("expected in [(0.0, 0.0, 0.", "expected in [(0.0, 0.0, 1.")
    assert altered != text
    assert alone.fails(altered) == "AssertionError: the surface is not the app's"


# -- on screen -------------------------------------------------------------------------------------------------------


@pytest.fixture
def view(qtbot: QtBot) -> Iterator[Any]:
    made = view_for(SURFACE, DARK)
    made.resize(900, 700)
    qtbot.addWidget(made)
    yield made
    made.rest()


def show(view: Any, session: Session) -> None:
    """Show a run as a page would."""
    told = session.view()
    view.set_spec(told.spec)
    view.choose(session.series[0])
    answers = {name: session.probe(probe, **dict(asked)) for name, (probe, asked) in view.wanted().items()}
    view.show_run(told, answers, ())
    view.grab()


def test_map_and_surface_show_the_same(view: Any, tmp_path: Path) -> None:
    session = run(slice="pca")
    show(view, session)
    assert view.pictures["slice"].picture.values.shape == (51, 51)
    np.testing.assert_array_equal(view.relief.space.field.z, view.pictures["slice"].picture.values)
    assert set(view.relief.trails) == {"path path"}
    assert view.panel.plots[1:4] == [view.relief, view.pictures["replay"], view.pictures["off_plane"]]
    for theme in (LIGHT, DARK):
        view.apply_theme(theme)
        assert not view.grab().isNull()
    export_picture(view.panel, tmp_path / "one.svg", theme=PRINT)
    assert (tmp_path / "one.svg").stat().st_size > 3000


def test_a_coarse_map_comes_first_and_a_fine_one_at_rest(view: Any, qtbot: QtBot) -> None:
    session = run()
    view.live = True
    view.set_spec(session.spec)
    view.choose("plain")
    name, asked = view.wanted()["slice"]
    assert asked["n"] == 21
    wanted: list[Any] = []
    view.asked.connect(lambda: wanted.append(view.wanted()))
    view.show_run(session.view(), {"slice": session.probe(name, **asked)}, ())
    assert "slice" not in view.wanted() and view.pictures["slice"].picture.values.shape == (21, 21), "not due again"
    with qtbot.waitSignal(view.asked):
        pass
    assert wanted[0]["slice"][1]["n"] == 51 and set(wanted[0]) == {"slice", "line"}
    view.show_run(session.view(), {"slice": session.probe(name, n=51)}, ())
    view.wanted()
    assert not view._leisure.isActive(), "asked for once"
    view.choose("other")
    view.wanted()
    assert view._leisure.isActive()
    view._leisure.stop()


def test_while_it_runs_nothing_is_asked_for_finely(view: Any) -> None:
    session = run()
    view.live = view.running = True
    view.set_spec(session.spec)
    view.show_run(session.view(), {}, ())
    assert view.wanted()["slice"][1]["n"] == 21 and not view._leisure.isActive()


def test_another_plane_brings_its_own_plots_once(view: Any, qtbot: QtBot) -> None:
    session = run()
    show(view, session)
    pictures, curves = view.pictures, view.curves
    assert view.panel.plots[1:4] == [view.relief, pictures["line"], curves["train_loss"]]
    session.set_live("slice", "pca")
    view.show_run(session.view(), {}, ())
    assert view.panel.plots[2:4] == [pictures["replay"], pictures["off_plane"]]
    view.panel.exchange(pictures["replay"], pictures["numbers"])
    view.show_run(session.view(), {}, ())
    assert view.panel.plots[2] is pictures["numbers"], "the reader's own order stays"
