"""Every field of every experiment at both ends of its range, and all at once: a finish, or one line; never a traceback.

Each case has a process that may be given up. DESCENT_ONLY names experiments, DESCENT_THIN leaves out all but every so
many of the cases, DESCENT_SLOW says from how many seconds on a case is told of.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path
from queue import Empty, Queue

import pytest

from tests.soak.sizes import chosen, stated

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 60.0  # seconds until a case is given up
SLOW = float(os.environ.get("DESCENT_SLOW", "5"))
THIN = stated("THIN", 1)

# Prints the number of cases, then for each from the one that is asked for: what it is, and how it went.
CASES = """
import sys, time, traceback, warnings
warnings.simplefilter("error")
from engine.experiment import Picture
from engine.experiments import load
from engine.session.commands import script
from engine.session.files import from_json, saved, to_json
from engine.session.session import Session
from engine.spec import SpecError, build, declarations

experiment, first, thin = load(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
fields = [d for d in declarations(experiment.Spec) if d.key != experiment.steps_key]

def ends(d):
    if d.kind == "bool":
        return [False, True]
    if d.kind == "choice":
        return list(d.choices)
    if d.kind == "choices":
        return [(), *[(one,) for one in d.choices], d.choices]
    if d.kind == "sequence":
        return [(), (d.choices[0],), (d.choices[-1],) * d.most]
    if d.kind == "numbers":
        return [(), (int(d.low),), (int(d.high),), (int(d.low),) * d.most, (int(d.high),) * d.most]
    if d.kind == "point":
        return [(d.low, d.low), (d.high, d.high), (d.low, d.high)]
    if d.kind == "points":
        return [(), ((d.low, d.low), (d.high, d.high)), ((d.low, d.high),) * d.most]
    if d.kind in ("text", "file"):
        return ["", "x" * int(d.high or 100)]
    whole = d.kind == "int"
    return [int(end) if whole else end for end in (d.low, d.high)] + ([None] if d.inherits else [])

cases = [(f"{d.key} = {value!r:.40}", {d.key: value}) for d in fields for value in ends(d)]
numbers = [d for d in fields if d.kind in ("int", "float") and "." not in d.key and not d.hidden]
cases += [(f"all {word}", {d.key: ends(d)[end] for d in numbers}) for end, word in ((0, "lowest"), (1, "highest"))]
cases = cases[::thin]
print(len(cases), flush=True)
for number, (words, values) in enumerate(cases):
    if number < first:
        continue
    print("case", words.replace("\\n", " "), flush=True)
    began = time.monotonic()
    try:
        spec = build(experiment.Spec, values)
        session = Session(experiment, spec)
        session.advance(3, 2.0)
        session.advance(100, 0.3)
        view = session.view()
        for plot in experiment.plots:
            if isinstance(plot, Picture):
                try:
                    session.probe(plot.name, series=view.series[0])
                except TypeError as error:
                    if "keyword argument 'series'" not in str(error):
                        raise
                    session.probe(plot.name)
        experiment.drawn(view.spec, view)
        assert from_json(to_json(saved(view))) == saved(view)
        told = f"step {session.step} {session.finish or 'going on'}"
        session.back(1)
        try:
            compiled = script(session)
            import ast
            ast.parse(compiled)
        except SpecError as error:
            assert len(str(error).splitlines()) == 1
            told += " (no script)"
    except SpecError as error:
        told = "SpecError" if len(str(error).splitlines()) == 1 else f"TRACE two lines: {error}"
    except Exception as error:
        place = traceback.extract_tb(error.__traceback__)[-1]
        where = f"{place.filename.rpartition('/')[2]}:{place.lineno}"
        told = f"TRACE {type(error).__name__}: {str(error)[:300]!r} at {where}"
    print(f"done {time.monotonic() - began:.2f} {told}", flush=True)
"""


def lines(process: subprocess.Popen[str], into: Queue[str]) -> None:
    """Hand on what a process prints; an empty line at its end."""
    assert process.stdout is not None
    for line in process.stdout:
        into.put(line.rstrip("\n"))
    into.put("")


@pytest.mark.timeout(7200)
@pytest.mark.parametrize("id", chosen())
def test_ends_of_ranges(id: str, capsys: pytest.CaptureFixture[str]) -> None:
    wrong: list[str] = []
    slow: list[str] = []
    at, total = 0, 1
    while at < total:
        process = subprocess.Popen(
            [sys.executable, "-c", CASES, id, str(at), str(THIN)], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            text=True, cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)},
        )  # fmt: skip
        told: Queue[str] = Queue()
        reader = threading.Thread(target=lines, args=(process, told), daemon=True)
        reader.start()
        total, case = int(told.get(timeout=PATIENCE)), ""
        while True:
            try:
                line = told.get(timeout=PATIENCE)
            except Empty:
                wrong.append(f"{case}: nothing came of it in {PATIENCE:.0f} s")
                process.kill()
                at += 1
                break
            if line.startswith("case "):
                case = line[5:]
            elif line.startswith("done "):
                at += 1
                _, seconds, result = line.split(" ", 2)
                if result.startswith("TRACE"):
                    wrong.append(f"{case}: {result}")
                if float(seconds) > SLOW:
                    slow.append(f"{case}: {seconds} s, {result}")
            elif not line:
                if at < total:
                    wrong.append(f"{case}: the process ended with {process.wait()}")
                    at += 1
                break
        process.communicate()
        reader.join()
    with capsys.disabled():
        print(f"\n{id}: {total} cases, {len(slow)} took more than {SLOW:g} s", *slow, sep="\n    ", flush=True)
    assert not wrong, "\n".join([f"{len(wrong)} of {total}:", *wrong[:30]])
