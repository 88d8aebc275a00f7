"""Scripts in the nursery run as in a process of their own: same words, same end, and nothing of the house."""

from __future__ import annotations

import itertools
import os
import re
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import alone as place
from tests.alone import FORKS, Alone

forks = pytest.mark.skipif(not FORKS, reason="each script runs in a new process here")
SCRIPTS = {
    "words": "import sys\nprint('ü', sys.argv[1:], __name__, sys.path, sys.flags)\nprint('no', file=sys.stderr)",
    "place": "import os\nprint(os.listdir(), os.path.split(__file__), os.getcwd() == os.path.dirname(__file__))",
    "input": "import sys\nprint(repr(sys.stdin.read()))",
    "name": "'Docs.'\nimport dataclasses\n@dataclasses.dataclass\nclass A:\n    x: 'int' = 1\nprint(A(), A.__module__)",
    "end": "import sys\nprint('before')\nsys.exit()",
    "status": "import sys\nsys.exit(3)",
    "large status": "raise SystemExit(256 + 7)",
    "last words": "import sys\nsys.exit('that was it')",
    "error": "def f():\n    assert 1 == 2, 'one is not two'\nprint('first')\nf()",
    "chain": "try:\n    1 / 0\nexcept ZeroDivisionError as error:\n    raise ValueError('a\\nb') from error",
    "syntax": "print('never')\nif",
    "warning": "import warnings\nwarnings.warn('careful')",
    "interrupted": "print('first')\nraise KeyboardInterrupt",
    "killed": "import os\nprint('lost, as nothing was flushed')\nos.kill(os.getpid(), 9)",
    "house": "import engine",
    "views": "import gui",
}  # fmt: skip


@forks
@pytest.mark.parametrize("name", SCRIPTS)
def test_a_script_does_as_in_a_process_of_its_own(name: str, alone: Alone) -> None:
    told = []
    for fresh in (False, True):
        done = alone.run(SCRIPTS[name], "a", "b c", fresh=fresh)
        folder = str(Path(done.args[4]).parent)
        told.append((done.returncode, done.stdout.replace(folder, "."), done.stderr.replace(folder, ".")))
    assert told[0] == told[1]


TORCH = """
import os, sys
import torch
print(torch.get_num_threads(), torch.get_num_interop_threads(), torch.get_default_dtype(), torch.is_grad_enabled(),
      len(os.listdir('/proc/self/task')))
p = torch.nn.Parameter(torch.ones(2))
one = torch.optim.Adam([p], lr=0.1)
(p**2).sum().backward()
one.step()
print(p.tolist(), sorted({'engine', 'gui', 'main', 'tests', 'PySide6', 'numba'} & set(sys.modules)))
torch.set_default_dtype(torch.float64)
torch.manual_seed(3)
"""


@forks
def test_torch_is_as_it_is_when_it_was_just_loaded(alone: Alone) -> None:
    """Also after a script that changed it."""
    first = alone.says(TORCH)
    assert first.endswith("[]\n") and alone.says(TORCH) == first
    assert alone.says(TORCH, fresh=True) == first


@forks
def test_chance_differs_from_script_to_script(alone: Alone) -> None:
    """As from process to process: one without a seed must not agree with the app by luck."""
    text = "import random, numpy, torch\nprint(random.random(), numpy.random.rand(), torch.rand(1).item())"
    first, second = (alone.says(text).split() for _ in range(2))
    assert all(one != other for one, other in zip(first, second, strict=True))


def test_what_it_tells_and_what_it_does_not_accept(alone: Alone) -> None:
    assert alone.says("print(1)") == "1\n"
    assert alone.fails("assert False, 'no'") == "AssertionError: no"
    assert alone.fails("import numpy\nnumpy.testing.assert_allclose([1.0], [2.0])").startswith(
        "AssertionError: \nNot eq"
    )
    assert alone.fails("import engine") == "ModuleNotFoundError: No module named 'engine'"
    for wrong in ("import sys\nsys.exit(2)", "import sys\nprint('x', file=sys.stderr)", "1 / 0"):
        with pytest.raises(AssertionError):
            alone.says(wrong)
    for wrong in ("print(1)", "import sys\nsys.exit('AssertionError: no')", "import os\nos._exit(1)"):
        with pytest.raises(AssertionError):
            alone.fails(wrong)


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Alone]:
    """A place of this test's own, begun in a moment."""
    numbers = itertools.count()

    def folder() -> Path:
        made = tmp_path / str(next(numbers))
        made.mkdir()
        return made

    with Alone(folder, loaded=()) as one:
        yield one


def test_a_script_without_end_is_ended(own: Alone, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(place, "SECONDS", 0.2)
    with pytest.raises(subprocess.TimeoutExpired):
        own.run("while True: pass")
    monkeypatch.setattr(place, "SECONDS", 30.0)
    assert own.says("print(2)") == "2\n", "the next one runs"


IDS = "import os\nprint(os.getpid(), os.getppid())"


@forks
def test_nothing_is_left_of_it_in_the_end(own: Alone) -> None:
    first, second = (list(map(int, own.says(IDS).split())) for _ in range(2))
    assert first[0] != second[0] and first[1] == second[1], "a process each, from one nursery"
    own.close()
    with pytest.raises(ProcessLookupError):
        os.kill(first[1], 0)


@forks
def test_a_test_that_is_over_ends_its_script_and_the_next_begins_anew(own: Alone, tmp_path: Path) -> None:
    def over(number: int, frame: object) -> None:
        raise TimeoutError("the test's time is over")

    os.mkfifo(tmp_path / "line")
    line = os.open(tmp_path / "line", os.O_RDONLY | os.O_NONBLOCK)
    before = signal.signal(signal.SIGUSR1, over)
    try:
        with pytest.raises(TimeoutError):
            own.run(
                f"import os\nline = open({str(tmp_path / 'line')!r}, 'w')\nprint(os.getppid(), file=line, flush=True)\n"
                f"os.kill({os.getpid()}, {int(signal.SIGUSR1)})\nwhile True: pass"
            )
        os.set_blocking(line, True)
        told = b"".join(iter(lambda: os.read(line, 99), b""))  # comes to its end when the script is gone
    finally:
        signal.signal(signal.SIGUSR1, before)
        os.close(line)
    with pytest.raises(ProcessLookupError):
        os.kill(int(told), 0)
    assert int(own.says(IDS).split()[1]) != int(told)


def test_exported_scripts_run_nowhere_else() -> None:
    """No file that exports scripts starts processes, or runs code, in a way of its own."""
    exports = re.compile(r"commands import (main, )?script\b|training_script\(")
    own = re.compile(r"import subprocess|import runpy|exec\(compile\(")
    here = Path(__file__).parent
    texts = {
        path: path.read_text("utf-8")
        for folder in ("engine", "experiments")
        for path in here.glob(f"{folder}/**/test_*.py")
    }
    exporting = [path for path, text in texts.items() if exports.search(text)]
    assert len(exporting) > 20
    assert [path.name for path in exporting if own.search(texts[path])] == []
