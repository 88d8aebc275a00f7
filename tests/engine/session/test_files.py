"""Experiment files: what goes out comes back, and nothing that comes in can hurt."""

from __future__ import annotations

import copy
import json
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.atomic import FileError, write_atomic
from engine.experiments import load
from engine.session.branches import Event
from engine.session.files import Saved, from_json, read, rebuild, saved, to_json, write_text
from engine.session.session import MOST_BRANCHES, Session
from engine.session.snapshots import digest
from engine.spec import SpecError, build

DESCENT: Any = load("landscapes.descent")


def branched() -> Session:
    """A run with three branches, live changes and a raised number of steps, standing in the middle."""
    spec = build(DESCENT.Spec, {"optimizers": ("sgd", "adam", "bfgs"), "noise": 0.2, "steps": 40, "surface": "beale"})
    one = Session(DESCENT, spec)
    one.advance(10)
    one.set_live("learning_rate", 0.002)
    one.advance(40)
    one.set_live("steps", 55)
    one.advance(40)
    one.seek(20)
    one.set_live("adam.beta1", 0.5)
    one.advance(40)
    one.set_live("steps", 60)
    one.advance(9)
    one.seek(5)
    one.fork("from branch 1")
    one.set_live("noise", 0.0)
    one.advance(7)
    one.switch(1)
    one.seek(33)
    return one


def last(document: Saved) -> Session:
    """The session that a file makes."""
    *_, session = rebuild(document, 0.001)
    return session


def test_a_run_comes_back_bit_for_bit(tmp_path: Path) -> None:
    one = branched()
    path = tmp_path / "run.descent.json"
    write_text(path, to_json(saved(one.view())))
    document = read(path)
    assert document == saved(one.view())
    again = last(document)
    assert saved(again.view()) == document
    assert (again.current, again.step) == (1, 33)
    assert digest([again.state, again.row]) == digest([one.state, one.row])
    for mine, theirs in zip(one.branches, again.branches, strict=True):
        assert (mine.name, mine.parent, mine.fork, mine.frontier) == (
            theirs.name, theirs.parent, theirs.fork, theirs.frontier,
        )  # fmt: skip
        assert (mine.finish, mine.reason, mine.endings) == (theirs.finish, theirs.reason, theirs.endings)
        a, b = mine.history.view(), theirs.history.view()
        assert digest([a.steps, dict(a.values)]) == digest([b.steps, dict(b.values)])


def test_settings_alone_are_enough() -> None:
    body = {"format": "descent-lab", "version": 1, "experiment": "landscapes.descent", "settings": {"steps": 7}}
    session = last(from_json(json.dumps(body)))
    assert session.step == 0 and session.steps == 7


def test_steps_raised_where_a_branch_forks_are_run_again() -> None:
    one = Session(DESCENT, build(DESCENT.Spec, {"steps": 10}))
    one.advance(10)
    one.fork("longer")
    one.set_live("steps", 15)
    one.advance(15)
    again = last(from_json(to_json(saved(one.view()))))
    assert again.step == 15 and digest(again.state) == digest(one.state)


def test_opening_can_be_given_up() -> None:
    body = json.loads(to_json(saved(Session(DESCENT, DESCENT.Spec()).view())))
    body["settings"]["steps"] = body["branches"][0]["steps"] = 1_000_000_000
    session = next(rebuild(from_json(json.dumps(body)), 0.001))
    assert 0 < session.step < 1_000_000_000


def test_a_branch_that_this_run_does_not_reach_is_refused() -> None:
    """The file says sgd at rate 1 ran 400 steps; here it diverges after a few."""
    one = Session(DESCENT, build(DESCENT.Spec, {"optimizers": ("sgd",), "learning_rate": 1.0}))
    body = json.loads(to_json(saved(one.view())))
    body["branches"][0]["steps"] = 400
    assert last(from_json(json.dumps(body))).branch.finish == "diverged"
    body["branches"].append({"name": "b", "parent": 0, "fork": 300, "steps": 310, "events": []})
    with pytest.raises(SpecError, match=r"branch 1: fork: 300 is not allowed; .* ends at step"):
        last(from_json(json.dumps(body)))


GOOD: dict[str, Any] = json.loads(to_json(saved(branched().view())))


def at(body: Any, *path: Any) -> Any:
    """What stands at a place in a file."""
    for part in path:
        body = body[part]
    return body


def put(*path: Any, value: Any) -> Callable[[dict[str, Any]], None]:
    """Put a value at a place."""

    def change(body: dict[str, Any]) -> None:
        at(body, *path[:-1])[path[-1]] = value

    return change


def drop(*path: Any) -> Callable[[dict[str, Any]], None]:
    """Take a key away."""

    def change(body: dict[str, Any]) -> None:
        del at(body, *path[:-1])[path[-1]]

    return change


