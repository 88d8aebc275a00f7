"""A full disk, a limit on file sizes, a read-only folder: told in one line, and the old file is still there."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(os.name != "posix", reason="limits and mounts as POSIX has them")

ROOT = Path(__file__).resolve().parents[2]
KINDS = ("json", "csv", "npz", "png", "svg", "pdf", "gif", "kept")

# Writes one file of each kind to a folder; prints for each how that went.
WRITER = """
import os, resource, signal, sys
from pathlib import Path
os.environ["QT_QPA_PLATFORM"] = "offscreen"
from engine.atomic import FileError
from engine.experiments import load
from engine.session.files import saved, to_json, write_text
from engine.session.results import write_csv, write_npz
from engine.session.session import Session
from engine.spec import build
from gui.keeping import Keeper
from gui.pictures import application, frames, still
from gui.plots.export import export_picture
from gui.plots.gif import write_gif
from gui.theme import PRINT

folder, limit = Path(sys.argv[1]), int(sys.argv[2])
application()
experiment = load("landscapes.descent")
session = Session(experiment, build(experiment.Spec, {"optimizers": ("sgd", "adam"), "steps": 900}))
session.advance(900)
view = session.view()
picture = still(experiment, view, {}, PRINT)
words = to_json(saved(view)) + " " * 100_000
def kept():
    import gui.keeping
    gui.keeping.to_json = lambda document, **how: words
    Keeper(folder / "unsaved").keep({experiment.id: saved(view)})
ways = {
    "json": lambda p: write_text(p, words), "csv": lambda p: write_csv(experiment, view, p),
    "npz": lambda p: write_npz(view, p), "png": lambda p: export_picture(picture.panel, p, theme=PRINT, scale=2),
    "svg": lambda p: export_picture(picture.panel, p, theme=PRINT),
    "pdf": lambda p: export_picture(picture.panel, p, theme=PRINT),
    "gif": lambda p: write_gif(frames(experiment, view, [0, 400, 900], {}, PRINT, picture.size()), p),
    "kept": lambda p: kept(),
}
if limit:
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
for name, write in ways.items():
    try:
        write(folder / f"run.{name}")
        print(name, "written", flush=True)
    except FileError as error:
        print(name, "told", str(error).replace("\\n", "<NEWLINE>"), flush=True)
"""


def attempts(folder: Path, limit: int = 0) -> dict[str, str]:
    """What became of each kind of file."""
    done = subprocess.run(
        [sys.executable, "-c", WRITER, str(folder), str(limit)], capture_output=True, text=True, timeout=120,
        env=os.environ | {"PYTHONPATH": str(ROOT), "HOME": str(folder.parent)}, cwd=ROOT,
    )  # fmt: skip
    assert done.returncode == 0 and not done.stderr, done.stderr[-2000:]
    return {line.split()[0]: line.partition(" ")[2] for line in done.stdout.splitlines()}


@pytest.fixture
def mounted(tmp_path: Path) -> Iterator[Path]:
    """A disk of 64 KiB, where this user may mount one."""
    folder = tmp_path / "disk"
    folder.mkdir()
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(folder)], capture_output=True)
    if made.returncode:
        pytest.skip("only root may mount")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def with_old_files(folder: Path) -> None:
    for kind in KINDS:
        (folder / f"run.{kind}").write_bytes(b"old")


def unharmed(folder: Path) -> None:
    """Every old file is as it was, and nothing unfinished is left."""
    for kind in KINDS:
        assert (folder / f"run.{kind}").read_bytes() == b"old"
    assert not list(folder.rglob("*.part"))


def test_a_full_disk(mounted: Path) -> None:
    with_old_files(mounted)
    (mounted / "other").write_bytes(b"x" * 28_000)
    told = attempts(mounted)
    assert set(told) == set(KINDS)
    assert all("the disk is full" in line and "NEWLINE" not in line for line in told.values()), told
    unharmed(mounted)


def test_a_limit_on_file_sizes(tmp_path: Path) -> None:
    folder = tmp_path / "small"
    folder.mkdir()
    with_old_files(folder)
    told = attempts(folder, 4096)
    assert set(told) == set(KINDS)
    assert all("cannot be written (" in line and "NEWLINE" not in line for line in told.values()), told
    unharmed(folder)


def test_a_read_only_disk(mounted: Path) -> None:
    with_old_files(mounted)
    subprocess.run(["mount", "-o", "remount,ro", str(mounted)], check=True)
    told = attempts(mounted)
    assert all("read-only" in line and "NEWLINE" not in line for line in told.values()), told
    unharmed(mounted)
