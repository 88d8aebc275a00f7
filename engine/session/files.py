"""Experiment files: one small JSON that reproduces a run. Written atomically, read strictly."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.atomic import FileError, write_atomic
from engine.experiment import Experiment
from engine.experiments import load
from engine.session.branches import Event, SessionView
from engine.session.session import MOST_BRANCHES, Session
from engine.spec import Spec, SpecError, changed, declarations, echo, shorten, validate, value_of

FORMAT = "descent-lab"
VERSION = 1
LARGEST = 4 * 2**20  # bytes; an experiment file is a few kilobytes
DEEPEST = 16  # levels of brackets; an experiment file has six
MOST_EVENTS = 20_000  # live changes of all branches together
SUFFIX = ".descent.json"


@dataclass(frozen=True)
class SavedBranch:
    """A branch as a file keeps it: how far it was run, and the live events that made it."""

    name: str
    parent: int | None
    fork: int
    steps: int
    events: tuple[Event, ...]


@dataclass(frozen=True)
class Saved:
    """What an experiment file holds: settings, branches, and where the run stood."""

    experiment: str
    spec: Spec
    branches: tuple[SavedBranch, ...]
    current: int = 0
    step: int = 0


def write_text(path: Path, words: str, *, sync: bool = True) -> None:
    """Write a text as UTF-8, atomically; `sync` as in `write_atomic`."""
    write_atomic(path, lambda stream: stream.write(words.encode()), sync=sync)


def saved(view: SessionView) -> Saved:
    """What a file keeps of a session."""
    branches = tuple(SavedBranch(b.name, b.parent, b.fork, b.frontier, b.events) for b in view.branches)
    return Saved(view.experiment, view.spec, branches, view.current, view.step)


def to_json(document: Saved, *, compact: bool = False) -> str:
    """The text of an experiment file; `compact`, in one line, it is made several times sooner."""
    body = {
        "format": FORMAT,
        "version": VERSION,
        "experiment": document.experiment,
        "settings": document.spec.model_dump(mode="json"),
        "branches": [
            {
                "name": b.name,
                "parent": b.parent,
                "fork": b.fork,
                "steps": b.steps,
                "events": [{"step": e.step, "key": e.key, "value": e.value} for e in b.events],
            }
            for b in document.branches
        ],
        "current": document.current,
        "step": document.step,
    }
    return json.dumps(body, indent=None if compact else 1, allow_nan=False) + "\n"


def read(path: Path) -> Saved:
    """Read an experiment file. Raises FileError of one line."""
    path = Path(path)
    named = shorten(str(path), 200)
    try:
        if not path.is_file():
            raise FileError(f"{named}: {'not a file' if path.exists() else 'no such file'}")
        if path.stat().st_size > LARGEST:
            raise FileError(f"{named}: larger than {LARGEST // 2**20} MiB; no experiment file is")
        words = path.read_bytes().decode("utf-8-sig")  # some editors put a mark at the beginning
    except UnicodeDecodeError:
        raise FileError(f"{named}: not a text file (UTF-8)") from None
    except OSError as error:
        raise FileError(f"{named}: cannot be read ({error.strerror or error})") from None
    try:
        return from_json(words)
    except SpecError as error:
        raise FileError(f"{named}: {error}") from None


def from_json(words: str) -> Saved:
    """An experiment file's text, checked. Raises SpecError of one line."""
    body = _parse(words)
    _keys(body, "file", {"format", "version", "experiment", "settings"}, {"branches", "current", "step"})
    if body["format"] != FORMAT:
        raise SpecError("format", f"{echo(body['format'])} is not allowed; give {FORMAT!r}")
    version = _whole(body, "version", 1)
    if version > VERSION:
        raise SpecError("version", f"{version} is newer than this app knows ({VERSION}); update the app to open it")
    if not isinstance(body["experiment"], str):
        raise SpecError("experiment", f"{echo(body['experiment'])} is not allowed; give an experiment's id")
    experiment = load(body["experiment"])
    spec = validate(experiment.Spec, body["settings"], strict=True)
    experiment.check(spec)
    raw = body.get("branches", [{"name": "main", "parent": None, "fork": 0, "steps": 0, "events": []}])
    if not isinstance(raw, list) or not 1 <= len(raw) <= MOST_BRANCHES:
        raise SpecError("branches", f"{echo(raw)} is not allowed; give a list of 1 to {MOST_BRANCHES} branches")
    live = {d.key for d in declarations(spec) if d.live}
    branches: list[SavedBranch] = []
    for i, entry in enumerate(raw):
        branch = _branch(entry, i, spec, live, branches)
        _possible(branch, f"branch {i}", experiment, spec, branches)
        branches.append(branch)
        if sum(len(b.events) for b in branches) > MOST_EVENTS:
            raise SpecError("events", f"more than {MOST_EVENTS} live changes are not allowed in one file")
    current = _whole(body, "current", 0, len(branches) - 1, default=0)
    step = _whole(body, "step", 0, branches[current].steps, default=0)
    return Saved(experiment.id, spec, tuple(branches), current, step)


