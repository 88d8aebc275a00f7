"""The exported script runs alone with torch and NumPy and ends where the app ended, to 1e-10; or fails."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.experiments.landscapes import _rehearsal
from engine.experiments.landscapes.descent import NAMES, Descent
from engine.optimizers import CONVENTIONS, RULES
from engine.second_order import METHODS
from engine.session.commands import script
from engine.session.session import Session
from engine.spec import build

ROOT = Path(__file__).resolve().parents[3]
RATES = {
    "sgd": 1e-3, "momentum": 3e-4, "nesterov": 3e-4, "adagrad": 0.1, "adadelta": 1.0, "rmsprop": 0.01, "adam": 0.02,
    "adamw": 0.02, "nadam": 0.02, "amsgrad": 0.02, "adamax": 0.02, "lion": 0.003,
}  # fmt: skip
SUITED = {f"{name}.learning_rate": rate for name, rate in RATES.items()}
ODD = {
    f"{name}.{hyper.name}": {
        "eps": 1e-3, "weight_decay": 0.02, "momentum": 0.7, "beta1": 0.8, "beta2": 0.95, "alpha": 0.9, "rho": 0.8,
        "lr_decay": 0.01, "momentum_decay": 0.02,
    }[hyper.name]
    for name, rule in RULES.items() for hyper in rule.hypers
}  # fmt: skip
ODD |= {"newton.damping": 0.5, "newton.learning_rate": 0.7, "bfgs.c2": 0.5, "cg.max_evaluations": 7, "lbfgs.history": 2}


def session(values: dict[str, Any], live: tuple[tuple[int, str, Any], ...] = ()) -> Session:
    """A run to its end, with live changes at their steps."""
    experiment = Descent()
    run = Session(experiment, build(experiment.Spec, {"steps": 120, **values}))
    for step, key, value in live:
        run.advance(step - run.step)
        assert run.step == step
        run.set_live(key, value)
    while run.finish is None:
        run.advance(1000)
    return run


def exact(text: str) -> set[str]:
    """Who walks in the app's own arithmetic."""
    tables = [node for node in ast.parse(text).body if isinstance(node, ast.Assign)]
    found = [node.value for node in tables if ast.unparse(node.targets[0]) == "EXACTLY"]
    return {key.value for table in found for key in table.keys} if found else set()


def execute(folder: Path, *texts: str) -> subprocess.CompletedProcess[str]:
    """Run scripts one after the other in one fresh interpreter that sees neither this project nor its folder."""
    for i, text in enumerate(texts):
        (folder / f"script{i}.py").write_text(text, encoding="utf-8")
    names = [f"script{i}.py" for i in range(len(texts))]
    many = f"import runpy\nfor name in {names!r}: runpy.run_path(name, run_name='__main__')"
    return subprocess.run(
        [sys.executable, "-I", *([names[0]] if len(texts) == 1 else ["-c", many])],
        cwd=folder, capture_output=True, text=True, timeout=100,
    )  # fmt: skip


LIVE = (
    (0, "noise", 0.3), (20, "learning_rate", 0.0005), (30, "adam.learning_rate", 0.05), (30, "adam.beta1", 0.5),
    (40, "momentum.momentum", 0.0), (40, "nesterov.momentum", 0.0), (60, "noise", 0.0), (70, "momentum.momentum", 0.9),
    (70, "nesterov.momentum", 0.8), (70, "nadam.momentum_decay", 0.1), (80, "rmsprop.eps", 1e-4), (80, "noise", 0.1),
    (90, "adagrad.weight_decay", 0.1), (90, "newton.damping", 2.0), (90, "bfgs.c2", 0.3), (90, "lbfgs.history", 1.0),
    (100, "lion.beta2", 0.5), (100, "steps", 130),
)  # fmt: skip
CASES: dict[str, tuple[dict[str, Any], tuple[tuple[int, str, Any], ...]]] = {
    f"{surface} {convention} {kind}": (
        {"surface": surface, "convention": convention, "optimizers": tuple(NAMES), **SUITED, **more}, live
    )
    for surface in ("rosenbrock", "himmelblau")
    for convention in CONVENTIONS
    for kind, more, live in (
        ("at defaults", {}, ()),
        ("odd", ODD, ()),
        ("noisy and live", {"adadelta.learning_rate": None, "sgd.learning_rate": None, "seed": 7}, LIVE),
    )
}  # fmt: skip


