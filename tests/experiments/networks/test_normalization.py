"""networks.normalization: equal to torch's layers on the chapter's tensor; batch norm's weakness, measured."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from engine.experiments import load
from engine.experiments.networks._normalization.settings import NORMS, batch_sizes, updates
from engine.experiments.networks._normalization.tensor import feature_maps, grouping, normalised, torchs
from engine.experiments.networks._normalization.training import describe
from engine.session.commands import main
from engine.session.presets import predictions, preset_spec, presets
from engine.session.session import Session
from engine.session.snapshots import digest
from engine.spec import SpecError, build

ID = "networks.normalization"
EXPERIMENT: Any = load(ID)
FOUR = ("batch", "layer", "instance", "group")
SMALL = {"study": "train", "samples": 48, "test_samples": 40, "maps": 4, "seeds": 2, "batch_size": 8, "epochs": 2}


def spec(**settings: Any) -> Any:
    return build(EXPERIMENT.Spec, settings)


def run(**settings: Any) -> Any:
    session = Session(EXPERIMENT, spec(**settings))
    session.advance(10**6)
    return session


# -- on a tensor -----------------------------------------------------------------------------------------------------


def test_the_chapters_tensor() -> None:
    x = feature_maps(spec())
    assert x.shape == (4, 3, 4, 4)
    np.testing.assert_allclose(x[0, :, 0, 0], [12.48357077, 0.81252582, -4.7010459], atol=5e-9)


@pytest.mark.parametrize("shape", [{}, {"batch": 2, "channels": 6, "side": 3, "group_size": 2, "tensor_seed": 7}])
@pytest.mark.parametrize("eps", [1e-5, 0.1])
@pytest.mark.parametrize("norm", FOUR)
def test_equal_to_torchs_layers(norm: str, eps: float, shape: dict[str, Any]) -> None:
    own = spec(**shape, eps=eps, norms=(norm,))
    x = feature_maps(own)
    c = own.channels
    layer: Any = {
        "batch": torch.nn.BatchNorm2d(c, eps=eps), "layer": torch.nn.LayerNorm(x.shape[1:], eps=eps),
        "instance": torch.nn.InstanceNorm2d(c, eps=eps), "group": torch.nn.GroupNorm(c // own.group_size, c, eps=eps),
    }[norm].double()  # fmt: skip
    with torch.no_grad():
        wanted = layer(torch.tensor(x)).numpy()
    found = normalised(x, norm, own.group_size, eps)
    np.testing.assert_allclose(found.after, wanted, rtol=0, atol=1e-13)
    np.testing.assert_array_equal(torchs(x, norm, own.group_size, eps), wanted)


def test_the_conventions_differ_by_as_much_as_the_chapter_facts_say() -> None:
    x = feature_maps(spec())
    apart = max(float(np.abs(normalised(x, n).after - normalised(x, n, book=True).after).max()) for n in FOUR)
    assert apart == pytest.approx(1.37e-5, rel=0.01)
    table = EXPERIMENT.probe(EXPERIMENT.start(spec()), spec(), "torch")
    assert table.good == (0, 1, 2, 3) and max(float(row[3]) for row in table.rows) == pytest.approx(1.37e-5, rel=0.05)
    book = spec(convention="book")
    assert EXPERIMENT.probe(EXPERIMENT.start(book), book, "torch").good == ()


def test_the_listing_by_hand() -> None:
    """The chapter's loops, written anew over the axes."""
    x = feature_maps(spec())
    for norm, axes in {"batch": (0, 2, 3), "layer": (1, 2, 3), "instance": (2, 3), "group": (2, 3)}.items():
        wanted = (x - x.mean(axis=axes, keepdims=True)) / (x.std(axis=axes, keepdims=True) + 1e-5)
        np.testing.assert_allclose(normalised(x, norm, book=True).after, wanted, rtol=0, atol=1e-13)
    unbiased = normalised(x, "batch", unbiased=True)
    np.testing.assert_allclose(unbiased.variance, x.var(axis=(0, 2, 3), ddof=1), rtol=1e-13)


def test_groups_of_one_channel_are_instance_norm_and_one_group_is_layer_norm() -> None:
    x = feature_maps(spec(channels=6))
    np.testing.assert_array_equal(normalised(x, "group", 1).after, normalised(x, "instance").after)
    np.testing.assert_array_equal(normalised(x, "group", 6).after, normalised(x, "layer").after)
    np.testing.assert_array_equal(grouping("group", x.shape, 1), grouping("instance", x.shape, 1))
    assert [int(grouping(norm, x.shape, 2).max()) + 1 for norm in (*FOUR, "none")] == [6, 4, 24, 12, 0]