def _parse(words: str) -> dict[str, Any]:
    def refuse(token: str) -> Any:
        raise SpecError("file", f"{token} is not allowed; numbers must be finite")

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        seen = dict(pairs)
        if len(seen) < len(pairs):
            keys = [key for key, _ in pairs]
            twice = next(key for key in keys if keys.count(key) > 1)
            raise SpecError(echo(twice, quotes=False), "stands twice in the file")
        return seen

    try:
        body = json.loads(words, parse_constant=refuse, object_pairs_hook=once)
    except json.JSONDecodeError as error:
        raise SpecError("file", f"not an experiment file ({error.msg} at line {error.lineno})") from None
    except RecursionError:
        raise SpecError("file", "not an experiment file (nested too deeply)") from None
    except ValueError as error:
        if isinstance(error, SpecError):
            raise
        raise SpecError("file", "not an experiment file (a number is too long)") from None
    if not isinstance(body, dict):
        raise SpecError("file", "not an experiment file (an object is wanted)")
    level: list[Any] = [body]
    for _ in range(DEEPEST):
        level = [inner for outer in level for inner in (outer.values() if isinstance(outer, dict) else outer)]
        level = [inner for inner in level if isinstance(inner, (dict, list))]
    if level:
        raise SpecError("file", "not an experiment file (nested too deeply)")
    return body


def _keys(body: dict[str, Any], what: str, needed: set[str], optional: set[str]) -> None:
    for key in body:
        if key not in needed | optional:
            known = ", ".join(sorted(needed | optional))
            raise SpecError(echo(key, quotes=False), f"no such key in the {what}; known: {known}")
    for key in sorted(needed):
        if key not in body:
            raise SpecError(key, f"missing in the {what}")


def _whole(
    body: dict[str, Any], key: str, low: int, high: int = 10**12, default: int | None = None, what: str = ""
) -> int:
    value = body.get(key, default)
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        place = f"{what}: {key}" if what else key
        raise SpecError(place, f"{echo(value)} is not allowed; give a whole number from {low} to {high}")
    return value


def _branch(entry: Any, index: int, spec: Spec, live: set[str], earlier: list[SavedBranch]) -> SavedBranch:
    what = f"branch {index}"
    if not isinstance(entry, dict):
        raise SpecError(what, f"{echo(entry)} is not allowed; give an object")
    _keys(entry, what, {"name", "parent", "fork", "steps", "events"}, set())
    if not isinstance(entry["name"], str) or not 0 < len(entry["name"]) <= 200:
        raise SpecError(f"{what}: name", f"{echo(entry['name'])} is not allowed; give a text of 1 to 200 characters")
    if index == 0:
        if entry["parent"] is not None:
            raise SpecError(f"{what}: parent", f"{echo(entry['parent'])} is not allowed; give null")
        parent = None
        reach = 0
    else:
        parent = _whole(entry, "parent", 0, index - 1, what=what)
        reach = earlier[parent].steps
    fork = _whole(entry, "fork", 0, reach, what=what)
    steps = _whole(entry, "steps", fork, what=what)
    raw = entry["events"]
    if not isinstance(raw, list) or len(raw) > MOST_EVENTS:
        raise SpecError(f"{what}: events", f"{echo(raw)} is not allowed; give a list of live changes")
    return SavedBranch(entry["name"], parent, fork, steps, tuple(_event(e, what, spec, live) for e in raw))


def _possible(branch: SavedBranch, what: str, experiment: Experiment, spec: Spec, earlier: list[SavedBranch]) -> None:
    """Refuse a branch that no run can have made. (Where it ends early, only running it can tell.)"""
    seen: set[tuple[int, str]] = set()
    last, reach, now = 0, experiment.steps(spec), spec
    for event in branch.events:
        if event.step < last or (event.step, event.key) in seen:
            raise SpecError(f"{what}: events", f"step {event.step} of {event.key} is out of order or stands twice")
        seen.add((event.step, event.key))
        last = event.step
        now = changed(now, event.key, event.value)
        experiment.check(now)
        if event.step <= reach:
            reach = max(event.step, experiment.steps(now))
    if branch.steps > reach:
        most = f"these settings run {reach} steps at the most"
        raise SpecError(f"{what}: steps", f"{branch.steps} is not allowed; {most}")
    if branch.parent is not None:
        inherited, own = (
            [e for e in events if e.step < branch.fork] for events in (earlier[branch.parent].events, branch.events)
        )
        if inherited != own:
            raise SpecError(f"{what}: events", f"those before step {branch.fork}, where it forks, are not its parent's")


def _event(entry: Any, what: str, spec: Spec, live: set[str]) -> Event:
    if not isinstance(entry, dict):
        raise SpecError(f"{what}: events", f"{echo(entry)} is not allowed; give an object")
    _keys(entry, f"events of {what}", {"step", "key", "value"}, set())
    key = entry["key"]
    if not isinstance(key, str) or key not in live:
        raise SpecError(f"{what}: events", f"{echo(key)} cannot change during a run")
    value = value_of(changed(spec, key, entry["value"], strict=True), key)
    return Event(_whole(entry, "step", 0, what=f"events of {what}"), key, value)


def rebuild(document: Saved, seconds: float = 0.2) -> Iterator[Session]:
    """Run a saved experiment again, branch by branch, exactly. Yields the session about every `seconds`, so that the
    caller can show progress or give up; after the last yield it stands where the file says. Raises SpecError where
    the run ends before a branch of the file begins."""
    first = document.branches[0]
    session = Session(load(document.experiment), document.spec, first.events)
    for index, branch in enumerate(document.branches):
        if index:
            assert branch.parent is not None
            session.switch(branch.parent)
            session.seek(branch.fork)
            if session.step < branch.fork:
                raise SpecError(
                    f"branch {index}: fork",
                    f"{branch.fork} is not allowed; the run it leaves ends at step {session.step}",
                )
            session.fork(branch.name)
            session.set_events(branch.events)
        else:
            session.branch.name = branch.name
        while session.step < branch.steps and session.advance(branch.steps - session.step, seconds):
            yield session
    session.switch(document.current)
    session.seek(document.step)
    yield session
