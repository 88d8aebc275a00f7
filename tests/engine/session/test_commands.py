"""The command line: what it writes, and that every wrong word gets exit status 2 and one line."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import engine.session.presets as preset_files
from engine.experiments import load
from engine.session import commands
from engine.session.files import read, saved, to_json
from engine.session.presets import predictions, presets
from engine.session.session import Session
from engine.spec import SpecError, build, declarations

ROOT = Path(__file__).resolve().parents[3]
ID = "landscapes.descent"
DESCENT: Any = load(ID)
FIELDS = {d.key: d for d in declarations(DESCENT.Spec)}
SHORT = ["--set", "optimizers=sgd,adam", "--steps", "12"]


def run(out: Path, *words: str) -> dict[str, Any]:
    """`run landscapes.descent` in this process; its summary."""
    assert commands.main(["run", ID, "--out", str(out), *words]) == 0
    summary: dict[str, Any] = json.loads((out / "summary.json").read_text())
    return summary


def table(out: Path) -> list[dict[str, str]]:
    """The rows of history.csv."""
    with open(out / "history.csv", newline="") as stream:
        return list(csv.DictReader(stream))


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """The one line that a wrong command gets."""
    capsys.readouterr()
    assert commands.main(list(arguments)) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.endswith("\n") and len(said.err.splitlines()) == 1 and len(said.err) < 600
    return said.err


# -- run ---------------------------------------------------------------------------------------------------------------


def test_a_run_writes_its_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told = run(tmp_path / "out", *SHORT, "--set", "adam.beta1=0.8")
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == [
        "experiment.json", "history.csv", "history.npz", "summary.json",
    ]  # fmt: skip
    assert (told["finish"], told["step"], list(told["series"])) == ("done", 12, ["sgd", "adam"])
    assert told["settings"]["adam"]["beta1"] == 0.8
    assert len(table(tmp_path / "out")) == 26
    assert "done at step 12" in capsys.readouterr().out


def test_a_run_draws_with_what_it_is_handed(tmp_path: Path) -> None:
    drawn: list[tuple[int, Path, object]] = []

    def picture(session: Session, path: Path, over: object) -> None:
        drawn.append((session.step, path, over))

    assert commands.main(["run", ID, *SHORT, "--out", str(tmp_path)], picture) == 0
    assert drawn == [(12, tmp_path / "figure", None)]


def test_a_run_is_the_same_run_every_time(tmp_path: Path) -> None:
    words = [*SHORT, "--set", "noise=0.5", "--set", "seed=3"]
    run(tmp_path / "a", *words)
    run(tmp_path / "b", *words)
    assert (tmp_path / "a" / "history.csv").read_bytes() == (tmp_path / "b" / "history.csv").read_bytes()


def test_every_so_many_steps_only(tmp_path: Path) -> None:
    told = run(tmp_path, *SHORT, "--set", "record_every=5")
    assert [r["step"] for r in table(tmp_path)] == ["0", "0", "5", "5", "10", "10"]
    assert told["step"] == 12 and told["series"]["sgd"]["step"] == 12


def test_divergence_is_a_result_and_no_error(tmp_path: Path) -> None:
    told = run(tmp_path / "one", "--set", "surface=rosenbrock", "--set", "optimizers=sgd,adam", "--set",
               "sgd.learning_rate=1", "--steps", "40")  # fmt: skip
    sgd, adam = told["series"]["sgd"], told["series"]["adam"]
    assert sgd["finish"] == "diverged" and sgd["step"] < 40 and str(sgd["step"]) in sgd["reason"]
    assert (adam["finish"], adam["step"], told["finish"], told["step"]) == ("done", 40, "done", 40)
    told = run(tmp_path / "all", "--set", "surface=rosenbrock", "--set", "optimizers=sgd", "--set", "learning_rate=1")
    assert told["finish"] == told["series"]["sgd"]["finish"] == "diverged" and told["step"] == sgd["step"]


FIRST_BELOW = [
    ("sgd", ["--set", f"learning_rate={2 / 101!r}"], 709),
    ("momentum", ["--set", f"learning_rate={4 / 121!r}", "--set", f"momentum.momentum={(9 / 11) ** 2!r}"], 95),
    ("newton", [], 1),
]


@pytest.mark.parametrize("convention", ["book", "pytorch"])
@pytest.mark.parametrize(("name", "words", "steps"), FIRST_BELOW)
def test_steps_to_the_minimum_of_a_bowl(
    tmp_path: Path, name: str, words: list[str], steps: int, convention: str
) -> None:
    """Condition number 100 from (1, 1) to norm below 1e-6 at the optimal settings: the published numbers."""
    run(tmp_path, "--set", "surface=bowl", "--set", "condition_number=100", "--set", "start=1,1", "--set",
        f"optimizers={name}", "--set", f"convention={convention}", "--steps", "750", *words)  # fmt: skip
    near = [int(r["step"]) for r in table(tmp_path) if np.hypot(float(r["x"]), float(r["y"])) < 1e-6]
    assert near[0] == steps


def test_a_file_with_live_changes_and_branches_runs_again(tmp_path: Path) -> None:
    one = Session(DESCENT, build(DESCENT.Spec, {"optimizers": ("sgd", "adam"), "noise": 0.1, "steps": 40}))
    one.advance(20)
    one.set_live("learning_rate", 0.002)
    one.advance(10)
    one.seek(25)
    one.set_live("adam.beta1", 0.5)
    one.advance(40)
    path = tmp_path / "run.descent.json"
    path.write_text(to_json(saved(one.view())))
    told = run(tmp_path / "out", "--file", str(path))
    assert told["step"] == 40 and [e["step"] for e in told["events"]] == [20, 25]
    rows = {(r["step"], r["series"]): r for r in table(tmp_path / "out")}
    assert [float(rows["40", name]["x"]) for name in ("sgd", "adam")] == one.row["x"].tolist()
    # What it wrote is an experiment file too, and --set and --steps change it.
    again = tmp_path / "out" / "experiment.json"
    assert read(again).branches[0].events == one.branch.events
    told = run(tmp_path / "more", "--file", str(again), "--steps", "50", "--set", "adam.beta2=0.9")
    assert told["step"] == 50 and told["settings"]["adam"]["beta2"] == 0.9


def test_steps_said_here_hold_against_those_in_the_file(tmp_path: Path) -> None:
    one = Session(DESCENT, build(DESCENT.Spec, {"steps": 10}))
    one.advance(10)
    one.set_live("steps", 30)
    path = tmp_path / "x.descent.json"
    path.write_text(to_json(saved(one.view())))
    assert run(tmp_path / "a", "--file", str(path))["step"] == 30
    assert run(tmp_path / "b", "--file", str(path), "--steps", "15")["step"] == 15


def test_an_interrupt_writes_what_was_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    walk = type(DESCENT).advance

    def advance(self: Any, state: Any, spec: Any, n: int) -> Any:
        columns = walk(self, state, spec, n)
        if state.step >= 100:
            raise KeyboardInterrupt
        return columns

    monkeypatch.setattr(type(DESCENT), "advance", advance)
    assert commands.main(["run", ID, "--out", str(tmp_path), "--steps", "100000"]) == 130
    told = json.loads((tmp_path / "summary.json").read_text())
    assert told["finish"] == "stopped" and 0 < told["step"] < 100
    assert int(table(tmp_path)[-1]["step"]) == told["step"] == read(tmp_path / "experiment.json").step
    assert commands.main(["code", ID, "-o", str(tmp_path / "x.py"), "--steps", "100000"]) == 130
    assert not (tmp_path / "x.py").exists()
    assert "interrupted" in capsys.readouterr().err


def test_a_failure_inside_is_told_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def advance(self: Any, state: Any, spec: Any, n: int) -> Any:
        raise RuntimeError("broken\non purpose")

    monkeypatch.setattr(type(DESCENT), "advance", advance)
    assert commands.main(["run", ID, "--out", str(tmp_path)]) == 1
    assert "descent-lab: RuntimeError: broken on purpose\n" in capsys.readouterr().err
    told = json.loads((tmp_path / "summary.json").read_text())
    assert (told["finish"], told["reason"]) == ("failed", "RuntimeError: broken on purpose")


# -- bad input ---------------------------------------------------------------------------------------------------------


BAD: list[tuple[list[str], tuple[str, ...]]] = [
    (["learning_rate=fast"], ("learning_rate", "'fast'", "a number from 1e-12 to 1e+06")),
    (["learning_rate=nan"], ("learning_rate", "nan", "a number from 1e-12 to 1e+06")),
    (["learning_rate=-inf"], ("learning_rate", "-inf", "a number")),
    (["learning_rate=0"], ("learning_rate", "0.0", "1e-12")),
    (["learning_rate="], ("learning_rate", "''", "a number")),
    (["learning_rate"], ("--set", "'learning_rate'", "KEY=VALUE")),
    (["lerning_rate=1"], ("lerning_rate", "learning_rate")),
    (["adam.beta3=1"], ("adam.beta3", "adam.beta1")),
    (["adam=1"], ("adam", "no such setting")),
    (["=1"], ("no such setting",)),
    (["adam.beta1=1"], ("adam.beta1", "1.0", "0.999999")),
    (["steps=0"], ("steps", "0", "a whole number from 1")),
    (["steps=1e3"], ("steps", "'1e3'", "a whole number")),
    (["steps=" + "9" * 10_000], ("steps", "999", "a whole number")),
    (["seed=-1"], ("seed", "-1", "from 0 to 4294967295")),
    (["lbfgs.history=2.5"], ("lbfgs.history", "'2.5'", "a whole number")),
    (["surface=rosenbrok"], ("surface", "'rosenbrok'", "rosenbrock", "custom")),
    (["convention=paper"], ("convention", "'paper'", "book, pytorch")),
    (["optimizers=sgd,adan"], ("optimizers", "'adan'", "adam")),
    (["optimizers=sgd,sgd"], ("optimizers", "sgd,sgd", "twice")),
    (["optimizers="], ("optimizers", "at least one")),
    (["start=1"], ("start", "'1'", "two numbers x,y")),
    (["start=1,inf"], ("start", "inf", "two numbers")),
    (["start=1,1e7"], ("start", "10000000.0", "from -1e+06 to 1e+06")),
    (["noise=-0.1"], ("noise", "-0.1", "a number from 0")),
    (["record_every=0"], ("record_every", "0", "a whole number from 1")),
    (["condition_number=0.5"], ("condition_number", "0.5", "from 1 to 1e+08")),
    (["formula=" + "x+" * 300 + "x"], ("formula", "at most 500 characters")),
]
FORMULAS = [
    "__import__('os')", "x.real", "lambda: 0", "(" * 10_000 + "x" + ")" * 10_000, "(" * 240 + "x" + ")" * 240,
    "x**(10**9)", "", "9**9**9", "x;y", "z", "x +", "sin(x", "x[0]", "f'{x}'", "x if y else 1", "é", "x\ny",
]  # fmt: skip


@pytest.mark.parametrize(("pairs", "parts"), BAD, ids=[case[0][0][:30] for case in BAD])
@pytest.mark.parametrize("verb", ["run", "code"])
def test_a_wrong_setting_exits_2_with_one_line(
    verb: str, pairs: list[str], parts: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    where = ["--out", str(tmp_path / "out")] if verb == "run" else ["-o", str(tmp_path / "out" / "x.py")]
    line = refused(capsys, verb, ID, *where, *(word for pair in pairs for word in ("--set", pair)))
    assert line.startswith("descent-lab: ") and all(part in line for part in parts), line
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("formula", FORMULAS, ids=[repr(formula[:20]) for formula in FORMULAS])
def test_a_wrong_formula_exits_2_with_one_line(
    formula: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--set", "surface=custom", "--set", f"formula={formula}"]
    line = refused(capsys, "run", ID, "--out", str(tmp_path / "out"), *words)
    assert line.startswith("descent-lab: formula: ")
    assert list(tmp_path.iterdir()) == []


def test_a_formula_of_ones_own_works_like_any_surface(tmp_path: Path) -> None:
    told = run(tmp_path, "--set", "surface=custom", "--set", "formula=sin(3*x)*cos(2*y) + 0.1*(x^2+y^2)", *SHORT)
    assert told["finish"] == "done"
    for row in table(tmp_path):
        x, y = float(row["x"]), float(row["y"])
        assert float(row["loss"]) == pytest.approx(np.sin(3 * x) * np.cos(2 * y) + 0.1 * (x * x + y * y), rel=1e-12)
        assert float(row["grad_x"]) == pytest.approx(3 * np.cos(3 * x) * np.cos(2 * y) + 0.2 * x, rel=1e-9, abs=1e-12)
        assert float(row["grad_y"]) == pytest.approx(-2 * np.sin(3 * x) * np.sin(2 * y) + 0.2 * y, rel=1e-9, abs=1e-12)


WORDS: list[tuple[list[str], tuple[str, ...]]] = [
    ([], ("no such command", "list, run, code, figures")),
    (["walk"], ("walk", "no such command")),
    (["run"], ("required: id", "--help")),
    (["run", "landscapes.descend"], ("landscapes.descend", "did you mean landscapes.descent?")),
    (["run", "../../etc/passwd"], ("no such experiment", ID)),
    (["run", "landscapes"], ("no such experiment", ID)),
    (["run", "landscapes._descent"], ("no such experiment", ID)),
    (["run", "a\nb\x1b[31m"], ("no such experiment",)),
    (["run", ID, "--set"], ("--set", "expected one argument")),
    (["run", ID, "--sett", "steps=3"], ("unrecognized arguments: --sett",)),
    (["run", ID, "more\nwords"], ("unrecognized arguments: more words",)),
    (["run", ID, "--steps", "many"], ("steps", "'many'", "a whole number")),
    (["run", ID, "--steps", "-5"], ("steps", "-5", "a whole number")),
    (["run", ID, "--preset", "nothing_like_it"], ("nothing_like_it", "no such preset")),
    (["run", ID, "--preset", ""], ("no such preset",)),
    (["run", ID, "--file", "none.json"], ("none.json", "no such file")),
    (["run", ID, "--file", ""], ("not a file",)),
    (["list", "--yaml"], ("unrecognized arguments: --yaml",)),
    (["code", ID, "--out", "x"], ("unrecognized arguments",)),
    (["figures", "--out"], ("expected one argument",)),
]


@pytest.mark.parametrize(("arguments", "parts"), WORDS, ids=[" ".join(case[0])[:40] for case in WORDS])
def test_a_wrong_word_exits_2_with_one_line(
    arguments: list[str], parts: tuple[str, ...], capsys: pytest.CaptureFixture[str], tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    line = refused(capsys, *arguments)
    assert all(part in line for part in parts), line
    assert all(c.isprintable() for c in line.rstrip("\n"))
    assert list(tmp_path.iterdir()) == []


FILES: list[tuple[bytes, str]] = [
    (b"", "line 1"),
    (b"{", "not an experiment file"),
    (b"[" * 200_000, "deep"),
    (b"\xff\xfe", "UTF-8"),
    (b"[]", "an object"),
    (b'{"format": "descent-lab", "version": 99, "experiment": "landscapes.descent", "settings": {}}', "newer"),
    (
        b'{"format": "descent-lab", "version": 1, "experiment": "landscapes.descent", "settings": {"q": 1}}',
        "q: no such",
    ),
]


@pytest.mark.parametrize(("content", "part"), FILES)
def test_a_broken_file_exits_2_with_one_line(
    content: bytes, part: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "broken.descent.json"
    path.write_bytes(content)
    line = refused(capsys, "run", ID, "--file", str(path), "--out", str(tmp_path / "out"))
    assert str(path) in line and part in line
    assert [p.name for p in tmp_path.iterdir()] == ["broken.descent.json"]


def test_a_folder_that_cannot_be_made_is_told_before_the_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("old")

    def never(*_: Any) -> Any:
        raise AssertionError("the run began")

    monkeypatch.setattr(Session, "advance", never)
    for out in (tmp_path / "file", tmp_path / "file" / "below", tmp_path / ("x" * 300)):
        line = refused(capsys, "run", ID, "--out", str(out), *SHORT)
        assert "--out" in line and "cannot be made" in line
    assert "cannot be made" in refused(capsys, "code", ID, "-o", str(tmp_path / "file" / "x.py"), *SHORT)
    monkeypatch.setattr(os, "access", lambda *_: False)
    assert "cannot be written to" in refused(capsys, "run", ID, "--out", str(tmp_path), *SHORT)
    assert (tmp_path / "file").read_text() == "old" and len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize("broken", ["experiment.json", "history.csv", "history.npz", "summary.json"])
def test_a_write_that_breaks_off_leaves_the_earlier_run(
    broken: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    run(tmp_path, *SHORT)
    before = {p.name: p.read_bytes() for p in tmp_path.iterdir()}
    replace = os.replace

    def fails(source: Any, target: Any) -> None:
        if Path(target).name == broken:
            raise OSError(28, "No space left on device")
        replace(source, target)

    monkeypatch.setattr(os, "replace", fails)
    assert commands.main(["run", ID, "--out", str(tmp_path), *SHORT, "--set", "noise=1"]) == 2
    assert f"{broken}: cannot be written (the disk is full)" in capsys.readouterr().err
    after = {p.name: p.read_bytes() for p in tmp_path.iterdir()}
    assert after.keys() == before.keys() and after[broken] == before[broken]


# -- list --------------------------------------------------------------------------------------------------------------


def test_every_experiment_is_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert commands.main(["list"]) == 0
    line = next(line for line in capsys.readouterr().out.splitlines() if line.startswith(ID))
    assert line.split()[1:3] == ["Landscapes", "10.2"] and line.endswith("Optimizers on a surface")


def test_a_list_for_programs_says_everything(capsys: pytest.CaptureFixture[str]) -> None:
    assert commands.main(["list", "--json"]) == 0
    (told,) = [entry for entry in json.loads(capsys.readouterr().out) if entry["id"] == ID]
    assert (told["tab"], told["section"], told["title"]) == ("landscapes", "10.2", "Optimizers on a surface")
    assert told["columns"] == ["step", "series", "x", "y", "loss", "grad_x", "grad_y", "learning_rate"]
    assert {p["name"] for p in told["presets"]} == {p.name for p in presets(ID)}
    fields = {f["name"]: f for f in told["fields"]}
    assert fields.keys() == FIELDS.keys()
    for field in fields.values():
        assert {"type", "default", "unit", "help"} <= field.keys() and field["help"]
        assert ("range" in field) == (field["type"] in ("float", "int", "point"))
        assert ("choices" in field) == (field["type"] in ("choice", "choices"))
    assert fields["surface"]["choices"] == [
        "chapter_quadratic", "bowl", "rosenbrock", "beale", "himmelblau", "rastrigin", "ackley", "styblinski_tang",
        "saddle", "monkey_saddle", "plateau", "two_minima", "ravine", "custom",
    ]  # fmt: skip
    assert fields["optimizers"]["choices"] == [
        "sgd", "momentum", "nesterov", "adagrad", "adadelta", "rmsprop", "adam", "adamw", "nadam", "amsgrad", "adamax",
        "lion", "newton", "bfgs", "lbfgs", "cg",
    ]  # fmt: skip
    assert fields["convention"]["choices"] == ["book", "pytorch"] and fields["record_every"]["default"] == 1
    assert (fields["newton.learning_rate"]["default"], fields["newton.damping"]["default"]) == (1, 0)
    for key in ("adadelta.rho", "nadam.momentum_decay", "rmsprop.alpha", "adamw.weight_decay", "adam.eps", "target",
                "noise", "seed", "steps", "formula", "condition_number", "start", "sgd.learning_rate"):  # fmt: skip
        assert key in fields


@pytest.mark.parametrize("key", [k for k, d in FIELDS.items() if d.kind in ("float", "int")])
def test_every_number_is_held_to_its_range(key: str, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    for beyond in (FIELDS[key].low - 1, FIELDS[key].high + 1):  # type: ignore[operator]
        words = f"{beyond:.0f}" if FIELDS[key].kind == "int" else repr(float(beyond) * (1 + 1e-9))
        line = refused(capsys, "run", ID, "--out", str(tmp_path / "x"), "--set", f"{key}={words}")
        assert line.startswith(f"descent-lab: {key}: ") and FIELDS[key].allowed in line


# -- presets -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def own_presets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder for presets; where the one of landscapes.descent belongs."""
    monkeypatch.setattr(preset_files, "RESOURCES", tmp_path / "resources")
    path = tmp_path / "resources" / "presets" / "landscapes" / "descent.json"
    path.parent.mkdir(parents=True)
    return path


