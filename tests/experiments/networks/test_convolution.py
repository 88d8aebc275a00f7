"""networks.convolution: every position equal to torch's layers; the network reaches 97 % and looks change nothing."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st

from engine.experiments import load
from engine.experiments.networks._convolution.data import digits, shape
from engine.experiments.networks._convolution.kernels import KERNELS, kernel, read
from engine.experiments.networks._convolution.network import described, name_of
from engine.experiments.networks._convolution.settings import LAYERS, SHAPES
from engine.experiments.networks._convolution.window import convolution, count, over_all, pooling
from engine.session.files import from_json, saved, to_json
from engine.session.presets import predictions, preset_spec, presets
from engine.session.session import Session
from engine.session.snapshots import digest
from engine.spec import SpecError, build

ID = "networks.convolution"
EXPERIMENT: Any = load(ID)
F = torch.nn.functional
SMALL = {"study": "training", "samples": 96, "test_samples": 40, "batch_size": 16, "steps": 30,
         "layers": "conv 3x3 3 stride 2; batchnorm; relu; dropout 0.2; flatten; dense 10"}  # fmt: skip
TREE = tuple(range(17)) * 3 + tuple(range(13))


def spec(**settings: Any) -> Any:
    return build(EXPERIMENT.Spec, settings)


def run(**settings: Any) -> Any:
    session = Session(EXPERIMENT, spec(**settings))
    session.advance(10**6)
    return session


# -- by hand, against torch ------------------------------------------------------------------------------------------

pictures = st.tuples(st.integers(1, 9), st.integers(1, 9), st.integers(0, 2**31)).map(
    lambda t: np.random.default_rng(t[2]).integers(0, 17, t[:2]).astype(float)
)
kernels = st.one_of(
    st.sampled_from(sorted(KERNELS)).map(kernel),
    st.tuples(st.integers(1, 5), st.integers(1, 5), st.integers(0, 2**31)).map(
        lambda t: np.random.default_rng(t[2]).normal(size=t[:2])
    ),
)
ONE_TO_FOUR, NONE_TO_FOUR = st.integers(1, 4), st.integers(0, 4)


@given(pictures, kernels, ONE_TO_FOUR, NONE_TO_FOUR, ONE_TO_FOUR, st.floats(-100, 100), st.booleans())
def test_equal_to_conv2d(x: Any, w: Any, stride: int, padding: int, dilation: int, bias: float, turned: bool) -> None:
    rows, columns = (count(n, k, stride, padding, dilation) for n, k in zip(x.shape, w.shape, strict=True))
    t, weight = torch.tensor(x)[None, None], torch.tensor(w[::-1, ::-1].copy() if turned else w)[None, None]
    if not rows or not columns:
        with pytest.raises(RuntimeError):
            F.conv2d(t, weight, None, stride, padding, dilation)
        return
    wanted = F.conv2d(t, weight, torch.tensor([bias], dtype=torch.float64), stride, padding, dilation)[0, 0].numpy()
    found: Any = convolution(x, w, stride, padding, dilation, bias, turned)
    assert found.out.shape == (rows, columns) == wanted.shape
    np.testing.assert_allclose(found.out, wanted, rtol=0, atol=1e-10)
    for position in range(found.positions):  # the window shown is the window summed
        cells = np.array([found.padded[cell] for cell in found.cells(position)])
        place = found.place(position)
        np.testing.assert_array_equal(cells, found.seen[place].ravel())
        assert cells @ found.weights.ravel() + bias == pytest.approx(wanted[place], abs=1e-9)


@given(pictures, st.integers(1, 8), ONE_TO_FOUR, NONE_TO_FOUR, ONE_TO_FOUR)
def test_equal_to_the_poolings(x: Any, window: int, stride: int, padding: int, dilation: int) -> None:
    assume(padding <= window // 2)
    t = torch.tensor(x)[None, None]
    if min(count(n, window, stride, padding, dilation) for n in x.shape):
        wanted = F.max_pool2d(t, window, stride, padding, dilation)[0, 0].numpy()
        np.testing.assert_array_equal(pooling(x, "max", window, stride, padding, dilation).out, wanted)
    if min(count(n, window, stride, padding, 1) for n in x.shape):
        wanted = F.avg_pool2d(t, window, stride, padding)[0, 0].numpy()
        np.testing.assert_allclose(pooling(x, "mean", window, stride, padding).out, wanted, rtol=0, atol=1e-12)
    assert over_all(x, "max").out[0, 0] == float(F.adaptive_max_pool2d(t, 1))
    assert over_all(x, "mean").out[0, 0] == pytest.approx(float(F.adaptive_avg_pool2d(t, 1)), abs=1e-12)


@given(st.sampled_from(sorted(KERNELS)), ONE_TO_FOUR, NONE_TO_FOUR, ONE_TO_FOUR, st.integers(0, 449))
def test_everything_offered_runs_as_conv2d_or_is_refused(
    name: str, stride: int, padding: int, dilation: int, digit: int
) -> None:
    own = spec(kernel=name, stride=stride, padding=padding, dilation=dilation, digit=digit)
    x = torch.tensor(digits(0, 1347, 450).test_x[digit] * 16)[None]
    weight = torch.tensor(kernel(name))[None, None]
    try:
        EXPERIMENT.check(own)
    except SpecError as error:
        assert error.key == "dilation" and "\n" not in str(error)
        with pytest.raises(RuntimeError):
            F.conv2d(x, weight, None, stride, padding, dilation)
        return
    wanted = F.conv2d(x, weight, None, stride, padding, dilation)[0, 0].numpy()
    session = Session(EXPERIMENT, own)
    session.advance(10**6)
    values = session.view().branch.history.values
    assert session.step == session.steps == wanted.size
    np.testing.assert_allclose(values["value"][1:, 0], wanted.ravel(), rtol=0, atol=1e-10)
    np.testing.assert_array_equal(values["row"][1:, 0] * wanted.shape[1] + values["column"][1:, 0],
                                  np.arange(wanted.size))  # fmt: skip


# -- by hand, on the page --------------------------------------------------------------------------------------------


def test_one_step_is_one_position() -> None:
    session = Session(EXPERIMENT, spec(padding=1, stride=2, digit=3))
    out = session.state.sweep.out
    for step in range(session.steps + 1):
        shown = session.probe("output")
        np.testing.assert_array_equal(np.isfinite(shown.values).ravel(), np.arange(16) < step)
        at = min(step, 15)
        assert shown.lit == divmod(at, 4)
        grid = session.probe("input")
        assert grid.window[0] == (at // 4 * 2, at % 4 * 2) and grid.border == 1 and len(grid.corners) == 9
        assert f"{out.ravel()[at]:.4g}".replace("-", "−") in session.probe("products").note
        told = session.probe("inside")
        assert told.quantities[0].value == (out.ravel()[at],)
        parts = session.state.sweep.weights * session.state.sweep.seen[divmod(at, 4)]
        assert told.quantities[1].value[0] + told.quantities[2].value[0] == pytest.approx(parts.sum())
        session.advance(1)
    assert session.finish == "done" and np.isfinite(session.probe("output").values).all()


def test_back_is_exact_and_cuts_do_not_matter() -> None:
    session = run(padding=1)
    for step in (40, 3, 64, 0, 17):
        session.seek(step)
        fresh = Session(EXPERIMENT, session.spec)
        for _ in range(step):
            fresh.advance(1)
        assert digest(session.state) == digest(fresh.state)
        np.testing.assert_equal(session.row, fresh.row)


def test_a_dot_shows_the_kernel_turned() -> None:
    numbers = read("1 2 3; 4 5 6; 7 8 9")
    for turned, wanted in (("no", numbers[::-1, ::-1]), ("yes", numbers)):
        session = run(picture="dot", kernel="own", own="1 2 3; 4 5 6; 7 8 9", turned=turned)
        np.testing.assert_array_equal(session.state.sweep.out[1:4, 1:4], 16 * wanted)


@pytest.mark.parametrize("operation", ["max", "average", "global_max", "global_average"])
def test_pooling_tells_what_it_does(operation: str) -> None:
    session = Session(EXPERIMENT, spec(operation=operation, stride=2, digit=3))
    assert session.steps == (1 if operation.startswith("global") else 16)
    inside = session.probe("inside")
    assert ("max" in inside.numbers[0]) == operation.endswith("max") and len(inside.numbers) < 20
    assert session.probe("products").note.startswith("The largest" if operation.endswith("max") else "The mean")
    session.advance(99)
    assert session.finish == "done"


def test_shapes_and_the_gallery() -> None:
    assert [int(shape(name).sum() / 16) for name in SHAPES] == [1, 32, 20, 32]
    gallery = EXPERIMENT.probe(EXPERIMENT.start(spec(picture="frame")), spec(picture="frame"), "gallery")
    assert len(gallery.images) == len(gallery.captions) == len(KERNELS) and gallery.marked == (4,)
    np.testing.assert_array_equal(gallery.images[0], shape("frame") / 16)
    own = spec(picture="frame", kernel="own", own="1/3 1/3", dilation=4)
    assert EXPERIMENT.probe(EXPERIMENT.start(own), own, "gallery").marked == (6,)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [("1 2; 3 4", [[1, 2], [3, 4]]), ("1/9, -2.5 ,.5;", [[1 / 9, -2.5, 0.5]]), ("−1/4", [[-0.25]])],
)
def test_own_numbers(text: str, wanted: Any) -> None:
    np.testing.assert_array_equal(read(text), wanted)


@pytest.mark.parametrize(
    "text", ["", ";;", "1 2; 3", "x", "1/0", "nan", "1e3", "1 2 3 4 5 6", "1;1;1;1;1;1", "2000", "1/", "__import__"]
)
def test_what_is_no_kernel(text: str) -> None:
    with pytest.raises(SpecError) as error:
        EXPERIMENT.check(spec(kernel="own", own=text))
    assert error.value.key == "own" and "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("settings", "key"),
    [
        ({"dilation": 4}, "dilation"),
        ({"operation": "max", "window": 2, "padding": 2}, "padding"),
        ({"operation": "max", "window": 8, "dilation": 2}, "dilation"),
        ({"digit": 450}, "digit"),
        ({"drawing": (1, 2)}, "drawing"),
        ({"samples": 1500}, "samples"),
        ({"study": "training", "layers": "flatten; dense 9"}, "layers"),
        ({"study": "training", "layers": "residual 8; mean; flatten; dense 10"}, "layers"),
        ({"study": "training", "layers": "conv 3x3 8; relu; batchnorm; flatten; dense 10"}, "layers"),
        ({"study": "training", "layers": "dense 10"}, "layers"),
        ({"study": "training", "layers": "conv 3x3 8 groups 8; flatten; dense 10"}, "layers"),
        ({"study": "training", "layers": "flatten; dense 4096; relu; dense 10"}, "layers"),
        ({"study": "training", "layers": "nonsense"}, "layers"),
        ({"study": "training", "samples": 33, "layers": "conv 8x8 4 padding 0; batchnorm; flatten; dense 10"},
         "batch_size"),
    ],
)  # fmt: skip
def test_what_is_not_allowed(settings: dict[str, Any], key: str) -> None:
    with pytest.raises(SpecError) as error:
        EXPERIMENT.check(spec(**settings))
    assert error.value.key == key and "\n" not in str(error.value)


# -- training --------------------------------------------------------------------------------------------------------


def test_the_split_keeps_the_test_digits_and_shares_none() -> None:
    few, many = digits(3, 50, 450), digits(3, 1347, 450)
    np.testing.assert_array_equal(few.test_x, many.test_x)
    assert not {row.tobytes() for row in many.x} & {row.tobytes() for row in many.test_x}
    assert set(few.test_y) == set(range(10)) and many.x.min() == 0.0 and many.x.max() == 1.0


def test_97_percent_of_the_test_digits() -> None:
    """By the run's 600 steps; tests/benchmarks/convolution.py has the time."""
    session = run(study="training", digit=27)
    history = session.view().branch.history
    share, known = history.values["test_accuracy"][:, 0], np.isfinite(history.values["test_accuracy"][:, 0])
    assert share[known][-8:].min() >= 0.97  # and it stays there
    assert EXPERIMENT.answer(session.spec, session.view(), "accuracy 0.97") == "yes"
    confusion = session.probe("confusion").values
    assert confusion.sum() == 450 and np.trace(confusion) / 450 == share[known][-1]
    missed = session.probe("wrong")
    assert len(missed.images) == len(missed.places) == 450 - np.trace(confusion)
    for place in missed.places:
        session.set_live("digit", place)
        sketch = session.probe("sketch")
        best = max(sketch.answers, key=lambda one: one[1])[0]
        assert best != sketch.truth and sum(share for _, share in sketch.answers) == pytest.approx(1.0)


