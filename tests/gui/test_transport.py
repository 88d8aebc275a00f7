"""The transport bar: what every button and key emits, whose keys it leaves alone, and what it says."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

import pytest
from PySide6.QtCore import QEvent, QPoint, Qt
from PySide6.QtGui import QColor, QMouseEvent
from PySide6.QtWidgets import (
    QAbstractButton,
    QApplication,
    QCheckBox,
    QComboBox,
    QLineEdit,
    QSlider,
    QVBoxLayout,
    QWidget,
)
from pytestqt.qtbot import QtBot

from gui.standing import Line
from gui.theme import DARK, LIGHT
from gui.transport import STEPS_A_SECOND, Transport, speed_at, speed_words

QUIET: dict[str, Any] = dict(
    running=False, step=128, frontier=200, total=400, finish="", reason="", events=[], branches=["main"], branch=0
)


# The offscreen platform warns of every window that limits its own size, and of lists and tips that open.
pytestmark = pytest.mark.qt_log_ignore("This plugin does not support")


class Page(QWidget):
    """A bar with controls beside it that have keys of their own."""

    def __init__(self) -> None:
        super().__init__()
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.bar = Transport(DARK)
        self.line, self.slider, self.box, self.combo = QLineEdit(), QSlider(), QCheckBox("on"), QComboBox()
        self.combo.addItems(["one", "two"])
        layout = QVBoxLayout(self)
        for part in (self.line, self.slider, self.box, self.combo, self.bar):
            layout.addWidget(part)


@pytest.fixture
def page(qtbot: QtBot) -> Page:
    made = Page()
    qtbot.addWidget(made)
    made.resize(1280, 300)
    made.bar.set_state(**QUIET)
    made.show()
    made.activateWindow()
    qtbot.waitUntil(made.isActiveWindow)
    made.setFocus()
    return made


@pytest.fixture
def bar(page: Page) -> Transport:
    return page.bar


def listen(bar: Transport) -> list[tuple[str, tuple[Any, ...]]]:
    """What the bar emits from now on, in order."""
    told: list[tuple[str, tuple[Any, ...]]] = []
    for name in ("played", "paused", "stepped", "backed", "sought", "resetAsked", "endAsked", "branchAsked",
                 "branchChosen", "pinned", "codeAsked"):  # fmt: skip
        getattr(bar, name).connect(lambda *args, name=name: told.append((name, args)))
    return told


# -- buttons and keys -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("button", "wanted"),
    [
        ("reset", ("resetAsked", ())), ("back", ("backed", (3,))), ("play", ("played", ())),
        ("step", ("stepped", (3,))), ("end", ("endAsked", ())), ("branch", ("branchAsked", ())),
        ("pin", ("pinned", ())), ("code", ("codeAsked", ())),
    ],
)  # fmt: skip
def test_a_button(qtbot: QtBot, bar: Transport, button: str, wanted: tuple[str, tuple[Any, ...]]) -> None:
    bar.size_of_step.setValue(3)
    told = listen(bar)
    found = bar.findChild(QAbstractButton, button)
    assert found is not None and found.accessibleName() and found.toolTip()
    qtbot.mouseClick(found, Qt.MouseButton.LeftButton)
    assert told == [wanted]


SHIFT, PLAIN = Qt.KeyboardModifier.ShiftModifier, Qt.KeyboardModifier.NoModifier
KEYS = [
    (Qt.Key.Key_Space, PLAIN, ("played", ())), (Qt.Key.Key_Right, PLAIN, ("stepped", (1,))),
    (Qt.Key.Key_Left, PLAIN, ("backed", (1,))), (Qt.Key.Key_Right, SHIFT, ("stepped", (10,))),
    (Qt.Key.Key_Left, SHIFT, ("backed", (10,))), (Qt.Key.Key_Home, PLAIN, ("resetAsked", ())),
    (Qt.Key.Key_End, PLAIN, ("endAsked", ())), (Qt.Key.Key_B, PLAIN, ("branchAsked", ())),
    (Qt.Key.Key_P, PLAIN, ("pinned", ())),
]  # fmt: skip


@pytest.mark.parametrize(("key", "modifier", "wanted"), KEYS)
def test_a_key(
    qtbot: QtBot, page: Page, key: Qt.Key, modifier: Qt.KeyboardModifier, wanted: tuple[str, tuple[Any, ...]]
) -> None:
    told = listen(page.bar)
    qtbot.keyClick(page, key, modifier)
    assert told == [wanted]


ARROWS = {Qt.Key.Key_Right, Qt.Key.Key_Left, Qt.Key.Key_Home, Qt.Key.Key_End}
LETTERS = {Qt.Key.Key_B, Qt.Key.Key_P}


@pytest.mark.parametrize(
    ("control", "own"),
    [
        ("line", {Qt.Key.Key_Space} | ARROWS | LETTERS), ("combo", {Qt.Key.Key_Space} | ARROWS | LETTERS),
        ("slider", ARROWS), ("box", {Qt.Key.Key_Space}),
    ],
)  # fmt: skip
@pytest.mark.parametrize(("key", "modifier", "wanted"), KEYS)
def test_a_control_with_the_focus_keeps_its_own_keys(
    qtbot: QtBot, page: Page, control: str, own: set[Qt.Key], key: Qt.Key, modifier: Qt.KeyboardModifier,
    wanted: tuple[str, tuple[Any, ...]],
) -> None:  # fmt: skip
    focused: QWidget = getattr(page, control)
    focused.setFocus()
    told = listen(page.bar)
    qtbot.keyClick(focused, key, modifier)
    assert told == ([] if key in own else [wanted])
    if control == "combo":
        page.combo.hidePopup()
    if control == "box" and key == Qt.Key.Key_Space:
        assert page.box.isChecked()


def test_a_click_on_a_button_leaves_the_keys_to_the_bar(qtbot: QtBot, page: Page) -> None:
    step = page.bar.findChild(QAbstractButton, "step")
    assert step is not None
    told = listen(page.bar)
    qtbot.mouseClick(step, Qt.MouseButton.LeftButton)
    qtbot.keyClick(page, Qt.Key.Key_Space)
    assert [name for name, _ in told] == ["stepped", "played"]


def test_play_turns_into_pause(qtbot: QtBot, bar: Transport) -> None:
    told = listen(bar)
    bar.set_state(**QUIET | {"running": True})
    assert bar.play.text() == bar.play.accessibleName() == "Pause"
    qtbot.mouseClick(bar.play, Qt.MouseButton.LeftButton)
    assert told == [("paused", ())]


def test_at_the_start_there_is_no_way_back(bar: Transport) -> None:
    for step, enabled in ((0, False), (1, True)):
        bar.set_state(**QUIET | {"step": step})
        for name in ("back", "reset"):
            button = bar.findChild(QAbstractButton, name)
            assert button is not None and button.isEnabled() == enabled


# -- speed ----------------------------------------------------------------------------------------------------------


def test_speeds_rise_from_one_to_ten_thousand_and_then_as_fast_as_it_goes() -> None:
    speeds = [speed_at(notch) for notch in range(len(STEPS_A_SECOND))]
    assert speeds == sorted(set(speeds)) and speeds[0] == 1 and speeds[-2:] == [10_000, math.inf]
    ratios = [b / a for a, b in pairwise(speeds[:-1])]
    assert all(1.3 < ratio < 1.7 for ratio in ratios)  # a slider in about equal ratios
    assert len({speed_words(speed) for speed in speeds}) == len(speeds)


@pytest.mark.parametrize(("notch", "speed", "words"), [(0, 1.0, "1/s"), (19, 1500.0, "1.5k/s"), (25, math.inf, "max")])
def test_the_slider_tells_its_speed(qtbot: QtBot, bar: Transport, notch: int, speed: float, words: str) -> None:
    with qtbot.waitSignal(bar.speedChanged) as told:
        bar.speed.setValue(notch)
    assert told.args == [speed] and bar.speed_words.text() == words


# -- timeline -------------------------------------------------------------------------------------------------------


def test_a_click_or_a_drag_on_the_timeline_seeks_what_was_measured(qtbot: QtBot, bar: Transport) -> None:
    line = bar.timeline
    told = listen(bar)

    def at(step: float) -> QPoint:
        return QPoint(round(line._x(step)), line.height() // 2)

    for wanted in (0, 100, 200):
        qtbot.mouseClick(line, Qt.MouseButton.LeftButton, pos=at(wanted))
    qtbot.mouseClick(line, Qt.MouseButton.LeftButton, pos=at(350))  # not measured yet
    within = line.total / (line.width() - 16)  # steps a pixel
    assert [name for name, _ in told] == ["sought"] * 4
    for (_, (step,)), wanted in zip(told, (0, 100, 200, 200), strict=True):
        assert abs(step - wanted) <= within
    told.clear()
    held = Qt.MouseButton.LeftButton
    qtbot.mousePress(line, held, pos=at(50))
    drag = QMouseEvent(QEvent.Type.MouseMove, at(150), line.mapToGlobal(at(150)), held, held, PLAIN)
    QApplication.sendEvent(line, drag)
    qtbot.mouseRelease(line, held, pos=at(150))
    assert [abs(step - wanted) <= within for (_, (step,)), wanted in zip(told, (50, 150), strict=True)] == [True] * 2


def test_page_keys_move_by_a_tenth(qtbot: QtBot, bar: Transport) -> None:
    told = listen(bar)
    bar.timeline.setFocus()
    qtbot.keyClick(bar.timeline, Qt.Key.Key_PageUp)
    qtbot.keyClick(bar.timeline, Qt.Key.Key_PageDown)
    assert told == [("sought", (148,)), ("sought", (108,))]


def test_live_changes_and_the_fork_are_drawn(bar: Transport) -> None:
    line = bar.timeline
    middle = line.height() // 2

    def colour(step: int, above: int) -> str:
        return line.grab().toImage().pixelColor(round(line._x(step)), middle - above).name()

    before = colour(300, 9), colour(60, 9)
    bar.set_state(**QUIET | {"events": [(300, "noise = 1")], "fork": 60})
    assert before[0] != colour(300, 9) == QColor(DARK.text).name()
    assert before[1] != colour(60, 9) == QColor(DARK.accent).name()
    assert colour(20, 0) == QColor(DARK.accent).name() and colour(190, 0) == QColor(DARK.border).name()


# -- words ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("finish", "word", "token"),
    [
        ("", "", "good"), ("done", "done", "good"), ("target", "target reached", "good"),
        ("stopped", "stopped", "good"), ("diverged", "diverged", "bad"), ("failed", "failed", "bad"),
    ],
)  # fmt: skip
def test_how_a_run_ended(bar: Transport, finish: str, word: str, token: str) -> None:
    reason = "SGD: x overflowed (inf) at step 8" if finish else ""
    bar.set_state(**QUIET | {"finish": finish, "reason": reason})
    line = bar.standing.finish
    assert (line.text(), line._token, line.toolTip()) == (word, token, reason)
    told = bar.standing.reason
    assert told.isVisible() == (token == "bad") and told.text() == (reason if token == "bad" else "")
    assert bar.standing.where.text() == "step 128 of 400"


def test_a_bad_end_has_room_for_its_reason(bar: Transport) -> None:
    usual = bar.standing.sizeHint().width()
    told = {"finish": "diverged", "reason": "Network: the outputs of hidden layer 2 overflowed (inf) at step 1,234"}
    bar.set_state(**QUIET | told)
    assert usual < bar.standing.sizeHint().width() and (
        bar.standing.sizeHint().width() >= bar.standing.reason.sizeHint().width()
    )
    bar.set_state(**QUIET | told | {"reason": 40 * "and so on "})
    assert bar.standing.sizeHint().width() <= 2.5 * usual
    bar.set_state(**QUIET)
    assert bar.standing.sizeHint().width() == usual


def test_large_numbers_are_grouped_and_something_under_way_is_told(bar: Transport) -> None:
    bar.set_state(**QUIET | {"step": 1234567, "total": 2_000_000, "finish": "done"})
    assert bar.standing.where.text() == "step 1,234,567 of 2,000,000"
    bar.set_working("preparing")
    assert bar.standing.where.text() == "preparing…" and bar.standing.finish.text() == ""
    bar.set_working("")
    assert bar.standing.where.text() == "preparing…"  # until the next state says where it stands


def test_the_timeline_stands_still_while_numbers_run(qtbot: QtBot, bar: Transport) -> None:
    places = set()
    for step in (9, 99, 399):
        bar.set_state(**QUIET | {"step": step, "frontier": step, "running": True})
        bar.set_readout(f"best {1 / step:.4g}  Adam")
        bar.layout().activate()  # type: ignore[union-attr]
        places.add((bar.timeline.x(), bar.timeline.width()))
    assert len(places) == 1


def test_words_that_do_not_fit_end_in_an_ellipsis(qtbot: QtBot) -> None:
    line = Line(DARK)
    qtbot.addWidget(line)
    line.put("a reason that goes on for much longer than there is room", "bad")
    line.resize(120, line.sizeHint().height())
    cut = line.grab().toImage()
    line.resize(600, line.sizeHint().height())
    whole = line.grab().toImage().copy(0, 0, 120, cut.height())
    assert cut != whole and line.accessibleName() == line.text()


@pytest.mark.parametrize("theme", [DARK, LIGHT], ids=lambda theme: theme.name)
def test_the_narrowest_window_holds_it_in_any_state(bar: Transport, theme: Any) -> None:
    bar.apply_theme(theme)
    bar.set_state(**QUIET | {
        "total": 1_000_000_000, "step": 999_999_999, "finish": "diverged", "reason": "x overflowed " * 20,
        "branches": ["main", "a branch with a name that is rather long"], "branch": 1,
    })  # fmt: skip
    bar.set_readout("best 0.0031  Conjugate gradient")
    assert bar.minimumSizeHint().width() <= 960


# -- branches -------------------------------------------------------------------------------------------------------


def test_branches_can_be_chosen_once_there_are_two(bar: Transport) -> None:
    told = listen(bar)
    assert bar.branches.isHidden()
    bar.set_state(**QUIET | {"branches": ["main", "branch 2"], "branch": 1})
    assert bar.branches.isVisible() and bar.branches.currentText() == "branch 2" and told == []
    bar.branches.setCurrentIndex(0)
    bar.branches.activated.emit(0)
    assert told == [("branchChosen", (0,))]


# -- looks ----------------------------------------------------------------------------------------------------------


def test_another_theme_and_larger_type(bar: Transport) -> None:
    dark = bar.timeline.grab().toImage()
    bar.apply_theme(LIGHT.scaled(1.4))
    assert bar.play.iconSize().width() == 22 and bar.timeline.grab().toImage() != dark
    assert bar.standing.where.sizeHint().height() > 20


def test_every_control_has_a_name(bar: Transport) -> None:
    for control in (*bar.findChildren(QAbstractButton), bar.size_of_step, bar.speed, bar.branches, bar.timeline):
        assert control.accessibleName(), control
