"""Garbage is collected in the window's thread, and by no other."""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QSettings
from pytestqt.qtbot import QtBot
from shiboken6 import delete

from gui.memory import YOUNG, Collector
from gui.window import MainWindow


class Knot:
    """Garbage that only the collector finds; notes the thread it goes in."""

    def __init__(self, gone: list[int]) -> None:
        self.itself, self.gone = self, gone

    def __del__(self) -> None:
        self.gone.append(threading.get_ident())


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    was_on = gc.isenabled()
    gc.enable()
    yield
    gc.unfreeze()
    (gc.enable if was_on else gc.disable)()


def busy_elsewhere(objects: int = 100_000) -> None:
    """Another thread makes so many objects that Python would look for garbage in it, at all that there is."""
    worker = threading.Thread(target=lambda: [[] for _ in range(objects)])
    worker.start()
    worker.join()


def test_only_the_window_collects(qtbot: QtBot, tmp_path: Path) -> None:
    window = MainWindow(QSettings(str(tmp_path / "settings.ini"), QSettings.Format.IniFormat))
    gone: list[int] = []
    Knot(gone)
    busy_elsewhere()
    assert not gone and not gc.isenabled()
    Knot(gone)
    kept: list[list[int]] = [[] for _ in range(YOUNG + 1)]
    window.collector.look()
    assert gone == [threading.get_ident()] * len(gone) and len(gone) >= 1 and kept
    window.close()
    assert not gc.isenabled()  # its widgets are there yet
    delete(window)
    assert gc.isenabled()


def test_every_generation_is_looked_at_in_time(qtbot: QtBot) -> None:
    collector, gone = Collector(), list[int]()
    knot = Knot(gone)
    gc.collect()  # an old one now
    del knot
    kept: list[list[int]] = []
    for _ in range(100):
        kept += [[] for _ in range(YOUNG + 1)]
        collector.look()
        if gone:
            break
    collector.end()
    assert gone and kept


def test_libraries_are_spared_and_nothing_is_for_good(qtbot: QtBot) -> None:
    before = gc.get_freeze_count()
    collector = Collector()
    collector.spare = True
    collector.begin()
    frozen = gc.get_freeze_count()
    assert frozen > before
    collector.begin()  # another experiment has begun: what is garbage by now must not be kept
    assert gc.get_freeze_count() == frozen
    collector.end()
    assert gc.get_freeze_count() == 0


def test_left_alone_it_happens_elsewhere() -> None:
    """What the collector is there for."""
    gone: list[int] = []
    Knot(gone)
    busy_elsewhere()
    assert gone and gone[0] != threading.get_ident()
