"""The window as a user meets it: run, step back, change, undo, save, open, close at any moment."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QPointF, QSettings, Qt
from PySide6.QtGui import QCloseEvent, QGuiApplication
from PySide6.QtWidgets import QAbstractButton, QLabel, QListWidget, QMenu, QTabBar
from pytestqt.qtbot import QtBot

from engine.session.files import read
from engine.spec import build
from gui.dialogs import DiagnosticsDialog, ShortcutsDialog
from gui.fonts import FAMILY
from gui.lesson.parts import TextButton
from gui.page import Page
from gui.pulse import Pulse
from gui.stylesheet import stylesheet
from gui.theme import DARK, LIGHT, dress
from gui.window import MainWindow


@pytest.fixture
def settings(tmp_path: Path) -> QSettings:
    return QSettings(str(tmp_path / "settings.ini"), QSettings.Format.IniFormat)


@pytest.fixture
def window(qtbot: QtBot, settings: QSettings) -> Iterator[MainWindow]:
    made = MainWindow(settings)
    qtbot.addWidget(made)
    made.resize(1280, 800)
    made.show()
    qtbot.waitUntil(lambda: made.page is not None and made.page.run.view is not None, timeout=20_000)
    yield made
    made.close()


def page_of(window: MainWindow) -> Page:
    assert window.page is not None
    return window.page


def until(qtbot: QtBot, page: Page, wanted: Any) -> Any:
    """The first view for which `wanted` holds, once nothing is under way."""
    qtbot.waitUntil(lambda: page.run.view is not None and not page.run.busy and wanted(page.run.view), timeout=20_000)
    return page.run.view


def begin(qtbot: QtBot, page: Page, **values: Any) -> Any:
    page._restart(build(page.experiment.Spec, values))
    return until(qtbot, page, lambda v: v.step == 0)


def test_the_first_screen_has_something_to_run(qtbot: QtBot, window: MainWindow) -> None:
    page = page_of(window)
    view = page.run.view
    assert view is not None and len(view.series) >= 4 and view.steps >= 100
    page.run.speed = math.inf
    qtbot.mouseClick(page.transport.play, Qt.MouseButton.LeftButton)
    view = until(qtbot, page, lambda v: v.finish is not None)
    assert view.finish == "done" and "done" in page.transport.finish.text()


def test_keys_step_and_step_back(qtbot: QtBot, window: MainWindow) -> None:
    page = page_of(window)
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    page.setFocus()
    for key, step in ((Qt.Key.Key_Right, 1), (Qt.Key.Key_Right, 2), (Qt.Key.Key_Left, 1), (Qt.Key.Key_Home, 0)):
        qtbot.keyClick(page, key)
        until(qtbot, page, lambda v, s=step: v.step == s)


def test_a_live_change_and_its_undo(qtbot: QtBot, window: MainWindow) -> None:
    page = page_of(window)
    begin(qtbot, page, optimizers=("sgd", "adam"))
    page.run.step(20)
    before = until(qtbot, page, lambda v: v.step == 20)
    page.edit("learning_rate", 0.0005)
    view = until(qtbot, page, lambda v: v.live.learning_rate == 0.0005)
    assert [(e.step, e.key) for e in view.branch.events] == [(20, "learning_rate")] and view.step == 20
    page.go_back()
    view = until(qtbot, page, lambda v: v.live.learning_rate == before.live.learning_rate and v.step == 20)
    assert not view.branch.events and view.row["x"].tobytes() == before.row["x"].tobytes()
    page.go_forth()
    until(qtbot, page, lambda v: v.live.learning_rate == 0.0005 and v.step == 20)


def test_a_change_of_surface_can_be_undone_to_the_step(qtbot: QtBot, window: MainWindow) -> None:
    page = page_of(window)
    begin(qtbot, page, optimizers=("adam",))
    page.run.step(15)
    before = until(qtbot, page, lambda v: v.step == 15)
    page.edit("surface", "himmelblau")
    until(qtbot, page, lambda v: v.spec.surface == "himmelblau" and v.step == 0)
    page.go_back()
    view = until(qtbot, page, lambda v: v.spec.surface == "rosenbrock" and v.step == 15)
    assert view.row["x"].tobytes() == before.row["x"].tobytes()


@pytest.mark.parametrize(
    "formula", ["__import__('os')", "x.real", "lambda: 0", "(" * 400 + "x" + ")" * 90, "x**(10**9)", ""]
)
def test_a_bad_formula_is_told_beside_its_field_and_loses_nothing(
    qtbot: QtBot, window: MainWindow, formula: str
) -> None:
    page = page_of(window)
    begin(qtbot, page, surface="custom", formula="x^2 + y^2", optimizers=("sgd",))
    page.run.step(5)
    until(qtbot, page, lambda v: v.step == 5)
    number = page.run.run
    page.edit("formula", formula)
    assert page.run.run == number and page.run.view is not None and page.run.view.step == 5
    assert page.run.view.spec.formula == "x^2 + y^2"  # type: ignore[attr-defined]


def test_divergence_is_told_and_the_page_stays_usable(qtbot: QtBot, window: MainWindow) -> None:
    page = page_of(window)
    begin(qtbot, page, optimizers=("sgd",), learning_rate=1.0)
    page.run.step(50)
    view = until(qtbot, page, lambda v: v.finish is not None)
    assert view.finish == "diverged" and "at step" in view.branch.reason
    assert "diverged" in page.transport.finish.text()
    page.run.back(1)
    until(qtbot, page, lambda v: v.step == view.step - 1)
    assert not window.grab().isNull()


def test_save_open_and_a_broken_file(qtbot: QtBot, window: MainWindow, tmp_path: Path) -> None:
    page = page_of(window)
    begin(qtbot, page, optimizers=("sgd", "newton"))
    page.run.step(12)
    saved = until(qtbot, page, lambda v: v.step == 12)
    path = tmp_path / "a.descent.json"
    assert window.save_path(path) and read(path).step == 12
    begin(qtbot, page, optimizers=("adam",))
    broken = tmp_path / "b.descent.json"
    broken.write_text(path.read_text()[:-40])
    number = page.run.run
    assert not window.open_path(broken)
    assert page.run.run == number and page.notice.isVisible() and "\n" not in page.notice.label.text()
    assert window.open_path(path)
    view = until(qtbot, page, lambda v: v.step == 12)
    assert view.series == ("sgd", "newton") and view.row["x"].tobytes() == saved.row["x"].tobytes()


def test_every_preset_opens_and_runs(qtbot: QtBot, window: MainWindow) -> None:
    page = page_of(window)
    for preset in page.presets:
        page.use_preset(preset.name)
        page.play_when_ready = False
        until(qtbot, page, lambda v: v.step == 0)
        page.run.step(3)
        until(qtbot, page, lambda v: v.step == 3 or v.finish is not None)


def test_quick_edits_from_outside_add_up(qtbot: QtBot, window: MainWindow) -> None:
    page = page_of(window)
    page.edit("surface", "beale")
    page.edit("steps", 77)
    until(qtbot, page, lambda view: view.spec.steps == 77)
    assert page.run.view is not None and page.run.view.spec.surface == "beale"


def test_to_the_end_can_be_paused(qtbot: QtBot, window: MainWindow) -> None:
    page = page_of(window)
    begin(qtbot, page, steps=1_000_000)
    page.run.speed = 1.0
    page.transport.endAsked.emit()
    qtbot.waitUntil(lambda: page.run.view is not None and page.run.view.step > 1000)
    assert page.transport.running
    page.transport.play.click()
    until(qtbot, page, lambda view: view.step < 1_000_000)
    assert not page.transport.running and not page.run.running


def test_a_preset_finds_its_ranges_anew(qtbot: QtBot, window: MainWindow) -> None:
    page = page_of(window)
    curves = page.view.curves["loss"]
    page.run.step(30)
    until(qtbot, page, lambda view: view.step == 30)
    curves.set_x_range(None)
    curves.canvas.set_range(-5.0, 400.0, -300.0, 300.0)
    curves._held = ((-5.0, 400.0), (-300.0, 300.0))
    curves.zoom(QPointF(20, 20), 0.5)
    page.use_preset("valley")
    assert curves._held is None and not curves.zoomed


def test_pins_are_kept_as_ghosts_and_compared(qtbot: QtBot, window: MainWindow) -> None:
    from gui.runs import results, what_differs

    page = page_of(window)
    for rate in (0.001, 0.0005):
        begin(qtbot, page, optimizers=("sgd",), learning_rate=rate)
        page.run.step(10)
        until(qtbot, page, lambda v: v.step == 10)
        page.pin()
    one, other = page.pinned
    assert ("learning_rate", 0.001, 0.0005) in what_differs(one, other)
    assert results(page.experiment, one, 1e9)[0].to_target == 0
    page.unpin(one.name)
    assert [pin.name for pin in page.pinned] == [other.name]


def test_a_new_page_comes_in_turns_and_shares_the_width(qtbot: QtBot, window: MainWindow) -> None:
    page_of(window)
    page = window.show_experiment("networks.activations")
    parts = (page.left, page.view, page.lesson)
    assert window.page is page and not any(part.isVisible() for part in parts)  # all at once is too long a stop
    assert window.pump is not None and window.pump.resting  # and the worker keeps out of the way
    qtbot.waitUntil(lambda: all(part.isVisible() for part in parts), timeout=20_000)
    qtbot.waitUntil(lambda: window.pump is not None and not window.pump.resting, timeout=20_000)
    scale = window.appearance.theme.scale
    sizes = page.columns.sizes()
    assert abs(sizes[0] - 264 * scale) < 20 and abs(sizes[2] - 300 * scale) < 20 and sizes[1] >= 300
    window.show_experiment("landscapes.descent")
    assert window.show_experiment("networks.activations").view.isVisible()  # at once, now that it is there


def test_the_preset_in_hand_is_marked(qtbot: QtBot, window: MainWindow) -> None:
    page = page_of(window)

    def marked() -> list[str]:
        return [b.objectName() for b in page.lesson.presets.findChildren(TextButton) if b.property("chosen")]

    qtbot.waitUntil(lambda: marked() == [page.presets[0].name], timeout=20_000)
    page.edit("learning_rate", 0.00123)
    qtbot.waitUntil(lambda: marked() == [], timeout=20_000)
    page.use_preset(page.presets[2].name)
    page.play_when_ready = False
    qtbot.waitUntil(lambda: marked() == [page.presets[2].name], timeout=20_000)
    (button,) = (b for b in page.lesson.presets.findChildren(TextButton) if b.property("chosen"))
    assert button.accessibleName().endswith("in hand")


def test_a_prediction_is_checked_against_the_run(qtbot: QtBot, window: MainWindow) -> None:
    page = page_of(window)
    question = page.questions.current
    assert question is not None
    page.run.speed = math.inf
    page._predicted(question, "Newton")
    until(qtbot, page, lambda v: v.finish is not None)
    qtbot.waitUntil(lambda: bool(page.questions.answered), timeout=20_000)
    assert page.questions.answered[question.question] == ("Newton", "Newton")


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_themes_change_everything_at_once(qtbot: QtBot, window: MainWindow, mode: str) -> None:
    window.appearance.mode = mode  # type: ignore[assignment]
    page = page_of(window)
    qtbot.waitUntil(page.updatesEnabled, timeout=20_000)
    assert page.view.theme.name == mode
    corner = window.grab().toImage().pixelColor(4, 4)
    assert (corner.lightness() > 128) == (mode == "light")


def test_all_of_the_window_is_in_its_one_typeface(qtbot: QtBot, window: MainWindow) -> None:
    """A part that has a style sheet does not follow the application's font."""
    kinds = (QLabel, QAbstractButton, QTabBar, QListWidget, QMenu)

    def other() -> list[str]:
        seen = [part for kind in kinds for part in window.findChildren(kind)]
        return [f"{part} {part.font().family()}" for part in seen if part.font().family() != FAMILY]

    assert not other()
    normal = window.tabs.font().pixelSize()
    window.looks.presentation.setChecked(True)
    qtbot.waitUntil(page_of(window).updatesEnabled, timeout=20_000)
    assert window.tabs.font().pixelSize() > normal and not other()


