"""networks.backprop: the chapter's numbers, autograd, closed forms, its own past, and every number in its place."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
import torch

from engine.experiments import load
from engine.experiments.networks._backprop.checks import autograd, quotients
from engine.experiments.networks._backprop.passes import forward, phases
from engine.experiments.networks._backprop.settings import NAMES, first_weights, sizes
from engine.experiments.networks._backprop.words import bare, short, tex
from engine.session.commands import script
from engine.session.presets import predictions, preset_spec, presets
from engine.session.results import rows, summary
from engine.session.session import Session
from engine.session.snapshots import digest
from engine.spec import SpecError, build
from gui.mathtext import typeset
from gui.theme import DARK, LIGHT
from gui.views import view_for
from tests.alone import Alone

ID = "networks.backprop"
EXPERIMENT: Any = load(ID)
LARGE: dict[str, Any] = {"inputs": 4, "hidden": (5, 5, 5), "outputs": 2, "weights": "seed", "seed": 3}


def spec(**settings: Any) -> Any:
    return build(EXPERIMENT.Spec, settings)


def run(steps: int = 10**6, **settings: Any) -> Any:
    session: Any = Session(EXPERIMENT, spec(**settings))  # a test may reach into its state
    session.advance(steps)
    return session


def found(session: Any, column: str) -> Any:
    """The numbers of a column, in order, where it has any."""
    values = session.view().branch.history.values[column][:, 0]
    return values[np.isfinite(values)]


def test_the_chapters_numbers() -> None:
    session = run(cycles=2)
    np.testing.assert_allclose(found(session, "prediction"), [0.77875776, 0.77833585], atol=5e-9)
    np.testing.assert_allclose(found(session, "loss"), [0.00310139, 0.00306825], atol=5e-9)
    assert found(session, "output_delta")[0] == pytest.approx(0.01356950, abs=5e-9)
    assert found(session, "hidden_delta_1")[0] == pytest.approx(0.00534141, abs=5e-9)
    assert found(session, "hidden_delta_2")[0] == pytest.approx(0.00257202, abs=5e-9)


def test_the_chapters_weights_and_forward_pass() -> None:
    first, second = first_weights(spec())
    wanted = [[0.49671415, -0.1382643], [0.64768854, 1.52302986], [-0.23415337, -0.23413696]]
    np.testing.assert_allclose(first, wanted, atol=5e-9)
    np.testing.assert_allclose(second[:, 0], [1.57921282, 0.76743473], atol=5e-9)
    session = run(2)
    np.testing.assert_allclose(session.state.a[0], [0.52721386, 0.55491223], atol=5e-9)
    assert session.state.z[1][0] == pytest.approx(1.2584418, abs=5e-8)


def test_the_listing_step_by_step() -> None:
    """The arithmetic of the chapter's listing, ten cycles: all updates use the old weights of the output."""
    session = run(cycles=10)
    first, second = first_weights(spec())
    a, b, x = np.zeros(2), np.zeros(1), np.array([0.1, 0.2, 0.3])
    for _ in range(10):
        hidden = 1 / (1 + np.exp(-(x @ first + a)))
        p = 1 / (1 + np.exp(-(hidden @ second + b)))
        delta = (p - 0.7) * p * (1 - p)
        back = second @ delta * hidden * (1 - hidden)
        second, b = second - 0.1 * np.outer(hidden, delta), b - 0.1 * delta
        first, a = first - 0.1 * np.outer(x, back), a - 0.1 * back
    for mine, theirs in zip((*session.state.weights, *session.state.biases), (first, second, a, b), strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-13)


@pytest.mark.parametrize("loss", ["half_squared", "mse"])
@pytest.mark.parametrize("name", NAMES)
def test_every_derivative_three_ways(name: str, loss: str) -> None:
    settings = {**LARGE, "activation": name, "output_activation": "tanh" if name == "sigmoid" else name, "loss": loss}
    session = run(len(phases(spec(**settings))) - 1, **settings)
    state = session.state
    auto = autograd(session.spec, state.weights, state.biases)
    quotient = quotients(session.spec, state.weights, state.biases)
    top = max(np.abs(part).max() for part in auto[0])
    for i in range(state.layers):
        for ours, kind in ((state.gradients[i], 0), (state.deltas[i], 1)):
            np.testing.assert_allclose(ours, auto[kind][i], rtol=1e-10, atol=1e-13 * top)
            np.testing.assert_allclose(ours, quotient[kind][i], rtol=1e-5, atol=1e-7 * top)
    table = session.probe("derivatives")
    assert len(table.rows) == sum(w.size + len(b) for w, b in zip(state.weights, state.biases, strict=True))
    assert len(table.good) == len(table.rows)


