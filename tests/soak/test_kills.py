"""Killed two hundred times while it saves and exports: what has a final name is whole.

DESCENT_KILLS says how often, DESCENT_SEED repeats the moments.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from engine.session.files import SUFFIX, read
from gui.keeping import left_behind
from tests.soak.hands import seed_in_hand
from tests.soak.sizes import stated

pytestmark = pytest.mark.skipif(os.name != "posix", reason="fork and kill as POSIX has them")

ROOT = Path(__file__).resolve().parents[2]
KILLS = stated("KILLS", 200)

# Loads the app once and forks a victim for each round: it writes without end, and is killed at a random moment after
# its first file. One line is answered for each line read: the status of the victim.
NURSERY = """
import os, random, signal, sys, time
from pathlib import Path
os.environ["QT_QPA_PLATFORM"] = "offscreen"
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

experiment = load("landscapes.descent")

def victim(folder, seed):
    dice = random.Random(seed)
    application()
    session = Session(experiment, build(experiment.Spec, {"optimizers": ("sgd", "adam"), "steps": 400}))
    keeper = Keeper(folder / "unsaved")
    picture = None
    for number in range(10**6):
        session.advance(9)
        view, kind = session.view(), dice.randrange(8)
        if kind == 0:
            write_text(folder / "run.descent.json", to_json(saved(view)))
        elif kind == 1:
            keeper.keep({experiment.id: saved(view)})
        elif kind == 2:
            write_csv(experiment, view, folder / "run.csv")
        elif kind == 3:
            write_npz(view, folder / "run.npz")
        elif kind == 4:
            steps = [0, view.step // 2, view.step]
            if picture is not None:
                write_gif(frames(experiment, view, steps, {}, PRINT, picture.size()), folder / "run.gif")
        else:
            picture = still(experiment, view, {}, PRINT)
            export_picture(picture.panel, folder / f"run{('.png', '.svg', '.pdf')[kind - 5]}", theme=PRINT)
        if number == 0:
            os.write(told, b"x")

for line in sys.stdin:
    folder, seed, wait = line.split()
    heard, told = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            victim(Path(folder), int(seed))
        except BaseException as error:
            os.write(2, f"{type(error).__name__}: {error}\\n".encode())
        os._exit(7)
    os.close(told)
    os.read(heard, 1)
    os.close(heard)
    time.sleep(float(wait))
    os.kill(child, signal.SIGKILL)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


def whole(path: Path) -> None:
    """Raise for a file that is not all there."""
    content = path.read_bytes()
    if path.name.endswith(SUFFIX):
        read(path)
    elif path.suffix == ".csv":
        lines = content.decode().split("\r\n")
        assert lines[-1] == "" and len({line.count(",") for line in lines[:-1]}) == 1
    elif path.suffix == ".npz":
        with np.load(path, allow_pickle=False) as stored:
            assert {len(stored[name]) for name in stored.files if name != "series"} == {len(stored["step"])}
    elif path.suffix == ".svg":
        ElementTree.fromstring(content)
    elif path.suffix == ".pdf":
        assert content.startswith(b"%PDF") and content.rstrip().endswith(b"%%EOF")
    else:
        with Image.open(path) as picture:
            for frame in range(getattr(picture, "n_frames", 1)):
                picture.seek(frame)
                picture.load()


@pytest.mark.timeout(7200)
def test_killed_while_it_writes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    seed = seed_in_hand(1)
    dice, found, parts, kept = random.Random(seed), Counter[str](), 0, 0
    nursery = subprocess.Popen(
        [sys.executable, "-c", NURSERY], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True, cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert nursery.stdin is not None and nursery.stdout is not None
    try:
        for kill in range(KILLS):
            folder = tmp_path / str(kill)
            folder.mkdir()
            nursery.stdin.write(f"{folder} {seed * 1000 + kill} {0.8 * dice.random() ** 2:.4f}\n")
            nursery.stdin.flush()
            status = nursery.stdout.readline().strip()
            assert status == "-9", f"kill {kill}: the victim ended by itself ({status})"
            for path in folder.rglob("*"):
                if path.name.endswith(".part"):
                    parts += 1
                elif path.is_file() and path.name != "open.lock":
                    whole(path)
                    found[path.suffix] += 1
            if list(folder.glob(f"unsaved/*/*{SUFFIX}")):
                left = left_behind(folder / "unsaved")
                assert left is not None and len(left.runs) == 1
                kept += 1
    finally:
        _, complaints = nursery.communicate()
    with capsys.disabled():
        told = ", ".join(f"{count} {suffix}" for suffix, count in sorted(found.items()))
        print(f"\n{KILLS} kills while writing: {told}, all whole; {kept} kept runs offered; {parts} unfinished .part")
    assert not complaints, complaints[-2000:]
    assert sum(found.values()) > KILLS
