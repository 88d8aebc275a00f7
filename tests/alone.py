"""Runs an exported script by itself: with torch and NumPy, in an empty folder, and with nothing of the house.

Loading torch takes longer than most scripts. So where processes fork, one process a test worker loads it once and each
script runs in a fork of that (see nursery.py); elsewhere, or if asked for, each runs in a new process.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType

ISOLATED = (sys.executable, "-I", "-W", "error")
FORKS = sys.platform == "linux"  # elsewhere libraries under torch forbid it, or there is no fork
# torch.optim loads the second when it is first used, which takes almost as long as the rest of torch.
LOADED = ("torch", "torch._dynamo", "numpy")
SECONDS = 100.0  # a script may take; less than a test may
GRACE = 5.0  # seconds that the nursery may take to end


class Alone:
    """Where scripts run, as a context. `folders` makes a new empty folder for each; they find `loaded` loaded."""

    def __init__(self, folders: Callable[[], Path], loaded: Sequence[str] = LOADED) -> None:
        self._folders = folders
        self._loaded = loaded
        self._nursery: subprocess.Popen[str] | None = None

    def __enter__(self) -> Alone:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def says(self, text: str, *arguments: str, fresh: bool = False) -> str:
        """What the script prints. It must end well and complain of nothing."""
        done = self.run(text, *arguments, fresh=fresh)
        assert (done.returncode, done.stderr) == (0, ""), done.stderr
        return done.stdout

    def fails(self, text: str, *arguments: str, fresh: bool = False) -> str:
        """The exception that ends the script, as `Kind: message`. One must."""
        done = self.run(text, *arguments, fresh=fresh)
        told = re.search(r"^Traceback .*?^(\w[\w.]*: .*)\Z", done.stderr, re.DOTALL | re.MULTILINE)
        assert done.returncode == 1 and told, (done.returncode, done.stdout, done.stderr)
        return told[1].rstrip()

    def run(self, text: str, *arguments: str, fresh: bool = False) -> subprocess.CompletedProcess[str]:
        """Run the script in a folder of its own; in a new process if `fresh`.

        Raises:
            subprocess.TimeoutExpired: It takes longer than SECONDS.
        """
        folder = self._folders() / "folder"
        folder.mkdir()
        path, out, err = folder / "script.py", folder.with_name("out"), folder.with_name("err")
        path.write_text(text, encoding="utf-8")
        command = [*ISOLATED, str(path), *arguments]
        if fresh or not FORKS:
            return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=SECONDS, check=False)
        status = self._ask([str(path), *arguments], folder, out, err)
        if status == -signal.SIGALRM:
            raise subprocess.TimeoutExpired(command, SECONDS, out.read_bytes(), err.read_bytes())
        return subprocess.CompletedProcess(command, status, out.read_text("locale"), err.read_text("locale"))

    def close(self, *, at_once: bool = False) -> None:
        """End the nursery; at once together with a script that runs in it."""
        nursery, self._nursery = self._nursery, None
        if nursery is None:
            return
        assert nursery.stdin and nursery.stdout
        if at_once:
            os.killpg(nursery.pid, signal.SIGKILL)
        nursery.stdin.close()
        try:
            nursery.wait(GRACE)
        except subprocess.TimeoutExpired:
            os.killpg(nursery.pid, signal.SIGKILL)
            nursery.wait()
        nursery.stdout.close()

    def _ask(self, arguments: list[str], folder: Path, out: Path, err: Path) -> int:
        """The exit status of a script in the nursery, which begins with the first."""
        if self._nursery is None:
            program = [*ISOLATED, str(Path(__file__).with_name("nursery.py")), *self._loaded]
            # In a session of its own: Ctrl-C is for the tests, and all of it can be ended together.
            self._nursery = subprocess.Popen(
                program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True
            )
        assert self._nursery.stdin and self._nursery.stdout
        asked = {"arguments": arguments, "folder": str(folder), "out": str(out), "err": str(err), "seconds": SECONDS}
        try:
            print(json.dumps(asked), file=self._nursery.stdin, flush=True)
            return int(self._nursery.stdout.readline())
        except BaseException:  # also Ctrl-C, or a test whose time is over: the next answer would be to this question
            self.close(at_once=True)
            raise