def test_the_table_fills_as_the_passes_come() -> None:
    session = run(0)
    known = []
    for _ in range(6):
        session.advance(1)
        table = session.probe("derivatives")
        known.append(sum(row[1] != "–" for row in table.rows))
        assert len(table.good) == known[-1] and all(float(row[4]) < 1e-9 for row in table.rows)
    assert known == [0, 0, 0, 3, 11, 11]
    before = session.probe("derivatives").rows[0][2]
    session.advance(1)  # a new cycle: the new weights' derivatives
    assert session.probe("derivatives").rows[0][2] != before


def test_training_is_torchs() -> None:
    session = run(cycles=30, learning_rate=0.7, activation="gelu", output_activation="identity", loss="mse", **LARGE)
    ws = [torch.tensor(w, requires_grad=True) for w in first_weights(session.spec)]
    bs = [torch.zeros(w.shape[1], dtype=torch.float64, requires_grad=True) for w in ws]
    optimizer = torch.optim.SGD([*ws, *bs], lr=0.7)
    losses = []
    for _ in range(30):
        a = torch.tensor([0.1, 0.2, 0.3, 0.4], dtype=torch.float64)
        for i, (w, b) in enumerate(zip(ws, bs, strict=True)):
            a = a @ w + b if i == 3 else torch.nn.functional.gelu(a @ w + b)
        loss = torch.nn.functional.mse_loss(a, torch.tensor([0.7, 0.2], dtype=torch.float64))
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        losses.append(loss.item())
        optimizer.step()
    np.testing.assert_allclose(found(session, "loss"), losses, rtol=1e-9, atol=1e-20)


def test_a_row_has_what_its_phase_has_found() -> None:
    session = run(cycles=1)
    lines = [line.rstrip().split(",") for line in rows(EXPERIMENT, session.view())]
    filled = [{lines[0][c] for c, cell in enumerate(line) if cell and c > 3} for line in lines[1:]]
    assert filled == [set(), set(), {"prediction"}, {"loss"}, {"output_delta"}, {"hidden_delta_1", "hidden_delta_2"},
                      {"gradient_norm"}]  # fmt: skip
    assert [line[2:4] for line in lines[1:]] == [["1.0", f"{k}.0"] for k in range(7)]
    told = summary(EXPERIMENT, session.view())["series"]["network"]
    assert told["prediction"] == pytest.approx(0.77875776, abs=5e-9) and told["prediction_2"] == "nan"


def test_back_is_exact_and_cuts_do_not_matter() -> None:
    session = run(cycles=5, **LARGE)
    for step in (13, 7, 44, 0):
        session.seek(step)
        fresh = Session(EXPERIMENT, session.spec)
        for _ in range(step):
            fresh.advance(1)
        assert digest(session.state) == digest(fresh.state)
        np.testing.assert_equal(session.row, fresh.row)


def test_a_live_rate_counts_from_the_next_update_on() -> None:
    session = run(5)
    weights = session.state.weights[1].copy()
    session.set_live("learning_rate", 2.0)
    gradient = session.state.gradients[1].copy()
    session.advance(1)
    np.testing.assert_array_equal(session.state.weights[1], weights - 2.0 * gradient)


def test_an_overflow_ends_the_run() -> None:
    session = Session(EXPERIMENT, preset_spec(EXPERIMENT, "too_far"))
    session.advance(10**6)
    assert session.finish == "diverged" and "overflowed in cycle 8" in session.branch.reason
    for name in ("network", "derivatives", "inside"):
        assert session.probe(name) is not None
    session.seek(20)
    assert session.probe("inside").numbers


@pytest.mark.parametrize(
    "settings",
    [{"output_activation": "relu", "weights": "seed"}, {"weights": "seed", "scale": 0.0}, {"inputs": 1, "x1": 0.0}],
)
def test_nothing_to_learn_is_no_error(settings: dict[str, Any]) -> None:
    session = run(cycles=3, **settings)
    assert session.finish == "done"
    assert len(session.probe("derivatives").good) == len(session.probe("derivatives").rows)


def test_at_a_kink_the_quotient_is_another_and_it_is_told() -> None:
    """Both hidden ReLUs are off, so the sum into the output is exactly 0: there its slope is 0 or 1."""
    session = run(6, activation="relu", output_activation="relu", weights="seed", seed=0)
    assert session.state.z[1][0] == 0.0
    table = session.probe("derivatives")
    (row,) = [row for r, row in enumerate(table.rows) if r not in table.good]
    assert row[:4] == ("b of p", "0", "0", "−0.35") and "kink" in table.note  # half of 0 and -0.7