def test_losses_are_torchs() -> None:
    session = run(**SMALL)
    state, data = session.state, digits(0, 96, 40)
    network = state.model.network
    for name, x, y in (("train", data.x, data.y), ("test", data.test_x, data.test_y)):
        out = network.forward(state.params, state.buffers, x)[-1][1]
        wanted = float(F.cross_entropy(torch.tensor(out), torch.tensor(y, dtype=torch.long)))
        assert session.row[f"{name}_loss"][0] == pytest.approx(wanted, rel=1e-10)
        assert session.row[f"{name}_accuracy"][0] == float((out.argmax(axis=1) == y).mean())
    assert session.row["epoch"][0] == pytest.approx(30 * 16 / 96)


def test_training_back_is_exact_and_cuts_do_not_matter() -> None:
    session = run(**SMALL)
    for step in (25, 7, 30, 0):
        session.seek(step)
        fresh = Session(EXPERIMENT, session.spec)
        for _ in range(step):
            fresh.advance(1)
        assert digest(session.state) == digest(fresh.state)
        np.testing.assert_equal(session.row, fresh.row)


@pytest.mark.parametrize(("key", "value"), [("learning_rate", 0.05), ("batch_size", 7), ("adam.beta1", 0.5)])
def test_live_fields_begin_a_branch(key: str, value: Any) -> None:
    session = run(**SMALL)
    before = session.state.params.copy()
    session.seek(12)
    session.set_live(key, value)
    session.advance(10**6)
    assert len(session.branches) == 2 and (session.state.params != before).any()


