"""Runs scripts one after the other, each in a fork of one process that has loaded what they need (see alone.py).

Started as `python -I -W error nursery.py MODULE...`, so a fork sees nothing of the house. It reads a line of JSON for
each script, {"arguments": [path, ...], "folder": ..., "out": ..., "err": ..., "seconds": ...}, answers with a line that
holds the exit status as subprocess has it, and ends with its input.

A script runs here as `python -I -W error path ...` would run it, but finds the modules loaded, does not wait for
threads of its own at the end and calls nothing that was left to atexit.
"""

from __future__ import annotations

import gc
import importlib
import importlib.util
import json
import os
import runpy
import signal
import sys
from typing import Any, NoReturn

HOUSE = ("engine", "gui")


def check() -> None:
    """Nothing of the house is here or can be found, and no thread is running that a fork would lose."""
    here = [name for name in HOUSE if name in sys.modules or importlib.util.find_spec(name)]
    assert not here, f"{here} can be imported"
    threads = os.listdir("/proc/self/task")
    assert len(threads) == 1, f"{len(threads)} threads"


def end_of(path: str) -> int:
    """Run a script and tell its exit status; an exception is printed as Python does it, from the script's frame on."""
    try:
        runpy.run_path(path, run_name="__main__")
    except SystemExit as end:
        if end.code is None or isinstance(end.code, int):
            return (end.code or 0) & 0xFF
        print(end.code, file=sys.stderr)
        return 1
    except BaseException as error:
        frames = error.__traceback__
        while frames is not None and frames.tb_frame.f_code.co_filename != path:
            frames = frames.tb_next
        sys.excepthook(type(error), error.with_traceback(frames), frames)
        if isinstance(error, KeyboardInterrupt):
            sys.stdout.flush()
            signal.signal(signal.SIGINT, signal.SIG_DFL)
            os.kill(os.getpid(), signal.SIGINT)
        return 1
    return 0


def grow_up(asked: dict[str, Any]) -> NoReturn:
    """Become the script that was asked for."""
    status = 1
    try:
        signal.setitimer(signal.ITIMER_REAL, asked["seconds"])
        os.chdir(asked["folder"])
        for number, file, how in ((0, os.devnull, os.O_RDONLY), (1, asked["out"], os.O_WRONLY | os.O_CREAT),
                                  (2, asked["err"], os.O_WRONLY | os.O_CREAT)):  # fmt: skip
            os.dup2(os.open(file, how, 0o600), number)
        # Other numbers each time, as in a new process: a script brings its own seed.
        if "numpy" in sys.modules:
            sys.modules["numpy"].random.seed()
        if "torch" in sys.modules:
            sys.modules["torch"].default_generator.seed()
        sys.argv = asked["arguments"]
        check()
        status = end_of(sys.argv[0])
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        os._exit(status)


def main() -> None:
    for name in sys.argv[1:]:
        importlib.import_module(name)
    check()
    gc.freeze()  # what is here stays, and need not be looked through, and copied, in each fork
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            grow_up(json.loads(line))
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        print(status, flush=True)
    os._exit(0)  # clearing up after torch takes a second


if __name__ == "__main__":
    main()
