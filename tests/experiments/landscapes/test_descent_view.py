"""The map of optimizers on a surface: how far it reaches, and the arrows of the coming step."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from engine.experiments import load
from engine.session.session import Session
from engine.spec import SpecError, build
from gui.page import Page
from gui.plots.ticks import number
from gui.pump import Pump
from gui.theme import DARK
from gui.views.landscapes.descent import FURTHEST, LONGEST, SHORTEST, arrows_of, round_below

DESCENT: Any = load("landscapes.descent")
FAR = {"surface": "custom", "formula": "(x-300)^2 + 3*(y-500)^2", "start": (100.0, 200.0), "learning_rate": 0.01}
pytestmark = pytest.mark.qt_log_ignore("This plugin does not support propagateSizeHints")


def spec(**values: Any) -> Any:
    return build(DESCENT.Spec, values)


def inside(name: str, steps: int, **values: Any) -> Any:
    """The coming step of one optimizer after some steps."""
    one = Session(DESCENT, spec(optimizers=(name,), **values))
    one.advance(steps)
    return one.probe("inside", series=name)


@pytest.fixture
def page(qtbot: QtBot) -> Iterator[Page]:
    pump = Pump()
    made = Page(DESCENT, pump, DARK)
    qtbot.addWidget(made)
    made.resize(1100, 700)
    made.show()
    made._restart(spec(steps=30))
    qtbot.waitUntil(lambda: made.run.view is not None and not made.run.busy, timeout=20_000)
    yield made
    made.close_run()
    pump.close()


# -- how far the map reaches -----------------------------------------------------------------------------------------


def test_the_map_reaches_the_start() -> None:
    """A start beyond the domain would otherwise walk where nobody sees it."""
    assert DESCENT.extent(spec()) == (-2.0, 2.0, -1.0, 3.0)
    assert DESCENT.extent(spec(start=(2.0, 3.0))) == (-2.0, 2.0, -1.0, 3.0)
    x0, x1, y0, y1 = DESCENT.extent(spec(start=(-7.0, 12.0)))
    assert (x1, y0) == (2.0, -1.0) and -7.9 < x0 < -7.0 and 12.0 < y1 < 13.2
    assert DESCENT.extent(spec(**FAR, x_range=(0.0, 400.0), y_range=(100.0, 600.0))) == (0, 400, 100, 600)
    x0, x1, y0, y1 = DESCENT.extent(spec(**FAR, x_range=(150.0, 400.0)))
    assert (x0, x1, y0) == (150, 400, -4) and y1 > 200
    assert DESCENT.extent(spec(x_range=(0.0, 1.0), y_range=(0.0, 1.0))) == (-2.0, 2.0, -1.0, 3.0), "own formulas only"
    with pytest.raises(SpecError, match="x_range: 3,3 is not allowed; the first number must be below") as told:
        DESCENT.check(spec(**FAR, x_range=(3.0, 3.0)))
    assert told.value.key == "x_range"


def test_how_far_the_map_reaches_is_nothing_of_the_run() -> None:
    one = Session(DESCENT, spec(**FAR, steps=20))
    one.advance(20)
    before = one.row["x"].tobytes()
    assert not one.set_live("x_range", (0.0, 400.0)) and len(one.view().branches) == 1
    assert one.row["x"].tobytes() == before and one.step == 20
    again = Session(DESCENT, spec(**FAR, steps=20, x_range=(0.0, 400.0)))
    again.advance(20)
    assert again.row["x"].tobytes() == before


def test_another_range_moves_the_map_and_leaves_the_run(qtbot: QtBot, page: Page) -> None:
    page._restart(spec(**FAR, steps=30))
    qtbot.waitUntil(lambda: not page.run.busy and page.run.view.spec.surface == "custom", timeout=20_000)  # type: ignore
    page.run.step(30)
    qtbot.waitUntil(lambda: not page.run.busy and page.run.view.step == 30, timeout=20_000)  # type: ignore[union-attr]
    page.edit("x_range", (0.0, 400.0))
    qtbot.waitUntil(lambda: not page.run.busy, timeout=20_000)
    page.edit("y_range", (100.0, 600.0))
    shown: Any = page.view
    qtbot.waitUntil(lambda: shown._home == (0.0, 400.0, 100.0, 600.0) and not shown._needs_field, timeout=20_000)
    frame = shown.map.canvas.frame()
    assert (frame.x0, frame.x1, frame.y0, frame.y1) == (0.0, 400.0, 100.0, 600.0)
    assert shown._field[0, 0] == pytest.approx(300**2 + 3 * 400**2), "the loss at (0, 100)"
    view = page.run.view
    assert view is not None and view.step == 30 and len(view.branches) == 1


def test_a_start_clicked_on_a_wider_map_leaves_the_map_alone(qtbot: QtBot, page: Page) -> None:
    shown: Any = page.view
    shown._view_changed(-20.0, 20.0, -20.0, 20.0)
    shown.set_spec(spec(start=(-15.0, 10.0)))
    assert shown._extent == (-20.0, 20.0, -20.0, 20.0)
    shown.set_spec(spec(start=(-35.0, 10.0)))  # typed, and out of sight
    assert shown._extent == shown._home == DESCENT.extent(spec(start=(-35.0, 10.0)))


# -- arrows ----------------------------------------------------------------------------------------------------------


def test_every_arrow_can_be_seen_and_says_how_much_longer_it_is_drawn() -> None:
    extent = (-2.0, 2.0, -1.0, 3.0)
    for name in DESCENT.Spec.model_fields["optimizers"].json_schema_extra["lab"]["choices"]:
        for steps in (0, 1, 60):
            found = inside(name, steps, learning_rate=1e-4)
            known = {q.name.replace("_", " "): np.array(q.value) for q in found.quantities}
            known["m\u0302"] = known.get("m hat")
            arrows = arrows_of(found, extent, True)
            if found.quantities and np.hypot(*(known["step"] / 4)) * FURTHEST >= LONGEST:
                assert any(label.startswith("step") for _, _, label, _ in arrows), (name, steps)
            for dx, dy, label, _ in arrows:
                words, _, times = label.partition(" × ")
                factor = next(float(f"{k}e{e}") for e in range(-9, 4) for k in (1, 2, 5)
                              if number(float(f"{k}e{e}"), 1) == (times or "1"))  # fmt: skip
                assert 0 < factor <= FURTHEST
                np.testing.assert_allclose([dx, dy], factor * known[words])
                reach = np.hypot(dx / 4, dy / 4)
                assert words == "m" or reach >= SHORTEST
                assert reach <= LONGEST * 1.000001 or label == "step"
                assert factor == round_below(factor)
            drawn = {words.partition(" × ")[0]: words.partition(" × ")[2] for _, _, words, _ in arrows}
            assert drawn.get("m\u0302", drawn.get("m")) == drawn.get("m"), "both as many times as long"


def test_who_has_arrived_has_no_arrows() -> None:
    done = inside("adam", 3000, surface="bowl", condition_number=2.0, start=(1.0, 1.0), learning_rate=0.05)
    assert arrows_of(done, (-1.5, 1.5, -1.5, 1.5), False) == []


def test_bias_correction_and_the_root_are_arrows_while_nothing_runs() -> None:
    extent = (-2.0, 2.0, -1.0, 3.0)

    def begun(steps: int) -> Any:
        return inside("adam", steps, start=(-1.5, 2.3), learning_rate=0.05)

    def words(steps: int, resting: bool) -> list[str]:
        return [label.partition(" × ")[0] for _, _, label, _ in arrows_of(begun(steps), extent, resting)]

    assert words(0, True) == ["gradient", "m", "step"], "the others are the gradient itself"
    assert words(3, True) == ["gradient", "m", "m\u0302", "root", "step"]
    assert words(3, False) == ["gradient", "m", "step"]
    assert "m\u0302" not in words(200, True), "by then it is m itself"


@pytest.mark.parametrize(("value", "found"), [(1.0, 1.0), (0.99, 0.5), (7.0, 5.0), (19.9, 10.0), (2e-5, 2e-5)])
def test_round_numbers(value: float, found: float) -> None:
    assert round_below(value) == found