def test_in_presentation_mode_plots_come_first(qtbot: QtBot, window: MainWindow) -> None:
    window.resize(1280, 800)
    page = page_of(window)
    qtbot.waitUntil(page.lesson.isVisible, timeout=20_000)
    assert page.left.isVisible() and page.view.width() < 800
    window.looks.presentation.trigger()
    assert not page.left.isVisible() and not page.lesson.isVisible()
    assert "F6" in page.notice.label.text()
    qtbot.waitUntil(lambda: page.view.width() == page.width())
    qtbot.waitUntil(page.updatesEnabled, timeout=20_000)
    window.looks.sides[0].trigger()
    assert page.left.isVisible() and not page.lesson.isVisible()
    other = window.show_experiment("networks.activations")
    qtbot.waitUntil(lambda: not other._turns.isActive(), timeout=20_000)
    assert other.left.isVisible() and other.view.isVisible() and not other.lesson.isVisible()
    window.looks.presentation.trigger()
    qtbot.waitUntil(other.updatesEnabled, timeout=20_000)  # its columns come one by one, and are seen together
    assert other.lesson.isVisible() and [action.isChecked() for action in window.looks.sides] == [True, True]
    window.show_experiment("landscapes.descent")
    qtbot.waitUntil(page.updatesEnabled, timeout=20_000)
    assert page.left.isVisible() and page.lesson.isVisible()


