"""A new formula of the reader's on the basin map: it works while it is being made fast."""

from __future__ import annotations

from typing import Any

import pytest
from pytestqt.qtbot import QtBot

from engine.experiments import load
from engine.session.session import Session
from engine.spec import build
from gui.page import Page
from gui.pump import Pump
from gui.theme import DARK

BASINS: Any = load("landscapes.basins")
pytestmark = pytest.mark.qt_log_ignore("This plugin does not support propagateSizeHints")
OWN = {"surface": "custom", "learning_rate": 0.02, "resolution": 90, "steps": 120}
NEW = "sin(3.21*x)*cos(1.57*y) + 0.13*(x^2+y^2) + exp(-1.9*(x-1)^2)*tanh(y)"


def test_a_new_formula_works_meanwhile(qtbot: QtBot) -> None:
    """The old map stays until the first of the new one is there; an edit on the way is followed; a wrong formula
    leaves all as it was."""
    pump = Pump()
    page = Page(BASINS, pump, DARK)
    qtbot.addWidget(page)
    page.resize(1100, 700)
    page.show()

    def finished(**wanted: Any) -> bool:
        view = page.run.view
        return (view is not None and not page.run.busy and view.finish == "done"
                and all(getattr(view.spec, key) == value for key, value in wanted.items()))  # fmt: skip

    try:
        page._restart(build(BASINS.Spec, {**OWN, "formula": "x^2 + y^2"}))
        qtbot.waitUntil(lambda: finished(formula="x^2 + y^2"), timeout=30_000)
        plane: Any = page.view.pictures["basins"]
        old, steps = plane.picture, list[int]()
        page.run.shown.connect(lambda view, probes: steps.append(view.step))
        page.edit("formula", NEW)
        assert plane.picture is old, "no blank in between"
        page.edit("learning_rate", 0.021)  # while it is compiled
        qtbot.waitUntil(lambda: plane.picture is not old, timeout=30_000)
        assert plane.picture is not None
        qtbot.waitUntil(lambda: finished(formula=NEW, learning_rate=0.021), timeout=30_000)
        assert steps[0] == 0 and steps == sorted(steps), "coarse first, and nothing of the edit before"
        alone = Session(BASINS, build(BASINS.Spec, {**OWN, "formula": NEW, "learning_rate": 0.021}))
        alone.advance(10**6)
        assert (plane.picture.values == alone.probe("basins").values).all()
        shown = plane.picture
        page.edit("formula", "x^2 +")
        assert plane.picture is shown and finished(formula=NEW)
    finally:
        page.close_run()
        pump.close()
