"""networks.activations: shapes against torch and published extremes, stacks against torch and their own past."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from scipy import optimize

from engine.experiments import load
from engine.experiments.networks._activations.settings import NAMES, parameter
from engine.experiments.networks._activations.shapes import facts, shape
from engine.experiments.networks._activations.stack import MEASURED, product, rms
from engine.session.commands import script
from engine.session.presets import predictions, preset_spec, presets
from engine.session.results import measured, rows, summary
from engine.session.session import Session
from engine.session.snapshots import digest
from engine.spec import SpecError, build
from gui.theme import DARK, LIGHT
from gui.views import view_for
from tests.alone import Alone

ID = "networks.activations"
EXPERIMENT: Any = load(ID)
SMALL = {"width": 16, "samples": 8, "seeds": 2, "depth": 9}
OTHER = {"leaky_relu.alpha": 0.3, "prelu.a": 0.1, "elu.alpha": 1.7, "silu.beta": 2.5}
F = torch.nn.functional
TORCH: dict[str, Any] = {
    "identity": lambda x, p: x * 1.0,
    "sigmoid": lambda x, p: torch.sigmoid(x),
    "tanh": lambda x, p: torch.tanh(x),
    "relu": lambda x, p: torch.relu(x),
    "leaky_relu": lambda x, p: F.leaky_relu(x, p),
    "prelu": lambda x, p: F.prelu(x, torch.tensor([p], dtype=torch.float64)),
    "elu": lambda x, p: F.elu(x, p),
    "gelu": lambda x, p: F.gelu(x),
    "silu": lambda x, p: x * torch.sigmoid(p * x),
    "mish": lambda x, p: F.mish(x),
}


def spec(**settings: Any) -> Any:
    return build(EXPERIMENT.Spec, settings)


def run(**settings: Any) -> Any:
    """A finished run of a small stack."""
    session = Session(EXPERIMENT, spec(**{**SMALL, **settings}))
    session.advance(10**6)
    return session


@pytest.mark.parametrize("settings", [{}, OTHER])
@pytest.mark.parametrize("name", NAMES)
def test_curves_are_torchs(name: str, settings: dict[str, Any]) -> None:
    own = spec(activations=(name,), low=-6.0, high=6.0, **settings)
    value, first, second = (next(line for line in EXPERIMENT.probe(None, own, order).lines if line.series == name)
                            for order in ("value", "first", "second"))  # fmt: skip
    keep = value.x != 0.0
    x = torch.tensor(value.x[keep], requires_grad=True)
    y = TORCH[name](x, parameter(own, name))
    (slope,) = torch.autograd.grad(y.sum(), x, create_graph=True)
    np.testing.assert_allclose(value.y[keep], y.detach(), rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(first.y[keep], slope.detach(), rtol=1e-11, atol=1e-14)
    if slope.requires_grad:
        (bend,) = torch.autograd.grad(slope.sum(), x)
        np.testing.assert_allclose(second.y[keep], bend, rtol=1e-9, atol=1e-13)
    else:
        assert not second.y.any()


@pytest.mark.parametrize(
    ("name", "what", "where", "extreme", "close"),
    [
        ("sigmoid", "steepest", 0.0, 0.25, 1e-12),
        ("gelu", "steepest", math.sqrt(2.0), 1.1289, 5e-5),
        ("gelu", "lowest", -0.7518, -0.16997, 1e-5),
        ("silu", "lowest", -1.2785, -0.27846, 1e-5),
        ("mish", "lowest", -1.1925, -0.30884, 1e-5),
        ("tanh", "steepest", 0.0, 1.0, 1e-12),
    ],
)
def test_published_extremes(name: str, what: str, where: float, extreme: float, close: float) -> None:
    place, found = getattr(facts(spec(), name), what)
    assert place == pytest.approx(where, abs=2e-3) and found == pytest.approx(extreme, abs=close)


def test_saturated_and_dead_stretches() -> None:
    edge = optimize.brentq(lambda x: math.exp(-x) / (1 + math.exp(-x)) ** 2 - 0.05, 0, 5)  # the sigmoid's slope is .05
    left, right = facts(spec(), "sigmoid").saturated
    np.testing.assert_allclose([*left, *right], [-5.0, -edge, edge, 5.0], atol=2e-3)
    assert facts(spec(), "sigmoid").dead == () and facts(spec(), "identity").saturated == ()
    assert facts(spec(), "relu").dead == ((-5.0, 0.0),)
    assert facts(spec(**{"leaky_relu.alpha": 0.01}), "leaky_relu").saturated == ((-5.0, 0.0),)
    assert facts(spec(**{"leaky_relu.alpha": 0.1}), "leaky_relu").saturated == ()
    lines = {line.name: line for line in EXPERIMENT.probe(None, spec(activations=("relu", "tanh")), "value").lines}
    assert (lines["ReLU: dead"].x <= 0).all() and not lines["ReLU: dead"].y.any()
    thick = lines["Tanh"].high - lines["Tanh"].low > 0
    np.testing.assert_array_equal(thick, 1 - np.tanh(lines["Tanh"].x) ** 2 < 0.05)


def test_blocks_make_the_product() -> None:
    draw = np.random.default_rng(3)
    a, b = draw.normal(size=(2, 70, 96)), draw.normal(size=(2, 96, 130))
    np.testing.assert_allclose(product(a, b), np.einsum("sij,sjk->sik", a, b), rtol=1e-12, atol=1e-12)


def test_root_mean_square_of_very_large_and_small_numbers() -> None:
    for size in (1e-250, 1.0, 1e250):
        assert float(rms(np.array([3.0, 4.0]) * size, (0,))) == pytest.approx(math.sqrt(12.5) * size)
    assert rms(np.zeros(3), (0,)) == 0.0


@pytest.mark.parametrize("initialization", ["he_normal", "orthogonal", "torch"])
def test_the_stack_is_torchs(initialization: str) -> None:
    session = run(activations=NAMES, initialization=initialization, **OTHER)
    layers, own = session.state.layers, session.spec
    for c, name in enumerate(NAMES):
        told = np.zeros((len(MEASURED), 2))
        for s in range(2):
            x = torch.tensor(session.state.inputs[s], requires_grad=True)
            out = x
            for layer in layers:
                z = out @ torch.tensor(layer.weight[s]).T
                out = TORCH[name](z, parameter(own, name))
            (gradient,) = torch.autograd.grad(out, x, torch.tensor(session.state.unit[s]), retain_graph=True)
            (slope,) = torch.autograd.grad(out, z, torch.ones_like(z))
            with torch.no_grad():
                told[:, s] = [
                    (out**2).mean().sqrt(), out.var(dim=0, correction=0).mean().sqrt(), (gradient**2).mean().sqrt(),
                    (slope.abs() < 0.05).double().mean(), (slope == 0).all(dim=0).double().mean(),
                ]  # fmt: skip
        row = [session.row[column][c] for column in MEASURED]
        np.testing.assert_allclose(row, told.mean(axis=1), rtol=1e-9, atol=1e-13, err_msg=name)


def test_theory_of_wide_layers() -> None:
    """He et al. 2015, equation 10: with ReLU, variance 2/n keeps the mean square of a unit before it is bent; and the
    identity under orthogonal weights keeps every length."""
    session = Session(EXPERIMENT, spec(activations=("relu",), width=512, samples=16, seeds=4, depth=5))
    session.advance(5)
    assert session.row["gradient_rms"][0] == pytest.approx(1.0, abs=0.05)
    assert session.row["signal_rms"][0] == pytest.approx(1.0, abs=0.05)
    kept = run(activations=("identity",), initialization="orthogonal")
    values = kept.view().branch.history.values
    np.testing.assert_allclose(values["signal_rms"][:, 0], values["signal_rms"][0, 0], rtol=1e-12)
    np.testing.assert_allclose(values["gradient_rms"][:, 0], values["gradient_rms"][0, 0], rtol=1e-12)


def test_back_is_exact_and_cuts_do_not_matter() -> None:
    session = run(activations=("relu", "gelu"))
    for step in (4, 1, 7, 0):
        session.seek(step)
        fresh = Session(EXPERIMENT, session.spec)
        for _ in range(step):
            fresh.advance(1)
        assert digest(session.state) == digest(fresh.state)
        np.testing.assert_equal(session.row, fresh.row)


def test_others_change_nothing() -> None:
    alone, among = run(activations=("elu",)), run(activations=("tanh", "elu", "relu"))
    for column in MEASURED:
        one, other = (s.view().branch.history.values[column] for s in (alone, among))
        np.testing.assert_array_equal(one[:, 0], other[:, 1])


def test_history_begins_with_no_layer() -> None:
    session = run(activations=("relu", "tanh"))
    lines = list(rows(EXPERIMENT, session.view()))
    assert lines[0] == "step,series,signal_rms,signal_std,gradient_rms,saturated_share,dead_share\r\n"
    assert len(lines) == 1 + 2 * 10 and lines[1].startswith("0,relu,") and lines[1].endswith(",,\r\n")


def test_numbers_whose_squares_overflow_are_measured() -> None:
    session = run(activations=("identity", "tanh"), initialization="normal", std=10.0, width=128, depth=80, samples=2)
    assert session.finish == "done" and not session.branch.endings
    assert 1e155 < session.row["signal_rms"][0] < 1e300 and 1e155 < session.row["gradient_rms"][0] < 1e300
    assert session.row["signal_rms"][1] <= 1.0


def test_a_signal_beyond_all_floats_is_told() -> None:
    session = Session(EXPERIMENT, spec(**SMALL, activations=("identity", "tanh")))
    session.state.inputs *= 1e305
    session.state.inputs[:, 0] = 1e308
    session.advance(100)
    (ending,) = session.branch.endings
    assert ending.finish == "diverged" and ending.series == 0 and "overflowed behind layer" in ending.reason
    assert session.finish == "done" and np.isnan(session.row["signal_rms"][0])
    assert session.row["signal_rms"][1] > 0 and len(EXPERIMENT.probe(session.state, session.spec, "spread").lines) == 2


@pytest.mark.parametrize(
    ("settings", "key"),
    [
        ({"activations": ()}, "activations"),
        ({"low": 2.0, "high": 2.0}, "high"),
        ({"width": 512, "depth": 100, "seeds": 8, "samples": 256}, "depth"),
        ({"activations": ("softmax",)}, "activations"),
        ({"silu.beta": 0.0}, "silu.beta"),
    ],
)
def test_wrong_settings_are_told_in_one_line(settings: dict[str, Any], key: str) -> None:
    with pytest.raises(SpecError, match=key) as told:
        EXPERIMENT.check(spec(**settings))
    assert "\n" not in str(told.value)


def test_the_largest_depth_that_is_named_is_allowed() -> None:
    large = {"width": 512, "seeds": 8, "samples": 256}
    with pytest.raises(SpecError) as told:
        EXPERIMENT.check(spec(**large, depth=100))
    most = int(str(told.value).rpartition(" ")[2])
    EXPERIMENT.check(spec(**large, depth=most))


def test_the_chapters_curves() -> None:
    chapter: Any = preset_spec(EXPERIMENT, "chapter")
    (drawn,) = EXPERIMENT.drawn(chapter, None)
    assert len(drawn.overlays) == 5 and "on the chapter's curve, within" in drawn.verdict
    x = np.linspace(-5, 5, 1000)
    for overlay, name in zip(drawn.overlays, ("sigmoid", "tanh", "relu", "leaky_relu", "elu"), strict=True):
        np.testing.assert_allclose(np.interp(overlay.x, x, shape(chapter, name, "value", x)), overlay.y, atol=1e-9)
    (steep,) = EXPERIMENT.drawn(preset_spec(EXPERIMENT, "steep_leak"), None)
    assert steep.overlays[-1].kind == "theory" and "up to 2.5 away" in steep.verdict


def test_max_of_alpha_x_and_x_holds_only_up_to_one() -> None:
    x = np.linspace(-5, 5, 101)
    for alpha in (0.0, 0.1, 1.0):
        np.testing.assert_array_equal(shape(spec(**{"leaky_relu.alpha": alpha}), "leaky_relu", "value", x),
                                      np.maximum(alpha * x, x))  # fmt: skip
    wrong = np.maximum(1.5 * x, x) != shape(spec(**{"leaky_relu.alpha": 1.5}), "leaky_relu", "value", x)
    assert wrong.sum() == 100  # everywhere but at 0


def test_every_question_has_its_answer() -> None:
    expected = {"lowest": "relu", "lowest signal_rms": "silu"}
    for question in predictions(ID):
        session = Session(EXPERIMENT, preset_spec(EXPERIMENT, question.preset))
        session.advance(10**6)
        found = measured(question.measure, summary(EXPERIMENT, session.view()), EXPERIMENT.loss)
        assert question.answers[found] in question.choices
        assert found == expected[question.measure], "the explanation says so"


def test_every_preset_says_why_and_is_allowed() -> None:
    for preset in presets(ID):
        EXPERIMENT.check(preset_spec(EXPERIMENT, preset.name))
        assert len(preset.why) > 40
    assert {preset.good for preset in presets(ID)} == {True, False}


@pytest.mark.parametrize(("preset", "layers"), [("chapter", 5), ("swish", 4), ("large_weights", 24), ("narrow", 16)])
def test_presets_run_and_their_scripts_agree(preset: str, layers: int, alone: Alone) -> None:
    session = Session(EXPERIMENT, preset_spec(EXPERIMENT, preset))
    session.advance(layers)
    assert "Signals and gradients are the app's." in alone.says(script(session))


def test_where_last_bits_decide_a_script_compares_no_further() -> None:
    session = run(activations=("tanh", "relu"), initialization="normal", std=3.0, depth=40)
    words = script(session)
    assert "Some layers are not compared" in words
    found: dict[str, Any] = {}
    exec(words[words.index("APP = {") : words.index("for name, rows")], found)
    assert 2 < len(found["APP"]["tanh"]) < 40 and len(found["APP"]["relu"]) == 40


@pytest.mark.parametrize("name", NAMES)
def test_the_inside_tells_formula_and_facts(name: str) -> None:
    inside = EXPERIMENT.probe(None, spec(activations=NAMES), "inside", series=name)
    assert inside.series == name and len(inside.formulas) >= 3
    with pytest.raises(KeyError):
        EXPERIMENT.probe(None, spec(activations=("relu",)), "inside", series="nobody")


def test_the_page_keeps_colours_and_asks_for_the_inside_once(qtbot: Any) -> None:
    view: Any = view_for(EXPERIMENT, DARK)
    qtbot.addWidget(view)
    styles = {}
    for chosen in (("sigmoid", "relu"), ("relu",)):
        session = run(activations=chosen)
        view.set_spec(session.spec)
        view.choose("relu")
        answers = {name: session.probe(probe, **dict(asked)) for name, (probe, asked) in view.wanted().items()}
        assert answers["inside"].series == "relu"
        view.show_run(session.view(), answers, ())
        assert "inside" not in view.wanted()
        styles[chosen] = {s.label: s.style for plot in (view.pictures["value"], view.curves["gradient_rms"])
                          for s in plot.series.values()}  # fmt: skip
    assert styles["sigmoid", "relu"]["ReLU"] == styles[("relu",)]["ReLU"] == styles[("relu",)]["ReLU: dead"]
    (drawn,) = EXPERIMENT.drawn(session.spec, session.view())
    view.show_drawn(drawn)
    assert sum(s.overlay for s in view.pictures["value"].series.values()) == 1
    view.apply_theme(LIGHT)
    assert not view.grab().isNull()
    twin = view.pictures["value"].clone(LIGHT)
    qtbot.addWidget(twin)
    assert {s.label: s.style for s in twin.series.values()}["ReLU"] == styles[("relu",)]["ReLU"]
    view.rest()