def test_another_picture_is_no_part_of_the_run() -> None:
    """No event, no branch, the same numbers; and it is in the file."""
    plain = run(**SMALL)
    session = Session(EXPERIMENT, spec(**SMALL))
    for step, (key, value) in enumerate((("digit", 5), ("drawing", TREE), ("picture", "drawn"), ("picture", "board"))):
        session.advance(5)
        session.seek(5 * step)
        assert not session.set_live(key, value)
        assert getattr(session.spec, key) == getattr(session.live, key) == value
    with pytest.raises(SpecError):
        session.set_live("digit", 40), session.set_live("picture", "digit")
    session.advance(10**6)
    view = session.view()
    assert len(view.branches) == 1 and not view.branch.events
    np.testing.assert_array_equal(session.state.params, plain.state.params)
    document: Any = from_json(to_json(saved(view)))
    assert document.spec == session.spec and document.spec.drawing == TREE


def test_by_hand_the_picture_is_the_run() -> None:
    assert EXPERIMENT.looks(spec()) == () and "drawing" in EXPERIMENT.looks(spec(study="training"))
    with pytest.raises(SpecError):
        run(padding=1).set_live("digit", 3)


def test_maps_and_filters_are_the_networks() -> None:
    session = run(study="training", steps=1, digit=3)
    state, network = session.state, session.state.model.network
    rows = session.probe("maps").rows
    x = torch.tensor(digits(0, 1347, 450).test_x[3:4])
    first, second = network.views(state.params)[:2]
    one = F.relu(F.conv2d(x, torch.tensor(first[0]), torch.tensor(first[1]), padding=1))
    two = F.relu(F.conv2d(one, torch.tensor(second[0]), torch.tensor(second[1]), padding=1))
    for row, wanted in zip(rows[1:4], (one, two, F.max_pool2d(two, 2)), strict=True):
        np.testing.assert_allclose(row.images, wanted[0].numpy(), rtol=0, atol=1e-12)
    assert [len(row.images) for row in rows] == [1, 8, 16, 16, 10] and rows[4].captions[3] == "3"
    filters = session.probe("filters").rows
    np.testing.assert_array_equal(filters[0].images, first[0][:, 0])
    assert filters[1].images.shape == (128, 3, 3)
    drawn = session.probe("maps", drawing=TREE).rows[0]
    np.testing.assert_array_equal(drawn.images[0].ravel() * 16, TREE)


