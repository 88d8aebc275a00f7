"""Runs pip in an environment and turns what it prints into one short line of progress."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from engine.setup import child
from engine.setup.screen import Screen

LOG = "setup.log"
_RAW_PROGRESS_SINCE = (24, 1)

_COLLECTING = re.compile(r"Collecting ([A-Za-z0-9._-]+)")
_FETCHING = re.compile(r"\s*(?:Downloading|Using cached|Processing) (\S+)(?: \((.+)\))?")
_PROGRESS = re.compile(r"Progress (\d+) of (\d+)")
_UNPACKING = re.compile(r"Installing collected packages: (.*)")
_TROUBLE = re.compile(r"WARNING: Retrying|(?:Connection|Read|Proxy|SSL)\w*Error|No route to host")


class Listener:
    """Follows pip's output: `detail` is what it does now, `errors` what went wrong."""

    def __init__(self) -> None:
        self.detail = ""
        self.errors: list[str] = []
        self.offline = False
        self._fetching = ""

    def hear(self, line: str) -> None:
        """Take in one line of pip's output."""
        if match := _COLLECTING.match(line):
            self.detail = f"looking for {match[1]}"
        elif match := _PROGRESS.match(line):
            done, whole = int(match[1]), int(match[2])
            if whole:
                self.detail = f"{self._fetching}, {100 * done // whole} %"
        elif match := _FETCHING.match(line):
            name = "-".join(Path(match[1]).name.split("-")[:2])
            self._fetching = f"fetching {name}" + (f" ({match[2]})" if match[2] else "")
            self.detail = self._fetching
        elif match := _UNPACKING.match(line):
            self.detail = f"unpacking {len(match[1].split(','))} packages"
        elif line.startswith("ERROR:"):
            self.errors.append(line.removeprefix("ERROR:").strip())
        if _TROUBLE.search(line):
            self.offline = True
            if line.startswith("WARNING: Retrying"):
                self.detail = "no connection, trying again"

    def failure(self, status: int, log: Path) -> str:
        """Why pip failed, in at most two lines."""
        said = self.errors[-1] if self.errors else f"exit status {status}"
        cause = "There seems to be no connection to the package index. " if self.offline else ""
        return (
            f"The packages could not be installed: {said}\n"
            f"{cause}The next start tries again; pip's own words are in {log}."
        )


def command(python: Path, pip_version: tuple[int, ...], requirements: Sequence[str]) -> list[str]:
    """The pip command that brings `requirements` into the environment of `python`."""
    bar = "raw" if pip_version >= _RAW_PROGRESS_SINCE else "off"
    # -I: a PYTHONPATH or a user folder must not count as installed.
    return [str(python), "-I", "-m", "pip", "install", "--progress-bar", bar, *requirements]


def install(
    python: Path,
    pip_version: tuple[int, ...],
    requirements: Sequence[str],
    venv: Path,
    screen: Screen,
    lock: int | None,
) -> str | None:
    """Install `requirements`; returns None, or why it failed. pip's whole output goes to a log in `venv`."""
    listener = Listener()
    path = venv / LOG
    with path.open("w", encoding="utf-8") as log:

        def heard(line: str | None) -> None:
            if line is not None:
                log.write(line + "\n")
                listener.hear(line)
            screen.tick(listener.detail)

        status = child.run(command(python, pip_version, requirements), venv, heard, lock)
    return None if status == 0 else listener.failure(status, path)