def event(step: Any = 3, key: Any = "noise", value: Any = 0.5) -> dict[str, Any]:
    """A live change as a file has it."""
    return {"step": step, "key": key, "value": value}


BAD: list[tuple[str, Callable[[dict[str, Any]], None], tuple[str, ...]]] = [
    ("format", put("format", value="other"), ("format", "'other'", "descent-lab")),
    ("newer", put("version", value=2), ("version", "2", "newer", "update")),
    ("version 0", put("version", value=0), ("version", "0")),
    ("version true", put("version", value=True), ("version", "True")),
    ("version float", put("version", value=1.0), ("version", "1.0")),
    ("unknown key", put("extra", value=1), ("extra", "no such key", "settings")),
    ("missing key", drop("settings"), ("settings", "missing")),
    ("experiment", put("experiment", value="landscapes.descend"), ("landscapes.descend", "landscapes.descent")),
    ("experiment number", put("experiment", value=3), ("experiment", "3")),
    ("experiment path", put("experiment", value="../../x"), ("no such experiment",)),
    ("settings list", put("settings", value=[]), ()),
    ("unknown setting", put("settings", "rate", value=1), ("rate", "no such setting")),
    ("wrong setting", put("settings", "learning_rate", value="fast"), ("learning_rate", "'fast'", "a number from")),
    ("text for a number", put("settings", "learning_rate", value="0.1"), ("learning_rate", "'0.1'")),
    ("huge number", put("settings", "learning_rate", value=10**4000), ("learning_rate", "a number from")),
    ("huge steps", put("settings", "steps", value=10**30), ("steps", "a whole number from 1 to 1e+09")),
    ("nested setting", put("settings", "adam", "beta1", value=1), ("adam.beta1", "0.999999")),
    ("formula", lambda b: b["settings"].update(surface="custom", formula="__import__('os')"), ("formula",)),
    ("surrogate", put("settings", "formula", value="\ud800"), ()),
    ("no branch", put("branches", value=[]), ("branches", f"1 to {MOST_BRANCHES}")),
    ("branches text", put("branches", value="main"), ("branches", "'main'")),
    ("many branches", lambda b: b["branches"].extend(b["branches"][1:] * 12), ("branches", f"1 to {MOST_BRANCHES}")),
    ("branch number", put("branches", 1, value=1), ("branch 1", "an object")),
    ("branch key", put("branches", 1, "colour", value="red"), ("colour", "branch 1")),
    ("branch key missing", drop("branches", 1, "fork"), ("fork", "missing in the branch 1")),
    ("name", put("branches", 1, "name", value=""), ("branch 1: name",)),
    ("name number", put("branches", 1, "name", value=1), ("branch 1: name", "1")),
    ("main with parent", put("branches", 0, "parent", value=0), ("branch 0: parent", "null")),
    ("own parent", put("branches", 1, "parent", value=1), ("branch 1: parent", "from 0 to 0")),
    ("no parent", put("branches", 1, "parent", value=None), ("branch 1: parent", "None")),
    ("main forks", put("branches", 0, "fork", value=3), ("branch 0: fork", "from 0 to 0")),
    ("fork too late", put("branches", 1, "fork", value=56), ("branch 1: fork", "56", "from 0 to 55")),
    ("fork negative", put("branches", 1, "fork", value=-1), ("branch 1: fork", "-1")),
    ("steps before fork", put("branches", 1, "steps", value=3), ("branch 1: steps", "3", "from 20")),
    ("too many steps", put("branches", 0, "steps", value=56), ("branch 0: steps", "56", "55 steps at the most")),
    ("too many in a branch", put("branches", 1, "steps", value=61), ("branch 1: steps", "61", "60 steps")),
    ("huge branch", put("branches", 0, "steps", value=10**11), ("branch 0: steps", "55 steps")),
    ("events object", put("branches", 0, "events", value={}), ("branch 0: events", "a list")),
    ("event number", put("branches", 0, "events", value=[1]), ("branch 0: events", "an object")),
    ("event key", put("branches", 0, "events", 0, "why", value=1), ("why", "events of branch 0")),
    ("event not live", put("branches", 0, "events", value=[event(key="surface")]), ("'surface'", "cannot")),
    ("event unknown", put("branches", 0, "events", value=[event(key="x")]), ("'x'", "cannot")),
    ("event list", put("branches", 0, "events", value=[event(key=[])]), ("[]", "cannot")),
    ("event value", put("branches", 0, "events", value=[event(value=-1)]), ("noise", "-1", "a number from 0")),
    ("event text", put("branches", 0, "events", value=[event(value="0.1")]), ("noise", "'0.1'")),
    ("event infinite", put("branches", 0, "events", value=[event(value=1e999)]), ("Infinity",)),
    ("event step", put("branches", 0, "events", value=[event(step=-1)]), ("step", "-1")),
    ("event step float", put("branches", 0, "events", value=[event(step=1.0)]), ("step", "1.0")),
    ("unsorted", put("branches", 0, "events", value=[event(5), event(4)]), ("branch 0", "step 4 of noise")),
    ("twice", put("branches", 0, "events", value=[event(5), event(5)]), ("branch 0", "step 5 of noise", "twice")),
    ("not the parent's", drop("branches", 1, "events", 0), ("branch 1: events", "before step 20", "parent")),
    ("current", put("current", value=3), ("current", "3", "from 0 to 2")),
    ("step", put("step", value=50), ("step", "50", "from 0 to 49")),
]  # fmt: skip