def test_presentation_mode_leaves_nothing_behind_in_the_column(qtbot: QtBot, window: MainWindow) -> None:
    window.resize(1280, 800)
    page = page_of(window)
    qtbot.waitUntil(page.lesson.isVisible, timeout=20_000)
    heading = next(label for label in page.left.findChildren(QLabel) if label.text() == "EXPERIMENTS")

    def places() -> tuple[int, int, int]:
        return heading.mapTo(page.left, heading.rect().topLeft()).x(), heading.height(), window.list.height()

    before = places()
    assert before[0] > 0 and before[2] > window.list.sizeHintForRow(0)
    for _ in range(2):
        window.looks.presentation.trigger()
        qtbot.waitUntil(page.updatesEnabled, timeout=20_000)
        window.grab()
    assert places() == before


def test_a_page_out_of_sight_waits_for_its_new_looks(qtbot: QtBot, window: MainWindow) -> None:
    """Two pages at once would make the turns of the event loop twice as long."""
    page = page_of(window)
    qtbot.waitUntil(page.lesson.isVisible, timeout=20_000)
    window.appearance.mode = "dark" if window.appearance.theme.name == "light" else "light"
    assert not page.updatesEnabled()
    other = window.show_experiment("networks.activations")
    qtbot.waitUntil(other.updatesEnabled, timeout=20_000)
    qtbot.waitUntil(lambda: not page._turns.isActive())
    assert not page.updatesEnabled()
    window.show_experiment(page.experiment.id)
    qtbot.waitUntil(page.updatesEnabled, timeout=20_000)
    assert page.form._theme == page.view.theme == window.appearance.theme