def test_one_step_normalises_one_group_of_each() -> None:
    session = Session(EXPERIMENT, spec(norms=(*FOUR, "none")))
    assert session.steps == 12
    before = session.state.tensors[0].before
    for step in range(1, 13):
        session.advance(1)
        for one in session.state.tensors:
            now = one.at(step)
            turned = (one.groups >= 0) & (one.groups < step)
            np.testing.assert_array_equal(now[~turned], before[~turned])
            assert not np.isclose(now[turned], before[turned]).all() or not turned.any()
            for g in range(min(step, one.count)):
                assert now[one.groups == g].mean() == pytest.approx(0.0, abs=1e-12)
                assert now[one.groups == g].var() == pytest.approx(1.0, abs=1e-4)
        cubes = session.probe("cube").cubes
        assert [cube.done for cube in cubes] == [min(step, count) for count in (3, 4, 12, 12, 0)]
    assert session.finish == "done"
    means = session.probe("means", series="instance").values
    assert (means == 0).all() and (np.abs(session.probe("means", series="layer").values) > 0.1).any()
    assert EXPERIMENT.answer(session.spec, session.view(), "groups group") == "12"
    mean = session.view().branch.history.values["mean"]
    assert np.isfinite(mean).sum(axis=0).tolist() == [3, 4, 12, 12, 0]


def test_histograms_have_the_chapters_bins() -> None:
    session = run()
    for name in ("before", "after"):
        groups = session.probe(name, series="layer").groups
        assert [len(one.counts) for one in groups] == [20] * 3 and [one.counts.sum() for one in groups] == [64] * 3
    before = session.probe("before").groups[0]
    wanted, edges = np.histogram(feature_maps(spec())[:, 0], bins=20)
    np.testing.assert_array_equal(before.counts, wanted)
    np.testing.assert_allclose(before.edges, edges)


def test_single_numbers_become_nothing_and_torch_refuses() -> None:
    session = run(side=1)
    assert (session.state.tensors[2].after == 0).all()
    told = {row[0]: row[1] for row in session.probe("torch").rows}
    assert told["Instance norm"] == "refused" and told["Layer norm"] != "refused"
    assert run(side=1, variance="unbiased").finish == "done"


# -- training --------------------------------------------------------------------------------------------------------


def test_batch_norm_is_the_weak_one_at_batches_of_two() -> None:
    """Wu and He 2018, figure 1, in small: over seeds, batch norm loses with two samples and not with sixteen."""
    session = run(study="sweep", sizes=(2, 16), norms=("batch", "group"), test_samples=0, seeds=3)
    (_, sixteen), (_, two) = session.state.past
    assert [size for size, _ in session.state.past] == [16, 2]
    batch, group = two[-1][1][0]
    assert batch.min() > 1.3 * group.max()
    one, other = sixteen[-1][1][0]
    assert np.median(one) < 1.15 * np.median(other)
    assert EXPERIMENT.answer(session.spec, session.view(), "worst") == "batch"
    assert EXPERIMENT.answer(session.spec, session.view(), "better group") == "small"
    lines = session.probe("sizes").lines
    assert lines[0].x.tolist() == [2.0, 16.0] and lines[0].y[0] == np.median(batch)


def test_groups_of_one_map_train_as_instance_norm() -> None:
    """PyTorch computes both in different ways, so to rounding."""
    session = run(**{**SMALL, "groups": 4, "maps": 4, "norms": ("instance",)})
    description = describe(spec(**{**SMALL, "groups": 4}), "group")
    assert description.layers[0].groups == description.layers[0].channels == 4
    assert session.finish == "done"


def test_training_back_is_exact_and_cuts_do_not_matter() -> None:
    settings = {**SMALL, "study": "sweep", "sizes": (8, 20), "norms": ("batch", "none"), "epochs": 1}
    session = run(**settings)
    assert session.step == session.steps == 6 + 3
    for step in (5, 2, 7, 9, 0):
        session.seek(step)
        fresh = Session(EXPERIMENT, session.spec)
        for _ in range(step):
            fresh.advance(1)
        assert digest(session.state) == digest(fresh.state)
        np.testing.assert_equal(session.row, fresh.row)


def test_others_change_nothing() -> None:
    alone, among = run(**{**SMALL, "norms": ("group",), "seeds": 1}), run(**{**SMALL, "norms": FOUR})
    np.testing.assert_array_equal(alone.state.teams[0].params[0], among.state.teams[3].params[0])


def test_a_live_rate_begins_a_branch() -> None:
    session = run(**SMALL, norms=("layer",))
    before = session.state.teams[0].params.copy()
    session.seek(6)
    session.set_live("learning_rate", 0.0001)
    session.advance(10**6)
    assert len(session.view().branches) == 2 and (session.state.teams[0].params != before).any()


def test_columns_of_training() -> None:
    session = run(**SMALL, norms=FOUR)
    values = session.view().branch.history.values
    assert values["update"][:, 0].tolist() == list(range(13)) and (values["batch_size"] == 8).all()
    assert np.isfinite(values["train_loss"]).all() and np.isfinite(values["batch_loss"][1:]).all()
    assert np.flatnonzero(np.isfinite(values["final_loss"][:, 0])).tolist() == [12]
    assert (values["train_low"] <= values["train_loss"]).all() and np.isnan(values["mean"]).all()
    network, team, data = session.state.problem.networks[1], session.state.teams[1], session.state.problem
    losses = [network.loss(team.params[j], team.buffers[j], data.x, data.y) for j in range(2)]
    assert values["final_loss"][12, 1] == np.median(losses)