@pytest.mark.parametrize(
    ("settings", "key"),
    [({"hidden": ()}, "hidden"), ({"hidden": (6,)}, "hidden"), ({"hidden": (2, 2, 2, 2)}, "hidden"),
     ({"inputs": 5}, "inputs"), ({"activation": "prelu"}, "activation"), ({"learning_rate": 0}, "learning_rate")],
)  # fmt: skip
def test_wrong_settings_are_told_in_one_line(settings: dict[str, Any], key: str) -> None:
    with pytest.raises(SpecError, match=key) as told:
        EXPERIMENT.check(spec(**settings))
    assert "\n" not in str(told.value)


def lit(session: Any) -> tuple[set[int], set[int]]:
    """Layers of the diagram with lit nodes, and those at which lit edges begin."""
    picture = session.probe("network")
    nodes = {i for i, layer in enumerate(picture.layers) for node in layer if node.lit}
    return nodes, {edge.tail[0] for edge in picture.edges if edge.lit}


def test_what_a_phase_touches_is_lit() -> None:
    session = run(0)
    seen = [lit(session)]
    for _ in range(6):
        session.advance(1)
        seen.append(lit(session))
    assert seen == [(set(), set()), ({1}, {0}), ({2}, {1}), ({3}, {2}), ({2}, {1}), ({1}, {0}), ({1, 2}, {0, 1})]


def test_every_number_stands_on_its_edge_or_node() -> None:
    session = run(5)
    state, picture = session.state, session.probe("network")
    assert [len(layer) for layer in picture.layers] == [3, 2, 1, 1]
    assert [node.value for node in picture.layers[1]] == state.a[0].tolist()
    assert picture.layers[2][0].value == forward(session.spec, state.weights, state.biases)[0]
    assert picture.layers[3][0].value == state.loss and picture.layers[3][0].label == "target 0.7"
    assert "δ 0.005341" in picture.layers[1][0].label and "δ 0.01357" in picture.layers[2][0].label
    edges = {(edge.tail, edge.head): edge for edge in picture.edges}
    assert len(edges) == 3 * 2 + 2 + 1
    for i, w in enumerate(state.weights):
        for at in np.ndindex(w.shape):
            edge = edges[(i, at[0]), (i + 1, at[1])]
            assert edge.weight == w[at] and edge.label == f"∂ {short(state.gradients[i][at], 3)}"
    assert edges[(2, 0), (3, 0)].label == "∂L/∂p 0.07876"
    session.advance(1)
    change = state.weights[1][0, 0] - state.used[1][0][0]
    assert change != 0 and all(edge.label.startswith("Δ") for edge in session.probe("network").edges[:8])
    session.advance(1)
    assert session.probe("network").edges[0].label == short(session.state.weights[0][0, 0])


@pytest.mark.parametrize("settings", [{}, LARGE, {"outputs": 2, "loss": "mse", "activation": "elu", "hidden": (3,)}])
def test_the_inside_is_the_coming_phase(settings: dict[str, Any]) -> None:
    session = run(0, **settings)
    for _ in range(len(phases(session.spec)) + 1):
        inside = session.probe("inside")
        before = digest(session.state)
        assert inside.numbers and inside.formulas and inside.note
        session.advance(1)
        assert digest(session.state) != before
        told = {q.name: q.value[0] for q in inside.quantities}
        state = session.state
        if "loss" in told:
            assert told["loss"] == state.loss
        for q in inside.quantities:
            if q.name.startswith("delta of"):
                assert any(delta is not None and q.value[0] in delta for delta in state.deltas)
            elif q.name.startswith("answer of"):
                assert any(a is not None and q.value[0] in a for a in state.a)


def test_every_equation_can_be_set(qtbot: Any) -> None:
    lines = set()
    for settings in ({}, {"outputs": 2, "loss": "mse", "activation": "elu", "x1": -3.0}, {"activation": "identity"}):
        session = run(0, **settings)
        for _ in range(7):
            inside = session.probe("inside")
            lines |= {*inside.formulas, *(q.latex for q in inside.quantities), *inside.numbers[:3], inside.numbers[-1]}
            session.advance(1)
    wrong = [line for line in lines if typeset(line, "#000000", 14.0).renderer is None]
    assert not wrong, wrong


def test_equations_say_what_was_computed() -> None:
    numbers = run(0).probe("inside").numbers
    assert numbers[:3] == (
        r"z_{h1} = 0.4967 \cdot 0.1 + 0.6477 \cdot 0.2", r"\quad + (-0.2342) \cdot 0.3 + 0",
        r"h_{1} = \sigma(0.109) = 0.5272",
    )  # fmt: skip
    numbers = run(4).probe("inside").numbers
    assert numbers[0] == r"\delta_{h1} = 1.579 \cdot 0.01357 \cdot 0.2493 = 0.005341"
    assert numbers[-1] == r"\partial L / \partial w_{x3h2} = 0.3 \cdot 0.002572 = 0.0007716"


