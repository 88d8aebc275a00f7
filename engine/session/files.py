"""Experiment files: one small JSON that reproduces a run. Written atomically, read strictly."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from engine.experiments import load
from engine.session.session import Event, Session, SessionView
from engine.spec import Spec, SpecError, declarations, echo, shorten, validate, value_of

FORMAT = "descent-lab"
VERSION = 1
LARGEST = 4 * 2**20  # bytes; an experiment file is a few kilobytes
SUFFIX = ".descent.json"


class FileError(ValueError):
    """A file that cannot be read or written, told in one line."""


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


def write_atomic(path: Path, write: Callable[[IO[bytes]], None]) -> None:
    """Write through a temporary file in the same folder, so that a killed run leaves the old file or the new one."""
    path = Path(path)
    handle, name = -1, ""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
        with os.fdopen(handle, "wb") as stream:
            write(stream)
            stream.flush()
            os.fsync(stream.fileno())
        umask = os.umask(0)
        os.umask(umask)
        os.chmod(name, 0o666 & ~umask)
        os.replace(name, path)
        name = ""
    except OSError as error:
        raise FileError(f"{path}: cannot be written ({error.strerror or error})") from None
    finally:
        if name and os.path.exists(name):
            os.unlink(name)


def write_text(path: Path, words: str) -> None:
    """Write a text as UTF-8, atomically."""
    write_atomic(path, lambda stream: stream.write(words.encode()) and None)


def saved(view: SessionView) -> Saved:
    """What a file keeps of a session."""
    branches = tuple(SavedBranch(b.name, b.parent, b.fork, b.frontier, b.events) for b in view.branches)
    return Saved(view.experiment, view.spec, branches, view.current, view.step)


def to_json(document: Saved) -> str:
    """The text of an experiment file."""
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
    return json.dumps(body, indent=1, allow_nan=False) + "\n"


def read(path: Path) -> Saved:
    """Read an experiment file. Raises FileError of one line."""
    path = Path(path)
    try:
        if not path.is_file():
            raise FileError(f"{path}: no such file")
        if path.stat().st_size > LARGEST:
            raise FileError(f"{path}: larger than {LARGEST // 2**20} MiB; no experiment file is")
        words = path.read_bytes().decode("utf-8")
    except UnicodeDecodeError:
        raise FileError(f"{path}: not a text file (UTF-8)") from None
    except (OSError, ValueError) as error:
        if isinstance(error, FileError):
            raise
        reason = getattr(error, "strerror", None) or error
        raise FileError(f"{shorten(str(path), 200)}: cannot be read ({reason})") from None
    try:
        return from_json(words)
    except SpecError as error:
        raise FileError(f"{path}: {error}") from None


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
    if not isinstance(raw, list) or not 1 <= len(raw) <= 64:
        raise SpecError("branches", f"{echo(raw)} is not allowed; give a list of 1 to 64 branches")
    branches = tuple(_branch(entry, i, spec, raw) for i, entry in enumerate(raw))
    current = _whole(body, "current", 0, len(branches) - 1, default=0)
    step = _whole(body, "step", 0, branches[current].steps, default=0)
    return Saved(experiment.id, spec, branches, current, step)


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
    return body


def _keys(body: dict[str, Any], what: str, needed: set[str], optional: set[str]) -> None:
    for key in body:
        if key not in needed | optional:
            known = ", ".join(sorted(needed | optional))
            raise SpecError(echo(key, quotes=False), f"no such key in the {what}; known: {known}")
    for key in sorted(needed):
        if key not in body:
            raise SpecError(key, f"missing in the {what}")


def _whole(body: dict[str, Any], key: str, low: int, high: int = 10**12, default: int | None = None) -> int:
    value = body.get(key, default)
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise SpecError(key, f"{echo(value)} is not allowed; give a whole number from {low} to {high}")
    return value


def _branch(entry: Any, index: int, spec: Spec, all_branches: list[Any]) -> SavedBranch:
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
        parent = _whole(entry, "parent", 0, index - 1)
        reach = _whole(all_branches[parent], "steps", 0)
    fork = _whole(entry, "fork", 0, reach)
    steps = _whole(entry, "steps", fork)
    if not isinstance(entry["events"], list) or len(entry["events"]) > 100_000:
        raise SpecError(f"{what}: events", f"{echo(entry['events'])} is not allowed; give a list of live changes")
    return SavedBranch(entry["name"], parent, fork, steps, tuple(_event(e, what, spec) for e in entry["events"]))


def _event(entry: Any, what: str, spec: Spec) -> Event:
    if not isinstance(entry, dict):
        raise SpecError(f"{what}: events", f"{echo(entry)} is not allowed; give an object")
    _keys(entry, f"events of {what}", {"step", "key", "value"}, set())
    live = {d.key: d for d in declarations(spec) if d.live}
    key = entry["key"]
    if not isinstance(key, str) or key not in live:
        raise SpecError(echo(key, quotes=False), f"cannot change during a run; live fields: {', '.join(live)}")
    partial: dict[str, Any] = spec.model_dump(mode="json")
    inner = partial
    *path, last = key.split(".")
    for part in path:
        inner = inner[part]
    inner[last] = entry["value"]
    checked = validate(type(spec), partial, strict=True)
    return Event(_whole(entry, "step", 0), key, value_of(checked, key))


def rebuild(document: Saved, seconds: float = 0.2) -> Iterator[Session]:
    """Run a saved experiment again, branch by branch, exactly. Yields the session about every `seconds`, so that the
    caller can show progress or give up; after the last yield it stands where the file says."""
    first = document.branches[0]
    session = Session(load(document.experiment), document.spec, first.events)
    for index, branch in enumerate(document.branches):
        if index:
            assert branch.parent is not None
            session.switch(branch.parent)
            session.seek(branch.fork)
            session.fork(branch.name)
            session.set_events(branch.events)
        else:
            session.branch.name = branch.name
        while session.step < branch.steps and session.advance(branch.steps - session.step, seconds):
            yield session
    session.switch(document.current)
    session.seek(document.step)
    yield session