@pytest.mark.parametrize("surface", ["rosenbrock", "himmelblau"])
def test_every_optimizer_ends_where_the_app_ends(surface: str, tmp_path: Path) -> None:
    texts = []
    for name, (values, live) in CASES.items():
        if name.startswith(surface):
            run = session(values, live)
            texts.append(script(run))
            assert run.step == (130 if live else 120), name
            told = {entry.series for entry in run.branch.endings}
            assert not told, f"{name}: everybody should walk to the end"
    done = execute(tmp_path, *texts)
    assert (done.returncode, done.stderr) == (0, "")
    assert len(done.stdout.splitlines()) == len(texts) * len(NAMES)


@pytest.mark.parametrize("convention", CONVENTIONS)
def test_torch_walks_wherever_it_can(convention: str) -> None:
    text = script(session(CASES[f"rosenbrock {convention} at defaults"][0]))
    assert exact(text) == set(METHODS) - {"newton"}
    own = {"lion"} | ({n for n, rule in RULES.items() if rule.book_has_own_formula} if convention == "book" else set())
    for name in RULES:
        made = re.search(rf'"{name}": lambda p: (torch\.optim\.)?(\w+)\(', text)
        assert made and (made[1] is None) == (name in own), name


ENDINGS: dict[str, tuple[dict[str, Any], dict[str, str]]] = {
    "an overflow": (
        {"optimizers": ("sgd", "momentum", "adam", "bfgs", "newton"), "learning_rate": 1.0, "adam.learning_rate": 0.01},
        {"sgd": "diverged", "momentum": "diverged"},
    ),
    "a target": (
        {"optimizers": ("momentum", "adam", "lbfgs", "newton"), "target": 4.12, **SUITED},
        {"momentum": "target", "adam": "target", "lbfgs": "target", "newton": "target"},
    ),
    "no step possible": (
        {"surface": "custom", "formula": "x^3 + y", "optimizers": ("sgd", "newton"), "learning_rate": 0.01},
        {"newton": "diverged"},
    ),
    "falling off a saddle": (
        {"surface": "saddle", "optimizers": ("sgd", "bfgs", "cg"), "learning_rate": 0.4, "steps": 3000},
        {"sgd": "diverged"},
    ),
    "a gradient that is not there": (
        {"surface": "custom", "formula": "log(x) + y^2", "start": (0.5, 1.0), "optimizers": ("sgd", "adam"),
         "learning_rate": 0.3},
        {"sgd": "diverged", "adam": "diverged"},
    ),
}  # fmt: skip
OTHERS: dict[str, tuple[dict[str, Any], set[str]]] = {
    "your own formula": (
        {"surface": "custom", "formula": "sin(3*x)*cos(2*y) + 0.1*(x^2+y^2)", "start": (2.2, 2.4),
         "optimizers": ("sgd", "adam", "newton"), **SUITED, "newton.damping": 20.0},
        set(),
    ),
    "a kink": (
        {"surface": "custom", "formula": "max(abs(x), 2) + min(y^2, x^2) + 1e-3*erf(x)*sigmoid(y)", "start": (3.0, 1.0),
         "optimizers": ("sgd", "momentum"), **SUITED},
        set(),
    ),
    "at a tip, where autograd finds no gradient": (
        {"surface": "ackley", "start": (0.0, 0.0), "optimizers": ("sgd", "adam", "cg"), "noise": 0.1, **SUITED},
        {"sgd", "adam", "cg"},
    ),
    "chaos": (
        {"surface": "ackley", "optimizers": ("sgd", "nesterov", "rmsprop", "bfgs"), "learning_rate": 1.0,
         "rmsprop.learning_rate": 1.0, "steps": 300, "convention": "book"},
        {"sgd", "bfgs"},
    ),
    "not a single step": ({"optimizers": ("sgd", "cg"), "steps": 1}, {"cg"}),
}  # fmt: skip


