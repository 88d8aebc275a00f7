"""Sees to it that the program goes on in an interpreter that has what it needs."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from engine.setup import stamp
from engine.setup.requirements import APP, read_groups, unmet, version
from engine.setup.stamp import VENV, complete, venv_python

__all__ = ["ensure", "go_on", "prepare", "version"]

Draws = Literal["nothing", "offscreen", "window"]


def prepare(
    program: Path,
    arguments: Sequence[str],
    draws: Draws = "nothing",
    extra: tuple[str, ...] = (),
    wished: tuple[str, ...] = (),
) -> None:
    """Return in an interpreter where all is ready: packages (of `app` and `extra`) and Qt's system libraries.

    `wished`: groups that an environment of our own gets too, and that another may do without.

    Unless a window is wanted, Qt draws off screen from here on. Ends the process with one or two lines if
    something is missing that set-up cannot bring.
    """
    if draws != "window":
        os.environ["QT_QPA_PLATFORM"] = "offscreen"
    if draws != "nothing":
        from engine.setup.system import qt_trouble

        # First, so that nobody waits for an installation only to hear that the window cannot open.
        trouble = qt_trouble(os.environ)
        if trouble:
            raise SystemExit(trouble)
    ensure(program, arguments, extra, wished)


def ensure(program: Path, arguments: Sequence[str], extra: tuple[str, ...] = (), wished: tuple[str, ...] = ()) -> None:
    """Return if this interpreter has the packages of `app` and the `extra` groups; else go on in `.venv`.

    `.venv` beside `program` is made or repaired first where that is needed. Going on there means that this
    process becomes `program` with the same `arguments` under its Python (on Windows: runs it and passes its
    status on). Ends the process with one or two lines if the environment cannot be made.
    """
    root = program.parent
    venv = root / VENV
    needed = (APP, *extra)
    groups = (*needed, *wished)
    if Path(sys.prefix) == venv:
        mark = stamp.read(venv)
        # The system's Python may have moved on under the environment: then its packages are out of sight.
        if complete(root, groups) and mark is not None and mark.python == stamp.this_python():
            return
        stamp.remove(venv)
        _install(root, groups)
    else:
        lists = read_groups(root)
        if unmet(line for name in needed for line in lists[name]) is None:
            return
        if not complete(root, groups):
            _install(root, groups)
    go_on(venv_python(venv), program, arguments)


def _install(root: Path, groups: tuple[str, ...]) -> None:
    from engine.setup.install import SetupError, install  # here, because later starts do without them
    from engine.setup.screen import Screen

    try:
        install(root, groups, Screen())
    except SetupError as error:
        raise SystemExit(str(error)) from error
    except KeyboardInterrupt:
        print("\nInterrupted. The next start goes on from here.", file=sys.stderr)
        raise SystemExit(130) from None


def go_on(python: Path, program: Path, arguments: Sequence[str]) -> None:
    """Become `program` under another Python. Does not return."""
    command = [str(python), str(program), *arguments]
    sys.stdout.flush()
    sys.stderr.flush()
    if os.name == "nt":
        # execv on Windows starts a second process and gives the prompt back at once.
        import subprocess

        raise SystemExit(subprocess.run(command, check=False).returncode)
    try:
        os.execv(python, command)
    except OSError as error:
        stamp.remove(program.parent / VENV)
        raise SystemExit(f"{python} does not start ({error.strerror}). Start again to repair it.") from error
