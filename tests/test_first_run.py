"""The first start in real processes: a fake venv and a fake pip stand in for the network, all else is real.

The fakes are found through PYTHONPATH (venv) and in the environment that the fake venv makes (pip). They
write what they are asked to a log. A pip that is told to hang says so through one named pipe and waits for
the other.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import pytest

ROOT = Path(__file__).resolve().parents[1]
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="named pipes and signals as POSIX has them")

PYPROJECT = """
[project]
name = "descent-lab"
version = "9.8.7"
dependencies = ["descent-fake>=1"]
[project.optional-dependencies]
test = ["descent-fake-test"]
parallel = ["descent-fake-parallel"]
"""
COMMANDS = """
import sys
def main(arguments, *_):
    print("ran", *arguments, "in", sys.prefix)
    return 7
"""
WINDOW = """
import os
def run(arguments):
    print("window", *arguments, os.environ.get("QT_QPA_PLATFORM"))
    return 0
"""
FAKE_VENV = """
import os, pathlib, shutil, sys
venv = pathlib.Path(sys.argv[-1])
with open(os.environ["FAKE_LOG"], "a") as log: log.write("venv\\n")
shutil.rmtree(venv, ignore_errors=True)
site = venv / "lib" / f"python{sys.version_info[0]}.{sys.version_info[1]}" / "site-packages"
site.mkdir(parents=True)
(venv / "bin").mkdir()
(venv / "bin" / "python").symlink_to(sys.executable)
home = os.path.dirname(os.path.realpath(sys.executable))
(venv / "pyvenv.cfg").write_text(f"home = {home}\\ninclude-system-site-packages = false\\n")
shutil.copytree(pathlib.Path(__file__).parents[1] / "pip", site / "pip")
"""
FAKE_PIP = """
import os, pathlib, signal, sys, sysconfig
with open(os.environ["FAKE_LOG"], "a") as log: log.write(" ".join(["pip", *sys.argv[4:]]) + "\\n")
print("Collecting descent-fake")
site = pathlib.Path(sysconfig.get_path("purelib"))
info = site / "descent_fake-1.0.dist-info"
mode = os.environ.get("FAKE_PIP")
if mode == "fail":
    print("WARNING: Retrying (Retry(total=4)) after connection broken")
    print("ERROR: No matching distribution found for descent-fake>=1")
    raise SystemExit(1)
if not info.exists():
    info.mkdir()
    (info / "METADATA").write_text("Name: descent-fake\\n")
    if mode == "hang":
        folder = pathlib.Path(os.environ["FAKE_LOG"]).parent
        with open(folder / "hanging", "w") as pipe: pipe.write(str(os.getpid()))
        with open(folder / "release") as pipe: pipe.read()
        raise SystemExit(1)
    (info / "INSTALLER").write_text("pip")
    (info / "RECORD").write_text("descent_fake-1.0.dist-info/INSTALLER,,\\n")
    with open(os.environ["FAKE_LOG"], "a") as log: log.write("installed\\n")