def test_a_run_begins_from_a_preset(own_presets: Path, tmp_path: Path) -> None:
    settings = {"optimizers": ["lion"], "start": [0.5, 0.5], "steps": 3, "lion.learning_rate": 0.25}
    own_presets.write_text(json.dumps({"presets": [
        {"name": "mine", "title": "Mine", "good": True, "why": "To see.", "settings": settings}]}))  # fmt: skip
    told = run(tmp_path / "a", "--preset", "mine")
    assert (told["step"], list(told["series"]), told["settings"]["start"]) == (3, ["lion"], [0.5, 0.5])
    assert table(tmp_path / "a")[1]["learning_rate"] == "0.25"
    told = run(tmp_path / "b", "--preset", "mine", "--steps", "5", "--set", "lion.beta1=0.5")
    assert (told["step"], told["settings"]["lion"]["beta1"]) == (5, 0.5)


@pytest.mark.parametrize(
    "content",
    ["", "{", "[" * 100_000, '{"presets": 3}', '{"presets": [3]}', '{"presets": [{"name": "a"}]}',
     '{"presets": [{"name": "a", "title": "A", "good": true, "why": "", "colour": "red"}]}',
     '{"presets": [{"name": "a", "title": "A", "good": true, "why": "", "settings": 3}]}'],
)  # fmt: skip
def test_a_broken_preset_file_is_told_in_one_line(
    content: str, own_presets: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own_presets.write_text(content)
    assert "preset" in refused(capsys, "run", ID, "--preset", "a", "--out", str(tmp_path / "out"))
    assert not (tmp_path / "out").exists()


def test_a_preset_that_sets_nonsense_is_told_in_one_line(
    own_presets: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for settings, key in (({"rate": 1}, "rate"), ({"steps": 0}, "steps"), ({"optimizers": [["sgd"]]}, "optimizers")):
        own_presets.write_text(json.dumps({"presets": [
            {"name": "a", "title": "A", "good": True, "why": "", "settings": settings}]}))  # fmt: skip
        assert key in refused(capsys, "run", ID, "--preset", "a", "--out", str(tmp_path / "out"))


def test_without_a_file_there_are_no_presets(own_presets: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert presets(ID) == () and predictions(ID) == ()
    assert "known: none" in refused(capsys, "run", ID, "--preset", "a")


def test_broken_predictions_are_told(own_presets: Path) -> None:
    for content in ({"predictions": [3]}, {"predictions": [{"question": "?"}]}, {"predictions": 3}):
        own_presets.write_text(json.dumps(content))
        with pytest.raises(SpecError):
            predictions(ID)


# -- real processes ----------------------------------------------------------------------------------------------------


def process(*arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
    """main.py in a process of its own."""
    command = [sys.executable, str(ROOT / "main.py"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=100, check=False, **options)


def test_the_one_door_leads_here(tmp_path: Path) -> None:
    wrong = process("run", ID, "--set", "steps=none", cwd=tmp_path)
    assert (wrong.returncode, wrong.stdout, len(wrong.stderr.splitlines())) == (2, "", 1)
    assert "steps: 'none' is not allowed" in wrong.stderr and list(tmp_path.iterdir()) == []


@pytest.mark.skipif(os.name != "posix", reason="signals as POSIX has them")
def test_a_killed_run_leaves_nothing_under_a_final_name(tmp_path: Path) -> None:
    """Killed while it writes the first file: whatever is there has another name."""
    program = (
        "import os, signal, sys\n"
        "import engine.atomic as files\n"
        "files.os.fsync = lambda handle: os.kill(os.getpid(), signal.SIGKILL)\n"
        "from engine.session.commands import main\n"
        "main(sys.argv[1:])\n"
    )
    command = [sys.executable, "-c", program, "run", ID, "--out", str(tmp_path), *SHORT]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, timeout=100, check=False)
    assert ended.returncode == -signal.SIGKILL
    (left,) = tmp_path.iterdir()
    assert left.name.startswith(".experiment.json.") and left.name.endswith(".part")


@pytest.mark.skipif(os.name != "posix", reason="pipes as POSIX has them")
def test_a_reader_that_leaves_early_causes_no_complaint() -> None:
    program = "import sys\nfrom engine.session.commands import main\nsys.exit(main(['list', '--json']))\n"
    read_end, write_end = os.pipe()
    os.close(read_end)
    with os.fdopen(write_end, "wb") as closed:
        ended = subprocess.run(
            [sys.executable, "-c", program], cwd=ROOT, stdout=closed, stderr=subprocess.PIPE, timeout=100, check=False
        )
    assert (ended.returncode, ended.stderr) == (0, b"")
