"""What set-up tells its reader: one line per stage, with what it does now and the time it has taken."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Callable
from typing import TextIO


def elapsed_text(seconds: float) -> str:
    """`7 s` or `2 min 05 s`."""
    whole = int(seconds)
    return f"{whole} s" if whole < 60 else f"{whole // 60} min {whole % 60:02d} s"


class Screen:
    """Writes progress to stderr, so that stdout stays the command's own.

    On a terminal the current stage is one line that rewrites itself. Elsewhere (a log) it is a line when the
    stage begins, one every `quiet` seconds while it lasts, and one when it ends.
    """

    def __init__(
        self, stream: TextIO | None = None, clock: Callable[[], float] = time.monotonic, quiet: float = 15.0
    ) -> None:
        self._stream = sys.stderr if stream is None else stream
        self._clock = clock
        self._quiet = quiet
        self._terminal = self._stream.isatty()
        self._stage = ""
        self._began = self._spoke = 0.0

    def say(self, text: str) -> None:
        """One whole line."""
        self._erase()
        self._stream.write(text + "\n")
        self._stream.flush()

    def begin(self, stage: str) -> None:
        """A stage begins; its clock starts."""
        self._stage = stage
        self._began = self._spoke = self._clock()
        if self._terminal:
            self._redraw("")
        else:
            self.say(f"{stage} ...")

    def tick(self, detail: str = "") -> None:
        """The stage is alive; `detail` is what it does now. Call it as often as you like."""
        now = self._clock()
        if self._terminal:
            self._redraw(detail)
        elif now - self._spoke >= self._quiet:
            self._spoke = now
            self.say(f"  {elapsed_text(now - self._began)}  {detail}".rstrip())

    def end(self, result: str = "done") -> None:
        """The stage is over: its line stays, with the time it took."""
        self.say(f"{self._stage}: {result} ({elapsed_text(self._clock() - self._began)})")

    def _redraw(self, detail: str) -> None:
        line = f"{self._stage}  {elapsed_text(self._clock() - self._began)}  {detail}".rstrip()
        width = shutil.get_terminal_size().columns - 1
        if len(line) > width:
            line = line[: width - 3] + "..."
        self._erase()
        self._stream.write(line)
        self._stream.flush()

    def _erase(self) -> None:
        if self._terminal:
            self._stream.write("\r\x1b[K")
