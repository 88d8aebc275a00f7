"""Batch, mini-batch and online SGD, held to the chapter's numbers, to closed forms, to PyTorch and to its own past."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from engine.data.chapter import chapter_regression_parts
from engine.experiments import load
from engine.experiments.landscapes._minibatch import orders
from engine.experiments.landscapes._minibatch.pace import Pace
from engine.session.commands import script
from engine.session.presets import predictions, preset_spec, presets
from engine.session.results import measured, rows, summary
from engine.session.session import Session
from engine.session.snapshots import digest
from engine.spec import SpecError, build
from gui.theme import DARK
from gui.views import view_for
from tests.alone import Alone

ID = "landscapes.minibatch"
FOUR = ("online", "batch_32", "own", "all")
SAMPLINGS = ("chapter", "shuffle", "replacement", "additive")
SMALL = {"data": "own", "samples": 210, "inputs": 3, "own.size": 17}


def begun(**settings: Any) -> Session:
    """A run at its start."""
    experiment = load(ID)
    return Session(experiment, build(experiment.Spec, settings))


def run(**settings: Any) -> Session:
    """A finished run."""
    session = begun(**settings)
    session.advance(10**9)
    return session


def weights(session: Session) -> Any:
    """Everybody's weights [S, d]."""
    return session.state.problem.weights(session.state.c)


def series_of(session: Session, column: str, s: int = 0) -> Any:
    """The finite numbers of a column."""
    values = session.view().branch.history.values[column][:, s]
    return values[np.isfinite(values)]


# -- the chapter -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("last_batch", "end"), [("chapter", 0.0093930779), ("true", 0.0093957933)])
def test_the_chapters_epoch_losses(last_batch: str, end: float) -> None:
    experiment = load(ID)
    spec = preset_spec(experiment, "chapter").model_copy(update={"last_batch": last_batch})
    session = Session(experiment, spec)
    session.advance(10**6)
    losses = series_of(session, "epoch_loss")
    assert len(losses) == 100
    assert losses[0] == pytest.approx(3.4285283, abs=1e-2 if last_batch == "true" else 5e-8)
    assert losses[-1] == pytest.approx(end, abs=5e-11)
    if last_batch == "chapter":
        assert session.row["loss"][0] == pytest.approx(0.0093753224, abs=5e-11)
        curvatures = session.state.problem.curvatures
        assert [round(v, 4) for v in (curvatures[-1], curvatures[0])] == [1.6818, 2.3413]


def test_the_listing_itself_ends_where_the_app_ends() -> None:
    experiment = load(ID)
    session = Session(experiment, preset_spec(experiment, "chapter"))
    session.advance(10**6)
    data, _, stream = chapter_regression_parts()
    w = np.zeros((10, 1))
    for _ in range(100):
        order = stream.permutation(1000)
        for begin in range(0, 1000, 32):
            x, y = data.x[order[begin : begin + 32]], data.y[order[begin : begin + 32]]
            w -= 0.01 * 2 * x.T @ (x @ w - y) / 32
    np.testing.assert_allclose(weights(session)[0], w[:, 0], rtol=1e-12)
    (drawn,) = experiment.drawn(session.spec, session.view())
    assert len(drawn.overlays[0].x) == 100
    for told in ("listing's own losses", "0.00939307792", "0.0093957933", "0.0093753224"):
        assert told in drawn.verdict


def test_the_verdict_tells_another_run_apart() -> None:
    session = run(batches=("batch_32",), steps=64)
    (drawn,) = session.experiment.drawn(session.spec, session.view())
    assert "another run" in drawn.verdict
    start = begun(batches=("batch_32",))
    assert "Run on" in start.experiment.drawn(start.spec, start.view())[0].verdict
    assert start.experiment.drawn(build(start.experiment.Spec, SMALL), start.view()) == ()


# -- closed forms ------------------------------------------------------------------------------------------------------


def sampling_error(rate: float, curvatures: Any, updates: int) -> Any:
    """Relative standard deviation of an average of squares over an autoregression with factor 1 - rate * curvature."""
    again = (1 - rate * curvatures) ** 2
    return np.sqrt(2.0 / updates * (1 + again) / (1 - again))


