"""Runs one program of the set-up, line by line, and never leaves it behind while this process can help it."""

from __future__ import annotations

import contextlib
import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO


def run(command: Sequence[str], folder: Path, heard: Callable[[str | None], None], lock: int | None = None) -> int:
    """Run `command` in `folder`; call `heard` with each line it prints, and with None twice a second.

    `lock` is a descriptor that the child inherits (see lock.only_one). Returns the exit status.
    """
    environ = {
        **os.environ,
        "PIP_USER": "0",  # a user's `user = true` makes pip refuse to work in an environment
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "PIP_NO_INPUT": "1",
        "PYTHONIOENCODING": "utf-8",
        "PYTHONUNBUFFERED": "1",
    }
    child = subprocess.Popen(
        command,
        cwd=folder,
        env=environ,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
        pass_fds=() if lock is None or os.name == "nt" else (lock,),
        start_new_session=True,  # so that its own children can be ended with it
    )
    assert child.stdout is not None
    lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
    reader = threading.Thread(target=_read, args=(child.stdout, lines), daemon=True)
    reader.start()
    try:
        while True:
            try:
                line = lines.get(timeout=0.5)
            except queue.Empty:
                heard(None)
                continue
            if line is None:
                return child.wait()
            heard(line)
    except BaseException:  # Ctrl-C above all: the child must be gone before the lock is
        _end(child)
        raise
    finally:
        reader.join()
        child.stdout.close()


def _end(child: subprocess.Popen[str], grace: float = 5.0) -> None:
    """End the child and its own children: first the way that lets pip tidy up, then at once."""
    if sys.platform == "win32":
        child.kill()
        child.wait()
        return
    for way in (signal.SIGINT, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, way)
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(grace)


def _read(stream: IO[str], lines: queue.SimpleQueue[str | None]) -> None:
    for line in stream:
        lines.put(line.rstrip())
    lines.put(None)