def test_a_column_keeps_its_width_while_others_are_looked_at(qtbot: QtBot, window: MainWindow) -> None:
    page = page_of(window)
    qtbot.waitUntil(page.lesson.isVisible, timeout=20_000)
    sizes = page.columns.sizes()
    page.columns.setSizes([sizes[0] + 40, sizes[1] - 40, sizes[2]])
    wide = page.left.width()
    assert wide > sizes[0]
    other = window.show_experiment("networks.activations")
    qtbot.waitUntil(lambda: not other._turns.isActive(), timeout=20_000)
    window.show_experiment(page.experiment.id)
    assert page.left.width() == wide


@pytest.mark.qt_log_ignore("propagateSizeHints")  # what the offscreen platform says of a dialog
def test_the_keys_at_a_glance_are_not_cut(qtbot: QtBot, window: MainWindow) -> None:
    dialog = ShortcutsDialog(window)
    dress(dialog, window.appearance.theme.scaled(1.4))
    dialog.show()
    for label in dialog.findChildren(QLabel):
        if label.isVisible():
            qtbot.waitUntil(lambda label=label: label.height() >= label.heightForWidth(label.width()))  # type: ignore[misc]


def test_a_theme_comes_part_after_part_and_is_seen_at_once(qtbot: QtBot, window: MainWindow) -> None:
    window.appearance.mode = "light"
    page = page_of(window)
    parts = (page.view, page.left, *page.lesson.dressed, page.transport)
    qtbot.waitUntil(lambda: page.lesson.isVisible() and page.updatesEnabled(), timeout=20_000)
    window.appearance.mode = "dark"
    assert not page.updatesEnabled()  # nobody sees half of it
    done = [0]
    while not page.updatesEnabled():
        page._turn()
        done.append(sum(part.styleSheet() == stylesheet(DARK) for part in parts))
        assert done[-1] - done[-2] in (0, 1)  # in some turns a part takes over the colours
    assert done[-1] == len(parts)
    assert page.view.theme == DARK and page.form._theme == DARK
    other = window.show_experiment("networks.activations")
    window.appearance.mode = "light"
    qtbot.waitUntil(lambda: other.lesson.isVisible() and other.updatesEnabled(), timeout=20_000)
    assert page.view.theme == DARK  # not before it is seen again
    assert window.show_experiment("landscapes.descent") is page
    qtbot.waitUntil(page.updatesEnabled, timeout=20_000)
    assert page.view.theme == LIGHT