"""


class Lab:
    """A copy of the project's door and set-up, in a folder with a space in its name."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.root = folder / "my lab"
        self.log = folder / "log"
        self.started: list[subprocess.Popen[str]] = []
        self.log.write_text("")
        (self.root / "engine" / "session").mkdir(parents=True)
        (self.root / "gui").mkdir()
        shutil.copy(ROOT / "main.py", self.root)
        shutil.copytree(
            ROOT / "engine" / "setup",
            self.root / "engine" / "setup",
            ignore=shutil.ignore_patterns("__pycache__"),
        )
        for name, text in {
            "pyproject.toml": PYPROJECT,
            "engine/__init__.py": "",
            "engine/optimizers.py": "def warm(progress): progress(1, 1, 'kernel')\n",
            "engine/networks/__init__.py": "",
            "engine/networks/warm.py": "def warm(progress): progress(1, 1, 'network')\n",
            "engine/experiments.py": "def everything(): return ()\n",
            "engine/session/commands.py": COMMANDS,
            "gui/window.py": WINDOW,
            "pytest.py": "def main(arguments):\n    print('tests', *arguments)\n    return 5\n",
        }.items():
            (self.root / name).parent.mkdir(parents=True, exist_ok=True)
            (self.root / name).write_text(text)
        for name, text in {"venv": FAKE_VENV, "pip": FAKE_PIP}.items():
            (folder / "fakes" / name).mkdir(parents=True)
            (folder / "fakes" / name / "__init__.py").write_text('__version__ = "23.2.1"\n')
            (folder / "fakes" / name / "__main__.py").write_text(text)
        for name in ("hanging", "release"):
            os.mkfifo(folder / name)

    def start(self, *arguments: str, pip: str = "") -> subprocess.Popen[str]:
        """Start main.py in another working directory."""
        environ = {
            **os.environ,
            "PYTHONPATH": str(self.folder / "fakes"),
            "FAKE_LOG": str(self.log),
            "FAKE_PIP": pip,
        }
        environ.pop("DISPLAY", None)
        # What is started in the background of a shell ignores Ctrl-C, and so would all that it starts.
        before = signal.signal(signal.SIGINT, signal.default_int_handler)
        try:
            process = subprocess.Popen(
                [sys.executable, str(self.root / "main.py"), *arguments],
                cwd=self.folder, env=environ, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                start_new_session=True,
            )  # fmt: skip
        finally:
            signal.signal(signal.SIGINT, before)
        self.started.append(process)
        return process

    def end(self) -> None:
        """End whatever a failed test left running: main.py with all it started, and an orphaned pip."""
        for process in self.started:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
        with contextlib.suppress(OSError):  # nobody waits for it
            os.close(os.open(self.folder / "release", os.O_WRONLY | os.O_NONBLOCK))
        for process in self.started:
            process.communicate()

    def run(self, *arguments: str, pip: str = "") -> tuple[int, str, str]:
        """Run main.py; gives (status, stdout, stderr)."""
        process = self.start(*arguments, pip=pip)
        out, err = process.communicate(timeout=60)
        assert "Traceback" not in err
        return process.returncode, out, err

    def done(self) -> list[str]:
        """What the fakes were asked since the last time."""
        lines = self.log.read_text().splitlines()
        self.log.write_text("")
        return lines

    def hanging_pip(self) -> int:
        """Wait until pip hangs; gives its process id."""
        return int((self.folder / "hanging").read_text())

    def release(self) -> None:
        """Let the hanging pip end."""
        (self.folder / "release").write_text("")

    @property
    def ran(self) -> str:
        """What the fake command prints."""
        return f"ran list --json in {self.root / '.venv'}\n"


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    made = Lab(tmp_path)
    yield made
    made.end()


def until(stream: IO[str] | None, words: str) -> None:
    """Read lines until one has `words`."""
    assert stream is not None
    for line in stream:
        if words in line:
            return
    pytest.fail(f"{words!r} was never said")


FIRST = ["venv", "pip descent-fake>=1", "installed"]


def test_the_first_start_installs_and_later_ones_do_not(lab: Lab) -> None:
    status, out, err = lab.run("list", "--json")
    assert (status, out, lab.done()) == (7, lab.ran, FIRST)
    assert "Installing packages: done" in err and "Building the compiled kernels: done" in err
    assert lab.run("list", "--json") == (7, lab.ran, "")
    assert lab.done() == []


def test_a_changed_list_and_a_further_group_are_installed(lab: Lab) -> None:
    lab.run("list")
    lab.done()
    (lab.root / "pyproject.toml").write_text(PYPROJECT.replace("fake>=1", "fake>=2"))
    assert lab.run("list", "--json")[:2] == (7, lab.ran)
    assert lab.done() == ["pip descent-fake>=2"]
    assert lab.run("--test", "-k", "x")[:2] == (5, "tests -k x\n")
    assert lab.done() == ["pip descent-fake>=2 descent-fake-parallel descent-fake-test"]
    (lab.root / "pyproject.toml").write_text(PYPROJECT)
    lab.run("list")
    assert lab.done() == ["pip descent-fake>=1 descent-fake-parallel descent-fake-test"]


@pytest.mark.parametrize("damage", ["python gone", "folder of packages gone", "no pip", "python of another version"])
def test_a_broken_environment_is_made_anew(lab: Lab, damage: str) -> None:
    lab.run("list")
    lab.done()
    venv = lab.root / ".venv"
    site = next(venv.glob("lib/python*/site-packages"))
    if damage == "python gone":
        (venv / "bin" / "python").unlink()
    elif damage == "folder of packages gone":
        shutil.rmtree(venv / "lib")
        (venv / "descent-lab.json").unlink()
    elif damage == "no pip":
        shutil.rmtree(site / "pip")
        (venv / "descent-lab.json").unlink()
    else:
        mark = venv / "descent-lab.json"
        mark.write_text(mark.read_text().replace(f'"3.{sys.version_info.minor}"', '"3.4"'))
        site.parent.rename(venv / "lib" / "python3.4")
    assert lab.run("list", "--json")[:2] == (7, lab.ran)
    assert lab.done() == FIRST