def test_contestants_that_end_before_end_at_the_very_step(tmp_path: Path) -> None:
    texts = []
    for name, (values, expected) in ENDINGS.items():
        run = session(values)
        assert {run.series[e.series]: e.finish for e in run.branch.endings} == expected, name
        texts.append(script(run))
    done = execute(tmp_path, *texts)
    assert (done.returncode, done.stderr) == (0, "")


def test_other_surfaces_and_walks_that_rounding_changes(tmp_path: Path) -> None:
    texts = []
    for name, (values, expected) in OTHERS.items():
        run = session(values)
        if name == "not a single step":
            run.seek(0)
        texts.append(script(run))
        assert expected <= exact(texts[-1]), name
        assert expected or not exact(texts[-1]), name
    done = execute(tmp_path, *texts)
    assert (done.returncode, done.stderr) == (0, "")


def test_chaos_is_beyond_torch(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The same walk handed to torch.optim must miss the app's end: the app's own arithmetic is needed."""
    run = session({"surface": "ackley", "optimizers": ("sgd",), "learning_rate": 1.0, "steps": 300})
    monkeypatch.setattr(_rehearsal, "GROWN", np.inf)
    text = script(run)
    assert not exact(text)
    done = execute(tmp_path, text)
    assert done.returncode == 1 and "AssertionError: sgd ended at" in done.stderr


def test_a_step_back_and_a_branch(tmp_path: Path) -> None:
    run = session({"optimizers": ("adam", "bfgs", "sgd"), **SUITED, "noise": 0.2})
    run.seek(77)
    back = script(run)
    assert "STEPS = 77" in back and run.set_live("adam.learning_rate", 0.2)
    run.advance(30)
    branch = script(run)
    assert "STEPS = 107" in branch and '"adam": {77: {\'lr\': 0.2}}' in branch
    done = execute(tmp_path, back, branch)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("name", ["adam", "lion", "lbfgs"])
def test_a_wrong_end_is_found(name: str, tmp_path: Path) -> None:
    run = session({"optimizers": ("adam", "lion", "lbfgs"), **SUITED})
    run.state.p[run.series.index(name), 1] += 3e-10
    done = execute(tmp_path, script(run))
    assert done.returncode == 1
    assert f"AssertionError: {name} ended at" in done.stderr.splitlines()[-1]


def test_a_wrong_step_of_overflow_is_found(tmp_path: Path) -> None:
    text = script(session(ENDINGS["an overflow"][0]))
    wrong, count = re.subn(r'^    "sgd": \((\d+), None\)', lambda m: f'    "sgd": ({int(m[1]) - 1}, None)', text, flags=re.M)
    assert count == 1
    done = execute(tmp_path, wrong)
    assert done.returncode == 1 and "AssertionError: sgd took" in done.stderr


@pytest.mark.parametrize("name", [*CASES, *ENDINGS, *OTHERS])
def test_the_text(name: str) -> None:
    values = (CASES.get(name) or ENDINGS.get(name) or OTHERS[name])[0]
    text = script(session(values))
    tree = ast.parse(text)
    assert ast.get_docstring(tree)
    assert not re.search(r"""(^|[\s"'(=])(/|[A-Za-z]:\\)\w""", text), "no absolute path"
    assert str(ROOT) not in text and sys.prefix not in text
    imported = {
        alias.name.partition(".")[0] for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names
    } | {str(node.module).partition(".")[0] for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert imported <= {"__future__", "dataclasses", "math", "zlib", "numpy", "torch"}
    assert text == script(session(values)), "the same run gives the same script"