def test_a_restart_takes_up_the_run(qtbot: QtBot, window: MainWindow, settings: QSettings) -> None:
    page = page_of(window)
    begin(qtbot, page, optimizers=("sgd",), learning_rate=0.0007)
    page.run.step(9)
    before = until(qtbot, page, lambda v: v.step == 9)
    window.close()
    again = MainWindow(settings)
    qtbot.addWidget(again)
    again.show()
    qtbot.waitUntil(
        lambda: again.page is not None and again.page.run.view is not None and again.page.run.view.step == 9,
        timeout=20_000,
    )
    assert again.page is not None and again.page.run.view is not None
    assert again.page.run.view.row["x"].tobytes() == before.row["x"].tobytes()
    again.close()


@pytest.mark.parametrize("moment", ["at once", "running", "opening"])
def test_closing_at_any_moment(qtbot: QtBot, settings: QSettings, moment: str) -> None:
    window = MainWindow(settings)
    qtbot.addWidget(window)
    window.show()
    if moment != "at once":
        qtbot.waitUntil(lambda: window.page is not None, timeout=20_000)
        page = page_of(window)
        if moment == "running":
            qtbot.waitUntil(lambda: page.run.view is not None, timeout=20_000)
            page.run.speed = math.inf
            page._restart(build(page.experiment.Spec, {"steps": 10**9}))
            qtbot.waitUntil(lambda: page.run.view is not None and page.run.view.steps == 10**9, timeout=20_000)
            page.run.play()
            qtbot.waitUntil(lambda: page.run.view is not None and page.run.view.step > 0, timeout=20_000)
    event = QCloseEvent()
    window.closeEvent(event)
    assert event.isAccepted()