def test_the_good_one_is_good() -> None:
    assert len(GOOD["branches"]) == 3 and [b["steps"] for b in GOOD["branches"]] == [55, 49, 12]
    assert GOOD["branches"][2]["parent"] == 1 and GOOD["branches"][2]["fork"] == 5
    from_json(json.dumps(GOOD))


@pytest.mark.parametrize(("change", "parts"), [case[1:] for case in BAD], ids=[case[0] for case in BAD])
def test_a_bad_file_is_refused_in_one_line(
    change: Callable[[dict[str, Any]], None], parts: tuple[str, ...], tmp_path: Path
) -> None:
    body = copy.deepcopy(GOOD)
    change(body)
    path = tmp_path / "bad.descent.json"
    path.write_text(json.dumps(body))
    with pytest.raises(FileError) as told:
        read(path)
    line = str(told.value)
    assert line.startswith(str(path)) and len(line.splitlines()) == 1 and len(line) < 600
    assert all(part in line for part in parts), line


WORDS: list[tuple[str, str, str]] = [
    ("empty", "", "line 1"),
    ("no JSON", "hello", "not an experiment file"),
    ("a number", "3", "an object"),
    ("nan", json.dumps(GOOD).replace('"noise": 0.2', '"noise": NaN', 1), "NaN"),
    ("infinite", json.dumps(GOOD).replace('"noise": 0.2', '"noise": -Infinity', 1), "-Infinity"),
    ("too large", json.dumps(GOOD).replace('"noise": 0.2', '"noise": 1e999', 1), "noise"),
    ("twice", json.dumps(GOOD).replace('"version"', '"format": 1, "version"', 1), "format: stands twice"),
    ("long number", json.dumps(GOOD).replace('"version": 1', f'"version": {"9" * 5000}', 1), "too long"),
    ("deep", "[" * 100_000, "deep"),
    ("deep object", '{"settings": ' * 100_000, "deep"),
    ("deep inside", json.dumps(GOOD).replace('"noise": 0.2', '"noise": ' + "[" * 900 + "]" * 900, 1), "deep"),
    ("somewhat deep", json.dumps(GOOD).replace('"noise": 0.2', '"noise": ' + "[" * 5 + "]" * 5, 1), "noise"),
]


@pytest.mark.parametrize(("words", "part"), [case[1:] for case in WORDS], ids=[case[0] for case in WORDS])
def test_a_bad_text_is_refused_in_one_line(words: str, part: str) -> None:
    with pytest.raises(SpecError) as told:
        from_json(words)
    assert part in str(told.value) and len(str(told.value).splitlines()) == 1 and len(str(told.value)) < 400


@pytest.mark.parametrize("depth", range(100, 1100, 9))
def test_no_depth_slips_through(depth: int) -> None:
    """Parsing, printing and validating give up at different depths: none of them may be reached."""
    for words in ("[" * depth + "]" * depth, json.dumps(GOOD).replace("0.2", '{"a":' * depth + "1" + "}" * depth, 1)):
        with pytest.raises(SpecError):
            from_json(words)


def test_a_file_cut_short_is_refused_wherever_it_is_cut() -> None:
    words = json.dumps(GOOD)
    for n in range(len(words)):
        with pytest.raises(SpecError) as told:
            from_json(words[:n])
        assert len(str(told.value).splitlines()) == 1


def survives(path: Path) -> None:
    """Reading gives a document that can be written and read again, or one line."""
    try:
        document = read(path)
    except FileError as error:
        assert len(str(error).splitlines()) == 1
    else:
        assert from_json(to_json(document)) == document


@settings(max_examples=300)
@given(st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 255)), min_size=1, max_size=4))
def test_flipped_bytes_never_break_the_reader(flips: list[tuple[int, int]]) -> None:
    import tempfile

    content = bytearray(json.dumps(GOOD).encode())
    for place, value in flips:
        content[place % len(content)] = value
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "x.descent.json")
        path.write_bytes(bytes(content))
        survives(path)


JSON = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(), st.integers(10**15, 10**320), st.floats(allow_nan=False), st.text()
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=5), inner, max_size=3)),
    max_leaves=6,
)


