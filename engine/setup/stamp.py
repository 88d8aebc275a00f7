"""The stamp in .venv that says: this environment is complete, for these lists and this Python.

It is removed before anything in the environment changes and written after everything has succeeded. So an
interrupted set-up, however it ended, leaves no stamp, and the next start repairs it.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from engine.setup.requirements import fingerprint, read_groups

VENV = ".venv"
NAME = "descent-lab.json"


@dataclass(frozen=True)
class Stamp:
    """What is installed: Python `major.minor`, the folder it was made in, a fingerprint for each group."""

    python: str
    place: str
    groups: dict[str, str]

    def covers(self, venv: Path, wanted: Mapping[str, str]) -> bool:
        """Whether this stamp is for the environment at `venv` and holds all `wanted` fingerprints."""
        return self.place == str(venv) and all(self.groups.get(name) == key for name, key in wanted.items())


def venv_python(venv: Path) -> Path:
    """Where an environment keeps its Python."""
    return venv / "Scripts" / "python.exe" if sys.platform == "win32" else venv / "bin" / "python"


def complete(root: Path, groups: tuple[str, ...]) -> bool:
    """Whether `.venv` is there and its stamp covers `groups` as pyproject.toml lists them now."""
    venv = root / VENV
    mark = read(venv)
    if mark is None or not venv_python(venv).exists():
        return False
    lists = read_groups(root)
    return mark.covers(venv, {name: fingerprint(lists[name]) for name in groups})


def this_python() -> str:
    """`major.minor` of the running interpreter."""
    return f"{sys.version_info.major}.{sys.version_info.minor}"


def read(venv: Path) -> Stamp | None:
    """The stamp of an environment; None if there is none or it cannot be read."""
    try:
        fields = json.loads((venv / NAME).read_text(encoding="utf-8"))
        return Stamp(str(fields["python"]), str(fields["place"]), dict(fields["groups"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def write(venv: Path, stamp: Stamp) -> None:
    """Write the stamp in one move, so that a killed process leaves none or a whole one."""
    half = venv / f"{NAME}.{os.getpid()}"
    with half.open("w", encoding="utf-8") as file:
        json.dump(asdict(stamp), file)
        file.flush()
        os.fsync(file.fileno())
    os.replace(half, venv / NAME)


def remove(venv: Path) -> None:
    """Take the stamp away, and what a killed `write` left."""
    for path in list(venv.glob(f"{NAME}*")) if venv.is_dir() else []:
        path.unlink(missing_ok=True)
