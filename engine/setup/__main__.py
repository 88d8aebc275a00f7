"""Set-up by hand: `python3 -m engine.setup install [GROUP]...` completes .venv and prints its Python.

`python3 -m engine.setup packages` prints Debian's names of the system libraries.
"""

from __future__ import annotations

import sys
from pathlib import Path

from engine.setup.install import SetupError, install
from engine.setup.requirements import APP, read_groups
from engine.setup.screen import Screen
from engine.setup.stamp import VENV, complete, venv_python
from engine.setup.system import packages


def main(arguments: list[str]) -> int:
    """Run one of the two commands; returns the exit status."""
    root = Path(__file__).resolve().parents[2]
    match arguments:
        case ["packages"]:
            print(*packages())
        case ["install", *names] if set(names) <= set(read_groups(root)):
            groups = (APP, *names)
            try:
                if not complete(root, groups):
                    install(root, groups, Screen())
            except SetupError as error:
                print(error, file=sys.stderr)
                return 1
            print(venv_python(root / VENV))
        case _:
            allowed = " | ".join(read_groups(root))
            print(f"usage: python3 -m engine.setup packages | install [{allowed}]...", file=sys.stderr)
            return 2
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
