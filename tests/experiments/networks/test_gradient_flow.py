"""networks.gradient_flow: every gradient against torch, layers against published factors, runs against their past."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from engine.experiment import Estimate
from engine.experiments import load
from engine.experiments.networks._gradient_flow import cost
from engine.experiments.networks._gradient_flow.measure import LAYERED, Seed
from engine.experiments.networks._gradient_flow.network import clip, first_weights, norm, task, there_and_back
from engine.experiments.networks._gradient_flow.pictures import factors, stacked
from engine.experiments.networks._gradient_flow.settings import NAMES, TITLES, Network, network
from engine.experiments.networks._gradient_flow.updates import affordable, loss_path
from engine.session.presets import predictions, preset_spec, presets
from engine.session.results import rows, summary
from engine.session.session import Session
from engine.session.snapshots import digest
from engine.spec import SpecError, build

ID = "networks.gradient_flow"
EXPERIMENT: Any = load(ID)
SMALL = {"width": 12, "samples": 9, "seeds": 3, "depth": 5}
F = torch.nn.functional
TORCH: dict[str, Any] = {
    "identity": lambda z: z * 1.0, "sigmoid": torch.sigmoid, "tanh": torch.tanh, "relu": torch.relu,
    "leaky_relu": lambda z: F.leaky_relu(z, 0.01), "elu": F.elu, "gelu": F.gelu, "silu": F.silu, "mish": F.mish,
}  # fmt: skip


def spec(**settings: Any) -> Any:
    return build(EXPERIMENT.Spec, settings)


def run(**settings: Any) -> Any:
    """A finished run of small networks."""
    session = Session(EXPERIMENT, spec(**{**SMALL, **settings}))
    session.advance(10**6)
    return session


def column(session: Any, name: str) -> Any:
    """One column of a finished run as [seeds, depth from the first layer on, contestants]."""
    values = session.view().branch.history.values[name]
    return values.reshape(session.spec.seeds, session.spec.depth, -1)[:, ::-1]


def through_torch(kind: Network, weight: list[Any], x: Any, y: Any) -> tuple[Any, list[Any], list[Any]]:
    """Loss, outputs of the hidden layers, and matrices with their gradients, all by autograd."""
    out, matrices, outs = torch.tensor(x), [torch.tensor(w, requires_grad=True) for w in weight], []
    for matrix in matrices[:-1]:
        z = out @ matrix.T
        if kind.normalization == "batch":
            z = F.batch_norm(z, None, None, training=True)
        elif kind.normalization == "layer":
            z = F.layer_norm(z, (z.shape[1],))
        bent = TORCH[kind.activation](z)
        out = out + kind.branch * bent if kind.residual else bent
        out.retain_grad()
        outs.append(out)
    logits, target = out @ matrices[-1].T, torch.tensor(y)
    loss = F.mse_loss(logits, target) if kind.loss == "mse" else F.cross_entropy(logits, target)
    loss.backward()  # type: ignore[no-untyped-call]
    return loss, outs, matrices


@pytest.mark.parametrize("clipping", ["none", "norm", "value"])
@pytest.mark.parametrize("loss", ["cross_entropy", "mse"])
@pytest.mark.parametrize("residual", [False, True])
@pytest.mark.parametrize("normalization", ["none", "batch", "layer"])
def test_every_gradient_is_torchs(normalization: str, residual: bool, loss: str, clipping: str) -> None:
    for activation in NAMES:
        kind = Network(4, 7, activation, "he_normal", 1.0, normalization, residual, 0.7, clipping, 0.02, loss)
        weight, given = first_weights(4, 7, kind.initialization, kind.std, 5), task(loss, 6, 7, 5)
        found = there_and_back(kind, weight, given)
        wanted, outs, matrices = through_torch(kind, weight, given.x, given.y)
        assert found.loss == pytest.approx(float(wanted.detach()), rel=1e-12)
        for mine, theirs in zip(found.signals, outs, strict=True):
            np.testing.assert_allclose(mine, theirs.grad, rtol=1e-9, atol=1e-13, err_msg=activation)
        np.testing.assert_allclose(found.top, outs[-1].detach(), rtol=1e-11, atol=1e-13)
        for one, matrix in zip(found.gradients, matrices, strict=True):
            np.testing.assert_allclose(one, matrix.grad, rtol=1e-9, atol=1e-13, err_msg=activation)
        if clipping == "norm":
            torch.nn.utils.clip_grad_norm_(matrices, kind.clip_at)
        elif clipping == "value":
            torch.nn.utils.clip_grad_value_(matrices, kind.clip_at)
        for one, matrix in zip(clip(kind, found.gradients), matrices, strict=True):
            np.testing.assert_allclose(one, matrix.grad, rtol=1e-9, atol=1e-13, err_msg=activation)


@pytest.mark.parametrize("settings", [{}, {"normalization": "batch", "residual": True, "clipping": "norm"}])
def test_what_is_measured_is_torchs(settings: dict[str, Any]) -> None:
    session = run(networks=tuple(TITLES), clip_at=0.1, **settings)
    for c, name in enumerate(session.spec.networks):
        kind = network(session.spec, name)
        for s in range(3):
            weight = first_weights(5, 12, kind.initialization, kind.std, s)
            given = task(kind.loss, 9, 12, s)
            loss, outs, matrices = through_torch(kind, weight, given.x, given.y)
            raw = [float(m.grad.norm()) for m in matrices]
            assert column(session, "loss")[s, 0, c] == pytest.approx(float(loss.detach()), rel=1e-12)
            for measure, values in {
                "activation_rms": [float((out.detach() ** 2).mean().sqrt()) for out in outs],
                "activation_variance": [float(out.detach().var(correction=0)) for out in outs],
                "gradient_norm": [float(out.grad.norm()) for out in outs],
                "weight_gradient_norm": raw[:-1],
                "weight_gain": [float(np.linalg.norm(w)) / math.sqrt(12) for w in weight[:-1]],
                "whole_norm": [math.hypot(*raw)] * 5,
            }.items():
                np.testing.assert_allclose(column(session, measure)[s, :, c], values, rtol=1e-9, err_msg=name)
            used = column(session, "clipped_norm")[s, 0, c]
            assert used == pytest.approx(min(0.1, math.hypot(*raw)) if kind.clipping == "norm" else math.hypot(*raw),
                                         rel=1e-4)  # fmt: skip


def test_he_keeps_the_variance_of_relu_and_one_over_fan_in_halves_it() -> None:
    """He et al. 2015, section 2.2, at width 512 over 10 seeds."""
    session = Session(EXPERIMENT, spec(**{"activation": "relu", "initialization": "he_normal", "samples": 32,
                                          "plain.activation": "relu", "plain.initialization": "lecun_normal",
                                          "width": 512, "depth": 20, "seeds": 10}))  # fmt: skip
    session.advance(10**6)
    he, lecun = np.moveaxis(column(session, "activation_variance").mean(axis=0), 1, 0)
    assert (he / he[0] > 0.5).all() and (he / he[0] < 2.0).all()
    np.testing.assert_allclose(lecun[1:] / lecun[:-1], 0.5, atol=0.06)
    assert (lecun[-1] / lecun[0]) ** (1 / 19) == pytest.approx(0.5, abs=0.02)
    he, lecun = factors(session.state.seeds).mean(axis=0)
    assert he == pytest.approx(1.0, abs=0.01) and lecun == pytest.approx(math.sqrt(0.5), abs=0.01)


def test_a_sigmoid_network_does_not_follow_a_quarter() -> None:
    session = Session(EXPERIMENT, preset_spec(EXPERIMENT, "not_a_quarter"))
    session.advance(10**6)
    normal, xavier = factors(session.state.seeds).T
    assert len(normal) == 10 and (normal > 0.8).all() and (normal < 0.95).all()
    np.testing.assert_allclose(xavier, 0.23, atol=0.012)
    assert EXPERIMENT.answer(session.spec, session.view(), "about network") == "most"
    assert EXPERIMENT.answer(session.spec, session.view(), "about plain") == "quarter"


def test_batch_norm_makes_relu_explode_as_published() -> None:
    """Yang et al. 2019, "A mean field theory of batch normalization": the square grows by pi / (pi - 1) a layer."""
    session = Session(EXPERIMENT, spec(networks=("network",), width=256, samples=256, depth=15, seeds=2,
                                       normalization="batch"))  # fmt: skip
    session.advance(10**6)
    assert factors(session.state.seeds).mean() == pytest.approx(math.sqrt(math.pi / (math.pi - 1)), rel=0.01)


def test_orthogonal_layers_keep_every_length() -> None:
    session = run(activation="identity", initialization="orthogonal", networks=("network",), depth=30)
    for name in ("gradient_norm", "activation_rms"):
        values = column(session, name)[:, :, 0]
        np.testing.assert_allclose(values, values[:, :1] * np.ones(30), rtol=1e-12)
    np.testing.assert_allclose(column(session, "factor")[:, :-1, 0], 1.0, rtol=1e-12)


def test_the_table_takes_the_factor_apart(finished: Callable[[str], Session]) -> None:
    session = finished("chapter")
    table = session.probe("table")
    for row in table.rows[:3]:  # neither normalisation nor residual
        assert float(row[2]) == pytest.approx(float(row[1]), rel=0.05)
        assert float(row[3]) * float(row[4]) == pytest.approx(float(row[2]), rel=0.01)
    assert table.rows[3][2:5] == ("", "", "") and table.good == (3,)
    assert [row[1] for row in table.rows[-2:]] == ["0.25", "1.5"]


def test_each_cure_is_the_plain_network_with_one_setting_of_yours() -> None:
    own = spec(**{"normalization": "layer", "residual": True, "clipping": "value", "plain.activation": "tanh"})
    plain = network(own, "plain")
    for name in TITLES:
        kind = network(own, name)
        other = {key for key, value in vars(kind).items() if value != getattr(plain, key)}
        assert other == {
            "plain": set(), "network": {"activation", "initialization", "normalization", "residual", "clipping"},
        }.get(name, {name})  # fmt: skip
    assert network(spec(), "normalization").normalization == "batch" and network(spec(), "clipping").clipping == "norm"


def test_back_is_exact_and_cuts_do_not_matter() -> None:
    session = run(networks=("plain", "residual"))
    for step in (9, 3, 12, 0, 14):
        session.seek(step)
        fresh = Session(EXPERIMENT, session.spec)
        for _ in range(step):
            fresh.advance(1)
        assert digest(session.state) == digest(fresh.state)
        np.testing.assert_equal(session.row, fresh.row)


def test_others_change_nothing() -> None:
    alone, among = run(networks=("residual",)), run(networks=tuple(TITLES))
    place = list(TITLES).index("residual")
    for one, other in zip(alone.state.seeds, among.state.seeds, strict=True):
        np.testing.assert_array_equal(one.layered[:, :, 0], other.layered[:, :, place])


def test_dear_seeds_come_few_in_a_call() -> None:
    own = spec(width=256, depth=30, samples=128, networks=("plain",))  # 2.5e8 multiplications a seed
    state = EXPERIMENT.start(own)
    assert EXPERIMENT.advance(state, own, 10**6).rows == 2 * 30 + 29 and len(state.seeds) == 3


def test_history_has_a_row_for_each_layer_of_each_seed_on_the_way_back() -> None:
    session = run(networks=("plain",), seed=7)
    lines = list(rows(EXPERIMENT, session.view()))
    assert lines[0].startswith("step,series,seed,layer,activation_rms,activation_variance,gradient_norm,")
    told = [line.split(",")[2:4] for line in lines[1:]]
    assert told == [[f"{7.0 + s}", f"{float(k)}"] for s in range(3) for k in (5, 4, 3, 2, 1)]
    assert column(session, "seed")[2, 0, 0] == 9.0
    gradient, factor = column(session, "gradient_norm")[1, :, 0], column(session, "factor")[1, :, 0]
    np.testing.assert_allclose(factor[:-1], gradient[:-1] / gradient[1:], rtol=1e-14)
    assert np.isnan(factor[-1]) and lines[1].split(",")[EXPERIMENT.columns.index("factor") + 2] == ""


def test_overflow_ends_its_network_alone_and_says_where() -> None:
    session = run(initialization="normal", std=100.0, width=64, depth=80, seeds=2, samples=2)
    (ending,) = session.branch.endings
    assert (ending.series, ending.finish, ending.step) == (0, "diverged", 79) and session.finish == "done"
    lost = np.flatnonzero(~np.isfinite(session.state.seeds[0].layered[:2, :, 0]).all(axis=0))[0] + 1
    assert ending.reason == f"activations overflow from layer {lost} on, with seed 0" and lost > 10
    told = summary(EXPERIMENT, session.view())
    assert told["series"]["network"]["step"] == 79 and told["series"]["plain"]["finish"] == "done"
    line = session.probe("variance").lines[0]
    assert np.isfinite(line.y[: lost - 2]).all() and not np.isfinite(line.y[lost + 1 :]).any()
    session.back(40)
    assert session.state.ended == [0] and np.isnan(session.row["gradient_norm"][0])


def test_gradients_that_die_are_zeros_not_failures() -> None:
    session = run(width=4, depth=60, networks=("network",), seeds=10)
    gradient = column(session, "gradient_norm")[:, :, 0]
    assert (gradient[:, 0] == 0).any() and session.finish == "done" and not session.branch.endings
    assert factors(session.state.seeds).min() == 0 and EXPERIMENT.answer(
        session.spec, session.view(), "fate network") == "vanishes"  # fmt: skip


def test_one_layer_has_no_factor() -> None:
    session = run(depth=1)
    assert session.finish == "done" and session.step == 2 and EXPERIMENT.drawn(session.spec, session.view()) == ()
    assert session.probe("table").rows[0][1] == ""


def test_norms_of_very_large_and_small_numbers() -> None:
    for size in (1e-250, 1e-140, 1.0, 1e150, 1e250):
        assert norm(np.array([[3.0], [4.0]]) * size) == pytest.approx(5.0 * size, rel=1e-14)
    assert norm(np.zeros(3)) == 0.0 and norm(np.array([1.0, np.inf])) == np.inf and np.isnan(norm(np.array([np.nan])))


@pytest.mark.parametrize("name", ["network", "plain", "clipping"])
def test_the_first_updates_are_torchs(name: str) -> None:
    own = spec(**SMALL, learning_rate=0.3, clip_at=0.2, residual=True, normalization="layer")
    kind = network(own, name)
    given = task(own.loss, 9, 12, 0)
    weight: Any = first_weights(5, 12, kind.initialization, kind.std, 0)
    path = loss_path(own, kind, 6)
    for k in range(6):
        loss, _, matrices = through_torch(kind, weight, given.x, given.y)
        assert path[k] == pytest.approx(float(loss.detach()), rel=1e-9)
        if kind.clipping == "norm":
            torch.nn.utils.clip_grad_norm_(matrices, 0.2)
        torch.optim.SGD(matrices, lr=0.3).step()
        weight = [matrix.detach().numpy() for matrix in matrices]
    assert path[6] < path[0]


def test_clipping_keeps_updates_finite_and_cures_no_layer() -> None:
    own: Any = preset_spec(EXPERIMENT, "clipped")
    session = Session(EXPERIMENT, own)
    session.advance(10**6)
    plain, clipped = (own.networks.index(name) for name in ("plain", "clipping"))
    every = factors(session.state.seeds)
    np.testing.assert_array_equal(every[:, plain], every[:, clipped])
    assert column(session, "whole_norm").min() > 0.1
    np.testing.assert_allclose(column(session, "clipped_norm")[:, :, clipped], 1.0, rtol=1e-6)
    training = {line.series: line.y for line in session.probe("training").lines}
    assert np.isnan(training["plain"][-1]) and training["clipping"][-1] < training["clipping"][0]
    assert "Plain: not finite after" in session.probe("training").note
    names = [line.name for line in session.probe("update").lines]
    assert "Plain + clipping: not clipped" in names and "Plain: not clipped" not in names


def test_large_networks_make_fewer_updates() -> None:
    assert affordable(spec()) == spec().updates
    own = spec(width=512, depth=20)
    assert 1 <= affordable(own) < own.updates and f"{affordable(own)} of" in EXPERIMENT.probe(
        EXPERIMENT.start(spec()), own, "training").note  # fmt: skip


def test_bands_hold_all_seeds_and_grow_seed_by_seed() -> None:
    session = run(seeds=10, networks=("plain",))
    line = session.probe("gradient").lines[0]
    values = stacked(session.state.seeds, "gradient_norm")[:, :, 0]
    np.testing.assert_array_equal(line.low, values.min(axis=0))
    np.testing.assert_array_equal(line.high, values.max(axis=0))
    np.testing.assert_array_equal(line.y, np.median(values, axis=0))
    session.seek(7)  # the third reading of the second seed: its layer 3
    picture = session.probe("gradient")
    assert picture.note == "Median and range of 2 seeds" and picture.marks == ((3.0, "layer 3"),)
    np.testing.assert_array_equal(picture.lines[0].high, values[:2].max(axis=0))
    bars = session.probe("activations", series="plain")
    assert [one.name for one in bars.groups] == ["Layer 1", "Layer 3", "Layer 5"]
    assert all(one.counts.sum() == 9 * 12 for one in bars.groups)


def test_every_picture_answers_and_no_other() -> None:
    session = run(networks=tuple(TITLES), normalization="batch", clipping="value", clip_at=1e-3)
    for picture in EXPERIMENT.plots:
        assert session.probe(picture.name) is not None
    with pytest.raises(KeyError):
        session.probe("nothing")


def test_the_chapters_curves(finished: Callable[[str], Session]) -> None:
    session = finished("chapter")
    (drawn,) = EXPERIMENT.drawn(session.spec, session.view())
    yours, plain = np.median(column(session, "gradient_norm")[:, -1, :2], axis=0)
    for overlay, factor, begin in zip(drawn.overlays, (0.25, 1.5, None), (plain, yours, yours), strict=True):
        back = 20 - overlay.x
        assert overlay.plot == "gradient" and (back == np.arange(1, 20)).all()
        np.testing.assert_allclose(overlay.y / begin, factor**back if factor else 0.1)
    assert "Your network 5.72" in drawn.verdict and "steepest slope" in drawn.verdict


@pytest.mark.parametrize(
    ("settings", "key"),
    [
        ({"networks": ()}, "networks"),
        ({"networks": ("network", "batch_norm")}, "networks"),
        ({"networks": tuple(TITLES), "width": 512, "depth": 100, "samples": 256}, "width"),
        ({"depth": 101}, "depth"),
        ({"plain.std": 0.0}, "plain.std"),
        ({"normalization": "group"}, "normalization"),
        ({"clip_at": 0.0}, "clip_at"),
    ],
)
def test_wrong_settings_are_told_in_one_line(settings: dict[str, Any], key: str) -> None:
    with pytest.raises(SpecError, match=key) as told:
        EXPERIMENT.check(spec(**settings))
    assert "\n" not in str(told.value)


def test_the_largest_width_that_is_named_is_allowed() -> None:
    large = {"networks": tuple(TITLES), "depth": 100, "samples": 256}
    with pytest.raises(SpecError) as told:
        EXPERIMENT.check(spec(**large, width=512))
    most = int(str(told.value).rpartition(" ")[2])
    EXPERIMENT.check(spec(**large, width=most))
    with pytest.raises(SpecError):
        EXPERIMENT.check(spec(**large, width=most + 1))


def test_every_question_has_its_answer(finished: Callable[[str], Session]) -> None:
    expected = {"own about network": "most", "own fate network": "explodes", "own after clipping": "fallen"}
    for question in predictions(ID):
        session = finished(question.preset)
        found = EXPERIMENT.answer(session.spec, session.view(), question.measure.removeprefix("own "))
        assert set(question.answers.values()) == set(question.choices)
        assert found == expected[question.measure], "the explanation says so"
    with pytest.raises(ValueError, match="own nobody"):
        EXPERIMENT.answer(session.spec, session.view(), "nobody")


CLAIMS = {  # what the presets' words say of each network: the factor of a layer
    "cures": {"plain": (0.22, 0.25), "normalization": (0.95, 1.1), "residual": (0.95, 1.1), "network": (0.95, 1.05),
              "initialization": (0.28, 0.35), "activation": (0.68, 0.73)},
    "chapter": {"network": (5.4, 6.0), "plain": (0.22, 0.25), "normalization": (0.95, 1.1)},
    "hundred": {"network": (0.98, 1.02), "plain": (0.97, 1.02)},
    "clipped": {"plain": (5.4, 6.0), "clipping": (5.4, 6.0)},
    "residual_alone": {"network": (1.5, 1.8), "plain": (0.95, 1.05)},
    "batch_norm_explodes": {"network": (1.2, 1.24)},
    "chaos": {"network": (1.9, 2.2)},
}  # fmt: skip


@pytest.mark.parametrize("name", [preset.name for preset in presets(ID)])
def test_presets_show_what_they_say(name: str) -> None:
    preset = next(one for one in presets(ID) if one.name == name)
    assert len(preset.why) > 40
    own: Any = preset_spec(EXPERIMENT, name)
    seeds: tuple[Seed, ...] = EXPERIMENT.start(own).seeds
    found = dict(zip(own.networks, factors(seeds)[0], strict=True))
    for series, (low, high) in CLAIMS.get(name, {}).items():
        assert low < found[series] < high, (series, found[series])
    assert seeds[0].layered.shape == (len(LAYERED), own.depth, len(own.networks))


def test_there_are_good_and_bad_presets() -> None:
    assert {preset.good for preset in presets(ID)} == {True, False}


@pytest.mark.parametrize(("settings", "low", "high"), [
    ({"branch": 0.2}, 0.95, 1.1),  # what the preset residual_alone asks to try
    ({"normalization": "layer"}, 0.95, 1.1),
])  # fmt: skip
def test_the_cures_named_for_residual_sums_work(settings: dict[str, Any], low: float, high: float) -> None:
    own = build(EXPERIMENT.Spec, {**dict(next(p for p in presets(ID) if p.name == "residual_alone").settings),
                                  **settings})  # fmt: skip
    assert low < factors(EXPERIMENT.start(own).seeds)[0, 0] < high


def test_small_weights_bring_the_quarter_back() -> None:
    own = build(EXPERIMENT.Spec, {**dict(next(p for p in presets(ID) if p.name == "not_a_quarter").settings),
                                  "std": 0.125})  # fmt: skip
    seeds = EXPERIMENT.start(own).seeds
    assert factors(seeds)[0, 0] == pytest.approx(0.235, abs=0.015)
    assert stacked(seeds, "slope_rms")[0, 1:, 0].mean() == pytest.approx(0.236, abs=0.01)


def test_the_estimate_grows_with_what_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    """A clock that a layer of a network moves by a second: what is told is layers times seeds, and what they hold."""
    now = [0.0]

    def measured(given: Any, seed: int) -> None:
        now[0] += float(given.depth * len(given.networks))

    monkeypatch.setattr(cost, "measured", measured)
    monkeypatch.setattr(cost.time, "perf_counter", lambda: now[0])
    for depth in (1, 2, 100):
        given = spec(depth=depth, width=32, samples=16, seeds=7, networks=("network", "plain"))
        found = cost.estimate(given)
        assert found.seconds == pytest.approx(depth * 2 * 7)
        held = there_and_back(network(given, "network"), first_weights(depth, 32, "he_normal", 1.0, 0),
                              task("cross_entropy", 16, 32, 0))  # fmt: skip
        arrays = [g for g in held.gradients[:-1]] * 2 + [a for layer in held.layers for a in (layer.at, layer.slope)]
        arrays += [*held.signals, held.top, *(layer.below for layer in held.layers[1:])]
        assert found.bytes == pytest.approx(sum(a.nbytes for a in arrays), rel=0.3)
    assert cost.words(given, Estimate(9.9, 10**6)) == ""
    assert cost.words(given, Estimate(31.4, 10**6)) == "About 31 s and 1 MiB for 7 seeds; each is drawn as it comes"
