"""networks.architectures: published counts from the outside, every preset and question, its own past, its failures."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.architectures.library import LIBRARY
from engine.experiments import load
from engine.session.commands import main
from engine.session.presets import predictions, preset_spec, presets
from engine.session.results import measured, rows, summary
from engine.session.session import Session
from engine.session.snapshots import digest
from engine.spec import SpecError, build
from gui.mathtext import typeset
from gui.theme import DARK

ID = "networks.architectures"
EXPERIMENT: Any = load(ID)
PUBLISHED = {  # parameters; multiply-adds, as torchvision and the literature print them
    "chapter_cnn": (4_275_594, 24_843_264), "mlp": (11_810, 11_584), "lenet5": (61_706, 416_520),
    "alexnet": (61_100_840, 714_188_480), "vgg16": (138_357_544, 15_470_264_320),
    "googlenet": (6_624_904, 1_498_376_192), "resnet18": (11_689_512, 1_814_073_344),
    "resnet50": (25_557_032, 4_089_184_256), "resnext50_32x4d": (25_028_904, 4_230_479_872),
    "densenet121": (7_978_856, 2_834_161_664), "efficientnet_b0": (5_288_548, 385_814_752),
    "transformer_encoder": (3_152_384, 128 * 3_145_728 + 2 * 128**2 * 512),
}  # fmt: skip


def spec(**settings: Any) -> Any:
    return build(EXPERIMENT.Spec, settings)


def run(steps: int = 10**6, **settings: Any) -> Any:
    session: Any = Session(EXPERIMENT, spec(**settings))
    session.advance(steps)
    return session


def test_the_library_is_the_list_of_models() -> None:
    assert set(PUBLISHED) == set(LIBRARY)
    for name in (*LIBRARY, "custom"):
        assert spec(model=name).model == name


@pytest.mark.parametrize("model", PUBLISHED)
def test_counts_are_the_published_ones(model: str) -> None:
    session = run(model=model)
    told = summary(EXPERIMENT, session.view())
    assert (told["parameters"], told["multiply_adds"]) == PUBLISHED[model]
    assert (told["series"][model]["parameters"], told["series"][model]["multiply_adds"]) == PUBLISHED[model]
    assert told["finish"] == "done"
    values = session.view().branch.history.values
    for total, each in (("parameters", "layer_parameters"), ("multiply_adds", "layer_multiply_adds"),
                        ("total_memory", "memory")):  # fmt: skip
        np.testing.assert_array_equal(values[total][:, 0], values[each][:, 0].cumsum())
    assert values["parameter_share"][-1, 0] == values["multiply_add_share"][-1, 0] == 1.0


def test_the_chapters_shapes_are_what_comes_out() -> None:
    session = run(model="chapter_cnn")
    (drawn,) = EXPERIMENT.drawn(session.spec, session.view())
    (overlay,) = drawn.overlays
    memory = session.view().branch.history.values["memory"][:, 0]
    np.testing.assert_array_equal(memory[overlay.x.astype(int)], overlay.y)
    assert "as written" in drawn.verdict
    other = run(model="chapter_cnn", input="3x62x62")
    assert "differ" in EXPERIMENT.drawn(other.spec, other.view())[0].verdict
    assert not EXPERIMENT.drawn(spec(model="vgg16"), None)


def test_a_step_is_a_layer_and_back_is_exact() -> None:
    session = run(model="resnet18")
    for step in (60, 3, 41, 0):
        session.seek(step)
        fresh = Session(EXPERIMENT, session.spec)
        for _ in range(step):  # one by one
            fresh.advance(1)
        assert digest(session.state) == digest(fresh.state) and session.row == fresh.row
    lines = list(rows(EXPERIMENT, session.view()))
    assert len(lines) == 2 + session.steps == 2 + 69


def test_snapshots_share_what_never_changes() -> None:
    state = run(3, model="densenet121").state
    twin = copy.deepcopy(state)
    assert twin.found is state.found and twin.step == state.step == 3 and twin is not state


@pytest.mark.parametrize(
    ("settings", "step", "layer", "reason"),
    [
        ({"model": "alexnet", "input": "3x32x32"}, 13, "max pool 3×3", "does not fit into 1×1"),
        ({"model": "custom", "layers": "conv 3x3 8; dense 10"}, 2, "dense 10", "flatten it first"),
        ({"model": "custom", "layers": "conv 5x5 8 padding 0", "input": "1x4x4"}, 1, "conv 5×5", "5×5 window"),
        ({"model": "custom", "layers": "conv 3x3 8; residual 16 identity"}, 7, "add", "cannot be added"),
        ({"model": "vgg16", "input": "100"}, 1, "conv 3×3", "needs a picture"),
        ({"model": "custom", "layers": "conv 3x3 9 groups 2"}, 1, "conv 3×3", "2 groups do not divide"),
        ({"model": "custom", "layers": "attention 3", "input": "7x64"}, 1, "attention", "3 heads do not divide"),
    ],
)  # fmt: skip
def test_an_impossible_shape_names_the_layer_and_the_reason(
    settings: dict[str, Any], step: int, layer: str, reason: str
) -> None:
    session = run(**settings)
    view = session.view()
    assert session.finish == "failed" and view.step == step
    assert f"layer {step}" in view.branch.reason and layer in view.branch.reason and reason in view.branch.reason
    for name in EXPERIMENT_PICTURES:  # what was measured stays usable
        session.probe(name)
    session.back(1)
    assert session.finish is None and session.step == step - 1
    assert session.advance(5) == 1 and session.finish == "failed"


EXPERIMENT_PICTURES = ("network", "inner", "costs", "parts", "layers", "library", "inside")


@pytest.mark.parametrize(
    ("settings", "key", "words"),
    [
        ({"layers": "conv 3x3 8; blurr"}, "layers", "'blurr' is no layer"),
        ({"layers": "dense"}, "layers", "'dense': units missing"),
        ({"layers": "3 * (relu"}, "layers", "a ( without its )"),
        ({"layers": "relu)"}, "layers", "a ) without its ("),
        ({"layers": " ; "}, "layers", "no layer is given"),
        ({"layers": "flatten; residual 8"}, "layers", "needs a picture"),
        ({"layers": "conv 3x3 8 colour"}, "layers", "conv takes stride, padding, dilation, groups, nobias"),
        ({"layers": "conv 3x3 0"}, "layers", "from 1 to 65536"),
        ({"layers": "100 * (100 * (relu))"}, "layers", "more than 2000 layers"),
        ({"input": "3x3x3x3"}, "input", "is no shape"),
        ({"input": "0x4x4"}, "input", "from 1 to 16384"),
    ],
)
def test_bad_words_are_told_in_one_line(settings: dict[str, Any], key: str, words: str) -> None:
    with pytest.raises(SpecError) as told:
        EXPERIMENT.check(spec(model="custom", **settings))
    assert told.value.key == key and words in str(told.value) and "\n" not in str(told.value)


def test_the_command_line_tells_the_layer_and_exits_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    given = ["run", ID, "--set", "model=alexnet", "--set", "input=3x32x32", "--out", str(tmp_path)]
    assert main(given) == 2
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("descent-lab:")]
    assert len(lines) == 1 and "layer 13 (max pool 3×3 /2)" in lines[0] and "does not fit" in lines[0]
    told = json.loads((tmp_path / "summary.json").read_text(encoding="utf-8"))
    assert told["finish"] == "failed" and told["series"]["alexnet"]["finish"] == "failed"
    assert main(["run", ID, "--set", "model=lenet5", "--out", str(tmp_path)]) == 0
    told = json.loads((tmp_path / "summary.json").read_text(encoding="utf-8"))
    assert (told["parameters"], told["multiply_adds"]) == (61706, 416520)
    assert main(["run", ID, "--set", "model=custom", "--set", "layers=blurr"]) == 2
    assert "layers: 'blurr' is no layer" in capsys.readouterr().err


@pytest.mark.parametrize("name", [one.name for one in presets(ID)])
def test_every_preset_runs_and_every_layer_has_its_equations(name: str) -> None:
    session: Any = Session(EXPERIMENT, preset_spec(EXPERIMENT, name))
    known = set[str]()
    while True:
        inside = session.probe("inside")
        for line in inside.numbers:
            head = line.partition("=")[0]
            if head not in known:  # one of each kind: setting takes long
                known.add(head)
                assert typeset(line, "#000000", 14.0).renderer is not None, line
        if not session.advance(1):
            break
    assert session.finish == ("failed" if name in ("too_small", "no_projection") else "done")
    for picture in EXPERIMENT_PICTURES:
        session.probe(picture)


def test_the_equations_are_right() -> None:
    session = run(0, model="alexnet")
    inside = session.probe("inside")
    assert inside.numbers[0].endswith("= 55") and r"\frac{224 + 4 - 11}{4}" in inside.numbers[0]
    assert any(line.endswith("= 23296") for line in inside.numbers)
    session.advance(3)
    assert r"r = 19 + (5 - 1) \cdot 8 = 51" in session.probe("inside").numbers
    session = run(model="alexnet")
    assert not session.probe("inside").numbers and "All layers are done" in session.probe("inside").note


def test_the_field_in_the_equation_is_that_of_what_comes_in() -> None:
    """Also behind joins and at the beginning of every way."""
    session = run(0, model="googlenet")
    found = session.state.found
    for step, row in enumerate(found.rows):
        session.advance(step - session.step)
        for line in session.probe("inside").numbers:
            if line.startswith("r = "):
                terms, result = line.removeprefix("r = ").rsplit(" = ", 1)
                value = terms.replace(r"\cdot", "*").replace("(", "").replace(")", "")
                start, size, minus, jump = (int(part) for part in value.replace("+", " ").replace("-", " ").replace(
                    "*", " ").split())  # fmt: skip
                assert start + (size - minus) * jump == int(result) == row.field.size, (step, line)


QUESTIONS = predictions(ID)
RIGHT = ("In the dense layers", "In the convolutions", "Fewer", "Larger than the picture", "No, a layer cannot be")


@pytest.mark.parametrize("index", range(len(QUESTIONS)))
def test_every_question_is_answered_by_a_run(index: int) -> None:
    question = QUESTIONS[index]
    session: Any = Session(EXPERIMENT, preset_spec(EXPERIMENT, question.preset))
    session.advance(10**6)
    view = session.view()
    if question.measure.startswith("own "):
        found = EXPERIMENT.answer(view.spec, view, question.measure.removeprefix("own "))
    else:
        found = measured(question.measure, summary(EXPERIMENT, view), EXPERIMENT.loss)
    answer = question.answers.get(found, found)
    assert answer in question.choices and answer == RIGHT[index]


@pytest.mark.parametrize(
    ("settings", "wanted"),
    [
        ({"model": "mlp"}, ("networks.playground", {"hidden": (128, 64, 32), "activation": "relu"})),
        ({"model": "custom", "layers": "dense 4; tanh; dense 1", "input": "2"},
         ("networks.playground", {"hidden": (4,), "activation": "tanh"})),
        ({"model": "custom", "layers": "dense 300; tanh; dense 1", "input": "2"}, None),
        ({"model": "custom", "layers": "dense 3; tanh; dense 3; relu; dense 1", "input": "2"}, None),
        ({"model": "custom", "layers": "relu; dense 3", "input": "2"}, None),
        ({"model": "vgg16"}, None), ({"model": "alexnet", "input": "3x32x32"}, None),
    ],
)  # fmt: skip
def test_what_can_be_trained_is_handed_over(settings: dict[str, Any], wanted: Any) -> None:
    told = EXPERIMENT.training(spec(**settings))
    if wanted is None:
        assert isinstance(told, str) and told
        return
    assert told == wanted
    other = load(told[0])
    other.check(build(other.Spec, told[1]))


def test_a_small_cnn_is_handed_to_the_convolutions() -> None:
    told = EXPERIMENT.training(preset_spec(EXPERIMENT, "digits"))
    assert not isinstance(told, str) and told[0] == "networks.convolution"
    other = load(told[0])
    made = build(other.Spec, told[1])
    other.check(made)
    assert made.layers == preset_spec(EXPERIMENT, "digits").layers  # type: ignore[attr-defined]
    assert isinstance(EXPERIMENT.training(preset_spec(EXPERIMENT, "own")), str), "residual blocks are not trained there"


def test_it_is_known_by_what_it_says() -> None:
    assert DARK.name == "dark" and EXPERIMENT.label("vgg16") == "VGG-16" and EXPERIMENT.label("custom") == "Your own"
    with pytest.raises(KeyError):
        run(0).probe("nothing")
    with pytest.raises(ValueError, match="not known"):
        EXPERIMENT.answer(spec(), None, "nothing")
