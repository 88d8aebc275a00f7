"""Makes, completes and repairs the environment `.venv` beside main.py.

Stages: lock -> (make the environment, if it is missing or broken | sweep what a killed pip left) -> packages
-> compiled kernels -> stamp. Any of them may be interrupted at any time; the next start begins at the top,
and pip passes over what is there already.
"""

from __future__ import annotations

import importlib.util
import json
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from engine.setup import child, pip, stamp
from engine.setup.lock import only_one
from engine.setup.requirements import APP, fingerprint, read_groups, release
from engine.setup.screen import Screen
from engine.setup.stamp import VENV, complete, venv_python
from engine.setup.sweep import sweep

_PROBE = (
    "import json, sys, sysconfig, pip; "
    "print(json.dumps([sys.version_info[:2], pip.__version__, sysconfig.get_path('purelib')]))"
)


class SetupError(Exception):
    """Set-up cannot go on; the text is for the reader, one or two lines."""


@dataclass(frozen=True)
class Found:
    """A working environment: its Python's `(major, minor)`, its pip's version, its folder of packages."""

    python: tuple[int, int]
    pip: tuple[int, ...]
    site_packages: Path


def probe(venv: Path) -> Found | None:
    """Ask the environment's Python about itself; None if it does not start, has no pip, or is too old."""
    python = venv_python(venv)
    try:
        answer = subprocess.run(
            [str(python), "-I", "-c", _PROBE], capture_output=True, text=True, timeout=60, check=True
        )
        version, pip_version, site_packages = json.loads(answer.stdout)
    except (OSError, subprocess.SubprocessError, ValueError):
        return None
    if tuple(version) < (3, 11):
        return None
    return Found((version[0], version[1]), release(pip_version), Path(site_packages))


def install(root: Path, groups: tuple[str, ...], screen: Screen) -> None:
    """Bring `.venv` to what `groups` of pyproject.toml ask for. Raises SetupError if that cannot be done."""
    said = False

    def waiting() -> None:
        nonlocal said
        if not said:
            screen.begin("Another start is setting up; waiting for it")
            said = True
        screen.tick()

    try:
        with only_one(root / f"{VENV}.lock", waiting) as lock:
            if said:
                screen.end()
            if not complete(root, groups):
                _install(root, groups, screen, lock)
    except OSError as error:
        raise SetupError(f"Set-up cannot write to {root}: {error.strerror or error}.") from error


def _install(root: Path, groups: tuple[str, ...], screen: Screen, lock: int) -> None:
    venv = root / VENV
    before = stamp.read(venv)
    stamp.remove(venv)
    found = probe(venv)
    if found is None:
        screen.say("First start: setting up in .venv (once; later starts open at once)")
        found = _make(root, venv, screen, lock)
    else:
        screen.say("Completing the set-up in .venv")
        sweep(found.site_packages)
    lists = read_groups(root)
    # A group that was complete once is kept up with the others.
    names = sorted({APP, *groups, *(before.groups if before else ())} & set(lists))
    screen.begin("Installing packages")
    failure = pip.install(
        venv_python(venv), found.pip, [line for name in names for line in lists[name]], venv, screen, lock
    )
    if failure is not None:
        screen.end("failed")
        raise SetupError(failure)
    screen.end()
    _warm(root, venv, screen, lock)
    python = f"{found.python[0]}.{found.python[1]}"
    stamp.write(venv, stamp.Stamp(python, str(venv), {name: fingerprint(lists[name]) for name in names}))


def _make(root: Path, venv: Path, screen: Screen, lock: int) -> Found:
    """Make the environment anew, with the Python that runs (or the one it was made from)."""
    base = getattr(sys, "_base_executable", None) or sys.executable
    if importlib.util.find_spec("ensurepip") is None or importlib.util.find_spec("venv") is None:
        raise SetupError(_no_venv())
    screen.begin("Making the environment")
    lines: list[str] = []

    def heard(line: str | None) -> None:
        if line:
            lines.append(line)
        screen.tick()

    status = child.run([base, "-m", "venv", "--clear", str(venv)], root, heard, lock)
    found = probe(venv) if status == 0 else None
    if found is None:
        screen.end("failed")
        said = " ".join(lines)
        if "ensurepip" in said:
            raise SetupError(_no_venv())
        reason = lines[-1] if lines else f"exit status {status}"
        raise SetupError(f"Python could not make the environment {venv}: {reason}")
    screen.end()
    return found


def _no_venv() -> str:
    if shutil.which("apt-get"):
        package = f"python{stamp.this_python()}-venv"
        return f"This Python makes no environments: ensurepip is missing. Try: sudo apt-get install {package}"
    return "This Python makes no environments: its modules venv and ensurepip are missing. Install them."


def _warm(root: Path, venv: Path, screen: Screen, lock: int) -> None:
    """Build the compiled kernels now. Without them the app still works, only its first run starts later."""
    screen.begin("Building the compiled kernels")
    last = ""

    def heard(line: str | None) -> None:
        nonlocal last
        last = line or last
        screen.tick(last)

    status = child.run([str(venv_python(venv)), "-m", "engine.setup.warm"], root, heard, lock)
    screen.end("done" if status == 0 else f"not done, they are built when needed: {last}")
