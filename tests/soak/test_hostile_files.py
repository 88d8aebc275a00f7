"""Experiment files and tables cut at every length, flipped at every byte, with anything at any place.

Each is read, or refused in one line. DESCENT_THIN leaves out all but every so many of the cuts, flips and places,
DESCENT_ONLY names experiments.
"""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from engine.data.csv import read as read_table
from engine.data.dataset import DataError
from engine.experiments import load
from engine.session.files import VERSION, Saved, from_json, saved, to_json
from engine.session.session import Session
from engine.spec import SpecError, declarations
from tests.soak.hands import seed_in_hand, some_value
from tests.soak.sizes import chosen, stated

THIN = stated("THIN", 1)
BYTES = tuple(b'\x00\x1f\x7f\x80\xff"\\{}[],:-+.09eEnat\n ')  # one of each class that a reader may tell apart
OPENING = "landscapes.descent"
IDS = chosen()


def written(id: str) -> str:
    """The file of a short run with a branch and, where there are live fields, a live change."""
    experiment = load(id)
    session = Session(experiment, experiment.Spec())
    session.advance(3, 2.0)
    session.seek(min(2, session.step))
    session.fork()
    dice = random.Random(1)
    for field in declarations(experiment.Spec):
        if field.live and field.kind in ("float", "int"):
            for _ in range(20):
                try:
                    session.set_live(field.key, some_value(field, dice))
                    break
                except SpecError:
                    continue
            break
    return to_json(saved(session.view()))


def read_or_told(words: str) -> Saved | None:
    """What is read; None where it is refused in one line. Anything else is raised."""
    try:
        document = from_json(words)
    except SpecError as error:
        assert len(str(error).splitlines()) == 1 and len(str(error)) < 600, str(error)
        return None
    assert from_json(to_json(document)) == document
    return document


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("id", IDS)
def test_cut_at_every_length(id: str) -> None:
    words = written(id)
    assert read_or_told(words) is not None
    thin = THIN if id == OPENING else 7 * THIN
    for length in range(0, len(words.rstrip()), thin):
        assert read_or_told(words[:length]) is None, length


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("id", IDS)
def test_flipped_at_every_byte(id: str) -> None:
    content = written(id).encode()
    thin = THIN if id == OPENING else 29 * THIN
    for at in range(0, len(content), thin):
        for byte in BYTES:
            broken = content[:at] + bytes([byte]) + content[at + 1 :]
            try:
                words = broken.decode("utf-8-sig")
            except UnicodeDecodeError:
                continue  # told by `read` before anything else is looked at; see tests/engine/session/test_files.py
            read_or_told(words)


def deep(levels: int) -> Any:
    """Lists in lists."""
    made: Any = 1
    for _ in range(levels):
        made = [made]
    return made


WRONG: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 2**31, 2**63, 10**30, 10**400, 0.0, -0.0, 5e-324, 1e308, -1e308, "", "x", "1", "\x00",
    "\ud800", "a" * 10_000, [], {}, [[]], [None], [1, 2, 3], [[1, 2], [3, 4]], {"a": 1}, {"__class__": "os.system"},
    deep(8), deep(40), deep(400), "__import__('os').system('true')", "{0.__class__}", "%s%n", "../../../x",
)  # fmt: skip


def places(body: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place in a file."""
    inner = body.items() if isinstance(body, dict) else enumerate(body) if isinstance(body, list) else ()
    for key, value in list(inner):
        yield (*path, key)
        yield from places(value, (*path, key))


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("id", IDS)
def test_any_value_at_any_place(id: str) -> None:
    good = json.loads(written(id))
    for path in list(places(good))[:: THIN if id == OPENING else 3 * THIN]:
        body = copy.deepcopy(good)
        holder = body
        for part in path[:-1]:
            holder = holder[part]
        for value in WRONG:
            holder[path[-1]] = value
            read_or_told(json.dumps(body))
        del holder[path[-1]]
        read_or_told(json.dumps(body))
        if isinstance(holder, dict):
            holder["unknown"] = 1
            assert read_or_told(json.dumps(body)) is None


@pytest.mark.parametrize("id", IDS)
def test_a_newer_version_is_told_as_such(id: str) -> None:
    body = json.loads(written(id))
    body["version"] = VERSION + 1
    body["later"] = {"anything": 1}
    with pytest.raises(SpecError) as told:
        from_json(json.dumps(body))
    assert len(str(told.value).splitlines()) == 1
    del body["later"]
    with pytest.raises(SpecError, match="newer"):
        from_json(json.dumps(body))


# -- tables ------------------------------------------------------------------------------------------------------------

TABLES = {
    "comma": 'height,weight,kind\n1.5,60,a\n1.7,,b\n"1.8",80.5,"c, d"\n1.9,1e3,a\n1.4,-5,b\n',
    "semicolon": "größe;gewicht\n1,5;60\n1,7;1.234,5\n1,8;NA\n",
    "tab": "a\tb\tc\n1\t2\t3\n4\t5\t6\n",
    "spaces": "  x    y\n 1.0  2.0\n 3.0  4.0\n",
    "quoted": 'name,"a ""b"""\n"x\ny",1\nz,2\n',
}


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("name", TABLES)
@pytest.mark.parametrize("codec", ["utf-8", "utf-8-sig", "utf-16"])
def test_tables_cut_and_flipped(tmp_path: Path, name: str, codec: str) -> None:
    content, path = TABLES[name].encode(codec), tmp_path / "table.csv"
    dice = random.Random(seed_in_hand(1))
    cut = [content[:length] for length in range(0, len(content), THIN)]
    flipped = [content[:at] + bytes([b]) + content[at + 1 :] for at in range(0, len(content), THIN) for b in BYTES]
    shuffled = [bytes(dice.sample(content, len(content))) for _ in range(max(1, 300 // THIN))]
    for broken in (
        *cut,
        *flipped,
        *shuffled,
        content * 3,
        b"," * 5000,
        b'"' * 999,
        b"1" * 10**6,
        b"9e999,-9e999\n" * 9,
    ):
        path.write_bytes(broken)
        try:
            table = read_table(path)
            if table.rows and len(table.columns) > 1:
                table.dataset()
        except DataError as error:
            assert len(str(error).splitlines()) == 1 and len(str(error)) < 500, str(error)
