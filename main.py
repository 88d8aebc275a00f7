"""Descent Lab's one door: the window, the command line, the tests, and the first-run set-up before them."""

# Nothing newer than Python 3.6 in this file: an old Python must get as far as the line that tells it so.
import os
import sys
from pathlib import Path

if sys.version_info < (3, 11):  # noqa: UP036
    sys.exit(f"Descent Lab needs Python 3.11 or newer; this is {sys.version.split()[0]} ({sys.executable}).")

PROGRAM = Path(__file__).resolve()
VERBS = ("list", "run", "code", "figures")
HELP = """usage: python3 main.py [FILE.descent.json]    open the window, with an experiment file if named
       python3 main.py list [--json]          every experiment; with --json also its fields
       python3 main.py run ID [--preset NAME] [--set KEY=VALUE]... [--file X.json] [--steps N] [--out DIR]
                                              run without a window; write history, summary and figures to DIR
       python3 main.py code ID [--preset NAME] [--set KEY=VALUE]... [-o FILE]
                                              write a PyTorch script that reproduces the run
       python3 main.py figures [--out DIR]    render every chapter figure: drawn beside measured
       python3 main.py --test [PYTEST ARGS]   run the tests (paths are seen from the project's folder)
       python3 main.py --test soak            try for an hour to break it
       python3 main.py --version | --help
The first start installs what is needed into .venv beside main.py; later starts open at once."""


def main(arguments: list[str]) -> int:
    """Go where the first argument says; returns the exit status."""
    verb = arguments[0] if arguments else ""
    if verb in ("-h", "--help"):
        print(HELP)
        return 0
    from engine.setup.start import prepare, version

    if verb == "--version":
        print("Descent Lab", version(PROGRAM.parent))
        return 0
    if not verb or verb.endswith(".descent.json"):
        if arguments[1:] or (verb and not Path(verb).is_file()):
            return fail(f"One file that exists is allowed here, not: {' '.join(arguments)}")
        prepare(PROGRAM, arguments, "window")
        load_torch_first()
        from gui.window import run

        return run(arguments)
    if verb == "--test":
        prepare(PROGRAM, arguments, "offscreen", ("test",), ("parallel",))
        import pytest

        os.chdir(PROGRAM.parent)
        named = ["tests/soak" if word == "soak" else word for word in arguments[1:]]
        return int(pytest.main(named or on_all_cores()))
    if verb in VERBS:
        prepare(PROGRAM, arguments, "offscreen" if verb in ("run", "figures") else "nothing")
        from engine.session.commands import main as command

        return command(arguments, draw)
    allowed = ", ".join((*VERBS, "--test", "--version", "--help", "FILE.descent.json"))
    return fail(f"Unknown command {verb!r}. Allowed: {allowed}.")


def on_all_cores() -> "list[str]":
    """What spreads the whole suite over the cores, where the package for it is there."""
    from importlib.util import find_spec

    return ["-n", "auto", "--maxprocesses", "4", "--dist", "worksteal"] if find_spec("xdist") else []


def load_torch_first() -> None:
    """On Windows torch must load before Qt (else WinError 1114). The one place that knows this."""
    if sys.platform == "win32":
        import torch  # noqa: F401


def draw(*run: object) -> None:
    """Draw a run offscreen; loads Qt only when there is something to draw."""
    from gui.pictures import draw as picture

    picture(*run)  # type: ignore[arg-type]


def fail(line: str) -> int:
    """Say what is wrong with the command, in one line; returns the exit status for that."""
    print(line, file=sys.stderr)
    return 2


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        print("Interrupted.", file=sys.stderr)
        sys.exit(130)