def test_a_moved_folder_is_repaired(lab: Lab) -> None:
    lab.run("list")
    lab.done()
    lab.root = lab.root.rename(lab.folder / "elsewhere")
    assert lab.run("list", "--json")[:2] == (7, lab.ran)
    assert lab.done() == ["pip descent-fake>=1"]
    assert lab.run("list", "--json") == (7, lab.ran, "")


@pytest.mark.parametrize("ignored", [False, True], ids=["", "tests in the background"])
def test_ctrl_c_ends_pip_too_and_the_next_start_repairs(lab: Lab, ignored: bool) -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN if ignored else signal.default_int_handler)
    try:
        process = lab.start("list", pip="hang")
    finally:
        signal.signal(signal.SIGINT, before)
    child = lab.hanging_pip()
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130 and "The next start goes on from here." in err and "Traceback" not in err
    with pytest.raises(ProcessLookupError):
        os.kill(child, 0)
    lab.done()
    assert lab.run("list", "--json")[:2] == (7, lab.ran)
    assert lab.done() == ["pip descent-fake>=1", "installed"]  # the half-installed one was swept away


def test_after_a_kill_the_next_start_waits_for_the_orphan_and_repairs(lab: Lab) -> None:
    process = lab.start("list", pip="hang")
    lab.hanging_pip()
    process.kill()
    process.communicate(timeout=60)
    second = lab.start("list", "--json")
    until(second.stderr, "Another start is setting up")
    lab.done()
    lab.release()
    out, _ = second.communicate(timeout=60)
    assert (second.returncode, out) == (7, lab.ran)
    assert lab.done() == ["pip descent-fake>=1", "installed"]


def test_of_two_first_starts_one_installs(lab: Lab) -> None:
    first = lab.start("list", "--json")
    second = lab.start("list", "--json")
    for process in (first, second):
        out, _ = process.communicate(timeout=60)
        assert (process.returncode, out) == (7, lab.ran)
    assert lab.done() == FIRST


def test_without_a_network_two_lines_say_so(lab: Lab) -> None:
    status, out, err = lab.run("list", pip="fail")
    assert (status, out) == (1, "")
    assert err.splitlines()[-2].endswith("No matching distribution found for descent-fake>=1")
    assert "no connection" in err.splitlines()[-1]
    assert lab.run("list", "--json")[:2] == (7, lab.ran)


def test_without_a_display_nothing_is_installed_first(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    if not sys.platform.startswith("linux"):
        pytest.skip("only Linux can be without a display")
    for name in ("WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(name, raising=False)
    status, out, err = lab.run()
    assert (status, out) == (1, "")
    assert err.startswith("No display") and err.count("\n") == 1
    assert lab.done() == []


def test_the_window_opens_with_a_file(lab: Lab) -> None:
    (lab.folder / "a.descent.json").write_text("{}")
    assert lab.run("a.descent.json")[:2] == (0, "window a.descent.json offscreen\n")


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (["frobnicate"], 2, "Unknown command 'frobnicate'. Allowed: list, run, code, figures"),
        (["gone.descent.json"], 2, "gone.descent.json"),
        (["--version"], 0, "Descent Lab 9.8.7"),
        (["--help"], 0, "usage: python3 main.py"),
    ],
)
def test_what_needs_no_packages_installs_none(lab: Lab, arguments: list[str], status: int, words: str) -> None:
    code, out, err = lab.run(*arguments)
    assert code == status and words in out + err
    assert status == 0 or (out == "" and err.count("\n") == 1)
    assert lab.done() == []


def test_an_old_python_is_told_in_one_line() -> None:
    code = (
        f"import runpy, sys; sys.version_info = (3, 10, 2, 'final', 0); sys.version = '3.10.2 (x)'; "
        f"runpy.run_path({str(ROOT / 'main.py')!r}, run_name='__main__')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert done.stderr.startswith("Descent Lab needs Python 3.11 or newer; this is 3.10.2")
    assert done.stderr.count("\n") == 1


def test_the_door_keeps_to_old_syntax() -> None:
    """An old Python must be able to read main.py as far as the line that tells it what is wrong."""
    import ast

    ast.parse((ROOT / "main.py").read_text(encoding="utf-8"), feature_version=(3, 7))