def places(body: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in a file."""
    inner = body.items() if isinstance(body, dict) else enumerate(body) if isinstance(body, list) else ()
    return [(*path, key) for key, _ in inner] + [p for key, value in inner for p in places(value, (*path, key))]


@settings(max_examples=300)
@given(st.sampled_from(places(GOOD)), JSON)
def test_any_value_at_any_place_is_read_or_refused(path: tuple[Any, ...], value: Any) -> None:
    body = copy.deepcopy(GOOD)
    at(body, *path[:-1])[path[-1]] = value
    try:
        words = json.dumps(body)
    except ValueError:  # more digits than Python writes
        return
    try:
        document = from_json(words)
    except SpecError as error:
        assert len(str(error).splitlines()) == 1
    else:
        assert from_json(to_json(document)) == document


def test_paths_that_are_no_files(tmp_path: Path) -> None:
    long = tmp_path / ("x" * 300)
    for path, part in [(tmp_path / "none", "no such file"), (tmp_path, "not a file"), (long, "no such|cannot be read")]:
        with pytest.raises(FileError, match=part):
            read(path)
    large = tmp_path / "large"
    large.write_bytes(b" " * (4 * 2**20 + 1))
    with pytest.raises(FileError, match="4 MiB"):
        read(large)
    binary = tmp_path / "binary"
    binary.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(FileError, match="UTF-8"):
        read(binary)


def test_many_changes_are_read_in_good_time() -> None:
    """20,000 live changes, and no more."""
    body = copy.deepcopy(GOOD)
    del body["branches"][1:]
    body.update(current=0, step=0)
    body["branches"][0].update(steps=0, events=[event(i, "noise", i / 1e5) for i in range(20_000)])
    assert len(from_json(json.dumps(body)).branches[0].events) == 20_000
    body["branches"][0]["events"].append(event(20_000, "noise", 1.0))
    with pytest.raises(SpecError, match="branch 0: events"):
        from_json(json.dumps(body))


# -- writing -----------------------------------------------------------------------------------------------------------


def test_writing_makes_folders_and_honours_the_umask(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "c.txt"
    before = os.umask(0o027)
    try:
        write_text(path, "größe\n")
    finally:
        os.umask(before)
    assert path.read_bytes() == "größe\n".encode()
    if os.name == "posix":
        assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert [p.name for p in path.parent.iterdir()] == ["c.txt"]


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt, MemoryError])
@pytest.mark.parametrize("old", [None, b"old"])
def test_a_write_that_breaks_off_leaves_the_old_file(
    tmp_path: Path, error: type[BaseException], old: bytes | None
) -> None:
    path = tmp_path / "file"
    if old is not None:
        path.write_bytes(old)

    def write(stream: Any) -> None:
        stream.write(b"half" * 10_000)
        stream.flush()
        raise error

    with pytest.raises(error):
        write_atomic(path, write)
    assert {p.name: p.read_bytes() for p in tmp_path.iterdir()} == ({} if old is None else {"file": old})


def test_a_full_disk_is_told_in_one_line(tmp_path: Path) -> None:
    def write(stream: Any) -> None:
        raise OSError(28, "No space left on device")

    with pytest.raises(FileError, match=r"cannot be written \(the disk is full\)"):
        write_atomic(tmp_path / "file", write)
    assert list(tmp_path.iterdir()) == []


def test_impossible_places_are_told_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"old")
    for path in (tmp_path / "file" / "x", tmp_path, tmp_path / ("x" * 300)):
        with pytest.raises(FileError) as told:
            write_text(path, "new")
        assert "cannot be written" in str(told.value) and len(str(told.value).splitlines()) == 1
    assert (tmp_path / "file").read_bytes() == b"old" and len(list(tmp_path.iterdir())) == 1


@pytest.mark.skipif(os.name != "posix", reason="links and devices")
def test_a_link_is_followed_and_a_device_left_alone(tmp_path: Path) -> None:
    real, link = tmp_path / "real", tmp_path / "link"
    real.write_text("old")
    link.symlink_to(real)
    write_text(link, "new")
    assert link.is_symlink() and real.read_text() == "new"
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(FileError, match="no file"):
        write_text(tmp_path / "pipe", "new")
    assert stat.S_ISFIFO((tmp_path / "pipe").stat().st_mode)


def test_long_names_can_be_written(tmp_path: Path) -> None:
    path = tmp_path / ("n" * 250)
    write_text(path, "x")
    assert path.read_text() == "x"


def test_a_saved_run_begins_with_its_events() -> None:
    one = Session(DESCENT, DESCENT.Spec(), [Event(0, "learning_rate", 0.5)])
    assert from_json(to_json(saved(one.view()))).branches[0].events == (Event(0, "learning_rate", 0.5),)
