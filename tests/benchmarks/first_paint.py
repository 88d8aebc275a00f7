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
            QTimer.singleShot(0, shown.close)
        return False

app = QApplication(["descent-lab"])
shown = window.MainWindow(QSettings({settings!r}, QSettings.Format.IniFormat))
watch = Watch()
app.installEventFilter(watch)
shown.show()
app.exec()
"""


def first_paint(torch: bool, folder: str) -> float:
    """Seconds from the start of the process to the first paint event."""
    first = "import torch" if torch else ""
    program = PROGRAM.format(root=str(ROOT), first=first, settings=str(Path(folder) / "settings.ini"))
    began = time.time()
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True,
        env=os.environ | {"QT_QPA_PLATFORM": os.environ.get("QT_QPA_PLATFORM", "offscreen")},
    )  # fmt: skip
    return float(done.stdout.split()[0]) - began


def main() -> None:
    """Print both medians and their ratio."""
    with tempfile.TemporaryDirectory() as folder:
        first_paint(False, folder)
        first_paint(True, folder)
        without, with_torch = [], []
        for _ in range(RUNS):
            without.append(first_paint(False, folder))
            with_torch.append(first_paint(True, folder))
    a, b = statistics.median(without), statistics.median(with_torch)
    print(f"first paint: {a:.2f} s; with torch imported {b:.2f} s; {b / a:.1f} times sooner (goal 3)")


if __name__ == "__main__":
    main()
