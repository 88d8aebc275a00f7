"""The playground held to the chapter's lab, to its own past, and to hostile settings."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.decomposition import PCA

from engine.data import DATA
from engine.experiments import load
from engine.schedules import SCHEDULES
from engine.session.presets import predictions, preset_spec, presets
from engine.session.results import measured, rows, summary
from engine.session.session import Session
from engine.session.snapshots import digest
from engine.spec import SpecError, build, changed, declarations

ID = "networks.playground"
PLAYGROUND: Any = load(ID)
LAB = {0: 0.6926, 1000: 0.6354, 2000: 0.4986, 3000: 0.4507, 4000: 0.4303, 4999: 0.4197}
QUICK = {"samples": 60, "hidden": (5, 4), "steps": 60}


def run(until: int = 10**6, /, **settings: Any) -> Session:
    session = Session(PLAYGROUND, build(PLAYGROUND.Spec, settings))
    session.advance(until)
    return session


def column(session: Session, name: str) -> Any:
    return session.branch.history.view().values[name][:, 0]


# -- the chapter's lab -------------------------------------------------------------------------------------------------


def test_the_chapters_lab() -> None:
    session = Session(PLAYGROUND, preset_spec(PLAYGROUND, "chapter_lab"))
    session.advance(10**6)
    loss = column(session, "train_loss")
    assert {step: round(float(loss[step]), 4) for step in LAB} == LAB
    assert loss[5000] == pytest.approx(0.419699, abs=1e-6) and np.isfinite(loss).all()
    assert session.row["train_accuracy"][0] == 0.83 and session.finish == "done"
    assert session.state.kernel == "compiled" and session.state.seen == 5000 * 100
    (drawn,) = PLAYGROUND.drawn(session.spec, session.view())
    assert drawn.verdict.startswith("Measured: the same losses") and "6 of the 6" in drawn.verdict
    np.testing.assert_array_equal(drawn.overlays[0].x, list(LAB))


def test_the_labs_first_weights_are_the_first_numbers_of_its_data() -> None:
    session = run(0, data="chapter_xor", test_share=0, hidden=(3,), weights="chapter", dtype="float64")
    weight, bias = session.state.model.layers(session.state.params)[0]
    x = session.state.model.prepared.train.x
    np.testing.assert_allclose(weight.T.ravel(), 0.1 * x.ravel()[:6], rtol=1e-15)
    assert not bias.any()


def test_another_run_on_the_labs_data_says_so() -> None:
    session = run(data="chapter_xor", steps=1200, learning_rate=0.05)
    (drawn,) = PLAYGROUND.drawn(session.spec, session.view())
    assert "another run" in drawn.verdict
    assert PLAYGROUND.drawn(build(PLAYGROUND.Spec, {}), session.view()) == ()


# -- what is measured --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("data", [name for name in DATA if name not in ("csv", "chapter_regression",
                                                                       "chapter_polynomial")])  # fmt: skip
def test_every_data_set_is_learnt(data: str) -> None:
    session = run(data=data, hidden=(12, 8), steps=400, learning_rate=0.02)
    loss = column(session, "train_loss")
    assert session.finish == "done" and session.row["train_loss"][0] < 0.95 * loss[0]
    classes = DATA[data].kind != "regression"
    assert np.isfinite(session.row["test_accuracy"][0]) == classes
    for name in ("network", "boundary", "weights", "activations", "gradients", "confusion", "fit", "inside"):
        session.probe(name)


def test_rows_are_torchs_of_the_same_parameters() -> None:
    """Losses and accuracies of the parameters after step k, on the training and on the test samples."""
    session = run(data="rings", dtype="float64", evaluate_every=7, **QUICK | {"steps": 21})
    model, params = session.state.model, session.state.params
    module = torch.nn.Sequential(
        torch.nn.Linear(2, 5), torch.nn.Tanh(), torch.nn.Linear(5, 4), torch.nn.Tanh(), torch.nn.Linear(4, 3)
    ).double()
    torch.nn.utils.vector_to_parameters(torch.tensor(params), module.parameters())
    for name, x, labels in (("train", model.x, model.labels), ("test", model.test_x, model.test_labels)):
        out = module(torch.tensor(x))
        loss = torch.nn.functional.cross_entropy(out, torch.tensor(labels)).item()
        assert session.row[f"{name}_loss"][0] == pytest.approx(loss, rel=1e-12)
        assert session.row[f"{name}_accuracy"][0] == np.mean(out.argmax(1).numpy() == labels)
    loss = column(session, "train_loss")
    assert np.flatnonzero(np.isfinite(loss)).tolist() == [0, 7, 14, 21]


def test_gradient_norm_and_rate_belong_to_the_step() -> None:
    session = run(data="circle", dtype="float64", batch_size=0, schedule="cosine", **QUICK)
    before = run(29, data="circle", dtype="float64", batch_size=0, schedule="cosine", **QUICK)
    size = np.sqrt(sum(float((part**2).sum()) for layer in before.state.model.gradient(before.state) for part in layer))
    assert column(session, "gradient_norm")[30] == pytest.approx(size, rel=1e-12)
    rates = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.01)
    cosine = torch.optim.lr_scheduler.CosineAnnealingLR(rates, T_max=60)
    for step in range(1, 61):
        assert column(session, "learning_rate")[step] == pytest.approx(cosine.get_last_lr()[0], abs=1e-12)
        rates.step()
        cosine.step()


def test_a_full_batch_measures_its_loss_at_every_step_however_it_is_cut() -> None:
    whole = run(data="moons", batch_size=0, **QUICK)
    cut = run(0, data="moons", batch_size=0, **QUICK)
    for n in (1, 2, 5, 11, 1, 40):
        cut.advance(n)
    np.testing.assert_array_equal(column(whole, "train_loss"), column(cut, "train_loss"))
    np.testing.assert_array_equal(column(whole, "test_loss"), column(cut, "test_loss"))
    assert np.isfinite(column(whole, "train_loss")).all() and digest(whole.state) == digest(cut.state)


def test_epochs_count_every_sample_once() -> None:
    session = run(data="circle", test_share=0.0, batch_size=16, **QUICK)  # 60 samples: batches of 16, 16, 16, 12
    np.testing.assert_allclose(column(session, "epoch")[:6] * 60, [0, 16, 32, 48, 60, 76])


def test_history_file_has_the_columns_of_the_product() -> None:
    session = run(data="circle", evaluate_every=20, **QUICK)
    lines = list(rows(PLAYGROUND, session.view()))
    assert lines[0] == (
        "step,series,epoch,train_loss,test_loss,train_accuracy,test_accuracy,learning_rate,gradient_norm\r\n"
    )
    assert len(lines) == 62 and lines[1].startswith("0,network,0.0,") and lines[1].endswith(",,\r\n")
    assert lines[2].split(",")[3:7] == ["", "", "", ""], "not measured at step 1"
    told = summary(PLAYGROUND, session.view())["series"]["network"]
    assert told["finish"] == "done" and isinstance(told["test_accuracy"], float)


# -- time travel -------------------------------------------------------------------------------------------------------

REPLAYS = {
    "minibatches and dropout": {"batch_size": 7, "dropout": 0.3, "activation": "relu"},
    "nadam, clip, penalties": {"optimizer": "nadam", "batch_size": 0, "clip": 0.5, "l1": 1e-3, "l2": 1e-2},
    "batch norm, residual": {"normalization": "batch", "residual": True, "batch_size": 8, "dropout": 0.2},
    "book nesterov": {"optimizer": "nesterov", "convention": "book", "learning_rate": 0.05},
}


@pytest.mark.parametrize("name", REPLAYS)
def test_back_is_exact_and_a_live_change_branches(name: str) -> None:
    settings = {"data": "moons", **QUICK, **REPLAYS[name]}
    session = run(**settings)
    end = digest(session.state)
    session.seek(23)
    assert digest(session.state) == digest(run(23, **settings).state)
    assert session.set_live("learning_rate", 0.1)
    session.set_live("batch_size", 5)
    session.advance(100)
    again = run(23, **settings)
    again.set_live("learning_rate", 0.1)
    again.set_live("batch_size", 5)
    again.advance(100)
    assert digest(session.state) == digest(again.state) != end
    assert session.row["epoch"] == again.row["epoch"]
    session.switch(0)
    session.seek(60)
    assert digest(session.state) == end


def test_a_snapshot_shares_data_and_network_and_nothing_that_changes() -> None:
    session = run(10, data="moons", **QUICK)
    kept = copy.deepcopy(session.state)
    before = digest(kept)
    session.advance(20)
    assert kept.model is session.state.model and digest(kept) == before != digest(session.state)
    assert not session.state.model.prepared.train.x.flags.writeable


# -- hostile settings --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("optimizer", ["sgd", "momentum"])
def test_rate_100_diverges_with_layer_step_and_rate(optimizer: str) -> None:
    settings = dict(preset_spec(PLAYGROUND, "too_high").model_dump(include={"data", "hidden", "activation",
                                                                            "initialization"}))  # fmt: skip
    session = run(**settings, optimizer=optimizer, learning_rate=100.0)
    (ending,) = session.branch.endings
    assert session.finish == ending.finish == "diverged" and ending.step == session.step < 20
    assert f"overflowed at step {ending.step}, rate 100" in ending.reason and "layer" in ending.reason
    assert np.isfinite(column(session, "train_loss")[: ending.step - 1]).all()
    assert session.advance(10) == 0
    for name in ("network", "boundary", "weights", "activations", "gradients", "confusion", "fit", "inside"):
        session.probe(name)
    session.back(2)
    assert session.finish is None and np.isfinite(session.state.params).all()


@pytest.mark.parametrize(
    "settings",
    [
        {"samples": 1, "data": "circle"}, {"samples": 2, "data": "gauss", "test_share": 0.5},
        {"samples": 1, "data": "regression_plane"}, {"samples": 2, "data": "rings"}, {"samples": 1, "data": "function"},
        {"hidden": (256,) * 8, "samples": 40, "steps": 3}, {"hidden": (), "data": "digits", "steps": 5},
        {"hidden": (1,) * 8}, {"initialization": "normal", "std": 0.0}, {"batch_size": 100_000},
        {"dropout": 0.95, "hidden": (1,)}, {"noise": 10.0}, {"learning_rate": 1e-12}, {"learning_rate": 1e6},
        {"loss": "mse", "data": "rings"}, {"loss": "mse"}, {"loss": "cross_entropy"}, {"normalization": "layer"},
        {"activations": ("relu", "identity", "mish", "gelu")}, {"activation": "prelu", "slope": -1.0},
        {"schedule": "one_cycle"}, {"schedule": "wsd", "steps": 1}, {"clip": 1e-6}, {"evaluate_every": 1_000_000},
        {"data": "function", "formula": "x", "hidden": (3,)}, {"data": "function", "formula": "1"},
    ],
)  # fmt: skip
def test_hostile_settings_run_and_draw(settings: dict[str, Any]) -> None:
    session = run(**{"steps": 25, **settings})
    assert session.finish in ("done", "diverged") and session.step >= 1
    for name in ("network", "boundary", "weights", "activations", "gradients", "confusion", "fit", "inside"):
        session.probe(name)
    session.seek(0)
    assert session.state.step == 0


def test_what_is_unusual_is_told() -> None:
    assert "more than the 42 training samples" in run(0, samples=60, batch_size=500).probe("network").note
    equal = run(0, data="gauss", samples=2, test_share=0.5).probe("inside").note
    assert "labels are equal" in equal
    dead = run(data="circle", activation="relu", hidden=(4, 4), learning_rate=1e4, optimizer="sgd", steps=30)
    assert "no gradient passes" in dead.probe("network").note
    assert dead.row["dead_share"][0] >= 0.5


@pytest.mark.parametrize(
    ("settings", "key"),
    [
        ({"data": "csv"}, "csv"), ({"data": "csv", "csv": "nowhere.csv"}, "csv"),
        ({"data": "function", "formula": "sin(x"}, "formula"), ({"data": "function", "formula": "x*y"}, "formula"),
        ({"data": "function", "formula": "log(x)"}, "formula"), ({"loss": "bce", "data": "rings"}, "loss"),
        ({"loss": "cross_entropy", "data": "function"}, "loss"), ({"hidden": (300,)}, "hidden"),
        ({"hidden": (4,) * 9}, "hidden"), ({"activations": ("softmax",)}, "activations"),
        ({"normalization": "batch", "batch_size": 1}, "batch_size"),
        ({"normalization": "batch", "samples": 1}, "batch_size"),
    ],
)  # fmt: skip
def test_wrong_settings_are_told_in_one_line(settings: dict[str, Any], key: str) -> None:
    with pytest.raises(SpecError) as told:
        Session(PLAYGROUND, build(PLAYGROUND.Spec, settings))
    assert told.value.key == key and "\n" not in str(told.value) and len(str(told.value)) < 300


def test_a_live_batch_that_batch_norm_cannot_take_is_refused() -> None:
    session = run(5, samples=20, test_share=0.0, normalization="batch", batch_size=5, steps=20)
    with pytest.raises(SpecError, match="no variance"):
        session.set_live("batch_size", 19)
    session.advance(5)
    assert session.step == 10


# -- tables of the user's own ------------------------------------------------------------------------------------------

IRIS = "length;width;kind\n" + "".join(
    f"{1 + i % 3 + 0.01 * i:.2f}".replace(".", ",") + f";{2 - i % 3 + 0.02 * i:.2f}".replace(".", ",")
    + f";{('a', 'b', 'c')[i % 3]}\n" for i in range(60)
)  # fmt: skip


def write(tmp_path: Path, text: str) -> str:
    path = tmp_path / "own.csv"
    path.write_text(text, encoding="utf-8")
    return str(path)


@pytest.mark.parametrize(
    ("text", "settings", "kind", "inputs"),
    [
        (IRIS, {}, "classes", 2),
        (IRIS, {"csv_target": "width", "csv_inputs": "length"}, "regression", 1),
        ("a,b,c,d,y\n" + "".join(f"{i},{i * i % 7},{i % 5},3,{i % 2}\n" for i in range(40)), {}, "binary", 4),
        ("\n".join(f"{i / 9} {i % 4} {1e5 * i + 7}" for i in range(30)), {}, "regression", 2),
        ("x,y\n" + "".join(f"{i},{'up' if i > 9 else 'down'}\n" for i in range(20)), {}, "binary", 1),
        ("x,y\n1,2\n", {}, "regression", 1),
        ("x,z,y\n" + "".join(f"{i},{'' if i % 4 else 1},{i / 3}\n" for i in range(24)), {}, "regression", 1),
    ],
)  # fmt: skip
def test_tables_of_any_shape(tmp_path: Path, text: str, settings: dict[str, Any], kind: str, inputs: int) -> None:
    session = run(data="csv", csv=write(tmp_path, text), hidden=(6,), steps=50, **settings)
    data = session.state.model.prepared
    assert (data.kind, data.inputs) == (kind, inputs) and session.finish == "done"
    assert abs(data.train.x.mean()) < 1e-9
    for name in ("network", "boundary", "weights", "activations", "gradients", "confusion", "fit"):
        session.probe(name)
    assert "Predicts" in session.probe("inside").note


def test_a_target_of_large_numbers_is_drawn_in_its_own_units(tmp_path: Path) -> None:
    text = "x,y\n" + "".join(f"{i},{1e5 * i}\n" for i in range(40))
    session = run(data="csv", csv=write(tmp_path, text), hidden=(), learning_rate=0.05, steps=600, batch_size=0)
    line = next(one for one in session.probe("fit").lines if one.name == "network")
    np.testing.assert_allclose(line.y, 1e5 * line.x, atol=2e4)
    assert session.row["train_loss"][0] < 1e-3, "in units of the variance"


@pytest.mark.parametrize(
    "text", ["", "only one column\n1\n2\n", "a,b\n", "\x00\x01\x02", "a,b\nx,\ny,\n", "a,b\n1,2\n3\n4,5,6\n"]
)
def test_tables_that_cannot_be_used_are_told_in_one_line(tmp_path: Path, text: str) -> None:
    path = write(tmp_path, text)
    try:
        session = run(data="csv", csv=path, hidden=(2,), steps=3)
    except SpecError as error:
        assert error.key == "csv" and "\n" not in str(error) and "own.csv" in str(error)
    else:
        assert session.finish == "done" and text.startswith("a,b\n1"), "a ragged table is read with a word"


def test_a_file_that_changes_does_not_change_the_run(tmp_path: Path) -> None:
    path = write(tmp_path, IRIS)
    session = run(40, data="csv", csv=path, hidden=(4,), steps=80)
    before = digest(session.state)
    Path(path).unlink()
    session.advance(20)
    session.seek(40)
    assert digest(session.state) == before


# -- pictures ----------------------------------------------------------------------------------------------------------


def test_a_units_picture_is_its_answer() -> None:
    session = run(40, data="xor", hidden=(12, 3), activation="tanh", dtype="float64")
    found = session.probe("network")
    assert [len(layer) for layer in found.layers] == [2, 10, 3, 1] and found.more == (0, 2, 0, 0)
    assert found.editable == (1, 2) and found.extent == (-2.5, 2.5, -2.5, 2.5)
    weight, bias = session.state.model.layers(session.state.params)[0]
    corner = np.tanh(weight @ [-2.5, -2.5] + bias)
    first = np.array([node.image[0, 0] for node in found.layers[1]])
    largest = np.array([np.abs(node.image).max() for node in found.layers[1]])
    np.testing.assert_allclose(largest, 1.0)
    assert (np.sign(first) == np.sign(corner[:10])).all()
    assert len(found.edges) == 2 * 10 + 10 * 3 + 3
    picked = session.probe("boundary", unit=(2, 1))
    assert "Hidden 2, unit 2" in picked.note
    assert session.probe("boundary", unit=(9, 9)).note == "", "a unit that is gone: the whole network"


def test_the_map_is_the_networks_share() -> None:
    session = run(60, data="circle", hidden=(6,), dtype="float64")
    found = session.probe("boundary")
    weights = session.state.model.layers(session.state.params)
    hidden = np.tanh(weights[0][0] @ [found.extent[1], found.extent[3]] + weights[0][1])
    share = 1 / (1 + np.exp(-(weights[1][0] @ hidden + weights[1][1])))
    assert found.values[-1, -1] == pytest.approx(float(share[0]), rel=1e-9) and found.centre == 0.5
    assert [dots.hollow for dots in found.dots] == [False, True]


def test_many_inputs_are_shown_on_their_principal_plane() -> None:
    session = run(5, data="digits", hidden=(8,), test_share=0.1)
    x = session.state.model.prepared.train.x
    oracle = PCA(2).fit(x)
    two, _, share = session.state.model.prepared.plane
    np.testing.assert_allclose(np.abs(two @ oracle.components_.T), np.eye(2), atol=1e-7)
    assert share == pytest.approx(oracle.explained_variance_ratio_.sum(), rel=1e-9)
    assert session.probe("boundary").values.shape[0] == 10
    assert session.probe("network").layers[1][0].image.shape == (8, 8)


def test_confusion_counts_the_samples_left_out_of_training() -> None:
    session = run(data="rings", **QUICK)
    found = session.probe("confusion")
    assert found.values.sum() == len(session.state.model.test_x)
    right = np.trace(found.values) / found.values.sum()
    assert right == pytest.approx(session.row["test_accuracy"][0])


def test_unknown_pictures_are_refused() -> None:
    with pytest.raises(KeyError):
        run(0).probe("nothing")


# -- presets and questions ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("preset", [p.name for p in presets(ID) if p.name != "chapter_lab"])
def test_presets_do_what_they_say(preset: str, finished: Callable[[str], Session]) -> None:
    session = finished(preset)
    view = session.view()
    last = {name: float(view.latest(name)[0]) for name in ("train_loss", "train_accuracy", "test_accuracy",
                                                           "test_loss", "dead_share")}  # fmt: skip
    low = float(np.nanmin(column(session, "test_loss")))
    holds = {
        "spiral": last["train_accuracy"] > 0.95, "function_fit": last["train_loss"] < 0.005,
        "digits": last["test_accuracy"] > 0.96, "rings": last["test_accuracy"] > 0.95,
        "bumps": last["test_loss"] < 0.02, "batch_norm": last["train_accuracy"] > 0.95,
        "dropout": last["test_loss"] < 1.25 * low, "overfit": last["test_loss"] > 4 * low,
        "linear": last["train_accuracy"] < 0.7 and last["train_loss"] > 0.65,
        "deep_sigmoid": last["train_loss"] > 0.68, "too_high": session.finish == "diverged" and session.step == 3,
        "dead_relu": last["dead_share"] > 0.5, "tiny": last["train_accuracy"] < 0.8,
    }[preset]  # fmt: skip
    assert holds, last


def test_every_question_has_its_answer(finished: Callable[[str], Session]) -> None:
    expected = {"own accuracy 0.9": "no", "own overfits": "yes", "finish network": "diverged"}
    for question in predictions(ID):
        session = finished(question.preset)
        view = session.view()
        own = question.measure.startswith("own ")
        found = (PLAYGROUND.answer(session.spec, view, question.measure[4:]) if own
                 else measured(question.measure, summary(PLAYGROUND, view), PLAYGROUND.loss))  # fmt: skip
        assert question.answers[found] in question.choices and found == expected[question.measure]


def test_conventions_are_told_where_they_differ() -> None:
    spec = build(PLAYGROUND.Spec, {"optimizer": "momentum"})
    assert "velocity" in PLAYGROUND.difference(spec, "network")
    assert "half of it" in PLAYGROUND.difference(changed(spec, "l2", 0.1), "network")
    book = run(convention="book", l2=0.05, optimizer="adamw", **QUICK).state.params
    half = run(convention="pytorch", l2=0.1, optimizer="adamw", **QUICK).state.params
    np.testing.assert_array_equal(book, half)


def test_schedules_that_would_move_the_momentum_say_that_they_do_not() -> None:
    """Their settings stand under a head that says so, and none of them is one of the momentum."""
    groups: dict[str, set[str]] = {}
    for declared in declarations(load(ID).Spec):
        name, _, own = declared.key.rpartition(".")
        if name in SCHEDULES:
            groups.setdefault(name, set()).add(declared.group)
            assert "momentum" not in own
    moving = {name for name in groups if SCHEDULES[name].momentum is not None}
    assert moving == {"one_cycle", "cyclic"}
    for name, heads in groups.items():
        assert heads == {SCHEDULES[name].title + ", rate only" * (name in moving)}
