"""Architectures on screen: the palette writes the text, layers are gone to, and what can be trained is handed over."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pytestqt.qtbot import QtBot

from engine.architectures.notation import EXAMPLES
from engine.experiments import load
from engine.session.presets import preset_spec, presets
from engine.session.session import Session
from engine.spec import build
from gui.page import Page
from gui.plots.export import export_picture
from gui.pump import Pump
from gui.theme import DARK, LIGHT, PRINT
from gui.views import view_for
from gui.views.networks._palette import split

EXPERIMENT: Any = load("networks.architectures")


def show(view: Any, steps: int = 10**6, **values: Any) -> Session:
    """Show a run after some steps, as a page would."""
    session = Session(EXPERIMENT, build(EXPERIMENT.Spec, values))
    session.advance(steps)
    view.set_spec(session.spec)
    answers = {name: session.probe(probe, **dict(asked)) for name, (probe, asked) in view.wanted().items()}
    view.show_run(session.view(), answers, ())
    view.grab()
    return session


@pytest.fixture
def view(qtbot: QtBot) -> Iterator[Any]:
    made = view_for(EXPERIMENT, DARK)
    made.resize(900, 700)
    qtbot.addWidget(made)
    yield made
    made.rest()


@pytest.mark.parametrize(
    "settings",
    [{}, {"model": "densenet121"}, {"model": "mlp"}, {"model": "custom"}, {"model": "alexnet", "input": "3x32x32"},
     {"model": "transformer_encoder", "input": "9x512"}, {"model": "vgg16", "input": "7"}],
)  # fmt: skip
def test_the_page_draws(view: Any, settings: dict[str, Any]) -> None:
    for steps in (0, 5, 10**6):
        show(view, steps, **settings)
    for theme in (LIGHT, DARK):
        view.apply_theme(theme)
        assert not view.grab().isNull()


def test_every_declared_plot_is_drawn_and_exported(view: Any, tmp_path: Path) -> None:
    show(view, model="googlenet")
    for title, plot in view.plots().items():
        assert not plot.grab().isNull(), title
    for ending in ("png", "svg"):
        export_picture(view.panel, tmp_path / f"one.{ending}", theme=PRINT)
        assert (tmp_path / f"one.{ending}").stat().st_size > 3000


def test_the_palette_is_there_for_an_own_network_only(view: Any) -> None:
    show(view)
    assert view.palette_row.isHidden()
    show(view, model="custom", layers="conv 3x3 8; 2 * (relu; relu); mean")
    assert not view.palette_row.isHidden()
    assert [chip.text() for chip in view.palette_row.own] == ["conv 3x3 8", "2 * (relu; relu)", "mean"]


def test_the_palette_adds_behind_the_chosen_part(view: Any, qtbot: QtBot) -> None:
    show(view, model="custom", layers="conv 3x3 8; relu")
    row = view.palette_row
    for name in EXAMPLES.keys() & row.offers.keys():
        with qtbot.waitSignal(view.edited) as told:
            row.offers[name].click()
        assert told.args[0] == "layers" and told.args[1].endswith(EXAMPLES[name])
    show(view, model="custom", layers="conv 3x3 8; relu; mean")
    row.own[0].click()
    with qtbot.waitSignal(view.edited) as told:
        row.offers["batchnorm"].click()
    assert told.args == ["layers", "conv 3x3 8; batchnorm; relu; mean"]
    with qtbot.waitSignal(view.edited) as told:  # the new part is chosen now
        row.offers["dropout"].click()
    assert told.args == ["layers", "conv 3x3 8; batchnorm; dropout 0.5; relu; mean"]


def test_parts_are_moved_and_taken_away(view: Any, qtbot: QtBot) -> None:
    show(view, model="custom", layers="conv 3x3 8; relu; mean")
    row = view.palette_row
    row.own[1].click()
    for sign, wanted in (("◀", "relu; conv 3x3 8; mean"), ("▶", "conv 3x3 8; relu; mean"),
                         ("▶", "conv 3x3 8; mean; relu"), ("×", "conv 3x3 8; mean"), ("×", "conv 3x3 8")):  # fmt: skip
        with qtbot.waitSignal(view.edited) as told:
            row.edits[sign].click()
        assert told.args == ["layers", wanted]
    told_more: list[Any] = []
    view.edited.connect(lambda *args: told_more.append(args))
    for sign in ("◀", "▶", "×"):  # nowhere to go, and an empty text is no network
        row.edits[sign].click()
    assert not told_more


def test_text_is_split_at_the_top_only() -> None:
    assert split("a; 2 * (b; c);; (d; (e; f)); ") == ["a", "2 * (b; c)", "(d; (e; f))"]
    assert split(" ; ") == [] and split("a\nb") == ["a", "b"]


def test_many_parts_scroll_with_the_chosen_one(view: Any) -> None:
    show(view, model="custom", layers="; ".join(["conv 3x3 8", "relu"] * 60))
    row = view.palette_row
    shown = [chip for chip in row.own if not chip.isHidden()]
    assert row.own[-1] in shown and row.own[0] not in shown and row.height() < 200
    row.choose(0)
    assert not row.own[0].isHidden()


def test_a_layer_that_is_clicked_is_gone_to(view: Any, qtbot: QtBot) -> None:
    show(view)
    with qtbot.waitSignal(view.sought) as told:
        view.drawing.layerPicked.emit(3)
    assert told.args == [4]


@pytest.mark.parametrize(
    ("settings", "id"),
    [({"model": "mlp"}, "networks.playground"), ({"model": "resnet50"}, ""),
     ({"model": "custom", "layers": "conv 3x3 4; relu; pool 2; flatten; dense 10"}, "networks.convolution")],
)  # fmt: skip
def test_what_can_be_trained_is_handed_over(view: Any, qtbot: QtBot, settings: dict[str, Any], id: str) -> None:
    show(view, **settings)
    assert view.train.isHidden() == (not id)
    if id:
        with qtbot.waitSignal(view.handed) as told:
            view.train.click()
        other = load(told.args[0])
        other.check(build(other.Spec, told.args[1]))
        assert told.args[0] == id


def test_the_chapters_shapes_are_laid_over_a_plot_that_is_seen(view: Any) -> None:
    session = show(view, model="chapter_cnn")
    (drawn,) = EXPERIMENT.drawn(session.spec, session.view())
    assert not view.panel.shows(view.curves["memory"])
    view.show_drawn(drawn)
    assert view.panel.shows(view.curves["memory"])
    view.show_drawn(None)


def test_the_coming_layer_is_asked_for(view: Any) -> None:
    session = show(view, 3)
    assert view.wanted()["inside"] == ("inside", {})
    assert "Layer 4" in session.probe("inside").note


# -- on its page -----------------------------------------------------------------------------------------------------


@pytest.fixture
def page(qtbot: Any) -> Iterator[Any]:
    pump = Pump()
    made: Any = Page(EXPERIMENT, pump, DARK)
    qtbot.addWidget(made)
    made.begin()
    qtbot.waitUntil(lambda: made.run.view is not None and not made.run.busy, timeout=20_000)
    yield made
    made.close_run()
    pump.close()


def error(page: Any, key: str) -> str:
    """What stands beneath a field, where the reader sees it."""
    row = page.form.rows[key]
    return "" if row.isHidden() or row.error.isHidden() else str(row.error.text())


def test_an_impossible_shape_is_told_beneath_its_field_at_once(page: Any, qtbot: Any) -> None:
    """Nothing has run yet when it is told; what can be is drawn all the same, and a network that can be ends it."""
    page.edit("model", "custom")
    qtbot.waitUntil(lambda: not page.run.busy, timeout=20_000)
    page.edit("layers", "conv 3x3 8; flatten; conv 3x3 8")
    told = error(page, "layers")
    assert told.startswith("layer 3 (conv 3×3, 8): ") and len(told) > 40
    qtbot.waitUntil(lambda: page.run.view is not None and page.run.view.finish == "failed", timeout=20_000)
    assert page.run.view.branch.reason.endswith(told), "the run says the same"
    assert error(page, "layers") == told, "and it stays"
    page.view.palette_row.choose(1)
    page.view.palette_row.edits["×"].click()
    assert page.spec.layers == "conv 3x3 8; conv 3x3 8" and error(page, "layers") == ""
    qtbot.waitUntil(lambda: not page.run.busy, timeout=20_000)


def test_an_impossible_input_of_a_known_network_is_told_there(page: Any, qtbot: Any) -> None:
    page.use_preset("too_small")
    told = error(page, "input")
    assert "pool" in told and told.startswith("layer ")
    qtbot.waitUntil(lambda: page.run.view is not None and page.run.view.finish == "failed", timeout=20_000)
    page.edit("model", "resnet18")
    assert error(page, "input") == "", "the same input is fine there"
    qtbot.waitUntil(lambda: not page.run.busy, timeout=20_000)
    page.go_back()
    assert error(page, "input") == told
    qtbot.waitUntil(lambda: not page.run.busy, timeout=20_000)
    page.go_forth()
    assert error(page, "input") == ""
    qtbot.waitUntil(lambda: not page.run.busy, timeout=20_000)


@pytest.mark.parametrize("preset", [one.name for one in presets(EXPERIMENT.id)])
def test_only_what_fails_is_doubted(preset: str) -> None:
    spec = preset_spec(EXPERIMENT, preset)
    session = Session(EXPERIMENT, spec)
    session.advance(10**6)
    key, words = EXPERIMENT.doubt(spec)
    assert (session.finish == "failed") == bool(key) == bool(words)
    assert words in session.branch.reason
