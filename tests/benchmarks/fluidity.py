"""How late the event loop is, and how much throughput is kept, while a run streams at full speed with all its plots.

    QT_QPA_PLATFORM=offscreen python tests/benchmarks/fluidity.py [SECONDS] [ID]

ID: landscapes.descent (default) or networks.playground.

A timer of 5 ms counts how late each of its ticks comes; one that had to be left out counts from when it was due. Goals
at 30 frames a second: p99 at most 5 ms, and at least 0.9 of the headless steps per second (the same session and
settings without a window, before and after it, in the same process).
"""

from __future__ import annotations

import math
import statistics
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from PySide6.QtCore import QEventLoop, QSettings, QTimer
from PySide6.QtWidgets import QApplication

from engine.experiments import load
from engine.session.session import Session
from engine.spec import build
from gui.pulse import Pulse
from gui.window import MainWindow

SETTINGS = {
    "landscapes.descent": {
        "surface": "ravine", "optimizers": ("sgd", "momentum", "rmsprop", "adam"), "learning_rate": 0.001,
        "steps": 1_000_000_000, "noise": 0.0,
    },
    "networks.playground": {
        "data": "spiral", "hidden": (8, 8, 8), "activation": "tanh", "batch_size": 10, "learning_rate": 0.003,
        "steps": 1_000_000_000,
    },
}  # fmt: skip
TICK = 5  # milliseconds


def wait(milliseconds: int) -> None:
    """Let the window live."""
    loop = QEventLoop()
    QTimer.singleShot(milliseconds, loop.quit)
    loop.exec()


def headless(id: str, seconds: float) -> float:
    """Steps a second without a window."""
    experiment = load(id)
    session = Session(experiment, build(experiment.Spec, SETTINGS[id]))
    session.advance(10**9, 0.5)
    before, began = session.step, time.perf_counter()
    session.advance(10**9, seconds)
    return (session.step - before) / (time.perf_counter() - began)


def main() -> None:
    """Print lateness and throughput."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 10.0
    id = sys.argv[2] if len(sys.argv) > 2 else "landscapes.descent"
    sys.setswitchinterval(1e-4)
    app = QApplication.instance() or QApplication(["descent-lab"])
    alone = [headless(id, seconds / 4)]
    with tempfile.TemporaryDirectory() as folder:
        window = MainWindow(QSettings(str(Path(folder) / "settings.ini"), QSettings.Format.IniFormat))
        window.resize(1440, 900)
        window.show()
        wait(1500)
        page = window.show_experiment(id)
        page._restart(build(page.experiment.Spec, SETTINGS[id]))
        wait(2000)
        page.run.speed = math.inf
        watch = Pulse(TICK, None)
        watch.start()
        wait(1000)
        idle = watch.percentiles()
        page.run.play()
        wait(1000)
        assert page.run.view is not None
        first, began, drawn = page.run.view.step, time.perf_counter(), []
        page.run.shown.connect(lambda *_: drawn.append(time.perf_counter()))
        watch.late.clear()
        worked = time.thread_time()
        wait(int(1000 * seconds))
        worked = time.thread_time() - worked
        steps = (page.run.view.step - first) / (time.perf_counter() - began)
        watch.stop()
        told = watch.percentiles()
        window.close()
    alone.append(headless(id, seconds / 4))
    app.processEvents()
    print(f"idle p99 {idle[99]:.1f} ms; running at {len(drawn) / seconds:.0f} frames/s:")
    print("  " + ", ".join(f"p{p} {value:.1f} ms" for p, value in told.items()) + " (goal p99 5 ms)")
    print(f"  the window's thread computes {1000 * worked / max(1, len(drawn)):.1f} ms a frame")
    kept = steps / statistics.mean(alone)
    print(f"{steps / 1e6:.2f} million steps/s, {kept:.2f} of headless {statistics.mean(alone) / 1e6:.2f} (goal 0.9)")


if __name__ == "__main__":
    main()