@pytest.mark.parametrize("suffix", [".png", ".svg", ".pdf", ".csv", ".npz", ".gif"])
def test_everything_can_be_taken_home(qtbot: QtBot, window: MainWindow, tmp_path: Path, suffix: str) -> None:
    from gui.dialogs import ExportDialog

    page = page_of(window)
    page.run.step(6)
    until(qtbot, page, lambda v: v.step == 6)
    dialog = ExportDialog(page, window)
    qtbot.addWidget(dialog)
    path = tmp_path / f"run{suffix}"
    assert dialog.save_to(path), dialog.message.text()
    assert path.stat().st_size > 500
    assert not dialog.save_to(tmp_path / "no" / "such" / f"x{suffix}") or suffix in (".csv", ".npz")
    assert [p.name for p in tmp_path.iterdir() if p.suffix == ".part"] == []


def test_pictures_grow_with_their_resolution(qtbot: QtBot, window: MainWindow, tmp_path: Path) -> None:
    from PySide6.QtGui import QImage

    from gui.dialogs import ExportDialog

    page = page_of(window)
    dialog = ExportDialog(page, window)
    qtbot.addWidget(dialog)
    dialog.scaling.setCurrentText("by dpi")
    dialog.dpi.setValue(192)
    assert dialog.save_to(tmp_path / "a.png")
    assert abs(QImage(str(tmp_path / "a.png")).width() - 2 * page.view.panel.width()) <= 2


def test_diagnostics_tell_what_a_bug_report_needs(
    qtbot: QtBot, window: MainWindow, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = page_of(window)
    begin(qtbot, page, optimizers=("sgd",), learning_rate=1.0)
    page.run.step(50)
    until(qtbot, page, lambda v: v.finish is not None)
    logging.getLogger("descent_lab").warning("the log speaks")
    qtbot.waitUntil(lambda: bool(window.pulse.late))
    monkeypatch.setattr(DiagnosticsDialog, "exec", lambda self: self._copy())
    window.commands.diagnostics()
    text = QGuiApplication.clipboard().text()
    for words in ("Python 3.", "PySide6-Essentials 6.", "torch 2.", "p99", "landscapes.descent: step", "diverged",
                  "WARNING the log speaks", "on offscreen"):  # fmt: skip
        assert words in text, words
    window.close()
    logging.getLogger("descent_lab").warning("nobody hears this")
    assert "nobody" not in window.diagnostics()


def test_lateness_counts_the_ticks_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    pulse, clock = Pulse(tick=10), [5.0]
    monkeypatch.setattr("gui.pulse.time.perf_counter", lambda: clock[0])
    pulse.start()
    for now in (5.010, 5.055):  # on time; then 35 ms late, which swallowed three more
        clock[0] = now
        pulse._beat()
    pulse.stop()
    assert [round(late) for late in pulse.late] == [0, 35, 25, 15, 5]
    assert pulse.percentiles()[100] == pytest.approx(35)


def test_the_keys_of_a_legend_are_its_own(qtbot: QtBot, window: MainWindow) -> None:
    page = window.show_experiment("landscapes.descent")
    until(qtbot, page, lambda v: v.step == 0)
    page.run.step(5)
    until(qtbot, page, lambda v: v.step == 5)
    chip = page.view.map.header.chip("/0/adam")  # type: ignore[attr-defined]
    window.activateWindow()
    chip.setFocus()
    qtbot.waitUntil(chip.hasFocus)
    shown = [[s.label for s in curves.shown()] for curves in page.view.curves.values()]
    qtbot.keyClick(chip, Qt.Key.Key_Space)
    assert not chip.isChecked() and not page.run.running, "Space belongs to the chip, not to Play"
    assert [[s.label for s in c.shown()] for c in page.view.curves.values()] == [
        [label for label in labels if label != "Adam"] for labels in shown
    ]
    qtbot.keyClick(chip, Qt.Key.Key_Return)
    assert all([s.label for s in c.shown()] == ["Adam"] for c in page.view.curves.values())
    begin(qtbot, page, optimizers=("sgd", "adam"))
    assert page.view.panel.hiding.hides("SGD") and not page.view.panel.hiding.hides("Adam")