def test_overflow_is_told_and_pictures_survive_it() -> None:
    session = run(**{**SMALL, "optimizer": "sgd", "learning_rate": 50.0,
                     "layers": "conv 3x3 8; conv 3x3 16; flatten; dense 10"})  # fmt: skip
    assert session.finish == "diverged" and "overflowed at step" in session.branch.reason
    assert session.step < 30 and session.branch.endings[0].step == session.step
    for name in ("maps", "filters", "confusion", "wrong", "sketch", "inside"):
        assert session.probe(name) is not None
    assert all(np.isnan(share) for _, share in session.probe("sketch").answers)


def test_the_network_from_text() -> None:
    made = described(LAYERS)
    assert made.shapes[-2:] == ((256,), (10,)) and [layer.activation for layer in made.layers[:2]] == ["relu"] * 2  # type: ignore[union-attr]
    layers: Any = described(
        "conv 5x5 4 stride 2; batchnorm; tanh; dropout 0.1; avgpool 2; mean; flatten; dense 10"
    ).layers
    assert (layers[0].kernel, layers[0].stride, layers[0].padding) == (5, 2, 2)
    assert (layers[0].normalization, layers[0].activation, layers[0].dropout) == ("batch", "tanh", 0.1)
    assert layers[1].kind == "average" and layers[2].kind == "average"
    wide = described("conv 3x3 4 dilation 2; relu; flatten; dense 10")
    first: Any = wide.layers[0]
    assert (first.dilation, first.padding, first.activation) == (2, 2, "relu") and wide.shapes[1] == (4, 8, 8)
    assert name_of(first, wide.shapes[1]) == "Conv 3×3 dilation 2, ReLU: 4 maps of 8×8"
    with pytest.raises(SpecError, match="a 9×9 window does not fit into 8×8"):
        described("conv 3x3 4 dilation 4 padding 0; flatten; dense 10")


