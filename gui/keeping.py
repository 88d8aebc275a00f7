"""Unsaved work outlives a crash: a window keeps its runs in a folder of its own, and removes it when it closes."""

from __future__ import annotations

import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from PySide6.QtCore import QLockFile, QStandardPaths

from engine.atomic import FileError, reason
from engine.session.files import SUFFIX, Saved, read, to_json, write_text

LOCK = "open.lock"  # held as long as the window is open; the system frees it however the process ends


def home() -> Path:
    """Where the folders of all windows are."""
    data = QStandardPaths.writableLocation(QStandardPaths.StandardLocation.GenericDataLocation)
    return Path(data) / "descent-lab" / "unsaved"


class Keeper:
    """The folder of one window: an experiment file for each of its runs, as it was when it was last kept."""

    def __init__(self, root: Path) -> None:
        self.folder = root / uuid4().hex
        self._lock: QLockFile | None = None
        self._kept: dict[str, Saved] = {}

    def keep(self, runs: Mapping[str, Saved]) -> None:
        """Write what has changed since. Raises FileError. The window does not wait for the disk: what is kept is for a
        crash of this process."""
        for id, document in runs.items():
            if self._kept.get(id) != document:
                self._open()
                write_text(self.folder / f"{id}{SUFFIX}", to_json(document, compact=True), sync=False)
                self._kept[id] = document

    def _open(self) -> None:
        if self._lock is None:
            try:
                self.folder.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise FileError(f"{self.folder}: cannot be written ({reason(error)})") from None
            self._lock = _lock(self.folder)
            self._lock.tryLock(0)

    def close(self) -> None:
        """Nothing is unsaved any more."""
        if self._lock is not None:
            self._lock.unlock()
            self._lock = None
            shutil.rmtree(self.folder, ignore_errors=True)


@dataclass(frozen=True)
class Left:
    """What a window that did not close left behind: its runs, the latest last, and how old the last one is."""

    folder: Path
    runs: tuple[Saved, ...]
    age: float  # seconds

    def remove(self) -> None:
        """It was taken up again, or is not wanted."""
        shutil.rmtree(self.folder, ignore_errors=True)


def left_behind(root: Path) -> Left | None:
    """The newest runs that a window left behind without closing; what is older or cannot be read is cleared away."""
    found: list[Left] = []
    for folder in root.iterdir() if root.is_dir() else ():
        lock = _lock(folder)
        if not folder.is_dir() or not lock.tryLock(0):
            continue  # its window is open
        lock.unlock()
        runs, newest = [], 0.0
        for path in sorted(folder.glob(f"*{SUFFIX}"), key=lambda one: one.stat().st_mtime):
            try:
                runs.append(read(path))
                newest = path.stat().st_mtime
            except (FileError, ValueError):
                continue  # of another version of the app
        found.append(Left(folder, tuple(runs), max(0.0, time.time() - newest)))
    found.sort(key=lambda left: left.age if left.runs else float("inf"))
    for older in found[1:]:
        older.remove()
    if not found or not found[0].runs:
        for empty in found[:1]:
            empty.remove()
        return None
    return found[0]


def _lock(folder: Path) -> QLockFile:
    lock = QLockFile(str(folder / LOCK))
    lock.setStaleLockTime(0)  # only a process that is gone makes it stale
    return lock
