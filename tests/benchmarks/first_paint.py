"""From the start of Python to the first paint of the window, as it is and with torch imported on the way.

    QT_QPA_PLATFORM=offscreen python tests/benchmarks/first_paint.py

Goal: at least three times sooner without torch. Median of 5 starts each, taken in turn.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
RUNS = 5
PROGRAM = """
import sys, time
sys.path.insert(0, {root!r})
{first}
from PySide6.QtCore import QEvent, QObject, QTimer, QSettings
from PySide6.QtWidgets import QApplication
import gui.window as window

class Watch(QObject):
    def eventFilter(self, who, event):
        if event.type() == QEvent.Type.Paint:
            print(time.time(), flush=True)
            QApplication.instance().removeEventFilter(self)
            self.timer = QTimer(self)
            self.timer.timeout.connect(self.look)
            self.timer.start(2)
        return False

    def look(self):
        if shown.page is not None and shown.page.run.view is not None:
            print(time.time(), flush=True)
            self.timer.stop()
            shown.close()

app = QApplication(["descent-lab"])
shown = window.MainWindow(QSettings({settings!r}, QSettings.Format.IniFormat))
watch = Watch()
app.installEventFilter(watch)
shown.show()
app.exec()
"""


def first_paint(torch: bool, folder: str) -> tuple[float, float]:
    """Seconds from the start of the process to the first paint event, and to the first run that is ready to play."""
    first = "import torch" if torch else ""
    program = PROGRAM.format(root=str(ROOT), first=first, settings=str(Path(folder) / "settings.ini"))
    began = time.time()
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True,
        env=os.environ | {"QT_QPA_PLATFORM": os.environ.get("QT_QPA_PLATFORM", "offscreen")},
    )  # fmt: skip
    painted, ready = (float(word) - began for word in done.stdout.split())
    return painted, ready


def main() -> None:
    """Print both medians and their ratio."""
    with tempfile.TemporaryDirectory() as folder:
        first_paint(False, folder)
        first_paint(True, folder)
        without, with_torch = [], []
        for _ in range(RUNS):
            without.append(first_paint(False, folder))
            with_torch.append(first_paint(True, folder))
    for i, what in enumerate(("first paint", "ready to play")):
        a, b = statistics.median(t[i] for t in without), statistics.median(t[i] for t in with_torch)
        goal = " (goal 3)" if i == 0 else ""
        print(f"{what}: {a:.2f} s; with torch imported {b:.2f} s; {b / a:.1f} times sooner{goal}")


if __name__ == "__main__":
    main()