def test_every_picture_answers_in_its_study_and_no_other() -> None:
    hand = {"input", "output", "products", "gallery", "sketch"}
    for session in (run(), run(**SMALL)):
        answered = {p.name for p in EXPERIMENT.plots if hasattr(p, "kind") and session.probe(p.name) is not None}
        trained = {"maps", "filters", "confusion", "wrong", "sketch"}
        assert answered == (hand if session.spec.study == "by_hand" else trained)
        with pytest.raises(KeyError):
            session.probe("nothing")


# -- presets and questions -------------------------------------------------------------------------------------------


def test_presets_and_questions_are_sound() -> None:
    named = {preset.name for preset in presets(ID)}
    for preset in presets(ID):
        EXPERIMENT.check(preset_spec(EXPERIMENT, preset.name))
        assert preset.why
    assert all(prediction.preset in named for prediction in predictions(ID))
    assert {preset.good for preset in presets(ID)} == {True, False}


@pytest.mark.parametrize(("number", "wanted"), [(0, "2"), (1, "4"), (4, "Above 16")])
def test_questions_by_hand(number: int, wanted: str) -> None:
    question = predictions(ID)[number]
    session = Session(EXPERIMENT, preset_spec(EXPERIMENT, question.preset))
    session.advance(10**6)
    found = EXPERIMENT.answer(session.spec, session.view(), question.measure.removeprefix("own "))
    assert question.answers.get(found, found) == wanted and wanted in question.choices
    with pytest.raises(ValueError, match="is not known"):
        EXPERIMENT.answer(session.spec, session.view(), "who knows")


@pytest.mark.parametrize(
    ("preset", "low", "high"),
    [("where", 0.85, 0.95), ("no_convolution", 0.93, 0.965), ("too_fast", 0.05, 0.15), ("few", 0.75, 0.86)],
)
def test_claims_of_the_bad_presets(preset: str, low: float, high: float) -> None:
    session = Session(EXPERIMENT, preset_spec(EXPERIMENT, preset))
    session.advance(100 if preset == "too_fast" else 10**6)  # its units are dead at once
    assert low <= float(session.view().latest("test_accuracy")[0]) <= high


def test_claims_of_the_presets_by_hand() -> None:
    def out(preset: str) -> Any:
        return EXPERIMENT.start(preset_spec(EXPERIMENT, preset)).sweep.out

    assert out("stride").shape == (4, 4) and out("dilation").shape == (8, 8) and out("stride_4").shape == (2, 2)
    np.testing.assert_allclose(out("gridding"), shape("board")[2:6, 2:6], atol=1e-12)
    assert out("too_bright").max() > 100 and out("global").shape == (1, 1)
    overflow = Session(EXPERIMENT, preset_spec(EXPERIMENT, "overflow"))
    overflow.advance(10**6)
    assert overflow.finish == "diverged" and overflow.step == 10
