"""networks.depth: gradients and updates against torch, degradation over seeds, runs against their past."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch

from engine.experiments import load
from engine.experiments.networks._depth.network import Net, Run
from engine.experiments.networks._depth.settings import NETWORKS, depths
from engine.experiments.networks._depth.training import Team, batch_rows, first_weights, samples
from engine.session.presets import predictions, preset_spec, presets
from engine.session.session import Session
from engine.session.snapshots import digest
from engine.spec import SpecError, build

ID = "networks.depth"
EXPERIMENT: Any = load(ID)
SMALL = {"depth": 7, "width": 6, "samples": 40, "test_samples": 30, "batch_size": 16, "steps": 12, "seeds": 2}
F = torch.nn.functional


def spec(**settings: Any) -> Any:
    return build(EXPERIMENT.Spec, settings)


def run(**settings: Any) -> Any:
    """A finished run of small networks."""
    session = Session(EXPERIMENT, spec(**{**SMALL, **settings}))
    session.advance(10**6)
    return session


def through_torch(net: Net, flat: Any, x: Any) -> Any:
    """The network written anew, of one seed: logits [samples, classes] of x [samples, inputs]."""
    own = [[flat[at : at + s[0] * s[1]].reshape(s) for at, s in slots] for slots in net.slots]

    def weigh(k: int, h: Any) -> Any:
        return F.linear(h, own[k][0], own[k][1][:, 0] if len(own[k]) == 2 else None)

    def norm(k: int, h: Any) -> Any:
        if net.normalization == "none":
            return h
        gamma, beta = own[k][1][:, 0], own[k][2][:, 0]
        if net.normalization == "layer":
            return F.layer_norm(h, (net.width,), gamma, beta)
        return F.batch_norm(h, None, None, gamma, beta, training=True)

    bend: Any = getattr(torch, net.activation)
    if net.kind == "preactivation":
        h = weigh(0, x)
        for block in net.blocks:
            way = h
            for k in block:
                way = weigh(k, bend(norm(k - 1, way)))
            h = h + net.branch * way
        return weigh(net.depth - 1, bend(norm(net.depth - 2, h)))
    h = bend(norm(0, weigh(0, x)))
    for block in net.blocks:
        way = h
        for k in block[:-1]:
            way = bend(norm(k, weigh(k, way)))
        way = norm(block[-1], weigh(block[-1], way))
        h = bend(way if net.kind == "plain" else h + net.branch * way)
    return weigh(net.depth - 1, h)


@pytest.mark.parametrize("activation", ["relu", "tanh"])
@pytest.mark.parametrize("normalization", ["batch", "layer", "none"])
@pytest.mark.parametrize("kind", NETWORKS)
def test_loss_and_every_gradient_are_torchs(kind: str, normalization: str, activation: str) -> None:
    random = np.random.default_rng(3)
    for depth, branch in ((3, 1.0), (6, 1.0), (7, 0.3)):
        net = Net(kind, depth, 5, 2, 3, normalization, activation, branch)
        params = first_weights(net, [4, 9]) + 0.1 * random.standard_normal((2, net.parameters))
        x, y = random.standard_normal((2, 2, 11)), random.integers(0, 3, (2, 11))
        mine = Run(net, params, x)
        losses, signal = mine.loss(y)
        gradient = mine.back(signal)
        for j in range(2):
            flat = torch.tensor(params[j], requires_grad=True)
            logits = through_torch(net, flat, torch.tensor(x[j].T))
            loss = F.cross_entropy(logits, torch.tensor(y[j]))
            loss.backward()  # type: ignore[no-untyped-call]
            np.testing.assert_allclose(mine.logits[j].T, logits.detach(), rtol=1e-9, atol=1e-12)
            assert losses[j] == pytest.approx(float(loss.detach()), rel=1e-12)
            assert flat.grad is not None
            np.testing.assert_allclose(gradient[j], flat.grad, rtol=1e-7, atol=1e-12)
            assert mine.accuracy(y)[j] == float((logits.argmax(1) == torch.tensor(y[j])).double().mean())


@pytest.mark.parametrize("optimizer", ["momentum", "sgd", "adam"])
def test_updates_are_torchs(optimizer: str) -> None:
    own = spec(**SMALL, optimizer=optimizer, networks=("preactivation",), learning_rate=0.01)
    data = samples(own)
    team = Team.fresh(own, "preactivation", own.depth, data)
    flat = torch.tensor(team.params[1], requires_grad=True)
    rule: Any = torch.optim.Adam if optimizer == "adam" else torch.optim.SGD
    made = rule([flat], lr=0.01, **({"momentum": 0.9} if optimizer == "momentum" else {}))
    for update in range(1, 8):
        rows = batch_rows(1, update, 40, 16)
        assert len(rows) == (8 if update % 3 == 0 else 16)
        made.zero_grad()
        x, y = torch.tensor(data.x.T[rows].copy()), torch.tensor(data.y[rows])
        F.cross_entropy(through_torch(team.net, flat, x), y).backward()  # type: ignore[no-untyped-call]
        made.step()
        team.update(own, data, update)
        np.testing.assert_allclose(team.params[1], flat.detach(), rtol=1e-7, atol=1e-9)


def test_an_epoch_takes_every_sample_once() -> None:
    for seed in (0, 5):
        rows = np.concatenate([batch_rows(seed, update, 40, 16) for update in (4, 5, 6)])
        assert sorted(rows) == list(range(40))
    assert not np.array_equal(batch_rows(0, 1, 40, 16), batch_rows(5, 1, 40, 16))


@pytest.mark.parametrize("normalization", ["batch", "layer", "none"])
def test_all_kinds_have_equally_many_parameters_and_the_same_first_weights(normalization: str) -> None:
    for depth in (3, 10, 51):
        nets = [Net(kind, depth, 16, 2, 2, normalization) for kind in NETWORKS]
        assert len({net.parameters for net in nets}) == 1
        per_layer = 16 * (16 + (1 if normalization == "none" else 2))
        assert nets[0].parameters == 16 * (2 + per_layer // 16 - 16) + (depth - 2) * per_layer + 2 * 17
        first = [first_weights(net, [0, 1]) for net in nets]
        np.testing.assert_array_equal(first[0], first[1])
        np.testing.assert_array_equal(first[0], first[2])


def test_measuring_takes_the_statistics_of_the_training_samples() -> None:
    session = run(networks=("residual",), seeds=1)
    team, data = session.state.teams[0], session.state.data
    found = team.measured(data)
    flat, x, y = torch.tensor(team.params[0]), torch.tensor(data.x.T.copy()), torch.tensor(data.y)
    train = F.cross_entropy(through_torch(team.net, flat, x), y)
    assert found[0, 0] == pytest.approx(float(train), rel=1e-10)
    statistics = Run(team.net, team.params, data.x[None]).kept.statistics
    alone = Run(team.net, team.params, data.test_x[None, :, :1], statistics)
    both = Run(team.net, team.params, data.test_x[None], statistics)
    np.testing.assert_allclose(alone.logits[0, :, 0], both.logits[0, :, 0], rtol=1e-12)
    losses = F.cross_entropy(torch.tensor(both.logits[0].T.copy()), torch.tensor(data.test_y))
    assert found[2, 0] == pytest.approx(float(losses), rel=1e-12)


def test_plain_degrades_with_depth_and_residual_does_not() -> None:
    """He et al. 2016, figure 1, over seeds and at equal parameter count, to fifty layers."""
    session = Session(EXPERIMENT, spec(study="sweep", depths=(8, 50), steps=130))
    session.advance(10**6)
    (_, shallow), (_, deep) = session.state.past
    plain, residual, pre = 0, 1, 2
    assert shallow[-1][1][0].max() < 0.3, "with eight layers all learn"
    assert deep[-1][1][0][plain].min() > 0.6, "no plain seed leaves guessing at fifty"
    assert np.median(deep[-1][1][0][residual]) < 0.35 and deep[-1][1][0][pre].max() < 0.35
    assert deep[-1][1][0][residual].max() < deep[-1][1][0][plain].min()
    assert len({team.net.parameters for team in session.state.teams}) == 1
    assert EXPERIMENT.answer(session.spec, session.view(), "deeper plain") == "higher"
    assert EXPERIMENT.answer(session.spec, session.view(), "stops plain") == "50"
    assert EXPERIMENT.answer(session.spec, session.view(), "stops preactivation") == "never"
    picture = session.probe("depths")
    assert picture.marks == ((50.0, "plain stops learning"),)
    np.testing.assert_allclose(picture.lines[-1].y, math.log(2))


def test_plain_relu_with_batch_norm_explodes_downwards() -> None:
    """Yang et al. 2019: about 1.21 a layer; residual sums and pre-activation take most of that away."""
    session = Session(EXPERIMENT, spec(seeds=5, width=32, steps=1))
    middle = {line.name: line.y for line in session.probe("gradient").lines}
    plain, pre = (middle[name][4] / middle[name][44] for name in ("Plain", "Pre-activation"))
    assert plain ** (1 / 40) == pytest.approx(1.21, abs=0.06) and plain > 50 * pre


def test_back_is_exact_and_cuts_do_not_matter() -> None:
    settings = {"study": "sweep", "depths": (4, 7), "normalization": "batch"}
    session = run(**settings)
    for step in (9, 20, 12, 13, 0, 24):
        session.seek(step)
        fresh = Session(EXPERIMENT, session.spec)
        for _ in range(step):
            fresh.advance(1)
        assert digest(session.state) == digest(fresh.state)
        np.testing.assert_equal(session.row, fresh.row)


def test_others_change_nothing() -> None:
    alone, among = run(networks=("residual",), seeds=1), run(seeds=2)
    np.testing.assert_array_equal(alone.state.teams[0].params[0], among.state.teams[1].params[0])


def test_a_live_rate_begins_a_branch_that_shares_its_past() -> None:
    session = run(evaluate_every=1)
    before = session.view().branch.history.values["train_loss"].copy()
    session.seek(6)
    session.set_live("learning_rate", 0.001)
    session.advance(10**6)
    assert len(session.view().branches) == 2
    history = session.view().branch.history
    assert history.steps[0] == 6 and history.steps[-1] == 12
    np.testing.assert_array_equal(history.values["train_loss"][0], before[6])
    assert (history.values["train_loss"][1:] != before[7:]).all()


def test_columns_and_their_gaps() -> None:
    session = run(evaluate_every=5)
    values = session.view().branch.history.values
    measured = np.isfinite(values["train_loss"][:, 0])
    assert np.flatnonzero(measured).tolist() == [0, 5, 10, 12]
    assert np.flatnonzero(np.isfinite(values["final_loss"][:, 0])).tolist() == [12]
    assert (values["train_low"][measured] <= values["train_loss"][measured]).all()
    assert np.isnan(values["batch_loss"][0]).all() and np.isfinite(values["batch_loss"][1:]).all()
    assert values["update"][:, 0].tolist() == list(range(13)) and (values["depth"] == 7).all()


def test_overflow_ends_its_network_alone_and_says_where() -> None:
    session = Session(
        EXPERIMENT, spec(**{**SMALL, "depth": 50, "width": 16, "normalization": "none", "learning_rate": 0.3})
    )
    session.advance(10**6)
    assert [ending.finish for ending in session.branch.endings] == ["diverged", "diverged"]
    assert {ending.series for ending in session.branch.endings} == {1, 2} and session.finish == "done"
    assert "with 50 layers, at a rate of 0.3" in session.branch.endings[0].reason
    assert [row[1] for row in session.probe("table").rows][1:] == ["lost", "lost"]
    for picture in EXPERIMENT.plots:
        if hasattr(picture, "kind"):
            session.probe(picture.name, series="residual")
    assert session.probe("boundary", series="residual") is None
    assert [line.name for line in session.probe("gradient").lines] == ["Plain"]


def test_whoever_is_lost_at_one_depth_is_out_of_the_sweep() -> None:
    session = run(study="sweep", depths=(5, 50, 60), normalization="none", networks=("residual", "plain"), steps=9,
                  width=16)  # fmt: skip
    assert session.state.ended.keys() == {0} and session.finish == "done"
    lines = {line.name: line.y for line in session.probe("depths").lines}
    assert np.isfinite(lines["Residual"]).tolist() == [True, False, False] and np.isfinite(lines["Plain"]).all()


@pytest.mark.parametrize("data", ["moons", "circle", "rings", "digits"])
def test_other_data(data: str) -> None:
    session = run(data=data, depth=4, steps=30, learning_rate=0.05)
    first, last = session.state.told[0][1][0], session.state.told[-1][1][0]
    assert (last < first).all() and session.state.data.classes == {"rings": 3, "digits": 10}.get(data, 2)
    picture = session.probe("boundary", series="plain")
    assert (picture is None) == (data == "digits")
    if picture is not None:
        np.testing.assert_allclose(picture.values.sum(axis=0), 1.0)


def test_no_test_samples() -> None:
    session = run(test_samples=0, seeds=1)
    assert np.isnan(session.row["test_loss"]).all() and np.isfinite(session.row["train_loss"]).all()
    assert session.probe("gradient").lines[0].low is None


def test_every_picture_answers_and_no_other() -> None:
    session = run()
    for picture in EXPERIMENT.plots:
        if hasattr(picture, "kind"):
            assert session.probe(picture.name) is not None
    moved = session.probe("moved").lines[0]
    assert len(moved.x) == 7 and (moved.y > 0).all()
    with pytest.raises(KeyError):
        session.probe("nothing")


def test_blocks_are_drawn_as_they_are_trained() -> None:
    def words(**settings: Any) -> list[list[str]]:
        return [
            [box.words for box in block.boxes] for block in EXPERIMENT.probe(None, spec(**settings), "blocks").blocks
        ]

    plain, residual, pre = words()[:3]
    chapter = ["x", "weights", "Batch norm", "ReLU", "weights", "Batch norm", "+", "ReLU"]
    assert residual == chapter and plain == [word for word in chapter if word != "+"]
    assert pre == ["x", "Batch norm", "ReLU", "weights", "Batch norm", "ReLU", "weights", "+"]
    assert words(normalization="none", activation="tanh")[2] == ["x", "tanh", "weights", "tanh", "weights", "+"]


@pytest.mark.parametrize(
    ("settings", "key"),
    [
        ({"networks": ()}, "networks"),
        ({"study": "sweep", "depths": ()}, "depths"),
        ({"data": "digits", "samples": 1500, "test_samples": 500}, "samples"),
        ({"width": 64, "depth": 66, "batch_size": 1500, "samples": 1500, "seeds": 10}, "width"),
    ],
)
def test_what_is_not_allowed(settings: dict[str, Any], key: str) -> None:
    with pytest.raises(SpecError) as error:
        EXPERIMENT.check(spec(**settings))
    assert error.value.key == key and "\n" not in str(error.value)


def test_the_widest_allowed_is_allowed() -> None:
    wide = {"depth": 66, "batch_size": 1500, "samples": 1500, "seeds": 10}
    with pytest.raises(SpecError) as error:
        EXPERIMENT.check(spec(width=64, **wide))
    EXPERIMENT.check(spec(width=int(str(error.value).rsplit(" ", 1)[1]), **wide))


def test_presets_are_sound() -> None:
    for preset in presets(ID):
        own: Any = preset_spec(EXPERIMENT, preset.name)
        EXPERIMENT.check(own)
        assert preset.why and depths(own)
    named = {preset.name for preset in presets(ID)}
    assert all(prediction.preset in named for prediction in predictions(ID))
    assert all(set(prediction.answers.values()) <= set(prediction.choices) for prediction in predictions(ID))


@pytest.mark.parametrize(
    ("preset", "words", "answer"), [("no_norm", "", "diverged"), ("fifty", "lower plain", "larger")]
)
def test_questions_are_answered(preset: str, words: str, answer: str) -> None:
    session = Session(EXPERIMENT, preset_spec(EXPERIMENT, preset))
    session.advance(12)
    if words:
        assert EXPERIMENT.answer(session.spec, session.view(), words) == answer
    else:
        assert session.branch.endings[0].finish == answer
    with pytest.raises(ValueError, match="is not known"):
        EXPERIMENT.answer(session.spec, session.view(), "who knows")