@pytest.mark.parametrize(
    ("value", "plainly", "bracketed"),
    [(0.5, "0.5", "0.5"), (-0.25, "−0.25", "(-0.25)"), (1.5e-9, "1.5e−09", r"1.5 \cdot 10^{-9}"), (0.0, "0", "0"),
     (float("inf"), "∞", r"\infty"), (float("nan"), "nan", r"\mathrm{nan}")],
)  # fmt: skip
def test_numbers_in_words(value: float, plainly: str, bracketed: str) -> None:
    assert short(value) == plainly and tex(value) == bracketed and bare(abs(value)) == tex(abs(value))


def test_the_listing_is_compared() -> None:
    (drawn,) = EXPERIMENT.drawn(spec(), run(3).view())
    assert drawn.verdict == "Step through the first cycle to compare." and not drawn.overlays
    (drawn,) = EXPERIMENT.drawn(spec(), run(cycles=2).view())
    assert "all five agree" in drawn.verdict and "0.77833585" in drawn.verdict and "0.00306825" in drawn.verdict
    assert EXPERIMENT.drawn(spec(learning_rate=0.2), run(1).view()) == ()


def test_every_question_has_its_answer() -> None:
    expected = {"own first move": "little", "own loss": "stayed"}
    for question in predictions(ID):
        session = Session(EXPERIMENT, preset_spec(EXPERIMENT, question.preset))
        session.advance(10**6)
        answer = EXPERIMENT.answer(session.spec, session.view(), question.measure.removeprefix("own "))
        assert question.answers[answer] in question.choices
        assert answer == expected[question.measure], "the explanation says so"
    with pytest.raises(ValueError, match="not known"):
        EXPERIMENT.answer(spec(), run(1).view(), "nothing")


@pytest.mark.parametrize("preset", ["chapter", "two_outputs", "too_far", "deep", "dead"])
def test_scripts_repeat_presets(preset: str, alone: Alone) -> None:
    session = Session(EXPERIMENT, preset_spec(EXPERIMENT, preset))
    session.advance(10**6)
    assert "The numbers are the app's." in alone.says(script(session))


def test_a_script_knows_live_changes_and_stops_in_the_middle(alone: Alone) -> None:
    session = run(11)
    session.set_live("learning_rate", 3.0)
    session.advance(7)
    session.set_live("learning_rate", 0.5)
    session.advance(10)
    words = script(session)
    assert "RATES = [0.1] * 1 + [3.0] * 2 + [0.5] * 1 + [None]" in words
    alone.says(words)
    wrong = words.replace("[3.0] * 2", "[2.9] * 2")
    assert re.search("AssertionError: .*in the app", alone.fails(wrong))


def test_every_preset_says_why_and_runs() -> None:
    for preset in presets(ID):
        session = Session(EXPERIMENT, preset_spec(EXPERIMENT, preset.name))
        session.advance(30)
        assert len(preset.why) > 40 and session.step == 30
    assert {preset.good for preset in presets(ID)} == {True, False}
    deltas = run(10, **{**dict(presets(ID)[3].settings)}).state.deltas
    assert np.abs(deltas[0]).max() < np.abs(deltas[-1]).max() / 20, "the deep preset says so"


def test_a_crowded_network_writes_only_what_is_touched() -> None:
    session = run(1, **LARGE)
    labelled = [edge for edge in session.probe("network").edges if edge.label]
    assert {edge.tail[0] for edge in labelled} == {0} and len(labelled) == 20
    session.advance(9)
    largest = [edge for edge in session.probe("network").edges if edge.lit]
    assert len(largest) == sum(sizes(session.spec)[1:])


def test_the_page(qtbot: Any) -> None:
    view: Any = view_for(EXPERIMENT, DARK)
    qtbot.addWidget(view)
    view.resize(900, 700)
    session = run(9)
    view.set_spec(session.spec)
    view.choose("network")
    assert set(view.wanted()) == {"network", "derivatives", "inside"}
    answers = {name: session.probe(probe, **dict(asked)) for name, (probe, asked) in view.wanted().items()}
    view.show_run(session.view(), answers, ())
    (line,) = view.curves["loss"].series.values()
    assert line.x.tolist() == [1.0, 2.0] and line.y.tolist() == found(session, "loss").tolist()
    assert view.pictures["network"].picture.note.startswith("Cycle 2, phase 3 of 6: the error.")
    view.apply_theme(LIGHT)
    assert not view.grab().isNull()
    view.rest()
