"""How fast a basin map follows the learning-rate slider: 200 x 200 starts, 500 steps, float32, two threads.

    QT_QPA_PLATFORM=offscreen python tests/benchmarks/basin_map.py

Goals: the first coarse picture within 50 ms of a move, the whole map within 150 ms, for any rule and surface; a new
formula as fast within 2 s. The first table drives the session as the window's worker does; the picture's numbers are
part of it. The second moves the slider of a real page (off screen) and waits until the map on it has changed; its times
hold the frame timer (33 ms) and the painting too. Medians and, in brackets, the best of RUNS. `cpu` is the least
computing time of a whole map, all threads together: with other work on the machine it is the figure to trust, and two
free cores need a little over half of it.
"""

from __future__ import annotations

import statistics
import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from PySide6.QtCore import QEventLoop
from PySide6.QtWidgets import QApplication

from engine.experiments import load
from engine.session.session import Session
from engine.spec import build

RUNS = 15
COARSE, WHOLE, NEW = 50, 150, 2000  # ms
CASES: tuple[dict[str, Any], ...] = (
    {"surface": "himmelblau", "optimizer": "sgd", "learning_rate": 0.005},
    {"surface": "himmelblau", "optimizer": "momentum", "learning_rate": 0.005},
    {"surface": "himmelblau", "optimizer": "adam", "learning_rate": 0.1},
    {"surface": "himmelblau", "optimizer": "nadam", "learning_rate": 0.1},
    {"surface": "rosenbrock", "optimizer": "adam", "learning_rate": 0.05},
    {"surface": "rastrigin", "optimizer": "momentum", "learning_rate": 0.002},
    {"surface": "rastrigin", "optimizer": "nadam", "learning_rate": 0.02},
    {"surface": "ackley", "optimizer": "adam", "learning_rate": 0.02},
    {"surface": "bowl", "optimizer": "sgd", "learning_rate": 0.005},
)


def ms(times: list[float]) -> str:
    """Median and best."""
    return f"{statistics.median(times):6.0f} ({min(times):4.0f})"


def moved(experiment: Any, values: dict[str, Any]) -> tuple[list[float], list[float], float]:
    """Times to the coarse picture and to the whole one, for RUNS moves of the rate; the least computing time."""
    coarse, whole, cpu = [], [], []
    for i in range(RUNS + 1):
        spec = build(experiment.Spec, {**values, "learning_rate": values["learning_rate"] * (1 + 0.001 * i)})
        began, used = time.perf_counter(), time.process_time()
        session = Session(experiment, spec)
        session.probe("basins")
        first = time.perf_counter()
        session.advance(session.steps - 1)  # the last step tries float64; the map is whole without it
        session.probe("basins")
        coarse.append(1e3 * (first - began))
        whole.append(1e3 * (time.perf_counter() - began))
        cpu.append(1e3 * (time.process_time() - used))
    return coarse[1:], whole[1:], min(cpu)  # the first one may compile


def on_a_page(values: dict[str, Any]) -> tuple[list[float], list[float]]:
    """The same on a page, from the edit to the widget's new picture and until the last tile came in."""
    from gui.page import Page
    from gui.pump import Pump
    from gui.theme import DARK

    app = QApplication.instance() or QApplication(["descent-lab"])
    pump = Pump()
    page = Page(load("landscapes.basins"), pump, DARK)
    page.resize(1100, 700)
    page.show()
    page._restart(build(page.experiment.Spec, values))
    plane: Any = page.view.pictures["basins"]
    flags = QEventLoop.ProcessEventsFlag.AllEvents

    def settle() -> None:
        while page.run.view is None or page.run.busy or page.run.view.finish is None:
            app.processEvents(flags, 2)

    settle()
    coarse, whole = [], []
    for i in range(1, RUNS + 1):
        before, began = plane.picture, time.perf_counter()
        page.edit("learning_rate", values["learning_rate"] * (1 + 0.001 * i))
        while plane.picture is before:
            app.processEvents(flags, 2)
        coarse.append(1e3 * (time.perf_counter() - began))
        while page.run.view is None or page.run.view.row["starts"][0] < 40_000:
            app.processEvents(flags, 2)
        whole.append(1e3 * (time.perf_counter() - began))
        settle()
    page.close_run()
    pump.close()
    page.close()
    return coarse, whole


def main() -> None:
    """Print the figures."""
    experiment: Any = load("landscapes.basins")
    print(f"goals: coarse within {COARSE} ms, whole within {WHOLE} ms; median (best) of {RUNS} moves, in ms")
    for values in CASES:
        coarse, whole, cpu = moved(experiment, values)
        told = "ok" if statistics.median(coarse) <= COARSE and statistics.median(whole) <= WHOLE else "missed"
        print(
            f"{values['surface']:11} {values['optimizer']:9} coarse {ms(coarse)}   whole {ms(whole)}   "
            f"cpu {cpu:4.0f}   {told}"
        )
    for i in range(3):
        began = time.perf_counter()
        text = f"sin({i + 3}*x)*cos(2*y) + 0.{i + 1}*(x^2+y^2)"
        session = Session(experiment, build(experiment.Spec, {"surface": "custom", "formula": text}))
        session.probe("basins")
        first = 1e3 * (time.perf_counter() - began)
        session.advance(session.steps - 1)
        whole_ms = 1e3 * (time.perf_counter() - began)
        told = "ok" if whole_ms <= NEW else "missed"
        print(f"new formula {text:36} coarse {first:6.0f}   whole {whole_ms:6.0f}   {told}")
    for values in CASES[1:3]:
        coarse, whole = on_a_page(values)
        print(f"on a page: {values['surface']} {values['optimizer']:9} coarse {ms(coarse)}   whole {ms(whole)}")


if __name__ == "__main__":
    main()
