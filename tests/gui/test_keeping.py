"""A killed window's runs are offered by the next one, exact to where they were last kept."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QSettings
from pytestqt.qtbot import QtBot

from engine.atomic import FileError
from engine.experiments import load
from engine.session.files import Saved, read, saved, to_json, write_text
from engine.session.session import Session
from engine.spec import build
from gui import keeping
from gui.keeping import Keeper, home, left_behind
from gui.window import MainWindow

ROOT = Path(__file__).resolve().parents[2]
VICTIM = """
import math, sys
from PySide6.QtCore import QSettings, QTimer
from PySide6.QtWidgets import QApplication
from gui import documents
from gui.window import MainWindow
documents.KEEP = 100
app = QApplication(["descent-lab"])
window = MainWindow(QSettings(sys.argv[1], QSettings.Format.IniFormat))
window.show()
def begun():
    page = window.page
    if page is None or page.run.view is None or page.run.busy:
        return
    timer.stop()
    page.edit("steps", 1_000_000)
    page.run.speed = 2000.0
    page.play_when_ready = True
    later.start(300)
def tell():
    kept = list(window.documents._keeper.folder.glob("*.json"))
    if kept and window.page.run.view.step > 300:
        print("kept", flush=True)
timer, later = QTimer(), QTimer()
timer.timeout.connect(begun)
later.timeout.connect(tell)
timer.start(20)
app.exec()
"""


@pytest.fixture
def window(qtbot: QtBot, tmp_path: Path) -> Iterator[MainWindow]:
    made = MainWindow(QSettings(str(tmp_path / "second.ini"), QSettings.Format.IniFormat))
    qtbot.addWidget(made)
    yield made
    made.close()


def shown(qtbot: QtBot, window: MainWindow) -> MainWindow:
    window.show()
    qtbot.waitUntil(lambda: window.page is not None and window.page.run.view is not None, timeout=20_000)
    return window


def run_to(step: int, **settings: object) -> Saved:
    experiment = load("landscapes.descent")
    session = Session(experiment, build(experiment.Spec, settings))
    session.advance(step, 10.0)
    return saved(session.view())


@pytest.mark.skipif(sys.platform == "win32", reason="signals as POSIX has them")
def test_a_killed_windows_run_is_offered_and_exact(qtbot: QtBot, tmp_path: Path, window: MainWindow) -> None:
    settings = tmp_path / "first.ini"
    QSettings(str(settings), QSettings.Format.IniFormat).setValue("experiment", "landscapes.descent")
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    victim = subprocess.Popen(
        [sys.executable, "-c", VICTIM, str(settings)], stdout=subprocess.PIPE, text=True, env=environment
    )
    assert victim.stdout is not None and victim.stdout.readline() == "kept\n"
    assert left_behind(home()) is None  # it still has it in hand
    victim.send_signal(signal.SIGKILL)
    victim.wait()
    victim.stdout.close()

    left = left_behind(home())
    assert left is not None and left.age < 10
    (document,) = left.runs
    assert document.experiment == "landscapes.descent" and document.step > 0
    shown(qtbot, window)
    page = window.page
    assert page is not None and page.notice.isVisible() and f"at step {document.step}" in page.notice.label.text()
    page.notice.accept.click()
    page = window.page
    assert page is not None
    qtbot.waitUntil(lambda: page.run.view is not None and page.run.view.step == document.step, timeout=20_000)
    assert page.run.view is not None
    assert document.spec.steps == 1_000_000  # type: ignore[attr-defined]
    session = Session(page.experiment, document.spec)
    session.advance(document.step, 60.0)
    fresh = session.view()
    assert {k: v.tobytes() for k, v in page.run.view.row.items()} == {k: v.tobytes() for k, v in fresh.row.items()}
    assert not left.folder.exists() and page.notice.isHidden()
    window.close()
    assert left_behind(home()) is None


def test_a_window_that_closes_leaves_nothing(qtbot: QtBot, window: MainWindow) -> None:
    page = shown(qtbot, window).page
    assert page is not None
    page.run.step(5)
    qtbot.waitUntil(lambda: page.run.view is not None and page.run.view.step == 5, timeout=20_000)
    window.documents.keep()
    (kept,) = home().glob("*/*.json")
    assert read(kept).step == 5
    window.close()
    assert not any(home().iterdir())


def test_what_is_not_wanted_is_gone(qtbot: QtBot, window: MainWindow) -> None:
    abandoned = Keeper(home())
    abandoned.keep({"landscapes.descent": run_to(7)})
    assert abandoned._lock is not None
    abandoned._lock.unlock()  # as the system does for a process that is gone
    page = shown(qtbot, window).page
    assert page is not None and "at step 7" in page.notice.label.text()
    page.notice.dismiss.click()
    assert not abandoned.folder.exists() and page.notice.isHidden()


def test_only_what_changed_is_written_and_broken_files_are_passed_over(tmp_path: Path) -> None:
    keeper = Keeper(tmp_path)
    assert not list(tmp_path.iterdir())  # nothing run: nothing kept
    document = run_to(3)
    keeper.keep({"landscapes.descent": document})
    (path,) = keeper.folder.glob("*.json")
    path.write_text("cut off")
    keeper.keep({"landscapes.descent": document})
    assert path.read_text() == "cut off"
    keeper.keep({"landscapes.descent": run_to(4), "networks.playground": document})
    assert read(path).step == 4
    assert left_behind(tmp_path) is None  # still open
    path.write_text("cut off")
    assert keeper._lock is not None
    keeper._lock.unlock()
    left = left_behind(tmp_path)
    assert left is not None and len(left.runs) == 1
    left.remove()
    assert left_behind(tmp_path) is None and not list(tmp_path.iterdir())


def test_the_window_does_not_wait_for_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    experiment = load("landscapes.descent")
    document = saved(Session(experiment, build(experiment.Spec, {})).view())
    waited: list[int] = []
    monkeypatch.setattr(os, "fsync", waited.append)
    keeper = Keeper(tmp_path)
    keeper.keep({"landscapes.descent": document})
    assert read(next(keeper.folder.glob("*.json"))) == document and not waited
    write_text(tmp_path / "mine.descent.json", to_json(document))  # the reader's own file is another matter
    assert len(waited) == 1
    keeper.close()


@pytest.mark.parametrize(
    ("number", "words"), [(errno.EROFS, "the folder is read-only"), (errno.ENOSPC, "the disk is full")]
)
def test_a_folder_that_cannot_be_made_says_why_as_files_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, words: str
) -> None:
    def mkdir(self: Path, *_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number), str(self))

    monkeypatch.setattr(Path, "mkdir", mkdir)
    with pytest.raises(FileError, match=rf"cannot be written \({words}\)"):
        Keeper(tmp_path).keep({"landscapes.descent": run_to(1)})


def test_a_folder_that_cannot_be_written_is_told_once(
    qtbot: QtBot, window: MainWindow, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = shown(qtbot, window).page
    assert page is not None
    page.run.step(2)
    qtbot.waitUntil(lambda: page.run.view is not None and page.run.view.step == 2, timeout=20_000)

    def full(*_: object, **__: object) -> None:
        raise FileError("a: cannot be written (the disk is full)")

    monkeypatch.setattr(keeping, "write_text", full)
    window.documents._keep_soon()
    qtbot.waitUntil(lambda: "the disk is full" in page.notice.label.text(), timeout=20_000)
    assert not window.documents._timer.isActive() and not window.documents._turns.isActive()


def test_runs_are_kept_one_in_a_turn(qtbot: QtBot, window: MainWindow, monkeypatch: pytest.MonkeyPatch) -> None:
    shown(qtbot, window)
    for id in ("networks.backprop", "landscapes.descent"):
        page = window.show_experiment(id)
        qtbot.waitUntil(lambda page=page: page.run.view is not None, timeout=20_000)  # type: ignore[misc]
        page.run.step(2)
        qtbot.waitUntil(lambda page=page: page.run.view.step == 2, timeout=20_000)  # type: ignore[misc]
    assert window.documents._keeper is not None
    kept: list[list[str]] = []
    monkeypatch.setattr(window.documents._keeper, "keep", lambda runs: kept.append(list(runs)))
    window.documents._keep_soon()
    assert not kept
    qtbot.waitUntil(lambda: not window.documents._turns.isActive(), timeout=20_000)
    assert sorted(kept) == [["landscapes.descent"], ["networks.backprop"]]
