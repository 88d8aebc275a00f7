"""The command line's verbs: list, run, code. The same engine, without a window.

Pictures are made by whoever calls: `main` takes a function that draws a finished run.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NoReturn

from engine.atomic import FileError, reason
from engine.experiment import Drawn, Experiment
from engine.experiments import everything, load
from engine.session.branches import Event
from engine.session.files import read, write_text
from engine.session.presets import figures, preset_spec, preset_values, presets
from engine.session.results import write_run
from engine.session.session import Session
from engine.spec import Spec, SpecError, build, declarations, echo, flat, read_text, shorten, unknown, value_of

Picture = Callable[[Session, Path, Drawn | None], None]
"""Draws a run: `path` without an ending becomes path.png and path.svg; with a chapter figure laid over it."""


class _Usage(Exception):
    pass


class _Parser(argparse.ArgumentParser):
    """argparse, but an error is one line, and options are never guessed at."""

    def __init__(self, verb: str, description: str) -> None:
        super().__init__(f"main.py {verb}", description=description, allow_abbrev=False)

    def error(self, message: str) -> NoReturn:
        raise _Usage(f"{shorten(message, 200)}; see 'python {self.prog} --help'")


def main(arguments: Sequence[str], picture: Picture | None = None) -> int:
    """Run one verb. Returns the exit status: 0, 1 where a run failed, 2 for bad input, each told in one line, 130 when
    interrupted."""
    verbs = {"list": _list, "run": _run, "code": _code, "figures": _figures}
    try:
        if not arguments or arguments[0] not in verbs:
            raise unknown(arguments[0] if arguments else "", verbs, "command")
        status = verbs[arguments[0]](list(arguments[1:]), picture)
        sys.stdout.flush()
        return status
    except (_Usage, SpecError, FileError) as error:
        print(f"descent-lab: {error}", file=sys.stderr)
        return 2
    except BrokenPipeError:  # the reader has seen enough; without this the flush at exit would complain
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        print("descent-lab: interrupted", file=sys.stderr)
        return 130


def _list(rest: list[str], picture: Picture | None) -> int:
    parser = _Parser("list", description="Every experiment: id, tab, chapter section, title.")
    parser.add_argument("--json", action="store_true", help="also every field and preset")
    asked = parser.parse_args(rest)
    if asked.json:
        print(json.dumps([describe(experiment) for experiment in everything()], indent=1))
        return 0
    for experiment in everything():
        tab = experiment.id.partition(".")[0].capitalize()
        print(f"{experiment.id:32} {tab:15} {experiment.section:8} {experiment.title}")
    return 0


def describe(experiment: Experiment) -> dict[str, Any]:
    """An experiment as `list --json` tells it."""
    fields = []
    for d in declarations(experiment.Spec):
        entry: dict[str, Any] = {"name": d.key, "type": d.kind, "title": d.title, "default": d.default}
        if d.low is not None and d.kind != "text":
            entry["range"] = [d.low, d.high]
        if d.choices:
            entry["choices"] = list(d.choices)
        fields.append(entry | {"unit": d.unit, "help": d.help, "live": d.live, "allowed": d.allowed})
    return {
        "id": experiment.id,
        "tab": experiment.id.partition(".")[0],
        "section": experiment.section,
        "title": experiment.title,
        "summary": experiment.summary,
        "columns": ["step", "series", *experiment.columns],
        "fields": fields,
        "presets": [{"name": p.name, "title": p.title, "good": p.good, "why": p.why} for p in presets(experiment.id)],
    }


def _settings_parser(name: str, description: str) -> _Parser:
    parser = _Parser(name, description=description)
    parser.add_argument("id", help="the experiment, as 'list' names it")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", dest="settings")
    parser.add_argument("--preset", metavar="NAME", help="begin from a preset")
    parser.add_argument("--file", type=Path, metavar="X.json", help="begin from an experiment file")
    parser.add_argument("--steps", metavar="N", help="how many steps to run")
    return parser


def configure(asked: argparse.Namespace) -> tuple[Experiment, Spec, tuple[Event, ...]]:
    """The experiment, its settings and live events, from --preset, --file, --set and --steps in that order."""
    experiment = load(asked.id)
    known = {d.key: d for d in declarations(experiment.Spec)}
    values: dict[str, Any] = {}
    events: tuple[Event, ...] = ()
    if asked.preset is not None:
        values |= preset_values(experiment.id, asked.preset)
    if asked.file:
        document = read(asked.file)
        if document.experiment != experiment.id:
            raise SpecError("--file", f"{asked.file} is of {document.experiment}, not of {experiment.id}")
        values |= flat(document.spec)
        events = document.branches[document.current].events
    pairs = list(asked.settings)
    if asked.steps is not None:  # said here, it holds whatever the file changed during its run
        length = experiment.steps_key
        if not length:
            raise SpecError("--steps", f"{experiment.id} has as many {experiment.unit}s as its other settings make")
        pairs.append(f"{length}={asked.steps}")
        events = tuple(e for e in events if e.key != length)
    for pair in pairs:
        key, equals, words = pair.partition("=")
        key = key.strip()
        if not equals:
            raise SpecError("--set", f"{echo(pair)} is not allowed; give KEY=VALUE")
        if key not in known:
            raise unknown(key, known, "setting")
        values[key] = read_text(known[key], words)
    spec = build(experiment.Spec, values)
    if asked.steps is not None:
        for key, meant in (known[experiment.steps_key].shown_when or {}).items():
            here = value_of(spec, key)
            if here not in meant:
                words = f"it counts where {key} is {' or '.join(map(str, meant))}"
                raise SpecError("--steps", f"{echo(asked.steps)} is not allowed where {key} is {here}; {words}")
    experiment.check(spec)
    return experiment, spec, events


def _run(rest: list[str], picture: Picture | None) -> int:
    parser = _settings_parser("run", "Run an experiment without a window and write what it measured.")
    parser.add_argument("--out", type=Path, metavar="DIR", help="where to write (default: a folder named as the id)")
    asked = parser.parse_args(rest)
    experiment, spec, events = configure(asked)
    folder = asked.out or Path(experiment.id)
    session = Session(experiment, spec, events, budget=None)
    _make(folder)  # before the run, which may take long
    interrupted = advance(session)
    told = write_run(session, folder, "stopped" if interrupted and session.finish is None else None)
    if picture is not None:
        picture(session, folder / "figure", None)
    print(f"{experiment.id}: {told['finish']} at {experiment.unit} {told['step']}; written to {folder}")
    shown = experiment.loss if measures(session, experiment.loss) else ""
    for name, entry in told["series"].items():
        measured = f" {shown} {entry[shown]}" if shown else ""
        print(f"  {name:12} {entry['finish']:9} {experiment.unit} {entry['step']:<8}{measured}".rstrip())
    if session.branch.endings and told["finish"] == "failed":  # the settings cannot be: the experiment told why
        print(f"descent-lab: {told['reason']}", file=sys.stderr)
        return 2
    return 130 if interrupted else 1 if told["finish"] == "failed" else 0


def measures(session: Session, column: str) -> bool:
    """Whether this run has any value of a column: one study of an experiment may measure what another does not."""
    found = session.view().branch.history.values.get(column)
    return found is not None and bool((found == found).any())


def _make(folder: Path) -> None:
    """Make a folder, or say why it cannot be written to."""
    named = shorten(str(folder), 200)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SpecError("--out", f"{named} cannot be made ({reason(error)}); give a folder") from None
    if not os.access(folder, os.W_OK | os.X_OK):
        raise SpecError("--out", f"{named} cannot be written to; give another folder")


def advance(session: Session) -> bool:
    """Run a session to its end with a progress bar on stderr. Returns whether it was interrupted.

    Where the experiment fails, that is told in one line and the session's finish is `failed`.
    """
    bar = sys.stderr.isatty()
    began = shown = time.monotonic()
    told = False
    try:
        while session.finish is None and session.advance(session.steps - session.step, 0.1):
            now = time.monotonic()
            left = (session.steps - session.step) / session.rate
            if not told and now - began > 2.0:  # by then the kernels are there, and the rate is a run's own
                told = True
                if now - began + left > 10:
                    size = session.memory() / 2**20
                    print(
                        f"about {now - began + left:.0f} s and {size:.0f} MiB for {session.steps} steps",
                        file=sys.stderr,
                    )
            if bar and now - shown > 0.1:
                shown = now
                filled = round(30 * session.step / session.steps)
                bars = "#" * filled + "." * (30 - filled)
                told_so_far = f"\r[{bars}] step {session.step} of {session.steps}, {left:.0f} s left "
                print(told_so_far, end="", file=sys.stderr, flush=True)
    except KeyboardInterrupt:
        session.seek(session.branch.frontier)
        return True
    except Exception:
        if session.branch.finish != "failed":
            raise
        print(f"descent-lab: {session.branch.reason}", file=sys.stderr)
    finally:
        if bar:
            print("\r" + " " * 78 + "\r", end="", file=sys.stderr)
        else:
            print(f"step {session.step} of {session.steps}: {session.finish or 'stopped'}", file=sys.stderr)
    return False


def _code(rest: list[str], picture: Picture | None) -> int:
    parser = _settings_parser("code", "Write a PyTorch script that repeats a run and asserts its end.")
    parser.add_argument("-o", type=Path, metavar="FILE", dest="output", help="where to write (default: the screen)")
    asked = parser.parse_args(rest)
    experiment, spec, events = configure(asked)
    if asked.output:
        _make(asked.output.parent)
    session = Session(experiment, spec, events, budget=2**20)
    if advance(session):
        raise KeyboardInterrupt
    if session.branch.finish == "failed":
        if session.branch.endings:
            print(f"descent-lab: {session.branch.reason}", file=sys.stderr)
        return 2 if session.branch.endings else 1
    words = script(session)
    if asked.output:
        write_text(asked.output, words)
        print(f"written to {asked.output}")
    else:
        sys.stdout.write(words)
    return 0


def _figures(rest: list[str], picture: Picture | None) -> int:
    parser = _Parser("figures", description="Every chapter figure: what the chapter draws beside what is measured.")
    parser.add_argument("--out", type=Path, metavar="DIR", default=Path("figures"), help="where to write")
    asked = parser.parse_args(rest)
    if picture is None:
        raise SpecError("figures", "no picture can be drawn here")
    for experiment in everything():
        for name in figures(experiment.id):
            session = Session(experiment, preset_spec(experiment, name))
            advance(session)
            for drawn in experiment.drawn(session.spec, session.view()):
                if drawn.overlays:
                    path = asked.out / f"{drawn.section}-{experiment.id}-{name}"
                    picture(session, path, drawn)
                    print(f"{drawn.section} {drawn.title}: {drawn.verdict} ({path}.png, .svg)")
    return 0


def script(session: Session) -> str:
    """The PyTorch script of a session's branch up to the step where it stands."""
    events = [e for e in session.branch.events if e.step < session.step]
    return session.experiment.script(session.spec, events, session.step, session.state)