def test_overflow_ends_its_network_alone() -> None:
    own = spec(**SMALL, norms=("none", "layer"))

    def walked(cuts: int) -> tuple[Any, Any, Any]:
        """Networks without normalisation have become infinite after five updates."""
        state, rows, endings = EXPERIMENT.start(own), [], []
        EXPERIMENT.advance(state, own, 5)
        state.teams[0].params[:] = np.inf
        while (found := EXPERIMENT.advance(state, own, cuts)).rows:
            rows.append(found.values["batch_loss"])
            endings += found.endings
        return state, np.concatenate(rows), endings

    state, losses, endings = walked(100)
    assert [(one.series, one.finish, one.step) for one in endings] == [(0, "diverged", 6)] and state.step == 12
    assert "the last of 2 seeds overflowed at update 6 with batches of 8, at a rate of 0.003" in endings[0].reason
    assert np.isinf(losses[0, 0]) and np.isnan(losses[1:, 0]).all() and np.isfinite(losses[:, 1]).all()
    assert EXPERIMENT.probe(state, own, "standing").rows[0][1] == "lost"
    assert len(EXPERIMENT.probe(state, own, "sizes").lines[0].x) == 0
    other, again, endings_again = walked(1)
    np.testing.assert_array_equal(losses, again)
    assert endings == endings_again and digest(state) == digest(other)


def test_where_all_are_lost_the_run_is_over() -> None:
    own = spec(**SMALL, norms=("none",))
    state = EXPERIMENT.start(own)
    EXPERIMENT.advance(state, own, 3)
    state.teams[0].params[:] = np.inf
    assert EXPERIMENT.advance(state, own, 100).rows == 1 and state.step == 4
    assert EXPERIMENT.advance(state, own, 100).rows == 0


def test_the_rate_goes_with_the_batch_size_where_asked() -> None:
    half = run(**SMALL, norms=("layer",), learning_rate=0.0025)
    linear = run(**SMALL, norms=("layer",), learning_rate=0.01, scaling="linear")
    np.testing.assert_array_equal(half.state.teams[0].params, linear.state.teams[0].params)


def test_every_picture_answers_in_its_study_and_no_other() -> None:
    for session in (run(), run(**SMALL)):
        answered = {p.name for p in EXPERIMENT.plots if hasattr(p, "kind") and session.probe(p.name) is not None}
        tensor = {"cube", "after", "before", "means", "torch", "table"}
        assert answered == (tensor if session.spec.study == "tensor" else {"sizes", "accuracy", "standing"})
        with pytest.raises(KeyError):
            session.probe("nothing")


@pytest.mark.parametrize(
    ("settings", "key"),
    [
        ({"norms": ()}, "norms"),
        ({"group_size": 2}, "group_size"),
        ({"study": "train", "groups": 3}, "groups"),
        ({"study": "sweep", "sizes": ()}, "sizes"),
        ({"study": "train", "samples": 1500}, "samples"),
        ({"study": "train", "maps": 32, "seeds": 10, "batch_size": 256}, "maps"),
    ],
)
def test_what_is_not_allowed(settings: dict[str, Any], key: str) -> None:
    with pytest.raises(SpecError) as error:
        EXPERIMENT.check(spec(**settings))
    assert error.value.key == key and "\n" not in str(error.value)


def test_batch_sizes_go_down_and_no_larger_than_the_samples() -> None:
    own = spec(study="sweep", sizes=(2, 64, 256), samples=50)
    assert batch_sizes(own) == (50, 2) and [updates(own, size) for size in (50, 2)] == [4, 100]


def test_presets_and_questions_are_sound() -> None:
    for preset in presets(ID):
        EXPERIMENT.check(preset_spec(EXPERIMENT, preset.name))
        assert preset.why
    named = {preset.name for preset in presets(ID)}
    assert all(prediction.preset in named for prediction in predictions(ID))
    assert all(set(prediction.answers.values()) <= set(prediction.choices) for prediction in predictions(ID))
    assert set(NORMS) >= set(predictions(ID)[0].answers)
    session = run()
    with pytest.raises(ValueError, match="is not known"):
        EXPERIMENT.answer(session.spec, session.view(), "who knows")


def test_claims_of_the_presets() -> None:
    large: Any = run(eps=1.0).state.tensors[0]
    assert large.variance_after[1] == pytest.approx(0.5, abs=0.02)
    single = run(batch=1).state.tensors
    np.testing.assert_array_equal(single[0].after, single[2].after)


@pytest.mark.parametrize(
    ("settings", "told"),
    [((), False), (("study=train", "samples=16", "test_samples=8", "maps=2", "seeds=1", "epochs=1"), True)],
)
def test_the_command_line_tells_what_the_study_measures(
    settings: tuple[str, ...], told: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = [part for one in settings for part in ("--set", one)]
    assert main(["run", ID, *given, "--out", str(tmp_path)]) == 0
    printed = capsys.readouterr().out
    assert printed.count("train_loss") == 4 * told and "nan" not in printed
    assert not any(line.endswith(" ") for line in printed.splitlines())