@pytest.mark.parametrize("rate", [0.02, 0.2, 0.9])
def test_added_noise_has_the_variance_of_theory(rate: float) -> None:
    session = run(batches=("batch_8", "batch_128"), sampling="additive", sigma=3.0, learning_rate=rate, steps=200_000,
                  data="own", inputs=6, condition=10, start="minimum", settled=2000, record_every=1000)  # fmt: skip
    curvatures = session.state.problem.curvatures
    np.testing.assert_allclose(curvatures, 2.0 * np.geomspace(1, 0.1, 6), rtol=1e-10)
    error = sampling_error(rate, curvatures, 198_000)
    for s, size in enumerate((8, 128)):
        theory = rate * 9.0 / size / (curvatures * (2 - rate * curvatures))
        np.testing.assert_array_less(np.abs(session.state.sums[s] / 198_000 / theory - 1), 4 * error)
        assert session.row["stationary"][s] == pytest.approx(np.sqrt(theory.sum()))


@pytest.mark.parametrize(("sampling", "low", "high"), [("replacement", 0.97, 1.04), ("shuffle", 0.1, 0.5)])
def test_real_batches_at_a_small_rate(sampling: str, low: float, high: float) -> None:
    session = run(batches=("batch_8",), sampling=sampling, learning_rate=0.004, start="minimum", settled=2000,
                  steps=402_000, record_every=1000)  # fmt: skip
    found = session.state.problem
    noise = ((2 * found.rest[:, None] * (found.x @ found.vectors)) ** 2).mean(axis=0) / 8
    theory = 0.004 * noise / (found.curvatures * (2 - 0.004 * found.curvatures))
    ratio = session.state.sums[0] / 400_000 / theory
    assert low <= ratio.mean() <= high
    if sampling == "replacement":
        np.testing.assert_array_less(np.abs(ratio - 1), 4.5 * sampling_error(0.004, found.curvatures, 400_000))
    else:
        assert ratio.max() < 0.6, "well below in every direction"


def test_all_samples_follow_the_closed_form() -> None:
    session = begun(batches=("all",), learning_rate=0.3)
    c0, curvatures = session.state.c[0].copy(), session.state.problem.curvatures
    session.advance(25)
    np.testing.assert_allclose(session.state.c[0], (1 - 0.3 * curvatures) ** 25 * c0, rtol=1e-12)


@pytest.mark.parametrize("sampling", SAMPLINGS)
def test_what_is_measured_is_so_in_the_data(sampling: str) -> None:
    session = begun(batches=FOUR, sampling=sampling, learning_rate=0.05, **SMALL)
    session.advance(10)
    found, row = session.state.problem, session.row
    for s, w in enumerate(weights(session)):
        rest = found.x @ w - found.y
        full = 2 * found.x.T @ rest / len(rest)
        assert row["loss"][s] == pytest.approx((rest**2).mean(), rel=1e-12)
        assert row["gradient_norm"][s] == pytest.approx(np.linalg.norm(full), rel=1e-9)
        assert row["distance"][s] == pytest.approx(np.linalg.norm(w - found.minimum), rel=1e-9)
        place = found.plane @ found.vectors.T @ (w - found.minimum)
        np.testing.assert_allclose([row["along"][s], row["across"][s]], place, rtol=1e-9, atol=1e-12)


def test_a_rate_above_two_over_the_largest_eigenvalue_diverges_with_its_reason() -> None:
    session = run(batches=("all", "batch_32"), learning_rate=1.0, steps=5000)
    assert session.finish == "diverged"
    for ending in session.branch.endings:
        assert "rate times the largest eigenvalue is 2.34, and above 2" in ending.reason
    last = session.view().branch.history.values["excess"]
    assert np.isfinite(last[session.branch.endings[0].step - 1]).any()


def test_one_sample_can_be_too_steep_where_all_are_not() -> None:
    session = run(batches=("online", "all"), learning_rate=0.2, steps=2000)
    (ending,) = session.branch.endings
    assert ending.series == 0 and "below 2, but batches of 1 are steeper" in ending.reason
    assert session.finish == "done" and session.row["excess"][1] < 1e-20
    assert np.isnan(session.row["excess"][0]), "nothing is told of it after its end"


