"""Opened, trained and closed a thousand times in one process, and killed by its own close button as a real one.

DESCENT_CYCLES and DESCENT_PROCESSES say how often.
"""

from __future__ import annotations

import math
import os
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest
from PySide6.QtCore import QSettings
from pytestqt.qtbot import QtBot

from gui.window import MainWindow
from tests.soak.hands import live, opened_window, seed_in_hand, shut
from tests.soak.sizes import stated
from tests.soak.watch import as_the_app, resident

ROOT = Path(__file__).resolve().parents[2]
CYCLES = stated("CYCLES", 1000)
PROCESSES = stated("PROCESSES", 50)
WARM = min(40, CYCLES)  # cycles before memory is looked at
GROWTH = 10.0  # MiB
LATEST = 4.0  # seconds into the life of a process that it is closed
ENDS_WITHIN = 30.0  # seconds: the machine may be busy; that it ends in time is for tests/smoke

# The app as main.py starts it; a timer closes the window at a moment that was told.
DRIVEN = """
import runpy, sys
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication
program, moment, play = sys.argv[1], int(sys.argv[2]), sys.argv[3] == "play"
original, kept = QApplication.exec, []
def press():
    for window in QApplication.topLevelWidgets():
        button = window.findChild(object, "play")
        if button is not None and button.isEnabled() and button.text() == "Play":
            button.click()
def end():
    QApplication.closeAllWindows()
def driven(*_):
    for slot, after in ((press, 100), (end, moment)):
        timer = QTimer()
        timer.timeout.connect(slot)
        timer.setSingleShot(slot is end)
        if slot is end or play:
            timer.start(after)
        kept.append(timer)
    return original()
QApplication.exec = driven
sys.argv = [program]
runpy.run_path(program, run_name="__main__")
"""


@pytest.mark.timeout(7200)
def test_a_thousand_times_open_train_close(qtbot: QtBot, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    dice, told, before = random.Random(seed_in_hand(1)), list[tuple[str, str]](), 0.0
    with capsys.disabled(), as_the_app():
        for cycle in range(WARM + CYCLES):
            if cycle == WARM:
                before = resident()
            settings = QSettings(str(tmp_path / "settings.ini"), QSettings.Format.IniFormat)
            window: MainWindow = opened_window(settings, lambda line, details: told.append((line, details)))
            assert window.page is not None
            window.page.run.speed = math.inf
            window.page.play()
            live(dice.randrange(60))
            shut(window)
            assert not told, told[0][1]
            if cycle % 200 == 0 and cycle > WARM:
                print(f"  {cycle - WARM} cycles, {resident() - before:+.1f} MiB", flush=True)
        growth = resident() - before
        print(f"\n{CYCLES} cycles of open, train, close: {growth:+.1f} MiB (bound {GROWTH:.0f}), no error", flush=True)
    assert growth < GROWTH


@pytest.mark.timeout(7200)
def test_real_processes_end_at_any_moment(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    dice, wrong, slowest = random.Random(seed_in_hand(1)), list[str](), 0.0
    environment = os.environ | {"QT_QPA_PLATFORM": "offscreen", "PYTHONWARNINGS": "default", "PYTHONPATH": str(ROOT)}
    for number in range(PROCESSES):
        moment, play = round(1000 * LATEST * dice.random() ** 2), dice.random() < 0.7
        began = time.monotonic()
        done = subprocess.run(
            [sys.executable, "-c", DRIVEN, str(ROOT / "main.py"), str(moment), "play" if play else "look"],
            cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=ENDS_WITHIN + LATEST,
        )  # fmt: skip
        slowest = max(slowest, time.monotonic() - began - moment / 1000)
        if done.returncode or done.stderr:
            wrong.append(f"process {number}, closed after {moment} ms: status {done.returncode}: {done.stderr[-500:]}")
    with capsys.disabled():
        told = f"{PROCESSES} processes closed within {LATEST:.0f} s: {PROCESSES - len(wrong)} ended with 0 and no word"
        print(f"\n{told}; the slowest start and end took {slowest:.1f} s together", flush=True)
    assert not wrong, "\n".join(wrong)
