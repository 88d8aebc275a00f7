"""schedules.training on screen: rate above loss, over one time axis."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QPoint
from pytestqt.qtbot import QtBot

from engine.experiments import load
from engine.session.session import Session
from engine.spec import build
from gui.theme import DARK, PRINT
from gui.views import view_for

TRAINING: Any = load("schedules.training")


def test_the_rate_stands_above_the_loss(qtbot: QtBot) -> None:
    view: Any = view_for(TRAINING, DARK)
    view.resize(900, 800)
    qtbot.addWidget(view)
    session = Session(TRAINING, build(TRAINING.Spec, {"total_steps": 200, "hidden": (4,), "samples": 30}))
    view.set_spec(session.spec)
    session.advance(50)
    told = session.view()
    view.show_run(told, {name: session.probe(probe, **dict(asked))
                         for name, (probe, asked) in view.wanted().items()}, ())  # fmt: skip
    view.grab()
    rate, loss = view.curves["learning_rate"], view.curves["train_loss"]
    above, below = (plot.mapTo(view, QPoint(0, 0)) for plot in (rate, loss))
    assert above.x() == below.x() and above.y() + rate.height() <= below.y() and rate.width() == loss.width()
    assert rate.fixed_x == loss.fixed_x == (0, 200)
    assert rate.canvas.width() == loss.canvas.width(), "one axis below the other"
    rate.hovered.emit(20.0)
    assert loss.hover == pytest.approx(20.0)
    twin = view.panel.clone(PRINT)
    qtbot.addWidget(twin)
    twin.grab()
    assert twin.plots[0].y() < twin.plots[1].y() and twin.plots[0].x() == twin.plots[1].x()
    view.rest()


def test_a_plot_that_stays_empty_says_so_once_the_run_is_over(qtbot: QtBot) -> None:
    view: Any = view_for(TRAINING, DARK)
    qtbot.addWidget(view)
    settings = {"total_steps": 8, "hidden": (4,), "samples": 30, "optimizer": "sgd", "schedules": ("constant",)}
    session = Session(TRAINING, build(TRAINING.Spec, settings))
    view.set_spec(session.spec)
    momentum, other = view.curves["momentum"], view.curves["batch_loss"]
    words = {}
    for steps in (0, 3, 100):
        session.advance(steps)
        view.show_run(session.view(), {}, ())
        words[steps] = (momentum.empty, other.empty)
    assert words[0] == words[3] == ("This optimizer has no momentum", "Nothing measured yet")
    assert session.finish == "done" and words[100] == ("This optimizer has no momentum", "Nothing to show in this run")
    view.rest()


def test_what_was_not_measured_lies_amid_its_block_however_large(qtbot: QtBot) -> None:
    view: Any = view_for(TRAINING, DARK)
    qtbot.addWidget(view)
    high = np.array([1.5e308, 3.0])
    block = (np.arange(2.0), np.full(2, np.nan), high, high)
    branch: Any = SimpleNamespace(history=SimpleNamespace(curve=lambda column, s: block))
    with np.errstate(all="raise"):
        _, y, *_ = view._line(view._declared["test_loss"], branch, "test_loss", 0)
    np.testing.assert_array_equal(y, high)
    view.rest()