# -- batches -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("epochs", [True, False])
@pytest.mark.parametrize(("size", "samples", "each"), [(1, 7, 3), (3, 7, 5), (7, 7, 4), (3, 7, 40), (2, 8, 1)])
def test_updates_and_samples_belong_together(size: int, samples: int, each: int, epochs: bool) -> None:
    pace = Pace(size, samples, epochs, each)
    seen, told, over = 0, [0], []
    for _ in range(60):  # batch after batch, as one would by hand
        now = min(size, samples - seen % samples) if epochs else size
        over.append((seen + now) // samples > seen // samples)
        seen += now
        told.append(seen)
    assert pace.seen(np.arange(61)).tolist() == told
    steps = np.arange(told[-1] // each)
    assert pace.updates(steps).tolist() == [sum(t <= k * each for t in told) - 1 for k in steps]
    assert pace.ends(2, 60).tolist() == over[2:]
    assert (pace.begins(5, 9) + told[5]).tolist() == told[5:10]
    assert Pace(size, samples, epochs, 0).updates(steps).tolist() == steps.tolist()


def test_orders_hold_every_sample_once_and_draws_do_not_depend_on_where_they_begin() -> None:
    assert sorted(orders.shuffled(5, 3, 50)) == list(range(50))
    assert not np.array_equal(orders.shuffled(5, 3, 50), orders.shuffled(5, 4, 50))
    whole = orders.drawn(1, 0, 40_000, 7)
    for first in (1, 2, 3, 4, 1001):
        np.testing.assert_array_equal(orders.drawn(1, first, 50, 7), whole[first : first + 50])
    counts = np.bincount(whole, minlength=7)
    assert len(counts) == 7 and np.abs(counts - 40_000 / 7).max() < 4.5 * np.sqrt(40_000 / 7)
    kicks = orders.kicks(1, 0, 30, 5)
    np.testing.assert_array_equal(orders.kicks(1, 7, 9, 5), kicks[7:16])


@pytest.mark.parametrize("sampling", SAMPLINGS)
def test_a_contestant_does_not_know_the_others(sampling: str) -> None:
    together = run(batches=FOUR, sampling=sampling, steps=60, **SMALL)
    alone = run(batches=("own",), sampling=sampling, steps=60, **SMALL)
    np.testing.assert_array_equal(together.state.c[2], alone.state.c[0])


def test_rates_can_grow_with_the_batch() -> None:
    row = run(batches=("batch_8", "batch_32", "batch_128"), scaling="linear", learning_rate=0.04, steps=1).row
    np.testing.assert_allclose(row["learning_rate"], [0.01, 0.04, 0.16])
    row = run(batches=("batch_8", "batch_128"), scaling="root", learning_rate=0.04, steps=1).row
    np.testing.assert_allclose(row["learning_rate"], [0.02, 0.08])


def test_equal_samples_for_each() -> None:
    session = run(batches=("online", "batch_128", "all"), clock="samples", samples_per_step=500, steps=5)
    assert session.row["updates"].tolist() == [2500, 2 * 8 + 3, 2]
    assert session.row["samples"].tolist() == [2500, 2000 + 384, 2000]
    values = session.view().branch.history.values
    assert np.isnan(values["batch_loss"][1, 2]) and np.isfinite(values["batch_loss"][2, 2]), "no update in step 1"
    assert np.isfinite(values["epoch_loss"][:, 0]).tolist() == [False, False, True, False, True, False]


# -- exactness ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("clock", ["updates", "samples"])
@pytest.mark.parametrize("sampling", SAMPLINGS)
def test_cuts_ways_back_and_live_changes_are_exact(sampling: str, clock: str) -> None:
    given = {"batches": FOUR, "sampling": sampling, "clock": clock, "samples_per_step": 23, "steps": 120, "settled": 5}
    whole = begun(**given, **SMALL)
    whole.advance(40)
    whole.set_live("learning_rate", 0.03)
    whole.advance(80)
    spec, state = whole.spec, whole.experiment.start(whole.spec)
    faster = spec.model_copy(update={"learning_rate": 0.03})
    for count in (1, 2, 13, 24, 1, 29, 50):  # cut otherwise
        whole.experiment.advance(state, spec if state.step < 40 else faster, count)
    assert digest(state) == digest(whole.state)
    row = {name: values.tolist() for name, values in whole.row.items()}
    for step in (77, 40, 39, 3, 0, 120):
        whole.seek(step)
    assert digest(whole.state) == digest(state)
    assert str({name: values.tolist() for name, values in whole.row.items()}) == str(row)


def test_a_branch_shares_its_past_and_nothing_else() -> None:
    session = begun(batches=("batch_8", "batch_32"), steps=200)
    session.advance(200)
    end = digest(session.state)
    session.seek(100)
    assert session.set_live("learning_rate", 0.001)
    session.advance(100)
    assert digest(session.state) != end and len(session.branches) == 2
    other = begun(batches=("batch_8", "batch_32"), steps=200)
    other.advance(100)
    other.set_live("learning_rate", 0.001)
    other.advance(100)
    assert digest(other.state) == digest(session.state)
    session.switch(0)
    session.seek(200)
    assert digest(session.state) == end


def test_an_overflow_does_not_depend_on_the_cut() -> None:
    given = {"batches": ("online", "batch_32", "all"), "learning_rate": 1.0, "sampling": "chapter", "steps": 4000}
    session = run(**given)
    state = session.experiment.start(session.spec)
    while session.experiment.advance(state, session.spec, 97).rows:
        pass
    assert digest(state) == digest(session.state) and state.step == session.step
    assert session.finish == "diverged" and len(session.branch.endings) == 3


# -- what the reader sees ----------------------------------------------------------------------------------------------


def test_history_has_the_columns() -> None:
    session = run(batches=("online", "all"), steps=3)
    lines = list(rows(session.experiment, session.view()))
    assert lines[0] == ("step,series,updates,samples,epoch,loss,excess,batch_loss,epoch_loss,distance,gradient_norm,"
                        "gradient_noise,learning_rate\r\n")  # fmt: skip
    assert lines[1].startswith("0,online,0.0,0.0,0.0,") and lines[1].endswith(",,\r\n")
    assert lines[4].startswith("1,all,1.0,1000.0,1.0,") and len(lines) == 9


@pytest.mark.parametrize(
    ("settings", "key"),
    [
        ({"batches": ()}, "batches"), ({"data": "own", "samples": 100}, "batches"),
        ({"batches": ("own",), "own.size": 1001}, "own.size"), ({"second": 1}, "second"), ({"first": 11}, "first"),
        ({"data": "own", "samples": 20, "inputs": 20, "batches": ("all",)}, "samples"), ({"learning_rate": 0}, "learn"),
    ],
)  # fmt: skip
def test_wrong_settings_are_told_in_one_line(settings: dict[str, Any], key: str) -> None:
    experiment = load(ID)
    with pytest.raises(SpecError, match=key) as told:
        experiment.check(build(experiment.Spec, {"batches": ("batch_512",), **settings}))
    assert "\n" not in str(told.value)


@pytest.mark.parametrize("plane", ["eigenvectors", "path"])
def test_the_map_has_the_loss_of_the_plane_and_the_way_lies_in_it(plane: str) -> None:
    session = begun(batches=("all",), plane=plane, first=2, second=5)
    found = session.state.problem
    np.testing.assert_allclose(found.plane @ found.plane.T, np.eye(2), atol=1e-12)
    x0, x1, y0, y1 = session.experiment.extent(session.spec)
    assert x0 < session.row["along"][0] < x1 and y0 < session.row["across"][0] < y1 and x0 < 0 < x1 and y0 < 0 < y1
    z = session.probe("field", extent=(x0, x1, y0, y1), n=5)
    w = found.minimum + found.vectors @ (np.linspace(x0, x1, 5)[3] * found.plane[0]
                                         + np.linspace(y0, y1, 5)[1] * found.plane[1])  # fmt: skip
    loss = ((found.x @ w - found.y) ** 2).mean()
    assert z[1, 3] == pytest.approx(loss - found.floor, rel=1e-9)
    if plane == "path":  # nearly all of the way is in the plane of its two main directions
        assert session.row["along"][0] == pytest.approx(session.row["distance"][0], rel=0.02)


@pytest.mark.parametrize("sampling", ["shuffle", "replacement", "additive"])
def test_the_cloud_lies_around_the_full_gradient(sampling: str) -> None:
    session = begun(batches=("online", "batch_32", "all"), sampling=sampling, steps=50)
    session.advance(20)
    found, cloud = session.state.problem, session.probe("cloud", series="batch_32")
    assert "Batch 32" in cloud.note
    dots = {line.name: line for line in cloud.lines if line.points}
    full = found.plane @ (found.curvatures * session.state.c[1])
    assert [dots["full gradient"].x[0], dots["full gradient"].y[0]] == pytest.approx(full.tolist())
    reach = {line.name: np.ptp(line.x) / 4 for line in cloud.lines if line.dashed}  # two standard deviations a side
    rest = 2 * (found.rotated @ session.state.c[1] - found.rest)
    single = np.std(rest * (found.rotated @ found.plane[0])) if sampling != "additive" else 1.0
    share = 968 / 999 if sampling == "shuffle" else 1.0  # 32 out of 1,000 without putting back
    assert reach["Online (1), 2 sd"] == pytest.approx(single, rel=2e-3)  # the ring is a polygon
    assert reach["Batch 32, 2 sd"] == pytest.approx(single * np.sqrt(share / 32), rel=2e-3)
    assert 0.7 < np.std(dots["Batch 32"].x) / reach["Batch 32, 2 sd"] < 1.3  # of 80 batches
    for name, line in dots.items():
        room = 4.5 * max(np.std(line.x), np.std(line.y)) / np.sqrt(len(line.x)) + 1e-12
        assert np.hypot(line.x.mean() - full[0], line.y.mean() - full[1]) < room, name


def test_pictures_of_a_run_that_flies_off() -> None:
    session = run(batches=("all", "batch_32"), learning_rate=1.0, steps=5000)
    assert session.probe("cloud").lines == () and "flown off" in session.probe("cloud").note
    assert all(line.dashed for line in session.probe("variance").lines)
    with pytest.raises(KeyError):
        session.probe("nothing")


def test_the_variance_is_told_once_it_is_averaged() -> None:
    session = begun(batches=("batch_8", "all"), settled=30, steps=100)
    session.advance(30)
    assert session.probe("variance").note.startswith("Dots: from update 31 on.")
    session.advance(50)
    told = {line.name: line for line in session.probe("variance").lines}
    np.testing.assert_array_equal(told["Batch 8"].y, session.state.sums[0] / 50)
    assert set(told) == {"Batch 8", "All samples", "Batch 8, theory"}
    session.set_live("learning_rate", 0.001)
    session.advance(10)
    assert session.probe("variance").note.startswith("Dots: from update 111 on.")


def test_every_question_has_its_answer() -> None:
    experiment = load(ID)
    expected = ["all", "diverged"]
    for question, answer in zip(predictions(ID), expected, strict=True):
        session = Session(experiment, preset_spec(experiment, question.preset))
        session.advance(10**6)
        found = measured(question.measure, summary(experiment, session.view()), experiment.loss)
        assert found == answer and question.answers[found] in question.choices, "the explanation says so"


def test_the_presets_are_as_good_as_they_say() -> None:
    experiment = load(ID)
    assert len(presets(ID)) >= 6
    for preset in presets(ID):
        session = Session(experiment, preset_spec(experiment, preset.name))
        session.advance(2000)
        lost = any(ending.finish == "diverged" for ending in session.branch.endings)
        assert lost == (preset.name in ("too_fast", "online_too_fast")) and (
            preset.good or preset.name == "valley" or lost
        )


# -- scripts -----------------------------------------------------------------------------------------------------------


SCRIPTS = [
    *({"batches": FOUR, "sampling": sampling, "clock": "samples", "samples_per_step": 77, **SMALL}
      for sampling in SAMPLINGS),
    {"batches": FOUR, "sampling": "chapter", "last_batch": "chapter"},
    {"batches": ("all",), "sampling": "additive", "start": "minimum"},
    {"batches": ("all",), "sampling": "chapter"},
    {"batches": ("batch_8", "batch_128"), "sampling": "additive", "scaling": "root"},
]  # fmt: skip


@pytest.mark.parametrize("settings", SCRIPTS)
def test_scripts_repeat_every_contestant(settings: dict[str, Any], alone: Alone) -> None:
    session = begun(steps=40, **settings)
    session.advance(15)
    session.set_live("learning_rate", 0.03)
    session.advance(25)
    text = script(session)
    assert "Every contestant ended where it ended in the app." in alone.says(text)
    first = next(row for row in text.splitlines() if row.startswith(f"    {session.series[0]!r}: ("))
    wrong = text.replace(first, first.replace("[", "[1 + ", 1))
    assert re.search("AssertionError: .*in the app at", alone.fails(wrong))


def test_a_script_tells_of_an_overflow(alone: Alone) -> None:
    session = run(batches=("online", "batch_32"), learning_rate=0.2, steps=1600)
    assert "lost as in the app" in alone.says(script(session))


# -- on screen ---------------------------------------------------------------------------------------------------------


def test_the_ways_are_on_the_map_and_the_chapters_plot_comes_forward(qtbot: QtBot) -> None:
    experiment = load(ID)
    session = Session(experiment, preset_spec(experiment, "chapter"))
    session.advance(96)
    view: Any = view_for(experiment, DARK)
    view.resize(1000, 700)
    qtbot.addWidget(view)
    told = session.view()
    view.set_spec(told.spec)
    view.show_run(
        told, {name: session.probe(probe, **dict(asked)) for name, (probe, asked) in view.wanted().items()}, ()
    )
    (trail,) = view.map.trails.values()
    assert len(trail.x) == 98 and trail.x[-1] == session.row["along"][0]  # 97 rows, and the head
    assert "field" not in view.wanted() and view.map.relief is not None
    own, given_up = view.curves["epoch_loss"], view.panel.plots[1]
    assert not view.panel.shows(own)
    view.show_drawn(experiment.drawn(told.spec, told)[0])
    assert view.panel.plots[1] is own
    view.show_drawn(None)
    assert view.panel.plots[1] is given_up
    view.map.viewChanged.emit(0.0, 1.0, 0.0, 2.0)
    assert view.wanted()["field"][1]["extent"] == (0.0, 1.0, 0.0, 2.0)
    view.rest()
