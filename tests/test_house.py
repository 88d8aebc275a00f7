"""The rules of the house: what a file may name, where files belong, what a test may leave behind."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="None and True are immortal from Python 3.12 on")
def test_signals_keep_their_references() -> None:
    """PySide6 6.12.0 on Python 3.11 loses a reference to None or True at every emit, then aborts."""
    from PySide6.QtCore import QObject, Signal, Slot

    class Both(QObject):
        said = Signal(object, bool)

        @Slot(object, bool)
        def hear(self, thing: object, yes: bool) -> None:
            self.last = (thing, yes)

    both = Both()
    both.said.connect(both.hear)
    emits = 2000
    before = sys.getrefcount(None), sys.getrefcount(True)
    for _ in range(emits):
        both.said.emit(None, True)
    after = sys.getrefcount(None), sys.getrefcount(True)
    assert both.last == (None, True)
    assert max(abs(a - b) for a, b in zip(after, before, strict=True)) < emits // 10


TEXT = {".py", ".md", ".toml", ".json", ".txt", ".csv", ".cfg", ".ini", ".yml", ".yaml", ".svg", ".sh", ""}
HIDDEN = {
    ".git",
    ".venv",
    "__pycache__",
    ".pytest_cache",
    ".hypothesis",
    ".mypy_cache",
    ".ruff_cache",
    "build",
    "out",
}
# Put together here, so that this file does not name what it forbids.
_HOSTS = (
    "pypi" + r"\.org",
    "python" + "hosted",
    "npm" + "js",
    "deb.debian" + r"\.org",
    "download.py" + "torch",
)
HOSTS = re.compile("|".join((*_HOSTS, "--(extra-)?index-" + "url")))
HOMES = re.compile(r"(?<![\w.])/(home|root|Users)" + r"/[\w.]")


def texts() -> Iterator[tuple[Path, str]]:
    """Every text file of the project and what it says."""
    for folder, folders, names in os.walk(ROOT):
        folders[:] = sorted(set(folders) - HIDDEN)
        for name in sorted(names):
            path = Path(folder, name)
            if path.suffix in TEXT:
                try:
                    yield path.relative_to(ROOT), path.read_text(encoding="utf-8")
                except UnicodeDecodeError:
                    continue


@pytest.mark.parametrize(("what", "pattern"), [("a registry's host", HOSTS), ("somebody's home folder", HOMES)])
def test_no_file_names(what: str, pattern: re.Pattern[str]) -> None:
    wrong = [f"{path}: {match.group()}" for path, text in texts() if (match := pattern.search(text))]
    assert not wrong, f"{what} is named in\n" + "\n".join(wrong)


def test_the_patterns_find_what_they_are_for() -> None:
    assert HOSTS.search("https://pypi" + ".org/simple")
    assert HOMES.search("see /home" + "/me/x") and not HOMES.search("below ./root/x")


def experiment_ids() -> list[str]:
    """Every id, read from the places of the files."""
    folder = ROOT / "engine" / "experiments"
    return [f"{path.parent.name}.{path.stem}" for path in sorted(folder.glob("*/*.py")) if path.stem[:1] != "_"]


ADDRESSES = (
    "resources/lessons/{}/{}.md",
    "resources/presets/{}/{}.json",
    "tests/experiments/{}/test_{}.py",
)


@pytest.mark.parametrize("id", experiment_ids())
def test_the_id_is_the_address(id: str) -> None:
    tab, name = id.split(".")
    missing = [address.format(tab, name) for address in ADDRESSES if not (ROOT / address.format(tab, name)).is_file()]
    assert not missing, f"{id} lacks {', '.join(missing)}"
    assert f'"{id}"' in (ROOT / "engine" / "experiments" / tab / f"{name}.py").read_text(encoding="utf-8")


def test_nothing_is_left_of_an_experiment_that_is_gone() -> None:
    ids = set(experiment_ids())
    homeless = [
        str(path.relative_to(ROOT))
        for pattern in ("resources/lessons/*/*.md", "resources/presets/*/*.json", "gui/views/*/*.py")
        for path in ROOT.glob(pattern)
        if path.stem[:1] != "_" and f"{path.parent.name}.{path.stem}" not in ids
    ]
    assert not homeless


LEAKS = """
import threading
from PySide6.QtCore import QThread, QTimer
from PySide6.QtWidgets import QWidget

kept = []


def test_clean(qtbot):
    widget = QWidget()
    qtbot.addWidget(widget)
    widget.show()
    thread = QThread()
    thread.start()
    thread.quit()
    thread.wait()


def test_widget(qtbot):
    kept.append(QWidget())
    kept[-1].show()


def test_timer(qtbot):
    kept.append(QTimer())
    kept[-1].start(1000)


def test_qthread(qtbot):
    kept.append(QThread())
    kept[-1].start()


def test_last(qtbot):  # what others left is theirs, and the process must end without a running QThread
    kept[-1].quit()
    kept[-1].wait()


def test_thread():
    threading.Thread(target=threading.Event().wait, daemon=True).start()
"""


def test_what_a_test_leaves_behind_fails_it(tmp_path: Path) -> None:
    shutil.copy(ROOT / "tests" / "conftest.py", tmp_path)
    (tmp_path / "test_leaks.py").write_text(LEAKS)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", ".", "."],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert "6 passed, 4 errors" in done.stdout, done.stdout + done.stderr
    for name in ("visible QWidget", "active QTimer", "QThread", "thread Thread-"):
        assert f"left behind: {name}" in done.stdout
